# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the golden files are rendered from: connection records as the site sees them, one case a name."""

from __future__ import annotations

import copy
import typing as t

IKE = {
    "version": "v2", "mode": "main", "encryption": "aes-256", "integrity": "sha384", "prf": None, "dh_group": "group20",
    "lifetime": 28800,
}  # fmt: skip
IPSEC = {"encryption": "aes-256", "integrity": "sha384", "pfs_group": "group20", "lifetime": 3600}
PLAIN_PSK = "a plain key of the golden files, 43 letters"


def ipv4(value: str) -> dict[str, str]:
    """Gives an IPv4 identity."""
    return {"type": "ipv4", "value": value}


def record(hub: str = "prod", site: str = "berlin", **changes: t.Any) -> dict[str, t.Any]:
    """Gives the record of a plain IKEv2 connection; ``changes`` replace fields, dicts are merged."""
    name = f"{hub}/{site}"
    out: dict[str, t.Any] = {
        "name": name, "hub": hub, "site": site, "state": "present", "end": "site", "policy": "strong",
        "ike": dict(IKE), "ipsec": dict(IPSEC),
        "local": {
            "gateway": "203.0.113.10", "address": "203.0.113.10", "id": ipv4("203.0.113.10"),
            "subnets": ["192.168.3.0/24", "192.168.4.0/24"],
        },
        "remote": {
            "gateway": "203.0.113.150", "address": "203.0.113.150", "id": ipv4("203.0.113.150"),
            "subnets": ["192.168.1.0/24", "192.168.2.0/24"],
        },
        "tunnels": [
            {
                "name": f"{name}/1", "local_subnets": ["192.168.3.0/24", "192.168.4.0/24"],
                "remote_subnets": ["192.168.1.0/24", "192.168.2.0/24"],
            }
        ],
        "selector_mode": "combined", "dpd": {"action": "hold", "interval": 30, "timeout": 120}, "initiator": "both",
        "nat_traversal": "auto", "underlay_mtu": 1500, "psk_generation": 1, "router": site, "platform": "strongswan",
        "platform_version": None, "router_settings": {}, "security_group_rules": [], "probes": [], "psk": PLAIN_PSK,
    }  # fmt: skip
    for key, value in copy.deepcopy(changes).items():
        if isinstance(value, dict) and isinstance(out.get(key), dict):
            out[key].update(value)
        else:
            out[key] = value
    return out


def pairs(name: str, locals_: t.Sequence[str], remotes: t.Sequence[str]) -> list[dict[str, t.Any]]:
    """Gives one tunnel for each pair."""
    both = [(one, other) for one in locals_ for other in remotes]
    return [
        {"name": f"{name}/{number}", "local_subnets": [one], "remote_subnets": [other]}
        for number, (one, other) in enumerate(both, start=1)
    ]


V6 = {
    "local": {
        "gateway": "2001:db8:f::10", "address": "2001:db8:f::10", "id": {"type": "ipv6", "value": "2001:db8:f::10"},
        "subnets": ["2001:db8:3::/64"],
    },
    "remote": {
        "gateway": "2001:db8:f::150", "address": "2001:db8:f::150", "id": {"type": "ipv6", "value": "2001:db8:f::150"},
        "subnets": ["2001:db8:1::/64"],
    },
    "tunnels": [
        {"name": "prod/berlin/1", "local_subnets": ["2001:db8:3::/64"], "remote_subnets": ["2001:db8:1::/64"]}
    ],
}  # fmt: skip
GCM = {
    "ike": {"encryption": "aes-256-gcm-16", "integrity": None, "prf": "sha384"},
    "ipsec": {"encryption": "aes-256-gcm-16", "integrity": None},
}
V1 = {
    "ike": {"version": "v1", "encryption": "aes-128", "integrity": "sha256", "dh_group": "group14"},
    "ipsec": {"encryption": "aes-128", "integrity": "sha256", "pfs_group": "group14"},
    "dpd": {"action": "restart", "interval": 20, "timeout": 90},
    "selector_mode": "per_pair",
    "tunnels": pairs("prod/berlin", ["192.168.3.0/24"], ["192.168.1.0/24", "192.168.2.0/24"]),
}
NAMED = {
    "local": {"id": {"type": "fqdn", "value": "vpn.berlin.example.com"}},
    "remote": {"id": {"type": "email", "value": 'o"ps\\@example.com'}},
}

# name -> (site's name, router_settings, can_trap, records)
CASES: dict[str, tuple[str, dict[str, t.Any], bool, list[dict[str, t.Any]]]] = {
    "ikev2-cbc": ("berlin", {}, True, [record()]),
    "ikev2-gcm": ("berlin", {"ike_renewal": "reauth"}, True, [record(**GCM)]),
    "ikev1-pairs": ("berlin", {}, True, [record(**V1)]),
    "nat": (
        "berlin",
        {},
        True,
        [record(local={"address": "10.0.0.2", "id": ipv4("203.0.113.10")}, nat_traversal="force")],
    ),
    "ids": ("berlin", {}, True, [record(**NAMED)]),
    "ipv6": ("berlin", {}, True, [record(**V6)]),
    "odd-psk": (
        "berlin",
        {},
        True,
        [record(psk='0x"quoted" \\back {{ lookup }} {% x %} $HOME #not é世 \'; include /etc/*')],
    ),
    "user-space": ("berlin", {}, False, [record(ipsec={"pfs_group": None})]),
    "hub-begins": ("berlin", {"start_action": "start"}, True, [record(initiator="hub")]),
    "two-hubs": (
        "berlin.west",
        {"start_action": "start"},
        True,
        [
            record(site="berlin.west"),
            record("prod-b", "berlin.west", remote={"gateway": "203.0.113.151", "id": ipv4("203.0.113.151")}),
        ],
    ),
}
