#!/usr/bin/python
# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gives a Linux router the forwarding and the routes that its tunnels need."""

from __future__ import annotations

DOCUMENTATION = r"""
module: linux_routing
short_description: Forwarding and LAN routes of a Linux router
version_added: 0.1.0
author:
  - bothends.vpn authors (@bothends)
description:
  - Switches forwarding on for the address families that the connections' tunnels carry, and sets the routes of
    C(router_settings.routes) to LAN subnets behind inner routers. Both at once and for the next boot.
  - The routes carry a protocol number of their own. Routes of others are never touched; one that leads a declared subnet
    elsewhere is an error.
  - With no connections everything is removed again, except that forwarding stays on until the next boot, since others may
    rely on it. With O(restore) it is at once what it was before the first run.
extends_documentation_fragment:
  - bothends.vpn.attributes
options:
  connections:
    description: The connection records of the router, without keys, as M(bothends.vpn.site_configs) returns them.
    type: list
    elements: dict
    required: true
  keep:
    description:
      - Remove no route that an earlier run made, because the description no longer names all sites of the router. One to a
        subnet that O(connections) reach by another way goes all the same.
    type: bool
    default: false
  restore:
    description: With no connections, also bring forwarding back to what it was before the first run.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
notes:
  - At boot the routes are set by a systemd unit where systemd runs the machine, else by a script of ifupdown where that is
    installed. RV(persistent) says whether there was either.
"""

EXAMPLES = r"""
- name: Forward, and know the way to the LAN subnets
  bothends.vpn.linux_routing:
    connections: "{{ written.connections }}"
"""

RETURN = r"""
actions:
  description: What was done, or in check mode would be done.
  type: list
  elements: str
  returned: success
  sample: [net.ipv4.ip_forward = 1, route add 192.168.4.0/24 via 192.168.3.254 proto 176]
persistent:
  description: Whether the routes come back after a reboot.
  type: bool
  returned: success
"""

import json
import os
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _linux


def read(path: str) -> str:
    """Gives a file's text; "" where it is not there."""
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read()
    except FileNotFoundError:
        return ""


class Host:
    """The router: what is done to it, or in check mode would be."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.ip = module.get_bin_path("ip", required=True, opt_dirs=["/usr/sbin", "/sbin"])
        self.actions: list[str] = []
        self.diff: list[dict[str, str]] = []

    def routes(self, family: int) -> dict[str, list[tuple[_linux.Route, bool]]]:
        """Gives the routes of the main table."""
        _code, out, _err = self.module.run_command([self.ip, f"-{family}", "-j", "route", "show"], check_rc=True)
        return _linux.read_routes(json.loads(out or "[]"), family)

    def route(self, verb: str, one: _linux.Route) -> None:
        """Adds or removes one route."""
        words = ["route", verb, *one.words()]
        self.actions.append(" ".join(words))
        if not self.module.check_mode:
            code, _out, err = self.module.run_command([self.ip, f"-{one.family}", *words])
            if code:
                raise VpnError(f"{' '.join(words)}: {err.strip()}. Is the next hop on a network of the router?")

    def forwarding(self, family: int) -> str:
        """Gives whether packets are forwarded now: 0 or 1."""
        return read("/proc/sys/" + _linux.FORWARDING[family].replace(".", "/")).strip()

    def forward(self, family: int, value: str = "1") -> None:
        """Switches forwarding on, or to what it was."""
        if self.forwarding(family) == value:
            return
        name = _linux.FORWARDING[family]
        self.actions.append(f"{name} = {value}")
        if not self.module.check_mode:
            with open("/proc/sys/" + name.replace(".", "/"), "w", encoding="ascii") as stream:
                stream.write(f"{value}\n")

    def file(self, path: str, text: str, mode: int = 0o644) -> bool:
        """Brings a file to a text; "" removes it. Gives whether it differed."""
        before = read(path)
        if before == text:
            return False
        self.actions.append(f"{'write' if text else 'remove'} {path}")
        self.diff.append({"before": before, "after": text, "before_header": path, "after_header": path})
        if not self.module.check_mode:
            if text:
                temporary = path + ".bothends-new"
                with open(
                    os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w", encoding="utf-8"
                ) as stream:
                    stream.write(text)
                os.replace(temporary, path)
            else:
                os.unlink(path)
        return True

    def link(self, path: str, target: str | None) -> None:
        """Enables or disables a unit: what `systemctl enable` does, also where no systemd answers."""
        if (os.path.islink(path) and os.readlink(path)) == (target or False):
            return
        self.actions.append(f"{'enable' if target else 'disable'} {os.path.basename(path)}")
        if not self.module.check_mode:
            if os.path.lexists(path):
                os.unlink(path)
            if target:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                os.symlink(target, path)


def persist(host: Host, routes: list[_linux.Route]) -> bool:
    """Makes the routes come back after a reboot, by what starts this machine's network."""
    systemd = os.path.isdir("/run/systemd/system")
    ifupdown = os.path.isdir(os.path.dirname(_linux.HOOK_FILE)) and not systemd
    if systemd or os.path.exists(_linux.UNIT_FILE):
        changed = host.file(_linux.UNIT_FILE, _linux.unit_text(routes, host.ip) if systemd else "")
        host.link(_linux.UNIT_LINK, _linux.UNIT_FILE if routes and systemd else None)
        if changed and systemd and not host.module.check_mode:
            host.module.run_command(["systemctl", "daemon-reload"])
    if ifupdown or os.path.exists(_linux.HOOK_FILE):
        host.file(_linux.HOOK_FILE, _linux.hook_text(routes, host.ip) if ifupdown else "", 0o755)
    return systemd or ifupdown


def main() -> None:
    """Runs the module."""
    module = AnsibleModule(
        argument_spec={
            "connections": {"type": "list", "elements": "dict", "required": True},
            "keep": {"type": "bool", "default": False},
            "restore": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    host, records = Host(module), t.cast("list[dict[str, t.Any]]", module.params["connections"])
    try:
        routes, families = _linux.wanted_routes(records), _linux.wanted_families(records)
        plans = [
            _linux.plan([one for one in routes if one.family == family], host.routes(family), module.params["keep"])
            for family in _linux.FORWARDING
        ]
        routes += [one for routing in plans for one in routing.keep]
        before = {family: host.forwarding(family) for family in families}
        before.update(_linux.read_before(read(_linux.SYSCTL_FILE)))
        if (families or os.path.exists(_linux.SYSCTL_FILE)) and not (module.params["keep"] and not families):
            host.file(_linux.SYSCTL_FILE, _linux.sysctl_text(families, before))
        for family in families:
            host.forward(family)
        if module.params["restore"] and not module.params["keep"] and not families:
            for family, value in before.items():
                host.forward(family, value)
        for verb, kind in (("del", "remove"), ("add", "add")):
            for one in (one for routing in plans for one in getattr(routing, kind)):
                host.route(verb, one)
        persistent = persist(host, routes)
    except (VpnError, OSError) as error:
        module.fail_json(msg=str(error))
    lines = "".join(f"{action}\n" for action in host.actions)
    diff = [*host.diff, {"before": "", "after": lines}] if lines else []
    module.exit_json(changed=bool(host.actions), actions=host.actions, persistent=persistent, diff=diff)


if __name__ == "__main__":
    main()
