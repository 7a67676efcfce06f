# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module hub against each provider's API: made, again, changed in place, replaced, purged, removed, taken over; at random too.

Its own code, without Ansible around it. In this order, for one provider after the other; that the tunnels carry traffic, the
scenarios with routers show.
"""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.bothends.vpn.plugins.module_utils import _hub_info
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError

from .conftest import writes
from .hubs import KEY, SUBNETS, Options, Runs, api, hub, hurry, login, policy, site, there

CONNECTIONS = "vpn/ipsec-site-connections"
OTHER_KEY = "another-key-for-these-tests"


class End(t.NamedTuple):
    """A provider, by its entry in clouds.yaml."""

    name: str
    entry: str
    other: str
    keys_come_back: bool
    word: str  # what its API calls sha384


ENDS = {
    "neutron": End("neutron", "lab", "otc", True, "sha384"),
    "otc": End("otc", "lab-otc", "neutron", False, "sha2-384"),
}


@pytest.fixture(scope="module", params=ENDS)
def end(request) -> End:
    """One provider after the other."""
    return ENDS[request.param]


@pytest.fixture(scope="module")
def run(lab, end) -> t.Iterator[Runs]:
    """Module hub at that provider; begins and ends without a VPN."""
    lab.reset_cloud_vpn()
    with pytest.MonkeyPatch.context() as patch:
        hurry(patch)
        yield Runs(login(lab, end.entry))
    lab.reset_cloud_vpn()


def described(end: End, *sites: Options, **change: t.Any) -> Options:
    return hub(*sites, provider=end.name, **change)


def unchanged(lab, run, options: Options) -> bool:
    """Whether a run changes nothing, and writes nothing."""
    mark = lab.mark()
    result = run(options)
    return (result["changed"], result["plan"], writes(lab, mark)) == (False, [], [])


def ids(lab) -> dict[str, str]:
    """The connections' ids by peer."""
    return {one["peer_address"]: one["id"] for one in api(lab).list(CONNECTIONS)}


def same(planned: Options, done: Options) -> bool:
    """Whether a real run did what check mode had said."""
    return (planned["changed"], planned["plan"], planned["diff"]) == (done["changed"], done["plan"], done["diff"])


# --- made ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def first(lab, run, end) -> tuple[Options, list[t.Any], Options]:
    """What check mode says while nothing is there, what it wrote, and what the real run then did."""
    options, mark = described(end, site(1), site(2)), lab.mark()
    planned = run(options, check=True)
    return planned, writes(lab, mark), run(options)


def test_the_wrong_provider_is_told_before_the_first_write(lab, run, end):
    mark = lab.mark()
    with pytest.raises(VpnError, match=rf"(?s)the server is another one.*Set it to {end.name}"):
        run({**described(end, site(1)), "provider": end.other})
    assert writes(lab, mark) == []


def test_the_real_run_does_what_check_mode_said(first):
    planned, written, done = first
    assert written == [] and done["changed"] and same(planned, done)
    assert [one["id"] for one in planned["connections"]] == [None, None]
    assert KEY not in repr((planned, done))


def test_the_server_has_what_was_described(first, lab):
    made = {kind: len(things) for kind, things in there(lab).items()}
    assert made == {"ike_policy": 1, "ipsec_policy": 1, "vpn_service": 1, "endpoint_group": 3, "site_connection": 2,
                    "security_group_rule": 4}  # fmt: skip
    assert {one["id"] for one in first[2]["connections"]} == set(ids(lab).values())
    assert {one["psk"] for one in api(lab).list(CONNECTIONS)} == {f"{KEY}1", f"{KEY}2"}
    assert api(lab).list("vpn/ikepolicies")[0]["auth_algorithm"] == "sha384"


def test_the_second_run_changes_nothing(first, lab, run, end):
    assert unchanged(lab, run, described(end, site(2), site(1)))


# --- changed in place ------------------------------------------------------------------------------------------------


class Change(t.NamedTuple):
    """A change of the first site, or of the hub; what became of it stays for the next one."""

    site: Options
    hub: Options
    fields: list[str]  # what an update of the connection sends
    others: list[str] = []  # what else is done
    refused: tuple[str, ...] = ()  # providers that do not take it
    otherwise: dict[str, list[str]] = {}  # provider -> fields, where it is otherwise there


IDENTITY = {"type": "fqdn", "value": "site1.example.com"}
SWAP = ["create endpoint_group", "delete endpoint_group"]
CHANGES = {
    "address": Change({"gateway": "203.0.113.77"}, {}, ["peer_address", "peer_id"]),
    "identity": Change({"id": IDENTITY}, {}, ["peer_id"]),
    "the hub's identity": Change({"peer_id": {"type": "fqdn", "value": "hub.example.com"}}, {}, ["local_id"], refused=("otc",)),
    "MTU": Change({"underlay_mtu": 1400}, {}, ["mtu"], refused=("otc",)),
    "dead peers": Change({"dpd": {"action": "hold", "interval": 10, "timeout": 60}}, {}, ["dpd"]),
    "initiator": Change({"initiator": "site"}, {}, ["initiator"]),
    "off": Change({"state": "disabled"}, {}, ["admin_state_up"], refused=("otc",)),
    "on": Change({"state": "present"}, {}, ["admin_state_up"], otherwise={"otc": []}),
    "a subnet more": Change(
        {"subnets": ["10.1.0.0/24", "10.11.0.0/24"]}, {}, ["peer_ep_group_id"], [*SWAP, "create security_group_rule"]
    ),
    "the same, written otherwise": Change({"subnets": ["10.11.0.0/24", "10.1.0.99/24"]}, {}, []),
    "a subnet of the VPC less": Change({}, {"subnets": SUBNETS[:1]}, ["local_ep_group_id"], SWAP),
    "another key": Change({"psk": OTHER_KEY}, {}, ["psk"], otherwise={"otc": []}),
    "a key of another generation": Change(
        {"psk": OTHER_KEY + "2", "psk_generation": 2}, {}, ["psk"], otherwise={"otc": ["description", "psk"]}
    ),
    "keys on request": Change({}, {"send_psks": True}, [], otherwise={"otc": ["psk"]}),
    "not on request": Change({}, {"send_psks": False}, []),
    "rules": Change(
        {"security_group_rules": [{"protocol": "udp", "ports": ["53"]}]}, {}, [],
        ["create security_group_rule", "delete security_group_rule"],
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def now(first, end) -> dict[str, Options]:
    """What the first site and the hub are described as by now."""
    return {"site": {}, "hub": {}}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_in_place(lab, run, end, now, name):
    change = CHANGES[name]
    changed_site, changed_hub = {**now["site"], **change.site}, {**now["hub"], **change.hub}
    options = described(end, site(1, **changed_site), site(2), **{**changed_hub, "allow_disruption": False})
    before, mark = ids(lab), lab.mark()
    if end.name in change.refused:
        with pytest.raises(VpnError, match=rf"site site1 is blocked, nothing of it was touched: .*{end.name} takes "):
            run(options)
        assert writes(lab, mark) == []
        return
    now.update(site=changed_site, hub=changed_hub)
    planned, done = run(options, check=True), run(options)
    assert same(planned, done)
    updates = [step for step in done["plan"] if (step["verb"], step["kind"]) == ("update", "site_connection")]
    fields = change.otherwise.get(end.name, change.fields)
    touched = {step["name"]: step["fields"] for step in updates}
    assert touched.get("prod/site1/1", []) == fields
    if change.site:
        assert set(touched) <= {"prod/site1/1"}, "the other site stays as it is"
    others = {f"{step['verb']} {step['kind']}" for step in done["plan"] if step not in updates}
    assert others == set(change.others)
    assert sorted(ids(lab).values()) == sorted(before.values())
    assert unchanged(lab, run, {**options, "send_psks": False})


def test_the_server_has_all_of_that(lab, end, now):
    assert now["site"]["subnets"], "the changes came before"
    [one] = [one for one in api(lab).list(CONNECTIONS) if one["peer_address"] == "203.0.113.77"]
    assert (one["peer_id"], one["dpd"]["interval"], one["initiator"]) == ("site1.example.com", 10, "response-only")
    assert (one["mtu"], one["local_id"]) == ((1500, "") if end.name == "otc" else (1400, "hub.example.com"))
    assert (one["psk"], one["admin_state_up"]) == (OTHER_KEY + "2", True)
    [group] = [group for group in api(lab).list("vpn/endpoint-groups") if group["id"] == one["peer_ep_group_id"]]
    assert sorted(group["endpoints"]) == ["10.1.0.0/24", "10.11.0.0/24"]


# --- replaced, purged, removed ---------------------------------------------------------------------------------------


def test_another_policy_is_another_connection(lab, run, end, first):
    options = described(end, site(1), site(2))
    run(options)
    before, mark = ids(lab), lab.mark()
    other = {**options, "policies": [policy(lifetime=14400)]}
    with pytest.raises(VpnError, match=r"would interrupt prod/site1/1, prod/site2/1 .*allow_disruption") as caught:
        run({**other, "allow_disruption": False})
    assert writes(lab, mark) == []
    planned, done = run(other, check=True), run(other)
    assert same(planned, done) and caught.value.result["plan"] == done["plan"]
    after = ids(lab)
    assert after.keys() == before.keys() and not set(after.values()) & set(before.values())
    made = [one.method for one in writes(lab, mark) if CONNECTIONS in one.path]
    assert (
        made == (["DELETE", "POST"] * 2 if end.name == "otc" else made)
        and sorted(made) == ["DELETE"] * 2 + ["POST"] * 2
    )
    assert len(there(lab)["ike_policy"]) == 1 and unchanged(lab, run, other)
    run(options)


def test_what_is_not_described_any_more_stays_until_it_is_purged(lab, run, end, first):
    both, one = described(end, site(1), site(2)), described(end, site(2))
    run(both)
    before = ids(lab)
    left = run({**one, "allow_disruption": False})
    assert left["plan"] == [] and {one["site"] for one in left["leftovers"]} == {"site1"}
    with pytest.raises(VpnError, match="would interrupt prod/site1/1"):
        run({**one, "purge": True, "allow_disruption": False})
    planned, done = run({**one, "purge": True}, check=True), run({**one, "purge": True})
    assert same(planned, done) and {step["verb"] for step in done["plan"]} == {"delete"}
    assert ids(lab) == {"203.0.113.20": before["203.0.113.20"]} and unchanged(lab, run, {**one, "purge": True})


def test_a_site_without_a_place_in_the_quota(lab, run, end, first):
    """Told before the first write; the same without the quota would pass."""
    mine, admin = api(lab).list("routers", name="prod")[0]["project_id"], api(lab, "lab-admin")
    many = described(end, *(site(number) for number in range(1, 7)))
    if end.name == "neutron":
        assert len(run(many, check=True)["connections"]) == 6
        admin.request("PUT", f"/quotas/{mine}", {"quota": {"ipsec_site_connection": 5}})
    mark = lab.mark()
    try:
        with pytest.raises(VpnError, match="the project may have 5 of kind site_connection"):
            run(many)
        assert writes(lab, mark) == []
    finally:
        admin.delete("quotas", mine)


def test_absent_removes_exactly_what_was_made(lab, run, end, first):
    gone = described(end, site(1, state="absent"), site(2, state="absent"))
    planned, done = run(gone, check=True), run(gone)
    assert done["changed"] and same(planned, done) and there(lab) == {}
    assert unchanged(lab, run, gone)


# --- taken over ------------------------------------------------------------------------------------------------------


def by_hand(lab, end) -> str:
    """Make what a person makes at the console, with names of its own; gives the connection's id."""
    own = api(lab, end.entry)
    subnets = [one["id"] for one in own.list("subnets") if one["name"] in ("app", "db")]
    strong = {"auth_algorithm": end.word, "encryption_algorithm": "aes-256", "pfs": "group20"}
    parts = {
        "ikepolicy_id": own.create("vpn/ikepolicies", "ikepolicy", name="Büro", ike_version="v2",
                                   lifetime={"units": "seconds", "value": 28800}, **strong),
        "ipsecpolicy_id": own.create("vpn/ipsecpolicies", "ipsecpolicy", name="Büro", **strong),
        "vpnservice_id": own.create("vpn/vpnservices", "vpnservice", name="VPN", router_id=own.list("routers", name="prod")[0]["id"]),
        "local_ep_group_id": own.create("vpn/endpoint-groups", "endpoint_group", name="hier", type="subnet", endpoints=subnets),
        "peer_ep_group_id": own.create("vpn/endpoint-groups", "endpoint_group", name="dort", type="cidr", endpoints=["10.1.0.0/24"]),
    }  # fmt: skip
    return own.create(
        CONNECTIONS, "ipsec_site_connection", name="Büro", psk=f"{KEY}1", peer_address="203.0.113.10", peer_id="203.0.113.10",
        dpd={"action": "restart", "interval": 30, "timeout": 120}, **{field: one["id"] for field, one in parts.items()},
    )["id"]  # fmt: skip


def test_what_somebody_made_is_taken_over_without_a_change(lab, run, end, first):
    lab.reset_cloud_vpn()
    identifier = by_hand(lab, end)
    mine = described(end, site(1), security_groups=[])
    assert unchanged(lab, run, mine)
    asked = {"vpc": "prod", "name": "prod", "provider": end.name, "gather": ["description"], "until_normal": []}
    read = _hub_info.inform(asked, run.cloud)["description"]
    assert read["left_out"] == [] and [one["subnets"] for one in read["connections"]] == [["10.1.0.0/24"]]
    theirs = {**mine, "subnets": read["subnets"], "policies": read["policies"],
              "connections": [{**one, "psk": f"{KEY}1", "security_group_rules": []} for one in read["connections"]]}  # fmt: skip
    assert unchanged(lab, run, theirs)
    changed = run(described(end, site(1, initiator="hub"), security_groups=[], policies=[policy()]), check=True)
    assert [step["verb"] for step in changed["plan"]] in ([], ["update"])
    wider = run(described(end, site(1, subnets=["10.1.0.0/16"]), security_groups=[]))
    assert [step["id"] for step in wider["plan"] if step["kind"] == "site_connection"] == [identifier]
    lab.reset_cloud_vpn()


# --- while the cloud is at work --------------------------------------------------------------------------------------


def test_a_change_waits_until_its_connection_is_made(lab, run, end, first):
    """One provider says in its error what it is, the other does not. A cloud that is quick refuses nothing."""
    run(described(end, site(1), site(2)))
    mark, dpd = lab.mark(), {"action": "hold", "interval": 10, "timeout": 60}
    assert run(described(end, site(1, dpd=dpd), site(2, dpd=dpd)))["changed"]
    answers = [one.status for one in writes(lab, mark)]
    assert answers.count(200) == 2 and set(answers) <= {200, 400}
    lab.reset_cloud_vpn()


# --- at random -------------------------------------------------------------------------------------------------------

CIPHERS = {
    "neutron": [
        {"encryption": "aes-256", "integrity": "sha512"},
        {"encryption": "aes-128-gcm-16", "prf": "sha256"},
        {"encryption": "aes-192-ctr", "integrity": "sha384"},
    ],
    "otc": [
        {"encryption": "aes-256", "integrity": "sha512"},
        {"encryption": "aes-128", "integrity": "sha256"},
        {"encryption": "aes-192", "integrity": "sha384"},
    ],
}
RULES = [{"protocol": "icmp"}, {"protocol": "tcp", "ports": ["443", "8000-8010"]}, {"protocol": "any"}]


def some(things: list[t.Any]) -> st.SearchStrategy[list[t.Any]]:
    """At least one of them, in any order."""
    return st.lists(st.sampled_from(things), min_size=1, unique_by=repr)


@st.composite
def descriptions(draw, provider: str) -> Options:
    """A description that the provider takes."""
    names = {"weak": draw(st.sampled_from(CIPHERS[provider])), "strong": draw(st.sampled_from(CIPHERS[provider]))}
    policies = []
    for name, ike in names.items():
        ipsec = {key: value for key, value in ike.items() if key != "prf"}
        groups = st.sampled_from(["group14", "group19", "group20"])
        policies.append({
            "name": name,
            "ike": {**ike, "dh_group": draw(groups), "lifetime": draw(st.sampled_from([28800, 86400]))},
            "ipsec": {**ipsec, "pfs_group": draw(groups)},
        })  # fmt: skip
    sites = []
    for number in draw(st.sets(st.integers(1, 3), min_size=1, max_size=2)):
        generation = draw(st.integers(1, 2))
        one = site(
            number,
            gateway=f"203.0.113.{10 * number + draw(st.integers(0, 1))}",
            subnets=draw(some([f"10.{number}.0.{draw(st.integers(0, 9))}/24", f"10.{number}.1.0/25"])),
            policy=draw(st.sampled_from(["weak", "strong"])),
            psk=f"{KEY}{number}-{generation}", psk_generation=generation,
            security_group_rules=draw(some(RULES)),
            dpd={"interval": draw(st.integers(10, 40))},
            initiator=draw(st.sampled_from(["both", "site"])),
            **draw(st.sampled_from([{}, {"id": {"type": "fqdn", "value": f"site{number}.example.com"}}])),
        )  # fmt: skip
        if provider == "neutron":
            one.update(
                selector_mode=draw(st.sampled_from(["combined", "per_pair"])),
                underlay_mtu=draw(st.sampled_from([1500, 1400])),
                state=draw(st.sampled_from(["present", "disabled"])),
            )
        sites.append(one)
    return hub(*sites, provider=provider, policies=policies, subnets=draw(some(SUBNETS)), purge=True)


def test_whatever_was_there_the_second_run_changes_nothing(lab, run, end, first):
    """From one random description to the next: check mode is right, and after each run there is no more to do."""

    @settings(max_examples=3, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(wishes=st.lists(descriptions(end.name), min_size=2, max_size=3))
    def any_wishes(wishes):
        for wish in wishes:
            planned, done = run(wish, check=True), run(wish)
            assert same(planned, done)
            assert unchanged(lab, run, wish)
            assert set(ids(lab)) == {one["gateway"] for one in wish["connections"]}

    any_wishes()
