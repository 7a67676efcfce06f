# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""Rules over one policy: what works at both ends, and yet should not be used, or goes wrong hours later. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils._findings import WARNING, Found, finding
from ansible_collections.bothends.vpn.plugins.module_utils._providers import PROVIDERS
from ansible_collections.bothends.vpn.plugins.module_utils._topology import Connection

# group -> what RFC 8247 says of it
_WEAK_GROUPS = {
    "group2": "SHOULD NOT", "group5": "SHOULD NOT", "group22": "MUST NOT", "group23": "SHOULD NOT", "group24": "SHOULD NOT",
}  # fmt: skip


def _groups(record: Connection, hub: dict[str, t.Any]) -> Found:
    for phase, field in (("ike", "dh_group"), ("ipsec", "pfs_group")):
        group = record[phase].get(field)
        if group in _WEAK_GROUPS:
            yield finding(
                "weak-group", record["policy"], f"vpn_policies.{record['policy']}.{phase}.{field}", group,
                f"{_WEAK_GROUPS[group]} be used: it can be broken.", "Take group14 or, better, group19 to group21.",
                "RFC 8247 section 2.4", WARNING,
            )  # fmt: skip


def _aggressive(record: Connection, hub: dict[str, t.Any]) -> Found:
    if record["ike"]["version"] == "v1" and record["ike"]["mode"] == "aggressive":
        yield finding(
            "aggressive-psk", record["policy"], f"vpn_policies.{record['policy']}.ike.mode", "aggressive",
            "sends a hash of the key before the peer is known: whoever hears it can guess the key at leisure.",
            "Take main mode or, better, IKEv2.", "RFC 2409 section 5.4", WARNING,
        )  # fmt: skip


def _lifetimes(record: Connection, hub: dict[str, t.Any]) -> Found:
    path = f"vpn_policies.{record['policy']}"
    ike, ipsec = record["ike"]["lifetime"], record["ipsec"]["lifetime"]
    provider = PROVIDERS[hub["provider"]]
    if ipsec > ike:
        yield finding(
            "lifetime-order", record["policy"], f"{path}.ipsec.lifetime", ipsec,
            f"is longer than that of IKE ({ike} s), whose end takes the tunnel with it.",
            "Give IKE the longer one, as 28800 and 3600 s.", "RFC 7296 section 1.4.1", WARNING,
        )  # fmt: skip
    for phase, seconds in (("ike", ike), ("ipsec", ipsec)):
        if seconds <= provider.rekey_span:
            yield finding(
                "lifetime-short", record["policy"], f"{path}.{phase}.lifetime", seconds,
                f"the hub begins up to {provider.rekey_span} s before its end to make new SAs, and so would never stop.",
                "Take 600 s or more.", provider.said("rekey_span"), WARNING,
            )  # fmt: skip


RULES: tuple[t.Callable[[Connection, dict[str, t.Any]], Found], ...] = (_groups, _aggressive, _lifetimes)
