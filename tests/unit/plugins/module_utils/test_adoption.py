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


def replanned(there, found, name="adopted"):
    """Plan for what was read."""
    params = {
        "name": name, "provider": "neutron", "vpc": "prod", "gateway": None,
        **{key: found[key] for key in ("subnets", "security_groups", "policies", "connections")},
    }  # fmt: skip
    description, psks = _hub_options.describe(params)
    assert description.findings == []
    facts = _state.hub_facts(there)
    records = [_topology.resolve(record, facts) for record in _topology.connections(description, psks)]
    vpc = {**facts["vpc"], "subnets": facts["subnets"]}
    groups = [_state.one_of("security group", one, there["security_groups"]) for one in found["security_groups"]]
    return _plan.plan(_objects.target(name, "neutron", vpc, records, groups), there)


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


RULES = [
    {"protocol": "icmp"},
    {"protocol": "tcp", "ports": ["443", "8000-8010"]},
    {"protocol": "udp"},
    {"protocol": "47"},
]


def test_what_we_made_is_as_described_with_its_rules():
    """The twin: without its rules, all of them would go."""
    sites = {
        **SITES,
        "berlin": {**SITES["berlin"], "security_group_rules": RULES},
        "milan": site(8, security_group_rules=[]),
    }
    there = without_egress(snapshot())
    there = after(there, sites, policies=POLICIES)
    found = _adoption.description(there, "neutron")
    assert (found["left_out"], found["security_groups"]) == ([], ["servers"])
    allowed = {one["name"]: one["security_group_rules"] for one in found["connections"]}
    assert (allowed["milan"], allowed["paris"]) == ([], [{"protocol": "any"}])
    assert sorted(allowed["berlin"], key=str) == sorted(RULES, key=str)
    planned = replanned(there, found, "prod")
    assert (planned.steps, planned.leftovers) == ([], [])
    for one in found["connections"]:
        one["security_group_rules"] = []
    gone = [step for step in replanned(there, {**found, "security_groups": []}, "prod").steps if step.verb == "delete"]
    assert len(gone) == len([one for one in there["security_group_rule"] if _objects.owner(one)])


def without_egress(there):
    """Take the rules away that let everything out, so that ours are needed."""
    return {**there, "security_group_rule": []}


def test_the_generation_of_a_key_comes_back():
    """Where a cloud does not give keys back, another one would ask for the key."""
    sites = {"berlin": site(3, psk_generation=3)}
    there = after(snapshot(), sites, provider="otc")
    [berlin] = _adoption.description(there, "otc")["connections"]
    assert berlin["psk_generation"] == 3


def test_two_groups_of_one_name_are_told_by_their_ids():
    there = snapshot()
    there = after(there, {"berlin": SITES["berlin"]})
    there["security_groups"].append({"id": "g2", "name": "servers"})
    found = _adoption.description(there, "neutron")
    assert found["security_groups"] == ["g1"]
    assert replanned(there, found, "prod").steps == []


def a_rule_goes(there):
    there["security_group_rule"].remove(
        next(one for one in there["security_group_rule"] if "berlin" in one["description"])
    )


def a_rule_is_in_another_group(there):
    one = next(one for one in there["security_group_rule"] if "berlin" in one["description"])
    there["security_groups"].append({"id": "g2", "name": "others"})
    there["security_group_rule"].append({**one, "id": "x", "security_group_id": "g2"})


def a_rule_is_of_another_subnet(there):
    one = next(one for one in there["security_group_rule"] if "berlin" in one["description"])
    there["security_group_rule"].append({**one, "id": "x", "remote_ip_prefix": "10.99.0.0/24"})


@pytest.mark.parametrize("change", [a_rule_goes, a_rule_is_in_another_group, a_rule_is_of_another_subnet])
def test_rules_that_cannot_be_described_leave_their_site_out(change):
    """And nothing of it is touched; one that is equal and of somebody else serves as well."""
    there = after(
        snapshot(), {"berlin": site(3, subnets=["10.3.0.0/24", "10.33.0.0/24"]), "paris": site(4), "rome": site(5)}
    )
    (whole,) = (one for one in _adoption.description(there, "neutron")["connections"] if one["name"] == "berlin")
    change(there)
    found = _adoption.description(there, "neutron")
    (told,) = (one["but_for_rules"] for one in found["left_out"])
    assert told == {**whole, "security_group_rules": told["security_group_rules"]}
    assert told["policy"] in {one["name"] for one in found["policies"]}
    assert [(one["name"], "security groups" in one["why"]) for one in found["left_out"]] == [("prod/berlin/1", True)]
    planned = replanned(there, found, "prod")
    assert planned.steps == [] and {one["site"] for one in planned.leftovers} == {"berlin"}


def test_an_equal_rule_of_somebody_else_serves():
    there = after(snapshot(), {"berlin": site(3, subnets=["10.3.0.0/24", "10.33.0.0/24"])})
    next(one for one in there["security_group_rule"] if "berlin" in one["description"])["description"] = "by hand"
    found = _adoption.description(there, "neutron")
    assert (found["left_out"], found["security_groups"]) == ([], ["servers"])
    assert replanned(there, found, "prod").steps == []


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
        "security_groups": [],
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
             "underlay_mtu": st.sampled_from([1400, 1500]),
             "security_group_rules": st.lists(st.sampled_from(RULES), unique_by=str)}
        ), max_size=5,
    ),
    st.sampled_from([*sorted(NAMINGS), "ours"]),
)  # fmt: skip
@settings(deadline=None, max_examples=30)
def test_any_description_comes_back(entries, naming):
    sites = {
        f"s{number}": site(number, subnets=[f"10.{number}.0.0/24", f"10.{number}.1.0/24"], **entry)
        for number, entry in enumerate(entries, start=10)
    }
    there = after(snapshot(), sites, policies=POLICIES)
    if naming != "ours":
        by_hand(there, NAMINGS[naming])
    found = _adoption.description(there, "neutron")
    assert found["left_out"] == []
    assert replanned(there, found, "prod").steps == []
