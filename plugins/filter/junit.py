# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: junit
short_description: Write findings as JUnit XML
version_added: 0.1.0
author: bothends.vpn authors (@bothends)
description:
  - Writes what the filter P(bothends.vpn.findings#filter) gives in the form that CI servers show. Each finding is a test case, an
    error a failed one, an ignored finding a skipped one, with its reason. A part of the description that has none is a test case
    that passes.
options:
  _input:
    description: The findings.
    type: list
    elements: dict
    required: true
  hubs:
    description: The hubs, C(vpn_hubs), or their names.
    type: raw
    default: []
  sites:
    description: The sites, C(vpn_sites), or their names.
    type: raw
    default: []
  policies:
    description: The policies, C(vpn_policies), or their names.
    type: raw
    default: []
  stage:
    description: Who found them, which the test suite and the classes of its cases are called after.
    type: str
    default: preflight
"""

EXAMPLES = r"""
- name: Let the CI server show the findings
  ansible.builtin.copy:
    content: "{{ vpn_sites | bothends.vpn.findings(hubs=vpn_hubs) | bothends.vpn.junit(hubs=vpn_hubs, sites=vpn_sites) }}"
    dest: preflight.xml
    mode: "0644"
"""

RETURN = r"""
_value:
  description: The XML document.
  type: str
"""

import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils._description import plain
from ansible_collections.bothends.vpn.plugins.plugin_utils import _junit
from ansible_collections.bothends.vpn.plugins.plugin_utils._guard import guarded


@guarded
def junit(
    findings: t.Any, hubs: t.Any = None, sites: t.Any = None, policies: t.Any = None, stage: str = "preflight"
) -> str:
    """Write findings as JUnit XML."""
    parts = {"vpn_policies": policies, "vpn_hubs": hubs, "vpn_sites": sites}
    names = {
        variable: [str(name) for name in plain(given)] if isinstance(given, (t.Mapping, list, tuple)) else []
        for variable, given in parts.items()
    }
    return _junit.report(plain(findings), names, str(stage)[:])


class FilterModule:
    """Ansible's way to the filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"junit": junit}
