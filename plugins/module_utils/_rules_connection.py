# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""Rules over one connection: whether both ends can speak what is declared, and every value makes sense. Pure."""

from __future__ import annotations

import difflib
import itertools
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _algorithms, _platforms, _secrets
from ansible_collections.bothends.vpn.plugins.module_utils._description import id_type, port_range, problems
from ansible_collections.bothends.vpn.plugins.module_utils._findings import (
    ERROR,
    NEUTRON,
    VPN_PAGE,
    WARNING,
    Found,
    about,
    finding,
    listed,
)
from ansible_collections.bothends.vpn.plugins.module_utils._objects import ONLY_IPV6, PROTOCOLS
from ansible_collections.bothends.vpn.plugins.module_utils._providers import PROVIDERS
from ansible_collections.bothends.vpn.plugins.module_utils._topology import Connection, family


def _spoken(record: Connection, hub: dict[str, t.Any]) -> Found:
    """Both ends must be able to speak the policy."""
    path = f"vpn_policies.{record['policy']}"
    for phase in ("ike", "ipsec"):
        where = _algorithms.context(phase, record["ike"]["version"])
        for field in _algorithms.TABLES:
            name = record[phase].get(field)
            for speaker in (hub["provider"], record["platform"]):
                spoken = _algorithms.spoken(speaker, field, where) if name else {}
                if name and name not in spoken:
                    yield finding(
                        "not-spoken", record["policy"], f"{path}.{phase}.{field}", name,
                        f"{speaker} cannot speak {name} there.",
                        f"Use one of: {listed(spoken)}.", speaker,
                    )  # fmt: skip
        low, high = PROVIDERS[hub["provider"]].lifetime
        if not low <= record[phase]["lifetime"] <= high:
            yield finding(
                "lifetime-range", record["policy"], f"{path}.{phase}.lifetime", record[phase]["lifetime"],
                f"{hub['provider']} takes {low} to {high} seconds.", "Choose a lifetime in that range.",
                PROVIDERS[hub["provider"]].said("lifetime"),
            )  # fmt: skip


def _well_formed(record: Connection, hub: dict[str, t.Any]) -> Found:
    path, ike, name = f"vpn_policies.{record['policy']}", record["ike"], record["policy"]
    for phase in ("ike", "ipsec"):
        cipher = _algorithms.ENCRYPTION[record[phase]["encryption"]]
        if cipher.aead and record[phase]["integrity"]:
            yield finding(
                "aead-integrity", name, f"{path}.{phase}.integrity", record[phase]["integrity"],
                f"{cipher.name} protects integrity by itself.",
                "Leave `integrity` out" + ("; name the `prf` instead." if phase == "ike" else "."), "RFC 5282 section 8",
            )  # fmt: skip
    if ike["prf"] and not _algorithms.ENCRYPTION[ike["encryption"]].aead:
        yield finding(
            "prf-without-aead", name, f"{path}.ike.prf", ike["prf"], f"{ike['encryption']} takes its PRF from `integrity`.",
            "Leave `prf` out.", NEUTRON,
        )  # fmt: skip
    if ike["version"] == "v1" and _algorithms.ENCRYPTION[ike["encryption"]].aead:
        yield finding(
            "ikev1-aead", name, f"{path}.ike.encryption", ike["encryption"], "IKEv1 has no AEAD cipher for itself.",
            "Use IKEv2, or a CBC cipher in `ike`.", "RFC 5282 section 1",
        )  # fmt: skip
    if ike["version"] == "v2" and ike["mode"] != "main":
        yield finding(
            "ikev2-mode", name, f"{path}.ike.mode", ike["mode"], "IKEv2 knows no modes.", "Leave `mode` out.", "RFC 7296",
        )  # fmt: skip
    if ike["version"] == "v1" and record["selector_mode"] == "combined" and len(_wanted_pairs(record)) > 1:
        yield finding(
            "ikev1-combined", record["site"], f"vpn_sites.{record['site']}.selector_mode", "combined",
            "IKEv1 carries one pair of subnets a tunnel; the others would be lost.", "Use per_pair or IKEv2.",
            "RFC 2409 section 5.5",
        )  # fmt: skip


def _wanted_pairs(record: Connection) -> list[tuple[str, str]]:
    return list(itertools.product(record["local"]["subnets"], record["remote"]["subnets"]))


def without_partner(record: Connection, hub: dict[str, t.Any]) -> Found:
    """A subnet whose address family the other end has none of would silently get no tunnel.

    Where the ends have another family in common that one works: a hub of both has sites of one.
    """
    families = {end: {family(subnet) for subnet in record[end]["subnets"]} for end in ("local", "remote")}
    common = families["local"] & families["remote"]
    for end, other, path in (
        ("remote", "local", f"vpn_sites.{record['site']}"),
        ("local", "remote", f"vpn_hubs.{record['hub']}"),
    ):
        for index, subnet in enumerate(record[end]["subnets"]):
            if family(subnet) and not families[other] & {family(subnet), 0}:
                yield finding(
                    "no-partner", record["site"], f"{path}.subnets[{index}]", subnet,
                    f"no subnet of the other end of {record['name']} is IPv{family(subnet)}, so it would get no tunnel.",
                    "Leave it out, or add a subnet of that family at the other end.", "RFC 7296 section 2.9",
                    WARNING if common else ERROR, f"site {record['site']}",
                )  # fmt: skip


def _site_values(record: Connection, hub: dict[str, t.Any]) -> Found:
    site, provider = record["site"], PROVIDERS[hub["provider"]]
    if record["dpd"]["timeout"] <= record["dpd"]["interval"] or record["dpd"]["interval"] < 1:
        yield finding(
            "dpd-timeout", site, f"vpn_sites.{site}.dpd", f"interval {record['dpd']['interval']}, timeout {record['dpd']['timeout']}",
            "the timeout must be greater than the interval.", "Take about four times the interval.", NEUTRON,
        )  # fmt: skip
    if not 1280 <= record["underlay_mtu"] <= 9216:
        yield finding(
            "mtu-range", site, f"vpn_sites.{site}.underlay_mtu", record["underlay_mtu"], "is no path's MTU.",
            "Write 1280 to 9216 bytes; 1500 on the Internet.", "RFC 8200 section 5",
        )  # fmt: skip
    if record["psk_generation"] < 1:
        yield finding(
            "generation-range", site, f"vpn_sites.{site}.psk_generation", record["psk_generation"], "counts from 1.",
            "Count it up by one for a new key.", "docs/reference/description.md",
        )  # fmt: skip
    yield from _one_version(record)
    for field, end in (("id", "remote"), ("peer_id", "local")):
        identity = record[end]["id"]
        several = _not_one_peer(identity["value"]) if identity else None
        if identity and (not identity["value"].isprintable() or set(identity["value"]) & set(provider.id_forbidden)):
            yield finding(
                "bad-id", site, f"vpn_sites.{site}.{field}.value", identity["value"],
                f"{hub['provider']} would break on a character of it.", "Use letters, digits and . - _ @ : only.",
                provider.source,
            )  # fmt: skip
        elif several:
            yield finding(
                "bad-id",
                site,
                f"vpn_sites.{site}.{field}.value",
                identity["value"],
                several[0],
                several[1],
                provider.source,
            )
        elif identity and identity["type"] != id_type(identity["value"]):
            yield finding(
                "bad-id", site, f"vpn_sites.{site}.{field}.type", identity["type"],
                f"the hub gets the value only, and takes {identity['value']} for {id_type(identity['value'])}.",
                "Leave `type` out, or choose another value.", provider.source,
            )  # fmt: skip
    if record["dpd"]["action"] not in provider.dpd_actions:
        yield finding(
            "dpd-action", site, f"vpn_sites.{site}.dpd.action", record["dpd"]["action"],
            f"{hub['provider']} knows only {', '.join(provider.dpd_actions)}.", "Choose one of them.", provider.source,
        )  # fmt: skip
    for index, rule in enumerate(record["security_group_rules"]):
        protocol = rule["protocol"].lower()
        if protocol not in _PROTOCOLS and not (protocol.isdecimal() and int(protocol) <= 255):
            near = difflib.get_close_matches(protocol, _PROTOCOLS, n=1)
            yield finding(
                "bad-protocol", site, f"vpn_sites.{site}.security_group_rules[{index}].protocol", rule["protocol"],
                "is no protocol that the cloud knows.", f"Did you mean `{near[0]}`?" if near else "Write a name or 0 to 255.", NEUTRON,
            )  # fmt: skip
        for port in rule.get("ports") or []:
            low, high = port_range(port)
            if not 1 <= low <= high <= 65535 or protocol not in _WITH_PORTS:
                yield finding(
                    "bad-ports", site, f"vpn_sites.{site}.security_group_rules[{index}].ports", port,
                    f"{port!r} is no port or range of 1 to 65535, or {rule['protocol']} has no ports.",
                    "Write 443 or 8000-8010, with protocol tcp or udp.", NEUTRON,
                )  # fmt: skip


def _icmpv6(record: Connection, hub: dict[str, t.Any]) -> Found:
    """Each rule is made for each subnet of the site that a tunnel carries."""
    carried = [subnet for tunnel in record["tunnels"] for subnet in tunnel["remote_subnets"]]
    if not hub["security_groups"] or 4 not in map(family, carried):
        return
    for index, rule in enumerate(record["security_group_rules"]):
        protocol = rule["protocol"].lower()
        if str(PROTOCOLS.get(protocol, protocol)) in ONLY_IPV6:
            yield finding(
                "only-ipv6", record["site"], f"vpn_sites.{record['site']}.security_group_rules[{index}].protocol", rule["protocol"],
                "is a protocol of IPv6, and the site has IPv4 subnets, whose rules the cloud refuses.",
                "Leave it out, or write icmp, which is ICMPv6 for subnets of IPv6.", NEUTRON,
            )  # fmt: skip


_LONGEST_ID = 255  # the column in neutron-vpnaas, vpn_models.py, whose length the API does not check


def _not_one_peer(value: str) -> tuple[str, str] | None:
    """Say what is wrong with an IKE identity that does not stand for exactly one peer, and what to do."""
    if value.startswith("%") or "*" in value or value in ("0.0.0.0", "::"):
        return "the ends read it as any peer.", "Write the one identity that this end has."
    if len(value) > _LONGEST_ID:
        return f"has {len(value)} characters, and the cloud keeps {_LONGEST_ID}.", "Choose a shorter one."
    return None


def _one_version(record: Connection) -> Found:
    """Addresses between which IKE's packets go are of one IP version."""
    outside = record["remote"]["gateway"]
    for path, other, whose in (
        (f"vpn_hubs.{record['hub']}.gateway", record["local"]["gateway"], "hub's gateway"),
        (f"vpn_sites.{record['site']}.local_address", record["remote"].get("address"), "router's own address"),
    ):
        if outside and other and {family(str(outside)), family(str(other))} == {4, 6}:
            yield finding(
                "mixed-versions", record["site"], f"vpn_sites.{record['site']}.gateway", outside,
                f"is not of the IP version of {path} {other}, the {whose}: no packet gets from one to the other.",
                "Write addresses of one version.", "RFC 7296 section 3.13.1", scope=f"site {record['site']}",
            )  # fmt: skip


_WITH_PORTS = ("tcp", "udp", "sctp", "dccp", "udplite", "6", "17", "132", "33", "136")
_PROTOCOLS = ("any", *PROTOCOLS)


def _platform(record: Connection, hub: dict[str, t.Any]) -> Found:
    path, table = f"vpn_sites.{record['site']}.router_settings", _platforms.PLATFORMS[record["platform"]].SETTINGS
    for one in problems(path, table, record["router_settings"]):
        yield about(one, record["site"])
    for field, value, message, remedy in _platforms.problems(record):
        of_policy = field.startswith(("ike.", "ipsec."))
        yield finding(
            "platform-limit",
            record["policy"] if of_policy else record["site"],
            _written_field(record, field),
            value,
            message,
            remedy,
            record["platform"],
            scope=None if of_policy else f"site {record['site']}",
        )


def _written_field(record: Connection, field: str) -> str:
    """Say where the user wrote what stands in a field of the record (the hub's view)."""
    if field == "psk":
        return f"vpn_psks['{record['name']}']"
    if field.startswith(("ike.", "ipsec.")):
        return f"vpn_policies.{record['policy']}.{field}"
    ends = {"local.id": "peer_id", "remote.id": "id", "remote.address": "local_address", "remote.": "", "name": ""}
    start = next((start for start in ends if field.startswith(start)), "")
    return f"vpn_sites.{record['site']}.{ends.get(start, '')}{field[len(start) :]}".rstrip(".")


def psk(record: Connection, hub: dict[str, t.Any]) -> Found:
    field = f"vpn_psks['{record['name']}']"
    if "psk" not in record:
        yield finding(
            "psk-missing", record["site"], field, "", f"there is no key for {record['name']} (nor for {record['site']}).",
            "Put one into vpn_psks, or derive it with the filter bothends.vpn.site_psk.", VPN_PAGE,
            scope=f"site {record['site']}",
        )  # fmt: skip
        return
    provider = PROVIDERS[hub["provider"]]
    why = _secrets.problem(record["psk"], provider.psk_length, provider.psk_alphabet)
    if why:
        yield finding(
            "psk-not-allowed",
            record["site"],
            field,
            "(secret)",
            f"the key {why}.",
            f"Choose another key{f', of {provider.psk_alphabet}' if provider.psk_alphabet else ''}.",
            provider.source,
            scope=f"site {record['site']}",
        )
    elif len(record["psk"]) < 20:
        yield finding(
            "psk-short", record["site"], field, "(secret)", f"the key has {len(record['psk'])} characters and can be guessed.",
            "Take 20 or more random characters.", "RFC 7296 section 2.15", WARNING, f"site {record['site']}",
        )  # fmt: skip


def mangled_psks(psks: t.Mapping[str, t.Any], sites: t.Container[str]) -> Found:
    """YAML turns a bare 0123 or yes into something else, and another key would reach both ends."""
    for name, value in psks.items():
        site = str(name).rpartition("/")[2]
        if value is not None and not isinstance(value, str):
            remedy = (
                "Write the key itself there, as one text."
                if isinstance(value, (dict, list))
                else "Put the key in quotes."
            )
            yield finding(
                "mangled-by-yaml", str(name), f"vpn_psks['{name}']", "(secret)", "the key was read as something else than a text.",
                remedy, "YAML 1.1", ERROR if site in sites else WARNING, f"site {site}",
            )  # fmt: skip


def unused_psks(
    psks: t.Mapping[str, t.Any], sites: t.Mapping[str, dict[str, t.Any]], left_out: t.Container[str]
) -> Found:
    """A name that is misspelt is nobody's, and the site's other key, or none, would be used instead.

    Of what is ``left_out``, because it is not rightly written, nobody knows which keys it has.
    """
    known = {name for site, entry in sites.items() for name in (site, *(f"{hub}/{site}" for hub in entry["hubs"]))}
    for name in psks:
        if str(name) not in known and str(name).rpartition("/")[2] not in left_out:
            near = difflib.get_close_matches(str(name), known, n=1)
            yield finding(
                "psk-unused", str(name), f"vpn_psks['{name}']", "(secret)", "the key is no described site's or connection's.",
                f"Did you mean `{near[0]}`?" if near else "Take it out, or write `site` or `hub/site`.",
            )  # fmt: skip


# What the modules for one object check too.
OF_A_POLICY: tuple[t.Callable[[Connection, dict[str, t.Any]], Found], ...] = (_spoken, _well_formed)
OF_A_PEER: tuple[t.Callable[[Connection, dict[str, t.Any]], Found], ...] = (_site_values,)

RULES = (*OF_A_POLICY, without_partner, *OF_A_PEER, _icmpv6, _platform)
