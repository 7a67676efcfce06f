# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""libreswan: what it can speak, the model of its two files, and the way back from them.

A conn that is never loaded by itself has what the tunnels of a connection share; each tunnel is a conn of its own.
Sources: ipsec.conf(5) and ipsec.secrets(5) of libreswan 4.10; what is said of pluto's behaviour was tried on 4.10.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _algorithms
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _checks, _linux
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _ipsec_text as text

NAME = "libreswan"
TITLE = "libreswan"
DRIVEN = True

Record = t.Dict[str, t.Any]
Problem = _checks.Problem

# What the platform can speak; algorithms are `_algorithms`' column "libreswan".
LIMITS: dict[str, t.Any] = {
    "ike.version": ("v1", "v2"),
    "ike.mode": ("main", "aggressive"),
    "nat_traversal": ("auto", "force", "off"),
    "initiator": ("both", "hub", "site"),
    "dpd.action": ("hold", "clear", "restart"),
    "local.id.type": ("ipv4", "ipv6", "fqdn", "email"),
    "remote.id.type": ("ipv4", "ipv6", "fqdn", "email"),
    "selector_mode": ("per_pair",),
    "mode": ("policy",),
}

SETTINGS: dict[str, dict[str, t.Any]] = {
    "start_action": {
        "type": "str",
        "required": False,
        "default": "auto",
        "choices": ["auto", "ondemand", "start", "add"],
        "description": "What pluto does with a tunnel when it starts. V(auto) is V(ondemand), or V(add) where only the hub may"
        " begin.",
    },
    "routes": _linux.ROUTES,
}

# Debian's ipsec.conf and ipsec.secrets include these of /etc/ipsec.d.
FILES = (
    ("bothends-vpn-{site}.conf", "libreswan.conf.j2"),
    ("bothends-vpn-{site}.secrets", "libreswan.secrets.j2"),
)
# What of a file's text is never shown.
SECRET = re.compile(r"^(.*: PSK )(.*)", re.MULTILINE)

# pluto shortens a longer one with a line in its log only.
_LIFETIME = 86400
_FUZZ = 10  # per cent
_VERSION = {"v1": "no", "v2": "yes"}  # ikev2=
_ENCAPSULATION = {"auto": "auto", "force": "yes", "off": "no"}


def problems(record: Record) -> t.Iterator[Problem]:
    """Yields what of a record (either end's view) the platform cannot do, as (field, value, message, remedy)."""
    yield from _checks.beyond_limits(record, LIMITS, TITLE)
    yield from _checks.translation(record, TITLE)
    ike, ipsec = record["ike"], record["ipsec"]
    if ike["version"] == "v2":
        if ike.get("mode") == "aggressive":
            yield "ike.mode", "aggressive", "IKEv2 has no aggressive mode.", "Leave mode out."
        if ipsec.get("pfs_group") not in (None, ike["dh_group"]):
            yield (
                "ipsec.pfs_group",
                ipsec["pfs_group"],
                "with IKEv2, libreswan renews a tunnel with the group of ike: the first rekeying would fail.",
                f"Use {ike['dh_group']}, or the same group in ike.",
            )
    elif ipsec.get("pfs_group") == "group31":
        yield (
            "ipsec.pfs_group",
            "group31",
            "libreswan has no group31 for IKEv1's tunnels.",
            "Use another group, or IKEv2.",
        )
    for phase in ("ike", "ipsec"):
        if int(record[phase]["lifetime"]) > _LIFETIME:
            yield (
                f"{phase}.lifetime",
                record[phase]["lifetime"],
                f"libreswan shortens a lifetime to {_LIFETIME} s.",
                f"Use at most {_LIFETIME}.",
            )
    if any(len(tunnel[end]) > 1 for tunnel in record["tunnels"] for end in ("local_subnets", "remote_subnets")):
        yield (
            "selector_mode",
            record["selector_mode"],
            "a tunnel of libreswan's carries one pair of subnets.",
            "Set selector_mode to per_pair (or auto).",
        )
    for end in ("local", "remote"):
        why = _id_problem(record[end].get("id"))
        if why:
            yield (
                f"{end}.id.value",
                record[end]["id"]["value"],
                why,
                "Choose another id, most simply a name or an address.",
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


def _id_problem(identity: dict[str, str] | None) -> str | None:
    if identity is None:
        return None
    value = identity["value"]
    if identity["type"] in ("ipv4", "ipv6"):
        return _checks.address_of_type(identity)
    if not all(32 < ord(char) < 127 for char in value) or '"' in value:
        return "libreswan takes only printable ASCII without blanks and quotation marks in an id."
    if "=" in value:
        return "libreswan reads an id with an = as a certificate's subject."
    if identity["type"] == "fqdn" and value[:1] in ("", "#", "[", "~"):
        return "libreswan reads an id that begins so as a key's number or as encoded."
    if identity["type"] == "email" and "@" not in value[1:]:
        return "libreswan takes an id for an e-mail address by the @ in it."
    if identity["type"] == "email" and value.startswith("@"):
        return "libreswan takes an id that begins with @ for a name."
    return None


def missing(site: dict[str, t.Any], records: list[Record]) -> list[str]:
    """The fields that a deployable file needs and that are not there, each as the placeholder shows it."""
    del site  # libreswan needs none of router_settings
    return _checks.unknown_values(records)


def identity(value: dict[str, str]) -> str:
    """An IKE identity as libreswan reads it back as that type and no other."""
    return ("@" if value["type"] == "fqdn" else "") + value["value"]


def _read_identity(value: str) -> dict[str, str]:
    if value.startswith("@"):
        return {"type": "fqdn", "value": value[1:]}
    if "@" in value:
        return {"type": "email", "value": value}
    return {"type": "ipv6" if ":" in value else "ipv4", "value": value}


def _word(field: str, name: str, where: str) -> str:
    word = _algorithms.word(NAME, field, name, where)
    if word is None:
        raise ValueError(f"{field}: libreswan cannot speak {name} in {where}")
    return word


def ike_proposal(ike: dict[str, t.Any]) -> str:
    """The one proposal of the IKE SA; pluto then accepts nothing else."""
    where = _algorithms.context("ike", ike["version"])
    # With an AEAD the second word is the PRF; else the PRF follows from it.
    second = "prf" if _algorithms.ENCRYPTION[ike["encryption"]].aead else "integrity"
    return "-".join(_word(field, ike[field], where) for field in ("encryption", second, "dh_group"))


def ipsec_proposal(ipsec: dict[str, t.Any]) -> str:
    """The one proposal of the tunnels."""
    words = [_word("encryption", ipsec["encryption"], "ipsec")]
    words.append(_word("integrity", ipsec["integrity"], "ipsec") if ipsec.get("integrity") else "none")
    if ipsec.get("pfs_group"):
        words.append(_word("pfs_group", ipsec["pfs_group"], "ipsec"))
    return "-".join(words)


def margin(record: Record) -> int:
    """How long before its end an SA is renewed, in seconds: one value for both phases.

    A tenth of the IKE SA's lifetime, so that the site comes before the hub, but at most half of a tunnel's.
    """
    return min(int(record["ike"]["lifetime"]) // 10, int(record["ipsec"]["lifetime"]) // 2)


def auto(record: Record, settings: dict[str, t.Any]) -> str:
    """What pluto does with a tunnel when it starts."""
    if record["initiator"] == "hub":
        return "add"
    return "ondemand" if settings["start_action"] == "auto" else settings["start_action"]


def _connection(record: Record, settings: dict[str, t.Any]) -> dict[str, t.Any]:
    ike, ipsec = record["ike"], record["ipsec"]
    local, remote = record["local"], record["remote"]
    return {
        "section": text.section(record["name"]),
        "ikev2": _VERSION[ike["version"]],
        "aggressive": "yes" if ike.get("mode") == "aggressive" else "no",
        "left": local.get("address") or local.get("gateway") or "%defaultroute",
        "right": remote.get("gateway") or "CHANGEME-gateway",
        "left_id": identity(local["id"]) if local.get("id") else "CHANGEME-local-id",
        "right_id": identity(remote["id"]) if remote.get("id") else remote.get("gateway") or "CHANGEME-remote-id",
        "ike": ike_proposal(ike),
        "esp": ipsec_proposal(ipsec),
        "pfs": "yes" if ipsec.get("pfs_group") else "no",
        "ike_lifetime": int(ike["lifetime"]),
        "sa_lifetime": int(ipsec["lifetime"]),
        "margin": margin(record),
        "fuzz": _FUZZ,
        "dpd_action": record["dpd"]["action"],
        "dpd_delay": int(record["dpd"]["interval"]),
        # With IKEv2 pluto ignores it, and says so each time.
        "dpd_timeout": int(record["dpd"]["timeout"]) if ike["version"] == "v1" else None,
        "encapsulation": _ENCAPSULATION[record["nat_traversal"]],
        "auto": auto(record, settings),
        "tunnels": [
            {
                "section": text.section(tunnel["name"]),
                "left": tunnel["local_subnets"][0],
                "right": tunnel["remote_subnets"][0],
            }
            for tunnel in record["tunnels"]
        ],
        "secret": text.encode_psk(record["psk"]) if record.get("psk") else "CHANGEME-psk",
    }


def model(site: dict[str, t.Any], records: list[Record], settings: dict[str, t.Any]) -> dict[str, t.Any]:
    """The templates' variables for one site. Raises ValueError where a record asks for what the platform cannot do."""
    for record in records:
        for field, value, message, remedy in problems(record):
            raise ValueError(f"{record['name']}: {field}: {value}: {message} {remedy}")
        _checks.addresses(record)
    return {"site": site["name"], "connections": [_connection(record, settings) for record in records]}


FILTERS: dict[str, t.Callable[..., str]] = {"quoted": text.quote}


def parse(texts: t.Mapping[str, str]) -> tuple[text.Sections, dict[tuple[str, str], str]]:
    """The conns and the secrets in files, name -> text. Raises TextError."""
    sections: text.Sections = {}
    secrets: dict[tuple[str, str], str] = {}
    for name, content in texts.items():
        if name.endswith(".secrets"):
            secrets.update(text.parse_secrets(content, name))
        else:
            sections.update(text.parse_conf(content, name))
    return sections, secrets


def part(sections: text.Sections, secrets: dict[tuple[str, str], str], conn: str) -> list[t.Any]:
    """What files say of one tunnel, by its conn's name: itself, what it shares with others, and the key."""
    own = sections.get(conn, {})
    shared = sections.get(own.get("also", ""), {})
    return [own, shared, secrets.get((shared.get("leftid", ""), shared.get("rightid", "")))]


def parts(texts: t.Mapping[str, str]) -> dict[str, t.Any]:
    """What a site's files say of each connection by its name, to be compared with another state of them. Raises TextError."""
    sections, secrets = parse(texts)
    out: dict[str, t.Any] = {}
    for conn, own in sections.items():
        name = text.decode_section(own.get("also", conn))
        if name is not None:  # else somebody else put it into our file
            out.setdefault(name, {})[conn] = part(sections, secrets, conn)
    return out


def read(texts: t.Mapping[str, str]) -> list[Record]:
    """The records that a site's files carry, as the site sees them; fields that they do not carry are left out."""
    sections, secrets = parse(texts)
    shared = {name: values for name, values in sections.items() if "also" not in values}
    return [
        _read_connection(
            name, values, {conn: own for conn, own in sections.items() if own.get("also") == name}, secrets
        )
        for name, values in shared.items()
    ]


_BY_WORD = {
    (field, where): {word: name for name, word in _algorithms.spoken(NAME, field, where).items()}
    for field in _algorithms.TABLES
    for where in _algorithms.CONTEXTS
}


def _named(field: str, where: str, word: str) -> str:
    """Give our name of an algorithm; what somebody wrote who knows others keeps libreswan's word, and differs from any of ours."""
    return _BY_WORD[field, where].get(word, word)


def _read_ike(values: dict[str, str]) -> dict[str, t.Any]:
    version = {word: ours for ours, word in _VERSION.items()}[values["ikev2"]]
    where = _algorithms.context("ike", version)
    first, second, group = values["ike"].split("-")
    cipher = _named("encryption", where, first)
    aead = cipher in _algorithms.ENCRYPTION and _algorithms.ENCRYPTION[cipher].aead
    return {
        "version": version,
        "mode": "aggressive" if values.get("aggressive") == "yes" else "main",
        "encryption": cipher,
        "integrity": None if aead else _named("integrity", where, second),
        "prf": _named("prf", where, second) if aead else None,
        "dh_group": _named("dh_group", where, group),
        "lifetime": int(values["ikelifetime"].rstrip("s")),
    }


def _read_ipsec(values: dict[str, str]) -> dict[str, t.Any]:
    first, second, *group = values["esp"].split("-")
    return {
        "encryption": _named("encryption", "ipsec", first),
        "integrity": None if second == "none" else _named("integrity", "ipsec", second),
        "pfs_group": _named("pfs_group", "ipsec", group[0]) if values["pfs"] == "yes" else None,
        "lifetime": int(values["salifetime"].rstrip("s")),
    }


def _read_connection(
    name: str, values: dict[str, str], tunnels: text.Sections, secrets: dict[tuple[str, str], str]
) -> Record:
    decoded = text.decode_section(name)
    if decoded is None:
        raise ValueError(f"{name} is not ours")
    hub, _slash, site = decoded.partition("/")
    dpd: dict[str, t.Any] = {"action": values["dpdaction"], "interval": int(values["dpddelay"])}
    if "dpdtimeout" in values:
        dpd["timeout"] = int(values["dpdtimeout"])
    record = {
        "name": decoded,
        "hub": hub,
        "site": site,
        "end": "site",
        "ike": _read_ike(values),
        "ipsec": _read_ipsec(values),
        "local": {"address": values["left"], "id": _read_identity(values["leftid"])},
        "remote": {"gateway": values["right"], "id": _read_identity(values["rightid"])},
        "tunnels": [
            {
                "name": text.decode_section(conn),
                "local_subnets": [own["leftsubnet"]],
                "remote_subnets": [own["rightsubnet"]],
            }
            for conn, own in tunnels.items()
        ],
        "dpd": dpd,
        "nat_traversal": {word: ours for ours, word in _ENCAPSULATION.items()}[values["encapsulation"]],
    }
    psk = text.decode_psk(secrets.get((values["leftid"], values["rightid"]), ""))
    if psk is not None:
        record["psk"] = psk
    return record
