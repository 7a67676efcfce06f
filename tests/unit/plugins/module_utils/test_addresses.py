# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ipaddress
import itertools
import sys

import netaddr
import pytest
from hypothesis import assume, given
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
    prefixes = [_addresses.parse(str(net)) for net in nets]
    found = list(_addresses.overlaps(prefixes))
    assert len(found) == len(set(found)) == _addresses.count_overlaps(prefixes)
    assert set(found) == expected
    assert found == sorted(found, key=lambda pair: sorted((prefixes[one][:2], one) for one in pair)), "by address"


# Not only CIDRs: ranges may cross.
blocks = st.builds(
    lambda version, first, size: _addresses.Prefix(version, first, first + size),
    st.sampled_from([4, 6]),
    st.integers(0, 300),
    st.one_of(st.integers(0, 40), st.sampled_from([63, 255])),
)


@given(st.lists(blocks, max_size=30))
def test_ranges_that_cross_are_counted_too(prefixes):
    expected = {
        pair
        for pair in itertools.combinations(range(len(prefixes)), 2)
        if prefixes[pair[0]].overlaps(prefixes[pair[1]])
    }
    assert set(_addresses.overlaps(prefixes)) == expected
    assert _addresses.count_overlaps(prefixes) == len(expected)


@given(st.lists(st.tuples(blocks, st.sampled_from("abcd")), max_size=30))
def test_fewer_pairs_than_blocks_name_everybody_who_overlaps_with_another(owned):
    prefixes, owners = [block for block, _owner in owned], [owner for _block, owner in owned]
    every, few = list(_addresses.overlaps(prefixes)), list(_addresses.witnesses(prefixes))
    assert set(few) <= set(every) and len(few) < max(1, len(prefixes))

    def involved(pairs):
        return {owners[index] for pair in pairs if owners[pair[0]] != owners[pair[1]] for index in pair}

    assert involved(few) == involved(every)
    assert bool(few) is bool(every)


@given(networks)
def test_reading_what_was_written_gives_the_same(net):
    prefix = _addresses.parse(str(net))
    assert str(prefix) == str(net)
    assert _addresses.parse(str(prefix)) == prefix


# --- the plain forms are read without netaddr, and as it reads them ---------------------------------------------------


def by_netaddr(text):
    try:
        net = netaddr.IPNetwork(text)
    except (netaddr.AddrFormatError, ValueError):
        return None
    return _addresses.Prefix(net.version, net.first, net.last)


def by_ipaddress(text):
    try:
        net = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
    return _addresses.Prefix(net.version, int(net.network_address), int(net.broadcast_address))


lengths = st.one_of(
    st.just(""), st.integers(-1, 130).map("/{}".format), st.sampled_from(["/", "/08", "/255.255.0.0", "/0.0.0.255"])
)
written = st.one_of(
    st.builds("{}{}".format, st.one_of(st.ip_addresses(), st.ip_addresses().map(lambda one: one.exploded)), lengths),
    st.builds("{}.{}.{}.{}{}".format, *[st.integers(0, 300)] * 4, lengths),
    st.text("0123456789abcdefx:./- _%٣", max_size=24),
    st.text(max_size=8),
)


@given(written)
def test_the_short_way_reads_as_netaddr_and_ipaddress_do(text):
    found = _addresses._cidr(text)
    if found is not None:
        assert found == by_netaddr(text) == by_ipaddress(text)


def standing_for_ipv4(address):
    return address.version == 6 and address.ipv4_mapped is not None


@given(st.ip_addresses(), st.ip_addresses(), st.sampled_from(["{}-{}", "{} - {}", " {}-{} "]))
def test_a_range_is_read_as_netaddr_reads_it(low, high, form):
    assume(not (standing_for_ipv4(low) and standing_for_ipv4(high)))
    try:
        span = netaddr.IPRange(str(low), str(high))
    except netaddr.AddrFormatError:
        assert not _addresses.is_prefix(form.format(low, high))
    else:
        assert _addresses.parse(form.format(low, high)) == _addresses.Prefix(span.version, span.first, span.last)


@given(st.ip_addresses(v=4), st.integers(0, 300))
def test_a_mapped_range_is_the_ipv4_one(low, more):
    high = min(int(low) + more, (1 << 32) - 1)
    mapped = "-".join(f"::ffff:{ipaddress.IPv4Address(edge)}" for edge in (int(low), high))
    assert _addresses.parse(mapped) == _addresses.Prefix(4, int(low), high)


@pytest.mark.parametrize(
    ("text", "has"),
    [
        ("10.1.2.3/8", True), ("10.0.0.0/8", False), (" 10.0.0.0/8 ", False), ("10.1.2.3", False), ("10.1.2.3/32", False),
        ("10.0.0.5-10.0.0.9", False), ("2001:DB8::1/32", True), ("2001:DB8:0::/32", False), ("::ffff:10.0.0.0/104", False),
        ("::ffff:10.0.0.1/104", True), ("app", False), ("10.0.0.0/40", False),
    ],
)  # fmt: skip
def test_host_bits(text, has):
    assert _addresses.has_host_bits(text) is has


@pytest.mark.parametrize(
    "text", ["10.1.2.3/8", "10.1.2.3", "2001:DB8::1/32", "::ffff:10.0.0.1/128", "::1", "0.0.0.0/0"]
)
def test_what_lists_are_made_of_goes_the_short_way(text):
    assert _addresses._cidr(text) is not None
    assert _addresses._cidr(text) == by_netaddr(text)


def test_masks_and_the_like_are_left_to_netaddr(monkeypatch):
    assert _addresses._cidr("10.0.0.0/255.0.0.0") is None
    assert _addresses.normalize("10.0.0.0/255.0.0.0") == "10.0.0.0/8"
    _addresses._read.cache_clear()
    monkeypatch.setattr(_addresses, "NETADDR_ERROR", "No module named 'netaddr'")
    assert _addresses.normalize("10.1.2.3/8") == "10.0.0.0/8"
    for text in ("10.0.0.0/255.0.0.0", "10.0.0.9-10.0.0.1"):
        with pytest.raises(_addresses.AddressError, match="No module named 'netaddr'"):
            _addresses.parse(text)
    _addresses._read.cache_clear()


@pytest.mark.parametrize("value", ["9" * 10_000_000, ["10.0.0.0/8"] * 100_000, {"a": "b" * 1_000_000}])
def test_a_message_is_short_whatever_it_is_about(value):
    with pytest.raises(_addresses.AddressError) as caught:
        _addresses.parse(value)
    assert len(str(caught.value)) < 400
    assert "write a CIDR such as" in str(caught.value)
    assert _addresses._read.cache_info().maxsize == 65536


# --- what is free, merged, parted --------------------------------------------------------------------------------------


def members(prefixes):
    return {(block.version, address) for block in prefixes for address in range(block.first, block.last + 1)}


@given(st.lists(blocks, max_size=20))
def test_merged_blocks_are_the_same_addresses_and_touch_nowhere(prefixes):
    found = _addresses.merged(prefixes)
    assert members(found) == members(prefixes)
    assert found == sorted(found)
    assert all(a.version != b.version or a.last + 1 < b.first for a, b in itertools.pairwise(found))


@given(st.lists(blocks, max_size=20), blocks)
def test_a_block_that_comes_later_is_merged_as_if_it_had_been_there(prefixes, later):
    taken = _addresses.merged(prefixes)
    _addresses.add(taken, later)
    assert taken == _addresses.merged([*prefixes, later])


@given(blocks)
def test_a_block_is_parted_into_the_fewest_cidrs(block):
    parts = _addresses.cidrs(block)
    assert members(parts) == members([block])
    assert all("-" not in str(part) for part in parts)
    library = netaddr.iprange_to_cidrs(
        netaddr.IPAddress(block.first, block.version), netaddr.IPAddress(block.last, block.version)
    )
    assert len(parts) == len(library)


@given(st.lists(blocks, max_size=5))
def test_what_spans_blocks_is_the_smallest_cidr(prefixes):
    versions = {block.version for block in prefixes}
    found = _addresses.spanning(prefixes)
    if len(versions) != 1:
        assert found is None
        return
    ends = [min(block.first for block in prefixes), max(block.last for block in prefixes)]
    assert str(netaddr.spanning_cidr([netaddr.IPAddress(end, *versions) for end in ends])) == str(
        netaddr.IPNetwork(str(found))
    )


@given(blocks, st.lists(blocks, max_size=20), st.integers(0, 6))
def test_what_is_free_is_every_cidr_that_touches_nothing(pool, taken, bits):
    length = (32 if pool.version == 4 else 128) - bits
    size = 1 << bits
    used = members(taken)
    expected = [
        _addresses.Prefix(pool.version, first, first + size - 1)
        for first in range(0, pool.last + 1, size)
        if first >= pool.first
        and first + size - 1 <= pool.last
        and not any((pool.version, address) in used for address in range(first, first + size))
    ]
    assert list(_addresses.free(pool, _addresses.merged(taken), length)) == expected


# --- how work grows -----------------------------------------------------------------------------------------------------


def steps(work):
    """Count the lines of `_addresses` that the work executes."""
    _addresses._read.cache_clear()
    count = 0

    def trace(frame, event, _argument):
        nonlocal count
        if not frame.f_code.co_filename.endswith("_addresses.py"):
            return None
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


LISTS = {
    "apart": lambda count: [f"10.{number // 256}.{number % 256}.0/24" for number in range(count)],
    "all equal": lambda count: ["10.0.0.0/24"] * count,
    "one in another": lambda count: [f"10.0.0.0-10.0.{number // 256}.{number % 256}" for number in range(count)],
    "one over all": lambda count: [
        "0.0.0.0/0",
        *(f"10.{number // 256}.{number % 256}.0/24" for number in range(count)),
    ],
}


MANY = 500


@pytest.mark.parametrize("name", LISTS)
def test_twice_the_subnets_cost_twice_the_work_however_many_overlap(name):
    def search(many):
        prefixes = [_addresses.parse(text) for text in LISTS[name](many)]
        list(itertools.islice(_addresses.overlaps(prefixes), 100))
        _addresses.count_overlaps(prefixes)
        _addresses.merged(prefixes)

    few, many = steps(lambda: search(MANY)), steps(lambda: search(2 * MANY))
    assert few > MANY, "nothing was counted"
    assert many < 2.15 * few


def test_taking_all_pairs_would_be_seen():
    few, many = (
        steps(lambda count=count: list(_addresses.overlaps([_addresses.parse("10.0.0.0/24")] * count)))
        for count in (100, 200)
    )
    assert many > 3.5 * few
