# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.bothends.vpn.plugins.module_utils import _module, _objects, _plan, _steps
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.tests.unit.builders import (
    after,
    hub,
    in_the_old_form,
    plan,
    site,
    snapshot,
    verbs,
)

BERLIN = {"berlin": site(3, security_group_rules=[{"protocol": "icmp"}])}


def test_an_empty_cloud_gets_everything_in_order():
    assert verbs(plan(snapshot(), BERLIN)) == [
        "create ike_policy prod/default",
        "create ipsec_policy prod/default",
        "create vpn_service prod",
        "create endpoint_group prod/subnets",
        "create endpoint_group prod/berlin",
        "create site_connection prod/berlin/1",
        "create security_group_rule ingress icmp 10.3.0.0/24",
    ]


def test_the_second_run_does_nothing():
    assert verbs(plan(after(snapshot(), BERLIN), BERLIN)) == []


@pytest.mark.parametrize(
    ("change", "steps"),
    [
        pytest.param({"gateway": "203.0.113.99"}, ["update site_connection prod/berlin/1"], id="gateway"),
        pytest.param({"id": {"value": "b@x.org"}}, ["update site_connection prod/berlin/1"], id="identity"),
        pytest.param({"peer_id": {"value": "cloud"}}, ["update site_connection prod/berlin/1"], id="hub's identity"),
        pytest.param({"underlay_mtu": 1400}, ["update site_connection prod/berlin/1"], id="mtu"),
        pytest.param({"dpd": {"interval": 10}}, ["update site_connection prod/berlin/1"], id="dpd"),
        pytest.param({"initiator": "site"}, ["update site_connection prod/berlin/1"], id="initiator"),
        pytest.param(
            {"subnets": ["10.3.0.0/24", "10.33.0.0/24"]},
            [
                "create endpoint_group prod/berlin",
                "create security_group_rule ingress icmp 10.33.0.0/24",
                "update site_connection prod/berlin/1",
                "delete endpoint_group prod/berlin",
            ],
            id="subnets are swapped, the connection stays",
        ),
        pytest.param(
            {"security_group_rules": [{"protocol": "tcp", "ports": [443]}]},
            [
                "create security_group_rule ingress tcp 443 10.3.0.0/24",
                "delete security_group_rule ingress icmp 10.3.0.0/24",
            ],
            id="rules",
        ),
        pytest.param(
            {"state": "absent"},
            [
                "delete security_group_rule ingress icmp 10.3.0.0/24",
                "delete site_connection prod/berlin/1",
                "delete endpoint_group prod/berlin",
                "delete endpoint_group prod/subnets",
                "delete vpn_service prod",
                "delete ipsec_policy prod/default",
                "delete ike_policy prod/default",
            ],
            id="absent takes all of it away",
        ),
        pytest.param({"subnets": ["10.3.0.7/24"]}, [], id="host bits"),
        pytest.param({"platform_version": "5.9"}, [], id="what concerns the router only"),
    ],
)
def test_each_change_takes_its_least_steps(change, steps):
    there = after(snapshot(), BERLIN)
    assert sorted(verbs(plan(there, {"berlin": {**BERLIN["berlin"], **change}}))) == sorted(steps)


def test_a_policy_in_use_is_replaced_by_a_new_connection():
    there = after(snapshot(), BERLIN)
    planned = plan(there, BERLIN, policies={"default": {"ike": {"integrity": "sha512"}}})
    assert verbs(planned) == [
        "create ike_policy prod/default",
        "create site_connection prod/berlin/1",
        "delete site_connection prod/berlin/1",
        "delete ike_policy prod/default",
    ]
    assert [step.disruptive for step in planned.steps] == [False, True, True, False]


@pytest.mark.parametrize(("status", "disruptive"), [("DOWN", False), ("ACTIVE", True)])
def test_a_disabled_site_without_a_tunnel_is_not_interrupted(status, disruptive):
    """One whose tunnel is up all the same is."""
    off = {"berlin": {**BERLIN["berlin"], "state": "disabled"}}
    there = after(snapshot(), off)
    there["site_connection"][0]["status"] = status
    planned = plan(there, off, policies={"default": {"ike": {"integrity": "sha512"}}})
    assert {step.disruptive for step in planned.steps if step.kind == "site_connection"} == {disruptive}


def test_connections_are_replaced_one_after_the_other():
    sites = {name: site(number) for number, name in enumerate(("berlin", "paris"), 3)}
    planned = plan(after(snapshot(), sites), sites, policies={"default": {"ike": {"integrity": "sha512"}}})
    assert verbs(planned) == [
        "create ike_policy prod/default",
        "create site_connection prod/berlin/1",
        "delete site_connection prod/berlin/1",
        "create site_connection prod/paris/1",
        "delete site_connection prod/paris/1",
        "delete ike_policy prod/default",
    ]


def test_a_replacement_that_was_not_ended_is_ended():
    """The new connection is there and so is the old one: no third one is made."""
    policies = {"default": {"ike": {"integrity": "sha512"}}}
    there = after(snapshot(), BERLIN)
    steps = plan(there, BERLIN, policies=policies).steps
    for done in range(1, len(steps)):
        half = _steps.project(there, steps[:done])
        again = plan(half, BERLIN, policies=policies)
        assert verbs(again) == verbs(plan(there, BERLIN, policies=policies))[done:]


APP_ONLY = {"prod": hub(subnets=["192.168.1.0/24"])}


def test_a_service_with_a_subnet_keeps_its_form():
    """Its connections say their CIDRs themselves, those that come too; what changes is changed in place."""
    there = in_the_old_form(after(snapshot(), BERLIN, hubs=APP_ONLY))
    assert verbs(plan(there, BERLIN, hubs=APP_ONLY)) == []
    moved = {"berlin": {**BERLIN["berlin"], "subnets": ["10.33.0.0/24"]}, "paris": site(4)}
    planned = plan(there, moved, hubs=APP_ONLY)
    assert {step.name: step.body["peer_cidrs"] for step in planned.steps if "peer_cidrs" in step.body} == {
        "prod/berlin/1": ["10.33.0.0/24"], "prod/paris/1": ["10.4.0.0/24"]
    }  # fmt: skip
    assert not [step for step in planned.steps if step.kind == "endpoint_group"]
    assert verbs(plan(_steps.project(there, planned.steps), moved, hubs=APP_ONLY)) == []


def test_a_service_with_a_subnet_carries_no_other():
    there = in_the_old_form(after(snapshot(), BERLIN, hubs=APP_ONLY))
    with pytest.raises(
        VpnError, match=r"was made for the one subnet 192.168.1.0/24, and the hub has 192.168.1.0/24, 192"
    ):
        plan(there, BERLIN)


def test_a_changed_key_is_sent_and_never_shown():
    there = after(snapshot(), BERLIN, psk="the old key of the two")
    planned = plan(there, BERLIN, psk="the new key of the two")
    assert planned.steps[0].body == {"psk": "the new key of the two"}
    shown = repr([step.public() for step in planned.steps]) + repr(_steps.diff(there, planned.steps))
    assert "key of the two" not in shown
    assert "(secret) new" in shown


def test_a_provider_that_gives_no_key_back_gets_no_update():
    there = after(snapshot(), BERLIN)
    for one in there["site_connection"]:
        del one["psk"]
    assert verbs(plan(there, BERLIN)) == []


def test_no_key_no_connection():
    with pytest.raises(VpnError, match="prod/berlin/1 is to be made or to get another key, but has no key"):
        plan(snapshot(), BERLIN, psk="")


def test_a_site_that_left_the_description_stays_without_purge():
    there = after(snapshot(), {**BERLIN, "paris": site(4)})
    planned = plan(there, BERLIN)
    assert verbs(planned) == []
    assert {left["site"] for left in planned.leftovers} == {"paris"}
    [told] = _module._forgotten([*planned.leftovers, *planned.leftovers])
    assert told.startswith(
        "site paris is not described any more, and what was made for it stays: 2 site_connection, 2 security_group_rule. Remedy: "
    )
    assert verbs(plan(there, BERLIN, purge=True)) == [
        "delete security_group_rule ingress any 10.4.0.0/24",
        "delete site_connection prod/paris/1",
        "delete endpoint_group prod/paris",
    ]


def test_another_hubs_objects_are_left_alone():
    there = after(snapshot(), BERLIN)
    for things in there.values():
        for one in things:
            one["description"] = (one.get("description") or "").replace("bothends.vpn/prod", "bothends.vpn/other")
    planned = plan(there, {}, purge=True)
    assert verbs(planned) == [] and planned.leftovers == []


def test_a_hand_made_connection_is_adopted():
    there = after(snapshot(), BERLIN)
    for kind in _objects.KINDS:
        for one in there[kind]:
            one["description"], one["name"] = "made by hand", ""
    planned = plan(there, BERLIN)
    assert verbs(planned) == []
    assert planned.connections == {"prod/berlin/1": there["site_connection"][0]["id"]}


@pytest.mark.parametrize(
    ("gateway", "by_hand"),
    [("2001:db8::9", "2001:DB8:0::9"), ("2001:DB8::9", "2001:db8::9"), ("vpn.example.org", "vpn.example.org")],
)
def test_a_hand_made_connection_is_known_however_its_peer_is_written(gateway, by_hand):
    sites = {"berlin": {**BERLIN["berlin"], "gateway": gateway}}
    there = after(snapshot(), sites)
    for one in there["site_connection"]:
        one.update(description="", name="by hand", peer_address=by_hand)
    # The same selectors, and others: the one connection that leads there is meant in either case.
    for subnets, steps in (([], []), (["10.33.0.0/24"], ["update site_connection prod/berlin/1"])):
        wanted = {"berlin": {**sites["berlin"], "subnets": ["10.3.0.0/24", *subnets]}}
        assert [one for one in verbs(plan(there, wanted)) if "site_connection" in one] == steps
    gone = plan(there, {"berlin": {**sites["berlin"], "state": "absent"}})
    assert [one["name"] for one in gone.unowned] == ["by hand"]


def test_a_double_of_ours_goes():
    there = after(snapshot(), BERLIN)
    there["site_connection"].append({**there["site_connection"][0], "id": "zz-double"})
    assert [(step.verb, step.id) for step in plan(there, BERLIN).steps] == [("delete", "zz-double")]


def test_of_two_equal_groups_that_two_runs_made_all_connections_get_the_first():
    """A site each: both groups are in use, and to swap one is no change to the traffic."""
    two = {"berlin": site(3), "munich": site(4)}
    there = after(snapshot(), two)
    [first] = [one for one in there["endpoint_group"] if one["name"] == "prod/subnets"]
    there["endpoint_group"].append({**first, "id": "zz-double"})
    there["site_connection"][1]["local_ep_group_id"] = "zz-double"
    planned = plan(there, two)
    assert [(step.verb, step.kind, step.disruptive) for step in planned.steps] == [
        ("update", "site_connection", False),
        ("delete", "endpoint_group", False),
    ]
    assert (planned.steps[0].body, planned.steps[1].id) == ({"local_ep_group_id": first["id"]}, "zz-double")
    assert plan(_steps.project(there, planned.steps), two).steps == []


def test_two_services_of_one_vpc_are_an_error():
    there = after(snapshot(), BERLIN)
    there["vpn_service"].append({**there["vpn_service"][0], "id": "zz", "description": "by hand", "name": "spare"})
    with pytest.raises(VpnError, match="2 VPN services"):
        plan(there, BERLIN)


def test_of_two_services_that_two_runs_made_the_one_in_use_stays():
    there = after(snapshot(), BERLIN)
    there["vpn_service"].insert(0, {**there["vpn_service"][0], "id": "aa-double"})
    assert [(step.verb, step.id) for step in plan(there, BERLIN).steps] == [("delete", "aa-double")]


@pytest.mark.parametrize("change", [{"name": "renamed"}, {"description": "somebody's words bothends.vpn/prod"}])
def test_a_service_in_creation_keeps_its_words(change):
    """It refuses every change, at some providers for ever, and all that comes after would wait for nothing."""
    there = after(snapshot(), BERLIN)
    there["vpn_service"][0].update(change, status="PENDING_CREATE")
    assert verbs(plan(there, BERLIN)) == []
    there["vpn_service"][0]["status"] = "ACTIVE"
    [step] = plan(there, BERLIN).steps
    assert (step.verb, step.kind, set(step.body)) == ("update", "vpn_service", set(change))


def test_nothing_is_let_in_that_no_tunnel_carries():
    """The hub has no IPv6, so packets from there would come as anyone's."""
    sites = {"berlin": {**BERLIN["berlin"], "subnets": ["10.3.0.0/24", "2001:db8:3::/64"]}}
    assert [step.name for step in plan(snapshot(), sites).steps if step.kind == "security_group_rule"] == [
        "ingress icmp 10.3.0.0/24"
    ]


@pytest.mark.parametrize(
    ("existing", "step"),
    [
        pytest.param({"protocol": "icmp", "remote_ip_prefix": "10.3.0.0/24"}, [], id="the very same, made by hand"),
        pytest.param({"protocol": "1", "remote_ip_prefix": "10.3.0.9/24"}, [], id="the same, written otherwise"),
        pytest.param(
            {"protocol": "icmp", "remote_ip_prefix": "10.3.0.0/25"}, ["create security_group_rule ingress icmp 10.3.0.0/24"],
            id="a narrower one does not do",
        ),
    ],
)  # fmt: skip
def test_rules_are_compared_exactly(existing, step):
    there = snapshot()
    rule = {**there["security_group_rule"][0], "id": "own", "direction": "ingress", **existing}
    there["security_group_rule"].append(rule)
    assert [one for one in verbs(plan(there, BERLIN)) if "rule" in one] == step


def test_without_an_egress_rule_one_is_made():
    there = snapshot(security_group_rule=[])
    assert "create security_group_rule egress any 10.3.0.0/24" in verbs(plan(there, BERLIN))


@pytest.mark.parametrize(
    ("sites", "purge"),
    [
        pytest.param({"munich": site(3)}, True, id="with purge"),
        pytest.param({"munich": site(3), "berlin": site(3, state="absent")}, False, id="by state absent"),
    ],
)
def test_a_renamed_sites_rules_stay(sites, purge):
    """The API allows no second equal rule: the old site's is kept, not deleted without another in its place."""
    there = after(snapshot(), {"berlin": site(3)})
    planned = plan(there, sites, purge=purge)
    assert verbs(planned) == [
        "create endpoint_group prod/munich",
        "create site_connection prod/munich/1",
        "delete site_connection prod/berlin/1",
        "delete endpoint_group prod/berlin",
    ]
    assert verbs(plan(_steps.project(there, planned.steps), sites, purge=purge)) == []


def test_an_egress_rule_to_an_address_group_lets_not_everything_out():
    there = snapshot()
    for rule in there["security_group_rule"]:
        rule["remote_address_group_id"] = "somewhere"
    assert "create security_group_rule egress any 10.3.0.0/24" in verbs(plan(there, BERLIN))


def test_a_hand_made_aead_policy_is_adopted_whatever_its_filler():
    policies = {"default": {"ipsec": {"encryption": "aes-256-gcm-16"}}}
    there = after(snapshot(), BERLIN, policies=policies)
    there["ipsec_policy"][0]["auth_algorithm"] = "sha512"
    assert verbs(plan(there, BERLIN, policies=policies)) == []


# --- for any description ---------------------------------------------------------------------------------------------

subnets = st.lists(st.integers(0, 5), min_size=1, max_size=3, unique=True)
policies = st.sampled_from(["default", "gcm", "old"])
POLICIES = {
    "gcm": {"ike": {"encryption": "aes-256-gcm-16", "dh_group": "group20"}, "ipsec": {"encryption": "aes-256-gcm-16"}},
    "old": {"ike": {"version": "v1"}},
}


@st.composite
def descriptions(draw):
    sites = {}
    for number in draw(st.lists(st.integers(3, 7), max_size=4, unique=True)):
        # The same data centre may come back under another name.
        sites[f"site{number}{draw(st.sampled_from('ab'))}"] = site(
            number,
            subnets=[f"10.{number}.{part}.0/24" for part in draw(subnets)],
            policy=draw(policies),
            state=draw(st.sampled_from(["present", "present", "present", "absent"])),
            underlay_mtu=draw(st.sampled_from([1400, 1500])),
            security_group_rules=[{"protocol": draw(st.sampled_from(["any", "icmp", "tcp"]))}],
        )
    return sites


@given(st.lists(descriptions(), min_size=1, max_size=3))
@settings(max_examples=60, deadline=None)
def test_what_was_planned_is_what_was_wanted(history):
    """Whatever was there before: after the plan nothing is left to do, and nothing of ours is left over with purge."""
    there = snapshot()
    for sites in history:
        there = after(there, sites, purge=True, policies=POLICIES)
        again = plan(there, sites, purge=True, policies=POLICIES)
        assert verbs(again) == []
        wanted = {name for name, entry in sites.items() if entry["state"] == "present"}
        assert {one["name"].split("/")[1] for one in there["site_connection"]} == wanted
        referenced = {value for one in there["site_connection"] for value in one.values() if isinstance(value, str)}
        for kind in ("ike_policy", "ipsec_policy", "vpn_service", "endpoint_group"):
            assert all(one["id"] in referenced for one in there[kind]), f"an orphan {kind}"


@given(descriptions())
@settings(max_examples=30, deadline=None)
def test_planning_changes_nothing_it_was_given(sites):
    there = snapshot()
    before = copy.deepcopy(there)
    plan(there, sites, policies=POLICIES)
    assert there == before


TWO = {**BERLIN, "paris": site(4)}


def test_nothing_of_a_blocked_site_is_touched():
    """Neither changed nor purged, and what it shares with the others stays."""
    there = after(snapshot(), TWO)
    changed = {"berlin": {**BERLIN["berlin"], "gateway": "203.0.113.99"}, "paris": site(4, subnets=["10.44.0.0/24"])}
    assert verbs(plan(there, changed, blocked=["paris"], purge=True)) == ["update site_connection prod/berlin/1"]
    assert verbs(plan(there, {}, blocked=["berlin", "paris"], purge=True)) == []
    gone = verbs(plan(there, {}, blocked=["paris"], purge=True))
    assert gone == [
        "delete security_group_rule ingress icmp 10.3.0.0/24",
        "delete site_connection prod/berlin/1",
        "delete endpoint_group prod/berlin",
    ]


def test_a_disabled_site_keeps_its_objects():
    there = after(snapshot(), TWO)
    disabled = {**TWO, "paris": site(4, state="disabled")}
    [step] = plan(there, disabled).steps
    assert (step.verb, step.name, step.body) == ("update", "prod/paris/1", {"admin_state_up": False})
    assert verbs(plan(after(there, disabled), TWO)) == ["update site_connection prod/paris/1"]


def test_connections_without_a_key_stop_their_sites_all_at_once():
    with pytest.raises(_plan.SiteError) as caught:
        plan(snapshot(), TWO, psk="")
    assert {site: f"connection prod/{site}/1 is" in why for site, why in caught.value.sites.items()} == dict.fromkeys(
        TWO, True
    )


def test_a_replaced_connection_needs_a_key_too():
    """Before anything is written: a provider that gives no key back leaves nothing to take over."""
    there = after(snapshot(), BERLIN)
    del there["site_connection"][0]["psk"]
    with pytest.raises(_plan.SiteError, match="has no key"):
        plan(there, BERLIN, psk="", policies={"default": {"ike": {"integrity": "sha512"}}})


def test_what_somebody_else_made_is_named_when_its_site_is_to_be_absent():
    there = after(snapshot(), BERLIN)
    for kind in _objects.KINDS:
        for one in there[kind]:
            one["description"], one["name"] = "", "by hand"
    planned = plan(there, {"berlin": {**BERLIN["berlin"], "state": "absent"}})
    assert verbs(planned) == []
    assert [(one["site"], one["name"]) for one in planned.unowned] == [("berlin", "by hand")]
    assert plan(after(snapshot(), BERLIN), {"berlin": {**BERLIN["berlin"], "state": "absent"}}).unowned == []


@pytest.mark.parametrize(
    ("change", "pending"),
    [
        pytest.param({"subnets": ["10.3.0.0/24", "10.33.0.0/24"]}, True, id="selectors"),
        pytest.param({"gateway": "203.0.113.99"}, True, id="peer"),
        pytest.param({"dpd": {"interval": 10}}, True, id="dpd"),
        pytest.param({"security_group_rules": [{"protocol": "tcp"}]}, False, id="rules are in force at once"),
    ],
)
def test_a_stored_change_says_that_it_is_not_in_force(change, pending):
    planned = plan(after(snapshot(), BERLIN), {"berlin": {**BERLIN["berlin"], **change}})
    assert any(step.pending_activation for step in planned.steps) is pending
    assert [step.public()["pending_activation"] for step in planned.steps].count(True) == int(pending)


@pytest.mark.parametrize(("status", "disruptive"), [("DOWN", False), ("PENDING_CREATE", False), ("ACTIVE", True)])
def test_connections_of_a_second_service_are_taken_over(status, disruptive):
    """Two runs at once may have made two services, of which the cloud realises one: what is on the other never worked."""
    there = after(snapshot(), TWO)
    there["vpn_service"][0]["status"] = "ACTIVE"
    there["vpn_service"].append({**there["vpn_service"][0], "id": "second", "status": "PENDING_CREATE"})
    [paris] = [one for one in there["site_connection"] if one["name"] == "prod/paris/1"]
    paris.update(vpnservice_id="second", status=status)
    planned = plan(there, TWO)
    assert verbs(planned) == [
        "create site_connection prod/paris/1",
        "delete site_connection prod/paris/1",
        "delete vpn_service prod",
    ]
    assert any(step.disruptive for step in planned.steps) is disruptive
    assert verbs(plan(_steps.project(there, planned.steps), TWO)) == []


@pytest.mark.parametrize("first", [True, False])
def test_of_what_two_runs_made_one_whole_stays(first):
    """Each made everything for itself. Which connection has the lower id says nothing of whose policies it uses."""
    there = after(snapshot(), TWO)
    kinds = ("ike_policy", "ipsec_policy", "endpoint_group", "site_connection")
    names = {
        one["id"]: f"{'z' if first else 'a'}{number}"
        for number, one in enumerate(one for kind in kinds for one in there[kind])
    }
    for kind in kinds:
        there[kind] += [
            {key: names.get(value, value) if isinstance(value, str) else value for key, value in one.items()}
            for one in there[kind]
        ]
    [berlin, *_others] = [one for one in there["site_connection"] if one["name"] == "prod/berlin/1"]
    berlin["id"] = "0" if not first else "~"  # against the order of the policies
    end = _steps.project(there, plan(there, TWO).steps)
    assert {kind: len(end[kind]) for kind in kinds} == {kind: len(after(snapshot(), TWO)[kind]) for kind in kinds}
    assert verbs(plan(end, TWO)) == []


def test_of_what_two_runs_made_in_part_the_whole_one_stays():
    """The one whose policies have the lower ids came to one site only."""
    there = after(snapshot(), TWO)
    [ike] = there["ike_policy"]
    there["ike_policy"].append({**ike, "id": "0"})
    [berlin] = [one for one in there["site_connection"] if one["name"] == "prod/berlin/1"]
    there["site_connection"].append({**berlin, "id": "00", "ikepolicy_id": "0"})
    planned = plan(there, TWO)
    assert verbs(planned) == ["delete site_connection prod/berlin/1", "delete ike_policy prod/default"]
    assert {step.id for step in planned.steps} == {"0", "00"}
