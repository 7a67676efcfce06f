# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""Rules over one rule of a security group, told before the first write. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _addresses, _objects
from ansible_collections.bothends.vpn.plugins.module_utils._findings import Finding, Found
from ansible_collections.bothends.vpn.plugins.module_utils._single_rules import error, host_bits, peer_findings

_REMOTES = ("remote_ip_prefix", "remote_group", "remote_address_group")
GROUPS = "neutron, securitygroups_db.py"


def ethertype(rule: dict[str, t.Any]) -> str:
    """Give the rule's IP version as the API writes it: as said, else as its prefix or protocol says."""
    prefix = rule["remote_ip_prefix"]
    if prefix and _addresses.is_prefix(prefix) and not rule["ethertype"]:
        return f"IPv{_addresses.parse(prefix).version}"
    return rule["ethertype"] or ("IPv6" if _objects.normal("protocol", rule) in _objects.ONLY_IPV6 else "IPv4")


def group_rule(index: int, rule: dict[str, t.Any]) -> Found:
    """Check one rule of a security group."""
    here = f"rules[{index}]"
    spoken = {"protocol": rule["protocol"], "ports": rule["ports"]}
    for one in peer_findings({"security_group_rules": [spoken]}, "neutron"):
        yield t.cast(Finding, {**one, "field": f"{here}.{one['field'].rpartition('.')[2]}"})
    remotes = [option for option in _REMOTES if rule[option]]
    if len(remotes) > 1:
        yield error(
            f"{here}.{remotes[1]}", rule[remotes[1]], "two-remotes", f"a rule has one remote end, not {' and '.join(remotes)}.",
            "Write a rule for each.", GROUPS,
        )  # fmt: skip
    yield from _group_prefix(f"{here}.remote_ip_prefix", rule)
    number = _objects.normal("protocol", {**rule, "ethertype": "IPv4"})
    if number in _objects.ONLY_IPV6 and ethertype(rule) == "IPv4":
        yield error(
            f"{here}.protocol", rule["protocol"], "only-ipv6", "is a protocol of IPv6.", "Write ethertype IPv6.", GROUPS
        )
    yield from _icmp(here, rule, number)


def _group_prefix(option: str, rule: dict[str, t.Any]) -> Found:
    prefix = rule["remote_ip_prefix"]
    if not prefix:
        return
    if not _addresses.is_prefix(prefix) or "-" in _addresses.normalize(prefix):
        yield error(option, prefix, "bad-subnet", f"{prefix!r} is no CIDR.", "Write it like 192.168.3.0/24.", GROUPS)
    elif ethertype(rule) != f"IPv{_addresses.parse(prefix).version}":
        yield error(option, prefix, "mixed-versions", f"is not {rule['ethertype']}.", "Leave ethertype out.", GROUPS)
    else:
        yield from host_bits(option, [prefix])


def _icmp(here: str, rule: dict[str, t.Any], number: str | None) -> Found:
    for option in ("icmp_type", "icmp_code"):
        if rule[option] is not None and number not in ("1", "58"):
            yield error(
                f"{here}.{option}", rule[option], "no-icmp", f"protocol {rule['protocol']} has none.", "Write protocol icmp.", GROUPS
            )  # fmt: skip
        elif rule[option] is not None and not 0 <= rule[option] <= 255:
            yield error(f"{here}.{option}", rule[option], "bad-icmp", "is not in 0 to 255.", "Correct it.", GROUPS)
    if rule["icmp_code"] is not None and rule["icmp_type"] is None:
        yield error(
            f"{here}.icmp_code", rule["icmp_code"], "no-icmp-type", "a code needs its type.", "Give icmp_type.", GROUPS
        )
