# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""Collects what a router with strongSwan can tell about connections that do not work. Decides nothing.

Of the log only the end is read: the journal's last lines, or the end of the files that strongswan.conf names. What cannot
be read is said in ``problems``, and the rest is read all the same.
"""

from __future__ import annotations

import glob
import os
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils._errors import TextError, VpnError
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import (
    _evidence,
    _linux_evidence,
    _strongswan_log,
    _swanctl,
    strongswan,
)
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _strongswan_sas as live_sas
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _swanctl_text as text

Record = t.Dict[str, t.Any]

CONFIGURATION = "/etc/strongswan.conf"
_DAEMONS = ("charon-systemd", "charon")


def collect(
    swanctl: _swanctl.Swanctl,
    machine: _linux_evidence.Machine,
    records: list[Record],
    attempt: bool,
    timeout: int,
    log_files: list[str] | None = None,
) -> list[dict[str, t.Any]]:
    """Give the evidence of each connection, in the shape of ``_cause_facts.Evidence``.

    ``attempt`` initiates what no SA carries, one after the other, each for ``timeout`` seconds, and listens meanwhile; after
    a minute no other one is begun.
    """
    entries = read_log(machine, log_files)
    read = bool(entries)
    plugins = _plugins(swanctl, machine)
    answers = plugins is not None  # one that hangs is asked nothing more
    if attempt and answers:
        entries = entries + _attempt(swanctl, machine, records, timeout)
    gateways = {record["remote"].get("gateway") for record in records}
    stored, unreadable = _stored(swanctl, machine)
    loaded = _loaded(swanctl, machine) if answers else None
    keys = swanctl.listed("get-shared") if answers else None
    device = "ipsec0" if "kernel-libipsec" in (plugins or ()) else None
    out = []
    known: dict[tuple[str, str | None], dict[str, t.Any]] = {}
    for record in records:
        section = strongswan.section(record["name"])
        one: dict[str, t.Any] = {
            "connection": record["name"],
            "log": _strongswan_log.events(
                entries, record["name"], record["remote"].get("gateway"), alone=len(gateways) == 1
            ),
            "log_read": read or (attempt and answers),
            **_linux_evidence.network(machine, record, device, known),
        }
        if stored is not None:
            _evidence.put_stored(one, machine, section, lambda section=section: _record(stored, section))
        else:
            one["unreadable"] = unreadable
        if loaded is not None:
            one["loaded"] = section in loaded
        if keys is not None:
            one["key_loaded"] = f"ike-{section}" in keys
        out.append(one)
    for one in out:
        one["problems"] = _evidence.said(machine.problems)
    return out


def _attempt(
    swanctl: _swanctl.Swanctl, machine: _linux_evidence.Machine, records: list[Record], timeout: int
) -> list[_strongswan_log.Entry]:
    """Initiate what no SA carries, and give what charon logged meanwhile."""
    with _swanctl.Log(swanctl.uri or _swanctl.DEFAULT_URI) as log:
        try:
            sas = live_sas.read_sas(swanctl.ask("--list-sas", "--raw"))
            _evidence.attempt(
                machine, records, sas,
                lambda name, tunnel: swanctl.run(
                    "--initiate", "--ike", strongswan.section(name),
                    "--child", strongswan.section(tunnel), "--timeout", str(timeout), seconds=timeout + 5,
                ),
            )  # fmt: skip
        except VpnError as error:
            machine.problems.append(str(error))
        return list(log.entries)


# --- the log ---------------------------------------------------------------------------------------------------------


def read_log(machine: _linux_evidence.Machine, files: list[str] | None) -> list[_strongswan_log.Entry]:
    """Give the end of charon's log: of ``files``, else of those that strongswan.conf names, else of the journal."""
    paths = _log_files(machine) if files is None else files
    out = _evidence.read_files(machine, paths, _strongswan_log.read_file)
    if out or files is not None:
        return out
    return _strongswan_log.read_journal(_evidence.read_journal(machine, _DAEMONS, "MESSAGE,THREAD,IKE_SA_NAME"))


def _log_files(machine: _linux_evidence.Machine) -> list[str]:
    tree: text.Tree = {}
    try:
        _read_settings(os.environ.get("STRONGSWAN_CONF", CONFIGURATION), tree, 0)
    except (OSError, TextError) as error:
        machine.problems.append(f"strongswan.conf: {error}")
    return log_files(tree)


def _read_settings(path: str, tree: text.Tree, depth: int) -> None:
    def include(pattern: str) -> None:
        for name in sorted(glob.glob(os.path.join(os.path.dirname(path), pattern))) if depth < 16 else ():
            _read_settings(name, tree, depth + 1)

    text.parse_settings(_linux_evidence.tail(path), path, tree, include)


def log_files(tree: text.Tree) -> list[str]:
    """Give the log files that a strongswan.conf names (strongswan.conf(5), section LOGGER CONFIGURATION)."""
    out = []
    for daemon in _DAEMONS:
        files = tree.get(daemon, {}).get("filelog", {})
        for name, body in files.items() if isinstance(files, dict) else ():
            path = body.get("path", name) if isinstance(body, dict) else name
            if path.startswith("/") and path not in out:
                out.append(path)
    return out


# --- what is stored and loaded -----------------------------------------------------------------------------------------


def _stored(swanctl: _swanctl.Swanctl, machine: _linux_evidence.Machine) -> tuple[text.Tree | None, str]:
    """Give what all files say, or why one of them cannot be read."""
    try:
        return swanctl.configuration(), ""
    except VpnError as error:
        machine.problems.append(str(error))
        return None, str(error)


def _record(tree: text.Tree, section: str) -> Record | None:
    body = tree.get("connections", {}).get(section)
    if body is None:
        return None
    (found,) = strongswan.read_tree({"connections": {section: body}})
    return found


def _loaded(swanctl: _swanctl.Swanctl, machine: _linux_evidence.Machine) -> t.Collection[str] | None:
    return _evidence.asked(machine, lambda: live_sas.read_connections(swanctl.ask("--list-conns", "--raw")))


def _plugins(swanctl: _swanctl.Swanctl, machine: _linux_evidence.Machine) -> list[str] | None:
    """The plugins of charon; None where it does not answer in time."""
    code, out, _err = swanctl.run("--stats", "--raw", seconds=10)
    messages = text.parse_dump(out, "stats reply")
    if code or not messages:
        machine.problems.append("charon does not answer")
        return None
    return dict(messages[0]).get("plugins", [])
