# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.bothends.vpn.plugins.filter.hub_connections import FilterModule
from ansible_collections.bothends.vpn.tests.unit.builders import hub, site

hub_connections = FilterModule().filters()["hub_connections"]


def test_what_a_hub_needs_to_know_of_its_sites():
    (berlin,) = hub_connections(
        {"berlin": site(), "paris": site(4, hub="test")},
        hubs={"prod": hub(), "test": hub()},
        psks={"berlin": "the key of berlin"},
        hub="prod",
    )
    assert berlin["name"] == "berlin"
    assert berlin["gateway"] == "203.0.113.3"
    assert berlin["psk"] == "the key of berlin"
    assert "router" not in berlin
    assert berlin["selector_mode"] == "combined"


def test_what_follows_from_the_platform_is_said_outright():
    (berlin,) = hub_connections({"berlin": site(platform="libreswan")}, hubs={"prod": hub()}, hub="prod")
    assert berlin["selector_mode"] == "per_pair"
    assert "platform" not in berlin


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"hub": "prd"}, "there is no 'prd' in vpn_hubs; known are: prod"),
        ({"sites": {"berlin": site(gateway=None)}}, r"vpn_sites\.berlin\.gateway: `gateway` is missing"),
        ({"sites": {"berlin": site(hub="prd")}}, r"vpn_sites\.berlin\.hubs\[0\]: there is no hub 'prd'"),
        ({"psks": "secret text"}, "psks: a dict .* not str"),
    ],
)
def test_what_is_wrong_is_named(more, named):
    with pytest.raises(AnsibleFilterError, match=rf"bothends\.vpn\.hub_connections: (?s:.*){named}") as caught:
        hub_connections(**{"sites": {"berlin": site()}, "hubs": {"prod": hub()}, "hub": "prod", **more})
    assert "secret text" not in str(caught.value)
