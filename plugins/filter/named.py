# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: named
short_description: Turn a dict of dicts into a list of dicts with a name
version_added: 0.1.0
author: bothends.vpn authors (@bothends)
description:
  - Descriptions are dicts keyed by name, modules take lists. This is the way from one to the other.
  - What is null or an empty text, at any depth, is left out, as it counts for nothing in a description.
options:
  _input:
    description: A dict of dicts.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show the policies as module hub takes them
  ansible.builtin.debug:
    msg: "{{ {'strong': {'ike': {'dh_group': 'group20'}}} | bothends.vpn.named }}"
"""

RETURN = r"""
_value:
  description: The inner dicts, each with its key as C(name).
  type: list
  elements: dict
"""

import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils._description import plain, unset
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.plugins.plugin_utils._guard import guarded


@guarded
def named(entries: t.Any) -> list[dict[str, t.Any]]:
    """List the inner dicts with their names."""
    entries = plain(entries)
    if not isinstance(entries, t.Mapping) or not all(isinstance(inner, t.Mapping) for inner in entries.values()):
        raise VpnError("a dict of dicts is wanted.")
    return [{"name": name, **unset(inner)} for name, inner in entries.items()]


class FilterModule:
    """Ansible's way to the filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"named": named}
