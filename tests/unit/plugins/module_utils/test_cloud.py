# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import itertools
import json
import threading
import urllib.parse

import pytest

from ansible_collections.bothends.vpn.plugins.module_utils import _cloud, _objects, _plan
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.plugins.module_utils._plan import Ref, Step
from ansible_collections.bothends.vpn.tests.unit.builders import after, plan, site, snapshot, target, verbs

PLURALS = {"/routers": "routers", "/subnets": "subnets", "/security-groups": "security_groups", "/ports": "ports"}
PLURALS |= {kind.path: kind.plural for kind in _objects.KINDS.values()}
SINGULARS = {kind.path: kind.singular for kind in _objects.KINDS.values()}
IN_USE = {
    "ikepolicies": (409, "IKEPolicyInUse", "IKEPolicy {} is in use by existing IPsecSiteConnection and can't be updated or deleted"),
    "ipsecpolicies": (409, "IPsecPolicyInUse", "IPsecPolicy {} is in use by existing IPsecSiteConnection and can't be updated or deleted"),
    "endpoint_groups": (400, "EndpointGroupInUse", "Endpoint group {} is in use and cannot be deleted"),
    "vpnservices": (409, "VPNServiceInUse", "VPNService {} is still in use"),
}  # fmt: skip


class Answer:
    """What the SDK's session gives back of an HTTP answer."""

    def __init__(self, status_code, body="", reason=""):
        self.status_code, self.reason = status_code, reason
        self.content = (body if isinstance(body, str) else json.dumps(body)).encode()

    def json(self):
        return json.loads(self.content)


def refusal(status, kind, message):
    return Answer(status, {"NeutronError": {"type": kind, "message": message, "detail": ""}})


class Neutron:
    """Stands in for the session of a cloud: answers like neutron 29.0.0 with neutron-vpnaas, keeps a log of requests."""

    def __init__(self, there=None, page=None):
        there = snapshot() if there is None else there
        self.lists = {
            "routers": [*there["vpc"], {"id": "v2", "name": "other", "external_gateway_info": None}],
            "subnets": [*there["subnets"], {"id": "s-far", "name": "far", "cidr": "10.99.0.0/24"}],
            "security_groups": there["security_groups"],
            "security_group_rules": there["security_group_rule"],
            "ports": [
                {"id": f"p-{one['id']}", "device_id": "v1", "device_owner": "network:router_interface",
                 "fixed_ips": [{"subnet_id": one["id"], "ip_address": "192.168.1.1"}]}
                for one in there["subnets"]
            ] + [{"id": "p-out", "device_id": "v1", "device_owner": "network:router_gateway",
                  "fixed_ips": [{"subnet_id": "s-far", "ip_address": "203.0.113.150"}]},
                 {"id": "p-far", "device_id": "v2", "device_owner": "network:router_interface",
                  "fixed_ips": [{"subnet_id": "s-far", "ip_address": "10.99.0.1"}]}],
            **{kind.plural: there[kind.name] for kind in _objects.KINDS.values() if kind.name != "security_group_rule"},
        }  # fmt: skip
        self.page = page
        self.log = []
        self.answers = {}  # (verb, path) -> what to answer instead
        self.ids = itertools.count(1)
        self.lock = threading.Lock()

    def get_endpoint(self):
        return "http://cloud.example:9696"

    def request(self, url, method, json=None, raise_exc=True):
        assert raise_exc is False, "an answer of 400 or more is for the caller to judge"
        path, _mark, query = url.partition("?")
        with self.lock:
            self.log.append((method, path, json))
            answer = self.answers.get((method, path))
            if isinstance(answer, Exception):
                raise answer
            return answer or getattr(self, f"_{method.lower()}")(path, dict(urllib.parse.parse_qsl(query)), json)

    def _get(self, path, query, _body):
        plural = PLURALS[path]
        things = self.lists[plural]
        if "device_id" in query:
            things = [one for one in things if one["device_id"] == query["device_id"]]
        if plural == "security_groups":
            rules = self.lists["security_group_rules"]
            things = [
                {**one, "security_group_rules": [rule for rule in rules if rule["security_group_id"] == one["id"]]}
                for one in things
            ]
        if not self.page:
            return Answer(200, {plural: things})
        start = next((place + 1 for place, one in enumerate(things) if one["id"] == query.get("marker")), 0)
        shown = things[start : start + self.page]
        links = []
        if things[start + self.page :]:
            more = {**query, "limit": self.page, "marker": shown[-1]["id"]}
            links.append({"rel": "next", "href": f"http://inside.example/v2.0{path}?{urllib.parse.urlencode(more)}"})
        if start:
            links.append({"rel": "previous", "href": f"http://inside.example/v2.0{path}?page_reverse=True"})
        return Answer(200, {plural: shown, f"{plural}_links": links})

    def _post(self, path, _query, body):
        made = {**body[SINGULARS[path]], "id": f"new-{next(self.ids)}"}
        if path in ("/vpn/vpnservices", "/vpn/ipsec-site-connections"):
            made["status"] = "PENDING_CREATE"
        self.lists[PLURALS[path]].append(made)
        return Answer(201, {SINGULARS[path]: made})

    def _find(self, path):
        parent, _slash, identifier = path.rpartition("/")
        plural = PLURALS[parent]
        return plural, identifier, next((one for one in self.lists[plural] if one["id"] == identifier), None)

    def _put(self, path, _query, body):
        _plural, identifier, one = self._find(path)
        if one is None:
            return refusal(404, "IPsecSiteConnectionNotFound", f"ipsec_site_connection {identifier} not found")
        if one.get("status", "").startswith("PENDING"):
            message = f"Invalid state {one['status']} of vpnaas resource {identifier} for updating"
            return refusal(400, "VPNStateInvalidToUpdate", message)
        (change,) = body.values()
        if {"ikepolicy_id", "ipsecpolicy_id", "vpnservice_id"} & set(change):
            return refusal(400, "HTTPBadRequest", "Cannot update read-only attribute ikepolicy_id")
        one.update(change)
        return Answer(200, {"it": one})

    def _delete(self, path, _query, _body):
        plural, identifier, one = self._find(path)
        if one is None:
            return refusal(404, "VPNServiceNotFound", f"VPNService {identifier} could not be found")
        used = {one.get(field) for one in self.lists["ipsec_site_connections"] for field in _objects.REFERENCES}
        if plural in IN_USE and identifier in used:
            status, kind, message = IN_USE[plural]
            return refusal(status, kind, message.format(identifier))
        self.lists[plural].remove(one)
        return Answer(204)

    def writes(self):
        return [(method, path) for method, path, _body in self.log if method != "GET"]


@pytest.fixture
def connect(monkeypatch):
    """Log in to a fake, which needs no time."""
    monkeypatch.setattr(_cloud, "_BOTH_LOOKED", 0.0)

    def to(neutron):
        monkeypatch.setattr(_cloud.openstack, "connect", lambda **_cloud: type("Connection", (), {"network": neutron}))
        return _cloud.Cloud("lab")

    return to


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
    monkeypatch.setattr(
        _cloud.openstack, "connect", lambda **how: seen.append(how) or type("Connection", (), {"network": Neutron()})
    )
    _cloud.Cloud(cloud)
    assert seen == [asked]


@pytest.mark.parametrize(
    ("cloud", "named"),
    [("lab", "lab"), (None, "from the environment"), ({"auth": {"password": "hunter2"}}, "environment")],
)
def test_a_login_that_fails_names_the_cloud_and_no_credential(monkeypatch, cloud, named):
    def refuse(**_how):
        raise _cloud.SDKException("The request you have made requires authentication.")

    monkeypatch.setattr(_cloud.openstack, "connect", refuse)
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
        (_cloud.SDKException("no route"), r"the cloud did not answer \(reading routers\): no route"),
        (_cloud.ClientException("timed out"), r"the cloud did not answer \(reading routers\): timed out"),
        (OSError("broken pipe"), r"the cloud did not answer \(reading routers\): broken pipe"),
        (Answer(200, "<html>login</html>"), r"the cloud answered no JSON \(reading routers\)"),
    ],
)
def test_no_answer_is_an_error_too(connect, answer, said):
    neutron = Neutron()
    cloud = connect(neutron)
    neutron.answers["GET", "/routers"] = answer
    with pytest.raises(VpnError, match=said):
        cloud.snapshot("prod")


# --- writing ---------------------------------------------------------------------------------------------------------


def settled(neutron):
    """The agent has done its work."""
    for plural in ("vpnservices", "ipsec_site_connections"):
        for one in neutron.lists[plural]:
            one["status"] = "ACTIVE"


def test_a_plan_becomes_the_cloud_that_was_wanted(connect):
    neutron = Neutron()
    cloud = connect(neutron)
    sites = {"berlin": site(3), "paris": site(4)}
    planned = plan(cloud.snapshot("prod"), sites)
    ids = cloud.execute(planned.steps)
    assert len(neutron.writes()) == len(planned.steps)
    (berlin, paris) = neutron.lists["ipsec_site_connections"]
    assert {ids[planned.connections[one["name"]]] for one in (berlin, paris)} == {berlin["id"], paris["id"]}
    assert berlin["vpnservice_id"] == paris["vpnservice_id"] == neutron.lists["vpnservices"][0]["id"]
    settled(neutron)
    assert verbs(plan(cloud.snapshot("prod"), sites)) == []


def test_objects_are_made_before_what_refers_to_them(connect):
    neutron = Neutron()
    cloud = connect(neutron)
    cloud.execute(plan(cloud.snapshot("prod"), {"berlin": site(3), "paris": site(4)}).steps)
    order = [path for path, _group in itertools.groupby(path for _method, path in neutron.writes())]
    assert order == [kind.path for kind in _objects.KINDS.values()]
    bodies = [body[SINGULARS[path]] for method, path, body in neutron.log if method == "POST"]
    assert not [value for body in bodies for value in body.values() if isinstance(value, Ref)]


def test_a_change_and_the_removal_pass_the_servers_checks(connect):
    """Policies and groups in use can be neither changed nor deleted; the order of the steps minds that."""
    neutron = Neutron()
    cloud = connect(neutron)
    for sites, policies in (
        ({"berlin": site(3)}, None),
        ({"berlin": site(3, subnets=["10.3.0.0/24", "10.33.0.0/24"])}, None),
        ({"berlin": site(3)}, {"default": {"ike": {"integrity": "sha512"}}}),
        ({"berlin": site(3, state="absent")}, None),
    ):
        found = cloud.snapshot("prod")
        cloud.execute(plan(found, sites, policies=policies).steps)
        settled(neutron)
    left = {plural: things for plural, things in neutron.lists.items() if plural in IN_USE and things}
    assert left == {} and neutron.lists["ipsec_site_connections"] == []


def test_what_is_gone_already_is_deleted(connect):
    neutron = Neutron()
    step = Step("delete", "vpn_service", "prod", "gone", {})
    assert connect(neutron).execute([step]) == {}
    assert neutron.writes() == [("DELETE", "/vpn/vpnservices/gone")]


def test_what_is_gone_already_cannot_be_updated(connect):
    step = Step("update", "site_connection", "prod/berlin/1", "gone", {"mtu": 1400})
    with pytest.raises(VpnError, match="ipsec_site_connection gone not found"):
        connect(Neutron()).execute([step])


def test_an_update_of_what_is_pending_is_refused_in_the_servers_words(connect):
    neutron = Neutron()
    neutron.lists["ipsec_site_connections"].append({"id": "c1", "name": "prod/berlin/1", "status": "PENDING_CREATE"})
    step = Step("update", "site_connection", "prod/berlin/1", "c1", {"mtu": 1400})
    with pytest.raises(VpnError, match="Invalid state PENDING_CREATE of vpnaas resource c1 for updating"):
        connect(neutron).execute([step])


def test_a_failure_says_how_far_it_came(connect):
    neutron = Neutron()
    cloud = connect(neutron)
    steps = plan(cloud.snapshot("prod"), {"berlin": site(3)}).steps
    neutron.answers["POST", "/vpn/endpoint-groups"] = refusal(409, "OverQuota", "Quota exceeded.")
    with pytest.raises(VpnError) as caught:
        cloud.execute(steps)
    assert str(caught.value) == (
        "cannot create endpoint_group prod/subnets: the cloud refused (create of endpoint_group prod/subnets): "
        "HTTP 409: Quota exceeded. Done: 3 of 7 steps. Remedy: mend the cause and run again; what is done is found and kept."
    )
    assert neutron.lists["ipsec_site_connections"] == [], "nothing that comes later was tried"


def test_after_a_failure_the_next_run_ends_the_work(connect):
    """What was made is found by its marker: no object is made twice, none is left over."""
    sites = {"berlin": site(3), "paris": site(4)}
    kinds = [kind.path for kind in _objects.KINDS.values()]
    for broken in kinds:
        neutron = Neutron()
        cloud = connect(neutron)
        neutron.answers["POST", broken] = Answer(503, "", "Service Unavailable")
        with pytest.raises(VpnError, match="Service Unavailable"):
            cloud.execute(plan(cloud.snapshot("prod"), sites).steps)
        neutron.answers.clear()
        settled(neutron)
        cloud.execute(plan(cloud.snapshot("prod"), sites).steps)
        settled(neutron)
        assert verbs(plan(cloud.snapshot("prod"), sites)) == []
        counts = {plural: len(neutron.lists[plural]) for plural in (*IN_USE, "ipsec_site_connections")}
        assert counts == {"ikepolicies": 1, "ipsecpolicies": 1, "vpnservices": 1, "endpoint_groups": 3,
                          "ipsec_site_connections": 2}  # fmt: skip


def test_one_failure_of_a_batch_does_not_undo_the_others(connect):
    neutron = Neutron()
    steps = [Step("delete", "endpoint_group", name, name, {}) for name in "abc"]
    neutron.answers["DELETE", "/vpn/endpoint-groups/b"] = refusal(400, "EndpointGroupInUse", "in use")
    with pytest.raises(VpnError, match=r"cannot delete endpoint_group b: .* Done: 2 of 3 steps"):
        connect(neutron).execute(steps)


def test_the_key_is_sent_and_stands_in_no_error(connect):
    neutron = Neutron()
    cloud = connect(neutron)
    neutron.answers["POST", "/vpn/ipsec-site-connections"] = refusal(409, "OverQuota", "Quota exceeded.")
    with pytest.raises(VpnError) as caught:
        cloud.execute(plan(cloud.snapshot("prod"), {"berlin": site(3)}, psk="a most secret key of ours").steps)
    sent = [body for _method, path, body in neutron.log if path == "/vpn/ipsec-site-connections" and body]
    assert sent[0]["ipsec_site_connection"]["psk"] == "a most secret key of ours"
    assert "secret" not in str(caught.value)


# --- waiting ---------------------------------------------------------------------------------------------------------


class Clock:
    """Time that passes by sleeping only; each nap may change the cloud."""

    def __init__(self, monkeypatch, *changes):
        self.now, self.naps, self.changes = 0.0, 0, changes
        monkeypatch.setattr(_cloud.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(_cloud.time, "sleep", self.sleep)

    def sleep(self, seconds):
        self.now += seconds
        if self.naps < len(self.changes):
            self.changes[self.naps]()
        self.naps += 1


def connections(**statuses):
    neutron = Neutron()
    neutron.lists["ipsec_site_connections"] += [
        {"id": name, "name": f"prod/{name}/1", "status": status} for name, status in statuses.items()
    ]
    return neutron


@pytest.mark.parametrize(
    ("status", "until_active", "done"),
    [
        ("PENDING_CREATE", False, False), ("PENDING_UPDATE", False, False), ("PENDING_DELETE", False, False),
        ("DOWN", False, True), ("ACTIVE", False, True), ("ERROR", False, True),
        ("ACTIVE", True, True), ("DOWN", True, False), ("PENDING_CREATE", True, False),
    ],
)  # fmt: skip
def test_what_is_waited_for(connect, monkeypatch, status, until_active, done):
    clock = Clock(monkeypatch)
    cloud = connect(connections(berlin=status))
    if done:
        assert [one["status"] for one in cloud.wait({"berlin"}, until_active, timeout=5)] == [status]
        assert clock.naps == 0
    else:
        with pytest.raises(VpnError):
            cloud.wait({"berlin"}, until_active, timeout=5)
        assert clock.now <= 5 + 1, "bounded"


def test_a_wait_ends_when_the_cloud_is_ready(connect, monkeypatch):
    neutron = connections(berlin="PENDING_CREATE")
    clock = Clock(monkeypatch, lambda: None, lambda: neutron.lists["ipsec_site_connections"][0].update(status="DOWN"))
    connect(neutron).wait({"berlin"}, until_active=False, timeout=60)
    assert clock.naps == 2


def test_others_are_not_waited_for(connect, monkeypatch):
    clock = Clock(monkeypatch)
    connect(connections(berlin="ACTIVE", paris="PENDING_CREATE")).wait({"berlin"}, until_active=True, timeout=5)
    assert clock.naps == 0


@pytest.mark.parametrize(
    ("until_active", "message"),
    [
        (False, r"after 5 s these connections are not settled: prod/berlin/1 \(Creating\)\. Remedy"),
        (
            True,
            r"after 5 s these connections are not Normal: prod/berlin/1 \(Creating\), prod/paris/1 \(Not connected\)\.",
        ),
    ],
)
def test_a_time_out_speaks_the_consoles_words(connect, monkeypatch, until_active, message):
    Clock(monkeypatch)
    with pytest.raises(VpnError, match=message):
        connect(connections(berlin="PENDING_CREATE", paris="DOWN", rome="ACTIVE")).wait(
            {"berlin", "paris", "rome"}, until_active, timeout=5
        )


def test_nothing_to_do_is_nothing_asked(connect):
    neutron = Neutron()
    assert connect(neutron).execute([]) == {}
    assert neutron.log == []


def test_the_target_and_the_kinds_agree():
    """Each kind of the plan is one that the executor knows."""
    wanted = target(snapshot(), {"berlin": site()})
    assert {one.kind for one in [*wanted.connections, *wanted.rules]} <= set(_objects.KINDS)
    assert set(_plan.VERBS) == {"create", "update", "delete"}


def test_looking_until_normal_ends_when_it_is_or_when_the_time_is_over(connect, monkeypatch):
    """Whoever only looks gets what is there, and no error; other connections are not waited for."""
    neutron = connections(berlin="DOWN", paris="DOWN")
    clock = Clock(monkeypatch, lambda: None, lambda: neutron.lists["ipsec_site_connections"][0].update(status="ACTIVE"))
    there = connect(neutron).connections({"prod/berlin/1", "prod/gone/1"}, timeout=60)
    assert ([one["status"] for one in there], clock.naps) == (["ACTIVE", "DOWN"], 2)
    there = connect(neutron).connections({"prod/paris/1"}, timeout=3)
    assert [one["status"] for one in there] == ["ACTIVE", "DOWN"]
    assert clock.now <= 2 + 3 + 2


@pytest.mark.parametrize(
    ("other", "kept", "left"),
    [
        pytest.param("a-first", "a-first", ["a-first"], id="the other's is the one: ours is taken back"),
        pytest.param("z-last", "new-1", ["new-1", "z-last"], id="ours is the one: the other run takes its own back"),
        pytest.param(None, "new-1", ["new-1"], id="nobody else is there"),
    ],
)
def test_runs_at_once_agree_on_one_service(connect, monkeypatch, other, kept, left):
    """Another run makes one between our look and our next look."""
    neutron = Neutron()
    services = neutron.lists["vpnservices"]
    cloud = connect(neutron)
    if other:
        monkeypatch.setattr(_cloud.time, "sleep", lambda _seconds: services.append({"id": other, "router_id": "v1"}))
    step = Step("create", "vpn_service", "prod", None, {"router_id": "v1"}, Ref("vpn_service", "prod"))
    assert cloud.execute([step]) == {step.ref: kept}
    assert sorted(one["id"] for one in services) == left


def test_a_service_that_came_since_the_plan_was_made_is_used(connect):
    neutron = Neutron()
    neutron.lists["vpnservices"].append({"id": "theirs", "router_id": "v1"})
    step = Step("create", "vpn_service", "prod", None, {"router_id": "v1"}, Ref("vpn_service", "prod"))
    assert connect(neutron).execute([step]) == {step.ref: "theirs"}
    assert not any(method == "POST" for method, _path, _body in neutron.log)
