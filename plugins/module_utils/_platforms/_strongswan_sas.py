# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""strongSwan's running SAs, read from what swanctl prints. Pure, no I/O.

What has not the form of such an answer is an error that says so: taken for no SA, it would be judged as that.
"""

from __future__ import annotations

import contextlib
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _algorithms
from ansible_collections.bothends.vpn.plugins.module_utils._errors import TextError, VpnError
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _swanctl_text as text

Record = t.Dict[str, t.Any]

_DIGITS = 20  # of a number of 64 bits
_SPEAKER = "strongswan_sa"
_BY_SA = {
    field: {(word, table[name].key_bits): name for name, word in _algorithms.spoken(_SPEAKER, field, "ipsec").items()}
    for field, table in _algorithms.TABLES.items()
}


@contextlib.contextmanager
def _reading(command: str) -> t.Iterator[None]:
    try:
        yield
    except TextError as error:
        raise VpnError(
            f"swanctl {command}: its answer cannot be read ({error}). Remedy: run it on the router; where it says the same there,"
            " install swanctl and charon of one version, and restart charon."
        ) from None


def _text(values: dict[str, t.Any], key: str) -> str | None:
    value = values.get(key)
    if not (value is None or isinstance(value, str)):
        raise TextError(f"{key} is no text")
    return value


def _texts(values: dict[str, t.Any], key: str) -> list[str]:
    value = values.get(key) or []
    if not (isinstance(value, list) and all(isinstance(one, str) for one in value)):
        raise TextError(f"{key} is no list")
    return list(value)


def _number(values: dict[str, t.Any], key: str) -> int:
    value = (_text(values, key) or "").partition(" ")[0] or "0"  # of an answer that is cut, half a key may follow
    if not (value.isdecimal() and len(value) <= _DIGITS):
        raise TextError(f"{key} is no number")
    return int(value)


def _running(values: dict[str, t.Any], fields: dict[str, str]) -> dict[str, str | None]:
    """Algorithms of an SA in our names; what we have no name for keeps charon's word."""
    out: dict[str, str | None] = {}
    for ours, theirs in fields.items():
        word = _text(values, theirs)
        size = _number(values, "encr-keysize") if ours == "encryption" else 0
        raw = f"{word}_{size}" if size else word
        out[ours] = _BY_SA[ours].get((word, size), raw) if word else None
    return out


_IKE_FIELDS = {"encryption": "encr-alg", "integrity": "integ-alg", "prf": "prf-alg", "dh_group": "dh-group"}
_IPSEC_FIELDS = {"encryption": "encr-alg", "integrity": "integ-alg", "pfs_group": "dh-group"}


def _child(name: str, values: dict[str, t.Any]) -> dict[str, t.Any]:
    return {
        "tunnel": text.decode_name(_text(values, "name") or name),
        "id": _number(values, "uniqueid"),
        "state": _text(values, "state") or "",
        "ipsec": _running(values, _IPSEC_FIELDS),
        "local_subnets": _texts(values, "local-ts"),
        "remote_subnets": _texts(values, "remote-ts"),
        "bytes_in": _number(values, "bytes-in"),
        "bytes_out": _number(values, "bytes-out"),
        "spi_in": _text(values, "spi-in"),
        "spi_out": _text(values, "spi-out"),
        "encap": values.get("encap") == "yes",
        "age": _number(values, "install-time"),
    }


def read_sas(raw: str) -> list[dict[str, t.Any]]:
    """The IKE SAs and their children in the output of ``swanctl --list-sas --raw``; ages in seconds, counters in bytes.

    A phase's algorithms are in our names. ``pfs_group`` is None for a first IKEv2 child: it has no exchange of its own.
    """
    with _reading("--list-sas"):
        return [
            _sa(name, text.section(items, name))
            for message in text.parse_dump(raw, "list-sa event")
            for name, items in message
        ]


def _sa(name: str, values: dict[str, t.Any]) -> dict[str, t.Any]:
    children = text.section(values.get("child-sas") or [], "child-sas")
    return {
        "connection": text.decode_name(name),
        "id": _number(values, "uniqueid"),
        "state": _text(values, "state") or "",
        "version": f"v{_text(values, 'version')}" if "version" in values else None,
        "initiator": values.get("initiator") == "yes",
        "established": _number(values, "established") if "established" in values else None,
        "ike": _running(values, _IKE_FIELDS),
        "local_id": _text(values, "local-id"),
        "remote_id": _text(values, "remote-id"),
        "local_host": _text(values, "local-host"),
        "remote_host": _text(values, "remote-host"),
        "children": [_child(child, text.section(body, child)) for child, body in children.items()],
    }


def read_connections(raw: str) -> dict[str, dict[str, t.Any]]:
    """The connections in ``swanctl --list-conns --raw`` by section name: selectors of each child, ids, addresses.

    charon does not say more of a loaded connection (no proposal, no secret).
    """
    with _reading("--list-conns"):
        return {
            name: _connection(text.section(items, name))
            for message in text.parse_dump(raw, "list-conn event")
            for name, items in message
        }


def _connection(values: dict[str, t.Any]) -> dict[str, t.Any]:
    children = text.section(values.get("children") or [], "children")
    bodies = {child: text.section(body, child) for child, body in children.items()}
    return {
        "local_addresses": _texts(values, "local_addrs"),
        "remote_addresses": _texts(values, "remote_addrs"),
        "children": {child: (_texts(body, "local-ts"), _texts(body, "remote-ts")) for child, body in bodies.items()},
    }


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
    with _reading("--list-algs"):
        return {
            name
            for message in text.parse_dump(raw, "get-algorithms reply")
            for kind, items in message
            for name in text.section(items, kind)
        }
