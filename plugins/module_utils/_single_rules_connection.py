# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""Rules over one site connection and what it refers to, told before the first write. Pure."""

from __future__ import annotations

import itertools
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import (
    _addresses,
    _description,
    _objects,
    _rules_connection,
    _rules_description,
    _rules_strength,
    _topology,
)
from ansible_collections.bothends.vpn.plugins.module_utils._findings import (
    NEUTRON,
    VPN_PAGE,
    WARNING,
    Finding,
    Found,
    finding,
)
from ansible_collections.bothends.vpn.plugins.module_utils._objects import Body
from ansible_collections.bothends.vpn.plugins.module_utils._providers import PROVIDERS
from ansible_collections.bothends.vpn.plugins.module_utils._single import Case, Known
from ansible_collections.bothends.vpn.plugins.module_utils._single_rules import (
    attached,
    cidrs,
    error,
    host_bits,
    hub_of,
    one_version,
    peer_findings,
    prefixes,
    sound_record,
)

# Field of a site in the rules of the description -> the option that it stands for.
_OPTIONS = {
    "underlay_mtu": "mtu", "dpd": "dpd", "dpd.action": "dpd.action", "id.value": "peer_id", "peer_id.value": "local_id",
    "peer_id": "local_id", "state": "admin_state_up", "gateway": "peer_address",
}  # fmt: skip


def values(case: Case) -> Found:
    """MTU, dead peer detection and identities, as the description's are checked."""
    body = case.body
    here, there = ([str(one) for one in find(body, case.known)] for find in (_locals, _peers))
    change = {
        "underlay_mtu": int(body["mtu"]),
        "dpd": {**body["dpd"], **{part: int(body["dpd"][part]) for part in ("interval", "timeout")}},
        "remote": {
            **sound_record()["remote"],
            "id": _identity(body["peer_id"]),
            "gateway": body["peer_address"],
            "address": None,
            "subnets": there,
        },
        "local": {**sound_record()["local"], "id": _identity(body.get("local_id")), "subnets": here},
        "state": "present" if body["admin_state_up"] else "disabled",
    }
    for one in peer_findings(change, case.params["provider"]):
        option = _OPTIONS.get(one["field"].removeprefix("vpn_sites.."), _peer_option(case))
        if case.asks(option):
            yield t.cast(Finding, {**one, "field": option})


def not_taken(case: Case) -> Found:
    """Not every provider's API takes every field of a connection."""
    row = PROVIDERS[case.params["provider"]]
    for option in ("description", "local_id"):
        if option in row.not_written and case.params[option]:
            yield error(
                option, case.params[option], "provider-fixed", f"{row.name} takes none there.", "Leave it out.", row.said("not_written")
            )  # fmt: skip


def _identity(value: str | None) -> dict[str, str] | None:
    return {"type": _description.id_type(value), "value": value} if value else None


def key(case: Case) -> Found:
    """A key that the provider takes; one that is there stays unless another is given."""
    if case.params["psk"] is not None:
        record = {**sound_record(), "name": case.name, "site": case.name, "psk": case.params["psk"]}
        for one in _rules_connection.psk(t.cast(_topology.Connection, record), hub_of(case.params["provider"])):
            yield t.cast(Finding, {**one, "field": "psk"})


def form(case: Case) -> Found:
    """A service with a subnet takes peer_cidrs, one without takes endpoint groups."""
    service = case.known.get("vpn_service", case.body["vpnservice_id"])
    groups = [option for option, field in _GROUPS.items() if case.body.get(field)]
    if service and service.get("subnet_id"):
        for option in groups:
            yield error(
                option, "", "two-forms", "the VPN service has a subnet, and then a connection has no endpoint groups.",
                "Give peer_cidrs instead.",
            )  # fmt: skip
        if not case.body.get("peer_cidrs"):
            yield error(
                "peer_cidrs", "[]", "no-peer-cidrs", "the VPN service has a subnet, so the connection needs peer_cidrs.",
                "Give the site's CIDRs.",
            )  # fmt: skip
        return
    if service and case.body.get("peer_cidrs"):
        yield error(
            "peer_cidrs", case.body["peer_cidrs"], "two-forms", "the VPN service has no subnet, so the connection takes endpoint groups.",
            "Give local_endpoint_group and peer_endpoint_group instead.",
        )  # fmt: skip
    for option in [option for option in _GROUPS if service and option not in groups]:
        yield error(option, "", "no-group", "the connection needs both endpoint groups.", "Give it.")


_GROUPS = {"local_endpoint_group": "local_ep_group_id", "peer_endpoint_group": "peer_ep_group_id"}
_GROUP_TYPES = {"local_endpoint_group": "subnet", "peer_endpoint_group": "cidr"}


def group_types(case: Case) -> Found:
    """The VPC's end is named by subnets, the site's by CIDRs."""
    for option, field in _GROUPS.items():
        group = case.known.get("endpoint_group", case.body.get(field))
        if group and group["type"] != _GROUP_TYPES[option]:
            yield error(
                option, group["name"] or group["id"], "group-type", f"the group is of type {group['type']}, but must be of type "
                f"{_GROUP_TYPES[option]}.", "Name another group.",
            )  # fmt: skip


def _local_subnets(connection: Body, known: Known) -> list[Body]:
    service = known.get("vpn_service", connection["vpnservice_id"]) or {}
    group = known.get("endpoint_group", connection.get("local_ep_group_id")) or {}
    identifiers = [service["subnet_id"]] if service.get("subnet_id") else group.get("endpoints", [])
    return [one for one in known.snapshot["subnets"] if one["id"] in identifiers]


def _locals(connection: Body, known: Known) -> list[_addresses.Prefix]:
    return prefixes("cidr", [one["cidr"] for one in _local_subnets(connection, known)], known)


def _peers(connection: Body, known: Known) -> list[_addresses.Prefix]:
    group = known.get("endpoint_group", connection.get("peer_ep_group_id")) or {}
    return prefixes("cidr", connection.get("peer_cidrs") or group.get("endpoints", []), known)


def _peer_option(case: Case) -> str:
    return "peer_cidrs" if case.body.get("peer_cidrs") else "peer_endpoint_group"


def peer_cidrs(case: Case) -> Found:
    """A list of CIDRs is checked as a group of them is."""
    listed = case.body.get("peer_cidrs") or []
    for value in sorted({one for one in listed if listed.count(one) > 1}):
        yield error("peer_cidrs", value, "duplicate", f"{value} is there twice.", "Name each CIDR once.")
    yield from cidrs("peer_cidrs", listed)
    yield from host_bits("peer_cidrs", case.params["peer_cidrs"] or [])


def selectors(case: Case) -> Found:
    """Which traffic goes where must be plain: attached, of one IP version, and no address at both ends."""
    here, there, option = _locals(case.body, case.known), _peers(case.body, case.known), _peer_option(case)
    yield from one_version(option, [*here, *there])
    yield from attached("local_endpoint_group", _local_subnets(case.body, case.known), case)
    for one, other in itertools.product(here, there):
        if one.overlaps(other):
            yield error(
                option, other, "overlap-hub-site", f"{other} of the peer overlaps {one} of the VPC.",
                "Renumber or narrow one of the two.", VPN_PAGE,
            )  # fmt: skip


def one_pair(case: Case) -> Found:
    """IKEv1 carries one pair of subnets a tunnel."""
    ike = case.known.get("ike_policy", case.body["ikepolicy_id"]) or {}
    pairs = len(_locals(case.body, case.known)) * len(_peers(case.body, case.known))
    if ike.get("ike_version") == "v1" and pairs > 1:
        yield error(
            _peer_option(case), pairs, "ikev1-combined", f"IKEv1 carries one pair of subnets, not {pairs}; the others would be lost.",
            "Use IKEv2, or make one connection for each pair.", "RFC 2409 section 5.5",
        )  # fmt: skip


def neighbours(case: Case) -> Found:
    """Connections of one service must be told apart: by what they carry, and by the peer's identity."""
    here, there = _locals(case.body, case.known), _peers(case.body, case.known)
    for other in case.known.snapshot["site_connection"]:
        if other["vpnservice_id"] != case.body["vpnservice_id"] or other["id"] == (case.there or {}).get("id"):
            continue
        name = f"{other['name'] or '(no name)'} ({other['id']})"
        for one, that in itertools.product(there, _peers(other, case.known)):
            if one.overlaps(that) and any(
                mine.overlaps(theirs) for mine, theirs in itertools.product(here, _locals(other, case.known))
            ):
                yield error(
                    _peer_option(case), one, "overlap-sites", f"{one} overlaps {that} of connection {name} of the same VPN service.",
                    "Renumber or narrow one of the two.", VPN_PAGE,
                )  # fmt: skip
        alike, addresses = (
            [_addresses.address(end[field]) for end in (case.body, other)] for field in ("peer_id", "peer_address")
        )
        row = PROVIDERS[case.params["provider"]]
        if row.one_connection_a_peer and addresses[0] == addresses[1]:
            yield error(
                "peer_address", addresses[0], "one-connection-a-peer", f"connection {name} leads there already, and {row.name} takes one.",
                "Put all subnets into that one.", row.said("one_connection_a_peer"),
            )  # fmt: skip
        if alike[0] == alike[1] and addresses[0] != addresses[1]:
            yield error(
                "peer_id", case.body["peer_id"], "duplicate-id", f"connection {name} leads to another address by the same identity; the "
                "two would replace each other.", "Give each peer its own identity.", "strongSwan: uniqueids",
            )  # fmt: skip


def peer(case: Case) -> Found:
    """The peer is one address that is neither the VPN's own nor inside the VPC, and can be reached from its gateway."""
    text = case.body["peer_address"]
    if not _addresses.is_address(text):
        yield error(
            "peer_address", text, "bad-address", f"{text!r} is no IP address; the server would put in what a name is now.",
            "Write the address.",
        )  # fmt: skip
        return
    if _addresses.overlaps_any(text, _rules_description.NO_HOSTS):
        yield error(
            "peer_address", text, "bad-address", "it is no address that a gateway can have.", "Write the site's public address.",
            "RFC 6890 section 2.2",
        )  # fmt: skip
    address = _addresses.parse(text)
    service = case.known.get("vpn_service", case.body["vpnservice_id"]) or {}
    own = {_addresses.address(service.get(field)) for field in ("external_v4_ip", "external_v6_ip")}
    if _addresses.address(text) in own:
        yield error(
            "peer_address",
            text,
            "gateway-is-own",
            "it is the VPN service's own address.",
            "Write the site's.",
            VPN_PAGE,
        )
    for subnet in _locals(case.body, case.known):
        if subnet.covers(address):
            yield error(
                "peer_address", text, "peer-inside", f"it lies in {subnet} of the VPC.", "Write the site's public address.", VPN_PAGE
            )  # fmt: skip
    for prefix in _peers(case.body, case.known):
        if prefix.covers(address):
            yield finding(
                "gateway-inside", "", "peer_address", text, f"it lies in {prefix}, which the tunnel is to carry.",
                "Write the site's public address, or take the subnet that it lies in out.", "RFC 4301 section 4.4.1", WARNING,
            )  # fmt: skip
    router = case.known.get("routers", service.get("router_id")) or {}
    outside = (router.get("external_gateway_info") or {}).get("external_fixed_ips", [])
    versions = {_addresses.parse(one["ip_address"]).version for one in outside}
    if versions and address.version not in versions:
        yield error(
            "peer_address", text, "no-gateway", f"the VPC's router has no IPv{address.version} address outside.",
            "Use an address of the other version, or give the external network such a subnet.",
        )  # fmt: skip


def peer_identity(case: Case) -> Found:
    """An empty identity goes as it is into the daemon's file."""
    if not case.body["peer_id"]:
        yield error("peer_id", "", "bad-id", "the identity is empty.", "Leave it out to take peer_address.", NEUTRON)


def policies(case: Case) -> Found:
    """The pair of policies must make a tunnel."""
    ike = case.known.get("ike_policy", case.body["ikepolicy_id"])
    ipsec = case.known.get("ipsec_policy", case.body["ipsecpolicy_id"])
    if ipsec and ipsec["transform_protocol"] == "ah-esp":
        yield error(
            "ipsec_policy", ipsec["name"], "ah-esp", "no driver takes transform_protocol ah-esp.", "Name a policy with esp.",
            "neutron-vpnaas, ipsec_validator.py",
        )  # fmt: skip
    if ike and ipsec:
        pair = {"ike": ike, "ipsec": ipsec}
        record: dict[str, t.Any] = {**sound_record()}
        for part, one in pair.items():
            record[part] = {**record[part], "lifetime": _objects.normal("lifetime", one)}
        for check in _rules_strength.RULES:
            for one in check(t.cast(_topology.Connection, record), hub_of(case.params["provider"])):
                if one["code"] == "lifetime-order":  # what concerns one of them alone was told when it was made
                    yield t.cast(Finding, {**one, "field": "ipsec_policy"})
