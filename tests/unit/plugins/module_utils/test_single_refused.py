# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.bothends.vpn.plugins.module_utils import _single_kinds, _single_rules, _steps
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


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "given", "message"),
    [
        pytest.param("ike_policy", {"name": "strong", "encryption": "aes-128"},
                     "IKE policy strong .* cannot be changed: it is used by berlin .*Remedy: module bothends.vpn.hub",
                     id="a policy in use"),
        pytest.param("ike_policy", {"name": "strong", "description": "x"}, "cannot be changed: it is used by berlin", id="its description"),
        pytest.param("ipsec_policy", {"name": "strong", "pfs_group": "group20"}, "cannot be changed: it is used by berlin",
                     id="an IPsec policy in use"),
        pytest.param("endpoint_group", {"name": "here", "endpoints": ["app"]},
                     "cannot be given other content: it is used by berlin .*Remedy: make another group", id="a group in use"),
        pytest.param("vpn_service", {"name": "vpn", "vpc": "lonely"}, "vpc cannot be changed. Remedy: remove", id="another VPC"),
        pytest.param("vpn_service", {"name": "vpn", "subnet": "app"}, "subnet cannot be changed", id="another form"),
        pytest.param("site_connection", {"name": "berlin", "ike_policy": "weak"},
                     "ike_policy cannot be changed. Remedy: module bothends.vpn.hub .*allow_disruption", id="another policy"),
        pytest.param("site_connection", {"name": "berlin", "ipsec_policy": "weak"}, "ipsec_policy cannot be changed",
                     id="another IPsec policy"),
        *(pytest.param(kind, {"name": name, "state": "absent"}, f"{name} .* cannot be deleted: it is used by berlin",
                       id=f"delete {kind} {name}")
          for kind, name in (("ike_policy", "strong"), ("ipsec_policy", "strong"), ("vpn_service", "vpn"), ("endpoint_group", "here"),
                             ("endpoint_group", "there"))),
    ],
)  # fmt: skip
def test_what_is_in_use_stays(kind, given, message):
    there = made(whole(), ("ike_policy", {"name": "weak"}), ("ipsec_policy", {"name": "weak"}))
    with pytest.raises(VpnError, match=message):
        steps(there, kind, **given)


def test_all_can_be_removed_in_turn():
    there = whole()
    for kind, wanted in reversed(WHOLE):
        wanted_steps = steps(there, kind, name=wanted["name"], state="absent")
        assert short(wanted_steps) == [f"delete {wanted['name']}"]
        there = _steps.project(there, wanted_steps)
        assert steps(there, kind, name=wanted["name"], state="absent") == []
    assert [there[kind] for kind in KINDS] == [[]] * len(KINDS)


@pytest.mark.parametrize("state", ["present", "absent"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_ambiguous_name_lists_the_ids(kind, state):
    there = whole()
    one = only(there, kind)
    there[kind] = [*there[kind], {**one, "id": "second"}]
    with pytest.raises(VpnError, match=f"{one['name']}' is ambiguous: {one['id']}, second. Remedy: give the id."):
        steps(there, kind, name=one["name"], state=state)
    assert steps(there, kind, id=one["id"]) == []


@pytest.mark.parametrize("kind", KINDS)
def test_an_id_that_is_not_there(kind):
    with pytest.raises(VpnError, match=r"gone is not there\. Remedy: correct the id"):
        steps(whole(), kind, id="gone")
    assert steps(whole(), kind, id="gone", state="absent") == []


def test_an_empty_name_finds_nothing():
    with pytest.raises(VpnError, match="the name is empty"):
        steps(empty(), "ike_policy", name="")


@pytest.mark.parametrize(
    ("kind", "given", "missing"),
    [
        ("vpn_service", {}, "vpc"),
        ("endpoint_group", {"type": "cidr"}, "endpoints"),
        ("endpoint_group", {"endpoints": ["10.0.0.0/8"]}, "type"),
        ("site_connection", {}, "vpn_service, ike_policy, ipsec_policy, peer_address, psk"),
    ],
)
def test_what_a_new_object_cannot_do_without(kind, given, missing):
    with pytest.raises(VpnError, match=f"cannot be made without {missing}. Remedy"):
        steps(empty(), kind, name="new", **given)


SIX = {"name": "there", "type": "cidr", "endpoints": ["2001:db8:3::/64"]}
OLD = {
    "vpn": {"subnet": "app"},
    "site_connection": {"local_endpoint_group": None, "peer_endpoint_group": None, "peer_cidrs": ["10.3.0.0/24"]},
}
SERVICE = {
    "id": "s",
    "name": "vpn",
    "router_id": "v1",
    "subnet_id": None,
    "external_v4_ip": "203.0.113.150",
    "description": "",
}


def old(**change):
    """Change the connection of the old form."""
    return {**OLD, "site_connection": {**OLD["site_connection"], **change}}


# Each row of what the server refuses, or takes and does not do: option, code.
BAD = [
    # what the server refuses
    pytest.param({"site_connection": {"dpd": {"timeout": 30}}}, "dpd", "dpd-timeout", id="DPD timeout not above its interval"),
    pytest.param({"site_connection": {"dpd": {"interval": 200}}}, "dpd", "dpd-timeout", id="DPD interval above the default timeout"),
    pytest.param({"site_connection": {"mtu": 67}}, "mtu", "mtu-range", id="MTU too small"),
    pytest.param({"there": SIX}, "peer_endpoint_group", "mixed-versions", id="IP versions of the ends differ"),
    pytest.param({"there": {"endpoints": ["10.3.0.0/24", "2001:db8::/64"]}}, "endpoints", "mixed-versions", id="IP versions of a group"),
    pytest.param(old(peer_cidrs=[]), "peer_cidrs", "no-peer-cidrs", id="old form without peer_cidrs"),
    pytest.param(old(peer_endpoint_group="there"), "peer_endpoint_group", "two-forms", id="old form with a group"),
    pytest.param({"site_connection": {"peer_cidrs": ["10.3.0.0/24"]}}, "peer_cidrs", "two-forms", id="groups and peer_cidrs"),
    pytest.param({"site_connection": {"local_endpoint_group": None}}, "local_endpoint_group", "no-group", id="one group is missing"),
    pytest.param({"site_connection": {"peer_endpoint_group": "here"}}, "peer_endpoint_group", "group-type", id="the wrong type of group"),
    pytest.param({"site_connection": {"local_endpoint_group": "there"}}, "local_endpoint_group", "group-type", id="and at the other end"),
    pytest.param({"here": {"endpoints": ["far"]}}, "local_endpoint_group", "not-attached", id="a subnet that is not on the router"),
    pytest.param({"vpn": {"vpc": "lonely"}}, "vpc", "no-gateway", id="a router without a gateway"),
    pytest.param({"vpn": {"subnet": "far"}}, "subnet", "not-attached", id="a service's subnet that is not on the router"),
    pytest.param({"site_connection": {"peer_address": "vpn.example.com"}}, "peer_address", "bad-address", id="a peer by name"),
    pytest.param({"site_connection": {"peer_address": "127.0.0.1"}}, "peer_address", "bad-address", id="a peer that no host can be"),
    pytest.param({"site_connection": {"peer_address": "2001:db8::9"}}, "peer_address", "no-gateway", id="an IPv6 peer of an IPv4 gateway"),
    pytest.param({"there": {"endpoints": ["10.3.0.0/24", "10.3.0.9/24"]}}, "endpoints", "duplicate", id="an endpoint twice"),
    pytest.param({"there": {"endpoints": []}}, "", "cannot be made without endpoints", id="no endpoints"),
    pytest.param({"there": {"endpoints": ["10.3.0.0/33"]}}, "endpoints", "bad-subnet", id="a bad CIDR"),
    pytest.param({"there": {"endpoints": ["10.3.0.1-10.3.0.9"]}}, "endpoints", "bad-subnet", id="a range"),
    pytest.param(old(peer_cidrs=["10.3.0.0/24", "10.3.0.0/24"]), "peer_cidrs", "duplicate", id="a peer CIDR twice"),
    pytest.param(old(peer_cidrs=["10.3.0.0/40"]), "peer_cidrs", "bad-subnet", id="a bad peer CIDR"),
    pytest.param(old(peer_cidrs=["10.3.0.0/24", "2001:db8::/64"]), "peer_cidrs", "mixed-versions", id="IP versions of peer_cidrs"),
    pytest.param({"site_connection": {"psk": None}}, "", "cannot be made without psk", id="no key"),
    pytest.param({"ipsec_policy": {"transform_protocol": "ah-esp"}}, "ipsec_policy", "ah-esp", id="ah-esp"),
    pytest.param({"ike_policy": {"lifetime": 59}}, "lifetime", "lifetime-range", id="a short IKE lifetime"),
    pytest.param({"ipsec_policy": {"lifetime": 59}}, "lifetime", "lifetime-range", id="a short IPsec lifetime"),
    # what it takes, and should not
    pytest.param({"there": {"endpoints": ["10.3.0.0/16", "10.3.4.0/24"]}}, "endpoints", "overlap", id="CIDRs of a group overlap"),
    pytest.param(old(peer_cidrs=["10.3.0.0/16", "10.3.4.0/24"]), "peer_cidrs", "overlap", id="peer_cidrs overlap"),
    pytest.param({"there": {"endpoints": ["192.168.1.0/25"]}}, "peer_endpoint_group", "overlap-hub-site", id="peer overlaps the VPC"),
    pytest.param({"there": {"endpoints": ["0.0.0.0/0"]}}, "peer_endpoint_group", "overlap-hub-site", id="everything as the peer's"),
    pytest.param(old(peer_cidrs=["192.168.0.0/16"]), "peer_cidrs", "overlap-hub-site", id="peer_cidrs overlap the subnet"),
    pytest.param({"site_connection": {"peer_address": "192.168.1.9"}}, "peer_address", "peer-inside", id="the peer inside the VPC"),
    pytest.param({"site_connection": {"psk": ""}}, "", "cannot be made without psk", id="an empty key"),
    pytest.param({"site_connection": {"psk": "x" * 300}}, "psk", "psk-not-allowed", id="a long key"),
    pytest.param({"site_connection": {"psk": "a key of 20\ncharacters"}}, "psk", "psk-not-allowed", id="a line end in the key"),
    pytest.param({"site_connection": {"peer_id": ""}}, "peer_id", "bad-id", id="an empty identity"),
    pytest.param({"site_connection": {"peer_id": 'a"b'}}, "peer_id", "bad-id", id="a quote in the peer's identity"),
    pytest.param({"site_connection": {"local_id": "a b"}}, "local_id", "bad-id", id="a blank in the VPC's identity"),
    pytest.param({"site_connection": {"mtu": 65000}}, "mtu", "mtu-range", id="a huge MTU"),
    pytest.param({"site_connection": {"dpd": {"interval": 0}}}, "dpd", "dpd-timeout", id="DPD without an interval"),
    pytest.param({"site_connection": {"dpd": {"action": "disabled"}}}, "dpd.action", "dpd-action", id="DPD disabled"),
    pytest.param({"ike_policy": {"version": "v1"}}, "peer_endpoint_group", "ikev1-combined", id="IKEv1 with two pairs"),
    # what makes no sense
    pytest.param({"ike_policy": {"encryption": "aes-256-gcm-16", "integrity": "sha256"}}, "integrity",
                 "aead-integrity", id="AEAD with a hash"),
    pytest.param({"ipsec_policy": {"encryption": "aes-256-gcm-16", "integrity": "sha256"}}, "integrity",
                 "aead-integrity", id="in IPsec too"),
    pytest.param({"ike_policy": {"prf": "sha256"}}, "prf", "prf-without-aead", id="a PRF without AEAD"),
    pytest.param({"ike_policy": {"version": "v1", "encryption": "aes-256-gcm-16"}}, "encryption", "ikev1-aead", id="AEAD in IKEv1"),
    pytest.param({"ike_policy": {"mode": "aggressive"}}, "mode", "ikev2-mode", id="a mode of IKEv2"),
    pytest.param({"there": {"type": "vlan", "endpoints": ["5000"]}}, "endpoints", "bad-vlan", id="a bad VLAN"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "option", "code"), BAD)
def test_what_the_server_does_not_tell_in_time(change, option, code):
    with pytest.raises(VpnError) as caught:
        whole(**change)
    message = str(caught.value)
    assert code in message and "Remedy: " in message
    assert not option or f"error: {option}: " in message
    assert KEY not in message


def test_an_ipv6_peer_is_as_good_as_any():
    """What its addresses are compared with is its own connection's, and no other's."""
    remote = {**_single_rules.sound_record()["remote"], "gateway": "2001:db8::9", "address": None, "id": None}
    assert list(_single_rules.peer_findings({"remote": remote}, "neutron")) == []
    wrong = {**remote, "address": "198.51.100.1"}
    assert [one["code"] for one in _single_rules.peer_findings({"remote": wrong}, "neutron")] == ["mixed-versions"]


def test_nothing_is_wrong_with_what_they_start_from():
    """The rows above could only fail because of their change."""
    assert len(whole()["site_connection"]) == len(whole(**OLD)["site_connection"]) == 1


@pytest.mark.parametrize(
    ("kind", "given", "warning"),
    [
        ("endpoint_group", {"type": "cidr", "endpoints": ["10.3.0.7/24"]},
         "endpoints: 10.3.0.7/24 has host bits; 10.3.0.0/24 is used. Remedy: Write 10.3.0.0/24."),
        ("endpoint_group", {"type": "cidr", "endpoints": ["2001:DB8:0::/64"]}, None),
        ("ike_policy", {"dh_group": "group2"}, "dh_group: SHOULD NOT be used"),
        ("ike_policy", {"dh_group": "group5"}, "dh_group: SHOULD NOT be used"),
        ("ipsec_policy", {"pfs_group": "group5"}, "pfs_group: SHOULD NOT be used"),
        ("ike_policy", {"version": "v1"}, "version: IKEv1 is historic"),
        ("ike_policy", {"lifetime": 300}, "lifetime: the hub begins up to 360 s before"),
        ("ipsec_policy", {"lifetime": 300}, "lifetime: the hub begins up to 360 s before"),
        ("ike_policy", {"dh_group": "group14"}, None),
        ("ike_policy", {"lifetime": 600}, None),
        ("ipsec_policy", {"lifetime": 100000}, None),
    ],
)  # fmt: skip
def test_what_is_weak_is_a_warning(kind, given, warning):
    wanted_steps, warnings = planned(empty(), kind, name="x", **given)
    assert len(wanted_steps) == 1 and len(warnings) == (1 if warning else 0)
    assert warning is None or warning in warnings[0]


@pytest.mark.parametrize(
    ("change", "given", "warning"),
    [
        ({}, {"psk": "short"}, "psk: the key has 5 characters"),
        ({"there": {"endpoints": ["203.0.113.0/24"]}}, {}, "peer_address: it lies in 203.0.113.0/24"),
        ({"ipsec_policy": {"lifetime": 86400}}, {}, "86400 is longer than that of IKE"),
        ({}, {}, None),
    ],
)
def test_what_is_odd_about_a_connection_is_a_warning(change, given, warning):
    there = made(
        empty(), *((kind, {**entry, **change.get(kind, change.get(entry["name"], {}))}) for kind, entry in WHOLE[:-1])
    )
    _todo, warnings = planned(there, "site_connection", **{**CONNECTION, **given})
    assert len(warnings) == (1 if warning else 0) and (warning is None or warning in warnings[0])


def test_host_bits_of_a_list_of_cidrs_are_a_warning():
    there = made(empty(), *((kind, {**given, **OLD.get(given["name"], {})}) for kind, given in WHOLE[:3]))
    wanted = {**CONNECTION, **old(peer_cidrs=["10.3.0.7/24"])["site_connection"]}
    [step], warnings = planned(there, "site_connection", **wanted)
    assert step.body["peer_cidrs"] == ["10.3.0.0/24"]
    assert ["peer_cidrs: 10.3.0.7/24 has host bits; 10.3.0.0/24 is used." in one for one in warnings] == [True]


# --- a second one beside the first -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("endpoints", "change", "code"),
    [
        pytest.param(["10.4.0.0/24"], {}, None, id="another site"),
        pytest.param(["192.168.3.128/25"], {}, "overlap-sites", id="its CIDR overlaps the first one's"),
        pytest.param(
            ["10.4.0.0/24"],
            {"peer_id": "203.0.113.10"},
            "duplicate-id",
            id="another address with the first one's identity",
        ),
    ],
)
def test_a_second_connection_of_a_service(endpoints, change, code):
    there = made(whole(), ("endpoint_group", {"name": "second", "type": "cidr", "endpoints": endpoints}))
    second = {**CONNECTION, "name": "paris", "peer_endpoint_group": "second", "peer_address": "203.0.113.11", **change}
    if code is None:
        assert short(steps(there, "site_connection", **second)) == ["create paris"]
        return
    with pytest.raises(VpnError, match=code):
        steps(there, "site_connection", **second)


def test_connections_of_pairs_to_one_peer_do_not_overlap():
    """One connection for each pair: the same peer, the same CIDRs, another subnet of the VPC."""
    there = made(
        whole(here={"endpoints": ["app"]}), ("endpoint_group", {"name": "db", "type": "subnet", "endpoints": ["db"]})
    )
    second = {**CONNECTION, "name": "berlin/2", "local_endpoint_group": "db"}
    assert short(steps(there, "site_connection", **second)) == ["create berlin/2"]


def test_a_second_service_of_a_vpc_is_refused():
    there = made(empty(), WHOLE[2])
    with pytest.raises(VpnError, match=r"vpc: the VPC has the VPN service vpn \(.*\) already.*Remedy: Use that one"):
        steps(there, "vpn_service", name="second", vpc="prod")


@pytest.mark.parametrize(
    ("status", "change", "refused"),
    [
        pytest.param(
            "PENDING_CREATE", {"admin_state_up": False}, True, id="it is refused as long as there is no connection"
        ),
        pytest.param("PENDING_CREATE", {"description": ""}, False, id="what is so already"),
        pytest.param("ACTIVE", {"admin_state_up": False}, False, id="later"),
    ],
)
def test_a_service_that_has_not_begun(status, change, refused):
    there = {**empty(), "vpn_service": [{**SERVICE, "admin_state_up": True, "status": status}]}
    if refused:
        with pytest.raises(VpnError, match="not-begun"):
            steps(there, "vpn_service", name="vpn", **change)
    else:
        assert len(steps(there, "vpn_service", name="vpn", **change)) == (status == "ACTIVE")


def test_a_service_in_creation_with_connections_is_for_the_executor_to_wait_for():
    there = whole()
    only(there, "vpn_service")["status"] = "PENDING_CREATE"
    assert short(steps(there, "vpn_service", name="vpn", description="d")) == ["update vpn description"]


@pytest.mark.parametrize(
    ("kind", "name"), [("ike_policy", "strong"), ("vpn_service", "vpn"), ("endpoint_group", "here")]
)
def test_what_a_connection_uses_that_is_going_may_go(kind, name):
    there = whole()
    only(there, "site_connection")["status"] = "PENDING_DELETE"
    assert short(steps(there, kind, name=name, state="absent")) == [f"delete {name}"]


def test_the_peer_is_not_the_service_itself():
    there = {**made(empty(), *WHOLE[:2], *WHOLE[3:5]), "vpn_service": [SERVICE]}
    assert short(steps(there, "site_connection", **CONNECTION)) == ["create berlin"]
    with pytest.raises(VpnError, match="gateway-is-own"):
        steps(there, "site_connection", **{**CONNECTION, "peer_address": "203.0.113.150"})


# --- what is not asked for is not judged -----------------------------------------------------------------------------


def test_what_somebody_made_otherwise_is_left_alone():
    there = whole()
    only(there, "site_connection").update(
        dpd={"action": "disabled", "interval": 30, "timeout": 120}, mtu=65000, peer_id="a b"
    )
    assert short(steps(there, "site_connection", name="berlin", psk="another key of 20 characters")) == [
        "update berlin psk"
    ]
    with pytest.raises(VpnError, match="mtu-range"):
        steps(there, "site_connection", name="berlin", mtu=65000)


@pytest.mark.parametrize("kind", ["ike_policy", "ipsec_policy"])
def test_words_that_we_have_none_for_stay(kind):
    there = made(empty(), *WHOLE[:2])
    only(there, kind).update(encryption_algorithm="3des", auth_algorithm="sha1")
    assert short(steps(there, kind, name="strong", lifetime=7200)) == ["update strong lifetime"]
    assert short(steps(there, kind, name="strong", encryption="aes-256")) == ["update strong encryption_algorithm"]
    shown = _single_kinds.ROWS[kind].shown(only(there, kind), {"provider": "neutron"})
    assert (shown["encryption"], shown["integrity"]) == ("3des", "sha1")
