# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""strongSwan's running SAs, read from what swanctl prints. Pure, no I/O."""

from __future__ import annotations

import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _algorithms
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _swanctl_text as text

Record = t.Dict[str, t.Any]

_SPEAKER = "strongswan_sa"
_BY_SA = {
    field: {(word, table[name].key_bits): name for name, word in _algorithms.spoken(_SPEAKER, field, "ipsec").items()}
    for field, table in _algorithms.TABLES.items()
}


def _running(values: dict[str, t.Any], fields: dict[str, str]) -> dict[str, str | None]:
    """Algorithms of an SA in our names; what we have no name for keeps charon's word."""
    out: dict[str, str | None] = {}
    for ours, theirs in fields.items():
        word = values.get(theirs)
        size = int(values.get("encr-keysize", 0)) if ours == "encryption" else 0
        raw = f"{word}_{size}" if size else word
        out[ours] = _BY_SA[ours].get((word, size), raw) if word else None
    return out


_IKE_FIELDS = {"encryption": "encr-alg", "integrity": "integ-alg", "prf": "prf-alg", "dh_group": "dh-group"}
_IPSEC_FIELDS = {"encryption": "encr-alg", "integrity": "integ-alg", "pfs_group": "dh-group"}


def _number(value: t.Any) -> int:
    return int(value) if str(value).isdigit() else 0


def _child(name: str, values: dict[str, t.Any]) -> dict[str, t.Any]:
    return {
        "tunnel": text.decode_name(values.get("name", name)),
        "id": _number(values.get("uniqueid")),
        "state": values.get("state", ""),
        "ipsec": _running(values, _IPSEC_FIELDS),
        "local_subnets": list(values.get("local-ts", [])),
        "remote_subnets": list(values.get("remote-ts", [])),
        "bytes_in": _number(values.get("bytes-in")),
        "bytes_out": _number(values.get("bytes-out")),
        "spi_in": values.get("spi-in"),
        "spi_out": values.get("spi-out"),
        "encap": values.get("encap") == "yes",
        "age": _number(values.get("install-time")),
    }


def read_sas(raw: str) -> list[dict[str, t.Any]]:
    """The IKE SAs and their children in the output of ``swanctl --list-sas --raw``; ages in seconds, counters in bytes.

    A phase's algorithms are in our names. ``pfs_group`` is None for a first IKEv2 child: it has no exchange of its own.
    """
    out = []
    for message in text.parse_dump(raw, "list-sa event"):
        for name, items in message:
            if not isinstance(items, list):
                continue
            values = dict(items)
            children = values.get("child-sas") or []
            out.append(
                {
                    "connection": text.decode_name(name),
                    "id": _number(values.get("uniqueid")),
                    "state": values.get("state", ""),
                    "version": f"v{values['version']}" if "version" in values else None,
                    "initiator": values.get("initiator") == "yes",
                    "established": _number(values["established"]) if "established" in values else None,
                    "ike": _running(values, _IKE_FIELDS),
                    "local_id": values.get("local-id"),
                    "remote_id": values.get("remote-id"),
                    "local_host": values.get("local-host"),
                    "remote_host": values.get("remote-host"),
                    "children": [_child(child, dict(body)) for child, body in children if isinstance(body, list)],
                }
            )
    return out


def read_connections(raw: str) -> dict[str, dict[str, t.Any]]:
    """The connections in ``swanctl --list-conns --raw`` by section name: selectors of each child, ids, addresses.

    charon does not say more of a loaded connection (no proposal, no secret).
    """
    out: dict[str, dict[str, t.Any]] = {}
    for message in text.parse_dump(raw, "list-conn event"):
        for name, items in message:
            if not isinstance(items, list):
                continue
            values = dict(items)
            out[name] = {
                "local_addresses": list(values.get("local_addrs", [])),
                "remote_addresses": list(values.get("remote_addrs", [])),
                "children": {
                    child: (list(dict(body).get("local-ts", [])), list(dict(body).get("remote-ts", [])))
                    for child, body in values.get("children") or []
                },
            }
    return out


def unknown_algorithms(record: Record, known: t.Collection[str], user_space: bool) -> list[str]:
    """The algorithms of a record that this charon has no plugin for, as ``group20 (ECP_384)``.

    Without this check it would load the connection and then find no proposal.
    """
    out = []
    for phase in ("ike", "ipsec"):
        for field in _algorithms.TABLES:
            # ESP's own ciphers are the kernel's, unless charon does ESP itself.
            if phase == "ipsec" and field != "pfs_group" and not user_space:
                continue
            name = record[phase].get(field)
            word = _algorithms.word(_SPEAKER, field, name, "ipsec") if name else None
            if word is not None and word not in known:
                out.append(f"{name} ({word})")
    return sorted(set(out))


def read_algorithms(raw: str) -> set[str]:
    """The names in ``swanctl --list-algs --raw``."""
    out: set[str] = set()
    for message in text.parse_dump(raw, "get-algorithms reply"):
        for _kind, items in message:
            out.update(name for name, _plugin in items if isinstance(items, list))
    return out
