# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""Files of Cisco IOS XE -> connection records. Pure."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _algorithms
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _cisco_iosxe_words as words
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _ios_text as text
from ansible_collections.bothends.vpn.plugins.module_utils._secrets import PLACEHOLDER

Record = t.Dict[str, t.Any]
_SPEAKER = "cisco_iosxe"


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
    return {ios: name for name, ios in _algorithms.spoken(_SPEAKER, field, where).items()}[word]


def _optional(line: text.Line, command: str) -> str | None:
    found = line.values(command)
    return found[0] if found else None


def _read_connection(entry: text.Line, blocks: dict[str, text.Line]) -> Record:
    version = "v2" if entry.values("set ikev2-profile") else "v1"
    name = entry.value("description")[len(words.DESCRIPTION) :]
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
    if not psk.startswith(PLACEHOLDER):
        record["psk"] = psk
    return record


def _read_ipsec(entry: text.Line, blocks: dict[str, text.Line]) -> dict[str, t.Any]:
    transforms = _block(blocks, f"crypto ipsec transform-set {entry.value('set transform-set')}").text.split(" ", 4)[4]
    found = re.match(r"(\S+(?: \d+)?)(?: (\S+))?\Z", transforms)
    if found is None:
        raise ValueError(f"{transforms!r} is no cipher with or without a hash")
    cipher, integrity = found.groups()
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
    return {"interval": int(interval), "timeout": int(interval) + words.DPD_RETRIES * int(retry)}


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
        "id": _read_identity(profile.value("identity local").split(), "v2", words.SELF_WORD),
    }
    record["remote"]["id"] = _read_identity(profile.value("match identity remote").split(), "v2", words.ID_WORD)
    interval, retry, query = profile.value("dpd").split()
    record["dpd"] = {
        **_read_dpd(interval, retry),
        "action": {word: name for name, word in words.DPD_QUERY.items()}[query],
    }
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
        "id": _read_identity([*profile.value("self-identity").split(), address], "v1", words.SELF_WORD),
    }
    record["remote"]["id"] = _read_identity(profile.value("match identity").split(), "v1", words.ID_WORD)
    interval, _retry, retry = profile.value("keepalive").split()
    record["dpd"] = _read_dpd(interval, retry)
    record["psk"] = _block(blocks, f"crypto keyring {name}").value("pre-shared-key address").split(" key 0 ")[1]
