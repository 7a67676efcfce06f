# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.bothends.vpn.plugins.filter.free_subnets import FilterModule
from ansible_collections.bothends.vpn.plugins.module_utils import _addresses

free_subnets = FilterModule().filters()["free_subnets"]

HUBS = {"prod": {"vpc": "prod", "subnets": ["10.0.0.0/16"]}}
SITES = {"berlin": {"hub": "prod", "gateway": "203.0.113.10", "subnets": ["10.1.0.0/24", "10.1.2.0/24"]}}


@pytest.mark.parametrize(
    ("networks", "length", "more", "free"),
    [
        ("10.0.0.0/8", 24, {}, ["10.0.0.0/24"]),
        ("10.7.7.7/8", 24, {"count": 2}, ["10.0.0.0/24", "10.0.1.0/24"]),
        ("10.0.0.0/8", 24, {"used": HUBS}, ["10.1.0.0/24"]),
        ("10.0.0.0/8", 24, {"used": [HUBS, SITES], "count": 3}, ["10.1.1.0/24", "10.1.3.0/24", "10.1.4.0/24"]),
        ("10.0.0.0/8", 23, {"used": [HUBS, SITES]}, ["10.1.4.0/23"]),
        ("10.0.0.0/8", 24, {"used": [HUBS, SITES, "10.1.1.255", ["10.1.3.0-10.1.3.1"]]}, ["10.1.4.0/24"]),
        ("10.0.0.0/24", 24, {"used": ["2001:db8::/32", "::/0"]}, ["10.0.0.0/24"]),
        ("10.0.0.0/24", 26, {"used": ["10.0.0.128/25", "::ffff:10.0.0.1"], "count": 1}, ["10.0.0.64/26"]),
        ("10.0.0.0/30", "32", {"used": ["10.0.0.0", "10.0.0.3"], "count": "2"}, ["10.0.0.1/32", "10.0.0.2/32"]),
        ("2001:db8::/32", 48, {"used": ["2001:db8::1"], "count": 2}, ["2001:db8:1::/48", "2001:db8:2::/48"]),
        ("::/0", 128, {}, ["::/128"]),
        ("0.0.0.0/0", 0, {}, ["0.0.0.0/0"]),
        ("10.0.0.5-10.0.1.20", 28, {"count": 2, "used": ["10.0.0.16/28"]}, ["10.0.0.32/28", "10.0.0.48/28"]),
        (
            ["10.0.0.0/24", "10.1.0.0/24"],
            25,
            {"count": 3, "used": ["10.0.0.9"]},
            ["10.0.0.128/25", "10.1.0.0/25", "10.1.0.128/25"],
        ),
        (["10.0.0.0/25", "10.0.0.0/24"], 25, {"count": 2}, ["10.0.0.0/25", "10.0.0.128/25"]),
        ({"lab": "10.0.0.0/24"}, 24, {}, ["10.0.0.0/24"]),
    ],
)
def test_the_first_that_are_free(networks, length, more, free):
    assert free_subnets(networks, length, **more) == free


def test_what_is_given_out_is_used_the_next_time():
    """Asked for one after the other they are the same as at once, until there is none."""
    used = ["10.0.0.64/27"]
    at_once = free_subnets("10.0.0.0/24", 27, used=used, count=7)
    for one in at_once:
        assert free_subnets("10.0.0.0/24", 27, used=used) == [one]
        used.append(one)
    with pytest.raises(AnsibleFilterError, match=r"1 free subnets of length 27 are wanted, but 10.0.0.0/24 has 0"):
        free_subnets("10.0.0.0/24", 27, used=used)


def test_networks_after_the_last_that_was_needed_are_not_searched(monkeypatch):
    searched, merged = [], []
    free, merge = _addresses.free, _addresses.merged
    monkeypatch.setattr(_addresses, "free", lambda pool, *rest: searched.append(str(pool)) or free(pool, *rest))
    monkeypatch.setattr(_addresses, "merged", lambda prefixes: merged.append(prefixes) or merge(prefixes))
    networks = [f"10.{number}.0.0/24" for number in range(100)]
    assert free_subnets(networks, 25, used=["10.0.0.0/25"], count=2) == ["10.0.0.128/25", "10.1.0.0/25"]
    assert searched == networks[:2] and len(merged) == 1
    with pytest.raises(AnsibleFilterError, match=r"a /23 is larger than 10\.9\.0\.0/24"):
        free_subnets(["10.0.0.0/8", "10.9.0.0/24"], 23)


def test_a_search_begins_where_the_network_lies():
    """Whatever is used before it is not looked at."""

    class Counted(list):
        looked = 0

        def __getitem__(self, place):
            found = super().__getitem__(place)
            self.looked += len(found) if isinstance(place, slice) else 1
            return found

    taken = Counted(
        _addresses.merged(_addresses.parse(f"10.{high}.{low}.0/25") for high in range(40) for low in range(250))
    )
    assert str(next(_addresses.free(_addresses.parse("10.39.249.0/24"), taken, 25))) == "10.39.249.128/25"
    assert taken.looked < 40


@pytest.mark.parametrize(
    ("networks", "length", "more", "said"),
    [
        ("10.0.0.0/24", 23, {}, "length: a /23 is larger than 10.0.0.0/24. Give a longer prefix or a wider network"),
        ("10.0.0.0/24", 33, {}, "length: 33 is no whole number from 0 to 32"),
        ("::/64", 129, {}, "length: 129 is no whole number from 0 to 128"),
        ("10.0.0.0/24", "x", {}, "length: 'x' is no whole number"),
        ("10.0.0.0/24", True, {}, "length: True is no whole number"),
        ("10.0.0.0/24", 25, {"count": 3}, "3 free subnets of length 25 are wanted, but 10.0.0.0/24 has 2"),
        ("10.0.0.0/24", 25, {"count": 0}, "count: 0 is no whole number from 1 to 65536"),
        ("10.0.0.0/24", 25, {"count": 65537}, "count: 65537 is no whole number"),
        ("10.0.0.0/24", 25, {"used": ["10.0.0.0/25", "app"]}, "used: item 1: 'app' is not a subnet"),
        (
            "10.0.0.0/24",
            25,
            {"used": [{"prod": {"subnets": ["app"]}}]},
            r"used: item 0\.prod\.subnets\[0\]: 'app' is not a subnet",
        ),
        ("10.0.0.0/24", 25, {"used": "10.0.0.0/25"}, "used: a list of subnets is wanted"),
        ("lab", 25, {}, "item 0: 'lab' is not a subnet"),
        ([], 25, {}, "1 free subnets of length 25 are wanted, but no network has 0"),
    ],
)
def test_what_is_wrong_is_named(networks, length, more, said):
    with pytest.raises(AnsibleFilterError, match=rf"bothends\.vpn\.free_subnets: {said}"):
        free_subnets(networks, length, **more)
