# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""What is the same on every router that runs Linux, when it tells about connections that do not work. Decides nothing."""

from __future__ import annotations

import re
import time
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils._errors import TextError, VpnError
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _linux_evidence, _sas

Record = t.Dict[str, t.Any]
_Entry = t.TypeVar("_Entry")

ATTEMPTS = 60  # seconds for all attempts: with a hub that is silent each of them runs out
SETTLE = 1.5  # seconds for what a refusal brings on, and for what the other end begins
LINES = 3000  # of the journal
# What a reader raises of a file of somebody else's. Its text may hold the file's, and with it a key.
_NOT_OURS = (KeyError, ValueError, TypeError, AttributeError)


def attempt(
    machine: _linux_evidence.Machine,
    records: t.Iterable[Record],
    sas: list[Record],
    initiate: t.Callable[[str, str], t.Any],
) -> None:
    """Initiate each tunnel that no SA carries, by the names of its connection and of itself, one after the other."""
    down = [
        (record["name"], tunnel)
        for record in records
        if record["initiator"] != "hub"
        for tunnel in _sas.standing(record, sas, 0).lacking
    ]
    end = time.monotonic() + ATTEMPTS
    for number, (name, tunnel) in enumerate(down):
        if time.monotonic() > end:
            machine.problems.append(f"{len(down) - number} of {len(down)} tunnels were not tried: it took too long")
            break
        initiate(name, tunnel)
    time.sleep(SETTLE)


def read_files(
    machine: _linux_evidence.Machine, paths: t.Iterable[str], read: t.Callable[[str], list[_Entry]]
) -> list[_Entry]:
    """Give what ``read`` makes of the end of each file; one that cannot be read is said."""
    out: list[_Entry] = []
    for path in paths:
        try:
            out += read(_linux_evidence.tail(path))
        except OSError as error:
            machine.problems.append(f"{path}: {error.strerror}")
    return out


def read_journal(machine: _linux_evidence.Machine, daemons: t.Iterable[str], fields: str) -> str:
    """Give the journal's last lines of some daemons as JSON, one a line; "" where there is no journal.

    Each line carries half a kilobyte of the journal's own, so the newest come first, and what is too much are the oldest.
    """
    identifiers = [word for daemon in daemons for word in ("-t", daemon)]
    _code, out = machine.run(
        "journalctl", "--quiet", "--no-pager", "--reverse", *identifiers, "-n", str(LINES), "-o", "json",
        f"--output-fields={fields}", quiet=True,
    )  # fmt: skip
    whole = out.rpartition("\n")[0]  # the last line may be cut
    return "\n".join(reversed(whole.split("\n")))


def put_stored(
    one: dict[str, t.Any], machine: _linux_evidence.Machine, name: str, read: t.Callable[[], Record | None]
) -> None:
    """Put what is stored of a connection into its evidence: None where nothing is, and where it cannot be read, why."""
    try:
        found = read()
    except _NOT_OURS as error:
        where = f" ({error})" if isinstance(error, TextError) else ""
        one["unreadable"] = f"its file is none that this collection wrote{where}"
    except OSError as error:
        one["unreadable"] = f"{error.filename}: {error.strerror}"
    else:
        one["stored"] = found and {field: value for field, value in found.items() if field != "psk"}
        return
    machine.problems.append(f"connection {name}: {one['unreadable']}")


def asked(machine: _linux_evidence.Machine, question: t.Callable[[], _Entry]) -> _Entry | None:
    """Give a daemon's answer; None where it gives none, which is said."""
    try:
        return question()
    except VpnError as error:
        machine.problems.append(str(error))
        return None


def said(problems: t.Iterable[str]) -> list[str]:
    """Give each problem once, in one line of bounded length."""
    return list(dict.fromkeys(re.sub(r"\s+", " ", one)[:300] for one in problems))
