# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The document's example in Open Telekom Cloud's dialect: the same life, by a front to the same cloud. In this order."""

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


@pytest.mark.parametrize(
    ("cloud", "provider", "said"),
    [("lab-otc", "neutron", "Set it to otc"), ("lab", "otc", "Set it to neutron")],
)
def test_a_wrong_provider_is_told_before_anything_is_written(lab, playbook, cloud, provider, said):
    mark = lab.mark()
    run = playbook("cloud", ok=False, vpn_hubs={"prod": {**HUB, "cloud": cloud, "provider": provider}})
    assert said in " ".join(run.output.split())
    assert writes(lab, mark) == []


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


def test_subnets_change_in_place(first, lab, run):
    before = connection(lab)["id"]
    fewer = changed_sites(subnets=["192.168.3.0/24"], probe=None)
    changed = run("site", vpn_sites=fewer)
    assert changed.changed and changed.verdicts == {"prod/berlin/1": "up"}
    assert connection(lab)["id"] == before
    assert not lab.ping("berlin-plant", "192.168.1.10", count=1)
    assert lab.wait_for_ping("berlin-pc", "192.168.1.10", seconds=20)


def test_another_key_is_sent_with_another_generation(first, lab, run):
    """It cannot be compared: without one nothing is noticed. The subnets come back in the same run."""
    before = planned_steps(run("cloud", "--check").output)
    assert planned_steps(run("cloud", "--check", vpn_psks=SECOND["vpn_psks"]).output) == before
    changed = run("site", **SECOND)
    assert changed.verdicts == {"prod/berlin/1": "up"}
    assert (connection(lab)["psk"], connection(lab)["name"]) == (KEYS["second"], "prod/berlin/1#2")
    assert KEYS["second"] not in changed.output
    proof = run("verify", verify_active=True, verify_sa_timeout=8, **SECOND)
    assert proof.verdicts == {"prod/berlin/1": "proven"}
    assert run("cloud", **SECOND).changed == 0


def test_keys_are_sent_again_on_request(first, lab, run):
    there = connection(lab)
    lab.api().update(CONNECTIONS, there["id"], "ipsec_site_connection", psk="what-somebody-typed")
    assert run("cloud", **SECOND).changed == 0, "nobody can know"
    assert run("cloud", vpn_send_psks=True, **SECOND).changed
    assert connection(lab)["psk"] == KEYS["second"]


def test_another_policy_takes_the_old_connection_away_first(first, lab, run):
    """There may be one to a gateway. The first key comes back with it."""
    before, mark = connection(lab)["id"], lab.mark()
    policies = {"strong": {"ike": {"dh_group": "group19"}, "ipsec": {"pfs_group": "group19"}}}
    run("cloud", ok=False, vpn_policies=policies)
    assert connection(lab)["id"] == before
    changed = run("site", vpn_policies=policies, vpn_allow_disruption=True)
    assert changed.verdicts == {"prod/berlin/1": "up"}
    assert connection(lab)["id"] != before
    assert (connection(lab)["psk"], connection(lab)["name"]) == (KEYS["first"], "prod/berlin/1")
    assert [one.method for one in writes(lab, mark) if CONNECTIONS in one.path] == ["DELETE", "POST"]


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
