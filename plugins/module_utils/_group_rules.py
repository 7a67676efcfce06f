# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""The rules of one security group: those that are asked for against those that are there, exactly. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _addresses, _single_rules_group
from ansible_collections.bothends.vpn.plugins.module_utils._description import HUB, SITE, Spec, port_range
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.plugins.module_utils._objects import Body, content, normal, rule_name
from ansible_collections.bothends.vpn.plugins.module_utils._single import UNKNOWN, Known, Params, judge
from ansible_collections.bothends.vpn.plugins.module_utils._steps import Ref, Step

KIND = "security_group_rule"

_SITE_RULE = SITE["security_group_rules"]["options"]
RULE: Spec = {
    "direction": {
        "type": "str",
        "choices": ["ingress", "egress"],
        "default": "ingress",
        "description": "Whether it lets in or out.",
    },
    "ethertype": {
        "type": "str",
        "choices": ["IPv4", "IPv6"],
        "description": "The IP version. Default: what the prefix is, or the protocol says; else V(IPv4).",
    },
    "protocol": {
        "type": "str",
        "default": "any",
        "description": f"{_SITE_RULE['protocol']['description']} With IPv6 V(icmp) is ICMPv6.",
    },
    "ports": {
        **_SITE_RULE["ports"],
        "description": f"{_SITE_RULE['ports']['description']} Each one is a rule of its own.",
    },
    "icmp_type": {"type": "int", "description": "The type of ICMP. Default: all."},
    "icmp_code": {"type": "int", "description": "The code of that type. Default: all."},
    "remote_ip_prefix": {
        "type": "str",
        "description": "CIDR of the other end. Default: everywhere. Host bits are left out, with a warning.",
    },
    "remote_group": {
        "type": "str",
        "description": "Name or id of the security group that the other end is in, instead of a prefix.",
    },
    "remote_address_group": {
        "type": "str",
        "description": "Name or id of the address group that the other end is in, instead of a prefix.",
    },
    "description": {
        "type": "str",
        "description": "A text. Left out, the one that is there stays. The API cannot change it: the rule is removed and made again.",
    },
}

OPTIONS: Spec = {
    "security_group": {"type": "str", "required": True, "description": "Name or id of the security group."},
    "project_id": {
        "type": "str",
        "description": "The id of the project that new rules belong to; the login's by default. It must be the group's. With it, the group"
        " is looked for in that project first. Only an administrator may name another than the login's.",
    },
    "provider": HUB["provider"],
    "rules": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": RULE,
        "description": "The rules. One that is there serves only if it lets through exactly the same, however it is written.",
    },
    "purge": {
        "type": "bool",
        "default": False,
        "description": "Also remove every rule of the group that is not listed, whoever made it. The two rules for egress that each"
        " new group has are rules like others.",
    },
    "state": {
        "type": "str",
        "choices": ["present", "absent"],
        "default": "present",
        "description": "Whether the listed rules are to be there. Where the group is gone, or one that a rule names, they are absent.",
    },
}


def reads(params: Params) -> list[str]:
    """Name the lists that are needed."""
    return ["security_groups"] + ["address_groups"] * any(rule["remote_address_group"] for rule in params["rules"])


def needs(params: Params) -> list[str]:
    """Name the API's extensions that are needed."""
    addressed = any(rule["remote_address_group"] for rule in params["rules"])
    return ["security-group"] + ["security-groups-remote-address-group"] * addressed


def plan(params: Params, group: str, known: Known) -> list[Step]:
    """Decide what to do with the group of that id; raises VpnError for what the cloud would refuse."""
    what = f"security group {params['security_group']}"
    if params["state"] == "absent" and params["purge"]:
        raise VpnError(
            f"{what}: purge removes what is not listed, state absent what is. Remedy: choose one; to remove all, "
            "take purge with an empty list."
        )
    judge(
        what,
        [one for index, rule in enumerate(params["rules"]) for one in _single_rules_group.group_rule(index, rule)],
        known,
    )
    wanted = _wanted(what, group, params, known)
    there: dict[t.Any, list[Body]] = {}
    for one in known.snapshot[KIND]:
        if one["security_group_id"] == group:
            there.setdefault(content(KIND, one), []).append(one)
    equal = {key: there.get(key, []) for key in wanted}
    if params["state"] == "absent":
        return [_delete(one, "") for same in equal.values() for one in same]
    new = [body for key, body in wanted.items() if not equal[key]]
    # The API allows no second equal rule, so one that is to have another description goes first.
    renamed = [key for key, body in wanted.items() if equal[key] and not _described(body, equal[key])]
    purged = [one for key, same in there.items() for one in same if params["purge"] and key not in wanted]
    return [
        *_creates(new, 0),
        *(_delete(one, "not listed") for one in purged),
        *(_delete(one, "other description") for key in renamed for one in equal[key]),
        *_creates([wanted[key] for key in renamed], len(new)),
    ]


def _described(body: Body, same: t.Iterable[Body]) -> bool:
    """Whether one of the equal rules has the description, where one is wanted."""
    return "description" not in body or any((one.get("description") or "") == body["description"] for one in same)


def _creates(bodies: t.Iterable[Body], first: int) -> t.Iterator[Step]:
    for number, body in enumerate(bodies, start=first):
        name = rule_name(body)
        yield Step("create", KIND, name, None, body, Ref(KIND, name, number))


def _delete(one: Body, why: str) -> Step:
    return Step("delete", KIND, rule_name(one), one["id"], {}, why=why)


def _wanted(what: str, group: str, params: Params, known: Known) -> dict[t.Any, Body]:
    """Give the wanted rules by what they let through."""
    out: dict[t.Any, Body] = {}
    first: dict[t.Any, int] = {}
    owner = {"tenant_id": params["project_id"]} if params["project_id"] else {}
    for index, rule in enumerate(params["rules"]):
        for body in _bodies({"security_group_id": group, **owner}, rule, known):
            key = content(KIND, body)
            if UNKNOWN in key:  # two groups that are not there are not one
                key += (rule["remote_group"], rule["remote_address_group"])
            if key in out:
                raise VpnError(
                    f"{what}: rules[{index}] lets through the same as rules[{first[key]}] ({rule_name(body)}). Remedy: leave one out."
                )
            out[key], first[key] = body, index
    return out


def _bodies(base: Body, rule: Params, known: Known) -> t.Iterator[Body]:
    version = _single_rules_group.ethertype(rule)
    protocol = rule["protocol"].lower()
    body = {
        **base,
        "direction": rule["direction"],
        "ethertype": version,
        "protocol": None if protocol == "any" else "ipv6-icmp" if (protocol, version) == ("icmp", "IPv6") else protocol,
        "remote_ip_prefix": _addresses.normalize(rule["remote_ip_prefix"]) if rule["remote_ip_prefix"] else None,
        "remote_group_id": None,
    }
    if rule["remote_group"]:
        body["remote_group_id"] = known.id_of("security group", "security_groups", rule["remote_group"])
    if rule["remote_address_group"]:
        body["remote_address_group_id"] = known.id_of("address group", "address_groups", rule["remote_address_group"])
    if rule["description"] is not None:
        body["description"] = rule["description"]
    icmp = (rule["icmp_type"], rule["icmp_code"])
    for low, high in [port_range(port) for port in rule["ports"] or []] or [icmp]:
        yield {**body, "port_range_min": low, "port_range_max": high}


def shown(rule: Body) -> Params:
    """Write a rule in the options' words."""
    low, high = (normal(field, rule) for field in ("port_range_min", "port_range_max"))
    icmp = normal("protocol", rule) in ("1", "58")
    fields = ("direction", "ethertype", "remote_ip_prefix", "remote_group_id", "remote_address_group_id")
    return {
        "id": rule["id"],
        **{field: rule.get(field) for field in fields},
        "protocol": rule.get("protocol") or "any",
        "ports": None if icmp or low is None else f"{low}" if low == high else f"{low}-{high}",
        "icmp_type": low if icmp else None,
        "icmp_code": high if icmp else None,
        "description": rule.get("description") or "",
    }
