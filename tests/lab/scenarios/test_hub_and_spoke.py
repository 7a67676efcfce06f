# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two hubs, four sites, three policies, one site behind both hubs: from nothing to proven tunnels. In this order."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import time

import pytest
import yaml

from .conftest import HUB_AND_SPOKE, ROOT, described, make_anew, planned_steps, sites_with, writes

DESCRIPTION = described(HUB_AND_SPOKE)
STANDARD, FAST, OLD = (
    ("aes-256/sha256/group14", "aes-256/sha256/group14"),
    ("aes-256-gcm-16/sha384/group20", "aes-256-gcm-16/group20"),
    ("aes-128/sha256/group14", "aes-128/sha256/group14"),
)
TUNNELS = {
    "prod/berlin/1": STANDARD,
    "prod/paris/1": FAST,
    **{f"prod/rome/{number}": OLD for number in (1, 2, 3, 4)},
    "prod/oslo/1": STANDARD,
    "test/oslo/1": STANDARD,
}
PAIRS = [
    ("berlin-plant", "192.168.2.10"),
    ("paris-pc", "192.168.1.10"),
    ("rome-till", "192.168.2.10"),
    ("oslo-pc", "192.168.1.10"),
    ("oslo-pc", "192.168.11.10"),
    ("test1", "192.168.8.10"),
    ("app1", "192.168.5.10"),
]
# What no tunnel carries: from site to site by a hub, from hub to hub by a site, from a site to a hub that it has not.
APART = [
    ("berlin-pc", "192.168.5.10"),
    ("paris-pc", "192.168.3.10"),
    ("rome-pc", "192.168.8.10"),
    ("app1", "192.168.11.10"),
    ("test1", "192.168.1.10"),
    ("berlin-pc", "192.168.11.10"),
    ("test1", "192.168.5.10"),
]


@pytest.fixture(scope="module")
def example():
    return HUB_AND_SPOKE


@pytest.fixture(scope="module", autouse=True)
def fresh(lab):
    lab.reset()
    yield
    lab.reset()


@pytest.fixture(scope="module")
def planned(fresh, lab, playbook):
    """What check mode says before anything is there."""
    mark = lab.mark()
    return playbook("site", "--check", "--diff"), writes(lab, mark)


@pytest.fixture(scope="module")
def first(planned, playbook):
    """The first real run."""
    return playbook("site", "--diff", "-vvv")


def test_check_mode_says_what_the_real_run_does_and_writes_nothing(planned, first, lab):
    run, written = planned
    assert written == []
    assert planned_steps(run.output)
    # The hubs work side by side, and whoever is done first shows its table first.
    assert sorted(planned_steps(first.output)) == sorted(planned_steps(run.output))


def test_hosts_on_all_sides_talk(first, lab):
    for source, address in PAIRS:
        assert lab.wait_for_ping(source, address, seconds=20), f"{source} does not reach {address}"


def test_nothing_passes_that_is_not_described(first, lab):
    """Nor would a firewall on the way hide it: in these VPCs and sites the same hosts answer others."""
    assert [pair for pair in APART if lab.ping(*pair, count=1).received] == []


def test_no_key_is_in_any_output(planned, first):
    keys = yaml.safe_load((HUB_AND_SPOKE / "psks.yml").read_text())
    keys["master"] = (HUB_AND_SPOKE / "master.key").read_text().strip()
    for name, key in keys.items():
        assert key not in planned[0].output + first.output, f"the key of {name}"


def test_each_end_of_each_connection_has_the_key_made_for_it(first, lab):
    """The scan above could only find keys that are there at all; oslo's two are derived, and differ."""
    secrets = {}
    for router in ("berlin", "paris", "rome", "oslo"):
        text = lab.file(router, f"/etc/swanctl/conf.d/bothends-vpn-{router}.conf").read_text()
        secrets[router] = [
            base64.b64decode(secret).decode() for secret in re.findall(r'secret = "?0s([A-Za-z0-9+/=]+)', text)
        ]
    keys = yaml.safe_load((HUB_AND_SPOKE / "psks.yml").read_text())
    for router in ("berlin", "paris", "rome"):
        assert secrets[router] == [keys[f"prod/{router}"]]
    assert len(set(secrets["oslo"])) == 2


def test_every_tunnel_is_proven_with_its_own_policy(first, playbook):
    run = playbook.prove()
    assert run.verdicts == dict.fromkeys(TUNNELS, "proven"), run.why
    assert {row["tunnel"]: (row["ike"], row["ipsec"]) for row in run.rows} == TUNNELS


def test_a_users_own_scenario(first, lab):
    """What a user tests a description with: brought about again (nothing to do by now), the same once more, verified."""
    done = subprocess.run(
        ["molecule", "test", "--scenario-name", "hub_and_spoke"],
        cwd=ROOT,
        env={
            **os.environ,
            "OS_CLIENT_CONFIG_FILE": str(lab.clouds_yaml),
            "OS_CLOUD": "lab",
            "BOTHENDS_LAB_INVENTORY": str(lab.inventory),
        },
        stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=500, check=False,
    )  # fmt: skip
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]


def _ages(lab, router: str) -> list[int]:
    """How old the SAs of a router's tunnels are, in seconds."""
    return [int(age) for age in re.findall(r" installed (\d+)s ago", lab.run(router, ["swanctl", "--list-sas"]).stdout)]


def test_an_sa_that_the_cloud_counts_for_a_connection_that_is_gone(first, lab, playbook):
    """Its strongSwan goes on with the SA of the one before, and never calls the new one up: only another SA ends that.

    So it is after two runs at once made a connection twice, and after a run that was killed before it came to the routers.
    """
    make_anew(lab, "prod/rome/1")
    while min(ages := _ages(lab, "rome")) <= 60:
        time.sleep(61 - min(ages))
    run = playbook("verify", ok=False)
    assert {tunnel for tunnel, verdict in run.verdicts.items() if verdict != "up"} == {"prod/rome/1"}, run.why
    [causes] = [row["causes"] for row in run.rows if row["tunnel"] == "prod/rome/1"]
    assert [one["code"] for one in causes] == ["not_counted"]
    assert lab.ping("rome-pc", "192.168.1.10")
    planned, run = playbook("site", "--check"), playbook("site")
    assert (planned.changed, run.changed) == (1, 1)
    assert run.verdicts == dict.fromkeys(TUNNELS, "up"), run.why
    assert playbook("site").changed == 0


def test_a_wrong_key_comes_into_force_nowhere_and_verify_says_so(first, lab, playbook):
    """Another generation of oslo's key at the router, not in the clouds: both its tunnels, and no other one.

    What carries is not given up for a key that nobody knows, and verify does not say that all is well.
    """
    changed = sites_with(DESCRIPTION, "oslo", psk_generation=3)
    run = playbook("routers", "--limit", "oslo", "-e", "site_router_timeout=8", ok=False, vpn_sites=changed)
    wrong = {"prod/oslo/1", "test/oslo/1"}
    assert set(re.findall(r"(\S+): received AUTHENTICATION_FAILED.*The old SA still carries", run.output)) >= wrong
    run = playbook("verify")
    assert run.verdicts == {tunnel: "pending" if tunnel in wrong else "up" for tunnel in TUNNELS}
    assert playbook("routers", "--limit", "oslo").changed
    assert lab.wait_for_ping("oslo-pc", "192.168.1.10", seconds=20)


@pytest.mark.parametrize("active", [False, True], ids=["read", "proof"])
def test_a_router_that_hangs_has_failed_and_the_others_are_told(first, lab, playbook, active):
    """charon is stopped, not ended: whoever asks it waits."""
    pid = lab.run("oslo", ["pidof", "charon", "charon-systemd"], check=False).stdout.split()
    assert pid
    lab.run("oslo", ["kill", "-STOP", *pid])
    try:
        # Without the hub's end of it, so that its own is all that can tell.
        run = playbook("verify", "--limit", "oslo,paris", ok=False, verify_active=active, verify_sa_timeout=8)
    finally:
        lab.run("oslo", ["kill", "-CONT", *pid])
    other = "proven" if active else "up"
    assert run.verdicts == {"prod/oslo/1": "failed", "test/oslo/1": "failed", "prod/paris/1": other}, run.why
    assert run.why.count("router oslo: the daemon charon did not answer within") == 2 and "restart" in run.why
    assert lab.wait_for_ping("oslo-pc", "192.168.1.10", seconds=60)


def test_a_cloud_that_does_not_answer_costs_its_own_sites_only(first, lab, playbook):
    """Without the hubs' part, whose hosts a limit or a slice may not have: hub test cannot be asked where it is."""
    hubs = {**DESCRIPTION["vpn_hubs"], "test": {**DESCRIPTION["vpn_hubs"]["test"], "cloud": "nowhere"}}
    run = playbook("verify", "--limit", "vpn_routers", ok=False, vpn_hubs=hubs)
    assert run.verdicts == {tunnel: "failed" if tunnel == "test/oslo/1" else "up" for tunnel in TUNNELS}, run.why
    assert "the cloud did not answer" in run.why and "nowhere" in run.output
    rewrite = {"dpd": {"interval": 25}}
    sites = {name: {**site, **rewrite} for name, site in DESCRIPTION["vpn_sites"].items() if name in ("oslo", "paris")}
    run = playbook("routers", "--limit", "oslo,paris", "--check", ok=False, vpn_hubs=hubs, vpn_sites=sites)
    assert "Nothing was touched of oslo" in run.output
    assert run.changed  # of paris only, as the play ends for oslo before it has its file
    assert re.search(r"^paris .*failed=0", run.output, re.MULTILINE)
    assert re.search(r"^oslo .*changed=0.*failed=1", run.output, re.MULTILINE)


FEWER = sites_with(DESCRIPTION, "oslo", hubs=["test"], probe=[{"from": "192.168.8.10", "to": "192.168.11.10"}])


def test_a_site_leaves_one_of_its_hubs(first, lab, playbook):
    """What oslo has with the other hub carries on, on the same SAs and without losing a packet; both stand in one file."""

    def carrying() -> list[str]:
        return re.findall(r"^ *(test/oslo\S*: #\d+),", lab.run("oslo", ["swanctl", "--list-sas"]).stdout, re.MULTILINE)

    before = carrying()
    assert len(before) == 2
    with lab.flow("oslo-pc", "192.168.11.10") as kept, lab.flow("paris-pc", "192.168.1.10") as neighbour:
        run = playbook("site", ok=None, vpn_sites=FEWER, hub_purge=True, hub_allow_disruption=True)
    assert run.status == 0, run.output[-3000:]
    assert set(run.verdicts) == set(TUNNELS) - {"prod/oslo/1"}
    assert not lab.ping("oslo-pc", "192.168.1.10", count=1)
    assert carrying() == before
    assert (kept.lost, neighbour.lost) == (0, 0), f"{kept}; {neighbour}"


def test_it_leaves_the_hub_after_a_restart_too(first, lab, playbook):
    """What charon has read by itself no run remembers. A check says what goes, though the old file is still there."""
    routers = ("routers", "--limit", "oslo", "--diff")
    playbook(*routers, "-e", "site_router_activate=false")
    lab.restart_router("oslo")
    assert "prod/oslo:" in lab.run("oslo", ["swanctl", "--list-conns"]).stdout
    planned, run = playbook(*routers, "--check", vpn_sites=FEWER), playbook(*routers, vpn_sites=FEWER)
    assert "prod/oslo: unload" in planned.output and "prod/oslo: unload" in run.output
    assert "prod/oslo:" not in lab.run("oslo", ["swanctl", "--list-conns"]).stdout
    assert playbook(*routers, vpn_sites=FEWER).changed == 0


def test_absent_removes_everything(first, lab, playbook):
    """Last: all ends are as they were before the first run."""
    gone = {name: {**site, "state": "absent"} for name, site in DESCRIPTION["vpn_sites"].items()}
    assert playbook("site", vpn_sites=gone).changed
    api = lab.api()
    for kind in ("ikepolicies", "ipsecpolicies", "vpnservices", "endpoint-groups", "ipsec-site-connections"):
        assert api.list(f"vpn/{kind}") == []
    assert not [rule for rule in api.list("security-group-rules") if "bothends.vpn" in (rule["description"] or "")]
    for router in lab.world.routers:
        assert not list(lab.file(router, "/etc/swanctl/conf.d").iterdir())
        assert lab.run(router, ["swanctl", "--list-sas"]).stdout == ""
