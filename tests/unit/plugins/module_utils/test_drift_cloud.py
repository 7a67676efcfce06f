# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a cloud holds is told as different exactly where the plan would change it."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.bothends.vpn.plugins.module_utils import _drift_cloud, _objects
from ansible_collections.bothends.vpn.tests.unit.builders import after, hub, in_the_old_form, plan, site, snapshot

KEY = "a key of 20 characters"
POLICIES = {
    "gcm": {"ike": {"encryption": "aes-256-gcm-16", "prf": "sha384", "dh_group": "group20"},
            "ipsec": {"encryption": "aes-256-gcm-16", "pfs_group": "group20"}},
    "old": {"ike": {"version": "v1", "encryption": "aes-128"}, "ipsec": {"lifetime": 600}},
}  # fmt: skip
SITES = {
    "berlin": site(3, security_group_rules=[{"protocol": "tcp", "ports": [443]}]),
    "paris": site(4, policy="gcm", initiator="site", peer_id={"value": "cloud@example.com"}),
    "rome": site(5, policy="old", subnets=["10.5.0.0/24", "10.50.0.0/24"]),
    "oslo": site(6, state="disabled"),
}


def told(there, sites, provider="neutron", **more):
    """Give (connection, field, described, cloud) of each difference."""
    planned = plan(there, sites, policies=POLICIES, provider=provider, **more)
    found = _drift_cloud.differences("prod", there, planned, provider)
    assert KEY not in repr(found)
    return planned, [
        (one["tunnel"] or one["connection"], one["field"], one["described"], one["cloud"]) for one in found
    ]


@pytest.fixture
def there():
    return after(snapshot(), SITES, policies=POLICIES)


def test_its_own_objects_do_not_differ(there):
    assert told(there, SITES) == (plan(there, SITES, policies=POLICIES), [])


def test_in_the_old_form_neither():
    hubs = {"prod": hub(subnets=["192.168.1.0/24"])}
    sites = {name: SITES[name] for name in ("berlin", "paris")}
    there = in_the_old_form(after(snapshot(), sites, policies=POLICIES, hubs=hubs))
    assert told(there, sites, hubs=hubs)[1] == []
    there["site_connection"][0]["peer_cidrs"] = ["10.99.0.0/24"]
    assert told(there, sites, hubs=hubs)[1] == [("prod/berlin/1", "subnets", ["10.3.0.0/24"], ["10.99.0.0/24"])]


# What somebody did to a connection -> how it is told.
CHANGED = {
    "gateway": ({"peer_address": "203.0.113.99"}, ("gateway", "203.0.113.3", "203.0.113.99")),
    "id": ({"peer_id": "other"}, ("id", "203.0.113.3", "other")),
    "peer_id": ({"local_id": "other"}, ("peer_id", "the gateway", "other")),
    "mtu": ({"mtu": 1400}, ("underlay_mtu", 1500, 1400)),
    "initiator": ({"initiator": "response-only"}, ("initiator", "both", "site")),
    "state": ({"admin_state_up": False}, ("state", "present", "disabled")),
    "psk": ({"psk": "another key"}, ("psk", None, None)),
    "name": ({"name": "renamed"}, ("connection.name", "prod/berlin/1", "renamed")),
}


@pytest.mark.parametrize("case", CHANGED)
def test_one_changed_field_is_one_difference(there, case):
    change, (field, described, cloud) = CHANGED[case]
    there["site_connection"][0].update(change)
    assert told(there, SITES)[1] == [("prod/berlin/1", field, described, cloud)]


@pytest.mark.parametrize("part", ["action", "interval", "timeout"])
def test_each_part_of_dpd(there, part):
    dpd = there["site_connection"][0]["dpd"]
    described = dpd[part]
    there["site_connection"][0]["dpd"] = {**dpd, part: "restart-by-peer" if part == "action" else 99}
    assert told(there, SITES)[1] == [
        ("prod/berlin/1", f"dpd.{part}", described, "restart-by-peer" if part == "action" else 99)
    ]


POLICY = {
    "version": ("ike_policy", "ike_version", "v1", "ike.version"),
    "mode": ("ike_policy", "phase1_negotiation_mode", "aggressive", "ike.mode"),
    "cipher": ("ike_policy", "encryption_algorithm", "aes-192", "ike.encryption"),
    "hash": ("ike_policy", "auth_algorithm", "sha512", "ike.integrity"),
    "a hash that no description can name": ("ike_policy", "auth_algorithm", "sha1", "ike.integrity"),
    "group": ("ike_policy", "pfs", "group15", "ike.dh_group"),
    "lifetime": ("ike_policy", "lifetime", {"units": "seconds", "value": 900}, "ike.lifetime"),
    "esp cipher": ("ipsec_policy", "encryption_algorithm", "aes-192", "ipsec.encryption"),
    "esp hash": ("ipsec_policy", "auth_algorithm", "sha512", "ipsec.integrity"),
    "pfs": ("ipsec_policy", "pfs", "group15", "ipsec.pfs_group"),
    "esp lifetime": ("ipsec_policy", "lifetime", {"units": "seconds", "value": 900}, "ipsec.lifetime"),
    "ah": ("ipsec_policy", "transform_protocol", "ah", "ipsec.protocol"),
    "transport": ("ipsec_policy", "encapsulation_mode", "transport", "ipsec.mode"),
}


@pytest.mark.parametrize("case", POLICY)
def test_one_changed_proposal_is_one_difference(there, case):
    kind, field, value, ours = POLICY[case]
    identifier = there["site_connection"][0][f"{kind.replace('_', '')}_id"]
    next(one for one in there[kind] if one["id"] == identifier)[field] = value
    found = told(there, {name: SITES[name] for name in ("berlin",)}, blocked=("paris", "rome", "oslo"))[1]
    assert [one[:2] for one in found] == [("prod/berlin/1", ours)]


def test_subnets_of_both_ends(there):
    for group in there["endpoint_group"]:
        group["endpoints"] = ["10.99.0.0/24"] if group["type"] == "cidr" else ["s-app"]
    found = {one[:2]: one[2:] for one in told(there, SITES)[1]}
    assert found["prod/berlin/1", "subnets"] == (["10.3.0.0/24"], ["10.99.0.0/24"])
    assert found["prod/berlin/1", "hub.subnets"] == (["192.168.1.0/24", "192.168.2.0/24"], ["192.168.1.0/24"])


def test_rules(there):
    gone = next(one for one in there["security_group_rule"] if one["protocol"] == "tcp")
    there["security_group_rule"].remove(gone)
    there["security_group_rule"].append({**gone, "id": "r-x", "port_range_min": 1, "port_range_max": 9})
    assert sorted(told(there, SITES)[1]) == [
        ("prod/berlin", "security_group_rules", "ingress tcp 443 10.3.0.0/24", "not there"),
        ("prod/berlin", "security_group_rules", "not there", "ingress tcp 1-9 10.3.0.0/24"),
    ]


def test_what_is_missing_left_or_to_go(there):
    """A connection that is not there, a site that nobody describes, one that is to be absent, an orphan, a service that is off."""
    there["site_connection"] = [one for one in there["site_connection"] if one["name"] != "prod/oslo/1"]
    there["vpn_service"][0]["admin_state_up"] = False
    there["ike_policy"].append(
        {**there["ike_policy"][0], "id": "orphan", "name": "prod/orphan", "lifetime": {"value": 77}}
    )
    sites = {
        "berlin": {**SITES["berlin"], "state": "absent"},
        "oslo": {**SITES["oslo"], "state": "present"},
        "paris": SITES["paris"],
    }
    found = {one[:2]: one[2:] for one in told(there, sites)[1]}
    assert found["prod/oslo/1", "connection"] == ("there", "not there")
    assert found["prod/berlin", "connection"] == ("not there", "prod/berlin/1")
    assert found["prod", "vpn_service.admin_state_up"] == (True, False)
    assert found["prod", "ike_policy"] == ("not there", "prod/orphan")
    described, cloud = found["prod/rome", "connection"]
    assert described == "not there" and "site_connection prod/rome/1" in cloud


def test_a_provider_that_does_not_give_keys_back_only_shows_another_generation():
    sites = {"berlin": site(3)}
    there = after(snapshot(), sites, provider="otc")
    for one in there["site_connection"]:
        del one["psk"]
    assert told(there, sites, provider="otc")[1] == []
    found = told(there, {"berlin": site(3, psk_generation=2)}, provider="otc")[1]
    assert ("prod/berlin/1", "psk", None, None) in found


CHOICES = st.fixed_dictionaries(
    {},
    optional={
        "policy": st.sampled_from(["default", "gcm", "old"]),
        "initiator": st.sampled_from(["both", "site"]),
        "state": st.sampled_from(["present", "disabled", "absent"]),
        "underlay_mtu": st.sampled_from([1400, 1500]),
        "subnets": st.sampled_from([["10.3.0.0/24"], ["10.30.0.0/24", "10.31.0.0/24"]]),
        "security_group_rules": st.sampled_from([[], [{"protocol": "icmp"}]]),
        "peer_id": st.sampled_from([{"value": "hub.example.com"}, {"value": "other.example.com"}]),
    },
)


@settings(max_examples=60)
@given(CHOICES, CHOICES)
def test_there_is_a_difference_exactly_where_there_is_a_step(before, now):
    described = {"berlin": site(3, **before), "paris": SITES["paris"]}
    there = after(snapshot(), described, policies=POLICIES)
    planned, found = told(there, {**described, "berlin": site(3, **now)})
    assert bool(planned.steps) is bool(found)
    assert not any(subject.startswith("prod/paris") for subject, *_rest in found)


@settings(max_examples=40)
@given(st.data())
def test_whatever_somebody_changed_is_told(data):
    """Any field of any object: what the plan would put right is told, and of the connections that it concerns only."""
    there = after(snapshot(), SITES, policies=POLICIES)
    kind = data.draw(st.sampled_from(["site_connection", "ike_policy", "endpoint_group", "security_group_rule"]))
    one = data.draw(st.sampled_from([one for one in there[kind] if _objects.owner(one)]))
    there[kind].remove(one)
    if kind in ("site_connection", "security_group_rule") and data.draw(st.booleans()):
        planned, found = told(there, SITES)
        assert planned.steps and found
        return
    changed = copy.deepcopy(one)
    field = {
        "site_connection": "mtu",
        "ike_policy": "lifetime",
        "endpoint_group": "name",
        "security_group_rule": "description",
    }[kind]
    changed[field] = {
        "mtu": 1300,
        "lifetime": {"units": "seconds", "value": 4711},
        "name": "x",
        "description": "theirs",
    }[field]
    there[kind].append(changed)
    planned, found = told(there, SITES)
    assert bool(planned.steps) is bool(found)
