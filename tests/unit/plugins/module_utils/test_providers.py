# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each difference between the providers, beside the same with the other one."""

from __future__ import annotations

import copy
import types

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.bothends.vpn.plugins.module_utils import (
    _algorithms,
    _description,
    _dialect,
    _hub,
    _module,
    _objects,
    _plan,
    _rules,
    _rules_provider,
    _secrets,
    _steps,
)
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.plugins.module_utils._providers import PROVIDERS, Provider
from ansible_collections.bothends.vpn.tests.unit.builders import findings, hub, plan, records, site, snapshot, verbs

KEY = "a-key-of-20-characters"
OTC = PROVIDERS["otc"]


# --- the rows


def test_each_source_is_that_of_a_fact():
    for row in PROVIDERS.values():
        assert set(row.sources) <= set(Provider._fields)
        assert row.source and all(row.sources.values())


def test_what_a_fixed_field_is_read_by():
    assert {field for row in PROVIDERS.values() for field in row.fixed} == set(_rules_provider._VALUES)


def test_no_provider_gives_one_word_to_two_algorithms():
    for name in PROVIDERS:
        for table in _algorithms.TABLES:
            for where in _algorithms.CONTEXTS:
                words = list(_algorithms.spoken(name, table, where).values())
                assert len(words) == len(set(words))


def test_a_policy_is_written_in_the_providers_words():
    [record] = records({"berlin": site()})
    bodies = {name: _objects.ike_body(name, record["ike"]) for name in PROVIDERS}
    assert {name: body.pop("auth_algorithm") for name, body in bodies.items()} == {
        "neutron": "sha256",
        "otc": "sha2-256",
    }
    assert bodies["neutron"] == bodies["otc"], "all else has one name"


# --- what is refused before anything is asked


SUBNETS = [f"10.{high}.{low}.0/24" for high in (7, 8) for low in range(256)]


REFUSED = [
    pytest.param({"underlay_mtu": 1400}, {}, {}, "provider-fixed", "vpn_sites.a.underlay_mtu", id="MTU"),
    pytest.param({"state": "disabled"}, {}, {}, "provider-fixed", "vpn_sites.a.state", id="admin state"),
    pytest.param({"peer_id": {"value": "cloud.example"}}, {}, {}, "provider-fixed", "vpn_sites.a.peer_id", id="hub's identity"),
    pytest.param({}, {"ike": {"version": "v1", "mode": "aggressive"}}, {}, "provider-fixed", "vpn_policies.default.ike.mode",
                 id="IKE mode"),
    pytest.param({}, {"ike": {"lifetime": 604801}}, {}, "lifetime-range", "vpn_policies.default.ike.lifetime", id="lifetime"),
    pytest.param({}, {"ipsec": {"lifetime": 604801}}, {}, "lifetime-range", "vpn_policies.default.ipsec.lifetime",
                 id="lifetime of ESP"),
    pytest.param({}, {"ipsec": {"encryption": "aes-256-gcm-16"}}, {}, "not-spoken", "vpn_policies.default.ipsec.encryption",
                 id="GCM"),
    pytest.param({}, {"ike": {"integrity": "aes-xcbc"}}, {}, "not-spoken", "vpn_policies.default.ike.integrity", id="XCBC"),
    pytest.param({}, {"ike": {"dh_group": "group31"}}, {}, "not-spoken", "vpn_policies.default.ike.dh_group", id="DH group"),
    pytest.param({"subnets": SUBNETS}, {}, {"subnets": [f"192.168.{n}.0/24" for n in range(5)]}, "too-many-pairs",
                 "vpn_sites.a.subnets", id="pairs"),
    pytest.param({"selector_mode": "per_pair"}, {}, {}, "one-connection-a-peer", "vpn_sites.a.selector_mode", id="one connection"),
    pytest.param({"subnets": ["100.64.9.0/24"]}, {}, {}, "reserved-subnet", "vpn_sites.a.subnets[0]", id="reserved"),
    pytest.param({"subnets": ["96.0.0.0/3"]}, {}, {}, "reserved-subnet", "vpn_sites.a.subnets[0]", id="holds a reserved one"),
    pytest.param({"gateway": "172.31.255.1"}, {}, {}, "gateway-not-public", "vpn_sites.a.gateway", id="private gateway"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "policy", "hubs", "code", "field"), REFUSED)
def test_what_otc_refuses_and_neutron_does_not(change, policy, hubs, code, field):
    def found(provider):
        described = {"prod": hub(provider=provider, **hubs)}
        return findings({"a": site(**change)}, described, policies={"default": policy})

    assert (code, field) in found("otc")
    assert (code, field) not in found("neutron")


OTHER_PLATFORM = "platform strongswan (with IKEv2)."
ONE_TUNNEL = [
    ({"selector_mode": "per_pair"}, {}, "Describe one subnet of the hub, or use selector_mode combined (with IKEv2)."),
    ({"platform": "libreswan"}, {}, f"Describe one subnet of the hub, or use {OTHER_PLATFORM}"),
    ({"platform": "cisco_iosxe", "router_settings": {"wan_interface": "GigabitEthernet1"}, "subnets": ["10.3.0.0/24", "10.3.1.0/24"]},
     {"subnets": ["192.168.1.0/24"]},
     f"Describe one subnet at the site (10.3.0.0/23 holds all), or use {OTHER_PLATFORM}"),
    ({"platform": "libreswan", "subnets": ["10.3.0.0/24", "10.9.0.0/24"]}, {},
     f"Describe one subnet of the hub and one subnet at the site, or use {OTHER_PLATFORM}"),
    ({"platform": "libreswan", "subnets": ["192.168.0.0/24", "192.168.3.0/24"]}, {"subnets": ["192.168.1.0/24"]},
     f"Describe one subnet at the site, or use {OTHER_PLATFORM}"),
    ({"subnets": ["10.3.0.0/24", "fd00:3::/64"]}, {"subnets": ["192.168.1.0/24", "fd00:1::/64"]},
     "Describe subnets of one IP version only."),
]  # fmt: skip


@pytest.mark.parametrize(("change", "hubs", "remedy"), ONE_TUNNEL)
def test_what_makes_one_connection_is_what_the_platform_can_do(change, hubs, remedy):
    described = _description.describe(None, {"prod": hub(provider="otc", **hubs)}, {"a": site(**change)})
    found = [one for one in _rules.offline(described) if one["severity"] == "error"]
    assert [(one["code"], one["remedy"]) for one in found] == [("one-connection-a-peer", remedy)]


@pytest.mark.parametrize("name", PROVIDERS)
@pytest.mark.parametrize(("seconds", "codes"), [
    (300, {"lifetime-short"}), (599, {"lifetime-short"}), (600, {"reauth-gap"}), (28799, {"reauth-gap"}), (28800, set()),
])  # fmt: skip
def test_short_lifetimes_of_ike(name, seconds, codes):
    """Only a provider that is known to break before it makes has gaps."""
    policy = {"ike": {"lifetime": seconds}, "ipsec": {"lifetime": 600}}
    found = {
        code for code, _field in findings({"a": site()}, {"prod": hub(provider=name)}, policies={"default": policy})
    }
    assert found - {"lifetime-order"} == codes - (set() if PROVIDERS[name].reauth_gap else {"reauth-gap"})


@pytest.mark.parametrize("name", ["s" * 63, "a" * 58])
def test_names_are_made_of_names(name):
    """hub/site/1 may have 64 characters at OTC."""
    found = findings({name: site()}, {"prod": hub(provider="otc")})
    assert found == ([("name-too-long", f"vpn_sites.{name}")] if len(f"prod/{name}/1") > 64 else [])
    assert findings({name: site()}) == []


def test_a_name_has_the_generation_of_its_key_where_there_is_no_other_place():
    """prod/NAME/1 has 63 characters, prod/NAME/1#12 has 66, of 64 at OTC."""
    name = "a" * 56
    for generation, too_long in ((1, False), (2, True), (12, True)):
        found = findings({name: site(psk_generation=generation)}, {"prod": hub(provider="otc")})
        assert (("name-too-long", f"vpn_sites.{name}") in found) is too_long
    assert findings({"a" * 63: site(psk_generation=12)}) == []


def test_a_description_may_be_too_long_for_any_provider():
    """It has the hub's and the site's name twice."""
    hubs = {"h" * 63: hub()}
    assert ("name-too-long", "vpn_sites." + "s" * 63) in findings({"s" * 63: site(hub="h" * 63)}, hubs)
    assert findings({"s" * 40: site(hub="h" * 63)}, hubs) == []


@pytest.mark.parametrize(
    ("key", "fine"),
    [(KEY, True), ("~`!@#$%^()-_+=[]{}|\\,./:;abc", True), ("quote's are not allowed", False), ("no-blank s-20-characters", False),
     ("a-question-mark?-20-chars", False), ("not-ascii-ümläut-20-chars", False), ("*" * 20, False), ("x" * 129, False), ("12345", False)],
)  # fmt: skip
def test_keys(key, fine):
    there = {name: findings({"a": site()}, {"prod": hub(provider=name)}, psks={"a": key}) for name in PROVIDERS}
    assert (("psk-not-allowed", "vpn_psks['prod/a']") in there["otc"]) is not fine
    assert ("psk-not-allowed", "vpn_psks['prod/a']") not in there["neutron"]


def test_derived_keys_are_allowed():
    assert _secrets.problem(_secrets.derive("m" * 32, "prod", "a"), OTC.psk_length, OTC.psk_alphabet) is None


# --- between the plan and the wire


def wire(there, steps, provider="otc"):
    """What the API has after the steps: as written, and without what it does not give back."""
    after = _steps.project(there, _dialect.write(steps, _dialect.read(there, provider), provider))
    for one in after["site_connection"]:
        one.pop("psk", None)
    return after


def otc(there, sites, **more):
    return plan(_dialect.read(there, "otc"), sites, provider="otc", **{"psk": KEY, **more})


def made(**change):
    """OTC with one site, as its API tells it."""
    return wire(snapshot(), otc(snapshot(), {"berlin": site(**change)}).steps)


def test_a_connection_is_known_by_its_name():
    """Its description is the service's own."""
    [one] = made()["site_connection"]
    assert one["name"] == "prod/berlin/1" and not {"description", "local_id", "psk"} & set(one)
    assert verbs(otc(made(), {"berlin": site()})) == []
    gone = otc(made(), {"berlin": site(state="absent")})
    assert "delete site_connection prod/berlin/1" in verbs(gone)


@pytest.mark.parametrize("name", ["Büro", "prod/berlin", "prod/berlin/x", "a/b/c/1", "prod/berlin/1#", "", None])
def test_another_name_is_nobodys_mark(name):
    there = made()
    there["site_connection"][0].update(name=name, description="bothends.vpn/prod/berlin")
    [one] = _dialect.read(there, "otc")["site_connection"]
    assert _objects.owner(one) is None


def test_neutron_is_read_and_written_as_it_is():
    there = _steps.project(snapshot(), plan(snapshot(), {"berlin": site()}).steps)
    assert _dialect.read(there, "neutron") == there
    steps = plan(snapshot(), {"berlin": site()}).steps
    assert _dialect.write(steps, snapshot(), "neutron") == steps


def test_another_generation_sends_the_key_with_its_mark_in_one_request():
    """Stopped before it or after it: the next run knows what is stored."""
    there = made()
    steps = otc(there, {"berlin": site(psk_generation=2)}, psk="the-second-key-of-prod").steps
    [step] = _dialect.write(steps, _dialect.read(there, "otc"), "otc")
    assert (step.verb, step.kind) == ("update", "site_connection")
    assert step.body == {"psk": "the-second-key-of-prod", "name": "prod/berlin/1#2"}
    assert step.pending_activation
    after = wire(there, steps)
    assert verbs(otc(after, {"berlin": site(psk_generation=2)})) == []
    back = _dialect.write(otc(after, {"berlin": site()}).steps, _dialect.read(after, "otc"), "otc")
    assert [one.body for one in back] == [{"psk": KEY, "name": "prod/berlin/1"}]


def test_another_key_of_the_same_generation_is_not_noticed_but_sent_on_request():
    there = made()
    assert verbs(otc(there, {"berlin": site()}, psk="another-key-of-twenty")) == []
    [step] = otc(there, {"berlin": site()}, psk="another-key-of-twenty", send_psks=True).steps
    assert step.body == {"psk": "another-key-of-twenty"}


def test_neutron_needs_no_generation_and_no_request():
    there = _steps.project(snapshot(), plan(snapshot(), {"berlin": site()}).steps)
    assert verbs(plan(there, {"berlin": site(psk_generation=2)}, send_psks=True)) == []
    assert [step.body for step in plan(there, {"berlin": site()}, psk=KEY).steps] == [{"psk": KEY}]


def test_another_generation_without_a_key_is_told():
    with pytest.raises(_plan.SiteError, match=r"prod/berlin/1 is .* to get another key, but has no key"):
        otc(made(), {"berlin": site(psk_generation=2)}, psk=None)


def test_what_somebody_made_by_hand_gets_a_key_on_request_only():
    there = made()
    there["site_connection"][0]["name"] = "Büro"
    assert verbs(otc(there, {"berlin": site(psk_generation=5)})) == []
    assert [step.body for step in otc(there, {"berlin": site()}, send_psks=True).steps] == [{"psk": KEY}]


def test_a_change_that_is_not_of_the_key_leaves_its_generation():
    there = made(psk_generation=3)
    there["site_connection"][0]["name"] = "prod/berlin/7#3"
    steps = otc(there, {"berlin": site(psk_generation=3)}).steps
    assert [one.body for one in _dialect.write(steps, _dialect.read(there, "otc"), "otc")] == [
        {"name": "prod/berlin/1#3"}
    ]


@pytest.mark.parametrize(("provider", "order"), [("otc", ["delete", "create"]), ("neutron", ["create", "delete"])])
def test_where_a_peer_may_have_one_connection_the_old_one_goes_first(provider, order):
    there = _dialect.read(snapshot(), provider)
    there = _steps.project(there, plan(there, {"berlin": site()}, provider=provider, psk=KEY).steps)
    policies = {"default": {"ike": {"dh_group": "group20"}}}
    steps = plan(there, {"berlin": site()}, provider=provider, psk=KEY, policies=policies).steps
    assert [step.verb for step in steps if step.kind == "site_connection"] == order
    assert all(step.disruptive for step in steps if step.kind == "site_connection")
    after = _steps.project(there, steps)
    assert verbs(plan(after, {"berlin": site()}, provider=provider, psk=KEY, policies=policies)) == []


names = st.text("abc-._019", min_size=1, max_size=12).filter(lambda name: name[0] in "abc019")


@given(names, names, st.integers(1, 99), st.integers(1, 99))
def test_a_name_tells_all_that_a_marker_tells(one_hub, one_site, number, generation):
    name = f"{one_hub}/{one_site}/{number}"
    marked = _objects.described(_objects.Owner(one_hub, one_site), generation)
    step = _steps.Step("update", "site_connection", name, "c1", {"description": marked, "name": name})
    [written] = _dialect.write([step], {"site_connection": []}, "otc")
    there = {"site_connection": [{"id": "c1", "name": written.body["name"], "description": "internal"}]}
    [read] = _dialect.read(there, "otc")["site_connection"]
    assert (read["name"], read["description"]) == (name, marked)
    assert (_objects.owner(read), _objects.generation(read)) == ((one_hub, one_site), generation)


# --- what the server shows


def server(
    url="http://10.0.0.1:9696", extensions=("vpnaas", "vpn-endpoint-groups", "vpn-aes-ctr"), missing=(), auth=()
):
    return {
        **snapshot(),
        "endpoint": [{"url": url}],
        "extensions": [{"alias": alias} for alias in extensions],
        "missing": [{"name": name} for name in missing],
        "ike_policy": [{"id": f"i{n}", "name": "", "auth_algorithm": word} for n, word in enumerate(auth)],
    }


def codes(provider, there, policy=None):
    checked = records({"a": site()}, policies={"default": policy or {}})
    return [one["code"] for one in _rules_provider.shown("prod", provider, there, checked)]


NONE = {"extensions": (), "missing": ("extensions",)}


@pytest.mark.parametrize(
    ("there", "neutron", "otc_"),
    [
        pytest.param({}, [], ["wrong-provider"], id="an OpenStack cloud"),
        pytest.param({"extensions": ("vpnaas", "vpn-endpoint-groups")}, [], [], id="an old one, which could be either"),
        pytest.param(NONE, ["wrong-provider"], [], id="no list of extensions"),
        pytest.param({**NONE, "url": "https://vpc.eu-de.otc.t-systems.com/v2.0"}, ["wrong-provider"], [], id="the catalogue's endpoint"),
        pytest.param({"extensions": ("vpnaas", "vpn-endpoint-groups"), "url": "https://vpc.eu-nl.otc.t-systems.com"},
                     ["wrong-provider"], [], id="the endpoint alone"),
        pytest.param({"url": "https://otc.t-systems.com.example/"}, [], ["wrong-provider"], id="a host that only looks like it"),
        pytest.param({"extensions": ("vpnaas", "vpn-endpoint-groups"), "auth": ("sha256",)}, [], ["wrong-provider"], id="a policy's words"),
        pytest.param({**NONE, "auth": ("sha2-256",)}, ["wrong-provider"], [], id="the other's words"),
        pytest.param({**NONE, "auth": ("md5", "sha1")}, ["wrong-provider"], [], id="words of neither"),
        pytest.param({"extensions": ("router",), "missing": ("ike_policy", "endpoint_group")}, ["extension-missing"],
                     ["extension-missing"], id="no VPN"),
        pytest.param({"extensions": ("vpnaas",), "missing": ("endpoint_group",)}, ["extension-missing"], ["extension-missing"],
                     id="no endpoint groups"),
    ],
)  # fmt: skip
def test_what_the_server_shows(there, neutron, otc_):
    assert codes("neutron", server(**there)) == neutron
    assert codes("otc", server(**there)) == otc_


@pytest.mark.parametrize(("extensions", "found"), [((), ["not-spoken"]), (("vpn-aes-ctr",), [])])
def test_an_algorithm_that_an_extension_adds(extensions, found):
    there = server(extensions=("vpnaas", "vpn-endpoint-groups", *extensions))
    assert codes("neutron", there, {"ipsec": {"encryption": "aes-256-ctr"}}) == found
    assert codes("neutron", there) == []
    several = records({"a": site(3), "b": site(4)}, policies={"default": {"ipsec": {"encryption": "aes-256-ctr"}}})
    assert [one["code"] for one in _rules_provider.not_added(PROVIDERS["neutron"], there, several)] == found


# --- quotas


def asked(provider, sites, answer, there=None):
    there = _dialect.read(there or snapshot(), provider)
    steps = plan(there, sites, provider=provider, psk=KEY).steps
    return [one["code"] for one in _rules_provider.quotas("prod", provider, steps, there, answer)]


def details(limit, used, word="ipsec_site_connection"):
    return {
        "quota": {
            word: {"limit": limit, "used": used, "reserved": 0},
            "network": {"limit": 1, "used": 1, "reserved": 0},
        }
    }


def resources(limit, used, word="vpn"):
    return {
        "quotas": {
            "resources": [
                {"type": word, "quota": limit, "used": used, "min": 0},
                {"type": "vpc", "quota": 1, "used": 1},
            ]
        }
    }


TWO = {"a": site(3), "b": site(4)}


@pytest.mark.parametrize(
    ("provider", "answer", "found"),
    [
        ("neutron", details(3, 1), []),
        ("neutron", details(3, 2), ["over-quota"]),
        ("neutron", details(-1, 900), []),
        ("neutron", details(5, 0, "security_group_rule"), []),
        ("neutron", details(5, 4, "security_group_rule"), ["over-quota"]),
        ("neutron", resources(1, 1), []),
        ("neutron", {}, []),
        ("otc", resources(5, 3), []),
        ("otc", resources(5, 4), ["over-quota"]),
        ("otc", resources(1, 1, "vpngw"), ["over-quota"]),
        ("otc", details(1, 1), []),
        ("otc", {}, []),
    ],
)
def test_more_than_the_project_may_have(provider, answer, found):
    assert asked(provider, TWO, answer) == found


@pytest.mark.parametrize(
    "answer",
    [
        {"quota": {"network": 100, "ipsec_site_connection": 1}},
        {"quota": {"ipsec_site_connection": {"limit": None, "used": 1}}},
        {"quota": {"ipsec_site_connection": {"limit": 1}}},
        {"quota": {"ipsec_site_connection": {"limit": "1", "used": "1"}}},
        {"quota": None},
        {"quota": [1]},
        {"quotas": None},
        {"quotas": [1]},
        {"quotas": {"resources": None}},
        {"quotas": {"resources": {"vpn": 1}}},
        {"quotas": {"resources": [None, 1, [], {}, {"type": "vpn"}, {"type": "vpn", "quota": 1}, {"type": [], "quota": 1, "used": 1}]}},
    ],
)  # fmt: skip
def test_quotas_that_nobody_understands_stop_nothing(answer):
    for provider in PROVIDERS:
        assert asked(provider, TWO, answer) == []


def test_what_is_there_needs_no_quota():
    there = made()
    assert asked("otc", {"berlin": site()}, resources(1, 1), there) == []


def test_a_replaced_connection_needs_room_only_where_the_new_one_comes_first():
    for provider, found in (("otc", []), ("neutron", ["over-quota"])):
        there = _dialect.read(snapshot(), provider)
        there = _steps.project(there, plan(there, {"a": site()}, provider=provider, psk=KEY).steps)
        steps = plan(
            there, {"a": site()}, provider=provider, psk=KEY, policies={"default": {"ike": {"dh_group": "group20"}}}
        ).steps
        answer = {**details(1, 1), **resources(1, 1)}
        assert [one["code"] for one in _rules_provider.quotas("prod", provider, steps, there, answer)] == found


def test_more_rules_than_a_group_usually_may_have_is_a_warning():
    rules = [{"protocol": "tcp", "ports": [str(port) for port in range(1, 50)]}]
    there = snapshot()
    steps = otc(there, {"a": site(security_group_rules=rules)}).steps
    [one] = _rules_provider.quotas("prod", "otc", steps, there, {})
    assert (one["code"], one["severity"], one["value"]) == ("over-usual-quota", "warning", "servers")
    fewer = otc(
        there, {"a": site(security_group_rules=[{"protocol": "tcp", "ports": [str(n) for n in range(1, 49)]}])}
    ).steps
    assert _rules_provider.quotas("prod", "otc", fewer, there, {}) == []
    assert _rules_provider.quotas("prod", "neutron", steps, there, {}) == []


# --- the module


class Cloud:
    """Stands in for a cloud: a server and its quotas."""

    def __init__(self, there, answer=None, peerings=()):
        self.there, self.answer, self.peerings, self.asked = there, answer or {}, peerings, []

    def snapshot(self, _vpc):
        return copy.deepcopy(self.there)

    def limits(self, path):
        self.asked.append(path)
        return self.answer

    def routes(self, path, vpc):
        self.asked.append(path)
        return [{"destination": one, "nexthop": "peer", "vpc_id": vpc} for one in self.peerings]


def params(provider, **change):
    return {
        "name": "prod", **hub(provider=provider), "gateway": None, "policies": [], "blocked": [], "purge": False, "send_psks": False,
        "allow_disruption": False,
        "connections": [{"name": "berlin", "psk": KEY, **{key: value for key, value in site().items() if key != "hub"}}], **change,
    }  # fmt: skip


def neutron_server():
    return server()


def otc_server():
    return server(**NONE)


@pytest.mark.parametrize(
    ("provider", "there", "paths"),
    [
        ("neutron", neutron_server, ["/v2.0/quotas/{project}/details"]),
        ("otc", otc_server, ["/vpc/routes", "/v1/{project}/quotas"]),
    ],
)
def test_quotas_and_peerings_are_asked_for_only_where_something_is_made(provider, there, paths):
    cloud = Cloud(there())
    work = _hub.prepare(params(provider), cloud)
    assert cloud.asked == paths
    cloud.there, cloud.asked = {**cloud.there, **wire(cloud.there, work.plan.steps, provider)}, []
    for one in cloud.there["site_connection"]:
        if provider == "neutron":
            one["psk"] = KEY
    assert _hub.prepare(params(provider), cloud).plan.steps == []
    assert cloud.asked == []


@pytest.mark.parametrize(
    ("provider", "there", "answer", "said"),
    [
        ("otc", neutron_server, {}, r"nothing was changed.*the server is another one: it has extension vpn-aes-ctr.*Set it to neutron"),
        ("neutron", otc_server, {}, r"nothing was changed.*it does not list its extensions.*Set it to otc"),
        ("otc", otc_server, resources(1, 1), r"nothing was changed.*may have 1 of kind site_connection, has 1, and 1 more are needed"),
        ("neutron", neutron_server, details(1, 1), r"nothing was changed.*may have 1 of kind site_connection"),
    ],
)  # fmt: skip
def test_the_module_stops_before_it_writes(provider, there, answer, said):
    with pytest.raises(VpnError, match=f"(?s){said}"):
        _hub.prepare(params(provider), Cloud(there(), answer))


def stopped(given, cloud):
    """Give the codes, by severity, that the module's failure carries."""
    with pytest.raises(VpnError, match="nothing was changed") as caught:
        _hub.prepare(given, cloud)
    return [(one["severity"], one["code"]) for one in caught.value.result["findings"]]


def test_what_stops_the_module_carries_all_that_was_found():
    """As the filter gives it, so that a role can show and write it; with what stops less and was found before."""
    assert stopped(params("otc"), Cloud(neutron_server())) == [("error", "wrong-provider")]
    there = routed(neutron_server(), "10.3.0.0/16")
    assert stopped(params("neutron", **two()), Cloud(there, details(1, 1))) == [
        ("error", "over-quota"),
        ("warning", "overlap-route"),
    ]
    given = params("neutron", **two(subnets=["192.168.1.0/24"]))
    given["connections"][0]["subnets"] = ["192.168.1.0/25"]
    assert stopped(given, Cloud(neutron_server())) == [("error", "overlap-hub-site")], "of the description, by itself"


def test_a_failures_own_words_are_not_warned_of_too():
    with pytest.raises(VpnError) as caught:
        _hub.prepare(params("neutron", **two()), Cloud(routed(neutron_server(), "10.3.0.0/16"), details(1, 1)))
    said = []
    _module._warn(types.SimpleNamespace(warn=said.append), caught.value.result)
    [one] = said
    assert one.startswith("vpn_sites.a.subnets[0]: 10.3.0.0/24 overlaps the VPC's route to 10.3.0.0/16")


def test_what_would_interrupt_says_what_was_found_too():
    there, given = neutron_server(), params("neutron", **two())
    there.update(wire(there, _hub.prepare(given, Cloud(there)).plan.steps, "neutron"))
    for one in there["site_connection"]:
        one["psk"] = KEY
    given["policies"] = [{"name": "default", "ike": {"dh_group": "group19"}, "ipsec": {}}]
    with pytest.raises(VpnError, match="this would interrupt") as caught:
        _hub.prepare(given, Cloud(routed(there, "10.3.0.0/16")))
    assert [one["code"] for one in caught.value.result["findings"]] == ["overlap-route"]


def test_the_gateway_is_known_once_there_is_a_service():
    """Of a VPC's router where the VPN has its address, else of the service only."""
    there = otc_server()
    assert _hub.prepare(params("otc"), Cloud(there)).facts["gateway"] is None
    assert _hub.prepare(params("neutron"), Cloud(neutron_server())).facts["gateway"] == "203.0.113.150"
    there["vpn_service"] = [
        {"id": "s1", "name": "x", "router_id": "v1", "external_v4_ip": "80.158.1.1", "admin_state_up": True}
    ]
    assert _hub.prepare(params("otc"), Cloud(there)).facts["gateway"] == "80.158.1.1"


@pytest.mark.parametrize(
    ("by_hand", "options", "generation", "codes"),
    [
        pytest.param(True, {}, 2, ["key-not-sent"], id="another key"),
        pytest.param(True, {}, 1, [], id="the first key"),
        pytest.param(True, {"send_psks": True}, 2, [], id="sent in this run"),
        pytest.param(False, {}, 2, [], id="ours gets it, with its mark"),
        pytest.param(
            True, {"policies": [{"name": "default", "ike": {"dh_group": "group20"}, "ipsec": {}}], "allow_disruption": True}, 2, [],
            id="replaced by one of ours",
        ),
    ],
)  # fmt: skip
def test_another_key_for_what_somebody_made_by_hand_is_told(by_hand, options, generation, codes):
    """Else the router gets the new key, and nobody hears that the cloud keeps the old one."""
    there = otc_server()
    there.update(wire(there, _hub.prepare(params("otc"), Cloud(there)).plan.steps))
    if by_hand:
        there["site_connection"][0]["name"] = "Büro"
    given = params("otc", **options)
    given["connections"][0]["psk_generation"] = generation
    work = _hub.prepare(given, Cloud(there))
    assert [(one["code"], one["severity"]) for one in work.findings] == [(code, "warning") for code in codes]
    assert bool(codes) or generation == 1 or any("psk" in step.body for step in work.plan.steps)
    for one in work.findings:
        assert one["field"] == "vpn_sites.berlin.psk_generation" and "Büro (" in one["message"]
        assert "vpn_send_psks" in one["remedy"] and one["scope"] == "site berlin"


def test_where_keys_come_back_a_generation_is_only_a_number():
    there = neutron_server()
    there.update(_steps.project(there, _hub.prepare(params("neutron"), Cloud(there)).plan.steps))
    there["site_connection"][0].update(name="Büro", description="")
    given = params("neutron")
    given["connections"][0]["psk_generation"] = 2
    assert _hub.prepare(given, Cloud(there)).findings == []


# --- what the VPC itself shows, in the module


def two(**change):
    """Give the options for sites a (10.3.0.0/24) and b (10.4.0.0/24) with keys."""
    given = params("neutron")["connections"][0]
    sites = [
        {**given, "name": name, "gateway": f"203.0.113.{n}", "subnets": [f"10.{n}.0.0/24"]}
        for name, n in (("a", 3), ("b", 4))
    ]
    return {"connections": sites, **change}


def routed(there, *destinations):
    there["vpc"][0]["routes"] = [{"destination": one, "nexthop": "192.168.1.254"} for one in destinations]
    return there


def test_a_peering_stops_its_site_and_the_other_goes_on():
    work = _hub.prepare(params("otc", **two()), Cloud(otc_server(), peerings=["10.3.0.0/16", "172.16.0.0/12"]))
    assert set(work.blocked) == {"a"} and "10.3.0.0/16 by peer" in work.blocked["a"]
    assert [(one["code"], one["severity"], one["scope"]) for one in work.findings] == [
        ("overlap-route", "error", "site a")
    ]
    assert {step.name for step in work.plan.steps if step.kind == "site_connection"} == {"prod/b/1"}
    assert set(_hub.prepare(params("otc", **two()), Cloud(otc_server())).blocked) == set()


def test_a_route_of_the_router_is_a_warning_that_can_be_ignored():
    there = routed(neutron_server(), "10.3.0.0/16")
    [one] = _hub.prepare(params("neutron", **two()), Cloud(there)).findings
    assert (one["code"], one["severity"], one["field"]) == ("overlap-route", "warning", "vpn_sites.a.subnets[0]")
    for host, severity in (("a", "ignored"), ("b", "warning")):
        ignore = [{"code": "overlap-route", "host": host, "field": None, "reason": "the firewall has no such network"}]
        [one] = _hub.prepare(params("neutron", **two(ignore=ignore)), Cloud(there)).findings
        assert one["severity"] == severity


def test_a_subnet_of_the_vpc_that_nobody_named_stops_its_site():
    given = two(subnets=["192.168.1.0/24"])
    given["connections"][0]["subnets"] = ["192.168.2.0/25"]
    work = _hub.prepare(params("neutron", **given), Cloud(neutron_server()))
    assert set(work.blocked) == {"a"} and "192.168.2.0/24 of the VPC itself (db)" in work.blocked["a"]


def test_another_hubs_connection_to_a_site_is_told():
    given = params("neutron", **two())
    there = neutron_server()
    there.update(wire(there, _hub.prepare(given, Cloud(there)).plan.steps, "neutron"))
    for one in there["site_connection"]:
        one["psk"] = KEY
    assert _hub.prepare(given, Cloud(there)).findings == []
    other = copy.deepcopy(next(one for one in there["site_connection"] if one["name"] == "prod/a/1"))
    other.update(id="c-other", name="by-hand", description="", peer_address="203.0.113.77")
    there["site_connection"].append(other)
    [one] = _hub.prepare(given, Cloud(there)).findings
    assert (one["code"], one["field"]) == (
        "overlap-connection",
        "vpn_sites.a.subnets[0]",
    ) and "by-hand (c-other)" in one["message"]
    # One that waits for its site, which is blocked elsewhere and so not among the options, is this hub's own.
    for blocked, told in ((["a"], 0), ([], 1)):
        alone = params("neutron", **{**two(), "connections": two()["connections"][1:]}, blocked=blocked)
        alone["connections"][0]["subnets"] = ["10.3.0.0/25"]
        there["site_connection"] = [one for one in there["site_connection"] if one["id"] != "c-other"]
        assert len(_hub.prepare(alone, Cloud(there)).findings) == told
