# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: site_psk
short_description: Derive a connection's pre-shared key from one master secret
version_added: 0.1.0
author: bothends.vpn authors (@bothends)
description:
  - Computes HMAC-SHA256 over hub, site and generation, and writes it as 43 letters, digits, dashes and underscores.
  - Nothing has to be stored, a rebuilt machine gets the same key, and counting C(generation) up rotates it.
  - The price is that whoever learns the master secret has every key.
options:
  _input:
    description: The master secret, 16 characters or more; 32 random ones are well.
    type: str
    required: true
  hub:
    description: The hub's name.
    type: str
    required: true
  site:
    description: The site's name.
    type: str
    required: true
  generation:
    description: The key's generation, the site's C(psk_generation).
    type: int
    default: 1
"""

EXAMPLES = r"""
- name: Keys for two sites from one secret
  ansible.builtin.set_fact:
    vpn_psks:
      prod/berlin: "{{ master | bothends.vpn.site_psk(hub='prod', site='berlin') }}"
      prod/paris: "{{ master | bothends.vpn.site_psk(hub='prod', site='paris', generation=2) }}"
  vars:
    master: "{{ lookup('ansible.builtin.file', inventory_dir ~ '/master.key') }}"
  no_log: true
"""

RETURN = r"""
_value:
  description: The key.
  type: str
"""

import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _secrets
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.plugins.plugin_utils._guard import guarded


@guarded
def site_psk(master: str, hub: str, site: str, generation: int = 1) -> str:
    """Derive the key."""
    if len(str(master)) < 16:
        raise VpnError("the master secret has fewer than 16 characters.")
    if str(master) != str(master).strip():
        raise VpnError("the master secret begins or ends with a blank or line end, which another place may not have.")
    for what, name in (("hub", hub), ("site", site)):
        if not str(name) or "/" in str(name):
            raise VpnError(f"{what} {name!r} is no {what}'s name.")
    if not str(generation).isdecimal() or int(generation) < 1:
        raise VpnError(f"generation {generation!r} is no whole number from 1.")
    return _secrets.derive(str(master), str(hub), str(site), int(generation))


class FilterModule:
    """Ansible's way to the filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"site_psk": site_psk}
