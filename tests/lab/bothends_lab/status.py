# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs, and how much memory it takes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from . import netns, processes, start
from .layout import Layout


def _memory(pid: int) -> tuple[int, int, int]:
    """Resident now, resident at most, and proportional now (shared pages counted once in all), in KiB."""
    values = dict.fromkeys(("VmRSS", "VmHWM", "Pss"), 0)
    for name in ("status", "smaps_rollup"):
        try:
            lines = Path(f"/proc/{pid}/{name}").read_text().splitlines()
        except OSError:
            continue
        for line in lines:
            key, colon, rest = line.partition(":")
            if colon and key in values:
                values[key] = int(rest.split()[0])
    return values["VmRSS"], values["VmHWM"], values["Pss"]


def _with_descendants(pids: Iterable[int]) -> list[int]:
    found: list[int] = []
    for pid in pids:
        found += [pid, *_with_descendants(processes.children(pid))]
    return found


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ").strip()[:48]
    except OSError:
        return ""


def table(layout: Layout) -> str:
    """All processes of the lab with their memory, a line each, and the namespaces."""
    groups = {
        name: _with_descendants([process.pid]) for name, process in processes.all_recorded(layout.processes).items()
    }
    routers = [path.name for path in sorted(layout.router_namespaces.glob("*")) if netns.exists(path.name)]
    for namespace in routers:
        groups[namespace[:16]] = [process.pid for process in netns.processes(namespace)]
    rows: list[Sequence[object]] = [("what", "pid", "MiB", "peak MiB", "proportional", "command")]
    totals = [0, 0, 0]
    for name, pids in groups.items():
        for pid in pids:
            memory = _memory(pid)
            totals = [total + value for total, value in zip(totals, memory, strict=True)]
            rows.append((name, pid, *(f"{value / 1024:.1f}" for value in memory), _command(pid)))
    rows.append(("in all", "", *(f"{value / 1024:.1f}" for value in totals), ""))
    widths = [max(len(str(row[column])) for row in rows) for column in range(6)]
    lines = [
        "  ".join(str(cell).ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    names = [*routers, *netns.starting_with(layout.namespace(""))]
    state = "running" if start.running(layout) else "not running"
    return "\n".join([*lines, f"namespaces: {' '.join(names) or 'none'}", f"lab: {state}"])
