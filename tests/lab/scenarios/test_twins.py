# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Negative twins: things that verify proves are broken on purpose, and verify must say so, and why. test_causes has many more,
without the playbook. An overlap must stop everything.

Where it says ``a ping passes all the same`` the test shows that it does: that is why a ping is no proof.
"""

from __future__ import annotations

import base64
import json
import re
from xml.etree import ElementTree

import pytest

from .conftest import DESCRIPTION, SITE_FILE, changed_sites, rewrite, writes


@pytest.fixture(scope="module", autouse=True)
def made(lab, playbook):
    """Both ends as described, once; gives the router's file as it then is."""
    lab.reset()
    playbook("site")
    yield lab.file("berlin", SITE_FILE).read_text()
    lab.reset()


@pytest.fixture
def whole(made, lab):
    """The router's file as it was, and new SAs by it."""
    yield
    lab.file("berlin", SITE_FILE).write_text(made)
    rewrite(lab)
    assert lab.wait_for_ping("berlin-pc", "192.168.1.10", seconds=20)


@pytest.fixture
def repaired(lab, playbook):
    """What a test breaks, the next run puts right."""
    yield
    playbook("site")
    for source in ("berlin-pc", "berlin-plant"):
        assert lab.wait_for_ping(source, "192.168.1.10", seconds=20)


def talks(lab) -> bool:
    """Whether the LAN reaches a server."""
    return bool(lab.wait_for_ping("berlin-pc", "192.168.1.10", seconds=15))


def causes(run) -> dict[str, str]:
    """What verify named, and the end that it comes from."""
    return {one["code"]: one["end"] for row in run.rows for one in row["causes"]}


def test_with_nothing_broken_there_is_nothing_to_say(playbook):
    run = playbook.prove()
    assert run.verdicts == {"prod/berlin/1": "proven"}
    assert run.why == "" and causes(run) == {}


def test_a_wrong_key_at_one_end(lab, playbook, repaired):
    wrong = base64.b64encode(b"another key than the cloud has").decode()
    rewrite(lab, (r"secret = .*", f'secret = "0s{wrong}"'))
    assert not lab.ping("berlin-pc", "192.168.1.10", count=2)
    run = playbook.prove(ok=False)
    assert run.verdicts == {"prod/berlin/1": "failed"}
    assert causes(run) == {"psk": "either end"}
    assert "keys differ" in run.output and "another key than" not in run.output


def test_a_key_that_differs_but_is_not_in_force_yet(lab, playbook, whole):
    """The running SA carries on: a ping passes all the same."""
    wrong = base64.b64encode(b"another key than the cloud has").decode()
    path = lab.file("berlin", SITE_FILE)
    path.write_text(re.sub("secret = .*", f'secret = "0s{wrong}"', path.read_text()))
    lab.run("berlin", ["swanctl", "--load-creds", "--noprompt"])
    assert talks(lab)
    run = playbook.prove(ok=False)
    assert run.verdicts == {"prod/berlin/1": "failed"}
    assert "re-authentication gave no new SA" in run.why or "no SA" in run.why


def test_a_pfs_group_that_differs(lab, playbook, whole):
    """It would show at the next rekeying only: a ping passes all the same, and so does all that can be read."""
    rewrite(lab, (r"esp_proposals = \S+", "esp_proposals = aes256-sha384-ecp521"))
    assert talks(lab)
    run = playbook.prove(ok=False)
    assert run.verdicts == {"prod/berlin/1": "failed"}
    assert "PFS group" in run.why or "rekeying gave no new SA" in run.why
    assert causes(run) == {"pfs": "site"}


def test_security_group_rules_that_are_missing(lab, playbook, repaired):
    api = lab.api()
    for rule in api.list("security-group-rules"):
        if "bothends.vpn" in (rule["description"] or ""):
            api.delete("security-group-rules", rule["id"])
    run = playbook.prove(ok=False)
    assert "192.168.3.10 to 192.168.1.10: 0 of 3 pings came back" in run.why
    assert "create security_group_rule" in run.why
    assert causes(run) == {"security_group": "hub"}


HUB = DESCRIPTION["vpn_hubs"]["prod"]
KEYS = {"berlin": "x" * 20, "paris": "y" * 20}
PARIS = {**changed_sites(gateway="203.0.113.20")["berlin"], "subnets": ["192.168.4.0/25"]}


@pytest.mark.parametrize(
    ("variables", "field"),
    [
        pytest.param(
            {"vpn_hubs": {"prod": {**HUB, "subnets": ["192.168.0.0/22", "192.168.2.0/24"]}}},
            "vpn_hubs.prod.subnets", id="in the hub",
        ),
        pytest.param(
            {"vpn_sites": changed_sites(subnets=["192.168.2.128/25"])},
            "vpn_sites.berlin.subnets[0]", id="hub and site",
        ),
        pytest.param(
            {"vpn_sites": changed_sites(subnets=["192.168.3.0/24", "192.168.3.0/25"])},
            "vpn_sites.berlin.subnets[1]", id="in the site",
        ),
        pytest.param(
            {"vpn_sites": {**changed_sites(), "paris": PARIS}},
            "vpn_sites.paris.subnets[0]", id="two sites",
        ),
        pytest.param(
            {"vpn_hubs": {"prod": HUB, "test": {**HUB, "subnets": ["192.168.1.0/25"]}},
             "vpn_sites": changed_sites(hub=None, hubs=["prod", "test"])},
            "vpn_hubs.test.subnets[0]", id="two hubs behind one router",
        ),
    ],
)  # fmt: skip
def test_an_overlap_stops_before_the_first_write(lab, playbook, variables, field):
    mark = lab.mark()
    run = playbook("site", ok=False, vpn_psks=KEYS, **variables)
    assert field in run.output
    assert "nothing was changed" in run.output
    assert lab.api_requests(mark) == [], "not even read"


def test_an_overlap_that_only_the_cloud_can_tell_stops_before_the_first_write(lab, playbook, tmp_path):
    """The hub's subnets are given by name, so their addresses are known once the cloud was asked. It is in the table and the files too."""
    mark, reports = lab.mark(), tmp_path / "reports"
    run = playbook(
        "cloud", ok=False, hub_report_dir=str(reports),
        vpn_hubs={"prod": {**HUB, "subnets": ["app", "db"]}}, vpn_sites=changed_sites(subnets=["192.168.1.64/26"]),
    )  # fmt: skip
    assert "192.168.1.64/26 of site berlin overlaps 192.168.1.0/24 of hub prod" in run.output
    assert "nothing was changed; 1 error, 0 warnings" in run.output and "Hub prod: 1 finding(s)" in run.output
    assert writes(lab, mark) == [] and lab.api_requests(mark)
    report = json.loads((reports / "hub-prod.json").read_text())
    assert report["counts"] == {"error": 1, "warning": 0, "ignored": 0}
    [one] = report["findings"]
    assert (one["code"], one["field"], one["scope"]) == ("overlap-hub-site", "vpn_sites.berlin.subnets[0]", "hub prod")
    assert one["remedy"] and one["source"]
    suite = ElementTree.parse(reports / "hub-prod.xml").getroot()[0]
    assert (suite.get("name"), suite.get("failures")) == ("bothends.vpn hub prod", "1")


def test_what_stops_nothing_is_written_too(lab, playbook, tmp_path):
    """By check mode, in which a file is no change."""
    api = lab.api()
    [vpc] = api.list("routers", name="prod")
    routes = [{"destination": "192.168.4.0/24", "nexthop": "192.168.1.10"}]
    api.update("routers", vpc["id"], "router", routes=routes)
    try:
        run = playbook("cloud", "--check", hub_report_dir=str(tmp_path))
    finally:
        api.update("routers", vpc["id"], "router", routes=[])
    assert run.changed == 0 and "Hub prod: 1 finding(s)" in run.output
    [one] = json.loads((tmp_path / "hub-prod.json").read_text())["findings"]
    assert (one["code"], one["severity"]) == ("overlap-route", "warning")
    names = [case.get("name") for case in ElementTree.parse(tmp_path / "hub-prod.xml").getroot().iter("testcase")]
    assert names == [
        "overlap-route vpn_sites.berlin.subnets[1]", "vpn_policies.strong has no findings", "vpn_hubs.prod has no findings",
    ]  # fmt: skip
