# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules for one object against the real API: made, again, changed, refused, removed. In this order.

A playbook runs each of them; what is a table of cases runs the same code without Ansible's start of a process for each task.
"""

from __future__ import annotations

import typing as t

import pytest

from bothends_lab.cloud.api import ApiError

from .conftest import writes
from .single_runs import KEY, OTHER_KEY, PATHS, RULE, WHOLE, Modules, Play, Task, there, unchanged


@pytest.fixture(scope="module")
def play(lab, playbook, tmp_path_factory):
    """A way to run modules by a playbook, on a cloud without a VPN."""
    lab.reset()
    yield Play(playbook, tmp_path_factory.mktemp("play"))
    lab.reset()


@pytest.fixture(scope="module")
def modules(play, lab):
    """A way to run modules without one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OS_CLIENT_CONFIG_FILE", str(lab.clouds_yaml))
        yield Modules()


@pytest.fixture(scope="module")
def checked(play, lab):
    """What check mode says while nothing is there."""
    mark = lab.mark()
    return play(*WHOLE, RULE, check=True), writes(lab, mark)


@pytest.fixture(scope="module")
def created(checked, play):
    """The first real run."""
    return play(*WHOLE, RULE)


# --- made ------------------------------------------------------------------------------------------------------------


def test_check_mode_writes_nothing_and_warns_of_what_is_not_there_yet(checked):
    results, written = checked
    assert written == [] and all(one["changed"] and not one.get("failed") for one in results)
    assert [len(one.get("warnings", [])) for one in results] == [0, 0, 0, 0, 1, 5, 0]
    assert "192.168.3.7/24 has host bits; 192.168.3.0/24 is used." in results[4]["warnings"][0]
    assert "VPN service 'vpn' is not there yet; its id is known after apply." in results[5]["warnings"]


def test_the_real_run_does_what_check_mode_said(checked, created):
    assert [one["plan"] for one in created] == [one["plan"] for one in checked[0]]


def test_the_server_has_what_was_asked_for(created, lab):
    ike, ipsec = there(lab, "ike_policy", name="strong")[0], there(lab, "ipsec_policy", name="strong")[0]
    assert (ike["encryption_algorithm"], ike["auth_algorithm"], ike["pfs"]) == ("aes-256", "sha384", "group20")
    assert (ipsec["encryption_algorithm"], ipsec["lifetime"]["value"]) == ("aes-256-gcm-16", 7200)
    connection = there(lab, "site_connection", name="berlin")[0]
    assert (connection["peer_id"], connection["psk"]) == ("203.0.113.10", KEY)
    assert there(lab, "endpoint_group", name="there")[0]["endpoints"] == ["192.168.3.0/24"]
    for (module, options), result in zip(WHOLE, created, strict=False):
        assert result[module]["id"] == there(lab, module, name=options["name"])[0]["id"]
    assert [one["description"] for one in created[6]["rules"] if one["protocol"] == "icmp"] == ["of the play"]
    assert created[5]["site_connection"]["state"] in ("Not connected", "Normal"), "it was waited for"


def test_the_second_run_changes_nothing(created, lab, play, modules):
    assert unchanged(lab, play, *WHOLE, RULE)
    assert unchanged(lab, modules, *((module, {"name": options["name"]}) for module, options in WHOLE))


# --- changed ---------------------------------------------------------------------------------------------------------


# What is asked for -> what the server has then. One after the other.
CHANGES: list[tuple[Task, dict[str, t.Any]]] = [
    (("vpn_service", {"name": "vpn", "description": "another"}), {"description": "another"}),
    (("endpoint_group", {"name": "here", "description": "of the VPC"}), {"description": "of the VPC"}),
    (("site_connection", {"name": "berlin", "mtu": 1400}), {"mtu": 1400}),
    (("site_connection", {"name": "berlin", "dpd": {"interval": 10}}),
     {"dpd": {"action": "restart", "interval": 10, "timeout": 120}, "mtu": 1400}),
    (("site_connection", {"name": "berlin", "peer_id": "berlin.example.com", "local_id": "cloud.example.com"}),
     {"peer_id": "berlin.example.com", "local_id": "cloud.example.com"}),
    (("site_connection", {"name": "berlin", "peer_address": "203.0.113.11", "initiator": "response-only"}),
     {"peer_address": "203.0.113.11", "initiator": "response-only"}),
    (("site_connection", {"name": "berlin", "psk": OTHER_KEY}), {"psk": OTHER_KEY}),
    (("site_connection", {"name": "berlin", "admin_state_up": False}), {"admin_state_up": False, "psk": OTHER_KEY}),
]  # fmt: skip


def test_changes_in_place(created, lab, modules):
    tasks = [task for task, _fields in CHANGES]
    before = {
        module: result[module]["id"]
        for (module, options), result in zip(WHOLE, created, strict=False)
        if options["name"] != "there"
    }
    mark = lab.mark()
    planned = modules(*tasks, check=True)
    assert writes(lab, mark) == []
    done = modules(*tasks)
    assert len(writes(lab, mark)) == len(tasks)
    for ((module, _options), fields), said, result in zip(CHANGES, planned, done, strict=True):
        assert result["changed"] and (result["plan"], result["diff"]["before"].keys()) == (
            said["plan"],
            said["diff"]["before"].keys(),
        )
        assert [one["id"] for one in there(lab, module, **fields)] == [before[module]]
    assert unchanged(lab, modules, *tasks)


def test_check_mode_shows_the_same_diff(created, modules):
    change = {"name": "berlin", "dpd": {"interval": 20}}
    planned, done = modules.one("site_connection", check=True, **change), modules.one("site_connection", **change)
    assert done["changed"] and done["diff"] == planned["diff"]


def test_endpoint_groups_are_swapped_and_the_connection_stays(created, lab, modules):
    before = there(lab, "site_connection", name="berlin")[0]
    wider = {"name": "wider", "type": "cidr", "endpoints": ["192.168.3.0/24", "192.168.4.0/24"]}
    _group, swapped, removed = modules(
        ("endpoint_group", wider),
        ("site_connection", {"name": "berlin", "peer_endpoint_group": "wider"}),
        ("endpoint_group", {"name": "there", "state": "absent"}),
    )
    assert swapped["plan"][0]["fields"] == ["peer_ep_group_id"] and removed["endpoint_group"] is None
    after = there(lab, "site_connection", name="berlin")[0]
    assert after["id"] == before["id"] and after["peer_ep_group_id"] != before["peer_ep_group_id"]
    assert there(lab, "endpoint_group", name="there") == []


def test_what_is_unused_is_changed_or_made_anew(created, lab, modules):
    modules(
        ("ike_policy", {"name": "spare"}),
        ("endpoint_group", {"name": "spare", "type": "cidr", "endpoints": ["10.0.0.0/24"]}),
    )
    policy, group = there(lab, "ike_policy", name="spare")[0]["id"], there(lab, "endpoint_group", name="spare")[0]["id"]
    changes: list[Task] = [
        ("ike_policy", {"name": "spare", "encryption": "aes-128-gcm-16", "prf": "sha512"}),
        ("endpoint_group", {"name": "spare", "endpoints": ["10.1.0.0/24"]}),
    ]
    modules(*changes)
    assert [
        one["id"] for one in there(lab, "ike_policy", encryption_algorithm="aes-128-gcm-16", auth_algorithm="sha512")
    ] == [policy]
    (other,) = there(lab, "endpoint_group", name="spare")
    assert (other["endpoints"], other["id"] == group) == (["10.1.0.0/24"], False)
    assert unchanged(lab, modules, *changes)
    modules(
        ("ike_policy", {"id": policy, "name": "renamed"}), ("endpoint_group", {"id": other["id"], "state": "absent"})
    )
    assert [one["id"] for one in there(lab, "ike_policy", name="renamed")] == [policy]
    assert modules.one("ike_policy", name="renamed", state="absent")["changed"]


# --- refused ---------------------------------------------------------------------------------------------------------


REFUSED: list[tuple[Task, str]] = [
    (("ike_policy", {"name": "strong", "integrity": "sha512"}), "cannot be changed: it is used by berlin"),
    (("ipsec_policy", {"name": "strong", "state": "absent"}), "cannot be deleted: it is used by berlin"),
    (("endpoint_group", {"name": "here", "endpoints": ["app"]}), "cannot be given other content: it is used by berlin"),
    (("vpn_service", {"name": "vpn", "state": "absent"}), "cannot be deleted: it is used by berlin"),
    (("vpn_service", {"name": "second", "vpc": "prod"}), "a second one would never work"),
    (("site_connection", {"name": "berlin", "mtu": 67}), "mtu-range"),
    (("site_connection", {"name": "berlin", "dpd": {"timeout": 5}}), "dpd-timeout"),
    (("site_connection", {"name": "berlin", "peer_endpoint_group": "here"}), "group-type"),
    (("site_connection", {"name": "berlin", "peer_cidrs": ["10.9.0.0/24"]}), "two-forms"),
    (("site_connection", {"name": "berlin", "peer_address": "2001:db8::1"}), "no-gateway"),
    (("site_connection", {"name": "berlin", "ike_policy": "not there"}), "IKE policy 'not there' is not there; there are: strong"),
    (("endpoint_group", {"name": "new", "type": "cidr", "endpoints": ["10.0.0.0/24", "10.0.0.0/24"]}), "duplicate"),
]  # fmt: skip


def test_what_is_refused_is_refused_before_the_first_write(created, lab, modules):
    mark = lab.mark()
    results = modules(*(task for task, _message in REFUSED))
    assert writes(lab, mark) == []
    for (_task, message), result in zip(REFUSED, results, strict=True):
        assert result["failed"] and message in result["msg"] and "Remedy: " in result["msg"], result["msg"]


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("ipsec_site_connection", {"mtu": 67}),
        ("ipsec_site_connection", {"dpd": {"timeout": 5}}),
        ("ipsec_site_connection", {"peer_cidrs": ["10.9.0.0/24"]}),
        ("ipsec_site_connection", {"peer_address": "2001:db8::1"}),
        ("ikepolicy", {"auth_algorithm": "sha512"}),
    ],
)
def test_the_server_refuses_it_too(created, lab, kind, fields):
    """What we refuse for its sake, it still refuses; where it would not, we would keep a user from something."""
    module = {"ipsec_site_connection": "site_connection", "ikepolicy": "ike_policy"}[kind]
    one = there(lab, module, name="berlin" if module == "site_connection" else "strong")[0]
    with pytest.raises(ApiError):
        lab.api().update(PATHS[module], one["id"], kind, **fields)


def test_a_playbook_says_why_it_was_refused(created, play):
    (result,) = play(REFUSED[0][0])
    assert result["failed"] and REFUSED[0][1] in result["msg"]


def test_an_ambiguous_name_is_an_error_that_lists_the_ids(created, lab, modules):
    twin = lab.api().create("vpn/ipsecpolicies", "ipsecpolicy", name="strong", auth_algorithm="sha256")
    ids = {one["id"] for one in there(lab, "ipsec_policy", name="strong")}
    mark = lab.mark()
    result = modules.one("ipsec_policy", name="strong", lifetime=3600)
    assert result["failed"] and len(ids) == 2 and all(one in result["msg"] for one in ids) and writes(lab, mark) == []
    assert modules.one("ipsec_policy", id=twin["id"], state="absent")["changed"]
    assert len(there(lab, "ipsec_policy", name="strong")) == 1


# --- the API's old form ----------------------------------------------------------------------------------------------


def test_the_old_form(created, lab, modules):
    service: Task = ("vpn_service", {"name": "old", "vpc": "test", "subnet": "test"})
    connection: Task = (
        "site_connection",
        {"name": "old", "vpn_service": "old", "ike_policy": "strong", "ipsec_policy": "strong", "psk": KEY,
         "peer_address": "203.0.113.20", "peer_cidrs": ["192.168.5.9/24"]},
    )  # fmt: skip
    made = modules(service, connection)
    assert not any(one.get("failed") for one in made), made
    assert unchanged(lab, modules, service, connection)
    wider = {"name": "old", "peer_cidrs": ["192.168.5.0/24", "192.168.6.0/24"]}
    planned, done = modules.one("site_connection", check=True, **wider), modules.one("site_connection", **wider)
    assert (
        done["plan"] == planned["plan"]
        and sorted(there(lab, "site_connection", name="old")[0]["peer_cidrs"]) == wider["peer_cidrs"]
    )
    assert unchanged(lab, modules, ("site_connection", wider))
    overlapping = modules.one("site_connection", name="old", peer_cidrs=["192.168.0.0/16"])
    assert overlapping["failed"] and "overlap-hub-site" in overlapping["msg"]
    gone = modules(
        ("site_connection", {"name": "old", "state": "absent"}), ("vpn_service", {"name": "old", "state": "absent"})
    )
    assert all(one["changed"] for one in gone) and there(lab, "vpn_service", name="old") == []


# --- rules -----------------------------------------------------------------------------------------------------------

RULES = [
    {"protocol": "icmp", "icmp_type": 8, "icmp_code": 0, "remote_ip_prefix": "192.168.3.0/24"},
    {"protocol": "tcp", "ports": [443, "8000-8010"], "remote_ip_prefix": "192.168.3.7/24", "description": "berlin"},
    {"protocol": "icmp", "ethertype": "IPv6"},
    {"protocol": "udp", "remote_ip_prefix": "2001:DB8:3::/64"},
    {"protocol": "gre", "direction": "egress"},
    {"remote_group": "servers"},
    {"protocol": "tcp", "ports": ["1-65535"], "remote_ip_prefix": "0.0.0.0/0"},
]
SAME = [
    {"protocol": 1, "icmp_type": 8, "icmp_code": 0, "remote_ip_prefix": "192.168.3.9/24"},
    {"protocol": "6", "ports": ["8000-8010", "443"], "remote_ip_prefix": "192.168.3.0/24"},
    {"protocol": "58", "ethertype": "IPv6"},
    {"protocol": "17", "ethertype": "IPv6", "remote_ip_prefix": "2001:db8:3:0::/64"},
    {"protocol": 47, "direction": "egress"},
    {"protocol": "any", "remote_group": "servers"},
    {"protocol": "tcp"},
]
DEFAULT = [{"direction": "egress", "ethertype": "IPv4"}, {"direction": "egress", "ethertype": "IPv6"}]


def rules_of(lab, name="servers"):
    """The rules of a security group at the server."""
    (group,) = lab.api().list("security-groups", name=name)
    return group["security_group_rules"]


def test_rules(modules, lab):
    before = len(rules_of(lab))
    wanted: Task = ("security_group_rules", {"security_group": "servers", "rules": RULES})
    (planned,) = modules(wanted, check=True)
    assert len(rules_of(lab)) == before
    (done,) = modules(wanted)
    assert done["plan"] == planned["plan"] and len(done["plan"]) == 8 and len(rules_of(lab)) == before + 8
    assert {one["id"] for one in done["rules"]} == {one["id"] for one in rules_of(lab)}
    assert unchanged(lab, modules, wanted, ("security_group_rules", {"security_group": "servers", "rules": SAME}))


def test_a_rule_gets_another_description(modules, lab):
    wanted: Task = (
        "security_group_rules",
        {"security_group": "servers", "rules": [{**RULES[1], "description": "Berlin"}]},
    )
    (done,) = modules(wanted)
    assert [step["verb"] for step in done["plan"]] == ["delete", "delete", "create", "create"]
    assert [one["description"] for one in rules_of(lab) if one["port_range_min"] in (443, 8000)] == ["Berlin"] * 2
    assert unchanged(lab, modules, wanted)


def test_a_narrower_rule_does_not_serve(modules, lab):
    wanted: Task = (
        "security_group_rules",
        {"security_group": "servers", "rules": [{"protocol": "tcp", "ports": [443]}]},
    )
    assert modules(wanted)[0]["changed"] and unchanged(lab, modules, wanted)


def test_purge_and_absent(modules, lab):
    few: Task = ("security_group_rules", {"security_group": "servers", "rules": [*DEFAULT, RULES[0]], "purge": True})
    (planned,) = modules(few, check=True)
    (done,) = modules(few)
    assert done["plan"] == planned["plan"] and len(rules_of(lab)) == 3 and unchanged(lab, modules, few)
    off: Task = ("security_group_rules", {"security_group": "servers", "rules": [SAME[0], RULES[1]], "state": "absent"})
    assert modules(off)[0]["changed"] and unchanged(lab, modules, off)
    assert {one["direction"] for one in rules_of(lab)} == {"egress"} and len(rules_of(lab)) == 2


# --- removed ---------------------------------------------------------------------------------------------------------


def test_all_goes_in_turn(created, lab, play, modules):
    modules(("endpoint_group", {"name": "there", "type": "cidr", "endpoints": ["192.168.3.0/24"]}), RULE)
    off: list[Task] = [(module, {"name": options["name"], "state": "absent"}) for module, options in reversed(WHOLE)]
    off[1:1] = [("endpoint_group", {"name": "wider", "state": "absent"}), (RULE[0], {**RULE[1], "state": "absent"})]
    planned = modules(off[0], check=True)
    done = play(*off)
    assert done[0]["plan"] == planned[0]["plan"] and all(one["changed"] and not one.get("failed") for one in done), done
    assert [there(lab, kind) for kind in PATHS] == [[]] * len(PATHS)
    assert unchanged(lab, modules, *off)


def test_no_key_was_shown(created, play, modules):
    """All plays ran with --diff and -vvv. That the keys were there at all, the server says above."""
    for output in (play.output, modules.output):
        assert "berlin" in output and KEY not in output and OTHER_KEY not in output
