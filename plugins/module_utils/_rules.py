# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""The checks: topology (and what the cloud says) in, findings out. Nothing here does I/O.

Each rule is one small generator in one of the files ``_rules_*``; the ``RULES`` of a file lists them.
"""

from __future__ import annotations

import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import (
    _rules_connection,
    _rules_description,
    _rules_provider,
    _rules_strength,
    _secrets,
)
from ansible_collections.bothends.vpn.plugins.module_utils._description import SOURCE, Description
from ansible_collections.bothends.vpn.plugins.module_utils._findings import Finding, errors, finding, ordered
from ansible_collections.bothends.vpn.plugins.module_utils._rules_addresses import addresses
from ansible_collections.bothends.vpn.plugins.module_utils._topology import connections


def offline(
    description: Description, psks: t.Mapping[str, t.Any] | None = None, needed: bool = True, purge: bool = False
) -> list[Finding]:
    """Check a whole description; without ``psks`` the keys are not looked at.

    ``needed`` says whether a connection without a key is an error: one that is there keeps its key. ``purge`` says whether what
    is not described is removed.
    """
    present = Description(
        description.policies,
        description.hubs,
        {name: site for name, site in description.sites.items() if site["state"] != "absent"},
        description.findings,
    )
    found = list(description.findings)
    if psks is not None and not isinstance(psks, t.Mapping):
        found.append(
            finding("not-a-dict", "", "vpn_psks", "(secret)", "vpn_psks is no dict.",
                    "Write it as a dict from a connection or site to its key.", SOURCE)
        )  # fmt: skip
        psks = None
    # A key that YAML made into something else is told as that, and is no key to judge.
    texts = {name: value for name, value in (psks or {}).items() if isinstance(value, str)}
    records = connections(_checkable(present), texts)
    found.extend(_rules_description.nothing(description, purge))
    for rule in _rules_description.RULES:
        found.extend(rule(present))
    found.extend(_rules_description.absent_from_nowhere(description))
    found.extend(addresses(records, {name: hub["subnets"] for name, hub in present.hubs.items()}))
    # In a wrong policy defaults stand for what was meant: what follows from them is nobody's mistake.
    unclear = {one["scope"] for one in errors(description.findings) if one["scope"].startswith("policy ")}
    for record in records:
        hub = present.hubs[record["hub"]]
        for check in _OF_A_CONNECTION:
            found.extend(one for one in check(record, hub) if one["scope"] not in unclear)
        no_key = psks is not None and _secrets.find(psks, record["hub"], record["site"]) is None
        if "psk" in record or (needed and no_key):
            found.extend(_rules_connection.psk(record, hub))
    found.extend(_rules_connection.mangled_psks(psks or {}, description.sites))
    left_out = {one["host"] for one in errors(description.findings)}
    if "" not in left_out:
        found.extend(_rules_connection.unused_psks(psks or {}, description.sites, left_out))
    return _once(found)


_OF_A_CONNECTION = (
    *_rules_connection.RULES,
    *_rules_provider.RULES,
    *_rules_provider.OF_A_SITE,
    *_rules_strength.RULES,
    *_rules_strength.OF_A_SITE,
)


def blocked(description: Description, found: t.Iterable[Finding]) -> dict[str, str]:
    """Say which sites an error stops, and why: those that it is about, or those of the hub or policy that it is about."""
    why: dict[str, list[str]] = {}
    for one in errors(found):
        kind, _blank, name = one["scope"].partition(" ")
        for site in [name] if kind == "site" else _stopped(kind, name, description.sites):
            why.setdefault(site, []).append(f"{one['field']}: {one['message']}")
    return {site: "; ".join(dict.fromkeys(texts)) for site, texts in why.items()}


def is_wide(one: Finding) -> bool:
    """Whether a finding concerns more than single sites: a hub, or everything."""
    return one["scope"].partition(" ")[0] in ("", "hub")


def _stopped(kind: str, name: str, sites: t.Mapping[str, dict[str, t.Any]]) -> t.Iterator[str]:
    for site, entry in sites.items():
        if name in entry["hubs"] if kind == "hub" else entry["policy"] == name if kind == "policy" else True:
            yield site


def _checkable(description: Description) -> Description:
    """Judge a site of an unknown policy by the default one, so that what else is wrong with it shows in the same run."""
    known = description.policies
    sites = {name: {**site, "policy": site["policy"] if site["policy"] in known else "default"}
             for name, site in description.sites.items()}  # fmt: skip
    return description._replace(sites=sites)


def _once(found: t.Iterable[Finding]) -> list[Finding]:
    """A policy or site that several connections share is told once."""
    once = {(one["code"], one["field"], one["message"]): one for one in found}
    return ordered(once.values())
