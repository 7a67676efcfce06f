# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.bothends.vpn.plugins.module_utils import _description
from ansible_collections.bothends.vpn.plugins.module_utils._description import describe, plain

HUB = {"vpc": "prod", "subnets": ["192.168.1.0/24"]}
SITE = {"hub": "prod", "gateway": "203.0.113.10", "subnets": ["192.168.3.0/24"]}


def codes(policies=None, hubs=None, sites=None):
    return [(one["code"], one["field"]) for one in describe(policies, hubs, sites).findings]


def test_the_smallest_description_is_whole():
    found = describe(None, {"prod": HUB}, {"berlin": SITE})
    assert found.findings == []
    berlin = found.sites["berlin"]
    assert berlin["hubs"] == ["prod"]
    assert berlin["router"] == "berlin"
    assert berlin["policy"] == "default"
    assert found.policies["default"]["ike"] == {
        "version": "v2",
        "mode": "main",
        "encryption": "aes-256",
        "integrity": "sha256",
        "prf": None,
        "dh_group": "group14",
        "lifetime": 28800,
    }


def test_an_aead_has_a_prf_and_no_integrity():
    policy = describe(
        {"gcm": {"ike": {"encryption": "aes-256-gcm-16"}, "ipsec": {"encryption": "aes-128-gcm-16"}}}, {}, {}
    )
    assert policy.policies["gcm"]["ike"]["prf"] == "sha256"
    assert policy.policies["gcm"]["ike"]["integrity"] is None
    assert policy.policies["gcm"]["ipsec"]["integrity"] is None


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"gatway": "x"}, "unknown-key", "gatway"),
        ({"gateway": None}, "missing", "gateway"),
        ({"gateway": ""}, "missing", "gateway"),
        ({"subnets": None}, "missing", "subnets"),
        ({"gateway": 1.5}, "mangled-by-yaml", "gateway"),
        ({"policy": False}, "mangled-by-yaml", "policy"),
        ({"subnets": ["10.0.0.0/8", 8]}, "mangled-by-yaml", "subnets[1]"),
        ({"platform": "strongswan5"}, "bad-value", "platform"),
        ({"underlay_mtu": "big"}, "bad-value", "underlay_mtu"),
        ({"dpd": {"action": "reboot"}}, "bad-value", "dpd.action"),
        ({"dpd": {"actoin": "hold"}}, "unknown-key", "dpd.actoin"),
        ({"dpd": 30}, "not-a-dict", "dpd"),
        ({"security_group_rules": {"protocol": "tcp"}}, "not-a-list", "security_group_rules"),
        ({"security_group_rules": ["tcp"]}, "not-a-dict", "security_group_rules[0]"),
        ({"id": {"type": "fqdn"}}, "missing", "id.value"),
        (
            {"security_group_rules": [{"protocol": "tcp"}, {"ports": [1]}]},
            "missing",
            "security_group_rules[1].protocol",
        ),
    ],
)
def test_a_wrong_value_is_named_by_its_field(change, code, field):
    assert (code, f"vpn_sites.berlin.{field}") in codes(hubs={"prod": HUB}, sites={"berlin": {**SITE, **change}})


@pytest.mark.parametrize(
    ("name", "code"),
    [(False, "mangled-by-yaml"), (8, "mangled-by-yaml"), ("a b", "bad-name"), ("", "bad-name"), ("-x", "bad-name"), ("a/b", "bad-name"),
     ("x" * 64, "bad-name"), ("a\nb", "bad-name"), ("{{ x }}", "bad-name")],
)  # fmt: skip
def test_a_name_that_cannot_be_one(name, code):
    assert codes(hubs={"prod": HUB}, sites={name: SITE}) == [(code, f"vpn_sites.{name}")]


@pytest.mark.parametrize("sites", [None, "", {}, []])
def test_nothing_is_nothing(sites):
    assert describe(None, None, sites).sites == {}


@pytest.mark.parametrize("sites", [["berlin"], "berlin", 3])
def test_no_dict_at_all(sites):
    assert codes(sites=sites) == [("not-a-dict", "vpn_sites")]


def test_what_is_left_of_a_wrong_entry_is_still_checked():
    found = describe(None, {"prod": HUB}, {"berlin": {**SITE, "platform": "nonsense", "policy": "strong"}})
    assert found.findings[0]["host"] == "berlin"
    assert found.sites["berlin"]["policy"] == "strong"


def test_a_near_miss_is_offered():
    found = describe(None, {"prod": {**HUB, "sequrity_groups": []}}, {})
    assert found.findings[0]["remedy"] == "Did you mean `security_groups`?"


CHOICE = "is not one of the choices."
REMEDIES = [
    ("vpn_hubs", {"provider": "openstack"}, f"openstack {CHOICE}", "Did you mean `neutron`?"),
    ("vpn_hubs", {"provider": "aws"}, f"aws {CHOICE}", "Use one of: neutron, otc."),
    ("vpn_sites", {"platform": "openswan"}, f"openswan {CHOICE}", "Did you mean `libreswan`?"),
    ("vpn_sites", {"platform": "StrongSwan"}, f"StrongSwan {CHOICE}", "Did you mean `strongswan`?"),
    ("vpn_sites", {"platform": "IOS-XE"}, f"IOS-XE {CHOICE}", "Did you mean `cisco_iosxe`?"),
    ("vpn_sites", {"dpd": {"action": "reboot"}}, f"reboot {CHOICE}", "Use one of: hold, clear, restart."),
    ("vpn_sites", {"peer_id": {"type": "ip", "value": "192.0.2.1"}}, f"ip {CHOICE}", "Did you mean `ipv4` or `ipv6`?"),
    ("vpn_sites", {"id": "host.example.com"}, "host.example.com is a text, but must be a dict of type, value ...",
     "Write it as {value: host.example.com}."),
    ("vpn_sites", {"security_group_rules": ["tcp"]}, "tcp is a text, but must be a dict of protocol, ports ...",
     "Write it as {protocol: tcp}."),
    ("vpn_sites", {"dpd": "30"}, "30 is a text, but must be a dict of action, interval, timeout ...",
     "Write the options below it, one a line."),
    ("vpn_sites", {"psk": "never shown"}, "there is no `psk`.",
     "Keys stand in vpn_psks, by the site's name or HUB/SITE; docs/reference/description.md says how."),
    ("vpn_policies", {"ike": {"encryption": "aes256"}}, f"aes256 {CHOICE}", "Did you mean `aes-256`?"),
    ("vpn_policies", {"ike": {"encryption": "AES-256-GCM"}}, f"AES-256-GCM {CHOICE}", "Did you mean `aes-256-gcm-16`?"),
    ("vpn_policies", {"ike": {"integrity": "sha1"}}, f"sha1 {CHOICE}", "Did you mean `sha256`?"),
    ("vpn_policies", {"ike": {"dh_group": 20}}, "was read as a whole number 20.", "Write `group20`."),
    ("vpn_policies", {"ike": {"lifetime": "8h"}}, "8h is a text, but must be a whole number.",
     "Write a number, such as 28800. Seconds until the IKE SA is made anew."),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "change", "message", "remedy"), REMEDIES)
def test_a_wrong_value_is_told_with_what_to_write(kind, change, message, remedy):
    entry = {"vpn_hubs": HUB, "vpn_sites": SITE, "vpn_policies": {}}[kind]
    [found] = describe(*({"x": {**entry, **change}} if one == kind else None for one in _description.KINDS)).findings
    assert (found["message"], found["remedy"]) == (message, remedy)
    assert "never shown" not in repr(found)


def test_names_with_dots_keep_their_host():
    assert describe(None, None, {"fra.1": {**SITE, "x": 1}}).findings[0]["host"] == "fra.1"


def test_a_default_belongs_to_no_entry():
    """The specification stays as it is, and what happens to one site's entry happens to no other's."""
    before = copy.deepcopy(_description.KINDS)
    sites = describe(None, {"prod": HUB}, {"berlin": SITE, "paris": SITE}).sites
    sites["berlin"]["security_group_rules"].append({"protocol": "tcp"})
    sites["berlin"]["router_settings"]["start_action"] = "none"
    assert len(sites["paris"]["security_group_rules"]) == 1
    assert sites["paris"]["router_settings"] == {}
    assert before == _description.KINDS


@pytest.mark.parametrize(
    ("kind", "entry", "direct"),
    [
        pytest.param("vpn_sites", SITE, True, id="least"),
        pytest.param("vpn_sites", {**SITE, "id": {"value": "b@x.org"}, "dpd": {"interval": 10}}, True, id="nested"),
        pytest.param("vpn_sites", {**SITE, "security_group_rules": [{"protocol": "tcp", "ports": ["443"]}]}, True, id="rules"),
        pytest.param("vpn_sites", {**SITE, "probe": {"from": "a", "to": "b"}, "router_settings": {"x": [1]}}, True, id="free"),
        pytest.param("vpn_policies", {}, True, id="nothing"),
        pytest.param("vpn_hubs", HUB, True, id="hub"),
        pytest.param("vpn_sites", {**SITE, "underlay_mtu": "1400"}, False, id="number as text"),
        pytest.param("vpn_sites", {**SITE, "subnets": "10.1.0.0/24"}, False, id="no list"),
        pytest.param("vpn_sites", {**SITE, "dpd": {"interval": "10"}}, False, id="nested number as text"),
        pytest.param("vpn_sites", {**SITE, "security_group_rules": [{"protocol": "tcp", "ports": [443]}]}, False, id="ports"),
    ],
)  # fmt: skip
def test_the_short_way_comes_to_what_the_validator_says(kind, entry, direct):
    spec = _description.KINDS[kind]
    validated = ArgumentSpecValidator(_description.arguments(spec)).validate(entry).validated_parameters
    assert (_description._completed(spec, entry) is not None) == direct
    assert _description._validated(spec, [entry, entry]) == [validated, validated]


def test_plain_copies_lazy_and_tagged_values():
    class Tagged(str):
        __slots__ = ("origin",)

    class Number(int):
        __slots__ = ()

    class Share(float):
        __slots__ = ()

    out = plain({Tagged("a"): (Tagged("b"), Number(1), None, True, {"c"}, Share(1.5))})
    assert out == {"a": ["b", 1, None, True, ["c"], 1.5]}
    assert next(iter(out)).__class__ is str
    assert [one.__class__ for one in out["a"]] == [str, int, type(None), bool, list, float]


def test_surveys_send_empty_texts():
    assert (
        codes(
            hubs={"prod": {**HUB, "gateway": "", "cloud": ""}}, sites={"berlin": {**SITE, "hub": "prod", "router": ""}}
        )
        == []
    )
