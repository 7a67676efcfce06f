# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: disjoint
short_description: Whether no subnets overlap
version_added: 0.1.0
author: bothends.vpn authors (@bothends)
description:
  - Looks at a list of subnets, in one sweep over the sorted list, whatever its length.
extends_documentation_fragment: bothends.vpn.inputs.subnets
seealso:
  - plugin: bothends.vpn.overlaps
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Look at two subnets
  ansible.builtin.assert:
    that: "['192.168.1.0/24', '192.168.2.0/24'] is bothends.vpn.disjoint"
"""

RETURN = r"""
_value:
  description: Whether no two of the subnets share an address.
  type: bool
"""

import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _addresses, _entries
from ansible_collections.bothends.vpn.plugins.plugin_utils._guard import guarded


@guarded
def disjoint(entries: t.Any) -> bool:
    """Whether no two of the subnets share an address."""
    return next(_addresses.overlaps(_entries.prefixes(entries)), None) is None


class TestModule:
    """Ansible's way to the test."""

    def tests(self) -> dict[str, t.Callable[..., bool]]:
        """Name the test."""
        return {"disjoint": disjoint}
