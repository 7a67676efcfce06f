# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""The one table of algorithms: what users write, its strength, and its name at every provider and platform.

``TABLES`` has a row for each algorithm, under the name that OpenStack Networking's VPN API gives it. ``COLUMNS`` has a
column for each speaker (provider, platform, or what a platform says of running SAs): the speaker's words. What is missing in
a column, the speaker cannot speak; a word that differs by context stands as a dict of contexts.
Sources: IANA's IKEv2 registry (id), neutron-lib ``api/definitions/vpn.py``, ``vpn_aes_ctr.py`` and neutron-vpnaas' strongSwan
driver (neutron), https://docs.strongswan.org/docs/5.9/config/IKEv2CipherSuites.html (strongswan, strongswan_sa), Cisco's YANG
module Cisco-IOS-XE-crypto of IOS XE 16.9 (cisco_iosxe), Open Telekom Cloud's API reference of the classic VPN, "Creating an
IKE Policy" and "Creating an IPsec Policy" (otc).
"""

from __future__ import annotations

import functools
import types
import typing as t

Word = t.Union[str, t.Dict[str, str]]  # a dict: by context
Column = t.Dict[str, t.Dict[str, Word]]  # table -> algorithm -> word

# Where an algorithm is spoken: some devices have other words, or fewer, in each.
CONTEXTS = ("ike_v1", "ike_v2", "ipsec")


class Algorithm(t.NamedTuple):
    """One row: what an algorithm is."""

    name: str
    id: int  # IANA IKEv2 transform id
    bits: int  # security strength
    aead: bool = False
    key_bits: int = 0  # length of the key on the wire, 0 where the algorithm has one length only


def _table(*rows: Algorithm) -> dict[str, Algorithm]:
    return {row.name: row for row in rows}


_KEYS = (128, 192, 256)
# suffix -> IANA id, AEAD
_MODES = {
    "": (12, False),
    "-ctr": (13, False),
    "-ccm-8": (14, True),
    "-ccm-12": (15, True),
    "-ccm-16": (16, True),
    "-gcm-8": (18, True),
    "-gcm-12": (19, True),
    "-gcm-16": (20, True),
}

ENCRYPTION = _table(
    *(Algorithm(f"aes-{key}{mode}", iana, key, aead, key) for mode, (iana, aead) in _MODES.items() for key in _KEYS)
)

INTEGRITY = _table(
    Algorithm("aes-xcbc", 5, 128),
    Algorithm("aes-cmac", 8, 128),
    Algorithm("sha256", 12, 128),
    Algorithm("sha384", 13, 192),
    Algorithm("sha512", 14, 256),
)

PRF = _table(
    Algorithm("aes-xcbc", 4, 128),
    Algorithm("sha256", 5, 128),
    Algorithm("sha384", 6, 192),
    Algorithm("sha512", 7, 256),
    Algorithm("aes-cmac", 8, 128),
)

# IANA id -> strength in bits
_GROUPS = {
    2: 80, 5: 90, 14: 112, 15: 128, 16: 150, 17: 170, 18: 190, 19: 128, 20: 192, 21: 256, 22: 80, 23: 112, 24: 112, 25: 96,
    26: 112, 27: 112, 28: 128, 29: 192, 30: 256, 31: 128,
}  # fmt: skip
DH_GROUP = _table(*(Algorithm(f"group{number}", number, bits) for number, bits in _GROUPS.items()))

TABLES = {"encryption": ENCRYPTION, "integrity": INTEGRITY, "prf": PRF, "dh_group": DH_GROUP, "pfs_group": DH_GROUP}


def _ciphers(words: t.Mapping[str, str]) -> dict[str, str]:
    """Spell out words that differ in the key length only, by mode; ``{}`` stands for the length."""
    return {f"aes-{key}{mode}": word.format(key) for mode, word in words.items() for key in _KEYS}


_NEUTRON: Column = {table: {name: name for name in rows} for table, rows in TABLES.items() if table != "pfs_group"}

# No AEAD, so no PRF of its own. What it speaks besides (3DES, MD5, SHA-1, group 1, no PFS) no row of the tables is made for.
_OTC: Column = {
    "encryption": _ciphers({"": "aes-{}"}),
    "integrity": {"sha256": "sha2-256", "sha384": "sha2-384", "sha512": "sha2-512"},
    "dh_group": {f"group{number}": f"group{number}" for number in (2, 5, 14, 15, 16, 19, 20, 21)},
}

_STRONGSWAN: Column = {
    "encryption": _ciphers(
        {"": "aes{}", "-ctr": "aes{}ctr", "-ccm-8": "aes{}ccm8", "-ccm-12": "aes{}ccm12", "-ccm-16": "aes{}ccm16",
         "-gcm-8": "aes{}gcm8", "-gcm-12": "aes{}gcm12", "-gcm-16": "aes{}gcm16"}
    ),
    "integrity": {"aes-xcbc": "aesxcbc", "aes-cmac": "aescmac", "sha256": "sha256", "sha384": "sha384", "sha512": "sha512"},
    "prf": {"aes-xcbc": "prfaesxcbc", "sha256": "prfsha256", "sha384": "prfsha384", "sha512": "prfsha512", "aes-cmac": "prfaescmac"},
    "dh_group": {
        "group2": "modp1024", "group5": "modp1536", "group14": "modp2048", "group15": "modp3072", "group16": "modp4096",
        "group17": "modp6144", "group18": "modp8192", "group19": "ecp256", "group20": "ecp384", "group21": "ecp521",
        "group22": "modp1024s160", "group23": "modp2048s224", "group24": "modp2048s256", "group25": "ecp192",
        "group26": "ecp224", "group27": "ecp224bp", "group28": "ecp256bp", "group29": "ecp384bp", "group30": "ecp512bp",
        "group31": "curve25519",
    },
}  # fmt: skip

# As VICI reports the algorithms of a running SA; the key's length stands beside a cipher's word there.
_STRONGSWAN_SA: Column = {
    "encryption": _ciphers(
        {"": "AES_CBC", "-ctr": "AES_CTR", "-ccm-8": "AES_CCM_8", "-ccm-12": "AES_CCM_12", "-ccm-16": "AES_CCM_16",
         "-gcm-8": "AES_GCM_8", "-gcm-12": "AES_GCM_12", "-gcm-16": "AES_GCM_16"}
    ),
    "integrity": {
        "aes-xcbc": "AES_XCBC_96", "aes-cmac": "AES_CMAC_96", "sha256": "HMAC_SHA2_256_128", "sha384": "HMAC_SHA2_384_192",
        "sha512": "HMAC_SHA2_512_256",
    },
    "prf": {
        "aes-xcbc": "PRF_AES128_XCBC", "sha256": "PRF_HMAC_SHA2_256", "sha384": "PRF_HMAC_SHA2_384",
        "sha512": "PRF_HMAC_SHA2_512", "aes-cmac": "PRF_AES128_CMAC",
    },
    "dh_group": {
        "group2": "MODP_1024", "group5": "MODP_1536", "group14": "MODP_2048", "group15": "MODP_3072", "group16": "MODP_4096",
        "group17": "MODP_6144", "group18": "MODP_8192", "group19": "ECP_256", "group20": "ECP_384", "group21": "ECP_521",
        "group22": "MODP_1024_160", "group23": "MODP_2048_224", "group24": "MODP_2048_256", "group25": "ECP_192",
        "group26": "ECP_224", "group27": "ECP_224_BP", "group28": "ECP_256_BP", "group29": "ECP_384_BP",
        "group30": "ECP_512_BP", "group31": "CURVE_25519",
    },
}  # fmt: skip

_NOT_IKEV1 = ("ike_v2", "ipsec")


def _only(where: t.Iterable[str], words: t.Mapping[str, str]) -> dict[str, Word]:
    """Say words in some contexts only."""
    return {name: dict.fromkeys(where, word) for name, word in words.items()}


# As `algparse` of libreswan 4.10 knows them.
_LIBRESWAN: Column = {
    "encryption": {
        **_ciphers({"": "aes{}", "-ctr": "aes_ctr{}"}),
        **_only(_NOT_IKEV1, _ciphers({"-gcm-8": "aes_gcm_a{}", "-gcm-12": "aes_gcm_b{}", "-gcm-16": "aes_gcm_c{}"})),
        **_only(("ipsec",), _ciphers({"-ccm-8": "aes_ccm_a{}", "-ccm-12": "aes_ccm_b{}", "-ccm-16": "aes_ccm_c{}"})),
    },
    "integrity": {
        "sha256": "sha2_256", "sha384": "sha2_384", "sha512": "sha2_512",
        **_only(_NOT_IKEV1, {"aes-xcbc": "aes_xcbc"}), **_only(("ipsec",), {"aes-cmac": "aes_cmac"}),
    },
    "prf": _only(
        ("ike_v2",), {"aes-xcbc": "aes_xcbc", "sha256": "sha2_256", "sha384": "sha2_384", "sha512": "sha2_512"}
    ),
    "dh_group": {f"group{number}": f"dh{number}" for number in (5, 14, 15, 16, 17, 18, 19, 20, 21, 31)},
}  # fmt: skip

_CISCO_IOSXE_GROUPS = (2, 5, 14, 15, 16, 19, 20, 21, 24)
_CISCO_IOSXE: Column = {
    "encryption": {
        "aes-128": {"ike_v1": "aes", "ike_v2": "aes-cbc-128", "ipsec": "esp-aes"},
        "aes-192": {"ike_v1": "aes 192", "ike_v2": "aes-cbc-192", "ipsec": "esp-aes 192"},
        "aes-256": {"ike_v1": "aes 256", "ike_v2": "aes-cbc-256", "ipsec": "esp-aes 256"},
        "aes-128-gcm-16": {"ike_v2": "aes-gcm-128", "ipsec": "esp-gcm"},
        "aes-192-gcm-16": {"ipsec": "esp-gcm 192"},
        "aes-256-gcm-16": {"ike_v2": "aes-gcm-256", "ipsec": "esp-gcm 256"},
    },
    "integrity": {
        name: {"ike_v1": name, "ike_v2": name, "ipsec": f"esp-{name}-hmac"} for name in ("sha256", "sha384", "sha512")
    },
    "prf": {name: {"ike_v2": name} for name in ("sha256", "sha384", "sha512")},
    "dh_group": {
        f"group{number}": {"ike_v1": f"{number}", "ike_v2": f"{number}", "ipsec": f"group{number}"}
        for number in _CISCO_IOSXE_GROUPS
    },
}

# As pluto reports the algorithms of connections and running SAs.
_LIBRESWAN_SA: Column = {
    "encryption": {
        **_ciphers(
            {"": "AES_CBC_{}", "-ctr": "AES_CTR_{}", "-ccm-8": "AES_CCM_8_{}", "-ccm-12": "AES_CCM_12_{}",
             "-ccm-16": "AES_CCM_16_{}", "-gcm-8": "AES_GCM_8_{}", "-gcm-12": "AES_GCM_12_{}", "-gcm-16": "AES_GCM_16_{}"}
        )
    },
    "integrity": {
        "sha256": {"ike_v1": "HMAC_SHA2_256", "ike_v2": "HMAC_SHA2_256", "ipsec": "HMAC_SHA2_256_128"},
        "sha384": {"ike_v1": "HMAC_SHA2_384", "ike_v2": "HMAC_SHA2_384", "ipsec": "HMAC_SHA2_384_192"},
        "sha512": {"ike_v1": "HMAC_SHA2_512", "ike_v2": "HMAC_SHA2_512", "ipsec": "HMAC_SHA2_512_256"},
        "aes-xcbc": {"ike_v2": "AES_XCBC", "ipsec": "AES_XCBC_96"}, "aes-cmac": {"ipsec": "AES_CMAC_96"},
    },
    "prf": {"sha256": "HMAC_SHA2_256", "sha384": "HMAC_SHA2_384", "sha512": "HMAC_SHA2_512", "aes-xcbc": "AES_XCBC"},
    "dh_group": {
        "group5": "MODP1536", "group14": "MODP2048", "group15": "MODP3072", "group16": "MODP4096", "group17": "MODP6144",
        "group18": "MODP8192", "group19": "DH19", "group20": "DH20", "group21": "DH21", "group31": "DH31",
    },
}  # fmt: skip

COLUMNS: dict[str, Column] = {
    "neutron": _NEUTRON,
    "otc": _OTC,
    "strongswan": _STRONGSWAN,
    "strongswan_sa": _STRONGSWAN_SA,
    "libreswan": _LIBRESWAN,
    "cisco_iosxe": _CISCO_IOSXE,
    "libreswan_sa": _LIBRESWAN_SA,
}


def context(phase: str, ike_version: str) -> str:
    """Name the context of a phase: ``ike`` has one for each version, ``ipsec`` one for both."""
    return f"ike_{ike_version}" if phase == "ike" else phase


def word(speaker: str, table: str, name: str, where: str) -> str | None:
    """Give a speaker's word for an algorithm in a context; None where it cannot speak it."""
    found = COLUMNS[speaker].get("dh_group" if table == "pfs_group" else table, {}).get(name)
    return found.get(where) if isinstance(found, dict) else found


@functools.lru_cache(maxsize=None)
def spoken(speaker: str, table: str, where: str) -> t.Mapping[str, str]:
    """Give all algorithms of a table that a speaker can speak in a context, with its words."""
    words = {name: word(speaker, table, name, where) for name in TABLES[table]}
    return types.MappingProxyType({name: found for name, found in words.items() if found is not None})
