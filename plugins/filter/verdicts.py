# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: verdicts
short_description: What became of each tunnel
version_added: 0.1.0
author: bothends.vpn authors (@bothends)
description:
  - Holds what the cloud and the router say against what is declared, tunnel by tunnel.
options:
  _input:
    description: The connections, as the filter P(bothends.vpn.connections#filter) gives them for the site's end.
    type: list
    elements: dict
    required: true
  statuses:
    description: The cloud's connections by hub, as RV(bothends.vpn.hub_info#module:connections).
    type: dict
    required: true
  sas:
    description: The router's SAs, as RV(bothends.vpn.strongswan_state#module:sas); null where there is no router to ask, or O(silent).
    type: list
    elements: dict
  silent:
    description: Why a router that was asked gave no SAs; its tunnels have failed.
    type: str
    default: ""
  proof:
    description: RV(bothends.vpn.strongswan_state#module:proof), with C(pings) and C(drift) added.
    type: dict
  planned:
    description: Nothing was applied yet, so nothing has failed.
    type: bool
    default: false
  pending:
    description: Tunnels of which the cloud stored a change in the same run, as RV(bothends.vpn.hub#module:connections[].pending_activation)
      says.
    type: list
    elements: str
    default: []
  blocked:
    description:
      - Sites that were stopped, and why, as the filter P(bothends.vpn.blocked#filter) gives them; or connections that are not
        to be judged.
    type: dict
    default: {}
  left:
    description: Sites whose router stayed as it was, so that what is O(pending) of theirs is not in force.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Judge the tunnels
  ansible.builtin.set_fact:
    rows: "{{ connections | bothends.vpn.verdicts(statuses={'prod': prod.connections}, sas=state.sas) }}"
"""

RETURN = r"""
_value:
  description:
    - One dict for each tunnel. Its C(verdict) is V(up) when all that can be read agrees, V(proven) when it was also proven,
      V(failed), V(not proven), V(pending) when a change is stored and not in force, V(disabled) or V(blocked); C(why) says what
      was seen.
  type: list
  elements: dict
"""

import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _verdict
from ansible_collections.bothends.vpn.plugins.module_utils._description import plain
from ansible_collections.bothends.vpn.plugins.plugin_utils._guard import guarded


@guarded
def verdicts(
    records: t.Any, statuses: t.Any, sas: t.Any = None, proof: t.Any = None, planned: bool = False, **more: t.Any
) -> list[dict[str, str]]:
    """List the tunnels with what became of them."""
    judged = _verdict.rows(plain(records), plain(statuses), plain(sas), plain(proof) or None, planned, **plain(more))
    return [dict(row) for row in judged]


class FilterModule:
    """Ansible's way to the filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"verdicts": verdicts}
