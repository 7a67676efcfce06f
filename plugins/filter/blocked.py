# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: blocked
short_description: Which sites of a description an error stops
version_added: 0.1.0
author: bothends.vpn authors (@bothends)
description:
  - Makes the checks of the filter P(bothends.vpn.findings#filter), and says of each error which sites it concerns. An error in
    one site's entry concerns that site, one in a policy those that use it, one in a hub or an overlap all sites of the hub.
  - Warnings stop nothing.
extends_documentation_fragment: bothends.vpn.inputs
"""

EXAMPLES = r"""
- name: Go on with the other sites
  ansible.builtin.set_fact:
    connections: "{{ vpn_sites | bothends.vpn.connections(hubs=vpn_hubs, policies=vpn_policies, blocked=stopped) }}"
  vars:
    stopped: "{{ vpn_sites | bothends.vpn.blocked(hubs=vpn_hubs, policies=vpn_policies, psks=vpn_psks) }}"
"""

RETURN = r"""
_value:
  description: From the name of each such site to what is wrong.
  type: dict
"""

import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _views
from ansible_collections.bothends.vpn.plugins.plugin_utils._guard import guarded


@guarded
def blocked(sites: t.Any, hubs: t.Any, policies: t.Any = None, psks: t.Any = None) -> dict[str, str]:
    """Name the sites that an error stops."""
    return _views.blocked(policies, hubs, sites, psks)


class FilterModule:
    """Ansible's way to the filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"blocked": blocked}
