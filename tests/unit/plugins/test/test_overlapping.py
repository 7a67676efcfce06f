# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.bothends.vpn.plugins.test.overlapping import TestModule as Plugin

overlapping = Plugin().tests()["overlapping"]


@pytest.mark.parametrize(
    ("entries", "answer"),
    [
        ([], False),
        (["10.0.0.0/8"], False),
        (["192.168.1.0/24", "192.168.2.0/24"], False),
        (["0.0.0.0/0", "::/0"], False),
        ([{"name": "office", "cidr": "192.168.1.0/25"}, "192.168.1.128/25"], False),
        (["192.168.1.0/24", "192.168.0.0/16"], True),
        (["192.168.1.7/24", "192.168.1.9"], True),
        (["10.0.0.5-10.0.0.9", "10.0.0.9-10.0.0.12"], True),
        ([{"name": "office", "cidr": "192.168.1.0/24"}, {"name": "plant", "cidr": "192.168.1.128/25"}], True),
        ({"berlin": ["10.3.0.0/24"], "paris": {"subnets": ["10.3.0.128/25"]}}, True),
        ({"berlin": ["10.3.0.0/24"], "paris": {"subnets": ["10.4.0.128/25"]}}, False),
        (["10.0.0.0/8"] * 20_000, True),
    ],
)
def test_some_subnets(entries, answer):
    assert overlapping(entries) is answer


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        (["10.0.0.0/8", "app"], "item 1: 'app' is not a subnet"),
        ([{"name": "office"}], r"item 0 \(office\): it has no `cidr` and no `subnets`"),
        ({"office": ["10.0.0.0/8", "lan"]}, r"office\[1\]: 'lan' is not a subnet"),
        ("10.0.0.0/8", "a list of subnets is wanted, or a dict from names to them, not str"),
    ],
)
def test_a_bad_item_is_named(entries, said):
    with pytest.raises(AnsibleFilterError, match=rf"bothends\.vpn\.overlapping: {said}"):
        overlapping(entries)
