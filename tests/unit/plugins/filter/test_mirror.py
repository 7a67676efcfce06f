# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.bothends.vpn.plugins.filter.connections import FilterModule as Connections
from ansible_collections.bothends.vpn.plugins.filter.mirror import FilterModule
from ansible_collections.bothends.vpn.tests.unit.builders import hub, site

mirror = FilterModule().filters()["mirror"]
connections = Connections().filters()["connections"]

HUBS = {"prod": hub(gateway="203.0.113.150"), "test": hub(gateway="203.0.113.151", subnets=["2001:db8::/64"])}
SITES = {
    "berlin": site(selector_mode="per_pair"),
    "paris": site(4, hub="test", subnets=["2001:db8:4::/64", "10.4.0.0/24"], id={"value": "paris.example.com"}),
}
PSKS = {"berlin": "the key of berlin, a long one"}


def seen(end):
    return connections(SITES, hubs=HUBS, psks=PSKS, end=end)


def test_each_end_mirrored_is_the_other():
    assert mirror(seen("hub")) == seen("site") != seen("hub")
    assert mirror(seen("site")) == seen("hub")
    assert mirror(mirror(seen("hub"))) == seen("hub")


def test_one_or_many_and_what_was_given_stays():
    given = seen("hub")
    before = copy.deepcopy(given)
    assert mirror(given[0]) == mirror(given)[0]
    assert given == before
    assert mirror([]) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"end": "cloud"}, "item 0: prod/berlin: end is not what a connection has there"),
        ({"local": None}, "item 0: prod/berlin: local is not what a connection has there"),
        ({"tunnels": [{"local_subnets": []}]}, "item 0: prod/berlin: tunnels is not"),
        (
            {"remote": ...},
            "item 0: prod/berlin: remote is missing. Give what the filter bothends.vpn.connections gives",
        ),
    ],
)
def test_what_is_no_connection_is_named_and_shows_no_key(change, said):
    record = {name: value for name, value in {**seen("hub")[0], **change}.items() if value is not ...}
    with pytest.raises(AnsibleFilterError, match=rf"bothends\.vpn\.mirror: {said}") as caught:
        mirror([record])
    assert PSKS["berlin"] not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "said"),
    [("prod/berlin", "a connection is wanted, not str"), ([7], "item 0: a connection is wanted, not int")],
)
def test_something_else_is_refused(given, said):
    with pytest.raises(AnsibleFilterError, match=rf"bothends\.vpn\.mirror: {said}"):
        mirror(given)
