# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""Prefixes: read once at the edge, then plain integers; overlaps by one sorted sweep.

What netaddr reads is a prefix, and nothing else is; the plain forms are read without it, to the same result, because it takes
five times as long. A prefix is whatever can be written for a block of addresses: ``192.168.1.0/24``, ``192.168.1.7`` (one address),
``10.0.0.5-10.0.0.9`` (a range). IPv4-mapped IPv6 (``::ffff:10.0.0.0/104``) is the IPv4 block that it stands for,
RFC 4291 section 2.5.5.2.
"""

from __future__ import annotations

import bisect
import functools
import ipaddress
import itertools
import operator
import reprlib
import socket
import typing as t

try:
    import netaddr

    NETADDR_ERROR: str | None = None
    _UNREADABLE: tuple[type[Exception], ...] = (netaddr.AddrFormatError, ValueError, TypeError)
except ImportError as error:  # the modules say so in their own words
    NETADDR_ERROR = str(error)
    _UNREADABLE = (ValueError,)

_MAPPED_FIRST = 0xFFFF << 32  # ::ffff:0:0/96
_MAPPED_LAST = _MAPPED_FIRST + (1 << 32) - 1


class AddressError(ValueError):
    """A text is no prefix; the message names the text."""


class Prefix(t.NamedTuple):
    """A block of addresses, first and last included; sorts by version, then by where it begins."""

    version: int
    first: int
    last: int

    def __str__(self) -> str:
        """Write the block as one CIDR where it is one, else as ``first-last``."""
        return _written(self)

    def overlaps(self, other: Prefix) -> bool:
        """Tell whether the two blocks share an address."""
        return self.version == other.version and self.first <= other.last and other.first <= self.last

    def covers(self, other: Prefix) -> bool:
        """Tell whether every address of the other block lies in this one."""
        return self.version == other.version and self.first <= other.first and other.last <= self.last


def parse(text: t.Any) -> Prefix:
    """Read one prefix; raises AddressError for anything else. Host bits are allowed and dropped."""
    return _checked(text, _understood(_plain(text)))


def parse_once(text: str) -> Prefix:
    """Read one of many: nothing of a long list is kept for the next time, which costs more than it saves."""
    return _checked(text, _judged(text) if len(text) <= _LONGEST else _understood(text))


def _checked(text: t.Any, found: Prefix | str) -> Prefix:
    if isinstance(found, str):
        raise AddressError(f"{_shown(text)} is not a subnet{found}; {_REMEDY}")
    return found


_REMEDY = "write a CIDR such as 192.168.1.0/24, an address, or a range such as 10.0.0.5-10.0.0.9"
_LONGEST = 100  # two IPv6 addresses, the last 32 bits of each as IPv4, and some blanks

_shorten = reprlib.Repr()
_shorten.maxstring = _shorten.maxother = 80


def _shown(value: t.Any) -> str:
    """Write a value for a message, whatever its size."""
    return _shorten.repr(str(value)[:] if isinstance(value, str) else value)


def _plain(text: t.Any) -> str:
    """Give a text as no more than that: what Ansible hands over may carry tags, which no cache should keep."""
    return text if text.__class__ is str else str(text)[:] if isinstance(text, str) else ""


def _understood(text: str) -> Prefix | str:
    """Read one prefix, or say why it is none."""
    return _read(text) if len(text) <= _LONGEST else f" (it has {len(text)} characters)"


# One run reads the same few texts over and over: when it checks, when it plans, and once for each object of the cloud.
@functools.lru_cache(maxsize=65536)
def _read(text: str) -> Prefix | str:
    return _judged(text)


def _judged(text: str) -> Prefix | str:
    text = text.strip()
    if not text:
        return ""
    low, dash, high = text.partition("-")
    try:
        found = _range(low.strip(), high.strip()) if dash else _cidr(text) or _network(text)
    except _UNREADABLE as error:
        return f" ({error})"
    if found.version == 6 and found.first >= _MAPPED_FIRST and found.last <= _MAPPED_LAST:
        return Prefix(4, found.first - _MAPPED_FIRST, found.last - _MAPPED_FIRST)
    return found


def _cidr(text: str) -> Prefix | None:
    """Read an address, or a CIDR with a plain length; None for what only netaddr may know how to read."""
    address, slash, length = text.partition("/")
    family, version, bits = (socket.AF_INET6, 6, 128) if ":" in address else (socket.AF_INET, 4, 32)
    try:
        first = int.from_bytes(socket.inet_pton(family, address), "big")
    except (OSError, ValueError):
        return None
    if not slash:
        return Prefix(version, first, first)
    if not (length.isascii() and length.isdecimal() and int(length) <= bits):
        return None
    hosts = (1 << (bits - int(length))) - 1
    first = (first | hosts) ^ hosts
    return Prefix(version, first, first | hosts)


def _need_netaddr() -> None:
    if NETADDR_ERROR is not None:
        raise ValueError(f"netaddr might know how to read it, but: {NETADDR_ERROR}")


def _network(text: str) -> Prefix:
    _need_netaddr()
    net = netaddr.IPNetwork(text)
    return Prefix(net.version, net.first, net.last)


def _range(low: str, high: str) -> Prefix:
    one, other = _cidr(low), _cidr(high)
    if one and other and "/" not in low + high and one.version == other.version and one.first <= other.first:
        return Prefix(one.version, one.first, other.first)
    _need_netaddr()
    span = netaddr.IPRange(low, high)
    return Prefix(span.version, span.first, span.last)


@functools.lru_cache(maxsize=65536)
def _written(block: Prefix) -> str:
    family, size = (socket.AF_INET, 4) if block.version == 4 else (socket.AF_INET6, 16)
    low, high = (socket.inet_ntop(family, edge.to_bytes(size, "big")) for edge in (block.first, block.last))
    many = block.last - block.first + 1
    return f"{low}/{size * 8 - many.bit_length() + 1}" if _is_cidr(block) else f"{low}-{high}"


def _is_cidr(block: Prefix) -> bool:
    size = block.last - block.first + 1
    return size & (size - 1) == 0 and block.first % size == 0


def found(text: t.Any) -> Prefix | None:
    """Read a prefix; None for anything else (a subnet may also be given by its name or id)."""
    block = _understood(_plain(text))
    return block if block.__class__ is Prefix else None


def is_prefix(text: t.Any) -> bool:
    """Tell whether the text is a prefix."""
    return _understood(_plain(text)).__class__ is Prefix


def has_host_bits(text: str) -> bool:
    """Tell whether a CIDR is written with another address than the first of its block."""
    block, own = found(text), found(text.partition("/")[0])
    return bool(block and own) and block.first != own.first


def is_address(text: str) -> bool:
    """Tell whether the text is one address, without a prefix length."""
    return is_prefix(text) and not set(text) & set("/- \t\n")


def overlaps_any(text: t.Any, blocks: t.Iterable[t.Any]) -> bool:
    """Tell whether a prefix or address shares an address with any of the blocks; what is none does not."""
    return is_prefix(text) and any(is_prefix(block) and parse(text).overlaps(parse(block)) for block in blocks)


def address(text: t.Any) -> t.Any:
    """Write an address the one way, for comparing; anything else stays."""
    return normalize(text).partition("/")[0] if text and is_address(text) else text


def normalize(text: t.Any) -> str:
    """Write a prefix the one way: no host bits, lower case, shortest form. Raises AddressError."""
    return str(parse(text))


def overlaps(prefixes: t.Sequence[Prefix]) -> t.Iterator[tuple[int, int]]:
    """Yield the index pairs (lower first) of blocks that share an address, each pair once, in the order of the addresses.

    One sweep over the sorted blocks: n log n, plus one step for each pair found. There may be n * n / 2 of them: take as
    many as are of use; ``count_overlaps()`` tells how many there are.
    """
    for version in (4, 6):
        order, starts, ends = _sorted(prefixes, version)
        # Only whoever reaches the next one shares anything with those behind; and of those, with all that begin before it ends.
        for place in itertools.compress(range(len(order)), map(operator.le, starts[1:], ends)):
            for behind in range(place + 1, bisect.bisect_right(starts, ends[place], place + 1)):
                one, other = order[place], order[behind]
                yield (one, other) if one < other else (other, one)


def count_overlaps(prefixes: t.Sequence[Prefix]) -> int:
    """Tell how many pairs ``overlaps()`` would yield, in n log n however many they are."""
    total = 0
    for version in (4, 6):
        _order, starts, ends = _sorted(prefixes, version)
        begun = sum(map(bisect.bisect_right, itertools.repeat(starts), ends))
        # Of each pair, the one behind counts the one before it in any case, and the one before the one behind if it reaches it.
        total += begun - len(starts) * (len(starts) + 1) // 2
    return total


def witnesses(prefixes: t.Sequence[Prefix]) -> t.Iterator[tuple[int, int]]:
    """Yield one pair of ``overlaps()`` for each block that begins inside another one: with the one before it that reaches furthest.

    Fewer pairs than blocks, however many overlap; and whose blocks overlap with those of another is in a pair with another's.
    """
    for version in (4, 6):
        order, starts, ends = _sorted(prefixes, version)
        furthest = 0
        for place in range(1, len(order)):
            if starts[place] <= ends[furthest]:
                one, other = order[furthest], order[place]
                yield (one, other) if one < other else (other, one)
            if ends[place] > ends[furthest]:
                furthest = place


def _sorted(prefixes: t.Sequence[Prefix], version: int) -> tuple[list[int], list[int], list[int]]:
    """Sort the blocks of one version by where they begin: their indexes, where they begin, where they end."""
    # Plain numbers, one version at a time: they sort three times as fast as the blocks themselves.
    order = [index for index, block in enumerate(prefixes) if block.version == version]
    order.sort(key=[block.first for block in prefixes].__getitem__ if order else None)
    return order, [prefixes[index].first for index in order], [prefixes[index].last for index in order]


def merged(prefixes: t.Iterable[Prefix]) -> list[Prefix]:
    """Give the same addresses in as few blocks as can be, sorted; a block may be a range that is no CIDR."""
    out: list[Prefix] = []
    for block in sorted(prefixes):
        if not out or out[-1].version != block.version or out[-1].last + 1 < block.first:
            out.append(block)
        elif out[-1].last < block.last:
            out[-1] = out[-1]._replace(last=block.last)
    return out


def add(taken: list[Prefix], block: Prefix) -> None:
    """Put a block into what ``merged()`` gave, without merging all of it anew."""
    low = bisect.bisect_left(taken, block)
    if low and _touches(taken[low - 1], block):
        low -= 1
    high = low
    while high < len(taken) and _touches(taken[high], block):
        block = block._replace(first=min(block.first, taken[high].first), last=max(block.last, taken[high].last))
        high += 1
    taken[low:high] = [block]


def _touches(one: Prefix, other: Prefix) -> bool:
    """Tell whether two blocks overlap, or lie side by side."""
    return one.version == other.version and one.first <= other.last + 1 and other.first <= one.last + 1


def spanning(prefixes: t.Collection[Prefix]) -> Prefix | None:
    """Give the smallest CIDR that covers them all; None where they are of both IP versions, or none at all."""
    if len({block.version for block in prefixes}) != 1:
        return None
    low = min(block.first for block in prefixes)
    hosts = (1 << (low ^ max(block.last for block in prefixes)).bit_length()) - 1
    return Prefix(min(prefixes).version, low & ~hosts, low | hosts)


def cidrs(block: Prefix) -> list[Prefix]:
    """Part a block into the fewest CIDRs, in order: itself, where it is one."""
    if _is_cidr(block):
        return [block]
    address = ipaddress.IPv4Address if block.version == 4 else ipaddress.IPv6Address
    parts = ipaddress.summarize_address_range(address(block.first), address(block.last))
    return [Prefix(block.version, int(part[0]), int(part[-1])) for part in parts]


def free(pool: Prefix, taken: t.Sequence[Prefix], length: int) -> t.Iterator[Prefix]:
    """Yield in order each CIDR of this length within a pool that shares no address with what is taken.

    ``taken`` is as ``merged()`` gives it, of either version.
    """
    size = 1 << ((32 if pool.version == 4 else 128) - length)
    at = -(-pool.first // size) * size
    before = bisect.bisect_left(taken, pool)
    for index in range(max(0, before - 1), len(taken)):
        block = taken[index]
        if block.version != pool.version or block.last < pool.first:
            continue
        if block.first > pool.last:
            break
        while at + size <= block.first:
            yield Prefix(pool.version, at, at + size - 1)
            at += size
        at = max(at, -(-(block.last + 1) // size) * size)
    while at + size - 1 <= pool.last:
        yield Prefix(pool.version, at, at + size - 1)
        at += size
