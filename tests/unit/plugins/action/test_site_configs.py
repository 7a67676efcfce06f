# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""site_configs: what is rendered on the controller and what is written on the host."""

from __future__ import annotations

import base64
import os
import stat
import time
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.common.parameters import remove_values

from ansible_collections.bothends.vpn.plugins.action import site_configs as action
from ansible_collections.bothends.vpn.plugins.module_utils import _platforms
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.plugins.modules import site_configs as module
from ansible_collections.bothends.vpn.tests.unit.plugins.module_utils._platforms import (
    cases,
    cases_cisco_iosxe,
    libreswan_cases,
)


def site(name: str = "berlin", **changes: t.Any) -> dict[str, t.Any]:
    """Gives a site as the role has it."""
    return {"name": name, "platform": "strongswan", "connections": [cases.record(site=name)], **changes}


def entry(**changes: t.Any) -> dict[str, t.Any]:
    """Gives a site as the module gets it."""
    return {**action.rendered([site(**changes)], allow_placeholders=False, resolved={})[0]}


def text(one: dict[str, t.Any]) -> str:
    """Gives the text of the only file of a site."""
    [file] = one["files"]
    return base64.b64decode(file["content"]).decode()


def apply(wanted: dict[str, t.Any], dest: Path, check_mode: bool = False) -> module.Done:
    """Brings the only file of a site into its state."""
    [done] = module.apply({"files": None, **wanted}, str(dest), check_mode)
    return done


def test_nothing_but_texts_reaches_the_host() -> None:
    """The module gets no record, so no key in clear."""
    assert set(entry()) == {"name", "platform", "state", "files"}
    assert cases.PLAIN_PSK not in text(entry())


def test_the_records_come_back_without_keys() -> None:
    """What the next task needs, parted by state."""
    sites = [
        site(),
        site("paris", state="absent"),
        site("rome", connections=[cases.record(site="rome", state="absent")]),
        site("oslo", state="disabled"),
    ]
    there, gone = action.records(sites, gone=False), action.records(sites, gone=True)
    assert [record["name"] for record in there] == ["prod/berlin"]
    assert [record["name"] for record in gone] == ["prod/paris", "prod/rome", "prod/oslo"]
    assert not any("psk" in record for record in there + gone)


def test_a_diff_shows_what_is_no_secret(tmp_path: Path) -> None:
    """Ansible masks what the module got as secret, and of these two texts one has no key at all."""
    record = cases_cisco_iosxe.record()
    given = site(platform="cisco_iosxe", connections=[record], router_settings=cases_cisco_iosxe.SETTINGS)
    [wanted] = action.rendered([given], allow_placeholders=False, resolved={})
    shown = [diff["after"] for _entry, diff in module.apply(wanted, str(tmp_path), check_mode=False)]
    assert remove_values(shown, [file["content"] for file in wanted["files"]]) == shown
    assert [text.count("bothends-prod-berlin") > 5 for text in shown] == [True, True]
    assert cases_cisco_iosxe.PSK not in "".join(shown)
    assert cases_cisco_iosxe.PSK in (tmp_path / "bothends-vpn-berlin.ios").read_text(encoding="utf-8")


def test_all_errors_at_once() -> None:
    """Every site that cannot be rendered is named, and no key."""
    broken = [site("a", router_settings={"x": 1}), site("b", connections=[{"psk": cases.PLAIN_PSK}]), site("../c")]
    with pytest.raises(VpnError) as caught:
        action.rendered(broken, allow_placeholders=False, resolved={})
    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == ["site a", "site b", "site '../c'"]
    assert cases.PLAIN_PSK not in str(caught.value)


def test_a_missing_value_stops_a_deployment() -> None:
    """It stands as CHANGEME in a file that a person completes."""
    lacking = [site(connections=[cases.record(remote={"gateway": None, "id": None})])]
    with pytest.raises(VpnError, match=r"prod/berlin: remote\.gateway: needed"):
        action.rendered(lacking, allow_placeholders=False, resolved={})
    assert "CHANGEME-gateway" in text(action.rendered(lacking, allow_placeholders=True, resolved={})[0])


def test_write_change_remove(tmp_path: Path) -> None:
    """Changed once each time, private, nothing left over; check mode says the same and does nothing."""
    path = tmp_path / "bothends-vpn-berlin.conf"
    other = entry(connections=[cases.record(psk="another")])
    for wanted in (entry(), other, {**entry(), "state": "absent"}):
        foreseen = apply(wanted, tmp_path, check_mode=True)
        assert apply(wanted, tmp_path) == foreseen
        assert foreseen[0]["changed"]
        assert apply(wanted, tmp_path) == ({**foreseen[0], "changed": False, "connections": []}, None)
        if wanted["state"] == "present":
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert os.listdir(tmp_path) == [path.name]
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("platform", ["strongswan", "libreswan"])
def test_of_a_changed_file_the_connections_that_changed_are_named(tmp_path: Path, platform: str) -> None:
    """Others of the same file are not to be loaded anew, nor their SAs made anew."""
    make = {"strongswan": cases.record, "libreswan": libreswan_cases.record}[platform]
    other = {"remote": {"gateway": "203.0.113.99", "id": cases.ipv4("203.0.113.99")}}
    both, one = [make("prod", "oslo"), make("test", "oslo", **other)], [make("test", "oslo", **other)]

    def named(records: list[dict[str, t.Any]], **changes: t.Any) -> set[tuple[str, ...]]:
        wanted = {**entry(name="oslo", platform=platform, connections=records), **changes}
        foreseen = list(module.apply(wanted, str(tmp_path), check_mode=True))
        assert list(module.apply(wanted, str(tmp_path), check_mode=False)) == foreseen
        return {tuple(done["connections"]) for done, _diff in foreseen}

    assert named(both) == {("prod/oslo", "test/oslo")}
    assert named(both) == {()}
    assert named([make("prod", "oslo", psk="another"), both[1]]) == {("prod/oslo",)}
    assert named(one) == {("prod/oslo",)}
    assert named([make("test", "oslo", psk="another", **other)]) == {("test/oslo",)}
    assert named([], state="absent") == {("test/oslo",)}


@pytest.mark.parametrize("text", ["conn x {\n  broken\n", "connections = 1\n"])
def test_of_a_file_that_cannot_be_read_all_connections_count_as_changed(tmp_path: Path, text: str) -> None:
    (tmp_path / "bothends-vpn-berlin.conf").write_text(text)
    assert apply(entry(), tmp_path)[0]["connections"] == ["prod/berlin"]


def test_what_somebody_put_into_a_file_of_ours_counts_as_no_connection(tmp_path: Path) -> None:
    one = {"name": "berlin", "platform": "libreswan", "connections": [libreswan_cases.record()]}
    [wanted] = action.rendered([one], allow_placeholders=False, resolved={})
    (tmp_path / "bothends-vpn-berlin.conf").write_text("conn office\n\tleft=192.0.2.1\n")
    assert {tuple(done["connections"]) for done, _diff in module.apply(wanted, str(tmp_path), check_mode=False)} == {
        ("prod/berlin",)
    }


def test_what_a_killed_run_left_goes_and_what_is_being_written_stays(tmp_path: Path) -> None:
    """Several tasks may write into one directory at once."""
    leftover, other = tmp_path / ".bothends-vpn-killed", tmp_path / ".bothends-vpn-now"
    leftover.write_text("a key")
    other.write_text("")
    before = time.time() - 3600
    os.utime(leftover, (before, before))
    module.sweep(str(tmp_path))
    assert os.listdir(tmp_path) == [other.name]


def test_a_write_that_fails_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And leaves nothing of the key, whoever was quicker to remove it."""

    def full(temporary: str, path: str) -> None:
        os.unlink(temporary)
        raise OSError("no space left")

    monkeypatch.setattr(module.os, "replace", full)
    with pytest.raises(OSError, match="no space left"):
        module.write(str(tmp_path / "x"), "a key")
    assert os.listdir(tmp_path) == []


def test_a_readable_file_is_closed_again(tmp_path: Path) -> None:
    """A mode that somebody changed is a change."""
    apply(entry(), tmp_path)
    path = tmp_path / "bothends-vpn-berlin.conf"
    path.chmod(0o644)
    changed, diff = apply(entry(), tmp_path)
    assert changed["changed"]
    assert diff is not None
    assert changed["connections"] == []  # nothing of it is to be loaded
    assert "readable by others" in diff["before"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_diff_holds_no_key(tmp_path: Path) -> None:
    """A changed key shows as changed, one that stays as the same, also where somebody's text goes over lines."""
    path = tmp_path / "bothends-vpn-berlin.conf"
    path.write_text('secrets {\n  ike-x {\n    secret = "top\\\nsecret"\n  }\n}\n', encoding="utf-8")
    _entry, diff = apply(entry(), tmp_path)
    assert diff is not None
    assert "top" not in diff["before"]
    assert 'secret"' not in diff["before"]
    assert "secret = (redacted, changed)" in diff["after"]
    _entry, diff = apply(entry(connections=[cases.record(nat_traversal="force")]), tmp_path)
    assert diff is not None
    assert diff["before"].count("(redacted)") == diff["after"].count("(redacted)") == 1


LEFT = {
    "described": ({"paris"}, {"prod"}, True, []),
    "no purge": ((), {"prod"}, False, [("paris", False)]),
    "purge": ((), {"prod"}, True, [("paris", True)]),
    "somebody else's hub": ((), {"test"}, True, [("paris", False)]),
}


@pytest.mark.parametrize("case", LEFT)
def test_sites_that_are_not_described_any_more(tmp_path: Path, case: str) -> None:
    """They are named; with purge those go of which all hubs are ours, and nothing that is not a site's file."""
    known, hubs, purge, left = LEFT[case]
    apply(entry(name="paris"), tmp_path)
    (tmp_path / "bothends-vpn-.conf").write_text("not ours")
    (tmp_path / "other.conf").write_text("not ours")
    found = module.find_left(str(tmp_path), known, hubs, purge)
    assert [(one["site"], one["removed"]) for one in found] == left
    assert all(one["connections"] == ["prod/paris"] for one in found)


@pytest.mark.parametrize("platform", sorted(_platforms.PLATFORMS))
def test_what_a_platform_wrote_is_known_again(tmp_path: Path, platform: str) -> None:
    """By the names and the content of all files, though two platforms may call a file alike."""
    tunnels = [{"name": "prod/paris/1", "local_subnets": ["192.168.3.0/24"], "remote_subnets": ["192.168.1.0/24"]}]
    record = cases.record(
        site="paris",
        platform=platform,
        mode="policy",
        selector_mode="per_pair",
        tunnels=tunnels,
        dpd={"action": "restart"},
        psk="a-key-of-paris-00000000",
    )
    paris = {"name": "paris", "platform": platform, "connections": [record]}
    [wanted] = action.rendered([paris], allow_placeholders=True, resolved={})
    list(module.apply(wanted, str(tmp_path), check_mode=False))
    [left] = module.find_left(str(tmp_path), (), {"prod"}, True)
    assert (left["site"], left["connections"], left["removed"]) == ("paris", ["prod/paris"], True)
    assert sorted(map(os.path.basename, left["paths"])) == sorted(_platforms.files(platform, "paris"))


def test_a_file_that_somebody_changed_beyond_reading_stays(tmp_path: Path) -> None:
    """It may hold what is not ours."""
    (tmp_path / "bothends-vpn-paris.conf").write_text("connections { x { version = 7 } }")
    [found] = module.find_left(str(tmp_path), (), {"prod"}, True)
    assert (found["site"], found["removed"], found["connections"]) == ("paris", False, [])


def test_a_name_cannot_leave_the_directory(tmp_path: Path) -> None:
    """Nothing is written then."""
    with pytest.raises(VpnError, match="name"):
        apply({**entry(), "name": "../x"}, tmp_path)


def test_a_thousand_sites(tmp_path: Path) -> None:
    """One task, seconds."""
    sites = [site(f"s{number}") for number in range(1000)]
    begin = time.monotonic()
    done = action.rendered(sites, allow_placeholders=False, resolved={})
    assert time.monotonic() - begin < 20
    assert len({text(one) for one in done}) == 1000
