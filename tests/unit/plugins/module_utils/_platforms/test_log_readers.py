# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever the other end calls itself: a log is read in bounded time, by each reader."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _log_events

HERE, HUB = "203.0.113.10", "203.0.113.150"
SUBNETS = "192.168.3.0/24 === 192.168.1.0/24"
OFFER = "IKE:AES_CBC_256/HMAC_SHA2_256_128/PRF_HMAC_SHA2_256/MODP_2048"
# Lines in which something stands that may be of any length, and what comes before each line of that log.
READERS = {
    "_strongswan_log": ("07[IKE] <prod/berlin|1> ", [
        f"looking for peer configs matching {HERE}[{HERE}]...{HUB}[other.example]",
        f"looking for pre-shared key peer configs matching {HERE}...{HUB}[other.example]",
        f"received packet: from {HUB}[500] to {HERE}[500] (36 bytes)",
        f"sending packet: from {HERE}[500] to {HUB}[500] (336 bytes)",
        f"initiating IKE_SA prod/berlin[1] to {HUB}",
        f"{HUB} is initiating an IKE_SA",
        "parsed IKE_AUTH request 1 [ IDi AUTH ]",
        "tried 1 shared key for 'a' - 'b', but MAC mismatched",
        "no matching peer config found",
        "IDir 'x.example' does not match to 'y.example'",
        "constraint check failed: RULE_IDENTITY identity 'x' required",
        f"traffic selectors {SUBNETS} unacceptable",
        f"no matching CHILD_SA config found for {SUBNETS}",
        "unable to install inbound and outbound IPsec SA (SAD) in kernel",
        f"IKE_SA prod/berlin[1] established between {HERE}[{HERE}]...{HUB}[{HUB}]",
        f"deleting IKE_SA prod/berlin[1] between {HERE}[{HERE}]...{HUB}[{HUB}]",
        f"received proposals: {OFFER}",
        f"configured proposals: {OFFER}",
    ]),
    "_pluto_log": ('"bothends.prod.berlin.1" #1: ', [
        "Peer ID '@other.example' mismatched on first found connection and no better connection found",
        f"cannot respond to IPsec SA request because no connection is known for 192.168.3.0/24==={HERE}...{HUB}===192.168.1.0/24",
        "NAT-Traversal: Result using RFC 3947 (NAT-Traversal) sender port 500: I am behind NAT",
        f"initial Main Mode message received on {HERE}:500 but no connection has been authorized with policy PSK",
        f"IKE_SA_INIT message received on {HERE}:500 but no suitable connection found with IKEv2 policy",
        "Discarding unauthenticated INVALID_KE_PAYLOAD response to DH DH20; suggested DH MODP2048 is not acceptable",
        "5743-byte length of ISAKMP Hash Payload is larger than can fit",
        f"sendto on wan0 from {HERE} to {HUB}:500 using UDP failed in STATE_V2_PARENT_I0: Network is unreachable",
        "no local proposal matches remote proposals 1:IKE:ENCR=AES_CBC_256;INTEG=NONE;PRF=HMAC_SHA2_384;DH=ECP_384",
        "proposal 1:ESP=AES_CBC_256 chosen from remote proposals 1:ESP:ENCR=AES_CBC_256",
        "Oakley Transform [AES_CBC (256), HMAC_SHA2_256, MODP2048] refused",
    ]),
}  # fmt: skip
STUFF = ("[", "]", "a[]...", "=", " === ", "'", "' - '", " to ", ": ", ", ", "1", "a", " ", " peer configs matching x[",
         " sender port 1: ", "\\", "/", "|", "<1> ")  # fmt: skip
READ = """
import importlib, json, sys
log = importlib.import_module(sys.argv[1])
lines = json.load(sys.stdin)
journal = "\\n".join(json.dumps({"MESSAGE": line}) for line in lines)
for entries in (log.read_file("\\n".join(lines)), log.read_journal(journal)):
    assert len(entries) > len(lines) / 2
    log.events(entries, "prod/berlin", "203.0.113.150", alone=True)
"""


def nasty(line):
    """Give the line with much of something at each of its blanks, brackets and quotes, with and without its end."""
    places = [at for at, letter in enumerate(line, start=1) if letter in " [('"]
    return [
        line[:at] + (stuff * 4096)[: 4000 - len(line)] + end
        for at in places
        for stuff in STUFF
        for end in (line[at:], " ")
    ]


@pytest.mark.parametrize("reader", READERS)
def test_no_line_takes_long(reader):
    """In a process of its own: who looks for a pattern hears no alarm. It needs some seconds; a line that grows by its length's
    fourth power would need minutes alone."""
    before, lines = READERS[reader]
    given = [before + one for line in lines for one in nasty(line)]
    assert max(map(len, given)) <= _log_events._LINE
    subprocess.run(
        [sys.executable, "-c", READ, f"{_log_events.__name__.rpartition('.')[0]}.{reader}"],
        input=json.dumps(given), text=True, check=True, timeout=120, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
