# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""Cisco IOS XE: what it can speak, the model of its files, and the way back from them.

Mode ``policy`` is a crypto map on the WAN interface, mode ``route`` a virtual tunnel interface with several SAs. Each pair of
subnets is a line of an access list and an SA of its own. What belongs to one connection has one name; what the router has
once (interfaces, the crypto map, the IKEv2 policy, the NAT's access list) is named by router_settings and added to.
Sources, below https://www.cisco.com/c/en/us: the YANG modules of IOS XE 16.9 (names, choices, ranges);
/support/docs/security-vpn/ipsec-negotiation-ike-protocols/214728-configure-multi-sa-virtual-tunnel-interf.html and
/td/docs/routers/ios/config/17-x/sec-vpn/b-security-vpn/m_sec-ipsec-virt-tunnl-0.html (several SAs, from 16.12 on);
/support/docs/security-vpn/ipsec-architecture-implementation/214938-configuring-ikev2-vrf-aware-svti.html (front VRF);
/td/docs/ios-xml/ios/sec_conn_dplane/configuration/xe-16/sec-ipsec-data-plane-xe-16-book/sec-ipsec-dead-peer.html (silent peers).
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _algorithms, _mtu
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import (
    _checks,
    _cisco_iosxe_checks,
    _cisco_iosxe_reader,
)
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _cisco_iosxe_words as words
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _ios_text as text
from ansible_collections.bothends.vpn.plugins.module_utils._secrets import PLACEHOLDER

NAME = "cisco_iosxe"
TITLE = "Cisco IOS XE"
DRIVEN = False

Record = t.Dict[str, t.Any]
Problem = t.Tuple[str, t.Any, str, str]  # field, value, message, remedy

# What the platform can speak; algorithms are `_algorithms`' column "cisco_iosxe".
LIMITS: dict[str, t.Any] = {
    "ike.version": ("v1", "v2"),
    "ike.mode": ("main",),
    "nat_traversal": ("auto",),
    "initiator": ("both", "hub", "site"),
    "dpd.action": ("hold", "restart"),
    "local.id.type": ("ipv4", "fqdn", "email"),
    "remote.id.type": ("ipv4", "fqdn", "email"),
    "selector_mode": ("per_pair",),
    "mode": ("policy", "route"),
}
SETTINGS: dict[str, dict[str, t.Any]] = {
    "wan_interface": {
        "type": "str",
        "required": True,
        "description": "The interface towards the hub, by its whole name (V(GigabitEthernet0/0/0)).",
    },
    "lan_interfaces": {
        "type": "list",
        "elements": "str",
        "required": False,
        "default": [],
        "description": "The interfaces towards the LAN. With mode V(policy) TCP's segment size is adjusted on them; with mode"
        " V(route) the tunnel borrows the address of the first, else that of the WAN interface.",
    },
    "front_vrf": {"type": "str", "required": False, "description": "The VRF of the WAN interface, where it has one."},
    "vrf": {"type": "str", "required": False, "description": "The VRF of the LAN interfaces, where they have one."},
    "crypto_map": {
        "type": "str",
        "required": False,
        "description": "Mode V(policy) needs it. The crypto map of the WAN interface: an interface takes one only, so name the one"
        " that is there, if any.",
    },
    "ikev2_policy": {
        "type": "str",
        "required": False,
        "description": "IKEv2 needs it. The IKEv2 policy that gets the proposal. IOS chooses one policy by front VRF and local"
        " address, and none of its own any more once there is one: name the one that is there, if any. A new one matches the"
        " global VRF.",
    },
    "connections": {
        "type": "list",
        "elements": "dict",
        "required": False,
        "default": [],
        "description": "The numbers of each connection on this router. They are fixed, because the router knows its parts by them.",
        "options": {
            "hub": {"type": "str", "required": True, "description": "The connection's hub."},
            "crypto_map_sequence": {
                "type": "int",
                "description": "Mode V(policy) needs it. Number of the connection's entry in the crypto map, 1 to 65535.",
            },
            "tunnel": {
                "type": "int",
                "description": "Mode V(route) needs it. Number of the connection's tunnel interface.",
            },
            "isakmp_policy": {
                "type": "int",
                "description": "IKEv1 needs it. Number of the connection's ISAKMP policy, 1 to 10000; IOS offers all of them to every"
                " peer, in this order.",
            },
            "nat_sequence": {
                "type": "int",
                "description": "O(nat_access_list) needs it. Number of the first line there; each pair of subnets takes one.",
            },
        },
    },
    "nat_access_list": {
        "type": "str",
        "required": False,
        "description": "Mode V(policy): the named access list that chooses what is translated on its way to the Internet. It gets"
        " lines that leave out what goes through the tunnel; they must stand before those that permit.",
    },
    "tunnel_routes": {
        "type": "bool",
        "required": False,
        "default": True,
        "description": "Mode V(route): whether to route the hub's subnets to the tunnel interface. Without, a routing protocol has to.",
    },
    "adjust_mss": {
        "type": "bool",
        "required": False,
        "default": True,
        "description": "Whether to adjust TCP's segment size to what fits through the tunnel, computed from C(underlay_mtu).",
    },
    "routes": {
        "type": "list",
        "elements": "dict",
        "required": False,
        "default": [],
        "description": "Routes to LAN subnets behind inner routers.",
        "options": {
            "to": {"type": "str", "required": True, "description": "Destination, a CIDR."},
            "via": {"type": "str", "required": True, "description": "Address of the inner router."},
        },
    },
}

# The second removes what the first makes, whatever of it there is; neither name can be that of another site's file.
FILES = (
    ("bothends-vpn-{site}.ios", "cisco_iosxe.conf.j2"),
    ("bothends-vpn-{site}.ios-remove", "cisco_iosxe_remove.conf.j2"),
)
SECRET = re.compile(r"^( *pre-shared-key (?:address \S+ key )?0 )(\S+)", re.MULTILINE)

_HOST_MASK = "255.255.255.255"


def problems(record: Record) -> t.Iterator[Problem]:
    """Yields what of a record (either end's view) the platform cannot do, as (field, value, message, remedy)."""
    yield from _checks.beyond_limits(record, LIMITS, TITLE)
    yield from _checks.translation(record, TITLE)
    yield from _cisco_iosxe_checks.problems(record)


def missing(site: dict[str, t.Any], records: list[Record]) -> list[str]:
    """The fields that a deployable file needs and that are not there, beside what is always required."""
    given = site.get("router_settings") or {}
    out = [f"router_settings.{name}" for name in _needed_words(given, records) if not given.get(name)]
    for record in records:
        numbers = _numbers(record, given)
        out += [
            f"router_settings.connections: {record['hub']}: {name}"
            for name in _needed_numbers(given, record)
            if numbers.get(name) is None
        ]
    return out + _checks.unknown_values(records)


def _needed_words(given: t.Mapping[str, t.Any], records: list[Record]) -> t.Iterator[str]:
    modes = {record["mode"] for record in records}
    if "policy" in modes:
        yield "crypto_map"
    if "v2" in {record["ike"]["version"] for record in records}:
        yield "ikev2_policy"
    # A tunnel interface can borrow the address of an interface in its own VRF only.
    if "route" in modes and (given.get("vrf") or "") != (given.get("front_vrf") or ""):
        yield "lan_interfaces"


def _needed_numbers(given: t.Mapping[str, t.Any], record: Record) -> t.Iterator[str]:
    yield {"policy": "crypto_map_sequence", "route": "tunnel"}[record["mode"]]
    if record["ike"]["version"] == "v1":
        yield "isakmp_policy"
    if record["mode"] == "policy" and given.get("nat_access_list"):
        yield "nat_sequence"


def _numbers(record: Record, given: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    return next((entry for entry in words.dicts(given.get("connections")) if entry.get("hub") == record["hub"]), {})


def _word(field: str, name: str | None, where: str) -> str | None:
    if name is None:
        return None
    word = _algorithms.word(NAME, field, name, where)
    if word is None:
        raise ValueError(f"{field}: IOS XE cannot speak {name} there")
    return word


_MSS_RANGE = (500, 1460)  # of `ip tcp adjust-mss`


def _mss(record: Record, packet: int) -> int:
    return max(_MSS_RANGE[0], min(_MSS_RANGE[1], _mtu.segment(packet, longest=_mtu.longest_tcp(record))))


def _identity(value: dict[str, str] | None, version: str, kinds: dict[str, dict[str, str]], placeholder: str) -> str:
    if not value:
        return f"address {placeholder}"
    if version == "v1" and kinds is words.SELF_WORD and value["type"] == "ipv4":
        return "address"
    host = f" {_HOST_MASK}" if kinds is words.ID_WORD and value["type"] == "ipv4" else ""
    return f"{kinds[version][value['type']]} {text.word(value['value'], 'id')}{host}"


def _nat_lines(numbers: dict[str, t.Any], pairs: list[tuple[str, str]]) -> list[dict[str, t.Any]]:
    first = numbers.get("nat_sequence")
    return [
        {
            "number": PLACEHOLDER + "nat_sequence" if first is None else int(first) + index,
            "pair": f"{text.wildcard(ours)} {text.wildcard(theirs)}",
        }
        for index, (ours, theirs) in enumerate(pairs)
    ]


def _connection(record: Record, settings: dict[str, t.Any]) -> dict[str, t.Any]:
    ike, ipsec, version = record["ike"], record["ipsec"], record["ike"]["version"]
    numbers, name = _numbers(record, settings), words.object_name(record["name"])
    where = _algorithms.context("ike", version)
    gateway = record["remote"].get("gateway") or PLACEHOLDER + "gateway"
    pairs = [(one["local_subnets"][0], one["remote_subnets"][0]) for one in record["tunnels"]]
    timeout = int(record["dpd"]["timeout"]) - int(record["dpd"]["interval"])
    packet = _mtu.of_connection(record)
    return {
        "name": name,
        "description": record["name"],
        "version": version,
        "mode": record["mode"],
        "numbers": {
            number: numbers[number] if numbers.get(number) is not None else PLACEHOLDER + number
            for number in _cisco_iosxe_checks.NUMBERS
        },
        "gateway": gateway,
        "local_address": record["local"].get("address")
        or record["local"].get("gateway")
        or PLACEHOLDER + "local-address",
        "local_id": _identity(record["local"].get("id"), version, words.SELF_WORD, PLACEHOLDER + "local-id"),
        "remote_id": _identity(record["remote"].get("id"), version, words.ID_WORD, f"{gateway} {_HOST_MASK}"),
        "psk": record.get("psk") or PLACEHOLDER + "psk",
        "ike": {
            **{field: _word(field, ike.get(field), where) for field in ("encryption", "integrity", "prf", "dh_group")},
            "lifetime": int(ike["lifetime"]),
        },
        "transforms": " ".join(
            filter(None, (_word(field, ipsec.get(field), "ipsec") for field in ("encryption", "integrity")))
        ),
        "pfs_group": _word("pfs_group", ipsec.get("pfs_group"), "ipsec"),
        "lifetime": int(ipsec["lifetime"]),
        "dpd_interval": int(record["dpd"]["interval"]),
        "dpd_retry": round(timeout / words.DPD_RETRIES),
        "dpd_query": words.DPD_QUERY[record["dpd"]["action"]],
        "responder_only": record["initiator"] == "hub",
        "pairs": [f"{text.wildcard(ours)} {text.wildcard(theirs)}" for ours, theirs in pairs],
        "nat_lines": _nat_lines(numbers, pairs)
        if record["mode"] == "policy" and settings.get("nat_access_list")
        else [],
        "hub_subnets": sorted({text.masked(theirs) for _ours, theirs in pairs}),
        "mtu": packet,
        "mss": _mss(record, packet),
    }


def model(
    site: dict[str, t.Any], records: list[Record], settings: dict[str, t.Any], **resolved: t.Any
) -> dict[str, t.Any]:
    """The templates' variables for one site. Raises ValueError where a record asks for what the platform cannot do."""
    del resolved  # nothing depends on the router's state: nobody asks it
    for record in records:
        for field, value, message, remedy in problems({**record, "router_settings": settings}):
            raise ValueError(f"{record['name']}: {field}: {value}: {message} {remedy}")
    connections = [_connection(record, settings) for record in records]
    inner = f"vrf {settings['vrf']} " if settings.get("vrf") else ""
    policies = [one for one in connections if one["mode"] == "policy"]
    taken = [line["number"] for one in policies for line in one["nat_lines"] if isinstance(line["number"], int)]
    if len(taken) > len(set(taken)):
        raise ValueError(
            "router_settings.connections: nat_sequence: a connection needs one line for each pair of subnets"
        )
    named = {name: settings.get(name) or "" for name in _cisco_iosxe_checks.WORDS if name != "lan_interfaces"}
    for name in ("wan_interface", *_needed_words(settings, records)):
        if name in named and not named[name]:
            named[name] = PLACEHOLDER + name
    lan = settings["lan_interfaces"] or (
        [PLACEHOLDER + "lan_interfaces"] if "lan_interfaces" in _needed_words(settings, records) else []
    )
    return {
        **named,
        "site": site["name"],
        "connections": connections,
        "policies": policies,
        "lan_interfaces": lan if policies and settings["adjust_mss"] else [],
        "mss": min((one["mss"] for one in policies), default=0),
        "unnumbered": (lan or [named["wan_interface"]])[0],
        "adjust_mss": settings["adjust_mss"],
        "static_routes": [
            *(
                f"ip route {inner}{subnet} Tunnel{one['numbers']['tunnel']}"
                for one in connections
                if one["mode"] == "route" and settings["tunnel_routes"]
                for subnet in one["hub_subnets"]
            ),
            *(f"ip route {inner}{text.masked(one['to'])} {one['via']}" for one in settings["routes"]),
        ],
    }


FILTERS: dict[str, t.Callable[..., str]] = {"word": text.word, "comment": text.comment}

read = _cisco_iosxe_reader.read
