# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""The one table of algorithms: what users write, its strength, and its name at every provider and platform.

Names in the first column are those of OpenStack Networking's VPN API. A platform or provider that is missing in a row
cannot speak that algorithm. ``sa`` is how strongSwan's VICI reports the algorithm of a running SA.
Sources: neutron-lib ``api/definitions/vpn.py``, ``vpn_aes_ctr.py`` and neutron-vpnaas' strongSwan driver (neutron),
https://docs.strongswan.org/docs/5.9/config/IKEv2CipherSuites.html (strongswan, sa), IANA's IKEv2 registry (id).
"""

from __future__ import annotations

import typing as t


class Algorithm(t.NamedTuple):
    """One row: what an algorithm is and what everyone calls it."""

    name: str
    id: int  # IANA IKEv2 transform id
    bits: int  # security strength
    names: dict[str, str]  # provider or platform -> its word
    sa: str  # strongSwan's word for it in a running SA
    aead: bool = False
    key_bits: int = 0  # length of the key on the wire, 0 where the algorithm has one length only


def _ciphers() -> t.Iterator[Algorithm]:
    # mode suffix, IANA id, strongSwan's suffix, its SA name, AEAD
    modes = (
        ("", 12, "", "AES_CBC", False),
        ("-ctr", 13, "ctr", "AES_CTR", False),
        ("-ccm-8", 14, "ccm8", "AES_CCM_8", True),
        ("-ccm-12", 15, "ccm12", "AES_CCM_12", True),
        ("-ccm-16", 16, "ccm16", "AES_CCM_16", True),
        ("-gcm-8", 18, "gcm8", "AES_GCM_8", True),
        ("-gcm-12", 19, "gcm12", "AES_GCM_12", True),
        ("-gcm-16", 20, "gcm16", "AES_GCM_16", True),
    )
    for mode, iana, swan, sa, aead in modes:
        for key in (128, 192, 256):
            name = f"aes-{key}{mode}"
            yield Algorithm(name, iana, key, {"neutron": name, "strongswan": f"aes{key}{swan}"}, sa, aead, key)


def _table(rows: t.Iterable[Algorithm]) -> dict[str, Algorithm]:
    return {row.name: row for row in rows}


def _hash(name: str, iana: int, bits: int, swan: str, sa: str) -> Algorithm:
    return Algorithm(name, iana, bits, {"neutron": name, "strongswan": swan}, sa)


def _group(number: int, bits: int, swan: str, sa: str) -> Algorithm:
    name = f"group{number}"
    return Algorithm(name, number, bits, {"neutron": name, "strongswan": swan}, sa)


ENCRYPTION = _table(_ciphers())

INTEGRITY = _table(
    (
        _hash("aes-xcbc", 5, 128, "aesxcbc", "AES_XCBC_96"),
        _hash("aes-cmac", 8, 128, "aescmac", "AES_CMAC_96"),
        _hash("sha256", 12, 128, "sha256", "HMAC_SHA2_256_128"),
        _hash("sha384", 13, 192, "sha384", "HMAC_SHA2_384_192"),
        _hash("sha512", 14, 256, "sha512", "HMAC_SHA2_512_256"),
    )
)

PRF = _table(
    (
        _hash("aes-xcbc", 4, 128, "prfaesxcbc", "PRF_AES128_XCBC"),
        _hash("sha256", 5, 128, "prfsha256", "PRF_HMAC_SHA2_256"),
        _hash("sha384", 6, 192, "prfsha384", "PRF_HMAC_SHA2_384"),
        _hash("sha512", 7, 256, "prfsha512", "PRF_HMAC_SHA2_512"),
        _hash("aes-cmac", 8, 128, "prfaescmac", "PRF_AES128_CMAC"),
    )
)

DH_GROUP = _table(
    (
        _group(2, 80, "modp1024", "MODP_1024"),
        _group(5, 90, "modp1536", "MODP_1536"),
        _group(14, 112, "modp2048", "MODP_2048"),
        _group(15, 128, "modp3072", "MODP_3072"),
        _group(16, 150, "modp4096", "MODP_4096"),
        _group(17, 170, "modp6144", "MODP_6144"),
        _group(18, 190, "modp8192", "MODP_8192"),
        _group(19, 128, "ecp256", "ECP_256"),
        _group(20, 192, "ecp384", "ECP_384"),
        _group(21, 256, "ecp521", "ECP_521"),
        _group(22, 80, "modp1024s160", "MODP_1024_160"),
        _group(23, 112, "modp2048s224", "MODP_2048_224"),
        _group(24, 112, "modp2048s256", "MODP_2048_256"),
        _group(25, 96, "ecp192", "ECP_192"),
        _group(26, 112, "ecp224", "ECP_224"),
        _group(27, 112, "ecp224bp", "ECP_224_BP"),
        _group(28, 128, "ecp256bp", "ECP_256_BP"),
        _group(29, 192, "ecp384bp", "ECP_384_BP"),
        _group(30, 256, "ecp512bp", "ECP_512_BP"),
        _group(31, 128, "curve25519", "CURVE_25519"),
    )
)

TABLES = {"encryption": ENCRYPTION, "integrity": INTEGRITY, "prf": PRF, "dh_group": DH_GROUP, "pfs_group": DH_GROUP}
