# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""The checks: topology (and what the cloud says) in, findings out. Nothing here does I/O.

``offline()`` needs neither cloud nor SSH. ``addresses()`` runs again, over resolved records, once the cloud has told what
the named subnets are. Each rule is one small generator; ``OFFLINE`` lists those that look at the whole description and
``PER_CONNECTION`` those that look at one connection.
"""

from __future__ import annotations

import collections
import difflib
import itertools
import re
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _addresses, _algorithms, _platforms, _secrets
from ansible_collections.bothends.vpn.plugins.module_utils._description import SOURCE, Description, id_type, problems
from ansible_collections.bothends.vpn.plugins.module_utils._findings import WARNING, Finding, finding
from ansible_collections.bothends.vpn.plugins.module_utils._providers import PROVIDERS
from ansible_collections.bothends.vpn.plugins.module_utils._topology import Connection, connections

VPN_PAGE = "Open Telekom Cloud, Connecting to a VPC Through a VPN"
NEUTRON = "OpenStack Networking API, VPNaaS"

Found = t.Iterator[Finding]


def offline(description: Description, psks: t.Mapping[str, t.Any] | None = None) -> list[Finding]:
    """Check a whole description; without ``psks`` the keys are not looked at."""
    present = Description(
        description.policies,
        description.hubs,
        {name: site for name, site in description.sites.items() if site["state"] == "present"},
        description.findings,
    )
    found = list(description.findings)
    if psks is not None and not isinstance(psks, t.Mapping):
        found.append(
            finding("not-a-dict", "", "vpn_psks", "(secret)", f"vpn_psks is a {type(psks).__name__}.",
                    "Write it as a dict from a connection or site to its key.", SOURCE)
        )  # fmt: skip
        psks = None
    records = connections(_checkable(present), psks)
    for rule in OFFLINE:
        found.extend(rule(present))
    found.extend(addresses(records, {name: hub["subnets"] for name, hub in present.hubs.items()}))
    for record in records:
        for check in PER_CONNECTION:
            found.extend(check(record, present.hubs[record["hub"]]))
        if psks is not None:
            found.extend(_psk(record, present.hubs[record["hub"]]))
    found.extend(_mangled_psks(psks or {}))
    return _once(found)


def _checkable(description: Description) -> Description:
    """Judge a site of an unknown policy by the default one, so that what else is wrong with it shows in the same run."""
    known = description.policies
    sites = {name: {**site, "policy": site["policy"] if site["policy"] in known else "default"}
             for name, site in description.sites.items()}  # fmt: skip
    return description._replace(sites=sites)


def _once(found: t.Iterable[Finding]) -> list[Finding]:
    """A policy or site that several connections share is told once."""
    once = {(one["code"], one["field"], one["message"]): one for one in found}
    return sorted(once.values(), key=lambda one: (one["severity"], one["host"], one["field"]))


# --- over the whole description -------------------------------------------------------------------------------------


def references(description: Description) -> Found:
    """Each hub and policy that a site names must be there. One that is there, but wrong, is told as that."""
    wrong = {one["host"] for one in description.findings if one["field"].startswith("vpn_hubs.")}
    for name, site in description.sites.items():
        for index, hub in enumerate(site["hubs"]):
            if hub not in description.hubs and hub not in wrong:
                yield finding(
                    "unknown-hub", name, f"vpn_sites.{name}.hubs[{index}]", hub, f"there is no hub {hub!r} in vpn_hubs.",
                    f"Known hubs: {_listed(description.hubs)}.", "docs/reference/description.md",
                )  # fmt: skip
        if not site["hubs"]:
            yield finding(
                "no-hub", name, f"vpn_sites.{name}.hubs", "", "the site connects to no hub.",
                f"Name one: {_listed(description.hubs)}.", "docs/reference/description.md",
            )  # fmt: skip
        if site["policy"] not in description.policies:
            yield finding(
                "unknown-policy", name, f"vpn_sites.{name}.policy", site["policy"],
                f"there is no policy {site['policy']!r} in vpn_policies.",
                f"Known policies: {_listed(description.policies)}.", "docs/reference/description.md",
            )  # fmt: skip


def _written_addresses(description: Description) -> Found:
    for kind, entries in (("vpn_hubs", description.hubs), ("vpn_sites", description.sites)):
        for name, entry in entries.items():
            for field in ("gateway", "local_address"):
                value = entry.get(field)
                if value and not _is_address(value):
                    yield finding(
                        "bad-address", name, f"{kind}.{name}.{field}", value, f"{value!r} is not an IP address.",
                        "Write one address, without a prefix length.", NEUTRON,
                    )  # fmt: skip


def _distinct_peers(description: Description) -> Found:
    """A hub tells its sites apart by their gateway and by their IKE identity."""
    for hub, names in _sites_by_hub(description).items():
        gateways: dict[str, str] = {}
        identities: dict[str, str] = {}
        for name in names:
            site = description.sites[name]
            gateway = _address(site["gateway"])
            identity = (site["id"] or {}).get("value") or gateway
            if gateway == _address(description.hubs[hub]["gateway"]):
                yield finding(
                    "gateway-is-own", name, f"vpn_sites.{name}.gateway", site["gateway"],
                    f"is the gateway of hub {hub} itself.", "Write the site's public address.", VPN_PAGE,
                )  # fmt: skip
            same_gateway = gateways.setdefault(gateway, name)
            if same_gateway != name:
                yield _same_peer("duplicate-gateway", name, "gateway", "gateway", site["gateway"], hub, same_gateway)
            same_id = identities.setdefault(identity, name)
            if same_id not in (name, same_gateway):
                yield _same_peer("duplicate-id", name, "id", "IKE identity", identity, hub, same_id)


def _same_peer(code: str, site: str, field: str, what: str, value: str, hub: str, other: str) -> Finding:
    return finding(
        code, site, f"vpn_sites.{site}.{field}", value,
        f"hub {hub} reaches {other} by the same {what} {value}; the two would replace each other.",
        f"Give each site of a hub its own {what}.", "strongSwan: uniqueids, secrets are chosen by the peer's identity",
    )  # fmt: skip


def _subnets(description: Description) -> Found:
    for kind, entries in (("vpn_hubs", description.hubs), ("vpn_sites", description.sites)):
        for name, entry in entries.items():
            if not entry["subnets"]:
                yield finding(
                    "no-subnets", name, f"{kind}.{name}.subnets", "[]", "the list is empty: nothing could talk.",
                    "List the subnets that the other end may reach.", VPN_PAGE,
                )  # fmt: skip
            for index, subnet in enumerate(entry["subnets"]):
                field = f"{kind}.{name}.subnets[{index}]"
                if not _addresses.is_prefix(subnet):
                    if kind == "vpn_sites" or "/" in subnet:
                        yield finding(
                            "bad-subnet", name, field, subnet, f"{subnet!r} is not a subnet.",
                            "Write it as a CIDR such as 192.168.3.0/24.", NEUTRON,
                        )  # fmt: skip
                    continue
                clean = _addresses.normalize(subnet)
                if "-" in clean:
                    yield finding(
                        "bad-subnet", name, field, subnet, "a range that is no CIDR cannot be a VPN's subnet.",
                        "Split it into CIDRs.", NEUTRON,
                    )  # fmt: skip
                elif subnet.partition("/")[0] != clean.partition("/")[0] and ":" not in subnet:
                    yield finding(
                        "host-bits", name, field, subnet, f"has host bits; {clean} is used at both ends.",
                        f"Write {clean}.", "RFC 4632 section 3.1", WARNING,
                    )  # fmt: skip


def _probes(description: Description) -> Found:
    for name, site in description.sites.items():
        for index, probe in enumerate(site["probe"]):
            if not isinstance(probe, dict) or set(probe) != {"from", "to"}:
                yield finding(
                    "bad-probe", name, f"vpn_sites.{name}.probe[{index}]", probe, "a probe has a `from` and a `to`.",
                    "Write {from: 192.168.3.10, to: 192.168.1.10}.", "docs/reference/description.md",
                )  # fmt: skip
                continue
            hubs = [
                subnet for hub in site["hubs"] if hub in description.hubs for subnet in description.hubs[hub]["subnets"]
            ]
            for end, subnets in (("from", site["subnets"]), ("to", hubs)):
                if _outside(str(probe[end]), subnets):
                    yield finding(
                        "probe-outside", name, f"vpn_sites.{name}.probe[{index}].{end}", probe[end],
                        "lies in none of the subnets that the tunnel carries, so it proves nothing.",
                        "Name a host in one of them.", "docs/reference/description.md", WARNING,
                    )  # fmt: skip


def _outside(address: str, subnets: t.Sequence[str]) -> bool:
    """Tell whether an address is surely in none of the subnets; names are not judged."""
    if not _is_address(address) or not all(map(_addresses.is_prefix, subnets)):
        return False
    return not any(_addresses.parse(subnet).covers(_addresses.parse(address)) for subnet in subnets)


OFFLINE: tuple[t.Callable[[Description], Found], ...] = (
    references,
    _written_addresses,
    _distinct_peers,
    _subnets,
    _probes,
)


# --- addresses ------------------------------------------------------------------------------------------------------


class _Block(t.NamedTuple):
    prefix: _addresses.Prefix
    field: str
    hub: str
    site: str | None

    def __str__(self) -> str:
        return f"{self.prefix} of {'site ' + self.site if self.site else 'hub ' + self.hub}"


def addresses(records: t.Sequence[Connection], hub_subnets: t.Mapping[str, t.Sequence[str]]) -> list[Finding]:
    """Find each overlap: within a hub, hub and site, site and site of one hub, hubs that share a router.

    Subnets given by name are judged once they are resolved; broken ones are told elsewhere.
    """
    hubs = {
        hub: [
            _Block(_addresses.parse(subnet), f"vpn_hubs.{hub}.subnets[{index}]", hub, None)
            for index, subnet in enumerate(subnets)
            if _addresses.is_prefix(subnet)
        ]
        for hub, subnets in hub_subnets.items()
    }
    found: list[Finding] = []
    of_hub = collections.defaultdict(list)
    for record in records:
        of_hub[record["hub"]].append(record)
    for hub, blocks in hubs.items():
        sites = [
            _Block(_addresses.parse(subnet), f"vpn_sites.{record['site']}.subnets[{index}]", hub, record["site"])
            for record in of_hub[hub]
            for index, subnet in enumerate(record["remote"]["subnets"])
            if _addresses.is_prefix(subnet)
        ]
        found.extend(_overlap(one, other) for one, other in _pairs(blocks + sites))
    for router, shared in _hubs_by_router(records).items():
        blocks = [block for hub in shared for block in hubs.get(hub, [])]
        found.extend(_overlap(one, other, router) for one, other in _pairs(blocks) if one.hub != other.hub)
    return found


def _pairs(blocks: list[_Block]) -> t.Iterator[tuple[_Block, _Block]]:
    for one, other in _addresses.overlaps([block.prefix for block in blocks]):
        yield blocks[one], blocks[other]


def _overlap(one: _Block, other: _Block, router: str | None = None) -> Finding:
    if router:
        code, why = "overlap-shared-router", f"; router {router} reaches both hubs and could not tell them apart"
    elif other.site is None:
        code, why = "overlap-hub", ""
    elif one.site is None:
        code, why = "overlap-hub-site", ""
    else:
        code, why = ("overlap-site" if one.site == other.site else "overlap-sites"), ""
    return finding(
        code, other.site or other.hub, other.field, other.prefix, f"{other} overlaps {one} ({one.field}){why}.",
        "Renumber or narrow one of the two.", VPN_PAGE,
    )  # fmt: skip


def _hubs_by_router(records: t.Iterable[Connection]) -> dict[str, list[str]]:
    shared: dict[str, list[str]] = {}
    for record in records:
        hubs = shared.setdefault(record["router"], [])
        if record["hub"] not in hubs:
            hubs.append(record["hub"])
    return {router: hubs for router, hubs in shared.items() if len(hubs) > 1}


# --- one connection -------------------------------------------------------------------------------------------------


def _spoken(record: Connection, hub: dict[str, t.Any]) -> Found:
    """Both ends must be able to speak the policy."""
    path = f"vpn_policies.{record['policy']}"
    for phase in ("ike", "ipsec"):
        for field, table in _algorithms.TABLES.items():
            name = record[phase].get(field)
            for speaker in (hub["provider"], record["platform"]):
                if name and speaker not in table[name].names:
                    yield finding(
                        "not-spoken", record["policy"], f"{path}.{phase}.{field}", name,
                        f"{speaker} cannot speak {name} (connection {record['name']}).",
                        f"Use one of: {_listed(row.name for row in table.values() if speaker in row.names)}.", speaker,
                    )  # fmt: skip
        low, high = PROVIDERS[hub["provider"]].lifetime
        if not low <= record[phase]["lifetime"] <= high:
            yield finding(
                "lifetime-range", record["policy"], f"{path}.{phase}.lifetime", record[phase]["lifetime"],
                f"{hub['provider']} takes {low} to {high} seconds.", "Choose a lifetime in that range.",
                PROVIDERS[hub["provider"]].source,
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
    for field, end in (("id", "remote"), ("peer_id", "local")):
        identity = record[end]["id"]
        if identity and (not identity["value"].isprintable() or set(identity["value"]) & set(provider.id_forbidden)):
            yield finding(
                "bad-id", site, f"vpn_sites.{site}.{field}.value", identity["value"],
                f"{hub['provider']} would break on a character of it.", "Use letters, digits and . - _ @ : only.",
                provider.source,
            )  # fmt: skip
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
                    "is no port or range of 1 to 65535, or the protocol has no ports.",
                    "Write 443 or 8000-8010, with protocol tcp or udp.", NEUTRON,
                )  # fmt: skip


_WITH_PORTS = ("tcp", "udp", "sctp", "dccp", "udplite", "6", "17", "132", "33", "136")
# neutron-lib, constants.IP_PROTOCOL_MAP
_PROTOCOLS = (
    "any", "ah", "dccp", "egp", "esp", "gre", "icmp", "icmpv6", "igmp", "ipip", "ipv6-encap", "ipv6-frag", "ipv6-icmp",
    "ipv6-nonxt", "ipv6-opts", "ipv6-route", "ospf", "pgm", "rsvp", "sctp", "tcp", "udp", "udplite", "vrrp",
)  # fmt: skip


def port_range(text: str) -> tuple[int, int]:
    """Read ``443`` or ``8000-8010``; (0, 0) for anything else."""
    found = re.fullmatch(r"\s*([0-9]+)\s*(?:-\s*([0-9]+)\s*)?", str(text))
    return (int(found.group(1)), int(found.group(2) or found.group(1))) if found else (0, 0)


def _platform(record: Connection, hub: dict[str, t.Any]) -> Found:
    path, table = f"vpn_sites.{record['site']}.router_settings", _platforms.PLATFORMS[record["platform"]].SETTINGS
    for one in problems(path, table, record["router_settings"]):
        yield Finding(**{**one, "host": record["site"]})
    for field, value, message, remedy in _platforms.problems(record):
        yield finding(
            "platform-limit", record["site"], _written_field(record, field), value, message, remedy, record["platform"]
        )


def _written_field(record: Connection, field: str) -> str:
    """Say where the user wrote what stands in a field of the record (the hub's view)."""
    if field.startswith(("ike.", "ipsec.")):
        return f"vpn_policies.{record['policy']}.{field}"
    ends = {"local.id": "peer_id", "remote.id": "id", "remote.address": "local_address", "remote.": "", "name": ""}
    start = next((start for start in ends if field.startswith(start)), "")
    return f"vpn_sites.{record['site']}.{ends.get(start, '')}{field[len(start) :]}".rstrip(".")


PER_CONNECTION: tuple[t.Callable[[Connection, dict[str, t.Any]], Found], ...] = (
    _spoken,
    _well_formed,
    _site_values,
    _platform,
)


def _psk(record: Connection, hub: dict[str, t.Any]) -> Found:
    field = f"vpn_psks['{record['name']}']"
    if "psk" not in record:
        yield finding(
            "psk-missing", record["site"], field, "", f"there is no key for {record['name']} (nor for {record['site']}).",
            "Put one into vpn_psks, or derive it with the filter bothends.vpn.site_psk.", VPN_PAGE,
        )  # fmt: skip
        return
    provider = PROVIDERS[hub["provider"]]
    why = _secrets.problem(record["psk"], provider.psk_length, provider.psk_forbidden)
    if why:
        yield finding(
            "psk-not-allowed",
            record["site"],
            field,
            "(secret)",
            f"the key {why}.",
            "Choose another key.",
            provider.source,
        )
    elif len(record["psk"]) < 20:
        yield finding(
            "psk-short", record["site"], field, "(secret)", f"the key has {len(record['psk'])} characters and can be guessed.",
            "Take 20 or more random characters.", "RFC 7296 section 2.15", WARNING,
        )  # fmt: skip


def _mangled_psks(psks: t.Mapping[str, t.Any]) -> Found:
    """YAML turns a bare 0123 or yes into something else, and another key would reach both ends."""
    for name, value in psks.items():
        if value is not None and not isinstance(value, str):
            yield finding(
                "mangled-by-yaml", str(name), f"vpn_psks['{name}']", "(secret)", f"the key was read as {type(value).__name__}.",
                "Put the key in quotes.", "YAML 1.1",
            )  # fmt: skip


# --- helpers --------------------------------------------------------------------------------------------------------


def _sites_by_hub(description: Description) -> dict[str, list[str]]:
    out: dict[str, list[str]] = {hub: [] for hub in description.hubs}
    for name, site in description.sites.items():
        for hub in site["hubs"]:
            if hub in out:
                out[hub].append(name)
    return out


def _is_address(text: str) -> bool:
    return _addresses.is_prefix(text) and not set(text) & set("/- \t\n")


def _address(text: t.Any) -> t.Any:
    """Write an address the one way, for comparing; anything else stays."""
    return _addresses.normalize(text).partition("/")[0] if text and _is_address(text) else text


def _listed(names: t.Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
