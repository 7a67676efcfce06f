# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""One write to the API as data, and what the cloud will look like after some of them. Pure.

Check mode shows the steps, a real run executes the very same ones.
"""

from __future__ import annotations

import copy
import itertools
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _secrets
from ansible_collections.bothends.vpn.plugins.module_utils._objects import KINDS, Body, Snapshot, name_of, normal


class Ref(t.NamedTuple):
    """An id that is known only once the object is made."""

    kind: str
    name: str
    number: int = 0  # tells two new objects of one name apart

    def __str__(self) -> str:
        return f"(id of new {self.kind} {self.name})"


class Step(t.NamedTuple):
    """One write to the API."""

    verb: str
    kind: str
    name: str
    id: str | None
    body: Body  # what is sent; values may be Refs
    ref: Ref | None = None  # what others call the object that this step creates
    disruptive: bool = False
    why: str = ""
    site: str | None = None  # whose object it is; None for what sites share

    @property
    def pending_activation(self) -> bool:
        """Whether a running tunnel goes on without it until the site makes new SAs."""
        return self.kind == "site_connection" and self.verb == "update" and bool(set(self.body) - _AT_ONCE)

    def public(self) -> dict[str, t.Any]:
        """Show the step without secrets; an update says which fields it sends."""
        fields = sorted(self.body) if self.verb == "update" else []
        return {
            "verb": self.verb,
            "kind": self.kind,
            "name": self.name,
            "id": self.id,
            "disruptive": self.disruptive,
            "pending_activation": self.pending_activation,
            "in_force": "interrupts" if self.disruptive else "with new SAs" if self.pending_activation else "at once",
            "fields": fields,
            "why": self.why or ", ".join(fields),
        }


REPLACED = "replaced: "

# What of a connection no SA was born with.
_AT_ONCE = {"name", "description"}


def project(snapshot: Snapshot, steps: t.Sequence[Step]) -> Snapshot:
    """Give the snapshot as it will be after the steps; new objects have made-up ids."""
    return projected(snapshot, steps)[0]


def projected(snapshot: Snapshot, steps: t.Sequence[Step]) -> tuple[Snapshot, dict[Ref, str]]:
    """Give the same, and which made-up id each new object has."""
    after = copy.copy(snapshot)
    ids = _made_up(snapshot, steps)
    for kind, of_kind in itertools.groupby(sorted(steps, key=lambda step: step.kind), key=lambda step: step.kind):
        things = {one["id"]: one for one in snapshot[kind]}
        for step in of_kind:
            body = {field: ids[value] if isinstance(value, Ref) else value for field, value in step.body.items()}
            if step.verb == "create":
                identifier = ids[t.cast(Ref, step.ref)]
                things[identifier] = {**body, "id": identifier}
            elif step.verb == "update":
                identifier = t.cast(str, step.id)
                things[identifier] = {**things[identifier], **body}
            else:
                del things[t.cast(str, step.id)]
        after[kind] = list(things.values())
    return after, ids


def _made_up(snapshot: Snapshot, steps: t.Iterable[Step]) -> dict[Ref, str]:
    taken = {one["id"] for kind in KINDS for one in snapshot[kind]}
    ids: dict[Ref, str] = {}
    for step in steps:
        if step.ref:
            name = f"new:{step.kind}/{step.name}"
            ids[step.ref] = next(one for one in (f"{name}/{n}" for n in itertools.count()) if one not in taken)
            taken.add(ids[step.ref])
    return ids


def diff(snapshot: Snapshot, steps: t.Sequence[Step]) -> dict[str, dict[str, t.Any]]:
    """Show the touched objects before and after, with names for ids and without secrets."""
    after, ids = projected(snapshot, steps)
    touched = {step.id or ids[t.cast(Ref, step.ref)] for step in steps}
    new_keys = {step.id for step in steps if "psk" in step.body}
    return {
        "before": _view(snapshot, touched, set()),
        "after": _view(after, touched, new_keys),
    }


def _view(snapshot: Snapshot, touched: set[t.Any], new_keys: set[t.Any]) -> dict[str, t.Any]:
    names = {one["id"]: name_of(one) for things in snapshot.values() for one in things if "id" in one}
    view: dict[str, t.Any] = {}
    for kind, row in KINDS.items():
        for one in snapshot[kind]:
            if one["id"] not in touched:
                continue
            fields = {
                field: names.get(one[field], one[field]) if field.endswith("_id") else one[field]
                for field in ("name", "description", *row.content, *row.mutable)
                if one.get(field) is not None
            }
            if "endpoints" in fields:
                fields["endpoints"] = [names.get(value, value) for value in normal("endpoints", one)]
            if "psk" in fields:
                fields["psk"] = _secrets.REDACTED + (" new" if one["id"] in new_keys else "")
            title = f"{kind} {name_of(one)}"
            while title in view:
                title += " (another)"
            view[title] = fields
    return view
