# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.bothends.vpn.plugins.filter.findings import FilterModule
from ansible_collections.bothends.vpn.plugins.module_utils import _codes, _description
from ansible_collections.bothends.vpn.tests.unit.builders import hub, site

findings = FilterModule().filters()["findings"]
WHY = "the device is replaced next year"
POLICIES = {
    "old": {"ike": {"version": "v1"}},
    "weak": {"ike": {"dh_group": "group2"}, "ipsec": {"pfs_group": "group2"}},
}
SITES = {"a": site(3, policy="old"), "b": site(4, policy="weak")}
ALL = [("ikev1", "old"), ("weak-algorithm", "weak"), ("weak-algorithm", "weak")]


def told(ignore, sites=None, **more):
    """Give (severity, code, host) of each finding."""
    found = findings(sites or SITES, hubs={"prod": hub()}, policies=POLICIES, ignore=ignore, **more)
    return [(one["severity"], one["code"], one["host"]) for one in found]


@pytest.mark.parametrize(
    ("entry", "ignored"),
    [
        ({"code": "ikev1"}, ALL[:1]),
        ({"code": "ikev1", "host": "old"}, ALL[:1]),
        ({"code": "weak-algorithm"}, ALL[1:]),
        ({"code": "weak-algorithm", "field": "vpn_policies.weak"}, ALL[1:]),
        ({"code": "weak-algorithm", "field": "vpn_policies.weak.ike"}, ALL[1:2]),
        ({"code": "weak-algorithm", "field": "vpn_policies.weak.ipsec.pfs_group"}, ALL[1:2]),
    ],
)
def test_what_an_entry_silences(entry, ignored):
    left = [one for one in ALL if one not in ignored] if len(ignored) != 1 or ignored[0][0] == "ikev1" else ALL[:2]
    assert told([{**entry, "reason": WHY}]) == [("warning", *one) for one in left] + [
        ("ignored", *one) for one in ignored
    ]


@pytest.mark.parametrize(
    "entry",
    [
        {"code": "ikev1", "host": "weak"},
        {"code": "weak-algorithm", "field": "vpn_policies.wea"},
        {"code": "weak-algorithm", "field": "vpn_policies.weak.ike.dh_group.x"},
    ],
)
def test_an_entry_that_silences_nothing_is_told(entry):
    assert told([{**entry, "reason": WHY}]) == sorted([*(("warning", *one) for one in ALL), ("warning", "ignore-unused", "")],
                                                      key=lambda one: one[2])  # fmt: skip


@pytest.mark.parametrize(
    "code", ["overlap-connection", "over-usual-quota", "psk-short", "mangled-by-yaml", "hub-without-host"]
)
def test_what_nobody_looked_for_is_not_missed(code):
    """What the cloud shows, and what needs keys or the inventory's hosts."""
    assert told([{"code": code, "reason": WHY}]) == told(None)


def test_where_keys_are_given_what_they_do_not_show_is_missed():
    ignore = [{"code": "psk-short", "reason": WHY}]
    keys = dict.fromkeys(SITES, "a key of twenty characters")
    found = findings(SITES, hubs={"prod": hub()}, policies=POLICIES, psks=keys, ignore=ignore)
    assert "ignore-unused" in {one["code"] for one in found}


def test_a_silenced_finding_keeps_all_else_and_gets_its_reason():
    ignore = [{"code": "ikev1", "reason": WHY}]
    before, after = (findings(SITES, hubs={"prod": hub()}, policies=POLICIES, ignore=one) for one in (None, ignore))
    [was], [is_now] = ([one for one in found if one["code"] == "ikev1"] for found in (before, after))
    assert is_now == {**was, "severity": "ignored", "reason": WHY}


def test_an_error_cannot_be_ignored():
    sites = {"a": site(gateway="192.168.1.9")}  # in the hub: an error; a site's own subnet would be a warning
    found = told([{"code": "gateway-inside", "reason": WHY}], sites)
    assert ("error", "gateway-inside", "a") in found and ("error", "ignore-error", "a") in found
    own = {"a": site(gateway="10.3.0.1")}
    assert ("ignored", "gateway-inside", "a") in told([{"code": "gateway-inside", "reason": WHY}], own)


@pytest.mark.parametrize("code", sorted(code for code, row in _codes.CODES.items() if not row.ignorable))
def test_no_code_of_an_error_can_be_named(code):
    assert ("error", "ignore-error", "") in told([{"code": code, "reason": WHY}])
    assert not set(_codes.CODES[code].severities) - {"error"} or code == "ignore-unused"


@pytest.mark.parametrize(
    ("ignore", "code", "field"),
    [
        ({"code": "ikev1"}, "not-a-list", "vpn_ignore"),
        ("ikev1", "not-a-list", "vpn_ignore"),
        (["ikev1"], "not-a-dict", "vpn_ignore[0]"),
        ([{"code": "ikev1"}], "missing", "vpn_ignore[0].reason"),
        ([{"code": "ikev1", "reason": ""}], "missing", "vpn_ignore[0].reason"),
        ([{"reason": WHY}], "missing", "vpn_ignore[0].code"),
        ([{"code": "ikev2", "reason": WHY}], "bad-value", "vpn_ignore[0].code"),
        ([{"code": "ikev1", "reason": WHY}, {"code": "ikev1", "reason": WHY, "site": "a"}], "unknown-key", "vpn_ignore[1].site"),
    ],
)  # fmt: skip
def test_an_entry_that_is_wrong_silences_nothing(ignore, code, field):
    found = findings({"a": site()}, hubs={"prod": hub()}, ignore=ignore)
    assert [(one["severity"], one["code"], one["field"]) for one in found if one["severity"] == "error"] == [
        ("error", code, field)
    ]
    assert found[0]["scope"] == ""


@pytest.mark.parametrize("nothing", [None, "", [], ()])
def test_no_entry_is_none(nothing):
    assert _description.describe({}, {}, {}, nothing).ignore in ([], ())
