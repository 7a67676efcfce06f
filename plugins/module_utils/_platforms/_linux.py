# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""What a Linux router needs beside its tunnels: forwarding, and routes to LAN subnets behind inner routers. Pure.

Our routes carry a protocol number of their own, so that what is ours needs no memory and nothing else is ever touched.
Sources: ip-route(8), sysctl.d(5), systemd.service(5), interfaces(5).
"""

from __future__ import annotations

import ipaddress
import re
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError

PROTOCOL = "176"  # a number without a name in iproute2's rt_protos
SYSCTL_FILE = "/etc/sysctl.d/90-bothends-vpn.conf"
UNIT = "bothends-vpn-routes.service"
UNIT_FILE = "/etc/systemd/system/" + UNIT
UNIT_LINK = "/etc/systemd/system/multi-user.target.wants/" + UNIT
HOOK_FILE = "/etc/network/if-up.d/bothends-vpn-routes"
# family -> the switch, as sysctl names it
FORWARDING = {4: "net.ipv4.ip_forward", 6: "net.ipv6.conf.all.forwarding"}

# The row of router_settings for them.
ROUTES: dict[str, t.Any] = {
    "type": "list",
    "elements": "dict",
    "required": False,
    "default": [],
    "description": "Routes to LAN subnets behind inner routers: C(to), C(via) and optionally C(dev).",
    "options": {
        "to": {"type": "str", "required": True, "description": "Destination, a CIDR."},
        "via": {"type": "str", "required": True, "description": "Address of the inner router."},
        "dev": {"type": "str", "description": "Interface, where the address alone is not enough."},
    },
}

_HEADER = "# Managed by bothends.vpn: do not edit, the next run overwrites it.\n"
_DEVICE = re.compile(r"[A-Za-z0-9_.-]{1,15}\Z")


class Route(t.NamedTuple):
    """One route; ``dev`` is "" where the address alone decides."""

    to: str
    via: str
    dev: str

    @property
    def family(self) -> int:
        """4 or 6."""
        return 6 if ":" in self.to else 4

    def words(self) -> list[str]:
        """The route as arguments of ``ip route add``."""
        return [self.to, "via", self.via, *(["dev", self.dev] if self.dev else []), "proto", PROTOCOL]


def route(given: t.Mapping[str, t.Any], where: str) -> Route:
    """Reads one entry of ``router_settings.routes``. Raises VpnError with the field and the remedy."""
    if not isinstance(given, t.Mapping):
        raise VpnError(f"{where}: {given!r} is no dict with `to` and `via`.")
    try:
        to, via = ipaddress.ip_network(str(given["to"])), ipaddress.ip_address(str(given["via"]))
    except KeyError as error:
        raise VpnError(f"{where}: {error.args[0]} is missing.") from None
    except ValueError as error:
        raise VpnError(f"{where}: {error}.") from None
    if "%" in f"{to}{via}":
        # ipaddress takes anything behind it for a zone, a line end too, and the text goes into a script that root runs.
        raise VpnError(f"{where}: write the address without a zone, and name the interface by `dev`.")
    if to.version != via.version:
        raise VpnError(f"{where}: {to} and {via} are of different address families.")
    if not to.prefixlen:
        raise VpnError(
            f"{where}: {to} is everything, and would replace the router's own default route. Name the LAN's subnet."
        )
    dev = str(given.get("dev") or "")
    if dev and not _DEVICE.match(dev):
        raise VpnError(f"{where}: dev: {dev!r} is no interface name.")
    return Route(str(to), str(via), dev)


def wanted_routes(records: list[dict[str, t.Any]]) -> list[Route]:
    """The routes that the sites' router_settings declare, each once. Raises VpnError where two contradict each other."""
    out: dict[str, Route] = {}
    for record in records:
        routes = (record.get("router_settings") or {}).get("routes") or []
        if not isinstance(routes, list):
            raise VpnError(f"site {record['site']}: router_settings.routes: is no list.")
        for number, given in enumerate(routes):
            where = f"site {record['site']}: router_settings.routes[{number}]"
            one = route(given, where)
            if out.setdefault(one.to, one) != one:
                raise VpnError(f"{where}: {one.to} is declared via {out[one.to].via} as well.")
    return [out[to] for to in sorted(out)]


def wanted_families(records: list[dict[str, t.Any]]) -> list[int]:
    """The address families that the tunnels carry."""
    return sorted(
        {
            6 if ":" in subnet else 4
            for record in records
            for one in record["tunnels"]
            for subnet in one["local_subnets"]
        }
    )


def read_routes(listed: list[dict[str, t.Any]], family: int) -> dict[str, list[tuple[Route, bool]]]:
    """The routes of ``ip -j route`` with a gateway or without, by destination; whether each is ours."""
    out: dict[str, list[tuple[Route, bool]]] = {}
    for entry in listed:
        to = entry.get("dst", "")
        if to == "default":
            to = "::/0" if family == 6 else "0.0.0.0/0"
        elif "/" not in to:
            to += "/128" if family == 6 else "/32"
        one = Route(to, entry.get("gateway", ""), entry.get("dev", ""))
        out.setdefault(to, []).append((one, entry.get("protocol") == PROTOCOL))
    return out


class Routing(t.NamedTuple):
    """What is to be done about routes."""

    add: list[Route]
    remove: list[Route]
    keep: list[Route]  # ours that nobody declares, and that stay


def _same(one: Route, other: Route) -> bool:
    return (one.to, one.via) == (other.to, other.via) and (not one.dev or one.dev == other.dev)


def plan(wanted: list[Route], there: dict[str, list[tuple[Route, bool]]], keep: bool = False) -> Routing:
    """What to add and remove; with ``keep``, only what is in the way of a wanted one goes.

    Raises VpnError where somebody else's route leads the same subnet elsewhere.
    """
    add = []
    for one in wanted:
        entries = there.get(one.to, [])
        if any(_same(one, other) for other, _ours in entries):
            continue
        foreign = [other for other, ours in entries if not ours]
        if foreign:
            way = f"via {foreign[0].via}" if foreign[0].via else f"on {foreign[0].dev}"
            raise VpnError(
                f"router_settings.routes: {one.to} via {one.via}: the router has another route to it, {way}."
                " Remove that, or leave the route out of router_settings."
            )
        add.append(one)
    ours = [other for entries in there.values() for other, is_ours in entries if is_ours]
    obsolete = [other for other in ours if not any(_same(one, other) for one in wanted)]
    moved = {one.to for one in wanted}
    remove = [other for other in obsolete if other.to in moved or not keep]
    return Routing(add, remove, [other for other in obsolete if other not in remove])


_BEFORE = re.compile(r"^# before: (\S+) = (\d+)$", re.MULTILINE)


def sysctl_text(families: list[int], before: t.Mapping[int, str]) -> str:
    """The file that keeps forwarding on after a reboot, and remembers what it was; "" where none is needed."""
    return (
        "".join(
            [_HEADER]
            + [f"# before: {FORWARDING[family]} = {before[family]}\n" for family in sorted(before)]
            + [f"{FORWARDING[family]} = 1\n" for family in families]
        )
        if families
        else ""
    )


def read_before(text: str) -> dict[int, str]:
    """What forwarding was before the first run, by family, from that file."""
    known = dict(_BEFORE.findall(text))
    return {family: known[name] for family, name in FORWARDING.items() if name in known}


def unit_text(routes: list[Route], program: str) -> str:
    """A systemd unit that sets the routes at boot; "" where there are none."""
    if not routes:
        return ""
    starts = "".join(f"ExecStart=-{program} route replace {' '.join(one.words())}\n" for one in routes)
    return (
        _HEADER + "[Unit]\nDescription=Routes to the LAN subnets that bothends.vpn tunnels carry\n"
        "Wants=network-online.target\nAfter=network-online.target\n\n[Service]\nType=oneshot\nRemainAfterExit=yes\n"
        f"{starts}\n[Install]\nWantedBy=multi-user.target\n"
    )


def hook_text(routes: list[Route], program: str) -> str:
    """The same for ifupdown: a script that runs whenever an interface comes up."""
    if not routes:
        return ""
    lines = "".join(f"{program} route replace {' '.join(one.words())} 2>/dev/null || :\n" for one in routes)
    return "#!/bin/sh\n" + _HEADER + lines
