# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes the cloud back to the world's own state, through the API."""

from __future__ import annotations

import time
from typing import Any

from . import netns
from .cloud.api import CloudApi
from .errors import LabError
from .world import World

# In the order in which nothing is in use any more.
_VPN_KINDS = (
    "vpn/ipsec-site-connections",
    "vpn/vpnservices",
    "vpn/endpoint-groups",
    "vpn/ikepolicies",
    "vpn/ipsecpolicies",
)
_RULE_FIELDS = (
    "direction",
    "ethertype",
    "protocol",
    "port_range_min",
    "port_range_max",
    "remote_ip_prefix",
    "remote_group_id",
    "remote_address_group_id",
)
_DEFAULTS = [{"direction": "egress", "ethertype": family} for family in ("IPv4", "IPv6")]
_END_SECONDS = 60.0


def reset_cloud_vpn(admin: CloudApi, world: World) -> None:
    """Deletes VPN objects, and security groups and rules that the world did not make."""
    for kind in _VPN_KINDS:
        for found in admin.list(kind, fields="id"):
            admin.delete(kind, found["id"])
    wanted = {
        name: [_key(rule) for rule in (*_DEFAULTS, *rules)]
        for vpc in world.vpcs.values()
        for name, rules in vpc.security_groups.items()
    }
    for group in admin.list("security-groups"):
        if group["name"] in wanted:
            _reset_rules(admin, group, wanted[group["name"]])
        elif group["name"] != "default":
            admin.delete("security-groups", group["id"])


def _key(rule: dict[str, Any]) -> tuple[Any, ...]:
    defaults = {"direction": "ingress", "ethertype": "IPv4"}
    return tuple(rule.get(field, defaults.get(field)) for field in _RULE_FIELDS)


def _reset_rules(admin: CloudApi, group: dict[str, Any], wanted: list[tuple[Any, ...]]) -> None:
    missing = list(wanted)
    for rule in group["security_group_rules"]:
        if _key(rule) in missing:
            missing.remove(_key(rule))
        else:
            admin.delete("security-group-rules", rule["id"])
    for key in missing:
        fields = {name: value for name, value in zip(_RULE_FIELDS, key, strict=True) if value is not None}
        admin.create(
            "security-group-rules",
            "security_group_rule",
            security_group_id=group["id"],
            project_id=group["project_id"],
            **fields,
        )


def wait_until_ended(namespace: str) -> None:
    """Waits until the cloud's agent has ended the strongSwan of a router: the API answers before that."""
    deadline = time.monotonic() + _END_SECONDS
    while netns.processes(namespace):
        if time.monotonic() > deadline:
            raise LabError(f"strongSwan in {namespace} still runs after its last connection was deleted")
        time.sleep(0.05)
