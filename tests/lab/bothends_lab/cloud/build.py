# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds a world's cloud through the real API, as its users would: the admin the public network, a member the rest."""

from __future__ import annotations

from typing import Any

from ..hosts.network import PluggedServer
from ..layout import Layout
from ..world import Public, Vpc, World
from .api import CloudApi

PUBLIC = "public"


def bridge_of(network_id: str) -> str:
    """The name of a cloud network's bridge in the fabric."""
    return "brq" + network_id[:11]


def build_public(admin: CloudApi, public: Public) -> str:
    """Makes the external network; returns its id."""
    network = admin.create("networks", "network", name=PUBLIC, **{"router:external": True})
    pools = [dict(zip(("start", "end"), pool.split("-"), strict=True)) for pool in public.pools]
    for cidr in public.cidrs:
        version = {4: ".", 6: ":"}[cidr.version]
        gateway = next((str(address) for address in public.gateways if address in cidr), None)
        admin.create(
            "subnets",
            "subnet",
            network_id=network["id"],
            name=f"{PUBLIC}-v{cidr.version}",
            cidr=str(cidr),
            ip_version=cidr.version,
            gateway_ip=gateway,
            enable_dhcp=False,
            allocation_pools=[pool for pool in pools if version in pool["start"]],
        )
    return network["id"]


def build_networks(member: CloudApi, vpc: Vpc) -> tuple[list[str], dict[str, dict[str, Any]]]:
    """Makes a VPC's networks, security groups and servers' ports; returns the subnets' ids and the ports."""
    networks: dict[str, str] = {}
    subnets: dict[tuple[str, str], str] = {}
    for network, prefixes in vpc.networks.items():
        networks[network] = member.create("networks", "network", name=network)["id"]
        for subnet, cidr in prefixes.items():
            made = member.create(
                "subnets",
                "subnet",
                network_id=networks[network],
                name=subnet,
                cidr=str(cidr),
                ip_version=cidr.version,
                enable_dhcp=False,
            )
            subnets[network, subnet] = made["id"]
    groups: dict[str, str] = {}
    for group, rules in vpc.security_groups.items():
        groups[group] = member.create("security-groups", "security_group", name=group)["id"]
        for rule in rules:
            member.create("security-group-rules", "security_group_rule", security_group_id=groups[group], **rule)
    ports = {}
    for server, wanted in vpc.servers.items():
        fixed_ips = [
            {"subnet_id": subnets[wanted.network, subnet], "ip_address": str(address)}
            for address in wanted.addresses
            for subnet, cidr in vpc.networks[wanted.network].items()
            if address in cidr
        ]
        fields = {"security_groups": [groups[group] for group in wanted.security_groups]} if groups else {}
        ports[server] = member.create(
            "ports", "port", network_id=networks[wanted.network], name=server, fixed_ips=fixed_ips, **fields
        )
    return list(subnets.values()), ports


def build_router(member: CloudApi, name: str, subnets: list[str], public_id: str) -> None:
    """Makes a VPC's router, joins the subnets to it, and only then switches it on: the agent realises it once."""
    gateway = {"network_id": public_id}
    router = member.create("routers", "router", name=name, external_gateway_info=gateway, admin_state_up=False)
    for subnet in subnets:
        member.request("PUT", f"/routers/{router['id']}/add_router_interface", {"subnet_id": subnet})
    member.update("routers", router["id"], "router", admin_state_up=True)


def build(layout: Layout, world: World, admin: CloudApi, member: CloudApi) -> tuple[str, dict[str, PluggedServer]]:
    """Builds everything; returns the public network's bridge and where the servers are to be plugged in.

    One request after the other: the first requests also load what parallel ones would race for. The routers come
    last, since neutron's agent then works beside the API and both get slow.
    """
    public_id = build_public(admin, world.public)
    plugged: dict[str, PluggedServer] = {}
    subnets: dict[str, list[str]] = {}
    layout.server_ports.mkdir(parents=True)
    for name, vpc in world.vpcs.items():
        subnets[name], ports = build_networks(member, vpc)
        for server, port in ports.items():
            plugged[server] = PluggedServer(port["id"], port["mac_address"], bridge_of(port["network_id"]))
            # From the next write on, the packet filter knows the server: before it is plugged in.
            (layout.server_ports / port["id"]).write_text(layout.namespace(server))
    for name in world.vpcs:
        build_router(member, name, subnets[name], public_id)
    return bridge_of(public_id), plugged
