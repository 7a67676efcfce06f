# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Network namespaces, bridges and veth pairs."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from .errors import LabError
from .processes import SYSTEM_PATH, Process, kill

NAMES = Path("/run/netns")


def run(argv: Sequence[str], stdin: str | None = None, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end and returns what it wrote; a failure says what it was."""
    env = {**os.environ, "PATH": f"{os.environ.get('PATH', '')}:{SYSTEM_PATH}"}
    done = subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False, env=env)
    if check and done.returncode:
        raise LabError(f"`{' '.join(argv)}` ended with {done.returncode}: {(done.stderr or done.stdout).strip()}")
    return done


def ip(namespace: str, *commands: str, force: bool = False) -> None:
    """Runs `ip` commands in a namespace, all in one process; `force` goes on after one that fails."""
    argv = ["ip", "-n", namespace, *(["-force"] if force else []), "-batch", "-"]
    run(argv, stdin="\n".join(commands) + "\n", check=not force)


def enter(namespace: str) -> list[str]:
    """The beginning of a command line that runs in a namespace."""
    return ["ip", "netns", "exec", namespace]


def exists(namespace: str) -> bool:
    return (NAMES / namespace).exists()


def add(namespace: str) -> None:
    """Makes a namespace with its loopback up."""
    run(["ip", "netns", "add", namespace])
    ip(namespace, "link set lo up")


def starting_with(prefix: str) -> list[str]:
    """The namespaces whose name starts so."""
    return sorted(path.name for path in NAMES.glob(prefix + "*")) if NAMES.is_dir() else []


def processes(namespace: str) -> list[Process]:
    """The processes whose network is this namespace."""
    listed = run(["ip", "netns", "pids", namespace], check=False)
    return [process for pid in listed.stdout.split() if (process := Process.of(int(pid)))]


def delete(namespace: str) -> None:
    """Deletes a namespace of the lab's own, and first ends what runs in it: it would keep the namespace alive."""
    if exists(namespace):
        kill(processes(namespace))
        run(["ip", "netns", "delete", namespace])


def forget_empty_mount() -> None:
    """Undoes what the machine's first `ip netns add` did: the mount that holds the names, when none is left in it."""
    if NAMES.is_mount() and not any(NAMES.iterdir()):
        run(["umount", str(NAMES)], check=False)


def ensure_bridge(namespace: str, bridge: str, addresses: Iterable[str] = ()) -> None:
    """Makes a bridge unless it is there.

    Its link address is given, because a bridge without one changes it when a port with a lower one comes, and then
    whoever knew it is not heard for up to a minute.
    """
    if run(["ip", "-n", namespace, "link", "show", bridge], check=False).returncode:
        commands = [f"link add {bridge} address {link_address(bridge)} type bridge", f"link set {bridge} up"]
        ip(namespace, *commands, force=True)
    for address in addresses:
        ip(namespace, f"address replace {address} dev {bridge}")


def link_address(*names: str) -> str:
    """A link's address that stays the same, so that no neighbour holds an old one after a reset."""
    digest = hashlib.sha256(" ".join(names).encode()).digest()
    return "02:" + ":".join(f"{byte:02x}" for byte in digest[:5])


def plug(fabric: str, bridge: str, port: str, namespace: str, interface: str, mac: str) -> None:
    """Joins a namespace to a bridge of the fabric by a veth pair."""
    ip(fabric, f"link delete {port}", force=True)
    ip(
        fabric,
        f"link add {port} type veth peer name {interface} address {mac} netns {namespace}",
        f"link set {port} master {bridge} up",
    )
