# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""Rules over the provider's row: what its API does not take, what a server shows of itself, what its quotas leave. Pure."""

from __future__ import annotations

import collections
import typing as t
import urllib.parse

from ansible_collections.bothends.vpn.plugins.module_utils import _addresses, _algorithms, _dialect, _platforms
from ansible_collections.bothends.vpn.plugins.module_utils._description import SITE
from ansible_collections.bothends.vpn.plugins.module_utils._findings import WARNING, Finding, Found, finding, listed
from ansible_collections.bothends.vpn.plugins.module_utils._objects import Body, Owner, Snapshot, described
from ansible_collections.bothends.vpn.plugins.module_utils._providers import PROVIDERS, Provider
from ansible_collections.bothends.vpn.plugins.module_utils._rules_description import not_routed
from ansible_collections.bothends.vpn.plugins.module_utils._steps import REPLACED, Step
from ansible_collections.bothends.vpn.plugins.module_utils._topology import Connection

# --- what is written: offline


def _own_identity(record: Connection) -> t.Any:
    """Give the hub's identity where the user gave one."""
    identity, gateway = record["local"]["id"], record["local"]["gateway"]
    return identity["value"] if identity and identity["value"] != gateway else None


_VALUES: dict[str, t.Callable[[Connection], t.Any]] = {
    "underlay_mtu": lambda record: record["underlay_mtu"],
    "state": lambda record: record["state"],
    "peer_id": _own_identity,
}


def _fixed(record: Connection, hub: dict[str, t.Any]) -> Found:
    provider = PROVIDERS[hub["provider"]]
    for field, allowed in provider.fixed.items():
        value = _VALUES[field](record)
        if value not in allowed:
            only = " or ".join(str(one) for one in allowed if one is not None)
            yield finding(
                "provider-fixed", record["site"], f"vpn_sites.{record['site']}.{field}", value,
                f"{provider.name} takes {f'only {only}' if only else 'none'} there.",
                f"Write {only}, or leave it out." if only else "Leave it out.", provider.said(field),
            )  # fmt: skip
    if record["ike"]["mode"] not in provider.ike_modes:
        yield finding(
            "provider-fixed", record["policy"], f"vpn_policies.{record['policy']}.ike.mode", record["ike"]["mode"],
            f"{provider.name} takes only {' or '.join(provider.ike_modes)} there.", "Leave `mode` out.", provider.said("ike_modes"),
        )  # fmt: skip


def _lengths(record: Connection, hub: dict[str, t.Any]) -> Found:
    """Names and descriptions are made of the hub's and the site's name."""
    provider, field = PROVIDERS[hub["provider"]], f"vpn_sites.{record['site']}"
    written = [_dialect.connection_name(provider, one["name"], record["psk_generation"]) for one in record["tunnels"]]
    names = [f"{record['hub']}/{record['policy']}", *written]
    longest = max(names, key=len)
    text = described(Owner(record["hub"], record["site"]))
    for fact, made, what in (("name_length", longest, "name"), ("description_length", text, "description")):
        most = getattr(provider, fact)
        if len(made) > most:
            yield finding(
                "name-too-long", record["site"], field, record["site"],
                f"the {what} {made!r} has {len(made)} characters, and {provider.name} takes {most}.",
                "Shorten the name of the hub, the site or the policy.", provider.said(fact),
            )  # fmt: skip


def _selectors(record: Connection, hub: dict[str, t.Any]) -> Found:
    provider, field = PROVIDERS[hub["provider"]], f"vpn_sites.{record['site']}"
    pairs = len(record["local"]["subnets"]) * len(record["remote"]["subnets"])
    if provider.pairs and pairs > provider.pairs:
        yield finding(
            "too-many-pairs", record["site"], f"{field}.subnets", pairs,
            f"the hub's subnets times the site's are {pairs}, and {provider.name} takes {provider.pairs}.",
            "Sum up subnets that lie side by side.", provider.said("pairs"),
        )  # fmt: skip
    if provider.one_connection_a_peer and len(record["tunnels"]) > 1:
        yield finding(
            "one-connection-a-peer", record["site"], f"{field}.selector_mode", record["selector_mode"],
            f"{record['name']} would be {len(record['tunnels'])} connections to one gateway, and {provider.name} takes one.",
            _as_one(record), provider.said("one_connection_a_peer"),
        )  # fmt: skip


def _as_one(record: Connection) -> str:
    """Say what makes one tunnel of several. A hub's subnets are those that the VPC has, so only a site's can be summed up."""
    if record["selector_mode"] == "combined":
        return "Describe subnets of one IP version only."
    several = [what for end, what in (("local", "one subnet of the hub"), ("remote", f"one subnet at the site{_wider(record)}"))
               if len(t.cast(t.Any, record)[end]["subnets"]) > 1]  # fmt: skip
    able = [name for name, row in _platforms.PLATFORMS.items() if "combined" in row.LIMITS["selector_mode"]]
    other = "selector_mode combined" if record["platform"] in able else f"platform {listed(able)}"
    return f"Describe {' and '.join(several)}, or use {other} (with IKEv2)."


_MOST_WASTE = 4  # times the addresses that are described


def _wider(record: Connection) -> str:
    """Name the one subnet that holds all of a site's, where it holds little else and nothing of the hub's."""
    blocks = _addresses.merged(filter(None, map(_addresses.found, record["remote"]["subnets"])))
    whole = _addresses.spanning(blocks)
    if whole is None or _addresses.overlaps_any(str(whole), record["local"]["subnets"]):
        return ""
    described = sum(block.last - block.first + 1 for block in blocks)
    return f" ({whole} holds all)" if whole.last - whole.first + 1 <= _MOST_WASTE * described else ""


def _reserved(record: Connection, hub: dict[str, t.Any]) -> Found:
    provider, field = PROVIDERS[hub["provider"]], f"vpn_sites.{record['site']}"
    for index, subnet in enumerate(record["remote"]["subnets"]):
        if provider.site_reserved and not_routed(subnet):
            continue  # by nobody, which is told already
        for block in _touched(subnet, provider.site_reserved):
            yield finding(
                "reserved-subnet", record["site"], f"{field}.subnets[{index}]", subnet,
                f"{provider.name} does not carry {block}.", "Renumber it.", provider.said("site_reserved"),
            )  # fmt: skip
    for block in _touched(record["remote"]["gateway"] or "", provider.gateway_reserved):
        yield finding(
            "gateway-not-public", record["site"], f"{field}.gateway", record["remote"]["gateway"],
            f"{provider.name} cannot reach {block}.", "Write the public address that the cloud sees, of the NAT in front if there is one.",
            provider.said("gateway_reserved"),
        )  # fmt: skip


def _touched(prefix: str, blocks: t.Sequence[str]) -> list[str]:
    if not blocks or not _addresses.is_prefix(prefix):
        return []
    return [block for block in blocks if _addresses.parse(block).overlaps(_addresses.parse(prefix))]


RULES: tuple[t.Callable[[Connection, dict[str, t.Any]], Found], ...] = (_fixed, _lengths, _selectors, _reserved)

_DPD = {name: row["default"] for name, row in SITE["dpd"]["options"].items()}

# field of a site -> whether it asks for what a hub that goes its own way there does not do
_ASKED: dict[str, t.Callable[[Connection], bool]] = {
    "initiator": lambda record: record["initiator"] == "site",
    "underlay_mtu": lambda record: record["underlay_mtu"] != SITE["underlay_mtu"]["default"],
    "dpd": lambda record: record["dpd"] != _DPD,
}


def _effective(record: Connection, hub: dict[str, t.Any]) -> Found:
    """What is stored and not done looks as if it were done."""
    provider = PROVIDERS[hub["provider"]]
    for field, truth in provider.effective.items():
        if field in _ASKED and _ASKED[field](record):
            value = t.cast(t.Any, record)[field]
            yield finding(
                "not-in-force", record["site"], f"vpn_sites.{record['site']}.{field}", value,
                f"the site's end does it, the hub ({provider.name}) does not: {truth}.",
                "Leave it out, or ignore this where the site's end is enough.", provider.said("effective"),
            )  # fmt: skip


def _usual_subnets(record: Connection, hub: dict[str, t.Any]) -> Found:
    provider = PROVIDERS[hub["provider"]]
    most = provider.usual_quotas.get("subnet")
    for end, host, field in (
        ("remote", record["site"], f"vpn_sites.{record['site']}.subnets"),
        ("local", record["hub"], f"vpn_hubs.{record['hub']}.subnets"),
    ):
        count = len(t.cast(t.Any, record)[end]["subnets"])
        if most and count > most:
            yield finding(
                "over-usual-quota", host, field, count, f"are {count}, and {provider.name} usually allows {most} of a connection.",
                "Sum up subnets that lie side by side, or ask for more.", provider.said("usual_quotas"), WARNING,
            )  # fmt: skip


OF_A_SITE: tuple[t.Callable[[Connection, dict[str, t.Any]], Found], ...] = (_effective, _usual_subnets)


# --- what the server shows, before anything is written


def shown(hub: str, name: str, snapshot: Snapshot, records: t.Sequence[Connection]) -> list[Finding]:
    """Tell what the server shows against the provider that the hub says it is, and what it lacks."""
    row = PROVIDERS[name]
    return wrong(hub, name, snapshot) or [
        *lacking(hub, row, row.needs, snapshot),
        *not_added(row, snapshot, records),
    ]


def wrong(hub: str, name: str, snapshot: Snapshot) -> list[Finding]:
    """Tell what the server shows against the provider that it is said to be."""
    against = {row.name: list(_against(row, snapshot)) for row in PROVIDERS.values()}
    if not against[name]:
        return []
    others = [row for row, why in against.items() if not why]
    return [
        finding(
            "wrong-provider", hub, f"vpn_hubs.{hub}.provider", name, f"the server is another one: {'; '.join(against[name])}.",
            f"Set it to {' or '.join(others)}." if others else "Ask the cloud's operator which API this is.",
            PROVIDERS[name].said("never"),
        )
    ]  # fmt: skip


def _against(row: Provider, snapshot: Snapshot) -> t.Iterator[str]:
    """Say why a server cannot be one of this provider."""
    host = urllib.parse.urlsplit(snapshot["endpoint"][0]["url"]).hostname or ""
    for other in PROVIDERS.values():
        if other is not row and host.endswith(other.hosts):
            yield f"its endpoint {host} is one of {other.name}"
    extensions = _extensions(snapshot)
    if extensions is None and row.needs:
        yield f"it does not list its extensions, and {row.name} does"
    for alias in sorted((extensions or set()) & set(row.never)):
        yield f"it has extension {alias}, and {row.name} has none"
    spoken = _words(row.name)
    foreign = set().union(*(_words(other) for other in PROVIDERS)) - spoken
    for kind in ("ike_policy", "ipsec_policy"):
        for one in snapshot[kind]:
            if one.get("auth_algorithm") in foreign:
                yield f"it calls an algorithm of {kind} {one['name'] or one['id']} {one['auth_algorithm']}"
                return


def _extensions(snapshot: Snapshot) -> set[str] | None:
    """Give the API's extensions; None where the server does not say."""
    if "extensions" in _missing(snapshot):
        return None
    return {one["alias"] for one in snapshot["extensions"]}


def _missing(snapshot: Snapshot) -> set[str]:
    return {one["name"] for one in snapshot["missing"]}


def _words(name: str) -> set[str]:
    """Give what a provider calls its integrity algorithms: the words in which the dialects differ."""
    return set(_algorithms.spoken(name, "integrity", "ipsec").values())


def lacking(hub: str, row: Provider, needs: t.Iterable[str], snapshot: Snapshot) -> Found:
    """Tell which lists that were asked for, and which of these extensions, the server does not have."""
    extensions = _extensions(snapshot)
    missing = sorted(_missing(snapshot) - {"extensions"})
    if extensions is not None:
        missing += sorted(set(needs) - extensions)
    if missing:
        yield finding(
            "extension-missing", hub, f"vpn_hubs.{hub}.provider", row.name,
            f"the server lacks {', '.join(missing)}, which is needed.",
            "Ask the cloud's operator for it (OpenStack: neutron-vpnaas).", row.said("needs"),
        )  # fmt: skip


def not_added(row: Provider, snapshot: Snapshot, records: t.Sequence[Connection]) -> Found:
    """Tell which ciphers need an extension that the server does not have, once for each policy."""
    extensions = _extensions(snapshot)
    policies = {record["policy"]: record for record in records}
    for alias, algorithms in row.adds.items():
        if extensions is None or alias in extensions:
            continue
        for record in policies.values():
            for phase in ("ike", "ipsec"):
                cipher = record[phase]["encryption"]
                if cipher in algorithms:
                    there = set(_algorithms.spoken(row.name, "encryption", "ipsec")) - set(algorithms)
                    yield finding(
                        "not-spoken", record["policy"], f"vpn_policies.{record['policy']}.{phase}.encryption", cipher,
                        f"the server has no extension {alias}, and cannot speak {cipher}.", f"Use one of: {listed(there)}.",
                        row.said("adds"),
                    )  # fmt: skip


# --- what the quotas leave, before anything is written


def limits(answer: Body) -> dict[str, tuple[int, int]]:
    """Read (limit, used) by word from either shape of the answer; what has no limit, or is not to be understood, is left out."""
    resources, details = _field(answer, "quotas", "resources"), _field(answer, "quota")
    rows = [(_field(one, "type"), _field(one, "quota"), _field(one, "used"))
            for one in (resources if isinstance(resources, list) else [])]  # fmt: skip
    if isinstance(details, dict):
        rows += [(word, _field(one, "limit"), _field(one, "used")) for word, one in details.items()]
    return {
        word: (limit, used)
        for word, limit, used in rows
        if isinstance(word, str) and isinstance(limit, int) and isinstance(used, int) and limit >= 0
    }


def _field(value: t.Any, *names: str) -> t.Any:
    """Give what stands that deep in an answer; None where its shape is another one."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def quotas(hub: str, name: str, steps: t.Sequence[Step], snapshot: Snapshot, answer: Body) -> list[Finding]:
    """Tell what would be more than the project may have. New things are made before old ones go."""
    row, left = PROVIDERS[name], limits(answer)
    made = collections.Counter(step.kind for step in steps if step.verb == "create")
    if row.one_connection_a_peer:
        made["site_connection"] -= sum(1 for step in steps if step.verb == "delete" and step.why.startswith(REPLACED))
    found = []
    for kind, count in made.items():
        limit, used = left.get(row.quotas.words.get(kind, ""), (None, 0))
        if limit is not None and count > 0 and used + count > limit:
            found.append(
                finding(
                    "over-quota", hub, f"vpn_hubs.{hub}", f"{kind}: {count} new",
                    f"the project may have {limit} of kind {kind}, has {used}, and {count} more are needed.",
                    "Ask the cloud's operator for more, or describe fewer.", row.said("quotas"),
                )
            )  # fmt: skip
    return [*found, *_usual(hub, row, steps, snapshot)]


def _usual(hub: str, row: Provider, steps: t.Sequence[Step], snapshot: Snapshot) -> Found:
    """A limit that nobody can read may have been raised: more than the usual number is a warning."""
    most = row.usual_quotas.get("security_group_rule")
    groups = {one["id"]: one["name"] for one in snapshot["security_groups"]}
    count = collections.Counter(one["security_group_id"] for one in snapshot["security_group_rule"])
    new = collections.Counter(
        step.body["security_group_id"] for step in steps if (step.verb, step.kind) == ("create", "security_group_rule")
    )
    for group, number in new.items():
        if most and count[group] + number > most:
            yield finding(
                "over-usual-quota", hub, f"vpn_hubs.{hub}.security_groups", groups.get(group, group),
                f"the group would have {count[group] + number} rules, and {row.name} usually allows {most}.",
                "Ask for more, sum up subnets, or let the sites in by fewer rules.", row.said("usual_quotas"), WARNING,
            )  # fmt: skip
