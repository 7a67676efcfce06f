# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""What a snapshot says: things found by name or id, the VPC's facts, the status in people's words. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.plugins.module_utils._objects import Body, Snapshot

# What an operator reads for each status of the API: the words of the provider's console.
STATUS_WORDS = {
    "ACTIVE": "Normal",
    "DOWN": "Not connected",
    "BUILD": "Creating",
    "PENDING_CREATE": "Creating",
    "PENDING_UPDATE": "Updating",
    "PENDING_DELETE": "Deleting",
    "ERROR": "Abnormal",
    "FAULT": "Abnormal",
    "FREEZED": "Frozen",
    "FROZEN": "Frozen",
}

PENDING = ("PENDING_CREATE", "PENDING_UPDATE", "PENDING_DELETE", "BUILD")


def status_word(status: str | None) -> str:
    """Give the console's word for an API status; an unknown status stays as it is."""
    return STATUS_WORDS.get(status or "", status or "unknown")


def one_of(what: str, wanted: str, things: t.Sequence[Body]) -> Body:
    """Find one thing by id or name; raises VpnError where there is none or more than one."""
    found = [one for one in things if one["id"] == wanted] or [one for one in things if one["name"] == wanted]
    if len(found) == 1:
        return found[0]
    if found:
        raise VpnError(f"{what} {wanted!r} is ambiguous: {', '.join(one['id'] for one in found)}. Remedy: give the id.")
    there = ", ".join(sorted(one["name"] or one["id"] for one in things)) or "none"
    raise VpnError(f"{what} {wanted!r} is not there; there are: {there}. Remedy: create it, or correct the name.")


def hub_facts(snapshot: Snapshot, gateway_is_routers: bool = True) -> dict[str, t.Any]:
    """Say what the other end needs to know of the VPC: gateway, subnets and the VPN service's state.

    Where the VPN does not have the router's own address, the gateway is known once there is a service.
    """
    router = snapshot["vpc"][0]
    services = [one for one in snapshot["vpn_service"] if one["router_id"] == router["id"]]
    outside = (router.get("external_gateway_info") or {}).get("external_fixed_ips", []) if gateway_is_routers else []
    addresses = [one["ip_address"] for one in outside]
    gateway = next((one["external_v4_ip"] for one in services if one.get("external_v4_ip")), None)
    status = services[0].get("status") if services else None
    return {
        "vpc": {"id": router["id"], "name": router["name"]},
        "gateway": gateway or next((one for one in addresses if ":" not in one), None) or next(iter(addresses), None),
        "status": status,
        "state": status_word(status) if status else "not there",
        "services": sorted(
            ({"id": one["id"], "name": one.get("name"), "status": one.get("status")} for one in services),
            key=lambda one: one["id"],
        ),
        "subnets": sorted(
            ({"id": one["id"], "name": one["name"], "cidr": one["cidr"]} for one in snapshot["subnets"]),
            key=lambda one: (one["name"], one["id"]),
        ),
    }
