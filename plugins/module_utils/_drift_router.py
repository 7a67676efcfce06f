# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""What a router's files hold, and what its SAs use, against what is described. Pure.

Files are compared by the digest of their text with what the description is rendered to; where they differ, both texts are
read by the platform's own reader, so that what the text cannot carry is no difference.
"""

from __future__ import annotations

import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _addresses, _platforms, _secrets
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _sas

Record = t.Dict[str, t.Any]

THERE, NOT_THERE = "there", "not there"
TEXT = "file"  # the field where no other says what differs


class Difference(t.NamedTuple):
    """One field that is otherwise; both values of a key are None."""

    subject: str  # hub/site, or hub/site/n
    field: str
    described: t.Any
    there: t.Any


def fields(record: Record) -> dict[tuple[str, str], t.Any]:
    """Give what a record that was read from a file carries, flat, by connection or tunnel and field."""
    name = record["name"]
    out = {
        (name, f"{phase}.{field}"): value
        for phase in ("ike", "ipsec", "dpd")
        for field, value in record.get(phase, {}).items()
    }
    out.update({(name, field): record[field] for field in ("mode", "initiator", "nat_traversal") if field in record})
    local, remote = record.get("local", {}), record.get("remote", {})
    for field, end, key in (("local_address", local, "address"), ("hub.gateway", remote, "gateway")):
        if key in end:
            out[name, field] = end[key]
    for field, end in (("id", local), ("peer_id", remote)):
        if end.get("id"):
            out[name, field] = end["id"]["value"]
            out[name, f"{field}.type"] = end["id"]["type"]
    for tunnel in record["tunnels"]:
        out[tunnel["name"], "subnets"] = sorted(tunnel["local_subnets"])
        out[tunnel["name"], "hub.subnets"] = sorted(tunnel["remote_subnets"])
    return out


def stored(
    site: str, platform: str, records: t.Sequence[Record], held: t.Mapping[str, t.Any], key: str, templates_dir: str
) -> list[Difference]:
    """Tell how a site's files differ from what its records (site's view, with keys where they are known) are rendered to.

    ``held`` is what site_configs_info returns of the site. Raises VpnError for what cannot be rendered.
    """
    given = {**(records[0].get("router_settings") or {})}
    entry = {"name": site, "platform": platform, "router_settings": given, "connections": list(records)}
    found: list[list[Difference]] = []
    for choice in getattr(_platforms.PLATFORMS[platform], "RESOLVED", ({},)):
        texts = _platforms.render(platform, entry, list(records), templates_dir, **choice)
        if digests(texts, key) == held["digests"]:
            return []
        wanted = [sealed(one, key) for one in _platforms.read(platform, texts)]
        found.append(_compared(wanted, held["connections"]))
    differences = min(found, key=len)
    if not differences and all(record.get("psk") for record in records):
        differences = [Difference(record["name"], TEXT, "as it is written", "another text") for record in records]
    return differences


def digests(texts: t.Mapping[str, str], key: str) -> dict[str, str]:
    """Give a digest of each file's text, which may hold a key."""
    return {name: _secrets.digest(key, text) for name, text in texts.items()}


def sealed(record: Record, key: str) -> Record:
    """Give a record that was read with a digest in the place of its key; None where there is none."""
    psk = record.get("psk")
    digest = _secrets.digest(key, psk) if psk and not psk.startswith(_secrets.PLACEHOLDER) else None
    return {**{field: value for field, value in record.items() if field != "psk"}, "psk_digest": digest}


def _compared(wanted: list[Record], there: t.Sequence[Record]) -> list[Difference]:
    """Compare what two texts carry."""
    expected, found = ({one["name"]: one for one in records} for records in (wanted, there))
    out = [Difference(name, "connection", THERE, NOT_THERE) for name in expected if name not in found]
    out += [Difference(name, "connection", NOT_THERE, THERE) for name in found if name not in expected]
    for name in expected:
        if name in found:
            out += _connection(expected[name], found[name])
    return out


def _connection(expected: Record, found: Record) -> list[Difference]:
    wanted, there = fields(expected), fields(found)
    names = [{tunnel["name"] for tunnel in record["tunnels"]} for record in (expected, found)]
    out = [Difference(name, "tunnel", THERE, NOT_THERE) for name in sorted(names[0] - names[1])]
    out += [Difference(name, "tunnel", NOT_THERE, THERE) for name in sorted(names[1] - names[0])]
    told = names[0] ^ names[1]
    for subject, field in [*wanted, *(one for one in there if one not in wanted)]:
        values = wanted.get((subject, field)), there.get((subject, field))
        if subject not in told and values[0] != values[1]:
            out.append(Difference(subject, field, *values))
    if expected["psk_digest"] and expected["psk_digest"] != found["psk_digest"]:
        out.append(Difference(expected["name"], "psk", None, None))
    return out


# --- running SAs ----------------------------------------------------------------------------------------------------

_FIELDS = {"local_subnets": "subnets", "remote_subnets": "hub.subnets", "tunnel": "tunnel"}


def carrying(record: Record, sas: t.Iterable[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
    """Give the IKE SAs that carry a connection, each with the tunnels of which it is the youngest; [] where nothing is up."""
    out: list[dict[str, t.Any]] = []
    carried: set[str] = set()
    there = [sa for sa in sas if sa["connection"] == record["name"] and sa["state"] in ("ESTABLISHED", "REKEYING")]
    for sa in sorted(there, key=lambda one: -one["id"]):
        new = {child["tunnel"] for child in _sas.live(sa)} - carried
        if new:
            carried |= new
            out.append({**sa, "children": [child for child in sa["children"] if child["tunnel"] in new]})
    return out


def running(record: Record, sas: t.Iterable[dict[str, t.Any]]) -> list[Difference]:
    """Tell in what the SAs that carry a connection differ from its record (site's view)."""
    out: list[Difference] = []
    carriers = carrying(record, sas)
    if record["state"] != "present":
        return [Difference(record["name"], "state", record["state"], "up")] if carriers else []
    for sa in carriers:
        for subject, field, declared, value in _sas.differences(record, sa):
            if field == "prf" and not record["ike"].get("prf") and declared == record["ike"].get("integrity"):
                continue  # without an AEAD it follows from the hash, of which it is told
            phase = "ike." if subject is None else "ipsec."
            out.append(Difference(subject or record["name"], _FIELDS.get(field, phase + field), declared, value))
        out += [
            Difference(record["name"], field, declared, value)
            for field, declared, value in (
                ("id", (record["local"]["id"] or {}).get("value"), sa.get("local_id")),
                ("peer_id", (record["remote"]["id"] or {}).get("value"), sa.get("remote_id")),
                ("hub.gateway", record["remote"]["gateway"], sa.get("remote_host")),
            )
            if declared and value and _plain(declared) != _plain(value)
        ]
    return list(dict.fromkeys(map(_hashable, out)))


def _hashable(one: Difference) -> Difference:
    described, there = (tuple(end) if isinstance(end, list) else end for end in (one.described, one.there))
    return one._replace(described=described, there=there)


def _plain(value: str) -> str:
    """Write an identity or address the one way; pluto marks a name with an @."""
    value = str(value).removeprefix("@")
    return _addresses.address(value) if _addresses.is_prefix(value) else value


def born(sa: dict[str, t.Any], now: float) -> float | None:
    """Say when an SA was made, in seconds since 1970 by the router's clock; None where the router does not say.

    Never too early: ``now`` is the router's time after the SA's age was read.
    """
    if sa.get("established") is not None:
        return now - float(sa["established"])
    added = [child["added"] for child in _sas.live(sa) if child.get("added")]
    return float(max(added)) if added else None


RUNNING = frozenset(
    ["subnets", "hub.subnets", "hub.gateway", "id", "peer_id", "ike.encryption", "ike.integrity", "ike.dh_group", "ipsec.encryption",
     "ipsec.integrity"]
)  # fmt: skip
