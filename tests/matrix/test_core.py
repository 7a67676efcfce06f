# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may differ from one ansible-core to the next: loading, documentation, templating, how a run ends. No cloud, no root."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from .conftest import ROOT, Done, run

EXAMPLE = ROOT / "examples/site_to_site"
MOLECULE = ROOT / "extensions/molecule/default"
PLUGINS = {
    (kind, f"bothends.vpn.{path.stem}")
    for kind, room in (("module", "modules"), ("filter", "filter"), ("test", "test"))
    for path in (ROOT / "plugins" / room).glob("[!_]*.py")
}
PLAYBOOKS = sorted(path.stem for path in (ROOT / "playbooks").glob("*.yml"))
TARGETS = sorted(path.name for path in (ROOT / "tests/integration/targets").iterdir() if (path / "tasks").is_dir())


def playbook(name: str | Path, *options: str | Path, **environment: str) -> Done:
    """Run a playbook with the example's inventory."""
    return run("ansible-playbook", name, "-i", EXAMPLE / "hosts.yml", *options, **environment)


def test_it_is_the_ansible_core_that_is_meant():
    assert f"[core {os.environ['MATRIX_CORE']}]" in run("ansible-playbook", "--version").output
    assert importlib.metadata.version("ansible-core") == os.environ["MATRIX_CORE"]


@pytest.mark.parametrize("name", PLAYBOOKS)
def test_each_playbook_is_read(name):
    done = playbook(f"bothends.vpn.{name}", "--syntax-check")
    assert done.status == 0, done.output
    assert "WARNING" not in done.output


def test_a_playbook_that_cannot_be_read_is_told(tmp_path):
    """The twin of the test above."""
    (tmp_path / "wrong.yml").write_text("- hosts: vpn_cloud\n  tasks:\n    - bothends.vpn.no_such_module:\n")
    assert playbook(tmp_path / "wrong.yml", "--syntax-check").status != 0


@pytest.mark.parametrize("kind", sorted({kind for kind, _name in PLUGINS}))
def test_each_plugin_has_documentation(kind):
    names = sorted(name for of, name in PLUGINS if of == kind)
    done = subprocess.run(
        ["ansible-doc", "--json", "--type", kind, *names],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    shown = json.loads(done.stdout)
    assert sorted(shown) == names, done.stderr
    assert all(page["doc"]["short_description"] for page in shown.values())


@pytest.mark.parametrize("target", TARGETS)
def test_the_integration_target(target, tmp_path):
    (tmp_path / "play.yml").write_text(f"- hosts: localhost\n  gather_facts: false\n  roles: [{target}]\n")
    done = run("ansible-playbook", tmp_path / "play.yml", ANSIBLE_ROLES_PATH=str(ROOT / "tests/integration/targets"))
    assert done.status == 0, done.output[-4000:]
    assert "DEPRECATION" not in done.output


def test_the_example_is_checked_and_its_file_written(tmp_path):
    """The scenario of molecule, without molecule: converge, again without a change, verify."""
    environment = {
        "MOLECULE_EPHEMERAL_DIRECTORY": str(tmp_path),
        "ANSIBLE_LOG_PATH": str(tmp_path / "ansible.log"),
        "ANSIBLE_LOG_VERBOSITY": "4",
    }
    changed = []
    for name in ("converge", "converge", "verify"):
        done = playbook(MOLECULE / f"{name}.yml", "--diff", **environment)
        assert done.status == 0, done.output[-4000:]
        assert "DEPRECATION" not in done.output
        changed.append(sum(map(int, re.findall(r"changed=(\d+)", done.output))))
    assert changed == [2, 0, 0]


def test_a_bad_description_ends_the_run(tmp_path):
    sites = {"vpn_sites": {"berlin": {"hub": "prod", "gateway": "203.0.113.10", "subnets": ["192.168.1.0/25"]}}}
    done = playbook("bothends.vpn.site", "-e", json.dumps(sites))
    assert done.status != 0
    assert "1 error(s) in the description" in done.output
    assert "TASK [bothends.vpn.hub" not in done.output


@pytest.mark.parametrize(
    ("name", "variables"), [("preflight", {}), ("drift", {"drift_views": []})], ids=["preflight", "drift"]
)
def test_a_report_is_written_where_the_run_was_started(name, variables, tmp_path):
    """No shell says where that is, as below systemd; the run says where the file is."""
    variables = json.dumps({**variables, f"{name}_report_file": "report.json"})
    done = run(
        "env", "--unset=PWD", f"--chdir={tmp_path}",
        "ansible-playbook", f"bothends.vpn.{name}", "-i", EXAMPLE / "hosts.yml", "-e", variables,
    )  # fmt: skip
    assert done.status == 0, done.output[-4000:]
    assert (tmp_path / "report.json").is_file() and str(tmp_path / "report.json") in done.output


@pytest.mark.parametrize("options", [(), ("--check", "--diff")], ids=["run", "check"])
def test_a_cloud_that_does_not_answer_ends_the_run(tmp_path, options):
    clouds = tmp_path / "clouds.yaml"
    clouds.write_text(
        json.dumps({"clouds": {"devstack": {"auth": {
            "auth_url": "http://127.0.0.1:9/v3", "username": "u", "password": "not-shown", "project_name": "p",
            "user_domain_name": "Default", "project_domain_name": "Default"}}}})
    )  # fmt: skip
    done = playbook("bothends.vpn.cloud", *options, OS_CLIENT_CONFIG_FILE=str(clouds))
    assert done.status != 0
    assert "127.0.0.1:9" in done.output
    assert "Traceback" not in done.output and "not-shown" not in done.output
