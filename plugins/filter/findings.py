# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: findings
short_description: Check a description of hubs and sites
version_added: 0.1.0
author: bothends.vpn authors (@bothends)
description:
  - Checks everything that can be known without a cloud or a router, and gives all findings at once.
extends_documentation_fragment: bothends.vpn.inputs
options:
  hub_hosts:
    description: The inventory hosts of group C(vpn_cloud). Left out, nothing is said of hubs that have no host.
    type: list
    elements: str
  ignore:
    description:
      - What was looked at and is left as it is, C(vpn_ignore), a list of C(code) and C(reason), with C(host) and C(field) where only
        one of several is meant. Such a warning gets the severity V(ignored). An error cannot be ignored.
    type: list
    elements: dict
    default: []
  purge:
    description: Whether what is not described is removed, C(vpn_purge). Then a description without hubs or without sites is an error.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Check the description
  ansible.builtin.assert:
    that: found | selectattr('severity', 'eq', 'error') | length == 0
    fail_msg: "{{ found | to_json }}"
  vars:
    found: "{{ vpn_sites | bothends.vpn.findings(hubs=vpn_hubs, policies=vpn_policies, psks=vpn_psks) }}"
"""

RETURN = r"""
_value:
  description: The findings, errors first, ignored ones last.
  type: list
  elements: dict
  contains:
    code:
      description: What was found, as a stable word.
      type: str
      returned: success
      sample: overlap-hub-site
    severity:
      description: V(error), V(warning), or V(ignored) for a warning that O(ignore) names.
      type: str
      returned: success
    host:
      description: The hub, site or policy that it is about.
      type: str
      returned: success
    field:
      description: Where it stands in the description.
      type: str
      returned: success
      sample: vpn_sites.berlin.subnets[0]
    value:
      description: What stands there; never a key.
      type: str
      returned: success
    message:
      description: What is wrong.
      type: str
      returned: success
    remedy:
      description: What to do.
      type: str
      returned: success
    source:
      description: Where the rule comes from.
      type: str
      returned: success
    scope:
      description: What an error stops. Empty where that is everything.
      type: str
      returned: success
      sample: site berlin
    reason:
      description: Why it is ignored. Empty where it is not.
      type: str
      returned: success
"""

import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _description, _ignore, _rules, _rules_description
from ansible_collections.bothends.vpn.plugins.plugin_utils._guard import guarded

# What is found only where keys, or the hubs' hosts, are given.
_OF_KEYS = ("psk-short", "psk-unused", "mangled-by-yaml")
_OF_HOSTS = ("hub-without-host",)


@guarded
def findings(
    sites: t.Any,
    hubs: t.Any,
    policies: t.Any = None,
    psks: t.Any = None,
    hub_hosts: t.Any = None,
    ignore: t.Any = None,
    purge: bool = False,
) -> list[dict[str, str]]:
    """List what is wrong with a description."""
    description = _description.describe(policies, hubs, sites, ignore)
    found = _rules.offline(description, _description.plain(psks), purge=purge)
    if hub_hosts is not None:
        found += _rules_description.without_host(description, _description.plain(hub_hosts))
    unlooked = {code for given, codes in ((psks, _OF_KEYS), (hub_hosts, _OF_HOSTS)) if given is None for code in codes}
    found += _ignore.judged(found, description.ignore, unlooked)
    return [dict(one) for one in _ignore.silenced(found, description.ignore)]


class FilterModule:
    """Ansible's way to the filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"findings": findings}
