# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A router of the lab as a machine with a kernel of its own (User-Mode Linux), in the place of the one in a namespace.

It has that router's name, links, addresses and SSH keys, so that neither the inventory nor anybody else in the lab sees a
difference; the processes of User-Mode Linux run in the namespace that was the router.
"""

from __future__ import annotations

import contextlib
import shlex
import shutil
import subprocess
import time
from collections.abc import Sequence

from bothends_lab import Lab, netns
from bothends_lab.hosts import files, network
from bothends_lab.hosts.machine import HostMachine
from bothends_lab.processes import spawn

from . import CACHE, ROOT, SOURCE

_START_SECONDS = 150.0
# Between the namespace and the guest only; nothing else in the lab has such addresses.
_OUTSIDE, _INSIDE = "169.254.99.1", "169.254.99.2"
_SSHD = f"ListenAddress {_INSIDE}\n"


class Guest:
    """One router of the running lab."""

    def __init__(self, lab: Lab, name: str) -> None:
        self.layout = lab.layout
        self.name = name
        self.machine = HostMachine(lab.layout, name)
        self.namespace = self.machine.namespace
        self.network = network.load(lab.layout.plan, name)
        self._directory = CACHE / "guests" / name
        self._ssh_record = lab.layout.processes / f"ssh-{name}"

    def start(self) -> None:
        """Puts the guest in the place of the router and waits until SSH and pluto answer."""
        self.machine.stop()
        netns.add(self.namespace)
        links = [self._plug(number) for number in range(len(self.network.interfaces))]
        netns.ip(
            self.namespace,
            "tuntap add ssh mode tap", f"address add {_OUTSIDE}/30 dev ssh", "link set ssh up",
        )  # fmt: skip
        # A guest that has no processor's time drops packets; BBR takes that for a line of 2 kbit/s, and stays at it for minutes.
        netns.run([*netns.enter(self.namespace), "sysctl", "-qw", "net.ipv4.tcp_congestion_control=reno"])
        kernel = [
            "/usr/bin/linux.uml", "mem=256M", "rootfstype=hostfs", "rw", "init=/lab/init.sh", "con=null", "con0=null,fd:1",
            "panic=1", "quiet", *links, f"vec{len(links)}:transport=tap,ifname=ssh",
        ]  # fmt: skip
        self._write()
        record = self.layout.processes / f"host-{self.name}"  # the lab's stop ends it too
        argv = [*netns.enter(self.namespace), "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
        argv += ["--propagation", "slave", str(SOURCE / "root.sh"), str(ROOT)]
        argv += [str(self._directory / "scratch"), str(self._directory / "files")]
        argv += ["sh", "-c", 'TMPDIR=/dev/shm exec "$@" "rootflags=$root"', "sh", *kernel]
        starter = spawn(record, argv, self.machine.log)
        listen = ["socat", "TCP4-LISTEN:22,bind=127.0.0.1,fork,reuseaddr", f"TCP4:{_INSIDE}:22"]
        spawn(self._ssh_record, [*netns.enter(self.namespace), *listen], self.machine.log)
        self._wait_for_pluto(starter)

    def stop(self) -> None:
        """Ends the guest; `Lab.reset_router` then makes the router that it stood for."""
        self.machine.stop()
        self._ssh_record.unlink(missing_ok=True)

    def restart_pluto(self) -> None:
        """Starts pluto anew; it loads what its files say."""
        self.run(["/lab/pluto.sh"])
        self._wait_for_pluto()

    def _wait_for_pluto(self, starter: subprocess.Popen | None = None) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if time.monotonic() > deadline or (starter and starter.poll() is not None):
                raise RuntimeError(f"guest {self.name} does not come up, see {self.machine.log}")
            time.sleep(0.3)

    def _answers(self) -> bool:
        """Tells whether pluto answers; a call that meets a guest which is only just there may never come back."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return not self.run(["ipsec", "whack", "--status"], check=False, timeout=20).returncode
        return False

    def _plug(self, number: int) -> str:
        """Joins a link of the guest to the lab; gives the kernel's argument for it."""
        link = self.network.interfaces[number]
        tap, outer = f"tap{number}", f"outer{number}"
        netns.ensure_bridge(self.layout.fabric, link.bridge)
        netns.plug(self.layout.fabric, link.bridge, link.port, self.namespace, outer, f"02:00:00:00:fe:0{number}")
        netns.ensure_bridge(self.namespace, f"br{number}")
        netns.ip(self.namespace, f"tuntap add {tap} mode tap")
        netns.ip(self.namespace, *(f"link set {port} master br{number} up" for port in (tap, outer)))
        return f"vec{number}:transport=tap,ifname={tap},mac={link.mac}"

    def _write(self) -> None:
        own = self._directory / "files"
        files.write(self.layout, own, self.name, router=False)
        settings = own / "etc/ssh/sshd_config"
        settings.write_text(settings.read_text().replace("ListenAddress 127.0.0.1\n", _SSHD))
        (own / "etc/hostname").write_text(f"{self.name}\n")
        (own / "etc/hosts").write_text(f"127.0.0.1 localhost\n127.0.1.1 {self.name}\n")
        lab = own / "lab"
        lab.mkdir()
        for script in ("init.sh", "pluto.sh"):
            shutil.copy(SOURCE / script, lab)
        commands = ["link set lo up"]
        for number, link in enumerate(self.network.interfaces):
            commands += [f"link set vec{number} name {link.name}"]
            commands += [f"address add {address} dev {link.name} nodad" for address in link.addresses]
            commands += [f"link set {link.name} up"]
        ssh = f"vec{len(self.network.interfaces)}"
        commands += [f"address add {_INSIDE}/30 dev {ssh}", f"link set {ssh} up"]
        commands += [f"route add default via {gateway}" for gateway in self.network.gateways]
        (lab / "network").write_text("\n".join(commands) + "\n")
        (self._directory / "scratch").mkdir(exist_ok=True)

    def run(
        self, argv: Sequence[str], check: bool = True, stdin: str | None = None, timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command in the guest by SSH."""
        proxy = f"ProxyCommand=ip netns exec {self.namespace} socat - TCP4:127.0.0.1:22"
        options = [proxy, f"UserKnownHostsFile={self.layout.known_hosts}", "IdentitiesOnly=yes", "ConnectTimeout=5"]
        ssh = ["ssh", "-F", "/dev/null", "-q", "-i", str(files.user_key(self.layout))]
        ssh += [word for option in options for word in ("-o", option)]
        done = subprocess.run(
            [*ssh, f"root@{self.namespace}", shlex.join(argv)],
            input=stdin if stdin is not None else "",
            capture_output=True, text=True, check=False, timeout=timeout,
        )  # fmt: skip
        if check and done.returncode:
            raise RuntimeError(
                f"{self.name}: `{shlex.join(argv)}` ended with {done.returncode}: {done.stdout}{done.stderr}"
            )
        return done
