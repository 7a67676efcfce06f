# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever VPN is there, described by what was read of it, there is nothing to change."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.bothends.vpn.plugins.module_utils import (
    _adoption,
    _hub_options,
    _objects,
    _plan,
    _state,
    _topology,
)
from ansible_collections.bothends.vpn.tests.unit.builders import SUBNETS, after, hub, in_the_old_form, site, snapshot

POLICIES = {
    "gcm": {"ike": {"encryption": "aes-256-gcm-16", "prf": "sha384", "dh_group": "group20"},
            "ipsec": {"encryption": "aes-256-gcm-16", "pfs_group": "group20"}},
    "old": {"ike": {"version": "v1", "encryption": "aes-128", "mode": "aggressive"}, "ipsec": {"lifetime": 600}},
}  # fmt: skip
SITES = {
    "berlin": site(3, id={"value": "berlin.example.com"}, dpd={"interval": 10}, underlay_mtu=1400),
    "paris": site(4, policy="gcm", initiator="site", peer_id={"value": "cloud@example.com"}),
    "rome": site(5, policy="old", subnets=["10.5.0.0/24", "10.50.0.0/24"]),
    "oslo": site(6, state="disabled"),
}


def by_hand(there, name=lambda one: one["name"]):
    """Take our markers away, as if somebody had made it by hand."""
    for kind in _objects.KINDS:
        for one in there[kind]:
            one["description"] = "made by hand"
            if "name" in one:
                one["name"] = name(one)
    return there


def replanned(there, found):
    """Plan for what was read."""
    params = {
        "name": "adopted", "provider": "neutron", "vpc": "prod", "security_groups": [], "gateway": None,
        **{key: found[key] for key in ("subnets", "policies", "connections")},
    }  # fmt: skip
    description, psks = _hub_options.describe(params)
    assert description.findings == []
    facts = _state.hub_facts(there)
    records = [_topology.resolve(record, facts) for record in _topology.connections(description, psks)]
    vpc = {**facts["vpc"], "subnets": facts["subnets"]}
    return _plan.plan(_objects.target("adopted", "neutron", vpc, records, []), there)


# No two ids end alike, as with real ones.
NAMINGS = {
    "as we name them": lambda one: one["name"],
    "no names": lambda one: "",
    "one name for all": lambda one: "vpn",
    "no name that we allow": lambda one: f"mein Büro / {one['id'][-1]}!",
}


@pytest.mark.parametrize("naming", NAMINGS)
def test_what_was_read_is_as_described(naming):
    there = by_hand(after(snapshot(), SITES, policies=POLICIES), NAMINGS[naming])
    found = _adoption.description(there, "neutron")
    assert found["left_out"] == []
    names = [one["name"] for one in found["connections"]]
    assert len(set(names)) == len(names) == len(SITES)
    planned = replanned(there, found)
    assert planned.steps == []
    assert {str(one) for one in planned.connections.values()} == {one["id"] for one in there["site_connection"]}


def test_our_own_is_called_as_it_was():
    there = after(snapshot(), SITES, policies=POLICIES)
    assert {one["name"] for one in _adoption.description(there, "neutron")["connections"]} == set(SITES)


def test_the_old_form_is_described_too():
    """One subnet at the service, CIDRs at the connections; IKEv1 with two of them is a tunnel for each pair."""
    sites = {name: SITES[name] for name in ("berlin", "paris", "oslo")}
    there = by_hand(
        in_the_old_form(after(snapshot(), sites, policies=POLICIES, hubs={"prod": hub(subnets=["192.168.1.0/24"])}))
    )
    found = _adoption.description(there, "neutron")
    assert (found["left_out"], found["subnets"]) == ([], ["192.168.1.0/24"])
    assert replanned(there, found).steps == []
    found["connections"][0]["subnets"] = ["10.99.0.0/24"]
    assert [(step.verb, step.kind, step.body) for step in replanned(there, found).steps] == [
        ("update", "site_connection", {"peer_cidrs": ["10.99.0.0/24"]})
    ]


def test_nothing_there_nothing_described():
    assert _adoption.description(snapshot(), "neutron") == {
        "subnets": [],
        "policies": [],
        "connections": [],
        "left_out": [],
    }


UNSPEAKABLE = {
    "dpd": ({"dpd": {"action": "restart-by-peer", "interval": 30, "timeout": 120}}, {}, "restart-by-peer"),
    "an algorithm": ({}, {"auth_algorithm": "sha1"}, "sha1 is no integrity"),
    "ah": ({}, {"transform_protocol": "ah"}, "uses ah"),
    "other subnets of the VPC": ({"local_ep_group_id": "one"}, {}, "all the hub's subnets"),
}


@pytest.mark.parametrize("case", UNSPEAKABLE)
def test_what_cannot_be_described_is_left_out_with_the_reason(case):
    """And the others are described all the same."""
    connection, policy, why = UNSPEAKABLE[case]
    there = after(
        snapshot(),
        {"berlin": SITES["berlin"], "paris": SITES["paris"], "milan": site(7, policy="gcm")},
        policies=POLICIES,
    )
    there["endpoint_group"].append(
        {"id": "one", "name": "", "type": "subnet", "endpoints": ["s-app"], "description": ""}
    )
    [berlin] = [one for one in there["site_connection"] if one["name"] == "prod/berlin/1"]
    berlin.update(connection)
    for one in there["ipsec_policy"]:
        if one["id"] == berlin["ipsecpolicy_id"]:
            one.update(policy)
    found = _adoption.description(by_hand(there), "neutron")
    assert [(one["name"], why in one["why"]) for one in found["left_out"]] == [("prod/berlin/1", True)]
    assert len(found["connections"]) == 2 and set(found["subnets"]) == set(SUBNETS.values())
    assert replanned(there, found).steps == []


@given(
    st.lists(
        st.fixed_dictionaries(
            {"policy": st.sampled_from(["default", "gcm", "old"]), "selector_mode": st.sampled_from(["auto", "per_pair"]),
             "initiator": st.sampled_from(["both", "site"]), "state": st.sampled_from(["present", "disabled"]),
             "underlay_mtu": st.sampled_from([1400, 1500])}
        ), max_size=5,
    ),
    st.sampled_from(sorted(NAMINGS)),
)  # fmt: skip
@settings(deadline=None, max_examples=30)
def test_any_description_comes_back(entries, naming):
    sites = {
        f"s{number}": site(number, subnets=[f"10.{number}.0.0/24", f"10.{number}.1.0/24"], **entry)
        for number, entry in enumerate(entries, start=10)
    }
    there = by_hand(after(snapshot(), sites, policies=POLICIES), NAMINGS[naming])
    found = _adoption.description(there, "neutron")
    assert found["left_out"] == []
    assert replanned(there, found).steps == []
