# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""What pluto says of its connections and SAs, as data. Pure, no I/O.

pluto tells the algorithms of a connection's newest SAs only, and with IKEv2 never the group that a tunnel was rekeyed with,
but to the command that rekeyed it. Its format is that of ``ipsec whack --status`` and ``--trafficstatus`` of 4.10.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _algorithms
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _ipsec_text as text
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _sas

_SPEAKER = "libreswan_sa"
_BY_WORD = {
    (field, where): {word: name for name, word in _algorithms.spoken(_SPEAKER, field, where).items()}
    for field in _algorithms.TABLES
    for where in _algorithms.CONTEXTS
}
_ESTABLISHED = re.compile(r"STATE_(?:V2_ESTABLISHED_IKE_SA|MAIN_[IR][34]|AGGR_[IR]2)\Z")
_INSTALLED = re.compile(r"STATE_(?:V2_ESTABLISHED_CHILD_SA|QUICK_[IR]2)\Z")
_CHILD = re.compile(r"STATE_(?:V2_.*CHILD|QUICK_)")

_LINE = re.compile(r'000 "([^"]+)": +(.*)')
_SELECTORS = re.compile(r"(\S+?)===(\S+)===(\S+); .*eroute owner: #")
_ENDS = re.compile(r"(\S+?)(?:\[[^ ]*\])?\.\.\.(\S+?)(?:\[[^ ]*\])?\Z")
_STATE = re.compile(r'000 #(\d+): "([^"]+)"\S* (STATE_\S+) ')
_PARENT = re.compile(r"; (?:IKE|ISAKMP) SA #(\d+);")
_SPIS = re.compile(r'000 #(\d+): "[^"]+"\S* esp\.([0-9a-f]+)@\S+ esp\.([0-9a-f]+)@')
_TRAFFIC = re.compile(r'006 #(\d+): "[^"]+".*?, inBytes=(\d+), outBytes=(\d+)')
_ADDED = re.compile(r'006 #(\d+): "[^"]+".*?, add_time=(\d+)')
_FACTS = {
    "version": re.compile(r"policy: IKE(v[12])"),
    "newest_ike": re.compile(r"newest (?:IKE|ISAKMP) SA: #(\d+);"),
    "newest_ipsec": re.compile(r"newest IPsec SA: #(\d+);"),
    "ike": re.compile(r"IKE\w* algorithm newest: (\S+)"),
    "ipsec": re.compile(r"ESP algorithm newest: ([^; ]+);"),
    "ike_loaded": re.compile(r"IKE algorithms: ([^\s,]+)"),
    "ipsec_loaded": re.compile(r"ESP algorithms: ([^\s,]+)"),
    "pfs": re.compile(r"pfsgroup=<?([^>\s]+)>?"),
    "local_id": re.compile(r"our id=(\S+); their idtype"),
    "remote_id": re.compile(r"their id=(\S+)"),
}


def algorithm(field: str, where: str, word: str) -> str:
    """An algorithm in our names; what we have no name for keeps pluto's word. ``where`` is a context of `_algorithms`."""
    return _BY_WORD[field, where].get(word, word)


def _ike(word: str | None, version: str) -> dict[str, str | None]:
    out: dict[str, str | None] = dict.fromkeys(_sas.IKE_FIELDS)
    if not word:
        return out
    where = _algorithms.context("ike", version)
    cipher, second, group = [*word.split("-", 2), "", ""][:3]
    out["encryption"], out["dh_group"] = algorithm("encryption", where, cipher), algorithm("dh_group", where, group)
    row = _algorithms.ENCRYPTION.get(out["encryption"] or "")
    if row is None or not row.aead:
        out["integrity"] = algorithm("integrity", where, second)
    out["prf"] = algorithm("prf", "ike_v2", second)
    return out


def _ipsec(word: str | None) -> dict[str, str | None]:
    out: dict[str, str | None] = dict.fromkeys(_sas.IPSEC_FIELDS)
    if word:
        cipher, second = [*word.split("-"), ""][:2]
        out["encryption"] = algorithm("encryption", "ipsec", cipher)
        out["integrity"] = None if second == "NONE" else algorithm("integrity", "ipsec", second)
    return out


def loaded(values: dict[str, t.Any]) -> dict[str, dict[str, list[str]]]:
    """The first proposal of each phase (`ike`, `ipsec`) that a conn of `read_connections` has loaded: by field our names."""
    offers = {
        "ike": _ike(values["ike_loaded"], values["version"]),
        "ipsec": {**_ipsec(values["ipsec_loaded"]), "dh_group": _group(values["ipsec_loaded"])},
    }
    if values["version"] == "v1":
        offers["ike"]["prf"] = None  # it has no PRF of its own, RFC 2409 section 4
    return {phase: {field: [word] for field, word in offer.items() if word} for phase, offer in offers.items()}


def _group(word: str | None) -> str | None:
    parts = (word or "").split("-")[2:]
    return algorithm("pfs_group", "ipsec", parts[0]) if parts else None


def rekeyed_group(said: str) -> str | None:
    """The PFS group in what ``whack --rekey-ipsec`` says of the new SA; None where there was none."""
    found = re.search(r"rekeyed Child SA .*xfrm=([A-Z0-9_-]+)", said)
    return _group(found[1] if found else None)


def read_connections(status: str) -> dict[str, dict[str, t.Any]]:
    """The conns that are loaded, by their name: selectors, addresses and what else pluto says, empty where it says nothing."""
    out: dict[str, dict[str, t.Any]] = {}
    for line in status.splitlines():
        found = _LINE.match(line)
        if not found:
            continue
        values = out.setdefault(found[1], dict.fromkeys(_FACTS))
        selectors = _SELECTORS.match(found[2])
        if selectors:
            ends = _ENDS.match(selectors[2])
            values["local_subnets"], values["remote_subnets"] = [selectors[1]], [selectors[3]]
            values["hosts"] = (ends[1], ends[2]) if ends else (None, None)
            values["erouted"] = " erouted;" in found[2]
        for key, pattern in _FACTS.items():
            said = pattern.search(found[2])
            if said:
                values[key] = said[1]
    return out


def _pfs(values: dict[str, t.Any], suite: dict[str, str | None]) -> str | None:
    """The PFS group of IKEv1, which uses it for each tunnel from the first on."""
    word = values["pfs"]
    if values["version"] != "v1" or word in (None, "N/A", "none"):
        return None
    return suite["dh_group"] if word == "Phase1" else algorithm("pfs_group", "ipsec", word)


def read_sas(
    status: str, traffic: str, groups: t.Mapping[int, str | None] | None = None, now: float | None = None
) -> list[dict[str, t.Any]]:
    """Our IKE SAs with their children. ``groups`` are the PFS groups that are known from elsewhere, by the child's id; ``now`` is the
    router's time, for ages.
    """
    conns = read_connections(status)
    spis = {int(found[1]): found for found in map(_SPIS.match, status.splitlines()) if found}
    counted = {
        int(found[1]): (int(found[2]), int(found[3])) for found in map(_TRAFFIC.match, traffic.splitlines()) if found
    }
    added = {int(found[1]): int(found[2]) for found in map(_ADDED.match, traffic.splitlines()) if found}
    sas: dict[int, dict[str, t.Any]] = {}
    children: list[tuple[int, dict[str, t.Any]]] = []
    for line in status.splitlines():
        found = _STATE.match(line)
        name = text.decode_section(found[2]) if found else None
        if found is None or name is None or name.count("/") != 2:
            continue
        number, state, values = int(found[1]), found[3], conns.get(found[2])
        if values is None or "hosts" not in values:
            continue
        if not _CHILD.match(state):
            newest = values["newest_ike"] == str(number)
            sas[number] = {
                "connection": name.rpartition("/")[0],
                "id": number,
                # Of an SA that a newer one replaced, pluto does not tell the algorithms any more.
                "state": ("ESTABLISHED" if newest else "REPLACED") if _ESTABLISHED.match(state) else "CONNECTING",
                "version": values["version"],
                "ike": _ike(values["ike"] if newest else None, values["version"]),
                "local_id": values["local_id"],
                "remote_id": values["remote_id"],
                "local_host": values["hosts"][0],
                "remote_host": values["hosts"][1],
                "children": [],
            }
            continue
        newest = values["newest_ipsec"] == str(number)
        parent = _PARENT.search(line)
        child = {
            "tunnel": name,
            "id": number,
            "state": ("INSTALLED" if newest else "REPLACED") if _INSTALLED.match(state) else "CREATED",
            "ipsec": _ipsec(values["ipsec"] if newest else None),
            "local_subnets": values["local_subnets"],
            "remote_subnets": values["remote_subnets"],
            "bytes_in": counted.get(number, (0, 0))[0],
            "bytes_out": counted.get(number, (0, 0))[1],
            "added": added.get(number),
            "age": now - added[number] if now is not None and number in added else None,
            "spi_in": spis[number][3] if number in spis else None,
            "spi_out": spis[number][2] if number in spis else None,
        }
        children.append((int(parent[1]) if parent else 0, child))
    for parent_id, child in children:
        if parent_id in sas:
            values = conns[text.section(child["tunnel"])]
            child["ipsec"]["pfs_group"] = (groups or {}).get(child["id"]) or _pfs(values, sas[parent_id]["ike"])
            sas[parent_id]["children"].append(child)
    return [sas[number] for number in sorted(sas)]
