# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""What touches a running pluto: the program ipsec, and the files that it loads. Decides nothing."""

from __future__ import annotations

import os
import re
import subprocess
import time
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils._errors import TextError, VpnError
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _ipsec_text as text
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _libreswan_sas, libreswan

# Lines in which pluto says why something failed; whack never shows keys.
_REASON = re.compile(
    r"AUTHENTICATION_FAILED|NO_PROPOSAL_CHOSEN|TS_UNACCEPTABLE|INVALID_|notif|error|fail|unable|cannot|not found|no connection|"
    r"no acceptable|retransmission; will wait|unreachable|did not end|refused|ikev1-policy|while loading",
    re.IGNORECASE,
)
_NOISE = re.compile(r"scheduling|will wait [0-4](?:\.\d+)? seconds|expired pending", re.IGNORECASE)
# What these words mean to an operator.
_HINTS = (
    ("AUTHENTICATION_FAILED", "the key or an id differs between the two ends"),
    ("NO_PROPOSAL_CHOSEN", "the algorithms differ between the two ends"),
    ("INVALID_KE", "the groups differ between the two ends"),
    ("TS_UNACCEPTABLE", "the subnets differ between the two ends"),
    ("retransmission", "the other end does not answer: check its address and UDP ports 500 and 4500"),
    ("ikev1-policy", "set ikev1-policy=accept below `config setup` in ipsec.conf and restart pluto"),
)
TOO_LATE = 124
ANSWER = 15  # seconds until a question that pluto has not answered is given up


def reason(output: str) -> str:
    """The lines of an output in which pluto says why, in one line, the last three at most."""
    lines: list[str] = []
    for raw in output.splitlines():
        line = re.sub(r'^\d{3} (?:"[^"]*" #\d+: )?', "", raw.strip())
        if _REASON.search(line) and not _NOISE.search(line) and line not in lines:
            lines.append(line)
    said = "; ".join(lines[-3:])
    return said + "".join(f" ({hint})" for word, hint in _HINTS if word in said)


class Pluto:
    """pluto on this machine."""

    def __init__(self, program: str, directory: str, rundir: str) -> None:
        self.program = program
        self.directory = directory
        self.rundir = rundir

    def run(self, *arguments: str, seconds: int = 60) -> tuple[int, str]:
        """Runs ``ipsec`` with arguments. Gives the return code (``TOO_LATE`` after ``seconds``) and what it said."""
        try:
            done = subprocess.run(
                [self.program, *arguments],
                env={**os.environ, "LC_ALL": "C"}, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            return TOO_LATE, (error.output or b"").decode(errors="replace")
        except OSError as error:
            raise VpnError(f"{self.program}: {error.strerror}. Install libreswan (Debian: libreswan).") from None
        return done.returncode, done.stdout.decode(errors="replace")

    def ask(self, *arguments: str, seconds: int = ANSWER) -> str:
        """Runs ``ipsec whack`` with arguments that must succeed and gives what it said."""
        code, out = self.run("whack", *arguments, seconds=seconds)
        if code == TOO_LATE:
            raise VpnError(
                f"the daemon pluto did not answer within {seconds} s: if it hangs, restart it (Debian: systemctl restart ipsec)"
            )
        if code:
            raise VpnError(
                f"pluto does not answer: {reason(out) or f'return code {code}'}. Start it (systemctl start ipsec), or"
                " install it first (Debian: libreswan)."
            )
        return out

    def born(self) -> str:
        """Gives what tells this run of pluto from any other: it makes its socket when it starts."""
        self.ask("--briefstatus")
        found = os.stat(os.path.join(self.rundir, "pluto.ctl"))
        return f"{found.st_ino} {found.st_mtime_ns}"

    def connections(self) -> dict[str, dict[str, t.Any]]:
        """Gives the conns that are loaded."""
        return _libreswan_sas.read_connections(self.ask("--status"))

    def sas(self, groups: t.Mapping[int, str | None] | None = None) -> list[dict[str, t.Any]]:
        """Gives our SAs as they are now."""
        return _libreswan_sas.read_sas(self.ask("--status"), self.ask("--trafficstatus"), groups, time.time())

    def files(
        self, sites: t.Iterable[str], outdated: t.Container[str] = ()
    ) -> tuple[text.Sections, dict[tuple[str, str], str]]:
        """Reads the conns and secrets in the files of sites; what is not there counts as nothing.

        Raises TextError for what is broken, but for files of sites that are ``outdated``: those count as nothing too.
        """
        sections: text.Sections = {}
        secrets: dict[tuple[str, str], str] = {}
        for site in sorted(sites):
            texts = {os.path.join(self.directory, name): content for name, content in self.texts(site).items()}
            try:
                conns, keys = libreswan.parse(texts)
            except TextError:
                if site not in outdated:
                    raise
                continue
            sections.update(conns)
            secrets.update(keys)
        return sections, secrets

    def texts(self, site: str) -> dict[str, str]:
        """Reads a site's files: their names and contents, "" for one that is not there."""
        names = [name.format(site=site) for name, _template in libreswan.FILES]
        return {name: _content(os.path.join(self.directory, name)) for name in names}

    def initiate(self, section: str, seconds: int) -> str:
        """Brings one tunnel up, for a bounded time; gives what pluto said of it."""
        return self.run("whack", "--initiate", "--name", section, seconds=seconds)[1]

    def rekey(self, section: str, ike_version: str, seconds: int) -> str:
        """Makes a new SA for one tunnel under the same IKE SA; gives what pluto said of it."""
        if ike_version == "v1":
            return self.initiate(section, seconds)  # there pluto rekeys by itself only, but initiates once more
        return self.run("whack", "--rekey-ipsec", "--name", section, seconds=seconds)[1]

    def end(self, names: t.Collection[str], sections: t.Iterable[str]) -> None:
        """Ends the SAs of connections with these names and conns.

        Termination takes the tunnels only, and keeps pluto from reviving them; their IKE SA goes by its number.
        """
        for section in sections:
            self.run("whack", "--terminate", "--name", section)
        for sa in self.sas():
            if sa["connection"] in names:
                self.run("whack", "--deletestate", str(sa["id"]))


def _content(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except FileNotFoundError:
        return ""
