# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""Which rules of a Linux router would translate what a tunnel should carry. Pure: reads what ``nft list ruleset`` prints.

iptables-nft's rules stand in the same list. Only a rule that plainly applies counts; one with a condition that is not
understood does not, and where it might exempt, none behind it does. Source: nft(8), iptables-extensions(8) of module policy.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _addresses

_CHAIN = re.compile(r"\s*chain (\S+) \{")
_HOOK = re.compile(r"\s*type nat hook postrouting ")
_TRANSLATES = re.compile(r"\b(?:masquerade|MASQUERADE|snat|SNAT)\b")
_LEAVES = re.compile(r"\b(?:accept|return|ACCEPT|RETURN)\b")
_JUMPS = re.compile(r"\b(?:jump|goto) (\S+)")
_MAY_ACCEPT = re.compile(r"\b(?:accept|ACCEPT|jump|goto)\b")
_OF_IPSEC = re.compile(r"\bipsec\b|\bpolicy\b|\brt ipsec\b|meta secpath exists")
_ADDRESS = re.compile(r"\bip6? ([sd])addr (!= )?(\{[^}]*\}|\S+)")
_OUT = re.compile(r'\boifname (!= )?"?([^"\s{@]+)"?')
_ONE_SERVICE = re.compile(r"\b(?:sport|dport)\b|\b(?:l4proto|protocol) \w")
# What else a rule may say and yet be for every packet; behind the verdict comes what it does.
_MORE = re.compile(
    r'\bcounter(?: packets \d+ bytes \d+)?|\bcomment "[^"]*"|\blog(?: prefix "[^"]*")?(?: (?:level|flags|group) \S+)*'
    r'|\bct state (?:new|\S+,new|new,\S+)(?!\S)|(?:\bxt target )?"?\b(?:masquerade|snat|accept|return|jump|goto)\b.*',
    re.IGNORECASE,
)


def translating(ruleset: str, local: t.Sequence[str], remote: t.Sequence[str], device: str | None = None) -> list[str]:
    """Give the rules that would translate packets from ``local`` to ``remote`` subnets, as nft writes them.

    ``device`` is where such packets leave, where that is known: a rule for another one does not apply.
    """
    out = []
    postrouting = exempt = False
    accepting = _accepting(ruleset)
    for line in ruleset.splitlines():
        if _CHAIN.match(line):
            postrouting = exempt = False
        elif _HOOK.match(line):
            postrouting = True
        elif postrouting and not exempt:
            applies = _applies(line, local, remote, device)
            jump = _JUMPS.search(line)
            if _LEAVES.search(line) or (jump and jump.group(1) in accepting):
                exempt = applies is not False or bool(_OF_IPSEC.search(line))
            elif _TRANSLATES.search(line) and applies and not _OF_IPSEC.search(line):
                out.append(" ".join(line.split())[:200])
    return out


def _accepting(ruleset: str) -> set[str]:
    """The chains that may let a packet leave all of them: what returns from one only goes on behind the jump to it."""
    out = set()
    name = ""
    for line in ruleset.splitlines():
        chain = _CHAIN.match(line)
        if chain:
            name = chain.group(1)
        elif _MAY_ACCEPT.search(line):
            out.add(name)
    return out


def _applies(line: str, local: t.Sequence[str], remote: t.Sequence[str], device: str | None) -> bool | None:
    """Whether a rule is for such packets; None where that cannot be told."""
    if _ONE_SERVICE.search(line):
        return False
    known = not _MORE.sub("", _OUT.sub("", _ADDRESS.sub("", line))).strip()
    for which, negated, value in _ADDRESS.findall(line):
        meets = _meets(value, local if which == "s" else remote)
        if meets is bool(negated):
            return False
        known = known and meets is not None
    leaves = _OUT.search(line)
    if leaves and device:
        named = leaves.group(2)
        same = device.startswith(named[:-1]) if named.endswith("*") else device == named
        if same is bool(leaves.group(1)):
            return False
    return known or None


def _meets(value: str, subnets: t.Sequence[str]) -> bool | None:
    """Whether an address, prefix, range or set of them has something in common with a subnet; None where that cannot be told."""
    blocks = [_addresses.found(one) for one in value.strip("{} ").split(",")]
    if any(_addresses.overlaps_any(str(block), subnets) for block in blocks if block):
        return True
    return False if all(blocks) else None
