# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""One object as a user asks for it, against what is there: the same steps as of a whole hub's plan. Pure.

What a module for one object has of its own stands in its row (``_single_kinds``); how it is found, compared, changed,
replaced or refused is the same for all of them, and stands here.
"""

from __future__ import annotations

import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _addresses, _findings
from ansible_collections.bothends.vpn.plugins.module_utils._description import Spec
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.plugins.module_utils._objects import (
    KINDS,
    REFERENCES,
    Body,
    Snapshot,
    differ,
    name_of,
)
from ansible_collections.bothends.vpn.plugins.module_utils._state import one_of
from ansible_collections.bothends.vpn.plugins.module_utils._steps import REPLACED, Ref, Step

Params = t.Dict[str, t.Any]

# What stands for the id of something that an earlier task would have made, in check mode.
UNKNOWN = "known after apply"


class Known:
    """What was read of the cloud, and how references are found in it."""

    def __init__(
        self, snapshot: Snapshot, check_mode: bool = False, project: str | None = None, absent: bool = False
    ) -> None:
        self.snapshot, self.check_mode, self.project, self.absent = snapshot, check_mode, project, absent
        self.warnings: list[str] = []

    def id_of(self, what: str, where: str, wanted: str) -> str:
        """Find the id of what is given by name or id; in check mode it may be a thing that is not there yet, and of what is to be
        absent one that is gone.
        """
        return self._id_of(what, wanted, self.snapshot[where])

    def subnet_id(self, wanted: str) -> str:
        """Find a subnet, by its CIDR too."""
        subnets = self.snapshot["subnets"]
        if _addresses.is_prefix(wanted) and not any(wanted in (one["id"], one["name"]) for one in subnets):
            by_cidr = [{**one, "name": _addresses.normalize(one["cidr"])} for one in subnets]
            return self._id_of("subnet", _addresses.normalize(wanted), by_cidr)
        return self._id_of("subnet", wanted, subnets)

    def _id_of(self, what: str, wanted: str, things: list[Body]) -> str:
        if (self.check_mode or self.absent) and not any(wanted in (one["id"], one["name"]) for one in things):
            warning = f"{what} {wanted!r} is not there yet; its id is {UNKNOWN}."
            self.warnings += [] if self.absent or warning in self.warnings else [warning]
            return UNKNOWN
        # An administrator sees the things of all projects.
        own = [one for one in things if self.project and project_of(one) == self.project and one["name"] == wanted]
        return one_of(what, wanted, own or things)["id"]

    def in_project(self, one: Body) -> bool:
        """Whether a thing belongs to the project in question, as far as the API says whose it is."""
        return not self.project or project_of(one) in (None, self.project)

    def get(self, where: str, identifier: str | None) -> Body | None:
        """Give a thing by its id; None for one that is not there (yet)."""
        return next((one for one in self.snapshot[where] if one["id"] == identifier), None)


def project_of(one: Body) -> str | None:
    """Give the id of the project that an object belongs to; None where the API does not say."""
    return one.get("tenant_id") or one.get("project_id")


class Case(t.NamedTuple):
    """One object as it will be, for the rules."""

    name: str
    params: Params
    body: Body  # in the API's words; what was not asked for is as it is
    there: Body | None
    known: Known

    def asks(self, option: str) -> bool:
        """Whether the option is in question: for a new object each is, with its default."""
        return self.there is None or self.params[option.partition(".")[0]] is not None


Rule = t.Callable[[Case], _findings.Found]


class Row(t.NamedTuple):
    """What one kind of object has of its own."""

    kind: str
    what: str  # what people call it
    options: Spec
    fields: dict[str, str]  # option -> the API's field
    reads: tuple[str, ...]  # the lists that are needed
    needs: tuple[str, ...]  # the API's extensions without which there is no such object
    required: tuple[str, ...]  # what none can be made without
    content: str  # what becomes of a change of its content: one of the three below
    remedy: str  # what to do where its content cannot be changed
    body: t.Callable[[Params, Body | None, Known], Body]  # what was asked for, in the API's words
    new: t.Callable[[Params], Body]  # what a new one has where nothing was asked for
    shown: t.Callable[[Body, Params], Params]  # back to the options' words
    rules: tuple[tuple[Rule, tuple[str, ...]], ...]  # each with the options that it is about
    router: t.Callable[[Params, Body | None, Known], str | None] = lambda params, there, known: None
    not_written: t.Callable[[Params], tuple[str, ...]] = (
        lambda params: ()
    )  # fields that the provider's API does not take
    not_read_back: t.Callable[[Params], tuple[str, ...]] = lambda params: ()
    fixed: tuple[str, ...] = ()  # what never changes and is not compared to tell one object from another
    only_with: dict[str, tuple[str, str]] = {}  # option -> the list and the extension that are needed where it is given


UPDATED, REMADE, FIXED = "updated while unused", "made anew while unused", "never changed"


def find(row: Row, params: Params, known: Known) -> Body | None:
    """Find the object by id or name; raises VpnError where several have the name, or an id is not there (in that project)."""
    things = known.snapshot[row.kind]
    if params["id"]:
        found = known.get(row.kind, params["id"])
        if found and not known.in_project(found):
            raise VpnError(
                f"{row.what} {name_of(found)} ({found['id']}): is of project {project_of(found)}, not {known.project}, and cannot be "
                "given to another. Remedy: correct project_id, or leave it out."
            )
        if found is None and params["state"] == "present":
            raise VpnError(
                f"{row.what} {params['id']} is not there. Remedy: correct the id, or leave it out and give a name to make one."
            )
        return found
    if not params["name"]:
        raise VpnError(f"{row.what}: the name is empty. Remedy: give a name, or the id.")
    named = [one for one in things if one["name"] == params["name"] and known.in_project(one)]
    return one_of(row.what, params["name"], named) if named else None


def users(kind: str, identifier: str, snapshot: Snapshot) -> list[Body]:
    """Give the connections that use an object, but for those that are just going: the executor waits for them."""
    fields = [field for field, referred in REFERENCES.items() if referred == kind]
    staying = [one for one in snapshot["site_connection"] if one.get("status") != "PENDING_DELETE"]
    return [one for one in staying if any(one.get(field) == identifier for field in fields)]


def plan(row: Row, params: Params, there: Body | None, known: Known) -> list[Step]:
    """Decide what to do; raises VpnError for what the cloud would refuse, or take and not do."""
    if params["state"] == "absent":
        if there is None:
            return []
        _refuse_in_use(row, there, known, "deleted")
        return [Step("delete", row.kind, name_of(there), there["id"], {})]
    asked = {field: params[field] for field in ("name", "description") if params[field] is not None}
    asked.update(row.body(params, there, known))
    if there is None:
        return _create(row, params, asked, known)
    there = {field: value for field, value in there.items() if field not in row.not_read_back(params)}
    _judge(row, Case(name_of(there), params, {**there, **asked}, there, known))
    # What is not known yet cannot be compared: where it may not change anyway, the real run will tell.
    movable = {*KINDS[row.kind].mutable, *(() if row.content == FIXED else KINDS[row.kind].content)}
    changed = {
        field: value
        for field, value in asked.items()
        if differ(field, {**there, **asked}, there) and (value != UNKNOWN or field in movable)
    }
    if params.get("send_psk") and "psk" in asked and "psk" not in there:
        changed["psk"] = asked["psk"]
    if not changed:
        return []
    return _change(row, there, changed, known)


def _create(row: Row, params: Params, asked: Body, known: Known) -> list[Step]:
    missing = [option for option in row.required if params[option] in (None, "", [])]
    if missing:
        raise VpnError(
            f"{row.what} {params['name']} is not there and cannot be made without {', '.join(missing)}. "
            f"Remedy: give {'it' if len(missing) == 1 else 'them'}, or correct the name."
        )
    owner = {"tenant_id": params["project_id"]} if params["project_id"] else {}
    body = {"description": "", **row.new(params), **asked, **owner}
    _judge(row, Case(params["name"], params, body, None, known))
    taken = {field: value for field, value in body.items() if field not in row.not_written(params)}
    return [Step("create", row.kind, params["name"], None, taken, Ref(row.kind, params["name"]))]


def _change(row: Row, there: Body, changed: Body, known: Known) -> list[Step]:
    moved = [field for field in changed if field in (*KINDS[row.kind].content, *row.fixed)]
    if row.content == FIXED and moved:
        options = sorted(option for option, field in row.fields.items() if field in moved)
        raise VpnError(
            f"{row.what} {name_of(there)} ({there['id']}): {', '.join(options)} cannot be changed. Remedy: {row.remedy}."
        )
    if row.content == REMADE and moved:
        _refuse_in_use(row, there, known, "given other content")
        owner = {"tenant_id": project_of(there)} if project_of(there) else {}
        body = {**{field: there.get(field) for field in ("name", "description", *KINDS[row.kind].content)}, **owner}
        name, why = changed.get("name") or name_of(there), REPLACED + "other " + ", ".join(moved)
        # Nothing uses it. A run that is killed in between must not leave two of one name, of which nobody could tell which is meant.
        return [
            Step("delete", row.kind, name_of(there), there["id"], {}, why=why),
            Step("create", row.kind, name, None, {**body, **changed}, Ref(row.kind, name), why=why),
        ]
    if row.content == UPDATED:
        _refuse_in_use(row, there, known, "changed")
    return [Step("update", row.kind, name_of(there), there["id"], changed)]


def _refuse_in_use(row: Row, there: Body, known: Known, done: str) -> None:
    found = users(row.kind, there["id"], known.snapshot)
    if found:
        names = ", ".join(f"{name_of(one)} ({one['id']})" for one in found)
        remedy = f"remove {'them' if found[1:] else 'it'} first" if done == "deleted" else row.remedy
        raise VpnError(
            f"{row.what} {name_of(there)} ({there['id']}) cannot be {done}: it is used by {names}. Remedy: {remedy}."
        )


def _judge(row: Row, case: Case) -> None:
    """Check a new object wholly, and of one that is there what was asked for."""
    found = [one for rule, options in row.rules if any(map(case.asks, options)) for one in rule(case)]
    judge(f"{row.what} {case.name}", found, case.known)


def judge(what: str, found: t.Collection[_findings.Finding], known: Known) -> None:
    """Refuse what is wrong, and keep for the user what only hurts."""
    refuse(what, found)
    known.warnings.extend(f"{what}: {one['field']}: {one['message']} Remedy: {one['remedy']}" for one in found)


def refuse(what: str, found: t.Iterable[_findings.Finding]) -> None:
    """Raise VpnError with all that is wrong."""
    wrong = list({(one["field"], one["message"]): one for one in _findings.errors(found)}.values())
    if wrong:
        raise VpnError(f"{what}: nothing was changed; {_findings.summary(wrong)}:\n{_findings.lines(wrong)}")
