# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hub that all contenders work on, with any number of sites."""

from __future__ import annotations

from typing import Any

RULES = [{"protocol": "icmp"}, {"protocol": "tcp", "ports": ["443", "8000-8010"]}]
# Neutron's time for a new rule grows with the rules of its group: three for each of 500 sites take it a quarter of an hour.
FEW_RULES = [{"protocol": "icmp"}]
MANY_SITES = 100


def site(number: int, **change: Any) -> dict[str, Any]:
    """One site with a subnet and three rules of its own."""
    return {
        "name": f"site-{number:04}",
        "gateway": f"198.18.{number // 250}.{number % 250 + 1}",
        "subnets": [f"10.{number // 256}.{number % 256}.0/24"],
        "policy": "strong",
        "security_group_rules": RULES,
        "psk": f"the key of site {number:04}, long enough",
        **change,
    }


def hub(sites: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """Options of module hub."""
    return {
        "name": "prod",
        "vpc": "prod",
        "subnets": ["192.168.1.0/24", "192.168.2.0/24"],
        "security_groups": ["servers"],
        "policies": [{"name": "strong", "ike": {}, "ipsec": {}}],
        "connections": sites,
        "wait_for": "none",
        **more,
    }


def hub_of(count: int, **more: Any) -> dict[str, Any]:
    """The same with this many sites; many of them have a rule each, and fewer three."""
    change = {"security_group_rules": FEW_RULES} if count > MANY_SITES else {}
    return hub([site(number, **change) for number in range(count)], **more)


# --- the same as one task an object ---------------------------------------------------------------------------------

# What all sites share: module and options.
SHARED: list[tuple[str, dict[str, Any]]] = [
    ("ike_policy", {"name": "strong"}),
    ("ipsec_policy", {"name": "strong"}),
    ("vpn_service", {"name": "prod", "vpc": "prod"}),
    ("endpoint_group", {"name": "prod", "type": "subnet", "endpoints": ["app", "db"]}),
]


def alone(number: int) -> list[tuple[str, dict[str, Any]]]:
    """What one site takes of this collection's own modules."""
    whole = site(number)
    connection = {
        "name": whole["name"],
        "vpn_service": "prod",
        "ike_policy": "strong",
        "ipsec_policy": "strong",
        "local_endpoint_group": "prod",
        "peer_endpoint_group": whole["name"],
        "peer_address": whole["gateway"],
        "psk": whole["psk"],
        "wait_for": "none",
    }
    return [
        ("endpoint_group", {"name": whole["name"], "type": "cidr", "endpoints": whole["subnets"]}),
        ("site_connection", connection),
    ]


def rules_alone(number: int) -> list[dict[str, Any]]:
    """The same site's rules, one task each."""
    ports = [("icmp", {}), ("tcp", {"port_range_min": 443, "port_range_max": 443}),
             ("tcp", {"port_range_min": 8000, "port_range_max": 8010})]  # fmt: skip
    common = {"security_group": "servers", "direction": "ingress", "ether_type": "IPv4"}
    return [
        {**common, "protocol": protocol, "remote_ip_prefix": site(number)["subnets"][0], **port}
        for protocol, port in ports
    ]
