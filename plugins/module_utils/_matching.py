# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""Which connection that is there answers for which wanted one. Pure."""

from __future__ import annotations

import collections
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils._objects import (
    REFERENCES,
    Body,
    Desired,
    Snapshot,
    Target,
    content,
    normal,
    owner,
    selectors,
)


def pairs(wanted: Target, snapshot: Snapshot, by_id: t.Mapping[str, Body]) -> dict[str, Body]:
    """Pair each wanted connection with one that is there: same selectors first, of those one with the same policies (an
    earlier run may have ended before it took the other away), then same name, then any of the site.

    A connection without a marker is adopted when it leads from this VPC to the same peer with the same selectors, or is the
    only one that leads there.
    """
    matches: dict[str, Body] = {}
    owners = {one["id"]: owner(one) for one in snapshot["site_connection"]}
    site_of = {one: who.site for one, who in owners.items() if who and who.hub == wanted.hub}
    ours = [one for one in snapshot["site_connection"] if one["id"] in site_of]
    free = {one["id"]: one for one in ours}
    by_site: dict[str | None, list[Body]] = {}
    # Where two runs at once made things twice, all go on with what the same one of them made: the one that made more.
    sites: dict[t.Any, set[str | None]] = {}
    for one in ours:
        for field in REFERENCES:
            sites.setdefault(one.get(field), set()).add(site_of[one["id"]])

    def preference(one: Body) -> tuple[t.Any, ...]:
        return [(-len(sites[one.get(field)]), one.get(field) or "") for field in REFERENCES], one["id"]

    for one in sorted(ours, key=preference):
        by_site.setdefault(site_of[one["id"]], []).append(one)
    services = {one["id"]: one for one in snapshot["vpn_service"]}
    foreign: dict[str, list[Body]] = {}
    for one in snapshot["site_connection"]:
        if owners[one["id"]] is None:
            foreign.setdefault(normal("peer_address", one), []).append(one)

    def same_selectors(desired: Desired, one: Body) -> bool:
        return selectors(one, by_id) == tuple(
            normal("endpoints", desired.body[field].body) for field in ("local_ep_group_id", "peer_ep_group_id")
        )

    # Few policies serve many connections.
    policies = {one["id"]: content(kind, one) for kind in ("ike_policy", "ipsec_policy") for one in snapshot[kind]}

    def same_policies(desired: Desired, one: Body) -> bool:
        return all(
            policies.get(one[field]) == desired.body[field].content for field in ("ikepolicy_id", "ipsecpolicy_id")
        )

    rules: tuple[t.Callable[[Desired, Body], bool], ...] = (
        lambda desired, one: same_selectors(desired, one) and same_policies(desired, one),
        same_selectors,
        lambda desired, one: one["name"] == desired.name,
        lambda desired, one: True,
    )
    for rule in rules:
        for desired in wanted.connections:
            if desired.name in matches:
                continue
            for one in by_site.get(desired.owner.site, []):
                if one["id"] in free and rule(desired, one):
                    matches[desired.name] = free.pop(one["id"])
                    break

    def adoptable(desired: Desired) -> list[Body]:
        router = desired.body["vpnservice_id"].body["router_id"]
        return [
            one
            for one in foreign.get(normal("peer_address", desired.body), [])
            if services.get(one["vpnservice_id"], {}).get("router_id") == router
        ]

    def adopt(desired: Desired, one: Body) -> None:
        matches[desired.name] = one
        foreign[normal("peer_address", desired.body)].remove(one)

    left = [desired for desired in wanted.connections if desired.name not in matches]
    for desired in left:
        for one in adoptable(desired):
            if same_selectors(desired, one):
                adopt(desired, one)
                break
    # With other selectors only where no doubt is left which one is meant.
    left = [desired for desired in left if desired.name not in matches]
    peers = collections.Counter(normal("peer_address", desired.body) for desired in left)
    for desired in left:
        there = adoptable(desired)
        if len(there) == 1 == peers[normal("peer_address", desired.body)]:
            adopt(desired, there[0])
    return matches
