# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""Module hub_info from end to end: only what was asked for is read."""

from __future__ import annotations

import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import (
    _adoption,
    _cloud,
    _description,
    _dialect,
    _objects,
    _secrets,
    _state,
)
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.plugins.module_utils._providers import PROVIDERS

Params = t.Dict[str, t.Any]

# What each part of the result is made of.
_FACTS = ("subnets", "vpn_service")
_CONNECTIONS = ("vpn_service", "site_connection", "endpoint_group")
READS = {
    "hub": _FACTS,
    "connections": _CONNECTIONS,
    "description": (*_FACTS, *_CONNECTIONS, "ike_policy", "ipsec_policy", "security_groups"),
}


def spec() -> dict[str, dict[str, t.Any]]:
    """Give the module's own options."""
    return {
        "name": {"type": "str"},
        "vpc": {"type": "str", "required": True},
        "gather": {"type": "list", "elements": "str", "choices": list(READS), "default": list(READS)},
        "until_normal": {"type": "list", "elements": "str", "default": []},
        "timeout": {"type": "int", "default": 30},
        "digest_key": {"type": "str", "no_log": True},
        **_description.arguments({"provider": _description.HUB["provider"]}),
    }


def inform(params: Params, cloud: _cloud.Cloud) -> Params:
    """Read what is there, in the shape that module hub returns. Raises VpnError where the options do not go together."""
    gather = params["gather"]
    if params["until_normal"] and "connections" not in gather:
        raise VpnError(
            f"until_normal: connections are to be waited for, but gather is {', '.join(gather) or 'empty'}. "
            "Remedy: add connections to gather, or leave until_normal out."
        )
    row = PROVIDERS[params["provider"]]
    raw = cloud.snapshot(params["vpc"], {name for part in gather for name in READS[part]})
    snapshot = _dialect.read(raw, row.name)
    awaited = [
        theirs["name"]
        for theirs, ours in zip(raw["site_connection"], snapshot["site_connection"])
        if ours["name"] in params["until_normal"] and ours["status"] != "ACTIVE"
    ]
    if awaited and params["timeout"]:
        snapshot = _dialect.read({**raw, "site_connection": cloud.connections(awaited, params["timeout"])}, row.name)
    vpc = snapshot["vpc"][0]
    parts: dict[str, t.Callable[[], t.Any]] = {
        "hub": lambda: {"name": params["name"] or vpc["name"], **_state.hub_facts(snapshot, row.gateway_is_routers)},
        "connections": lambda: _connections(snapshot, vpc["id"], params["digest_key"]),
        "description": lambda: _adoption.description(snapshot, row.name),
    }
    return {
        "changed": False,
        "provider": {
            "name": row.name,
            "title": row.title,
            "effective": row.effective,
            "not_read_back": list(row.not_read_back),
        },
        **{name: make() for name, make in parts.items() if name in gather},
    }


def _connections(snapshot: _objects.Snapshot, vpc: str, key: str | None) -> list[Params]:
    services = {one["id"] for one in snapshot["vpn_service"] if one["router_id"] == vpc}
    by_id = {one["id"]: one for kind in ("vpn_service", "endpoint_group") for one in snapshot[kind]}
    return [_connection(one, by_id, key) for one in snapshot["site_connection"] if one["vpnservice_id"] in services]


def _connection(one: _objects.Body, by_id: dict[str, _objects.Body], key: str | None) -> Params:
    marker = _objects.owner(one)
    # Policies in use never change, and what is written to the service is of no connection.
    parts = [one, *(by_id.get(one.get(field) or "", {}) for field in ("local_ep_group_id", "peer_ep_group_id"))]
    return {
        "name": one["name"],
        "id": one["id"],
        "site": marker.site if marker else None,
        "gateway": one["peer_address"],
        "peer_id": one["peer_id"],
        "subnets": _objects.selectors(one, by_id)[1],
        "status": one["status"],
        "state": _state.status_word(one["status"]),
        "initiator": one["initiator"],
        "psk_digest": _secrets.digest(key, one["psk"]) if key and one.get("psk") else None,
        "updated_at": max((part["updated_at"] for part in parts if part.get("updated_at")), default=None),
    }
