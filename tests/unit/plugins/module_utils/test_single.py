# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.bothends.vpn.plugins.module_utils import _algorithms, _single, _single_kinds, _steps
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.tests.unit.singles import (
    CONNECTION,
    KEY,
    WHOLE,
    empty,
    made,
    planned,
    steps,
    whole,
)

KINDS = [kind for kind, _given in WHOLE]


def short(wanted_steps):
    """Write the steps in short."""
    return [
        f"{step.verb} {step.name}" + (f" {','.join(sorted(step.body))}" if step.verb == "update" else "")
        for step in wanted_steps
    ]


def only(there, kind):
    """Give the one object of a kind that is called as WHOLE calls it first."""
    return there[kind][0]


# --- what is made ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "given", "body"),
    [
        pytest.param(
            "ike_policy", {"name": "x"},
            {"name": "x", "description": "", "ike_version": "v2", "phase1_negotiation_mode": "main", "encryption_algorithm": "aes-256",
             "auth_algorithm": "sha256", "pfs": "group14", "lifetime": {"units": "seconds", "value": 28800}},
            id="every algorithm of an IKE policy is sent",
        ),
        pytest.param(
            "ike_policy", {"name": "x", "encryption": "aes-256-gcm-16", "prf": "sha384", "description": "d"},
            {"name": "x", "description": "d", "ike_version": "v2", "phase1_negotiation_mode": "main",
             "encryption_algorithm": "aes-256-gcm-16", "auth_algorithm": "sha384", "pfs": "group14",
             "lifetime": {"units": "seconds", "value": 28800}},
            id="the PRF of an AEAD",
        ),
        pytest.param(
            "ipsec_policy", {"name": "x", "encryption": "aes-128-gcm-16", "pfs_group": "group20", "transform_protocol": "ah"},
            {"name": "x", "description": "", "transform_protocol": "ah", "encapsulation_mode": "tunnel",
             "encryption_algorithm": "aes-128-gcm-16", "auth_algorithm": "sha256", "pfs": "group20",
             "lifetime": {"units": "seconds", "value": 3600}},
            id="the filler of an AEAD in IPsec",
        ),
        pytest.param(
            "vpn_service", {"name": "x", "vpc": "prod"},
            {"name": "x", "description": "", "router_id": "v1", "admin_state_up": True}, id="a service",
        ),
        pytest.param(
            "vpn_service", {"name": "x", "vpc": "v1", "subnet": "192.168.1.7/24", "admin_state_up": False},
            {"name": "x", "description": "", "router_id": "v1", "subnet_id": "s-app", "admin_state_up": False},
            id="a service of the old form, its subnet by CIDR",
        ),
        pytest.param(
            "endpoint_group", {"name": "x", "type": "cidr", "endpoints": ["10.0.0.7/24", "10.0.1.0/24"]},
            {"name": "x", "description": "", "type": "cidr", "endpoints": ["10.0.0.0/24", "10.0.1.0/24"]}, id="CIDRs without host bits",
        ),
        pytest.param(
            "endpoint_group", {"name": "x", "type": "subnet", "endpoints": ["app", "s-db"]},
            {"name": "x", "description": "", "type": "subnet", "endpoints": ["s-app", "s-db"]}, id="subnets by name and id",
        ),
        pytest.param(
            "endpoint_group", {"name": "x", "type": "network", "endpoints": ["net"]},
            {"name": "x", "description": "", "type": "network", "endpoints": ["n1"]}, id="networks",
        ),
        pytest.param(
            "endpoint_group", {"name": "x", "type": "router", "endpoints": ["prod"]},
            {"name": "x", "description": "", "type": "router", "endpoints": ["v1"]}, id="routers",
        ),
        pytest.param(
            "endpoint_group", {"name": "x", "type": "vlan", "endpoints": ["100"]},
            {"name": "x", "description": "", "type": "vlan", "endpoints": ["100"]}, id="VLANs",
        ),
    ],
)  # fmt: skip
def test_what_a_new_object_is_made_of(kind, given, body):
    (step,) = steps(empty(), kind, **given)
    assert (step.verb, step.kind, step.name, step.body) == ("create", kind, "x", body)


def test_what_a_new_connection_is_made_of():
    there = made(empty(), *WHOLE[:-1])
    (step,) = steps(there, "site_connection", **CONNECTION)
    ids = {group["name"]: group["id"] for group in there["endpoint_group"]}
    assert step.body == {
        "name": "berlin", "description": "", "vpnservice_id": only(there, "vpn_service")["id"],
        "ikepolicy_id": only(there, "ike_policy")["id"], "ipsecpolicy_id": only(there, "ipsec_policy")["id"],
        "local_ep_group_id": ids["here"], "peer_ep_group_id": ids["there"], "peer_address": "203.0.113.10",
        "peer_id": "203.0.113.10", "local_id": "", "mtu": 1500, "dpd": {"action": "restart", "interval": 30, "timeout": 120},
        "initiator": "bi-directional", "admin_state_up": True, "psk": KEY,
    }  # fmt: skip


def test_a_connection_of_the_old_form():
    there = made(empty(), *WHOLE[:2], ("vpn_service", {"name": "vpn", "vpc": "prod", "subnet": "app"}))
    old = {
        **CONNECTION,
        "local_endpoint_group": None,
        "peer_endpoint_group": None,
        "peer_cidrs": ["10.3.0.9/24", "10.4.0.0/24"],
    }
    (step,) = steps(there, "site_connection", **old)
    assert step.body["peer_cidrs"] == ["10.3.0.0/24", "10.4.0.0/24"] and "local_ep_group_id" not in step.body
    after = _steps.project(there, [step])
    assert steps(after, "site_connection", **old) == []
    (change,) = steps(after, "site_connection", name="berlin", peer_cidrs=["10.4.0.0/24"])
    assert change.body == {"peer_cidrs": ["10.4.0.0/24"]}


@pytest.mark.parametrize(("kind", "given"), WHOLE, ids=[f"{kind} {given['name']}" for kind, given in WHOLE])
def test_the_same_again_is_nothing_to_do(kind, given):
    there = whole()
    assert steps(there, kind, **given) == []
    assert steps(there, kind, name=given["name"]) == [], "what is left out stays"
    another = {**there, "site_connection": []} if kind.endswith("policy") else there
    assert short(steps(another, kind, name=given["name"], description="other")) == [
        f"update {given['name']} description"
    ]


# --- what is changed -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "change", "wanted"),
    [
        pytest.param("ike_policy", {"encryption": "aes-128"}, ["update strong encryption_algorithm"], id="an IKE policy"),
        pytest.param("ike_policy", {"lifetime": 7200, "version": "v1"}, ["update strong ike_version,lifetime"], id="two fields of it"),
        pytest.param("ike_policy", {"encryption": "aes-256-gcm-16"}, ["update strong encryption_algorithm"], id="the hash becomes the PRF"),
        pytest.param("ike_policy", {"description": "d"}, ["update strong description"], id="a policy's description"),
        pytest.param("ipsec_policy", {"pfs_group": "group20"}, ["update strong pfs"], id="an IPsec policy"),
        pytest.param("ipsec_policy", {"encapsulation_mode": "transport"}, ["update strong encapsulation_mode"], id="its mode"),
        pytest.param("vpn_service", {"admin_state_up": False}, ["update vpn admin_state_up"], id="a service is switched off"),
        pytest.param("endpoint_group", {"endpoints": ["app"]}, ["delete here", "create here"], id="a group is made anew"),
        pytest.param("endpoint_group", {"endpoints": ["s-db", "192.168.1.0/24"]}, [], id="the order of a group does not matter"),
        pytest.param("endpoint_group", {"description": "d"}, ["update here description"], id="a group's description"),
    ],
)  # fmt: skip
def test_a_change_while_unused(kind, change, wanted):
    there = made(empty(), *WHOLE[:-1])
    assert short(steps(there, kind, name=only(there, kind)["name"], **change)) == wanted


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"mtu": 1400}, ["update berlin mtu"]),
        ({"mtu": 1500}, []),
        ({"dpd": {"interval": 10}}, ["update berlin dpd"]),
        ({"dpd": {"interval": 30}}, []),
        ({"initiator": "response-only"}, ["update berlin initiator"]),
        ({"peer_address": "203.0.113.99"}, ["update berlin peer_address"]),
        ({"peer_id": "berlin.example.com", "local_id": "cloud"}, ["update berlin local_id,peer_id"]),
        ({"local_id": ""}, []),
        ({"admin_state_up": False}, ["update berlin admin_state_up"]),
        ({"psk": "another key of 20 characters"}, ["update berlin psk"]),
        ({"psk": KEY}, []),
        ({"description": "of the north"}, ["update berlin description"]),
        ({"peer_endpoint_group": "other"}, ["update berlin peer_ep_group_id"]),
        ({"vpn_service": "vpn", "ike_policy": "strong"}, []),
    ],
)
def test_a_change_of_a_connection(change, wanted):
    there = made(whole(), ("endpoint_group", {"name": "other", "type": "cidr", "endpoints": ["10.7.0.0/16"]}))
    assert short(steps(there, "site_connection", name="berlin", **change)) == wanted


def test_a_partial_dpd_keeps_the_rest():
    there = whole(site_connection={"dpd": {"action": "hold", "interval": 20, "timeout": 90}})
    (step,) = steps(there, "site_connection", name="berlin", dpd={"interval": 10})
    assert step.body == {"dpd": {"action": "hold", "interval": 10, "timeout": 90}}


def test_a_key_that_is_not_given_back_is_not_compared():
    there = whole()
    other = "another.key.of.20.characters"
    assert steps(there, "site_connection", name="berlin", psk=KEY, send_psk=True) == [], (
        "it is compared where it can be"
    )
    assert steps(there, "site_connection", name="berlin", psk=other, provider="otc") == [], (
        "whatever comes back instead"
    )
    del only(there, "site_connection")["psk"]
    assert steps(there, "site_connection", name="berlin", psk=other) == []
    assert steps(there, "site_connection", name="berlin", send_psk=True) == []
    (step,) = steps(there, "site_connection", name="berlin", psk=other, send_psk=True)
    assert step.body == {"psk": other}


def test_a_group_made_anew_keeps_what_was_not_asked_for():
    there = made(
        empty(), ("endpoint_group", {"name": "g", "type": "cidr", "endpoints": ["10.0.0.0/24"], "description": "d"})
    )
    delete, create = steps(there, "endpoint_group", name="g", endpoints=["10.1.0.0/24"])
    assert create.body == {"name": "g", "description": "d", "type": "cidr", "endpoints": ["10.1.0.0/24"]}
    assert (delete.id, create.why) == (there["endpoint_group"][0]["id"], "replaced: other endpoints")


def test_what_was_to_be_made_anew_is_made_by_the_next_run():
    """Killed after any step: there are never two of one name."""
    wanted = {"name": "g", "type": "cidr", "endpoints": ["10.1.0.0/24"]}
    there = made(empty(), ("endpoint_group", {**wanted, "endpoints": ["10.0.0.0/24"]}))
    todo = steps(there, "endpoint_group", **wanted)
    for done in range(len(todo) + 1):
        after = made(_steps.project(there, todo[:done]), ("endpoint_group", wanted))
        assert [(one["name"], one["endpoints"]) for one in after["endpoint_group"]] == [("g", ["10.1.0.0/24"])]


@pytest.mark.parametrize("kind", KINDS)
def test_by_id_it_gets_another_name(kind):
    there = whole()
    if kind.endswith("policy"):
        there["site_connection"] = []
    one = only(there, kind)
    (step,) = steps(there, kind, id=one["id"], name="renamed")
    assert (step.verb, step.id, step.body) == ("update", one["id"], {"name": "renamed"})


# --- another provider ------------------------------------------------------------------------------------------------

OTC = {"provider": "otc"}
OTC_CONNECTION = {**CONNECTION, **OTC, "psk": "a.key.of.20.characters", "peer_address": "80.158.0.10"}


def test_a_policy_in_the_providers_words():
    (step,) = steps(empty(), "ike_policy", name="x", integrity="sha384", **OTC)
    assert step.body["auth_algorithm"] == "sha2-384"
    there = _steps.project(empty(), [step])
    assert steps(there, "ike_policy", name="x", integrity="sha384", **OTC) == []
    shown = _single_kinds.ROWS["ike_policy"].shown(only(there, "ike_policy"), OTC)
    assert (shown["integrity"], shown["encryption"]) == ("sha384", "aes-256")


def test_what_the_provider_does_not_take_is_not_sent():
    there = made(empty(), *WHOLE[:-1])
    (step,) = steps(there, "site_connection", **OTC_CONNECTION)
    assert not {"description", "local_id"} & set(step.body)
    assert {"description", "local_id"} < set(steps(there, "site_connection", **CONNECTION)[0].body)
    assert steps(_steps.project(there, [step]), "site_connection", **OTC_CONNECTION) == []


@pytest.mark.parametrize(
    ("change", "option"),
    [
        ({"mtu": 1400}, "mtu"),
        ({"admin_state_up": False}, "admin_state_up"),
        ({"local_id": "cloud"}, "local_id"),
        ({"description": "d"}, "description"),
        ({"name": "n" * 65}, "name"),
        ({"psk": "a key with blanks in it"}, "psk"),
        ({"peer_address": "10.200.0.1"}, "peer_address"),
        ({"peer_endpoint_group": "shared"}, "peer_endpoint_group"),
    ],
)
def test_what_a_provider_does_not_take_is_told(change, option):
    shared = ("endpoint_group", {"name": "shared", "type": "cidr", "endpoints": ["100.64.3.0/24"]})
    there = made(empty(), *WHOLE[:-1], shared)
    with pytest.raises(VpnError, match=f"error: {option}: .*otc|error: {option}: the key"):
        steps(there, "site_connection", **{**OTC_CONNECTION, **change})
    if option != "psk":
        assert steps(there, "site_connection", **{**CONNECTION, **change}), "another provider takes it"


def test_a_mode_that_a_provider_does_not_know():
    with pytest.raises(VpnError, match="error: mode: otc takes only main"):
        steps(empty(), "ike_policy", name="x", version="v1", mode="aggressive", **OTC)


def test_one_connection_a_peer():
    there = made(
        whole(here={"endpoints": ["app"]}), ("endpoint_group", {"name": "db", "type": "subnet", "endpoints": ["db"]})
    )
    only(there, "site_connection")["peer_address"] = OTC_CONNECTION["peer_address"]
    with pytest.raises(VpnError, match="one-connection-a-peer"):
        steps(there, "site_connection", **{**OTC_CONNECTION, "name": "berlin/2", "local_endpoint_group": "db"})


# --- check mode ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "given", "what"),
    [
        ("vpn_service", {"vpc": "later"}, "VPC 'later'"),
        ("vpn_service", {"vpc": "prod", "subnet": "later"}, "subnet 'later'"),
        ("vpn_service", {"vpc": "prod", "subnet": "172.16.0.0/24"}, "subnet '172.16.0.0/24'"),
        ("endpoint_group", {"type": "subnet", "endpoints": ["app", "later"]}, "subnet 'later'"),
        ("endpoint_group", {"type": "network", "endpoints": ["later"]}, "network 'later'"),
    ],
)
def test_what_is_not_there_yet(kind, given, what):
    wanted_steps, warnings = planned(empty(), kind, check_mode=True, name="x", **given)
    assert len(wanted_steps) == 1 and _single.UNKNOWN in repr(wanted_steps[0].body)
    assert warnings == [f"{what} is not there yet; its id is known after apply."]
    with pytest.raises(VpnError, match=f"{what} is not there; there are: .*Remedy: create it"):
        steps(empty(), kind, name="x", **given)


def test_a_connection_whose_parts_are_not_there_yet():
    wanted_steps, warnings = planned(empty(), "site_connection", check_mode=True, **CONNECTION)
    assert short(wanted_steps) == ["create berlin"] and len(warnings) == 5
    with pytest.raises(VpnError, match="VPN service 'vpn' is not there"):
        steps(empty(), "site_connection", **CONNECTION)


def test_what_is_not_known_yet_is_no_change_of_what_cannot_change():
    wanted_steps, warnings = planned(whole(), "site_connection", check_mode=True, name="berlin", ike_policy="later")
    assert (wanted_steps, len(warnings)) == ([], 1)
    wanted_steps, _warnings = planned(
        whole(), "site_connection", check_mode=True, name="berlin", peer_endpoint_group="later"
    )
    assert wanted_steps[0].body == {"peer_ep_group_id": _single.UNKNOWN}


# --- for any wish ----------------------------------------------------------------------------------------------------

ciphers = st.sampled_from([name for name, row in _algorithms.ENCRYPTION.items() if not row.aead])
aeads = st.sampled_from([name for name, row in _algorithms.ENCRYPTION.items() if row.aead])
hashes, groups, lifetimes = (
    st.sampled_from(list(_algorithms.INTEGRITY)),
    st.sampled_from(list(_algorithms.DH_GROUP)),
    st.integers(60, 10**6),
)
text = st.text(max_size=5)


def some(required=None, **optional):
    """Give dicts with any of the optional keys."""
    return st.fixed_dictionaries(required or {}, optional=optional)


WISHES = {
    "ike_policy": st.one_of(
        some({"encryption": ciphers}, integrity=hashes, version=st.sampled_from(["v1", "v2"]), dh_group=groups, lifetime=lifetimes,
             description=text),
        some({"encryption": aeads, "version": st.just("v2")}, prf=hashes, dh_group=groups, lifetime=lifetimes, description=text),
    ),
    "ipsec_policy": st.one_of(
        some({"encryption": ciphers}, integrity=hashes, pfs_group=groups, lifetime=lifetimes,
             encapsulation_mode=st.sampled_from(["tunnel", "transport"])),
        some({"encryption": aeads}, pfs_group=groups, transform_protocol=st.sampled_from(["esp", "ah"]), description=text),
    ),
    "vpn_service": some({"vpc": st.sampled_from(["prod", "v1"])}, admin_state_up=st.booleans(), description=text),
    "endpoint_group": st.one_of(
        some({"type": st.just("cidr"), "endpoints": st.lists(st.integers(0, 9), min_size=1, unique=True).map(
            lambda parts: [f"10.{part}.0.{part}/24" for part in parts])}, description=text),
        some({"type": st.just("subnet"), "endpoints": st.permutations(["app", "192.168.2.0/24"])}, description=text),
    ),
    "site_connection": some(
        {key: st.just(value) for key, value in CONNECTION.items() if key != "name"}, mtu=st.integers(1280, 9216),
        dpd=some(action=st.sampled_from(["hold", "clear", "restart"]), interval=st.integers(1, 50), timeout=st.integers(200, 300)),
        initiator=st.sampled_from(["bi-directional", "response-only"]), admin_state_up=st.booleans(),
        local_id=st.sampled_from(["", "cloud"]),
        peer_id=st.sampled_from(["b", "203.0.113.10"]), description=text,
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", sorted(WISHES))
@given(data=st.data())
@settings(max_examples=40)
def test_what_was_planned_is_what_was_wanted(kind, data):
    """Whatever was there before: after the steps nothing is left to do, nothing else is touched, and absent takes it off."""
    there = made(empty(), *WHOLE[:-1]) if kind == "site_connection" else empty()
    others = copy.deepcopy({name: things for name, things in there.items() if name != kind})
    for wish in data.draw(st.lists(WISHES[kind], min_size=1, max_size=3)):
        there = made(there, (kind, {"name": "it", **wish}))
        assert steps(there, kind, **{"name": "it", **wish}) == []
        assert len(there[kind]) == 1
    assert {name: things for name, things in there.items() if name != kind} == others
    assert made(there, (kind, {"name": "it", "state": "absent"}))[kind] == []
