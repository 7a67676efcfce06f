# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""Lists of subnets as users hand them to a filter or test: plain texts, or dicts with a name and a CIDR."""

from __future__ import annotations

import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _addresses


class Entry(t.NamedTuple):
    """One subnet and what its owner calls it."""

    name: str
    cidr: str
    prefix: _addresses.Prefix

    def public(self) -> dict[str, str]:
        """Give it back the way it was written."""
        return {"name": self.name, "cidr": self.cidr}


def read(entries: t.Any) -> list[Entry]:
    """Read the list; raises AddressError that names the place of a bad item."""
    if not isinstance(entries, (list, tuple)):
        raise _addresses.AddressError(f"a list of subnets is wanted, not {type(entries).__name__}")
    out = []
    for index, item in enumerate(entries):
        cidr = item.get("cidr") if isinstance(item, t.Mapping) else item
        name = item.get("name") if isinstance(item, t.Mapping) else item
        try:
            out.append(Entry(str(name or cidr), str(cidr), _addresses.parse(cidr)))
        except _addresses.AddressError as error:
            raise _addresses.AddressError(f"item {index}: {error}") from error
    return out


def prefixes(entries: t.Any) -> list[_addresses.Prefix]:
    """Read the list for its addresses only."""
    return [entry.prefix for entry in read(entries)]
