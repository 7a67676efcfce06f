# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is done to a pluto so that it does what the files say; the live one is in ``tests/lab_kernel``."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import (
    _insist,
    _ipsec_text,
    _libreswan,
    _libreswan_router,
)
from ansible_collections.bothends.vpn.tests.unit.plugins.module_utils._platforms import cases as common
from ansible_collections.bothends.vpn.tests.unit.plugins.module_utils._platforms import libreswan_cases as cases


class FakePluto(_libreswan.Pluto):
    """A pluto that keeps what it was told, and that a hub answers."""

    def __init__(self, directory: Path) -> None:
        super().__init__("ipsec", str(directory), "/nowhere")
        self.run_id = "first"
        self.loaded: dict[str, dict[str, t.Any]] = {}
        self.up: dict[str, int] = {}  # conn -> id of its SA
        self.answer = ""  # what the hub says instead of making an SA
        self.late = 0  # how many initiations the hub refuses until what it stored is in force there
        self.refuses = ""  # what pluto says instead of loading
        self.serial = 0
        self.told: list[tuple[str, ...]] = []

    def born(self) -> str:
        return self.run_id

    def connections(self) -> dict[str, dict[str, t.Any]]:
        return dict(self.loaded)

    def run(self, *arguments: str, seconds: int = 60) -> tuple[int, str]:
        self.told.append(arguments)
        section = arguments[-1]
        if arguments[0] == "auto" and arguments[1] in ("--add", "--ondemand"):
            if self.refuses:
                return 1, self.refuses
            values = _ipsec_text.parse_conf("".join(path.read_text() for path in Path(self.directory).glob("*.conf")))[
                section
            ]
            self.loaded[section] = {
                f"{ours}_subnets": [values[f"{side}subnet"]] for ours, side in (("local", "left"), ("remote", "right"))
            }
            self.up.pop(section, None)
        elif arguments[:2] == ("auto", "--delete"):
            del self.loaded[section]
            self.up.pop(section, None)
        elif arguments[:2] == ("whack", "--terminate"):
            self.up.pop(section, None)
        elif arguments[:2] == ("whack", "--initiate") and self.late:
            self.late -= 1
            return (
                0,
                f"rejected: AUTHENTICATION_FAILED\ndeleting state aged 0.{self.late}s and NOT sending notification\n",
            )
        elif arguments[:2] == ("whack", "--initiate") and not self.answer:
            self.serial += 1
            self.up[section] = self.serial
        return 0, self.answer

    def sas(self, groups: t.Mapping[int, str | None] | None = None) -> list[dict[str, t.Any]]:
        out = []
        for section, number in self.up.items():
            name = _ipsec_text.decode_section(section) or ""
            child = {
                "tunnel": name, "id": number, "state": "INSTALLED", **self.loaded[section],
                "ipsec": {"encryption": "aes-256", "integrity": "sha384", "pfs_group": None},
            }  # fmt: skip
            ike = {"encryption": "aes-256", "integrity": "sha384", "prf": "sha384", "dh_group": "group20"}
            sa = {
                "connection": name.rpartition("/")[0],
                "id": number,
                "state": "ESTABLISHED",
                "ike": ike,
                "children": [child],
            }
            out.append(sa)
        return out


class Machine:
    """A router with its files, its pluto and its memory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.pluto = FakePluto(path)

    def write(self, *records: dict[str, t.Any], site: str = "berlin") -> None:
        for name, text in cases.rendered(site, {}, list(records)).items():
            (self.path / name).write_text(text)

    def go(
        self, *records: dict[str, t.Any], rewritten: bool | t.Collection[str] = False, check_mode: bool = False,
        absent: t.Sequence[str] = (), forced: t.Sequence[str] = (),
    ) -> _libreswan_router.Router:  # fmt: skip
        self.pluto.told.clear()
        router = _libreswan_router.Router(
            self.pluto,
            list(records),
            list(absent),
            {record["name"] for record in records} if rewritten is True else rewritten or (),
            {"berlin"} if rewritten else set(),
            str(self.path / "run/memory.json"),
            2,
            check_mode,
        )
        router.load()
        router.activate(forced)
        return router


TWO = cases.record(tunnels=common.pairs("prod/berlin", ["192.168.3.0/24"], ["192.168.1.0/24", "192.168.2.0/24"]))
THERE = {"gateway": "203.0.113.99", "id": common.ipv4("203.0.113.99")}
OTHER_HUB = cases.record(
    "test", "berlin", remote=THERE, tunnels=common.pairs("test/berlin", ["192.168.3.0/24"], ["192.168.11.0/24"])
)
ONE = cases.record(tunnels=TWO["tunnels"][:1])
INTERRUPTS = "re-authenticate, which interrupts it"
FIRST, SECOND = (_ipsec_text.section(tunnel["name"]) for tunnel in TWO["tunnels"])


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A router whose files are written, and nothing loaded."""
    monkeypatch.setattr(_libreswan_router, "_SETTLE", 0)
    monkeypatch.setattr(_insist, "_RETRY", 0.5)
    made = Machine(tmp_path)
    made.write(TWO)
    return made


def done(router: _libreswan_router.Router) -> dict[str, list[str]]:
    """What was done, of what was done at all."""
    return {name: steps for name, steps in router.done.items() if steps}


def test_the_first_run_loads_and_initiates_and_the_second_does_nothing(machine: Machine) -> None:
    planned = machine.go(TWO, rewritten=True, check_mode=True)
    assert machine.pluto.told == []
    assert done(machine.go(TWO, rewritten=True)) == done(planned) == {"prod/berlin": ["load", "initiate"]}
    assert set(machine.pluto.up) == {FIRST, SECOND}
    assert done(machine.go(TWO)) == {}
    assert machine.pluto.told == []


def test_a_pluto_that_was_restarted_has_read_the_files_itself(machine: Machine) -> None:
    machine.go(TWO, rewritten=True)
    machine.pluto.run_id = "second"
    machine.pluto.up.clear()
    assert done(machine.go(TWO)) == {"prod/berlin": ["initiate"]}


def test_a_run_that_was_killed_after_writing_is_taken_up(machine: Machine) -> None:
    machine.go(TWO, rewritten=True)
    machine.write({**TWO, "psk": "another key"})
    planned = machine.go(TWO, check_mode=True)
    assert done(machine.go(TWO)) == done(planned) == {"prod/berlin": ["load, which ends its SAs", "initiate"]}
    assert ("auto", "--rereadsecrets") in machine.pluto.told


def test_only_the_tunnel_that_differs_is_loaded_anew(machine: Machine) -> None:
    machine.go(TWO, rewritten=True)
    other = cases.record(tunnels=common.pairs("prod/berlin", ["192.168.3.0/24"], ["192.168.1.0/24", "192.168.5.0/24"]))
    machine.write(other)
    before = machine.pluto.up[FIRST]
    assert done(machine.go(other, rewritten=True)) == {"prod/berlin": ["load, which ends its SAs", "initiate"]}
    assert machine.pluto.up[FIRST] == before
    assert machine.pluto.loaded[SECOND]["remote_subnets"] == ["192.168.5.0/24"]


def test_of_a_changed_file_the_connection_that_differs_is_loaded(machine: Machine) -> None:
    """And a check, which reads the old file, says the same."""
    machine.write(TWO, OTHER_HUB)
    machine.go(TWO, OTHER_HUB, rewritten=True)
    changed = {**OTHER_HUB, "psk": "another key"}
    planned = machine.go(TWO, changed, rewritten=["test/berlin"], check_mode=True)
    machine.write(TWO, changed)
    real = machine.go(TWO, changed, rewritten=["test/berlin"])
    assert done(real) == done(planned) == {"test/berlin": ["load, which ends its SAs", "initiate"]}


def test_a_tunnel_that_is_described_no_more_goes(machine: Machine) -> None:
    machine.go(TWO, rewritten=True)
    machine.write(ONE)
    machine.pluto.loaded["office"] = {}
    assert done(machine.go(ONE, rewritten=True)) == {"prod/berlin": ["unload"]}
    assert set(machine.pluto.loaded) == {FIRST, "office"}


def test_what_a_change_interrupts_a_check_says_beforehand(machine: Machine) -> None:
    """A tunnel more is loaded beside the others; where the hub changed too, these are made anew all the same."""
    machine.write(ONE)
    machine.go(ONE, rewritten=True)
    machine.write(TWO)
    planned = machine.go(TWO, forced=["prod/berlin"], check_mode=True)
    assert done(planned) == {"prod/berlin": ["load", INTERRUPTS]}
    assert done(machine.go(TWO, forced=["prod/berlin"])) == done(planned)
    machine.write({**TWO, "psk": "another key"})
    planned = machine.go(TWO, forced=["prod/berlin"], check_mode=True)
    assert done(planned) == {"prod/berlin": ["load, which ends its SAs", "initiate"]}
    assert done(machine.go(TWO, forced=["prod/berlin"])) == done(planned)


def test_where_nothing_carries_nothing_is_interrupted(machine: Machine) -> None:
    machine.go(TWO, rewritten=True)
    machine.pluto.up.clear()
    machine.write({**TWO, "psk": "another key"})
    assert done(machine.go(TWO, check_mode=True)) == {"prod/berlin": ["load", "initiate"]}


def test_a_hub_that_the_site_has_no_more_goes(machine: Machine) -> None:
    """And a check, which reads the old file, says the same."""
    machine.write(TWO, OTHER_HUB)
    machine.go(TWO, OTHER_HUB, rewritten=True)
    planned = machine.go(OTHER_HUB, rewritten=["prod/berlin"], check_mode=True)
    machine.write(OTHER_HUB)
    assert done(machine.go(OTHER_HUB, rewritten=["prod/berlin"])) == done(planned) == {"prod/berlin": ["unload"]}
    assert set(machine.pluto.loaded) == {_ipsec_text.section("test/berlin/1")}
    assert done(machine.go(OTHER_HUB)) == {}


@pytest.mark.parametrize("restarted", [False, True])
def test_it_goes_too_where_the_run_that_wrote_it_was_killed(machine: Machine, restarted: bool) -> None:
    """Of a pluto that was restarted before, nothing is known but what it has loaded."""
    machine.write(TWO, OTHER_HUB)
    machine.go(TWO, OTHER_HUB, rewritten=True)
    machine.pluto.run_id = "second" if restarted else "first"
    machine.write(OTHER_HUB)
    planned = machine.go(OTHER_HUB, check_mode=True)
    assert done(machine.go(OTHER_HUB)) == done(planned) == {"prod/berlin": ["unload"]}


def test_a_site_whose_files_a_killed_run_removed_goes(machine: Machine) -> None:
    """What we loaded; a site that has its files stays, and what somebody loads without files too."""
    rome = cases.record("prod", "rome", tunnels=common.pairs("prod/rome", ["192.168.5.0/24"], ["192.168.1.0/24"]))
    machine.write(rome, site="rome")
    machine.go(TWO, rome, rewritten=True)
    machine.pluto.loaded["bothends.prod.oslo.1"] = {}
    assert done(machine.go(TWO)) == {}
    for path in machine.path.glob("*rome*"):
        path.unlink()
    assert done(machine.go(TWO, check_mode=True)) == {"prod/rome": ["unload"]}
    assert done(machine.go(TWO)) == {"prod/rome": ["unload"]}
    assert set(machine.pluto.loaded) == {FIRST, SECOND, "bothends.prod.oslo.1"}


def test_an_absent_connection_goes_and_others_stay(machine: Machine) -> None:
    machine.go(TWO, rewritten=True)
    machine.pluto.loaded.update({"office": {}, "bothends.prod.rome.1": {}})
    assert done(machine.go(absent=["prod/berlin"], check_mode=True)) == {"prod/berlin": ["unload"]}
    assert done(machine.go(absent=["prod/berlin"])) == {"prod/berlin": ["unload"]}
    assert set(machine.pluto.loaded) == {"office", "bothends.prod.rome.1"}
    assert done(machine.go(absent=["prod/berlin"])) == {}


def test_where_the_hub_changed_new_sas_are_made(machine: Machine) -> None:
    machine.go(TWO, rewritten=True)
    before = set(machine.pluto.up.values())
    planned = machine.go(TWO, forced=["prod/berlin"], check_mode=True)
    assert before == set(machine.pluto.up.values())
    assert done(machine.go(TWO, forced=["prod/berlin"])) == done(planned) == {"prod/berlin": [INTERRUPTS]}
    assert not before & set(machine.pluto.up.values())


def test_only_the_hub_begins(machine: Machine) -> None:
    waiting = {**TWO, "initiator": "hub"}
    machine.write(waiting)
    assert done(machine.go(waiting, rewritten=True)) == {"prod/berlin": ["load"]}
    assert machine.pluto.up == {}


def test_what_does_not_come_up_is_named_with_its_cause(machine: Machine) -> None:
    machine.pluto.answer = '003 "a" #1: IKE SA authentication request rejected by peer: AUTHENTICATION_FAILED'
    router = machine.go(TWO, rewritten=True)
    assert len(router.failures) == 1
    assert router.failures[0].startswith("prod/berlin/1, prod/berlin/2: ")
    assert "the key or an id differs between the two ends" in router.failures[0]


def test_a_hub_that_does_not_know_the_key_yet_is_asked_again(machine: Machine) -> None:
    """What a cloud stored is in force there only some seconds after it said so; and nobody insists for ever."""
    machine.pluto.late = 3
    router = machine.go(TWO, rewritten=True)
    assert (router.failures, set(machine.pluto.up)) == ([], {FIRST, SECOND})
    machine.pluto.late = 1000
    router = machine.go(TWO, forced=["prod/berlin"])
    assert "the key or an id differs between the two ends" in router.failures[0]
    assert machine.pluto.late > 900


def test_what_pluto_does_not_load_is_named_and_not_initiated(machine: Machine) -> None:
    machine.pluto.refuses = '036 "a": failed to add connection: global ikev1-policy does not allow IKEv1 connections'
    router = machine.go(TWO, rewritten=True)
    assert "set ikev1-policy=accept" in router.failures[0]
    assert not any("--initiate" in told for told in machine.pluto.told)


def test_a_file_that_somebody_broke_stops_before_anything(machine: Machine) -> None:
    (machine.path / "bothends-vpn-berlin.conf").write_text("conn x\n  broken\n")
    with pytest.raises(
        VpnError, match=r"bothends-vpn-berlin.conf:2: not as this collection writes it\. Nothing was loaded"
    ):
        machine.go(TWO)
    assert machine.pluto.told == []


def test_a_broken_file_that_would_be_written_anew_is_no_failure_of_a_check(machine: Machine) -> None:
    (machine.path / "bothends-vpn-berlin.conf").write_text("conn x\n  broken\n")
    router = machine.go(TWO, rewritten=True, check_mode=True)
    assert (router.done, router.failures) == ({"prod/berlin": ["load", "initiate"]}, [])
    with pytest.raises(VpnError, match="not as this collection writes it") as caught:
        machine.go(TWO, check_mode=True)
    assert "loaded" not in str(caught.value)


def test_the_memory_is_for_root_only_and_holds_no_key(machine: Machine) -> None:
    machine.go(TWO, rewritten=True)
    memory = machine.path / "run/memory.json"
    assert memory.stat().st_mode & 0o777 == 0o600
    assert common.PLAIN_PSK not in memory.read_text()
    assert _ipsec_text.encode_psk(common.PLAIN_PSK) not in memory.read_text()
