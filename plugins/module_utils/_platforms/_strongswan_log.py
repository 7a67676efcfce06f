# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""What charon's log says of the last attempts to bring a connection up. Pure: lines in, events out.

The words are those of libcharon 5.9.8 at its default log level, which never writes a key. Text in a line comes from the
other end too (an id, say), so every pattern begins where the line begins, and none of them takes long over any text.
"""

from __future__ import annotations

import json
import re
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _algorithms
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _log_events
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _swanctl_text as text
from ansible_collections.bothends.vpn.plugins.module_utils._platforms._log_events import Event, Events


class Entry(t.NamedTuple):
    """One line of the log."""

    thread: str
    name: str  # the IKE SA's connection, as its section is called; "" where it is not known (yet)
    said: str


# "12[IKE] <prod/berlin|3> text" (an SA without a name yet: "<3>"), perhaps behind a time and a program's name
_LINE = re.compile(r"(?:.{0,80}?[\s:])?(\d\d)\[([A-Z]{3})\] (?:<(?:([^<>|]{0,200})\|)?\d+> )?(.*)", re.DOTALL)
_BEGINS = re.compile(
    r"received packet: |(?:sending )?retransmit \d|giving up after|initiating |sending DPD request|creating "
)
_PEER = (
    re.compile(r"received packet: from (\S+?)\[\d+\]"),
    re.compile(r"sending packet: from \S+ to (\S+?)\[\d+\]"),
    re.compile(r"initiating .*? to (\S+)$"),
)
_EXCHANGE = re.compile(r"parsed (\w+) (request|response) \d+ \[(.*)\]")

_IKE_OPENS = ("IKE_SA_INIT", "ID_PROT", "AGGRESSIVE")
_V1 = ("ID_PROT", "AGGRESSIVE", "QUICK_MODE", "INFORMATIONAL_V1")
ANY: tuple[str, ...] = ()


class Pattern(t.NamedTuple):
    """One kind of line: in which exchanges it means what, and whether only before or after the IKE SA is up."""

    event: str
    line: t.Pattern[str]
    exchanges: tuple[str, ...] = ANY
    established: bool | None = None


def _row(event: str, line: str, exchanges: tuple[str, ...] = ANY, established: bool | None = None) -> Pattern:
    return Pattern(event, re.compile(line), exchanges, established)


# What is said while this end begins ("refused": the other end only says that it does not want), and what when the other
# does ("differs" and the like: this end knows why).
PATTERNS = (
    # the IKE SA's proposal
    _row(
        "ike.refused",
        r"received NO_PROPOSAL_CHOSEN (?:notify error|error notify)",
        (*_IKE_OPENS, "INFORMATIONAL_V1"),
        False,
    ),
    _row("ike.differs", r"received proposals: IKE:"),
    _row("ike.group", r"requested DH group \S+ not contained in any of our proposals", _IKE_OPENS),
    _row("ike.not_expected", r"no IKE config found for "),
    _row("ike.version", r"received unsupported IKE version "),
    _row("ike.aggressive", r"Aggressive Mode PSK disabled for security reasons"),
    _row(
        "ike.mode",
        r"found \d+ matching configs?, but none allows pre-shared key authentication using (?:Main|Aggressive) Mode$",
    ),
    # who is who, and the key
    _row("auth.refused", r"received AUTHENTICATION_FAILED (?:notify error|error notify)"),
    _row("auth.key", r"tried \d+ shared keys? for '.*', but MAC mismatched$"),
    _row("auth.key_v1", r"could not decrypt payloads$", ANY, False),
    _row("auth.no_key", r"no shared key found for "),
    _row("auth.nobody", r"no (?:matching )?peer config found$"),
    _row("auth.id", r"IDir '.*' does not match to '|constraint check failed: \S*\s?identity '"),
    # the tunnel
    _row("child.refused", r"received NO_PROPOSAL_CHOSEN notify, no CHILD_SA built", ("IKE_AUTH",)),
    _row("child.refused", r"received NO_PROPOSAL_CHOSEN error notify", ("INFORMATIONAL_V1", "QUICK_MODE"), True),
    _row("rekey.refused", r"received NO_PROPOSAL_CHOSEN notify, no CHILD_SA built", ("CREATE_CHILD_SA",)),
    _row("rekey.group", r"requested DH group \S+ not contained in any of our proposals", ("CREATE_CHILD_SA",)),
    _row("child.differs", r"received proposals: (?:ESP|AH):"),
    _row("child.subnets_refused", r"received TS_UNACCEPTABLE notify"),
    _row(
        "child.subnets_refused",
        r"received INVALID_ID_INFORMATION error notify",
        ("INFORMATIONAL_V1", "QUICK_MODE"),
        True,
    ),
    _row("child.subnets", r"traffic selectors (?P<a>[^=]*) === (?P<b>[^=]*) unacceptable$"),
    _row("child.subnets", r"no matching CHILD_SA config found for (?P<a>[^=]*) === (?P<b>[^=]*)$"),
    _row("child.kernel", r"unable to install .*IPsec (?:SA \(SAD\)|policies \(SPD\)) in kernel"),
    # nobody there
    _row("silent.dead", r"giving up after \d+ |(?:sending )?retransmit [2-9]", ANY, True),
    _row("silent.dead", r"retransmit \d+ of request with message ID (?:[2-9]|\d\d+)$"),
    _row("silent.init", r"retransmit \d+ of request with message ID 0$", ANY, False),
    _row("silent.init", r"sending retransmit \d+ of request message ID 0, seq [12]$", ANY, False),
    _row("silent.auth", r"retransmit \d+ of request with message ID 1$", ANY, False),
    _row("silent.auth", r"sending retransmit \d+ of request message ID 0, seq 3$", ANY, False),
    _row("send.failed", r"error writing to socket: "),
    # what else there is to know
    _row("duplicate", r"(?:destroying|deleting|schedule delete of) duplicate IKE_SA for peer '"),
    _row("closed", r"received DELETE for IKE_SA "),
    _row("ended", r"deleting IKE_SA \S+ between "),
    _row("nat.here", r"local host is behind NAT"),
    _row("nat.there", r"remote host is behind NAT"),
    _row("up", r"IKE_SA \S+ established between "),
    _row("attempt", r"(?:initiating (?:IKE_SA|Main Mode|Aggressive Mode) |\S+ is initiating )"),
)

_ESTABLISHED = re.compile(r"IKE_SA \S+ established between ")
_CONFIGURED = re.compile(r"configured proposals: (?:IKE|ESP|AH):")
# A line that ends earlier trouble: what it says is newer than what these events say. Of a peer that died, only an answer is.
_IKE_TROUBLE = ("ike.", "auth.", "silent.", "send.")
_CLEARS = (
    (_ESTABLISHED, (*_IKE_TROUBLE, "ended", "closed")),
    (re.compile(r"(?:inbound |outbound )?CHILD_SA \S+ established with SPIs "), (*_IKE_TROUBLE, "child.", "rekey.")),
    (re.compile(r"selected proposal: IKE:"), ("ike.differs",)),
    (re.compile(r"selected proposal: (?:ESP|AH):"), ("child.differs",)),
    (re.compile(r"initiating (?:IKE_SA|Main Mode|Aggressive Mode) "),
     ("ike.refused", "ike.group", "auth.refused", "child.refused", "child.subnets_refused", "silent.init", "silent.auth", "send.")),
    (re.compile(r"\S+ is initiating "),
     ("ike.differs", "ike.not_expected", "ike.mode", "auth.key", "auth.no_key", "auth.nobody", "auth.id", "child.differs", "child.subnets",
      "child.kernel")),
)  # fmt: skip
_ENDS = re.compile(r"deleting IKE_SA |received DELETE for IKE_SA |giving up after |initiating ")
_LOOKING = re.compile(r"looking for [^\[]*?peer configs matching [^\s\[]+\[([^\[\]]*)\]\.\.\.[^\s\[]+\[([^\[\]]*)\]$")


def entry(thread: str, name: t.Any, said: str) -> Entry:
    """Make an entry of what charon told, without what could move a cursor."""
    return Entry(thread, name if isinstance(name, str) and name != "(unnamed)" else "", _log_events.printable(said))


def read_file(content: str) -> list[Entry]:
    """Read a log file's lines; what is none of charon's lines is left out."""
    out = []
    for line in content.splitlines():
        found = _LINE.match(line[:4096])
        if found:
            out.append(entry(found.group(1), found.group(3), found.group(4)))
    return out


def read_journal(content: str) -> list[Entry]:
    """Read what ``journalctl -o json`` prints: charon-systemd's fields, or what charon sent to syslog."""
    out = []
    for line in content.splitlines():
        try:
            values = json.loads(line)
            said = values["MESSAGE"]
        except (ValueError, KeyError, TypeError):
            continue  # not as the journal writes it
        if not isinstance(said, str):
            continue
        found = _LINE.match(said[:4096])
        if found:
            out.append(entry(found.group(1), found.group(3), found.group(4)))
        else:
            out.append(entry(str(values.get("THREAD", "")), values.get("IKE_SA_NAME"), said))
    return out


def events(entries: t.Iterable[Entry], connection: str, gateway: str | None, alone: bool) -> Events:
    """Give what the log says last of a connection, by kind.

    A line without the connection's name is its own where the packet beside it is from or to its ``gateway``, or where
    no other gateway is known (``alone``).
    """
    reader = _Reader()
    for job in _jobs(entries):
        name = next((text.decode_name(one.name) for one in job if one.name), "")
        peer = _peer(job)
        if (name == connection) if name else (peer == gateway) if peer else alone:
            reader.job([one.said for one in job])
    return _log_events.shown(reader.found)


class _Reader:
    """What was found so far, and what is needed to understand the next line."""

    def __init__(self) -> None:
        self.found: Events = {}
        self.established = False
        self.asked: list[str] = []  # the ids that a peer asked for

    def job(self, lines: t.Sequence[str]) -> None:
        """Reads the lines about one packet."""
        exchange = ""
        for said in lines:
            parsed = _EXCHANGE.match(said)
            if parsed:
                exchange = parsed.group(1)
                self.remember("spoke.v1" if exchange in _V1 else "spoke.v2", said)
                if exchange == "AGGRESSIVE":
                    self.remember("spoke.aggressive", said)
                if parsed.group(2) == "response":
                    self.found = _log_events.without(self.found, ("silent.",))
            else:
                self.line(said, exchange)

    def line(self, said: str, exchange: str) -> None:
        """Reads one line."""
        for pattern, trouble in _CLEARS:
            if pattern.match(said):
                self.found = _log_events.without(self.found, trouble)
        if said.startswith("looking for "):
            looking = _LOOKING.match(said)
            self.asked = list(looking.groups()) if looking else []
        for row in PATTERNS:
            match = row.line.match(said)
            if (
                match
                and (not row.exchanges or exchange in row.exchanges)
                and row.established in (None, self.established)
            ):
                event = self.remember(row.event, said)
                if row.event == "auth.nobody":
                    event["ids"] = self.asked
                if row.event == "child.subnets":
                    event["subnets"] = [match.group("a").split(), match.group("b").split()]
        if _ENDS.match(said):
            self.established = False
        if _ESTABLISHED.match(said):
            self.established = True
        configured = _CONFIGURED.match(said)
        event = self.found.get("ike.differs" if said.startswith("configured proposals: IKE") else "child.differs")
        if configured and event is not None:
            phase = "ike" if said.startswith("configured proposals: IKE") else "ipsec"
            _log_events.compare(
                event, proposals(event["said"]), proposals(said), phase, first_child=exchange == "IKE_AUTH"
            )

    def remember(self, name: str, said: str) -> Event:
        """Notes an event; the newest line stands for it."""
        return _log_events.remember(self.found, name, said)


def _jobs(entries: t.Iterable[Entry]) -> list[list[Entry]]:
    """Put together the lines that one thread wrote about one packet."""
    out: list[list[Entry]] = []
    current: dict[str, list[Entry]] = {}
    for one in entries:
        if one.thread not in current or _BEGINS.match(one.said):
            current[one.thread] = []
            out.append(current[one.thread])
        current[one.thread].append(one)
    return out


def _peer(job: t.Sequence[Entry]) -> str:
    for one in job:
        for pattern in _PEER:
            found = pattern.match(one.said)
            if found:
                return found.group(1)
    return ""


# --- proposals -------------------------------------------------------------------------------------------------------

_SPEAKER = "strongswan_sa"


def _words(field: str) -> dict[str, str]:
    table = _algorithms.TABLES[field]
    return {
        f"{word}_{table[name].key_bits}" if table[name].key_bits else word: name
        for name, word in _algorithms.spoken(_SPEAKER, field, "ipsec").items()
    }


_NAMES = {field: _words(field) for field in ("encryption", "integrity", "prf", "dh_group")}
# What a word that we have no name for is: the first that fits.
_KINDS = (
    ("prf", re.compile(r"PRF_")),
    ("dh_group", re.compile(r"MODP_|ECP_|CURVE_|NEWHOPE|KE_")),
    ("integrity", re.compile(r"HMAC_|AES_XCBC|AES_CMAC")),
    ("", re.compile(r"NO_EXT_SEQ|EXT_SEQ")),
    ("encryption", re.compile(r"")),
)


def proposals(said: str) -> list[dict[str, list[str]]]:
    """Read ``received proposals: IKE:AES_CBC_128/.../MODP_2048, IKE:...``: by field the algorithms, in our names."""
    out = []
    for proposal in said.partition(": ")[2].split(", "):
        fields: dict[str, list[str]] = {}
        for word in proposal.partition(":")[2].split("/"):
            field = next((one for one, names in _NAMES.items() if word in names), None)
            if field is None:
                field = next(one for one, pattern in _KINDS if pattern.match(word))
            if field:
                fields.setdefault(field, []).append(_NAMES[field].get(word, word))
        if fields:
            out.append(fields)
    return out
