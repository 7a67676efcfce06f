# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One host: its namespaces, its first process, its daemon when it is a VPN router, and commands in it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .. import netns
from ..errors import LabError
from ..layout import SOURCE, Layout
from ..processes import SYSTEM_PATH, children, kill, recorded, spawn
from ..progress import tail
from . import files

_INIT = SOURCE / "bothends_lab" / "hosts" / "init.sh"
_START_SECONDS = 60.0
# Port 22 on 127.0.0.1, listening, as /proc/net/tcp writes it.
_SSHD_LISTENS = " 0100007F:0016 00000000:0000 0A "
# None of the user's settings reach a host.
_ENVIRONMENT = {"PATH": SYSTEM_PATH, "HOME": "/root", "LANG": "C.UTF-8"}


@dataclass(frozen=True)
class HostMachine:
    """A host of the running lab."""

    layout: Layout
    name: str
    router: bool = False

    @property
    def namespace(self) -> str:
        return self.layout.namespace(self.name)

    @property
    def log(self) -> Path:
        return self.layout.log / f"host-{self.name}.log"

    @property
    def _record(self) -> Path:
        return self.layout.processes / f"host-{self.name}"

    @property
    def _directory(self) -> Path:
        return self.layout.run / "hosts" / self.name

    @property
    def init(self) -> int:
        """The process id of the host's first process."""
        outer = recorded(self._record)
        inner = children(outer.pid) if outer and outer.alive() else []
        if not inner:
            raise LabError(f"host {self.name} is not running (log: {self.log})")
        return inner[0]

    def start(self) -> None:
        """Makes the namespaces and waits until SSH, and on a router strongSwan, are up."""
        scratch, own = self._directory / "scratch", self._directory / "files"
        scratch.mkdir(parents=True, exist_ok=True)
        files.write(self.layout, own, self.name, self.router)
        netns.add(self.namespace)
        unshare = ["unshare", "--mount", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc"]
        # What is unmounted on the machine is unmounted here too, and is not kept alive by the lab.
        unshare += ["--propagation", "slave"]
        init = ["bash", str(_INIT), self.name, str(scratch), str(own)]
        starter = spawn(self._record, [*netns.enter(self.namespace), *unshare, *init], self.log, _ENVIRONMENT)
        self._wait(self._ssh_is_up, starter, "its SSH server")
        if self.router:
            self.start_charon()

    def stop(self) -> None:
        """Ends everything in the host and takes its namespaces away."""
        outer = recorded(self._record)
        if outer:
            kill([outer])
        netns.delete(self.namespace)
        self._record.unlink(missing_ok=True)

    def start_charon(self) -> None:
        """Starts strongSwan, and loads what the router has stored, as Debian's service does."""
        self.run(["sh", "-c", "charon-systemd </dev/null >>/var/log/charon-systemd.out 2>&1 &"])
        self._wait(self._charon_is_up, None, "strongSwan")
        self.run(["swanctl", "--load-all", "--noprompt"])

    def stop_charon(self) -> None:
        """Ends strongSwan as a service manager would: it tells its peers."""
        script = """
            pkill -x charon-systemd
            for turn in $(seq 100); do pgrep -x charon-systemd || exit 0; sleep 0.1; done
            pkill -KILL -x charon-systemd
        """
        self.run(["sh", "-c", script], check=False)

    def apply_stored_settings(self) -> None:
        """Does what a Debian machine does with its network's stored settings when it starts."""
        script = """
            for file in /etc/sysctl.d/*.conf /etc/sysctl.conf; do [ ! -f "$file" ] || sysctl -q -p "$file"; done
            for link in /sys/class/net/*; do IFACE=${link##*/} MODE=start run-parts /etc/network/if-up.d; done
        """
        self.run(["sh", "-c", script])

    def path(self, inside: str) -> Path:
        """A file of the host's, as seen from outside."""
        return Path(f"/proc/{self.init}/root{inside}")

    def enter(self) -> list[str]:
        """The beginning of a command line that runs in the host."""
        return ["nsenter", "--target", str(self.init), "--mount", "--uts", "--net", "--pid", "--wd=/root"]

    def run(
        self,
        argv: Sequence[str],
        check: bool = True,
        stdin: str | None = None,
        timeout: float | None = 120,
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command in the host, as root, without SSH."""
        done = subprocess.run(
            [*self.enter(), *argv],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
            env=_ENVIRONMENT,
        )
        if check and done.returncode:
            text = (done.stderr or done.stdout).strip()
            raise LabError(f"{self.name}: `{' '.join(argv)}` ended with {done.returncode}: {text}")
        return done

    def _charon_is_up(self) -> bool:
        return self.run(["swanctl", "--stats"], check=False).returncode == 0

    def _ssh_is_up(self) -> bool:
        try:
            return _SSHD_LISTENS in Path(f"/proc/{self.init}/net/tcp").read_text()
        except (LabError, OSError):
            return False

    def _wait(self, ready, starter: subprocess.Popen | None, what: str) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not ready():
            if time.monotonic() > deadline or (starter and starter.poll() is not None):
                raise LabError(f"host {self.name}: {what} does not come up, its log:\n{tail(self.log)}")
            time.sleep(0.03)
