# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""Rules over addresses: who overlaps whom. Pure; run offline, and again once the cloud has told what named subnets are."""

from __future__ import annotations

import collections
import itertools
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _addresses
from ansible_collections.bothends.vpn.plugins.module_utils._findings import VPN_PAGE, Finding, finding
from ansible_collections.bothends.vpn.plugins.module_utils._topology import Connection

# Where more pairs overlap, each block is told with one other: thousands of equal subnets have millions of pairs.
_MOST_PAIRS = 1000


class _Block(t.NamedTuple):
    prefix: _addresses.Prefix
    field: str
    hub: str
    site: str | None

    def __str__(self) -> str:
        return f"{self.prefix} of {'site ' + self.site if self.site else 'hub ' + self.hub}"


def addresses(records: t.Sequence[Connection], hub_subnets: t.Mapping[str, t.Sequence[str]]) -> list[Finding]:
    """Find each overlap: within a hub, hub and site, site and site of one hub, hubs that share a router.

    Subnets given by name are judged once they are resolved; broken ones are told elsewhere.
    """
    hubs = {
        hub: [
            _Block(_addresses.parse(subnet), f"vpn_hubs.{hub}.subnets[{index}]", hub, None)
            for index, subnet in enumerate(subnets)
            if _addresses.is_prefix(subnet)
        ]
        for hub, subnets in hub_subnets.items()
    }
    found: list[Finding] = []
    of_hub = collections.defaultdict(list)
    for record in records:
        of_hub[record["hub"]].append(record)
    for hub, blocks in hubs.items():
        sites = [
            _Block(_addresses.parse(subnet), f"vpn_sites.{record['site']}.subnets[{index}]", hub, record["site"])
            for record in of_hub[hub]
            for index, subnet in enumerate(record["remote"]["subnets"])
            if _addresses.is_prefix(subnet)
        ]
        found.extend(_overlap(one, other) for one, other in _pairs(blocks + sites))
    for router, shared in _hubs_by_router(records).items():
        blocks = [block for hub in shared for block in hubs.get(hub, [])]
        for pair in _pairs(blocks):
            if pair[0].hub != pair[1].hub:  # told of both hubs, and so both are stopped
                found += [_overlap(first, second, router) for first, second in (pair, pair[::-1])]
    return found


def _pairs(blocks: list[_Block]) -> t.Iterator[tuple[_Block, _Block]]:
    prefixes = [block.prefix for block in blocks]
    found = list(itertools.islice(_addresses.overlaps(prefixes), _MOST_PAIRS + 1))
    for one, other in found if len(found) <= _MOST_PAIRS else _addresses.witnesses(prefixes):
        yield blocks[one], blocks[other]


def _overlap(one: _Block, other: _Block, router: str | None = None) -> Finding:
    if router:
        code, why = "overlap-shared-router", f"; router {router} reaches both hubs and could not tell them apart"
    elif other.site is None:
        code, why = "overlap-hub", ""
    elif one.site is None:
        code, why = "overlap-hub-site", ""
    else:
        code, why = ("overlap-site" if one.site == other.site else "overlap-sites"), ""
    return finding(
        code, other.site or other.hub, other.field, other.prefix, f"{other} overlaps {one} ({one.field}){why}.",
        "Renumber or narrow one of the two.", VPN_PAGE,
        # Which of two is wrong, nobody can tell; a site that overlaps itself concerns no other.
        scope=f"site {other.site}" if code == "overlap-site" else f"hub {other.hub}",
    )  # fmt: skip


def _hubs_by_router(records: t.Iterable[Connection]) -> dict[str, list[str]]:
    shared: dict[str, list[str]] = {}
    for record in records:
        hubs = shared.setdefault(record["router"], [])
        if record["hub"] not in hubs:
            hubs.append(record["hub"])
    return {router: hubs for router, hubs in shared.items() if len(hubs) > 1}
