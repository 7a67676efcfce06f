# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job the way AWX runs it: ansible-runner with a private data directory that is thrown away, and a search for what it leaked."""

from __future__ import annotations

import base64
import dataclasses
import json
import os
import shlex
import subprocess
import sys
import typing as t
import urllib.parse
from pathlib import Path

import yaml

# What a survey sends for a question that nobody answered.
SURVEY = dict.fromkeys(
    (
        "vpn_purge",
        "vpn_allow_disruption",
        "vpn_verify_active",
        "verify_report_file",
        "hub_cloud",
        "hub_gateway",
        "site_router_output_dir",
        "site_router_swanctl_uri",
    ),
    "",
)
# The variables come from the inventory, the keys from files that a credential brings.
PSKS = (
    "{{ lookup('ansible.builtin.file', lookup('ansible.builtin.env', 'VPN_PSKS')) | bothends.vpn.psks"
    " | ansible.builtin.combine(oslo_psks) }}"
)
MASTER = "{{ lookup('ansible.builtin.file', lookup('ansible.builtin.env', 'VPN_MASTER')) }}"


@dataclasses.dataclass(frozen=True)
class Ended:
    """How a job ended: what it printed and what ansible-runner kept of it."""

    status: int
    output: str
    stats: dict[str, dict[str, int]]
    events: list[dict[str, t.Any]]

    @property
    def changes(self) -> list[str]:
        """What changed something, and at which host."""
        return [
            f"{one['event_data']['host']}: {one['event_data']['task']}"
            for one in self.events
            if one["event"] == "runner_on_ok" and one["event_data"]["res"].get("changed")
        ]


@dataclasses.dataclass
class Job:
    """One job with a private data directory of its own; started, then waited for."""

    directory: Path
    process: subprocess.Popen[bytes] | None = None

    @classmethod
    def prepare(
        cls,
        directory: Path,
        inventory: dict[str, t.Any],
        cloud: dict[str, t.Any],
        psks: dict[str, str],
        master: str,
        options: t.Sequence[str] = (),
        playbook: str = "- import_playbook: bothends.vpn.site\n",
    ) -> Job:
        """Lay out the directory as AWX does."""
        for name in ("env", "inventory", "project", "home", "artifacts"):
            (directory / name).mkdir(parents=True, mode=0o700)
        files = {"clouds": {"clouds": {"devstack": cloud}}, "psks": psks}
        for name, content in files.items():
            _private(directory / f"env/tmp_{name}", yaml.safe_dump(content, allow_unicode=True))
        _private(directory / "env/tmp_master", master + "\n")
        _private(directory / "env/extravars", json.dumps({"awx_job_id": 7, **SURVEY}))
        _private(directory / "env/survey", json.dumps(SURVEY))
        _private(directory / "env/settings", json.dumps({"job_timeout": 500, "fact_cache_type": "jsonfile"}))
        _private(directory / "env/cmdline", shlex.join(["-u", "root", "-e", f"@{directory}/env/survey", *options]))
        _private(
            directory / "env/envvars",
            json.dumps({
                "OS_CLIENT_CONFIG_FILE": str(directory / "env/tmp_clouds"),
                "VPN_PSKS": str(directory / "env/tmp_psks"),
                "VPN_MASTER": str(directory / "env/tmp_master"),
                "ANSIBLE_STDOUT_CALLBACK": "default",
                "ANSIBLE_CACHE_PLUGIN": "jsonfile",
                "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(directory / "artifacts/1/fact_cache"),
                "HOME": str(directory / "home"),
                "ANSIBLE_HOME": str(directory / "home/.ansible"),
                "ANSIBLE_LOCAL_TEMP": str(directory / "home/.ansible/tmp"),
            }),
        )  # fmt: skip
        (directory / "project/site.yml").write_text(f"---\n{playbook}")
        script = directory / "inventory/hosts"
        script.write_text(f"#!{sys.executable}\nprint({json.dumps(json.dumps(inventory))})\n")
        script.chmod(0o700)
        return cls(directory)

    def start(self) -> Job:
        """Start ansible-runner."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("OS_", "VPN_"))}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ansible_runner", "run", self.directory, "-p", "site.yml", "--ident", "1", "-vvv"],
            cwd=self.directory / "project", env=environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        return self

    def wait(self, ok: bool | None = True) -> Ended:
        """Wait for the end; ``ok`` says what it must be, None that it does not matter."""
        assert self.process
        self.process.wait(timeout=600)
        artifacts = self.directory / "artifacts/1"
        output = (artifacts / "stdout").read_text()
        events = [
            json.loads(path.read_text()) for path in sorted(artifacts.glob("job_events/[0-9]*.json"), key=_number)
        ]
        status = int((artifacts / "rc").read_text())
        if ok is not None:
            failed = [
                f"{one['event_data']['host']}: {one['event_data']['task']}: {one['event_data']['res'].get('msg')}"
                for one in events
                if one["event"] in ("runner_on_failed", "runner_on_unreachable")
            ]
            assert (status == 0) is ok, "\n".join([f"ended with {status}", *failed, output[-2000:]])
        stats = next((one["event_data"] for one in events if one["event"] == "playbook_on_stats"), {})
        return Ended(status, output, stats, events)


def _private(path: Path, content: str) -> None:
    path.touch(mode=0o600)
    path.write_text(content)


def _number(path: Path) -> int:
    return int(path.name.partition("-")[0])


def inventory(hosts: t.Mapping[str, t.Mapping[str, t.Any]], description: dict[str, t.Any]) -> dict[str, t.Any]:
    """Write an inventory as AWX's script prints it, from each host's groups and variables."""
    groups: dict[str, t.Any] = {}
    for name, host in hosts.items():
        groups.setdefault(host["group"], {"hosts": []})["hosts"].append(name)
    variables = {**description, "vpn_psks": PSKS, "oslo_master": MASTER}
    return {
        "all": {"hosts": sorted(hosts), "children": sorted(groups), "vars": variables},
        **groups,
        "_meta": {"hostvars": {name: host["vars"] for name, host in hosts.items()}},
    }


def slices(hosts: t.Mapping[str, t.Any], count: int) -> list[dict[str, t.Any]]:
    """Cut the hosts as AWX does: by name, in stripes; a slice's inventory has no other hosts."""
    return [{name: hosts[name] for name in sorted(hosts)[number::count]} for number in range(count)]


# The forms in which something may be written; base64 differs by where in a longer text it begins.
FORMS: dict[str, t.Callable[[str], t.Sequence[str]]] = {
    "plain": lambda secret: [secret],
    "json": lambda secret: [json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]],
    "json in json": lambda secret: [
        json.dumps(json.dumps(secret, ensure_ascii=plain)[1:-1], ensure_ascii=inner)[1:-1]
        for plain in (True, False)
        for inner in (True, False)
    ],
    "url": lambda secret: [
        urllib.parse.quote(secret, safe=""),
        urllib.parse.quote(secret),
        urllib.parse.quote_plus(secret),
    ],
    "base64": lambda secret: _base64(secret, base64.b64encode),
    "base64 for urls": lambda secret: _base64(secret, base64.urlsafe_b64encode),
    "python": lambda secret: [repr(secret)[1:-1]],
    "shell": lambda secret: [shlex.quote(secret)],
}


def _base64(secret: str, encode: t.Callable[[bytes], bytes]) -> list[str]:
    """What of a secret's base64 does not depend on its neighbours, for each of the three places where it may begin."""
    data = secret.encode()
    whole = [data[skip : skip + (len(data) - skip) // 3 * 3] for skip in range(3)]
    return [encode(part).decode() for part in whole]


def leaks(directory: Path, secrets: t.Iterable[str]) -> set[tuple[str, str]]:
    """Find each file below a directory that holds a secret, and in which form."""
    wanted = [(form, text.encode()) for secret in secrets for form, write in FORMS.items() for text in write(secret)]
    return {
        (str(path.relative_to(directory)), form)
        for path in directory.rglob("*")
        if path.is_file() and not path.is_symlink()
        for content in [path.read_bytes()]
        for form, text in wanted
        if text in content
    }
