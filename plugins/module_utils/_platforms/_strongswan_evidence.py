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
import re
import time
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import (
    _linux_evidence,
    _sas,
    _strongswan_log,
    _swanctl,
    strongswan,
)
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _strongswan_sas as live_sas
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _swanctl_text as text

Record = t.Dict[str, t.Any]

CONFIGURATION = "/etc/strongswan.conf"
_DAEMONS = ("charon-systemd", "charon")
_LINES = 3000  # of the journal
_ATTEMPTS = 60  # seconds for all attempts: with a hub that is silent each of them runs out
_SETTLE = 1.5  # seconds for what a refusal brings on, and for what the other end begins


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
    stored = _stored(swanctl, machine)
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
            _put_stored(one, stored, section, machine)
        if loaded is not None:
            one["loaded"] = section in loaded
        if keys is not None:
            one["key_loaded"] = f"ike-{section}" in keys
        out.append(one)
    for one in out:
        one["problems"] = _said(machine.problems)
    return out


def _attempt(
    swanctl: _swanctl.Swanctl, machine: _linux_evidence.Machine, records: list[Record], timeout: int
) -> list[_strongswan_log.Entry]:
    """Initiate what no SA carries, and give what charon logged meanwhile."""
    with _swanctl.Log(swanctl.uri or _swanctl.DEFAULT_URI) as log:
        try:
            sas = live_sas.read_sas(swanctl.ask("--list-sas", "--raw"))
            down = [
                (record["name"], tunnel)
                for record in records
                if record["initiator"] != "hub"
                for tunnel in _sas.standing(record, sas, 0).lacking
            ]
            end = time.monotonic() + _ATTEMPTS
            for number, (name, tunnel) in enumerate(down):
                if time.monotonic() > end:
                    machine.problems.append(
                        f"{len(down) - number} of {len(down)} tunnels were not tried: it took too long"
                    )
                    break
                swanctl.run(
                    "--initiate", "--ike", strongswan.section(name),
                    "--child", strongswan.section(tunnel), "--timeout", str(timeout), seconds=timeout + 5,
                )  # fmt: skip
            time.sleep(_SETTLE)
        except VpnError as error:
            machine.problems.append(str(error))
        return list(log.entries)


# --- the log ---------------------------------------------------------------------------------------------------------


def read_log(machine: _linux_evidence.Machine, files: list[str] | None) -> list[_strongswan_log.Entry]:
    """Give the end of charon's log: of ``files``, else of those that strongswan.conf names, else of the journal."""
    out: list[_strongswan_log.Entry] = []
    for path in _log_files(machine) if files is None else files:
        try:
            out += _strongswan_log.read_file(_linux_evidence.tail(path))
        except OSError as error:
            machine.problems.append(f"{path}: {error.strerror}")
    if out or files is not None:
        return out
    identifiers = [word for daemon in _DAEMONS for word in ("-t", daemon)]
    _code, journal = machine.run(
        "journalctl", "--quiet", "--no-pager", *identifiers, "-n", str(_LINES), "-o", "json",
        "--output-fields=MESSAGE,THREAD,IKE_SA_NAME", quiet=True,
    )  # fmt: skip
    return _strongswan_log.read_journal(journal)


def _log_files(machine: _linux_evidence.Machine) -> list[str]:
    tree: text.Tree = {}
    try:
        _read_settings(os.environ.get("STRONGSWAN_CONF", CONFIGURATION), tree, 0)
    except (OSError, text.SettingsError) as error:
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


def _stored(swanctl: _swanctl.Swanctl, machine: _linux_evidence.Machine) -> text.Tree | None:
    try:
        return swanctl.configuration()
    except VpnError as error:
        machine.problems.append(str(error))
        return None


def _put_stored(one: dict[str, t.Any], tree: text.Tree, section: str, machine: _linux_evidence.Machine) -> None:
    """Put what is stored of a connection into its evidence: None where nothing is, no entry where it cannot be read."""
    body = tree.get("connections", {}).get(section)
    if body is None:
        one["stored"] = None
        return
    try:
        (one["stored"],) = strongswan.read_tree({"connections": {section: body}})
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        machine.problems.append(f"connection {section}: its file is none that this collection wrote ({error!r})")


def _loaded(swanctl: _swanctl.Swanctl, machine: _linux_evidence.Machine) -> t.Collection[str] | None:
    try:
        return live_sas.read_connections(swanctl.ask("--list-conns", "--raw"))
    except VpnError as error:
        machine.problems.append(str(error))
        return None


def _plugins(swanctl: _swanctl.Swanctl, machine: _linux_evidence.Machine) -> list[str] | None:
    """The plugins of charon; None where it does not answer in time."""
    code, out, _err = swanctl.run("--stats", "--raw", seconds=10)
    messages = text.parse_dump(out, "stats reply")
    if code or not messages:
        machine.problems.append("charon does not answer")
        return None
    return dict(messages[0]).get("plugins", [])


def _said(problems: t.Iterable[str]) -> list[str]:
    """Give each problem once, in one line of bounded length."""
    return list(dict.fromkeys(re.sub(r"\s+", " ", one)[:300] for one in problems))
