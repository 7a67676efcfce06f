# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What libreswan's golden files are rendered from; its own programs judge them in ``tests/lab_kernel``."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible_collections.bothends.vpn.plugins.module_utils import _platforms
from ansible_collections.bothends.vpn.tests.unit.plugins.module_utils._platforms import cases

ROOT = Path(__file__).parents[5]
TEMPLATES = ROOT / "roles" / "site_router" / "templates"
GOLDEN = ROOT / "tests" / "unit" / "fixtures" / "rendered" / "libreswan"


def record(hub: str = "prod", site: str = "berlin", **changes: t.Any) -> dict[str, t.Any]:
    """Gives the record of a plain IKEv2 connection, pair by pair as libreswan needs it."""
    plain = cases.record(hub, site)
    tunnels = cases.pairs(plain["name"], plain["local"]["subnets"], plain["remote"]["subnets"])
    return cases.record(
        hub, site, **{"platform": "libreswan", "selector_mode": "per_pair", "tunnels": tunnels, **changes}
    )


GCM_WITHOUT_PFS = {
    **cases.GCM,
    "ipsec": {"encryption": "aes-128-ccm-12", "integrity": None, "pfs_group": None},
    "nat_traversal": "off",
}

# name -> (site's name, router_settings, records)
CASES: dict[str, tuple[str, dict[str, t.Any], list[dict[str, t.Any]]]] = {
    "ikev2-cbc": ("berlin", {}, [record()]),
    "ikev2-gcm": ("berlin", {"start_action": "start"}, [record(**cases.GCM)]),
    "ikev2-no-pfs": ("berlin", {}, [record(**GCM_WITHOUT_PFS)]),
    "ikev1-pairs": ("berlin", {}, [record(**cases.V1)]),
    "ikev1-aggressive": (
        "berlin",
        {},
        [record(**{**cases.V1, "ike": {**cases.V1["ike"], "mode": "aggressive"}, **cases.NAMED, "remote": {}})],
    ),
    "nat": (
        "berlin",
        {},
        [record(local={"address": "10.0.0.2", "id": cases.ipv4("203.0.113.10")}, nat_traversal="force")],
    ),
    "ids": (
        "berlin",
        {},
        [
            record(
                local={"id": {"type": "fqdn", "value": "a:b@c{d}#e'f\\g.example.com"}},
                remote={"id": {"type": "email", "value": "#o'ps\\@example.com"}},
            )
        ],
    ),
    "ipv6": ("berlin", {}, [record(**cases.V6)]),
    "odd-psk": (
        "berlin",
        {},
        [record(psk='0x"quoted" \\back {{ lookup }} {% x %} $HOME #not é世 \'; include /etc/*')],
    ),
    "odd-names": ("9_.w", {}, [record("4_0.ü", "9_.w")]),
    "hub-begins": ("berlin", {"start_action": "start"}, [record(initiator="hub")]),
    "two-hubs": (
        "berlin.west",
        {"start_action": "add"},
        [
            record(site="berlin.west"),
            record(
                "prod-b", "berlin.west",
                psk="another key", remote={"gateway": "203.0.113.151", "id": cases.ipv4("203.0.113.151")},
                tunnels=cases.pairs("prod-b/berlin.west", ["192.168.3.0/24"], ["192.168.9.0/24"]),
            ),
        ],
    ),
}  # fmt: skip


def rendered(site: str, settings: dict[str, t.Any], records: list[dict[str, t.Any]]) -> dict[str, str]:
    """Renders the files of one site."""
    return _platforms.render("libreswan", {"name": site, "router_settings": settings}, records, str(TEMPLATES))


def golden(case: str) -> dict[str, Path]:
    """Gives the golden files of a case by their suffix."""
    return {suffix: GOLDEN / f"{case}.{suffix}" for suffix in ("conf", "secrets")}
