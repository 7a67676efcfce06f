# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""Brings charon to what the files say: loads, removes, and makes new SAs where the running ones are older.

``State`` remembers, for one run of charon, what of each connection was loaded and which SAs are older than that; it lies
in /run. So a run that was killed anywhere is taken up by the next one.
"""

from __future__ import annotations

import os
import time
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _sas, _swanctl, strongswan
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _strongswan_sas as live_sas
from ansible_collections.bothends.vpn.plugins.module_utils._platforms._insist import insist
from ansible_collections.bothends.vpn.plugins.module_utils._platforms._memory import State, digest

_POLL = 0.2  # seconds between two looks at the SAs
_SETTLE = 2  # seconds until what swanctl said is done shows, or what the other end began meanwhile

# What swanctl removes when it is in charon and in none of its files: VICI's command, our word, the files' section, and
# how our own are called there.
_LISTS = (
    ("get-conns", "connections", "connections", ""),
    ("get-shared", "keys", "secrets", "ike-"),
)


class Router:
    """One pass over the connections of a router."""

    def __init__(
        self,
        swanctl: _swanctl.Swanctl,
        records: list[dict[str, t.Any]],
        absent: list[str],
        rewritten: t.Collection[str],
        outdated: t.Collection[str],
        state_file: str,
        timeout: int,
        check_mode: bool,
    ) -> None:
        self.swanctl = swanctl
        self.records = records
        self.rewritten = set(rewritten)
        self.timeout = timeout
        self.check_mode = check_mode
        self.done: dict[str, list[str]] = {record["name"]: [] for record in records}
        self.older: dict[str, int] = {}  # in check mode: what loading would make old
        self.failures: list[str] = []
        charon, self.plugins = swanctl.born()
        self.user_space = "kernel-libipsec" in self.plugins
        self.state = State(state_file, charon)
        self.untouched = "" if check_mode else " Nothing was loaded."
        try:
            # In check mode the files that would be written anew are still the old ones.
            self.tree = swanctl.configuration(outdated if check_mode else ())
        except VpnError as error:
            raise VpnError(f"{error}{self.untouched}") from None
        if records and not swanctl.includes(os.path.join(swanctl.directory, "conf.d", strongswan.FILES[0][0])):
            raise VpnError(
                f"{swanctl.directory}/swanctl.conf does not include conf.d/*.conf.{self.untouched}"
                " Add the line: include conf.d/*.conf"
            )
        self.loaded = live_sas.read_connections(swanctl.ask("--list-conns", "--raw"))
        self.before = self.sas()
        wanted = {strongswan.section(record["name"]) for record in records}
        gone = {strongswan.section(name) for name in absent}
        # What is in no file any more goes too, where we loaded it, or where it has the name of a connection of these sites: a
        # charon that was restarted has read what a site had before. A file of a site that was left out of the description
        # stays, and so does what it says.
        there = {*self.loaded, *(strongswan.section(sa["connection"]) for sa in self.before)}
        sites = {one.partition("/")[2] for one in wanted | gone}
        # In check mode it is still the old file that was read.
        stored = set(self.tree.get("connections", {})) - self.rewritten
        gone |= {one for one in there - stored if one in self.state.connections or one.partition("/")[2] in sites}
        self.gone = sorted((gone & there) - wanted)

    def sas(self) -> list[dict[str, t.Any]]:
        """Gives the SAs as they are now."""
        return live_sas.read_sas(self.swanctl.ask("--list-sas", "--raw"))

    def note(self, name: str, what: str) -> None:
        """Remembers what was (or would be) done for a connection."""
        self.done.setdefault(name, []).append(what)

    def fail(self, name: str, why: str) -> None:
        """Remembers a failure; the other connections go on."""
        self.failures.append(f"{name}: {why}")

    # --- load -------------------------------------------------------------------------------------------------------

    def _digest(self, section: str) -> str:
        return digest(strongswan.part(self.tree, section))

    def _changed(self, section: str) -> bool:
        """Whether the running charon does not have a connection as the file says it."""
        if section not in self.loaded or self._selectors_differ(section):
            return True
        if section in self.rewritten:
            # In check mode it is still the old one that was read. Else somebody changed it since our last load, and may
            # have loaded that.
            return True
        if not self.state.known:
            return False  # for all that can be seen, charon read the files itself when it started
        return self.state.connections.get(section, {}).get("digest") != self._digest(section)

    def _selectors_differ(self, section: str) -> bool:
        children = self.tree.get("connections", {}).get(section, {}).get("children", {})
        want = {
            name: tuple(sorted(part.strip() for part in child[key].split(",")) for key in ("local_ts", "remote_ts"))
            for name, child in children.items()
        }
        have = {name: tuple(sorted(part) for part in child) for name, child in self.loaded[section]["children"].items()}
        return want != have

    def _foreign(self) -> str:
        """Says what of others loading would remove; "" for nothing."""
        ours = {*self.gone, *self.state.connections, *map(strongswan.section, self.done)}
        for command, what, section, prefix in _LISTS:
            there = self.swanctl.listed(command)
            if there is None:
                there = list(self.loaded) if section == "connections" else []
            foreign = sorted(set(there) - set(self.tree.get(section, {})) - {prefix + name for name in ours})
            if foreign:
                return (
                    f"charon has {what} that no swanctl file has: {', '.join(foreign)}. Loading would remove them."
                    f"{self.untouched} Put them into a file in {self.swanctl.directory}/conf.d, or unload them."
                )
        return ""

    def _refuse_unknown_algorithms(self) -> None:
        known = live_sas.read_algorithms(self.swanctl.ask("--list-algs", "--raw"))
        for record in self.records:
            lacking = live_sas.unknown_algorithms(record, known, self.user_space)
            if lacking:
                self.fail(
                    record["name"],
                    f"charon has no plugin for {', '.join(lacking)}. Install it (Debian:"
                    " libstrongswan-standard-plugins, libstrongswan-extra-plugins) and restart charon.",
                )

    def load(self) -> None:
        """Loads what differs, and unloads what is gone. What charon has loaded of others stays."""
        sections = {record["name"]: strongswan.section(record["name"]) for record in self.records}
        changes = {name: self._changed(section) for name, section in sections.items()}
        self._refuse_unknown_algorithms()
        unsure = not self.state.known and bool(self.records)
        for name, change in changes.items():
            if change:
                self.note(name, "load")
        for section in self.gone:
            self.note(strongswan.text.decode_name(section), "unload")
        if not (any(changes.values()) or self.gone or unsure):
            return
        foreign = self._foreign()
        if foreign and not (any(changes.values()) or self.gone):
            return  # nothing must be loaded, so nothing of others is at stake
        if foreign:
            raise VpnError(foreign)
        if self.check_mode:
            self.older = {name: self.newest(name) for name, change in changes.items() if change}
            return
        newest = {name: self.newest(name) for name in changes}
        self._load_files()
        for name, change in changes.items():
            section = sections[name]
            if not change and section in self.state.connections:
                continue
            older = newest[name] if change else 0
            self.state.connections[section] = {"older": older, "digest": self._digest(section)}
        self.state.save()

    def newest(self, name: str) -> int:
        """Gives the highest id of a connection's IKE SAs as they were at the beginning; 0 for none."""
        return max((sa["id"] for sa in self.before if sa["connection"] == name), default=0)

    def _load_files(self) -> None:
        # --noprompt: an encrypted key of somebody else's must not make us wait for a passphrase.
        for command in (("--load-creds", "--noprompt"), ("--load-conns",)):
            _code, _out, err = self.swanctl.run(*command)
            ours = [line for line in err.splitlines() if any(strongswan.section(name) in line for name in self.done)]
            if ours:
                raise VpnError(f"swanctl {command[0]}: {'; '.join(ours)}")
        self.loaded = live_sas.read_connections(self.swanctl.ask("--list-conns", "--raw"))
        for record in self.records:
            if strongswan.section(record["name"]) not in self.loaded:
                self.fail(record["name"], "swanctl did not load it")

    def load_beside(self, section: str, number: int) -> None:
        """Makes charon take the next initiation of a connection for another connection than the one that is running.

        It begins a new IKE SA beside the running one only where something of the IKE part differs from what that was born
        with, and so it does now by some seconds in the random part of the renewal. Without this the old SA would have to
        go first, and a key that turns out wrong would cost the tunnel.
        """
        over = int(self.tree["connections"][section].get("over_time", 2))
        path = os.path.join(os.path.dirname(self.state.path), "beside.conf")
        main = strongswan.text.quote(os.path.join(self.swanctl.directory, "swanctl.conf"), "directory")
        spread = over - 1 - number % max(1, over // 2)
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(f"include {main}\nconnections {{\n{section} {{\nrand_time = {spread}\n}}\n}}\n")
        try:
            self.swanctl.run("--load-conns", "--file", path)
        finally:
            os.unlink(path)

    # --- remove -----------------------------------------------------------------------------------------------------

    def remove(self) -> None:
        """Ends the SAs of connections that are gone; only theirs."""
        for section in self.gone:
            name = strongswan.text.decode_name(section)
            for sa in self.before:
                if sa["connection"] == name:
                    self.note(name, "terminate")
                    if not self.check_mode:
                        self.terminate(sa["id"])
            self.state.connections.pop(section, None)
        if self.gone and not self.check_mode:
            if self.state.connections:
                self.state.save()
            elif os.path.exists(self.state.path):
                os.unlink(self.state.path)

    def terminate(self, number: int) -> None:
        """Ends one IKE SA."""
        self.swanctl.run(
            "--terminate", "--ike-id", str(number), "--timeout", str(self.timeout), seconds=self.timeout + 5
        )

    # --- activate ---------------------------------------------------------------------------------------------------

    def activate(self, forced: t.Collection[str]) -> None:
        """Makes the SAs that are missing or older than what is loaded; each connection by itself, in bounded time."""
        failed = {failure.split(": ")[0] for failure in self.failures}
        due = [
            activation
            for activation in (_Activation(self, record, record["name"] in forced) for record in self.records)
            if activation.name not in failed and activation.due()
        ]
        if self.check_mode:
            for activation in due:
                self.note(activation.name, activation.what)
        elif due:
            with _swanctl.Log(self.swanctl.uri or _swanctl.DEFAULT_URI) as log:
                for activation in due:
                    activation.run(log)

    def standing(self, record: dict[str, t.Any], older: int) -> _sas.Standing:
        """How a connection stands now."""
        return _sas.standing(record, self.sas(), older)


class _Activation:
    """Making the SAs of one connection."""

    def __init__(self, router: Router, record: dict[str, t.Any], forced: bool) -> None:
        self.router = router
        self.record = record
        self.name = record["name"]
        self.section = strongswan.section(self.name)
        self.older = router.older.get(self.name, router.state.connections.get(self.section, {}).get("older", 0))
        self.hub_begins = record["initiator"] == "hub"
        if forced:
            self.older = max(self.older, router.newest(self.name))
        self.what = ""

    def due(self) -> bool:
        """Whether something is to be done, and what."""
        now = self.router.standing(self.record, self.older)
        if now.old or (now.deviations and now.lacking):
            self.what = "re-authenticate"
        elif now.lacking and not self.hub_begins:
            self.what = "initiate"
        return bool(self.what)

    def run(self, log: _swanctl.Log) -> None:
        """Does it, and notes what came of it."""
        mark, before = log.mark(), self._carrying()
        now = self.router.standing(self.record, self.older)
        if now.lacking and not self.hub_begins:
            now = insist(self._make, now, self.router.timeout)
        if now.lacking and not self.hub_begins:
            self._give_up(now, log.since(mark, self.section))
        else:
            for number in now.old:
                self.router.terminate(number)
        if self._carrying() != before:
            self.router.note(self.name, self.what)

    def _carrying(self) -> set[tuple[int, int]]:
        """Gives the ids of what carries traffic: IKE SA and child."""
        return {
            (sa["id"], child["id"])
            for sa in self.router.sas()
            if sa["connection"] == self.name and sa["state"] == "ESTABLISHED"
            for child in _sas.live(sa)
        }

    def _make(self, now: _sas.Standing) -> _sas.Standing:
        """Makes new SAs beside the old ones; only where charon goes on with an old one all the same, that is ended first."""
        if now.old:
            self.router.load_beside(self.section, max(now.old))
        before = self._carrying()
        duplicate = self._initiate(now.lacking)
        now = self._wait()
        reused = duplicate or any(number in now.old for number, _child in self._carrying() - before)
        if now.lacking and now.old and reused:
            for number in now.old:
                self.router.terminate(number)
            self._initiate(now.lacking)
            now = self._wait()
        return now

    def _initiate(self, tunnels: list[str]) -> bool:
        """Initiates tunnels; gives whether charon said that one of them is there already."""
        seconds, said = self.router.timeout, ""
        for tunnel in tunnels:
            _code, out, _err = self.router.swanctl.run(
                "--initiate", "--ike", self.section, "--child", strongswan.section(tunnel), "--timeout", str(seconds),
                seconds=seconds + 5,
            )  # fmt: skip
            said += out
        return "due to existing duplicate" in said

    def _wait(self) -> _sas.Standing:
        end = time.monotonic() + _SETTLE
        while True:
            now = self.router.standing(self.record, self.older)
            if not now.lacking or time.monotonic() > end:
                return now
            time.sleep(_POLL)

    def _give_up(self, now: _sas.Standing, logged: list[str]) -> None:
        why = "; ".join(sorted(set(now.deviations))) or _swanctl.reason("\n".join(logged))
        why = why or f"nothing came up within {self.router.timeout} s"
        kept = ""
        if any(number in now.old for number, _child in self._carrying()):
            kept = " The old SA still carries."
            for sa in self.router.sas():  # what this attempt left over must not compete with it
                if sa["connection"] == self.name and sa["id"] > self.older:
                    self.router.terminate(sa["id"])
        self.router.fail(", ".join(now.lacking), f"{why}.{kept}")
