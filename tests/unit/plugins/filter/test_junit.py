# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from ansible_collections.bothends.vpn.plugins.filter.findings import FilterModule as Findings
from ansible_collections.bothends.vpn.plugins.filter.junit import FilterModule
from ansible_collections.bothends.vpn.tests.unit.builders import hub, site

findings = Findings().filters()["findings"]
junit = FilterModule().filters()["junit"]


def cases(sites, **more):
    """Give (name, class, what became of it, its text) of each test case."""
    hubs = {"prod": hub()}
    found = findings(sites, hubs=hubs, **more)
    root = ElementTree.fromstring(junit(found, hubs=hubs, sites=sites, policies=more.get("policies") or {}))
    [suite] = root
    counted = {key: int(suite.get(key)) for key in ("tests", "failures", "errors")}
    out = []
    for case in suite:
        children = {child.tag: child for child in case}
        became = next((tag for tag in ("failure", "skipped") if tag in children), "passed")
        out.append(
            (case.get("name"), case.get("classname"), became, "".join(child.text or "" for child in children.values()))
        )
    assert counted == {"tests": len(out), "failures": sum(one[2] == "failure" for one in out), "errors": 0}
    return out


def test_a_good_description_passes_part_by_part():
    assert [one[:3] for one in cases({"berlin": site()})] == [
        ("vpn_hubs.prod has no findings", "preflight", "passed"),
        ("vpn_sites.berlin has no findings", "preflight", "passed"),
    ]


def test_an_error_fails_a_warning_passes_and_an_ignored_one_is_skipped():
    sites = {"a": site(3, subnets=["nonsense"]), "b": site(4, subnets=["10.4.0.9/24"]), "c": site(5, policy="old")}
    ignore = [{"code": "ikev1", "reason": "no other device"}]
    found = cases(sites, policies={"old": {"ike": {"version": "v1"}}}, ignore=ignore)
    assert [one[:3] for one in found] == [
        ("bad-subnet vpn_sites.a.subnets[0]", "preflight.error", "failure"),
        ("host-bits vpn_sites.b.subnets[0]", "preflight.warning", "passed"),
        ("ikev1 vpn_policies.old.ike.version", "preflight.ignored", "skipped"),
        ("vpn_hubs.prod has no findings", "preflight", "passed"),
        ("vpn_sites.c has no findings", "preflight", "passed"),
    ]
    assert "Remedy: Write it as a CIDR" in found[0][3] and "Write 10.4.0.0/24." in found[1][3]
    assert found[2][3].startswith("no other device")


def test_a_finding_is_about_what_its_field_names_and_about_its_host():
    """A subnet of the hub's, for which one site has no counterpart."""
    found = cases({"a": site(3, subnets=["fd00:3::/64"]), "b": site(4, subnets=["fd00:4::/64"])})
    names = [one[0] for one in found]
    assert {"no-partner vpn_hubs.prod.subnets[0] of a", "no-partner vpn_hubs.prod.subnets[0] of b"} <= set(names)
    assert len(names) == len(set(names)) and not [name for name in names if "no findings" in name]


def test_a_finding_about_a_key_is_its_sites():
    assert [one[0] for one in cases({"a": site()}, psks={})] == [
        "psk-missing vpn_psks['prod/a']",
        "vpn_hubs.prod has no findings",
    ]


@pytest.mark.parametrize("value", ["<a&b>\"'", "]]>", "\x00\x07\x1b[31m", "\ud800", "\ufffe", "tab\tand\nline", "ü€😀"])
def test_whatever_is_written_the_document_is_whole(value):
    found = cases({"a": site(subnets=[value])})
    assert found[0][2] == "failure"


def test_names_alone_are_enough_and_a_stage_is_named():
    root = ElementTree.fromstring(junit([], hubs=["prod"], sites=["a"], stage="hub prod"))
    assert root[0].get("name") == "bothends.vpn hub prod"
    assert [(case.get("name"), case.get("classname")) for case in root[0]] == [
        ("vpn_hubs.prod has no findings", "hub prod"),
        ("vpn_sites.a has no findings", "hub prod"),
    ]


def test_what_is_no_description_has_no_parts():
    """The findings say what is wrong with it."""
    assert ElementTree.fromstring(junit([], hubs="x", sites=None, policies=7)).findall(".//testcase") == []
