# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: overlaps
short_description: Who overlaps whom in a list of subnets
version_added: 0.1.0
author: bothends.vpn authors (@bothends)
description:
  - Finds each pair of subnets that share an address, in one sweep over the sorted list, whatever its length.
extends_documentation_fragment: bothends.vpn.inputs.subnets
"""

EXAMPLES = r"""
- name: Refuse subnets that overlap
  ansible.builtin.assert:
    that: found | length == 0
    fail_msg: "{{ found | to_json }}"
  vars:
    found: "{{ ['192.168.1.0/24', '192.168.0.0/16', '10.0.0.0/8'] | bothends.vpn.overlaps }}"

- name: Say whose they are
  ansible.builtin.debug:
    msg: "{{ subnets | bothends.vpn.overlaps }}"
  vars:
    subnets:
      - {name: office, cidr: 192.168.1.0/24}
      - {name: plant, cidr: 192.168.1.128/25}
"""

RETURN = r"""
_value:
  description: One dict for each overlapping pair, in the order of the list.
  type: list
  elements: dict
  contains:
    first:
      description: The entry that stands earlier, as C(name) and C(cidr).
      type: dict
      returned: success
    second:
      description: The entry that stands later.
      type: dict
      returned: success
"""

import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _addresses, _entries
from ansible_collections.bothends.vpn.plugins.plugin_utils._guard import guarded


@guarded
def overlaps(entries: t.Any) -> list[dict[str, dict[str, str]]]:
    """List the pairs of entries that share an address."""
    named = _entries.read(entries)
    pairs = sorted(_addresses.overlaps([entry.prefix for entry in named]))
    return [{"first": named[one].public(), "second": named[other].public()} for one, other in pairs]


class FilterModule:
    """Ansible's way to the filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"overlaps": overlaps}
