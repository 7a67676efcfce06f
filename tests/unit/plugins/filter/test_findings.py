# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.bothends.vpn.plugins.filter.findings import FilterModule
from ansible_collections.bothends.vpn.tests.unit.builders import hub, site

findings = FilterModule().filters()["findings"]


def test_a_good_description_has_none():
    assert findings({"berlin": site()}, hubs={"prod": hub()}, psks={"berlin": "a key of 20 characters"}) == []


def test_a_finding_says_all_that_is_needed():
    (found,) = findings({"berlin": site(subnets=["192.168.1.128/25"])}, hubs={"prod": hub()})
    assert found == {
        "code": "overlap-hub-site",
        "severity": "error",
        "host": "berlin",
        "field": "vpn_sites.berlin.subnets[0]",
        "value": "192.168.1.128/25",
        "message": "192.168.1.128/25 of site berlin overlaps 192.168.1.0/24 of hub prod (vpn_hubs.prod.subnets[0]).",
        "remedy": "Renumber or narrow one of the two.",
        "source": found["source"],
        "scope": "hub prod",
        "reason": "",
    }


def test_keys_are_looked_at_only_where_they_are_given():
    assert findings({"berlin": site()}, hubs={"prod": hub()}) == []
    (found,) = findings({"berlin": site()}, hubs={"prod": hub()}, psks={})
    assert found["code"] == "psk-missing"


def test_a_hub_without_a_host_is_told_where_the_hosts_are_given():
    sites, hubs = {"berlin": site()}, {"prod": hub(), "unused": hub(vpc="other")}
    assert findings(sites, hubs=hubs, hub_hosts=["prod"]) == []
    (found,) = findings(sites, hubs=hubs, hub_hosts=["berlin"])
    assert (found["code"], found["severity"], found["field"]) == ("hub-without-host", "warning", "vpn_hubs.prod")
    assert "berlin" in found["message"]


@pytest.mark.parametrize(
    "nonsense", ["berlin", 3, ["berlin"], {"berlin": "x"}, {"berlin": None}, {3: {}}, {"a": {"b": []}}]
)
def test_whatever_is_written_the_answer_is_a_finding(nonsense):
    """Not an error of Python: all that is wrong comes in one list."""
    for sites, hubs, policies in ((nonsense, {"prod": hub()}, {}), ({}, nonsense, {}), ({}, {}, nonsense)):
        found = findings(sites, hubs=hubs, policies=policies, psks={})
        assert any(one["severity"] == "error" for one in found) and all(one["remedy"] for one in found)
