# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Can the lab run on this machine? Asked before anything is started."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from .errors import LabError
from .layout import Layout
from .processes import SYSTEM_PATH

_PROGRAMS = "ip nft iptables-restore sysctl unshare nsenter socat ssh-keygen sshd ping swanctl charon-systemd ipsec tar"
# Tried where nothing of it can stay: in network and mount namespaces that end with the command.
_TRY = "unshare --mount --net --pid --uts --fork --mount-proc sh -ec '{}'"
_OVERLAY = "mount -t tmpfs t /mnt; mkdir /mnt/u /mnt/w; mount -t overlay o -o lowerdir=/etc,upperdir=/mnt/u,workdir=/mnt/w /etc"


def _works(script: str) -> Callable[[Layout], bool]:
    argv = ["sh", "-c", _TRY.format(script)]
    env = {"PATH": SYSTEM_PATH}
    return lambda layout: subprocess.run(argv, capture_output=True, check=False, env=env).returncode == 0


# What must be so, and what is missing when it is not. The order is that of what rests on what.
_NEEDS: tuple[tuple[Callable[[Layout], bool], str], ...] = (
    (lambda layout: sys.platform == "linux", "Linux: its namespaces are what the lab is made of"),
    (lambda layout: os.geteuid() == 0, "root: namespaces, mounts and firewalls are made"),
    (lambda layout: (layout.venv / "bin" / "python").exists(), "its virtual environment: run tests/lab/setup.sh"),
    (lambda layout: not _missing_programs(), "programs, run tests/lab/setup.sh; missing: {programs}"),
    (lambda layout: Path("/dev/net/tun").is_char_device(), "/dev/net/tun: user-space ESP passes through it"),
    (_works("true"), "the right to make network, mount and process namespaces (a container needs to be privileged)"),
    (_works("ip link add x0 type veth peer name x1"), "veth interfaces in the kernel (CONFIG_VETH)"),
    (_works("ip link add x0 type bridge"), "bridges in the kernel (CONFIG_BRIDGE)"),
    (_works("nft add table inet t"), "nftables in the kernel (CONFIG_NF_TABLES)"),
    (_works("iptables -t mangle -A PREROUTING -j MARK --set-xmark 1/1"), "iptables on nftables (CONFIG_NFT_COMPAT)"),
    (_works(_OVERLAY), "overlay filesystems in the kernel (CONFIG_OVERLAY_FS)"),
)


def _missing_programs() -> list[str]:
    path = f"{os.environ.get('PATH', '')}:{SYSTEM_PATH}"
    return [program for program in _PROGRAMS.split() if not shutil.which(program, path=path)]


def check(layout: Layout) -> None:
    """Raises an error that says what is missing, the first thing only: the rest may follow from it."""
    for holds, what in _NEEDS:
        if not holds(layout):
            raise LabError("the lab can't run here: it needs " + what.format(programs=", ".join(_missing_programs())))
