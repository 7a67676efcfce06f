# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""From the topology to the cloud's objects, as data: one row a kind, one function a body, one comparison for all."""

from __future__ import annotations

import dataclasses
import functools
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _addresses, _algorithms
from ansible_collections.bothends.vpn.plugins.module_utils._description import port_range
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.plugins.module_utils._providers import INTEGRITY_FILLER, PROVIDERS
from ansible_collections.bothends.vpn.plugins.module_utils._topology import Connection

Body = t.Dict[str, t.Any]
Snapshot = t.Dict[str, t.List[Body]]


class Kind(t.NamedTuple):
    """One kind of object of the API."""

    name: str
    path: str  # below the network endpoint's version
    singular: str
    plural: str
    content: tuple[str, ...]  # what it is; cannot change while it is in use, so another content is another object
    mutable: tuple[str, ...] = ()  # what an update may change


# In the order in which objects are made; they are removed the other way round.
KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "ike_policy", "/vpn/ikepolicies", "ikepolicy", "ikepolicies",
            ("ike_version", "phase1_negotiation_mode", "encryption_algorithm", "auth_algorithm", "pfs", "lifetime"),
        ),
        Kind(
            "ipsec_policy", "/vpn/ipsecpolicies", "ipsecpolicy", "ipsecpolicies",
            ("transform_protocol", "encapsulation_mode", "encryption_algorithm", "auth_algorithm", "pfs", "lifetime"),
        ),
        Kind("vpn_service", "/vpn/vpnservices", "vpnservice", "vpnservices", ("router_id", "subnet_id"), ("admin_state_up",)),
        Kind("endpoint_group", "/vpn/endpoint-groups", "endpoint_group", "endpoint_groups", ("type", "endpoints")),
        Kind(
            "site_connection", "/vpn/ipsec-site-connections", "ipsec_site_connection", "ipsec_site_connections",
            ("vpnservice_id", "ikepolicy_id", "ipsecpolicy_id"),
            ("local_ep_group_id", "peer_ep_group_id", "peer_cidrs", "peer_address", "peer_id", "local_id", "mtu", "dpd",
             "initiator", "admin_state_up", "psk"),
        ),
        Kind(
            "security_group_rule", "/security-group-rules", "security_group_rule", "security_group_rules",
            ("security_group_id", "direction", "ethertype", "protocol", "port_range_min", "port_range_max",
             "remote_ip_prefix", "remote_group_id", "remote_address_group_id"),
        ),
    )
}  # fmt: skip

# Which field of a connection points to which kind.
REFERENCES = {
    "vpnservice_id": "vpn_service",
    "ikepolicy_id": "ike_policy",
    "ipsecpolicy_id": "ipsec_policy",
    "local_ep_group_id": "endpoint_group",
    "peer_ep_group_id": "endpoint_group",
}

MARKER = "bothends.vpn/"


class Owner(t.NamedTuple):
    """Whose an object is; kept as the last word of its description."""

    hub: str
    site: str | None = None

    def __str__(self) -> str:
        return MARKER + "/".join(filter(None, self))


@dataclasses.dataclass(frozen=True)
class Desired:
    """An object as it should be. References hold other Desired objects instead of ids."""

    kind: str
    owner: Owner
    body: Body

    @functools.cached_property
    def name(self) -> str:
        """Give the object's name, or what tells a rule, which has none."""
        return self.body.get("name") or rule_name(self.body)

    @functools.cached_property
    def content(self) -> tuple[t.Any, ...]:
        """Give what it is, for finding its equals in the cloud."""
        return content(self.kind, self.body)

    @functools.cached_property
    def key(self) -> tuple[str, str, tuple[t.Any, ...]]:
        """Tell objects of one plan apart."""
        return (self.kind, self.name, tuple([one.key if isinstance(one, Desired) else one for one in self.content]))


class Target(t.NamedTuple):
    """What one hub should look like in the cloud."""

    hub: str
    vpc: str  # the VPC's id
    connections: list[Desired]
    rules: list[Desired]
    sites: frozenset[str]  # all that the description knows, absent ones too; another site's objects are leftovers
    blocked: frozenset[str] = frozenset()  # sites of these that stay exactly as they are
    absent: tuple[tuple[str, str], ...] = ()  # site, gateway: what leads there and is not ours is named
    one_connection_a_peer: bool = False  # an old connection has to go before the new one comes
    send_psks: bool = False  # also those of which nobody can tell whether they differ


def owner(thing: Body) -> Owner | None:
    """Read the marker; None for what this collection did not make."""
    marker = _marker(thing)
    if not marker:
        return None
    hub, _slash, site = marker.partition(_GENERATION)[0].partition("/")
    return Owner(hub, site or None)


def generation(thing: Body) -> int:
    """Read from the marker which generation of its key a connection has; kept where the key itself does not come back."""
    number = _marker(thing).partition(_GENERATION)[2]
    return int(number) if number.isdecimal() else 1


_GENERATION = "#"


def _marker(thing: Body) -> str:
    last = (thing.get("description") or "").rpartition(" ")[2]
    return last[len(MARKER) :] if last.startswith(MARKER) else ""


def described(who: Owner, of_generation: int = 1) -> str:
    """Write the description of what we make, with the marker as its last word."""
    text = f"VPN hub {who.hub}" + (f" to site {who.site}" if who.site else "")
    return f"{text} {who}" + (f"{_GENERATION}{of_generation}" if of_generation > 1 else "")


def target(
    hub: str,
    provider: str,
    vpc: Body,
    records: t.Sequence[Connection],
    groups: t.Sequence[Body],
    blocked: t.Collection[str] = (),
    send_psks: bool = False,
) -> Target:
    """Build the wanted objects of one hub.

    ``vpc`` is ``{id, subnets: [{id, name, cidr}]}``; ``records`` are the hub's view, resolved; ``groups`` the security
    groups; ``blocked`` sites need no record, and nothing of theirs is touched. Absent sites give no objects, but are known.
    """
    records = [record for record in records if record["site"] not in blocked]
    present = [record for record in records if record["state"] != "absent"]
    service = Desired("vpn_service", Owner(hub), _described(Owner(hub), hub, router_id=vpc["id"], admin_state_up=True))
    by_policy = {record["policy"]: record for record in present}
    policies = {name: _policies(provider, record) for name, record in by_policy.items()}
    return Target(
        hub,
        vpc["id"],
        [one for record in present for one in _connections(provider, policies[record["policy"]], service, vpc, record)],
        [rule for record in present for group in groups for rule in rules(group, record)],
        frozenset(record["site"] for record in records) | frozenset(blocked),
        frozenset(blocked),
        tuple(
            (record["site"], _addresses.address(record["remote"]["gateway"]))
            for record in records
            if record["state"] == "absent"
        ),
        PROVIDERS[provider].one_connection_a_peer,
        send_psks,
    )


def _described(who: Owner, name: str, **body: t.Any) -> Body:
    return {"name": name, "description": described(who), **body}


def _policies(provider: str, record: Connection) -> tuple[Desired, Desired]:
    hub, policy = Owner(record["hub"]), f"{record['hub']}/{record['policy']}"
    return (
        Desired("ike_policy", hub, _described(hub, policy, **ike_body(provider, record["ike"]))),
        Desired("ipsec_policy", hub, _described(hub, policy, **ipsec_body(provider, record["ipsec"]))),
    )


def _connections(
    provider: str, policies: tuple[Desired, Desired], service: Desired, vpc: Body, record: Connection
) -> t.Iterator[Desired]:
    hub, who = Owner(record["hub"]), Owner(record["hub"], record["site"])
    ike, ipsec = policies
    # A change of the hub's subnets or of one site's must not touch the groups of the others, yet equal groups are shared.
    for tunnel in record["tunnels"]:
        local = Desired(
            "endpoint_group", hub,
            _described(hub, f"{record['hub']}/subnets", type="subnet", endpoints=_subnet_ids(vpc, tunnel["local_subnets"])),
        )  # fmt: skip
        peer = Desired(
            "endpoint_group", who, _described(who, record["name"], type="cidr", endpoints=tunnel["remote_subnets"])
        )
        body = _described(
            who,
            tunnel["name"],
            vpnservice_id=service,
            ikepolicy_id=ike,
            ipsecpolicy_id=ipsec,
            local_ep_group_id=local,
            peer_ep_group_id=peer,
            peer_address=record["remote"]["gateway"],
            peer_id=(record["remote"]["id"] or {})["value"],
            local_id=_local_id(record),
            mtu=record["underlay_mtu"],
            dpd=dict(record["dpd"]),
            initiator="response-only" if record["initiator"] == "site" else "bi-directional",
            admin_state_up=record["state"] == "present",
        )
        if record.get("psk"):
            body["psk"] = record["psk"]
        if "psk" in PROVIDERS[provider].not_read_back:
            body["description"] = described(who, record["psk_generation"])
        yield Desired("site_connection", who, body)


def _local_id(record: Connection) -> str:
    """The server takes its own address by default; only another id is stored."""
    identity = record["local"]["id"]
    return identity["value"] if identity and identity["value"] != record["local"]["gateway"] else ""


def _subnet_ids(vpc: Body, cidrs: t.Iterable[str]) -> list[str]:
    by_cidr = {_addresses.normalize(subnet["cidr"]): subnet["id"] for subnet in vpc["subnets"]}
    missing = [cidr for cidr in cidrs if cidr not in by_cidr]
    if missing:
        raise VpnError(
            f"VPC {vpc['name']} has no subnet {', '.join(missing)}; it has: "
            f"{', '.join(sorted(by_cidr)) or 'none'}. Remedy: correct `subnets` of the hub, or attach the subnet to the VPC."
        )
    return sorted(by_cidr[cidr] for cidr in cidrs)


def ike_body(provider: str, ike: t.Mapping[str, t.Any]) -> Body:
    """Write an IKE proposal in the provider's words; every algorithm is sent, for the server's defaults are weak."""
    where = _algorithms.context("ike", ike["version"])
    return {
        "ike_version": ike["version"],
        "phase1_negotiation_mode": ike["mode"],
        "encryption_algorithm": _word("encryption", ike["encryption"], provider, where),
        "auth_algorithm": _word("prf", ike["prf"], provider, where)
        if ike.get("prf")
        else _word("integrity", ike["integrity"], provider, where),
        "pfs": _word("dh_group", ike["dh_group"], provider, where),
        "lifetime": {"units": "seconds", "value": int(ike["lifetime"])},
    }


def ipsec_body(provider: str, ipsec: t.Mapping[str, t.Any]) -> Body:
    """Write an IPsec proposal in the provider's words."""
    return {
        "transform_protocol": "esp",
        "encapsulation_mode": "tunnel",
        "encryption_algorithm": _word("encryption", ipsec["encryption"], provider, "ipsec"),
        "auth_algorithm": _word("integrity", ipsec["integrity"] or INTEGRITY_FILLER, provider, "ipsec"),
        "pfs": _word("pfs_group", ipsec["pfs_group"], provider, "ipsec"),
        "lifetime": {"units": "seconds", "value": int(ipsec["lifetime"])},
    }


def _word(field: str, name: str, provider: str, where: str) -> str:
    found = _algorithms.word(provider, field, name, where)
    if found is None:
        raise VpnError(f"{field}: {provider} cannot speak {name}.")
    return found


# --- security-group rules -------------------------------------------------------------------------------------------


def rules(group: Body, record: Connection) -> t.Iterator[Desired]:
    """Build the rules of one security group that a site's connection needs."""
    who = Owner(record["hub"], record["site"])
    carried = {subnet for tunnel in record["tunnels"] for subnet in tunnel["remote_subnets"]}
    # What no tunnel carries, because the hub has nothing of its IP version, would come in from anywhere.
    for subnet in (one for one in record["remote"]["subnets"] if one in carried):
        for rule in record["security_group_rules"]:
            for low, high in [port_range(port) for port in rule.get("ports") or []] or [(None, None)]:
                yield _rule(who, group, "ingress", rule["protocol"], low, high, subnet)
        yield _rule(who, group, "egress", "any", None, None, subnet)


def _rule(
    who: Owner, group: Body, direction: str, protocol: str, low: int | None, high: int | None, subnet: str
) -> Desired:
    version = _addresses.parse(subnet).version
    body = {
        "description": described(who),
        "security_group_id": group["id"],
        "direction": direction,
        "ethertype": f"IPv{version}",
        "protocol": None if protocol == "any" else "ipv6-icmp" if (protocol, version) == ("icmp", 6) else protocol,
        "port_range_min": low,
        "port_range_max": high,
        "remote_ip_prefix": subnet,
        "remote_group_id": None,
    }
    return Desired("security_group_rule", who, body)


def rule_name(body: Body) -> str:
    """Tell a rule in one line, as it has no name."""
    low, high = body.get("port_range_min"), body.get("port_range_max")
    ports = "" if low is None else f" {low}" if low == high else f" {low}-{high}"
    prefix = body.get("remote_ip_prefix") or body.get("remote_group_id") or "anywhere"
    return f"{body['direction']} {body.get('protocol') or 'any'}{ports} {prefix}"


def name_of(one: Body) -> str:
    """Tell an object that is there: a rule by what it lets through, anything else by its name, or its id without one."""
    return rule_name(one) if "direction" in one else one.get("name") or one["id"]


def covers(rule: Body, wanted: Body) -> bool:
    """Tell whether an existing rule lets through all that the wanted one would."""
    if any(rule.get(field) != wanted[field] for field in ("security_group_id", "direction", "ethertype")):
        return False
    if rule.get("remote_group_id") or rule.get("remote_address_group_id"):
        return False
    if _protocol(rule) not in (None, "0", _protocol(wanted)):  # 0 is IP itself, so everything; yet no equal of "any"
        return False
    if rule.get("port_range_min") is not None and (
        wanted["port_range_min"] is None
        or not rule["port_range_min"] <= wanted["port_range_min"] <= wanted["port_range_max"] <= rule["port_range_max"]
    ):
        return False
    prefix = rule.get("remote_ip_prefix")
    return not prefix or _addresses.parse(prefix).covers(_addresses.parse(wanted["remote_ip_prefix"]))


# Two names of one number are one protocol. neutron-lib, constants.IP_PROTOCOL_MAP
PROTOCOLS = {
    "ah": 51, "dccp": 33, "egp": 8, "esp": 50, "gre": 47, "hopopt": 0, "icmp": 1, "icmpv6": 58, "igmp": 2, "ip": 0, "ipip": 4,
    "ipv6-encap": 41, "ipv6-frag": 44, "ipv6-icmp": 58, "ipv6-nonxt": 59, "ipv6-opts": 60, "ipv6-route": 43, "ospf": 89,
    "pgm": 113, "rsvp": 46, "sctp": 132, "tcp": 6, "udp": 17, "udplite": 136, "vrrp": 112,
}  # fmt: skip


# Those of them that a rule for IPv4 must not name. neutron 29.0.0, securitygroups_db.py
ONLY_IPV6 = ("41", "43", "44", "58", "59", "60")


def _protocol(body: Body) -> str | None:
    """Give a rule's protocol as its number; the server takes ICMP of an IPv6 rule for ICMPv6."""
    value = "any" if body.get("protocol") is None else str(body["protocol"]).lower()
    if value in ("any", ""):
        return None
    number = str(PROTOCOLS.get(value, value))
    return "58" if number == "1" and body.get("ethertype") == "IPv6" else number


def _port(body: Body, field: str) -> int | None:
    """Give an end of a rule's range of ports; the server takes all ports for no range."""
    if body.get("port_range_max") in (65535, "65535") and body.get("port_range_min") in (1, "1"):
        return None
    return _number(body, field)


# --- comparison -----------------------------------------------------------------------------------------------------


_AEAD_WORDS = {
    word
    for provider in PROVIDERS
    for name, word in _algorithms.spoken(provider, "encryption", "ipsec").items()
    if _algorithms.ENCRYPTION[name].aead
}


def _prefixes(body: Body, field: str) -> list[str]:
    return sorted(_addresses.normalize(one) if _addresses.is_prefix(one) else one for one in body.get(field) or [])


def _prefix(body: Body, field: str) -> str | None:
    """Write a rule's prefix; the server takes everything for no prefix."""
    prefix = _addresses.normalize(body[field]) if body.get(field) else None
    return None if prefix in ("0.0.0.0/0", "::/0") else prefix


def _number(body: Body, field: str) -> int | None:
    value = body.get(field)
    return None if value is None else int(value)


def _hash(body: Body, field: str) -> str | None:
    """An IPsec policy with an AEAD has a filler there."""
    return None if "transform_protocol" in body and body.get("encryption_algorithm") in _AEAD_WORDS else body.get(field)


# How a field is written the one way; all others are as they are.
_NORMAL: dict[str, t.Callable[[Body, str], t.Any]] = {
    "auth_algorithm": _hash,
    "endpoints": _prefixes,
    "peer_cidrs": _prefixes,
    "lifetime": lambda body, field: int((body.get(field) or {}).get("value", 0)),
    "dpd": lambda body, field: tuple(
        str((body.get(field) or {}).get(part)) for part in ("action", "interval", "timeout")
    ),
    "protocol": lambda body, field: _protocol(body),
    "remote_ip_prefix": _prefix,
    "mtu": _number,
    "peer_address": lambda body, field: _addresses.address(body.get(field)),
    "port_range_min": _port,
    "port_range_max": _port,
}


def _as_it_is(body: Body, field: str) -> t.Any:
    return body.get(field)


# The same for each kind's content, so that nothing has to be looked up for each of a hundred thousand objects.
_CONTENT = {kind.name: [(field, _NORMAL.get(field, _as_it_is)) for field in kind.content] for kind in KINDS.values()}


def normal(field: str, body: Body) -> t.Any:
    """Write one field the one way, whichever end it comes from."""
    return _NORMAL.get(field, _as_it_is)(body, field)


def selectors(connection: Body, by_id: t.Mapping[str, Body]) -> tuple[list[str], list[str]]:
    """Give the local endpoints and the remote CIDRs of a connection that is there, in whichever of the API's two forms.

    The old form has the one subnet at the service and the CIDRs at the connection, the new one two endpoint groups.
    """
    if connection.get("peer_cidrs"):
        subnet = by_id.get(connection["vpnservice_id"], {}).get("subnet_id")
        return [subnet] if subnet else [], normal("peer_cidrs", connection)
    local, peer = (
        normal("endpoints", by_id.get(connection.get(field) or "", {}))
        for field in ("local_ep_group_id", "peer_ep_group_id")
    )
    return local, peer


def content(kind: str, body: Body) -> tuple[t.Any, ...]:
    """Give what an object is, for comparing and for finding its equals."""
    values = [write(body, field) for field, write in _CONTENT[kind]]
    return tuple([tuple(value) if value.__class__ is list else value for value in values])


def differ(field: str, body: Body, there: Body) -> bool:
    """Tell whether a field of an object that is there is to change."""
    if field == "psk" and "psk" not in there:
        return False  # the provider does not give the key back
    if field in ("local_id", "description"):
        return (body[field] or "") != (there.get(field) or "")
    return normal(field, body) != normal(field, there)
