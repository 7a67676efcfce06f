# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""What a cloud holds against what is described, field by field and in the words of the description. Pure.

Compares nothing by itself: the plan has decided what differs. The cloud as it is, and the same as it would be after the
plan, are read by one reader, and what differs between the two is told. So there is a difference exactly where there is a step.
"""

from __future__ import annotations

import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _adoption, _steps
from ansible_collections.bothends.vpn.plugins.module_utils._objects import (
    REFERENCES,
    Body,
    Snapshot,
    owner,
)
from ansible_collections.bothends.vpn.plugins.module_utils._plan import Plan

THERE, NOT_THERE = "there", "not there"


class Difference(t.TypedDict):
    """One field of one connection that is otherwise at the cloud. A key is never shown: both its values are null."""

    connection: str  # hub/site; the hub's name alone for what all its connections share
    tunnel: str | None  # hub/site/n
    field: str
    described: t.Any
    cloud: t.Any


def differences(hub: str, snapshot: Snapshot, planned: Plan, provider: str) -> list[Difference]:
    """Tell what the steps of a plan would change of the hub's VPN."""
    return _Teller(hub, snapshot, planned, provider).told()


class _Words(_adoption.Reader):
    """Reads a connection whatever it holds: what no description can name keeps the API's word."""

    def fields(self, one: Body) -> dict[str, t.Any]:
        """Give a connection's fields, flat."""
        site = self.plain([one])
        ike, ipsec = (self.by_id.get(one[field]) for field in ("ikepolicy_id", "ipsecpolicy_id"))
        phases = {**self.proposals(ike, ipsec), "dpd": site.pop("dpd")} if ike and ipsec else {"dpd": site.pop("dpd")}
        return {
            **site,
            "hub.subnets": list(self.local_subnets([one])),
            "id": one["peer_id"],
            "peer_id": one.get("local_id") or "the gateway",
            **{f"{phase}.{field}": value for phase, values in phases.items() for field, value in values.items()},
            **({"ipsec.protocol": ipsec["transform_protocol"], "ipsec.mode": ipsec["encapsulation_mode"]} if ipsec else {}),
        }  # fmt: skip

    def _ours(self, field: str, word: str, where: str) -> str:
        try:
            return super()._ours(field, word, where)
        except _adoption.Unspeakable:
            return word


# What of an update's body stands in those fields.
_TOLD = {
    "local_ep_group_id", "peer_ep_group_id", "peer_cidrs", "peer_address", "peer_id", "local_id", "mtu", "dpd", "initiator",
    "admin_state_up", "psk",
}  # fmt: skip


class _Teller:
    """One plan being told."""

    def __init__(self, hub: str, snapshot: Snapshot, planned: Plan, provider: str) -> None:
        self.hub, self.snapshot, self.plan = hub, snapshot, planned
        after, self.ids = _steps.projected(snapshot, planned.steps)
        self.before, self.after = _Words(snapshot, provider), _Words(after, provider)
        self.there = {one["id"]: one for one in snapshot["site_connection"]}
        self.then = {one["id"]: one for one in after["site_connection"]}
        kinds = {step.kind for step in planned.steps}
        self.were = {one["id"]: one for kind in kinds for one in snapshot[kind]}
        self.steps = {step.id or self.ids[t.cast(_steps.Ref, step.ref)]: step for step in planned.steps}

    def told(self) -> list[Difference]:
        out = [one for name, answer in self.plan.connections.items() for one in self._connection(name, answer)]
        replaced = set(self.plan.replaced.values())
        # Those that an untouched connection shares stay, and those of a changed one are told with it.
        used = {one.get(field) for one in self.snapshot["site_connection"] for field in REFERENCES}
        for step in self.plan.steps:
            if step.kind == "security_group_rule":
                out.append(self._object(step, "security_group_rules", step.name))
            elif step.kind == "vpn_service" and step.verb == "update":
                out += [self._field(self.hub, None, f"vpn_service.{field}", value, self.were[t.cast(str, step.id)].get(field))
                        for field, value in step.body.items()]  # fmt: skip
            elif step.verb == "delete" and step.kind == "site_connection" and step.id not in replaced:
                out.append(self._object(step, "connection", step.name))
            elif step.verb == "delete" and step.kind != "site_connection" and step.id not in used:
                out.append(self._object(step, step.kind, step.name))
        return out + self._left()

    def _connection(self, name: str, answer: str | _steps.Ref) -> t.Iterator[Difference]:
        new = self.ids[answer] if isinstance(answer, _steps.Ref) else answer
        if new not in self.steps:
            return
        old = self.plan.replaced.get(answer) if isinstance(answer, _steps.Ref) else answer
        connection = name.rpartition("/")[0]
        if old is None:
            yield self._field(connection, name, "connection", THERE, NOT_THERE)
            return
        there, then = self.there[old], self.then[new]
        before, after = self.before.fields(there), self.after.fields(then)
        told = False
        for field in [*after, *(field for field in before if field not in after)]:
            if before.get(field) != after.get(field):
                told = True
                yield self._field(connection, name, field, after.get(field), before.get(field))
        step = self.steps[new]
        if "psk" in step.body and step.body["psk"] != there.get("psk"):
            told = True
            yield self._field(connection, name, "psk", None, None)
        if step.verb == "update":
            for field in sorted(set(step.body) - _TOLD):
                told = True
                yield self._field(connection, name, f"connection.{field}", step.body[field], there.get(field))
        if not told:
            yield self._field(connection, name, "connection", step.why, "another one")

    def _object(self, step: _steps.Step, field: str, name: str) -> Difference:
        who = owner(step.body if step.verb == "create" else self.were[t.cast(str, step.id)])
        connection = "/".join(filter(None, who)) if who else self.hub
        ends = (name, NOT_THERE) if step.verb == "create" else (NOT_THERE, name)
        return self._field(connection, None, field, *ends)

    def _left(self) -> list[Difference]:
        """Tell what stays of sites that the description does not know, or does not want."""
        sites: dict[str, list[str]] = {}
        for one in [*self.plan.leftovers, *self.plan.unowned]:
            sites.setdefault(one["site"], []).append(f"{one['kind']} {one['name']}")
        return [
            self._field(f"{self.hub}/{site}", None, "connection", NOT_THERE, ", ".join(sorted(things)))
            for site, things in sites.items()
        ]

    def _field(self, connection: str, tunnel: str | None, field: str, described: t.Any, cloud: t.Any) -> Difference:
        return Difference(connection=connection, tunnel=tunnel, field=field, described=described, cloud=cloud)


FIELDS = frozenset(
    [
        "state", "gateway", "subnets", "hub.subnets", "id", "peer_id", "underlay_mtu", "initiator", "psk",
        *(f"dpd.{field}" for field in ("action", "interval", "timeout")),
        *(f"ike.{field}" for field in ("version", "mode", "encryption", "integrity", "prf", "dh_group", "lifetime")),
        *(f"ipsec.{field}" for field in ("encryption", "integrity", "pfs_group", "lifetime")),
    ]
)  # fmt: skip
