# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""The cloud APIs' dialects, as data: limits, names, and what the service does whatever it was told.

Which algorithm a provider speaks, and by which name, stands in ``_algorithms`` under the provider's name.
"""

from __future__ import annotations

import typing as t


class Provider(t.NamedTuple):
    """What one cloud's VPN API accepts and does."""

    name: str
    title: str
    lifetime: tuple[int, int]  # seconds, least and greatest
    psk_length: tuple[int, int]  # characters
    psk_forbidden: str  # characters that the service refuses or breaks
    ike_modes: tuple[str, ...]
    dpd_actions: tuple[str, ...]
    id_forbidden: str  # characters that must not stand in an IKE id
    effective: dict[str, str]  # field -> what is in force in truth
    source: str


# An AEAD protects integrity by itself, but the API wants the field all the same: what is sent then, and never compared.
INTEGRITY_FILLER = "sha256"

PROVIDERS: dict[str, Provider] = {
    "neutron": Provider(
        name="neutron",
        title="OpenStack Networking",
        lifetime=(60, 2**31 - 1),
        psk_length=(1, 255),
        psk_forbidden="",
        ike_modes=("main", "aggressive"),
        # The reference driver silently leaves out a connection with any other action.
        dpd_actions=("hold", "clear", "restart"),
        # Ids go unquoted into ipsec.conf, where one bad line freezes every site of the hub.
        id_forbidden="\"'#= \t\r\n\\{}",
        effective={
            "ipsec.lifetime": "1200 s whatever the policy says",
            "initiator": "ignored: the hub may always initiate",
            "underlay_mtu": "stored, not used",
        },
        source="neutron-vpnaas 29.0.0, strongSwan driver",
    ),
}
