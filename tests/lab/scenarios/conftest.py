# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the scenarios share: the running lab, and a way to run the collection's playbooks against it."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import subprocess
import time
import typing as t
from pathlib import Path

import pytest
import yaml

from bothends_lab import Lab

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = ROOT / "examples/site_to_site"
HUB_AND_SPOKE = ROOT / "examples/hub_and_spoke"
SITE_FILE = "/etc/swanctl/conf.d/bothends-vpn-berlin.conf"


@dataclasses.dataclass(frozen=True)
class Run:
    """What one ansible-playbook did."""

    status: int
    output: str
    rows: list[dict[str, str]]  # verify's report

    @property
    def changed(self) -> int:
        """How many tasks changed something, over all hosts."""
        return sum(int(count) for count in re.findall(r"^\S+ +: ok=\d+ +changed=(\d+)", self.output, re.MULTILINE))

    @property
    def verdicts(self) -> dict[str, str]:
        """The verdict of each tunnel."""
        return {row["tunnel"]: row["verdict"] for row in self.rows}

    @property
    def why(self) -> str:
        """What verify saw, over all tunnels."""
        return "; ".join(row["why"] for row in self.rows)


def described(example: Path) -> dict[str, t.Any]:
    """The variables of an example."""
    return yaml.safe_load((example / "group_vars/all.yml").read_text())


DESCRIPTION = described(EXAMPLE)


class Playbooks:
    """Runs the collection's playbooks with an example's inventory and description."""

    def __init__(self, lab: Lab, report: Path, example: Path = EXAMPLE) -> None:
        self.lab = lab
        self.report = report
        self.example = example

    def __call__(self, name: str, *options: str, ok: bool | None = True, **variables: t.Any) -> Run:
        """Run a playbook by its FQCN; ``ok`` says how it must end, None that it does not matter."""
        return self.file(f"bothends.vpn.{name}", *options, ok=ok, **variables)

    def file(self, playbook: str | Path, *options: str, ok: bool | None = True, **variables: t.Any) -> Run:
        """Run any playbook."""
        self.report.unlink(missing_ok=True)
        done = subprocess.run(
            [
                "ansible-playbook", playbook, "-i", self.example / "hosts.yml", "-i", self.lab.inventory,
                "-e", json.dumps({"verify_report_file": str(self.report), **variables}), *options,
            ],
            cwd=ROOT,
            env={**os.environ, "OS_CLIENT_CONFIG_FILE": str(self.lab.clouds_yaml), "OS_CLOUD": "lab", "ANSIBLE_NOCOLOR": "1"},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=300, check=False,
        )  # fmt: skip
        output = done.stdout + done.stderr
        if ok is not None:
            assert (done.returncode == 0) is ok, f"{playbook} ended with {done.returncode}:\n{output[-6000:]}"
        rows = json.loads(self.report.read_text()) if self.report.exists() else []
        return Run(done.returncode, output, rows)

    def prove(self, ok: bool = True, **variables: t.Any) -> Run:
        """Run verify with the full proof."""
        return self("verify", ok=ok, verify_active=True, verify_sa_timeout=8, **variables)


@pytest.fixture(scope="session")
def lab() -> Lab:
    """The running lab."""
    return Lab.load()


@pytest.fixture(scope="module")
def example() -> Path:
    """The example that a module's playbooks run with; a module with another one has a fixture of this name."""
    return EXAMPLE


@pytest.fixture(scope="module")
def playbook(lab: Lab, example: Path, tmp_path_factory: pytest.TempPathFactory) -> Playbooks:
    """A way to run the collection's playbooks."""
    return Playbooks(lab, tmp_path_factory.mktemp("report") / "rows.json", example)


def sites_with(description: dict[str, t.Any], name: str, **change: t.Any) -> dict[str, t.Any]:
    """A description's sites with something of one changed; None takes a key out."""
    site = {**description["vpn_sites"][name], **change}
    return {**description["vpn_sites"], name: {key: value for key, value in site.items() if value is not None}}


def changed_sites(**change: t.Any) -> dict[str, t.Any]:
    """The site-to-site example's sites with something of berlin changed."""
    return sites_with(DESCRIPTION, "berlin", **change)


def planned_steps(output: str) -> list[str]:
    """The cloud's steps in the table that the role prints."""
    return re.findall(r"^ +((?:create|update|delete)  .*?)\s*$", output, re.MULTILINE)


def writes(lab: Lab, mark: int) -> list[t.Any]:
    """The API's writes since a mark."""
    return [request for request in lab.api_requests(mark) if request.is_write]


def rewrite(lab: Lab, *changes: tuple[str, str]) -> None:
    """Change the router's file behind the collection's back, and make charon take it up with new SAs, if it can."""
    path = lab.file("berlin", SITE_FILE)
    text = path.read_text()
    for pattern, replacement in changes:
        text, count = re.subn(pattern, replacement, text, flags=re.MULTILINE)
        assert count, f"{pattern} is not in the router's file"
    path.write_text(text)
    lab.run("berlin", ["swanctl", "--load-all"])
    for sa in set(re.findall(r"^(\S+): #\d+", lab.run("berlin", ["swanctl", "--list-sas"]).stdout, re.MULTILINE)):
        lab.run("berlin", ["swanctl", "--terminate", "--force", "--ike", sa], check=False)
    lab.run("berlin", ["swanctl", "--initiate", "--child", "prod/berlin/1", "--timeout", "8"], check=False)


def make_anew(lab: Lab, name: str) -> None:
    """Replace a connection in the cloud by an equal one, as two runs at once do; no SA changes with it."""
    api, kind = lab.api(), "vpn/ipsec-site-connections"
    [old] = api.list(kind, name=name)
    fields = ("name", "description", "peer_address", "peer_id", "psk", "vpnservice_id", "ikepolicy_id", "ipsecpolicy_id",
              "local_ep_group_id", "peer_ep_group_id", "dpd", "initiator", "mtu", "project_id")  # fmt: skip
    new = api.create(kind, "ipsec_site_connection", **{field: old[field] for field in fields})
    _until_loaded(lab, new["id"], True)
    api.delete(kind, old["id"])
    _until_loaded(lab, old["id"], False)


def _until_loaded(lab: Lab, connection: str, loaded: bool) -> None:
    deadline = time.monotonic() + 60
    # Above its SAs, charon lists what it has loaded.
    while (connection in lab.ipsec("prod", "statusall").partition("Security Associations")[0]) is not loaded:
        assert time.monotonic() < deadline, f"{connection} is {'not ' if loaded else ''}loaded after a minute"
        time.sleep(0.2)
