# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""Between the plan and the wire: what a provider's API does not give back or does not take. Pure.

The plan knows one sort of objects. Where a connection cannot have a description, its name is the marker: ``HUB/SITE/N``, and
``HUB/SITE/N#G`` with generation G of its key.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils._objects import (
    Body,
    Owner,
    Snapshot,
    described,
    generation,
)
from ansible_collections.bothends.vpn.plugins.module_utils._providers import PROVIDERS, Provider
from ansible_collections.bothends.vpn.plugins.module_utils._steps import Step

_NAMED = re.compile(r"(([^/#]+)/([^/#]+)/[0-9]+)(?:#([0-9]+))?")


def read(snapshot: Snapshot, provider: str) -> Snapshot:
    """Give a snapshot as the plan knows it."""
    row = PROVIDERS[provider]
    if not row.not_read_back and not row.not_written:
        return snapshot
    return {**snapshot, "site_connection": [_connection(row, one) for one in snapshot["site_connection"]]}


def _connection(row: Provider, one: Body) -> Body:
    there = {field: value for field, value in one.items() if field not in row.not_read_back}
    if "description" not in row.not_written:
        return there
    there["description"] = ""
    found = _NAMED.fullmatch(one["name"] or "")
    if found:
        name, hub, site, number = found.groups()
        there.update(name=name, description=described(Owner(hub, site), int(number or 1)))
    return there


def write(steps: t.Sequence[Step], snapshot: Snapshot, provider: str) -> list[Step]:
    """Give the steps as the API takes them; ``snapshot`` is what they were planned from."""
    row = PROVIDERS[provider]
    there = {one["id"]: one for one in snapshot["site_connection"]}
    return [_written(row, step, there.get(step.id or "", {})) for step in steps]


def _written(row: Provider, step: Step, there: Body) -> Step:
    if step.kind != "site_connection" or not row.not_written:
        return step
    body = {field: value for field, value in step.body.items() if field not in row.not_written}
    if "description" in row.not_written and {"name", "description"} & set(step.body):
        body["name"] = connection_name(row, step.name, generation({**there, **step.body}))
    return step._replace(body=body)


def connection_name(row: Provider, name: str, of_generation: int) -> str:
    """Write the name of a connection, with the generation of its key where the description cannot have it."""
    return f"{name}#{of_generation}" if of_generation > 1 and "description" in row.not_written else name
