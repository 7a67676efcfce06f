# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""Collects what a router with libreswan can tell about connections that do not work. Decides nothing.

Of the log only the end is read: of the file that ipsec.conf names, else the journal's last lines, else the end of syslog's
files. What cannot be read is said in ``problems``, and the rest is read all the same.
"""

from __future__ import annotations

import os
import re
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils._platforms import (
    _evidence,
    _libreswan,
    _libreswan_sas,
    _linux_evidence,
    _pluto_log,
    libreswan,
)
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _ipsec_text as text

Record = t.Dict[str, t.Any]

_DAEMON = "pluto"
# Where syslog puts what is authpriv's, as pluto's lines are: Debian's way and Red Hat's.
SYSLOG = ("/var/log/auth.log", "/var/log/secure")
_SECONDS = 10  # that pluto may take for an answer
_LOGFILE = re.compile(r"^export logfile='(/[^']+)'", re.MULTILINE)
_PSK = re.compile(r"^\d{3} .*?: PSK\b(.*)$", re.MULTILINE)


def collect(
    pluto: _libreswan.Pluto,
    machine: _linux_evidence.Machine,
    records: list[Record],
    attempt: bool,
    timeout: int,
    log_files: list[str] | None = None,
) -> list[dict[str, t.Any]]:
    """Give the evidence of each connection, in the shape of ``_cause_facts.Evidence``.

    ``attempt`` initiates what no SA carries, one after the other, each for ``timeout`` seconds; after a minute no other one
    is begun.
    """
    status = _evidence.asked(machine, lambda: pluto.ask("--status", seconds=_SECONDS))
    answers = status is not None  # one that hangs is asked nothing more
    told = _attempt(pluto, machine, records, status, timeout) if attempt and status is not None else []
    entries = read_log(pluto, machine, log_files) or told
    conns = _libreswan_sas.read_connections(status) if status is not None else None
    psks = _evidence.asked(machine, lambda: pluto.ask("--listpsks", seconds=_SECONDS)) if answers else None
    gateways = {record["remote"].get("gateway") for record in records}
    known: dict[tuple[str, str | None], dict[str, t.Any]] = {}
    out = []
    for record in records:
        loaded = _loaded(record, conns or {})
        one: dict[str, t.Any] = {
            "connection": record["name"],
            "log": _pluto_log.events(
                entries, record["name"], record["remote"].get("gateway"), alone=len(gateways) == 1,
                configured=_libreswan_sas.loaded(loaded[0]) if loaded else None,
            ),
            "log_read": bool(entries) or (attempt and answers),
            **_linux_evidence.network(machine, record, None, known),
        }  # fmt: skip
        _evidence.put_stored(one, machine, record["name"], lambda record=record: _stored(pluto, record))
        if conns is not None:
            one["loaded"] = len(loaded) == len(record["tunnels"])
        if psks is not None and loaded:
            one["key_loaded"] = has_key(psks, loaded[0])
        out.append(one)
    for one in out:
        one["problems"] = _evidence.said(machine.problems)
    return out


def _attempt(
    pluto: _libreswan.Pluto, machine: _linux_evidence.Machine, records: list[Record], status: str, timeout: int
) -> list[_pluto_log.Entry]:
    """Initiate what no SA carries, and give what pluto said meanwhile."""
    said: list[str] = []
    _evidence.attempt(
        machine, records, _libreswan_sas.read_sas(status, ""),
        lambda _name, tunnel: said.append(pluto.initiate(text.section(tunnel), timeout)),
    )  # fmt: skip
    return _pluto_log.read_file("\n".join(said))


# --- the log ---------------------------------------------------------------------------------------------------------


def read_log(
    pluto: _libreswan.Pluto, machine: _linux_evidence.Machine, files: list[str] | None
) -> list[_pluto_log.Entry]:
    """Give the end of pluto's log: of ``files``, else of the one that ipsec.conf names, else the journal, else syslog."""
    named = files if files is not None else log_files(pluto)
    out = _evidence.read_files(machine, named, _pluto_log.read_file)
    if out or files is not None:
        return out
    out = _pluto_log.read_journal(_evidence.read_journal(machine, [_DAEMON], "MESSAGE"))
    return out or _evidence.read_files(machine, filter(os.path.exists, SYSLOG), _pluto_log.read_file)


def log_files(pluto: _libreswan.Pluto) -> list[str]:
    """Give the log file that ipsec.conf names, as libreswan's own reader says it (ipsec.conf(5), logfile)."""
    _code, out = pluto.run("addconn", "--configsetup", seconds=_SECONDS)
    return _LOGFILE.findall(out)[:1]


# --- what is stored and loaded ---------------------------------------------------------------------------------------


def _stored(pluto: _libreswan.Pluto, record: Record) -> Record | None:
    found = libreswan.read(pluto.texts(record["site"]))
    return next((one for one in found if one["name"] == record["name"]), None)


def _loaded(record: Record, conns: t.Mapping[str, dict[str, t.Any]]) -> list[dict[str, t.Any]]:
    sections = [text.section(tunnel["name"]) for tunnel in record["tunnels"]]
    return [conns[section] for section in sections if section in conns]


def has_key(psks: str, conn: t.Mapping[str, t.Any]) -> bool:
    """Whether ``ipsec whack --listpsks`` lists a key for a conn of `read_connections`: for its ids, or for any."""
    own = {conn["local_id"], conn["remote_id"]} - {None}
    return any(own <= ids or ids <= {"%any"} for ids in (set(line.split()) for line in _PSK.findall(psks)))
