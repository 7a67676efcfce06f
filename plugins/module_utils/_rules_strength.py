# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""Rules over one policy: what works at both ends, and yet should not be used, or goes wrong hours later. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _levels
from ansible_collections.bothends.vpn.plugins.module_utils._findings import WARNING, Found, finding
from ansible_collections.bothends.vpn.plugins.module_utils._providers import PROVIDERS
from ansible_collections.bothends.vpn.plugins.module_utils._topology import Connection


def _levels_of(record: Connection, hub: dict[str, t.Any]) -> Found:
    """What the RFCs advise against."""
    for phase, field, value, cell in _levels.refused(t.cast(t.Any, record)):
        path = f"vpn_policies.{record['policy']}.{phase}.{field}"
        if field == "version":
            yield finding(
                "ikev1", record["policy"], path, value, "IKEv1 is historic: nobody mends it any more.",
                "Use version v2 where the device has it.", cell.clause,
            )  # fmt: skip
        else:
            yield finding(
                "weak-algorithm", record["policy"], path, value, f"{cell.level} be used: it can be broken.",
                _INSTEAD[field], cell.clause,
            )  # fmt: skip


_GROUPS = "Take group14 or, better, group19 to group21."
_INSTEAD = {"dh_group": _GROUPS, "pfs_group": _GROUPS}


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
        if seconds < SHORT:
            begins = f"begins up to {provider.rekey_span} s" if provider.rekey_span else "begins some minutes"
            yield finding(
                "lifetime-short", record["policy"], f"{path}.{phase}.lifetime", seconds,
                f"the hub {begins} before its end to make new SAs, and so would hardly ever stop.",
                f"Take {SHORT} s or more.", provider.said("rekey_span"), WARNING,
            )  # fmt: skip


# Twice what strongSwan's default margin and fuzz can come to, in seconds.
SHORT = 600


def _reauthentication(record: Connection, hub: dict[str, t.Any]) -> Found:
    """Where the hub ends an IKE SA before it makes the next, each lifetime has a gap, unless the site comes first."""
    provider, seconds = PROVIDERS[hub["provider"]], record["ike"]["lifetime"]
    settings = record["router_settings"]
    if not provider.reauth_gap:
        return
    if SHORT <= seconds < OFTEN and settings.get("ike_renewal") != "reauth":
        yield finding(
            "reauth-gap", record["policy"], f"vpn_policies.{record['policy']}.ike.lifetime", seconds,
            f"the hub makes the IKE SA anew after {seconds} s, and ends the old one before: a short gap each time.",
            f"Take {OFTEN} s or more.", provider.said("reauth_gap"),
        )  # fmt: skip
    if settings.get("close_action") == "start":
        yield finding(
            "close-action", record["site"], f"vpn_sites.{record['site']}.router_settings.close_action", "start",
            "the hub closes its SAs to re-authenticate; a router that begins anew then makes them twice.", "Leave it out.",
            provider.said("reauth_gap"),
        )  # fmt: skip


# Eight hours: three gaps a day are borne by what runs over a VPN.
OFTEN = 28800


def _identities(record: Connection, hub: dict[str, t.Any]) -> Found:
    ours, theirs = (record[end]["id"] for end in ("local", "remote"))
    if ours and theirs and ours["value"] == theirs["value"]:
        yield finding(
            "same-id", record["site"], f"vpn_sites.{record['site']}.id.value", theirs["value"],
            "both ends have this identity: neither a log nor the choice of a key can tell them apart.", "Give each its own.",
        )  # fmt: skip


RULES: tuple[t.Callable[[Connection, dict[str, t.Any]], Found], ...] = (_levels_of, _aggressive, _lifetimes)
OF_A_SITE: tuple[t.Callable[[Connection, dict[str, t.Any]], Found], ...] = (_reauthentication, _identities)
