# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""From the description to connections: one record each, the same record seen from either end.

A record is plain data, because it travels through role variables and module options. ``local`` is the end that reads
it; ``mirror()`` gives the other end the same connection. Subnets of a hub may be names or ids until ``resolve()`` has
put in what the cloud says.
"""

from __future__ import annotations

import copy
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _addresses, _platforms, _secrets
from ansible_collections.bothends.vpn.plugins.module_utils._description import Description, id_type


class Id(t.TypedDict):
    """An IKE identity."""

    type: str  # ipv4, ipv6, fqdn, email
    value: str


class End(t.TypedDict):
    """One end of a connection."""

    gateway: str | None  # the address that the other end sees
    address: str | None  # the address on the device's own interface
    id: Id | None
    subnets: list[str]


class Tunnel(t.TypedDict):
    """What one ipsec-site-connection, one child SA, carries: every local with every remote subnet."""

    name: str  # hub/site/n
    local_subnets: list[str]
    remote_subnets: list[str]


class Connection(t.TypedDict, total=False):
    """What joins one hub to one site."""

    name: str  # hub/site
    hub: str
    provider: str  # of the hub's cloud
    site: str
    state: str
    end: str  # whose view this is: hub or site
    policy: str
    ike: dict[str, t.Any]
    ipsec: dict[str, t.Any]
    local: End
    remote: End
    selector_mode: str  # combined or per_pair
    tunnels: list[Tunnel]
    dpd: dict[str, t.Any]
    resolved: bool  # whether the hub's gateway and subnets are known as addresses
    mode: str
    translate: dict[str, str]
    initiator: str
    nat_traversal: str
    underlay_mtu: int
    psk_generation: int
    router: str
    platform: str
    driven: bool  # whether roles bring the platform's configuration into force
    platform_version: str | None
    router_settings: dict[str, t.Any]
    security_group_rules: list[dict[str, t.Any]]
    probes: list[dict[str, str]]
    psk: str  # only where the caller brought the keys


# What a connection takes from its site as it stands.
_FROM_SITE = (
    "state", "dpd", "mode", "translate", "initiator", "nat_traversal", "underlay_mtu", "psk_generation", "router", "platform",
    "platform_version", "router_settings", "security_group_rules",
)  # fmt: skip


def connections(description: Description, psks: t.Mapping[str, t.Any] | None = None) -> list[Connection]:
    """Give every connection of the description, seen from its hub.

    A site that names an unknown hub or policy gives none for it (``_rules`` says so); to take a site off, its policy need
    not be known any more. With ``psks`` each record carries its key; a connection without one has no ``psk``.
    """
    records = []
    for site_name, site in description.sites.items():
        policy = description.policies.get(site["policy"])
        if policy is None and site["state"] == "absent":
            policy = description.policies["default"]
        for hub_name in site["hubs"]:
            hub = description.hubs.get(hub_name)
            if hub is None or policy is None:
                continue
            record = _connection(hub_name, hub, site_name, site, policy)
            psk = _secrets.find(psks, hub_name, site_name) if psks else None
            if psk is not None:
                record["psk"] = psk
            records.append(record)
    return records


def _connection(
    hub_name: str, hub: dict[str, t.Any], site_name: str, site: dict[str, t.Any], policy: dict[str, t.Any]
) -> Connection:
    record = Connection(
        name=f"{hub_name}/{site_name}",
        hub=hub_name,
        provider=hub["provider"],
        site=site_name,
        end="hub",
        policy=site["policy"],
        ike=policy["ike"],
        ipsec=policy["ipsec"],
        local=_end(hub["gateway"], hub["gateway"], site["peer_id"], hub["subnets"]),
        remote=_end(site["gateway"], site["local_address"] or site["gateway"], site["id"], site["subnets"]),
        selector_mode=_selector_mode(site["selector_mode"], policy["ike"]["version"], site["platform"]),
        driven=_platforms.PLATFORMS[site["platform"]].DRIVEN,
        probes=site["probe"],
    )
    record.update(t.cast(Connection, {field: site[field] for field in _FROM_SITE}))
    return _completed(record)


def _completed(record: Connection) -> Connection:
    """Fill in what follows from the hub's addresses."""
    record["tunnels"] = tunnels(record)
    record["resolved"] = bool(record["local"]["gateway"]) and all(map(_addresses.is_prefix, record["local"]["subnets"]))
    return record


def _end(gateway: str | None, address: str | None, identity: Id | None, subnets: list[str]) -> End:
    if identity is None and gateway:
        identity = Id(type=id_type(gateway), value=gateway)
    return End(gateway=gateway, address=address, id=identity, subnets=[written(subnet) for subnet in subnets])


def written(subnet: str) -> str:
    """Write a subnet the one way where it is a prefix; a name or id stays as it is."""
    found = _addresses.found(subnet)
    return str(found) if found else subnet


def _selector_mode(asked: str, ike_version: str, platform: str) -> str:
    if asked != "auto":
        return asked
    # An IKEv1 quick mode carries one pair (RFC 2409 section 5.5): several subnets in one child are lost.
    combined = ike_version != "v1" and "combined" in _platforms.PLATFORMS[platform].LIMITS["selector_mode"]
    return "combined" if combined else "per_pair"


def tunnels(record: Connection) -> list[Tunnel]:
    """Part a connection into its tunnels: one, one per address family, or one per pair.

    The order in which a user wrote the subnets does not matter, so that reordering a list changes nothing.
    """
    local, remote = (
        [(one, family(one)) for one in sorted(set(record[end]["subnets"]), key=order)] for end in ("local", "remote")
    )
    if record["selector_mode"] == "per_pair":
        parts = [([one], [other]) for one, ours in local for other, theirs in remote if ours in (theirs, 0)]
    else:
        parts = [
            ([one for one, ours in local if ours in (version, 0)], [one for one, theirs in remote if theirs == version])
            for version in (4, 6)
        ]
    return [
        Tunnel(name=f"{record['name']}/{number}", local_subnets=ours, remote_subnets=theirs)
        for number, (ours, theirs) in enumerate((part for part in parts if part[0] and part[1]), start=1)
    ]


def family(subnet: str) -> int:
    """Tell 4 or 6; 0 for a name that the cloud has not resolved yet."""
    found = _addresses.found(subnet)
    return found.version if found else 0


def order(subnet: str) -> tuple[t.Any, ...]:
    """Sort names first, then addresses."""
    found = _addresses.found(subnet)
    return (1, *found) if found else (0, subnet)


def mirror(record: Connection) -> Connection:
    """Give the same connection seen from its other end; twice gives the record itself."""
    turned = copy.deepcopy(record)
    turned["end"] = "site" if record["end"] == "hub" else "hub"
    turned["local"], turned["remote"] = turned["remote"], turned["local"]
    for tunnel in turned["tunnels"]:
        tunnel["local_subnets"], tunnel["remote_subnets"] = tunnel["remote_subnets"], tunnel["local_subnets"]
    return turned


def resolve(record: Connection, facts: t.Mapping[str, t.Any]) -> Connection:
    """Put into a hub's view what the cloud says: the gateway, and CIDRs for subnets given by name or id.

    ``facts`` is the ``hub`` that ``hub_info`` returns: ``gateway`` and ``subnets`` (name, id, cidr). Raises LookupError
    for a name that is not there.
    """
    resolved = copy.copy(record)
    gateway = record["local"]["gateway"] or facts.get("gateway")
    resolved["local"] = _end(
        gateway,
        record["local"]["address"] or gateway,
        record["local"]["id"],
        [subnet_cidr(subnet, facts.get("subnets", [])) for subnet in record["local"]["subnets"]],
    )
    return _completed(resolved)


def subnet_cidr(subnet: str, known: t.Iterable[t.Mapping[str, str]]) -> str:
    """Find the CIDR of a subnet that is given by name or id; a prefix is its own. Raises LookupError."""
    if _addresses.is_prefix(subnet):
        return subnet
    known = list(known)
    found = [one["cidr"] for one in known if subnet == one["id"]] or [
        one["cidr"] for one in known if subnet == one["name"]
    ]
    if len(found) != 1:
        there = ", ".join(f"{one['name']} ({one['cidr']})" for one in known) or "none"
        raise LookupError(f"the VPC has {len(found) or 'no'} subnets called {subnet!r}; there are: {there}")
    return found[0]
