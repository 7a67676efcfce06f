# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""What the RFCs say of each algorithm, as data beside ``_algorithms``: a requirement level, with its clause.

RFC 8247 has a table for each sort of IKEv2's transforms: encryption (section 2.1), PRF (2.2), integrity (2.3) and
Diffie-Hellman groups (2.4; those of a tunnel's rekeying are negotiated by IKE too). RFC 9395 moved IKEv1 to Historic. An
algorithm without a cell has none there, or none that could be checked: of RFC 8221's (ESP's ciphers, section 5, and integrity,
section 6) only those are here that public rule sets quote with their section.
"""

from __future__ import annotations

import difflib
import functools
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _algorithms
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError


class Cell(t.NamedTuple):
    """What a clause says of an algorithm."""

    level: str  # RFC 2119, with RFC 8247's + and - (on its way up or down)
    clause: str


Cells = t.Mapping[str, Cell]


def _said(clause: str, **levels: t.Iterable[str]) -> dict[str, Cell]:
    words = {"must": "MUST", "must_minus": "MUST-", "should_plus": "SHOULD+", "should": "SHOULD", "may": "MAY",
             "should_not": "SHOULD NOT", "must_not": "MUST NOT", "historic": "historic"}  # fmt: skip
    return {name: Cell(words[level], clause) for level, names in levels.items() for name in names}


# Below one of these nobody should go.
REFUSED = ("SHOULD NOT", "MUST NOT", "historic")

_VERSIONS = _said("RFC 9395, abstract", historic=["v1"])
_GROUPS = _said(
    "RFC 8247 section 2.4",
    must=["group14"],
    should=["group19"],
    should_not=["group2", "group5", "group23", "group24"],
    must_not=["group1", "group22"],
)

# field of a proposal -> cells
CELLS: dict[str, dict[str, Cells]] = {
    "ike": {
        "version": _VERSIONS,
        "encryption": _said(
            "RFC 8247 section 2.1",
            must=["aes-128", "aes-256"],
            should=["aes-128-gcm-16", "aes-256-gcm-16", "aes-128-ccm-8", "aes-256-ccm-8"],
            # Keys of 192 bits, and shorter check values than GCM's longest.
            may=["aes-192", "aes-192-gcm-16", "aes-192-ccm-8", "aes-128-gcm-8", "aes-192-gcm-8", "aes-256-gcm-8", "aes-128-gcm-12",
                 "aes-192-gcm-12", "aes-256-gcm-12"],
            must_not=["des"],
        ),
        "prf": _said(
            "RFC 8247 section 2.2", must=["sha256"], should_plus=["sha512"], should=["aes-xcbc"], must_minus=["sha1"], must_not=["md5"]
        ),
        "integrity": _said(
            "RFC 8247 section 2.3", must=["sha256"], should=["sha512", "aes-xcbc"], must_minus=["sha1"], must_not=["md5"]
        ),
        "dh_group": _GROUPS,
    },
    "ipsec": {
        "encryption": _said("RFC 8221 section 5", should_not=["3des"]),
        "integrity": _said("RFC 8221 section 6", must_minus=["sha1"]),
        "pfs_group": _GROUPS,
    },
}  # fmt: skip


def cell(phase: str, field: str, name: t.Any) -> Cell | None:
    """Give what is said of a value in a field of a proposal; None where nothing is."""
    return CELLS.get(phase, {}).get(field, {}).get(name)


def refused(policy: t.Mapping[str, t.Any]) -> t.Iterator[tuple[str, str, str, Cell]]:
    """Yield phase, field, value and cell of each thing in a policy that the RFCs advise against or forbid."""
    for phase, fields in CELLS.items():
        for field in fields:
            found = cell(phase, field, (policy.get(phase) or {}).get(field))
            if found and found.level in REFUSED:
                yield phase, field, policy[phase][field], found


@functools.cache
def _known() -> dict[str, list[Cell]]:
    """Give the cells of everything that has a name here: in a cell, in the tables, or as a provider's word."""
    cells: dict[str, list[Cell]] = {name: [] for rows in _algorithms.TABLES.values() for name in rows}
    cells.update({"v1": [], "v2": [], "ikev2": []})
    for fields in CELLS.values():
        for rows in fields.values():
            for name, one in rows.items():
                cells.setdefault(name, []).append(one)
    cells["ikev1"] = cells["v1"]
    for speaker in ("neutron", "otc"):
        for table in _algorithms.TABLES:
            for name, word in _algorithms.spoken(speaker, table, "ipsec").items():
                cells.setdefault(word, cells[name])
    return cells


def is_weak(value: t.Any) -> bool:
    """Tell whether an algorithm, an IKE version, or anything in a policy should not or must not be used.

    ``value`` is a name (``group5``, ``md5``, ``v1``) or a policy as it stands in ``vpn_policies``. Raises VpnError for a name
    of which nothing is known: a misspelt one must not pass as strong.
    """
    if isinstance(value, t.Mapping):
        _known_keys(value, CELLS, "a policy has ike and ipsec")
        # All of them: a wrong name is told whatever stands before it.
        judged = [is_weak(name) for phase in CELLS for name in _names(value.get(phase) or {}, phase)]
        return any(judged)
    name, known = str(value).lower(), _known()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        raise VpnError(
            f"{value!r} is no algorithm of which an RFC is known to say something."
            + (f" Did you mean {near[0]}?" if near else " Remedy: name one as vpn_policies does.")
        )
    return any(one.level in REFUSED for one in known[name])


_ALGORITHMS = {
    "ike": ("version", "encryption", "integrity", "prf", "dh_group"),
    "ipsec": ("encryption", "integrity", "pfs_group"),
}
_NO_ALGORITHMS = ("name", "mode", "lifetime")


def _names(proposal: t.Mapping[str, t.Any], phase: str) -> list[t.Any]:
    _known_keys(proposal, (*_ALGORITHMS[phase], *_NO_ALGORITHMS), f"{phase} has {', '.join(_ALGORITHMS[phase])}")
    return [proposal[field] for field in _ALGORITHMS[phase] if proposal.get(field)]


def _known_keys(given: t.Mapping[str, t.Any], known: t.Container[str], there_are: str) -> None:
    unknown = [key for key in given if key not in known and key not in _NO_ALGORITHMS]
    if unknown:
        raise VpnError(f"{unknown[0]!r} is not known: {there_are}.")
