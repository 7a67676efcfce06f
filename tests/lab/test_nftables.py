# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Neutron's rules become these nftables rules, and nftables takes them."""

from __future__ import annotations

import subprocess

import pytest

from bothends_lab.cloud import nftables

V4, V6 = "meta nfproto ipv4", "meta nfproto ipv6"
RULES = [
    ({"ethertype": "IPv4"}, V4),
    ({"ethertype": "IPv4", "protocol": "0"}, V4),
    ({"ethertype": "IPv4", "source_ip_prefix": "192.168.3.0/24"}, f"{V4} ip saddr 192.168.3.0/24"),
    ({"ethertype": "IPv4", "source_ip_prefix": "192.168.3.7/24"}, f"{V4} ip saddr 192.168.3.0/24"),
    ({"ethertype": "IPv4", "direction": "egress", "dest_ip_prefix": "10.0.0.0/8"}, f"{V4} ip daddr 10.0.0.0/8"),
    (
        {"ethertype": "IPv4", "protocol": "tcp", "port_range_min": 8000, "port_range_max": 8010},
        f"{V4} meta l4proto 6 th dport 8000-8010",
    ),
    ({"ethertype": "IPv4", "protocol": "17"}, f"{V4} meta l4proto 17"),
    ({"ethertype": "IPv4", "protocol": "icmp"}, f"{V4} meta l4proto icmp"),
    (
        {"ethertype": "IPv4", "protocol": "1", "port_range_min": 8, "port_range_max": 0},
        f"{V4} meta l4proto icmp icmp type 8 icmp code 0",
    ),
    ({"ethertype": "IPv6", "protocol": "icmp", "port_range_min": 128}, f"{V6} meta l4proto ipv6-icmp icmpv6 type 128"),
    (
        {"ethertype": "IPv6", "protocol": "ipv6-icmp", "source_ip_prefix": "fd00::/64"},
        f"{V6} ip6 saddr fd00::/64 meta l4proto ipv6-icmp",
    ),
    ({"ethertype": "IPv4", "protocol": "112"}, f"{V4} meta l4proto 112"),
    ({"ethertype": "IPv4", "protocol": "esp"}, f"{V4} meta l4proto 50"),
    (
        {
            "ethertype": "IPv4",
            "protocol": "udp",
            "port_range_min": 68,
            "port_range_max": 68,
            "source_port_range_min": 67,
            "source_port_range_max": 67,
            "dest_ip_prefix": "192.168.1.10/32",
        },
        f"{V4} ip daddr 192.168.1.10/32 meta l4proto 17 th dport 68-68 th sport 67-67",
    ),
]


@pytest.mark.parametrize(("rule", "expected"), RULES)
def test_expression(rule, expected):
    assert nftables.expression({"direction": "ingress", **rule}) == expected + " counter accept"


def test_nftables_takes_them_all():
    port = {
        "security_group_rules": [{"direction": "ingress", **rule} for rule, expected in RULES],
        "fixed_ips": ["192.168.1.10", "fd00::10"],
        "allowed_address_pairs": [{"ip_address": "192.168.1.0/28"}],
    }
    text = nftables.ruleset(port)
    done = subprocess.run(
        ["unshare", "--net", "nft", "--check", "-f", "-"], input=text, text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_port_without_port_security_is_open():
    assert "chain" not in nftables.ruleset({"port_security_enabled": False, "security_group_rules": []})


def test_a_deleted_port_is_shut():
    text = nftables.ruleset(nftables.DELETED)
    assert text.count("policy drop") == 2
