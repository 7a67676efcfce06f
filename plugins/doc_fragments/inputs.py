# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # What a filter takes that works on the whole description.
    DOCUMENTATION = r"""
options:
  _input:
    description: The sites, C(vpn_sites).
    type: dict
    required: true
  hubs:
    description: The hubs, C(vpn_hubs).
    type: dict
    required: true
  policies:
    description: The policies, C(vpn_policies).
    type: dict
    default: {}
  psks:
    description: The keys, C(vpn_psks). Left out, nothing is said of keys.
    type: dict
"""

    # What a filter takes that may leave sites out.
    ONLY = r"""
options:
  blocked:
    description:
      - Names of sites to leave out, or a dict of them as the filter P(bothends.vpn.blocked#filter) gives it. Something is wrong
        with them, and nothing of them is to be touched.
    type: raw
    default: []
  absent:
    description: Give all of them as to be taken off, whatever their state is.
    type: bool
    default: false
"""

    # What a filter or test takes that works on any list of subnets.
    SUBNETS = r"""
options:
  _input:
    description:
      - A list of subnets, as plain texts, or as dicts with a C(name) and a C(cidr) (one) or C(subnets) (a list). Or a dict from
        names to subnets, or to dicts with C(subnets), such as C(vpn_sites). Lists may be nested.
      - IPv4 and IPv6 may be mixed. Host bits, ranges (V(10.0.0.5-10.0.0.9)) and IPv4-mapped addresses are understood.
      - Something else among them, such as the name of a cloud's subnet, is an error that says where it stands.
    type: raw
    required: true
"""
