# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: mirror
short_description: A connection seen from its other end
version_added: 0.1.0
author: bothends.vpn authors (@bothends)
description:
  - Turns a connection, as the filter P(bothends.vpn.connections#filter) gives it, or a list of them. What was C(local) is
    C(remote) then, in each tunnel too; everything else is the same. Turned twice, it is what it was.
  - With it, two ends can be compared whose connections come from two places.
options:
  _input:
    description: A connection, or a list of connections.
    type: raw
    required: true
"""

EXAMPLES = r"""
- name: Both ends say the same
  ansible.builtin.assert:
    that: of_the_hub | bothends.vpn.mirror == of_the_site
  vars:
    of_the_hub: "{{ vpn_sites | bothends.vpn.connections(hubs=vpn_hubs) }}"
    of_the_site: "{{ vpn_sites | bothends.vpn.connections(hubs=vpn_hubs, end='site') }}"
    vpn_hubs: {prod: {vpc: prod, gateway: 203.0.113.150, subnets: [10.1.0.0/16]}}
    vpn_sites: {berlin: {hub: prod, gateway: 203.0.113.10, subnets: [10.2.0.0/24]}}
"""

RETURN = r"""
_value:
  description: The same from the other end; a list where one was given.
  type: raw
"""

import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _description, _topology
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.plugins.plugin_utils._guard import guarded

_REMEDY = "Give what the filter bothends.vpn.connections gives."
# What must be there to be turned.
_FIELDS: dict[str, t.Callable[[t.Any], bool]] = {
    "end": lambda value: value in ("hub", "site"),
    "local": lambda value: isinstance(value, dict),
    "remote": lambda value: isinstance(value, dict),
    "tunnels": lambda value: isinstance(value, list) and all(map(_is_tunnel, value)),
}


def _is_tunnel(value: t.Any) -> bool:
    return isinstance(value, dict) and {"local_subnets", "remote_subnets"} <= set(value)


def _mirrored(record: t.Any, place: str) -> t.Any:
    if not isinstance(record, dict):
        raise VpnError(f"{place}a connection is wanted, not {type(record).__name__}. {_REMEDY}")
    for field, good in _FIELDS.items():
        if field not in record or not good(record[field]):
            wrong = "is not what a connection has there" if field in record else "is missing"
            raise VpnError(f"{place}{record.get('name') or 'the connection'}: {field} {wrong}. {_REMEDY}")
    return _topology.mirror(t.cast(_topology.Connection, record))


@guarded
def mirror(connections: t.Any) -> t.Any:
    """Turn a connection, or several."""
    given = _description.plain(connections)
    if isinstance(given, list):
        return [_mirrored(record, f"item {index}: ") for index, record in enumerate(given)]
    return _mirrored(given, "")


class FilterModule:
    """Ansible's way to the filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"mirror": mirror}
