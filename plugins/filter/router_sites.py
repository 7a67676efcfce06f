# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: router_sites
short_description: What a router has to be configured with
version_added: 0.1.0
author: bothends.vpn authors (@bothends)
description:
  - Turns the description into the sites of one router, each with its connections as the site sees them.
extends_documentation_fragment:
  - bothends.vpn.inputs
  - bothends.vpn.inputs.only
options:
  router:
    description: The router, an inventory host.
    type: str
  without_routers:
    description: Inventory hosts; gives the sites whose router is none of them.
    type: list
    elements: str
  facts:
    description: What the clouds say, by hub, as M(bothends.vpn.hub_info) returns it.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Show the sites of the router berlin
  ansible.builtin.debug:
    msg: "{{ vpn_sites | bothends.vpn.router_sites(hubs=vpn_hubs, policies=vpn_policies, router='berlin') }}"
"""

RETURN = r"""
_value:
  description: The sites, each with name, state, platform, whether roles can drive that, settings and connections.
  type: list
  elements: dict
"""

import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _views
from ansible_collections.bothends.vpn.plugins.plugin_utils._guard import guarded


@guarded
def router_sites(
    sites: t.Any, hubs: t.Any, policies: t.Any = None, psks: t.Any = None, *, absent: bool = False, **only: t.Any
) -> list[dict[str, t.Any]]:
    """List the sites of a router."""
    return _views.router_sites(policies, hubs, sites, psks, absent=absent, **only)


class FilterModule:
    """Ansible's way to the filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"router_sites": router_sites}
