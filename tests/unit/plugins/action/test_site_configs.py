# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""site_configs: what is rendered on the controller and what is written on the host."""

from __future__ import annotations

import os
import stat
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.bothends.vpn.plugins.action import site_configs as action
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.plugins.modules import site_configs as module
from ansible_collections.bothends.vpn.tests.unit.plugins.module_utils._platforms import cases


def site(name: str = "berlin", **changes: t.Any) -> dict[str, t.Any]:
    """Gives a site as the role has it."""
    return {"name": name, "platform": "strongswan", "connections": [cases.record(site=name)], **changes}


def entry(**changes: t.Any) -> dict[str, t.Any]:
    """Gives a site as the module gets it."""
    return {**action.rendered([site(**changes)], allow_placeholders=False, can_trap=True)[0]}


def test_nothing_but_texts_reaches_the_host() -> None:
    """The module gets no record, so no key in clear."""
    assert set(entry()) == {"name", "platform", "state", "content"}
    assert cases.PLAIN_PSK not in entry()["content"]


def test_the_records_come_back_without_keys() -> None:
    """What the next task needs, parted by state."""
    sites = [
        site(),
        site("paris", state="absent"),
        site("rome", connections=[cases.record(site="rome", state="absent")]),
    ]
    there, gone = action.records(sites, absent=False), action.records(sites, absent=True)
    assert [record["name"] for record in there] == ["prod/berlin"]
    assert [record["name"] for record in gone] == ["prod/paris", "prod/rome"]
    assert not any("psk" in record for record in there + gone)


def test_all_errors_at_once() -> None:
    """Every site that cannot be rendered is named, and no key."""
    broken = [site("a", router_settings={"x": 1}), site("b", connections=[{"psk": cases.PLAIN_PSK}]), site("../c")]
    with pytest.raises(VpnError) as caught:
        action.rendered(broken, allow_placeholders=False, can_trap=True)
    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == ["site a", "site b"]
    assert cases.PLAIN_PSK not in str(caught.value)


def test_a_missing_value_stops_a_deployment() -> None:
    """It stands as CHANGEME in a file that a person completes."""
    lacking = [site(connections=[cases.record(remote={"gateway": None, "id": None})])]
    with pytest.raises(VpnError, match=r"prod/berlin: remote\.gateway: needed"):
        action.rendered(lacking, allow_placeholders=False, can_trap=True)
    assert "CHANGEME-gateway" in action.rendered(lacking, allow_placeholders=True, can_trap=True)[0]["content"]


def test_write_change_remove(tmp_path: Path) -> None:
    """Changed once each time, private, nothing left over; check mode says the same and does nothing."""
    path = tmp_path / "bothends-vpn-berlin.conf"
    other = entry(connections=[cases.record(psk="another")])
    for wanted in (entry(), other, {**entry(), "state": "absent"}):
        foreseen = module.apply(wanted, str(tmp_path), check_mode=True)
        assert module.apply(wanted, str(tmp_path), check_mode=False) == foreseen
        assert foreseen[0]["changed"]
        assert module.apply(wanted, str(tmp_path), check_mode=False) == ({**foreseen[0], "changed": False}, None)
        if wanted["state"] == "present":
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert os.listdir(tmp_path) == [path.name]
    assert os.listdir(tmp_path) == []


def test_a_readable_file_is_closed_again(tmp_path: Path) -> None:
    """A mode that somebody changed is a change."""
    module.apply(entry(), str(tmp_path), check_mode=False)
    path = tmp_path / "bothends-vpn-berlin.conf"
    path.chmod(0o644)
    changed, diff = module.apply(entry(), str(tmp_path), check_mode=False)
    assert changed["changed"]
    assert diff is not None
    assert "readable by others" in diff["before"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_diff_holds_no_key(tmp_path: Path) -> None:
    """A changed key shows as changed, one that stays as the same, also where somebody's text goes over lines."""
    path = tmp_path / "bothends-vpn-berlin.conf"
    path.write_text('secrets {\n  ike-x {\n    secret = "top\\\nsecret"\n  }\n}\n', encoding="utf-8")
    _entry, diff = module.apply(entry(), str(tmp_path), check_mode=False)
    assert diff is not None
    assert "top" not in diff["before"]
    assert 'secret"' not in diff["before"]
    assert "secret = (redacted, changed)" in diff["after"]
    _entry, diff = module.apply(
        entry(connections=[cases.record(nat_traversal="force")]), str(tmp_path), check_mode=False
    )
    assert diff is not None
    assert diff["before"].count("(redacted)") == diff["after"].count("(redacted)") == 1


def test_a_name_cannot_leave_the_directory(tmp_path: Path) -> None:
    """Nothing is written then."""
    with pytest.raises(VpnError, match="name"):
        module.apply({**entry(), "name": "../x"}, str(tmp_path), check_mode=False)


def test_a_thousand_sites(tmp_path: Path) -> None:
    """One task, seconds."""
    sites = [site(f"s{number}") for number in range(1000)]
    begin = time.monotonic()
    done = action.rendered(sites, allow_placeholders=False, can_trap=True)
    assert time.monotonic() - begin < 20
    assert len({one["content"] for one in done}) == 1000
