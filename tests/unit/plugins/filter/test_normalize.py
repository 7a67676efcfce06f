# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.bothends.vpn.plugins.filter.normalize import FilterModule

normalize = FilterModule().filters()["normalize"]


@pytest.mark.parametrize(
    ("entries", "plain", "aggregated"),
    [
        ([], [], []),
        (["10.1.2.3/8"], ["10.0.0.0/8"], ["10.0.0.0/8"]),
        (["10.1.2.3"], ["10.1.2.3/32"], ["10.1.2.3/32"]),
        (["10.0.0.0/255.0.0.0"], ["10.0.0.0/8"], ["10.0.0.0/8"]),
        (["2001:DB8:0:0::7/64"], ["2001:db8::/64"], ["2001:db8::/64"]),
        (["::FFFF:10.0.0.0/104", "::ffff:a00:1"], ["10.0.0.0/8", "10.0.0.1/32"], ["10.0.0.0/8"]),
        (["10.0.0.0-10.0.0.255"], ["10.0.0.0/24"], ["10.0.0.0/24"]),
        (["10.0.0.1-10.0.0.4"], ["10.0.0.1/32", "10.0.0.2/31", "10.0.0.4/32"], ["10.0.0.1/32", "10.0.0.2/31", "10.0.0.4/32"]),
        (["2001:db8::1 - 2001:db8::2"], ["2001:db8::1/128", "2001:db8::2/128"], ["2001:db8::1/128", "2001:db8::2/128"]),
        (["10.0.1.0/24", "10.0.0.0/24", "10.0.1.7/24"], ["10.0.1.0/24", "10.0.0.0/24"], ["10.0.0.0/23"]),
        (["::/1", "10.0.0.0/9", "8000::/1", "10.128.0.0/9"], ["::/1", "10.0.0.0/9", "8000::/1", "10.128.0.0/9"],
         ["10.0.0.0/8", "::/0"]),
        ({"a": ["10.0.0.0/8"], "b": {"subnets": ["10.7.0.0/16"]}}, ["10.0.0.0/8", "10.7.0.0/16"], ["10.0.0.0/8"]),
        (["0.0.0.0-255.255.255.255"], ["0.0.0.0/0"], ["0.0.0.0/0"]),
    ],
)  # fmt: skip
def test_one_form(entries, plain, aggregated):
    assert normalize(entries) == plain
    assert normalize(plain) == plain
    assert normalize(entries, aggregate=True) == aggregated
    assert normalize(aggregated, aggregate=True) == aggregated


@pytest.mark.parametrize(
    ("entries", "said"),
    [(["10.0.0.0/8", "app"], "item 1: 'app' is not a subnet"), ("10.0.0.0/8", "a list of subnets is wanted"),
     (["10.0.0.9-10.0.0.1"], "item 0: '10.0.0.9-10.0.0.1' is not a subnet")],
)  # fmt: skip
def test_a_bad_item_is_named(entries, said):
    with pytest.raises(AnsibleFilterError, match=rf"bothends\.vpn\.normalize: {said}"):
        normalize(entries)
