# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Description, cloud, router and running SAs side by side: nothing where they agree, one row where one differs."""

from __future__ import annotations

import copy
import json
import os
import re

import pytest
from ansible.errors import AnsibleFilterError
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.bothends.vpn.plugins.action import site_configs as action
from ansible_collections.bothends.vpn.plugins.filter.connections import connections
from ansible_collections.bothends.vpn.plugins.filter.drift import FilterModule
from ansible_collections.bothends.vpn.plugins.filter.router_sites import router_sites
from ansible_collections.bothends.vpn.plugins.module_utils import _secrets
from ansible_collections.bothends.vpn.plugins.modules import site_configs, site_configs_info
from ansible_collections.bothends.vpn.tests.unit.builders import hub, site

drift = FilterModule().filters()["drift"]

BOTH = "10.3.0.0/24, 10.3.1.0/24"
KEY = "a random text of one run"
PSK = "only-for-the-tests-3f1nX0aR7uQw9LkZ"
HUBS = {"prod": hub(gateway="203.0.113.150"), "lab": hub(gateway="203.0.113.151")}
POLICIES = {
    "strong": {"ike": {"encryption": "aes-256", "integrity": "sha384", "dh_group": "group20"},
               "ipsec": {"encryption": "aes-256", "integrity": "sha384", "pfs_group": "group20"}},
    "gcm": {"ike": {"encryption": "aes-256-gcm-16", "prf": "sha384", "dh_group": "group20"},
            "ipsec": {"encryption": "aes-256-gcm-16", "pfs_group": "group20"}},
    "old": {"ike": {"version": "v1", "encryption": "aes-128"}, "ipsec": {"encryption": "aes-128"}},
}  # fmt: skip
CISCO = {"wan_interface": "GigabitEthernet1", "lan_interface": "GigabitEthernet2", "numbers": {}}
SITES = {
    "berlin": site(3, policy="strong", subnets=["10.3.0.0/24", "10.3.1.0/24"]),
    "paris": site(4, policy="gcm", hub=None, hubs=["prod", "lab"]),
    "rome": site(5, policy="old", platform="libreswan", subnets=["10.5.0.0/24", "10.50.0.0/24"]),
    "oslo": site(6, state="disabled"),
}
SITES["paris"].pop("hub")
PSKS = {name: PSK + name for name in SITES}
PROVIDER = {"name": "neutron", "effective": {"ipsec.lifetime": "1200 s whatever the policy says"}, "not_read_back": []}


def held(directory, sites=None, psks=None, resolved=None, **more):
    """Write the files of all sites as the role does, and read them as the module does."""
    wanted = router_sites(sites or SITES, hubs=HUBS, policies=POLICIES, psks=psks or PSKS, **more)
    os.makedirs(directory, exist_ok=True)
    for one in wanted:
        given = (resolved or {}) if one["platform"] == "strongswan" else {}
        for entry in action.rendered([one], allow_placeholders=True, resolved=given):
            list(site_configs.apply({"files": [], **entry}, str(directory), False))
    return read(directory)


def read(directory):
    found = site_configs_info._platforms.owners(sorted(os.listdir(directory)))
    return {"now": 1_000_000_000.0, "sas": [],
            "sites": [site_configs_info.held(str(directory), platform, name, names, KEY) for platform, name, names in found]}  # fmt: skip


def running(sites=None, **change):
    """Give SAs that are as described, made before ``now``."""
    out = []
    for number, record in enumerate(connections(sites or SITES, hubs=HUBS, policies=POLICIES, end="site"), start=1):
        if record["state"] != "present":
            continue
        ike = {field: record["ike"].get(field) for field in ("encryption", "integrity", "prf", "dh_group")}
        ike["prf"] = ike["prf"] or ike["integrity"]
        ipsec = {**{field: record["ipsec"].get(field) for field in ("encryption", "integrity")}, "pfs_group": None}
        out.append(
            {
                "connection": record["name"], "id": number, "state": "ESTABLISHED", "ike": ike, "established": 100,
                "local_id": record["local"]["id"]["value"], "remote_id": record["remote"]["id"]["value"],
                "remote_host": record["remote"]["gateway"],
                "children": [
                    {"tunnel": one["name"], "id": number * 10 + index, "state": "INSTALLED", "ipsec": ipsec,
                     "local_subnets": one["local_subnets"], "remote_subnets": one["remote_subnets"]}
                    for index, one in enumerate(record["tunnels"])
                ],
            }
        )  # fmt: skip
    return out


def aged(router):
    """Take the files as written long before the SAs."""
    for one in router["sites"]:
        one["modified"] = 999_000_000.0
    return router


def clouds(**change):
    """Give two clouds that hold what is described."""
    tunnels = [one for record in connections(SITES, hubs=HUBS, policies=POLICIES) for one in record["tunnels"]]
    return {
        name: {
            "hub": {"gateway": HUBS[name]["gateway"], "subnets": []},
            "provider": copy.deepcopy(PROVIDER),
            "connections": [
                {"name": one["name"], "updated_at": None, "psk_digest": _secrets.digest(KEY, PSK + one["name"].split("/")[1])}
                for one in tunnels if one["name"].startswith(name + "/")
            ],
            "differences": [],
            "blocked": {},
            **change.get(name, {}),
        }
        for name in HUBS
    }  # fmt: skip


def told(sites=None, kinds=("difference", "unanswered"), **given):
    """Give the rows of these kinds, and see that no key is in any."""
    rows = drift(sites or SITES, hubs=HUBS, policies=POLICIES, key=KEY, **{"psks": PSKS, **given})
    assert PSK not in json.dumps(rows)
    return [row for row in rows if row["kind"] in kinds]


def brief(rows):
    """Give what a row says but for its kind and note."""
    return [
        tuple(row[field] for field in ("connection", "field", "described", "cloud", "router", "running"))
        for row in rows
    ]


@pytest.fixture
def routers(tmp_path):
    """All sites behind their own routers, in one directory each."""
    out = {}
    for name in SITES:
        out[name] = {**aged(held(tmp_path / name, router=name)), "sas": running()}
    return out


def test_what_is_as_described_has_no_row(routers):
    assert told(clouds=clouds(), routers=routers) == []
    # And all of it was looked at, but for what nobody can tell.
    assert told(clouds=clouds(), routers=routers, kinds=("not compared",)) == []


@pytest.mark.parametrize("can_trap", [True, False])
def test_neither_where_a_router_decided_by_itself(tmp_path, can_trap):
    router = aged(held(tmp_path, router="berlin", resolved={"can_trap": can_trap}))
    assert told(routers={"berlin": router}, names=["prod/berlin"]) == []


# --- the router's file


# What somebody wrote into berlin's file -> field, described, held.
EDITS = {
    "version": ("version = 2", "version = 1\n aggressive = no", {("ike.version", "v2", "v1")}),
    "local address": ('local_addrs = "203.0.113.3"', 'local_addrs = "10.0.0.1"', {("local_address", "203.0.113.3", "10.0.0.1")}),
    "hub's address": ('remote_addrs = "203.0.113.150"', 'remote_addrs = "192.0.2.1"', {("hub.gateway", "203.0.113.150", "192.0.2.1")}),
    "proposal": ('"aes256-sha384-ecp384"', '"aes256-sha384-modp2048"', {("ike.dh_group", "group20", "group14")}),
    "no pfs": ('esp_proposals = "aes256-sha384-ecp384"', 'esp_proposals = "aes256-sha384"', {("ipsec.pfs_group", "group20", "none")}),
    "lifetime": ("over_time = 2880", "over_time = 2881", {("ike.lifetime", 28800, 28801)}),
    "child's lifetime": ("life_time = 3600", "life_time = 1800", {("ipsec.lifetime", 3600, 1800)}),
    "dpd": ("dpd_delay = 30", "dpd_delay = 99", {("dpd.interval", 30, 99)}),
    "encapsulation": ("encap = no", "encap = yes", {("nat_traversal", "auto", "force")}),
    "subnets": ('local_ts = "10.3.0.0/24, 10.3.1.0/24"', 'local_ts = "10.3.0.0/24"', {("subnets", BOTH, "10.3.0.0/24")}),
    "hub's subnets": ("192.168.2.0/24", "192.168.9.0/24",
                      {("hub.subnets", "192.168.1.0/24, 192.168.2.0/24", "192.168.1.0/24, 192.168.9.0/24")}),
    "what no field says": ("close_action = none", "close_action = trap", {("file", "as it is written", "another text")}),
    "a comment": ("# Managed", "# managed", {("file", "as it is written", "another text")}),
}  # fmt: skip


@pytest.mark.parametrize("case", EDITS)
def test_one_edit_of_the_routers_file_is_exactly_that_difference(tmp_path, case):
    pattern, replacement, expected = EDITS[case]
    held(tmp_path, router="berlin")
    path = tmp_path / "bothends-vpn-berlin.conf"
    text = path.read_text()
    assert pattern in text
    path.write_text(text.replace(pattern, replacement, 1))
    rows = told(routers={"berlin": aged(read(tmp_path))}, names=["prod/berlin"])
    assert {(row["field"], row["described"], row["router"]) for row in rows} == expected


def test_another_key_is_told_without_the_key(tmp_path):
    router = aged(held(tmp_path, router="berlin", psks={"berlin": "another key of the router"}))
    (row,) = told(routers={"berlin": router}, names=["prod/berlin"])
    assert brief([row]) == [("prod/berlin", "psk", "(secret)", "-", "another key", "-")]
    assert "another key of" not in json.dumps(row)
    # Which of both ends is right nobody can tell, but whether they agree with each other.
    changed = {"prod": {"differences": [cloud_says("psk", None, None)]}}
    for psk, note in (
        ("another key of the router", "both ends have the same"),
        ("a third key, of the cloud", "another key, and not the same"),
    ):
        there = clouds(**changed)
        for one in there["prod"]["connections"]:
            one["psk_digest"] = _secrets.digest(KEY, psk)
        (row,) = told(clouds=there, routers={"berlin": router}, names=["prod/berlin"])
        assert note in row["note"]


def test_without_our_key_nothing_is_said_of_the_routers(tmp_path):
    router = aged(held(tmp_path, router="berlin"))
    assert told(routers={"berlin": router}, names=["prod/berlin"], psks=None) == []
    (row,) = [
        one
        for one in told(kinds=("not compared",), routers={"berlin": router}, names=["prod/berlin"], psks=None)
        if one["field"] == "psk"
    ]
    assert row["note"] == "vpn_psks has no key of it"


CHANGES = {
    "gateway": ({"gateway": "203.0.113.99"}, {"local_address", "id"}),
    "policy": (
        {"policy": "gcm"},
        {"ike.encryption", "ike.integrity", "ike.prf", "ipsec.encryption", "ipsec.integrity"},
    ),
    "dpd": ({"dpd": {"interval": 9}}, {"dpd.interval"}),
    "id": ({"id": {"value": "berlin.example.com"}}, {"id", "id.type"}),
    "peer_id": ({"peer_id": {"value": "hub.example.com"}}, {"peer_id", "peer_id.type"}),
    "subnets": ({"subnets": ["10.3.0.0/24"]}, {"subnets"}),
    "per pair": ({"selector_mode": "per_pair"}, {"subnets", "hub.subnets", "tunnel"}),
    "router's settings": ({"router_settings": {"start_action": "start"}}, {"file"}),
    "disabled": ({"state": "disabled"}, {"connection"}),
    "absent": ({"state": "absent"}, {"connection"}),
}


@pytest.mark.parametrize("case", CHANGES)
def test_one_change_of_the_description_is_exactly_that_difference(tmp_path, case):
    change, fields = CHANGES[case]
    router = aged(held(tmp_path, router="berlin"))
    sites = {**SITES, "berlin": {**SITES["berlin"], **change}}
    rows = told(sites, routers={"berlin": router}, names=["prod/berlin"])
    assert {row["field"] for row in rows} == fields


@settings(max_examples=40)
@given(
    st.fixed_dictionaries(
        {"platform": st.sampled_from(["strongswan", "libreswan"]), "policy": st.sampled_from(["strong", "gcm", "old"])},
        optional={
            "initiator": st.sampled_from(["both", "hub", "site"]),
            "nat_traversal": st.sampled_from(["auto", "force"]),
            "subnets": st.sampled_from([["10.3.0.0/24"], ["10.3.0.0/24", "10.4.0.0/24"]]),
            "dpd": st.fixed_dictionaries({"action": st.sampled_from(["hold", "clear", "restart"])}),
            "id": st.sampled_from([{"value": "x.example.com"}, {"value": "x@example.com"}]),
            "local_address": st.just("10.0.0.2"),
        },
    )
)
def test_a_description_against_its_own_rendering_has_no_drift(tmp_path_factory, entry):
    sites = {"berlin": site(3, **entry)}
    router = aged(held(tmp_path_factory.mktemp("held"), sites=sites, psks={"berlin": PSK}))
    assert told(sites, routers={"berlin": {**router, "sas": running(sites)}}, psks={"berlin": PSK}) == []


def test_files_that_are_carried_over_by_hand(tmp_path):
    """Of IOS XE nobody reads what runs, but what was written."""
    sites = {"berlin": site(3, policy="strong", platform="cisco_iosxe")}
    files = aged(held(tmp_path, sites=sites, psks={"berlin": PSK}))
    given = {"routers": {}, "psks": {"berlin": PSK}}
    assert told(sites, files=files, **given) == []
    (row,) = told(sites, kinds=("not compared",), files=files, **given)
    assert "configured by hand" in row["note"]
    path = next(path for path in sorted(tmp_path.iterdir()) if "remove" not in path.name)
    path.write_text(re.sub(r"lifetime 28800", "lifetime 3601", path.read_text()))
    assert {row["field"] for row in told(sites, files=read(tmp_path), **given)} == {"ike.lifetime"}
    (row, _running) = told(sites, kinds=("not compared",), **given, files={"error": "no such directory"})
    assert row["note"] == "no such directory"


def test_a_router_that_is_no_inventory_host_has_files_too(tmp_path):
    files = aged(held(tmp_path, router="berlin"))
    given = {"files": files, "hosts": ["paris"], "routers": {}, "names": ["prod/berlin"]}
    assert told(**given) == []
    (row,) = told(kinds=("not compared",), **given)
    assert row["note"] == "router berlin is no inventory host: nobody reads what runs there"
    (row,) = told(**{**given, "files": {"sites": []}})
    assert (row["described"], row["router"]) == ("there", "not there")


def test_a_file_of_nobody(tmp_path, routers):
    """A site that left the description, or whose router is another now; another hub's is somebody else's."""
    for known, expected in (("prod", ["prod/berlin"]), ("lab", [])):
        rows = drift({}, hubs={known: HUBS[known]}, key=KEY, routers={"berlin": routers["berlin"]})
        assert [row["connection"] for row in rows] == expected
    moved = {**SITES, "berlin": {**SITES["berlin"], "router": "paris"}}
    rows = told(moved, routers={"berlin": routers["berlin"]}, kinds=("difference",))
    assert [(row["connection"], row["note"]) for row in rows] == [
        ("prod/berlin", "the description has no site berlin for berlin")
    ]


# --- the running SAs


RUNNING = {
    "cipher": (lambda sa: sa["ike"].update(encryption="aes-128"), ("ike.encryption", "aes-256", "aes-128")),
    "hash": (lambda sa: sa["ike"].update(integrity="sha256", prf="sha256"), ("ike.integrity", "sha384", "sha256")),
    "group": (lambda sa: sa["ike"].update(dh_group="group14"), ("ike.dh_group", "group20", "group14")),
    "esp": (lambda sa: sa["children"][0]["ipsec"].update(encryption="aes-128"), ("ipsec.encryption", "aes-256", "aes-128")),
    "pfs": (lambda sa: sa["children"][0]["ipsec"].update(pfs_group="group14"), ("ipsec.pfs_group", "group20", "group14")),
    "subnets": (lambda sa: sa["children"][0].update(local_subnets=["10.3.0.0/24"]), ("subnets", BOTH, "10.3.0.0/24")),
    "id": (lambda sa: sa.update(local_id="old"), ("id", "203.0.113.3", "old")),
    "peer_id": (lambda sa: sa.update(remote_id="old"), ("peer_id", "203.0.113.150", "old")),
    "gateway": (lambda sa: sa.update(remote_host="192.0.2.7"), ("hub.gateway", "203.0.113.150", "192.0.2.7")),
}  # fmt: skip


@pytest.mark.parametrize("case", RUNNING)
def test_an_sa_that_is_otherwise(routers, case):
    change, expected = RUNNING[case]
    sas = running()
    change(sas[0])
    routers["berlin"]["sas"] = sas
    (row,) = told(clouds=clouds(), routers=routers)
    assert (row["field"], row["described"], row["running"]) == expected
    # What both ends store is as described: it is only not in force.
    assert row["router"] == "same" or row["field"] == "ipsec.pfs_group"


def test_an_older_sa_beside_the_one_that_carries_does_not_count(routers):
    old = running()[0]
    old.update(id=0)
    old["ike"]["encryption"] = "aes-128"
    routers["berlin"]["sas"].append(old)
    assert told(clouds=clouds(), routers=routers) == []


def test_a_disabled_site_that_is_up(routers):
    up = running({"oslo": {**SITES["oslo"], "state": "present"}})
    routers["oslo"]["sas"] = up
    assert brief(told(clouds=clouds(), routers=routers)) == [("prod/oslo", "state", "disabled", "same", "-", "up")]


def test_nothing_up_is_no_difference(routers):
    routers["berlin"]["sas"] = []
    assert told(clouds=clouds(), routers=routers) == []
    (row,) = told(clouds=clouds(), routers=routers, kinds=("not compared",))
    assert (row["connection"], row["field"]) == ("prod/berlin", "running")


# --- stored, and not in force


def test_a_file_that_is_younger_than_the_sa(routers):
    (entry,) = routers["berlin"]["sites"]
    entry["modified"] = 999_999_950.0  # the SA is 100 s old at 1000000000
    (row,) = told(clouds=clouds(), routers=routers)
    assert (row["connection"], row["field"]) == ("prod/berlin", "in force")
    assert (row["router"], row["running"]) == ("stored 2001-09-09T01:45:50Z", "SA of 2001-09-09T01:45:00Z")
    assert "not in force since 2001-09-09T01:45:50Z" in row["note"]
    entry["modified"] = 999_999_900.0
    assert told(clouds=clouds(), routers=routers) == []


@pytest.mark.parametrize(("text", "late"), [("2001-09-09T01:45:30Z", True), ("2001-09-09T01:45:30", True),
                                            ("2001-09-09T01:44:30Z", False), ("yesterday", False)])  # fmt: skip
def test_a_change_of_the_cloud_that_is_younger_than_the_sa(routers, text, late):
    there = clouds()
    there["prod"]["connections"][0]["updated_at"] = text
    rows = told(clouds=there, routers=routers)
    assert [row["cloud"] for row in rows] == (["stored 2001-09-09T01:45:30Z"] if late else [])


def test_pluto_says_when_a_tunnel_was_made(routers):
    for sa in routers["rome"]["sas"]:
        del sa["established"]
        for child in sa["children"]:
            child["added"] = 998_000_000
    (row,) = told(clouds=clouds(), routers=routers)
    assert (row["connection"], row["field"]) == ("prod/rome", "in force")


# --- the cloud


def cloud_says(field, described, cloud, tunnel="prod/berlin/1"):
    connection = "/".join(tunnel.split("/")[:2])
    return {"connection": connection, "tunnel": tunnel if tunnel.count("/") == 2 else None, "field": field,
            "described": described, "cloud": cloud}  # fmt: skip


def test_the_clouds_differences_beside_what_the_others_say(routers):
    there = clouds(prod={"differences": [cloud_says("dpd.interval", 30, 99), cloud_says("ipsec.lifetime", 3600, 600)]})
    rows = told(clouds=there, routers=routers)
    assert brief(rows) == [
        ("prod/berlin", "dpd.interval", 30, 99, "same", "-"),
        ("prod/berlin", "ipsec.lifetime", 3600, 600, "same", "-"),
    ]
    assert rows[1]["note"] == "in force at the cloud: 1200 s whatever the policy says"


def test_what_all_tunnels_have_in_common_is_one_row(routers):
    # Rome's two subnets are four tunnels of IKEv1.
    four = [cloud_says("dpd.interval", 30, 99, f"prod/rome/{number}") for number in range(1, 5)]
    assert [row["connection"] for row in told(clouds=clouds(prod={"differences": four}), routers=routers)] == [
        "prod/rome"
    ]
    three = [f"prod/rome/{number}" for number in range(1, 4)]
    assert [row["connection"] for row in told(clouds=clouds(prod={"differences": four[:3]}), routers=routers)] == three


def test_a_limited_run_tells_of_its_own_connections_and_of_those_of_nobody(routers):
    there = clouds(prod={"differences": [cloud_says("dpd.interval", 30, 99, "prod/rome/1"),
                                         cloud_says("connection", "not there", "x", "prod/forgotten"),
                                         cloud_says("vpn_service.name", "prod", "x", "prod")]})  # fmt: skip
    rows = told(clouds=there, routers={"berlin": routers["berlin"]}, names=["prod/berlin"])
    assert [row["connection"] for row in rows] == ["prod", "prod/forgotten"]


def test_a_key_that_the_cloud_does_not_give_back_is_said_so(routers):
    there = clouds()
    there["prod"]["provider"]["not_read_back"] = ["psk"]
    assert told(clouds=there, routers=routers) == []
    rows = told(clouds=there, routers=routers, kinds=("not compared",))
    assert {(row["connection"], row["field"]) for row in rows} == {(f"prod/{name}", "psk") for name in SITES}


# --- no answer


def test_who_gives_no_answer_gets_a_row_and_the_rest_is_told(tmp_path, routers):
    """A device that hangs, one whose file is nonsense, a cloud that is down, a site whose description is wrong."""
    routers["berlin"] = {"error": "timed out after 30 s", "sas_error": "timed out after 30 s"}
    (tmp_path / "paris" / "bothends-vpn-paris.conf").write_text("connections { prod/paris {{{ \x00")
    routers["paris"] = {**read(tmp_path / "paris"), "sas": None, "sas_error": "charon does not answer"}
    routers["rome"]["sas"][2]["ike"]["encryption"] = "aes-256"
    for sa in routers["rome"]["sas"]:
        if sa["connection"] == "prod/rome":
            sa["ike"]["encryption"] = "aes-256"
    there = clouds(lab={"error": "cannot log in"}, prod={"blocked": {"rome": "no key"}})
    rows = told(clouds=there, routers=routers)
    assert {(row["kind"], row["connection"], row["field"]) for row in rows} == {
        ("difference", "prod/rome", "ike.encryption"),
        ("unanswered", "lab", "cloud"),
        ("unanswered", "prod/rome", "cloud"),
        *(
            ("unanswered", name, view)
            for name in ("prod/berlin", "prod/paris", "lab/paris")
            for view in ("router", "running")
        ),
    }
    notes = [row["note"] for row in rows if row["connection"] == "prod/berlin"]
    assert notes == ["router berlin: timed out after 30 s"] * 2
    broken = "bothends-vpn-paris.conf:1: a name was expected. Remedy: run bothends.vpn.routers, which writes it anew."
    assert broken in {row["note"] for row in rows}
    wrong = {**SITES, "oslo": {"hub": "prod", "subnets": ["nonsense"]}}
    rows = told(wrong, clouds=clouds(), routers=routers, blocked={"oslo": "'nonsense' is not a subnet"})
    assert ("unanswered", "oslo", "'nonsense' is not a subnet") in {
        (row["kind"], row["connection"], row["note"]) for row in rows
    }


def test_who_is_not_in_the_run_is_not_compared():
    rows = told(clouds=clouds(), routers={}, kinds=("difference", "unanswered", "not compared"))
    assert {row["kind"] for row in rows} == {"not compared"}
    assert "router berlin is not in this run" in {row["note"] for row in rows}


def test_a_router_that_the_run_lost_gave_no_answer_for_any_of_its_connections(routers):
    """It is in the run, so that nothing was compared is not as if it were not there; what it said before counts no more."""
    rows = told(clouds=clouds(), routers=routers, failed=["paris", "prod"])
    assert {(row["kind"], row["connection"], row["field"]) for row in rows} == {
        ("unanswered", name, view) for name in ("prod/paris", "lab/paris") for view in ("router", "running")
    }
    (note,) = {row["note"] for row in rows}
    assert note == "router paris was not read: it failed earlier in this run, as its own error says"
    assert told(clouds=clouds(), routers=None, failed=["paris"]) == [], "no router was to be read"


@pytest.mark.parametrize(
    "nonsense",
    [{"routers": {"berlin": {"sites": [{"x": 1}]}}}, {"clouds": {"prod": []}}, {"clouds": {"prod": {}}}],
    ids=str,
)
def test_what_has_not_the_form_is_refused(nonsense):
    with pytest.raises(AnsibleFilterError, match=r"bothends\.vpn\.drift"):
        told(**nonsense)


# --- the module that reads files


def test_a_pipe_a_directory_and_a_huge_file_are_no_files_of_ours(tmp_path):
    """Reading a pipe would wait forever."""
    os.mkfifo(tmp_path / "bothends-vpn-pipe.conf")
    (tmp_path / "bothends-vpn-directory.conf").mkdir()
    (tmp_path / "bothends-vpn-link.conf").symlink_to("nowhere")
    with (tmp_path / "bothends-vpn-huge.conf").open("wb") as stream:
        stream.truncate(site_configs_info.LIMIT + 1)
    (tmp_path / "bothends-vpn-deep.conf").write_text("a {" * 100_000)
    problems = {one["site"]: one["problem"] for one in read(tmp_path)["sites"]}
    assert set(problems) == {"pipe", "directory", "link", "huge", "deep"} and all(problems.values())


def test_what_is_returned_has_no_key(tmp_path):
    found = held(tmp_path)
    assert [one["problem"] for one in found["sites"]] == [None] * 3
    assert PSK not in json.dumps(found)
    assert all(one["psk_digest"] for entry in found["sites"] for one in entry["connections"])
