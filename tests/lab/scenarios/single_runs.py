# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules for one object: as tasks of a play, and their code in this process, without Ansible's start of a process a task."""

from __future__ import annotations

import copy
import functools
import json
import typing as t

import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.bothends.vpn.plugins.module_utils import _cloud, _group_rules, _single_kinds, _single_run
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError

from .conftest import Playbooks, Run, writes

KEY = "a key that nobody may read"
OTHER_KEY = "another one of that kind"
Task = tuple[str, dict[str, t.Any]]

CONNECTION = {
    "name": "berlin", "vpn_service": "vpn", "ike_policy": "strong", "ipsec_policy": "strong", "local_endpoint_group": "here",
    "peer_endpoint_group": "there", "peer_address": "203.0.113.10", "psk": KEY,
}  # fmt: skip
WHOLE: list[Task] = [
    ("ike_policy", {"name": "strong", "encryption": "aes-256", "integrity": "sha384", "dh_group": "group20"}),
    ("ipsec_policy", {"name": "strong", "encryption": "aes-256-gcm-16", "pfs_group": "group20", "lifetime": 7200}),
    ("vpn_service", {"name": "vpn", "vpc": "prod", "description": "of the scenario"}),
    ("endpoint_group", {"name": "here", "type": "subnet", "endpoints": ["app", "192.168.2.0/24"]}),
    ("endpoint_group", {"name": "there", "type": "cidr", "endpoints": ["192.168.3.7/24"]}),
    ("site_connection", CONNECTION),
]
RULE: Task = (
    "security_group_rules",
    {"security_group": "servers", "rules": [{"protocol": "icmp", "description": "of the play"}]},
)
PATHS = {
    "ike_policy": "vpn/ikepolicies", "ipsec_policy": "vpn/ipsecpolicies", "vpn_service": "vpn/vpnservices",
    "endpoint_group": "vpn/endpoint-groups", "site_connection": "vpn/ipsec-site-connections",
}  # fmt: skip


class Play:
    """Runs modules as the tasks of one play; the cloud comes from the action group's defaults."""

    def __init__(self, playbook: Playbooks, directory: t.Any) -> None:
        self.playbook, self.directory = playbook, directory
        self.output = ""

    def __call__(self, *tasks: Task, check: bool = False) -> list[dict[str, t.Any]]:
        """Run them, whatever comes of each; gives their results."""
        kept, play = self.directory / "results.json", self.directory / "play.yml"
        kept.unlink(missing_ok=True)
        body: list[dict[str, t.Any]] = [
            {
                "name": f"Task {number}",
                f"bothends.vpn.{module}": options,
                "register": f"result_{number}",
                "ignore_errors": True,
            }
            for number, (module, options) in enumerate(tasks)
        ]
        results = ", ".join(f"result_{number}" for number in range(len(tasks)))
        body.append(
            {"name": "Keep", "ansible.builtin.copy": {"content": "{{ [" + results + "] | to_json }}", "dest": str(kept), "mode": "0600"},
             "check_mode": False, "diff": False}
        )  # fmt: skip
        play.write_text(
            yaml.safe_dump(
                [{"hosts": "prod", "connection": "local", "gather_facts": False, "tasks": body,
                  "module_defaults": {"group/bothends.vpn.openstack": {"cloud": "lab"}},
                  "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}}]
            )
        )  # fmt: skip
        run: Run = self.playbook.file(play, "--diff", "-vvv", *(["--check"] if check else []))
        self.output += run.output
        return json.loads(kept.read_text())


class Modules:
    """Runs what the modules run, in this process."""

    def __init__(self) -> None:
        self.cloud = functools.cache(_cloud.Cloud)
        self.output = ""

    def __call__(self, *tasks: Task, check: bool = False) -> list[dict[str, t.Any]]:
        """Run them, whatever comes of each; gives their results."""
        results = [self._run(module, {"cloud": "lab", **options}, check) for module, options in tasks]
        self.output += repr(results)
        return results

    def _run(self, module: str, options: dict[str, t.Any], check: bool) -> dict[str, t.Any]:
        rules = module == "security_group_rules"
        spec = _single_run.spec(_group_rules.OPTIONS if rules else _single_kinds.options(module))
        outcome = ArgumentSpecValidator(spec).validate(copy.deepcopy(options))
        assert not outcome.error_messages, outcome.error_messages
        work = _single_run.apply_rules if rules else functools.partial(_single_run.apply, module)
        try:
            return work(outcome.validated_parameters, self.cloud(options["cloud"]), check)
        except VpnError as error:
            return {"changed": False, **error.result, "failed": True, "msg": str(error)}

    def one(self, module: str, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        """Run one."""
        return self((module, options), check=check)[0]


def there(lab, kind, **fields):
    """The objects of a kind, by their fields."""
    found = lab.api().list(PATHS[kind])
    return [one for one in found if all(one[field] == value for field, value in fields.items())]


def unchanged(lab, modules, *tasks):
    """Whether tasks change nothing, and write nothing."""
    mark = lab.mark()
    return not any(one["changed"] or one.get("failed") for one in modules(*tasks)) and writes(lab, mark) == []
