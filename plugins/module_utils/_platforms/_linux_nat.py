# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""Which rules of a Linux router would translate what a tunnel should carry. Pure: reads what ``nft list ruleset`` prints.

iptables-nft's rules stand in the same list. Only a rule that plainly applies counts; a condition that is not understood
lets it pass. Source: nft(8), iptables-extensions(8) of module policy.
"""

from __future__ import annotations

import ipaddress
import re
import typing as t

_CHAIN = re.compile(r"\s*chain (\S+) \{")
_HOOK = re.compile(r"\s*type nat hook postrouting ")
_TRANSLATES = re.compile(r"\b(?:masquerade|MASQUERADE|snat|SNAT)\b")
_LEAVES = re.compile(r"\b(?:accept|return|ACCEPT|RETURN)\b")
_OF_IPSEC = re.compile(r"\bipsec\b|\bpolicy\b|\brt ipsec\b|meta secpath exists")
_ADDRESS = re.compile(r"\bip6? ([sd])addr (!= )?(\{[^}]*\}|\S+)")
_OUT = re.compile(r'\boifname (!= )?"?([^"\s]+)"?')
_NOT_UNDERSTOOD = re.compile(
    r"\b(?:sport|dport|mark|iifname|iif|oif|fib|l4proto|protocol|jump|goto)\b|@\w+|# match-set"
)


def translating(ruleset: str, local: t.Sequence[str], remote: t.Sequence[str], device: str | None = None) -> list[str]:
    """Give the rules that would translate packets from ``local`` to ``remote`` subnets, as nft writes them.

    ``device`` is where such packets leave, where that is known: a rule for another one does not apply.
    """
    out = []
    postrouting = exempt = False
    for line in ruleset.splitlines():
        if _CHAIN.match(line):
            postrouting = exempt = False
        elif _HOOK.match(line):
            postrouting = True
        elif postrouting and not exempt:
            applies = _applies(line, local, remote, device)
            if _LEAVES.search(line) and (applies or _OF_IPSEC.search(line)):
                exempt = True
            elif _TRANSLATES.search(line) and applies and not _OF_IPSEC.search(line):
                out.append(" ".join(line.split())[:200])
    return out


def _applies(line: str, local: t.Sequence[str], remote: t.Sequence[str], device: str | None) -> bool:
    if _NOT_UNDERSTOOD.search(line):
        return False
    for which, negated, value in _ADDRESS.findall(line):
        subnets = local if which == "s" else remote
        if _meets(value, subnets) is bool(negated):
            return False
    leaves = _OUT.search(line)
    if leaves and device:
        named = leaves.group(2)
        same = device.startswith(named[:-1]) if named.endswith("*") else device == named
        return same is not bool(leaves.group(1))
    return True


def _meets(value: str, subnets: t.Sequence[str]) -> bool:
    """Whether an address, prefix or set of them has something in common with a subnet."""
    nets = [ipaddress.ip_network(one, strict=False) for one in subnets]
    for one in value.strip("{} ").split(","):
        try:
            net = ipaddress.ip_network(one.strip(), strict=False)
        except ValueError:
            continue  # a range or a name: not understood
        if any(net.version == other.version and net.overlaps(other) for other in nets):
            return True
    return False
