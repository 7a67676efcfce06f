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

TEMPLATES = str(Path(__file__).resolve().parents[5] / "roles/site_router/templates")


class FakeSwanctl(_swanctl.Swanctl):
    """A swanctl whose charon has loaded ``loaded``, by default nothing."""

    run_id = "first"
    loaded: t.Sequence[dict[str, t.Any]] = ()

    def born(self) -> tuple[str, list[str]]:
        return self.run_id, []

    def run(self, *arguments: str, seconds: int = 60) -> tuple[int, str, str]:
        return 0, "".join(map(_listed, self.loaded)) if "--list-conns" in arguments else "", ""

    def listed(self, command: str) -> list[str] | None:
        prefix = "" if command == "get-conns" else "ike-"
        return [prefix + record["name"] for record in self.loaded]


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
    write(tmp_path, RECORD)
    return tmp_path


def go(directory: Path, check_mode: bool, changed: t.Sequence[str]) -> _strongswan_router.Router:
    """Load; ``changed`` are the files that were, or would be, written."""
    router = _strongswan_router.Router(
        FakeSwanctl("swanctl", str(directory) + os.sep, None), [RECORD], [], ["prod/berlin"] if changed else [],
        [str(directory / path) for path in changed], str(directory / "run/memory.json"), 5, check_mode,
    )  # fmt: skip
    router.load()
    return router


def write(directory: Path, *records: dict[str, t.Any]) -> None:
    """Write the site's file."""
    site = {"name": "berlin", "router_settings": {}, "connections": records}
    for name, text in _platforms.render("strongswan", site, list(records), TEMPLATES, can_trap=True).items():
        (directory / "conf.d" / name).write_text(text)


def load(
    directory: Path, *records: dict[str, t.Any], rewritten: t.Sequence[str] = (), check_mode: bool = False
) -> dict[str, list[str]]:
    """Load and remove; gives what was done, of what was done at all."""
    router = _strongswan_router.Router(
        FakeSwanctl("swanctl", str(directory) + os.sep, None), list(records), [], rewritten,
        [str(directory / OURS)], str(directory / "run/memory.json"), 5, check_mode,
    )  # fmt: skip
    router.load()
    router.remove()
    return {name: what for name, what in router.done.items() if what}


@pytest.fixture
def two_hubs(directory: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two connections of one site, in the file and loaded."""
    write(directory, RECORD, SECOND)
    done = load(directory, RECORD, SECOND, rewritten=["prod/berlin", "test/berlin"])
    assert done == {"prod/berlin": ["load"], "test/berlin": ["load"]}
    monkeypatch.setattr(FakeSwanctl, "loaded", [RECORD, SECOND])
    return directory


def test_of_a_changed_file_the_connection_that_differs_is_loaded(two_hubs):
    """And a check, which reads the old file, says the same."""
    assert load(two_hubs, RECORD, SECOND) == load(two_hubs, RECORD, SECOND, check_mode=True) == {}
    planned = load(two_hubs, RECORD, SECOND, rewritten=["test/berlin"], check_mode=True)
    write(two_hubs, RECORD, {**SECOND, "psk": "another key"})
    assert load(two_hubs, RECORD, SECOND, rewritten=["test/berlin"]) == planned == {"test/berlin": ["load"]}


@pytest.mark.parametrize("killed", [False, True])
@pytest.mark.parametrize("restarted", [False, True])
def test_a_hub_that_the_site_has_no_more_goes(two_hubs, monkeypatch, restarted, killed):
    """Of a charon that was restarted nothing is known but what it has loaded; of a file that a killed run wrote, no change."""
    monkeypatch.setattr(FakeSwanctl, "run_id", "second" if restarted else "first")
    rewritten = [] if killed else ["prod/berlin"]
    if not killed:
        assert load(two_hubs, SECOND, rewritten=rewritten, check_mode=True) == {"prod/berlin": ["unload"]}
    write(two_hubs, SECOND)
    assert load(two_hubs, SECOND, check_mode=True) == {"prod/berlin": ["unload"]}
    assert load(two_hubs, SECOND, rewritten=rewritten) == {"prod/berlin": ["unload"]}


@pytest.mark.parametrize("name", ["office", "prod/rome"])
def test_what_others_loaded_stays(two_hubs, monkeypatch, name):
    """Not of this site by its name, and in no file: nothing is done for it, and nothing that would unload it."""
    monkeypatch.setattr(FakeSwanctl, "loaded", [RECORD, SECOND, {**RECORD, "name": name}])
    monkeypatch.setattr(FakeSwanctl, "run_id", "second")
    assert load(two_hubs, RECORD, SECOND, rewritten=["office"], check_mode=True) == {}
    write(two_hubs, SECOND)
    with pytest.raises(VpnError, match=f"no swanctl file has: {name}"):
        load(two_hubs, SECOND, rewritten=["prod/berlin", "office"])


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
