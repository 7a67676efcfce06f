# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""Module hub's options, made from the one specification, and the way back from them to a description.

Apart from ``_hub``, because filters need it too, and must not load the SDK for it.
"""

from __future__ import annotations

import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _description

Params = t.Dict[str, t.Any]

# What a connection of the module takes from a site's entry; the rest concerns the router only.
SITE_FIELDS = (
    "state", "gateway", "local_address", "subnets", "policy", "security_group_rules", "psk_generation", "id", "peer_id",
    "selector_mode", "underlay_mtu", "dpd", "initiator",
)  # fmt: skip


def spec() -> dict[str, dict[str, t.Any]]:
    """Give the module's options; what a user can say of hub, policy and site comes from the one specification."""
    name = {"type": "str", "required": True}
    hub = {key: _description.HUB[key] for key in ("provider", "vpc", "subnets", "security_groups", "gateway")}
    site = {key: _description.SITE[key] for key in SITE_FIELDS}
    return _description.arguments(
        {
            "name": name,
            **hub,
            "policies": {"type": "list", "elements": "dict", "default": [],
                         "options": {"name": name, **_description.POLICY}},
            "connections": {"type": "list", "elements": "dict", "default": [],
                            "options": {"name": name, **site, "psk": {"type": "str", "no_log": True}}},
            "blocked": {"type": "list", "elements": "str", "default": []},
            "ignore": {"type": "list", "elements": "dict", "default": [], "options": _description.IGNORE},
            "purge": {"type": "bool", "default": False},
            "send_psks": {"type": "bool", "default": False},
            "allow_disruption": {"type": "bool", "default": False},
            "wait_for": {"type": "str", "choices": ["none", "accepted", "active"], "default": "accepted"},
            "timeout": {"type": "int", "default": 120},
            "progress_file": {"type": "path"},
        }
    )  # fmt: skip


def describe(params: Params) -> tuple[_description.Description, dict[str, str]]:
    """Turn the module's options back into a description of one hub, and its keys by site."""
    hub = {key: params[key] for key in ("provider", "vpc", "subnets", "security_groups", "gateway")}
    sites, psks = {}, {}
    for connection in params["connections"]:
        site = {key: value for key, value in connection.items() if key not in ("name", "psk")}
        sites[connection["name"]] = {**site, "hub": params["name"]}
        psks[connection["name"]] = connection.get("psk") or ""
    policies = {policy["name"]: {"ike": policy["ike"], "ipsec": policy["ipsec"]} for policy in params["policies"]}
    return _description.describe(policies, {params["name"]: hub}, sites, params.get("ignore")), psks
