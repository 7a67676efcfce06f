# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""What both the way to a configuration of Cisco IOS XE and the way back need to know of its words. Pure."""

from __future__ import annotations

import typing as t

DESCRIPTION = "bothends.vpn "  # before a connection's name, where IOS keeps a description
# A dead peer is asked at once and five times more, `retry` seconds apart.
DPD_RETRIES = 5
DPD_QUERY = {"hold": "on-demand", "restart": "periodic"}
ID_WORD = {
    "v1": {"ipv4": "address", "fqdn": "host", "email": "user-fqdn"},
    "v2": {"ipv4": "address", "fqdn": "fqdn", "email": "email"},
}
SELF_WORD = {"v2": ID_WORD["v2"], "v1": {"ipv4": "address", "fqdn": "fqdn", "email": "user-fqdn"}}


def object_name(name: str) -> str:
    """A connection's name as that of its parts on the router. ``-`` only ever parts hub and site, ``--`` is one of theirs."""
    return "bothends-" + "-".join(part.replace("-", "--") for part in name.split("/"))


def dicts(value: t.Any) -> list[dict[str, t.Any]]:
    """Leave out what the specification refuses anyway."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
