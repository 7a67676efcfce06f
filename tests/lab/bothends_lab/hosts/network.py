# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where each host is plugged in: from a world, and from what the cloud made of it, to links, addresses and routes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .. import netns
from ..layout import Layout
from ..world import Address, Machine, Network, Site, World, prefix_of
from .machine import HostMachine


@dataclass(frozen=True)
class Interface:
    """One link of a host: its name in the host, the bridge and the bridge's port at its other end."""

    name: str
    bridge: str
    port: str
    mac: str
    addresses: tuple[str, ...]


@dataclass(frozen=True)
class HostNetwork:
    """All links of a host, its default gateways, whether it forwards from the start, and addresses without a link."""

    interfaces: tuple[Interface, ...]
    gateways: tuple[str, ...]
    forwarding: bool = False
    stand_ins: tuple[str, ...] = ()


@dataclass(frozen=True)
class PluggedServer:
    """What the cloud says of a server's port."""

    port_id: str
    mac: str
    bridge: str


def plan(world: World, public_bridge: str, ports: Mapping[str, PluggedServer]) -> dict[str, HostNetwork]:
    """The network of every host of a world."""
    lans = [(site, lan) for site, value in world.sites.items() for lan in value.lans]
    bridges = {key: f"lan{index}" for index, key in enumerate(lans)}
    planned: dict[str, HostNetwork] = {}
    for index, (name, (site, machine)) in enumerate(world.machines.items()):
        planned[name] = _machine(world, index, name, site, machine, public_bridge, bridges)
    for name, (vpc, server) in world.servers.items():
        subnets = list(world.vpcs[vpc].networks[server.network].values())
        port = ports[name]
        addresses = _with_prefixes(server.addresses, subnets)
        gateways = [next(subnet.hosts()) for subnet in subnets if any(a in subnet for a in server.addresses)]
        link = Interface("eth0", port.bridge, "srv" + port.port_id[:11], port.mac, addresses)
        planned[name] = HostNetwork((link,), tuple(map(str, gateways)))
    return planned


def _machine(
    world: World,
    index: int,
    name: str,
    site: str,
    machine: Machine,
    public_bridge: str,
    bridges: Mapping[tuple[str, str], str],
) -> HostNetwork:
    links: list[tuple[str, str, tuple[str, ...]]] = []
    if machine.wan:
        links.append(("wan0", public_bridge, _with_prefixes(machine.wan, world.public.cidrs)))
    for number, (lan, addresses) in enumerate(machine.lans.items()):
        kind = "eth" if machine.kind == "host" else "lan"
        links.append((f"{kind}{number}", bridges[site, lan], _with_prefixes(addresses, world.sites[site].lans[lan])))
    interfaces = tuple(
        Interface(link, bridge, f"host{index}.{number}", netns.link_address(name, link), addresses)
        for number, (link, bridge, addresses) in enumerate(links)
    )
    gateways = tuple(map(str, machine.gateways))
    stand_ins = _stand_ins(world.sites[site], machine) if machine.kind == "router" else ()
    return HostNetwork(interfaces, gateways, machine.kind == "inner-router", stand_ins)


def _stand_ins(site: Site, machine: Machine) -> tuple[str, ...]:
    """An address on the VPN router for every prefix of the site that it has no link to.

    strongSwan with ESP in user space installs a tunnel only if the router has an address in each prefix on its side.
    """
    own = [address for addresses in machine.lans.values() for address in addresses]
    used = {address for other in site.machines.values() for addresses in other.lans.values() for address in addresses}
    behind = [prefix for prefixes in site.lans.values() for prefix in prefixes if not any(a in prefix for a in own)]
    return tuple(str(_last_free(prefix, used)) for prefix in behind)


def _last_free(prefix: Network, used: set[Address]) -> Address:
    """The last address of a prefix that no machine has; the very last one is IPv4's broadcast."""
    address = prefix[-2]
    while address in used:
        address -= 1
    return address


def _with_prefixes(addresses: list[Address], networks: list[Network]) -> tuple[str, ...]:
    """The addresses with the lengths of the prefixes that they are in; the world's check has found those."""
    pairs = [(address, prefix_of(address, networks)) for address in addresses]
    return tuple(f"{address}/{network.prefixlen}" for address, network in pairs if network)


def connect(layout: Layout, host: HostMachine, network: HostNetwork) -> None:
    """Plugs a running host in. Doing it again brings links, addresses and routes back to this."""
    commands = []
    for link in network.interfaces:
        netns.ensure_bridge(layout.fabric, link.bridge)
        netns.plug(layout.fabric, link.bridge, link.port, host.namespace, link.name, link.mac)
        commands += [f"address add {address} dev {link.name} nodad" for address in link.addresses]
        commands.append(f"link set {link.name} up")
    commands += [f"address replace {address} dev lo" for address in network.stand_ins]
    commands += [f"route add default via {gateway}" for gateway in network.gateways]
    netns.ip(host.namespace, *commands)
    families = ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding")
    host.run(["sysctl", "-q", "-w", *(f"{key}={int(network.forwarding)}" for key in families)])


def save(path: Path, planned: Mapping[str, HostNetwork]) -> None:
    """Keeps the plan, for whoever resets a host later."""
    path.write_text(json.dumps({name: asdict(network) for name, network in planned.items()}))


def load(path: Path, name: str) -> HostNetwork:
    """The plan of one host."""
    data: dict[str, Any] = json.loads(path.read_text())[name]
    interfaces = tuple(Interface(**{**link, "addresses": tuple(link["addresses"])}) for link in data["interfaces"])
    return HostNetwork(interfaces, tuple(data["gateways"]), data["forwarding"], tuple(data["stand_ins"]))
