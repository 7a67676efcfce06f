# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ipaddress
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.bothends.vpn.plugins.module_utils import _addresses


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("192.168.1.0/24", "192.168.1.0/24"),
        ("192.168.1.7/24", "192.168.1.0/24"),
        (" 10.0.0.0/8 ", "10.0.0.0/8"),
        ("10.1.2.3", "10.1.2.3/32"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("10.0.0.5-10.0.0.9", "10.0.0.5-10.0.0.9"),
        ("10.0.0.0-10.0.0.255", "10.0.0.0/24"),
        ("10.0.0.0/255.255.0.0", "10.0.0.0/16"),
        ("2001:DB8:0:0::1/64", "2001:db8::/64"),
        ("::/0", "::/0"),
        ("::ffff:192.168.1.0/120", "192.168.1.0/24"),
        ("::ffff:0:0/96", "0.0.0.0/0"),
    ],
)
def test_a_prefix_has_one_form(written, normal):
    assert _addresses.normalize(written) == normal
    assert _addresses.normalize(normal) == normal


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "app",
        "10.0.0.0/33",
        "256.1.1.1",
        "010.0.0.1",
        "10",
        "1-2",
        "10.0.0.9-10.0.0.1",
        "::1/129",
        None,
        True,
        7,
    ],
)
def test_anything_else_is_refused_by_its_text(text):
    with pytest.raises(_addresses.AddressError) as caught:
        _addresses.parse(text)
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize(
    ("one", "other", "overlap", "covered"),
    [
        ("10.0.0.0/8", "10.1.0.0/16", True, True),
        ("10.1.0.0/16", "10.0.0.0/8", True, False),
        ("10.0.0.0/24", "10.0.1.0/24", False, False),
        ("10.0.0.0/24", "10.0.0.0/24", True, True),
        ("10.0.0.0-10.0.1.10", "10.0.1.0/24", True, False),
        ("::/0", "0.0.0.0/0", False, False),
    ],
)
def test_two_prefixes(one, other, overlap, covered):
    first, second = _addresses.parse(one), _addresses.parse(other)
    assert first.overlaps(second) is second.overlaps(first) is overlap
    assert first.covers(second) is covered


networks = st.one_of(
    st.builds(
        lambda address, length: ipaddress.ip_network((address, length), strict=False),
        st.integers(0x0A000000, 0x0A00FFFF),
        st.integers(16, 32),
    ),
    st.builds(
        lambda address, length: ipaddress.ip_network((address, length), strict=False),
        st.integers(0xFD << 120, (0xFD << 120) + 0xFFFF),
        st.integers(112, 128),
    ),
)


@given(st.lists(networks, max_size=30))
def test_the_sweep_finds_what_a_double_loop_finds(nets):
    expected = {
        (one, other)
        for one, other in itertools.combinations(range(len(nets)), 2)
        if nets[one].version == nets[other].version and nets[one].overlaps(nets[other])
    }
    found = list(_addresses.overlaps([_addresses.parse(str(net)) for net in nets]))
    assert len(found) == len(set(found))
    assert set(found) == expected


@given(networks)
def test_reading_what_was_written_gives_the_same(net):
    prefix = _addresses.parse(str(net))
    assert str(prefix) == str(net)
    assert _addresses.parse(str(prefix)) == prefix
