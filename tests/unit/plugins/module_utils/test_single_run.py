# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import importlib

import pytest
import yaml

from ansible_collections.bothends.vpn.plugins.module_utils import _module, _single_kinds, _single_run
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.tests.unit.singles import (
    CONNECTION,
    KEY,
    WHOLE,
    Cloud,
    empty,
    made,
    params,
    rule_params,
    whole,
)

WEB = {"protocol": "tcp", "ports": ["443"], "remote_ip_prefix": "192.168.3.0/24"}


def apply(cloud, kind, check_mode=False, **given):
    return _single_run.apply(kind, params(kind, **given), cloud, check_mode)


def apply_rules(cloud, *rules, check_mode=False, **given):
    return _single_run.apply_rules(rule_params(*rules, **given), cloud, check_mode)


def told(module):
    """Give what a module says that it returns."""
    path = f"ansible_collections.bothends.vpn.plugins.modules.{module}"
    return yaml.safe_load(importlib.import_module(path).RETURN)


# --- check mode and the real run -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "given"), WHOLE, ids=[f"{kind} {given['name']}" for kind, given in WHOLE])
def test_check_mode_says_what_the_real_run_does(kind, given):
    before = made(empty(), *WHOLE[: WHOLE.index((kind, given))])
    cloud = Cloud(before)
    checked = apply(cloud, kind, check_mode=True, **given)
    assert cloud.there is before and checked["changed"] and checked[kind]["id"] is None
    real = apply(cloud, kind, **given)
    assert (real["plan"], real["diff"]) == (checked["plan"], checked["diff"])
    assert {**real[kind], "id": None} == checked[kind]
    assert real[kind]["id"] in {one["id"] for one in cloud.there[kind]}
    again = apply(cloud, kind, **given)
    assert (again["changed"], again["plan"], again["diff"], again[kind]) == (
        False,
        [],
        {"before": {}, "after": {}},
        real[kind],
    )


@pytest.mark.parametrize(("kind", "given"), WHOLE[-1:] + WHOLE[:1], ids=["site_connection", "ike_policy"])
def test_absent(kind, given):
    cloud = Cloud(whole() if kind == "site_connection" else made(empty(), WHOLE[0]))
    checked = apply(cloud, kind, check_mode=True, name=given["name"], state="absent")
    assert (checked["changed"], checked[kind], len(cloud.there[kind])) == (True, None, 1)
    real = apply(cloud, kind, name=given["name"], state="absent")
    assert (real["changed"], real[kind], cloud.there[kind], real["plan"]) == (True, None, [], checked["plan"])
    assert not apply(cloud, kind, name=given["name"], state="absent")["changed"]


def test_a_group_made_anew_comes_with_its_new_id():
    cloud = Cloud(made(empty(), WHOLE[4]))
    before = cloud.there["endpoint_group"][0]["id"]
    result = apply(cloud, "endpoint_group", name="there", endpoints=["10.9.0.0/16"])
    assert result["endpoint_group"]["id"] == cloud.there["endpoint_group"][0]["id"] != before
    assert [step["verb"] for step in result["plan"]] == ["delete", "create"]


@pytest.mark.parametrize("check_mode", [True, False])
def test_the_rules_of_a_group(check_mode):
    cloud = Cloud(empty())
    result = apply_rules(cloud, WEB, check_mode=check_mode)
    assert result["security_group"] == {"id": "g1", "name": "servers"} and result["changed"]
    (rule,) = [one for one in result["rules"] if one["direction"] == "ingress"]
    assert (rule["ports"], rule["remote_ip_prefix"], rule["id"] is None) == ("443", "192.168.3.0/24", check_mode)
    assert apply_rules(cloud, WEB)["changed"] is check_mode


@pytest.mark.parametrize(
    ("rule", "shown"),
    [
        ({"protocol": "tcp", "ports": ["80-90"]}, {"protocol": "tcp", "ports": "80-90", "icmp_type": None}),
        ({"protocol": "icmp", "icmp_type": 8}, {"protocol": "icmp", "ports": None, "icmp_type": 8, "icmp_code": None}),
        ({}, {"protocol": "any", "ports": None, "description": ""}),
    ],
)
def test_a_rule_is_shown_in_the_options_words(rule, shown):
    result = apply_rules(Cloud({**empty(), "security_group_rule": []}), rule)
    assert shown.items() <= result["rules"][0].items()


def test_the_rules_of_a_group_that_is_not_there_yet():
    result = apply_rules(Cloud(empty()), WEB, security_group="later", check_mode=True)
    assert result["security_group"] == {"id": None, "name": "later"} and len(result["rules"]) == 1
    assert result["warnings"] == ["security group 'later' is not there yet; its id is known after apply."]


def test_host_bits_of_a_rule_are_a_warning():
    result = apply_rules(Cloud(empty()), {**WEB, "remote_ip_prefix": "192.168.3.7/24"}, WEB | {"ports": ["80"]})
    [warning] = result["warnings"]
    assert warning.startswith(
        "security group servers: rules[0].remote_ip_prefix: 192.168.3.7/24 has host bits; 192.168.3.0/24 is"
    )


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize(
    ("given", "rules"),
    [
        pytest.param({"security_group": "gone"}, [WEB], id="the group"),
        pytest.param({}, [{"remote_group": "gone"}, {"remote_group": "gone too"}], id="remote groups"),
        pytest.param({}, [{"remote_address_group": "gone"}], id="an address group"),
    ],
)
def test_rules_of_what_is_gone_are_absent(check_mode, given, rules):
    result = apply_rules(Cloud(empty()), *rules, check_mode=check_mode, state="absent", **given)
    assert (result["changed"], result["plan"], result["warnings"]) == (False, [], [])
    assert result["security_group"]["name"] == given.get("security_group", "servers")


def test_check_mode_tells_two_groups_that_will_be_there_apart():
    rules = [{"remote_group": "later"}, {"remote_group": "last"}]
    result = apply_rules(Cloud(empty()), *rules, check_mode=True)
    assert [step["verb"] for step in result["plan"]] == ["create", "create"] and len(result["warnings"]) == 2
    with pytest.raises(VpnError, match="lets through the same"):
        apply_rules(Cloud(empty()), {"remote_group": "later"}, {"remote_group": "later"}, check_mode=True)


# --- what is said ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", sorted(_single_kinds.ROWS))
def test_what_is_returned_is_what_is_documented(kind):
    result = apply(Cloud(whole()), kind, name=next(given["name"] for wanted, given in WHOLE if wanted == kind))
    said = told(kind)
    assert set(result) - {"changed", "diff", "warnings"} == set(said)
    assert set(result[kind]) == set(said[kind]["contains"])
    for option in set(_single_kinds.options(kind)) & set(result[kind]) - {"state"}:
        told_type = said[kind]["contains"][option]["type"]
        assert told_type == _single_kinds.options(kind)[option]["type"], option


def test_what_is_returned_of_rules_is_what_is_documented():
    result, said = apply_rules(Cloud(empty()), WEB), told("security_group_rules")
    assert set(result) - {"changed", "diff", "warnings"} == set(said)
    assert set(result["rules"][0]) == set(said["rules"]["contains"])
    assert set(result["plan"][0]) == set(said["plan"]["contains"])


@pytest.mark.parametrize("change", [{}, {"psk": "another key of 20 characters"}])
def test_no_key_is_shown(change):
    """Neither the one that is there nor a new one."""
    cloud = Cloud(whole())
    results = [
        apply(cloud, "site_connection", check_mode=mode, name="berlin", mtu=1400, **change) for mode in (True, False)
    ]
    assert "of 20 characters" not in repr(results) and cloud.there["site_connection"][0]["psk"].endswith(
        "of 20 characters"
    )
    new = apply(Cloud(made(empty(), *WHOLE[:-1])), "site_connection", **CONNECTION)
    assert KEY not in repr(new) and "(secret)" in repr(new["diff"])


def test_the_status_comes_in_both_words():
    cloud = Cloud(whole())
    cloud.there["site_connection"][0]["status"] = "DOWN"
    shown = apply(cloud, "site_connection", name="berlin")["site_connection"]
    assert (shown["status"], shown["state"]) == ("DOWN", "Not connected")


def test_what_was_planned_is_said_of_a_run_that_failed():
    class Broken(Cloud):
        def execute(self, todo, timeout=None):
            raise VpnError("the cloud refused", changed=False)

    with pytest.raises(VpnError, match="refused") as caught:
        apply(Broken(empty()), "ike_policy", name="x")
    assert caught.value.result["changed"] is False and caught.value.result["plan"][0]["name"] == "x"
    with pytest.raises(VpnError, match="refused") as caught:
        apply_rules(Broken(empty()), WEB)
    assert caught.value.result["plan"][0]["kind"] == "security_group_rule"


def examples(module):
    """Give the options of each example."""
    path = f"ansible_collections.bothends.vpn.plugins.modules.{module}"
    tasks = yaml.safe_load(importlib.import_module(path).EXAMPLES)
    return [{key: value for key, value in task[f"bothends.vpn.{module}"].items() if key != "cloud"} for task in tasks]


def test_the_examples_do_what_they_say():
    """One after the other: what the last one of a module removes, the next ones need."""
    cloud = Cloud(empty())
    cloud.there["routers"].append({**cloud.there["routers"][0], "id": "v3", "name": "staging"})
    kinds = ("ike_policy", "ipsec_policy", "vpn_service", "endpoint_group", "site_connection")
    for kind in kinds:
        for example in examples(kind)[: None if kind == "site_connection" else -1]:
            assert apply(cloud, kind, **example)["changed"], example
    for kind in reversed(kinds[:-1]):
        assert apply(cloud, kind, **examples(kind)[-1])["changed"]
    cloud.there["security_groups"].append({"id": "g2", "name": "bastions"})
    changed = []
    for example in examples("security_group_rules"):
        result = _single_run.apply_rules(rule_params(*example.pop("rules"), **example), cloud, check_mode=False)
        changed.append([step["verb"] for step in result["plan"]])
    assert changed == [["create"] * 3, ["create", "delete", "delete", "delete"], ["delete"]]


@pytest.mark.parametrize("fails", [False, True])
def test_warnings_are_warned_of(monkeypatch, fails):
    """AnsibleModule takes none in a result any more."""

    class Module:
        params = {"cloud": None, "concurrency": 1}

        def __init__(self):
            self.warned, self.result, self.no_log_values = [], None, set()

        def warn(self, text):
            self.warned.append(text)

        def exit_json(self, **result):
            self.result = result
            raise SystemExit

        fail_json = exit_json

    def work(cloud):
        if fails:
            raise VpnError("refused", warnings=["weak"], changed=False)
        return {"warnings": ["weak"], "changed": False}

    monkeypatch.setattr(_module._cloud, "Cloud", lambda *login: None)
    module = Module()
    with pytest.raises(SystemExit):
        _module.run(module, work)
    assert module.warned == ["weak"] and "warnings" not in module.result and ("msg" in module.result) is fails


# --- waiting ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wait_for", "change", "waited"),
    [
        ("accepted", {"mtu": 1400}, [False]),
        ("accepted", {}, []),
        ("active", {}, [True]),
        ("active", {"mtu": 1400}, [True]),
        ("none", {"mtu": 1400}, []),
    ],
)
def test_what_is_waited_for(wait_for, change, waited):
    cloud = Cloud(whole())
    apply(cloud, "site_connection", name="berlin", wait_for=wait_for, timeout=7, **change)
    identifier = cloud.there["site_connection"][0]["id"]
    assert cloud.waited == [({identifier}, active, 7) for active in waited] and cloud.timeouts == [7] * bool(change)
    apply(cloud, "site_connection", check_mode=True, name="berlin", wait_for=wait_for, mtu=1300)
    assert len(cloud.waited) == len(waited), "check mode waits for nothing"


class Slow(Cloud):
    """Accepts a deletion, and does it some looks later."""

    def __init__(self, there, looks):
        super().__init__(there)
        self.looks, self.late = looks, []

    def execute(self, todo, timeout=None):
        self.late = self.there["site_connection"]
        return super().execute(todo, timeout)

    def list(self, path, plural, query=""):
        if plural == "ipsec_site_connections" and self.late:
            self.looks -= 1
            return self.late if self.looks >= 0 else []
        return super().list(path, plural, query)


@pytest.fixture
def clock(monkeypatch):
    """A second a sleep, and none of ours."""
    now = [0.0]
    monkeypatch.setattr(_single_run.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(_single_run.time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    return now


def test_a_deletion_is_waited_for(clock):
    assert apply(Slow(whole(), 5), "site_connection", name="berlin", state="absent", timeout=7)["changed"]
    assert clock == [5.0]
    assert apply(Slow(whole(), 5), "site_connection", name="berlin", state="absent", wait_for="none")["changed"]
    assert clock == [5.0]
    with pytest.raises(VpnError, match="after 7 s site connection berlin is still there") as caught:
        apply(Slow(whole(), 99), "site_connection", name="berlin", state="absent", timeout=7)
    assert caught.value.result["changed"]


def test_what_vanished_is_said():
    cloud = Cloud(empty())
    cloud.after_execute = lambda one: one.there.update(ike_policy=[])
    with pytest.raises(VpnError, match="was written, but is not there any more"):
        apply(cloud, "ike_policy", name="x")


# --- how much is read ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "given", "reads"),
    [
        ("ike_policy", {"name": "strong"}, 3),
        ("vpn_service", {"name": "vpn", "vpc": "prod"}, 5),
        ("site_connection", CONNECTION, 9),
    ],
)
def test_each_list_is_read_once(kind, given, reads):
    cloud = Cloud(whole())
    apply(cloud, kind, **given)
    assert len(cloud.reads) == len(set(cloud.reads)) == reads


def test_the_ports_that_are_read_are_the_routers():
    cloud = Cloud(made(empty(), *WHOLE[:-1]))
    apply(cloud, "site_connection", check_mode=True, **CONNECTION)
    assert [one for one in cloud.reads if "ports" in one] == ["ports?device_id=v1"]
