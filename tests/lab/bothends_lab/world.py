# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A world as data: the public network, the VPCs of the cloud and the sites with their machines.

The file's keys are the field names of the dataclasses below. Hosts are what has a namespace and answers to SSH.
"""

from __future__ import annotations

import dataclasses
import difflib
import ipaddress
import re
import types
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

from .errors import LabError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Host names become namespace and interface names.
_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")


@dataclass(frozen=True)
class Public:
    """The network between cloud and sites. `pools` is what the cloud takes addresses from."""

    cidrs: list[Network]
    pools: list[str]
    gateways: list[Address]


@dataclass(frozen=True)
class Server:
    """A server of a VPC: a port that the API made, in a namespace."""

    network: str
    addresses: list[Address]
    security_groups: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Vpc:
    """A router of the cloud with its networks (name: subnets by name), security groups (name: rules) and servers."""

    networks: dict[str, dict[str, Network]]
    security_groups: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    servers: dict[str, Server] = field(default_factory=dict)


@dataclass(frozen=True)
class Machine:
    """A machine of a site. `lans` says its addresses on each LAN, `wan` those on the public network.

    `router` is a VPN gateway with strongSwan that starts without forwarding; `inner-router` forwards; `host` does not.
    """

    kind: Literal["router", "inner-router", "host"]
    lans: dict[str, list[Address]]
    wan: list[Address] = field(default_factory=list)
    gateways: list[Address] = field(default_factory=list)


@dataclass(frozen=True)
class Site:
    """A data centre: its LANs (name: prefixes) and its machines by name."""

    lans: dict[str, list[Network]]
    machines: dict[str, Machine]


@dataclass(frozen=True)
class World:
    """All of it, by name."""

    public: Public
    vpcs: dict[str, Vpc]
    sites: dict[str, Site]

    @property
    def servers(self) -> dict[str, tuple[str, Server]]:
        """Every server with the name of its VPC."""
        return {name: (vpc, server) for vpc, value in self.vpcs.items() for name, server in value.servers.items()}

    @property
    def machines(self) -> dict[str, tuple[str, Machine]]:
        """Every machine with the name of its site."""
        return {name: (site, machine) for site, value in self.sites.items() for name, machine in value.machines.items()}

    @property
    def routers(self) -> list[str]:
        """The machines that a user configures."""
        return [name for name, (site, machine) in self.machines.items() if machine.kind == "router"]

    @property
    def hosts(self) -> list[str]:
        """Everything that has a namespace and answers to SSH."""
        return [*self.machines, *self.servers]


def load(path: Path) -> World:
    """Reads and checks a world; an error names the file and the key."""
    try:
        data = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise LabError(f"{path}: {error}") from error
    try:
        world = _value(World, data, "")
        _check(world)
    except _Wrong as error:
        raise LabError(f"{path}: {error}") from error
    return world


class _Wrong(Exception):
    """What is wrong with a value, and where."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"{where or 'the file'}: {what}")


def _value(kind: Any, data: Any, where: str) -> Any:
    """Makes a value of a type from what YAML gave."""
    if dataclasses.is_dataclass(kind):
        return _record(kind, data, where)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is list:
        if not isinstance(data, list):
            raise _Wrong(where, "must be a list")
        return [_value(arguments[0], item, f"{where}[{index}]") for index, item in enumerate(data)]
    if origin is dict:
        if not isinstance(data, dict):
            raise _Wrong(where, "must be a mapping")
        return {str(key): _value(arguments[1], item, f"{where}.{key}".lstrip(".")) for key, item in data.items()}
    if origin is Literal:
        if data not in arguments:
            raise _Wrong(where, f"must be one of {', '.join(arguments)}")
        return data
    if origin is types.UnionType:  # Network or Address: the two IP versions of one thing
        parse = ipaddress.ip_network if kind == Network else ipaddress.ip_address
        try:
            return parse(data)
        except ValueError as error:
            raise _Wrong(where, str(error)) from error
    if kind is str and not isinstance(data, str):
        raise _Wrong(where, "must be a string")
    return data


def _record(kind: Any, data: Any, where: str) -> Any:
    if not isinstance(data, dict):
        raise _Wrong(where, "must be a mapping")
    hints = typing.get_type_hints(kind)
    for key in data:
        if key not in hints:
            near = difflib.get_close_matches(str(key), hints, 1)
            raise _Wrong(where, f"unknown key {key!r}" + (f", did you mean {near[0]!r}?" if near else ""))
    required = [
        item.name
        for item in dataclasses.fields(kind)
        if item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING
    ]
    if missing := [name for name in required if name not in data]:
        raise _Wrong(where, f"key {missing[0]!r} is missing")
    return kind(**{key: _value(hints[key], item, f"{where}.{key}".lstrip(".")) for key, item in data.items()})


def _check(world: World) -> None:
    """Checks what one value alone can't show: names that refer to others, and addresses within their prefixes."""
    names = [name for vpc in world.vpcs.values() for name in vpc.servers]
    names += [name for site in world.sites.values() for name in site.machines]
    for name in names:
        if not _NAME.fullmatch(name) or name == "fabric":
            raise _Wrong(name, "a host's name has a-z, 0-9 and - only, at most 31 of them, and is not `fabric`")
        if names.count(name) > 1:
            raise _Wrong(name, "two hosts have this name")
    for name, (vpc, server) in world.servers.items():
        where = f"vpcs.{vpc}.servers.{name}"
        subnets = world.vpcs[vpc].networks.get(server.network)
        if subnets is None:
            raise _Wrong(f"{where}.network", f"the VPC has no network {server.network!r}")
        _check_addresses(server.addresses, list(subnets.values()), f"{where}.addresses")
        for group in server.security_groups:
            if group not in world.vpcs[vpc].security_groups:
                raise _Wrong(f"{where}.security_groups", f"the VPC has no security group {group!r}")
    for name, (site, machine) in world.machines.items():
        where = f"sites.{site}.machines.{name}"
        _check_addresses(machine.wan, world.public.cidrs, f"{where}.wan")
        for lan, addresses in machine.lans.items():
            if lan not in world.sites[site].lans:
                raise _Wrong(f"{where}.lans", f"the site has no LAN {lan!r}")
            _check_addresses(addresses, world.sites[site].lans[lan], f"{where}.lans.{lan}")


def _check_addresses(addresses: list[Address], networks: list[Network], where: str) -> None:
    for address in addresses:
        if prefix_of(address, networks) is None:
            raise _Wrong(where, f"{address} is not in {', '.join(map(str, networks)) or 'any network'}")


def prefix_of(address: Address, networks: list[Network]) -> Network | None:
    """The network that an address is in."""
    return next((network for network in networks if address in network), None)
