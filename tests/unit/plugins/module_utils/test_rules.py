# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.bothends.vpn.plugins.module_utils import _description, _findings, _rules
from ansible_collections.bothends.vpn.tests.unit.builders import findings, hub, site

GOOD_KEY = "a key of twenty chars"


def test_the_documents_own_example_has_no_findings():
    sites = {"berlin": site(subnets=["192.168.3.0/24", "192.168.4.0/24"])}
    assert findings(sites, psks={"berlin": GOOD_KEY}) == []


OVERLAPS = [
    pytest.param({}, {"prod": hub(subnets=["10.0.0.0/8", "10.1.0.0/16"])}, "overlap-hub", "vpn_hubs.prod.subnets[1]", id="in a hub"),
    pytest.param({"a": site(subnets=["192.168.0.0/16"])}, None, "overlap-hub-site", "vpn_sites.a.subnets[0]", id="hub and site"),
    pytest.param({"a": site(subnets=["0.0.0.0/0"])}, None, "overlap-hub-site", "vpn_sites.a.subnets[0]", id="everything"),
    pytest.param({"a": site(subnets=["10.1.0.0/16", "10.1.2.0/24"])}, None, "overlap-site", "vpn_sites.a.subnets[1]", id="in a site"),
    pytest.param(
        {"a": site(3), "b": site(4, subnets=["10.3.0.128/25"])}, None,
        "overlap-sites", "vpn_sites.b.subnets[0]", id="two sites",
    ),
    pytest.param(
        {"a": site(hub=None, hubs=["prod", "test"])}, {"prod": hub(), "test": hub(subnets=["192.168.2.0/25"])},
        "overlap-shared-router", "vpn_hubs.test.subnets[0]", id="two hubs behind one router",
    ),
]  # fmt: skip


def test_thousands_of_equal_sites_are_told_once_each():
    """Every pair would be a hundred thousand findings, and none of them would say more."""
    found = [field for code, field in findings({f"s{n}": site() for n in range(400)}) if code == "overlap-sites"]
    assert len(found) == len(set(found)) == 399


@pytest.mark.parametrize(("sites", "hubs", "code", "field"), OVERLAPS)
def test_each_sort_of_overlap(sites, hubs, code, field):
    assert (code, field) in findings(sites, hubs)


def test_what_may_overlap():
    """Sites of different hubs, and hubs that no router joins."""
    sites = {"a": site(3), "b": site(4, hub="test", subnets=["10.3.0.0/24"])}
    assert findings(sites, {"prod": hub(), "test": hub(vpc="test")}) == []


def test_an_absent_site_overlaps_nobody():
    assert findings({"a": site(3), "b": site(4, subnets=["10.3.0.0/24"], state="absent")}) == []


PROBE = {"from": "10.3.0.1", "to": "192.168.1.10"}
FAULTS = [
    ({"a": site()}, {"default": {"ike": {"version": "v1"}}}, "ikev1", "vpn_policies.default.ike.version"),
    ({"a": site()}, {"default": {"ike": {"dh_group": "group22"}}}, "weak-algorithm", "vpn_policies.default.ike.dh_group"),
    ({"a": site()}, {"default": {"ike": {"lifetime": 7200}}}, "reauth-gap", "vpn_policies.default.ike.lifetime"),
    ({"a": site(router_settings={"close_action": "start"})}, None, "close-action", "vpn_sites.a.router_settings.close_action"),
    ({"a": site(initiator="site")}, None, "not-in-force", "vpn_sites.a.initiator"),
    ({"a": site(underlay_mtu=1400)}, None, "not-in-force", "vpn_sites.a.underlay_mtu"),
    ({"a": site(gateway="10.99.0.1")}, None, "gateway-private", "vpn_sites.a.gateway"),
    ({"a": site(gateway="100.64.0.1")}, None, "gateway-private", "vpn_sites.a.gateway"),
    ({"a": site(platform="libreswan", local_address="10.3.0.1", nat_traversal="off")}, None, "nat-without-nat-t",
     "vpn_sites.a.nat_traversal"),
    ({"a": site(id={"value": "vpn"}, peer_id={"value": "vpn"})}, None, "same-id", "vpn_sites.a.id.value"),
    *(({"a": site(subnets=[subnet])}, None, "reserved-subnet", "vpn_sites.a.subnets[0]")
      for subnet in ("127.0.1.0/24", "169.254.169.254/32", "224.0.0.0/24", "255.255.255.255/32", "fe80::/64", "ff00::/8")),
    ({"a": site(platform="libreswan")}, {"default": {"ipsec": {"pfs_group": "group20"}}}, "platform-limit",
     "vpn_policies.default.ipsec.pfs_group"),
    ({"a": site(hub="nowhere")}, None, "unknown-hub", "vpn_sites.a.hubs[0]"),
    ({"a": site(hub="prdo", state="absent")}, None, "absent-from-nowhere", "vpn_sites.a.hubs[0]"),
    ({"a": site(hub=None)}, None, "no-hub", "vpn_sites.a.hubs"),
    ({"a": site(policy="weak")}, None, "unknown-policy", "vpn_sites.a.policy"),
    ({"a": site(gateway="berlin.example.com")}, None, "bad-address", "vpn_sites.a.gateway"),
    ({"a": site(gateway="203.0.113.0/24")}, None, "bad-address", "vpn_sites.a.gateway"),
    *(({"a": site(gateway=gateway)}, None, "bad-address", "vpn_sites.a.gateway")
      for gateway in ("0.0.0.0", "127.0.0.1", "169.254.1.1", "224.0.0.1", "255.255.255.255", "::1", "fe80::1", "ff02::1")),
    ({"a": site(gateway="192.168.1.5")}, None, "gateway-inside", "vpn_sites.a.gateway"),
    ({"a": site(gateway="10.3.0.1")}, None, "gateway-inside", "vpn_sites.a.gateway"),
    ({"a": site()}, {"default": {"ike": {"dh_group": "group2"}}}, "weak-algorithm", "vpn_policies.default.ike.dh_group"),
    ({"a": site()}, {"default": {"ipsec": {"pfs_group": "group5"}}}, "weak-algorithm", "vpn_policies.default.ipsec.pfs_group"),
    ({"a": site()}, {"default": {"ike": {"version": "v1", "mode": "aggressive"}}}, "aggressive-psk",
     "vpn_policies.default.ike.mode"),
    ({"a": site()}, {"default": {"ike": {"lifetime": 3600}, "ipsec": {"lifetime": 7200}}}, "lifetime-order",
     "vpn_policies.default.ipsec.lifetime"),
    ({"a": site()}, {"default": {"ipsec": {"lifetime": 300}}}, "lifetime-short", "vpn_policies.default.ipsec.lifetime"),
    ({"a": site(local_address="10.0.0.0/8")}, None, "bad-address", "vpn_sites.a.local_address"),
    ({"a": site(3), "b": site(4, gateway="203.0.113.3")}, None, "duplicate-gateway", "vpn_sites.b.gateway"),
    ({"a": site(3), "b": site(4, id={"value": "203.0.113.3"})}, None, "duplicate-id", "vpn_sites.b.id"),
    ({"a": site(gateway="203.0.113.3-203.0.113.3")}, None, "bad-address", "vpn_sites.a.gateway"),
    ({"a": site(gateway=" 203.0.113.3")}, None, "bad-address", "vpn_sites.a.gateway"),
    ({"a": site(3, gateway="2001:db8::1"), "b": site(4, gateway="2001:DB8:0::1")}, None, "duplicate-gateway",
     "vpn_sites.b.gateway"),
    ({"a": site(3, gateway="2001:db8::1"), "b": site(4, id={"value": "2001:db8::1"})}, None, "duplicate-id",
     "vpn_sites.b.id"),
    ({"a": site(subnets=[])}, None, "no-subnets", "vpn_sites.a.subnets"),
    ({"a": site(subnets=["app"])}, None, "bad-subnet", "vpn_sites.a.subnets[0]"),
    ({"a": site(subnets=["10.0.0.1-10.0.0.5"])}, None, "bad-subnet", "vpn_sites.a.subnets[0]"),
    ({"a": site(subnets=["10.3.0.1/24"])}, None, "host-bits", "vpn_sites.a.subnets[0]"),
    ({"a": site(subnets=["2001:db8::5/64"])}, None, "host-bits", "vpn_sites.a.subnets[0]"),
    ({"a": site(subnets=["::ffff:10.3.0.5/120"])}, None, "host-bits", "vpn_sites.a.subnets[0]"),
    ({"a": site(subnets=["10.3.0.5/255.255.255.0"])}, None, "host-bits", "vpn_sites.a.subnets[0]"),
    ({"a": site(probe=PROBE, security_group_rules=[{"protocol": "tcp", "ports": [443]}, {"protocol": "UDP"}])}, None, "probe-not-let-in",
     "vpn_sites.a.security_group_rules"),
    ({"a": site(probe={"from": "10.3.0.1"})}, None, "bad-probe", "vpn_sites.a.probe[0]"),
    ({"a": site(dpd={"interval": 120})}, None, "dpd-timeout", "vpn_sites.a.dpd"),
    ({"a": site(underlay_mtu=400)}, None, "mtu-range", "vpn_sites.a.underlay_mtu"),
    ({"a": site(psk_generation=0)}, None, "generation-range", "vpn_sites.a.psk_generation"),
    ({"a": site(id={"value": 'ber"lin'})}, None, "bad-id", "vpn_sites.a.id.value"),
    ({"a": site(peer_id={"value": "a\nb"})}, None, "bad-id", "vpn_sites.a.peer_id.value"),
    *(({"a": site(platform="cisco_iosxe", id={"value": value})}, None, "bad-id", "vpn_sites.a.id.value")
      for value in ("%any", "%any6", "*", "*.example.com", "*@*", "0.0.0.0", "::", "a" * 256)),
    ({"a": site(3, id={"value": "x.example.com"}), "b": site(4, id={"value": "X.example.com"})}, None, "duplicate-id",
     "vpn_sites.b.id"),
    ({"a": site(local_address="2001:db8::5")}, None, "mixed-versions", "vpn_sites.a.gateway"),
    *(({"a": site(security_group_rules=[{"protocol": protocol}])}, None, "only-ipv6", "vpn_sites.a.security_group_rules[0].protocol")
      for protocol in ("icmpv6", "IPv6-ICMP", "58")),
    ({"a": site(subnets=["10.3.0.0/24", ""])}, None, "bad-value", "vpn_sites.a.subnets[1]"),
    ({"a": site(subnets=["10.3.0.0/24", None])}, None, "bad-value", "vpn_sites.a.subnets[1]"),
    ({"a": site(psk_generation=True)}, None, "mangled-by-yaml", "vpn_sites.a.psk_generation"),
    ({"a": site(dpd={"interval": True})}, None, "mangled-by-yaml", "vpn_sites.a.dpd.interval"),
    ({"a": site(router_settings={"routes": [{"to": "0.0.0.0/0", "via": "10.3.0.9"}]})}, None, "platform-limit",
     "vpn_sites.a.router_settings.routes"),
    ({"a": site(id={"type": "fqdn", "value": "10.0.0.1"})}, None, "bad-id", "vpn_sites.a.id.type"),
    ({"a": site(peer_id={"type": "ipv4", "value": "cloud"})}, None, "bad-id", "vpn_sites.a.peer_id.type"),
    ({"a": site(id={"value": "999.0.0.1"})}, None, "platform-limit", "vpn_sites.a.id.value"),
    ({"a": site(mode="route")}, None, "platform-limit", "vpn_sites.a.mode"),
    ({"a": site(translate={"10.3.0.0/24": "10.9.0.0/24"})}, None, "platform-limit", "vpn_sites.a.translate"),
    ({"a": site(nat_traversal="off")}, None, "platform-limit", "vpn_sites.a.nat_traversal"),
    ({"a": site(router_settings={"wan": "eth0"})}, None, "unknown-key", "vpn_sites.a.router_settings.wan"),
    ({"a": site(router_settings={"routes": "x"})}, None, "not-a-dict", "vpn_sites.a.router_settings.routes[0]"),
    ({"a": site(router_settings={"routes": [{"to": "nonsense", "via": "x"}]})}, None, "platform-limit",
     "vpn_sites.a.router_settings.routes"),
    ({"a": site(router_settings={"routes": [{"to": "fe80::%x;id/64", "via": "fe80::1"}]})}, None, "platform-limit",
     "vpn_sites.a.router_settings.routes"),
    ({"a": site(router_settings={"routes": 5})}, None, "platform-limit", "vpn_sites.a.router_settings.routes"),
    ({"a": site(subnets=["fd00:3::/64"])}, None, "no-partner", "vpn_sites.a.subnets[0]"),
    ({"a": site(subnets=["10.3.0.0/24", "fd00:3::/64"])}, None, "no-partner", "vpn_sites.a.subnets[1]"),
    ({"a": site(security_group_rules=[{"protocol": "tpc"}])}, None, "bad-protocol", "vpn_sites.a.security_group_rules[0].protocol"),
    ({"a": site(probe={"from": "10.4.0.1", "to": "192.168.1.10"})}, None, "probe-outside", "vpn_sites.a.probe[0].from"),
    ({"a": site(probe={"from": "10.3.0.1", "to": "172.16.0.1"})}, None, "probe-outside", "vpn_sites.a.probe[0].to"),
    ({"a": site(router_settings={1: "eth0"})}, None, "unknown-key", "vpn_sites.a.router_settings.1"),
    ({"a": site(security_group_rules=[{"protocol": "tcp", "ports": ["0-70000"]}])}, None, "bad-ports",
     "vpn_sites.a.security_group_rules[0].ports"),
    ({"a": site(security_group_rules=[{"protocol": "tcp", "ports": ["443-"]}])}, None, "bad-ports",
     "vpn_sites.a.security_group_rules[0].ports"),
    ({"a": site(security_group_rules=[{"protocol": "tcp", "ports": ["\u00b2"]}])}, None, "bad-ports",
     "vpn_sites.a.security_group_rules[0].ports"),
    ({"a": site(security_group_rules=[{"protocol": "icmp", "ports": [8]}])}, None, "bad-ports",
     "vpn_sites.a.security_group_rules[0].ports"),
    ({"a": site()}, {"default": {"ike": {"lifetime": 10}}}, "lifetime-range", "vpn_policies.default.ike.lifetime"),
    ({"a": site()}, {"default": {"ike": {"encryption": "aes-256-gcm-16", "integrity": "sha256"}}}, "aead-integrity",
     "vpn_policies.default.ike.integrity"),
    ({"a": site()}, {"default": {"ipsec": {"encryption": "aes-256-ccm-16", "integrity": "sha256"}}}, "aead-integrity",
     "vpn_policies.default.ipsec.integrity"),
    ({"a": site()}, {"default": {"ike": {"prf": "sha384"}}}, "prf-without-aead", "vpn_policies.default.ike.prf"),
    ({"a": site()}, {"default": {"ike": {"version": "v1", "encryption": "aes-256-gcm-16"}}}, "ikev1-aead",
     "vpn_policies.default.ike.encryption"),
    ({"a": site()}, {"default": {"ike": {"mode": "aggressive"}}}, "ikev2-mode", "vpn_policies.default.ike.mode"),
    ({"a": site(selector_mode="combined")}, {"default": {"ike": {"version": "v1"}}}, "ikev1-combined",
     "vpn_sites.a.selector_mode"),
]  # fmt: skip


# Beside each such warning, the same without its cause.
FINE = [
    ({"a": site(subnets=["10.3.0.0-10.3.0.255", "::ffff:10.4.0.0/120", "10.5.0.0/255.255.255.0", "10.6.0.7"])}, None),
    *(({"a": site(probe=PROBE, security_group_rules=[{"protocol": "tcp"}, {"protocol": protocol}])}, None)
      for protocol in ("any", "icmp", "ICMP", "1")),
    ({"a": site(probe=PROBE)}, None),
    ({"a": site(security_group_rules=[{"protocol": "tcp"}])}, None),
    ({"a": site()}, {"default": {"ike": {"dh_group": "group19"}, "ipsec": {"pfs_group": "group14"}}}),
    ({"a": site()}, {"default": {"ike": {"lifetime": 28800}, "ipsec": {"lifetime": 600}}}),
    ({"a": site(router_settings={"ike_renewal": "reauth"})}, {"default": {"ike": {"lifetime": 7200}}}),
    ({"a": site(router_settings={"close_action": "trap"})}, None),
    ({"a": site(initiator="hub")}, None),
    ({"a": site(gateway="100.128.0.1")}, None),
    ({"a": site(platform="libreswan", local_address="10.9.0.1")}, None),
    ({"a": site(platform="libreswan", local_address="203.0.113.3", nat_traversal="off")}, None),
    ({"a": site(id={"value": "site"}, peer_id={"value": "hub"})}, None),
    ({"a": site(subnets=["169.253.0.0/16", "128.0.0.0/24"])}, None),
    ({"a": site(id={"value": "a" * 255})}, None),
    ({"a": site(security_group_rules=[{"protocol": "icmp"}])}, None),
    ({"a": site(router_settings={"routes": [{"to": "10.3.1.0/24", "via": "10.3.0.9"}]})}, None),
    ({"a": site(platform="libreswan")}, {"default": {"ike": {"dh_group": "group20"}, "ipsec": {"pfs_group": "group20"}}}),
]  # fmt: skip


@pytest.mark.parametrize(("sites", "policies"), FINE)
def test_what_is_right_has_no_findings(sites, policies):
    assert findings(sites, policies=policies) == []


def test_a_private_gateway_of_a_private_cloud_is_right():
    sites = {"a": site(gateway="10.99.0.1")}
    assert findings(sites, {"prod": hub(gateway="10.99.1.1")}) == []
    assert findings(sites, {"prod": hub(gateway="198.51.100.1")}) == [("gateway-private", "vpn_sites.a.gateway")]


BOTH, V4, V6 = ["192.168.1.0/24", "fd00:1::/64"], ["10.3.0.0/24"], ["fd00:3::/64"]


@pytest.mark.parametrize(
    ("here", "there", "severities"),
    [
        (BOTH, [*V4, *V6], {}),
        (BOTH, V4, {"vpn_hubs.prod.subnets[1]": "warning"}),
        (BOTH, V6, {"vpn_hubs.prod.subnets[0]": "warning"}),
        (BOTH[:1], [*V4, *V6], {"vpn_sites.a.subnets[1]": "warning"}),
        (BOTH[:1], V6, {"vpn_hubs.prod.subnets[0]": "error", "vpn_sites.a.subnets[0]": "error"}),
    ],
)
def test_a_hub_of_both_ip_versions_has_sites_of_one(here, there, severities):
    found = _rules.offline(_description.describe(None, {"prod": hub(subnets=here)}, {"a": site(subnets=there)}), None)
    assert {one["field"]: one["severity"] for one in found if one["code"] == "no-partner"} == severities


@pytest.mark.parametrize("subnet", ["2001:db8::/64", "2001:DB8:0:0::/64", "fd00:3::7/128", "fd00:3::-fd00:3::ff"])
def test_a_subnet_of_ipv6_without_host_bits(subnet):
    assert findings({"a": site(subnets=[subnet])}, {"prod": hub(subnets=["fd00:1::/64"])}) == []


@pytest.mark.parametrize(
    ("to", "hubs", "protocol", "told"),
    [
        ("192.168.1.10", {"prod": hub()}, "tcp", ["prod"]),
        ("192.168.1.10", {"prod": hub(security_groups=[])}, "any", []),
        (
            "192.168.1.10",
            {"prod": hub(subnets=["app"]), "test": hub(vpc="t", subnets=["fd00:9::/64"])},
            "tcp",
            ["prod"],
        ),
        ("fd00:9::1", {"prod": hub(), "test": hub(vpc="t", subnets=["fd00:9::/64"])}, "tcp", ["test"]),
        ("fd00:9::1", {"prod": hub(), "test": hub(vpc="t", subnets=["fd00:9::/64"])}, "icmp", []),
    ],
)
def test_a_probe_is_judged_by_the_rules_of_the_hub_that_it_goes_to(to, hubs, protocol, told):
    sites = {
        "a": site(
            hub=None,
            hubs=list(hubs),
            probe={"from": "10.3.0.1", "to": to},
            security_group_rules=[{"protocol": protocol}],
        )
    }
    found = _rules.offline(_description.describe(None, hubs, sites), None)
    said = [one["message"] for one in found if one["code"] == "probe-not-let-in"]
    assert [name for name in hubs for message in said if f"of hub {name}," in message] == told and len(said) == len(
        told
    )


@pytest.mark.parametrize(("outside", "found"), [("198.51.100.7", ["mixed-versions"]), ("2001:db8::7", [])])
def test_both_gateways_are_of_one_ip_version(outside, found):
    sites, hubs = {"a": site(gateway="2001:db8::1")}, {"prod": hub(gateway=outside)}
    assert findings(sites, hubs) == [(code, "vpn_sites.a.gateway") for code in found]


@pytest.mark.parametrize(("sites", "policies", "code", "field"), FAULTS)
def test_each_rule_finds_its_fault(sites, policies, code, field):
    assert (code, field) in findings(sites, policies=policies)


# One value of a policy is wrong: what the default in its place leads to is not told.
UNCLEAR = [
    ({"ike": {"encryption": "aes256", "dh_group": "group20"}, "ipsec": {"pfs_group": "group20"}}, "bad-value", "ike.encryption"),
    ({"ike": {"integrity": "sha1", "dh_group": "group20"}, "ipsec": {"pfs_group": "group20"}}, "bad-value", "ike.integrity"),
    ({"ike": {"dh_group": 20}, "ipsec": {"pfs_group": "group20"}}, "mangled-by-yaml", "ike.dh_group"),
    ({"ike": {"version": 2, "dh_group": "group20"}, "ipsec": {"pfs_group": "group20"}}, "mangled-by-yaml", "ike.version"),
    ({"ike": {"dh_group": "group20"}, "ipsec": {"lifetime": "1h", "pfs_group": "group20"}}, "bad-value", "ipsec.lifetime"),
    ({"ike": {"dh_gruop": "group20"}, "ipsec": {"pfs_group": "group20"}}, "unknown-key", "ike.dh_gruop"),
    ("strong", "not-a-dict", ""),
]  # fmt: skip


@pytest.mark.parametrize(("policy", "code", "field"), UNCLEAR)
def test_of_a_wrong_policy_only_that_is_told(policy, code, field):
    """What is wrong with its sites otherwise is told all the same, and so are other policies."""
    sites = {
        "a": site(3, platform="libreswan", policy="strong"),
        "b": site(4, platform="libreswan", gateway="127.0.0.1"),
    }
    policies = {"strong": policy, "default": {"ipsec": {"pfs_group": "group20"}}}
    found = set(findings(sites, policies=policies))
    assert found == {
        (code, f"vpn_policies.strong.{field}".rstrip(".")),
        ("platform-limit", "vpn_policies.default.ipsec.pfs_group"),
        ("bad-address", "vpn_sites.b.gateway"),
    }


def test_what_a_platform_cannot_do_of_a_policy_stops_the_policys_sites():
    policies = {"strong": {"ipsec": {"pfs_group": "group20"}}}
    sites = {"a": site(3, platform="libreswan", policy="strong"), "b": site(4, platform="libreswan")}
    described = _description.describe(policies, {"prod": hub()}, sites)
    [one] = found = _rules.offline(described)
    assert (one["code"], one["host"], one["scope"]) == ("platform-limit", "strong", "policy strong")
    assert list(_rules.blocked(described, found)) == ["a"]


def test_what_many_sites_cannot_speak_is_told_once():
    sites = {f"s{number}": site(number, platform="libreswan") for number in range(1, 9)}
    policies = {"default": {"ike": {"encryption": "aes-256-ccm-16"}}}
    found = [field for code, field in findings(sites, policies=policies) if code == "not-spoken"]
    assert found == ["vpn_policies.default.ike.encryption"]


@pytest.mark.parametrize(
    ("sites", "hubs", "fields"),
    [
        ({"a": site()}, {"prod": hub()}, []),
        ({"a": site(state="absent")}, {"prod": hub()}, []),
        ({"a": {}}, {"prod": hub()}, []),
        ({}, {"prod": hub()}, ["vpn_sites"]),
        ({}, {}, ["vpn_hubs", "vpn_sites"]),
    ],
)
def test_with_purge_a_description_of_nothing_is_an_error(sites, hubs, fields):
    """All that was ever made would go for a misspelt variable."""
    for purge, severity in ((False, "warning"), (True, "error")):
        found = _rules.offline(_description.describe(None, hubs, sites), purge=purge)
        told = [one for one in found if one["code"] == "nothing-described"]
        assert [(one["field"], one["severity"]) for one in told] == [(field, severity) for field in fields]
        assert not purge or all("purge" in one["message"] and _rules.is_wide(one) for one in told)


TCP = [{"protocol": "tcp", "ports": ["443"]}]
GROUPS = [
    ({"security_group_rules": TCP}, [], ["no-security-group"]),
    ({"security_group_rules": [{"protocol": "any"}, *TCP]}, [], ["no-security-group"]),
    ({"security_group_rules": TCP, "state": "absent"}, [], []),
    ({"security_group_rules": TCP}, ["servers"], []),
    ({"security_group_rules": [{"protocol": "any"}]}, [], []),
    ({"security_group_rules": []}, [], []),
    ({}, [], []),
]


@pytest.mark.parametrize(("change", "groups", "codes"), GROUPS)
def test_rules_need_a_group_to_be_made_in(change, groups, codes):
    found = findings({"a": site(**change)}, {"prod": hub(security_groups=groups)})
    assert found == [(code, "vpn_sites.a.security_group_rules") for code in codes]


KEYS = [
    ({}, "psk-missing"),
    ({"other": GOOD_KEY}, "psk-missing"),
    ({"a": ""}, "psk-missing"),
    ({"a": "x" * 256}, "psk-not-allowed"),
    ({"a": "a key with\nanother line"}, "psk-not-allowed"),
    ({"a": " a key with a blank before"}, "psk-not-allowed"),
    ({"a": "CHANGEME-psk-and-some-more"}, "psk-not-allowed"),
    ({"a": "short"}, "psk-short"),
]  # fmt: skip


@pytest.mark.parametrize(("psks", "code"), KEYS)
def test_a_key_is_there_and_allowed(psks, code):
    found = [one for one in findings({"a": site()}, psks=psks) if one[0] != "psk-unused"]
    assert found == [(code, "vpn_psks['prod/a']")]


@pytest.mark.parametrize("name", ["b", "prod/b", "test/a", "prod/", "A"])
def test_a_key_that_is_nobodys_may_be_misspelt(name):
    """One of an absent site, or of a site whose hub is misspelt, is that site's."""
    others = {"c": site(5, state="absent"), "d": site(6, hub="prdo", state="absent")}
    keys = dict.fromkeys(("a", "c", "prod/c", "d"), GOOD_KEY)
    assert "psk-unused" not in [code for code, _field in findings({"a": site(), **others}, psks=keys)]
    assert findings({"a": site()}, psks={"a": GOOD_KEY, name: GOOD_KEY}) == [("psk-unused", f"vpn_psks['{name}']")]


@pytest.mark.parametrize("sites", [{"a": site(gatway="203.0.113.3")}, {"a": {}}, "a text"])
def test_the_key_of_a_site_that_is_not_rightly_written_is_not_called_nobodys(sites):
    assert "psk-unused" not in [code for code, _field in findings(sites, psks={"a": GOOD_KEY, "prod/a": GOOD_KEY})]


@pytest.mark.parametrize(
    ("other", "found"),
    [({}, ["shared-vpc"]), ({"vpc": "test"}, []), ({"cloud": "elsewhere"}, []), ({"provider": "otc"}, [])],
)
def test_two_hubs_of_one_vpc(other, found):
    sites = {"a": site(3), "b": site(4, hub="test")}
    assert [code for code, _field in findings(sites, {"prod": hub(), "test": hub(**other)})] == found


@pytest.mark.parametrize(
    "key", [GOOD_KEY, 'quotes " and \\ and # and {{ braces }}', "0xnot-hexadecimal-at-all", "schlüssel-mit-ümlauten"]
)
def test_odd_keys_are_allowed(key):
    assert findings({"a": site()}, psks={"prod/a": key}) == []


@pytest.mark.parametrize("protocol", ["tcp", "TCP", "udp", 6, "17"])
def test_protocols_with_ports(protocol):
    assert findings({"a": site(security_group_rules=[{"protocol": protocol, "ports": [443, " 80 - 90 "]}])}) == []


def test_a_wrong_hub_is_told_once_and_not_as_missing():
    assert findings({"a": site()}, {"prod": hub(vpc=None)}) == [("missing", "vpn_hubs.prod.vpc")]


def test_an_unknown_policy_hides_nothing():
    found = findings({"a": site(policy="weak", subnets=["192.168.1.0/24"])}, psks={})
    assert {code for code, _field in found} == {"unknown-policy", "overlap-hub-site", "psk-missing"}


QUOTES, NOT_BELOW = "Put the key in quotes.", "Write the key itself there, as one text."


@pytest.mark.parametrize(
    ("key", "remedy"),
    [
        (123456789012345678901, QUOTES),
        (True, QUOTES),
        (1.5, QUOTES),
        (["a", "b"], NOT_BELOW),
        ({"psk": "b"}, NOT_BELOW),
    ],
)
def test_a_key_that_yaml_made_into_something_else(key, remedy):
    """Both ends would get the same, yet not the one that was written; and what it became is no key to judge."""
    for name in ("a", "prod/a"):
        found = _rules.offline(_description.describe(None, {"prod": hub()}, {"a": site()}), {name: key})
        said = [(one["code"], one["field"], one["remedy"]) for one in found]
        assert said == [("mangled-by-yaml", f"vpn_psks['{name}']", remedy)]


@pytest.mark.parametrize("psks", [["a key"], "a key", 7])
def test_keys_that_are_no_dict(psks):
    assert findings({"a": site()}, psks=psks) == [("not-a-dict", "vpn_psks")]


@pytest.mark.parametrize(
    "hubs",
    [{"prod": [{"cloud": {"auth": {"password": "GEHEIM"}}}]}, [{"prod": {"cloud": {"auth": {"password": "GEHEIM"}}}}]],
)
def test_no_finding_shows_what_may_hold_a_login(hubs):
    found = _rules.offline(_description.describe(None, hubs, {"a": site()}), None)
    assert "not-a-dict" in [one["code"] for one in found] and "GEHEIM" not in repr(found)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("400", "400 is no path's MTU."),
        ("400 bytes", "400 bytes is no path's MTU."),
        ("path", "is no path's MTU."),
        ("pat", "pat is no path's MTU."),
        ("a\nb", "'a\\nb' is no path's MTU."),
        ("(secret)", "is no path's MTU."),
        ("x" * 99, f"{'x' * 60}... is no path's MTU."),
    ],
)
def test_a_sentence_about_a_value_begins_with_it(value, message):
    found = _findings.finding("mtu-range", "a", "vpn_sites.a.underlay_mtu", value, "is no path's MTU.", "Write 1500.")
    assert found["message"] == message


def test_no_finding_shows_a_key():
    secret = "very-secret\x07key-that-is-wrong"
    found = _rules.offline(_description.describe(None, {"prod": hub()}, {"a": site()}), {"a": secret})
    assert len(found) == 1
    assert secret not in repr(found) and "very-secret" not in repr(found)


def test_all_findings_come_at_once_and_errors_first():
    sites = {
        "a": site(3, subnets=["192.168.0.0/16", "10.3.0.9/24"], policy="weak", dpd={"interval": 200}),
        "b": site(3, gatway=1),
    }
    found = _rules.offline(_description.describe(None, {"prod": hub()}, sites), {})
    assert {"unknown-policy", "unknown-key", "duplicate-gateway", "host-bits"} <= {one["code"] for one in found}
    assert [one["severity"] for one in found] == sorted(one["severity"] for one in found)
    assert all(one["remedy"] and one["source"] and one["message"] and one["host"] for one in found)
