# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""What fits through a tunnel: the longest packet and the longest TCP segment, from the sizes that the RFCs give.

ESP in tunnel mode (RFC 4303 section 2) sends, in bytes: the outer IP header; with NAT traversal a UDP header (RFC 3948
section 2.1); SPI and sequence number; the initialisation vector; the inner packet, padding, the padding's length and the next
header, together a multiple of the cipher's block and of 4; the integrity check value. Extended sequence numbers are not sent.
``CIPHERS`` and ``CHECKS`` are columns beside ``_algorithms.ENCRYPTION`` and ``INTEGRITY``: the same names. Sizes are in bytes.
"""

from __future__ import annotations

import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _addresses, _algorithms
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.plugins.module_utils._providers import PROVIDERS


class Cipher(t.NamedTuple):
    """What a cipher adds to a packet."""

    block: int  # what it encrypts is a multiple of this
    vector: int  # initialisation vector, sent with each packet
    check: int  # integrity check value of an AEAD cipher; another one's is its integrity algorithm's
    source: str


class Check(t.NamedTuple):
    """What an integrity algorithm adds to a packet."""

    size: int
    source: str


_CBC, _CTR, _CCM, _GCM = "RFC 3602 section 3", "RFC 3686 section 3.1", "RFC 4309 section 3.1", "RFC 4106 section 3.1"
_MODES = {
    "": Cipher(16, 16, 0, _CBC),
    "-ctr": Cipher(1, 8, 0, _CTR),
    "-ccm-8": Cipher(1, 8, 8, _CCM),
    "-ccm-12": Cipher(1, 8, 12, _CCM),
    "-ccm-16": Cipher(1, 8, 16, _CCM),
    "-gcm-8": Cipher(1, 8, 8, _GCM),
    "-gcm-12": Cipher(1, 8, 12, _GCM),
    "-gcm-16": Cipher(1, 8, 16, _GCM),
}

# The key's length changes nothing.
CIPHERS = {name: _MODES[name[len("aes-256") :]] for name in _algorithms.ENCRYPTION}
CHECKS = {
    "aes-xcbc": Check(12, "RFC 3566"),
    "aes-cmac": Check(12, "RFC 4494"),
    "sha256": Check(16, "RFC 4868 section 2.3"),
    "sha384": Check(24, "RFC 4868 section 2.3"),
    "sha512": Check(32, "RFC 4868 section 2.3"),
}

_IP = {4: 20, 6: 40}  # RFC 791 section 3.1, RFC 8200 section 3
_UDP = 8  # RFC 768
_ESP = 8  # SPI, sequence number
_TRAILER = 2  # padding's length, next header
_ALIGNED = 4  # RFC 4303 section 2.4
_TCP = 20  # RFC 9293 section 3.1, without options: MSS never counts them (RFC 6691 section 2)
# Every path carries as much (RFC 791 section 3.2); what is less is a slip of the pen.
_LEAST = 68


def inner_mtu(ipsec: t.Mapping[str, t.Any], underlay: int, udp: bool, outer: int = 4) -> int:
    """Give the length of the longest packet that goes through the tunnel in one piece.

    ``ipsec`` is the proposal (``encryption``, and ``integrity`` unless that is an AEAD), ``underlay`` the MTU of the path between
    the gateways, ``udp`` whether ESP goes in UDP, ``outer`` the IP version between the gateways. Raises VpnError.
    """
    cipher, check = _suite(ipsec)
    room = underlay - _IP[outer] - (_UDP if udp else 0) - _ESP - cipher.vector - check
    unit = max(cipher.block, _ALIGNED)
    longest = room // unit * unit - _TRAILER
    if longest < _LEAST:
        raise VpnError(
            f"underlay_mtu: {underlay} leaves {max(0, longest)} bytes for a packet in the tunnel, and {_LEAST} is the least that IP"
            " works with (RFC 791). Write the MTU of the path between the gateways, such as 1500."
        )
    return longest


def _suite(ipsec: t.Mapping[str, t.Any]) -> tuple[Cipher, int]:
    encryption, integrity = ipsec.get("encryption"), ipsec.get("integrity")
    cipher = CIPHERS.get(str(encryption))
    if cipher is None:
        raise VpnError(f"ipsec.encryption: there is no {encryption!r}. Write one of {', '.join(CIPHERS)}.")
    if cipher.check:
        return cipher, cipher.check
    check = CHECKS.get(str(integrity))
    if check is None:
        raise VpnError(f"ipsec.integrity: there is no {integrity!r}. Write one of {', '.join(CHECKS)}.")
    return cipher, check.size


def segment(packet: int, inner: int = 4, longest: int | None = None) -> int:
    """Give TCP's longest segment in a packet of this length, of IP version ``inner``: what MSS says (RFC 6691).

    ``longest`` is the longest packet of TCP that an end carries, whatever fits through the tunnel.
    """
    return min(packet, longest or packet) - _IP[inner] - _TCP


def longest_tcp(record: t.Mapping[str, t.Any]) -> int | None:
    """Give the longest packet of TCP that the hub's cloud says it carries; None where it says nothing."""
    provider = PROVIDERS.get(record.get("provider", ""))
    return provider.tcp_packet if provider else None


def in_udp(nat_traversal: str) -> bool:
    """Tell whether ESP may go in UDP: ``auto`` finds out only when the tunnel comes up, so there must be room for it."""
    return nat_traversal != "off"


def of_connection(record: t.Mapping[str, t.Any]) -> int:
    """Give the longest packet of a connection, seen from either end. Raises VpnError."""
    return inner_mtu(
        record["ipsec"], int(record["underlay_mtu"]), in_udp(record["nat_traversal"]), outer_version(record)
    )


def outer_version(record: t.Mapping[str, t.Any]) -> int:
    """Tell the IP version between the gateways, by the one that is known."""
    known = [record[end]["gateway"] for end in ("local", "remote") if record[end].get("gateway")]
    versions = {_addresses.parse(gateway).version for gateway in known if _addresses.is_address(gateway)}
    return max(versions, default=4)


def inner_version(record: t.Mapping[str, t.Any]) -> int:
    """Tell the IP version that leaves the least room to TCP, of what the connection carries."""
    subnets = [subnet for end in ("local", "remote") for subnet in record[end]["subnets"]]
    return max((_addresses.parse(subnet).version for subnet in subnets if _addresses.is_prefix(subnet)), default=4)
