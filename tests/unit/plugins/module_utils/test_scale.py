# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Twice the sites cost twice the work. Counted in executed lines, so that it is the same on every machine."""

from __future__ import annotations

import collections
import sys

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.bothends.vpn.plugins.module_utils import (
    _addresses,
    _adoption,
    _cloud,
    _drift_cloud,
    _hub,
    _hub_info,
    _hub_options,
    _rules,
    _secrets,
    _steps,
    _wire,
)
from ansible_collections.bothends.vpn.tests.unit import neutron
from ansible_collections.bothends.vpn.tests.unit.builders import describe, plan, site, snapshot

SITES = 20
POLICIES = {"strong": {}}


def sites(count, **change):
    """Give sites, each with two tunnels' worth of subnets and three rules."""
    return {
        f"s{number}": site(
            hub="prod",
            gateway=f"198.18.{number // 250}.{number % 250 + 1}",
            subnets=[f"10.{number}.0.0/24", f"10.{number}.1.0/24"],
            policy="strong",
            security_group_rules=[{"protocol": "icmp"}, {"protocol": "tcp", "ports": ["443", "8000-8010"]}],
            **change,
        )
        for number in range(count)
    }


def planned(there, wanted, **more):
    """Plan, and look at what it comes to."""
    return _steps.diff(there, plan(there, wanted, policies=POLICIES, **more).steps)


def built(count):
    """Give the cloud with that many sites in it."""
    return _steps.project(snapshot(), plan(snapshot(), sites(count), policies=POLICIES).steps)


def lines(work, *given):
    """Count the lines of this collection that the work executes."""
    _addresses._read.cache_clear()
    _addresses._written.cache_clear()
    count = 0

    def trace(frame, event, _argument):
        nonlocal count
        if "module_utils/_" not in frame.f_code.co_filename:
            return None
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work(*given)
    finally:
        sys.settrace(before)
    return count


def differing(there, wanted):
    """Tell what differs."""
    return _drift_cloud.differences("prod", there, plan(there, wanted, policies=POLICIES), "neutron")


def wrong(count):
    return sites(count, dpd={"interval": 30, "timeout": 20})


def refuse(found):
    return _rules.blocked(found, _rules.offline(found))


WORK = {
    "description": (sites, lambda given: describe(given, policies=POLICIES)),
    "checks": (lambda count: describe(sites(count), policies=POLICIES), _rules.offline),
    "every site is wrong": (lambda count: describe(wrong(count), policies=POLICIES), refuse),
    "create": (lambda count: (snapshot(), sites(count)), lambda given: planned(*given)),
    "nothing to do": (lambda count: (built(count), sites(count)), lambda given: planned(*given)),
    "every site changes": (
        lambda count: (built(count), sites(count, underlay_mtu=1400)),
        lambda given: planned(*given),
    ),
    "every site's subnets change": (
        lambda count: (built(count), {name: {**one, "subnets": one["subnets"][:1]} for name, one in sites(count).items()}),
        lambda given: planned(*given),
    ),
    "every site goes": (
        lambda count: (built(count), sites(count, state="absent")),
        lambda given: planned(*given),
    ),
    "all are purged": (lambda count: (built(count), sites(1)), lambda given: planned(*given, purge=True)),
    "hub_info describes what is there": (built, lambda there: _adoption.description(there, "neutron")),
    "every site differs": (
        lambda count: (built(count), {name: {**one, "underlay_mtu": 1400, "security_group_rules": []}
                                      for name, one in sites(count).items()}),
        lambda given: differing(*given),
    ),
    "none has a key": (lambda count: (snapshot(), sites(count)), lambda given: module(*given)),
}  # fmt: skip


class Cloud:
    """Gives the snapshot that it was given."""

    def __init__(self, there):
        self.there = there

    def snapshot(self, _vpc):
        return {**self.there, "endpoint": [{"url": "http://cloud.example"}], "missing": [],
                "extensions": [{"alias": alias} for alias in ("vpnaas", "vpn-endpoint-groups")]}  # fmt: skip

    def limits(self, _path):
        return {}


def options(wanted):
    """Give module hub's options."""
    given = {
        "name": "prod",
        "vpc": "prod",
        "subnets": ["192.168.1.0/24"],
        "security_groups": ["servers"],
        "policies": [{"name": "strong", "ike": {}, "ipsec": {}}],
        "connections": [
            {"name": name, "psk": "a key of 20 characters", **{key: one[key] for key in one if key != "hub"}}
            for name, one in wanted.items()
        ],
        "wait_for": "none",
    }
    return ArgumentSpecValidator(_hub_options.spec()).validate(given).validated_parameters


def module(there, wanted):
    given = options(wanted)
    for one in given["connections"]:
        del one["psk"]
    return _hub.prepare(given, Cloud(there))


@pytest.mark.parametrize("name", WORK)
def test_twice_the_sites_cost_twice_the_work(name):
    given, work = WORK[name]
    few, many = (lines(work, given(count)) for count in (SITES, 2 * SITES))
    assert few > SITES, "nothing was counted"
    assert many < 2.15 * few


def test_a_search_for_each_site_would_be_seen():
    def search(things):
        return [_hub_options.spec is one or all(_addresses.is_prefix(other) for other in things) for one in things]

    few, many = (lines(search, [f"10.0.{number}.0/24" for number in range(count)]) for count in (SITES, 2 * SITES))
    assert many > 3 * few


@pytest.fixture
def asked(monkeypatch):
    """Run module hub against a small neutron; gives the requests of the run by method."""
    monkeypatch.setattr(_wire.time, "sleep", lambda _seconds: None)
    server = neutron.Neutron()
    server.answers["GET", "http://cloud.example:9696/v2.0/quotas/p1/details"] = neutron.Answer(404)
    monkeypatch.setattr(_wire.openstack, "connect", lambda **_cloud: neutron.connection(server))

    def run(wanted):
        server.log.clear()
        result = _hub.apply(options(wanted), _cloud.Cloud("lab"), False)
        for one in server.lists["ipsec_site_connections"]:
            one["status"] = "DOWN"
        return collections.Counter(method for method, *_rest in server.log), result["plan"]

    run.server = server
    return run


def test_check_mode_says_what_differs_and_hub_info_what_to_compare_keys_by(asked):
    asked(sites(1))
    cloud = _cloud.Cloud("lab")
    assert _hub.apply(options(sites(1)), cloud, True)["differences"] == []
    differences = _hub.apply(options(sites(1, underlay_mtu=1400)), cloud, True)["differences"]
    assert [(one["field"], one["described"], one["cloud"]) for one in differences] == [("underlay_mtu", 1400, 1500)]
    assert "differences" not in _hub.apply(options(sites(1)), cloud, False)
    given = {
        "vpc": "prod",
        "provider": "neutron",
        "until_normal": [],
        "timeout": 0,
        "name": None,
        "gather": ["connections"],
    }
    (one,) = _hub_info.inform({**given, "digest_key": "k"}, cloud)["connections"]
    assert (
        one["psk_digest"]
        == _secrets.digest("k", "a key of 20 characters")
        != _secrets.digest("l", "a key of 20 characters")
    )
    assert one["updated_at"] is None
    for kind, when in (
        ("ipsec_site_connections", "2026-03-01"),
        ("endpoint_groups", "2026-03-02"),
        ("vpnservices", "2026-03-03"),
    ):
        asked.server.lists[kind][0]["updated_at"] = when
    (one,) = _hub_info.inform({**given, "digest_key": None}, cloud)["connections"]
    assert (one["psk_digest"], one["updated_at"]) == (None, "2026-03-02")


@pytest.mark.parametrize("count", [1, 30])
def test_a_run_with_nothing_to_do_reads_each_list_once_however_many_sites(asked, count):
    created, _plan = asked(sites(count))
    assert created["POST"] > count, "nothing was made"
    assert asked(sites(count)) == ({"GET": 10}, [])


@pytest.mark.parametrize("count", [1, 30])
def test_one_changed_site_costs_the_lists_and_its_own_writes(asked, count):
    asked(sites(count))
    wanted = sites(count)
    wanted["s0"]["subnets"] = ["10.200.0.0/24", "10.200.1.0/24"]
    requests, plan = asked(wanted)
    # A group, the connection, six rules in place of six. The new ones go by one request.
    assert len(plan) == 15
    assert requests == {"GET": 12, "POST": 2, "PUT": 1, "DELETE": 7}
