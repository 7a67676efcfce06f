# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.bothends.vpn.plugins.module_utils import _cloud, _objects, _wire
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.tests.unit.builders import after, site, snapshot
from ansible_collections.bothends.vpn.tests.unit.neutron import (
    Answer,
    Neutron,
    connection,
    refusal,
)

# --- logging in ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cloud", "asked"),
    [
        ("lab", {"cloud": "lab"}),
        (None, {"cloud": None}),
        ({"auth": {"auth_url": "http://x"}}, {"auth": {"auth_url": "http://x"}}),
    ],
)
def test_a_cloud_is_a_name_a_dict_or_the_environments(monkeypatch, cloud, asked):
    seen = []
    monkeypatch.setattr(_wire.openstack, "connect", lambda **how: seen.append(how) or connection(Neutron()))
    _cloud.Cloud(cloud)
    assert seen == [asked]


@pytest.mark.parametrize(
    ("cloud", "named"),
    [("lab", "lab"), (None, "from the environment"), ({"auth": {"password": "hunter2"}}, "environment")],
)
def test_a_login_that_fails_names_the_cloud_and_no_credential(monkeypatch, cloud, named):
    def refuse(**_how):
        raise _wire.SDKException("The request you have made requires authentication.")

    monkeypatch.setattr(_wire.openstack, "connect", refuse)
    with pytest.raises(VpnError, match=f"cannot log in to cloud .*{named}.*requires authentication.*Remedy") as caught:
        _cloud.Cloud(cloud)
    assert "hunter2" not in str(caught.value)


# --- reading ---------------------------------------------------------------------------------------------------------


def test_each_kind_is_read_once(connect):
    neutron = Neutron()
    connect(neutron).snapshot("prod")
    paths = [path for _method, path, _body in neutron.log]
    assert sorted(paths) == sorted(set(paths))
    assert neutron.writes() == []


@pytest.mark.parametrize("vpc", ["prod", "v1"])
def test_a_snapshot_is_cut_to_the_vpc(connect, vpc):
    found = connect(Neutron(after(snapshot(), {"berlin": site()}))).snapshot(vpc)
    assert [one["id"] for one in found["vpc"]] == ["v1"]
    assert [one["name"] for one in found["subnets"]] == ["app", "db"], "only those that the router has an interface in"
    assert {kind: len(found[kind]) for kind in _objects.KINDS} == {
        "ike_policy": 1, "ipsec_policy": 1, "vpn_service": 1, "endpoint_group": 2, "site_connection": 1,
        "security_group_rule": 3,
    }  # fmt: skip


def test_a_vpc_that_is_not_there(connect):
    with pytest.raises(VpnError, match=r"VPC 'prd' is not there; there are: other, prod\. Remedy"):
        connect(Neutron()).snapshot("prd")


@pytest.mark.parametrize(("count", "requests"), [(0, 1), (1, 1), (2, 1), (3, 2), (4, 2), (7, 4)])
def test_a_list_is_read_page_by_page(connect, count, requests):
    neutron = Neutron(page=2)
    neutron.lists["ports"] = [{"id": f"p{number}", "device_id": "v1"} for number in range(count)]
    neutron.lists["ports"] += [{"id": f"q{number}", "device_id": "v2"} for number in range(5)]
    found = connect(neutron).list("/ports", "ports", "device_id=v1")
    assert [one["id"] for one in found] == [f"p{number}" for number in range(count)]
    assert len(neutron.log) == requests


def test_a_paged_cloud_gives_the_same_snapshot(connect):
    there = after(snapshot(), {f"site{number}": site(number) for number in range(3, 9)})
    assert connect(Neutron(there, page=2)).snapshot("prod") == connect(Neutron(there)).snapshot("prod")


@pytest.mark.parametrize(
    "answer",
    [{"routers": None}, {"routers": {}}, {"routers": ["r"]}, {"routers": [{"name": "prod"}]}, {"routers": [None]},
     {"routers": [], "routers_links": "next"}, {"routers": [], "routers_links": [{"rel": "next"}]},
     {"routers": [], "routers_links": [{"rel": "next", "href": None}]}],
)  # fmt: skip
def test_what_is_no_list_of_this_api_is_told(connect, answer):
    neutron = Neutron()
    neutron.answers["GET", "/routers"] = Answer(200, answer)
    with pytest.raises(VpnError, match=r"\(reading routers\): the answer.*Remedy"):
        connect(neutron).snapshot("prod")


def test_what_is_left_empty_is_empty(connect):
    neutron = Neutron()
    neutron.answers["GET", "/routers"] = Answer(200, {"routers": neutron.lists["routers"], "routers_links": None})
    neutron.lists["ports"] += [
        {"id": "p1", "device_id": "v1", "device_owner": "network:router_interface", "fixed_ips": None},
        {"id": "p2", "device_id": "v1", "device_owner": None, "fixed_ips": [{"subnet_id": "s-far"}]},
        {"id": "p3", "device_id": "v1"},
    ]
    assert connect(neutron).snapshot("prod") == connect(Neutron()).snapshot("prod")


@pytest.mark.parametrize(
    ("path", "name"),
    [("/extensions", "extensions"), ("/vpn/endpoint-groups", "endpoint_group"), ("/vpn/ikepolicies", "ike_policy")],
)
def test_what_a_server_does_not_have_is_noted(connect, path, name):
    neutron = Neutron()
    neutron.answers["GET", path] = refusal(404, "HTTPNotFound", "The resource could not be found.")
    found = connect(neutron).snapshot("prod")
    assert (found["missing"], found[name]) == ([{"name": name}], [])
    assert connect(Neutron()).snapshot("prod")["missing"] == []


@pytest.mark.parametrize("path", ["/routers", "/subnets", "/security-groups", "/ports"])
def test_what_every_server_has_must_be_there(connect, path):
    neutron = Neutron()
    neutron.answers["GET", path] = refusal(404, "HTTPNotFound", "The resource could not be found.")
    with pytest.raises(VpnError, match="HTTP 404"):
        connect(neutron).snapshot("prod")


@pytest.mark.parametrize(
    "endpoint", ["http://cloud.example:9696", "http://cloud.example:9696/v2.0", "http://cloud.example:9696/v2.0/"]
)
def test_quotas_lie_below_the_endpoints_root(connect, monkeypatch, endpoint):
    neutron = Neutron()
    cloud = connect(neutron)
    monkeypatch.setattr(neutron, "get_endpoint", lambda: endpoint)
    neutron.answers["GET", "http://cloud.example:9696/v1/p1/quotas"] = Answer(200, {"quotas": {"resources": []}})
    assert cloud.limits("/v1/{project}/quotas") == {"quotas": {"resources": []}}


def test_routes_are_those_of_the_vpc(connect):
    neutron = Neutron()
    known = [{"id": "r1", "type": "peering", "destination": "10.3.0.0/16", "nexthop": "p1", "vpc_id": "v1"}]
    neutron.answers["GET", "/vpc/routes"] = Answer(200, {"routes": known})
    cloud = connect(neutron)
    seen, request = [], neutron.request
    neutron.request = lambda url, method, **options: seen.append(url) or request(url, method, **options)
    assert cloud.routes("/vpc/routes", "v1") == known
    assert seen == ["/vpc/routes?vpc_id=v1"]


@pytest.mark.parametrize("status", [403, 404])
def test_routes_that_nobody_shows_stop_nothing(connect, status):
    neutron = Neutron()
    neutron.answers["GET", "/vpc/routes"] = refusal(status, "X", "no")
    assert connect(neutron).routes("/vpc/routes", "v1") == []


@pytest.mark.parametrize("status", [403, 404, 501])
def test_quotas_that_are_not_for_this_user_stop_nothing(connect, status):
    neutron = Neutron()
    neutron.answers["GET", "http://cloud.example:9696/v1/p1/quotas"] = refusal(status, "X", "no")
    assert connect(neutron).limits("/v1/{project}/quotas") == {}


# --- what the cloud refuses ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        pytest.param(refusal(409, "OverQuota", "Quota exceeded for resources: ['vpnservice']."),
                     "HTTP 409: Quota exceeded for resources: ['vpnservice'].", id="neutron's"),
        pytest.param(Answer(409, {"NeutronError": "just a text"}), "HTTP 409: just a text", id="an old neutron's"),
        pytest.param(Answer(400, {"NeutronError": {"type": "X", "message": "", "detail": "more"}}), "HTTP 400: more",
                     id="detail only"),
        pytest.param(Answer(401, {"error": {"code": 401, "message": "The request you have made requires authentication.",
                                            "title": "Unauthorized"}}),
                     "HTTP 401: The request you have made requires authentication.", id="keystone's"),
        pytest.param(Answer(413, {"message": "Request entity too large"}), "HTTP 413: Request entity too large", id="flat"),
        pytest.param(Answer(502, "<html><h1>502 Bad Gateway</h1></html>", "Bad Gateway"), "HTTP 502: Bad Gateway.", id="HTML"),
        pytest.param(Answer(503, "", "Service Unavailable"), "HTTP 503: Service Unavailable.", id="no body"),
        pytest.param(Answer(503, "", None), "HTTP 503: no reason given.", id="nothing at all"),
        pytest.param(Answer(500, {}), "HTTP 500: ", id="an empty dict"),
        pytest.param(Answer(500, ["a", "list"]), "HTTP 500: ['a', 'list']", id="a list"),
    ],
)  # fmt: skip
def test_each_shape_of_an_error_becomes_one_sentence(connect, answer, said):
    neutron = Neutron()
    cloud = connect(neutron)
    neutron.answers["GET", "/routers"] = answer
    with pytest.raises(VpnError) as caught:
        cloud.snapshot("prod")
    assert str(caught.value).startswith(f"the cloud refused (reading routers): {said}")


@pytest.mark.parametrize(
    "body",
    [{"error_code": "VPN.0204", "error_msg": "the CIDR is reserved"}, {"code": "VPN.0204", "message": "the CIDR is reserved"}],
)  # fmt: skip
def test_an_error_with_a_code_before_its_message(connect, body):
    neutron = Neutron()
    cloud = connect(neutron)
    neutron.answers["GET", "/routers"] = Answer(400, body)
    with pytest.raises(VpnError, match="the CIDR is reserved"):
        cloud.snapshot("prod")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (_wire.SDKException("no route"), r"the cloud did not answer \(reading routers\): no route"),
        (_wire.ClientException("timed out"), r"the cloud did not answer \(reading routers\): timed out"),
        (OSError("broken pipe"), r"the cloud did not answer \(reading routers\): broken pipe"),
        (Answer(200, "<html>login</html>"), r"the cloud did not answer \(reading routers\): what came is no JSON"),
    ],
)
def test_no_answer_is_an_error_too(connect, answer, said):
    neutron = Neutron()
    cloud = connect(neutron)
    neutron.answers["GET", "/routers"] = answer
    with pytest.raises(VpnError, match=said):
        cloud.snapshot("prod")
