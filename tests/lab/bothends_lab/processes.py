# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts processes that outlive their starter, records them, and ends exactly those.

A record is a file with a process id and that process's start time: a process id that has been given to another
process since then never matches.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import LabError

# The process writes its own record before it becomes the program: there is no moment when it runs unrecorded.
_RECORD_THEN_EXEC = 'read -r -a stat </proc/$$/stat; echo "$$ ${stat[21]}" >"$0"; exec "$@"'
# Where Debian's programs are, whatever the user's PATH says.
SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
_STATE, _PARENT, _START = 0, 1, 19  # positions in /proc/PID/stat after the program's name


@dataclass(frozen=True)
class Process:
    """A process that can't be mistaken for another one."""

    pid: int
    start: int

    @classmethod
    def of(cls, pid: int) -> Process | None:
        """The process that has this id now."""
        fields = _stat(pid)
        return cls(pid, int(fields[_START])) if fields else None

    def alive(self) -> bool:
        fields = _stat(self.pid)
        return fields is not None and int(fields[_START]) == self.start and fields[_STATE] not in "ZX"

    def signal(self, number: int) -> None:
        """Sends a signal, unless the process has ended; a process descriptor makes check and signal one thing."""
        try:
            descriptor = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return
        try:
            if self.alive():
                signal.pidfd_send_signal(descriptor, number)
        except ProcessLookupError:
            pass
        finally:
            os.close(descriptor)


def _stat(pid: int) -> list[str] | None:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def spawn(record: Path, argv: Sequence[str], log: Path, env: Mapping[str, str] | None = None) -> subprocess.Popen:
    """Starts a process in a session of its own, with its output in the log."""
    record.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            ["bash", "-c", _RECORD_THEN_EXEC, str(record), *argv],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=None if env is None else dict(env),
            start_new_session=True,
        )


def recorded(record: Path) -> Process | None:
    """The process of a record; a record that was cut off in the writing has none."""
    try:
        pid, start = map(int, record.read_text().split())
    except (FileNotFoundError, ValueError):
        return None
    return Process(pid, start)


def all_recorded(directory: Path) -> dict[str, Process]:
    """Every recorded process that still runs, by the record's name."""
    found = {record.name: recorded(record) for record in sorted(directory.glob("*"))}
    return {name: process for name, process in found.items() if process and process.alive()}


def children(pid: int) -> list[int]:
    """The processes whose parent has this id."""
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [child for child in pids if (fields := _stat(child)) and int(fields[_PARENT]) == pid]


def end(processes: Iterable[Process], patience: float = 8.0) -> None:
    """Ends processes: asks first, and after some patience makes them."""
    remaining = list(processes)
    for number, seconds in ((signal.SIGTERM, patience), (signal.SIGKILL, 5.0)):
        for process in remaining:
            process.signal(number)
        remaining = _wait(remaining, seconds)
    if remaining:
        raise LabError("these processes do not end: " + ", ".join(str(process.pid) for process in remaining))


def kill(processes: Iterable[Process]) -> None:
    """Ends processes that need no time to end well."""
    processes = list(processes)
    for process in processes:
        process.signal(signal.SIGKILL)
    if remaining := _wait(processes, 5.0):
        raise LabError("these processes do not end: " + ", ".join(str(process.pid) for process in remaining))


def _wait(processes: list[Process], seconds: float) -> list[Process]:
    deadline = time.monotonic() + seconds
    while (remaining := [process for process in processes if process.alive()]) and time.monotonic() < deadline:
        time.sleep(0.02)
    return remaining
