# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules hub and hub_info from end to end, with a small neutron."""

from __future__ import annotations

import importlib

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.bothends.vpn.plugins.module_utils import _hub, _hub_info, _hub_options, _module
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.tests.unit.builders import hub, site
from ansible_collections.bothends.vpn.tests.unit.neutron import Answer, Neutron, refusal, settled

KEY = "a key of 20 characters"
SITES = {"berlin": site(3), "paris": site(4)}
GONE = {name: {**one, "state": "absent"} for name, one in SITES.items()}


@pytest.fixture
def neutron():
    """A cloud with a VPC and no VPN."""
    there = Neutron()
    there.answers["GET", f"{there.get_endpoint()}/v2.0/quotas/{there.get_project_id()}/details"] = Answer(404)
    return there


def validated(spec, given):
    """Give all options, as the module gets them."""
    outcome = ArgumentSpecValidator({**_module.CLOUD_SPEC, **spec}).validate(given)
    assert outcome.error_messages == []
    return outcome.validated_parameters


@pytest.fixture
def apply(neutron, connect):
    """Run the module's code with these sites, options and the defaults of the others."""
    cloud = connect(neutron)

    def run(sites, check_mode=False, **options):
        connections = [
            {"name": name, "psk": KEY, **{key: one[key] for key in one if key != "hub"}} for name, one in sites.items()
        ]
        given = {"name": "prod", **hub(), "connections": connections, "wait_for": "none", **options}
        return _hub.apply(validated(_hub_options.spec(), given), cloud, check_mode)

    return run


def left(neutron):
    """Give the kinds of which something is there that the module makes."""
    kinds = ("ikepolicies", "ipsecpolicies", "vpnservices", "endpoint_groups", "ipsec_site_connections")
    rules = [one for one in neutron.lists["security_group_rules"] if one["direction"] == "ingress"]
    return [kind for kind in kinds if neutron.lists[kind]] + ["rules"] * bool(rules)


# --- what need not be there ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "what"),
    [
        pytest.param({"security_groups": ["gone"]}, "security group 'gone' is not there", id="group"),
        pytest.param({"subnets": ["gone"]}, "no subnets called 'gone'", id="subnet by name"),
        pytest.param({"subnets": ["192.168.9.0/24"]}, "no subnet 192.168.9.0/24", id="subnet by CIDR"),
    ],
)
def test_what_is_only_to_go_needs_nothing_of_what_it_was_made_with(neutron, apply, options, what):
    apply(SITES)
    settled(neutron)
    with pytest.raises(VpnError, match=what):
        apply({"berlin": GONE["berlin"], "paris": SITES["paris"]}, **options)
    assert apply(GONE, **options)["changed"]
    assert left(neutron) == []
    assert not apply(GONE, **options)["changed"]


# --- check mode ------------------------------------------------------------------------------------------------------

GROUPS = {"security_groups": ["servers", "later", "last"]}


def test_check_mode_takes_a_group_for_one_that_will_be_there(neutron, apply):
    checked = apply(SITES, check_mode=True, **GROUPS)
    assert checked["warnings"] == [
        f"security group {name!r} is not there yet; its id is known after apply." for name in ("later", "last")
    ]
    assert "later (known after apply)" in repr(checked["diff"]) and neutron.writes() == []
    with pytest.raises(VpnError, match=r"security group 'later' is not there; there are: servers\. Remedy"):
        apply(SITES, **GROUPS)
    assert neutron.writes() == []
    neutron.lists["security_groups"] += [{"id": f"g-{name}", "name": name} for name in ("later", "last")]
    real = apply(SITES, **GROUPS)
    assert (real["plan"], real["warnings"]) == (checked["plan"], [])


def test_check_mode_still_wants_the_subnets(apply):
    """What overlaps, and which tunnels there would be, nobody could say without them."""
    with pytest.raises(VpnError, match="no subnets called 'later'"):
        apply(SITES, check_mode=True, subnets=["later"])


# --- what the cloud refuses of one site -------------------------------------------------------------------------------

POLICIES = [{"name": "strong", "ike": {"lifetime": lifetime}} for lifetime in (28800, 14400)]
FAULTS = [(400, "BadRequest", "no such thing"), (409, "OverQuota", "Quota exceeded"), (500, "Internal", "gone wrong")]


def refuse(neutron, verb, name, fault):
    """Refuse each write of this verb that names an object so."""

    def between(_number, method, path, served):
        body = neutron.log[-1][2] or {}
        things = [*neutron.lists["ipsec_site_connections"], *(body.values())]
        ours = [one for one in things if isinstance(one, dict) and one.get("name") == name]
        meant = any(one in body.values() or path.endswith(str(one.get("id"))) for one in ours)
        return refusal(*fault) if (method, meant) == (verb, True) else served()

    neutron.between = between


CHANGES = [
    pytest.param("POST", {}, {}, id="a new connection"),
    pytest.param("PUT", SITES, {"subnets": ["10.9.0.0/24"]}, id="other subnets"),
    pytest.param("POST", SITES, {"policy": "other"}, id="another policy"),
    pytest.param("DELETE", SITES, {"state": "absent"}, id="absent"),
]


@pytest.mark.parametrize("fault", FAULTS, ids=[kind for _status, kind, _said in FAULTS])
@pytest.mark.parametrize(("verb", "before", "change"), CHANGES)
def test_what_the_cloud_refuses_of_a_site_stops_that_site_only(neutron, apply, verb, before, change, fault):
    """The other one is as described; the next run finds what is left to do, and nothing is there twice."""
    options = {
        "policies": [{**POLICIES[0], "name": "default"}, {**POLICIES[1], "name": "other"}],
        "allow_disruption": True,
    }
    sites = {name: {"policy": "default", **one} for name, one in SITES.items()}
    if before:
        apply(sites, **options)
        settled(neutron)
    now = {
        "berlin": {**sites["berlin"], **change},
        "paris": {**sites["paris"], **({**change, "subnets": ["10.8.0.0/24"]} if "subnets" in change else change)},
    }
    kept = [one["id"] for one in neutron.lists["ipsec_site_connections"] if one["name"] == "prod/berlin/1"]
    refuse(neutron, verb, "prod/berlin/1", fault)
    with pytest.raises(VpnError) as caught:
        apply(now, **options)
    said, result = str(caught.value), caught.value.result
    assert said.startswith("site berlin stopped half way: cannot ") and f"HTTP {fault[0]}: {fault[2]}" in said
    assert said.endswith("All else of hub prod is as described.")
    assert list(result["blocked"]) == ["berlin"]
    assert [one["name"] for one in result["connections"]] == ["prod/paris/1"] * (change.get("state") != "absent")
    assert [one["id"] for one in neutron.lists["ipsec_site_connections"] if one["name"] == "prod/berlin/1"] == kept
    neutron.between = None
    settled(neutron)
    todo = {step["name"] for step in apply(now, check_mode=True, **options)["plan"]}
    assert todo and not any("paris" in name or "10.8.0.0" in name or "10.4.0.0" in name for name in todo)
    apply(now, **options)
    settled(neutron)
    assert not apply(now, **options)["changed"]
    names = [one["name"] for one in neutron.lists["ipsec_site_connections"]]
    assert len(names) == len(set(names))
    if change.get("state") == "absent":
        assert left(neutron) == []


def test_what_the_cloud_refuses_of_what_sites_share_ends_the_run(neutron, apply):
    neutron.answers["POST", "/vpn/ikepolicies"] = refusal(400, "BadRequest", "no such thing")
    with pytest.raises(VpnError, match="cannot create ike_policy prod/default: HTTP 400: no such thing") as caught:
        apply(SITES)
    assert "connections" not in caught.value.result and caught.value.result["blocked"] == {}


# --- what is said ----------------------------------------------------------------------------------------------------


def told(module, part):
    """Give a part of a module's documentation."""
    return yaml.safe_load(
        getattr(importlib.import_module(f"ansible_collections.bothends.vpn.plugins.modules.{module}"), part)
    )


def documented(rows, result):
    """Compare what is returned with what is told of it, into lists and dicts whose fields are told; gives the keys."""
    assert set(result) == set(rows)
    for name, row in rows.items():
        for one in (result[name] if isinstance(result[name], list) else [result[name]]) if "contains" in row else []:
            documented(row["contains"], one)
    return set(rows)


EVERY_MODULES = {"changed", "diff", "warnings"}


def returned(result):
    """Give what a module returns of its own."""
    return {name: value for name, value in result.items() if name not in EVERY_MODULES}


def only(said, *names):
    """Give the rows of these names."""
    return {name: said[name] for name in names}


PLANNED = ("plan", "leftovers", "unowned", "blocked", "findings")
DONE = (*PLANNED, "hub", "connections")


def test_what_hub_returns_is_what_is_documented(neutron, apply):
    said = told("hub", "RETURN")
    seen = documented(only(said, *DONE, "differences"), returned(apply(SITES, check_mode=True)))
    neutron.answers["POST", "/vpn/endpoint-groups"] = Answer(409, "", "Conflict")
    with pytest.raises(VpnError) as caught:
        apply(SITES)
    seen |= documented(only(said, *PLANNED, "steps_done", "steps_not_done"), returned(caught.value.result))
    neutron.answers.pop(("POST", "/vpn/endpoint-groups"))
    result = apply(SITES)
    assert result["plan"] and result["connections"] and result["hub"]["services"]
    assert documented(only(said, *DONE), returned(result)) | seen == set(said)
    # One site is blocked: all else is made, and the failure has the same.
    with pytest.raises(VpnError) as caught:
        apply({**SITES, "rome": site(5, subnets=["10.5.0/24"])})
    documented(only(said, *DONE), returned(caught.value.result))
    # What is refused because it would interrupt shows its plan.
    with pytest.raises(VpnError, match="would interrupt") as caught:
        apply({}, purge=True)
    documented(only(said, "plan", "findings"), returned(caught.value.result))


def test_what_hub_info_returns_is_what_is_documented(neutron, apply, connect):
    apply(SITES)
    settled(neutron)
    for given in ({}, {"digest_key": "x" * 20}):
        result = _hub_info.inform(validated(_hub_info.spec(), {"vpc": "prod", **given}), connect(neutron))
        assert result["connections"] and result["description"]["connections"]
        documented(told("hub_info", "RETURN"), returned(result))


def filled(value, known):
    """Put in what a playbook would."""
    if isinstance(value, dict):
        return {key: filled(one, known) for key, one in value.items()}
    if isinstance(value, list):
        return [filled(one, known) for one in value]
    return known.get(value, value)


def test_the_examples_do_what_they_say(neutron, connect):
    """As an OTC tells itself, since that is what they are for."""
    neutron.answers.update({
        ("GET", "/extensions"): Answer(404),
        ("GET", "/vpc/routes"): Answer(200, {"routes": []}),
        ("GET", f"{neutron.get_endpoint()}/v1/{neutron.get_project_id()}/quotas"): Answer(404),
    })  # fmt: skip
    cloud = connect(neutron)
    known = {"{{ vpn_psks.berlin }}": "a-key-of-20-characters"}

    def run(task):
        (module,) = {"bothends.vpn.hub", "bothends.vpn.hub_info"} & set(task)
        given = filled(task[module], known)
        if module.endswith("info"):
            return _hub_info.inform(validated(_hub_info.spec(), given), cloud)
        result = _hub.apply(validated(_hub_options.spec(), {**given, "wait_for": "none"}), cloud, False)
        settled(neutron)
        return result

    make, remove = told("hub", "EXAMPLES")
    look, wait, take_over, _show = told("hub_info", "EXAMPLES")
    assert run(make)["changed"]
    known.update({f"{{{{ prod.description.{key} }}}}": value for key, value in run(look)["description"].items()})
    assert [one["state"] for one in run(wait)["connections"]] == ["Normal"]
    assert not run(take_over)["changed"]
    assert run(remove)["changed"] and left(neutron) == []
