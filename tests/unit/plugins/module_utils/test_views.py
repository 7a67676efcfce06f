# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.bothends.vpn.plugins.module_utils import _description, _hub_options, _rules, _views
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.tests.unit.builders import hub, site

HUBS = {"prod": hub(), "test": hub(subnets=["172.16.0.0/24"])}
SITES = {
    "berlin": site(3),
    "paris": site(4, hub=None, hubs=["prod", "test"], router="edge"),
    "rome": site(5, hub="test", router="edge", state="absent"),
}
KEYS = {"berlin": "berlin's own key", "prod/paris": "paris' key for prod"}
FACTS = {"prod": {"gateway": "203.0.113.150", "subnets": []}}


def names(found):
    return [one["name"] for one in found]


# --- connections -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("only", "expected"),
    [
        ({}, ["prod/berlin", "prod/paris", "test/paris", "test/rome"]),
        ({"hub": "test"}, ["test/paris", "test/rome"]),
        ({"router": "edge"}, ["prod/paris", "test/paris", "test/rome"]),
        ({"hub": "prod", "router": "edge"}, ["prod/paris"]),
        ({"router": "nobody"}, []),
    ],
)
def test_which_connections(only, expected):
    assert names(_views.connections(None, HUBS, SITES, **only)) == expected


@pytest.mark.parametrize(("end", "local"), [("hub", None), ("site", "203.0.113.3")])
def test_whose_view(end, local):
    record = _views.connections(None, HUBS, SITES, end=end)[0]
    assert (record["end"], record["local"]["gateway"]) == (end, local)


def test_keys_come_only_where_they_are_asked_for():
    assert all("psk" not in record for record in _views.connections(None, HUBS, SITES))
    with_keys = _views.connections(None, HUBS, SITES, KEYS)
    assert [record.get("psk") for record in with_keys] == ["berlin's own key", "paris' key for prod", None, None]


def test_facts_are_put_in_for_the_hubs_that_were_asked():
    found = _views.connections(None, HUBS, SITES, end="site", facts=FACTS)
    assert [record["remote"]["gateway"] for record in found] == ["203.0.113.150", "203.0.113.150", None, None]


def test_a_subnet_that_the_cloud_does_not_know():
    with pytest.raises(VpnError, match="hub prod: subnets: the VPC has no subnets called 'app'"):
        _views.connections(None, {**HUBS, "prod": hub(subnets=["app"])}, SITES, facts=FACTS)


@pytest.mark.parametrize(
    ("policies", "hubs", "sites", "field"),
    [
        pytest.param(None, HUBS, {"a": site(gatway="x")}, "vpn_sites.a.gatway", id="a misspelt key"),
        pytest.param(None, HUBS, {"a": site(gateway=None)}, "vpn_sites.a.gateway", id="a missing one"),
        pytest.param(None, {"prod": hub(vpc=None)}, {"a": site()}, "vpn_hubs.prod.vpc", id="a hub's"),
        pytest.param(
            {"x": {"ike": {"version": "v3"}}},
            HUBS,
            {"a": site(policy="x")},
            "vpn_policies.x.ike.version",
            id="a policy's",
        ),
        pytest.param(None, HUBS, {"a": site(hub="prd")}, r"vpn_sites.a.hubs\[0\]", id="a hub that is not there"),
        pytest.param(None, HUBS, {"a": site(policy="weak")}, "vpn_sites.a.policy", id="a policy that is not there"),
        pytest.param(None, HUBS, ["a"], "vpn_sites", id="no dict"),
    ],
)
def test_a_wrong_description_is_never_used(policies, hubs, sites, field):
    """A site that is missing by mistake must not look like one that is to be removed."""
    for view in (
        lambda: _views.connections(policies, hubs, sites),
        lambda: _views.router_sites(policies, hubs, sites, router="a"),
        lambda: _views.hub_connections(policies, hubs, sites, {}, "prod"),
    ):
        with pytest.raises(VpnError, match=f"error: {field}: .* Remedy: "):
            view()


def test_what_is_wrong_elsewhere_does_not_stop_a_router():
    """A broken site of another router, and a hub or policy that no site here uses, are others' trouble."""
    hubs = {**HUBS, "broken": {"subnets": []}}
    sites = {"a": site(), "b": site(4, gateway=None)}
    (only,) = _views.router_sites({"x": {"ike": {"version": "v3"}}}, hubs, sites, router="a")
    assert only["name"] == "a"


BROKEN = {
    "a": site(),
    "b": site(4, gateway=None),
    "c": site(5, hub="test"),
    "d": site(6, policy="x", hub=None, hubs=["prod", "test"]),
}


@pytest.mark.parametrize(
    ("sites", "hubs", "psks", "stopped"),
    [
        pytest.param(BROKEN, HUBS, None, {"b", "d"}, id="an entry, and the user of a broken policy"),
        pytest.param(BROKEN, {**HUBS, "test": hub(vpc=None)}, None, {"b", "c", "d"}, id="a hub's sites"),
        pytest.param({"a": site(), "b": site(4, subnets=["10.3.0.0/25"])}, HUBS, None, {"a", "b"}, id="an overlap"),
        pytest.param({"a": site(), "b": site(4, subnets=["10.4.0.0/24", "10.4.0.0/25"])}, HUBS, None, {"b"}, id="with itself"),
        pytest.param({"a": site(), "b": site(4)}, HUBS, {"a": "x" * 20}, {"b"}, id="a key that lacks"),
        pytest.param({"a": site(), "b": site(4)}, HUBS, {"a": "x" * 20, "b": "x"}, set(), id="a warning"),
        pytest.param({"a": site()}, [], None, {"a"}, id="everything"),
        pytest.param({"a": site(), "b": site(4, gateway="203.0.113.3"), "c": site(5, hub="test")}, HUBS, None, {"a", "b"},
                     id="one gateway for two: nobody can tell which is wrong"),
        pytest.param({"a": site(router="r"), "b": site(4, router="r", platform="libreswan"), "c": site(5)}, HUBS, None, {"a", "b"},
                     id="two platforms on one router"),
        pytest.param(
            {name: site(number, router="r", router_settings={"routes": [{"to": "10.9.0.0/24", "via": f"10.{number}.0.1"}]})
             for number, name in enumerate("ab", start=3)}, HUBS, None, {"a", "b"}, id="two ways to one subnet"),
        pytest.param({"a": site(), "b": site(4)}, HUBS, {"a": 12345678901234567890, "b": "x" * 20}, {"a"}, id="a mangled key"),
        pytest.param({"a": site()}, HUBS, {"a": "x" * 20, "gone": True}, set(), id="a mangled key of nobody"),
    ],
)  # fmt: skip
def test_an_error_stops_the_sites_that_it_concerns(sites, hubs, psks, stopped):
    policies = {"x": {"ike": {"version": "v3"}}}
    found = _views.blocked(policies, hubs, sites, psks)
    assert set(found) == stopped and all(found.values())
    if isinstance(hubs, dict):
        left = _views.connections(policies, hubs, sites, blocked=found)
        assert {record["site"] for record in left} == set(sites) - stopped


def test_everything_can_be_asked_to_be_taken_off():
    sites = {"a": site(), "b": site(4, state="disabled")}
    assert [one["state"] for one in _views.router_sites(None, HUBS, sites, absent=True)] == ["absent", "absent"]
    assert [one["state"] for one in _views.hub_connections(None, HUBS, sites, {}, "prod", absent=True)] == [
        "absent"
    ] * 2


def test_an_absent_site_may_name_what_is_gone():
    sites = {"a": site(policy="gone", hub=None, hubs=["gone", "prod"], state="absent")}
    assert names(_views.connections(None, HUBS, sites)) == ["prod/a"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"end": "router"}, "end: router is neither hub nor site"),
        ({"psks": ["a key"]}, "psks: a dict .* not list"),
        ({"psks": "a key"}, "psks: a dict .* not str"),
    ],
)
def test_a_wrong_argument_is_named(wrong, message):
    with pytest.raises(VpnError, match=message) as caught:
        _views.connections(None, HUBS, SITES, **wrong)
    assert "a key" not in str(caught.value)


# --- hub_connections -------------------------------------------------------------------------------------------------


def test_what_module_hub_takes():
    berlin, paris = _views.hub_connections(None, HUBS, SITES, KEYS, "prod")
    assert (berlin["name"], paris["name"]) == ("berlin", "paris")
    assert (berlin["psk"], paris["psk"]) == ("berlin's own key", "paris' key for prod")
    assert berlin["policy"] == "default"
    assert set(berlin) <= {"name", "psk", *_hub_options.SITE_FIELDS}
    assert not {"router", "platform", "router_settings", "hub", "hubs"} & set(berlin)


def test_without_keys_no_connection_has_one():
    assert all("psk" not in one for one in _views.hub_connections(None, HUBS, SITES, None, "prod"))


def test_absent_sites_are_told_to_the_hub():
    assert [(one["name"], one["state"]) for one in _views.hub_connections(None, HUBS, SITES, {}, "test")] == [
        ("paris", "present"),
        ("rome", "absent"),
    ]


def test_an_unknown_hub_is_no_empty_hub():
    """With purge, no connections would mean that all are to go."""
    with pytest.raises(VpnError, match="there is no 'prd' in vpn_hubs; known are: prod, test"):
        _views.hub_connections(None, HUBS, SITES, {}, "prd")


def test_the_module_describes_again_what_the_filter_gave():
    """What the filter cuts out for the module says the same as the description that it came from."""
    params = {
        **_description.describe(None, HUBS, {}).hubs["prod"],
        "name": "prod",
        "policies": [],
        "connections": _views.hub_connections(None, HUBS, SITES, KEYS, "prod"),
    }
    described, psks = _hub_options.describe(params)
    assert _rules.offline(described) == []
    assert psks == {"berlin": "berlin's own key", "paris": "paris' key for prod"}
    whole = _description.describe(None, HUBS, SITES).sites
    modes = {record["site"]: record["selector_mode"] for record in _views.connections(None, HUBS, SITES, hub="prod")}
    for name, entry in described.sites.items():
        # What `auto` comes to may follow from the platform, which the module is not told.
        expected = {**whole[name], "selector_mode": modes[name]}
        assert {key: entry[key] for key in _hub_options.SITE_FIELDS} == {
            key: expected[key] for key in _hub_options.SITE_FIELDS
        }


# --- router_sites ----------------------------------------------------------------------------------------------------


def test_a_site_of_two_hubs_is_one_site_with_two_connections():
    paris, rome = _views.router_sites(None, HUBS, SITES, KEYS, router="edge", facts=FACTS)
    assert (paris["name"], paris["state"], names(paris["connections"])) == (
        "paris",
        "present",
        ["prod/paris", "test/paris"],
    )
    assert (rome["name"], rome["state"], names(rome["connections"])) == ("rome", "absent", ["test/rome"])
    assert paris["platform"] == "strongswan"
    assert {one["end"] for one in paris["connections"]} == {"site"}
    assert [one.get("psk") for one in paris["connections"]] == ["paris' key for prod", None]


@pytest.mark.parametrize(
    ("routers", "expected"),
    [
        pytest.param(["edge"], ["berlin"], id="one router is there"),
        pytest.param([], ["berlin", "paris", "rome"], id="none is there"),
        pytest.param(["berlin", "edge"], [], id="all are there"),
        pytest.param(None, ["berlin", "paris", "rome"], id="not asked"),
    ],
)
def test_the_sites_without_a_router_in_the_inventory(routers, expected):
    assert names(_views.router_sites(None, HUBS, SITES, without_routers=routers)) == expected


def test_a_routers_sites_have_no_key_unless_asked_for():
    assert "psk" not in str(_views.router_sites(None, HUBS, SITES, router="berlin")).replace("psk_generation", "")
