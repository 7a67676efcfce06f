# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A daemon that hangs is told as that, soon; one that is not there, and one that answers, is not; nonsense is told, or is nothing."""

from __future__ import annotations

import contextlib
import time

import pytest

from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _libreswan, _strongswan_proof, _swanctl

PLATFORMS = {
    "charon": (_swanctl, _swanctl.Swanctl, [_swanctl.Swanctl.born, _strongswan_proof.sas], "restart strongswan"),
    "pluto": (_libreswan, _libreswan.Pluto, [_libreswan.Pluto.born, _libreswan.Pluto.sas], "restart ipsec"),
}


@pytest.fixture(params=PLATFORMS)
def daemon(request, tmp_path, monkeypatch):
    """A platform's program that does what a test says: the questions to it, what is said where it hangs, and the remedy."""
    room, kind, questions, remedy = PLATFORMS[request.param]
    plain = kind.run
    monkeypatch.setattr(kind, "run", lambda self, *given, seconds=60: plain(self, *given, seconds=min(seconds, 1)))
    (tmp_path / "pluto.ctl").write_text("")
    program = tmp_path / "program"

    def ask(does):
        program.write_text(f"#!/bin/sh\n{does}\n")
        program.chmod(0o755)
        there = kind(str(program), str(tmp_path), str(tmp_path))
        for question in questions:
            yield lambda question=question: question(there)

    return ask, f"the daemon {request.param} did not answer within {room.ANSWER} s: ", remedy


def test_a_daemon_that_hangs(daemon):
    ask, hangs, remedy = daemon
    for question in ask("exec sleep 60"):
        began = time.monotonic()
        with pytest.raises(VpnError) as caught:
            question()
        assert time.monotonic() - began < 20
        assert str(caught.value).startswith(hangs)
        assert remedy in str(caught.value)


def test_a_daemon_that_is_not_there(daemon):
    ask, _hangs, _remedy = daemon
    for question in ask("echo unable to connect >&2; exit 1"):
        with pytest.raises(VpnError) as caught:
            question()
        assert "did not answer within" not in str(caught.value) and "unable to connect" in str(caught.value)


@pytest.mark.parametrize(
    "nonsense",
    [
        "printf 'stats reply {uptime=x plugins=x}\\nlist-sa event {a=b}\\n'",
        "printf 'stats reply {uptime=[x] plugins {}}\\nlist-sa event {a {uniqueid=x}}\\n'",
        "printf 'list-sa event {'; yes 'a {' | head -n 5000 | tr '\\n' ' '",
        "printf 'stats reply {'; yes 'a {' | head -n 5000 | tr '\\n' ' '",
        "head -c 100000 /dev/zero | tr '\\0' a; printf '\\nlist-sa event {'; head -c 100000 /dev/zero | tr '\\0' a",
        'printf \'000 "a": b===c===d; eroute owner: #\\n000 #1: "bothends.prod.berlin.1" STATE_X \\n\'',
        "head -c 20000 /dev/urandom",
    ],
)
def test_a_daemon_that_talks_nonsense(daemon, nonsense):
    """Soon, and in words that are ours."""
    ask, _hangs, _remedy = daemon
    for question in ask(nonsense):
        began = time.monotonic()
        with contextlib.suppress(VpnError):
            question()
        assert time.monotonic() - began < 20


def test_a_daemon_that_answers(daemon):
    ask, _hangs, _remedy = daemon
    for question in ask("echo 'stats reply {}'"):
        question()
