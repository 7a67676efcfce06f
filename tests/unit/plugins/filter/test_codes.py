# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of codes against the source, and against what the tests' own tables make it produce."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from ansible_collections.bothends.vpn.plugins.filter.findings import FilterModule
from ansible_collections.bothends.vpn.plugins.module_utils import _codes, _findings, _plan, _rules_provider, _rules_vpc
from ansible_collections.bothends.vpn.plugins.module_utils._codes import CODES
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.tests.unit.builders import hub, plan, records, site, snapshot
from ansible_collections.bothends.vpn.tests.unit.plugins.module_utils import (
    test_group_rules as group_rows,
)
from ansible_collections.bothends.vpn.tests.unit.plugins.module_utils import (
    test_providers as provider_rows,
)
from ansible_collections.bothends.vpn.tests.unit.plugins.module_utils import (
    test_rules as rows,
)
from ansible_collections.bothends.vpn.tests.unit.plugins.module_utils import (
    test_rules_vpc as vpc_rows,
)
from ansible_collections.bothends.vpn.tests.unit.plugins.module_utils import (
    test_single_refused as single_rows,
)
from ansible_collections.bothends.vpn.tests.unit.singles import (
    CONNECTION,
    WHOLE,
    empty,
    made,
    planned,
    rule_steps,
    whole,
)

SOURCES = [path for path in Path(_codes.__file__).parent.rglob("*.py") if path.name != "_codes.py"]


def values(table):
    """Give the values of a table's rows, whether they have an id or not."""
    return [tuple(getattr(row, "values", row)) for row in table]


# --- the table and the source


def literals():
    """Give each text in the source, and those that stand as the code of a finding."""
    texts, made_with = set(), set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.add(node.value)
            elif isinstance(node, ast.Call):
                place = {"finding": 0, "_same_peer": 0, "_error": 2, "error": 2}.get(getattr(node.func, "id", ""))
                if place is not None and len(node.args) > place and isinstance(node.args[place], ast.Constant):
                    made_with.add(node.args[place].value)
    return texts, made_with


def test_every_code_of_the_source_has_a_row_and_every_row_is_used():
    texts, made_with = literals()
    assert len(made_with) > 50
    assert made_with - set(CODES) == set()
    assert set(CODES) - texts == set()


def test_a_finding_of_no_code_cannot_be_made():
    with pytest.raises(KeyError):
        _findings.finding("no-such-code", "", "", "", "", "")


@pytest.mark.parametrize(("code", "row"), CODES.items(), ids=CODES)
def test_a_row_is_whole(code, row):
    assert code == code.lower() and row.what and row.source
    assert "|" not in row.what and not row.what.endswith(".")
    assert set(row.severities) <= {"error", "warning"} and row.severities
    assert set(row.found_by) <= {_codes.OFFLINE, _codes.ONLINE, _codes.OBJECT} and row.found_by


# --- the table and what is produced


def offline():
    """Find what the rows of the tests of the description are about."""
    find, prod = FilterModule().filters()["findings"], {"prod": hub()}
    for sites, hubs, _code, _field in values(rows.OVERLAPS):
        yield find(sites, hubs or prod)
    for sites, policies, _code, _field in values(rows.FAULTS):
        yield find(sites, prod, policies)
    for psks, _code in values(rows.KEYS):
        yield find({"a": site()}, prod, psks=psks)
    for change, policy, hubs, _code, _field in values(provider_rows.REFUSED):
        yield find({"a": site(**change)}, {"prod": hub(provider="otc", **hubs)}, {"default": policy})
    yield find({"s" * 63: site()}, {"prod": hub(provider="otc")})
    yield find({"a": site(subnets=[f"10.3.{n}.0/24" for n in range(6)])}, {"prod": hub(provider="otc")})
    yield find(
        {
            "-": site(),
            "b": {"hub": "prod"},
            "c": site(3, dpd={"action": "x"}),
            "d": site(4, security_group_rules={"protocol": "any"}),
        },
        prod,
    )
    yield find({"a": site(3, router="r"), "b": site(4, router="r", platform="libreswan")}, prod)
    ways = [{"to": "10.9.0.0/16", "via": f"10.{n}.0.1"} for n in (3, 4)]
    yield find(
        {
            name: site(n, router="r", router_settings={"routes": [way]})
            for name, n, way in zip("ab", (3, 4), ways, strict=True)
        },
        prod,
    )
    for change, groups, _codes_of in rows.GROUPS:
        yield find({"a": site(**change)}, {"prod": hub(security_groups=groups)})
    yield find({}, {})
    yield find({}, {}, purge=True)
    yield find(
        {"a": site()}, prod, psks={"a": 7}, hub_hosts=[], ignore=[{"code": "ikev1", "reason": "x"}, {"code": "missing"}]
    )
    yield find({"a": site(id={"value": "x"}, gateway=1.5)}, {"prod": hub(gateway="203.0.113.3")})
    yield find({"a": site()}, {"prod": hub(gateway="203.0.113.3")})


def online():
    """Find what only a cloud shows."""
    there, [record] = snapshot(), records({"a": site()})
    routed = {
        **there["vpc"][0],
        "routes": [{"destination": "10.3.0.0/16", "nexthop": "x"}],
        "external_gateway_info": None,
    }
    yield _rules_vpc.vpc("prod", "neutron", {**there, "vpc": [routed]}, [record], [])
    yield _rules_vpc.routes("otc", routed["routes"], [record])
    inside = {**record, "remote": {**record["remote"], "subnets": ["192.168.0.0/16"]}}
    yield _rules_vpc.vpc("prod", "neutron", there, [inside], [])
    yield _rules_vpc.others("prod", "neutron", vpc_rows.there_is({"old": site()}), (), (), [record])
    second = {**record, "psk_generation": 2}
    by_hand = _plan.Plan([], [], {"prod/a/1": "c1"})
    yield _rules_vpc.unknown_keys("otc", {"site_connection": [{"id": "c1", "name": ""}]}, by_hand, [second])
    for name in ("neutron", "otc"):
        for shows in ({}, {"extensions": ("vpnaas",), "missing": ("endpoint_group",)}):
            yield _rules_provider.shown("prod", name, provider_rows.server(**shows), [record])
    todo = plan(there, {"a": site()}).steps
    yield _rules_provider.quotas("prod", "neutron", todo, there, provider_rows.details(1, 1))


def objects():
    """Run the rows of the tests of the modules for one object, which raise what they find."""
    for change, _option, _code in values(single_rows.BAD):
        yield lambda change=change: whole(**change)
    for rule, _option, _code in values(group_rows.BAD):
        yield lambda rule=rule: rule_steps(empty(), rule)
    yield lambda: planned(empty(), "endpoint_group", name="x", type="cidr", endpoints=[])
    there = made(empty(), *WHOLE[:-1])
    yield lambda: planned(made(empty(), WHOLE[2]), "vpn_service", name="second", vpc="prod")
    begun = {**single_rows.SERVICE, "admin_state_up": True, "status": "PENDING_CREATE"}
    yield lambda: planned({**empty(), "vpn_service": [begun]}, "vpn_service", name="vpn", admin_state_up=False)
    yield lambda: planned(there, "endpoint_group", name="here", endpoints=[])
    for flavor in ("routed", "retired"):
        yield lambda flavor=flavor: planned(empty(), "vpn_service", name="x", vpc="prod", flavor=flavor)


def refused():
    """Run them."""
    for run in objects():
        with pytest.raises(VpnError):
            yield run()


@pytest.fixture
def looked_up(monkeypatch):
    """Record the codes of all findings that are made."""
    seen = set()

    class Recorder(dict):
        def __getitem__(self, code):
            seen.add(code)
            return super().__getitem__(code)

    monkeypatch.setattr(_findings, "CODES", Recorder(CODES))
    return seen


def test_each_code_is_produced_by_a_row(looked_up):
    found = [one for part in (*offline(), *online()) for one in part]
    list(refused())
    assert set(CODES) - looked_up == set()
    assert {one["code"] for one in found} <= looked_up
    # And with the severity, and by whom, that the table says.
    assert {(one["code"], one["severity"]) for one in found} <= {
        (code, severity) for code, row in CODES.items() for severity in (*row.severities, "ignored")
    }


def test_the_table_says_who_finds_it(looked_up):
    by = {}
    for stage, parts in ((_codes.OFFLINE, offline), (_codes.ONLINE, online), (_codes.OBJECT, refused)):
        looked_up.clear()
        list(parts())
        by[stage] = set(looked_up)
    for stage, codes in by.items():
        assert {code for code in codes if stage not in CODES[code].found_by} == set()
    assert {code for code, row in CODES.items() if row.found_by[0] == _codes.OFFLINE} - by[_codes.OFFLINE] == set()


def test_a_wrong_object_is_told_by_its_code():
    with pytest.raises(VpnError, match=r"\[not-begun\]|\[bad-address\]"):
        planned(made(empty(), *WHOLE[:-1]), "site_connection", **{**CONNECTION, "peer_address": "x.example"})
