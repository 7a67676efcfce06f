# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.bothends.vpn.plugins.filter.router_sites import FilterModule
from ansible_collections.bothends.vpn.tests.unit.builders import hub, site

router_sites = FilterModule().filters()["router_sites"]

HUBS = {"prod": hub(), "test": hub(subnets=["172.16.0.0/24"])}


def test_what_a_router_is_configured_with():
    (berlin,) = router_sites(
        {"berlin": site(hub=None, hubs=["prod", "test"], platform_version="5.9"), "paris": site(4)},
        hubs=HUBS,
        psks={"berlin": "the key of berlin"},
        router="berlin",
        facts={"prod": {"gateway": "203.0.113.150"}},
    )
    assert {key: berlin[key] for key in berlin if key != "connections"} == {
        "name": "berlin", "state": "present", "platform": "strongswan", "platform_version": "5.9", "router_settings": {},
        "driven": True,
    }  # fmt: skip
    assert [(one["name"], one["end"], one["psk"], one["remote"]["gateway"]) for one in berlin["connections"]] == [
        ("prod/berlin", "site", "the key of berlin", "203.0.113.150"),
        ("test/berlin", "site", "the key of berlin", None),
    ]


def test_the_sites_that_no_router_of_the_inventory_has():
    sites = {"berlin": site(3), "paris": site(4), "rome": site(5, router="edge")}
    assert [one["name"] for one in router_sites(sites, hubs=HUBS, without_routers=["paris", "edge"])] == ["berlin"]


@pytest.mark.parametrize(
    ("sites", "named"),
    [
        ({"berlin": site(subnets=None)}, r"vpn_sites\.berlin\.subnets: `subnets` is missing"),
        ({"berlin": site(policy="weak")}, r"vpn_sites\.berlin\.policy: there is no policy 'weak'"),
        (["berlin"], "vpn_sites: vpn_sites is a list"),
    ],
)
def test_what_is_wrong_is_named(sites, named):
    with pytest.raises(AnsibleFilterError, match=rf"bothends\.vpn\.router_sites: (?s:.*){named}"):
        router_sites(sites, hubs=HUBS, router="berlin")
