# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import importlib.util
import json
from pathlib import Path

import pytest
import yaml

from ansible_collections.bothends.vpn.plugins.filter.findings import findings
from ansible_collections.bothends.vpn.plugins.module_utils import _description, _platforms

ROOT = Path(__file__).resolve().parents[2]
GENERATOR = ROOT / "tests" / "tools" / "generate.py"
SCHEMA = json.loads((ROOT / "docs" / "reference" / "description.schema.json").read_text())
EXAMPLES = sorted((ROOT / "examples").glob("*/group_vars/all.yml"))

needs_generator = pytest.mark.skipif(not GENERATOR.is_file(), reason="the installed collection has no generator")


def described(path):
    """Give what stands in an example, but for the keys, which come by a lookup."""
    variables = yaml.safe_load(path.read_text())
    return {name: variables[name] for name in SCHEMA["properties"] if name in variables}


@needs_generator
def test_what_is_generated_is_fresh():
    spec = importlib.util.spec_from_file_location("generate", GENERATOR)
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    assert generate.stale() == [], "run `make docs`"


# --- every option is described ---------------------------------------------------------------------------------------


def options(path, spec):
    """Give (path, row) of each option, nested ones too."""
    for name, row in spec.items():
        yield f"{path}.{name}", row
        yield from options(f"{path}.{name}", row.get("options", {}))


OPTIONS = [
    *(found for kind, spec in _description.KINDS.items() for found in options(kind, spec)),
    *(found for name, platform in _platforms.PLATFORMS.items() for found in options(name, platform.SETTINGS)),
]


@pytest.mark.parametrize(("path", "row"), OPTIONS, ids=[path for path, _row in OPTIONS])
def test_every_option_says_what_it_is(path, row):
    assert row["description"].strip().endswith("."), "a sentence"
    assert row["type"] in ("str", "int", "bool", "list", "dict", "raw")
    assert ("elements" in row) is (row["type"] == "list")
    assert not (row.get("required") and "default" in row), "a default that can never be"
    if "choices" in row and "default" in row:
        assert row["default"] in row["choices"]


# --- the schema that editors check by --------------------------------------------------------------------------------


@pytest.fixture
def validator():
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    return jsonschema.Draft202012Validator(SCHEMA)


def complaints(validator, description):
    return [(".".join(map(str, error.absolute_path)), error.validator) for error in validator.iter_errors(description)]


def test_there_is_an_example():
    assert [path.parts[-3] for path in EXAMPLES][-1] == "site_to_site"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parts[-3])
def test_the_schema_and_the_checks_accept_each_example(validator, path):
    description = described(path)
    assert complaints(validator, description) == []
    parts = [description.get(name) for name in ("vpn_policies", "vpn_hubs", "vpn_sites", "vpn_ignore")]
    found = findings(parts[2], hubs=parts[1], policies=parts[0], ignore=parts[3])
    assert [one["code"] for one in found if one["severity"] != "ignored"] == []
    assert len(found) == len(parts[3] or []), "each entry of vpn_ignore silences one"


SITE = "vpn_sites", "berlin"


@pytest.mark.parametrize(
    ("place", "change", "complaint"),
    [
        pytest.param(SITE, {"gatway": "203.0.113.10"}, ("vpn_sites.berlin", "additionalProperties"), id="a misspelt key"),
        pytest.param(("vpn_hubs", "prod"), {"vcp": "prod"}, ("vpn_hubs.prod", "additionalProperties"), id="a hub's"),
        pytest.param(("vpn_policies", "strong", "ike"), {"cipher": "aes"}, ("vpn_policies.strong.ike", "additionalProperties"),
                     id="a nested one"),
        pytest.param(SITE, {"gateway": None}, ("vpn_sites.berlin.gateway", "type"), id="null where a text must be"),
        pytest.param(SITE, {"platform": "strongswon"}, ("vpn_sites.berlin.platform", "enum"), id="no choice"),
        pytest.param(SITE, {"underlay_mtu": "big"}, ("vpn_sites.berlin.underlay_mtu", "type"), id="no number"),
        pytest.param(SITE, {"subnets": "10.0.0.0/8"}, ("vpn_sites.berlin.subnets", "type"), id="no list"),
        pytest.param(SITE, {"security_group_rules": [{"ports": [443]}]},
                     ("vpn_sites.berlin.security_group_rules.0", "required"), id="a missing one"),
        pytest.param((), {"vpn_ignore": [{"code": "ikev1"}]}, ("vpn_ignore.0", "required"), id="no reason to ignore"),
        pytest.param((), {"vpn_ignore": [{"code": "unknown-hub", "reason": "x"}]}, ("vpn_ignore.0.code", "enum"), id="an error"),
        pytest.param(("vpn_sites",), {"a b": {}}, ("vpn_sites", "pattern"), id="a bad name"),
    ],
)  # fmt: skip
def test_the_schema_rejects_what_the_checks_reject(validator, place, change, complaint):
    description = described(ROOT / "examples" / "site_to_site" / "group_vars" / "all.yml")
    broken = copy.deepcopy(description)
    entry = broken
    for key in place:
        entry = entry[key]
    entry.update(change)
    assert complaint in complaints(validator, broken)
    if change != {"subnets": "10.0.0.0/8"}:  # Ansible makes a list of one text
        found = _description.describe(
            *(broken.get(name) for name in ("vpn_policies", "vpn_hubs", "vpn_sites", "vpn_ignore"))
        )
        assert found.findings


@pytest.mark.parametrize("kind", sorted(_description.KINDS))
def test_the_schema_knows_every_key(kind):
    assert set(SCHEMA["properties"][kind]["additionalProperties"]["properties"]) == set(_description.KINDS[kind])
