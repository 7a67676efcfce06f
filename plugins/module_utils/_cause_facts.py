# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""From evidence to facts: what was read of a tunnel, as short names with the sentence that shows each. Pure.

A fact is something that was seen, not what it means; ``_cause`` has the table of what facts mean. Names begin with where
it was seen: ``site.`` what the router has stored against the description, ``hub.`` what the cloud has, ``sa.`` what runs,
``log.`` what its IKE daemon wrote, ``path.`` what the router's network and a probe with packets say, ``ping.`` what the hosts saw.
"""

from __future__ import annotations

import itertools
import re
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _addresses
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _sas

Record = t.Mapping[str, t.Any]
Facts = t.Dict[str, str]


class Evidence(t.TypedDict, total=False):
    """What a router's module read of one connection. What is not there could not be read, or was not asked."""

    connection: str
    log: dict[str, dict[str, t.Any]]  # events by kind, as the platform's reader gives them
    log_read: bool
    stored: dict[str, t.Any] | None  # the record in the router's file, without key; None: there is none
    unreadable: str  # why that file cannot be read
    key_loaded: bool
    loaded: bool
    addresses: list[str]
    forwarding: dict[str, bool]  # by family, "4" and "6"
    gateway_route: dict[str, t.Any] | None
    gateway_answers: bool
    ports: dict[str, str]  # "500" and "4500": answers, refused, forbidden or silent
    lan: list[dict[str, t.Any]]  # subnet, and how the router would send there: dev, via; or error
    default_route: dict[str, t.Any]
    source_nat: list[str]  # rules that would translate what goes into the tunnel
    problems: list[str]  # what could not be read, and why


class View(t.TypedDict, total=False):
    """All that was seen of the connection that a tunnel belongs to."""

    evidence: Evidence | None
    sas: list[dict[str, t.Any]] | None
    cloud: t.Mapping[str, t.Any] | None  # what hub_info returned
    state: str  # the tunnel's status in the console's words
    pings: t.Sequence[t.Mapping[str, t.Any]]
    drift: t.Sequence[t.Mapping[str, t.Any]]  # steps that would make the tunnel's objects in the cloud as declared
    renewal: str  # what of the proof failed: reauthenticate, rekey or ""


def facts(record: Record, tunnel: Record, view: View) -> Facts:
    """Give the facts of one tunnel of a connection (site's view)."""
    evidence = view.get("evidence") or Evidence()
    out = {f"declared.{record['ike']['version']}": ""}
    out.update(_site(record, evidence))
    out.update(_cloud(record, view))
    out.update(_running(record, tunnel, view))
    out.update(_log(record, evidence))
    out.update(_path(record, tunnel, evidence))
    out.update(_pings(tunnel, view))
    if view.get("renewal"):
        out[f"proof.no_{view['renewal']}"] = {
            "reauthenticate": "re-authentication gave no new SA",
            "rekey": "rekeying gave no new SA",
        }[view["renewal"]]
    return out


# --- stored against declared -----------------------------------------------------------------------------------------

# fact -> phase and fields of it
_CLASSES = {
    "version": (("ike", "version"), ("ike", "mode")),
    "ike": (("ike", "encryption"), ("ike", "integrity"), ("ike", "prf"), ("ike", "dh_group")),
    "ipsec": (("ipsec", "encryption"), ("ipsec", "integrity")),
    "pfs": (("ipsec", "pfs_group"),),
}


def _differences(declared: Record, there: Record, holder: str) -> Facts:
    """Say how the algorithms, version and mode of one end differ from the declared ones."""
    out = {}
    for name, fields in _CLASSES.items():
        said = []
        for phase, field in fields:
            wanted, has = declared[phase].get(field) or None, there.get(phase, {}).get(field) or None
            if wanted == has or (field == "prf" and has in (None, declared[phase].get("integrity"))):
                continue
            if field == "mode" and "v2" in (declared["ike"]["version"], there.get("ike", {}).get("version")):
                continue
            said.append(f"{phase} {field} is {has or 'none'} {holder}, declared is {wanted or 'none'}")
        if said:
            out[name] = "; ".join(said)
    return out


def _site(record: Record, evidence: Evidence) -> Facts:
    out: Facts = {}
    if evidence.get("loaded") is False:
        out["site.not_loaded"] = "the router's IKE daemon has no such connection loaded"
    if evidence.get("key_loaded") is False:
        out["site.no_key"] = "the router's IKE daemon has no key of this connection loaded"
    if evidence.get("unreadable"):
        out["site.unreadable"] = f"what the router has stored cannot be read: {evidence['unreadable']}"
    if "stored" not in evidence:
        return out
    stored = evidence["stored"]
    if stored is None:
        return {**out, "site.not_stored": "the router's files have no such connection"}
    holder = "in the router's file"
    differ = _differences(record, stored, holder)
    for end, whose in (("local", "own"), ("remote", "hub's")):
        wanted, has = (one.get(end, {}).get("id") or {} for one in (record, stored))
        if wanted and has and not _same(wanted["value"], has["value"]):
            differ["id"] = f"the {whose} id is {has['value']} {holder}, declared is {wanted['value']}"
    wanted_gateway, has_gateway = record["remote"].get("gateway"), stored.get("remote", {}).get("gateway")
    if wanted_gateway and has_gateway and not _same(wanted_gateway, has_gateway):
        differ["gateway"] = f"the hub's gateway is {has_gateway} {holder}, declared is {wanted_gateway}"
    tunnels = {one["name"]: one for one in stored.get("tunnels", [])}
    for one in record["tunnels"]:
        has_tunnel = tunnels.get(one["name"])
        for end in ("local_subnets", "remote_subnets"):
            if has_tunnel is None or set(has_tunnel[end]) != set(one[end]):
                has_subnets = ", ".join(has_tunnel[end]) if has_tunnel else "nothing"
                differ["subnets"] = f"{one['name']} carries {has_subnets} {holder}, declared is {', '.join(one[end])}"
    out.update({f"site.{name}": said for name, said in differ.items()})
    if not out:
        out["site.as_declared"] = "the router's file is as declared"
    return out


def _same(one: str, other: str) -> bool:
    if _addresses.is_prefix(one) and _addresses.is_prefix(other):
        return _addresses.parse(one) == _addresses.parse(other)
    return one == other


# The console's words that say more than "not up".
_STATES = {
    "not there": "absent",
    "Creating": "creating",
    "Abnormal": "abnormal",
    "Frozen": "frozen",
    "not known": "silent",
    "Normal": "normal",
    "Not connected": "down",
}
# What the reference driver writes raw into ipsec.conf, and what then makes charon keep its old configuration.
_BREAKS_CONFIGURATION = re.compile(r'["\s#{}]')


def _cloud(record: Record, view: View) -> Facts:
    out: Facts = {}
    state = view.get("state", "")
    if state in _STATES:
        out[f"hub.{_STATES[state]}"] = f"the cloud says {state}"
    cloud = view.get("cloud")
    if not cloud:
        return out
    services = cloud.get("hub", {}).get("services") or []
    if len(services) > 1:
        names = ", ".join(f"{one.get('name') or one['id']} ({one.get('status')})" for one in services)
        out["hub.services"] = f"the VPC has {len(services)} VPN services: {names}"
    connections = cloud.get("connections") or []
    bad = [one for one in connections if _BREAKS_CONFIGURATION.search(str(one.get("peer_id") or ""))]
    if bad:
        out["hub.bad_value"] = f"peer id {bad[0]['peer_id']!a} of connection {bad[0]['name']}"
    mine = {one["name"] for one in record["tunnels"]}
    own = [one for one in connections if one["name"] in mine] or [
        one for one in connections if one.get("gateway") == record["local"]["gateway"]
    ]
    ids = {str(one.get("peer_id")) for one in own}
    others = [
        one["name"]
        for one in connections
        if str(one.get("peer_id")) in ids
        and one not in own
        and one.get("gateway") not in {x.get("gateway") for x in own}
    ]
    if others:
        out["hub.id_clash"] = f"connection {', '.join(others)} of the same hub has peer id {', '.join(sorted(ids))} too"
    out.update(_described(record, cloud.get("description") or {}))
    lacking = [
        one["name"]
        for one in view.get("drift") or []
        if (one["verb"], one["kind"]) == ("create", "security_group_rule")
    ]
    if lacking:
        out["hub.rules"] = f"the cloud lacks security group rules: {', '.join(lacking)}"
    steps = [f"{one['verb']} {one['kind']} {one['name']}" for one in view.get("drift") or []]
    if steps:
        out["hub.steps"] = f"it would be: {', '.join(steps)}"
    return out


def _subnets(record: Record, end: str) -> list[str]:
    return sorted({subnet for tunnel in record["tunnels"] for subnet in tunnel[end]})


def _described(record: Record, description: Record) -> Facts:
    """Compare with what the cloud's objects say, in the words of the description."""
    left_out = description.get("left_out") or []
    known = [
        *(description.get("connections") or []),
        *(one["but_for_rules"] for one in left_out if "but_for_rules" in one),
    ]
    found = [one for one in known if one["name"] == record["site"]] or [
        one for one in known if one["gateway"] == record["local"]["gateway"]
    ]
    if not found:
        return {}
    holder = "at the cloud"
    one = found[0]
    policy = next((other for other in description.get("policies", []) if other["name"] == one["policy"]), None)
    differ = _differences(record, policy, holder) if policy else {}
    wanted = (record["local"].get("id") or {}).get("value")
    has = (one.get("id") or {}).get("value") or one["gateway"]
    if wanted and not _same(wanted, has):
        differ["id"] = f"the site's id is {has} {holder}, declared is {wanted}"
    own, declared_own = (one.get("peer_id") or {}).get("value"), (record["remote"].get("id") or {}).get("value")
    if own and declared_own and not _same(own, declared_own):
        differ["id"] = f"the hub's id is {own} {holder}, declared is {declared_own}"
    if not _same(one["gateway"], record["local"]["gateway"] or one["gateway"]):
        differ["gateway"] = f"the site's address is {one['gateway']} {holder}, declared is {record['local']['gateway']}"
    subnets = [
        f"the {whose} subnets are {', '.join(has)} {holder}, declared is {', '.join(declared)}"
        for whose, has, declared in (
            ("site's", one["subnets"], _subnets(record, "local_subnets")),
            ("hub's", description.get("subnets") if record.get("resolved") else [], _subnets(record, "remote_subnets")),
        )
        if has and sorted(has) != declared
    ]
    if subnets:
        differ["subnets"] = "; ".join(subnets)
    if one.get("state") == "disabled":
        differ["disabled"] = f"the connection is disabled {holder}"
    if not differ:
        return {"hub.as_declared": "the cloud's objects are as declared"}
    return {f"hub.{name}": said for name, said in differ.items()}


# --- what runs -------------------------------------------------------------------------------------------------------


def _running(record: Record, tunnel: Record, view: View) -> Facts:
    sas = view.get("sas")
    if sas is None:
        return {}
    established = [sa for sa in sas if sa["connection"] == record["name"] and sa["state"] == "ESTABLISHED"]
    if not established:
        return {"sa.none": "the router has no IKE SA for it"}
    carrying = [(sa, child) for sa in established for child in _sas.live(sa) if child["tunnel"] == tunnel["name"]]
    if not carrying:
        return {"sa.no_child": "the IKE SA is up, and no SA carries the tunnel"}
    out: Facts = {}
    if len(carrying) > 1:
        out["sa.several"] = f"{len(carrying)} SAs carry the tunnel at once"
    if _sas.unheard([dict(record)], established, [tunnel["name"]]):
        out["sa.carries"] = "the router's SA has carried the tunnel for more than a minute"
    sa, child = max(carrying, key=lambda one: (one[0]["id"], one[1]["id"]))
    differ = _sas.deviations(dict(record), {**sa, "children": [child]})
    narrowed = [one for one in differ if " carries " in one]
    rest = [one for one in differ if " carries " not in one]
    if narrowed:
        out["sa.subnets"] = "; ".join(narrowed)
    if rest:
        out["sa.suite"] = "; ".join(rest)
    for counter, word in (("bytes_in", "in"), ("bytes_out", "out")):
        if not child.get(counter):
            out[f"sa.nothing_{word}"] = f"no byte went {word} by the tunnel"
    return out


# Events of which each says that a packet of the hub's came.
_ANSWERS = ("ike.", "auth.", "child.", "rekey.")


def _log(record: Record, evidence: Evidence) -> Facts:
    out: Facts = {}
    if evidence.get("log_read"):
        out["log.read"] = ""
    for name, event in (evidence.get("log") or {}).items():
        said = event["said"]
        if name.startswith("spoke."):
            spoken = name.partition(".")[2]
            if (spoken == "aggressive" and record["ike"].get("mode") != "aggressive") or (
                spoken in ("v1", "v2") and spoken != record["ike"]["version"]
            ):
                out["log.other_version"] = f"the hub speaks {spoken}: {said}"
            continue
        if name.startswith(_ANSWERS):
            out["log.answered"] = ""
        if name == "duplicate" and event["count"] < 2:
            continue  # an end that restarts says so once
        if event.get("differing"):
            out.update(_offered(record, "ike" if name.startswith("ike") else "ipsec", event))
            continue
        if event.get("ids"):
            said = f"{said}: the hub asked for {event['ids'][0]} as {event['ids'][1]}"
        out[f"log.{name}"] = said
    return out


def _offered(record: Record, phase: str, event: t.Mapping[str, t.Any]) -> Facts:
    """Say which algorithms the hub offered and the router would not take; whose end is otherwise, the declared one tells."""
    words: dict[str, list[str]] = {}
    for field in event["differing"]:
        wanted, came = record[phase].get(field), event["received"].get(field) or ["none"]
        if field == "prf" and not wanted and "integrity" in event["differing"]:
            continue  # without AEAD the hash is both
        kind, end = "pfs" if field == "pfs_group" else phase, "site" if wanted in came else "hub"
        words.setdefault(f"log.{kind}.{end}", []).append(
            f"{phase} {field}: the hub offers {', '.join(came)}, declared is {wanted or 'none'}"
        )
    return {name: "; ".join(said) for name, said in words.items()}


# --- the way of the packets ------------------------------------------------------------------------------------------


def _path(record: Record, tunnel: Record, evidence: Evidence) -> Facts:
    out: Facts = {}
    gateway = record["remote"].get("gateway")
    if "gateway_route" in evidence and evidence["gateway_route"] is None:
        out["path.no_route"] = f"the router has no route to the hub's gateway {gateway}"
    if "gateway_answers" in evidence:
        answers = evidence["gateway_answers"]
        out["path.answers" if answers else "path.mute"] = (
            f"the hub's gateway {gateway} {'answers' if answers else 'does not answer'} a ping of the router"
        )
    for port, what in (evidence.get("ports") or {}).items():
        out[f"path.{port}.{what}"] = f"UDP {port} of {gateway}: {_PORT_WORDS.get(what, what)}"
    own = record["local"].get("address") or record["local"].get("gateway")
    addresses = evidence.get("addresses")
    if addresses and own and not any(_same(own, one) for one in addresses):
        out["path.foreign_address"] = f"no interface of the router has {own}; it has {', '.join(addresses)}"
    default = evidence.get("default_route") or {}
    lost = [
        f"{one['subnet']} ({one.get('error') or 'by the default route'})"
        for one in evidence.get("lan") or []
        if one["subnet"] in tunnel["local_subnets"] and (one.get("error") or _by_default(one, default))
    ]
    if lost:
        out["path.no_lan_route"] = f"the router has no route into {', '.join(lost)}"
    families = {"6" if ":" in subnet else "4" for subnet in tunnel["local_subnets"]}
    off = sorted(one for one in families if (evidence.get("forwarding") or {}).get(one) is False)
    if off:
        out["path.no_forwarding"] = f"the router does not forward IPv{' and IPv'.join(off)}"
    if evidence.get("source_nat"):
        out["path.source_nat"] = (
            f"rule `{evidence['source_nat'][0]}` of the router translates what the tunnel should carry"
        )
    return out


_PORT_WORDS = {
    "answers": "an IKE daemon answers a probe",
    "refused": "the gateway says that nobody listens there",
    "forbidden": "the router itself may not send there",
    "silent": "nothing answers a probe",
}


def _by_default(way: t.Mapping[str, t.Any], default: t.Mapping[str, t.Any]) -> bool:
    return bool(default.get("via")) and (way.get("dev"), way.get("via")) == (default.get("dev"), default.get("via"))


def _pings(tunnel: Record, view: View) -> Facts:
    pings = [one for one in view.get("pings") or [] if one["tunnel"] == tunnel["name"]]
    local = [_addresses.parse(one) for one in tunnel["local_subnets"]]
    out: Facts = {}
    to_hub: list[t.Mapping[str, t.Any]] = []
    to_site: list[t.Mapping[str, t.Any]] = []
    for one in pings:
        source = _addresses.parse(one["from"])
        (to_hub if any(net.covers(source) for net in local) else to_site).append(one)
    if any(one["received"] for one in pings):
        out["ping.some"] = ""
    for name, way in (("to_hub", to_hub), ("to_site", to_site)):
        lost = [one for one in way if not one["received"]]
        if lost:
            out[f"ping.{name}"] = "no ping came back: " + ", ".join(f"{one['from']} to {one['to']}" for one in lost)
        elif way:
            out[f"ping.{name}_passes"] = ""
    stuck = [one for one in to_hub if not one["received"] and "unreachable" in str(one.get("said", "")).lower()]
    if stuck:
        out["ping.host_no_route"] = f"host {stuck[0]['from']} has no way to {stuck[0]['to']}: {stuck[0]['said']}"
    # A host of the site that no ping of either direction reaches, while another host's pass.
    fates: dict[str, set[bool]] = {}
    for one, end in itertools.chain(((one, "from") for one in to_hub), ((one, "to") for one in to_site)):
        fates.setdefault(one[end], set()).add(bool(one["received"]))
    dead = sorted(host for host, fate in fates.items() if fate == {False})
    if dead and any(True in fate for fate in fates.values()):
        out["ping.one_host"] = f"nothing passes from or to {', '.join(dead)}; other hosts of the tunnel talk"
    elif dead:
        out["ping.all"] = f"nothing passes from or to {', '.join(dead)}"
    large = [one for one in pings if one.get("received") and one.get("largest") is not None]
    if large:
        least = min(large, key=lambda one: one["largest"])
        out["ping.large"] = (
            f"{least['from']} to {least['to']}: packets of up to {least['largest']} bytes pass, larger ones vanish without a word"
        )
    return out
