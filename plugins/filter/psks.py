# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: psks
short_description: Read a file of pre-shared keys
version_added: 0.1.0
author: bothends.vpn authors (@bothends)
description:
  - Reads YAML as P(ansible.builtin.from_yaml#filter) does, but each key stays the text that was written (V(no), V(0123)), and an
    error names the line without showing any of it.
  - Refuses what YAML would cut off a key that is not in quotes (what begins with V(!), V(&) or V(*), or what follows a blank
    and a hash sign), and a name that is there twice.
options:
  _input:
    description: The content of the file, a dict from connection (C(hub/site)) or site to key.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Read the keys, from a file that may be in ansible-vault
  ansible.builtin.set_fact:
    vpn_psks: "{{ lookup('ansible.builtin.file', inventory_dir ~ '/psks.yml') | bothends.vpn.psks }}"
  no_log: true
"""

RETURN = r"""
_value:
  description: The keys by connection or site.
  type: dict
"""

import typing as t

from ansible_collections.bothends.vpn.plugins.plugin_utils import _psk_file
from ansible_collections.bothends.vpn.plugins.plugin_utils._guard import guarded


@guarded
def psks(text: t.Any) -> dict[str, str]:
    """Read the keys."""
    return _psk_file.read(str(text)[:])


class FilterModule:
    """Ansible's way to the filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"psks": psks}
