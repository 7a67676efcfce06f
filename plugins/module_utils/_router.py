# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""What the modules of all platforms that run on a router share: their options, and how a run ends."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule

CONNECTIONS_SPEC: dict[str, dict[str, t.Any]] = {
    "connections": {"type": "list", "elements": "dict", "default": []},
    "absent": {"type": "list", "elements": "dict", "default": []},
    "files": {"type": "list", "elements": "dict", "default": []},
    "activate": {"type": "bool", "default": True},
    "reauthenticate": {"type": "list", "elements": "str", "default": []},
    "reported_down": {"type": "list", "elements": "str", "default": []},
    "timeout": {"type": "int", "default": 30},
}

STATE_SPEC: dict[str, dict[str, t.Any]] = {
    "connections": {"type": "list", "elements": "dict", "default": []},
    "prove": {"type": "bool", "default": False},
    "timeout": {"type": "int", "default": 20},
}

EVIDENCE_SPEC: dict[str, dict[str, t.Any]] = {
    "connections": {"type": "list", "elements": "dict", "required": True},
    "attempt": {"type": "bool", "default": False},
    "timeout": {"type": "int", "default": 10},
    "log_files": {"type": "list", "elements": "path"},
}


def end(module: AnsibleModule, done: t.Mapping[str, list[str]], failures: list[str]) -> t.NoReturn:
    """End a module that brought connections into force; ``done`` says by connection what was done."""
    actions = {name: what for name, what in done.items() if what}
    result = {
        "changed": bool(actions),
        "actions": actions,
        "failures": failures,
        "diff": {"before": "", "after": "".join(f"{name}: {one}\n" for name in actions for one in actions[name])},
    }
    if failures:
        module.fail_json(msg="\n".join(failures), **result)
    module.exit_json(**result)
