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


def _text(what: str, given: t.Any) -> str:
    """A key made of how Python writes a list or an object would be a key that nobody meant, and perhaps another one the next time."""
    text = "" if given is None else str(given)  # what is not defined says so itself
    vaulted = getattr(given, "__ENCRYPTED__", False)  # ansible-core 2.18's own kind of text
    if isinstance(given, bool) or not (vaulted or given is None or isinstance(given, (str, int, float))):
        raise VpnError(f"{what} is neither a text nor a number. Give the text itself.")
    return text


@guarded
def site_psk(master: t.Any, hub: t.Any, site: t.Any, generation: t.Any = 1) -> str:
    """Derive the key."""
    secret, names = _text("the master secret", master), {"hub": _text("hub", hub), "site": _text("site", site)}
    if len(secret) < 16:
        raise VpnError("the master secret has fewer than 16 characters.")
    if secret != secret.strip():
        raise VpnError("the master secret begins or ends with a blank or line end, which another place may not have.")
    for what, name in names.items():
        if not name or "/" in name:
            raise VpnError(f"{what} {name!r} is no {what}'s name.")
    if not str(generation).isdecimal() or int(generation) < 1:
        raise VpnError(f"generation {generation!r} is no whole number from 1.")
    return _secrets.derive(secret, names["hub"], names["site"], int(generation))


class FilterModule:
    """Ansible's way to the filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"site_psk": site_psk}
