# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""Rules over what is really in a VPC: its subnets and routes, its way out, and connections that others made. Pure.

They run once the cloud has been read, before the first write. ``records`` are the hub's, resolved.
"""

from __future__ import annotations

import itertools
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _addresses
from ansible_collections.bothends.vpn.plugins.module_utils._findings import (
    ERROR,
    NEUTRON,
    WARNING,
    Finding,
    Found,
    finding,
)
from ansible_collections.bothends.vpn.plugins.module_utils._objects import KINDS, Body, Snapshot, owner, selectors
from ansible_collections.bothends.vpn.plugins.module_utils._plan import Plan
from ansible_collections.bothends.vpn.plugins.module_utils._providers import PROVIDERS, Provider
from ansible_collections.bothends.vpn.plugins.module_utils._topology import Connection

Records = t.Sequence[Connection]
Block = t.Tuple[_addresses.Prefix, t.Any]


def vpc(hub: str, provider: str, snapshot: Snapshot, records: Records, subnets: t.Iterable[str]) -> list[Finding]:
    """Judge the sites that are to be there against the VPC as it is; ``subnets`` are the hub's, as CIDRs."""
    found = [
        *_way_out(hub, provider, snapshot, records),
        *_gateways(records),
        *_other_subnets(snapshot, records, subnets),
    ]
    return found + routes(provider, snapshot["vpc"][0].get("routes") or [], records)


def _way_out(hub: str, provider: str, snapshot: Snapshot, records: Records) -> Found:
    if not records or not PROVIDERS[provider].gateway_is_routers:
        return
    outside = snapshot["vpc"][0].get("external_gateway_info") or {}
    if not outside:
        yield finding(
            "no-gateway", hub, f"vpn_hubs.{hub}.vpc", snapshot["vpc"][0]["name"], "the VPC's router has no external gateway.",
            "Give it one first.", scope=f"hub {hub}",
        )  # fmt: skip
        return
    versions = {_addresses.parse(one["ip_address"]).version for one in outside.get("external_fixed_ips", [])}
    for record in records:
        gateway = record["remote"]["gateway"]
        if versions and _addresses.is_address(gateway or "") and _addresses.parse(gateway).version not in versions:
            yield finding(
                "no-gateway", record["site"], f"vpn_sites.{record['site']}.gateway", gateway,
                f"the VPC's router has no IPv{_addresses.parse(gateway).version} address outside.",
                "Use an address of the other version, or give the external network such a subnet.",
            )  # fmt: skip


def _gateways(records: Records) -> Found:
    """What the description's own check could not see, where the hub's gateway or subnets were known by name only."""
    for record in records:
        gateway, field = record["remote"]["gateway"], f"vpn_sites.{record['site']}.gateway"
        if _addresses.address(gateway) == _addresses.address(record["local"]["gateway"]):
            yield finding(
                "gateway-is-own", record["site"], field, gateway, f"is the gateway of hub {record['hub']} itself.",
                "Write the site's public address.",
            )  # fmt: skip
        for subnet in record["local"]["subnets"]:
            if _addresses.overlaps_any(gateway, [subnet]):
                yield finding(
                    "gateway-inside", record["site"], field, gateway,
                    f"lies in {subnet} of hub {record['hub']}, which the tunnel is to carry.", "Write the site's public address.",
                )  # fmt: skip


def _other_subnets(snapshot: Snapshot, records: Records, subnets: t.Iterable[str]) -> Found:
    declared = {_addresses.parse(subnet) for subnet in subnets}
    real = [(_addresses.parse(one["cidr"]), one) for one in snapshot["subnets"]]
    for record, index, one in _meeting(records, [block for block in real if block[0] not in declared]):
        yield finding(
            "overlap-vpc", record["site"], f"vpn_sites.{record['site']}.subnets[{index}]", record["remote"]["subnets"][index],
            f"overlaps {one['cidr']} of the VPC itself ({one['name'] or one['id']}), which {', '.join(record['local']['subnets'])} could "
            "not reach any more.", "Renumber or narrow one of the two.", scope=f"site {record['site']}",
        )  # fmt: skip


def routes(provider: str, known: t.Iterable[Body], records: Records) -> list[Finding]:
    """Tell which sites' subnets a route of the VPC leads to elsewhere; the default route leads everywhere and is none of them."""
    row = PROVIDERS[provider]
    severity = ERROR if row.routes_path else WARNING
    blocks = [
        (_addresses.parse(one["destination"]), one) for one in known if _addresses.is_prefix(one.get("destination"))
    ]
    return [
        finding(
            "overlap-route", record["site"], f"vpn_sites.{record['site']}.subnets[{index}]", record["remote"]["subnets"][index],
            f"overlaps the VPC's route to {one['destination']} by {one.get('nexthop')}; the hub's subnets would use the tunnel instead.",
            "Take the route off, or renumber or narrow one of the two.", row.said("routes_path"), severity, f"site {record['site']}",
        )
        for record, index, one in _meeting(records, [block for block in blocks if block[0].first or block[0].last + 1 not in _ALL])
    ]  # fmt: skip


_ALL = (2**32, 2**128)


def others(
    hub: str, provider: str, snapshot: Snapshot, mine: t.Container[str], sites: t.Container[str], records: Records
) -> list[Finding]:
    """Tell which connections of the VPC, none of this description's, lead to a site too.

    ``mine`` are the ids of connections that answer for a site or go in this run; ``sites`` all that the description knows.
    """
    router = snapshot["vpc"][0]["id"]
    services = {one["id"] for one in snapshot["vpn_service"] if one["router_id"] == router}
    by_id = {one["id"]: one for kind in KINDS for one in snapshot[kind]}
    foreign = [
        one
        for one in snapshot["site_connection"]
        if one["vpnservice_id"] in services and one["id"] not in mine and not _described(one, hub, sites)
    ]
    row = PROVIDERS[provider]
    theirs = ((_addresses.found(cidr), one) for one in foreign for cidr in selectors(one, by_id)[1])
    blocks: list[Block] = [(prefix, (prefix, one)) for prefix, one in theirs if prefix]
    found = []
    for record, index, (prefix, one) in _meeting(records, blocks):
        field, subnet = f"subnets[{index}]", record["remote"]["subnets"][index]
        refused = row.one_connection_a_subnet and _addresses.parse(subnet) == prefix
        found.append(_taken(record, field, subnet, one, row) if refused else _foreign(record, field, subnet, one))
    gateways = {_addresses.address(one["peer_address"]): one for one in foreign}
    for record in records:
        one = gateways.get(_addresses.address(record["remote"]["gateway"]))
        if one and row.one_connection_a_peer:
            found.append(_second(record, one, row))
        elif one:
            found.append(_foreign(record, "gateway", str(record["remote"]["gateway"]), one))
    return found


def unknown_keys(provider: str, snapshot: Snapshot, planned: Plan, records: Records) -> list[Finding]:
    """Tell which sites have another key than their first at a connection in whose name no generation of it can stand."""
    row = PROVIDERS[provider]
    foreign = {one["id"]: one for one in snapshot["site_connection"] if owner(one) is None}
    sent = {step.id for step in planned.steps if "psk" in step.body}
    return [
        finding(
            "key-not-sent", record["site"], f"vpn_sites.{record['site']}.psk_generation", record["psk_generation"],
            f"connection {one['name'] or '(no name)'} ({one['id']}), which somebody else made, keeps no generation, and {row.name} does "
            "not give its key back: nobody can tell whether it has this key, and it is not sent.",
            "Send it once with vpn_send_psks (module hub: send_psks), and ignore this from then on.", row.said("not_read_back"),
        )
        for record in (records if "psk" in row.not_read_back else ())
        for tunnel in record["tunnels"]
        for one in [foreign.get(str(planned.connections.get(tunnel["name"])), {})]
        if record["psk_generation"] > 1 and one and one["id"] not in sent
    ]  # fmt: skip


def _described(one: Body, hub: str, sites: t.Container[str]) -> bool:
    """A site that is blocked keeps what it has."""
    whose = owner(one)
    return whose is not None and whose.hub == hub and whose.site in sites


def _told(one: Body) -> str:
    whose = owner(one)
    of = f"of site {whose.site} of hub {whose.hub}" if whose else "which somebody else made"
    return f"connection {one['name'] or '(no name)'} ({one['id']}), {of}, leads there"


def _foreign(record: Connection, field: str, value: str, one: Body) -> Finding:
    return finding(
        "overlap-connection", record["site"], f"vpn_sites.{record['site']}.{field}", value,
        f"{_told(one)} too; only one of the two gets the traffic.",
        "Remove that one (purge, where its site left the description), or renumber.", NEUTRON, WARNING,
    )  # fmt: skip


def _taken(record: Connection, field: str, subnet: str, one: Body, row: Provider) -> Finding:
    return finding(
        "overlap-connection", record["site"], f"vpn_sites.{record['site']}.{field}", subnet,
        f"{_told(one)} already, and {row.name} takes one connection to a subnet.",
        "Remove that one (purge, where its site left the description), or renumber.", row.said("one_connection_a_subnet"), ERROR,
    )  # fmt: skip


def _second(record: Connection, one: Body, row: Provider) -> Finding:
    return finding(
        "one-connection-a-peer", record["site"], f"vpn_sites.{record['site']}.gateway", record["remote"]["gateway"],
        f"{_told(one)} already, and {row.name} takes one connection to a gateway.",
        "Remove that one (purge, where its site left the description).", row.said("one_connection_a_peer"),
    )  # fmt: skip


def _meeting(records: Records, blocks: t.Sequence[Block]) -> t.Iterator[tuple[Connection, int, t.Any]]:
    """Yield record, index of its subnet, and what belongs to the block, of each pair that shares an address: one sweep.

    Equal ones are looked at once: a hundred foreign connections to one subnet are no thousands of pairs among themselves.
    """
    if not blocks:
        return
    sites: dict[_addresses.Prefix, list[tuple[Connection, int]]] = {}
    for record in records:
        for index, subnet in enumerate(record["remote"]["subnets"]):
            if _addresses.is_prefix(subnet):
                sites.setdefault(_addresses.parse(subnet), []).append((record, index))
    theirs: dict[_addresses.Prefix, list[t.Any]] = {}
    for prefix, what in blocks:
        theirs.setdefault(prefix, []).append(what)
    ours, foreign = list(sites.values()), list(theirs.values())
    for one, other in _addresses.overlaps([*sites, *theirs]):
        if one < len(ours) <= other:  # lower first: a site's with a block
            for (record, index), what in itertools.product(ours[one], foreign[other - len(ours)]):
                yield record, index, what
