# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ends a lab, whole or half started, and leaves nothing of it but logs and what a next start can use again."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from pathlib import Path

from . import netns, processes
from .layout import Layout


def stop(layout: Layout) -> bool:
    """Ends everything that this checkout's lab started; returns whether there was anything."""
    running = processes.all_recorded(layout.processes)
    # A host's namespaces die with its first process; what is in them needs no time to end well.
    processes.kill(process for name, process in running.items() if name.startswith("host-"))
    processes.end(process for name, process in running.items() if not name.startswith("host-"))
    found = bool(running)
    for namespace in _namespaces(layout):
        found |= netns.exists(namespace)
        netns.delete(namespace)
    _keep_logs(layout)
    for path in (layout.clouds_yaml, layout.inventory, layout.known_hosts, layout.ready):
        path.unlink(missing_ok=True)
    for directory in (layout.control, layout.run):
        found |= directory.exists()
        shutil.rmtree(directory, ignore_errors=True)
    netns.forget_empty_mount()
    return found


def _namespaces(layout: Layout) -> list[str]:
    """The namespaces of this checkout's hosts, and those of its cloud's routers and of no other cloud's."""
    routers = {path.name for path in layout.router_namespaces.glob("*")}
    routers |= {f"qrouter-{identity}" for identity in _router_ids(layout.run / "cloud" / "neutron.sqlite")}
    return [*sorted(routers), *netns.starting_with(layout.namespace(""))]


def _router_ids(database: Path) -> list[str]:
    if not database.exists():
        return []
    try:
        with contextlib.closing(sqlite3.connect(database)) as connection:
            return [row[0] for row in connection.execute("SELECT id FROM routers")]
    except sqlite3.Error:
        return []  # a copy that was cut off has no routers


def _keep_logs(layout: Layout) -> None:
    """Keeps what the cloud's strongSwan wrote: it lies among the files that go."""
    for log in (layout.run / "cloud" / "ipsec").glob("*/var/run/charon.log"):
        shutil.copy(log, layout.log / f"cloud-router-{log.parts[-4]}.log")
