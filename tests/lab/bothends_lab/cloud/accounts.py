# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may do what in the lab's cloud."""

from __future__ import annotations

from typing import NamedTuple

REGION = "lab"
DOMAIN = "Default"


class Account(NamedTuple):
    """A user with roles in one project."""

    user: str
    project: str
    roles: tuple[str, ...]


ADMIN = Account("admin", "admin", ("admin",))
NEUTRON = Account("neutron", "service", ("admin", "service"))

# The entries of clouds.yaml.
CLOUDS = {
    "lab": Account("demo", "demo", ("member",)),
    "lab-other": Account("other", "other", ("member",)),
    "lab-reader": Account("demo-reader", "demo", ("reader",)),
    "lab-admin": ADMIN,
}
# The same by another endpoint of the networking API, which speaks another dialect: entry -> whose account.
FRONTS = {"lab-otc": "lab"}
