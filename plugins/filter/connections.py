# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: connections
short_description: The connections of a description, seen from one end
version_added: 0.1.0
author: bothends.vpn authors (@bothends)
description:
  - Gives one record for each pair of a hub and a site, with every default filled in.
  - O(end) says whose view it is; C(local) is that end, C(remote) the other. Both views hold the same values, mirrored.
extends_documentation_fragment: bothends.vpn.inputs
options:
  end:
    description: Whose view.
    type: str
    choices: [hub, site]
    default: hub
  hub:
    description: Only the connections of this hub.
    type: str
  router:
    description: Only the connections of the sites behind this router.
    type: str
  facts:
    description:
      - What the clouds say, by hub, as M(bothends.vpn.hub_info) returns it in RV(bothends.vpn.hub_info#module:hub).
      - Puts in the hub's gateway, and CIDRs for subnets that are given by name.
    type: dict
    default: {}
  blocked:
    description:
      - Names of sites to leave out, or a dict of them as the filter P(bothends.vpn.blocked#filter) gives it. Something is wrong
        with them, and nothing of them is to be touched.
    type: raw
    default: []
"""

EXAMPLES = r"""
- name: Show what the router has to connect to
  ansible.builtin.debug:
    msg: "{{ vpn_sites | bothends.vpn.connections(hubs=vpn_hubs, policies=vpn_policies, end='site', router='berlin') }}"
"""

RETURN = r"""
_value:
  description: The records.
  type: list
  elements: dict
"""

import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _views
from ansible_collections.bothends.vpn.plugins.plugin_utils._guard import guarded


@guarded
def connections(
    sites: t.Any, hubs: t.Any, policies: t.Any = None, psks: t.Any = None, **only: t.Any
) -> list[dict[str, t.Any]]:
    """List the connections."""
    return _views.connections(policies, hubs, sites, psks, **only)


class FilterModule:
    """Ansible's way to the filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"connections": connections}
