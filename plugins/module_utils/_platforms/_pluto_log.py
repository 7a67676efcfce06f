# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""What pluto's log says of the last attempts to bring a connection up. Pure: lines in, events out.

The words are those of libreswan 4.10 (programs/pluto/ikev2_ike_sa_init.c, ikev2_ike_auth.c, ikev2_child.c,
ikev2_create_child_sa.c, ikev2_proposals.c, ikev2_host_pair.c, ikev1.c, ikev1_main.c, ikev1_quick.c, ikev1_spdb_struct.c,
retransmit.c), without `plutodebug`; it never writes a key then. Text in a line comes from the other end too (an id, say), so
every pattern begins where the line begins. What another version words otherwise is no event, and not an error.
"""

from __future__ import annotations

import json
import re
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _ipsec_text as text
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _libreswan_sas, _log_events
from ansible_collections.bothends.vpn.plugins.module_utils._platforms._log_events import Event, Events


class Entry(t.NamedTuple):
    """One line of the log."""

    name: str  # the connection's ("" where none is known): hub/site
    peer: str  # the address that a packet came from, where no connection is known
    said: str


# The beginning of a line in a file: the log's own time, or syslog's time, host and program.
_STAMP = re.compile(
    r"(?:(?:[A-Z][a-z]{2} [ \d]\d [\d:.]{8,15}|\d{4}-\d\d-\d\dT\S{8,30}):? )?(?:\S{1,64} pluto\[\d{1,10}\]: )?"
)
# whack's number, then `"conn" #4: text`, `"conn"[1] 203.0.113.150 #4: text` or `packet from 203.0.113.150:500: text`
_LINE = re.compile(
    r'(?:\d{3} )?(?:"(?P<conn>[^"]{1,300})"(?:\[\d{1,9}\])?(?: \S{1,64})??(?: #\d{1,9})?'
    r"|packet from \[?(?P<peer>[^\s\[\]]{1,60})\]?:\d{1,5}): (?P<said>.*)",
    re.DOTALL,
)


class Pattern(t.NamedTuple):
    """One kind of line."""

    event: str
    line: t.Pattern[str]
    established: bool | None = None  # whether only before (False) or after (True) the IKE SA is up


def _row(event: str, line: str, established: bool | None = None) -> Pattern:
    return Pattern(event, re.compile(line), established)


_DROPPED = r"dropping unexpected (?:ISAKMP_v2_)?{} message containing (?:v2N_)?{} notification"
_REFUSED_CHILD = r"IKE_AUTH response (?:rejected Child SA with|contained the error notification) (?:v2N_)?"
_CREATE_CHILD = r"CREATE_CHILD_SA failed with error notification (?:v2N_)?"
_NO_ANSWER = r"{}: (?:retransmission; will wait|\d+ second timeout exceeded after|max number of retransmissions)"
_SUBNET = r"[0-9a-fA-F.:]{2,39}/\d{1,3}"
_UNKNOWN_V1 = "cannot respond to IPsec SA request because no connection is known for "
_IGNORED_V1 = r"(?:received and ignored notification payload|ignoring informational payload): ?"

# What is said while this end begins ("refused": the other end only says that it does not want), and what when the other
# does ("differs" and the like: this end knows why).
PATTERNS = (
    # the IKE SA's proposal
    _row("ike.refused", _DROPPED.format("IKE_SA_INIT", "NO_PROPOSAL_CHOSEN")),
    _row("ike.refused", _IGNORED_V1 + "NO_PROPOSAL_CHOSEN", False),
    _row("ike.group", r"Discarding unauthenticated INVALID_KE_PAYLOAD response to DH \S+; suggested DH \S+ is not acceptable"),
    _row("ike.differs", r"no local proposal matches remote proposals \d+:IKE:"),
    _row("ike.differs", r"no acceptable Oakley Transform$"),
    _row("ike.not_expected", r"\S+ message received on \S+ but no (?:suitable )?connection (?:found|has been) "),
    _row("ike.not_expected", r"initial (?:Main|Aggressive) Mode \w+ .*? but no (?:matching )?connection has been authorized"),
    _row("ike.version", r"(?:ignoring packet with|message contains unsupported) IKE major version '"),
    _row("ike.version", _DROPPED.format("IKE_SA_INIT", "INVALID_MAJOR_VERSION")),
    # who is who, and the key
    _row("auth.refused", r"IKE SA authentication request rejected by peer: AUTHENTICATION_FAILED"),
    _row("auth.key", r"authentication failed: computed hash does not match hash received from peer "),
    _row("auth.key", r"received Hash Payload does not match computed value"),
    # With another key an end decrypts nonsense.
    _row("auth.key_v1", r"probable authentication failure \(mismatch of preshared secrets\?\): "),
    _row("auth.key_v1", r"(?:\d+-byte length of ISAKMP .* is larger than can fit|malformed payload in packet)$", False),
    _row("auth.no_key", r"authentication failed: no PSK found for '|Failed to find our PreShared Key"),
    _row("auth.no_key", r"Can't authenticate: no preshared key found for `"),
    _row("auth.nobody", r"Peer ID '[^']*' mismatched on first found connection and no better connection found"),
    # the tunnel
    _row("child.refused", _REFUSED_CHILD + "NO_PROPOSAL_CHOSEN"),
    _row("child.refused", _IGNORED_V1 + "NO_PROPOSAL_CHOSEN", True),
    _row("child.differs", r"no local proposal matches remote proposals \d+:(?:ESP|AH):"),
    _row("child.subnets_refused", _REFUSED_CHILD + "TS_UNACCEPTABLE"),
    _row("child.subnets_refused", _CREATE_CHILD + "TS_UNACCEPTABLE"),
    _row("child.subnets_refused", _IGNORED_V1 + "INVALID_ID_INFORMATION"),
    _row("child.subnets", r"No IKEv2 connection found with compatible Traffic Selectors"),
    _row("child.subnets", _UNKNOWN_V1 + rf"(?P<a>{_SUBNET})===\S{{1,300}}===(?P<b>{_SUBNET})"),
    _row("rekey.refused", _CREATE_CHILD + "NO_PROPOSAL_CHOSEN"),
    _row("rekey.group", _CREATE_CHILD + "INVALID_KE_PAYLOAD"),
    _row("rekey.group", r"we require PFS but Quick I1 SA specifies no GROUP_DESCRIPTION"),
    _row("child.kernel", r"ERROR: netlink response for Add SA "),
    # nobody there
    _row("silent.init", _NO_ANSWER.format("STATE_(?:V2_PARENT_I1|MAIN_I1|AGGR_I1)")),
    _row("silent.auth", _NO_ANSWER.format("STATE_(?:V2_PARENT_I2|MAIN_I3)")),
    # One packet that was lost and sent again is no death.
    _row("silent.dead", r"STATE_V2_ESTABLISHED_IKE_SA: (?:\d+ second timeout exceeded after|max number of retransmissions)"),
    _row("silent.dead", r"(?:liveness|DPD) action - "),
    _row("send.failed", r"send(?:to)? on \S+ (?:from \S+ )?to \S+ (?:using \S+ )?failed in "),
    # what else there is to know
    _row("duplicate", r"Initial Contact received, deleting old state #"),
    _row("closed", r"received Delete SA payload: (?:self-)?deleting ISAKMP State #"),
    _row("ended", r"deleting state \(STATE_(?:V2_ESTABLISHED_IKE_SA|MAIN_R3|MAIN_I4|AGGR_R2|AGGR_I2)\)"),
    _row("nat.here", r"NAT-Traversal: Result using [^:]* sender port \d+: .*\bI am behind NAT"),
    _row("nat.there", r"NAT-Traversal: Result using [^:]* sender port \d+: .*\bpeer behind NAT"),
    _row("spoke.v2", r"(?:ISAKMP_v2_)?IKE_SA_INIT message received on |sent IKE_SA_INIT reply "),
    _row("spoke.v1", r"initial (?:Main|Aggressive) Mode |responding to (?:Main|Aggressive) Mode"),
    _row("spoke.aggressive", r"initial Aggressive Mode |responding to Aggressive Mode"),
    _row("up", r"(?:initiator|responder) established IKE SA; |(?:ISAKMP|IKE) SA established"),
    _row("attempt", r"initiating IKEv[12] |responding to (?:Main|Aggressive) Mode|sent IKE_SA_INIT reply "),
)  # fmt: skip

_ESTABLISHED = re.compile(r"(?:initiator|responder) established IKE SA; |(?:ISAKMP|IKE) SA established")
_IKE_TROUBLE = ("ike.", "auth.", "silent.", "send.")
_BEGINS = (
    "ike.refused",
    "ike.group",
    "auth.refused",
    "auth.no_key",
    "child.refused",
    "child.subnets_refused",
    "silent.init",
    "silent.auth",
    "send.",
)
_ANSWERS = ("ike.differs", "ike.not_expected", "auth.key", "auth.nobody", "child.differs", "child.subnets", "child.kernel")  # fmt: skip
# A line that ends earlier trouble: what it says is newer than what these events say. Of a peer that died, only an answer is.
_CLEARS = (
    (_ESTABLISHED, (*_IKE_TROUBLE, "ended", "closed")),
    (
        re.compile(r"(?:initiator|responder) (?:established|rekeyed) Child SA |IPsec SA established "),
        (*_IKE_TROUBLE, "child.", "rekey."),
    ),
    (re.compile(r"initiating IKEv[12] "), _BEGINS),
    (re.compile(r"sent IKE_SA_INIT reply |responding to (?:Main|Aggressive) Mode"), _ANSWERS),
    (re.compile(r"proposal \d+:IKE=\S+ chosen from "), ("ike.differs",)),
    (re.compile(r"proposal \d+:(?:ESP|AH)=.*? chosen from "), ("child.differs",)),
    # The end that answers is there: that nothing else comes is no silence.
    (
        re.compile(
            _DROPPED.format("IKE_SA_INIT", r"\S+")
            + rf"|sent IKE_AUTH request |sent Main Mode I[23]|IKE SA authentication request rejected|{_REFUSED_CHILD}|{_IGNORED_V1}"
        ),
        ("silent.",),
    ),
)
_ANSWERED = {
    "silent.init": ("ike.refused", "ike.group", "ike.version"),
    "silent.auth": ("auth.refused", "auth.key_v1"),
}
_ENDS = re.compile(
    r"initiating IKEv[12] |responding to (?:Main|Aggressive) Mode|deleting state \(STATE_(?:V2_EST|MAIN|AGGR)"
)
_IN_REKEYING = re.compile(r"CREATE_CHILD_SA responder matching remote ESP/AH proposals failed")
_OAKLEY = re.compile(r"Oakley Transform \[(\S+)(?: \((\d+)\))?, (\S+), (\S+)\] refused")


def read_file(content: str) -> list[Entry]:
    """Read lines of pluto's own file, of a syslog file, or what whack said; what is not pluto's is left out."""
    return [one for line in content.splitlines() for one in _entry(_STAMP.sub("", line[:8192], count=1))]


def read_journal(content: str) -> list[Entry]:
    """Read what ``journalctl -o json`` prints of pluto."""
    out: list[Entry] = []
    for line in content.splitlines():
        try:
            said = json.loads(line)["MESSAGE"]
        except (ValueError, KeyError, TypeError):
            continue  # not as the journal writes it
        if isinstance(said, str):
            out += _entry(said)
    return out


def _entry(line: str) -> list[Entry]:
    found = _LINE.match(line)
    if found is None:
        return []
    decoded = text.decode_section(found["conn"]) if found["conn"] else None
    if found["conn"] and decoded is None:
        return []  # a connection that is not ours
    name = decoded or ""
    name = name.rpartition("/")[0] if name.count("/") == 2 else name
    return [Entry(name, found["peer"] or "", _log_events.printable(found["said"]))]


def events(
    entries: t.Iterable[Entry],
    connection: str,
    gateway: str | None,
    alone: bool,
    configured: t.Mapping[str, _log_events.Offer] | None = None,
) -> Events:
    """Give what the log says last of a connection, by kind.

    A line without a connection's name is its own where the packet is from its ``gateway``, or where no other gateway is
    known (``alone``). ``configured`` are the proposals that pluto has loaded, by phase (`ike`, `ipsec`).
    """
    reader = _Reader(configured or {})
    for one in entries:
        if (one.name == connection) if one.name else (one.peer == gateway or (alone and not gateway)):
            reader.line(one)
    return _log_events.shown(reader.found)


class _Reader:
    """What was found so far, and what is needed to understand the next line."""

    def __init__(self, configured: t.Mapping[str, _log_events.Offer]) -> None:
        self.found: Events = {}
        self.configured = configured
        self.established = False
        self.transforms: list[_log_events.Offer] = []  # of IKEv1, one a line, before the line that refuses them all

    def line(self, one: Entry) -> None:
        """Reads one line."""
        said = one.said
        for pattern, trouble in _CLEARS:
            if pattern.match(said):
                self.found = _log_events.without(self.found, trouble)
        refused = _OAKLEY.match(said)
        if refused:
            self.transforms.append(_oakley(refused))
        for row in PATTERNS:
            match = row.line.match(said)
            fits = row.established in (None, self.established)
            if match and fits and not any(answer in self.found for answer in _ANSWERED.get(row.event, ())):
                self._understand(_log_events.remember(self.found, row.event, said), row.event, match)
        if _ENDS.match(said):
            self.established = False
        if _ESTABLISHED.match(said):
            self.established = True
        if _IN_REKEYING.match(said) and "child.differs" in self.found:
            self._compare(self.found["child.differs"], "ipsec", first_child=False)

    def _understand(self, event: Event, name: str, match: re.Match[str]) -> None:
        """Take out of a line what else it says."""
        if name == "child.subnets" and match.groupdict().get("a"):
            event["subnets"] = [[match["a"]], [match["b"]]]
        if name == "ike.differs":
            self._compare(event, "ike", first_child=False)
        if name == "child.differs":
            self._compare(event, "ipsec", first_child=True)

    def _compare(self, event: Event, phase: str, first_child: bool) -> None:
        received = proposals(event["said"]) or self.transforms
        if phase in self.configured:
            _log_events.compare(event, received, [self.configured[phase]], phase, first_child)
        self.transforms = []


# --- proposals -------------------------------------------------------------------------------------------------------

_FIELDS = {"ENCR": "encryption", "INTEG": "integrity", "PRF": "prf", "DH": "dh_group"}
# Words of the wire (lib/libswan/constants.c) that `ipsec whack --status` has others for.
_WORDS = {
    "ECP_256": "DH19", "ECP_384": "DH20", "ECP_521": "DH21", "CURVE25519": "DH31", "AES128_XCBC": "AES_XCBC",
}  # fmt: skip
_AEAD = re.compile(r"(AES_[CG]CM)_([ABC])_(\d+)\Z")
_TAG = {"A": 8, "B": 12, "C": 16}


def _name(field: str, word: str) -> str:
    """An algorithm in our names; what we have no name for keeps pluto's word."""
    tagged = _AEAD.match(word)
    word = f"{tagged[1]}_{_TAG[tagged[2]]}_{tagged[3]}" if tagged else _WORDS.get(word, word)
    return _libreswan_sas.algorithm(field, "ipsec" if field == "integrity" else "ike_v2", word)


def proposals(said: str) -> list[_log_events.Offer]:
    """Read ``... remote proposals 1:IKE:ENCR=AES_CBC_256;...;DH=ECP_384 2:IKE:...``: by field the algorithms, in our names.

    pluto ends a line that is too long with three dots; of what it cut the rest is left out.
    """
    words = said.partition("remote proposals ")[2].split()
    if words and words[-1].endswith("..."):
        words = words[:-1] if len(words) > 1 else [words[0].rpartition(";")[0]]
    out = []
    for word in words:
        fields: dict[str, list[str]] = {}
        for part in word.split(":")[-1].partition("[")[0].split(";"):
            key, _equals, value = part.partition("=")
            if key in _FIELDS and value != "NONE":
                fields.setdefault(_FIELDS[key], []).append(_name(_FIELDS[key], value))
        if fields:
            out.append(fields)
    return out


def _oakley(refused: re.Match[str]) -> _log_events.Offer:
    """An offer of IKEv1, ``[AES_CBC (256), HMAC_SHA2_256, MODP2048]``."""
    cipher, bits, prf, group = refused.groups()
    found = {"encryption": f"{cipher}_{bits}" if bits else cipher, "integrity": prf, "dh_group": group}
    return {field: [_libreswan_sas.algorithm(field, "ike_v1", word)] for field, word in found.items()}
