# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""Subnets as users hand them to a filter or test: plain texts, or named ones, in whatever nesting a playbook has them.

A list holds texts, dicts of one owner (``name``, and ``cidr`` or ``subnets``), and whatever is a list of subnets itself; a dict
goes from a name to a text, to a list, or to a dict of one owner, as ``vpn_sites`` does. Errors say where the bad item stands.
"""

from __future__ import annotations

import contextlib
import gc
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _addresses

_FIELDS = ("cidr", "subnets")
_DEEPEST = 8  # more is nobody's list


class Entry(t.NamedTuple):
    """One subnet and what its owner calls it, as they came."""

    name: t.Any
    cidr: t.Any
    prefix: _addresses.Prefix

    def public(self) -> dict[str, str]:
        """Give it back the way it was written."""
        return {"name": str(self.name or self.cidr), "cidr": str(self.cidr)}


def read(entries: t.Any) -> list[Entry]:
    """Read all of them; raises AddressError that names the place of the first bad item."""
    with _nothing_collected():
        return list(_all(entries))


def prefixes(entries: t.Any) -> list[_addresses.Prefix]:
    """Read them for their addresses only."""
    with _nothing_collected():
        return [entry.prefix for entry in _all(entries)]


@contextlib.contextmanager
def _nothing_collected() -> t.Iterator[None]:
    """Keep Python from looking for cycles again and again in a list that grows and has none: nearly half of the time at a million."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _all(entries: t.Any) -> t.Iterator[Entry]:
    if isinstance(entries, (str, bytes)) or not isinstance(entries, t.Iterable):
        raise _addresses.AddressError(
            f"a list of subnets is wanted, or a dict from names to them, not {type(entries).__name__}"
        )
    return _several(entries, "", None, 0)


def _several(entries: t.Iterable[t.Any], place: str, name: t.Any, depth: int) -> t.Iterator[Entry]:
    """Read a list, or a dict by name."""
    if depth > _DEEPEST:
        raise _addresses.AddressError(
            f"{place}: lists are nested more than {_DEEPEST} deep; give plain lists of subnets"
        )
    if isinstance(entries, t.Mapping):
        for key, item in entries.items():
            yield from _one(item, f"{place}.{key}" if place else str(key), key, depth)
        return
    for index, item in enumerate(entries):
        if isinstance(item, str):  # nearly all of them, so the place is not written before it is needed
            try:
                yield Entry(name, item, _addresses.parse_once(item))
            except _addresses.AddressError as error:
                raise _addresses.AddressError(f"{_at(place, index)}: {error}") from None
        else:
            yield from _one(item, _at(place, index), name, depth)


def _at(place: str, index: int) -> str:
    return f"{place}[{index}]" if place else f"item {index}"


def _one(item: t.Any, place: str, name: t.Any, depth: int) -> t.Iterator[Entry]:
    """Read what stands at one place: a text, one owner's, or several."""
    if isinstance(item, t.Mapping) and any(field in item for field in (*_FIELDS, "name")):
        yield from _owner(item, place, name, depth)
    elif isinstance(item, t.Mapping) and name is not None:
        raise _addresses.AddressError(f"{place}: {_WITHOUT}")
    elif isinstance(item, t.Iterable) and not isinstance(item, (str, bytes)):
        yield from _several(item, place, name, depth + 1)
    else:
        try:
            yield Entry(name, item, _addresses.parse(item))
        except _addresses.AddressError as error:
            raise _addresses.AddressError(f"{place}: {error}") from None


_WITHOUT = "it has no `cidr` and no `subnets`; give it one of them"


def _owner(item: t.Mapping[str, t.Any], place: str, name: t.Any, depth: int) -> t.Iterator[Entry]:
    """Read a dict of one owner; what it calls itself stands in messages too."""
    own = item.get("name") or name
    if own is not None and own != name:
        place = f"{place} ({own})"
    fields = [field for field in _FIELDS if field in item]
    if not fields:
        raise _addresses.AddressError(f"{place}: {_WITHOUT}")
    for field in fields:
        yield from _one(item[field], place if field == "cidr" else f"{place}.{field}", own, depth + 1)
