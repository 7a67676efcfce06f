# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: causes
short_description: Why tunnels are not as they should be
version_added: 0.1.0
author: bothends.vpn authors (@bothends)
description:
  - Names the cause of each tunnel that the filter P(bothends.vpn.verdicts#filter) judged to be V(failed) or V(not proven), from all
    that was seen at both ends. Where the evidence allows two, both.
options:
  _input:
    description: The rows, as the filter P(bothends.vpn.verdicts#filter) gives them.
    type: list
    elements: dict
    required: true
  connections:
    description: The connections, as the filter P(bothends.vpn.connections#filter) gives them for the site's end.
    type: list
    elements: dict
    required: true
  evidence:
    description: RV(bothends.vpn.strongswan_evidence#module:evidence), or that of the router's platform.
    type: list
    elements: dict
    default: []
  clouds:
    description: What M(bothends.vpn.hub_info) returned, by hub.
    type: dict
    default: {}
  sas:
    description: The router's SAs, as RV(bothends.vpn.strongswan_state#module:sas); null where there is no router to ask.
    type: list
    elements: dict
  proof:
    description: RV(bothends.vpn.strongswan_state#module:proof), with C(pings) and C(drift) added.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Name the causes
  ansible.builtin.set_fact:
    rows: "{{ rows | bothends.vpn.causes(connections=connections, evidence=looked.evidence, clouds={'prod': prod}, sas=state.sas) }}"
"""

RETURN = r"""
_value:
  description:
    - The rows, each with its C(causes). A cause has a stable C(code), the C(cause) in words, the C(end) that it comes from
      (V(site), V(hub), V(either end) or V(between the ends)), the C(evidence) and the C(remedy).
  type: list
  elements: dict
"""

import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _verdict
from ansible_collections.bothends.vpn.plugins.module_utils._description import plain
from ansible_collections.bothends.vpn.plugins.plugin_utils._guard import guarded


@guarded
def causes(rows: t.Any, connections: t.Any, **more: t.Any) -> list[dict[str, t.Any]]:
    """Add the causes to the rows."""
    return _verdict.with_causes(plain(rows), plain(connections), **plain(more))


class FilterModule:
    """Ansible's way to the filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"causes": causes}
