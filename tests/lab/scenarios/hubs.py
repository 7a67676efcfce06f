# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module hub without Ansible around it, which is most of a run's time: its options, its code, and what it leaves in the cloud."""

from __future__ import annotations

import copy
import functools
import typing as t

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.bothends.vpn.plugins.module_utils import _cloud, _hub, _hub_options, _objects, _wire
from bothends_lab import Lab
from bothends_lab.cloud.api import CloudApi

# Any provider takes these characters.
KEY = "a-key-for-the-tests-of-site-"
PROPOSAL = {"encryption": "aes-256", "integrity": "sha384"}
SUBNETS = ["192.168.1.0/24", "192.168.2.0/24"]

Options = dict[str, t.Any]


def site(number: int, **change: t.Any) -> Options:
    """One connection's entry."""
    return {
        "name": f"site{number}", "gateway": f"203.0.113.{10 * number}", "subnets": [f"10.{number}.0.0/24"], "policy": "strong",
        "psk": f"{KEY}{number}", "security_group_rules": [{"protocol": "icmp"}, {"protocol": "tcp", "ports": [443]}], **change,
    }  # fmt: skip


def policy(name: str = "strong", **ike: t.Any) -> Options:
    """One policy's entry."""
    return {
        "name": name,
        "ike": {**PROPOSAL, "dh_group": "group20", "lifetime": 28800, **ike},
        "ipsec": {**PROPOSAL, "pfs_group": "group20"},
    }


def hub(*sites: Options, ike_lifetime: int = 28800, **change: t.Any) -> Options:
    """Module hub's options."""
    return {
        "name": "prod", "vpc": "prod", "subnets": SUBNETS, "security_groups": ["servers"],
        "policies": [policy(lifetime=ike_lifetime)], "connections": list(sites), "allow_disruption": True, "wait_for": "none",
        **change,
    }  # fmt: skip


def checked(options: Options) -> Options:
    """The options with all their defaults, as Ansible hands them to the module."""
    result = ArgumentSpecValidator(_hub_options.spec()).validate(copy.deepcopy(options))
    assert not result.error_messages, result.error_messages
    return result.validated_parameters


def login(lab: Lab, entry: str) -> Options:
    """An entry of clouds.yaml, as an option ``cloud``."""
    return yaml.safe_load(lab.clouds_yaml.read_text())["clouds"][entry]


class Runs:
    """Module hub's own code in this process, with one login for all runs."""

    def __init__(self, login: Options) -> None:
        self.login = login

    @functools.cached_property
    def cloud(self) -> _cloud.Cloud:
        """The login."""
        return _cloud.Cloud(copy.deepcopy(self.login), 4)

    def __call__(self, options: Options, check: bool = False) -> Options:
        """Bring the hub into the described state, or say what that would take; gives the module's result."""
        return _hub.apply(checked(options), self.cloud, check)


@functools.cache
def api(lab: Lab, entry: str = "lab") -> CloudApi:
    """A client with one login for all that is asked."""
    return lab.api(entry)


def there(lab: Lab) -> dict[str, list[str]]:
    """All VPN objects, and the rules that let in (but the default group's own), with contents for ids, sorted."""
    found = {kind.name: api(lab).list(kind.path.lstrip("/")) for kind in _objects.KINDS.values()}
    known = {one["id"]: one for things in found.values() for one in things}

    def told(kind: _objects.Kind, one: dict[str, t.Any]) -> str:
        fields = {field: _objects.normal(field, one) for field in (*kind.content, *kind.mutable, "name", "description")}
        for field in _objects.REFERENCES:
            if fields.get(field):
                fields[field] = told(_objects.KINDS[_objects.REFERENCES[field]], known[fields[field]])
        return repr(fields)

    made = {
        name: sorted(
            told(_objects.KINDS[name], one)
            for one in things
            if one.get("direction") != "egress" and not one.get("remote_group_id")
        )
        for name, things in found.items()
    }
    return {name: things for name, things in made.items() if things}


def hurry(patch: pytest.MonkeyPatch) -> None:
    """Fewer seconds between attempts; what is done after how many of them is the same."""
    patch.setattr(_wire, "_PAUSE", 0.02)
    for name, value in {"_LOOKS": (0.0, 0.1), "_BOTH_LOOKED": 0.1, "_INTERVAL": 0.1}.items():
        patch.setattr(_cloud, name, value)
