# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.bothends.vpn.plugins.module_utils import _state
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.tests.unit.builders import after, site, snapshot

THINGS = [
    {"id": "1", "name": "prod"},
    {"id": "2", "name": "test"},
    {"id": "3", "name": "test"},
    {"id": "prod", "name": "other"},
    {"id": "5", "name": ""},
]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [("1", "1"), ("2", "2"), pytest.param("prod", "prod", id="an id goes before a name"), ("other", "prod")],
)
def test_by_id_or_name(wanted, found):
    assert _state.one_of("VPC", wanted, THINGS)["id"] == found


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("test", r"VPC 'test' is ambiguous: 2, 3\. Remedy: give the id\."),
        ("prd", r"VPC 'prd' is not there; there are: 5, other, prod, test, test\. Remedy"),
        ("Test", r"VPC 'Test' is not there"),
    ],
)
def test_what_is_not_there_or_twice(wanted, message):
    with pytest.raises(VpnError, match=message):
        _state.one_of("VPC", wanted, THINGS)


def test_nothing_is_there():
    with pytest.raises(VpnError, match="there are: none"):
        _state.one_of("VPC", "prod", [])


@pytest.mark.parametrize(
    ("status", "word"),
    [
        ("ACTIVE", "Normal"), ("DOWN", "Not connected"), ("BUILD", "Creating"), ("PENDING_CREATE", "Creating"),
        ("PENDING_UPDATE", "Updating"), ("PENDING_DELETE", "Deleting"), ("ERROR", "Abnormal"), ("FREEZED", "Frozen"),
        ("SOMETHING_NEW", "SOMETHING_NEW"), ("", "unknown"), (None, "unknown"),
    ],
)  # fmt: skip
def test_a_status_in_the_consoles_words(status, word):
    assert _state.status_word(status) == word


def test_what_is_pending_has_a_word():
    assert set(_state.PENDING) <= set(_state.STATUS_WORDS)


def test_a_vpc_without_vpn():
    assert _state.hub_facts(snapshot()) == {
        "vpc": {"id": "v1", "name": "prod"},
        "gateway": "203.0.113.150",
        "status": None,
        "state": "not there",
        "services": [],
        "subnets": [
            {"id": "s-app", "name": "app", "cidr": "192.168.1.0/24"},
            {"id": "s-db", "name": "db", "cidr": "192.168.2.0/24"},
        ],
    }


@pytest.mark.parametrize(
    ("outside", "service", "gateway"),
    [
        pytest.param(["203.0.113.150"], {}, "203.0.113.150", id="the router's address"),
        pytest.param(
            ["203.0.113.150"], {"external_v4_ip": "203.0.113.9"}, "203.0.113.9", id="the service knows better"
        ),
        pytest.param(["203.0.113.150"], {"external_v4_ip": None}, "203.0.113.150", id="the service does not know"),
        pytest.param(["2001:db8::1", "203.0.113.150"], {}, "203.0.113.150", id="IPv4 first"),
        pytest.param(["2001:db8::1"], {}, "2001:db8::1", id="only IPv6"),
        pytest.param([], {}, None, id="no address"),
        pytest.param(None, {}, None, id="no external gateway"),
    ],
)
def test_where_the_hubs_gateway_comes_from(outside, service, gateway):
    there = after(snapshot(), {"berlin": site()})
    addresses = None if outside is None else {"external_fixed_ips": [{"ip_address": one} for one in outside]}
    there["vpc"][0]["external_gateway_info"] = addresses
    there["vpn_service"][0].update(service, status="ACTIVE")
    facts = _state.hub_facts(there)
    assert facts["gateway"] == gateway
    assert (facts["status"], facts["state"]) == ("ACTIVE", "Normal")


def test_another_vpcs_service_says_nothing():
    there = after(snapshot(), {"berlin": site()})
    there["vpn_service"][0].update(router_id="another", external_v4_ip="198.51.100.1", status="ACTIVE")
    facts = _state.hub_facts(there)
    assert (facts["gateway"], facts["state"]) == ("203.0.113.150", "not there")
