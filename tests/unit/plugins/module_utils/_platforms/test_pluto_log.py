# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pluto's own lines (4.10, against strongSwan), and what is read from them."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _pluto_log as log

HUB, NAME, CONN = "203.0.113.133", "prod/berlin", "bothends.prod.berlin.1"
LOADED = {
    "ike": {"encryption": ["aes-256"], "integrity": ["sha384"], "prf": ["sha384"], "dh_group": ["group20"]},
    "ipsec": {"encryption": ["aes-256"], "integrity": ["sha384"], "dh_group": ["group20"]},
}

# What a real pluto wrote.
BEGIN = ["initiating IKEv2 connection", f"sent IKE_SA_INIT request to {HUB}:500"]
AUTH = "sent IKE_AUTH request {cipher=AES_CBC_256 integ=HMAC_SHA2_384_192 prf=HMAC_SHA2_384 group=DH20}"
UP = f"initiator established IKE SA; authenticated peer using authby=secret and ID_IPV4_ADDR '{HUB}'"
CHILD_UP = (
    "initiator established Child SA using #1; IPsec tunnel [192.168.3.0-192.168.3.255:0-65535 0] -> [192.168.1.0-..."
)
NO_PROPOSAL = (
    "dropping unexpected IKE_SA_INIT message containing NO_PROPOSAL_CHOSEN notification;"
    " message payloads: N; missing payloads: SA,KE,Ni"
)
AGAIN = "STATE_V2_PARENT_I1: retransmission; will wait 0.5 seconds for response"
ASKED = [
    "proposal 1:IKE=AES_CBC_256-HMAC_SHA2_384-HMAC_SHA2_384_192-ECP_384 chosen from remote proposals 1:IKE:ENCR=AES_CBC_256...",
    "sent IKE_SA_INIT reply {cipher=AES_CBC_256 integ=HMAC_SHA2_384_192 prf=HMAC_SHA2_384 group=DH20}",
    "processing decrypted IKE_AUTH request: SK{IDi,N(INITIAL_CONTACT),IDr,AUTH,SA,TSi,TSr}",
]
THEY_UP = UP.replace("initiator", "responder")
NOT_EXPECTED = (
    f"packet from {HUB}:500: ISAKMP_v2_IKE_SA_INIT message received on 203.0.113.10:500"
    " but no suitable connection found with IKEv2 policy"
)
OTHER_GROUP = (
    "Discarding unauthenticated INVALID_KE_PAYLOAD response to DH DH20; suggested DH MODP2048 is not acceptable"
)
UNMATCHED = "no local proposal matches remote proposals "
OURS = "1:IKE:ENCR=AES_CBC_256;INTEG=HMAC_SHA2_384_192;PRF=HMAC_SHA2_384;DH=ECP_384"
CHILD = "1:ESP:ENCR=AES_CBC_256;INTEG=HMAC_SHA2_384_192;ESN=DISABLED"
IN_AUTH = (
    "IKE_AUTH responder matching remote ESP/AH proposals failed, responder SA processing returned NO_PROPOSAL_CHOSEN"
)
IN_REKEYING = IN_AUTH.replace("IKE_AUTH", "CREATE_CHILD_SA")
TIMEOUT = "60 second timeout exceeded after 7 retransmits.  No response (or no acceptable response) to our "
UNKNOWN = "cannot respond to IPsec SA request because no connection is known for "
# and in IKEv1
BEGIN_V1 = ["initiating IKEv1 Main Mode connection", "sent Main Mode request"]
AGAIN_V1 = "STATE_MAIN_I1: retransmission; will wait 0.5 seconds for response"
UP_V1 = "IKE SA established {auth=PRESHARED_KEY cipher=AES_CBC_256 integ=HMAC_SHA2_256 group=MODP2048}"
IGNORED = [
    "ignoring informational payload NO_PROPOSAL_CHOSEN, msgid=00000000, length=28",
    "received and ignored notification payload: NO_PROPOSAL_CHOSEN",
]
NOT_EXPECTED_V1 = (
    f"packet from {HUB}:500: initial Main Mode message received on 203.0.113.10:500"
    " but no connection has been authorized with policy PSK+IKEV1_ALLOW"
)
REFUSED = "IKE SA authentication request rejected by peer: AUTHENTICATION_FAILED"
FATAL = "encountered fatal error in state STATE_V2_PARENT_R1"


def file(lines, conn=CONN, number=1):
    """Write lines as pluto does in a file of its own; one that names its packet stays as it is."""
    stamp = "Nov 23 11:40:46.025858: "
    return "".join(
        f"{stamp}{line}\n" if line.startswith("packet from") else f'{stamp}"{conn}" #{number}: {line}\n'
        for line in lines
    )


def kinds(lines, connection=NAME, gateway=HUB, alone=True, configured=None):
    """Give the events, but for those that say nothing of trouble."""
    found = log.events(log.read_file(file(lines)), connection, gateway, alone, configured or LOADED)
    return {name: event for name, event in found.items() if not name.startswith(("attempt", "spoke", "up"))}


@pytest.mark.parametrize(
    ("lines", "event"),
    [
        pytest.param([*BEGIN, NO_PROPOSAL, AGAIN, NO_PROPOSAL, AGAIN], "ike.refused", id="IKE group, we began"),
        pytest.param([UNMATCHED + OURS.replace("ECP_384", "MODP2048"),
                      f"responding to IKE_SA_INIT message (ID 0) from {HUB}:500 with unencrypted notification NO_PROPOSAL_CHOSEN",
                      "encountered fatal error in state STATE_V2_PARENT_R0"], "ike.differs", id="IKE group, they began"),
        pytest.param([*BEGIN, OTHER_GROUP], "ike.group", id="DH group"),
        pytest.param([NOT_EXPECTED], "ike.not_expected", id="IKE version, or nobody is configured"),
        pytest.param([*BEGIN, AUTH, REFUSED, "encountered fatal error in state STATE_V2_PARENT_I2", *BEGIN, AUTH, REFUSED],
                     "auth.refused", id="key or id, we began"),
        pytest.param([*ASKED, f"authentication failed: computed hash does not match hash received from peer ID_IPV4_ADDR '{HUB}'",
                      f"responding to IKE_AUTH message (ID 1) from {HUB}:4500 with encrypted notification AUTHENTICATION_FAILED", FATAL],
                     "auth.key", id="key, they began"),
        pytest.param([*ASKED, f"Peer ID '{HUB}' mismatched on first found connection and no better connection found", FATAL],
                     "auth.nobody", id="the hub's id, they began"),
        pytest.param([*BEGIN, "authentication failed: no PSK found for '203.0.113.10'", "Failed to find our PreShared Key"],
                     "auth.no_key", id="no key for these ids"),
        pytest.param([*BEGIN, AUTH, UP, "IKE_AUTH response rejected Child SA with NO_PROPOSAL_CHOSEN"], "child.refused",
                     id="ESP cipher, we began"),
        pytest.param([*ASKED, THEY_UP, UNMATCHED + CHILD.replace("CBC_256", "CBC_128"), IN_AUTH], "child.differs",
                     id="ESP cipher, they began"),
        pytest.param([*BEGIN, AUTH, UP, "IKE_AUTH response rejected Child SA with TS_UNACCEPTABLE"], "child.subnets_refused",
                     id="subnets, we began"),
        pytest.param([*ASKED, THEY_UP, "No IKEv2 connection found with compatible Traffic Selectors"], "child.subnets",
                     id="subnets, they began"),
        pytest.param([UP, "CREATE_CHILD_SA failed with error notification NO_PROPOSAL_CHOSEN"], "rekey.refused", id="at the rekeying"),
        pytest.param([UP, "CREATE_CHILD_SA failed with error notification INVALID_KE_PAYLOAD"], "rekey.group", id="PFS group"),
        pytest.param([*BEGIN, AGAIN, AGAIN], "silent.init", id="nobody answers"),
        pytest.param([*BEGIN, f"STATE_V2_PARENT_I1: {TIMEOUT}first IKEv2 message"], "silent.init", id="nobody answered"),
        pytest.param([*BEGIN, AUTH, "STATE_V2_PARENT_I2: retransmission; will wait 0.5 seconds for response"], "silent.auth",
                     id="nobody answers on 4500"),
        pytest.param([UP, CHILD_UP, f"STATE_V2_ESTABLISHED_IKE_SA: {TIMEOUT}IKEv2 message",
                      "liveness action - restarting all connections that share this peer"],
                     "silent.dead", id="the peer died"),
        pytest.param([f"Initial Contact received, deleting old state #3 from connection '{CONN}' due to new IKE SA #5"],
                     "duplicate", id="duplicate"),
        pytest.param(["sendto on wan0 to 203.0.113.133:500 failed in STATE_V2_PARENT_I0: Network is unreachable (errno 101)"],
                     "send.failed", id="no route"),
        pytest.param(["NAT-Traversal: Result using RFC 3947 (NAT-Traversal) sender port 500: I am behind NAT"], "nat.here", id="NAT"),
        pytest.param(["NAT-Traversal: Result using RFC 3947 (NAT-Traversal) sender port 500: peer behind NAT"], "nat.there",
                     id="NAT there"),
        pytest.param([f"Can't authenticate: no preshared key found for `203.0.113.10' and `{HUB}'.  Attribute OAKLEY_PRESHARED_KEY"],
                     "auth.no_key", id="no key in IKEv1"),
        pytest.param(["message contains unsupported IKE major version '5'"], "ike.version", id="a version that nobody has"),
        pytest.param([UP, "deleting state (STATE_V2_ESTABLISHED_IKE_SA) aged 5.11s and sending notification"], "ended",
                     id="the router ended it"),
        pytest.param(["received Delete SA payload: self-deleting ISAKMP State #4"], "closed", id="the hub ended it"),
        pytest.param([NOT_EXPECTED_V1], "ike.not_expected", id="nobody is configured for IKEv1"),
        pytest.param([*BEGIN_V1, AGAIN_V1], "silent.init", id="nobody answers in IKEv1"),
        pytest.param(["STATE_MAIN_I3: retransmission; will wait 0.5 seconds for response"], "silent.auth", id="nor on 4500"),
        pytest.param([*BEGIN_V1, "sent Main Mode I3", "5743-byte length of ISAKMP Hash Payload is larger than can fit",
                      "malformed payload in packet", "STATE_MAIN_I3: retransmission; will wait 0.5 seconds for response"],
                     "auth.key_v1", id="IKEv1's key, we began"),
        pytest.param(["responding to Main Mode",
                      "probable authentication failure (mismatch of preshared secrets?): malformed payload in packet"],
                     "auth.key_v1", id="IKEv1's key, they began"),
        pytest.param([*BEGIN_V1, *IGNORED, AGAIN_V1, *IGNORED, AGAIN_V1], "ike.refused", id="IKEv1's proposal, we began"),
        pytest.param([*BEGIN_V1, UP_V1, "sent Quick Mode request", IGNORED[1]], "child.refused", id="ESP in IKEv1, we began"),
        pytest.param(["responding to Main Mode", "Oakley Transform [AES_CBC (256), HMAC_SHA2_256, MODP2048] refused",
                      "Oakley Transform [AES_CBC (128), HMAC_SHA2_256, DH31] refused",
                      "OAKLEY proposal refused: missing encryption", "no acceptable Oakley Transform"], "ike.differs",
                     id="IKEv1's proposal, they began"),
        pytest.param([f"{UNKNOWN}192.168.3.0/24===203.0.113.10...203.0.113.133===10.0.0.0/8"], "child.subnets", id="subnets in IKEv1"),
    ],
)  # fmt: skip
def test_what_pluto_wrote(lines, event):
    assert list(kinds(lines)) == [event]


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([], id="nothing"),
        pytest.param([*BEGIN, AUTH, UP, CHILD_UP], id="all is well"),
        pytest.param([*ASKED, THEY_UP, CHILD_UP.replace("initiator", "responder")], id="all is well, they began"),
        pytest.param([*BEGIN, AGAIN, AUTH, UP, CHILD_UP], id="slow, then well"),
        pytest.param([*BEGIN, NO_PROPOSAL, AGAIN, *BEGIN, AUTH, UP, CHILD_UP], id="the group was put right"),
        pytest.param([*BEGIN, AUTH, REFUSED, *BEGIN, AUTH, UP, CHILD_UP], id="the key was put right"),
        pytest.param([UP, "CREATE_CHILD_SA failed with error notification NO_PROPOSAL_CHOSEN",
                      "initiator rekeyed Child SA #42 using #41; IPsec tunnel [192.168.3.0-...]"], id="the next rekeying went well"),
        pytest.param(["proposal 2:IKE=AES_CBC_256-HMAC_SHA2_384-HMAC_SHA2_384_192-MODP3072 chosen from remote proposals 1:IKE:ENCR=...",
                      "initiator guessed wrong keying material group (ECP_384); responding with INVALID_KE_PAYLOAD requesting MODP3072",
                      f"responding to IKE_SA_INIT message (ID 0) from {HUB}:500 with unencrypted notification INVALID_KE_PAYLOAD",
                      *ASKED, THEY_UP], id="another group was taken"),
        pytest.param([*BEGIN_V1, AGAIN_V1, UP_V1, "IPsec SA established tunnel mode {ESPinUDP=>0xa48d667c <0x9b462e70}"], id="IKEv1"),
        pytest.param(["deleting state (STATE_V2_ESTABLISHED_IKE_SA) aged 5.11s and sending notification", *BEGIN, AUTH, UP, CHILD_UP],
                     id="ended, and begun again"),
        pytest.param([UP, CHILD_UP, "deleting established Child SA using IKE SA #41", "ESP traffic information: in=0B out=0B"],
                     id="a replaced child goes"),
    ],
)  # fmt: skip
def test_trouble_that_is_over_is_no_event(lines):
    assert kinds(lines) == {}


@pytest.mark.parametrize(
    ("lines", "differing"),
    [
        ([UNMATCHED + OURS.replace("ECP_384", "MODP2048")], ["dh_group"]),
        ([UNMATCHED + OURS.replace("AES_CBC_256", "AES_GCM_C_256") + " 2:IKE:ENCR=3DES;DH=MODP1024..."], ["encryption"]),
        ([UNMATCHED + OURS.replace("SHA2_384", "SHA2_512").replace("_192", "_256")], ["integrity", "prf"]),
        ([UNMATCHED + CHILD.replace("384_192", "256_128"), IN_AUTH], ["integrity"]),
        ([UNMATCHED + CHILD.replace("ESN", "DH=MODP2048;ESN"), IN_REKEYING], ["pfs_group"]),
        ([UNMATCHED + CHILD, IN_REKEYING], ["pfs_group"]),
        (["Oakley Transform [AES_CBC (256), HMAC_SHA2_384, MODP2048] refused",
          "Oakley Transform [3DES_CBC (192), HMAC_SHA1, MODP1024] refused", "no acceptable Oakley Transform"], ["dh_group"]),
    ],
)  # fmt: skip
def test_which_algorithm_differs(lines, differing):
    v1 = {phase: {field: words for field, words in LOADED[phase].items() if field != "prf"} for phase in LOADED}
    (event,) = kinds(lines, configured=v1 if "Oakley" in lines[0] else LOADED).values()
    assert sorted(event["differing"]) == sorted(differing)


def test_algorithms_have_our_names():
    said = (
        "no local proposal matches remote proposals 1:IKE:ENCR=AES_GCM_C_256;ENCR=AES_CCM_A_128;PRF=HMAC_SHA2_512;PRF=AES128_XCBC;"
        "INTEG=NONE;DH=ECP_521;DH=CURVE25519;DH=BRAINPOOL_P256R1[first-match] 2:IKE:ENCR=CHACHA20_POLY1305;CUT=..."
    )
    assert log.proposals(said) == [
        {"encryption": ["aes-256-gcm-16", "aes-128-ccm-8"], "prf": ["sha512", "aes-xcbc"],
         "dh_group": ["group21", "group31", "BRAINPOOL_P256R1"]}
    ]  # fmt: skip


def test_whose_lines_they_are():
    """By the connection's name; a packet that belongs to none, by the gateway that it came from."""
    assert kinds([REFUSED], connection="prod/paris") == {} == kinds([REFUSED], connection="test/berlin")
    assert kinds([NOT_EXPECTED.replace(HUB, "198.51.100.9")]) == {}
    assert "ike.not_expected" in kinds([NOT_EXPECTED], alone=False)
    assert (
        "ike.not_expected" in kinds([NOT_EXPECTED], gateway=None)
        and kinds([NOT_EXPECTED], gateway=None, alone=False) == {}
    )
    six = [NOT_EXPECTED.replace(f"{HUB}:500", "[2001:db8::9]:500")]
    assert "ike.not_expected" in kinds(six, gateway="2001:db8::9", alone=False)
    others = log.read_file(file([REFUSED], conn="roadwarriors"))
    assert others == []


def test_what_was_asked_for():
    (event,) = kinds(
        ["Peer ID '@other.example' mismatched on first found connection and no better connection found"]
    ).values()
    assert "@other.example" in event["said"]
    ends = "192.168.3.0/24===203.0.113.10<203.0.113.10>...203.0.113.133<203.0.113.133>===10.0.0.0/8"
    (event,) = kinds([UNKNOWN + ends]).values()
    assert event["subnets"] == [["192.168.3.0/24"], ["10.0.0.0/8"]]


def test_an_id_of_the_other_end_cannot_write_a_line():
    """What a peer calls itself stands in the middle of a line, and only a line's beginning says what it is."""
    forged = f'x "{CONN}" #1: {REFUSED}'
    assert kinds([f"Peer ID is ID_FQDN: '@{forged}'"]) == {}
    assert log.read_file(f"Nov 23 11:40:46.025858: who is {forged}\n") == []


@pytest.mark.parametrize(
    "before",
    [
        "",
        "Nov 23 11:40:46.025858: ",
        "Nov  3 07:01:25 berlin pluto[812]: ",
        "2026-11-23T07:01:25.123+00:00 berlin pluto[812]: ",
        "003 ",
    ],
)
def test_lines_of_each_kind_of_log(before):
    (entry,) = log.read_file(f'{before}"{CONN}" #7: {REFUSED}\nno line of pluto\'s\n')
    assert entry == (NAME, "", REFUSED)
    (entry,) = log.read_file(f'{before}"{CONN}"[2] {HUB} #7: {REFUSED}')
    assert entry == (NAME, "", REFUSED)


def test_the_journal():
    lines = [
        json.dumps({"MESSAGE": f'"{CONN}" #1: {REFUSED}\u0007'}), json.dumps({"MESSAGE": [1, 2]}), json.dumps([]), "{cut", "",
    ]  # fmt: skip
    assert log.read_journal("\n".join(lines)) == [(NAME, "", REFUSED + "?")]


@pytest.mark.parametrize(
    "answer", [AUTH, REFUSED, "IKE_AUTH response rejected Child SA with NO_PROPOSAL_CHOSEN", IGNORED[1]]
)
def test_an_answer_ends_the_silence(answer):
    assert "silent.init" in kinds([*BEGIN, AGAIN])
    assert "silent.init" not in kinds([*BEGIN, AGAIN, answer])


@given(st.text(max_size=2000))
def test_nonsense_is_read_without_an_error(content):
    entries = log.read_journal(content) + log.read_file(f'{content}\n"{CONN}" #1: {content}')
    entries += log.read_file(file([f"no local proposal matches remote proposals 1:IKE:{content}"]))
    log.events(entries, NAME, HUB, alone=True, configured=LOADED)


def test_a_long_log_takes_bounded_time():
    """Half a megabyte, as much as is ever read, of lines that nearly match."""
    line = file(["no local proposal matches remote proposals " + "1:IKE:" + "ENCR=AES_CBC_256;" * 100 + " x" * 1000])
    content = (
        line + file(["cannot respond to IPsec SA request because no connection is known for " + "=" * 3000])
    ) * 100
    began = time.process_time()
    log.events(log.read_file(content[: 512 * 1024]), NAME, HUB, alone=True, configured=LOADED)
    assert time.process_time() - began < 3
