# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module hub in a cloud that takes its time: what is waited for, and what is told meanwhile."""

from __future__ import annotations

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.bothends.vpn.plugins.module_utils import _cloud, _hub, _hub_options
from ansible_collections.bothends.vpn.tests.unit.builders import SUBNETS
from ansible_collections.bothends.vpn.tests.unit.neutron import Answer, Neutron, Otc, refusal, settled

PROPOSAL = {"encryption": "aes-256", "integrity": "sha384"}


def options(server, lifetime=28800, state="present", **change):
    """Give module hub's options, with a site."""
    policy = {
        "name": "strong",
        "ike": {**PROPOSAL, "dh_group": "group20", "lifetime": lifetime},
        "ipsec": {**PROPOSAL, "pfs_group": "group20"},
    }
    berlin = {
        "name": "berlin", "state": state, "gateway": "203.0.113.3", "subnets": ["10.3.0.0/24"], "policy": "strong",
        "psk": "a-key-of-20-characters",
    }  # fmt: skip
    given = {
        "provider": server.provider, "name": "prod", "vpc": "prod", "subnets": list(SUBNETS.values()), "security_groups": ["servers"],
        "policies": [policy], "connections": [berlin], "allow_disruption": True, **change,
    }  # fmt: skip
    result = ArgumentSpecValidator(_hub_options.spec()).validate(given)
    assert not result.error_messages, result.error_messages
    return result.validated_parameters


def served(server):
    """Give a cloud that shows of itself what that provider does."""
    neutron = server()
    none = refusal(404, "HTTPNotFound", "The resource could not be found.")
    for path in ("/vpc/routes", *(["/extensions"] if server is Otc else [])):
        neutron.answers["GET", path] = none
    for path in ("/v2.0/quotas/p1/details", "/v1/p1/quotas"):
        neutron.answers["GET", f"http://cloud.example:9696{path}"] = none
    return neutron


class Agent:
    """What the cloud does in its own time: all that is pending is done after some naps."""

    def __init__(self, neutron, monkeypatch, every):
        self.neutron, self.naps, self.every = neutron, 0, every
        monkeypatch.setattr(_cloud.time, "sleep", self.sleep)
        monkeypatch.setattr(_cloud.time, "monotonic", lambda: float(self.naps))
        neutron.between = self.between

    def between(self, _number, method, path, served):
        connections = self.neutron.lists["ipsec_site_connections"]
        if method == "DELETE" and path.startswith("/vpn/ipsec-site-connections/"):
            next(one for one in connections if path.endswith(one["id"]))["status"] = "PENDING_DELETE"
            return Answer(204)
        if method == "POST" and path == "/vpn/ipsec-site-connections":
            assert not connections, "the old one is in its way"
        return served()

    def sleep(self, _seconds):
        self.naps += 1
        if self.naps % self.every == 0:
            connections = self.neutron.lists["ipsec_site_connections"]
            connections[:] = [one for one in connections if one["status"] != "PENDING_DELETE"]
            settled(self.neutron)
            for one in connections:
                one["status"] = "ACTIVE" if one["admin_state_up"] else "DOWN"


def test_an_old_connection_is_gone_before_the_new_one_comes(connect, monkeypatch):
    """Where a gateway may have one connection only, and the cloud takes its time."""
    neutron = served(Otc)
    cloud = connect(neutron)
    Agent(neutron, monkeypatch, 4)
    first = _hub.apply(options(Otc), cloud, False)["connections"]
    second = _hub.apply(options(Otc, lifetime=14400), cloud, False)["connections"]
    assert [one["name"] for one in first + second] == ["prod/berlin/1"] * 2
    assert first[0]["id"] != second[0]["id"] == neutron.lists["ipsec_site_connections"][0]["id"]


@pytest.mark.parametrize(("state", "status"), [("present", "ACTIVE"), ("disabled", "DOWN")])
def test_what_is_waited_for_is_told_and_what_is_switched_off_is_not_waited_for(
    connect, monkeypatch, tmp_path, state, status
):
    neutron, path = served(Neutron), tmp_path / "progress"
    cloud = connect(neutron)
    Agent(neutron, monkeypatch, 12)
    done = _hub.apply(options(Neutron, state=state, wait_for="active", progress_file=str(path)), cloud, False)
    assert [one["status"] for one in done["connections"]] == [status]
    total = len(done["plan"])
    lines = path.read_text().splitlines()
    assert lines[:total] == [f"{number} of {total} steps done" for number in range(1, total + 1)]
    assert lines[total:] == ["waiting for site_connection prod/berlin/1 (Creating), 5 of at most 120 s"]


def test_a_progress_file_that_cannot_be_written_stops_no_run(connect, monkeypatch):
    neutron = served(Neutron)
    cloud = connect(neutron)
    Agent(neutron, monkeypatch, 4)
    _hub.apply(options(Neutron, progress_file="/not/there"), cloud, False)
    assert len(neutron.lists["ipsec_site_connections"]) == 1
