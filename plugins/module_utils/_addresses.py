# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""Prefixes: read once at the edge by netaddr, then plain integers; overlaps by one sorted sweep.

A prefix is whatever can be written for a block of addresses: ``192.168.1.0/24``, ``192.168.1.7`` (one address),
``10.0.0.5-10.0.0.9`` (a range). IPv4-mapped IPv6 (``::ffff:10.0.0.0/104``) is the IPv4 block that it stands for,
RFC 4291 section 2.5.5.2.
"""

from __future__ import annotations

import functools
import heapq
import typing as t

try:
    import netaddr

    NETADDR_ERROR: str | None = None
except ImportError as error:  # the modules and plugins say so in their own words
    NETADDR_ERROR = str(error)

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
    found = _read(_plain(text))
    if isinstance(found, str):
        raise AddressError(f"{text!r} is not a subnet{found}")
    return found


def _plain(text: t.Any) -> str:
    """Give a text as no more than that: what Ansible hands over may carry tags, which no cache should keep."""
    return text if text.__class__ is str else str(text)[:] if isinstance(text, str) else ""


# One run reads the same few texts over and over: when it checks, when it plans, and once for each object of the cloud.
@functools.lru_cache(maxsize=65536)
def _read(text: str) -> Prefix | str:
    """Read one prefix, or say why it is none."""
    low, dash, high = text.strip().partition("-")
    if not low:
        return "; write it as a CIDR such as 192.168.1.0/24"
    try:
        if dash:
            span = netaddr.IPRange(low.strip(), high.strip())
            found = Prefix(span.version, span.first, span.last)
        else:
            net = netaddr.IPNetwork(low)
            found = Prefix(net.version, net.first, net.last)
    except (netaddr.AddrFormatError, ValueError, TypeError) as error:
        return f" ({error})"
    if found.version == 6 and found.first >= _MAPPED_FIRST and found.last <= _MAPPED_LAST:
        return Prefix(4, found.first - _MAPPED_FIRST, found.last - _MAPPED_FIRST)
    return found


@functools.lru_cache(maxsize=65536)
def _written(block: Prefix) -> str:
    low, high = (netaddr.IPAddress(edge, block.version) for edge in (block.first, block.last))
    size = block.last - block.first + 1
    if size & (size - 1) == 0 and block.first % size == 0:
        return f"{low}/{(32 if block.version == 4 else 128) - size.bit_length() + 1}"
    return f"{low}-{high}"


def is_prefix(text: t.Any) -> bool:
    """Tell whether the text is a prefix (a subnet may also be given by its name or id)."""
    return isinstance(_read(_plain(text)), Prefix)


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
    """Yield the index pairs (lower first) of blocks that share an address, each pair once.

    One sweep over the sorted blocks: n log n, plus one step for each pair found.
    """
    order = sorted(range(len(prefixes)), key=prefixes.__getitem__)
    running: list[tuple[int, int, int]] = []  # (last, version, index) of blocks that may still reach further
    for index in order:
        block = prefixes[index]
        while running and (running[0][1] != block.version or running[0][0] < block.first):
            heapq.heappop(running)
        for other in running:
            yield (min(index, other[2]), max(index, other[2]))
        heapq.heappush(running, (block.last, block.version, index))
