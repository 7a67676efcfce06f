# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: overlaps
short_description: Who overlaps whom among subnets
version_added: 0.1.0
author: bothends.vpn authors (@bothends)
description:
  - Finds the pairs of subnets that share an address, in one sweep over the sorted list, whatever its length.
extends_documentation_fragment: bothends.vpn.inputs.subnets
options:
  limit:
    description:
      - The greatest number of pairs to list. Where there are more, a warning says how many; a thousand equal subnets are half a
        million pairs.
    type: int
    default: 1000
  summary:
    description: Give a dict with the number of all pairs, without a warning.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Refuse subnets that overlap
  ansible.builtin.assert:
    that: found | length == 0
    fail_msg: "{{ found | to_json }}"
  vars:
    found: "{{ ['192.168.1.0/24', '192.168.2.0/24', '10.0.0.0/8'] | bothends.vpn.overlaps }}"

- name: Say whose they are
  ansible.builtin.debug:
    msg: "{{ subnets | bothends.vpn.overlaps }}"
  vars:
    subnets:
      - {name: office, cidr: 192.168.1.0/24}
      - {name: plant, cidr: 192.168.1.128/25}

- name: Count them, and show three
  ansible.builtin.debug:
    msg: "{{ found.count }} pairs, such as {{ found.pairs }}"
  vars:
    found: "{{ lans | bothends.vpn.overlaps(limit=3, summary=true) }}"
    lans:
      berlin: [192.168.3.0/24, 192.168.4.0/24]
      paris: [192.168.4.128/25, '2001:db8::/32']
"""

RETURN = r"""
_value:
  description:
    - One dict for each overlapping pair, in the order of the addresses.
    - With O(summary) a dict with them as C(pairs), and with the number of all pairs as C(count).
  type: list
  elements: dict
  contains:
    first:
      description: The entry that stands earlier in the list, as C(name) and C(cidr).
      type: dict
      returned: success
    second:
      description: The entry that stands later.
      type: dict
      returned: success
"""

import itertools
import typing as t

from ansible.utils.display import Display

from ansible_collections.bothends.vpn.plugins.module_utils import _addresses, _entries
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.plugins.plugin_utils._guard import guarded

display = Display()


@guarded
def overlaps(entries: t.Any, limit: int = 1000, summary: bool = False) -> t.Any:
    """List the pairs of entries that share an address."""
    if isinstance(limit, bool) or not str(limit).isdecimal():
        raise VpnError(f"limit: {limit!r} is no whole number; give how many pairs to list at most.")
    named = _entries.read(entries)
    prefixes = [entry.prefix for entry in named]
    found = list(itertools.islice(_addresses.overlaps(prefixes), int(limit) + 1))
    count = _addresses.count_overlaps(prefixes) if len(found) > int(limit) else len(found)
    pairs = [{"first": named[one].public(), "second": named[other].public()} for one, other in found[: int(limit)]]
    if summary:
        return {"count": count, "pairs": pairs}
    if count > len(pairs):
        display.warning(f"bothends.vpn.overlaps: {count} pairs overlap; the first {limit} of them are listed (limit).")
    return pairs


class FilterModule:
    """Ansible's way to the filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"overlaps": overlaps}
