# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""The checks: topology (and what the cloud says) in, findings out. Nothing here does I/O.

Each rule is one small generator in one of the three files ``_rules_*``; the ``RULES`` of a file lists them.
"""

from __future__ import annotations

import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _rules_connection, _rules_description
from ansible_collections.bothends.vpn.plugins.module_utils._description import SOURCE, Description
from ansible_collections.bothends.vpn.plugins.module_utils._findings import Finding, finding
from ansible_collections.bothends.vpn.plugins.module_utils._rules_addresses import addresses
from ansible_collections.bothends.vpn.plugins.module_utils._topology import connections


def offline(description: Description, psks: t.Mapping[str, t.Any] | None = None) -> list[Finding]:
    """Check a whole description; without ``psks`` the keys are not looked at."""
    present = Description(
        description.policies,
        description.hubs,
        {name: site for name, site in description.sites.items() if site["state"] == "present"},
        description.findings,
    )
    found = list(description.findings)
    if psks is not None and not isinstance(psks, t.Mapping):
        found.append(
            finding("not-a-dict", "", "vpn_psks", "(secret)", "vpn_psks is no dict.",
                    "Write it as a dict from a connection or site to its key.", SOURCE)
        )  # fmt: skip
        psks = None
    records = connections(_checkable(present), psks)
    for rule in _rules_description.RULES:
        found.extend(rule(present))
    found.extend(addresses(records, {name: hub["subnets"] for name, hub in present.hubs.items()}))
    for record in records:
        for check in _rules_connection.RULES:
            found.extend(check(record, present.hubs[record["hub"]]))
        if psks is not None:
            found.extend(_rules_connection.psk(record, present.hubs[record["hub"]]))
    found.extend(_rules_connection.mangled_psks(psks or {}))
    return _once(found)


def _checkable(description: Description) -> Description:
    """Judge a site of an unknown policy by the default one, so that what else is wrong with it shows in the same run."""
    known = description.policies
    sites = {name: {**site, "policy": site["policy"] if site["policy"] in known else "default"}
             for name, site in description.sites.items()}  # fmt: skip
    return description._replace(sites=sites)


def _once(found: t.Iterable[Finding]) -> list[Finding]:
    """A policy or site that several connections share is told once."""
    once = {(one["code"], one["field"], one["message"]): one for one in found}
    return sorted(once.values(), key=lambda one: (one["severity"], one["host"], one["field"]))
