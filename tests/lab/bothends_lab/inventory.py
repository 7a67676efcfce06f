# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files by which Ansible reaches the lab's hosts."""

from __future__ import annotations

from typing import Any

import yaml

from .hosts import files
from .layout import Layout
from .world import World


def write(layout: Layout, world: World) -> None:
    """Writes the inventory and the known host keys."""
    lines = [f"{layout.namespace(name)} {files.make_key(files.host_key(layout, name))}" for name in world.hosts]
    layout.known_hosts.write_text("\n".join(lines) + "\n")
    # Ansible shares one connection between hosts whose ansible_host is the same, in whatever inventory: two labs have
    # two hosts `berlin`. A namespace's name is unique on the machine.
    hosts = {name: {"ansible_host": layout.namespace(name)} for name in world.hosts}
    routers = {name: hosts.pop(name) for name in world.routers}
    inventory = {
        "all": {
            "children": {
                "lab": {
                    "vars": _variables(layout),
                    "children": {"lab_routers": {"hosts": routers}, "lab_hosts": {"hosts": hosts}},
                }
            }
        }
    }
    head = "# Made by the lab's start.\n"
    layout.inventory.write_text(head + yaml.safe_dump(inventory, sort_keys=False, width=1000))


def _variables(layout: Layout) -> dict[str, Any]:
    options = {
        "ProxyCommand": '"ip netns exec %h socat - TCP4:127.0.0.1:22"',
        "UserKnownHostsFile": f'"{layout.known_hosts}"',
        "GlobalKnownHostsFile": "/dev/null",
        "StrictHostKeyChecking": "yes",
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
    }
    return {
        "ansible_connection": "ssh",
        "ansible_user": "root",
        "ansible_ssh_private_key_file": str(files.user_key(layout)),
        "ansible_control_path_dir": str(layout.control),
        # -F: nothing of the user's own configuration applies.
        "ansible_ssh_common_args": " ".join(["-F /dev/null", *(f"-o {key}={value}" for key, value in options.items())]),
        "ansible_pipelining": True,
        "ansible_python_interpreter": "/usr/bin/python3",
    }
