# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.bothends.vpn.plugins.module_utils import _group_rules, _objects, _single, _steps
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.tests.unit.singles import empty, rule_steps

EGRESS = [{"direction": "egress"}, {"direction": "egress", "ethertype": "IPv6"}]
SITE = "192.168.3.0/24"
WEB = {"protocol": "tcp", "ports": ["443"], "remote_ip_prefix": SITE}


def short(wanted_steps):
    """Write the steps in short."""
    return [f"{step.verb} {step.name}" for step in wanted_steps]


def there(*rules, **change):
    """Give a cloud with these rules in the group; any field of them can be other than ours."""
    cloud = empty()
    cloud = _steps.project(cloud, rule_steps(cloud, *rules))
    cloud["security_group_rule"] = [
        one if one["direction"] == "egress" else {**one, **change} for one in cloud["security_group_rule"]
    ]
    return cloud


# --- what is made ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "bodies"),
    [
        pytest.param({}, [{}], id="everything in"),
        pytest.param({"direction": "egress", "protocol": "udp"}, [{"direction": "egress", "protocol": "udp"}], id="out"),
        pytest.param(
            {"protocol": "tcp", "ports": [443, "8000-8010"]},
            [{"protocol": "tcp", "port_range_min": 443, "port_range_max": 443},
             {"protocol": "tcp", "port_range_min": 8000, "port_range_max": 8010}],
            id="a rule for each port",
        ),
        pytest.param({"remote_ip_prefix": "192.168.3.7/24"}, [{"remote_ip_prefix": SITE}], id="host bits"),
        pytest.param({"remote_ip_prefix": "2001:DB8::/64"}, [{"remote_ip_prefix": "2001:db8::/64", "ethertype": "IPv6"}], id="IPv6"),
        pytest.param({"protocol": "icmp", "icmp_type": 8, "icmp_code": 0},
                     [{"protocol": "icmp", "port_range_min": 8, "port_range_max": 0}], id="a type of ICMP"),
        pytest.param({"protocol": "icmp", "ethertype": "IPv6"}, [{"protocol": "ipv6-icmp", "ethertype": "IPv6"}], id="ICMPv6"),
        pytest.param({"protocol": "ipv6-icmp"}, [{"protocol": "ipv6-icmp", "ethertype": "IPv6"}], id="IPv6 by its protocol"),
        pytest.param({"protocol": "TCP"}, [{"protocol": "tcp"}], id="capitals"),
        pytest.param({"remote_group": "servers"}, [{"remote_group_id": "g1"}], id="the group itself"),
        pytest.param({"remote_address_group": "offices"}, [{"remote_address_group_id": "a1"}], id="an address group"),
        pytest.param({"description": "d"}, [{"description": "d"}], id="a description"),
    ],
)  # fmt: skip
def test_what_a_rule_is_made_of(rule, bodies):
    usual = {"security_group_id": "g1", "direction": "ingress", "ethertype": "IPv4", "protocol": None, "remote_ip_prefix": None,
             "remote_group_id": None, "port_range_min": None, "port_range_max": None}  # fmt: skip
    wanted_steps = rule_steps({**empty(), "security_group_rule": []}, rule)
    assert [step.body for step in wanted_steps] == [{**usual, **body} for body in bodies]


# --- comparison ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        pytest.param(WEB, {"protocol": "6"}, id="the protocol's number"),
        pytest.param(WEB, {"remote_ip_prefix": "192.168.3.7/24"}, id="host bits"),
        pytest.param(WEB, {"description": "by hand"}, id="a description that nobody asked for"),
        pytest.param({"protocol": "47"}, {"protocol": "gre"}, id="the protocol's name"),
        pytest.param(
            {"protocol": "tcp", "ports": ["1-65535"]}, {"port_range_min": None, "port_range_max": None}, id="all ports"
        ),
        pytest.param({"remote_ip_prefix": "0.0.0.0/0"}, {"remote_ip_prefix": None}, id="everywhere"),
        pytest.param({"protocol": "icmpv6", "ethertype": "IPv6"}, {"protocol": "icmp"}, id="names of ICMPv6"),
    ],
)
def test_the_same_rule_however_it_is_written(rule, change):
    assert rule_steps(there(rule, **change), rule) == []


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"remote_ip_prefix": "192.168.3.0/25"}, id="a narrower prefix"),
        pytest.param({"remote_ip_prefix": "192.168.0.0/16"}, id="a wider prefix"),
        pytest.param({"remote_ip_prefix": None}, id="everywhere"),
        pytest.param({"remote_ip_prefix": None, "remote_address_group_id": "a1"}, id="an address group"),
        pytest.param({"port_range_max": 444}, id="more ports"),
        pytest.param({"port_range_min": None, "port_range_max": None}, id="all ports"),
        pytest.param({"protocol": None}, id="any protocol"),
        pytest.param({"protocol": "udp"}, id="another protocol"),
        pytest.param({"direction": "egress"}, id="the other direction"),
        pytest.param({"security_group_id": "g2"}, id="another group's"),
    ],
)
def test_another_rule_does_not_do(change):
    assert short(rule_steps(there(WEB, **change), WEB)) == [f"create ingress tcp 443 {SITE}"]


def test_a_rule_for_an_address_group_is_none_for_everywhere():
    cloud = there({"remote_address_group": "offices"})
    assert short(rule_steps(cloud, {})) == ["create ingress any anywhere"]


# --- purge, absent, descriptions -------------------------------------------------------------------------------------


def test_purge_leaves_what_is_listed_and_nothing_else():
    cloud = there(WEB, {"protocol": "icmp"})
    assert short(rule_steps(cloud, WEB)) == []
    wanted_steps = rule_steps(cloud, WEB, {"protocol": "udp"}, *EGRESS, purge=True)
    assert short(wanted_steps) == ["create ingress udp anywhere", "delete ingress icmp anywhere"]
    assert sorted(short(rule_steps(cloud, purge=True))) == sorted(
        [f"delete ingress tcp 443 {SITE}", "delete ingress icmp anywhere", *["delete egress any anywhere"] * 2]
    )


def test_another_groups_rules_are_left_alone():
    cloud = there(WEB, security_group_id="g2")
    assert all(step.id in ("r0", "r1") for step in rule_steps(cloud, purge=True))


def test_absent_takes_what_is_listed_off_however_it_is_written():
    cloud = there(WEB)
    (one,) = [rule for rule in cloud["security_group_rule"] if rule["direction"] == "ingress"]
    cloud["security_group_rule"].append({**one, "id": "double", "protocol": "6"})
    wanted_steps = rule_steps(cloud, {**WEB, "description": "whatever"}, {"protocol": "udp"}, state="absent")
    assert [(step.verb, step.id) for step in wanted_steps] == [("delete", one["id"]), ("delete", "double")]


def test_another_description_is_another_rule_and_the_old_one_goes_first():
    cloud = there({**WEB, "description": "old"})
    wanted_steps = rule_steps(cloud, {"protocol": "udp"}, {**WEB, "description": "new"})
    name = f"ingress tcp 443 {SITE}"
    assert short(wanted_steps) == ["create ingress udp anywhere", f"delete {name}", f"create {name}"]
    assert [step.why for step in wanted_steps] == ["", "other description", ""]
    assert rule_steps(_steps.project(cloud, wanted_steps), {**WEB, "description": "new"}) == []


def test_rules_that_share_a_line_are_told_apart():
    """The line of a rule does not say its IP version."""
    wanted_steps = rule_steps({**empty(), "security_group_rule": []}, {"ethertype": "IPv4"}, {"ethertype": "IPv6"})
    assert (
        len({step.ref for step in wanted_steps})
        == len(_steps.project(empty(), wanted_steps)["security_group_rule"]) - 2
        == 2
    )


# --- what is refused -------------------------------------------------------------------------------------------------


BAD = [
    pytest.param({"protocol": "tpc"}, "rules[1].protocol", "bad-protocol", id="a misspelt protocol"),
    pytest.param({"protocol": "256"}, "rules[1].protocol", "bad-protocol", id="no protocol's number"),
    pytest.param({"protocol": "tcp", "ports": ["8010-8000"]}, "rules[1].ports", "bad-ports", id="a range that is reversed"),
    pytest.param({"protocol": "tcp", "ports": ["0"]}, "rules[1].ports", "bad-ports", id="port 0"),
    pytest.param({"protocol": "tcp", "ports": ["http"]}, "rules[1].ports", "bad-ports", id="a port by name"),
    pytest.param({"protocol": "icmp", "ports": ["8"]}, "rules[1].ports", "bad-ports", id="ports of ICMP"),
    pytest.param({"ports": ["443"]}, "rules[1].ports", "bad-ports", id="ports of any protocol"),
    pytest.param({"ethertype": "IPv6", "remote_ip_prefix": SITE}, "rules[1].remote_ip_prefix", "mixed-versions", id="IP versions"),
    pytest.param({"remote_ip_prefix": "somewhere"}, "rules[1].remote_ip_prefix", "bad-subnet", id="no prefix"),
    pytest.param({"remote_ip_prefix": "10.0.0.1-10.0.0.5"}, "rules[1].remote_ip_prefix", "bad-subnet", id="a range of addresses"),
    pytest.param({"remote_ip_prefix": SITE, "remote_group": "servers"}, "rules[1].remote_group", "two-remotes", id="two remote ends"),
    pytest.param({"ethertype": "IPv4", "protocol": "ipv6-icmp"}, "rules[1].protocol", "only-ipv6", id="ICMPv6 of IPv4"),
    pytest.param({"protocol": "tcp", "icmp_type": 8}, "rules[1].icmp_type", "no-icmp", id="ICMP of TCP"),
    pytest.param({"protocol": "icmp", "icmp_type": 256}, "rules[1].icmp_type", "bad-icmp", id="no type of ICMP"),
    pytest.param({"protocol": "icmp", "icmp_code": 1}, "rules[1].icmp_code", "no-icmp-type", id="a code without its type"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "option", "code"), BAD)
def test_what_the_server_would_refuse(rule, option, code):
    with pytest.raises(VpnError) as caught:
        rule_steps(empty(), WEB, rule)
    assert f"error: {option}: " in str(caught.value) and f"[{code}]" in str(caught.value)
    assert rule_steps(empty(), WEB) != []


@pytest.mark.parametrize(
    "again",
    [
        pytest.param({**WEB}, id="the very same"),
        pytest.param({**WEB, "protocol": "6"}, id="by number"),
        pytest.param({**WEB, "ports": ["80", "443"]}, id="one of several ports"),
        pytest.param({**WEB, "description": "another"}, id="with another description"),
    ],
)
def test_a_rule_that_is_listed_twice(again):
    with pytest.raises(VpnError, match=r"rules\[2\] lets through the same as rules\[1\] .*Remedy: leave one out"):
        rule_steps(empty(), {"protocol": "icmp"}, WEB, again)


def test_purge_and_absent_contradict():
    with pytest.raises(VpnError, match="Remedy: choose one"):
        rule_steps(empty(), WEB, state="absent", purge=True)


@pytest.mark.parametrize(
    ("rule", "given", "what"),
    [
        ({}, {"security_group": "later"}, "security group 'later'"),
        ({"remote_group": "later"}, {}, "security group 'later'"),
        ({"remote_address_group": "later"}, {}, "address group 'later'"),
    ],
)
def test_what_is_not_there_yet(rule, given, what):
    with pytest.raises(VpnError, match=f"{what} is not there"):
        rule_steps(empty(), rule, **given)
    (step,) = rule_steps(empty(), rule, check_mode=True, **given)
    assert _single.UNKNOWN in step.body.values()


# --- for any rules ---------------------------------------------------------------------------------------------------

rules = st.one_of(
    st.fixed_dictionaries({"protocol": st.sampled_from(["tcp", "6", "udp"]), "ports": st.sampled_from([["443"], ["80", "443-444"], None])}),
    st.fixed_dictionaries({"protocol": st.sampled_from(["icmp", "1", "any", "gre", "47"])}),
).flatmap(
    lambda rule: st.fixed_dictionaries(
        {key: st.just(value) for key, value in rule.items()},
        optional={"direction": st.sampled_from(["ingress", "egress"]), "description": st.sampled_from(["", "a", "b"]),
                  "remote_ip_prefix": st.sampled_from([SITE, "192.168.3.9/24", "2001:db8::/64", "0.0.0.0/0"])},
    )
)  # fmt: skip


def distinct(wanted):
    """Keep the first of those that let through the same."""
    kept = []
    for rule in wanted:
        try:
            rule_steps(empty(), *kept, rule)
        except VpnError:
            continue
        kept.append(rule)
    return kept


@given(st.lists(st.tuples(st.lists(rules, max_size=4).map(distinct), st.booleans()), min_size=1, max_size=3))
@settings(max_examples=60)
def test_what_was_planned_is_what_was_wanted(history):
    """Whatever was there: after the steps nothing is left to do, no two rules are equal at any time, and absent takes them off."""
    cloud = empty()
    for wanted, purge in history:
        for step in rule_steps(cloud, *wanted, purge=purge):
            cloud = _steps.project(cloud, [step])
            contents = [_objects.content(_group_rules.KIND, one) for one in cloud["security_group_rule"]]
            assert len(set(contents)) == len(contents), "the API takes no second equal rule"
        assert rule_steps(cloud, *wanted, purge=purge) == []
    wanted = history[-1][0]
    gone = _steps.project(cloud, rule_steps(cloud, *wanted, state="absent"))
    assert short(rule_steps(gone, *wanted)) == short(rule_steps({**empty(), "security_group_rule": []}, *wanted))
