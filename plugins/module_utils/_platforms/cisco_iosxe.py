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

import ipaddress
import re
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _algorithms
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _checks
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _ios_text as text

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
# Of Cisco's YANG: field -> lowest, highest, by IKE version where that differs.
RANGES: dict[str, dict[str, tuple[int, int]]] = {
    "ike.lifetime": {"v1": (60, 86400), "v2": (120, 86400)},
    "ipsec.lifetime": {"v1": (120, 2592000), "v2": (120, 2592000)},
    "dpd.interval": {"v1": (10, 3600), "v2": (10, 3600)},
}
_PSK_LENGTH = 128
# A dead peer is asked at once and five times more, `retry` seconds apart.
_DPD_RETRIES = 5
_DPD_RETRY = (2, 60)
_NAME_LENGTH = 64
_MULTI_SA = (16, 12)  # the first release whose tunnel interfaces carry several SAs

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

_INTERFACE = re.compile(r"[A-Za-z][A-Za-z-]*[0-9][0-9/.:]*\Z")
_NAMED = re.compile(r"[A-Za-z][A-Za-z0-9_.:-]*\Z")
# router_settings -> what its text must look like, and in words
_WORDS = {
    "wan_interface": (_INTERFACE, "an interface's whole name without a blank, such as GigabitEthernet0/0/0"),
    "lan_interfaces": (_INTERFACE, "interfaces' whole names without a blank, such as GigabitEthernet0/0/1"),
    "front_vrf": (_NAMED, "a VRF's name"),
    "vrf": (_NAMED, "a VRF's name"),
    "crypto_map": (_NAMED, "a crypto map's name"),
    "ikev2_policy": (_NAMED, "an IKEv2 policy's name"),
    "nat_access_list": (_NAMED, "a named access list"),
}
# router_settings.connections -> range
_NUMBERS = {
    "crypto_map_sequence": (1, 65535),
    "tunnel": (0, 2147483647),
    "isakmp_policy": (1, 10000),
    "nat_sequence": (1, 2147483647),
}
_DPD_QUERY = {"hold": "on-demand", "restart": "periodic"}
_ID_WORD = {"v2": {"ipv4": "address", "fqdn": "fqdn", "email": "email"},
            "v1": {"ipv4": "address", "fqdn": "host", "email": "user-fqdn"}}  # fmt: skip
_SELF_WORD = {"v2": _ID_WORD["v2"], "v1": {"ipv4": "address", "fqdn": "fqdn", "email": "user-fqdn"}}
_HOST_MASK = "255.255.255.255"


def problems(record: Record) -> t.Iterator[Problem]:
    """Yields what of a record (either end's view) the platform cannot do, as (field, value, message, remedy)."""
    yield from _checks.beyond_limits(record, LIMITS, TITLE)
    yield from _checks.translation(record, TITLE)
    if any(len(one["local_subnets"]) * len(one["remote_subnets"]) > 1 for one in record["tunnels"]):
        yield (
            "selector_mode",
            record["selector_mode"],
            "IOS XE makes an SA of its own for each pair of subnets.",
            "Set selector_mode to per_pair (or auto).",
        )
    yield from _range_problems(record)
    yield from _mode_problems(record)
    yield from _address_problems(record)
    yield from _id_problems(record)
    yield from _setting_problems(record.get("router_settings") or {})
    psk = record.get("psk")
    if psk and (not text.is_word(psk) or len(psk) > _PSK_LENGTH):
        yield (
            "psk",
            "(secret)",
            f"IOS takes a key of at most {_PSK_LENGTH} printable ASCII characters without blanks and question marks.",
            "Choose another key.",
        )
    if len(object_name(record["name"])) > _NAME_LENGTH:
        yield (
            "name",
            record["name"],
            f"the names of its parts on the router would be longer than {_NAME_LENGTH} characters.",
            "Shorten the name of the hub or of the site.",
        )


def _range_problems(record: Record) -> t.Iterator[Problem]:
    for field, ranges in RANGES.items():
        part, _dot, key = field.partition(".")
        low, high = ranges[record["ike"]["version"]]
        if not low <= int(record[part][key]) <= high:
            yield field, record[part][key], f"IOS XE takes {low} to {high} seconds.", "Choose a value in that range."
    low, high = (limit * _DPD_RETRIES for limit in _DPD_RETRY)
    if not low <= int(record["dpd"]["timeout"]) - int(record["dpd"]["interval"]) <= high:
        yield (
            "dpd.timeout",
            record["dpd"]["timeout"],
            f"IOS XE gives a silent peer {low} to {high} seconds more than the interval.",
            f"Choose interval + {low} to interval + {high}.",
        )


def _mode_problems(record: Record) -> t.Iterator[Problem]:
    if record["mode"] == "policy" and record["initiator"] == "hub":
        yield "initiator", "hub", "a crypto map begins whenever there is traffic.", "Leave it out, or use mode route."
    version = re.match(r"(\d+)\.(\d+)", record.get("platform_version") or "")
    if record["mode"] == "route" and version and tuple(map(int, version.groups())) < _MULTI_SA:
        yield (
            "platform_version",
            record["platform_version"],
            "its tunnel interfaces carry one SA for everything, and the hub would refuse that.",
            "Use mode policy, or IOS XE 16.12 or newer.",
        )


def _address_problems(record: Record) -> t.Iterator[Problem]:
    addresses = {
        f"{end}.{field}": record[end].get(field) for end in ("local", "remote") for field in ("gateway", "address")
    }
    for field, value in addresses.items():
        if value and not _is_ipv4(value):
            yield field, value, "only IPv4 is written for IOS XE yet.", "Use an IPv4 address."
    for end in ("local", "remote"):
        for subnet in record[end]["subnets"]:
            if ":" in subnet:
                yield f"{end}.subnets", subnet, "only IPv4 is written for IOS XE yet.", "Leave it out."


def _is_ipv4(value: str) -> bool:
    try:
        return bool(ipaddress.IPv4Address(value))
    except ValueError:
        return False


def _id_problems(record: Record) -> t.Iterator[Problem]:
    site = "remote" if record["end"] == "hub" else "local"
    for end in ("local", "remote"):
        identity = record[end].get("id")
        if not identity:
            continue
        why = _id_problem(identity)
        if not why and end == site and record["ike"]["version"] == "v1" and identity["type"] == "ipv4":
            own = record[end].get("address")
            why = (
                f"with IKEv1 IOS XE sends its own address, {own}, as id."
                if own not in (None, identity["value"])
                else None
            )
        if why:
            yield f"{end}.id.value", identity["value"], why, "Choose another id."


def _id_problem(identity: dict[str, str]) -> str | None:
    value = identity["value"]
    if identity["type"] == "ipv4":
        return _checks.address_of_type(identity)
    if not text.is_word(value):
        return "IOS takes one word of printable ASCII characters without a question mark."
    return "IOS reads the word as a part of the command." if value == "domain" else None


def _setting_problems(given: t.Mapping[str, t.Any]) -> t.Iterator[Problem]:
    for name, (pattern, wanted) in _WORDS.items():
        values = given.get(name) or []
        for value in values if isinstance(values, list) else [values]:
            if not pattern.match(str(value)):
                yield f"router_settings.{name}", value, f"is not {wanted}.", "Write it as `show running-config` does."
    entries = _dicts(given.get("connections"))
    for index, entry in enumerate(entries):
        for name, (low, high) in _NUMBERS.items():
            where, value = f"router_settings.connections[{index}].{name}", entry.get(name)
            if value is not None and not (str(value).isdecimal() and low <= int(value) <= high):
                yield (
                    where,
                    value,
                    f"must be a number of {low} to {high}.",
                    "Choose one that the router does not use yet.",
                )
            elif value is not None and value in [other.get(name) for other in entries[:index]]:
                yield where, value, "two connections cannot share it.", "Give each connection its own."
    for index, route in enumerate(_dicts(given.get("routes"))):
        try:
            text.masked(route["to"])
            ipaddress.IPv4Address(route["via"])
        except (ValueError, KeyError, TypeError) as error:
            yield (
                f"router_settings.routes[{index}]",
                route,
                f"{error}.",
                "Write {to: 192.168.4.0/24, via: 192.168.3.254}.",
            )


def _dicts(value: t.Any) -> list[dict[str, t.Any]]:
    """Leave out what the specification refuses anyway."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def object_name(name: str) -> str:
    """A connection's name as that of its parts on the router. ``-`` only ever parts hub and site, ``--`` is one of theirs."""
    return "bothends-" + "-".join(part.replace("-", "--") for part in name.split("/"))


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
    return next((entry for entry in _dicts(given.get("connections")) if entry.get("hub") == record["hub"]), {})


def _word(field: str, name: str | None, where: str) -> str | None:
    if name is None:
        return None
    word = _algorithms.word(NAME, field, name, where)
    if word is None:
        raise ValueError(f"{field}: IOS XE cannot speak {name} there")
    return word


def inner_mtu(record: Record) -> int:
    """The longest packet whose ESP in UDP still fits into the path's MTU (RFC 4303 section 2, RFC 3948 section 2.1)."""
    cipher = _algorithms.ENCRYPTION[record["ipsec"]["encryption"]]
    vector, block, check = (8, 4, 16) if cipher.aead else (16, 16, _ICV[record["ipsec"]["integrity"]])
    headers = 20 + 8 + 8  # IPv4, UDP, SPI and sequence number
    return (record["underlay_mtu"] - headers - vector - check) // block * block - 2  # padding's length, next header


_ICV = {"sha256": 16, "sha384": 24, "sha512": 32}  # bytes on the wire
_TCP_IP = 40  # headers of a TCP segment
_MSS_RANGE = (500, 1460)


def _mss(record: Record) -> int:
    return max(_MSS_RANGE[0], min(_MSS_RANGE[1], inner_mtu(record) - _TCP_IP))


def _identity(value: dict[str, str] | None, version: str, words: dict[str, dict[str, str]], placeholder: str) -> str:
    if not value:
        return f"address {placeholder}"
    if version == "v1" and words is _SELF_WORD and value["type"] == "ipv4":
        return "address"
    host = f" {_HOST_MASK}" if words is _ID_WORD and value["type"] == "ipv4" else ""
    return f"{words[version][value['type']]} {text.word(value['value'], 'id')}{host}"


def _nat_lines(numbers: dict[str, t.Any], pairs: list[tuple[str, str]]) -> list[dict[str, t.Any]]:
    first = numbers.get("nat_sequence")
    return [
        {
            "number": text.PLACEHOLDER + "nat_sequence" if first is None else int(first) + index,
            "pair": f"{text.wildcard(ours)} {text.wildcard(theirs)}",
        }
        for index, (ours, theirs) in enumerate(pairs)
    ]


def _connection(record: Record, settings: dict[str, t.Any]) -> dict[str, t.Any]:
    ike, ipsec, version = record["ike"], record["ipsec"], record["ike"]["version"]
    numbers, name = _numbers(record, settings), object_name(record["name"])
    where = _algorithms.context("ike", version)
    gateway = record["remote"].get("gateway") or text.PLACEHOLDER + "gateway"
    pairs = [(one["local_subnets"][0], one["remote_subnets"][0]) for one in record["tunnels"]]
    timeout = int(record["dpd"]["timeout"]) - int(record["dpd"]["interval"])
    return {
        "name": name,
        "description": record["name"],
        "version": version,
        "mode": record["mode"],
        "numbers": {
            number: numbers[number] if numbers.get(number) is not None else text.PLACEHOLDER + number
            for number in _NUMBERS
        },
        "gateway": gateway,
        "local_address": record["local"].get("address")
        or record["local"].get("gateway")
        or text.PLACEHOLDER + "local-address",
        "local_id": _identity(record["local"].get("id"), version, _SELF_WORD, text.PLACEHOLDER + "local-id"),
        "remote_id": _identity(record["remote"].get("id"), version, _ID_WORD, f"{gateway} {_HOST_MASK}"),
        "psk": record.get("psk") or text.PLACEHOLDER + "psk",
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
        "dpd_retry": round(timeout / _DPD_RETRIES),
        "dpd_query": _DPD_QUERY[record["dpd"]["action"]],
        "responder_only": record["initiator"] == "hub",
        "pairs": [f"{text.wildcard(ours)} {text.wildcard(theirs)}" for ours, theirs in pairs],
        "nat_lines": _nat_lines(numbers, pairs)
        if record["mode"] == "policy" and settings.get("nat_access_list")
        else [],
        "hub_subnets": sorted({text.masked(theirs) for _ours, theirs in pairs}),
        "mtu": inner_mtu(record),
        "mss": _mss(record),
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
    words = {name: settings.get(name) or "" for name in _WORDS if name != "lan_interfaces"}
    for name in ("wan_interface", *_needed_words(settings, records)):
        if name in words and not words[name]:
            words[name] = text.PLACEHOLDER + name
    lan = settings["lan_interfaces"] or (
        [text.PLACEHOLDER + "lan_interfaces"] if "lan_interfaces" in _needed_words(settings, records) else []
    )
    return {
        **words,
        "site": site["name"],
        "connections": connections,
        "policies": policies,
        "lan_interfaces": lan if policies and settings["adjust_mss"] else [],
        "mss": min((one["mss"] for one in policies), default=0),
        "unnumbered": (lan or [words["wan_interface"]])[0],
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


_DESCRIPTION = "bothends.vpn "


def read(texts: t.Mapping[str, str]) -> list[Record]:
    """The records that rendered files carry, as the site sees them; fields that they do not carry are left out."""
    blocks = {line.text: line for line in text.parse("\n".join(texts.values()))}
    return [
        _read_connection(line, blocks)
        for line in blocks.values()
        if line.text.startswith(("crypto map ", "crypto ipsec profile ")) and line.values("description")
    ]


def _block(blocks: dict[str, text.Line], start: str) -> text.Line:
    found = [line for header, line in blocks.items() if f"{header} ".startswith(start + " ")]
    if len(found) != 1:
        raise ValueError(f"{start}: stands there {len(found)} times")
    return found[0]


def _algorithm(field: str, where: str, word: str | None) -> str | None:
    if word is None:
        return None
    return {ios: name for name, ios in _algorithms.spoken(NAME, field, where).items()}[word]


def _optional(line: text.Line, command: str) -> str | None:
    found = line.values(command)
    return found[0] if found else None


def _read_connection(entry: text.Line, blocks: dict[str, text.Line]) -> Record:
    version = "v2" if entry.values("set ikev2-profile") else "v1"
    name = entry.value("description")[len(_DESCRIPTION) :]
    hub, _slash, site = name.partition("/")
    route = entry.text.startswith("crypto ipsec profile ")
    if route:
        interface = next(
            line for line in blocks.values()
            if line.values("tunnel protection ipsec profile") == [entry.text[len("crypto ipsec profile ") :]]
        )  # fmt: skip
        gateway, access_list = (
            interface.value("tunnel destination"),
            interface.value("tunnel protection ipsec policy ipv4"),
        )
    else:
        gateway, access_list = entry.value("set peer"), entry.value("match address")
    record = {
        "name": name,
        "hub": hub,
        "site": site,
        "end": "site",
        "mode": "route" if route else "policy",
        "initiator": "hub" if any(line.text == "responder-only" for line in entry.below) else "both",
        "ipsec": _read_ipsec(entry, blocks),
        "remote": {"gateway": gateway},
        "tunnels": [
            _read_tunnel(name, line.text) for line in _block(blocks, f"ip access-list extended {access_list}").below
        ],
        "dpd": {},
    }
    {"v1": _read_ike_v1, "v2": _read_ike_v2}[version](record, entry, blocks)
    psk = record.pop("psk")
    if not psk.startswith(text.PLACEHOLDER):
        record["psk"] = psk
    return record


def _read_ipsec(entry: text.Line, blocks: dict[str, text.Line]) -> dict[str, t.Any]:
    transforms = _block(blocks, f"crypto ipsec transform-set {entry.value('set transform-set')}").text.split(" ", 4)[4]
    cipher, _mark, integrity = re.match(r"(\S+(?: \d+)?)( (\S+))?\Z", transforms).groups()  # type: ignore[union-attr]
    return {
        "encryption": _algorithm("encryption", "ipsec", cipher),
        "integrity": _algorithm("integrity", "ipsec", integrity),
        "pfs_group": _algorithm("pfs_group", "ipsec", _optional(entry, "set pfs")),
        "lifetime": int(entry.value("set security-association lifetime seconds")),
    }


def _read_tunnel(name: str, line: str) -> dict[str, t.Any]:
    number, _permit, _ip, *addresses = line.split()
    ours, our_mask, theirs, their_mask = addresses
    return {
        "name": f"{name}/{number}",
        "local_subnets": [text.unwild(ours, our_mask)],
        "remote_subnets": [text.unwild(theirs, their_mask)],
    }


def _read_dpd(interval: str, retry: str) -> dict[str, int]:
    return {"interval": int(interval), "timeout": int(interval) + _DPD_RETRIES * int(retry)}


def _read_identity(words: list[str], version: str, kinds: dict[str, dict[str, str]]) -> dict[str, str]:
    kind = {word: name for name, word in kinds[version].items()}[words[0]]
    return {"type": kind, "value": words[1]}


def _read_ike_v2(record: Record, entry: text.Line, blocks: dict[str, text.Line]) -> None:
    profile = _block(blocks, f"crypto ikev2 profile {entry.value('set ikev2-profile')}")
    # The proposal has the profile's name: a shared policy says no more than that it is offered.
    proposal = _block(blocks, f"crypto ikev2 proposal {entry.value('set ikev2-profile')}")
    peer = _block(blocks, f"crypto ikev2 keyring {profile.value('keyring local')}").below[0]
    commands = {"encryption": "encryption", "integrity": "integrity", "prf": "prf", "dh_group": "group"}
    record["ike"] = {
        "version": "v2",
        "mode": "main",
        **{field: _algorithm(field, "ike_v2", _optional(proposal, command)) for field, command in commands.items()},
        "lifetime": int(profile.value("lifetime")),
    }
    record["local"] = {
        "address": profile.value("match address local"),
        "id": _read_identity(profile.value("identity local").split(), "v2", _SELF_WORD),
    }
    record["remote"]["id"] = _read_identity(profile.value("match identity remote").split(), "v2", _ID_WORD)
    interval, retry, query = profile.value("dpd").split()
    record["dpd"] = {**_read_dpd(interval, retry), "action": {word: name for name, word in _DPD_QUERY.items()}[query]}
    record["psk"] = peer.value("pre-shared-key 0")


def _read_ike_v1(record: Record, entry: text.Line, blocks: dict[str, text.Line]) -> None:
    name = entry.value("set isakmp-profile")
    profile = _block(blocks, f"crypto isakmp profile {name}")
    # An ISAKMP policy has a number only, and nothing refers to it but the profile's description.
    policy = _block(blocks, f"crypto isakmp policy {profile.value('description').rsplit(' ', 1)[1]}")
    commands = {"encryption": "encryption", "integrity": "hash", "dh_group": "group"}
    record["ike"] = {
        "version": "v1",
        "mode": "main",
        "prf": None,
        **{field: _algorithm(field, "ike_v1", policy.value(command)) for field, command in commands.items()},
        "lifetime": int(policy.value("lifetime")),
    }
    address = profile.value("local-address").split()[0]
    record["local"] = {
        "address": address,
        "id": _read_identity([*profile.value("self-identity").split(), address], "v1", _SELF_WORD),
    }
    record["remote"]["id"] = _read_identity(profile.value("match identity").split(), "v1", _ID_WORD)
    interval, _retry, retry = profile.value("keepalive").split()
    record["dpd"] = _read_dpd(interval, retry)
    record["psk"] = _block(blocks, f"crypto keyring {name}").value("pre-shared-key address").split(" key 0 ")[1]
