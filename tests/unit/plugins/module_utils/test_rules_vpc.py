# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.bothends.vpn.plugins.module_utils import _rules_vpc, _state, _steps, _topology
from ansible_collections.bothends.vpn.tests.unit.builders import SUBNETS, hub, plan, records, site, snapshot


def judged(change=None, there=None, hubs=None, provider="neutron"):
    """Give (code, severity, field, scope) of what is found once the cloud was read; only the subnet app is declared."""
    there = {**snapshot(), **(there or {})}
    hubs = hubs or {"prod": hub(subnets=["app"])}
    resolved = [
        _topology.resolve(record, _state.hub_facts(there))
        for record in records({"a": site(**(change or {}))}, hubs=hubs)
    ]
    found = _rules_vpc.vpc("prod", provider, there, resolved, [SUBNETS["app"]])
    return [(one["code"], one["severity"], one["field"], one["scope"]) for one in found]


def routed(*destinations):
    [vpc] = snapshot()["vpc"]
    return {"vpc": [{**vpc, "routes": [{"destination": one, "nexthop": "192.168.1.254"} for one in destinations]}]}


SUBNET = "vpn_sites.a.subnets[0]"
GATEWAY = "vpn_sites.a.gateway"
NO_WAY_OUT = {"vpc": [{"id": "v1", "name": "prod", "external_gateway_info": None}]}


@pytest.mark.parametrize(
    ("change", "there", "found"),
    [
        pytest.param({}, {}, [], id="a good one"),
        pytest.param({"subnets": ["192.168.2.0/25"]}, {}, [("overlap-vpc", "error", SUBNET, "site a")], id="another subnet of the VPC"),
        pytest.param({"subnets": ["10.3.0.0/24", "192.168.0.0/16"]}, {}, [("overlap-vpc", "error", "vpn_sites.a.subnets[1]", "site a")],
                     id="a wider one, told of the subnet that nobody declared only"),
        pytest.param({"subnets": ["192.168.3.0/24"]}, {}, [], id="beside it"),
        pytest.param({}, routed("10.3.0.0/16"), [("overlap-route", "warning", SUBNET, "site a")], id="a route of the router"),
        pytest.param({}, routed("0.0.0.0/0", "10.4.0.0/16", "::/0"), [], id="the default route, and one elsewhere"),
        pytest.param({"subnets": ["0.0.0.0/1"]}, routed("64.0.0.0/8"), [("overlap-route", "warning", SUBNET, "site a")], id="a big subnet"),
        pytest.param({}, NO_WAY_OUT, [("no-gateway", "error", "vpn_hubs.prod.vpc", "hub prod")], id="no way out"),
        pytest.param({"gateway": "2001:db8::1"}, {}, [("no-gateway", "error", GATEWAY, "site a")], id="an IPv6 peer of an IPv4 router"),
        pytest.param({"gateway": "203.0.113.150"}, {}, [("gateway-is-own", "error", GATEWAY, "site a")], id="the hub's own gateway"),
        pytest.param({"gateway": "192.168.1.9"}, {}, [("gateway-inside", "error", GATEWAY, "site a")], id="a gateway in the VPC"),
    ],
)  # fmt: skip
def test_what_only_the_vpc_itself_shows(change, there, found):
    assert judged(change, there) == found


def test_without_a_site_nothing_is_asked_of_the_vpc():
    assert _rules_vpc.vpc("prod", "neutron", {**snapshot(), **NO_WAY_OUT}, [], []) == []


def test_a_gateway_that_is_not_the_routers_needs_no_way_out():
    assert judged({"gateway": "80.158.1.9"}, NO_WAY_OUT, {"prod": hub(subnets=["app"], provider="otc")}, "otc") == []


def test_a_peering_of_otc_is_an_error():
    [record] = records({"a": site()})
    known = [{"destination": "10.3.0.0/16", "nexthop": "p1", "type": "peering"}]
    [one] = _rules_vpc.routes("otc", known, [record])
    assert (one["code"], one["severity"], one["scope"]) == ("overlap-route", "error", "site a")
    assert "10.3.0.0/16 by p1" in one["message"]
    assert _rules_vpc.routes("otc", [{"destination": "nonsense"}, {}], [record]) == []


def foreign(there, sites, known=(), gone=(), provider="neutron"):
    """Give what is told of connections that are not those of ``sites``."""
    resolved = [_topology.resolve(record, _state.hub_facts(there)) for record in records(sites)]
    planned = plan(there, sites)
    mine = {*map(str, planned.connections.values()), *gone}
    found = _rules_vpc.others("prod", provider, there, mine, {*sites, *known}, resolved)
    return [(one["field"], one["message"].partition(", leads")[0]) for one in found]


def there_is(sites):
    return _steps.project(snapshot(), plan(snapshot(), sites).steps)


def test_a_connection_that_leads_to_the_same_place_is_told():
    there = there_is({"old": site(3)})
    [one] = there["site_connection"]
    said = f"connection prod/old/1 ({one['id']}), of site old of hub prod"
    moved = {"new": site(4, subnets=["10.3.0.128/25"])}
    assert foreign(there, moved) == [("vpn_sites.new.subnets[0]", said)]
    assert foreign(there, {"new": site(3)}) == [("vpn_sites.new.subnets[0]", said), ("vpn_sites.new.gateway", said)]


def test_where_a_gateway_takes_one_connection_a_second_is_an_error():
    there, [record] = there_is({"old": site(3)}), records({"new": site(3, subnets=["10.9.0.0/24"])})
    for provider, code, severity in (
        ("otc", "one-connection-a-peer", "error"),
        ("neutron", "overlap-connection", "warning"),
    ):
        [one] = _rules_vpc.others("prod", provider, there, (), ("new",), [record])
        assert (one["code"], one["severity"], one["scope"]) == (code, severity, "site new")


@pytest.mark.parametrize(
    ("provider", "subnet", "severity"),
    [
        ("otc", "10.3.0.0/24", "error"),
        ("otc", "10.3.0.0-10.3.0.255", "error"),
        ("otc", "10.3.0.0/25", "warning"),
        ("neutron", "10.3.0.0/24", "warning"),
    ],
)
def test_where_a_subnet_takes_one_connection_a_second_is_an_error(provider, subnet, severity):
    there, [record] = there_is({"old": site(3)}), records({"new": site(4, subnets=["10.9.0.0/24", subnet])})
    [one] = _rules_vpc.others("prod", provider, there, (), ("new",), [record])
    assert (one["code"], one["severity"], one["field"]) == ("overlap-connection", severity, "vpn_sites.new.subnets[1]")
    assert one["scope"] == "site new" and ("VPC.1021" in one["source"]) is (severity == "error")


def test_what_goes_or_answers_or_waits_is_not_told():
    there = there_is({"old": site(3)})
    [one] = there["site_connection"]
    assert foreign(there, {"old": site(3)}) == []
    assert foreign(there, {"new": site(3)}, known=["old"]) == [], "a blocked site keeps what it has"
    assert foreign(there, {"new": site(3)}, gone=[one["id"]]) == []
    assert foreign(there, {"new": site(4)}) == []


def test_somebody_elses_connection_and_that_of_another_vpc():
    there = there_is({"old": site(3)})
    there["site_connection"][0].update(description="by hand", name="", peer_address="203.0.113.99")
    [(field, said)] = foreign(there, {"new": site(4, subnets=["10.3.0.0/25"])})
    assert field == "vpn_sites.new.subnets[0]" and said.endswith("which somebody else made") and "(no name)" in said
    there["vpn_service"][0]["router_id"] = "v2"
    assert foreign(there, {"new": site(4, subnets=["10.3.0.0/25"])}) == []
