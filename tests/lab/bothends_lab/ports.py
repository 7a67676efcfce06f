# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Free TCP ports on 127.0.0.1 for the cloud's APIs."""

from __future__ import annotations

import json
import socket
from pathlib import Path

NAMES = ("keystone", "neutron", "otc_front")


def choose(remembered: Path) -> dict[str, int]:
    """Takes the ports of the last start again when they are free, so that a clouds.yaml in use stays valid."""
    try:
        ports = {name: int(json.loads(remembered.read_text())[name]) for name in NAMES}
    except (OSError, ValueError, KeyError):
        ports = dict.fromkeys(NAMES, 0)
    held = {name: _bind(port) for name, port in ports.items()}
    chosen = {name: bound.getsockname()[1] for name, bound in held.items()}
    for bound in held.values():
        bound.close()
    remembered.write_text(json.dumps(chosen))
    return chosen


def _bind(port: int) -> socket.socket:
    """Binds to this port or, when it is taken, to any free one."""
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind(("127.0.0.1", port))
    except OSError:
        bound.bind(("127.0.0.1", 0))
    return bound


def answers(port: int) -> bool:
    """Whether something listens there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
