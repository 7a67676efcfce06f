# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""Rules over one object: what the API would refuse, or would take and then not do, told before the first write. Pure.

The rules of the description are used wherever they fit; their fields are put into the options' words here.
"""

from __future__ import annotations

import functools
import itertools
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import (
    _addresses,
    _description,
    _objects,
    _rules_connection,
    _rules_description,
    _rules_provider,
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
from ansible_collections.bothends.vpn.plugins.module_utils._objects import Body, differ
from ansible_collections.bothends.vpn.plugins.module_utils._providers import PROVIDERS
from ansible_collections.bothends.vpn.plugins.module_utils._single import UNKNOWN, Case, Known, users

SERVER = "neutron-vpnaas, vpn_validator.py"

# A connection in which nothing is wrong: what the rules of the description look at besides the object in question.
_HUB: dict[str, t.Any] = {"vpc": "vpc", "subnets": ["192.0.2.0/25"]}
_SITE: dict[str, t.Any] = {"hub": "hub", "gateway": "198.51.100.1", "subnets": ["192.0.2.128/25"]}


@functools.cache
def _sound() -> _description.Description:
    return _description.describe({}, {"hub": _HUB}, {"site": _SITE})


@functools.cache
def _record() -> _topology.Connection:
    return _topology.connections(_sound())[0]


# Field of a site in the rules of the description -> the option that it stands for.
_OPTIONS = {
    "underlay_mtu": "mtu", "dpd": "dpd", "dpd.action": "dpd.action", "id.value": "peer_id", "peer_id.value": "local_id",
    "peer_id": "local_id", "state": "admin_state_up", "gateway": "peer_address",
}  # fmt: skip


def _error(option: str, value: t.Any, code: str, message: str, remedy: str, source: str = SERVER) -> Finding:
    return finding(code, "", option, value, message, remedy, source)


def _hub(provider: str) -> dict[str, t.Any]:
    return {**_sound().hubs["hub"], "provider": provider}


def _peer_findings(change: dict[str, t.Any], provider: str) -> Found:
    """Check what concerns the site's end, in a connection that is sound otherwise."""
    record = t.cast(_topology.Connection, {**_record(), "site": "", **change})
    for check in (*_rules_connection.OF_A_PEER, *_rules_provider.RULES):
        yield from check(record, _hub(provider))


# --- policies -------------------------------------------------------------------------------------------------------


def policy(phase: str, proposal: dict[str, t.Any], provider: str) -> Found:
    """Check one proposal as the description's are checked."""
    # The other proposal of the pair is not known here, so its lifetime is made to fit.
    pair = {part: {**t.cast(t.Any, _record())[part], "lifetime": proposal["lifetime"]} for part in ("ike", "ipsec")}
    pair[phase] = {**pair[phase], **proposal}
    record = t.cast(_topology.Connection, {**_record(), "policy": "", **pair, "platform": provider})
    for check in (*_rules_connection.OF_A_POLICY, *_rules_provider.RULES, *_rules_strength.RULES):
        for one in check(record, _hub(provider)):
            path, _dot, option = one["field"].rpartition(".")
            if path.endswith(f".{phase}"):
                message = one["message"].replace(f" (connection {record['name']})", "")
                yield t.cast(Finding, {**one, "field": option, "message": message})


# --- endpoint groups ------------------------------------------------------------------------------------------------


def endpoints(case: Case) -> Found:
    """A group has endpoints, each once, of one IP version."""
    yield from _endpoint_values(case.body["type"], case.body["endpoints"])
    if case.body["type"] in ("cidr", "subnet"):
        yield from _one_version("endpoints", _prefixes(case.body["type"], case.body["endpoints"], case.known))


def _endpoint_values(kind: str, values: t.Sequence[str]) -> Found:
    if not values:
        yield _error("endpoints", "[]", "no-endpoints", "the list is empty.", "Name at least one endpoint.")
    for value in sorted({one for one in values if values.count(one) > 1} - {UNKNOWN}):
        yield _error("endpoints", value, "duplicate", f"{value} is there twice.", "Name each endpoint once.")
    if kind == "cidr":
        yield from _cidrs("endpoints", values)
    for value in values if kind == "vlan" else ():
        if not value.isdecimal() or not 1 <= int(value) <= 4094:
            yield _error("endpoints", value, "bad-vlan", f"{value!r} is no VLAN.", "Write 1 to 4094.", "IEEE 802.1Q")


def _cidrs(option: str, values: t.Sequence[str]) -> Found:
    good = []
    for value in values:
        if not _addresses.is_prefix(value) or "-" in _addresses.normalize(value):
            yield _error(option, value, "bad-subnet", f"{value!r} is no CIDR.", "Write it like 192.168.3.0/24.")
        elif value not in good:
            good.append(value)
    for one, other in _addresses.overlaps([_addresses.parse(value) for value in good]):
        yield _error(
            option, good[other], "overlap", f"{good[other]} overlaps {good[one]} of the same list.",
            "Name the wider one only, or narrow one of the two.", VPN_PAGE,
        )  # fmt: skip


def _one_version(option: str, prefixes: t.Iterable[_addresses.Prefix]) -> Found:
    if len({one.version for one in prefixes}) > 1:
        yield _error(
            option, "IPv4, IPv6", "mixed-versions", "IPv4 and IPv6 do not go into one connection.",
            "Make one group, and one connection, for each.",
        )  # fmt: skip


def _prefixes(kind: str, values: t.Iterable[str], known: Known) -> list[_addresses.Prefix]:
    """Read what can be read; the rest is told by another rule, or not known yet."""
    texts = values if kind == "cidr" else [(known.get("subnets", value) or {}).get("cidr") for value in values]
    return [_addresses.parse(text) for text in texts if text and _addresses.is_prefix(text)]


# --- VPN services ---------------------------------------------------------------------------------------------------


def only_service(case: Case) -> Found:
    """The cloud realises one VPN service of a router; a second one would stay in creation for ever."""
    others = [] if case.there else [
        one for one in case.known.snapshot["vpn_service"] if one["router_id"] == case.body.get("router_id")
    ]  # fmt: skip
    for one in others:
        yield _error(
            "vpc", case.params["vpc"], "second-service",
            f"the VPC has the VPN service {one['name'] or '(no name)'} ({one['id']}) already, and a second one would never work.",
            "Use that one, by its id or name; or remove it first.", "neutron-vpnaas 29.0.0, strongSwan driver",
        )  # fmt: skip


def not_begun(case: Case) -> Found:
    """A service is in creation until its first connection is there, and refuses changes as long."""
    there = case.there
    if not there or there.get("status") != "PENDING_CREATE" or users("vpn_service", there["id"], case.known.snapshot):
        return
    for option in ("name", "description", "admin_state_up"):
        if differ(option, case.body, there):
            yield _error(
                option, case.body[option], "not-begun", "the service has no connection yet, is Creating until then and cannot be changed.",
                "Make its first connection before, or remove the service and make it anew.",
            )  # fmt: skip


def gateway_of_router(case: Case) -> Found:
    """A VPN needs a way out."""
    router = case.known.get("routers", case.body.get("router_id"))
    if router and not case.there and not router.get("external_gateway_info"):
        yield _error("vpc", router["name"], "no-gateway", "the router has no external gateway.", "Give it one first.")


def subnet_of_router(case: Case) -> Found:
    """The old form's subnet must be attached."""
    subnet = case.known.get("subnets", case.body.get("subnet_id"))
    if subnet and not case.there:
        yield from _attached("subnet", [subnet], case)


def _attached(option: str, subnets: t.Iterable[Body], case: Case) -> Found:
    ports = case.known.snapshot.get("ports", [])
    attached = {address["subnet_id"] for port in ports for address in port["fixed_ips"]}
    for subnet in subnets:
        if ports and subnet["id"] not in attached:
            yield _error(
                option, subnet["cidr"], "not-attached", f"subnet {subnet['name'] or subnet['id']} ({subnet['cidr']}) is not attached to "
                "the VPC's router.", "Attach it, or name another.",
            )  # fmt: skip


# --- site connections -----------------------------------------------------------------------------------------------


def values(case: Case) -> Found:
    """MTU, dead peer detection and identities, as the description's are checked."""
    body = case.body
    here, there = ([str(one) for one in find(body, case.known)] for find in (_locals, _peers))
    change = {
        "underlay_mtu": int(body["mtu"]),
        "dpd": {**body["dpd"], **{part: int(body["dpd"][part]) for part in ("interval", "timeout")}},
        "remote": {
            **_record()["remote"],
            "id": _identity(body["peer_id"]),
            "gateway": body["peer_address"],
            "subnets": there,
        },
        "local": {**_record()["local"], "id": _identity(body.get("local_id")), "subnets": here},
        "state": "present" if body["admin_state_up"] else "disabled",
    }
    for one in _peer_findings(change, case.params["provider"]):
        option = _OPTIONS.get(one["field"].removeprefix("vpn_sites.."), _peer_option(case))
        if case.asks(option):
            yield t.cast(Finding, {**one, "field": option})


def not_taken(case: Case) -> Found:
    """Not every provider's API takes every field of a connection."""
    row = PROVIDERS[case.params["provider"]]
    for option in ("description", "local_id"):
        if option in row.not_written and case.params[option]:
            yield _error(
                option, case.params[option], "provider-fixed", f"{row.name} takes none there.", "Leave it out.", row.said("not_written")
            )  # fmt: skip


def lengths(case: Case) -> Found:
    """Names and descriptions have a greatest length."""
    row = PROVIDERS[case.params["provider"]]
    for option, most in (("name", row.name_length), ("description", row.description_length)):
        text = case.params[option] or ""
        if len(text) > most:
            yield _error(
                option, text, "name-too-long", f"it has {len(text)} characters, and {row.name} takes {most}.", "Shorten it.",
                row.said(f"{option}_length"),
            )  # fmt: skip


def _identity(value: str | None) -> dict[str, str] | None:
    return {"type": _description.id_type(value), "value": value} if value else None


def key(case: Case) -> Found:
    """A key that the provider takes; one that is there stays unless another is given."""
    if case.params["psk"] is not None:
        record = {**_record(), "name": case.name, "site": case.name, "psk": case.params["psk"]}
        for one in _rules_connection.psk(t.cast(_topology.Connection, record), _hub(case.params["provider"])):
            yield t.cast(Finding, {**one, "field": "psk"})


def form(case: Case) -> Found:
    """A service with a subnet takes peer_cidrs, one without takes endpoint groups."""
    service = case.known.get("vpn_service", case.body["vpnservice_id"])
    groups = [option for option, field in _GROUPS.items() if case.body.get(field)]
    if service and service.get("subnet_id"):
        for option in groups:
            yield _error(
                option, "", "two-forms", "the VPN service has a subnet, and then a connection has no endpoint groups.",
                "Give peer_cidrs instead.",
            )  # fmt: skip
        if not case.body.get("peer_cidrs"):
            yield _error(
                "peer_cidrs", "[]", "no-peer-cidrs", "the VPN service has a subnet, so the connection needs peer_cidrs.",
                "Give the site's CIDRs.",
            )  # fmt: skip
        return
    if service and case.body.get("peer_cidrs"):
        yield _error(
            "peer_cidrs", case.body["peer_cidrs"], "two-forms", "the VPN service has no subnet, so the connection takes endpoint groups.",
            "Give local_endpoint_group and peer_endpoint_group instead.",
        )  # fmt: skip
    for option in [option for option in _GROUPS if service and option not in groups]:
        yield _error(option, "", "no-group", "the connection needs both endpoint groups.", "Give it.")


_GROUPS = {"local_endpoint_group": "local_ep_group_id", "peer_endpoint_group": "peer_ep_group_id"}
_GROUP_TYPES = {"local_endpoint_group": "subnet", "peer_endpoint_group": "cidr"}


def group_types(case: Case) -> Found:
    """The VPC's end is named by subnets, the site's by CIDRs."""
    for option, field in _GROUPS.items():
        group = case.known.get("endpoint_group", case.body.get(field))
        if group and group["type"] != _GROUP_TYPES[option]:
            yield _error(
                option, group["name"] or group["id"], "group-type", f"the group is of type {group['type']}, but must be of type "
                f"{_GROUP_TYPES[option]}.", "Name another group.",
            )  # fmt: skip


def _local_subnets(connection: Body, known: Known) -> list[Body]:
    service = known.get("vpn_service", connection["vpnservice_id"]) or {}
    group = known.get("endpoint_group", connection.get("local_ep_group_id")) or {}
    identifiers = [service["subnet_id"]] if service.get("subnet_id") else group.get("endpoints", [])
    return [one for one in known.snapshot["subnets"] if one["id"] in identifiers]


def _locals(connection: Body, known: Known) -> list[_addresses.Prefix]:
    return _prefixes("cidr", [one["cidr"] for one in _local_subnets(connection, known)], known)


def _peers(connection: Body, known: Known) -> list[_addresses.Prefix]:
    group = known.get("endpoint_group", connection.get("peer_ep_group_id")) or {}
    return _prefixes("cidr", connection.get("peer_cidrs") or group.get("endpoints", []), known)


def _peer_option(case: Case) -> str:
    return "peer_cidrs" if case.body.get("peer_cidrs") else "peer_endpoint_group"


def peer_cidrs(case: Case) -> Found:
    """A list of CIDRs is checked as a group of them is."""
    listed = case.body.get("peer_cidrs") or []
    for value in sorted({one for one in listed if listed.count(one) > 1}):
        yield _error("peer_cidrs", value, "duplicate", f"{value} is there twice.", "Name each CIDR once.")
    yield from _cidrs("peer_cidrs", listed)


def selectors(case: Case) -> Found:
    """Which traffic goes where must be plain: attached, of one IP version, and no address at both ends."""
    here, there, option = _locals(case.body, case.known), _peers(case.body, case.known), _peer_option(case)
    yield from _one_version(option, [*here, *there])
    yield from _attached("local_endpoint_group", _local_subnets(case.body, case.known), case)
    for one, other in itertools.product(here, there):
        if one.overlaps(other):
            yield _error(
                option, other, "overlap-hub-site", f"{other} of the peer overlaps {one} of the VPC.",
                "Renumber or narrow one of the two.", VPN_PAGE,
            )  # fmt: skip


def one_pair(case: Case) -> Found:
    """IKEv1 carries one pair of subnets a tunnel."""
    ike = case.known.get("ike_policy", case.body["ikepolicy_id"]) or {}
    pairs = len(_locals(case.body, case.known)) * len(_peers(case.body, case.known))
    if ike.get("ike_version") == "v1" and pairs > 1:
        yield _error(
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
                yield _error(
                    _peer_option(case), one, "overlap-sites", f"{one} overlaps {that} of connection {name} of the same VPN service.",
                    "Renumber or narrow one of the two.", VPN_PAGE,
                )  # fmt: skip
        alike, addresses = (
            [_addresses.address(end[field]) for end in (case.body, other)] for field in ("peer_id", "peer_address")
        )
        row = PROVIDERS[case.params["provider"]]
        if row.one_connection_a_peer and addresses[0] == addresses[1]:
            yield _error(
                "peer_address", addresses[0], "one-connection-a-peer", f"connection {name} leads there already, and {row.name} takes one.",
                "Put all subnets into that one.", row.said("one_connection_a_peer"),
            )  # fmt: skip
        if alike[0] == alike[1] and addresses[0] != addresses[1]:
            yield _error(
                "peer_id", case.body["peer_id"], "duplicate-id", f"connection {name} leads to another address by the same identity; the "
                "two would replace each other.", "Give each peer its own identity.", "strongSwan: uniqueids",
            )  # fmt: skip


def peer(case: Case) -> Found:
    """The peer is one address that is neither the VPN's own nor inside the VPC, and can be reached from its gateway."""
    text = case.body["peer_address"]
    if not _addresses.is_address(text):
        yield _error(
            "peer_address", text, "bad-address", f"{text!r} is no IP address; the server would put in what a name is now.",
            "Write the address.",
        )  # fmt: skip
        return
    if _addresses.overlaps_any(text, _rules_description.NO_HOSTS):
        yield _error(
            "peer_address", text, "bad-address", "it is no address that a gateway can have.", "Write the site's public address.",
            "RFC 6890 section 2.2",
        )  # fmt: skip
    address = _addresses.parse(text)
    service = case.known.get("vpn_service", case.body["vpnservice_id"]) or {}
    own = {_addresses.address(service.get(field)) for field in ("external_v4_ip", "external_v6_ip")}
    if _addresses.address(text) in own:
        yield _error(
            "peer_address",
            text,
            "gateway-is-own",
            "it is the VPN service's own address.",
            "Write the site's.",
            VPN_PAGE,
        )
    for subnet in _locals(case.body, case.known):
        if subnet.covers(address):
            yield _error(
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
        yield _error(
            "peer_address", text, "no-gateway", f"the VPC's router has no IPv{address.version} address outside.",
            "Use an address of the other version, or give the external network such a subnet.",
        )  # fmt: skip


def peer_identity(case: Case) -> Found:
    """An empty identity goes as it is into the daemon's file."""
    if not case.body["peer_id"]:
        yield _error("peer_id", "", "bad-id", "the identity is empty.", "Leave it out to take peer_address.", NEUTRON)


def policies(case: Case) -> Found:
    """The pair of policies must make a tunnel."""
    ike = case.known.get("ike_policy", case.body["ikepolicy_id"])
    ipsec = case.known.get("ipsec_policy", case.body["ipsecpolicy_id"])
    if ipsec and ipsec["transform_protocol"] == "ah-esp":
        yield _error(
            "ipsec_policy", ipsec["name"], "ah-esp", "no driver takes transform_protocol ah-esp.", "Name a policy with esp.",
            "neutron-vpnaas, ipsec_validator.py",
        )  # fmt: skip
    if ike and ipsec:
        pair = {"ike": ike, "ipsec": ipsec}
        record: dict[str, t.Any] = {**_record()}
        for part, one in pair.items():
            record[part] = {**record[part], "lifetime": _objects.normal("lifetime", one)}
        for check in _rules_strength.RULES:
            for one in check(t.cast(_topology.Connection, record), _hub(case.params["provider"])):
                if one["code"] == "lifetime-order":  # what concerns one of them alone was told when it was made
                    yield t.cast(Finding, {**one, "field": "ipsec_policy"})


# --- security-group rules -------------------------------------------------------------------------------------------

_REMOTES = ("remote_ip_prefix", "remote_group", "remote_address_group")
_ONLY_IPV6 = ("41", "43", "44", "58", "59", "60")
GROUPS = "neutron, securitygroups_db.py"


def ethertype(rule: dict[str, t.Any]) -> str:
    """Give the rule's IP version as the API writes it: as said, else as its prefix or protocol says."""
    prefix = rule["remote_ip_prefix"]
    if prefix and _addresses.is_prefix(prefix) and not rule["ethertype"]:
        return f"IPv{_addresses.parse(prefix).version}"
    return rule["ethertype"] or ("IPv6" if _objects.normal("protocol", rule) in _ONLY_IPV6 else "IPv4")


def group_rule(index: int, rule: dict[str, t.Any]) -> Found:
    """Check one rule of a security group."""
    here = f"rules[{index}]"
    spoken = {"protocol": rule["protocol"], "ports": rule["ports"]}
    for one in _peer_findings({"security_group_rules": [spoken]}, "neutron"):
        yield t.cast(Finding, {**one, "field": f"{here}.{one['field'].rpartition('.')[2]}"})
    remotes = [option for option in _REMOTES if rule[option]]
    if len(remotes) > 1:
        yield _error(
            f"{here}.{remotes[1]}", rule[remotes[1]], "two-remotes", f"a rule has one remote end, not {' and '.join(remotes)}.",
            "Write a rule for each.", GROUPS,
        )  # fmt: skip
    yield from _group_prefix(f"{here}.remote_ip_prefix", rule)
    number = _objects.normal("protocol", {**rule, "ethertype": "IPv4"})
    if number in _ONLY_IPV6 and ethertype(rule) == "IPv4":
        yield _error(
            f"{here}.protocol", rule["protocol"], "only-ipv6", "is a protocol of IPv6.", "Write ethertype IPv6.", GROUPS
        )
    yield from _icmp(here, rule, number)


def _group_prefix(option: str, rule: dict[str, t.Any]) -> Found:
    prefix = rule["remote_ip_prefix"]
    if not prefix:
        return
    if not _addresses.is_prefix(prefix) or "-" in _addresses.normalize(prefix):
        yield _error(option, prefix, "bad-subnet", f"{prefix!r} is no CIDR.", "Write it like 192.168.3.0/24.", GROUPS)
    elif ethertype(rule) != f"IPv{_addresses.parse(prefix).version}":
        yield _error(option, prefix, "mixed-versions", f"is not {rule['ethertype']}.", "Leave ethertype out.", GROUPS)


def _icmp(here: str, rule: dict[str, t.Any], number: str | None) -> Found:
    for option in ("icmp_type", "icmp_code"):
        if rule[option] is not None and number not in ("1", "58"):
            yield _error(
                f"{here}.{option}", rule[option], "no-icmp", f"protocol {rule['protocol']} has none.", "Write protocol icmp.", GROUPS
            )  # fmt: skip
        elif rule[option] is not None and not 0 <= rule[option] <= 255:
            yield _error(f"{here}.{option}", rule[option], "bad-icmp", "is not in 0 to 255.", "Correct it.", GROUPS)
    if rule["icmp_code"] is not None and rule["icmp_type"] is None:
        yield _error(
            f"{here}.icmp_code", rule["icmp_code"], "no-icmp-type", "a code needs its type.", "Give icmp_type.", GROUPS
        )
