# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module for one object asks of the server before it writes: projects, extensions, flavors, quotas."""

from __future__ import annotations

import pytest

from ansible_collections.bothends.vpn.plugins.module_utils import _single, _single_kinds, _single_run
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.tests.unit.singles import (
    CONNECTION,
    EXTENSIONS,
    WHOLE,
    Cloud,
    empty,
    made,
    params,
    planned,
    rule_params,
    rule_steps,
    steps,
    whole,
)

MINE, THEIRS = {"project_id": "p-mine"}, {"project_id": "p-theirs"}
OTC = {"provider": "otc"}
GROUP = {"name": "g", "type": "cidr", "endpoints": ["10.0.0.0/24"]}
WEB = {"protocol": "tcp", "ports": ["443"]}


def apply(cloud, kind, check_mode=False, **given):
    if kind == "security_group_rules":
        return _single_run.apply_rules(rule_params(*given.pop("rules"), **given), cloud, check_mode)
    return _single_run.apply(kind, params(kind, **given), cloud, check_mode)


# --- projects --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "given"), WHOLE, ids=[f"{kind} {given['name']}" for kind, given in WHOLE])
def test_a_new_object_belongs_to_the_project_that_was_given(kind, given):
    there = made(empty(), *WHOLE[: WHOLE.index((kind, given))])
    (step,) = steps(there, kind, **given, **THEIRS)
    assert step.body["tenant_id"] == "p-theirs"
    assert "tenant_id" not in steps(there, kind, **given)[0].body, "the server takes the login's"
    after = made(there, (kind, {**given, **THEIRS}))
    assert steps(after, kind, **given, **THEIRS) == []
    one = next(one for one in after[kind] if one["name"] == given["name"])
    assert _single_kinds.ROWS[kind].shown(one, {"provider": "neutron"})["project_id"] == "p-theirs"


def test_a_rule_belongs_to_the_project_that_was_given():
    assert [step.body["tenant_id"] for step in rule_steps(empty(), WEB, **THEIRS)] == ["p-theirs"]
    assert "tenant_id" not in rule_steps(empty(), WEB)[0].body


def twice(kind, given):
    """Give a cloud in which two projects have an object of that name."""
    return made(empty(), (kind, {**given, **MINE}), (kind, {**given, **THEIRS}))


@pytest.mark.parametrize("kind", ["ike_policy", "endpoint_group"])
def test_of_two_projects_objects_of_one_name_the_projects_is_meant(kind):
    given = GROUP if kind == "endpoint_group" else {"name": "g"}
    there = twice(kind, given)
    mine, theirs = there[kind]
    (step,) = steps(there, kind, name="g", description="d", **THEIRS)
    assert (step.verb, step.id) == ("update", theirs["id"])
    assert steps(there, kind, name="g", state="absent", **MINE)[0].id == mine["id"]
    assert steps(there, kind, name="g", state="absent", project_id="p-third") == []
    with pytest.raises(VpnError, match="'g' is ambiguous"):
        steps(there, kind, name="g", description="d")


def test_a_reference_means_the_projects_own_thing_first():
    there = twice("ike_policy", {"name": "strong"})
    there = made(there, *WHOLE[1:-1])
    (step,) = steps(there, "site_connection", **CONNECTION, **THEIRS)
    assert step.body["ikepolicy_id"] == there["ike_policy"][1]["id"]
    assert step.body["vpnservice_id"] == there["vpn_service"][0]["id"], "what nobody says whose it is, is meant too"
    with pytest.raises(VpnError, match="IKE policy 'strong' is ambiguous"):
        steps(there, "site_connection", **CONNECTION)


def test_an_object_does_not_change_its_project():
    there = made(empty(), ("ike_policy", {"name": "strong", **MINE}))
    identifier = there["ike_policy"][0]["id"]
    assert steps(there, "ike_policy", id=identifier, **MINE) == []
    for state in ("present", "absent"):
        with pytest.raises(VpnError, match=r"is of project p-mine, not p-theirs, .*Remedy: correct project_id"):
            steps(there, "ike_policy", id=identifier, state=state, **THEIRS)


def test_a_group_made_anew_stays_in_its_project():
    there = made(empty(), ("endpoint_group", {**GROUP, **THEIRS}))
    _delete, create = steps(there, "endpoint_group", name="g", endpoints=["10.1.0.0/24"])
    assert create.body["tenant_id"] == "p-theirs"


# --- flavors ---------------------------------------------------------------------------------------------------------

SERVICE = {"name": "x", "vpc": "prod"}


def test_a_service_of_a_flavor():
    (step,) = steps(empty(), "vpn_service", **SERVICE, flavor="fast")
    assert step.body["flavor_id"] == "f1" and "flavor_id" not in steps(empty(), "vpn_service", **SERVICE)[0].body
    there = made(empty(), ("vpn_service", {**SERVICE, "flavor": "f1"}))
    assert steps(there, "vpn_service", **SERVICE) == steps(there, "vpn_service", **SERVICE, flavor="fast") == []
    with pytest.raises(VpnError, match=r"flavor cannot be changed\. Remedy: remove the service"):
        steps(there, "vpn_service", **SERVICE, flavor="f2")


@pytest.mark.parametrize(
    ("flavor", "said"), [("routed", "flavor-type"), ("retired", "flavor-off"), ("slow", "flavor 'slow' is not there")]
)
def test_a_flavor_that_makes_no_vpn(flavor, said):
    with pytest.raises(VpnError, match=said):
        steps(empty(), "vpn_service", **SERVICE, flavor=flavor)


def test_a_flavor_that_is_not_there_yet():
    wanted, warnings = planned(empty(), "vpn_service", check_mode=True, **SERVICE, flavor="slow")
    assert wanted[0].body["flavor_id"] == _single.UNKNOWN and warnings[0].startswith("flavor 'slow' is not there yet")


@pytest.mark.parametrize("flavor", [None, "fast"])
def test_flavors_are_read_where_one_is_asked_for(flavor):
    cloud = Cloud(empty())
    apply(cloud, "vpn_service", **SERVICE, flavor=flavor)
    assert ("flavors" in cloud.reads) is bool(flavor)


# --- what the server shows -------------------------------------------------------------------------------------------


def without(*aliases):
    return tuple(alias for alias in EXTENSIONS if alias not in aliases)


ADDRESSES = {"rules": [{"protocol": "tcp", "remote_address_group": "offices"}]}
CTR = {"name": "x", "encryption": "aes-256-ctr"}
SERVERS = [
    pytest.param("ike_policy", {"name": "x"}, EXTENSIONS, None, id="all is there"),
    pytest.param("ike_policy", {"name": "x"}, (), ["wrong-provider", "Set it to otc"], id="no list of extensions"),
    pytest.param("ike_policy", {"name": "x", **OTC}, (), None, id="which a provider has not"),
    pytest.param("ike_policy", {"name": "x", **OTC}, EXTENSIONS, ["wrong-provider", "Set it to neutron"], id="others than it has"),
    pytest.param("vpn_service", SERVICE, (), ["wrong-provider"], id="a service"),
    pytest.param("endpoint_group", GROUP, (), ["wrong-provider"], id="a group"),
    pytest.param("security_group_rules", {"rules": [WEB]}, (), ["wrong-provider"], id="rules"),
    pytest.param("ike_policy", {"name": "x"}, without("vpnaas"), ["extension-missing", "vpnaas"], id="no VPN at all"),
    pytest.param("security_group_rules", {"rules": [WEB]}, without("vpnaas"), None, id="rules go without it"),
    pytest.param("endpoint_group", GROUP, without("vpn-endpoint-groups"), ["extension-missing"], id="no endpoint groups"),
    pytest.param("ike_policy", {"name": "x"}, without("vpn-endpoint-groups"), None, id="a policy goes without them"),
    pytest.param("vpn_service", {**SERVICE, "flavor": "fast"}, without("vpn-flavors"), ["lacks vpn-flavors"], id="no flavors"),
    pytest.param("vpn_service", SERVICE, without("vpn-flavors"), None, id="a service goes without them"),
    pytest.param("vpn_service", {**SERVICE, "flavor": "fast", **OTC}, (), ["flavor: otc has none"], id="a provider without them"),
    pytest.param("ike_policy", CTR, without("vpn-aes-ctr"), ["not-spoken", "vpn-aes-ctr"], id="no counter mode"),
    pytest.param("ipsec_policy", CTR, without("vpn-aes-ctr"), ["not-spoken"], id="in IPsec neither"),
    pytest.param("ike_policy", CTR, EXTENSIONS, None, id="counter mode"),
    pytest.param("security_group_rules", ADDRESSES, without("security-groups-remote-address-group"), ["extension-missing"],
                 id="no address groups"),
    pytest.param("security_group_rules", ADDRESSES, EXTENSIONS, None, id="address groups"),
]  # fmt: skip


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize(("kind", "given", "extensions", "said"), SERVERS)
def test_what_the_server_shows_is_told_before_the_first_write(kind, given, extensions, said, check_mode):
    cloud = Cloud(empty())
    cloud.extensions, before = extensions, cloud.there
    if said is None:
        assert apply(cloud, kind, check_mode, **given)["changed"]
        return
    with pytest.raises(VpnError, match="nothing was changed") as caught:
        apply(cloud, kind, check_mode, **given)
    assert cloud.there is before and all(part in str(caught.value) for part in [*said, "Remedy: "]), caught.value


def test_a_list_that_the_server_does_not_have():
    cloud = Cloud({**empty(), "endpoint_group": None})
    with pytest.raises(VpnError, match="the server lacks endpoint_group, which is needed"):
        apply(cloud, "endpoint_group", **GROUP)
    assert not apply(cloud, "endpoint_group", name="g", state="absent")["changed"]


def test_another_clouds_address():
    cloud = Cloud(empty())
    cloud.endpoint = "https://vpc.eu-de.otc.t-systems.com"
    with pytest.raises(VpnError, match=r"its endpoint vpc\.eu-de\.otc\.t-systems\.com is one of otc"):
        apply(cloud, "ike_policy", name="x")


def test_what_goes_needs_nothing():
    cloud = Cloud(made(empty(), WHOLE[0]))
    cloud.extensions = ()
    assert apply(cloud, "ike_policy", name="strong", state="absent")["changed"]
    assert "extensions" not in cloud.reads and cloud.asked_quotas == []


# --- quotas ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "given", "quota", "refused"),
    [
        ("ike_policy", {"name": "x"}, {"ikepolicy": (10, 9)}, False),
        ("ike_policy", {"name": "x"}, {"ikepolicy": (10, 10)}, True),
        ("ike_policy", {"name": "x"}, {"ikepolicy": (0, 0)}, True),
        ("ike_policy", {"name": "x"}, {"ikepolicy": (-1, 10)}, False),
        ("ike_policy", {"name": "x"}, {"ipsecpolicy": (10, 10)}, False),
        ("endpoint_group", {**GROUP, "name": "here"}, {"endpoint_group": (2, 2)}, True),  # the new one before the old one
        ("security_group_rules", {"rules": [{"protocol": "tcp", "ports": ["80", "443"]}]}, {"security_group_rule": (10, 9)}, True),
        ("security_group_rules", {"rules": [{"protocol": "tcp", "ports": ["443"]}]}, {"security_group_rule": (10, 9)}, False),
    ],
)  # fmt: skip
@pytest.mark.parametrize("check_mode", [True, False])
def test_a_quota_that_leaves_no_room_is_told_before_the_first_write(kind, given, quota, refused, check_mode):
    cloud = Cloud(made(empty(), WHOLE[3], WHOLE[4]))
    cloud.quota, before = quota, cloud.there
    if not refused:
        assert apply(cloud, kind, check_mode, **given)["changed"]
        return
    with pytest.raises(
        VpnError, match=r"(?s)nothing was changed.*the project may have \d+ of kind .*Remedy: .*over-quota"
    ):
        apply(cloud, kind, check_mode, **given)
    assert cloud.there is before


def test_quotas_are_asked_of_the_project_and_only_where_something_is_made():
    cloud = Cloud(whole())
    apply(cloud, "site_connection", name="berlin", mtu=1400)
    apply(cloud, "ike_policy", name="strong")
    assert cloud.asked_quotas == []
    apply(cloud, "ike_policy", name="x", **THEIRS)
    apply(cloud, "ike_policy", name="y")
    assert cloud.asked_quotas == ["p-theirs", None]


def test_more_rules_than_a_group_usually_has_is_a_warning():
    cloud = Cloud(empty())
    cloud.extensions = ()
    ports = {"protocol": "tcp", "ports": [str(port) for port in range(1, 50)]}
    result = apply(cloud, "security_group_rules", rules=[ports], **OTC)
    assert result["changed"] and [text for text in result["warnings"] if "would have 51 rules" in text]
    assert apply(cloud, "security_group_rules", rules=[ports], **OTC)["warnings"] == []
