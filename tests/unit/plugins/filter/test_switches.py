# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that are true or false, of every filter and test: ``-e vpn_purge=no`` is a text."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path

import pytest
import yaml
from ansible.errors import AnsibleFilterError

from ansible_collections.bothends.vpn import plugins
from ansible_collections.bothends.vpn.plugins.doc_fragments import inputs
from ansible_collections.bothends.vpn.plugins.filter.findings import findings
from ansible_collections.bothends.vpn.plugins.filter.hub_connections import hub_connections
from ansible_collections.bothends.vpn.plugins.filter.normalize import normalize
from ansible_collections.bothends.vpn.plugins.filter.overlaps import overlaps
from ansible_collections.bothends.vpn.plugins.filter.router_sites import router_sites
from ansible_collections.bothends.vpn.plugins.filter.verdicts import verdicts
from ansible_collections.bothends.vpn.tests.unit.builders import hub, site

DESCRIBED = {"sites": {"a": site()}, "hubs": {"prod": hub()}}
NET = ["10.0.0.0/25", "10.0.0.128/25"]

# filter and option -> what it gives with a value of the option
SWITCHED = {
    ("overlaps", "summary"): lambda value: overlaps(NET, summary=value),
    ("normalize", "aggregate"): lambda value: normalize(NET, aggregate=value),
    ("findings", "purge"): lambda value: findings({}, hubs={}, purge=value),
    ("verdicts", "planned"): lambda value: verdicts(
        router_sites(**DESCRIBED)[0]["connections"], statuses={}, planned=value
    ),
    ("hub_connections", "absent"): lambda value: hub_connections(**DESCRIBED, hub="prod", absent=value),
    ("router_sites", "absent"): lambda value: router_sites(**DESCRIBED, absent=value),
}


def documented():
    """Give the options of type bool of all filters and tests, those of the fragments too, and whether the signature has them."""
    for kind in ("filter", "test"):
        for path in sorted(Path(*plugins.__path__).joinpath(kind).glob("[a-z]*.py")):
            module = importlib.import_module(f"{plugins.__name__}.{kind}.{path.stem}")
            told = yaml.safe_load(module.DOCUMENTATION)
            named = told.get("extends_documentation_fragment", [])
            rows = dict(told.get("options", {}))
            for fragment in [named] if isinstance(named, str) else named:
                part = (fragment.split(".")[3:] or ["documentation"])[0].upper()
                rows.update(yaml.safe_load(getattr(inputs.ModuleDocFragment, part))["options"])
            parameters = inspect.signature(getattr(module, path.stem)).parameters
            for option, row in rows.items():
                if row.get("type") == "bool":
                    yield path.stem, option, option in parameters and parameters[option].annotation == "bool"


def test_each_that_is_documented_is_read_as_one():
    found = list(documented())
    assert {(name, option) for name, option, _read in found} == set(SWITCHED)
    assert [row for row in found if not row[2]] == []


@pytest.mark.parametrize("switched", SWITCHED.values(), ids=map(" ".join, SWITCHED))
def test_a_text_is_what_it_says(switched):
    on, off = switched(True), switched(False)
    assert on != off
    assert all(switched(value) == on for value in ("true", "yes", "True", "on", "1", 1))
    assert all(switched(value) == off for value in ("false", "no", "False", "off", "0", 0, "", None))


@pytest.mark.parametrize("value", ["maybe", "None", 2, ["x"]])
def test_what_is_neither(value):
    with pytest.raises(AnsibleFilterError, match=r"bothends\.vpn\.normalize: aggregate: .* is neither true nor false"):
        normalize(NET, aggregate=value)
    with pytest.raises(AnsibleFilterError, match=r"aggregate: .* is neither"):
        normalize(NET, value)
