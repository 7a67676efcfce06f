# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The front that speaks Open Telekom Cloud's dialect: each row really differs from neutron behind it."""

from __future__ import annotations

import json
import time

import pytest

from bothends_lab import Lab
from bothends_lab.cloud import otc_dialect
from bothends_lab.cloud.api import ApiError

KEY = "a-key-of-20-characters"
CONNECTIONS, SERVICES, GROUPS, IKE = (
    "vpn/ipsec-site-connections",
    "vpn/vpnservices",
    "vpn/endpoint-groups",
    "vpn/ikepolicies",
)
RULES = "security-group-rules"


@pytest.fixture(scope="module")
def running():
    lab = Lab.load()
    yield lab
    lab.reset_cloud_vpn()


@pytest.fixture
def lab(running):
    """The lab without a VPN."""
    running.reset_cloud_vpn()
    return running


@pytest.fixture
def neutron(lab):
    return lab.api("lab")


@pytest.fixture
def otc(lab):
    return lab.api("lab-otc")


def parts(neutron, cidr="10.9.0.0/24"):
    """What a connection is made of; made at neutron, and good for both."""
    there = {path: neutron.list(path) for path in (SERVICES, IKE, "vpn/ipsecpolicies")}
    router, subnet = neutron.list("routers", name="prod")[0], neutron.list("subnets", name="app")[0]
    made = {
        "ikepolicy_id": there[IKE] or [neutron.create(IKE, "ikepolicy", name="i")],
        "ipsecpolicy_id": there["vpn/ipsecpolicies"] or [neutron.create("vpn/ipsecpolicies", "ipsecpolicy", name="p")],
        "vpnservice_id": there[SERVICES] or [neutron.create(SERVICES, "vpnservice", name="s", router_id=router["id"])],
        "local_ep_group_id": [neutron.create(GROUPS, "endpoint_group", type="subnet", endpoints=[subnet["id"]])],
        "peer_ep_group_id": [neutron.create(GROUPS, "endpoint_group", type="cidr", endpoints=[cidr])],
    }
    return {**{field: found[0]["id"] for field, found in made.items()}, "psk": KEY, "name": "c",
            "peer_address": "203.0.113.99", "peer_id": "203.0.113.99"}  # fmt: skip


def connect(api, fields, **change):
    return api.create(CONNECTIONS, "ipsec_site_connection", **{**fields, **change})


def settled(neutron):
    """A service that is not pending: it needs a connection for that."""
    connect(neutron, parts(neutron))
    deadline = time.monotonic() + 30
    while (service := neutron.list(SERVICES)[0])["status"].startswith("PENDING"):
        assert time.monotonic() < deadline, service["status"]
        time.sleep(0.2)
    return service["id"]


def policy(**fields):
    return lambda neutron: lambda api: api.create(IKE, "ikepolicy", **fields)


def connection(**change):
    def prepare(neutron):
        fields = parts(neutron)
        return lambda api: connect(api, fields, **change)

    return prepare


def with_project(neutron):
    project = neutron.list("subnets", name="app")[0]["project_id"]
    return lambda api: api.create(IKE, "ikepolicy", name="x", project_id=project)


def overlapping(neutron):
    fields = parts(neutron, "192.168.1.128/25")
    return lambda api: connect(api, fields)


def same_peer(neutron):
    connect(neutron, parts(neutron))
    fields = parts(neutron, "10.8.0.0/24")
    return lambda api: connect(api, fields)


def same_subnet(neutron):
    connect(neutron, parts(neutron))
    fields = parts(neutron)
    return lambda api: connect(api, fields, peer_address="203.0.113.98")


def second_service(neutron):
    parts(neutron)
    router = neutron.list("routers", name="prod")[0]["id"]
    return lambda api: api.create(SERVICES, "vpnservice", router_id=router)


def one_too_many(neutron):
    for number in range(otc_dialect.LIMITS[otc_dialect.CONNECTION]):
        connect(neutron, parts(neutron, f"10.{number}.0.0/24"), peer_address=f"203.0.113.{200 + number}")
    fields = parts(neutron, "10.50.0.0/24")
    return lambda api: connect(api, fields)


def one_rule_too_many(neutron):
    group = neutron.list("security-groups", name="servers")[0]
    rule = {"security_group_id": group["id"], "direction": "ingress", "ethertype": "IPv4", "protocol": "tcp"}
    missing = otc_dialect.RULES_A_GROUP - len(group["security_group_rules"])
    many = [{**rule, "port_range_min": port, "port_range_max": port} for port in range(1, missing + 1)]
    neutron.request("POST", f"/{RULES}", {"security_group_rules": many})
    return lambda api: api.create(RULES, "security_group_rule", **rule, port_range_min=999, port_range_max=999)


def update_of_a_service(neutron):
    service = settled(neutron)
    return lambda api: api.update(SERVICES, service, "vpnservice", name="other")


# row -> what makes the request ready, and then the request
PROVOKED = {
    "parameters": with_project,
    "mtu": connection(mtu=1400),
    "admin_state_up": connection(admin_state_up=False),
    "psk": connection(psk="no blank"),
    "lifetime": policy(lifetime={"units": "seconds", "value": 604801}),
    "auth_algorithm": policy(auth_algorithm="sha256"),
    "encryption_algorithm": policy(encryption_algorithm="aes-256-gcm-16"),
    "pfs": policy(pfs="group31"),
    "name": policy(name="n" * 65),
    "type": lambda neutron: lambda api: api.create(GROUPS, "endpoint_group", type="vlan", endpoints=["100"]),
    "overlap": overlapping,
    "peer_address": same_peer,
    "peer_subnet": same_subnet,
    "service": second_service,
    "quota": one_too_many,
    "rules": one_rule_too_many,
    "pending": update_of_a_service,
}


def everything(neutron):
    """All that is there, but for what the agent reports."""
    return {
        path: [{field: value for field, value in one.items() if field != "status"} for one in neutron.list(path)]
        for path in (CONNECTIONS, SERVICES, GROUPS, IKE, "vpn/ipsecpolicies", RULES)
    }


def test_each_row_is_provoked():
    assert list(PROVOKED) == [row.name for row in otc_dialect.REFUSALS]


@pytest.mark.parametrize("row", otc_dialect.REFUSALS, ids=lambda row: row.name)
def test_what_the_front_refuses_neutron_does(row, neutron, otc):
    request = PROVOKED[row.name](neutron)
    before = everything(neutron)
    with pytest.raises(ApiError) as refused:
        request(otc)
    _start, _brace, answer = str(refused.value).partition(f": {refused.value.status} ")
    body = json.loads(answer)
    if otc_dialect.RULE in row.kinds:
        assert (refused.value.status, body["NeutronError"]["type"]) == (409, row.code)
    else:
        assert (refused.value.status, body["code"]) == (400, row.code)
        assert body["message"] == f"{row.name}: {row.message}"
    assert everything(neutron) == before
    request(neutron)
    assert everything(neutron) != before


def test_algorithms_have_other_words(neutron, otc):
    made = otc.create(IKE, "ikepolicy", auth_algorithm="sha2-384")
    assert made["auth_algorithm"] == "sha2-384"
    neutron.create(IKE, "ikepolicy", auth_algorithm="sha512")
    assert sorted(one["auth_algorithm"] for one in neutron.list(IKE)) == ["sha384", "sha512"]
    assert sorted(one["auth_algorithm"] for one in otc.list(IKE)) == ["sha2-384", "sha2-512"]


def test_what_is_not_shown_and_what_is_besides(neutron, otc):
    made = connect(otc, parts(neutron))
    [ours], [theirs] = otc.list(CONNECTIONS), neutron.list(CONNECTIONS)
    assert theirs["psk"] == KEY and {"project_id", "local_id"} <= set(theirs)
    assert not {"psk", "project_id", "local_id"} & (set(ours) | set(made))
    assert ours["tenant_id"] == theirs["project_id"]
    assert "created_at" in ours and "created_at" not in theirs
    assert ours["description"] != theirs["description"]
    same = {"id", "name", "peer_address", "peer_id", "mtu", "dpd", "vpnservice_id", "ikepolicy_id", "peer_ep_group_id"}
    assert {field: ours[field] for field in same} == {field: theirs[field] for field in same}


def test_a_service_stays_pending_though_it_works(neutron, otc):
    settled(neutron)
    assert [one["status"] for one in otc.list(SERVICES)] == ["PENDING_CREATE"]


@pytest.mark.parametrize("path", ["/extensions", "/quotas"])
def test_what_has_no_page_is_not_there(path, neutron, otc):
    with pytest.raises(ApiError) as refused:
        otc.request("GET", path)
    assert refused.value.status == 404 and "APIGW.0101" in str(refused.value)
    if path == "/extensions":
        assert "vpnaas" in {one["alias"] for one in neutron.request("GET", path)["extensions"]}


def test_quotas_count_what_is_there(lab, neutron, otc):
    project = neutron.list("subnets", name="app")[0]["project_id"]

    def used(api):
        rows = api.request("GET", f"{api.root}/v1/{project}/quotas")["quotas"]["resources"]
        return {one["type"]: one["used"] for one in rows}

    before = used(otc)
    connect(neutron, parts(neutron))
    after = used(otc)
    assert (after["vpn"], after["vpngw"]) == (before["vpn"] + 1, before["vpngw"] + 1) == (1, 1)
    with pytest.raises(ApiError) as refused:
        used(neutron)
    assert refused.value.status == 404


def test_neutrons_own_refusals_have_the_fronts_shape(neutron, otc):
    made = connect(neutron, parts(neutron))
    for api, keys in ((otc, {"code", "message"}), (neutron, {"NeutronError"})):
        with pytest.raises(ApiError) as refused:
            api.request("DELETE", f"/{IKE}/{made['ikepolicy_id']}")
        assert refused.value.status == 409
        assert set(json.loads(str(refused.value).partition(": 409 ")[2])) == keys
        assert ("IKEPolicyInUse" in str(refused.value)) is (api is neutron), "the type of an error"


def test_all_else_is_passed_on(neutron, otc):
    for path in ("routers", "subnets", "ports", "security-groups"):
        assert otc.list(path) == neutron.list(path)
