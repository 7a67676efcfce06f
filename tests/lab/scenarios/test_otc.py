# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The document's example in Open Telekom Cloud's dialect, by a front to the same cloud, with traffic. In this order.

What module hub does at each provider, whatever changes, is shown without playbooks in `test_hub.py`.
"""

from __future__ import annotations

import functools

import pytest

from .conftest import DESCRIPTION, changed_sites, planned_steps, writes

HUB = {**DESCRIPTION["vpn_hubs"]["prod"], "cloud": "lab-otc", "provider": "otc"}
KEYS = {"first": "the-first-key-of-berlin-1", "second": "the-second-key-of-berlin-2"}
SECOND = {"vpn_psks": {"berlin": KEYS["second"]}, "vpn_sites": changed_sites(psk_generation=2)}
CONNECTIONS = "vpn/ipsec-site-connections"


@pytest.fixture(scope="module", autouse=True)
def fresh(lab):
    lab.reset()
    yield
    lab.reset()


@pytest.fixture(scope="module")
def run(playbook):
    """A way to run playbooks with the hub at the front."""
    return functools.partial(playbook, vpn_hubs={"prod": HUB}, vpn_psks={"berlin": KEYS["first"]})


@pytest.fixture(scope="module")
def planned(fresh, lab, run):
    mark = lab.mark()
    return run("site", "--check", "--diff"), writes(lab, mark)


@pytest.fixture(scope="module")
def first(planned, run):
    return run("site", "--diff", "-vvv")


def connection(lab):
    """As it is stored behind the front."""
    [one] = lab.api().list(CONNECTIONS)
    return one


def test_check_mode_says_what_the_real_run_does_and_writes_nothing(planned, first):
    run, written = planned
    assert written == [] and planned_steps(run.output)
    assert "is known once its VPN is there" in " ".join(run.output.split()), "the hub's address"
    assert planned_steps(first.output) == planned_steps(run.output)


def test_hosts_on_both_sides_talk(first, lab):
    for source, address in (("berlin-plant", "192.168.2.10"), ("app1", "192.168.3.10")):
        assert lab.wait_for_ping(source, address, seconds=20), f"{source} does not reach {address}"


def test_no_key_is_in_any_output(planned, first):
    assert KEYS["first"] not in planned[0].output + first.output


def test_the_second_run_changes_nothing(first, lab, run):
    mark = lab.mark()
    again = run("site")
    assert again.changed == 0
    assert writes(lab, mark) == []
    assert again.verdicts == {"prod/berlin/1": "up"}
    told = " ".join(again.output.split())
    assert "whether its keys are, nobody can tell" in told and "The cloud of prod does not give keys back" in told


def test_another_key_is_sent_with_another_generation(first, lab, run):
    changed = run("site", **SECOND)
    assert changed.verdicts == {"prod/berlin/1": "up"}
    assert (connection(lab)["psk"], connection(lab)["name"]) == (KEYS["second"], "prod/berlin/1#2")
    assert KEYS["second"] not in changed.output
    proof = run("verify", verify_active=True, verify_sa_timeout=8, **SECOND)
    assert proof.verdicts == {"prod/berlin/1": "proven"}


def test_keys_are_sent_again_on_request(first, lab, run):
    there = connection(lab)
    lab.api().update(CONNECTIONS, there["id"], "ipsec_site_connection", psk="what-somebody-typed")
    assert run("cloud", vpn_send_psks=True, **SECOND).changed
    assert connection(lab)["psk"] == KEYS["second"]


def nothing_left(lab):
    assert {kind: lab.api().list(f"vpn/{kind}") for kind in ("ikepolicies", "ipsecpolicies", "vpnservices", "endpoint-groups")} == {
        "ikepolicies": [], "ipsecpolicies": [], "vpnservices": [], "endpoint-groups": [],
    }  # fmt: skip
    assert lab.api().list(CONNECTIONS) == []
    assert not [one for one in lab.api().list("security-group-rules") if "bothends.vpn" in (one["description"] or "")]


def test_absent_removes_exactly_what_was_made(first, lab, run):
    gone = changed_sites(state="absent")
    assert run("site", vpn_sites=gone).changed
    nothing_left(lab)
    assert run("cloud", vpn_sites=gone).changed == 0
