# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: mss
short_description: The longest TCP segment, or packet, that fits through a tunnel
version_added: 0.1.0
author: bothends.vpn authors (@bothends)
description:
  - Computes what goes through an IPsec tunnel (ESP, tunnel mode) in one piece, from the sizes of the headers in the RFCs
    (RFC 4303, RFC 3948) and of the cipher's block and vector and the integrity check value.
  - A router sets it in the SYNs that pass (C(ip tcp adjust-mss), C(tcp option maxseg size set)), so that TCP sends nothing that would
    have to be fragmented.
options:
  _input:
    description:
      - A connection, as the filter P(bothends.vpn.connections#filter) gives it. It says all that the options say. Where its hub's
        provider names a longest TCP packet (docs/reference/providers.md), no segment is longer than what fits into that.
      - Or an IPsec proposal, a dict with C(encryption) and, unless that is an AEAD cipher, C(integrity). Or a policy with such an C(ipsec).
        What is left out is as in C(vpn_policies).
    type: dict
    required: true
  underlay_mtu:
    description: MTU of the path between the gateways, in bytes. Left out, the connection's, else 1500.
    type: int
  nat_traversal:
    description:
      - Whether ESP goes in UDP. With V(auto) there is room for it, because that shows only when the tunnel comes up.
      - Left out, the connection's, else V(auto).
    type: str
    choices: [auto, force, 'off']
  outer:
    description: IP version between the gateways. Left out, the connection's, else 4.
    type: int
    choices: [4, 6]
  inner:
    description: IP version in the tunnel. Left out, 6 if the connection carries any IPv6, else 4.
    type: int
    choices: [4, 6]
  want:
    description: V(mss) gives the TCP segment, V(mtu) the whole packet, for the MTU of a tunnel interface or a route.
    type: str
    choices: [mss, mtu]
    default: mss
"""

EXAMPLES = r"""
- name: What TCP may send
  ansible.builtin.assert:
    that:
      - proposal | bothends.vpn.mss == 1382
      - proposal | bothends.vpn.mss(nat_traversal='off', want='mtu') == 1438
      - proposal | bothends.vpn.mss(underlay_mtu=1492, inner=6) == 1362
  vars:
    proposal: {encryption: aes-256, integrity: sha256}

- name: Write it for a Linux router
  ansible.builtin.debug:
    msg: "nft add rule inet filter forward tcp flags syn tcp option maxseg size set {{ item | bothends.vpn.mss }}  # {{ item.name }}"
  loop: "{{ vpn_sites | bothends.vpn.connections(hubs=vpn_hubs) }}"
  vars:
    vpn_hubs: {prod: {vpc: prod, gateway: 203.0.113.150, subnets: [10.1.0.0/16]}}
    vpn_sites: {berlin: {hub: prod, gateway: 203.0.113.10, subnets: [10.2.0.0/24], underlay_mtu: 1492}}
"""

RETURN = r"""
_value:
  description: Bytes.
  type: int
"""

import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _description, _mtu
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.plugins.plugin_utils._guard import guarded

_VERSIONS = {"4": 4, "6": 6}


def _one_of(name: str, value: t.Any, known: t.Iterable[str]) -> str:
    if str(value) not in known:
        hint = " YAML takes on and off for true and false: put them in quotes." if isinstance(value, bool) else ""
        raise VpnError(f"{name}: {value!r} is not one of {', '.join(known)}.{hint}")
    return str(value)


def _proposal(given: t.Any) -> dict[str, t.Any]:
    """Find the IPsec proposal in what was given, and fill in what it leaves out."""
    found = given.get("ipsec", given) if isinstance(given, dict) else given
    if not isinstance(found, dict):
        raise VpnError("a connection or an IPsec proposal is wanted, such as {encryption: aes-256, integrity: sha256}.")
    default = _description.describe(None, None, None).policies["default"]["ipsec"]
    return {**default, **{field: value for field, value in found.items() if value not in (None, "")}}


@guarded
def mss(
    given: t.Any,
    underlay_mtu: t.Any = None,
    nat_traversal: t.Any = None,
    outer: t.Any = None,
    inner: t.Any = None,
    want: str = "mss",
) -> int:
    """Compute what fits."""
    given = _description.plain(given)
    proposal = _proposal(given)
    record = given if "tunnels" in given else None
    if underlay_mtu is None:
        underlay_mtu = given.get("underlay_mtu", _description.SITE["underlay_mtu"]["default"])
    if isinstance(underlay_mtu, bool) or not str(underlay_mtu).isdecimal():
        raise VpnError(f"underlay_mtu: {underlay_mtu!r} is no number of bytes. Write one such as 1500.")
    if nat_traversal is None:
        nat_traversal = given.get("nat_traversal", "auto")
    if outer is None:
        outer = _mtu.outer_version(record) if record else 4
    if inner is None:
        inner = _mtu.inner_version(record) if record else 4
    traversal = _one_of("nat_traversal", nat_traversal, _description.SITE["nat_traversal"]["choices"])
    versions = {
        name: _VERSIONS[_one_of(name, value, _VERSIONS)] for name, value in (("outer", outer), ("inner", inner))
    }
    packet = _mtu.inner_mtu(proposal, int(underlay_mtu), _mtu.in_udp(traversal), versions["outer"])
    if _one_of("want", want, ("mss", "mtu")) == "mtu":
        return packet
    return _mtu.segment(packet, versions["inner"], _mtu.longest_tcp(record) if record else None)


class FilterModule:
    """Ansible's way to the filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"mss": mss}
