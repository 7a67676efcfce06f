# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the golden files of Cisco IOS XE are rendered from: one case a name."""

from __future__ import annotations

import typing as t

from ansible_collections.bothends.vpn.tests.unit.plugins.module_utils._platforms import cases

PSK = "k3y-of.the_golden:files~43"


def record(hub: str = "prod", site: str = "berlin", **changes: t.Any) -> dict[str, t.Any]:
    """Gives the record of a plain IKEv2 connection by a crypto map, with one pair of subnets."""
    plain = {
        "platform": "cisco_iosxe", "mode": "policy", "selector_mode": "per_pair", "translate": {}, "psk": PSK,
        "tunnels": cases.pairs(f"{hub}/{site}", ["192.168.3.0/24"], ["192.168.1.0/24"]),
    }  # fmt: skip
    return cases.record(hub, site, **{**plain, **changes})


def numbers(hub: str = "prod", number: int = 10) -> dict[str, t.Any]:
    """Gives a connection's numbers on the router."""
    return {
        "hub": hub,
        "crypto_map_sequence": number,
        "tunnel": number,
        "isakmp_policy": number,
        "nat_sequence": number,
    }


SETTINGS = {
    "wan_interface": "GigabitEthernet0/0/0",
    "crypto_map": "WAN",
    "ikev2_policy": "SITES",
    "connections": [numbers()],
}
# A router that also translates, and whose LAN goes on behind another router.
BUSY = {
    **SETTINGS,
    "lan_interfaces": ["GigabitEthernet0/0/1", "GigabitEthernet0/0/2.20"],
    "nat_access_list": "INTERNET",
    "routes": [{"to": "192.168.4.0/24", "via": "192.168.3.254"}],
}
VRFS = {**BUSY, "front_vrf": "INET", "vrf": "LAN"}

PAIRS = {
    "tunnels": cases.pairs("prod/berlin", ["192.168.3.0/24", "192.168.4.0/24"], ["192.168.1.0/24", "192.168.2.128/25"])
}
V1 = {"ike": cases.V1["ike"], "ipsec": cases.V1["ipsec"], "dpd": {"action": "hold", "interval": 20, "timeout": 90}}
ROUTE = {"mode": "route"}
NAMED = {
    "local": {"id": {"type": "fqdn", "value": "vpn.berlin.example.com"}},
    "remote": {"id": {"type": "email", "value": "ops@example.com"}},
}
BEHIND_NAT = {"local": {"address": "10.0.0.2"}}

# name -> (router_settings, records)
CASES: dict[str, tuple[dict[str, t.Any], list[dict[str, t.Any]]]] = {
    "ikev2-map": (SETTINGS, [record()]),
    "ikev2-map-pairs": (BUSY, [record(**PAIRS)]),
    "ikev2-vti": (SETTINGS, [record(**ROUTE)]),
    "ikev2-vti-pairs": (BUSY, [record(**ROUTE, **PAIRS, dpd={"action": "restart"})]),
    "ikev1-map": (SETTINGS, [record(**V1)]),
    "ikev1-map-pairs": (BUSY, [record(**V1, **PAIRS)]),
    "ikev1-vti": (SETTINGS, [record(**V1, **ROUTE)]),
    "ikev1-vti-pairs": (BUSY, [record(**V1, **ROUTE, **PAIRS)]),
    "gcm": (SETTINGS, [record(**cases.GCM, underlay_mtu=1400)]),
    "behind-nat": (SETTINGS, [record(**BEHIND_NAT)]),
    "ids": (SETTINGS, [record(**NAMED)]),
    "ids-ikev1": (SETTINGS, [record(**V1, **NAMED)]),
    "vrfs": (VRFS, [record(**PAIRS)]),
    "vrfs-vti": (VRFS, [record(**ROUTE)]),
    "vrfs-ikev1": (VRFS, [record(**V1)]),
    "odd-psk": (SETTINGS, [record(psk="0!\"#$%&'()*+,-./:;<=>@[\\]^_`{|}~ {{x}}".replace(" ", ""))]),
    "hub-begins": (
        {**SETTINGS, "tunnel_routes": False, "adjust_mss": False},
        [record(**ROUTE, initiator="hub", ipsec={"pfs_group": None})],
    ),
    "two-hubs": (
        {**BUSY, "connections": [numbers(), numbers("prod-b", 20)]},
        [
            record(),
            record("prod-b", remote={"gateway": "203.0.113.151", "id": cases.ipv4("203.0.113.151")}, underlay_mtu=1400),
        ],
    ),
}
