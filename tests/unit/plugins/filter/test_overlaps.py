# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.bothends.vpn.plugins.filter.overlaps import FilterModule

overlaps = FilterModule().filters()["overlaps"]

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


def test_all_pairs_in_the_order_of_the_list():
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
        ([{"name": "office"}], "item 0: None is not a subnet"),
        (["10.0.0.0/33"], "item 0: '10.0.0.0/33' is not a subnet"),
        ([8], "item 0: 8 is not a subnet"),
        ("10.0.0.0/8", "a list of subnets is wanted, not str"),
        ({"a": "10.0.0.0/8"}, "a list of subnets is wanted, not dict"),
        (None, "a list of subnets is wanted, not NoneType"),
    ],
)
def test_a_bad_item_is_named(entries, said):
    with pytest.raises(AnsibleFilterError, match=rf"bothends\.vpn\.overlaps: {said}"):
        overlaps(entries)
