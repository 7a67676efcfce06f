# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: free_subnets
short_description: The first free subnets of a length within a network
version_added: 0.1.0
author: bothends.vpn authors (@bothends)
description:
  - Gives the first subnets of a length that lie in a network and overlap nothing that is used.
  - The same input gives the same answer; it is not remembered. What was taken must stand in O(used) the next time.
options:
  _input:
    description:
      - The network, or a list of networks that are searched one after the other. Ranges are understood.
    type: raw
    required: true
  length:
    description: The prefix length of the wanted subnets, such as V(24).
    type: int
    required: true
  used:
    description:
      - What is used already, in any form that the filter P(bothends.vpn.overlaps#filter) takes; several in one list, such as
        V([vpn_hubs, vpn_sites, routes]). A network of the other IP version matters to none.
      - A subnet that is given by its name or id is an error, because nobody knows where it lies.
    type: raw
    default: []
  count:
    description: How many subnets are wanted, 1 to 65536. It is an error if fewer are free.
    type: int
    default: 1
"""

EXAMPLES = r"""
- name: A subnet for the next site
  ansible.builtin.debug:
    msg: "{{ '10.0.0.0/8' | bothends.vpn.free_subnets(24, used=[vpn_hubs, vpn_sites, '10.0.0.0/16']) | first }}"
  vars:
    vpn_hubs: {prod: {vpc: prod, subnets: [10.1.0.0/16]}}
    vpn_sites: {berlin: {hub: prod, gateway: 203.0.113.10, subnets: [10.2.0.0/24]}}

- name: Three of them
  ansible.builtin.assert:
    that: free == ['192.168.0.0/26', '192.168.0.128/26', '192.168.0.192/26']
  vars:
    free: "{{ '192.168.0.0/16' | bothends.vpn.free_subnets(26, used=['192.168.0.77'], count=3) }}"
"""

RETURN = r"""
_value:
  description: The subnets as CIDRs, in the order of their addresses within each network.
  type: list
  elements: str
"""

import itertools
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _addresses, _entries
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.plugins.plugin_utils._guard import guarded

_MOST = 65536


def _whole(name: str, value: t.Any, least: int, most: int) -> int:
    if isinstance(value, bool) or not str(value).isdecimal() or not least <= int(value) <= most:
        raise VpnError(f"{name}: {value!r} is no whole number from {least} to {most}.")
    return int(value)


def _used(used: t.Any) -> list[_addresses.Prefix]:
    try:
        return _addresses.merged(_entries.prefixes(used))
    except _addresses.AddressError as error:
        raise VpnError(f"used: {error}") from None


@guarded
def free_subnets(networks: t.Any, length: t.Any, used: t.Any = (), count: t.Any = 1) -> list[str]:
    """List the first free subnets."""
    pools = _entries.read([networks] if isinstance(networks, str) else networks)
    wanted = _whole("count", count, 1, _MOST)
    taken = _used(used)
    found: list[_addresses.Prefix] = []
    for pool in pools:
        longest = 32 if pool.prefix.version == 4 else 128
        size = 1 << (longest - _whole("length", length, 0, longest))
        if size > pool.prefix.last - pool.prefix.first + 1:
            raise VpnError(f"length: a /{length} is larger than {pool.cidr}. Give a longer prefix or a wider network.")
        if len(found) < wanted:
            found += itertools.islice(_addresses.free(pool.prefix, taken, int(length)), wanted - len(found))
            _addresses.add(taken, pool.prefix)
    if len(found) < wanted:
        within = ", ".join(pool.cidr for pool in pools) or "no network"
        raise VpnError(
            f"{wanted} free subnets of length {length} are wanted, but {within} has {len(found)}."
            " Give a wider network or a longer prefix, or free what is not used any more."
        )
    return [str(one) for one in found]


class FilterModule:
    """Ansible's way to the filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"free_subnets": free_subnets}
