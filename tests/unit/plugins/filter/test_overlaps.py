# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.bothends.vpn.plugins.filter import overlaps as module

overlaps = module.FilterModule().filters()["overlaps"]

OFFICE, PLANT = {"name": "office", "cidr": "192.168.1.0/24"}, {"name": "plant", "cidr": "192.168.1.128/25"}


@pytest.mark.parametrize(
    ("entries", "pairs"),
    [
        ([], []),
        (["10.0.0.0/8"], []),
        (["192.168.1.0/24", "192.168.2.0/24", "2001:db8::/32"], []),
        (["192.168.1.0/24", "192.168.0.0/16"], [("192.168.1.0/24", "192.168.0.0/16")]),
        (["192.168.0.0/16", "192.168.1.0/24"], [("192.168.0.0/16", "192.168.1.0/24")]),
        (["10.0.0.0/24", "10.0.0.0/24"], [("10.0.0.0/24", "10.0.0.0/24")]),
        (["10.0.0.5-10.0.0.9", "10.0.0.9"], [("10.0.0.5-10.0.0.9", "10.0.0.9")]),
        (["::ffff:10.0.0.0/104", "10.1.0.0/16"], [("::ffff:10.0.0.0/104", "10.1.0.0/16")]),
    ],
)
def test_texts_are_their_own_names(entries, pairs):
    found = overlaps(entries)
    assert [(one["first"]["cidr"], one["second"]["cidr"]) for one in found] == pairs
    assert all(one[side]["name"] == one[side]["cidr"] for one in found for side in one)


def test_dicts_say_whose_they_are():
    assert overlaps([OFFICE, {"name": "lab", "cidr": "10.0.0.0/8"}, PLANT]) == [{"first": OFFICE, "second": PLANT}]


def test_a_dict_without_a_name_is_called_by_its_cidr():
    (found,) = overlaps([OFFICE, {"cidr": "192.168.1.7"}])
    assert found["second"] == {"name": "192.168.1.7", "cidr": "192.168.1.7"}


def test_all_pairs_in_the_order_of_the_addresses():
    found = overlaps(["192.168.1.0/24", "192.168.0.0/16", "::/0", "10.1.0.0/16", "::/8", "10.0.0.0/8"])
    assert [(one["first"]["cidr"], one["second"]["cidr"]) for one in found] == [
        ("10.1.0.0/16", "10.0.0.0/8"),
        ("192.168.1.0/24", "192.168.0.0/16"),
        ("::/0", "::/8"),
    ]


def test_who_overlaps_whom_in_a_description():
    sites = {"berlin": {"subnets": ["10.3.0.0/24", "10.4.0.0/24"]}, "paris": {"subnets": ["10.4.0.128/25"]}}
    assert overlaps(sites) == [
        {"first": {"name": "berlin", "cidr": "10.4.0.0/24"}, "second": {"name": "paris", "cidr": "10.4.0.128/25"}}
    ]


@pytest.fixture
def warned(monkeypatch):
    said = []
    monkeypatch.setattr(module.display, "warning", said.append)
    return said


def test_there_are_no_more_pairs_than_asked_for_and_a_warning_says_how_many_there_are(warned):
    many = ["10.0.0.0/24"] * 20_000
    assert len(overlaps(many)) == 1000
    assert warned == ["bothends.vpn.overlaps: 199990000 pairs overlap; the first 1000 of them are listed (limit)."]


@pytest.mark.parametrize(
    ("limit", "listed", "told"), [(0, 0, True), (1, 1, True), ("2", 2, True), (3, 3, False), (4, 3, False)]
)
def test_a_limit(warned, limit, listed, told):
    three = ["10.0.0.0/8", "10.1.0.0/16", "10.1.1.0/24"]
    assert len(overlaps(three, limit=limit)) == listed
    assert bool(warned) is told
    warned.clear()
    found = overlaps(three, limit=limit, summary=True)
    assert (found["count"], len(found["pairs"]), warned) == (3, listed, [])


@pytest.mark.parametrize("limit", [-1, "all", None, True, 1.5])
def test_what_is_no_limit(limit):
    with pytest.raises(AnsibleFilterError, match=r"bothends\.vpn\.overlaps: limit: .* is no whole number"):
        overlaps([], limit=limit)


def test_all_pairs_of_three():
    found = overlaps(["10.0.0.0/8", "10.1.0.0/16", "10.1.1.0/24"])
    assert [(one["first"]["cidr"], one["second"]["cidr"]) for one in found] == [
        ("10.0.0.0/8", "10.1.0.0/16"),
        ("10.0.0.0/8", "10.1.1.0/24"),
        ("10.1.0.0/16", "10.1.1.0/24"),
    ]


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        (["10.0.0.0/8", "app"], "item 1: 'app' is not a subnet"),
        ([{"name": "office"}], r"item 0 \(office\): it has no `cidr` and no `subnets`"),
        (["10.0.0.0/33"], "item 0: '10.0.0.0/33' is not a subnet"),
        ([8], "item 0: 8 is not a subnet"),
        ("10.0.0.0/8", "a list of subnets is wanted, or a dict from names to them, not str"),
        ({"a": "app"}, "a: 'app' is not a subnet"),
        (None, "a list of subnets is wanted, or a dict from names to them, not NoneType"),
    ],
)
def test_a_bad_item_is_named(entries, said):
    with pytest.raises(AnsibleFilterError, match=rf"bothends\.vpn\.overlaps: {said}"):
        overlaps(entries)
