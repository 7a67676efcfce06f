# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""strongSwan with swanctl: what it can speak, the model of its file, and the way back from the file and from live SAs.

One file a site in ``conf.d``; a connection is an IKE connection, its tunnels are the children. Sources: swanctl.conf(5)
of strongSwan 5.9.8, https://docs.strongswan.org/docs/5.9/swanctl/swanctlConf.html; what is said of charon's behaviour
was tried on 5.9.8.
"""

from __future__ import annotations

import base64
import binascii
import re
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _algorithms
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _checks, _linux
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _swanctl_text as text

NAME = "strongswan"
TITLE = "strongSwan"
DRIVEN = True

Record = t.Dict[str, t.Any]
Problem = t.Tuple[str, t.Any, str, str]  # field, value, message, remedy

# What the platform can speak; algorithms are `_algorithms`' column "strongswan".
LIMITS: dict[str, t.Any] = {
    "ike.version": ("v1", "v2"),
    "ike.mode": ("main", "aggressive"),
    "nat_traversal": ("auto", "force"),
    "initiator": ("both", "hub", "site"),
    "dpd.action": ("hold", "clear", "restart"),
    "local.id.type": ("ipv4", "ipv6", "fqdn", "email"),
    "remote.id.type": ("ipv4", "ipv6", "fqdn", "email"),
    "selector_mode": ("combined", "per_pair"),
    "mode": ("policy",),
}

SETTINGS: dict[str, dict[str, t.Any]] = {
    "start_action": {
        "type": "str",
        "required": False,
        "default": "auto",
        "choices": ["auto", "trap", "start", "none"],
        "description": "What charon does when it loads a tunnel. V(auto) is V(trap), or V(none) where charon's ESP runs in"
        " user space and cannot trap, or where only the hub may begin.",
    },
    "close_action": {
        "type": "str",
        "required": False,
        "default": "none",
        "choices": ["none", "trap", "start"],
        "description": "What charon does when the hub closes a tunnel. Not V(start) where the hub re-authenticates.",
    },
    "ike_renewal": {
        "type": "str",
        "required": False,
        "default": "rekey",
        "choices": ["rekey", "reauth"],
        "description": "How an IKE SA is renewed before its lifetime ends (IKEv1 always re-authenticates). V(reauth) is free"
        " of gaps only where strongswan.conf has C(make_before_break = yes).",
    },
    "routes": _linux.ROUTES,
}

# swanctl.conf includes conf.d/*.conf.
FILES = (("bothends-vpn-{site}.conf", "strongswan.conf.j2"),)
# What of a file's text is never shown; a value goes on after a backslash at a line's end.
SECRET = re.compile(r"^([ \t]*secret[ \t]*=[ \t]*)((?:[^\\\n]|\\.|\\\n)*)", re.MULTILINE)

# swanctl copies a section's path into 128 bytes and a child's into 256, and cuts what is longer without a word.
_CONNECTION_BYTES = 128 - len("connections.") - 1
_CHILD_BYTES = 256 - len("connections..children.") - 1

# What the settings' `auto` may come to on a router.
RESOLVED = ({"can_trap": True}, {"can_trap": False})

_VERSION = {"v1": "1", "v2": "2"}
_DPD_ACTION = {"hold": "trap", "clear": "clear", "restart": "restart"}
_PSK_PREFIX = "0s"


def problems(record: Record) -> t.Iterator[Problem]:
    """Yields what of a record (either end's view) the platform cannot do, as (field, value, message, remedy)."""
    yield from _checks.beyond_limits(record, LIMITS, TITLE)
    yield from _checks.translation(record, TITLE)
    if record["ike"]["version"] == "v1":
        if _algorithms.ENCRYPTION[record["ike"]["encryption"]].aead:
            yield (
                "ike.encryption",
                record["ike"]["encryption"],
                "strongSwan has no authenticated encryption in IKEv1.",
                "Use version v2, or a cipher with an integrity algorithm.",
            )
        if any(len(tunnel[end]) > 1 for tunnel in record["tunnels"] for end in ("local_subnets", "remote_subnets")):
            yield (
                "selector_mode",
                record["selector_mode"],
                "an IKEv1 tunnel carries one pair of subnets; strongSwan would drop the others silently.",
                "Set selector_mode to per_pair (or auto).",
            )
    if record["ike"]["version"] == "v2" and record["ike"].get("mode") == "aggressive":
        yield "ike.mode", "aggressive", "IKEv2 has no aggressive mode.", "Leave mode out."
    for end in ("local", "remote"):
        why = _id_problem(record[end].get("id"))
        if why:
            yield (
                f"{end}.id.value",
                record[end]["id"]["value"],
                why,
                "Choose an id of plain printable ASCII characters.",
            )
    try:
        _linux.wanted_routes([record])
    except VpnError as error:
        yield (
            "router_settings.routes",
            record["router_settings"]["routes"],
            str(error),
            "Write {to: 192.168.4.0/24, via: 192.168.3.254}.",
        )
    longest = max((len(section(tunnel["name"]).encode()) for tunnel in record["tunnels"]), default=0)
    connection = len(section(record["name"]).encode())
    if connection > _CONNECTION_BYTES or connection + longest > _CHILD_BYTES:
        yield (
            "name",
            record["name"],
            f"swanctl cuts names off after {_CONNECTION_BYTES} bytes; others than letters, digits, - and _ count more.",
            "Shorten the name of the hub or of the site.",
        )


def _id_problem(identity: dict[str, str] | None) -> str | None:
    if identity is None:
        return None
    value = identity["value"]
    if identity["type"] in ("ipv4", "ipv6"):
        return _checks.address_of_type(identity)
    if not all(32 < ord(char) < 127 for char in value):
        return "charon takes only printable ASCII without blanks in an id."
    if value.startswith("#") or "*" in value:
        return "charon reads a leading # as hexadecimal and a * as any peer."
    return None


def missing(site: dict[str, t.Any], records: list[Record]) -> list[str]:
    """The fields that a deployable file needs and that are not there, each as the placeholder shows it."""
    del site  # strongSwan needs none of router_settings
    return _checks.unknown_values(records)


def section(name: str) -> str:
    """A connection's or tunnel's name as a section's name. ``/`` only ever parts hub, site and number."""
    return "/".join(text.encode_part(part) for part in name.split("/"))


def encode_psk(psk: str) -> str:
    """A pre-shared key as swanctl takes it whole: anything else is decoded or cut at some character."""
    return _PSK_PREFIX + base64.b64encode(psk.encode("utf-8")).decode("ascii")


def decode_psk(value: str) -> str | None:
    """The inverse of encode_psk; None for a secret that it never wrote."""
    try:
        return base64.b64decode(value[len(_PSK_PREFIX) :], validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return None


def identity(value: dict[str, str]) -> str:
    """An IKE identity as charon reads it back as that type and no other."""
    prefix = {"fqdn": "fqdn:", "email": "email:"}.get(value["type"], "")
    return prefix + value["value"]


def _read_identity(value: str) -> dict[str, str]:
    for kind in ("fqdn", "email"):
        if value.startswith(kind + ":"):
            return {"type": kind, "value": value[len(kind) + 1 :]}
    return {"type": "ipv6" if ":" in value else "ipv4", "value": value}


def _word(field: str, name: str) -> str:
    # One word in every context.
    word = _algorithms.word(NAME, field, name, "ipsec")
    if word is None:
        raise ValueError(f"{field}: strongSwan cannot speak {name}")
    return word


def proposal(phase: dict[str, t.Any]) -> str:
    """The one proposal of a phase (IKE or IPsec); charon then accepts nothing else."""
    fields = ("encryption", "integrity", "prf", "dh_group", "pfs_group")
    return "-".join(_word(field, phase[field]) for field in fields if phase.get(field))


def _read_proposal(value: str, last: str) -> dict[str, t.Any]:
    out: dict[str, t.Any] = {"encryption": None, "integrity": None, last: None}
    if last == "dh_group":
        out["prf"] = None
    for word in value.split("-"):
        for field in ("encryption", "integrity", "prf", last):
            if field not in out or out[field]:
                continue
            name = _BY_WORD[field].get(word)
            if name:
                out[field] = name
                break
    return out


_BY_WORD = {
    field: {word: name for name, word in _algorithms.spoken(NAME, field, "ipsec").items()}
    for field in _algorithms.TABLES
}


def resolve_actions(record: Record, settings: dict[str, t.Any], can_trap: bool) -> dict[str, str]:
    """What charon does at load, when the peer is dead and when it closes, where ``auto`` and the initiator are resolved."""
    if record["initiator"] == "hub":
        return {"start": "none", "dpd": "clear", "close": "none"}
    start = settings["start_action"]
    if start == "auto":
        start = "trap" if can_trap else "none"
    dpd = _DPD_ACTION[record["dpd"]["action"]]
    if dpd == "trap" and not can_trap:
        dpd = "restart"
    return {"start": start, "dpd": dpd, "close": settings["close_action"]}


def soft(lifetime: int) -> int:
    """When an SA is renewed, in seconds: early enough that the hard end, its lifetime, is not reached."""
    return lifetime * 9 // 10


def _connection(record: Record, settings: dict[str, t.Any], can_trap: bool) -> dict[str, t.Any]:
    ike, ipsec = record["ike"], record["ipsec"]
    local, remote = record["local"], record["remote"]
    actions = resolve_actions(record, settings, can_trap)
    reauth = ike["version"] == "v1" or settings["ike_renewal"] == "reauth"
    lifetime = int(ike["lifetime"])
    over = lifetime - soft(lifetime)
    return {
        "section": section(record["name"]),
        "version": _VERSION[ike["version"]],
        "aggressive": ike.get("mode") == "aggressive",
        "local_address": local.get("address") or local.get("gateway") or "%any",
        "remote_address": remote.get("gateway") or "CHANGEME-gateway",
        "proposal": proposal(ike),
        "local_id": identity(local["id"]) if local.get("id") else "CHANGEME-local-id",
        "remote_id": identity(remote["id"]) if remote.get("id") else remote.get("gateway") or "CHANGEME-remote-id",
        "rekey_time": 0 if reauth else soft(lifetime),
        "reauth_time": soft(lifetime) if reauth else 0,
        "over_time": over,
        "dpd_delay": int(record["dpd"]["interval"]),
        "dpd_timeout": int(record["dpd"]["timeout"]) if ike["version"] == "v1" else None,
        "encap": record["nat_traversal"] == "force",
        # Where nothing else brings a tunnel back, charon must not give up.
        "keyingtries": 0 if "start" in (actions["start"], actions["close"]) or actions["dpd"] == "restart" else 1,
        "children": [
            {
                "section": section(tunnel["name"]),
                "local_ts": tunnel["local_subnets"],
                "remote_ts": tunnel["remote_subnets"],
                "proposal": proposal(ipsec),
                "rekey_time": soft(int(ipsec["lifetime"])),
                "life_time": int(ipsec["lifetime"]),
                "start_action": actions["start"],
                "dpd_action": actions["dpd"],
                "close_action": actions["close"],
            }
            for tunnel in record["tunnels"]
        ],
        "secret": encode_psk(record["psk"]) if record.get("psk") else "CHANGEME-psk",
    }


def model(
    site: dict[str, t.Any], records: list[Record], settings: dict[str, t.Any], can_trap: bool = True
) -> dict[str, t.Any]:
    """The template's variables for one site. Raises ValueError where a record asks for what the platform cannot do."""
    for record in records:
        for field, value, message, remedy in problems(record):
            raise ValueError(f"{record['name']}: {field}: {value}: {message} {remedy}")
        _checks.addresses(record)
    return {
        "site": site["name"],
        "connections": [_connection(record, settings, can_trap) for record in records],
    }


FILTERS: dict[str, t.Callable[..., str]] = {"quoted": text.quote, "comment": lambda value: ascii(str(value))[1:-1]}


def read(texts: t.Mapping[str, str]) -> list[Record]:
    """The records that a rendered file carries, as the site sees them; fields that it does not carry are left out."""
    tree: text.Tree = {}
    for name, content in texts.items():
        text.parse_settings(content, name, tree)
    return read_tree(tree)


def parts(texts: t.Mapping[str, str]) -> dict[str, t.Any]:
    """What a file says of each connection by its name, to be compared with another state of the file. Raises TextError."""
    tree: text.Tree = {}
    for name, content in texts.items():
        text.parse_settings(content, name, tree)
    return {text.decode_name(one): part(tree, one) for one in tree.get("connections", {})}


def part(tree: text.Tree, name: str) -> list[t.Any]:
    """What settings say of one connection, by its section's name: itself and its key."""
    return [tree.get("connections", {}).get(name), tree.get("secrets", {}).get(f"ike-{name}")]


def read_tree(tree: text.Tree) -> list[Record]:
    """The same from settings that were read already; KeyError or ValueError for what this collection does not write."""
    secrets = tree.get("secrets", {})
    return [_read_connection(name, body, secrets) for name, body in tree.get("connections", {}).items()]


def _list(value: str) -> list[str]:
    return [item.strip() for item in value.split(",") if item.strip()]


def _read_connection(name: str, body: dict[str, t.Any], secrets: dict[str, t.Any]) -> Record:
    hub, _slash, site = name.partition("/")
    children = body.get("children", {})
    first: dict[str, t.Any] = next(iter(children.values()), {})
    version = {word: ours for ours, word in _VERSION.items()}[body["version"]]
    ike = _read_proposal(body["proposals"], "dh_group")
    ike.update(
        version=version,
        mode="aggressive" if body.get("aggressive") == "yes" else "main",
        lifetime=max(int(body["rekey_time"]), int(body["reauth_time"])) + int(body["over_time"]),
    )
    ipsec = _read_proposal(first.get("esp_proposals", ""), "pfs_group")
    ipsec["lifetime"] = int(first.get("life_time", 0))
    dpd = {
        "action": {word: ours for ours, word in _DPD_ACTION.items()}[first.get("dpd_action", "clear")],
        "interval": int(body["dpd_delay"]),
    }
    if "dpd_timeout" in body:
        dpd["timeout"] = int(body["dpd_timeout"])
    tunnels = [
        {
            "name": text.decode_name(child),
            "local_subnets": _list(entry["local_ts"]),
            "remote_subnets": _list(entry["remote_ts"]),
        }
        for child, entry in children.items()
    ]
    record = {
        "name": text.decode_name(name),
        "hub": text.decode_part(hub),
        "site": text.decode_part(site),
        "end": "site",
        "ike": ike,
        "ipsec": ipsec,
        "local": {"address": body["local_addrs"], "id": _read_identity(body["local"]["id"])},
        "remote": {"gateway": body["remote_addrs"], "id": _read_identity(body["remote"]["id"])},
        "tunnels": tunnels,
        "dpd": dpd,
        "nat_traversal": "force" if body.get("encap") == "yes" else "auto",
    }
    psk = decode_psk(secrets.get(f"ike-{name}", {}).get("secret", ""))
    if psk is not None:
        record["psk"] = psk
    return record
