# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""Wanted objects against the snapshot: the ordered steps.

Pure: nothing here talks to anything. Planning again over ``_steps.project(snapshot, steps)`` gives none.
"""

from __future__ import annotations

import collections
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.plugins.module_utils._matching import pairs
from ansible_collections.bothends.vpn.plugins.module_utils._objects import (
    KINDS,
    REFERENCES,
    Body,
    Desired,
    Owner,
    Snapshot,
    Target,
    content,
    covers,
    differ,
    generation,
    name_of,
    normal,
    owner,
)
from ansible_collections.bothends.vpn.plugins.module_utils._steps import REPLACED, Ref, Step


class SiteError(VpnError):
    """What stops single sites, and no other: why, by site."""

    def __init__(self, sites: dict[str, str]) -> None:
        super().__init__("\n".join(sites.values()))
        self.sites = sites


class Plan(t.NamedTuple):
    """The steps, what stays behind, and which object answers for each wanted connection."""

    steps: list[Step]
    leftovers: list[dict[str, str]]  # ours, of sites that the description no longer knows
    connections: dict[str, str | Ref]  # hub/site/n -> id
    unowned: list[dict[str, str]] = []  # connections to sites that are to be absent, made by somebody else
    replaced: t.Mapping[Ref, str] = {}  # a new connection -> the id of the one that goes for it


def plan(wanted: Target, snapshot: Snapshot, purge: bool = False) -> Plan:
    """Decide what to do; raises VpnError where the cloud's state leaves no safe way, SiteError where only sites are concerned."""
    return _Planner(wanted, snapshot, purge).run()


class _Planner:
    """One plan in the making: what is kept, what is made, what goes."""

    def __init__(self, wanted: Target, snapshot: Snapshot, purge: bool) -> None:
        self.wanted, self.snapshot, self.purge = wanted, snapshot, purge
        self.by_id = {one["id"]: one for kind in KINDS for one in snapshot[kind]}
        self.kept: set[str] = set()
        self.made: dict[tuple[str, str, tuple[t.Any, ...]], Ref] = {}
        self.alike: collections.Counter[tuple[str, str]] = collections.Counter()  # new objects of one kind and name
        self.creates: list[Step] = []
        self.updates: list[Step] = []
        self.deletes: list[Step] = []
        self.replaced: list[tuple[Ref, str]] = []  # the new connection, and the id of the old one
        self.going: set[str] = set()  # the ids of what is deleted
        self.stopped: dict[str, str] = {}  # all of them at once: planning anew for each takes hours
        self.leftovers: list[dict[str, str]] = []
        self.answers: dict[str, str | Ref] = {}
        self.services: dict[tuple[str, str, tuple[t.Any, ...]], str | Ref] = {}
        self.serving: collections.Counter[str] = collections.Counter()
        self.ours = {
            kind: [one for one in snapshot[kind] if (owner(one) or Owner("")).hub == wanted.hub] for kind in KINDS
        }
        rules = snapshot["security_group_rule"]
        self.equal_rules = _by(rules, lambda one: content("security_group_rule", one))
        self.reusable = {
            kind: _by(sorted(self.ours[kind], key=lambda one: one["id"]), lambda one, kind=kind: content(kind, one))
            for kind in ("ike_policy", "ipsec_policy", "endpoint_group")
        }
        # Those that nobody marked let out what they cover, whoever needs it.
        self.letting_out = _by((one for one in rules if owner(one) is None), _where_to)

    def run(self) -> Plan:
        matches = pairs(self.wanted, self.snapshot, self.by_id)
        self.serving = collections.Counter(one["vpnservice_id"] for one in matches.values())
        for desired in self.wanted.connections:
            self._connection(desired, matches.get(desired.name))
        if self.stopped:
            raise SiteError(self.stopped)
        for rule in self.wanted.rules:
            self._rule(rule)
        self._remove()
        order = list(KINDS)
        self.creates.sort(key=lambda step: order.index(step.kind))
        self.deletes.sort(key=lambda step: order.index(step.kind), reverse=True)
        return Plan(self._ordered(), self.leftovers, self.answers, self._unowned(), dict(self.replaced))

    def _ordered(self) -> list[Step]:
        """What is new, what is changed, one replaced connection after the other (never all of them at once), what goes."""
        new, gone = dict(self.replaced), {old for _ref, old in self.replaced}
        made = {step.ref: step for step in self.creates}
        taken = {step.id: step for step in self.deletes}
        return [
            *(step for step in self.creates if step.ref not in new),
            *self.updates,
            *(step for ref, old in self.replaced for step in self._in_turn(made[ref], taken[old])),
            *(step for step in self.deletes if step.id not in gone),
        ]

    def _in_turn(self, new: Step, old: Step) -> tuple[Step, Step]:
        return (old, new) if self.wanted.one_connection_a_peer else (new, old)

    # --- connections

    def _connection(self, desired: Desired, there: Body | None) -> None:
        body = dict(desired.body)
        if desired.owner.site in self.stopped:
            return
        body["vpnservice_id"] = self._service(desired.body["vpnservice_id"])
        self._in_the_services_form(body)
        for field in ("ikepolicy_id", "ipsecpolicy_id", "local_ep_group_id", "peer_ep_group_id"):
            if field in body:
                body[field] = self._reference(desired.body[field], there.get(field) if there else None)
        if there is None:
            self._needs_key(desired, body)
            self.answers[desired.name] = self._create(desired, body)
            return
        moved = [field for field in KINDS["site_connection"].content if body[field] != there[field]]
        if moved:
            # Neither a policy in use nor a connection's policy can be changed: another connection takes over.
            if "psk" not in body and there.get("psk"):
                body["psk"] = there["psk"]
            self._needs_key(desired, body)
            why = "other " + ", ".join(sorted(REFERENCES[field] for field in moved))
            # A second service of the VPC never worked, and a disabled site has no router's end: nothing can be interrupted.
            idle = moved == ["vpnservice_id"] or not there.get("admin_state_up", True)
            disruptive = not idle or there.get("status") == "ACTIVE"
            ref = self.answers[desired.name] = self._create(desired, body, why=why, disruptive=disruptive)
            self._delete("site_connection", there, desired.owner.site, REPLACED + why, disruptive)
            self.replaced.append((ref, there["id"]))
            return
        self.kept.add(there["id"])
        self.answers[desired.name] = there["id"]
        changed = {
            field: body[field]
            for field in KINDS["site_connection"].mutable
            if field in body and differ(field, body, there)
        }
        if "psk" not in there and self._key_is_due(desired, body, there):
            self._needs_key(desired, body)
            changed["psk"] = body.get("psk")
        if owner(there):  # an adopted one keeps its name and description
            changed.update({field: body[field] for field in ("name", "description") if body[field] != there.get(field)})
        if changed:
            self.updates.append(
                Step("update", "site_connection", desired.name, there["id"], changed, site=desired.owner.site)
            )

    def _in_the_services_form(self, body: Body) -> None:
        """Say the selectors as the service wants them: one that was made with a subnet takes no endpoint groups."""
        service = self.by_id.get(body["vpnservice_id"], {})
        subnet = service.get("subnet_id")
        if not subnet:
            return
        local, peer = (body.pop(field).body["endpoints"] for field in ("local_ep_group_id", "peer_ep_group_id"))
        if local != [subnet]:
            names = {one["id"]: one["cidr"] for one in self.snapshot["subnets"]}
            raise VpnError(
                f"VPN service {name_of(service)} ({service['id']}) was made for the one subnet {names.get(subnet, subnet)}, and the hub "
                f"has {', '.join(names.get(one, one) for one in local)}. Remedy: describe only that subnet, or delete the service and "
                "its connections; it is then made anew for all."
            )
        body["peer_cidrs"] = peer

    def _key_is_due(self, desired: Desired, body: Body, there: Body) -> bool:
        """Where keys do not come back: send one on request, or where the described generation is not the stored one."""
        if self.wanted.send_psks and body.get("psk"):
            return True
        return owner(there) == desired.owner and generation(there) != generation(body)

    def _needs_key(self, desired: Desired, body: Body) -> None:
        if not body.get("psk"):
            self.stopped[t.cast(str, desired.owner.site)] = (
                f"connection {desired.name} is to be made or to get another key, but has no key. Remedy: put one into vpn_psks."
            )

    def _service(self, desired: Desired) -> str | Ref:
        """Find or make the VPC's VPN service, once for all its connections."""
        if desired.key not in self.services:
            self.services[desired.key] = self._one_service(desired)
        return self.services[desired.key]

    def _one_service(self, desired: Desired) -> str | Ref:
        """A VPC has one VPN service: the reference driver realises no second one."""
        there = [one for one in self.snapshot["vpn_service"] if one["router_id"] == desired.body["router_id"]]
        if not there:
            return self._create(desired, desired.body)
        used = {one["vpnservice_id"] for one in self.snapshot["site_connection"]}

        def preference(one: Body) -> tuple[t.Any, ...]:
            # Two runs at once may have made two: the one that carries what is kept stays.
            return (one.get("status") != "ACTIVE", -self.serving[one["id"]], one["id"] not in used, one["id"])

        chosen = min(there, key=preference)
        spare = [one for one in there if one is not chosen and owner(one) is None]
        if spare:
            listed = ", ".join(f"{one['name'] or '(no name)'} {one['id']} ({one.get('status')})" for one in there)
            raise VpnError(
                f"the VPC has {len(there)} VPN services, of which only one works: {listed}. "
                "Remedy: delete the one without connections."
            )
        self.kept.add(chosen["id"])
        # One in creation refuses every change, and may stay so though it works: nothing else is to wait for its name.
        named = owner(chosen) and chosen.get("status") != "PENDING_CREATE"
        fields = ("name", "description", "admin_state_up") if named else ("admin_state_up",)
        changed = {field: desired.body[field] for field in fields if chosen.get(field) != desired.body[field]}
        step = Step("update", "vpn_service", desired.name, chosen["id"], changed)
        if changed:
            self.updates.append(step)
        return chosen["id"]

    def _reference(self, desired: Desired, current: str | None) -> str | Ref:
        """Find or make a policy or endpoint group: what the connection has, else one of ours, else a new one.

        Of equal groups, which two runs at once may have made, all connections get the first: groups can be swapped.
        """
        wanted = desired.content
        candidates = [self.by_id.get(current or ""), *self.reusable[desired.kind].get(wanted, [])]
        if desired.kind == "endpoint_group" and candidates[0] in candidates[1:]:
            candidates = candidates[1:]
        for one in candidates:
            if one and content(desired.kind, one) == wanted and (one["id"] == current or owner(one) == desired.owner):
                self.kept.add(one["id"])
                return one["id"]
        return self._create(desired, desired.body)

    def _create(self, desired: Desired, body: Body, why: str = "", disruptive: bool = False) -> Ref:
        key = desired.key
        if key not in self.made:
            ref = self.made[key] = Ref(desired.kind, desired.name, self.alike[key[:2]])
            self.alike[key[:2]] += 1
            step = Step(
                "create", desired.kind, desired.name, None, dict(body), ref, disruptive, why, desired.owner.site
            )
            self.creates.append(step)
        return self.made[key]

    # --- rules

    def _rule(self, desired: Desired) -> None:
        """Exact for what is let in. What is let out is there by default: any rule that covers it will do."""
        equal = self.equal_rules.get(desired.content, [])
        for one in equal:
            if owner(one) in (None, desired.owner):
                self.kept.add(one["id"])
                return
        if desired.body["direction"] == "egress" and any(
            covers(one, desired.body) for one in self.letting_out.get(_where_to(desired.body), [])
        ):
            return
        # The API allows no second equal rule; another hub's or site's serves as well, and one of this hub stays for it.
        self.kept.update(one["id"] for one in equal)
        if not equal:
            self._create(desired, desired.body)

    # --- what goes

    def _remove(self) -> None:
        for one in self.ours["site_connection"] + self.ours["security_group_rule"]:
            kind = "site_connection" if "vpnservice_id" in one else "security_group_rule"
            self._settle(kind, one)
        staying = [one for one in self.snapshot["site_connection"] if one["id"] not in self.going]
        swapped = {step.id: step.body for step in self.updates if step.kind == "site_connection"}
        used = {swapped.get(one["id"], {}).get(field, one.get(field)) for one in staying for field in REFERENCES}
        for kind in ("endpoint_group", "ike_policy", "ipsec_policy", "vpn_service"):
            for one in self.ours[kind]:
                if one["id"] not in used:
                    self._settle(kind, one)

    def _unowned(self) -> list[dict[str, str]]:
        """Name what leads from this VPC to a site that is to be absent, and was made by somebody else."""
        services = {one["id"]: one for one in self.snapshot["vpn_service"]}
        foreign = _by(
            (one for one in self.snapshot["site_connection"] if owner(one) is None),
            lambda one: normal("peer_address", one),
        )
        return [
            {"kind": "site_connection", "name": name_of(one), "id": one["id"], "site": site}
            for site, gateway in self.wanted.absent
            for one in foreign.get(gateway, [])
            if services.get(one["vpnservice_id"], {}).get("router_id") == self.wanted.vpc
        ]

    def _settle(self, kind: str, one: Body) -> None:
        """Remove what is ours and not wanted; another site's only with purge."""
        if one["id"] in self.kept or one["id"] in self.going:
            return
        site = t.cast(Owner, owner(one)).site
        if site in self.wanted.blocked:
            return
        if site is not None and site not in self.wanted.sites and not self.purge:
            self.leftovers.append({"kind": kind, "name": name_of(one), "id": one["id"], "site": site})
            return
        purged = site is not None and site not in self.wanted.sites
        why = f"site {site} is not described any more" if purged else "no longer wanted"
        self._delete(kind, one, site, why, purged and kind == "site_connection")

    def _delete(self, kind: str, one: Body, site: str | None, why: str, disruptive: bool) -> None:
        self.going.add(one["id"])
        self.deletes.append(Step("delete", kind, name_of(one), one["id"], {}, None, disruptive, why, site))


def _by(things: t.Iterable[Body], key: t.Callable[[Body], t.Any]) -> dict[t.Any, list[Body]]:
    """Put together what is alike, so that each wanted object finds its equals at once."""
    out: dict[t.Any, list[Body]] = {}
    for one in things:
        out.setdefault(key(one), []).append(one)
    return out


def _where_to(rule: Body) -> tuple[t.Any, ...]:
    return tuple(rule.get(field) for field in ("security_group_id", "direction", "ethertype"))
