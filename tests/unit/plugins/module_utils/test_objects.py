# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.bothends.vpn.plugins.module_utils import _algorithms, _description, _objects
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.plugins.module_utils._objects import Owner
from ansible_collections.bothends.vpn.tests.unit.builders import hub, site, snapshot, target

GCM = {"encryption": "aes-256-gcm-16"}


def policy(**phases):
    """Give a policy with every default filled in."""
    return _description.describe({"it": phases}, {}, {}).policies["it"]


def only(**change):
    """Give the wanted connection of one site."""
    (connection,) = target(snapshot(), {"berlin": site(**change)}).connections
    return connection


def rules(hubs=None, **change):
    """Give the wanted rules of one site: direction, ethertype, protocol, ports, prefix."""
    fields = ("direction", "ethertype", "protocol", "port_range_min", "port_range_max", "remote_ip_prefix")
    there = snapshot()
    there["subnets"].append({"id": "s-six", "name": "six", "cidr": "2001:db8:1::/64", "ip_version": 6})
    wanted = target(there, {"berlin": site(**change)}, hubs=hubs)
    return [tuple(rule.body[field] for field in fields) for rule in wanted.rules]


# --- bodies ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ike", "body"),
    [
        pytest.param(
            {}, {"ike_version": "v2", "encryption_algorithm": "aes-256", "auth_algorithm": "sha256", "pfs": "group14"},
            id="the defaults are sent too",
        ),
        pytest.param(
            {"integrity": "sha384", "dh_group": "group20"}, {"auth_algorithm": "sha384", "pfs": "group20"}, id="CBC"
        ),
        pytest.param(GCM, {"encryption_algorithm": "aes-256-gcm-16", "auth_algorithm": "sha256"}, id="AEAD: the default PRF"),
        pytest.param({**GCM, "prf": "sha384"}, {"auth_algorithm": "sha384"}, id="AEAD: the PRF stands where the hash would"),
        pytest.param({"version": "v1", "mode": "aggressive"}, {"ike_version": "v1", "phase1_negotiation_mode": "aggressive"},
                     id="IKEv1"),
        pytest.param({"lifetime": 3600}, {"lifetime": {"units": "seconds", "value": 3600}}, id="lifetime"),
    ],
)  # fmt: skip
def test_an_ike_proposal_in_neutrons_words(ike, body):
    sent = _objects.ike_body("neutron", policy(ike=ike)["ike"])
    assert set(sent) == set(_objects.KINDS["ike_policy"].content), "nothing is left to the server's defaults"
    assert {field: sent[field] for field in body} == body


@pytest.mark.parametrize(
    ("ipsec", "body"),
    [
        pytest.param(
            {}, {"transform_protocol": "esp", "encapsulation_mode": "tunnel", "encryption_algorithm": "aes-256",
                 "auth_algorithm": "sha256", "pfs": "group14", "lifetime": {"units": "seconds", "value": 3600}},
            id="the defaults are sent too",
        ),
        pytest.param({"integrity": "sha512"}, {"auth_algorithm": "sha512"}, id="CBC"),
        pytest.param(GCM, {"encryption_algorithm": "aes-256-gcm-16", "auth_algorithm": "sha256"}, id="AEAD: a filler"),
    ],
)  # fmt: skip
def test_an_ipsec_proposal_in_neutrons_words(ipsec, body):
    sent = _objects.ipsec_body("neutron", policy(ipsec=ipsec)["ipsec"])
    assert set(sent) == set(_objects.KINDS["ipsec_policy"].content)
    assert {field: sent[field] for field in body} == body


@pytest.mark.parametrize(
    ("field", "sent"), [("encryption", "encryption_algorithm"), ("dh_group", "pfs"), ("integrity", "auth_algorithm")]
)
def test_every_algorithm_has_neutrons_own_name(field, sent):
    for name in _algorithms.TABLES[field]:
        assert _objects.ike_body("neutron", policy(ike={field: name})["ike"])[sent] == name


@pytest.mark.parametrize(
    ("change", "body"),
    [
        pytest.param({}, {"name": "prod/berlin/1", "peer_address": "203.0.113.3", "peer_id": "203.0.113.3", "local_id": "",
                          "mtu": 1500, "initiator": "bi-directional", "admin_state_up": True,
                          "psk": "a key of 20 characters"}, id="a plain one"),
        pytest.param({"id": {"value": "vpn.example.com"}}, {"peer_id": "vpn.example.com"}, id="the site's identity"),
        pytest.param({"peer_id": {"value": "cloud"}}, {"local_id": "cloud"}, id="the hub's own identity"),
        pytest.param({"peer_id": {"value": "203.0.113.150"}}, {"local_id": ""}, id="which the server takes by itself"),
        pytest.param({"local_address": "10.0.0.2"}, {"peer_address": "203.0.113.3"}, id="the hub sees the NAT's address"),
        pytest.param({"initiator": "hub"}, {"initiator": "bi-directional"}, id="the hub begins"),
        pytest.param({"initiator": "site"}, {"initiator": "response-only"}, id="the site begins"),
        pytest.param({"dpd": {"action": "hold"}}, {"dpd": {"action": "hold", "interval": 30, "timeout": 120}}, id="DPD"),
    ],
)  # fmt: skip
def test_a_connection_in_neutrons_words(change, body):
    sent = only(**change).body
    assert {field: sent[field] for field in body} == body


def test_a_connection_refers_to_what_it_needs():
    body = only(subnets=["10.3.0.0/24", "10.33.0.0/24"]).body
    assert {field: body[field].kind for field in _objects.REFERENCES} == _objects.REFERENCES
    assert body["local_ep_group_id"].body["endpoints"] == ["s-app", "s-db"]
    assert body["local_ep_group_id"].body["type"] == "subnet"
    assert body["peer_ep_group_id"].body["endpoints"] == ["10.3.0.0/24", "10.33.0.0/24"]
    assert body["peer_ep_group_id"].body["type"] == "cidr"
    assert body["vpnservice_id"].body["router_id"] == "v1"


def test_without_a_key_none_is_sent():
    (connection,) = target(snapshot(), {"berlin": site()}, psk="").connections
    assert "psk" not in connection.body


def test_a_subnet_that_the_vpc_does_not_have():
    there = snapshot(subnets=[{"id": "s1", "name": "app", "cidr": "192.168.1.0/24"}])
    with pytest.raises(VpnError, match=r"VPC prod has no subnet 192\.168\.2\.0/24; it has: 192\.168\.1\.0/24\. Remedy"):
        target(there, {"berlin": site()})


def test_an_absent_site_is_known_and_wants_nothing():
    wanted = target(snapshot(), {"berlin": site(state="absent"), "paris": site(4)})
    assert wanted.sites == {"berlin", "paris"}
    assert [one.name for one in wanted.connections] == ["prod/paris/1"]


# --- rules -----------------------------------------------------------------------------------------------------------

OUT = ("egress", "IPv4", None, None, None, "10.3.0.0/24")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ([{"protocol": "any"}], [("ingress", "IPv4", None, None, None, "10.3.0.0/24"), OUT]),
        ([{"protocol": "icmp"}], [("ingress", "IPv4", "icmp", None, None, "10.3.0.0/24"), OUT]),
        ([{"protocol": "tcp"}], [("ingress", "IPv4", "tcp", None, None, "10.3.0.0/24"), OUT]),
        (
            [{"protocol": "tcp", "ports": [443, "8000-8010"]}],
            [
                ("ingress", "IPv4", "tcp", 443, 443, "10.3.0.0/24"),
                ("ingress", "IPv4", "tcp", 8000, 8010, "10.3.0.0/24"),
                OUT,
            ],
        ),
        ([], [OUT]),
    ],
)
def test_the_rules_of_a_site(written, expected):
    assert rules(security_group_rules=written) == expected


def test_icmp_has_another_name_in_ipv6():
    six = "2001:db8:3::/64"
    hubs = {"prod": hub(subnets=["2001:db8:1::/64"])}
    assert rules(hubs, subnets=[six], security_group_rules=[{"protocol": "icmp"}]) == [
        ("ingress", "IPv6", "ipv6-icmp", None, None, six),
        ("egress", "IPv6", None, None, None, six),
    ]


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({}, "ingress any anywhere"),
        ({"protocol": "icmp", "remote_ip_prefix": "10.3.0.0/24"}, "ingress icmp 10.3.0.0/24"),
        ({"protocol": "tcp", "port_range_min": 443, "port_range_max": 443}, "ingress tcp 443 anywhere"),
        ({"protocol": "tcp", "port_range_min": 1, "port_range_max": 9}, "ingress tcp 1-9 anywhere"),
        ({"remote_group_id": "g9"}, "ingress any g9"),
    ],
)
def test_a_rule_is_told_by_what_it_lets_through(change, name):
    assert _objects.rule_name({"direction": "ingress", **change}) == name


WANTED = {
    "security_group_id": "g1", "direction": "egress", "ethertype": "IPv4", "protocol": "tcp", "port_range_min": 443,
    "port_range_max": 450, "remote_ip_prefix": "10.3.0.0/24", "remote_group_id": None,
}  # fmt: skip
ANYTHING = {**WANTED, "protocol": None, "port_range_min": None, "port_range_max": None, "remote_ip_prefix": None}
ALL_PORTS = {"port_range_min": None, "port_range_max": None}


@pytest.mark.parametrize(
    ("rule", "wanted", "covered"),
    [
        pytest.param({}, WANTED, True, id="the very same"),
        pytest.param(ANYTHING, WANTED, True, id="everything"),
        pytest.param({**ANYTHING, "protocol": "any"}, WANTED, True, id="any protocol"),
        pytest.param({**ANYTHING, "protocol": "0"}, WANTED, True, id="protocol 0"),
        pytest.param({"protocol": "6"}, WANTED, True, id="the protocol's number"),
        pytest.param({"protocol": "TCP"}, WANTED, True, id="the protocol in capitals"),
        pytest.param({"remote_ip_prefix": "10.0.0.0/8"}, WANTED, True, id="a wider prefix"),
        pytest.param({"remote_ip_prefix": "0.0.0.0/0"}, WANTED, True, id="from anywhere"),
        pytest.param({"port_range_min": 1, "port_range_max": 65535}, WANTED, True, id="more ports"),
        pytest.param(ALL_PORTS, WANTED, True, id="all ports"),
        pytest.param({"direction": "ingress"}, WANTED, False, id="the other direction"),
        pytest.param({"ethertype": "IPv6"}, WANTED, False, id="the other family"),
        pytest.param({"security_group_id": "g2"}, WANTED, False, id="another group"),
        pytest.param({"protocol": "udp"}, WANTED, False, id="another protocol"),
        pytest.param({"port_range_min": 444}, WANTED, False, id="a port is missing below"),
        pytest.param({"port_range_max": 449}, WANTED, False, id="a port is missing above"),
        pytest.param({"remote_ip_prefix": "10.3.0.0/25"}, WANTED, False, id="a narrower prefix"),
        pytest.param({"remote_ip_prefix": "10.4.0.0/24"}, WANTED, False, id="another prefix"),
        pytest.param({**ANYTHING, "remote_group_id": "g1"}, WANTED, False, id="from a group"),
        pytest.param({**ANYTHING, "remote_address_group_id": "a1"}, WANTED, False, id="from an address group"),
        pytest.param({}, {**WANTED, **ALL_PORTS}, False, id="all ports are wanted"),
        pytest.param(ALL_PORTS, {**WANTED, **ALL_PORTS, "protocol": None}, False, id="all protocols are wanted"),
    ],
)
def test_what_a_rule_lets_through(rule, wanted, covered):
    assert _objects.covers({**WANTED, **rule}, wanted) is covered


# --- markers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("VPN hub prod to site berlin bothends.vpn/prod/berlin", Owner("prod", "berlin")),
        ("VPN hub prod bothends.vpn/prod", Owner("prod")),
        ("bothends.vpn/prod/berlin", Owner("prod", "berlin")),
        ("whatever somebody wrote before bothends.vpn/fra.1/b_2-x", Owner("fra.1", "b_2-x")),
        pytest.param("bothends.vpn/prod/berlin, but by hand", None, id="not at the end"),
        pytest.param("see bothends.vpn", None, id="no hub"),
        pytest.param("not-bothends.vpn/prod", None, id="another word"),
        ("by hand", None),
        ("", None),
        (None, None),
    ],
)
def test_whose_an_object_is(description, expected):
    assert _objects.owner({"description": description}) == expected


@pytest.mark.parametrize("who", [Owner("prod"), Owner("prod", "berlin"), Owner("fra.1", "a-b_c.d")])
def test_a_marker_is_read_as_it_was_written(who):
    assert _objects.owner({"description": f"text {who}"}) == who


def test_everything_that_is_made_carries_a_marker():
    wanted = target(snapshot(), {"berlin": site()})
    made = [
        *wanted.connections,
        *wanted.rules,
        *(wanted.connections[0].body[field] for field in _objects.REFERENCES),
    ]
    assert all(_objects.owner(one.body) == one.owner for one in made)
    assert {one.owner for one in made} == {Owner("prod"), Owner("prod", "berlin")}


# --- comparison ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "ours", "theirs", "same"),
    [
        ("endpoints", ["10.3.0.0/24", "10.4.0.0/24"], ["10.4.0.0/24", "10.3.0.9/24"], True),
        ("endpoints", ["2001:db8::/64"], ["2001:DB8:0:0::/64"], True),
        ("endpoints", ["id-b", "id-a"], ["id-a", "id-b"], True),
        ("endpoints", ["10.3.0.0/24"], ["10.3.0.0/25"], False),
        ("endpoints", [], None, True),
        ("lifetime", {"units": "seconds", "value": 3600}, {"value": "3600", "units": "seconds"}, True),
        ("lifetime", {"units": "seconds", "value": 3600}, {"units": "seconds", "value": 3601}, False),
        ("dpd", {"action": "hold", "interval": 30, "timeout": 120},
         {"timeout": "120", "interval": "30", "action": "hold"}, True),
        ("dpd", {"action": "hold", "interval": 30, "timeout": 120},
         {"action": "hold", "interval": 30, "timeout": 121}, False),
        ("protocol", "icmp", "1", True),
        ("protocol", "tcp", 6, True),
        ("protocol", "ipv6-icmp", "icmpv6", True),
        ("protocol", "ipv6-icmp", "58", True),
        ("protocol", None, "any", True),
        ("protocol", None, "", True),
        ("protocol", "tcp", "udp", False),
        ("protocol", "icmp", "ipv6-icmp", False),
        ("remote_ip_prefix", "10.3.0.0/24", "10.3.0.7/24", True),
        ("remote_ip_prefix", "10.3.0.7/32", "10.3.0.7", True),
        ("remote_ip_prefix", None, "", True),
        ("remote_ip_prefix", "0.0.0.0/0", None, True),  # as the server compares: neutron, _rule_to_key
        ("remote_ip_prefix", "0.0.0.0/1", None, False),
        ("protocol", "gre", 47, True),
        ("protocol", None, 0, False),
        ("peer_cidrs", ["10.3.0.0/24", "10.4.0.0/24"], ["10.4.0.0/24", "10.3.0.9/24"], True),
        ("peer_cidrs", ["10.3.0.0/24"], ["10.3.0.0/25"], False),
        ("peer_address", "2001:db8::1", "2001:DB8:0::1", True),
        ("peer_address", "2001:db8::1", "2001:db8::2", False),
        ("mtu", 1500, "1500", True),
        ("port_range_min", None, 1, False),
        ("auth_algorithm", "sha256", "sha384", False),
    ],
)  # fmt: skip
def test_two_spellings(field, ours, theirs, same):
    assert (_objects.normal(field, {field: ours}) == _objects.normal(field, {field: theirs})) is same


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param({"protocol": "icmp", "ethertype": "IPv6"}, {"protocol": "58", "ethertype": "IPv6"}, True, id="ICMP of IPv6"),
        pytest.param({"protocol": "icmp", "ethertype": "IPv4"}, {"protocol": "58", "ethertype": "IPv4"}, False, id="of IPv4"),
        pytest.param({"port_range_min": 1, "port_range_max": 65535}, {}, True, id="all ports are no range"),
        pytest.param({"port_range_min": 1, "port_range_max": 65534}, {}, False, id="all but one"),
        pytest.param({"remote_address_group_id": "ag"}, {}, False, id="an address group is not everywhere"),
    ],
)  # fmt: skip
def test_rules_that_the_server_takes_for_equal(one, other, same):
    assert (_objects.content("security_group_rule", one) == _objects.content("security_group_rule", other)) is same


@pytest.mark.parametrize("kind", sorted(_objects.KINDS))
def test_names_and_descriptions_are_no_content(kind):
    """What somebody renames in the console stays the same object."""
    assert not {"name", "description", "id", "status"} & set(_objects.KINDS[kind].content)


def test_an_aeads_filler_is_nothing_to_compare_with():
    """Another hash with an AEAD cipher in IPsec is no other policy: the server wants one, and it means nothing."""
    body = _objects.ipsec_body("neutron", policy(ipsec=GCM)["ipsec"])
    other = {**body, "auth_algorithm": "sha512"}
    assert _objects.content("ipsec_policy", body) == _objects.content("ipsec_policy", other)


def test_the_prf_of_an_aead_is_compared():
    bodies = [_objects.ike_body("neutron", policy(ike={**GCM, "prf": prf})["ike"]) for prf in ("sha256", "sha384")]
    assert _objects.content("ike_policy", bodies[0]) != _objects.content("ike_policy", bodies[1])
