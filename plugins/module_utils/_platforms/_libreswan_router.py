# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""Brings pluto to what the files say: loads, removes, and makes the SAs that are missing or not as declared.

pluto ends a tunnel's SAs when its conn is loaded anew, so only what differs is, and it is said beforehand. ``State`` remembers,
for one run of pluto, what was loaded; a run of ours that was killed anywhere is taken up by the next one.
"""

from __future__ import annotations

import time
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils._errors import TextError, VpnError
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _ipsec_text as text
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _libreswan, _libreswan_sas, _sas, libreswan
from ansible_collections.bothends.vpn.plugins.module_utils._platforms._insist import insist
from ansible_collections.bothends.vpn.plugins.module_utils._platforms._memory import State, digest

_POLL = 0.3  # seconds between two looks at the SAs
_SETTLE = 3  # seconds until what whack said is done shows, or what the other end began meanwhile


class Router:
    """One pass over the connections of a router."""

    def __init__(
        self,
        pluto: _libreswan.Pluto,
        records: list[dict[str, t.Any]],
        absent: list[str],
        rewritten: t.Container[str],
        outdated: t.Container[str],
        state_file: str,
        timeout: int,
        check_mode: bool,
    ) -> None:
        self.pluto = pluto
        self.records = records
        self.rewritten = rewritten
        self.timeout = timeout
        self.check_mode = check_mode
        self.done: dict[str, list[str]] = {record["name"]: [] for record in records}
        self.failures: list[str] = []
        self.changed: dict[str, list[str]] = {}  # connection -> conns that are, or in check mode would be, loaded
        self.state = State(state_file, pluto.born())
        self.loaded = pluto.connections()
        try:
            # In check mode the files that would be written anew are still the old ones.
            self.sections, self.secrets = pluto.files(
                {record["site"] for record in records}, outdated if check_mode else ()
            )
        except TextError as error:
            raise VpnError(f"{error}.{'' if check_mode else ' Nothing was loaded.'} Remedy: mend the file.") from None
        self.wanted = {tunnel["name"] for record in records for tunnel in record["tunnels"]}
        self.ours = {*absent, *(record["name"] for record in records)}
        self.gone = sorted(filter(self._gone, self.loaded))

    def _gone(self, section: str) -> bool:
        """Whether what is loaded is to go: it is of a tunnel that its connection, or of a connection that its site, has not any more.

        A file of a site that was left out of the description stays, and so does what it says.
        """
        name = text.decode_section(section)
        if name is None or name.count("/") != 2 or name in self.wanted:
            return False
        connection = name.rpartition("/")[0]
        if connection in self.ours:
            return True
        site = connection.rpartition("/")[2]
        if site in {one.rpartition("/")[2] for one in self.ours}:
            # In check mode it is still the old file that was read.
            return section not in self.sections or connection in self.rewritten
        return section in self.state.connections and not any(self.pluto.texts(site).values())

    def note(self, name: str, what: str) -> None:
        """Remembers what was (or would be) done for a connection."""
        if what not in self.done.setdefault(name, []):
            self.done[name].append(what)

    # --- load -------------------------------------------------------------------------------------------------------

    def _digest(self, section: str) -> str:
        return digest(libreswan.part(self.sections, self.secrets, section))

    def _changed(self, record: dict[str, t.Any]) -> list[str]:
        """The conns of a connection that the running pluto does not have as the files say them."""
        sections = [text.section(tunnel["name"]) for tunnel in record["tunnels"]]
        if self.check_mode and record["name"] in self.rewritten:
            return sections
        out = []
        for tunnel, section in zip(record["tunnels"], sections):
            there = self.loaded.get(section)
            remembered = self.state.connections.get(section, {}).get("digest")
            differs = there is None or any(there.get(end) != tunnel[end] for end in ("local_subnets", "remote_subnets"))
            # Without a memory, and with old files, pluto has read these very files when it started.
            unknown = record["name"] in self.rewritten if remembered is None else remembered != self._digest(section)
            if differs or unknown:
                out.append(section)
        return out

    def load(self) -> None:
        """Loads what differs, and unloads what is gone. What pluto has of others stays."""
        self.changed = changed = {record["name"]: self._changed(record) for record in self.records}
        for section in self.gone:
            self.note((text.decode_section(section) or "").rpartition("/")[0], "unload")
        for name, sections in changed.items():
            if sections:
                self.note(name, f"load{', which ends its SAs' if self._carry(sections) else ''}")
        if self.check_mode:
            return
        if any(changed.values()) or self.gone:
            self.pluto.run("auto", "--rereadsecrets")
        for section in self.gone:
            self.pluto.run("auto", "--delete", section)
        said = {name: "".join(map(self._load, sections)) for name, sections in changed.items()}
        if any(changed.values()):
            self.loaded = self.pluto.connections()
        for record in self.records:
            sections = [text.section(tunnel["name"]) for tunnel in record["tunnels"]]
            if not all(section in self.loaded for section in sections):
                why = _libreswan.reason(said[record["name"]])
                self.fail(
                    record["name"], why or f"pluto did not load it: does ipsec.conf include {self.pluto.directory}?"
                )
                continue
            for section in sections:
                self.state.connections[section] = {"digest": self._digest(section)}
        for section in set(self.state.connections) - set(self.loaded):
            del self.state.connections[section]
        self.state.save()

    def _carry(self, sections: list[str]) -> bool:
        """Whether an SA carries one of these tunnels now."""
        return any(text.section(child["tunnel"]) in sections for sa in self.pluto.sas() for child in _sas.live(sa))

    def _load(self, section: str) -> str:
        """Loads one conn, and lets traffic bring it up where it is to; gives what pluto said."""
        ondemand = self.sections.get(section, {}).get("auto") == "ondemand"
        return self.pluto.run("auto", "--ondemand" if ondemand else "--add", section)[1]

    def fail(self, name: str, why: str) -> None:
        """Remembers a failure; the other connections go on."""
        self.failures.append(f"{name}: {why}")

    # --- activate ---------------------------------------------------------------------------------------------------

    def activate(self, forced: t.Collection[str]) -> None:
        """Makes the SAs that are missing, not as declared, or to be made anew; each connection in bounded time."""
        failed = {failure.split(": ")[0] for failure in self.failures}
        for record in self.records:
            if record["name"] not in failed:
                self._activate(record, record["name"] in forced)

    def _activate(self, record: dict[str, t.Any], forced: bool) -> None:
        name, hub_begins = record["name"], record["initiator"] == "hub"
        before = self._left(self.pluto.sas())
        older = max((sa["id"] for sa in before if sa["connection"] == name), default=0) if forced else 0
        now = _sas.standing(record, before, older)
        obsolete = [*now.old, *(now.wrong if now.lacking else [])]
        if obsolete:
            carries = any(_sas.live(sa) for sa in before if sa["connection"] == name)
            self.note(name, f"re-authenticate{', which interrupts it' if carries else ''}")
        elif now.lacking and not hub_begins:
            self.note(name, "initiate")
        else:
            return
        if self.check_mode:
            return
        if obsolete:
            self.pluto.end([name], [text.section(tunnel["name"]) for tunnel in record["tunnels"]])
        if hub_begins:
            return
        end = time.monotonic() + self.timeout
        reasons: list[str] = []

        def make(_now: _sas.Standing) -> _sas.Standing:
            said = ""
            for tunnel in record["tunnels"]:
                if tunnel["name"] in _sas.standing(record, self.pluto.sas(), older).lacking:
                    said += self.pluto.initiate(text.section(tunnel["name"]), max(1, int(end - time.monotonic())))
            # A try's own: what pluto says of an SA that it gives up differs each time, and would hide the rest.
            reasons.append(_libreswan.reason(said) or (reasons[-1] if reasons else ""))
            return self._wait(record, older)

        now = insist(make, now, self.timeout)
        if now.lacking:
            why = "; ".join(sorted(set(now.deviations))) or reasons[-1]
            self.fail(", ".join(now.lacking), why or f"nothing came up within {self.timeout} s")

    def _left(self, sas: list[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
        """The SAs that loading leaves; in check mode, it would end those of what it loads anew or unloads."""
        if not self.check_mode:
            return sas
        ended = {*self.gone, *(section for sections in self.changed.values() for section in sections)}
        out = []
        for sa in sas:
            children = [child for child in sa["children"] if text.section(child["tunnel"]) not in ended]
            if children or not self.changed.get(sa["connection"]):
                out.append({**sa, "children": children})
        return out

    def _wait(self, record: dict[str, t.Any], older: int) -> _sas.Standing:
        end = time.monotonic() + _SETTLE
        while True:
            now = _sas.standing(record, self.pluto.sas(), older)
            if not now.lacking or time.monotonic() > end:
                return now
            time.sleep(_POLL)


def prove(pluto: _libreswan.Pluto, records: list[dict[str, t.Any]], timeout: int) -> dict[str, list[dict[str, t.Any]]]:
    """Re-authenticate every connection, then rekey every tunnel; what came of it is for ``_verdict`` to say.

    pluto has no re-authentication beside a running SA, so each connection is down for a moment.
    """
    before = pluto.sas()
    sections = {
        text.section(tunnel["name"]): record["ike"]["version"] for record in records for tunnel in record["tunnels"]
    }
    pluto.end([record["name"] for record in records], sections)
    for section in sections:
        pluto.initiate(section, timeout)
    reauthenticated = pluto.sas()
    groups: dict[int, str | None] = {}
    for section, version in sections.items():
        known = _children(pluto.sas())
        said = pluto.rekey(section, version, timeout)
        for number in _children(pluto.sas()) - known:
            groups[number] = _libreswan_sas.rekeyed_group(said)
    return {"before": before, "reauthenticated": reauthenticated, "rekeyed": pluto.sas(groups)}


def _children(sas: list[dict[str, t.Any]]) -> set[int]:
    return {child["id"] for sa in sas for child in sa["children"]}
