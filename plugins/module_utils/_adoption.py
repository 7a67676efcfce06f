# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""From a snapshot back to a description: what to write so that a VPN that is there, whoever made it, is as described.

Pure. What cannot be described is told apart with the reason, and stays as it is.
"""

from __future__ import annotations

import collections
import functools
import re
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _algorithms, _description, _topology
from ansible_collections.bothends.vpn.plugins.module_utils._objects import (
    Body,
    Owner,
    Snapshot,
    content,
    covers,
    generation,
    normal,
    owner,
    rules,
    selectors,
)

_RULE = "security_group_rule"
Selectors = t.FrozenSet[t.Tuple[t.Tuple[str, ...], t.Tuple[str, ...]]]  # local and remote subnets of each tunnel


class Unspeakable(Exception):
    """Why something cannot be described."""


def description(snapshot: Snapshot, provider: str) -> dict[str, t.Any]:
    """Give what module hub takes, and what was ``left_out``, with the reason."""
    reader = Reader(snapshot, provider)
    sites, left_out = [], []
    for group in reader.groups():
        try:
            sites.append((group, reader.site(group)))
        except Unspeakable as why:
            left_out.extend(_left_out(group, str(why)))
    subnets = _common([reader.local_subnets(group) for group, _site in sites])
    groups = _common([found for group, _site in sites for found in [reader.guarded(group)] if found])
    connections: list[dict[str, t.Any]] = []
    for group, site in sites:
        record = _record(reader.selectors(group), subnets, site, reader.policies)
        if record is None:
            left_out.extend(
                _left_out(group, "one description gives every site all the hub's subnets, and this is otherwise")
            )
        elif not reader.lets_through(group, record, groups):
            why = "one description gives all subnets of a site the same rules in all the hub's security groups, and these are otherwise"
            named = {"name": reader.name(group), **site, "selector_mode": record["selector_mode"]}
            left_out.extend({**one, "but_for_rules": named} for one in _left_out(group, why))
        else:
            name = _unique(reader.name(group), {one["name"] for one in connections}, group[0]["id"])
            connections.append({"name": name, **site, "selector_mode": record["selector_mode"]})
    used = {
        one["policy"] for one in [*connections, *(one["but_for_rules"] for one in left_out if "but_for_rules" in one)]
    }
    policies = [{"name": name, **policy} for name, policy in reader.policies.items() if name in used]
    return {
        "subnets": list(subnets),
        "security_groups": [reader.group_names[one] for one in groups],
        "policies": policies,
        "connections": connections,
        "left_out": left_out,
    }


def _left_out(group: t.Iterable[Body], why: str) -> list[dict[str, str]]:
    return [{"name": one["name"], "id": one["id"], "why": why} for one in group]


def _common(found: list[tuple[str, ...]]) -> tuple[str, ...]:
    """Choose the subnets or groups that most sites have; of equally many, the greater number of them."""
    counted = collections.Counter(found)
    return max(counted, key=lambda one: (counted[one], len(one), one), default=())


def _unique(name: str, taken: t.Container[str], identifier: str) -> str:
    """Give a name, with the end of the id where the name is none or taken."""
    return name if name and name not in taken else f"{name or 'site'}-{re.sub('[^0-9A-Za-z]', '', identifier)[-8:]}"


def _clean(name: str) -> str:
    """Make a name that a description may have of one that somebody gave; "" where nothing is left of it."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._")[:40]


def _record(
    there: Selectors, subnets: tuple[str, ...], site: dict[str, t.Any], policies: t.Mapping[str, dict[str, t.Any]]
) -> _topology.Connection | None:
    """Find the connection, of whichever mode, in which the hub's and the site's subnets give just the tunnels that are there."""
    hub = {"vpc": "x", "subnets": list(subnets), "gateway": "192.0.2.1"}
    for mode in ("combined", "per_pair"):
        if (
            mode == "combined"
            and policies[site["policy"]]["ike"]["version"] == "v1"
            and any(len(a) * len(b) > 1 for a, b in there)
        ):
            continue  # IKEv1 carries one pair: what is stored there never worked as it looks
        described = _description.describe(policies, {"hub": hub}, {"x": {**site, "hub": "hub", "selector_mode": mode}})
        for record in _topology.connections(described):
            if (
                frozenset((tuple(one["local_subnets"]), tuple(one["remote_subnets"])) for one in record["tunnels"])
                == there
            ):
                return record
    return None


class Reader:
    """The objects of one VPC, in the words of the description."""

    def __init__(self, snapshot: Snapshot, provider: str) -> None:
        self.provider = provider
        self.by_id = {
            one["id"]: one for kind in ("ike_policy", "ipsec_policy", "endpoint_group") for one in snapshot[kind]
        }
        self.cidrs = {one["id"]: one["cidr"] for one in snapshot["subnets"]}
        vpc = snapshot["vpc"][0]["id"]
        self.services = {one["id"]: one for one in snapshot["vpn_service"] if one["router_id"] == vpc}
        self.by_id.update(self.services)
        self.connections = [one for one in snapshot["site_connection"] if one["vpnservice_id"] in self.services]
        self.policies: dict[str, dict[str, t.Any]] = {}
        self.snapshot = snapshot

    @functools.cached_property
    def group_names(self) -> dict[str, str]:
        """Call each security group by its name, where no other has it."""
        groups = self.snapshot["security_groups"]
        names = collections.Counter(one["name"] for one in groups)
        return {one["id"]: one["name"] if names[one["name"]] == 1 else one["id"] for one in groups}

    @functools.cached_property
    def _rules(self) -> dict[Owner | None, list[Body]]:
        out: dict[Owner | None, list[Body]] = {}
        for one in self.snapshot[_RULE]:
            out.setdefault(owner(one), []).append(one)
        return out

    @functools.cached_property
    def _rule_contents(self) -> set[tuple[t.Any, ...]]:
        return {content(_RULE, one) for one in self.snapshot[_RULE]}

    def groups(self) -> list[list[Body]]:
        """Put together the connections of one site: those that lead to one peer in one way."""
        alike = (
            "peer_address",
            "peer_id",
            "local_id",
            "ikepolicy_id",
            "ipsecpolicy_id",
            "mtu",
            "dpd",
            "initiator",
            "admin_state_up",
        )
        out: dict[tuple[t.Any, ...], list[Body]] = {}
        for one in sorted(self.connections, key=lambda one: (one["name"], one["id"])):
            out.setdefault(tuple(normal(field, one) for field in alike), []).append(one)
        return list(out.values())

    def name(self, group: list[Body]) -> str:
        """Name a site: as it was called when we made it, else as somebody called its connection."""
        marker = owner(group[0])
        return marker.site if marker and marker.site else _clean(group[0]["name"])

    def selectors(self, group: list[Body]) -> Selectors:
        """Give the subnets that each connection carries."""
        return frozenset(
            (_sorted(self.cidrs.get(endpoint, endpoint) for endpoint in local), _sorted(peer))
            for local, peer in (selectors(one, self.by_id) for one in group)
        )

    def local_subnets(self, group: list[Body]) -> tuple[str, ...]:
        """Give all subnets of the VPC that a site reaches."""
        return _sorted(subnet for local, _remote in self.selectors(group) for subnet in local)

    def site(self, group: list[Body]) -> dict[str, t.Any]:
        """Describe a site but for its name. Raises Unspeakable."""
        one = group[0]
        if one["dpd"]["action"] not in _description.SITE["dpd"]["options"]["action"]["choices"]:
            raise Unspeakable(f"its DPD action {one['dpd']['action']} is none of the description's")
        site = {
            **self.plain(group),
            "policy": self._policy(one),
            "security_group_rules": self._allowed(group),
            "psk_generation": generation(one),
        }
        for field, value in (("id", one["peer_id"]), ("peer_id", one.get("local_id"))):
            if value and value != one["peer_address"]:
                site[field] = {"type": _description.id_type(value), "value": value}
        return site

    def _marked(self, group: list[Body]) -> list[Body]:
        """Give the rules that we made for a site; what somebody else made stays whatever is described."""
        marker = owner(group[0])
        return self._rules.get(marker, []) if marker else []

    def guarded(self, group: list[Body]) -> tuple[str, ...]:
        """Give the ids of the security groups in which we made rules for a site."""
        found = {one["security_group_id"] for one in self._marked(group)}
        return tuple(sorted(found, key=lambda one: (self.group_names[one], one)))

    def _allowed(self, group: list[Body]) -> list[dict[str, t.Any]]:
        """Give what a site may reach; what it may answer to follows from its subnets."""
        ports: dict[tuple[str, bool], set[tuple[int, int]]] = {}
        for one in self._marked(group):
            if one["direction"] == "ingress":
                low, high = normal("port_range_min", one), normal("port_range_max", one)
                word = "any" if one.get("protocol") is None else str(one["protocol"])
                word = "icmp" if word == "ipv6-icmp" else word
                found = ports.setdefault((word, low is not None), set())
                if low is not None:
                    found.add((low, high))
        return [
            {
                "protocol": word,
                **(
                    {"ports": [f"{low}" if low == high else f"{low}-{high}" for low, high in sorted(found)]}
                    if found
                    else {}
                ),
            }
            for (word, _with_ports), found in sorted(ports.items())
        ]

    def lets_through(self, group: list[Body], record: _topology.Connection, groups: t.Iterable[str]) -> bool:
        """Tell whether a connection needs the rules that are there, and each of those that we made for it."""
        wanted = [rule.body for one in groups for rule in rules({"id": one}, record)]
        contents = {content(_RULE, body) for body in wanted}
        return all(content(_RULE, one) in contents for one in self._marked(group)) and all(map(self._is_there, wanted))

    def _is_there(self, body: Body) -> bool:
        return content(_RULE, body) in self._rule_contents or (
            body["direction"] == "egress" and any(covers(one, body) for one in self._rules.get(None, []))
        )

    def plain(self, group: list[Body]) -> dict[str, t.Any]:
        """Give what of a site is in the same words at both sides."""
        one = group[0]
        return {
            "gateway": one["peer_address"],
            "subnets": list(_sorted(subnet for _local, remote in self.selectors(group) for subnet in remote)),
            "underlay_mtu": int(one["mtu"]),
            "dpd": {key: one["dpd"][key] for key in ("action", "interval", "timeout")},
            "initiator": "site" if one["initiator"] == "response-only" else "both",
            "state": "present" if one["admin_state_up"] else "disabled",
        }

    def _policy(self, one: Body) -> str:
        """Give the name of a connection's pair of proposals; equal pairs are one policy."""
        ike, ipsec = self.by_id[one["ikepolicy_id"]], self.by_id[one["ipsecpolicy_id"]]
        if ipsec["transform_protocol"] != "esp" or ipsec["encapsulation_mode"] != "tunnel":
            raise Unspeakable(
                f"it uses {ipsec['transform_protocol']} in {ipsec['encapsulation_mode']} mode, not ESP in a tunnel"
            )
        policy = self.proposals(ike, ipsec)
        for name, known in self.policies.items():
            if known == policy:
                return name
        name = _unique(_clean(ike["name"].rpartition("/")[2]) or "adopted", self.policies, ike["id"])
        self.policies[name] = policy
        return name

    def proposals(self, ike: Body, ipsec: Body) -> dict[str, dict[str, t.Any]]:
        """Describe a pair of policies. Raises Unspeakable."""
        where = _algorithms.context("ike", ike["ike_version"])
        return {
            "ike": {
                "version": ike["ike_version"],
                "mode": ike["phase1_negotiation_mode"],
                **self._proposal(ike, where, "prf"),
                "dh_group": self._ours("dh_group", ike["pfs"], where),
                "lifetime": normal("lifetime", ike),
            },
            "ipsec": {
                **self._proposal(ipsec, "ipsec", None),
                "pfs_group": self._ours("pfs_group", ipsec["pfs"], "ipsec"),
                "lifetime": normal("lifetime", ipsec),
            },
        }

    def _proposal(self, body: Body, where: str, aead_field: str | None) -> dict[str, str]:
        """Describe cipher and hash; with an AEAD the hash is the PRF, or a filler without a meaning."""
        cipher = self._ours("encryption", body["encryption_algorithm"], where)
        row = _algorithms.ENCRYPTION.get(cipher)
        field = aead_field if row and row.aead else "integrity"
        return {"encryption": cipher, **({field: self._ours(field, body["auth_algorithm"], where)} if field else {})}

    def _ours(self, field: str, word: str, where: str) -> str:
        found = [name for name, theirs in _algorithms.spoken(self.provider, field, where).items() if theirs == word]
        if not found:
            raise Unspeakable(f"{word} is no {field} that a description can name")
        return found[0]


def _sorted(subnets: t.Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(map(_topology.written, subnets)), key=_topology.order))
