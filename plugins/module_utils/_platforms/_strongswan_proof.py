# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""Making a strongSwan router's SAs anew on purpose, so that what is in force is what is stored: the proof's writes.

``swanctl --rekey`` says that it succeeded whatever happened, so each step waits for a new SA's id, for a bounded time.
"""

from __future__ import annotations

import time
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _sas, _swanctl, strongswan
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _strongswan_sas as live_sas
from ansible_collections.bothends.vpn.plugins.module_utils._platforms._memory import State

Sas = t.List[t.Dict[str, t.Any]]

_POLL = 0.2


def sas(swanctl: _swanctl.Swanctl) -> Sas:
    """Give the SAs as they are now."""
    return live_sas.read_sas(swanctl.ask("--list-sas", "--raw"))


def aged(there: Sas, state: State) -> Sas:
    """Say of each SA whether it is ``older`` than what charon loaded of its connection since, and carries what was before."""
    born_before = {section: known.get("older", 0) for section, known in state.connections.items()}
    return [{**sa, "older": sa["id"] <= born_before.get(strongswan.section(sa["connection"]), 0)} for sa in there]


def prove(swanctl: _swanctl.Swanctl, records: list[dict[str, t.Any]], timeout: float) -> dict[str, Sas]:
    """Re-authenticate every connection, then rekey every tunnel; what came of it is for ``_verdict`` to say."""
    before = sas(swanctl)
    newest = max((sa["id"] for sa in before), default=0)
    reauthenticated = before
    for record in records:
        # One after the other: charon (5.9.8) asks for the old tunnels' reqids again, and where two let go of theirs at once,
        # both can get the same one. User-space ESP then sends one's packets through the other.
        for sa in _established(before, record):
            swanctl.run("--rekey", "--ike-id", str(sa["id"]), "--reauth")
        reauthenticated = _until(swanctl, timeout, _renewed([record], newest))
    if _carried(reauthenticated, records, newest) != _tunnels(records):
        return {"before": before, "reauthenticated": reauthenticated, "rekeyed": reauthenticated}
    children = {child["id"] for sa in reauthenticated for child in sa["children"]}
    for record in records:
        for sa in _established(reauthenticated, record):
            for child in _sas.live(sa):
                swanctl.run("--rekey", "--child-id", str(child["id"]))
    rekeyed = _until(swanctl, timeout, lambda now: _carried(now, records, 0, children) == _tunnels(records))
    return {"before": before, "reauthenticated": reauthenticated, "rekeyed": rekeyed}


def _renewed(records: list[dict[str, t.Any]], newest: int) -> t.Callable[[Sas], bool]:
    """Whether IKE SAs younger than ``newest`` carry all tunnels."""
    return lambda now: _carried(now, records, newest) == _tunnels(records)


def _established(there: Sas, record: dict[str, t.Any]) -> Sas:
    return [sa for sa in there if sa["connection"] == record["name"] and sa["state"] == "ESTABLISHED"]


def _tunnels(records: list[dict[str, t.Any]]) -> set[str]:
    return {tunnel["name"] for record in records for tunnel in record["tunnels"]}


def _carried(
    there: Sas, records: list[dict[str, t.Any]], after_ike: int, old_children: t.Container[int] = ()
) -> set[str]:
    """Name the tunnels that an IKE SA younger than ``after_ike`` carries with a child that is not an old one."""
    return {
        child["tunnel"]
        for record in records
        for sa in _established(there, record)
        if sa["id"] > after_ike
        for child in _sas.live(sa)
        if child["id"] not in old_children
    }


def _until(swanctl: _swanctl.Swanctl, timeout: float, done: t.Callable[[Sas], bool]) -> Sas:
    end = time.monotonic() + timeout
    while True:
        now = sas(swanctl)
        if done(now) or time.monotonic() > end:
            return now
        time.sleep(_POLL)
