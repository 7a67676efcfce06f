# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.bothends.vpn.plugins.module_utils import _cloud, _hub_info, _wire
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.tests.unit.builders import after, site, snapshot
from ansible_collections.bothends.vpn.tests.unit.neutron import Neutron, connection, settled

SITES = {"berlin": site(3), "paris": site(4)}


@pytest.fixture
def neutron(monkeypatch):
    """A cloud with two sites of ours, everything Normal."""
    there = Neutron(after(snapshot(), SITES))
    settled(there)
    monkeypatch.setattr(_wire.openstack, "connect", lambda **login: connection(there))
    monkeypatch.setattr(_cloud.time, "sleep", lambda seconds: None)
    return there


def inform(**options):
    """Run the module's code with these options and the defaults of the others."""
    outcome = ArgumentSpecValidator(_hub_info.spec()).validate({"vpc": "prod", **options})
    assert outcome.error_messages == []
    return _hub_info.inform(outcome.validated_parameters, _cloud.Cloud("lab"))


ALWAYS = ["/routers", "/vpn/vpnservices"]
FACTS = ["/subnets", "/ports"]
CONNECTIONS = ["/vpn/ipsec-site-connections", "/vpn/endpoint-groups"]


@pytest.mark.parametrize(
    ("gather", "asked"),
    [
        (["hub"], [*ALWAYS, *FACTS]),
        (["connections"], [*ALWAYS, *CONNECTIONS]),
        (["hub", "connections"], [*ALWAYS, *FACTS, *CONNECTIONS]),
        (
            ["description"],
            [*ALWAYS, *FACTS, *CONNECTIONS, "/vpn/ikepolicies", "/vpn/ipsecpolicies", "/security-groups"],
        ),
    ],
    ids=" and ".join,
)
def test_only_what_was_asked_for_is_read_and_it_is_the_same(neutron, gather, asked):
    whole = inform()
    neutron.log.clear()
    found = inform(gather=gather)
    assert sorted(path for _method, path, _body in neutron.log) == sorted(asked)
    assert found == {name: whole[name] for name in ("changed", "provider", *gather)}


def test_everything_is_read_without_a_choice(neutron):
    found = inform()
    assert found["hub"]["gateway"] == "203.0.113.150" and len(found["hub"]["subnets"]) == 2
    assert [(one["name"], one["site"], one["state"]) for one in found["connections"]] == [
        ("prod/berlin/1", "berlin", "Normal"),
        ("prod/paris/1", "paris", "Normal"),
    ]
    assert [one["name"] for one in found["description"]["connections"]] == ["berlin", "paris"]


def lists_of_connections(neutron):
    return [path for _method, path, _body in neutron.log].count(CONNECTIONS[0])


def test_what_is_normal_is_read_once(neutron):
    inform(gather=["connections"], until_normal=["prod/berlin/1", "prod/paris/1"])
    assert lists_of_connections(neutron) == 1


@pytest.mark.parametrize(("named", "lists"), [("prod/berlin/1", 4), ("prod/paris/1", 1)])
def test_what_is_not_normal_is_waited_for_where_it_is_named(neutron, named, lists):
    down = neutron.lists["ipsec_site_connections"][0]
    down["status"] = "DOWN"

    def between(_number, _method, _path, served):
        answer = served()
        if lists_of_connections(neutron) == 3:
            down["status"] = "ACTIVE"
        return answer

    neutron.between = between
    found = inform(gather=["connections"], until_normal=[named])
    assert lists_of_connections(neutron) == lists
    assert found["connections"][0]["state"] == ("Normal" if lists > 1 else "Not connected")


def test_nothing_is_waited_for_without_time(neutron):
    neutron.lists["ipsec_site_connections"][0]["status"] = "DOWN"
    assert inform(until_normal=["prod/berlin/1"], timeout=0)["connections"][0]["state"] == "Not connected"
    assert lists_of_connections(neutron) == 1


def test_what_is_not_read_cannot_be_waited_for(neutron):
    with pytest.raises(VpnError, match="add connections to gather"):
        inform(gather=["hub"], until_normal=["prod/berlin/1"])
    assert neutron.log == []
