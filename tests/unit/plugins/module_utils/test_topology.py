# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.bothends.vpn.plugins.module_utils import _description, _topology
from ansible_collections.bothends.vpn.tests.unit.builders import SUBNETS, describe, hub, records, site

FACTS = {
    "gateway": "203.0.113.150",
    "subnets": [
        {"id": "s-app", "name": "app", "cidr": "192.168.1.0/24"},
        {"id": "s-db", "name": "db", "cidr": "192.168.2.0/24"},
        {"id": "s-six", "name": "six", "cidr": "2001:DB8:1::/64"},
        {"id": "s-one", "name": "twin", "cidr": "10.0.0.0/24"},
        {"id": "s-two", "name": "twin", "cidr": "10.0.1.0/24"},
    ],
}
IKEV1 = {"default": {"ike": {"version": "v1"}}}


def one(hubs=None, policies=None, psks=None, **change):
    """Give the only record of a description."""
    (record,) = records({"berlin": site(**change)}, psks, hubs=hubs, policies=policies)
    return record


def selectors(record):
    """Give (number, local, remote) of each tunnel."""
    return [
        (int(tunnel["name"].rpartition("/")[2]), tunnel["local_subnets"], tunnel["remote_subnets"])
        for tunnel in record["tunnels"]
    ]


# --- connections -----------------------------------------------------------------------------------------------------


def test_the_documents_own_example_as_the_hub_sees_it():
    record = one({"prod": hub(gateway="203.0.113.150")}, subnets=["192.168.3.0/24", "192.168.4.0/24"])
    assert record["name"] == "prod/berlin"
    assert (record["hub"], record["site"], record["end"], record["router"]) == ("prod", "berlin", "hub", "berlin")
    assert record["local"] == {
        "gateway": "203.0.113.150",
        "address": "203.0.113.150",
        "id": {"type": "ipv4", "value": "203.0.113.150"},
        "subnets": ["192.168.1.0/24", "192.168.2.0/24"],
    }
    assert record["remote"] == {
        "gateway": "203.0.113.3",
        "address": "203.0.113.3",
        "id": {"type": "ipv4", "value": "203.0.113.3"},
        "subnets": ["192.168.3.0/24", "192.168.4.0/24"],
    }
    assert selectors(record) == [(1, ["192.168.1.0/24", "192.168.2.0/24"], ["192.168.3.0/24", "192.168.4.0/24"])]
    assert record["resolved"] is True
    assert "psk" not in record


@pytest.mark.parametrize(
    ("change", "end", "expected"),
    [
        pytest.param({}, "remote", {"type": "ipv4", "value": "203.0.113.3"}, id="the gateway by default"),
        pytest.param({"gateway": "2001:db8::3"}, "remote", {"type": "ipv6", "value": "2001:db8::3"}, id="IPv6 gateway"),
        pytest.param({"id": {"value": "vpn.example.com"}}, "remote", {"type": "fqdn", "value": "vpn.example.com"}, id="name"),
        pytest.param({"id": {"value": "ops@example.com"}}, "remote", {"type": "email", "value": "ops@example.com"}, id="email"),
        pytest.param({}, "local", {"type": "ipv4", "value": "203.0.113.150"}, id="the hub's gateway by default"),
        pytest.param({"peer_id": {"value": "cloud"}}, "local", {"type": "fqdn", "value": "cloud"}, id="the hub's own"),
        pytest.param(
            {"local_address": "10.0.0.2"}, "remote", {"type": "ipv4", "value": "203.0.113.3"}, id="not the address behind NAT"
        ),
    ],
)  # fmt: skip
def test_who_an_end_says_it_is(change, end, expected):
    assert one({"prod": hub(gateway="203.0.113.150")}, **change)[end]["id"] == expected


def test_behind_nat_the_address_differs_from_the_gateway():
    remote = one(local_address="10.0.0.2")["remote"]
    assert (remote["gateway"], remote["address"]) == ("203.0.113.3", "10.0.0.2")


def test_before_the_cloud_was_asked_the_hub_has_neither_gateway_nor_identity():
    record = one()
    assert record["local"]["gateway"] is record["local"]["address"] is record["local"]["id"] is None
    assert record["resolved"] is False


def test_a_site_of_two_hubs_gives_a_record_for_each():
    hubs = {"prod": hub(), "test": hub(subnets=["172.16.0.0/24"])}
    found = records({"berlin": site(hub=None, hubs=["test", "prod"])}, {"test/berlin": "the test's key"}, hubs=hubs)
    assert [record["name"] for record in found] == ["test/berlin", "prod/berlin"]
    assert [record.get("psk") for record in found] == ["the test's key", None]


@pytest.mark.parametrize(
    ("change", "names"),
    [
        pytest.param({"hub": "nowhere"}, [], id="an unknown hub"),
        pytest.param({"policy": "nowhere"}, [], id="an unknown policy"),
        pytest.param(
            {"policy": "gone", "state": "absent"}, ["prod/a"], id="absent, so that its policy may be gone too"
        ),
        pytest.param({"hub": "gone", "state": "absent"}, [], id="absent, with its hub"),
    ],
)
def test_a_site_that_names_what_is_not_there(change, names):
    described = _description.describe(None, {"prod": hub()}, {"a": site(**change)})
    assert [record["name"] for record in _topology.connections(described)] == names


# --- tunnels ---------------------------------------------------------------------------------------------------------

A, B, C, D, SIX, SEVEN = (
    "10.1.0.0/24",
    "10.2.0.0/24",
    "10.3.0.0/24",
    "10.4.0.0/24",
    "2001:db8:1::/64",
    "2001:db8:3::/64",
)


@pytest.mark.parametrize(
    ("local", "remote", "change", "expected"),
    [
        pytest.param([A], [C], {}, [(1, [A], [C])], id="one pair"),
        pytest.param([A, B], [C, D], {}, [(1, [A, B], [C, D])], id="combined"),
        pytest.param(
            [A, B], [C, D], {"selector_mode": "per_pair"},
            [(1, [A], [C]), (2, [A], [D]), (3, [B], [C]), (4, [B], [D])], id="per pair",
        ),
        pytest.param([A, SIX], [C, SEVEN], {}, [(1, [A], [C]), (2, [SIX], [SEVEN])], id="one for each family"),
        pytest.param([A, SIX], [C], {}, [(1, [A], [C])], id="a family at one end only"),
        pytest.param([SIX], [SEVEN], {}, [(1, [SIX], [SEVEN])], id="IPv6 only begins with 1 too"),
        pytest.param(
            [A, SIX], [C, SEVEN], {"selector_mode": "per_pair"}, [(1, [A], [C]), (2, [SIX], [SEVEN])],
            id="no pair of two families",
        ),
        pytest.param([A], [SEVEN], {}, [], id="nothing in common"),
        pytest.param([A, A], [C, "10.3.0.9/24"], {}, [(1, [A], [C])], id="twice the same"),
        pytest.param(["app", B], [C], {}, [(1, ["app", B], [C])], id="a name that the cloud has not told yet"),
    ],
)  # fmt: skip
def test_the_tunnels_of_a_connection(local, remote, change, expected):
    assert selectors(one({"prod": hub(subnets=local)}, subnets=remote, **change)) == expected


@pytest.mark.parametrize(
    ("asked", "policies", "mode"),
    [
        ("auto", None, "combined"),
        ("auto", IKEV1, "per_pair"),
        ("per_pair", None, "per_pair"),
        ("combined", IKEV1, "combined"),
    ],
)
def test_ikev1_goes_pair_by_pair_unless_told_otherwise(asked, policies, mode):
    assert one(policies=policies, selector_mode=asked)["selector_mode"] == mode


def test_a_platform_whose_tunnels_carry_one_pair_goes_pair_by_pair():
    assert one(platform="libreswan")["selector_mode"] == "per_pair"


prefixes = st.lists(
    st.one_of(
        st.integers(0, 30).map(lambda number: f"10.{number}.0.0/16"),
        st.integers(1, 30).map(lambda number: f"2001:db8:{number:x}::/48"),
    ),
    min_size=1,
    max_size=5,
    unique=True,
)
changes = st.fixed_dictionaries(
    {
        "selector_mode": st.sampled_from(["auto", "combined", "per_pair"]),
        "local_address": st.sampled_from([None, "10.0.0.2"]),
        "id": st.sampled_from([None, {"value": "vpn.example.com"}]),
    }
)


@given(prefixes, prefixes, changes, st.randoms())
def test_the_order_of_a_list_does_not_matter(local, remote, change, random):
    before = one({"prod": hub(subnets=local)}, subnets=remote, **change)
    random.shuffle(local)
    random.shuffle(remote)
    after = one({"prod": hub(subnets=local)}, subnets=remote, **change)
    assert after["tunnels"] == before["tunnels"]


@given(prefixes, prefixes, changes)
def test_every_pair_of_one_family_is_carried_once(local, remote, change):
    record = one({"prod": hub(subnets=local)}, subnets=remote, **change)
    carried = [
        pair for _number, ours, theirs in selectors(record) for pair in itertools.product(ours, theirs)
    ]  # fmt: skip
    assert sorted(carried) == sorted(
        (ours, theirs) for ours, theirs in itertools.product(local, remote) if (":" in ours) == (":" in theirs)
    )
    assert [number for number, *_rest in selectors(record)] == list(range(1, len(record["tunnels"]) + 1))


# --- mirror ----------------------------------------------------------------------------------------------------------


@given(prefixes, prefixes, changes)
def test_mirrored_twice_is_the_record_itself(local, remote, change):
    record = one({"prod": hub(subnets=local)}, psks={"berlin": "key"}, subnets=remote, **change)
    untouched = copy.deepcopy(record)
    assert _topology.mirror(_topology.mirror(record)) == record
    assert record == untouched


def test_a_mirror_swaps_the_ends_and_nothing_else():
    record = one({"prod": hub(gateway="203.0.113.150")}, local_address="10.0.0.2", selector_mode="per_pair")
    turned = _topology.mirror(record)
    assert turned["end"] == "site"
    assert (turned["local"], turned["remote"]) == (record["remote"], record["local"])
    assert selectors(turned) == [(number, remote, local) for number, local, remote in selectors(record)]
    swapped = {"end", "local", "remote", "tunnels"}
    assert {key: turned[key] for key in turned if key not in swapped} == {
        key: record[key] for key in record if key not in swapped
    }


# --- resolve ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "cidrs"),
    [
        (["app", "db"], ["192.168.1.0/24", "192.168.2.0/24"]),
        (["s-db"], ["192.168.2.0/24"]),
        (["s-two"], ["10.0.1.0/24"]),
        (["192.168.1.0/24", "db"], ["192.168.1.0/24", "192.168.2.0/24"]),
        (["six"], ["2001:db8:1::/64"]),
        pytest.param(["172.16.0.0/12"], ["172.16.0.0/12"], id="a CIDR is its own, whatever the VPC has"),
    ],
)
def test_resolve_puts_cidrs_for_names_and_ids(written, cidrs):
    record = _topology.resolve(one({"prod": hub(subnets=written)}), FACTS)
    assert record["local"]["subnets"] == cidrs
    assert record["resolved"] is True


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("web", r"the VPC has no subnets called 'web'; there are: app \(192.168.1.0/24\), db"),
        ("twin", "the VPC has 2 subnets called 'twin'"),
        ("APP", "no subnets called 'APP'"),
    ],
)
def test_resolve_names_what_is_not_there_or_twice(written, message):
    with pytest.raises(LookupError, match=message):
        _topology.resolve(one({"prod": hub(subnets=[written])}), FACTS)


def test_resolve_puts_in_the_gateway_and_the_identity_that_follows():
    record = one()
    local = _topology.resolve(record, FACTS)["local"]
    assert (local["gateway"], local["address"]) == ("203.0.113.150", "203.0.113.150")
    assert local["id"] == {"type": "ipv4", "value": "203.0.113.150"}
    assert record["local"]["gateway"] is None, "the record that was given stays as it is"


def test_what_the_user_wrote_goes_before_what_the_cloud_says():
    record = one({"prod": hub(gateway="198.51.100.7")}, peer_id={"value": "cloud"})
    local = _topology.resolve(record, FACTS)["local"]
    assert (local["gateway"], local["id"]["value"]) == ("198.51.100.7", "cloud")


def test_a_cloud_that_knows_no_gateway_resolves_nothing():
    record = _topology.resolve(one(), {"gateway": None, "subnets": []})
    assert record["local"]["gateway"] is None
    assert record["resolved"] is False


def test_names_become_families_when_they_are_resolved():
    named = one({"prod": hub(subnets=["app", "six"])}, subnets=[C, SEVEN])
    assert selectors(_topology.resolve(named, FACTS)) == [
        (1, ["192.168.1.0/24"], [C]),
        (2, ["2001:db8:1::/64"], [SEVEN]),
    ]


def test_records_share_nothing_with_the_description_when_turned():
    described = describe({"berlin": site()})
    before = copy.deepcopy(described)
    turned = _topology.mirror(_topology.connections(described)[0])
    turned["dpd"]["interval"] = 1
    turned["remote"]["subnets"].append(next(iter(SUBNETS.values())))
    assert described == before
