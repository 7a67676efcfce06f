# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""What of a record and of router_settings Cisco IOS XE cannot do, beside the limits that every platform has. Pure."""

from __future__ import annotations

import ipaddress
import re
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _checks
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _cisco_iosxe_words as words
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _ios_text as text

Record = t.Dict[str, t.Any]
Problem = t.Tuple[str, t.Any, str, str]  # field, value, message, remedy

# Of Cisco's YANG: field -> lowest, highest, by IKE version where that differs.
RANGES: dict[str, dict[str, tuple[int, int]]] = {
    "ike.lifetime": {"v1": (60, 86400), "v2": (120, 86400)},
    "ipsec.lifetime": {"v1": (120, 2592000), "v2": (120, 2592000)},
    "dpd.interval": {"v1": (10, 3600), "v2": (10, 3600)},
}
_PSK_LENGTH = 128
_DPD_RETRY = (2, 60)
_NAME_LENGTH = 64
_MULTI_SA = (16, 12)  # the first release whose tunnel interfaces carry several SAs

_INTERFACE = re.compile(r"[A-Za-z][A-Za-z-]*[0-9][0-9/.:]*\Z")
_NAMED = re.compile(r"[A-Za-z][A-Za-z0-9_.:-]*\Z")
# router_settings -> what its text must look like, and in words
WORDS = {
    "wan_interface": (_INTERFACE, "an interface's whole name without a blank, such as GigabitEthernet0/0/0"),
    "lan_interfaces": (_INTERFACE, "interfaces' whole names without a blank, such as GigabitEthernet0/0/1"),
    "front_vrf": (_NAMED, "a VRF's name"),
    "vrf": (_NAMED, "a VRF's name"),
    "crypto_map": (_NAMED, "a crypto map's name"),
    "ikev2_policy": (_NAMED, "an IKEv2 policy's name"),
    "nat_access_list": (_NAMED, "a named access list"),
}
# router_settings.connections -> range
NUMBERS = {
    "crypto_map_sequence": (1, 65535),
    "tunnel": (0, 2147483647),
    "isakmp_policy": (1, 10000),
    "nat_sequence": (1, 2147483647),
}


def problems(record: Record) -> t.Iterator[Problem]:
    """Yields what cannot be done, as (field, value, message, remedy)."""
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
    if len(words.object_name(record["name"])) > _NAME_LENGTH:
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
    low, high = (limit * words.DPD_RETRIES for limit in _DPD_RETRY)
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
    for name, (pattern, wanted) in WORDS.items():
        values = given.get(name) or []
        for value in values if isinstance(values, list) else [values]:
            if not pattern.match(str(value)):
                yield f"router_settings.{name}", value, f"is not {wanted}.", "Write it as `show running-config` does."
    entries = words.dicts(given.get("connections"))
    for index, entry in enumerate(entries):
        for name, (low, high) in NUMBERS.items():
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
    for index, route in enumerate(words.dicts(given.get("routes"))):
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
