# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.bothends.vpn.plugins.filter.connections import FilterModule
from ansible_collections.bothends.vpn.tests.unit.builders import hub, site

connections = FilterModule().filters()["connections"]


def test_both_views_of_a_connection():
    at_the_hub, at_the_site = (
        connections({"berlin": site()}, hubs={"prod": hub(gateway="203.0.113.150")}, end=end)[0]
        for end in ("hub", "site")
    )
    assert at_the_hub["name"] == at_the_site["name"] == "prod/berlin"
    assert (at_the_hub["local"], at_the_hub["remote"]) == (at_the_site["remote"], at_the_site["local"])


def test_only_one_hub_router_or_with_keys_and_facts():
    (found,) = connections(
        {"berlin": site(3), "paris": site(4)},
        hubs={"prod": hub(subnets=["app"])},
        psks={"paris": "the key of paris"},
        hub="prod",
        router="paris",
        facts={"prod": {"gateway": "203.0.113.150", "subnets": [{"id": "1", "name": "app", "cidr": "192.168.1.0/24"}]}},
    )
    assert (found["site"], found["psk"]) == ("paris", "the key of paris")
    assert (found["local"]["gateway"], found["local"]["subnets"]) == ("203.0.113.150", ["192.168.1.0/24"])


@pytest.mark.parametrize(
    ("sites", "more", "named"),
    [
        ({"berlin": site(gatway="x")}, {}, r"vpn_sites\.berlin\.gatway: .* Did you mean `gateway`"),
        ({"berlin": site(policy="weak")}, {}, r"vpn_sites\.berlin\.policy: there is no policy 'weak'"),
        ({"berlin": site()}, {"end": "cloud"}, "end: cloud is neither hub nor site"),
        ({"berlin": site()}, {"psks": ["x"]}, "psks: a dict"),
        ({"berlin": site()}, {"facts": {"prod": {"subnets": []}}, "hubs": {"prod": hub(subnets=["app"])}},
         "hub prod: subnets: .* 'app'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(sites, more, named):
    with pytest.raises(AnsibleFilterError, match=rf"bothends\.vpn\.connections: (?s:.*){named}"):
        connections(sites, **{"hubs": {"prod": hub()}, **more})
