# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: normalize
short_description: Subnets as plain CIDRs, each once
version_added: 0.1.0
author: bothends.vpn authors (@bothends)
description:
  - Writes each subnet the one way, without host bits, in lower case and the shortest form, so that lists can be compared.
  - A range becomes the fewest CIDRs that are the same addresses, an IPv4-mapped block (V(::ffff:10.0.0.0/104)) the IPv4 one, and
    an address a CIDR of its own. What is there twice is given once. Names get lost.
extends_documentation_fragment: bothends.vpn.inputs.subnets
options:
  aggregate:
    description: Give the fewest CIDRs that are the same addresses together, sorted, IPv4 first.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: The same subnets, written otherwise
  ansible.builtin.assert:
    that: "['10.1.2.3/8', '::FFFF:10.0.0.0/104'] | bothends.vpn.normalize == ['10.0.0.0/8']"

- name: The fewest routes to what is written down
  ansible.builtin.assert:
    that: routes == ['10.0.0.0/23', '10.0.2.0/31', '10.0.2.2/32', '2001:db8::/32']
  vars:
    routes: "{{ subnets | bothends.vpn.normalize(aggregate=true) }}"
    subnets: ['2001:db8::/32', 10.0.1.0/24, 10.0.0.0/24, 10.0.2.0-10.0.2.2]
"""

RETURN = r"""
_value:
  description: The CIDRs, in the order of the list.
  type: list
  elements: str
"""

import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _addresses, _entries
from ansible_collections.bothends.vpn.plugins.plugin_utils._guard import guarded


@guarded
def normalize(entries: t.Any, aggregate: bool = False) -> list[str]:
    """Write the subnets the one way."""
    blocks = _entries.prefixes(entries)
    parts = (part for block in (_addresses.merged(blocks) if aggregate else blocks) for part in _addresses.cidrs(block))
    return [str(part) for part in dict.fromkeys(parts)]


class FilterModule:
    """Ansible's way to the filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"normalize": normalize}
