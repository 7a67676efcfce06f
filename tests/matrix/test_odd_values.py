# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that YAML, Jinja, a shell or Ansible could take for something else: they arrive whole, or are told; nothing is evaluated.

The hubs say their gateway and CIDRs, and no router is in the inventory: each site's file is written without asking anybody.
"""

from __future__ import annotations

import base64
import json
import typing as t
from pathlib import Path

import pytest
import yaml

from .conftest import Done, run

LOOKUP = "{{ lookup('ansible.builtin.file', inventory_dir ~ '/psks.yml') | bothends.vpn.psks }}"
HUB = {"vpc": "prod", "subnets": ["192.168.1.0/24"], "gateway": "203.0.113.150"}
KEY = "a key of twenty letters and more"


def site(number: int = 3, **change: t.Any) -> dict[str, t.Any]:
    """A site's entry; the number makes its addresses its own."""
    return {"hub": "prod", "gateway": f"203.0.113.{number}", "subnets": [f"10.{number}.0.0/24"], **change}


PLAY = """
- hosts: vpn_cloud
  gather_facts: false
  connection: local
  vars:
    ansible_python_interpreter: "{{ ansible_playbook_python }}"
  tasks:
    - block:
        - include_role: {name: bothends.vpn.preflight}
      rescue:
        - debug: {msg: it stopped}
    - copy: {content: "{{ preflight_findings | to_json }}", dest: REPORT}
"""


class Project:
    """An inventory with its group_vars in a directory of its own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.inventory({"vpn_cloud": ["prod"]})
        self.psks({"prod/berlin": KEY})

    def write(self, name: str, text: str) -> Path:
        path = self.directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    def inventory(self, groups: dict[str, list[str]]) -> None:
        hosts = {group: {"hosts": dict.fromkeys(names)} for group, names in groups.items()}
        self.write("hosts.yml", yaml.safe_dump({"all": {"children": hosts}}, allow_unicode=True))

    def psks(self, keys: dict[str, str]) -> None:
        self.write("psks.yml", yaml.safe_dump(keys, allow_unicode=True, default_style="'"))

    def describe(self, text: str = "", **variables: t.Any) -> None:
        """Write group_vars; what is not plain data comes as text."""
        variables = {"vpn_hubs": {"prod": HUB}, "vpn_psks": LOOKUP, "site_router_hubs": {}, **variables}
        self.write("group_vars/all.yml", yaml.safe_dump(variables, sort_keys=False) + text)

    def play(self, name: str, *options: str | Path) -> Done:
        return run(
            "ansible-playbook", f"bothends.vpn.{name}", "-i", self.directory / "hosts.yml", "-vvv", "--diff", *options
        )

    def files(self, *keys: str, options: t.Sequence[str | Path] = ()) -> dict[str, str]:
        """Write the routers' files, and give them by site; no key may be shown."""
        done = self.play("routers", *options)
        assert done.status == 0, done.output[-4000:]
        for key in (KEY, *keys):
            assert key not in done.output and base64.b64encode(key.encode()).decode() not in done.output
        found = (self.directory / "vpn-files").rglob("bothends-vpn-*.conf")
        return {path.stem.removeprefix("bothends-vpn-"): path.read_text() for path in found}

    def findings(self, *options: str | Path) -> tuple[list[dict[str, str]], str]:
        """Check the description; give what was found, and all that was shown."""
        report = self.directory / "found.json"
        play = self.write("play.yml", PLAY.replace("REPORT", str(report)))
        done = run("ansible-playbook", play, "-i", self.directory / "hosts.yml", "-vvv", *options)
        assert done.status == 0, done.output[-4000:]
        return json.loads(report.read_text()), done.output


@pytest.fixture
def project(tmp_path) -> Project:
    return Project(tmp_path)


def secret_of(text: str) -> str:
    """The key in a router's file."""
    return base64.b64decode(text.partition('secret = "0s')[2].partition('"')[0]).decode()


ODD_KEYS = {
    "template": "{{ 7*7 }} and {% raw %} and {# no #} of it",
    "lookup": "{{ lookup('pipe', 'touch TOUCHED') }}",
    "shell": "$HOME `id` $(id) \\ and \"both\" 'quotes'",
    "yaml": "! no: [tag] & *alias # {comment} | > @",
    "unicode": "größer als zwanzig Zeichen ✓",
    "number": "0123456789012345678901",
    "vault": "$ANSIBLE_VAULT;1.1;AES256 or not",
}


def test_odd_keys_arrive_whole(project):
    touched = project.directory / "touched"
    keys = {name: key.replace("TOUCHED", str(touched)) for name, key in ODD_KEYS.items()}
    project.psks(keys)
    project.describe(vpn_sites={name: site(number) for number, name in enumerate(keys, 3)})
    assert {name: secret_of(text) for name, text in project.files(*keys.values()).items()} == keys
    assert not touched.exists()


def test_vaulted_values_and_a_vaulted_file(project):
    """Single values of the description and one key in the variables; the file with the other keys as a whole."""
    password = project.write("password", "of the vault")
    vault = ("--vault-password-file", password)

    def vaulted(value: str) -> str:
        done = run("ansible-vault", "encrypt_string", *vault, value)
        return "!vault |\n" + "".join(
            f"          {line.strip()}\n" for line in done.output.splitlines() if line.strip()[0] in "$0123456789"
        )

    project.describe(
        "vpn_sites:\n"
        f"  berlin:\n    hub: prod\n    gateway: {vaulted('203.0.113.3')}    subnets: [10.3.0.0/24]\n"
        f"  paris:\n    hub: {vaulted('prod')}    gateway: 203.0.113.4\n    subnets:\n      - {vaulted('10.4.0.0/24')}"
        f"    id:\n      value: {vaulted('paris.example')}"
        f"single: {vaulted(KEY + ' {{ 7*7 }}')}",
        vpn_psks=LOOKUP.replace("}}", "| combine({'paris': single}) }}"),
    )
    run("ansible-vault", "encrypt", *vault, project.directory / "psks.yml")
    assert (
        KEY not in (project.directory / "psks.yml").read_text() + (project.directory / "group_vars/all.yml").read_text()
    )
    files = project.files(options=vault)
    assert secret_of(files["berlin"]) == KEY
    assert secret_of(files["paris"]).startswith(KEY)
    assert 'local_addrs = "203.0.113.3"' in files["berlin"]
    assert 'local_ts = "10.4.0.0/24"' in files["paris"] and '"fqdn:paris.example"' in files["paris"]
    assert project.play("preflight").status != 0, "without the vault's password"


def test_names_that_mean_something_to_python_or_ansible(project):
    names = ["items", "keys", "values", "get", "pop", "update", "name", "state", "hub"]
    project.inventory({"vpn_cloud": names})
    project.psks(dict.fromkeys(names, KEY))
    project.describe(
        vpn_policies={name: {"ike": {"integrity": "sha512"}} for name in names},
        vpn_hubs={name: {**HUB, "gateway": f"203.0.113.{number}"} for number, name in enumerate(names, 150)},
        vpn_sites={name: site(number, hub=name, policy=name) for number, name in enumerate(names, 3)},
    )
    files = project.files()
    assert sorted(files) == sorted(names)
    assert all(secret_of(text) == KEY and "sha512" in text for text in files.values())


def test_names_that_yaml_mangles_are_told(project):
    entry = json.dumps(site())
    text = "vpn_sites:\n" + "".join(f"  {name}: {entry}\n" for name in ("no", "010", "1.5"))
    project.describe(text, vpn_psks={"prod/berlin": 10})
    found, _output = project.findings()
    mangled = {one["field"]: one for one in found if one["code"] == "mangled-by-yaml"}
    assert set(mangled) == {
        "vpn_sites.False",
        "vpn_sites.8",
        "vpn_sites.1.5",
        "vpn_psks['prod/berlin']",
    }
    assert all(one["host"] and one["value"] and "quotes" in one["remedy"] for one in mangled.values())


INJECTED = "{{ lookup('pipe', 'touch TOUCHED') }}"


CHANGES = {
    "gateway": {"gateway": INJECTED},
    "policy": {"policy": INJECTED},
    "hubs[0]": {"hub": INJECTED},
    "subnets[0]": {"subnets": [INJECTED]},
    "platform": {"platform": INJECTED},
    "id.value": {"id": {"value": INJECTED}},
    "probe[0]": {"probe": {"from": INJECTED}},
    "security_group_rules[0].protocol": {"security_group_rules": [{"protocol": INJECTED}]},
    INJECTED: {INJECTED: INJECTED},
}


def test_what_a_file_says_is_never_a_template(project):
    """The description comes from a file by lookup, as from any other program."""
    touched = project.directory / "touched"
    sites = {f"site{number}": site(number, **change) for number, change in enumerate(CHANGES.values(), 3)}
    project.write("sites.json", json.dumps({**sites, INJECTED: site(50)}).replace("TOUCHED", str(touched)))
    project.describe(vpn_sites="{{ lookup('ansible.builtin.file', inventory_dir ~ '/sites.json') | from_json }}")
    found, output = project.findings()
    fields = {one["field"].replace(str(touched), "TOUCHED") for one in found if one["severity"] == "error"}
    wanted = {f"vpn_sites.site{number}.{field}" for number, field in enumerate(CHANGES, 3)}
    assert fields >= {*wanted, f"vpn_sites.{INJECTED}"}
    assert all(one["host"] and one["remedy"] for one in found)
    assert not touched.exists(), output[-3000:]
    assert project.play("site").status != 0
    assert not touched.exists()


def test_a_template_would_be_seen(project):
    """The twin: what the user's own variables say is a template."""
    project.describe(
        vpn_sites={"berlin": site(gateway=INJECTED.replace("TOUCHED", str(project.directory / "touched")))}
    )
    project.findings()
    assert (project.directory / "touched").exists()


def test_empty_texts_of_a_survey_are_as_left_out(project):
    optional = ("state", "router", "platform", "platform_version", "policy", "local_address", "nat_traversal", "selector_mode", "mode",
                "initiator", "underlay_mtu", "psk_generation", "dpd", "id", "peer_id", "probe", "translate", "router_settings",
                "security_group_rules", "hubs")  # fmt: skip
    emptied = dict.fromkeys(("provider", "cloud", "security_groups"), "")
    project.describe(
        vpn_sites={"berlin": {**site(), **dict.fromkeys(optional, "")}},
        vpn_hubs={"prod": {**HUB, **emptied}},
        vpn_policies="",
    )
    assert project.findings()[0] == []
    assert secret_of(project.files()["berlin"]) == KEY


def test_odd_names_of_hosts(project):
    """A router's host may have any name: the site gives it by ``router``. Its configuration is not written as a file then."""
    routers = ["router.berlin-1.example", "büro-größe", "the router of rome", "no", "010"]
    project.inventory({"vpn_cloud": ["prod.eu-de_1"], "vpn_routers": routers, "odd-group.1": routers})
    sites = {
        f"site{number}": site(number, hub="prod.eu-de_1", router=name)
        for number, name in enumerate([*routers, "nobody"], 3)
    }
    project.write("sites.json", json.dumps(sites))
    project.psks(dict.fromkeys(sites, KEY))
    lookup = "{{ lookup('ansible.builtin.file', inventory_dir ~ '/sites.json') | from_json }}"
    project.describe(vpn_hubs={"prod.eu-de_1": HUB}, vpn_sites=lookup)
    assert list(project.files(options=("--limit", "vpn_cloud"))) == [f"site{len(routers) + 3}"]


def test_a_key_that_needs_quotes_is_not_shown(project):
    project.write("psks.yml", f"prod/berlin: !{KEY}\n")
    project.describe(vpn_sites={"berlin": site()})
    done = project.play("preflight")
    assert done.status != 0
    assert "line 1: what begins with !, & or * is no text to YAML" in done.output
    assert "twenty letters" not in done.output


def test_a_hub_without_a_host_is_told(project):
    project.inventory({"vpn_cloud": ["other"]})
    project.describe(vpn_sites={"berlin": site()})
    done = project.play("preflight")
    assert done.status == 0
    assert "no host of this name is in group vpn_cloud" in done.output
