# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a router's files are to a run that loads them; the live charon is in ``tests/lab``."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest

from ansible_collections.bothends.vpn.plugins.module_utils import _platforms
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _strongswan_router, _swanctl
from ansible_collections.bothends.vpn.tests.unit.plugins.module_utils._platforms import cases

ROOT = Path(__file__).resolve().parents[5]


class FakeSwanctl(_swanctl.Swanctl):
    """A swanctl whose charon has loaded ``loaded``, by default nothing."""

    loaded: t.Sequence[dict[str, t.Any]] = ()

    def born(self) -> tuple[str, list[str]]:
        return "first", []

    def run(self, *arguments: str, seconds: int = 60) -> tuple[int, str, str]:
        return 0, "".join(map(_listed, self.loaded)) if "--list-conns" in arguments else "", ""

    def listed(self, command: str) -> list[str] | None:
        return []


def _listed(record: dict[str, t.Any]) -> str:
    children = "".join(
        f"{one['name']} {{local-ts=[{' '.join(one['local_subnets'])}] remote-ts=[{' '.join(one['remote_subnets'])}]}} "
        for one in record["tunnels"]
    )
    return f"list-conn event {{{record['name']} {{version=IKEv2 children {{{children}}}}}}}\n"


RECORD = cases.record()
SECOND = cases.record("test", "berlin")
OURS, THEIRS = "conf.d/bothends-vpn-berlin.conf", "conf.d/theirs.conf"


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A router's files, as they are written."""
    monkeypatch.setattr(_strongswan_router.live_sas, "unknown_algorithms", lambda *given: [])
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "swanctl.conf").write_text("include conf.d/*.conf\n")
    site = {"name": "berlin", "router_settings": {}, "connections": [RECORD]}
    templates = str(ROOT / "roles/site_router/templates")
    for name, text in _platforms.render("strongswan", site, [RECORD], templates, can_trap=True).items():
        (tmp_path / "conf.d" / name).write_text(text)
    return tmp_path


def go(directory: Path, check_mode: bool, changed: t.Sequence[str]) -> _strongswan_router.Router:
    """Load; ``changed`` are the files that were, or would be, written."""
    router = _strongswan_router.Router(
        FakeSwanctl("swanctl", str(directory) + os.sep, None), [RECORD], [], ["prod/berlin"] if changed else [],
        [str(directory / path) for path in changed], str(directory / "run/memory.json"), 5, check_mode,
    )  # fmt: skip
    router.load()
    return router


def test_of_a_changed_file_the_connection_that_differs_is_loaded(directory, monkeypatch):
    """And a check, which reads the old file, says the same."""

    def write(*records: dict[str, t.Any]) -> None:
        site = {"name": "berlin", "router_settings": {}, "connections": records}
        templates = str(ROOT / "roles/site_router/templates")
        for name, text in _platforms.render("strongswan", site, list(records), templates, can_trap=True).items():
            (directory / "conf.d" / name).write_text(text)

    def load(rewritten: list[str], check_mode: bool) -> dict[str, list[str]]:
        router = _strongswan_router.Router(
            FakeSwanctl("swanctl", str(directory) + os.sep, None), [RECORD, SECOND], [], rewritten,
            [str(directory / OURS)], str(directory / "run/memory.json"), 5, check_mode,
        )  # fmt: skip
        router.load()
        return {name: what for name, what in router.done.items() if what}

    write(RECORD, SECOND)
    assert load(["prod/berlin", "test/berlin"], False) == {"prod/berlin": ["load"], "test/berlin": ["load"]}
    monkeypatch.setattr(FakeSwanctl, "loaded", [RECORD, SECOND])
    assert load([], False) == load([], True) == {}
    planned = load(["test/berlin"], True)
    write(RECORD, {**SECOND, "psk": "another key"})
    assert load(["test/berlin"], False) == planned == {"test/berlin": ["load"]}


def garbage(path: Path) -> None:
    with path.open("a") as stream:
        stream.write("garbage\n")


def test_a_broken_file_that_would_be_written_anew_is_no_failure_of_a_check(directory):
    garbage(directory / OURS)
    assert go(directory, True, [OURS]).done == {"prod/berlin": ["load"]}


@pytest.mark.parametrize(
    ("broken", "check_mode", "changed"),
    [(THEIRS, True, [OURS]), (THEIRS, False, [OURS]), (OURS, True, []), (OURS, False, [OURS])],
)
def test_any_other_broken_file_is_one(directory, broken, check_mode, changed):
    """Somebody else's is not written anew, ours neither where it is not to change; and what was written is not old any more."""
    garbage(directory / broken)
    with pytest.raises(VpnError, match=r"conf:\d+: '\{' or '=' was expected") as caught:
        go(directory, check_mode, changed)
    assert str(directory / broken) in str(caught.value).replace("//", "/")
    assert ("Nothing was loaded" in str(caught.value)) is not check_mode
