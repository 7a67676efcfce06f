# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our own contender: a module of this collection as Ansible runs it, with its options as JSON on stdin.

`ours.py MODULE` runs it; `ours.py record` gives the writes of module hub as JSON instead of sending them.
"""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any

from ansible.module_utils import basic

COLLECTION = "ansible_collections.bothends.vpn.plugins"


def run(module: str, options: dict[str, Any]) -> None:
    """Run a module; it prints its result and ends the process."""
    basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": options}).encode()
    basic._ANSIBLE_PROFILE = "legacy"
    importlib.import_module(f"{COLLECTION}.modules.{module}").main()


def record(options: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """Give the batches of writes that make a new hub; what is known only once another object is made is its place."""
    import itertools

    from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

    from ansible_collections.bothends.vpn.plugins.module_utils import (
        _cloud,
        _hub,
        _hub_options,
        _objects,
        _steps,
    )

    cloud = _cloud.Cloud(None)
    steps = _hub.prepare(
        ArgumentSpecValidator(_hub_options.spec()).validate(options).validated_parameters, cloud
    ).plan.steps
    if {step.verb for step in steps} != {"create"}:
        raise RuntimeError("the cloud is not empty")
    return [
        [_request(_objects.KINDS[unit[0].kind], unit, _steps.Ref) for unit in _cloud._units(list(batch))]
        for _key, batch in itertools.groupby(steps, key=_cloud.batch_of)
    ]


def _request(kind: Any, steps: list[Any], unknown: type) -> dict[str, Any]:
    """One request as data: an object, or several of one kind."""
    bodies = [
        {field: {"made": str(value)} if isinstance(value, unknown) else value for field, value in step.body.items()}
        for step in steps
    ]
    return {
        "path": kind.path,
        "key": kind.singular if len(bodies) == 1 else kind.plural,
        "bodies": bodies,
        "as": [str(step.ref) for step in steps],
    }


if __name__ == "__main__":
    given = json.load(sys.stdin)
    if sys.argv[1] == "record":
        json.dump(record(given), sys.stdout)
    else:
        run(sys.argv[1], given)
