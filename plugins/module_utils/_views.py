# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""The description cut to what one reader needs: a hub's module, a router's role, a report."""

from __future__ import annotations

import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import (
    _description,
    _findings,
    _hub_options,
    _rules,
    _rules_description,
    _topology,
)
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError

Facts = t.Mapping[str, t.Mapping[str, t.Any]]


def _sites(sites: t.Any, blocked: t.Container[str], router: str | None = None) -> t.Any:
    """Leave out blocked sites, and those of other routers: a router need not pay for judging all the others' entries."""
    if not isinstance(sites, t.Mapping):
        return sites
    return {
        name: entry
        for name, entry in sites.items()
        if str(name) not in blocked
        and (router is None or not isinstance(entry, t.Mapping) or str(entry.get("router") or name) == router)
    }


def _describe(policies: t.Any, hubs: t.Any, sites: t.Any) -> _description.Description:
    """Take a description that is whole: a missing entry would look like one to be removed."""
    description = _description.describe(policies, hubs, sites)
    there = {name: site for name, site in description.sites.items() if site["state"] != "absent"}
    found = [*description.findings, *_rules_description.references(description._replace(sites=there))]
    # A hub or policy that no site here uses is somebody else's trouble.
    wrong = [one for one in found if _rules.blocked(description, [one]) or not one["scope"]]
    if wrong:
        raise VpnError(f"the description is wrong:\n{_findings.lines(wrong)}")
    return description


def blocked(policies: t.Any, hubs: t.Any, sites: t.Any, psks: t.Any = None) -> dict[str, str]:
    """Say which sites an error stops, and why."""
    description = _description.describe(policies, hubs, sites)
    return _rules.blocked(description, _rules.offline(description, _description.plain(psks)))


def _keys(psks: t.Any) -> dict[str, t.Any]:
    psks = _description.plain(psks) or {}
    if not isinstance(psks, dict):
        raise VpnError(f"psks: a dict from a connection or site to its key is wanted, not {type(psks).__name__}.")
    return psks


def connections(
    policies: t.Any,
    hubs: t.Any,
    sites: t.Any,
    psks: t.Any = None,
    end: str = "hub",
    hub: str | None = None,
    router: str | None = None,
    facts: Facts | None = None,
    blocked: t.Container[str] = (),
) -> list[t.Any]:
    """Give the connection records, resolved by what the clouds say where that is known."""
    if end not in ("hub", "site"):
        raise VpnError(f"end: {end} is neither hub nor site.")
    records = _topology.connections(_describe(policies, hubs, _sites(sites, blocked, router)), _keys(psks))
    known = _description.plain(facts or {})
    out = []
    for record in records:
        if (hub and record["hub"] != hub) or (router and record["router"] != router):
            continue
        if record["hub"] in known:
            try:
                record = _topology.resolve(record, known[record["hub"]])
            except LookupError as error:
                raise VpnError(f"hub {record['hub']}: subnets: {error}") from error
        out.append(_topology.mirror(record) if end == "site" else record)
    return out


def hub_connections(
    policies: t.Any,
    hubs: t.Any,
    sites: t.Any,
    psks: t.Any,
    hub: str,
    blocked: t.Container[str] = (),
    absent: bool = False,
) -> list[dict[str, t.Any]]:
    """Give what module hub takes for each site of one hub; with ``absent`` to take all of them off."""
    description = _describe(policies, hubs, _sites(sites, blocked))
    if hub not in description.hubs:
        raise VpnError(
            f"hub: there is no {hub!r} in vpn_hubs; known are: {', '.join(sorted(description.hubs)) or 'none'}."
        )
    records = {
        record["site"]: record for record in _topology.connections(description, _keys(psks)) if record["hub"] == hub
    }
    out = []
    for name, site in description.sites.items():
        if hub not in site["hubs"]:
            continue
        fields = {field: site[field] for field in _hub_options.SITE_FIELDS if site[field] is not None}
        fields["policy"] = site["policy"]
        if absent:
            fields["state"] = "absent"
        if name in records:
            # A hub knows nothing of platforms, so what follows from one is said outright.
            fields["selector_mode"] = records[name]["selector_mode"]
            if records[name].get("psk"):
                fields["psk"] = records[name]["psk"]
        out.append({"name": name, **fields})
    return out


def router_sites(
    policies: t.Any,
    hubs: t.Any,
    sites: t.Any,
    psks: t.Any = None,
    router: str | None = None,
    without_routers: t.Container[str] | None = None,
    facts: Facts | None = None,
    blocked: t.Container[str] = (),
    absent: bool = False,
) -> list[dict[str, t.Any]]:
    """Give the sites of one router, or those whose router is none of ``without_routers``, each with its connections.

    With ``absent`` all of them are to be taken off.
    """
    out: dict[str, dict[str, t.Any]] = {}
    for record in connections(policies, hubs, sites, psks, "site", router=router, facts=facts, blocked=blocked):
        if without_routers is not None and record["router"] in without_routers:
            continue
        if absent:
            record["state"] = "absent"
        site = out.setdefault(
            record["site"],
            {
                "name": record["site"],
                "state": record["state"],
                "platform": record["platform"],
                "driven": record["driven"],
                "platform_version": record["platform_version"],
                "router_settings": record["router_settings"],
                "connections": [],
            },
        )
        site["connections"].append(record)
    return list(out.values())
