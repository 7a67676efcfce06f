# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the lab's files are, and what its namespaces are called."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent
CHECKOUT = SOURCE.parent.parent

# A checkout has one lab, and others beside it whose names stand in this variable of the environment.
NAME, FIRST = "BOTHENDS_LAB", "lab"


@dataclass(frozen=True)
class Layout:
    """A lab of one checkout: every path and name derives from where the checkout lies, and from the lab's own name."""

    checkout: Path = CHECKOUT
    name: str = field(default_factory=lambda: os.environ.get(NAME) or FIRST)

    @property
    def state(self) -> Path:
        """Everything that the lab ever writes."""
        return self.checkout / ".cache" / self.name

    @property
    def venv(self) -> Path:
        """One for all labs of the checkout."""
        return self.checkout / ".cache" / FIRST / "venv"

    @property
    def log(self) -> Path:
        """Kept after a stop, emptied by the next start."""
        return self.state / "log"

    @property
    def template(self) -> Path:
        """The prepared databases and keys that every start copies."""
        return self.state / "template"

    @property
    def keys(self) -> Path:
        """SSH keys: the user's and the hosts'. Kept, so that a second start makes none."""
        return self.state / "keys"

    @property
    def run(self) -> Path:
        """What belongs to the running lab only; a stop removes it."""
        return self.state / "run"

    @property
    def processes(self) -> Path:
        return self.run / "processes"

    @property
    def router_namespaces(self) -> Path:
        """One file for each namespace that neutron's agent ever made for this cloud."""
        return self.run / "router-namespaces"

    @property
    def server_ports(self) -> Path:
        """One file for each server, called by its port's id: the namespace that the port is plugged into."""
        return self.run / "server-ports"

    @property
    def world(self) -> Path:
        """A copy of the world that this lab was started with."""
        return self.run / "world.yml"

    @property
    def ports(self) -> Path:
        """The ports of the last start: taken again when they are free."""
        return self.state / "ports.json"

    @property
    def clouds_yaml(self) -> Path:
        return self.state / "clouds.yaml"

    @property
    def inventory(self) -> Path:
        return self.state / "hosts.yml"

    @property
    def known_hosts(self) -> Path:
        return self.state / "known_hosts"

    @property
    def api_log(self) -> Path:
        return self.log / "api.log"

    @property
    def keystone_log(self) -> Path:
        """The same for the identity API."""
        return self.log / "keystone-api.log"

    @property
    def made_of(self) -> Path:
        """Which database and which agent the running lab has."""
        return self.run / "made-of"

    @property
    def control(self) -> Path:
        """Where Ansible's SSH keeps its sockets while the lab runs.

        A socket's path has at most 108 bytes and the checkout's may be longer: this directory alone lies outside.
        """
        return Path("/run") / self.ident

    @property
    def plan(self) -> Path:
        """How each host is plugged in."""
        return self.run / "plan.json"

    @property
    def ready(self) -> Path:
        """There when the start has come to its end."""
        return self.run / "ready"

    @property
    def ident(self) -> str:
        """Tells this lab's namespaces from those of another one on the same machine."""
        return "be" + hashlib.sha256(f"{self.checkout} {self.name}".encode()).hexdigest()[:6]

    def namespace(self, host: str) -> str:
        """The name of the network namespace that is this host."""
        return f"{self.ident}-{host}"

    @property
    def fabric(self) -> str:
        """The namespace with the bridges: one for each cloud network and each LAN of a site."""
        return self.namespace("fabric")
