# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: drift
short_description: Where description, cloud, router and running SAs differ
version_added: 0.1.0
author: bothends.vpn authors (@bothends)
description:
  - Holds what the clouds and the routers said against what is described, and puts side by side what differs.
  - Reads nothing but the templates of the role P(bothends.vpn.site_router#role).
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
    description: The keys, C(vpn_psks). Left out, nothing is said of the routers' keys.
    type: dict
  key:
    description: The random text under which all digests were made, O(bothends.vpn.site_configs_info#module:digest_key).
    type: str
    required: true
  names:
    description: The connections to look at. Default is all.
    type: list
    elements: str
  clouds:
    description:
      - By hub, C(connections), C(hub) and C(provider) as M(bothends.vpn.hub_info) returns them, and C(differences) and C(blocked)
        as M(bothends.vpn.hub) returns them in check mode; or C(error), why they are not there. Null where no cloud was to be asked.
    type: dict
  routers:
    description:
      - By inventory host, C(sites) as M(bothends.vpn.site_configs_info) returns them, or C(error), and C(sas) and C(now) as
        M(bothends.vpn.strongswan_state) returns them, or C(sas_error). Null where no router was to be asked.
    type: dict
  hosts:
    description: The routers that are inventory hosts; the others are configured by hand. Left out, all are.
    type: list
    elements: str
  failed:
    description: The inventory hosts that failed before they could be asked. What a router of them would have said is unanswered.
    type: list
    elements: str
    default: []
  files:
    description: C(sites), or C(error), of the files that somebody carries over by hand.
    type: dict
    default: {}
  blocked:
    description: The sites that are not looked at and why, as the filter P(bothends.vpn.blocked#filter) gives them.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Compare what is described with the files on this router
  ansible.builtin.set_fact:
    rows: "{{ vpn_sites | bothends.vpn.drift(hubs=vpn_hubs, policies=vpn_policies, key=key, routers={'berlin': held}) }}"
"""

RETURN = r"""
_value:
  description:
    - One dict for each difference and for each thing that was not compared, with C(kind) (V(difference), V(unanswered) where somebody
      who was asked gave no answer that can be read, V(not compared) where nobody can be asked), C(connection), C(field), what is
      C(described), what C(cloud) and C(router) hold, what is C(running), and a C(note).
    - A value is V(same) where it is as described, and V(-) where that end cannot tell. Keys are never shown.
  type: list
  elements: dict
"""

import pathlib
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _drift, _views
from ansible_collections.bothends.vpn.plugins.module_utils._description import plain
from ansible_collections.bothends.vpn.plugins.plugin_utils._guard import guarded

TEMPLATES = pathlib.Path(__file__).resolve().parents[2] / "roles" / "site_router" / "templates"


@guarded
def drift(
    sites: t.Any,
    hubs: t.Any,
    key: str,
    policies: t.Any = None,
    psks: t.Any = None,
    names: t.Any = None,
    clouds: t.Any = None,
    routers: t.Any = None,
    files: t.Any = None,
    hosts: t.Any = None,
    failed: t.Any = None,
    blocked: t.Any = None,
) -> list[dict[str, t.Any]]:
    """List the differences."""
    clouds, stopped = plain(clouds), plain(blocked) or {}
    facts = {hub: cloud["hub"] for hub, cloud in (clouds or {}).items() if cloud.get("hub")}
    records = _views.connections(policies, hubs, sites, psks, "site", facts=facts, blocked=stopped)
    if names is not None:
        records = [record for record in records if record["name"] in set(plain(names))]
    world = _drift.World(clouds, plain(routers), plain(files) or {}, plain(hosts), plain(failed) or [])
    known = {"sites": list(plain(sites) or {}), "hubs": list(plain(hubs) or {})}
    return [dict(row) for row in _drift.rows(records, world, str(key), str(TEMPLATES), known, stopped)]


class FilterModule:
    """Ansible's way to the filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"drift": drift}
