# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""A module for one object from end to end: read, plan, do, say. The glue between the pure parts and the cloud."""

from __future__ import annotations

import time
import typing as t
import urllib.parse

from ansible_collections.bothends.vpn.plugins.module_utils import (
    _cloud,
    _description,
    _group_rules,
    _module,
    _single,
    _single_rules,
    _steps,
)
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.plugins.module_utils._objects import KINDS, Body, Snapshot
from ansible_collections.bothends.vpn.plugins.module_utils._providers import PROVIDERS
from ansible_collections.bothends.vpn.plugins.module_utils._single_kinds import ROWS, options

Params = t.Dict[str, t.Any]

# What not every server has; whether that matters the rules say.
_OPTIONAL = (*KINDS, "address_groups", "flavors", "extensions")

# Seconds that a module waits whose objects have no status of their own: for a connection that is going, and uses them.
_TIMEOUT = 120


def spec(own: _description.Spec) -> _description.Spec:
    """Give a module's argument specification."""
    return {**_module.CLOUD_SPEC, **_description.arguments(own)}


def arguments(kind: str) -> dict[str, t.Any]:
    """Give what AnsibleModule needs for one kind of object."""
    return {"argument_spec": spec(options(kind)), "required_one_of": [("name", "id")], "supports_check_mode": True}


def read(cloud: _cloud.Cloud, names: t.Iterable[str]) -> Snapshot:
    """Read some lists; what is not read, or what the server does not have, is empty."""
    return {**{name: [] for name in _cloud.LISTS}, **cloud.lists(list(names), optional=_OPTIONAL)}


def apply(kind: str, params: Params, cloud: _cloud.Cloud, check_mode: bool) -> Params:
    """Bring one object into the state that was asked for, or say what that would take. Returns the module's result."""
    row = ROWS[kind]
    more = [need for option, need in row.only_with.items() if params[option]]
    lists, needs = [*row.reads, *(name for name, _alias in more)], [*row.needs, *(alias for _name, alias in more)]
    known = _known(params, cloud, lists, needs, row.what, check_mode)
    there = _single.find(row, params, known)
    router = row.router(params, there, known) if params["state"] == "present" else None
    if router:
        known.snapshot["ports"] = cloud.list("/ports", "ports", urllib.parse.urlencode({"device_id": router}))
    steps = _single.plan(row, params, there, known)
    _within_quotas(params, cloud, known, steps, row.what)
    result = outcome(known, steps)
    if check_mode or not steps:
        after = _projected(kind, known.snapshot, steps, there)
        if not check_mode and params["state"] == "present":
            after = _waited(cloud, params, after, wrote=False)
    else:
        try:
            ids = cloud.execute(steps, timeout=params.get("timeout", _TIMEOUT))
            after = _real(cloud, kind, params, steps, ids, there)
        except VpnError as error:
            # What was written stays written: the failure says so too.
            error.result = {**result, **error.result}
            raise
    return {**result, kind: row.shown(after, params) if after else None}


def _known(
    params: Params, cloud: _cloud.Cloud, lists: t.Sequence[str], needs: t.Sequence[str], what: str, check_mode: bool
) -> _single.Known:
    """Read what is needed; raises VpnError where the server is another one than it is said to be, or cannot do it."""
    if params["state"] == "absent":
        return _single.Known(read(cloud, lists), check_mode, params["project_id"], absent=True)
    known = _single.Known(read(cloud, [*lists, "extensions"]), check_mode, params["project_id"])
    _single.refuse(what, _single_rules.server(params, needs, known))
    return known


def _within_quotas(
    params: Params, cloud: _cloud.Cloud, known: _single.Known, steps: t.Sequence[_steps.Step], what: str
) -> None:
    """Ask for the quotas where something is to be made; raises VpnError where they leave no room."""
    if any(step.verb == "create" for step in steps):
        answer = cloud.limits(PROVIDERS[params["provider"]].quotas.path, params["project_id"])
        found = list(_single_rules.quotas(params, steps, known, answer))
        _single.refuse(what, found)
        known.warnings.extend(f"{what}: {one['message']} Remedy: {one['remedy']}" for one in found)


def outcome(known: _single.Known, steps: t.Sequence[_steps.Step]) -> Params:
    """Say what is done, or would be."""
    return {
        "changed": bool(steps),
        "plan": [step.public() for step in steps],
        "diff": _steps.diff(known.snapshot, steps),
        "warnings": known.warnings,
    }


def _projected(kind: str, snapshot: Snapshot, steps: t.Sequence[_steps.Step], there: Body | None) -> Body | None:
    """Give the object as it would be; a new one has no id yet."""
    after = _steps.project(snapshot, steps)[kind]
    before = {one["id"] for one in snapshot[kind]}
    new = [{**one, "id": None} for one in after if one["id"] not in before]
    return new[0] if new else next((one for one in after if there and one["id"] == there["id"]), None)


def _real(
    cloud: _cloud.Cloud,
    kind: str,
    params: Params,
    steps: t.Sequence[_steps.Step],
    ids: t.Mapping[_steps.Ref, str],
    there: Body | None,
) -> Body | None:
    """Give the object as the cloud has it now; where there is something to wait for, after that."""
    if params["state"] == "absent":
        if params.get("wait_for", "none") != "none" and there:
            _until_gone(cloud, kind, there, params["timeout"])
        return None
    identifier = next((ids[step.ref] for step in steps if step.ref), there["id"] if there else None)
    after = next((one for one in read(cloud, [kind])[kind] if one["id"] == identifier), None)
    if after is None:
        raise VpnError(
            f"{ROWS[kind].what} {identifier} was written, but is not there any more. Remedy: see who else changes it."
        )
    return _waited(cloud, params, after, wrote=True)


def _waited(cloud: _cloud.Cloud, params: Params, there: Body | None, wrote: bool) -> Body | None:
    """Wait for a connection, as module hub does: after a change, or with ``active`` always."""
    wait_for = params.get("wait_for", "none")
    if there and (wait_for == "active" or (wait_for == "accepted" and wrote)):
        return cloud.wait({there["id"]}, wait_for == "active", params["timeout"])[0]
    return there


def _until_gone(cloud: _cloud.Cloud, kind: str, gone: Body, timeout: float, interval: float = 1.0) -> None:
    """A deletion may be accepted before it is done; what the object used is in use as long."""
    end = time.monotonic() + timeout
    while any(one["id"] == gone["id"] for one in read(cloud, [kind])[kind]):
        if time.monotonic() > end:
            raise VpnError(
                f"after {timeout:g} s {ROWS[kind].what} {gone['name'] or gone['id']} is still there, though its deletion was "
                "accepted. Remedy: see whether the cloud's VPN agent runs."
            )
        time.sleep(interval)


def apply_rules(params: Params, cloud: _cloud.Cloud, check_mode: bool) -> Params:
    """Bring the rules of one security group into the state that was asked for."""
    what = f"security group {params['security_group']}"
    known = _known(params, cloud, _group_rules.reads(params), _group_rules.needs(params), what, check_mode)
    snapshot = known.snapshot = _with_rules(known.snapshot)
    group = known.id_of("security group", "security_groups", params["security_group"])
    steps = _group_rules.plan(params, group, known)
    _within_quotas(params, cloud, known, steps, what)
    result = outcome(known, steps)
    after, ids = _steps.project(snapshot, steps), {one["id"] for one in snapshot[_group_rules.KIND]}
    if steps and not check_mode:
        try:
            cloud.execute(steps)
            after = _with_rules(read(cloud, ["security_groups"]))
            ids = {one["id"] for one in after[_group_rules.KIND]}
        except VpnError as error:
            # What was written stays written: the failure says so too.
            error.result = {**result, **error.result}
            raise
    name = (known.get("security_groups", group) or {"name": params["security_group"]})["name"]
    rules = [
        _group_rules.shown({**one, "id": one["id"] if one["id"] in ids else None})
        for one in after[_group_rules.KIND]
        if one["security_group_id"] == group
    ]
    identifier = None if group == _single.UNKNOWN else group
    return {**result, "security_group": {"id": identifier, "name": name}, "rules": rules}


def _with_rules(snapshot: Snapshot) -> Snapshot:
    """Give the rules as a list of their own; the API lists them in their groups."""
    rules = [rule for group in snapshot["security_groups"] for rule in group.get("security_group_rules", [])]
    return {**snapshot, _group_rules.KIND: rules}
