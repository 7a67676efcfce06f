# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""What the modules for one object have in common: options, and how an object is shown in their words. Pure."""

from __future__ import annotations

import copy

from ansible_collections.bothends.vpn.plugins.module_utils import _addresses, _description, _state
from ansible_collections.bothends.vpn.plugins.module_utils._description import Spec
from ansible_collections.bothends.vpn.plugins.module_utils._objects import Body
from ansible_collections.bothends.vpn.plugins.module_utils._single import Params, project_of

COMMON: Spec = {
    "name": {
        "type": "str",
        "description": "The object's name, by which it is found; two of one name are an error that lists their ids. With O(id) the"
        " name that it is to have.",
    },
    "id": {"type": "str", "description": "The object's id, by which it is found. It must be there."},
    "description": {
        "type": "str",
        "description": "A text. Left out, the one that is there stays. The last word of what M(bothends.vpn.hub) made is its"
        " marker; with another description the hub would not know the object any more.",
    },
    "project_id": {
        "type": "str",
        "description": "The id of the project that the object belongs to; it cannot be changed. A new one gets the login's. With it, what"
        " is named is looked for in that project first. Only an administrator may name another than the login's.",
    },
    "state": {
        "type": "str",
        "choices": ["present", "absent"],
        "default": "present",
        "description": "Whether the object is to be there.",
    },
}
PROVIDER: Spec = {"provider": _description.HUB["provider"]}
WAITING: Spec = {
    "wait_for": {
        "type": "str",
        "choices": ["none", "accepted", "active"],
        "default": "accepted",
        "description": "V(accepted) waits, after a change, until the connection is not being created, updated or deleted any more."
        " V(active) waits until it is Normal, which may take traffic from a host at either side. V(none) does not wait.",
    },
}
TIMEOUT: Spec = {
    "timeout": {
        "type": "int",
        "default": 120,
        "description": "Seconds to wait at most, also for what is just being created or updated and cannot be changed as long.",
    },
}
ADMIN_STATE: Spec = {
    "admin_state_up": {"type": "bool", "description": "Whether it is switched on. A new one gets V(true)."},
}


def kept(spec: Spec) -> Spec:
    """Options that stay as they are where nothing is said; what was the default is what a new object gets."""
    out = copy.deepcopy(spec)
    for row in out.values():
        if "default" in row:
            row["description"] += f" A new one gets V({row.pop('default')})."
        row["description"] = row["description"].replace("Default sha256;", "A new one gets V(sha256);")
    return out


def head(body: Body) -> Params:
    """Give what every object has."""
    return {
        "id": body["id"],
        "name": body["name"],
        "description": body.get("description") or "",
        "project_id": project_of(body),
    }


def cidr(text: str) -> str:
    """Write a CIDR without host bits; what is none is told by a rule."""
    return _addresses.normalize(text) if _addresses.is_prefix(text) else text


def status(body: Body) -> Params:
    """Give the status in the API's words and the console's."""
    found = body.get("status")
    return {"status": found, "state": _state.status_word(found) if found else None}
