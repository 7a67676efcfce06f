# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The running lab, for tests: commands and pings in its hosts, what its API was asked, and back to the beginning."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from . import netns, reset, start, world
from .cloud.api import CloudApi
from .errors import LabError
from .flow import Flow
from .hosts import network
from .hosts.machine import HostMachine
from .layout import Layout

_COUNTS = re.compile(r"(\d+) packets transmitted, (\d+) received")


@dataclass(frozen=True)
class Ping:
    """How many were sent and how many came back; true when all did."""

    sent: int
    received: int

    def __bool__(self) -> bool:
        return self.sent == self.received > 0


class Request(NamedTuple):
    """One request to the networking API."""

    method: str
    path: str
    status: int
    milliseconds: int
    project: str

    @property
    def is_write(self) -> bool:
        return self.method not in ("GET", "HEAD")


class Lab:
    """The lab of one checkout, while it runs."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.world = world.load(layout.world)

    @classmethod
    def load(cls, layout: Layout | None = None) -> Lab:
        """The lab that runs in this checkout; an error when none does."""
        layout = layout or Layout()
        if not start.running(layout):
            raise LabError("no lab is running in this checkout: start it with `make lab`")
        return cls(layout)

    @property
    def clouds_yaml(self) -> Path:
        """For OS_CLIENT_CONFIG_FILE: clouds lab, lab-other, lab-reader, lab-admin, and lab-otc: lab in OTC's dialect."""
        return self.layout.clouds_yaml

    @property
    def inventory(self) -> Path:
        """Groups lab_routers and lab_hosts, with how to reach them."""
        return self.layout.inventory

    def machine(self, host: str) -> HostMachine:
        """A host of the lab by its name."""
        if host not in self.world.hosts:
            raise LabError(f"the lab has no host {host!r}; it has {', '.join(self.world.hosts)}")
        return HostMachine(self.layout, host, host in self.world.routers)

    def run(
        self, host: str, argv: Sequence[str], *, check: bool = True, stdin: str | None = None, timeout: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command in a host as root, without SSH."""
        return self.machine(host).run(argv, check=check, stdin=stdin, timeout=timeout)

    def interactive(self, host: str, argv: Sequence[str]) -> int:
        """Runs a command in a host on the caller's terminal; without one, a shell. Returns its exit code."""
        return subprocess.run([*self.machine(host).enter(), *(argv or ["bash"])], check=False).returncode

    def file(self, host: str, path: str) -> Path:
        """A host's file, to be read and written from outside."""
        return self.machine(host).path(path)

    def ping(self, source: str, address: str, *, count: int = 3, interval: float = 0.2, wait: float = 1.0) -> Ping:
        """Pings an address from a host; `wait` is how long the last answer may take, in seconds."""
        argv = ["ping", "-n", "-q", "-c", str(count), "-i", str(interval), "-W", str(wait), address]
        done = self.run(source, argv, check=False, timeout=count * max(interval, 1.0) + wait + 30)
        counts = _COUNTS.search(done.stdout)
        # Without a route ping gives up before it has sent anything.
        return Ping(int(counts[1]), int(counts[2])) if counts else Ping(count, 0)

    def wait_for_ping(self, source: str, address: str, *, seconds: float = 20.0) -> Ping:
        """Pings until one comes back, or until the time is over."""
        deadline = time.monotonic() + seconds
        while not (last := self.ping(source, address, count=1, wait=0.5)) and time.monotonic() < deadline:
            pass
        return last

    def flow(self, source: str, address: str, *, interval: float = 0.05) -> Flow:
        """Pings all the time while the body of a `with` runs; afterwards `sent`, `received`, `lost`, `longest_gap` (ms)."""
        argv = ["env", "LC_ALL=C", "ping", "-n", "-D", "-O", "-i", str(interval), address]
        return Flow([*self.machine(source).enter(), *argv])

    def mark(self) -> int:
        """A place in the API's log, for `api_requests(since=...)`."""
        return self.layout.api_log.stat().st_size

    def api_requests(self, since: int = 0) -> list[Request]:
        """The requests to the networking API since a mark, without queries and bodies."""
        with self.layout.api_log.open() as log:
            log.seek(since)
            rows = [line.split() for line in log]
        return [Request(method, path, int(status), int(ms), project) for method, path, status, ms, project in rows]

    def api(self, cloud: str = "lab") -> CloudApi:
        """A client of the networking API, as one entry of clouds.yaml."""
        return CloudApi(self.clouds_yaml, cloud)

    def router_namespace(self, vpc: str) -> str:
        """The namespace of a VPC's router, for `ip netns exec`."""
        if vpc not in self.world.vpcs:
            raise LabError(f"the lab has no VPC {vpc!r}; it has {', '.join(self.world.vpcs)}")
        return "qrouter-" + self.api("lab").list("routers", name=vpc)[0]["id"]

    def ipsec(self, vpc: str, *arguments: str) -> str:
        """What `ipsec ARGUMENTS` says in a VPC's router, such as `statusall`; empty when no strongSwan runs there."""
        namespace = self.router_namespace(vpc)
        own = self.layout.run / "cloud" / "ipsec" / namespace.removeprefix("qrouter-")
        bind = 'mount --bind "$0/etc" /etc && mount --bind "$0/var/run" /run && exec ipsec "$@"'
        argv = [*netns.enter(namespace), "sh", "-c", bind, str(own), *arguments]
        return netns.run(argv, check=False).stdout if own.is_dir() else ""

    def restart_router(self, name: str) -> None:
        """Restarts a router as a power cycle would: files stay; addresses, routes, settings and tunnels do not.

        What a Debian router does at its start is then done: sysctl.d, if-up.d, strongSwan with all it has stored.
        """
        machine = self.machine(name)
        if machine.router:
            machine.stop_charon()
        network.connect(self.layout, machine, network.load(self.layout.plan, name))
        machine.apply_stored_settings()
        if machine.router:
            machine.start_charon()

    def reset_router(self, name: str) -> None:
        """Makes a host as it was at the start: its own files, no VPN, no forwarding."""
        machine = self.machine(name)
        machine.stop()
        machine.start()
        network.connect(self.layout, machine, network.load(self.layout.plan, name))

    def reset_cloud_vpn(self) -> None:
        """Deletes every VPN object of every project and restores the security groups' rules, through the API."""
        reset.reset_cloud_vpn(self.api("lab-admin"), self.world)
        for vpc in self.world.vpcs:
            reset.wait_until_ended(self.router_namespace(vpc))

    def reset(self) -> None:
        """Everything as it was at the start: the cloud's VPN and rules, and the routers."""
        self.reset_cloud_vpn()
        with ThreadPoolExecutor() as pool:
            list(pool.map(self.reset_router, self.world.routers))
