# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules that neutron computes for a port, as nftables rules. Nothing here runs anything.

Only packets in a flow's REPLY direction pass without a rule. Those in its original direction are judged one by one,
so that a flow ends with the rule that allowed it, and no table of connections needs cleaning.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Any

# The names that neutron takes for protocols.
_PROTOCOLS = {
    "icmp": 1, "igmp": 2, "ipip": 4, "tcp": 6, "egp": 8, "udp": 17, "dccp": 33, "ipv6-encap": 41, "ipv6-route": 43,
    "ipv6-frag": 44, "rsvp": 46, "gre": 47, "esp": 50, "ah": 51, "icmpv6": 58, "ipv6-icmp": 58, "ipv6-nonxt": 59,
    "ipv6-opts": 60, "ospf": 89, "vrrp": 112, "pgm": 113, "sctp": 132, "udplite": 136,
}  # fmt: skip
_WITH_PORTS = {_PROTOCOLS[name] for name in ("tcp", "udp", "udplite", "sctp", "dccp")}
_CHAINS = {"ingress": "input", "egress": "output"}
_PREFIXES = {"source_ip_prefix": "saddr", "dest_ip_prefix": "daddr"}
# A port that is no more: nothing passes.
DELETED: dict[str, Any] = {"security_group_rules": [], "fixed_ips": []}
# Neighbour discovery is to IPv6 what ARP is to IPv4, which no security group filters either.
_DISCOVERY = "icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } accept"


def expression(rule: dict[str, Any]) -> str:
    """One of neutron's rules as an nftables rule."""
    v6 = rule["ethertype"] == "IPv6"
    family = "ip6" if v6 else "ip"
    parts = [f"meta nfproto {'ipv6' if v6 else 'ipv4'}"]
    for key, side in _PREFIXES.items():
        if rule.get(key):
            parts.append(f"{family} {side} {ipaddress.ip_network(rule[key], strict=False)}")
    parts += _protocol(rule, v6)
    return " ".join([*parts, "counter", "accept"])


def _protocol(rule: dict[str, Any], v6: bool) -> list[str]:
    name = str(rule.get("protocol") or "0").lower()
    number = int(name) if name.isdigit() else _PROTOCOLS.get(name, 0)
    if number == 0:  # any
        return []
    if number in (1, 58):  # neutron takes "icmp" for IPv6 too
        return _icmp(rule, "icmpv6" if v6 else "icmp")
    parts = [f"meta l4proto {number}"]
    low, high = rule.get("port_range_min"), rule.get("port_range_max")
    if low is not None and number in _WITH_PORTS:
        parts.append(f"th dport {low}-{high}")
    if rule.get("source_port_range_min") is not None:
        parts.append(f"th sport {rule['source_port_range_min']}-{rule['source_port_range_max']}")
    return parts


def _icmp(rule: dict[str, Any], family: str) -> list[str]:
    parts = [f"meta l4proto {'ipv6-icmp' if family == 'icmpv6' else 'icmp'}"]
    kind = rule.get("port_range_min", rule.get("source_port_range_min"))
    if kind is not None:
        parts.append(f"{family} type {kind}")
    if rule.get("port_range_max") is not None:
        parts.append(f"{family} code {rule['port_range_max']}")
    return parts


def ruleset(port: dict[str, Any]) -> str:
    """The whole ruleset of a server; one whose port has no port security is not filtered."""
    text = "table inet security_groups\ndelete table inet security_groups\n"
    if not port.get("port_security_enabled", True):
        return text
    text += "table inet security_groups {\n"
    for direction, chain in _CHAINS.items():
        rules = [expression(rule) for rule in port["security_group_rules"] if rule["direction"] == direction]
        lines = [
            f"type filter hook {chain} priority filter; policy drop;",
            "meta iifname lo accept" if chain == "input" else "meta oifname lo accept",
            *([] if chain == "input" else _own_addresses(port)),
            _DISCOVERY,
            "ct state established ct direction reply accept",
            "ct state related accept",
            *sorted(set(rules)),
        ]
        text += f"  chain {chain} {{\n" + "".join(f"    {line}\n" for line in lines) + "  }\n"
    return text + "}\n"


def _own_addresses(port: dict[str, Any]) -> Iterable[str]:
    """Port security: nothing leaves a port with a source address that is not its own."""
    pairs = [pair["ip_address"] for pair in port.get("allowed_address_pairs", [])]
    addresses = [ipaddress.ip_network(address, strict=False) for address in (*port["fixed_ips"], *pairs)]
    for version, family, always in ((4, "ip", []), (6, "ip6", ["fe80::/10", "::"])):
        own = [str(address) for address in addresses if address.version == version] + always
        if own:
            yield f"{family} saddr != {{ {', '.join(own)} }} counter drop"
        else:
            yield f"meta nfproto ipv{version} counter drop"
