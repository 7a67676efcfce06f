# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of a site: each kind of change is made once, is in force at its end, and costs the neighbours nothing.

While a change is made, hosts of the site and of its neighbours ping all the time. What was lost stands in
``.cache/reports/what-interrupts.md``, from which the documentation's table is taken.
"""

from __future__ import annotations

import contextlib
import dataclasses
import re
import typing as t

import pytest

from bothends_lab import Flow

from .conftest import HUB_AND_SPOKE, ROOT, Run, described, sites_with, writes

DESCRIPTION = described(HUB_AND_SPOKE)
REPORT = ROOT / ".cache/reports/what-interrupts.md"
# A host of each site and what it pings; oslo's other hub counts as a neighbour of its own.
FLOWS = {
    "berlin": ("berlin-pc", "192.168.1.10"),
    "paris": ("paris-pc", "192.168.1.10"),
    "rome": ("rome-pc", "192.168.2.10"),
    "oslo": ("oslo-pc", "192.168.11.10"),
}
ALL_UP = {
    "prod/berlin/1", "prod/paris/1", "prod/rome/1", "prod/rome/2", "prod/rome/3", "prod/rome/4", "prod/oslo/1", "test/oslo/1",
}  # fmt: skip


@dataclasses.dataclass
class Seen:
    """What was lost while something was done."""

    own: dict[str, Flow]
    neighbours: dict[str, Flow]

    def says(self) -> dict[str, str]:
        """Each flow in words."""
        return {name: str(flow) for name, flow in self.neighbours.items()}


@pytest.fixture(scope="module")
def example():
    return HUB_AND_SPOKE


@pytest.fixture(scope="module")
def report():
    """The table of the documentation, in the making."""
    rows: list[str] = []
    yield rows
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    head = ["| change | plan says | the site itself | its neighbours |", "| --- | --- | --- | --- |"]
    REPORT.write_text("\n".join([*head, *rows]) + "\n")


@pytest.fixture(scope="module", autouse=True)
def made(lab, playbook):
    """All sites up, once."""
    make(lab, playbook)
    yield
    lab.reset()


def make(lab, playbook):
    lab.reset()
    run = playbook("site")
    assert set(run.verdicts) == ALL_UP and set(run.verdicts.values()) == {"up"}, run.verdicts
    wait_for_all(lab)


def wait_for_all(lab):
    for source, address in FLOWS.values():
        assert lab.wait_for_ping(source, address, seconds=30), source


@contextlib.contextmanager
def watched(lab, *sites: str, but: t.Container[str] = ()) -> t.Iterator[Seen]:
    """Let sites that change and their neighbours ping; ``but`` names flows that have no tunnel now."""
    with contextlib.ExitStack() as stack:
        flows = {name: stack.enter_context(lab.flow(*ends)) for name, ends in FLOWS.items() if name not in but}
        seen = Seen({site: flows.pop(site) for site in sites if site in flows}, flows)
        yield seen
    assert seen.neighbours
    assert {name: flow.lost for name, flow in seen.neighbours.items()} == dict.fromkeys(seen.neighbours, 0), seen.says()


def noted(report: list[str], change: str, site: str, run: Run, seen: Seen) -> None:
    """Keep a row of the documentation's table; of what the plan's steps say of the site, the gravest."""
    steps = rf"^ +(?:create|update|delete)  .*/{site}\b.*  (at once|with new SAs|interrupts)"
    says = max(re.findall(steps, run.output, re.MULTILINE), key=["at once", "with new SAs", "interrupts"].index)
    report.append(f"| {change} | {says} | {seen.own.get(site, 'not up')} | {min(seen.says().values())} |")
    print(report[-1])


def changed(**sites: dict[str, t.Any]) -> dict[str, t.Any]:
    """The example's sites with some of them changed."""
    out = DESCRIPTION
    for name, change in sites.items():
        out = {**out, "vpn_sites": sites_with(out, name, **change)}
    return {"vpn_sites": out["vpn_sites"]}


def without(name: str) -> dict[str, t.Any]:
    """The example's sites without one of them."""
    return {"vpn_sites": {key: site for key, site in DESCRIPTION["vpn_sites"].items() if key != name}}


def connections(lab) -> dict[str, str]:
    """The ids of the cloud's connections by name."""
    return {one["name"]: one["id"] for one in lab.api().list("vpn/ipsec-site-connections")}


def names(lab, site: str) -> list[str]:
    """What both ends have of a site: names of connections of the cloud's, and of the router's."""
    loaded = lab.run(site, ["swanctl", "--list-conns"]).stdout
    return [name for name in connections(lab) if f"/{site}/" in name] + [
        line for line in loaded.splitlines() if f"/{site}" in line
    ]


def router_file(lab, site: str) -> str:
    """What a site's router has of it."""
    return lab.file(site, f"/etc/swanctl/conf.d/bothends-vpn-{site}.conf").read_text()


ONE_LAN = {
    "subnets": ["192.168.3.0/24"],
    "router_settings": None,
    "probe": DESCRIPTION["vpn_sites"]["berlin"]["probe"][:2],
}
ROME_KEY = (
    "{{ lookup('file', inventory_dir ~ '/psks.yml') | bothends.vpn.psks"
    " | combine(oslo_psks, {'prod/rome': 'the second key of rome, made today'}) }}"
)
# What is changed at once, and whose; each round builds on what the one before left. The sites without a change are watched too.
IN_PLACE: list[dict[str, tuple[str, dict[str, t.Any]]]] = [
    {
        "berlin": ("a subnet less", {"vpn_sites": {"berlin": ONE_LAN}}),
        "oslo": ("new key (its generation)", {"vpn_sites": {"oslo": {"psk_generation": 3}}}),
    },
    {
        "berlin": ("a subnet more", {"vpn_sites": {"berlin": DESCRIPTION["vpn_sites"]["berlin"]}}),
        "rome": ("new key, IKEv1", {"vpn_psks": ROME_KEY}),
    },
    {
        "berlin": ("one tunnel for each pair", {"vpn_sites": {"berlin": {"selector_mode": "per_pair"}}}),
        "paris": ("gateway", {"vpn_sites": {"paris": {"gateway": "203.0.113.21"}}}),
    },
    {
        "berlin": ("one tunnel for all pairs", {"vpn_sites": {"berlin": {"selector_mode": "combined"}}}),
        "paris": (
            "dead peer detection, who may begin, security-group rules",
            {
                "vpn_sites": {
                    "paris": {
                        "dpd": {"interval": 15, "timeout": 60},
                        "initiator": "site",
                        "security_group_rules": [{"protocol": "icmp"}],
                    }
                }
            },
        ),
    },
]


@pytest.fixture(scope="module")
def now():
    """The variables as the changes so far left them."""
    return {"vpn_sites": DESCRIPTION["vpn_sites"]}


@pytest.mark.parametrize("round_", IN_PLACE, ids=lambda round_: ", ".join(change for change, _what in round_.values()))
def test_changes_in_place_are_in_force_and_cost_the_neighbours_nothing(lab, playbook, report, now, round_):
    """What stays keeps its id, and the SAs of both ends are made with what is declared now."""
    for _change, what in round_.values():
        for name, entry in what.get("vpn_sites", {}).items():
            now["vpn_sites"] = sites_with(now, name, **entry)
        now.update({key: value for key, value in what.items() if key != "vpn_sites"})
    ids = connections(lab)
    with watched(lab, *round_) as seen:
        run = playbook("site", **now)
    for site, (change, _what) in round_.items():
        noted(report, change, site, run, seen)
    assert set(run.verdicts.values()) == {"up"}, run.why
    there = connections(lab)
    assert {name: there[name] for name in there if name in ids} == {name: ids[name] for name in ids if name in there}


def test_after_all_these_changes_every_tunnel_is_proven(lab, playbook, now):
    """Keys, suites, selectors and PFS groups as they are declared now, at both ends; nothing is left to change."""
    proof = playbook.prove(**now)
    assert set(proof.verdicts) == ALL_UP and set(proof.verdicts.values()) == {"proven"}, proof.why
    assert playbook("site", **now).changed == 0


def test_another_policy_is_refused_and_then_replaces_the_connection(lab, playbook, report, now):
    """Policies in use cannot be changed, so it interrupts the site: that is said before anything is touched."""
    now["vpn_sites"] = sites_with(now, "paris", policy="standard")
    mark = lab.mark()
    refused = playbook("cloud", "--check", ok=False, **now)
    assert "this would interrupt prod/paris/1 (other ike_policy, ipsec_policy)" in refused.output
    assert "look at the steps with --check --diff -e vpn_allow_disruption=true" in refused.output
    refused = playbook("cloud", ok=False, **now)
    assert "this would interrupt prod/paris/1" in refused.output and writes(lab, mark) == []
    with watched(lab, "paris") as seen:
        run = playbook("site", vpn_allow_disruption=True, **now)
    noted(report, "policy", "paris", run, seen)
    assert set(run.verdicts.values()) == {"up"}, run.why
    proof = playbook.prove(**now)
    assert set(proof.verdicts.values()) == {"proven"}, proof.why
    assert playbook("site", vpn_allow_disruption=True).verdicts == dict.fromkeys(ALL_UP, "up")
    wait_for_all(lab)


def test_a_site_is_disabled_another_goes_and_both_come_back(lab, playbook, report):
    """Of the disabled one the cloud keeps its objects, and nothing passes; of the absent one nothing is left at either end."""
    ids = connections(lab)
    with watched(lab, "paris", "berlin") as seen:
        run = playbook("site", **changed(paris={"state": "disabled"}, berlin={"state": "absent"}))
    noted(report, "disabled", "paris", run, seen)
    noted(report, "absent", "berlin", run, seen)
    assert run.verdicts["prod/paris/1"] == "disabled"
    assert not lab.ping("paris-pc", "192.168.1.10", count=2)
    assert names(lab, "berlin") == []
    with watched(lab, "paris", "berlin", but=["paris", "berlin"]) as seen:
        run = playbook("site")
    noted(report, "enabled again", "paris", run, seen)
    noted(report, "added", "berlin", run, seen)
    assert set(run.verdicts.values()) == {"up"}, run.why
    there = connections(lab)
    assert {name for name in ids if there[name] != ids[name]} == {"prod/berlin/1"}
    wait_for_all(lab)


def test_what_is_wrong_with_a_site_or_a_hub_stops_it_only(lab, playbook):
    """Their ends stay as they are, also with purge; the others go on, and the run fails at its end.

    paris has a broken subnet; one of oslo's two hubs is not there; berlin's change is made, and rome's `hubs` says nothing.
    """
    ids, kept = connections(lab), {site: router_file(lab, site) for site in ("paris", "oslo")}
    hubs = {**DESCRIPTION["vpn_hubs"], "test": {**DESCRIPTION["vpn_hubs"]["test"], "vpc": "tset"}}
    dpd = {"dpd": {"interval": 20}}
    now = changed(paris={"subnets": ["192.168.5/24"]}, berlin=dpd, oslo=dpd)
    now["vpn_sites"]["rome"] = {**now["vpn_sites"]["rome"], "hubs": None}
    with watched(lab, "berlin"):
        run = playbook("site", "-e", "vpn_purge=true", ok=False, vpn_hubs=hubs, **now)
    stopped = {"paris": "blocked", "test/oslo": "blocked", "prod/oslo/1": "pending"}
    up = [tunnel for tunnel in ALL_UP if tunnel.split("/")[1] in ("berlin", "rome")]
    assert run.verdicts == {**dict.fromkeys(up, "up"), **stopped}
    assert "vpn_sites.paris.subnets[0]" in run.why and "another hub of the site was not finished" in run.why
    assert "VPC 'tset' is not there; there are: prod, test" in run.output
    assert connections(lab) == ids
    assert {site: router_file(lab, site) for site in kept} == kept
    stored = {one["name"]: one["dpd"]["interval"] for one in lab.api().list("vpn/ipsec-site-connections")}
    assert {name for name, interval in stored.items() if interval == 20} == {"prod/berlin/1", "prod/oslo/1"}
    assert "failed=1" in run.output


def test_a_change_without_the_router_is_pending_until_the_router_takes_part(lab, playbook):
    """The cloud stored it; the running SA goes on with what it had. The next whole run brings it into force."""
    change = changed(berlin=ONE_LAN)
    run = playbook("site", "--limit", "prod,test", **change)
    assert run.verdicts["prod/berlin/1"] == "pending"
    assert "in force once the site makes new SAs" in run.why
    assert run.verdicts["prod/paris/1"] == "not proven"
    assert playbook("site", **change).verdicts["prod/berlin/1"] == "up"


def test_a_site_that_left_the_description_stays_until_it_is_purged(lab, playbook, report):
    """At both ends; and what is not described and not ours stays even then."""
    api = lab.api()
    foreign = api.create("vpn/ikepolicies", "ikepolicy", name="somebody's", auth_algorithm="sha256")
    try:
        with watched(lab, "berlin") as seen:
            run = playbook("site", **without("paris"))
        assert "site paris is not described any more" in run.output  # the cloud's end
        assert "left as they are: paris" in run.output  # the router's
        assert seen.neighbours["paris"].lost == 0
        with watched(lab, "berlin") as seen:
            refused = playbook("site", "-e", "vpn_purge=true", ok=False, **without("paris"))
        assert "this would interrupt prod/paris/1" in refused.output
        assert "Hub prod was not finished" in refused.output
        assert seen.neighbours["paris"].lost == 0  # nor did its router go ahead
        with watched(lab, "paris") as seen:
            run = playbook("site", "-e", "vpn_purge=true", "-e", "vpn_allow_disruption=true", **without("paris"))
        noted(report, "purged", "paris", run, seen)
        assert names(lab, "paris") == []
        assert foreign["id"] in {one["id"] for one in api.list("vpn/ikepolicies")}
    finally:
        api.delete("vpn/ikepolicies", foreign["id"])


def test_last_of_all_the_teardown_leaves_everything_as_it_was(lab, playbook):
    """As a lab that was just reset: no object, no file, no route, no forwarding, no connection.

    All is made anew for it: where a router's last site went earlier, forwarding stayed on, and nobody knows what it was before.
    """
    make(lab, playbook)
    refused = playbook("teardown", ok=False)
    assert "-e teardown_confirm=prod,test" in refused.output
    before = state(lab)
    assert playbook("teardown", "--check").changed and state(lab) == before
    playbook("teardown", "-e", "teardown_confirm=prod,test")
    torn = state(lab)
    # What is compared would show what was left: paris may have gone in the test before, the others had something each
    assert {part for part in torn if before[part] == torn[part]} <= {"paris"}
    assert playbook("teardown", "-e", "teardown_confirm=prod,test").changed == 0
    lab.reset()
    assert torn == state(lab)


def state(lab) -> dict[str, t.Any]:
    """All that a run could have left at both ends."""
    api = lab.api()
    kinds = (
        "vpn/ikepolicies",
        "vpn/ipsecpolicies",
        "vpn/vpnservices",
        "vpn/endpoint-groups",
        "vpn/ipsec-site-connections",
    )
    look = "find /etc/swanctl /etc/sysctl.d /etc/network /etc/systemd /run/bothends-vpn -type f; cat /proc/sys/net/ipv4/ip_forward"
    look += "; ip route; swanctl --list-conns; swanctl --list-sas | grep -o '^[^ ]*:'"
    ends = {
        name: sorted(lab.run(name, ["sh", "-c", look], check=False).stdout.splitlines()) for name in lab.world.routers
    }
    rules = sorted(
        str([one[field] for field in ("direction", "protocol", "remote_ip_prefix", "port_range_min", "description")])
        for one in api.list("security-group-rules")
    )
    return {"rules": rules, **{kind: api.list(kind) for kind in kinds}, **ends}
