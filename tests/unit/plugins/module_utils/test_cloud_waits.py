# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.bothends.vpn.plugins.module_utils import _cloud, _objects
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.plugins.module_utils._steps import Ref, Step
from ansible_collections.bothends.vpn.tests.unit.builders import site, snapshot, target
from ansible_collections.bothends.vpn.tests.unit.neutron import (
    Neutron,
)

# --- waiting ---------------------------------------------------------------------------------------------------------


class Clock:
    """Time that passes by sleeping only; each nap may change the cloud."""

    def __init__(self, monkeypatch, *changes):
        self.now, self.naps, self.changes = 0.0, 0, changes
        monkeypatch.setattr(_cloud.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(_cloud.time, "sleep", self.sleep)

    def sleep(self, seconds):
        self.now += seconds
        if self.naps < len(self.changes):
            self.changes[self.naps]()
        self.naps += 1


def connections(**statuses):
    neutron = Neutron()
    neutron.lists["ipsec_site_connections"] += [
        {"id": name, "name": f"prod/{name}/1", "status": status} for name, status in statuses.items()
    ]
    return neutron


PENDING = Step("update", "site_connection", "prod/berlin/1", "berlin", {"mtu": 1400})


def test_an_update_waits_until_its_connection_is_settled(connect, monkeypatch):
    neutron = connections(berlin="PENDING_CREATE")
    clock = Clock(monkeypatch, lambda: None, lambda: neutron.lists["ipsec_site_connections"][0].update(status="DOWN"))
    connect(neutron).execute([PENDING], timeout=60)
    assert neutron.lists["ipsec_site_connections"][0]["mtu"] == 1400
    assert clock.naps == 2


def test_what_is_pending_for_ever_is_an_error_that_says_what_was_waited_for(connect, monkeypatch):
    clock = Clock(monkeypatch)
    with pytest.raises(VpnError) as caught:
        connect(connections(berlin="PENDING_CREATE")).execute([PENDING], timeout=5)
    assert str(caught.value) == (
        "cannot update site_connection prod/berlin/1: HTTP 400: Invalid state PENDING_CREATE of vpnaas resource berlin for "
        "updating. Waited 5 s for site_connection prod/berlin/1 (Creating). Done: 0 of 1 steps. "
        "Not done: update site_connection prod/berlin/1. Remedy: see whether the cloud's VPN agent runs; or allow more time "
        "(timeout), then run again; what is done is found and kept."
    )
    assert clock.now <= 5 + 1, "bounded"


@pytest.mark.parametrize(("status", "naps"), [("PENDING_DELETE", 2), ("ACTIVE", 0)])
def test_a_removal_waits_for_its_user_to_go_and_for_no_other(connect, monkeypatch, status, naps):
    """Where the cloud removes a connection in its own time, what it used is in use until then."""
    neutron = connections(berlin=status)
    neutron.lists["ipsec_site_connections"][0]["ikepolicy_id"] = "p1"
    neutron.lists["ikepolicies"].append({"id": "p1", "name": "prod/default"})
    clock = Clock(monkeypatch, lambda: None, neutron.lists["ipsec_site_connections"].clear)
    cloud = connect(neutron)
    step = Step("delete", "ike_policy", "prod/default", "p1", {})
    if naps:
        cloud.execute([step], timeout=60)
        assert neutron.lists["ikepolicies"] == []
    else:
        with pytest.raises(VpnError, match="cannot delete ike_policy prod/default: HTTP 409: IKEPolicy p1 is in use"):
            cloud.execute([step], timeout=60)
    assert clock.naps == naps


@pytest.mark.parametrize(
    ("status", "until_active", "done"),
    [
        ("PENDING_CREATE", False, False), ("PENDING_UPDATE", False, False), ("PENDING_DELETE", False, False),
        ("DOWN", False, True), ("ACTIVE", False, True), ("ERROR", False, True),
        ("ACTIVE", True, True), ("DOWN", True, False), ("PENDING_CREATE", True, False),
    ],
)  # fmt: skip
def test_what_is_waited_for(connect, monkeypatch, status, until_active, done):
    clock = Clock(monkeypatch)
    cloud = connect(connections(berlin=status))
    if done:
        assert [one["status"] for one in cloud.wait({"berlin"}, until_active, timeout=5)] == [status]
        assert clock.naps == 0
    else:
        with pytest.raises(VpnError):
            cloud.wait({"berlin"}, until_active, timeout=5)
        assert clock.now <= 5 + 1, "bounded"


def test_a_wait_ends_when_the_cloud_is_ready(connect, monkeypatch):
    neutron = connections(berlin="PENDING_CREATE")
    clock = Clock(monkeypatch, lambda: None, lambda: neutron.lists["ipsec_site_connections"][0].update(status="DOWN"))
    connect(neutron).wait({"berlin"}, until_active=False, timeout=60)
    assert clock.naps == 2


def test_others_are_not_waited_for(connect, monkeypatch):
    clock = Clock(monkeypatch)
    connect(connections(berlin="ACTIVE", paris="PENDING_CREATE")).wait({"berlin"}, until_active=True, timeout=5)
    assert clock.naps == 0


@pytest.mark.parametrize(
    ("until_active", "message"),
    [
        (False, r"after 5 s these connections are not settled: prod/berlin/1 \(Creating\)\. Remedy"),
        (
            True,
            r"after 5 s these connections are not Normal: prod/berlin/1 \(Creating\), prod/paris/1 \(Not connected\)\.",
        ),
    ],
)
def test_a_time_out_speaks_the_consoles_words(connect, monkeypatch, until_active, message):
    Clock(monkeypatch)
    with pytest.raises(VpnError, match=message):
        connect(connections(berlin="PENDING_CREATE", paris="DOWN", rome="ACTIVE")).wait(
            {"berlin", "paris", "rome"}, until_active, timeout=5
        )


def test_nothing_to_do_is_nothing_asked(connect):
    neutron = Neutron()
    assert connect(neutron).execute([]) == {}
    assert neutron.log == []


def test_the_target_and_the_kinds_agree():
    """Each kind of the plan is one that the executor knows."""
    wanted = target(snapshot(), {"berlin": site()})
    assert {one.kind for one in [*wanted.connections, *wanted.rules]} <= set(_objects.KINDS)


def test_looking_until_normal_ends_when_it_is_or_when_the_time_is_over(connect, monkeypatch):
    """Whoever only looks gets what is there, and no error; other connections are not waited for."""
    neutron = connections(berlin="DOWN", paris="DOWN")
    clock = Clock(monkeypatch, lambda: None, lambda: neutron.lists["ipsec_site_connections"][0].update(status="ACTIVE"))
    there = connect(neutron).connections({"prod/berlin/1", "prod/gone/1"}, timeout=60)
    assert ([one["status"] for one in there], clock.naps) == (["ACTIVE", "DOWN"], 2)
    there = connect(neutron).connections({"prod/paris/1"}, timeout=3)
    assert [one["status"] for one in there] == ["ACTIVE", "DOWN"]
    assert clock.now <= 2 + 3 + 2


@pytest.mark.parametrize(
    ("other", "kept", "left"),
    [
        pytest.param("a-first", "a-first", ["a-first"], id="the other's is the one: ours is taken back"),
        pytest.param("z-last", "new-1", ["new-1", "z-last"], id="ours is the one: the other run takes its own back"),
        pytest.param(None, "new-1", ["new-1"], id="nobody else is there"),
    ],
)
def test_runs_at_once_agree_on_one_service(connect, monkeypatch, other, kept, left):
    """Another run makes one between our look and our next look."""
    neutron = Neutron()
    services = neutron.lists["vpnservices"]
    cloud = connect(neutron)
    if other:
        monkeypatch.setattr(_cloud.time, "sleep", lambda _seconds: services.append({"id": other, "router_id": "v1"}))
    step = Step("create", "vpn_service", "prod", None, {"router_id": "v1"}, Ref("vpn_service", "prod"))
    assert cloud.execute([step]) == {step.ref: kept}
    assert sorted(one["id"] for one in services) == left


def test_a_service_that_came_since_the_plan_was_made_is_used(connect):
    neutron = Neutron()
    neutron.lists["vpnservices"].append({"id": "theirs", "router_id": "v1"})
    step = Step("create", "vpn_service", "prod", None, {"router_id": "v1"}, Ref("vpn_service", "prod"))
    assert connect(neutron).execute([step]) == {step.ref: "theirs"}
    assert not any(method == "POST" for method, _path, _body in neutron.log)
