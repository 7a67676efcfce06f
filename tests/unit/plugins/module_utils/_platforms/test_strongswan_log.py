# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""charon's own lines (5.9.8, default log level), and what is read from them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _strongswan_log as log

HERE, HUB = "203.0.113.10", "203.0.113.150"
NAME = "prod/berlin"

SEND = f"sending packet: from {HERE}[500] to {HUB}[500] (336 bytes)"
SEND_4500 = f"sending packet: from {HERE}[4500] to {HUB}[4500] (336 bytes)"
COME = f"received packet: from {HUB}[500] to {HERE}[500] (36 bytes)"
COME_4500 = f"received packet: from {HUB}[4500] to {HERE}[4500] (80 bytes)"
BEGIN = [f"initiating IKE_SA prod/berlin[1] to {HUB}", "generating IKE_SA_INIT request 0 [ SA KE No ]", SEND]
ASKED = [COME, "parsed IKE_SA_INIT request 0 [ SA KE No N(NATD_S_IP) ]", f"{HUB} is initiating an IKE_SA"]
UP = "IKE_SA prod/berlin[1] established between 203.0.113.10[203.0.113.10]...203.0.113.150[203.0.113.150]"
CHILD_UP = "CHILD_SA prod/berlin/1{1} established with SPIs c1_i c2_o and TS 192.168.3.0/24 === 192.168.1.0/24"
LOOKING = f"looking for peer configs matching {HERE}[{HERE}]...{HUB}[other.example]"


def file(lines, thread="07", name=""):
    """Write lines as charon's file logger does."""
    who = f"<{name}|1> " if name else ""
    return "".join(f"{thread}[IKE] {who}{line}\n" for line in lines)


def kinds(*jobs, connection=NAME, gateway=HUB, alone=True):
    """Give the events of some jobs, each by a thread of its own, but for those that say nothing of trouble."""
    content = "".join(file(job, f"{number:02}") for number, job in enumerate(jobs, start=5))
    found = log.events(log.read_file(content), connection, gateway, alone)
    return {name: event for name, event in found.items() if not name.startswith(("attempt", "spoke", "up"))}


@pytest.mark.parametrize(
    ("jobs", "event"),
    [
        pytest.param([BEGIN, [COME, "parsed IKE_SA_INIT response 0 [ N(NO_PROP) ]", "received NO_PROPOSAL_CHOSEN notify error"]],
                     "ike.refused", id="IKE proposal, we began"),
        pytest.param([BEGIN, [COME, "parsed INFORMATIONAL_V1 request 12 [ N(NO_PROP) ]",
                              "received NO_PROPOSAL_CHOSEN error notify"]], "ike.refused", id="the same in IKEv1"),
        pytest.param([[*ASKED, "received proposals: IKE:AES_CBC_128/HMAC_SHA2_256_128/PRF_HMAC_SHA2_256/MODP_2048",
                       "configured proposals: IKE:AES_CBC_256/HMAC_SHA2_256_128/PRF_HMAC_SHA2_256/MODP_2048",
                       "received proposals unacceptable"]], "ike.differs", id="IKE proposal, they began"),
        pytest.param([[COME, "parsed ID_PROT request 0 [ SA V V ]",
                       f"no IKE config found for {HERE}...{HUB}, sending NO_PROPOSAL_CHOSEN"]],
                     "ike.not_expected", id="nobody is configured"),
        pytest.param([[COME, "parsed IKE_SA_INIT response 0 [ N(INVAL_KE) ]",
                       "peer didn't accept DH group ECP_384, it requested MODP_2048",
                       "requested DH group MODP_2048 not contained in any of our proposals"]], "ike.group", id="DH group"),
        pytest.param([[COME_4500, "parsed IKE_AUTH response 1 [ N(AUTH_FAILED) ]", "received AUTHENTICATION_FAILED notify error"]],
                     "auth.refused", id="key or id, we began"),
        pytest.param([[COME_4500, "parsed IKE_AUTH request 1 [ IDi AUTH ]", LOOKING, "selected peer config 'prod/berlin'",
                       "tried 1 shared key for '203.0.113.10' - '203.0.113.150', but MAC mismatched"]],
                     "auth.key", id="key, they began"),
        pytest.param([[COME_4500, "parsed IKE_AUTH request 1 [ IDi AUTH ]", LOOKING, "no matching peer config found"]],
                     "auth.nobody", id="id, they began"),
        pytest.param([[COME_4500, "no shared key found for 'a' - 'b'"]], "auth.no_key", id="no key for these ids"),
        pytest.param([[COME_4500, "IDir 'x.example' does not match to 'y.example'"]], "auth.id", id="IKEv1's id"),
        pytest.param([[COME_4500, "invalid HASH_V1 payload length, decryption failed?", "could not decrypt payloads",
                       "message parsing failed"]], "auth.key_v1", id="IKEv1's key"),
        pytest.param([[COME_4500, "parsed IKE_AUTH response 1 [ IDr AUTH N(NO_PROP) ]", UP,
                       "received NO_PROPOSAL_CHOSEN notify, no CHILD_SA built"]], "child.refused", id="ESP proposal, we began"),
        pytest.param([[COME_4500, "parsed CREATE_CHILD_SA response 2 [ N(NO_PROP) ]",
                       "received NO_PROPOSAL_CHOSEN notify, no CHILD_SA built"]], "rekey.refused", id="at the rekeying"),
        pytest.param([[COME_4500, "parsed CREATE_CHILD_SA response 2 [ N(INVAL_KE) ]",
                       "requested DH group MODP_2048 not contained in any of our proposals"]], "rekey.group", id="PFS group"),
        pytest.param([[COME_4500, "parsed IKE_AUTH response 1 [ IDr AUTH N(TS_UNACCEPT) ]", UP,
                       "received TS_UNACCEPTABLE notify, no CHILD_SA built"]], "child.subnets_refused", id="subnets, we began"),
        pytest.param([[COME_4500, "traffic selectors 192.168.3.0/24 === 10.0.0.0/8 unacceptable"]],
                     "child.subnets", id="subnets, they began"),
        pytest.param([[COME_4500, "no matching CHILD_SA config found for 192.168.3.0/24 === 10.0.0.0/8"]],
                     "child.subnets", id="subnets in IKEv1"),
        pytest.param([[COME_4500, "unable to install inbound and outbound IPsec SA (SAD) in kernel"]], "child.kernel", id="kernel"),
        pytest.param([BEGIN, ["retransmit 1 of request with message ID 0", SEND]], "silent.init", id="nobody answers"),
        pytest.param([BEGIN, ["sending retransmit 1 of request message ID 0, seq 1", SEND]], "silent.init", id="nor in IKEv1"),
        pytest.param([["retransmit 1 of request with message ID 1", SEND_4500]], "silent.auth", id="nobody answers on 4500"),
        pytest.param([["sending retransmit 1 of request message ID 0, seq 3", SEND_4500]], "silent.auth", id="nor in IKEv1 on 4500"),
        pytest.param([[COME_4500, UP], ["sending DPD request", SEND_4500], ["retransmit 2 of request with message ID 2", SEND_4500],
                      ["giving up after 5 retransmits"]], "silent.dead", id="the peer died"),
        pytest.param([["retransmit 1 of request with message ID 7", SEND_4500]], "silent.dead", id="it was up before the log begins"),
        pytest.param([[COME, "destroying duplicate IKE_SA for peer '203.0.113.150', received INITIAL_CONTACT"]],
                     "duplicate", id="duplicate"),
        pytest.param([[COME_4500, UP, CHILD_UP], ["deleting IKE_SA prod/berlin[1] between 203.0.113.10[a]...203.0.113.150[b]"]],
                     "ended", id="the router ended it"),
        pytest.param([[COME_4500, UP, CHILD_UP], [COME_4500, "received DELETE for IKE_SA prod/berlin[1]"]],
                     "closed", id="the hub ended it"),
        pytest.param([["error writing to socket: Network is unreachable"]], "send.failed", id="no route"),
        pytest.param([[COME, "local host is behind NAT, sending keep alives"]], "nat.here", id="NAT"),
        pytest.param([[COME, "parsed AGGRESSIVE request 0 [ SA KE No ID ]", "Aggressive Mode PSK disabled for security reasons"]],
                     "ike.aggressive", id="aggressive mode"),
        pytest.param([[COME_4500, "parsed ID_PROT request 0 [ ID HASH ]",
                       f"looking for pre-shared key peer configs matching {HERE}...{HUB}[{HUB}]",
                       "found 1 matching config, but none allows pre-shared key authentication using Main Mode"]],
                     "ike.mode", id="main mode, where the other one is stored"),
    ],
)  # fmt: skip
def test_what_charon_wrote(jobs, event):
    assert list(kinds(*jobs)) == [event]


@pytest.mark.parametrize(
    "jobs",
    [
        pytest.param([], id="nothing"),
        pytest.param([BEGIN, [COME, "selected proposal: IKE:AES_CBC_256/HMAC_SHA2_256_128/PRF_HMAC_SHA2_256/MODP_2048"],
                      [COME_4500, "parsed IKE_AUTH response 1 [ IDr AUTH SA TSi TSr ]", UP, CHILD_UP]], id="all is well"),
        pytest.param([BEGIN, ["retransmit 1 of request with message ID 0", SEND], [COME_4500, UP, CHILD_UP]], id="slow, then well"),
        pytest.param([["deleting IKE_SA prod/berlin[1] between 203.0.113.10[a]...203.0.113.150[b]"], BEGIN, [COME_4500, UP, CHILD_UP]],
                     id="ended, and begun again"),
        pytest.param([[COME_4500, "parsed IKE_AUTH response 1 [ N(AUTH_FAILED) ]", "received AUTHENTICATION_FAILED notify error"],
                      BEGIN, [COME_4500, UP, CHILD_UP]], id="the key was put right"),
        pytest.param([[COME_4500, "parsed CREATE_CHILD_SA response 2 [ N(NO_PROP) ]",
                       "received NO_PROPOSAL_CHOSEN notify, no CHILD_SA built"],
                      [COME_4500, "parsed CREATE_CHILD_SA response 3 [ SA No KE TSi TSr ]", "inbound " + CHILD_UP]],
                     id="the next rekeying went well"),
        pytest.param([BEGIN, ["retransmit 1 of request with message ID 0", SEND],
                      [COME, "parsed IKE_SA_INIT response 0 [ SA KE No ]"]], id="slow, then an answer"),
        pytest.param([BEGIN, [COME, "parsed IKE_SA_INIT response 0 [ N(INVAL_KE) ]",
                              "peer didn't accept DH group ECP_384, it requested MODP_2048"], [COME_4500, UP, CHILD_UP]],
                     id="another group of ours was taken"),
    ],
)  # fmt: skip
def test_trouble_that_is_over_is_no_event(jobs):
    assert kinds(*jobs) == {}


def test_a_peer_that_died_is_dead_till_it_answers():
    """Charon tries anew, and again nothing comes: that it was there once is what tells it from a blocked port."""
    died = [COME_4500, UP], ["retransmit 2 of request with message ID 2", SEND_4500], ["giving up after 5 retransmits"]
    anew = BEGIN, ["retransmit 1 of request with message ID 0", SEND]
    assert set(kinds(*died, *anew)) == {"silent.dead", "silent.init"}
    assert kinds(*died, *anew, [COME, "parsed IKE_SA_INIT response 0 [ SA KE No ]"]) == {}


@pytest.mark.parametrize(
    ("received", "configured", "exchange", "differing"),
    [
        ("IKE:AES_CBC_256/HMAC_SHA2_256_128/PRF_HMAC_SHA2_256/MODP_2048",
         "IKE:AES_CBC_256/HMAC_SHA2_256_128/PRF_HMAC_SHA2_256/ECP_384", "IKE_SA_INIT", ["dh_group"]),
        ("IKE:AES_CBC_256/HMAC_SHA2_512_256/PRF_HMAC_SHA2_512/ECP_384",
         "IKE:AES_CBC_256/HMAC_SHA2_384_192/PRF_HMAC_SHA2_384/ECP_384", "IKE_SA_INIT", ["integrity", "prf"]),
        ("IKE:AES_CBC_128/HMAC_SHA1_96/PRF_HMAC_SHA1/MODP_1024, IKE:AES_GCM_16_256/PRF_HMAC_SHA2_384/ECP_256",
         "IKE:AES_GCM_16_256/PRF_HMAC_SHA2_384/ECP_384", "IKE_SA_INIT", ["dh_group"]),
        ("IKE:AES_CBC_128/AES_CBC_192/AES_CBC_256/HMAC_SHA2_256_128/PRF_HMAC_SHA2_256/ECP_256/MODP_3072",
         "IKE:3DES_CBC/HMAC_SHA2_256_128/PRF_HMAC_SHA2_256/MODP_3072", "IKE_SA_INIT", ["encryption"]),
        ("ESP:AES_CBC_128/HMAC_SHA2_256_128/NO_EXT_SEQ",
         "ESP:AES_CBC_256/HMAC_SHA2_256_128/ECP_384/NO_EXT_SEQ", "IKE_AUTH", ["encryption"]),
        ("ESP:AES_CBC_256/HMAC_SHA2_256_128/MODP_2048/NO_EXT_SEQ",
         "ESP:AES_CBC_256/HMAC_SHA2_256_128/ECP_384/NO_EXT_SEQ", "CREATE_CHILD_SA", ["pfs_group"]),
        ("ESP:AES_CBC_256/HMAC_SHA2_256_128/NO_EXT_SEQ",
         "ESP:AES_CBC_256/HMAC_SHA2_256_128/ECP_384/NO_EXT_SEQ", "CREATE_CHILD_SA", ["pfs_group"]),
        ("IKE:nonsense/more, ", "IKE:AES_CBC_256/HMAC_SHA2_256_128", "IKE_SA_INIT", ["encryption", "integrity"]),
    ],
)  # fmt: skip
def test_which_algorithm_differs(received, configured, exchange, differing):
    lines = [
        COME,
        f"parsed {exchange} request 0 [ SA ]",
        f"received proposals: {received}",
        f"configured proposals: {configured}",
    ]
    (event,) = kinds(lines).values()
    assert sorted(event["differing"]) == sorted(differing)


def test_whose_lines_they_are():
    wrong = "tried 1 shared key for 'a' - 'b', but MAC mismatched"
    other = ["received packet: from 198.51.100.9[4500] to 203.0.113.10[4500] (80 bytes)", wrong]
    assert kinds(other, alone=False) == {} == kinds(other, alone=True)
    assert "auth.key" in kinds([COME_4500, wrong], alone=False)
    named = log.read_file(file([wrong], name="prod/paris") + file([wrong], "08", name="test/berlin"))
    assert log.events(named, NAME, HUB, alone=True) == {}
    assert "auth.key" in log.events(log.read_file(file([wrong], name=NAME)), NAME, None, alone=False)
    assert kinds([wrong], alone=False) == {} and "auth.key" in kinds([wrong], alone=True)


def test_what_was_asked_for():
    (event,) = kinds([COME_4500, LOOKING, "no matching peer config found"]).values()
    assert event["ids"] == [HERE, "other.example"]
    bracket = LOOKING.replace("other.example", "x]y")
    (event,) = kinds([COME_4500, LOOKING], [COME_4500, bracket, "no matching peer config found"]).values()
    assert event["ids"] == []  # those of the one before are another's
    (event,) = kinds(
        [COME_4500, "traffic selectors 192.168.3.0/24 192.168.4.0/24 === 10.0.0.0/8 unacceptable"]
    ).values()
    assert event["subnets"] == [["192.168.3.0/24", "192.168.4.0/24"], ["10.0.0.0/8"]]


def test_an_id_of_the_other_end_cannot_write_a_line():
    """What a peer calls itself stands in the middle of a line, and only a line's beginning says what it is."""
    forged = "x received AUTHENTICATION_FAILED notify error"
    assert kinds([COME_4500, f"looking for peer configs matching {HERE}[{HERE}]...{HUB}[{forged}]"]) == {}


@pytest.mark.parametrize("before", ["", "Nov 23 07:01:25 ", "2026-11-23T07:01:25 berlin charon: "])
def test_lines_with_a_time(before):
    (entry,) = log.read_file(
        f"{before}07[IKE] <prod/berlin|3> received AUTHENTICATION_FAILED notify error\nno line of charon's\n"
    )
    assert entry == ("07", NAME, "received AUTHENTICATION_FAILED notify error")


def test_the_journal():
    lines = [
        json.dumps({"MESSAGE": "retransmit 1\u0007", "THREAD": "9", "IKE_SA_NAME": "prod/berlin"}),
        json.dumps({"MESSAGE": "11[IKE] could not decrypt payloads"}),
        json.dumps({"MESSAGE": [1, 2]}), json.dumps([]), "{cut", "",
    ]  # fmt: skip
    assert log.read_journal("\n".join(lines)) == [
        ("9", NAME, "retransmit 1?"),
        ("11", "", "could not decrypt payloads"),
    ]


def test_lines_of_an_sa_without_a_name():
    """With charon's `ike_name`, an SA that has no connection yet is logged by its number alone."""
    (entry,) = log.read_file("07[IKE] <5> no matching peer config found\n")
    assert entry == ("07", "", "no matching peer config found")
    wrong = file([COME_4500, LOOKING, "no matching peer config found"]).replace("] ", "] <5> ", 3)
    assert "auth.nobody" in log.events(log.read_file(wrong), NAME, HUB, alone=False)


@given(st.text(max_size=2000))
def test_nonsense_is_read_without_an_error(content):
    log.events(log.read_journal(content) + log.read_file(content + "\n07[IKE] " + content), NAME, HUB, alone=True)


def test_a_long_log_takes_bounded_time():
    """Half a megabyte, as much as is ever read, of lines that nearly match."""
    import time

    line = "07[IKE] traffic selectors " + "192.168.0.0/24 " * 200 + "=== x\n"
    content = line * (512 * 1024 // len(line))
    began = time.process_time()
    log.events(log.read_file(content), NAME, HUB, alone=True)
    assert time.process_time() - began < 3
