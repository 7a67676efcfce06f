# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""Rules over the whole description: what refers to what, and what must be told apart. Pure."""

from __future__ import annotations

import functools
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _addresses, _topology
from ansible_collections.bothends.vpn.plugins.module_utils._description import Description
from ansible_collections.bothends.vpn.plugins.module_utils._findings import (
    ERROR,
    NEUTRON,
    VPN_PAGE,
    WARNING,
    Finding,
    Found,
    finding,
    listed,
)
from ansible_collections.bothends.vpn.plugins.module_utils._objects import PROTOCOLS
from ansible_collections.bothends.vpn.plugins.module_utils._providers import PROVIDERS


def nothing(description: Description, purge: bool) -> Found:
    """A misspelt variable looks like an empty one; with purge, all that was ever made would go."""
    for kind, entries in (("vpn_hubs", description.hubs), ("vpn_sites", description.sites)):
        if not entries and not any(one["field"].startswith(kind) for one in description.findings):
            gone = ", and with purge all that was made would go" if purge else ""
            all_off = " To take the last one off, give it state absent." if purge else ""
            yield finding(
                "nothing-described", "", kind, "", f"{kind} is empty or not there{gone}.",
                f"Is the variable called {kind}, and does group_vars lie beside the inventory?{all_off}", VPN_PAGE,
                ERROR if purge else WARNING,
            )  # fmt: skip


def references(description: Description) -> Found:
    """Each hub and policy that a site names must be there. One that is there, but wrong, is told as that."""
    wrong = {one["scope"] for one in description.findings}
    for name, site in description.sites.items():
        for index, hub in enumerate(site["hubs"]):
            if hub not in description.hubs and f"hub {hub}" not in wrong:
                yield finding(
                    "unknown-hub", name, f"vpn_sites.{name}.hubs[{index}]", hub, f"there is no hub {hub!r} in vpn_hubs.",
                    f"Known hubs: {listed(description.hubs)}.", "docs/reference/description.md",
                )  # fmt: skip
        if not site["hubs"]:
            yield finding(
                "no-hub", name, f"vpn_sites.{name}.hubs", "", "the site connects to no hub.",
                f"Name one: {listed(description.hubs)}.", "docs/reference/description.md",
            )  # fmt: skip
        if site["policy"] not in description.policies and f"policy {site['policy']}" not in wrong:
            yield finding(
                "unknown-policy", name, f"vpn_sites.{name}.policy", site["policy"],
                f"there is no policy {site['policy']!r} in vpn_policies.",
                f"Known policies: {listed(description.policies)}.", "docs/reference/description.md",
            )  # fmt: skip


def absent_from_nowhere(description: Description) -> Found:
    """A site that is to be absent at a hub that nobody described goes from nowhere, and that looks like success."""
    for name, site in description.sites.items():
        for index, hub in enumerate(site["hubs"]):
            if site["state"] == "absent" and hub not in description.hubs:
                yield finding(
                    "absent-from-nowhere", name, f"vpn_sites.{name}.hubs[{index}]", hub,
                    f"there is no hub {hub!r} in vpn_hubs, so nothing of the site is removed there.",
                    f"Describe the hub as long as something of it is to go. Known hubs: {listed(description.hubs)}.",
                    "docs/reference/description.md", WARNING,
                )  # fmt: skip


def without_host(description: Description, hosts: t.Container[str]) -> Found:
    """A hub's end of the cloud is made by the inventory host of its name; a job slice may leave it to another job."""
    for hub, sites in _sites_by_hub(description).items():
        if sites and hub not in hosts:
            yield finding(
                "hub-without-host", hub, f"vpn_hubs.{hub}", hub,
                "no host of this name is in group vpn_cloud here, so nothing is done in the cloud for "
                f"{', '.join(sites)}.", f"Put a host {hub} into vpn_cloud, unless this is one slice of an inventory that has it.",
                "docs/architecture.md", WARNING,
            )  # fmt: skip


def _written_addresses(description: Description) -> Found:
    for kind, entries in (("vpn_hubs", description.hubs), ("vpn_sites", description.sites)):
        for name, entry in entries.items():
            for field in ("gateway", "local_address"):
                value = entry.get(field)
                if value and not _addresses.is_address(value):
                    yield finding(
                        "bad-address", name, f"{kind}.{name}.{field}", value, f"{value!r} is not an IP address.",
                        "Write one address, without a prefix length.", NEUTRON,
                    )  # fmt: skip
                elif value and _addresses.overlaps_any(value, NO_HOSTS):
                    yield finding(
                        "bad-address", name, f"{kind}.{name}.{field}", value, "is no address that a gateway can have.",
                        "Write the public address of the VPN gateway.", "RFC 6890 section 2.2",
                    )  # fmt: skip


# "This" network, loopback, link-local, multicast and what is reserved beyond it.
NO_HOSTS = ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3", "::/127", "fe80::/10", "ff00::/8")


def not_routed(subnet: str) -> str | None:
    """Give the block of addresses that no router forwards which a subnet lies in; None where it lies in none."""
    if not _addresses.is_prefix(subnet):
        return None
    prefix = _addresses.parse(subnet)
    return next((text for text, block in zip(NO_HOSTS, _blocks(NO_HOSTS)) if block.covers(prefix)), None)


@functools.cache
def _blocks(texts: tuple[str, ...]) -> list[_addresses.Prefix]:
    """Read a table of blocks once: thousands of sites are compared with it."""
    return [_addresses.parse(text) for text in texts]


def _is_private(address: str | None) -> bool:
    if not address or not _addresses.is_address(address):
        return False
    prefix = _addresses.parse(address)
    return any(block.covers(prefix) for block in _blocks(_PRIVATE))


# Private addresses: RFC 1918, RFC 6598 and RFC 4193.
_PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")


def _private_gateways(description: Description) -> Found:
    """A site behind NAT has the NAT's address for the cloud; only a hub in the same private network reaches a private one."""
    # Where the provider itself reaches no private address, that is told as gateway-not-public.
    strict = {name for name, hub in description.hubs.items() if PROVIDERS[hub["provider"]].gateway_reserved}
    public = {name for name, hub in description.hubs.items() if not _is_private(hub["gateway"])}
    for name, site in description.sites.items():
        gateway = site["gateway"]
        if public.intersection(site["hubs"]) and not strict.intersection(site["hubs"]) and _is_private(gateway):
            yield finding(
                "gateway-private", name, f"vpn_sites.{name}.gateway", gateway, "is a private address, which only a cloud in the same "
                "private network reaches.", "Write the public address that the cloud sees, and this one as local_address.",
            )  # fmt: skip


def _behind_nat(description: Description) -> Found:
    for name, site in description.sites.items():
        own = _addresses.address(site["local_address"])
        if own and own != _addresses.address(site["gateway"]) and site["nat_traversal"] == "off":
            yield finding(
                "nat-without-nat-t", name, f"vpn_sites.{name}.nat_traversal", "off",
                f"the router has {own} behind {site['gateway']}: NAT drops or breaks ESP that is not in UDP.",
                "Leave nat_traversal out, or take local_address out where there is no NAT.",
            )  # fmt: skip


def _gateway_inside(description: Description) -> Found:
    """A packet to the other gateway would itself be for the tunnel that it is to make."""
    for name, site in description.sites.items():
        ends = [("vpn_sites", name, site["subnets"], WARNING)]
        ends += [
            ("vpn_hubs", hub, description.hubs[hub]["subnets"], ERROR)
            for hub in site["hubs"]
            if hub in description.hubs
        ]
        for kind, owner, subnets, severity in ends:
            inside = [subnet for subnet in subnets if _addresses.overlaps_any(site["gateway"], [subnet])]
            if inside:
                yield finding(
                    "gateway-inside", name, f"vpn_sites.{name}.gateway", site["gateway"],
                    f"lies in {inside[0]} of {kind}.{owner}.subnets, which the tunnel is to carry.",
                    "Write the site's public address, or take the subnet that it lies in out.",
                    "RFC 4301 section 4.4.1", severity,
                )  # fmt: skip


def _one_hub_a_vpc(description: Description) -> Found:
    """A VPC has one VPN service: two hubs would each make it their own, in turns. By name only, so that it may be another one."""
    hubs: dict[tuple[str, ...], str] = {}
    for name, hub in description.hubs.items():
        other = hubs.setdefault(tuple(str(hub[field]) for field in ("cloud", "vpc", "provider")), name)
        if other != name:
            yield finding(
                "shared-vpc", name, f"vpn_hubs.{name}.vpc", hub["vpc"],
                f"is the VPC of hub {other} too, as far as the names tell; the two would take its one VPN service from each other.",
                f"Describe its sites at hub {other}; where each host has a login of its own (OS_CLOUD), name it as `cloud` here.",
            )  # fmt: skip


def _distinct_peers(description: Description) -> Found:
    """A hub tells its sites apart by their gateway and by their IKE identity."""
    for hub, names in _sites_by_hub(description).items():
        gateways: dict[str, str] = {}
        identities: dict[str, str] = {}
        for name in names:
            site = description.sites[name]
            gateway = _addresses.address(site["gateway"])
            # No end tells a name from the same in capitals or behind an @, nor an address from the same written otherwise.
            identity = _addresses.address(((site["id"] or {}).get("value") or gateway or "").lower().lstrip("@"))
            if gateway == _addresses.address(description.hubs[hub]["gateway"]):
                yield finding(
                    "gateway-is-own", name, f"vpn_sites.{name}.gateway", site["gateway"],
                    f"is the gateway of hub {hub} itself.", "Write the site's public address.", VPN_PAGE,
                )  # fmt: skip
            same_gateway = gateways.setdefault(gateway, name)
            if same_gateway != name:
                yield _same_peer("duplicate-gateway", name, "gateway", "gateway", site["gateway"], hub, same_gateway)
            same_id = identities.setdefault(identity, name)
            if same_id not in (name, same_gateway):
                yield _same_peer("duplicate-id", name, "id", "IKE identity", identity, hub, same_id)


def _same_peer(code: str, site: str, field: str, what: str, value: str, hub: str, other: str) -> Finding:
    return finding(
        code, site, f"vpn_sites.{site}.{field}", value,
        f"hub {hub} reaches {other} by the same {what} {value}; the two would replace each other.",
        f"Give each site of a hub its own {what}.", "strongSwan: uniqueids, secrets are chosen by the peer's identity",
        scope=f"hub {hub}",  # which of the two is wrong, nobody can tell
    )  # fmt: skip


def _rules_of_no_group(description: Description) -> Found:
    """Rules are made in the hub's security groups only. Any protocol is the default, and no more than what a site without rules has."""
    for hub, names in _sites_by_hub(description).items():
        for name in names if not description.hubs[hub]["security_groups"] else ():
            rules = description.sites[name]["security_group_rules"]
            if any(rule["protocol"].lower() != "any" for rule in rules):
                yield finding(
                    "no-security-group", name, f"vpn_sites.{name}.security_group_rules", listed(rule["protocol"] for rule in rules),
                    f"hub {hub} names no security group, so the rules are made in none, and those of earlier runs go.",
                    f"Name the groups in vpn_hubs.{hub}.security_groups, or leave the rules out.", "docs/reference/description.md",
                )  # fmt: skip


def _subnets(description: Description) -> Found:
    for kind, entries in (("vpn_hubs", description.hubs), ("vpn_sites", description.sites)):
        for name, entry in entries.items():
            if not entry["subnets"]:
                yield finding(
                    "no-subnets", name, f"{kind}.{name}.subnets", "[]", "the list is empty: nothing could talk.",
                    "List the subnets that the other end may reach.", VPN_PAGE,
                )  # fmt: skip
            for index, subnet in enumerate(entry["subnets"]):
                field = f"{kind}.{name}.subnets[{index}]"
                if not _addresses.is_prefix(subnet):
                    if kind == "vpn_sites" or "/" in subnet:
                        yield finding(
                            "bad-subnet", name, field, subnet, f"{subnet!r} is not a subnet.",
                            "Write it as a CIDR such as 192.168.3.0/24.", NEUTRON,
                        )  # fmt: skip
                    continue
                clean = _addresses.normalize(subnet)
                block = not_routed(subnet)
                if block:
                    yield finding(
                        "reserved-subnet", name, field, subnet, f"lies in {block}, which no router forwards.", "Renumber it.",
                        "RFC 6890 section 2.2",
                    )  # fmt: skip
                elif "-" in clean:
                    yield finding(
                        "bad-subnet", name, field, subnet, "a range that is no CIDR cannot be a VPN's subnet.",
                        "Split it into CIDRs.", NEUTRON,
                    )  # fmt: skip
                elif _addresses.has_host_bits(subnet):
                    yield finding(
                        "host-bits", name, field, subnet, f"has host bits; {clean} is used at both ends.",
                        f"Write {clean}.",
                    )  # fmt: skip


def _routers(description: Description) -> Found:
    """A router runs one platform, and has one way to a subnet."""
    for router, names in _sites_by_router(description).items():
        sites = {name: description.sites[name] for name in names}
        platforms = sorted({site["platform"] for site in sites.values()})
        ways: dict[str, dict[str, str]] = {}
        for name, site in sites.items():
            if len(platforms) > 1:
                yield finding(
                    "router-platforms", name, f"vpn_sites.{name}.platform", site["platform"],
                    f"router {router} would have to run {' and '.join(platforms)}.", "Give all sites of a router one platform.",
                    "docs/reference/description.md",
                )  # fmt: skip
            routes = site["router_settings"].get("routes")
            for route in routes if isinstance(routes, list) else []:
                if isinstance(route, dict) and "to" in route:
                    ways.setdefault(str(route["to"]), {})[name] = str(route.get("via"))
        for to, via in ways.items():
            if len(set(via.values())) > 1:
                for name in via:
                    yield finding(
                        "router-routes", name, f"vpn_sites.{name}.router_settings.routes", to,
                        f"router {router} would have to reach {to} by {' and by '.join(sorted(set(via.values())))}.",
                        "Give it one next hop.", "docs/reference/description.md",
                    )  # fmt: skip


def _sites_by_router(description: Description) -> dict[str, list[str]]:
    out: dict[str, list[str]] = {}
    for name, site in description.sites.items():
        out.setdefault(site["router"], []).append(name)
    return out


def _probes(description: Description) -> Found:
    for name, site in description.sites.items():
        for index, probe in enumerate(site["probe"]):
            if not isinstance(probe, dict) or set(probe) != {"from", "to"}:
                yield finding(
                    "bad-probe", name, f"vpn_sites.{name}.probe[{index}]", probe, "a probe has a `from` and a `to`.",
                    "Write {from: 192.168.3.10, to: 192.168.1.10}.", "docs/reference/description.md",
                )  # fmt: skip
                continue
            hubs = [
                subnet for hub in site["hubs"] if hub in description.hubs for subnet in description.hubs[hub]["subnets"]
            ]
            for end, subnets in (("from", site["subnets"]), ("to", hubs)):
                if _outside(str(probe[end]), subnets):
                    yield finding(
                        "probe-outside", name, f"vpn_sites.{name}.probe[{index}].{end}", probe[end],
                        "lies in none of the subnets that the tunnel carries, so it proves nothing.",
                        "Name a host in one of them.", "docs/reference/description.md", WARNING,
                    )  # fmt: skip


def _probes_not_let_in(description: Description) -> Found:
    """Whose rules let no ping in would be told by verify, at the end, that the proof failed. Of groups that the hub does not name
    nobody knows what they let in.
    """
    for hub, names in _sites_by_hub(description).items():
        subnets, groups = description.hubs[hub]["subnets"], description.hubs[hub]["security_groups"]
        for name in names if groups else ():
            site = description.sites[name]
            asked = [str(one.get("to")) for one in site["probe"] if isinstance(one, dict)]
            versions = {_topology.family(to) or 4 for to in asked if not _outside(to, subnets)}
            protocols = [rule["protocol"].lower() for rule in site["security_group_rules"]]
            open_to = {str(PROTOCOLS.get(protocol, protocol)) for protocol in protocols}
            if any(not open_to & _PINGS[version] for version in versions):
                yield finding(
                    "probe-not-let-in", name, f"vpn_sites.{name}.security_group_rules", listed(protocols),
                    f"no rule lets the pings of the site's probe into the security groups of hub {hub}, so verify's proof must fail.",
                    "Add {protocol: icmp}, or take the probe out; ignore this where another rule lets pings in.",
                )  # fmt: skip


# By IP version, the protocols of a rule that lets an echo request in; 1 is ICMPv6 in a rule for IPv6.
_PINGS = {4: {"any", "0", "1"}, 6: {"any", "0", "1", "58"}}


def _outside(address: str, subnets: t.Sequence[str]) -> bool:
    """Tell whether an address is surely in none of the subnets; names are not judged."""
    if not _addresses.is_address(address) or not all(map(_addresses.is_prefix, subnets)):
        return False
    return not any(_addresses.parse(subnet).covers(_addresses.parse(address)) for subnet in subnets)


def _sites_by_hub(description: Description) -> dict[str, list[str]]:
    out: dict[str, list[str]] = {hub: [] for hub in description.hubs}
    for name, site in description.sites.items():
        for hub in site["hubs"]:
            if hub in out:
                out[hub].append(name)
    return out


RULES: tuple[t.Callable[[Description], Found], ...] = (
    references,
    _written_addresses,
    _private_gateways,
    _behind_nat,
    _gateway_inside,
    _one_hub_a_vpc,
    _distinct_peers,
    _rules_of_no_group,
    _subnets,
    _routers,
    _probes,
    _probes_not_let_in,
)
