# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: probe_pings
short_description: Which host has to ping which address
version_added: 0.1.0
author: bothends.vpn authors (@bothends)
description:
  - Plans the pings of the described probes, there and back.
options:
  _input:
    description: The connections, as the filter P(bothends.vpn.connections#filter) gives them for the site's end.
    type: list
    elements: dict
    required: true
  hosts:
    description: Inventory hosts with their addresses.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Plan the pings
  ansible.builtin.set_fact:
    pings: "{{ connections | bothends.vpn.probe_pings(hosts={'pc': '192.168.3.10', 'server': '192.168.1.10'}) }}"
"""

RETURN = r"""
_value:
  description: One dict for each ping, with C(tunnel), the inventory C(host) that sends, C(from) and C(to).
  type: list
  elements: dict
"""

import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _verdict
from ansible_collections.bothends.vpn.plugins.module_utils._description import plain
from ansible_collections.bothends.vpn.plugins.plugin_utils._guard import guarded


@guarded
def probe_pings(records: t.Any, hosts: t.Any) -> list[dict[str, t.Any]]:
    """List the pings."""
    return _verdict.pings(plain(records), plain(hosts))


class FilterModule:
    """Ansible's way to the filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"probe_pings": probe_pings}
