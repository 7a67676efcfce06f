# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""strongSwan's running SAs: what they are, how they differ from what is declared, and what is left to do. Pure, no I/O.

A running IKE SA, its children included, keeps the configuration it was born with, and ``swanctl --rekey --reauth`` makes
the new SA from that same configuration (only the key is looked up anew): tried on 5.9.8.
"""

from __future__ import annotations

import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _algorithms
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _swanctl_text as text

Record = t.Dict[str, t.Any]

_BY_SA = {
    field: {(row.sa, row.key_bits): row.name for row in table.values()} for field, table in _algorithms.TABLES.items()
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


def live(sa: dict[str, t.Any]) -> list[dict[str, t.Any]]:
    """The children of an IKE SA that carry traffic; those that a renewal replaced stay listed for some seconds."""
    return [child for child in sa["children"] if child["state"] in ("INSTALLED", "REKEYING")]


def deviations(record: Record, sa: dict[str, t.Any]) -> list[str]:
    """How a running IKE SA with its children differs from what a record (site's view) declares, in words; [] if not.

    A child's PFS group shows only once it was rekeyed, and is compared only then.
    """
    out = []
    wanted = {**record["ike"], "prf": record["ike"].get("prf") or _implied_prf(record["ike"])}
    for field in _IKE_FIELDS:
        if (wanted.get(field) or None) != sa["ike"].get(field):
            out.append(f"IKE {field} is {sa['ike'].get(field) or 'none'}, declared is {wanted.get(field) or 'none'}")
    tunnels = {tunnel["name"]: tunnel for tunnel in record["tunnels"]}
    for child in live(sa):
        tunnel = tunnels.get(child["tunnel"])
        if tunnel is None:
            out.append(f"{child['tunnel']} is not declared")
            continue
        for field in _IPSEC_FIELDS:
            is_, declared = child["ipsec"].get(field), record["ipsec"].get(field) or None
            if is_ != declared and not (field == "pfs_group" and is_ is None):
                out.append(f"{child['tunnel']} {field} is {is_ or 'none'}, declared is {declared or 'none'}")
        for end in ("local_subnets", "remote_subnets"):
            if child[end] and set(child[end]) != set(tunnel[end]):
                out.append(f"{child['tunnel']} carries {', '.join(child[end])}, declared is {', '.join(tunnel[end])}")
    return out


def _implied_prf(ike: dict[str, t.Any]) -> str | None:
    """Without an AEAD, the PRF follows from the integrity algorithm."""
    return ike.get("integrity")


class Standing(t.NamedTuple):
    """How a connection stands: what it lacks, and what is in the way."""

    lacking: list[str]  # names of tunnels that no good SA carries
    old: list[int]  # ids of IKE SAs that must go once a good one is there
    wrong: list[int]  # ids of IKE SAs that are not old and yet not as declared: the other end's doing
    deviations: list[str]  # how they differ


def standing(record: Record, sas: list[dict[str, t.Any]], born_before: int) -> Standing:
    """Judges the SAs of one connection; ``born_before`` is the highest IKE id that has an old configuration or key.

    Both ends may have begun at once, so the tunnels may lie on several good SAs.
    """
    carried: set[str] = set()
    old: list[int] = []
    wrong: list[int] = []
    why: list[str] = []
    for sa in sas:
        if sa["connection"] != record["name"] or sa["state"] not in ("ESTABLISHED", "REKEYING", "CONNECTING"):
            continue
        if sa["id"] <= born_before:
            old.append(sa["id"])
        elif sa["state"] != "CONNECTING":
            differs = deviations(record, sa)
            why.extend(differs)
            if differs:
                wrong.append(sa["id"])
            else:
                carried.update(child["tunnel"] for child in live(sa))
    names = [tunnel["name"] for tunnel in record["tunnels"]]
    return Standing([name for name in names if name not in carried], old, wrong, why)


def unknown_algorithms(record: Record, known: t.Collection[str], user_space: bool) -> list[str]:
    """The algorithms of a record that this charon has no plugin for, as ``group20 (ECP_384)``.

    Without this check it would load the connection and then find no proposal.
    """
    out = []
    for phase in ("ike", "ipsec"):
        for field, table in _algorithms.TABLES.items():
            # ESP's own ciphers are the kernel's, unless charon does ESP itself.
            if phase == "ipsec" and field != "pfs_group" and not user_space:
                continue
            row = table.get(record[phase].get(field) or "")
            if row is not None and row.sa not in known:
                out.append(f"{row.name} ({row.sa})")
    return sorted(set(out))


def read_algorithms(raw: str) -> set[str]:
    """The names in ``swanctl --list-algs --raw``."""
    out: set[str] = set()
    for message in text.parse_dump(raw, "get-algorithms reply"):
        for _kind, items in message:
            out.update(name for name, _plugin in items if isinstance(items, list))
    return out
