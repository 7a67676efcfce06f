# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: hub_connections
short_description: What module hub takes for the sites of one hub
version_added: 0.1.0
author: bothends.vpn authors (@bothends)
description:
  - Turns the description into the O(bothends.vpn.hub#module:connections) of one hub.
extends_documentation_fragment:
  - bothends.vpn.inputs
  - bothends.vpn.inputs.only
options:
  hub:
    description: The hub's name.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Make the VPN of the hub prod
  bothends.vpn.hub:
    name: prod
    vpc: prod
    subnets: [192.168.1.0/24]
    connections: "{{ vpn_sites | bothends.vpn.hub_connections(hubs=vpn_hubs, policies=vpn_policies, psks=vpn_psks, hub='prod') }}"
"""

RETURN = r"""
_value:
  description: The connections, each with the site's name.
  type: list
  elements: dict
"""

import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _views
from ansible_collections.bothends.vpn.plugins.plugin_utils._guard import guarded


@guarded
def hub_connections(
    sites: t.Any,
    hubs: t.Any,
    hub: str,
    policies: t.Any = None,
    psks: t.Any = None,
    *,
    absent: bool = False,
    **only: t.Any,
) -> list[dict[str, t.Any]]:
    """List the sites of a hub."""
    return _views.hub_connections(policies, hubs, sites, psks, str(hub), absent=absent, **only)


class FilterModule:
    """Ansible's way to the filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"hub_connections": hub_connections}
