# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  cloud:
    description:
      - Name of an entry in C(clouds.yaml), or a dict in the shape of such an entry (with C(auth)).
      - Left out, the environment decides (E(OS_CLOUD), E(OS_CLIENT_CONFIG_FILE), or the only entry there is).
      - Its C(api_timeout) is how many seconds an answer may take; without it, 90, and 15 for a connection.
      - A password or an application credential gets a new token in mid-run when one is needed; a token alone cannot.
    type: raw
  concurrency:
    description:
      - How many requests run side by side, at least 1.
    type: int
    default: 4
requirements:
  - openstacksdk >= 4.0 (4.5 for a login by token)
  - netaddr
attributes:
  action_group:
    description: Use C(group/bothends.vpn.openstack) in C(module_defaults) to set O(cloud) once.
    support: full
    membership:
      - bothends.vpn.openstack
"""
