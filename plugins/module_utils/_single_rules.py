# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""Rules over one object: what the API would refuse, or would take and then not do, told before the first write. Pure.

The rules of the description are used wherever they fit; their fields are put into the options' words here.
"""

from __future__ import annotations

import functools
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import (
    _addresses,
    _description,
    _rules_connection,
    _rules_provider,
    _rules_strength,
    _topology,
)
from ansible_collections.bothends.vpn.plugins.module_utils._findings import (
    VPN_PAGE,
    Finding,
    Found,
    finding,
)
from ansible_collections.bothends.vpn.plugins.module_utils._objects import Body, differ
from ansible_collections.bothends.vpn.plugins.module_utils._providers import PROVIDERS
from ansible_collections.bothends.vpn.plugins.module_utils._single import UNKNOWN, Case, Known, Params, users
from ansible_collections.bothends.vpn.plugins.module_utils._steps import Step

SERVER = "neutron-vpnaas, vpn_validator.py"
FLAVORS = "neutron-vpnaas 29.0.0, services/vpn/plugin.py"

# A connection in which nothing is wrong: what the rules of the description look at besides the object in question.
_HUB: dict[str, t.Any] = {"vpc": "vpc", "subnets": ["192.0.2.0/25"]}
_SITE: dict[str, t.Any] = {"hub": "hub", "gateway": "198.51.100.1", "subnets": ["192.0.2.128/25"]}


@functools.cache
def _sound() -> _description.Description:
    return _description.describe({}, {"hub": _HUB}, {"site": _SITE})


@functools.cache
def sound_record() -> _topology.Connection:
    return _topology.connections(_sound())[0]


def error(option: str, value: t.Any, code: str, message: str, remedy: str, source: str = SERVER) -> Finding:
    return finding(code, "", option, value, message, remedy, source)


def hub_of(provider: str) -> dict[str, t.Any]:
    return {**_sound().hubs["hub"], "provider": provider}


def peer_findings(change: dict[str, t.Any], provider: str) -> Found:
    """Check what concerns the site's end, in a connection that is sound otherwise."""
    record = t.cast(_topology.Connection, {**sound_record(), "site": "", **change})
    for check in (*_rules_connection.OF_A_PEER, *_rules_provider.RULES):
        yield from check(record, hub_of(provider))


def lengths(case: Case) -> Found:
    """Names and descriptions have a greatest length."""
    row = PROVIDERS[case.params["provider"]]
    for option, most in (("name", row.name_length), ("description", row.description_length)):
        text = case.params[option] or ""
        if len(text) > most:
            yield error(
                option, text, "name-too-long", f"it has {len(text)} characters, and {row.name} takes {most}.", "Shorten it.",
                row.said(f"{option}_length"),
            )  # fmt: skip


# --- the server ------------------------------------------------------------------------------------------------------


def server(params: Params, needs: t.Iterable[str], known: Known) -> Found:
    """The server is what it is said to be, and has what is needed."""
    row = PROVIDERS[params["provider"]]
    asked = [option for option in ("flavor",) if params.get(option) and "vpn-flavors" in row.never]
    for option in asked:
        yield error(
            option, params[option], "provider-fixed", f"{row.name} has none.", "Leave it out.", row.said("never")
        )
    found = _rules_provider.wrong("", row.name, known.snapshot)
    for one in found or ([] if asked else _rules_provider.lacking("", row, needs, known.snapshot)):
        yield t.cast(Finding, {**one, "field": "provider"})
    cipher = {"encryption": params.get("encryption")}
    record = t.cast(_topology.Connection, {"policy": "", "ike": cipher, "ipsec": cipher})
    for one in _rules_provider.not_added(row, known.snapshot, [record]):
        yield t.cast(Finding, {**one, "field": "encryption"})


def quotas(params: Params, steps: t.Sequence[Step], known: Known, answer: Body) -> Found:
    """What is to be made has room in the project."""
    for one in _rules_provider.quotas("", params["provider"], steps, known.snapshot, answer):
        yield t.cast(Finding, {**one, "field": "project_id"})


# --- policies -------------------------------------------------------------------------------------------------------


def policy(phase: str, proposal: dict[str, t.Any], provider: str) -> Found:
    """Check one proposal as the description's are checked."""
    # The other proposal of the pair is not known here, so its lifetime is made to fit.
    pair = {
        part: {**t.cast(t.Any, sound_record())[part], "lifetime": proposal["lifetime"]} for part in ("ike", "ipsec")
    }
    pair[phase] = {**pair[phase], **proposal}
    record = t.cast(_topology.Connection, {**sound_record(), "policy": "", **pair, "platform": provider})
    for check in (*_rules_connection.OF_A_POLICY, *_rules_provider.RULES, *_rules_strength.RULES):
        for one in check(record, hub_of(provider)):
            path, _dot, option = one["field"].rpartition(".")
            if path.endswith(f".{phase}"):
                message = one["message"].replace(f" (connection {record['name']})", "")
                yield t.cast(Finding, {**one, "field": option, "message": message})


# --- endpoint groups ------------------------------------------------------------------------------------------------


def endpoints(case: Case) -> Found:
    """A group has endpoints, each once, of one IP version."""
    yield from _endpoint_values(case.body["type"], case.body["endpoints"])
    if case.body["type"] == "cidr":
        yield from host_bits("endpoints", case.params["endpoints"] or [])
    if case.body["type"] in ("cidr", "subnet"):
        yield from one_version("endpoints", prefixes(case.body["type"], case.body["endpoints"], case.known))


def _endpoint_values(kind: str, values: t.Sequence[str]) -> Found:
    if not values:
        yield error("endpoints", "[]", "no-endpoints", "the list is empty.", "Name at least one endpoint.")
    for value in sorted({one for one in values if values.count(one) > 1} - {UNKNOWN}):
        yield error("endpoints", value, "duplicate", f"{value} is there twice.", "Name each endpoint once.")
    if kind == "cidr":
        yield from cidrs("endpoints", values)
    for value in values if kind == "vlan" else ():
        if not value.isdecimal() or not 1 <= int(value) <= 4094:
            yield error("endpoints", value, "bad-vlan", f"{value!r} is no VLAN.", "Write 1 to 4094.", "IEEE 802.1Q")


def cidrs(option: str, values: t.Sequence[str]) -> Found:
    good = []
    for value in values:
        if not _addresses.is_prefix(value) or "-" in _addresses.normalize(value):
            yield error(option, value, "bad-subnet", f"{value!r} is no CIDR.", "Write it like 192.168.3.0/24.")
        elif value not in good:
            good.append(value)
    for one, other in _addresses.overlaps([_addresses.parse(value) for value in good]):
        yield error(
            option, good[other], "overlap", f"{good[other]} overlaps {good[one]} of the same list.",
            "Name the wider one only, or narrow one of the two.", VPN_PAGE,
        )  # fmt: skip


def host_bits(option: str, values: t.Iterable[str]) -> Found:
    """What was written is looked at: what is sent has none any more."""
    for value in filter(_addresses.has_host_bits, values):
        clean = _addresses.normalize(value)
        yield finding("host-bits", "", option, value, f"has host bits; {clean} is used.", f"Write {clean}.")


def one_version(option: str, prefixes: t.Iterable[_addresses.Prefix]) -> Found:
    if len({one.version for one in prefixes}) > 1:
        yield error(
            option, "IPv4, IPv6", "mixed-versions", "IPv4 and IPv6 do not go into one connection.",
            "Make one group, and one connection, for each.",
        )  # fmt: skip


def prefixes(kind: str, values: t.Iterable[str], known: Known) -> list[_addresses.Prefix]:
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
        yield error(
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
            yield error(
                option, case.body[option], "not-begun", "the service has no connection yet, is Creating until then and cannot be changed.",
                "Make its first connection before, or remove the service and make it anew.",
            )  # fmt: skip


def gateway_of_router(case: Case) -> Found:
    """A VPN needs a way out."""
    router = case.known.get("routers", case.body.get("router_id"))
    if router and not case.there and not router.get("external_gateway_info"):
        yield error("vpc", router["name"], "no-gateway", "the router has no external gateway.", "Give it one first.")


def usable_flavor(case: Case) -> Found:
    """A flavor of another service, or one that is switched off, makes none."""
    flavor = case.known.get("flavors", case.body.get("flavor_id"))
    if not flavor or case.there:
        return
    if flavor["service_type"] != "VPN":
        yield error(
            "flavor", flavor["name"], "flavor-type", f"it is a flavor of {flavor['service_type']}, not of VPN.", "Name another.", FLAVORS
        )  # fmt: skip
    if not flavor["enabled"]:
        yield error(
            "flavor", flavor["name"], "flavor-off", "it is switched off.", "Name another, or have it enabled.", FLAVORS
        )


def subnet_of_router(case: Case) -> Found:
    """The old form's subnet must be attached."""
    subnet = case.known.get("subnets", case.body.get("subnet_id"))
    if subnet and not case.there:
        yield from attached("subnet", [subnet], case)


def attached(option: str, subnets: t.Iterable[Body], case: Case) -> Found:
    ports = case.known.snapshot.get("ports", [])
    attached = {address["subnet_id"] for port in ports for address in port["fixed_ips"]}
    for subnet in subnets:
        if ports and subnet["id"] not in attached:
            yield error(
                option, subnet["cidr"], "not-attached", f"subnet {subnet['name'] or subnet['id']} ({subnet['cidr']}) is not attached to "
                "the VPC's router.", "Attach it, or name another.",
            )  # fmt: skip
