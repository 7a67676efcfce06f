# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A continuous ping counts what it should: nothing where nothing is lost, and every packet that is dropped."""

from __future__ import annotations

import time

import pytest

from bothends_lab import Lab, LabError
from bothends_lab.flow import Heard, heard, longest_silence

SERVER, GATEWAY = "app1", "192.168.1.1"

WRITTEN = [
    pytest.param("PING 192.168.1.1 (192.168.1.1) 56(84) bytes of data.\n", Heard(), id="nothing yet"),
    pytest.param(
        "[10.5] 64 bytes from 192.168.1.1: icmp_seq=1 ttl=64 time=0.1 ms\n[10.7] no answer yet for icmp_seq=2\n",
        Heard(2, {1: 10.5}),
        id="one missing",
    ),
    pytest.param(
        "[10.7] no answer yet for icmp_seq=1\n[10.8] 64 bytes from 192.168.1.1: icmp_seq=1 ttl=64 time=300 ms\n",
        Heard(1, {1: 10.8}),
        id="late",
    ),
    pytest.param(
        "[10.5] 64 bytes from 192.168.1.1: icmp_seq=1 ttl=64 time=0.1 ms\n"
        "[10.6] 64 bytes from 192.168.1.1: icmp_seq=1 ttl=64 time=0.1 ms (DUP!)\n",
        Heard(1, {1: 10.5}),
        id="twice",
    ),
    pytest.param(
        "[10.5] From 192.168.3.1 icmp_seq=3 Destination Host Unreachable\n", Heard(3, {}), id="a router's refusal"
    ),
    pytest.param("ping: sendmsg: Operation not permitted\n", Heard(), id="not sent"),
]


@pytest.mark.parametrize(("text", "expected"), WRITTEN)
def test_what_ping_writes(text, expected):
    assert heard(text) == expected


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        pytest.param([1, 2, 5, 9], 4, id="between two"),
        pytest.param([5, 6, 9], 5, id="at the beginning"),
        pytest.param([1, 2, 3], 7, id="at the end"),
        pytest.param([1, 2, 4, 6, 8, 9, 40], 2, id="one after the end"),
        pytest.param([], 10, id="none"),
    ],
)
def test_the_longest_silence(answers, expected):
    assert longest_silence(0, 10, answers) == expected


@pytest.fixture(scope="module")
def lab():
    return Lab.load()


@pytest.fixture
def dropped(lab):
    """Lets a server lose all packets to its gateway, or some seconds later none; leaves nothing."""
    table = "table inet test_flow"

    def drop(lost: bool) -> None:
        chain = f"chain out {{ type filter hook output priority 0; ip daddr {GATEWAY} drop; }}"
        text = f"{table} {{\n{chain}\n}}\n" if lost else f"delete {table}\n"
        lab.run(SERVER, ["nft", "-f", "-"], stdin=text)

    yield drop
    lab.run(SERVER, ["nft", "delete", *table.split()], check=False)


def test_nothing_is_lost_where_nothing_happens(lab):
    with lab.flow(SERVER, GATEWAY) as flow:
        time.sleep(2)
    assert flow.lost == 0, str(flow)
    assert 20 <= flow.sent == flow.received
    assert 0 < flow.longest_gap < 1000


def test_every_packet_that_is_dropped_is_counted(lab, dropped):
    with lab.flow(SERVER, GATEWAY) as flow:
        time.sleep(0.5)
        dropped(True)
        time.sleep(1.5)
        dropped(False)
        time.sleep(0.5)
    assert 15 <= flow.lost <= 45, str(flow)
    assert flow.received >= 5
    assert 1400 <= flow.longest_gap < 3000, str(flow)


def test_what_is_still_lost_at_the_end_is_counted(lab, dropped):
    with lab.flow(SERVER, GATEWAY) as flow:
        time.sleep(0.5)
        dropped(True)
        time.sleep(1)
    assert flow.lost >= 10, str(flow)
    assert flow.longest_gap >= 900, str(flow)


def test_a_flow_that_can_not_begin_says_so(lab):
    with pytest.raises(LabError, match="does not begin"), lab.flow(SERVER, "no-such-name"):
        pass


def test_a_flow_leaves_no_ping(lab):
    with lab.flow(SERVER, GATEWAY):
        assert lab.run(SERVER, ["pgrep", "-x", "ping"]).stdout
    assert lab.run(SERVER, ["pgrep", "-x", "ping"], check=False).stdout == ""
