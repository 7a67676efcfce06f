# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""What is known of a running daemon between two runs of ours, in a file that a restart of the machine removes."""

from __future__ import annotations

import hashlib
import json
import os
import typing as t


class State:
    """What was loaded into this run of the daemon; ``daemon`` tells it from any other run."""

    def __init__(self, path: str, daemon: str) -> None:
        self.path = path
        self.daemon = daemon
        self.connections: dict[str, dict[str, t.Any]] = {}
        self.known = False
        try:
            with open(path, encoding="utf-8") as stream:
                content = json.load(stream)
            if content["daemon"] == daemon:
                self.connections = content["connections"]
                self.known = True
        except (OSError, ValueError, KeyError, TypeError):
            pass  # none, or of an older daemon: everything is looked at anew

    def save(self) -> None:
        """Writes it, readable by root only: it holds digests of keys."""
        os.makedirs(os.path.dirname(self.path), mode=0o700, exist_ok=True)
        temporary = self.path + ".new"
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as stream:
            json.dump({"daemon": self.daemon, "connections": self.connections}, stream)
        os.replace(temporary, self.path)


def digest(value: t.Any) -> str:
    """One value that differs when anything of a section differs."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
