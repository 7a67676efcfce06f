# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import itertools
import threading
import time

import pytest

from ansible_collections.bothends.vpn.plugins.module_utils import _cloud, _objects, _steps
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.plugins.module_utils._steps import Ref, Step
from ansible_collections.bothends.vpn.tests.unit.builders import after, plan, site, snapshot, target, verbs
from ansible_collections.bothends.vpn.tests.unit.neutron import (
    IN_USE,
    Answer,
    Neutron,
    connection,
    refusal,
    settled,
)


@pytest.fixture
def connect(monkeypatch):
    """Log in to a fake, which needs no time."""
    monkeypatch.setattr(_cloud.time, "sleep", lambda _seconds: None)

    def to(neutron):
        monkeypatch.setattr(_cloud.openstack, "connect", lambda **_cloud: connection(neutron))
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
    monkeypatch.setattr(_cloud.openstack, "connect", lambda **how: seen.append(how) or connection(Neutron()))
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
        (_cloud.SDKException("no route"), r"the cloud did not answer \(reading routers\): no route"),
        (_cloud.ClientException("timed out"), r"the cloud did not answer \(reading routers\): timed out"),
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


# --- writing ---------------------------------------------------------------------------------------------------------


def test_a_plan_becomes_the_cloud_that_was_wanted(connect):
    neutron = Neutron()
    cloud = connect(neutron)
    sites = {"berlin": site(3), "paris": site(4)}
    planned = plan(cloud.snapshot("prod"), sites)
    ids = cloud.execute(planned.steps)
    rules = [step for step in planned.steps if step.kind == "security_group_rule"]
    assert len(rules) > 1 and len(neutron.writes()) == len(planned.steps) - len(rules) + 1
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
    bodies = [next(iter(body.values())) for method, _path, body in neutron.log if method == "POST"]
    bodies = [one for body in bodies for one in (body if isinstance(body, list) else [body])]
    assert len(bodies) == 10 and not [value for body in bodies for value in body.values() if isinstance(value, Ref)]


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


def test_a_failure_says_how_far_it_came(connect):
    neutron = Neutron()
    cloud = connect(neutron)
    steps = plan(cloud.snapshot("prod"), {"berlin": site(3)}).steps
    neutron.answers["POST", "/vpn/endpoint-groups"] = refusal(409, "OverQuota", "Quota exceeded.")
    with pytest.raises(VpnError) as caught:
        cloud.execute(steps)
    assert str(caught.value) == (
        "cannot create endpoint_group prod/subnets: HTTP 409: Quota exceeded. "
        "Done: 3 of 7 steps: create ike_policy prod/default, create ipsec_policy prod/default, create vpn_service prod. "
        "Not done: create endpoint_group prod/subnets, create endpoint_group prod/berlin, create site_connection prod/berlin/1, "
        "create security_group_rule ingress any 10.3.0.0/24. "
        "Remedy: have the project's quota raised (`openstack quota show`), or remove what is not needed, then run again; "
        "what is done is found and kept."
    )
    result = caught.value.result
    assert (result["changed"], len(result["steps_done"]), len(result["steps_not_done"])) == (True, 3, 4)
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


# --- security-group rules --------------------------------------------------------------------------------------------


def rules(count, group="g1"):
    """Give the steps that create so many rules."""
    found = []
    for number in range(count):
        prefix = f"10.{number // 200}.{number % 200}.0/24"
        body = {
            "security_group_id": group, "direction": "ingress", "ethertype": "IPv4", "protocol": None, "port_range_min": None,
            "port_range_max": None, "remote_ip_prefix": prefix, "remote_group_id": None, "description": "x bothends.vpn/prod/x",
        }  # fmt: skip
        found.append(
            Step(
                "create", "security_group_rule", f"ingress any {prefix}", None, body, Ref("security_group_rule", prefix)
            )
        )
    return found


def ours(neutron):
    return [one["remote_ip_prefix"] for one in neutron.lists["security_group_rules"] if one["direction"] == "ingress"]


@pytest.mark.parametrize(("count", "requests"), [(1, 1), (2, 1), (25, 1), (26, 2), (60, 3)])
def test_rules_go_a_hundred_in_a_request(connect, count, requests):
    neutron = Neutron()
    ids = connect(neutron).execute(rules(count))
    assert len(neutron.log) == requests
    assert len(ours(neutron)) == len(set(ids.values())) == count


def test_a_request_has_the_rules_of_one_group(connect):
    neutron = Neutron()
    neutron.lists["security_groups"].append({"id": "g2", "name": "more"})
    one, two = rules(3), rules(3, "g2")
    connect(neutron).execute([step for pair in zip(one, two, strict=True) for step in pair])
    sent = [
        {rule["security_group_id"] for rule in body["security_group_rules"]} for _method, _path, body in neutron.log
    ]
    assert sorted(sent, key=min) == [{"g1"}, {"g2"}]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_rule_that_another_run_made_does_not_stop_the_others(connect, place):
    """The API takes all or none: then one by one, and what is there already will do."""
    neutron = Neutron()
    steps = rules(3)
    neutron.lists["security_group_rules"].append({**steps[place].body, "id": "theirs"})
    connect(neutron).execute(steps)
    assert len(ours(neutron)) == 3


def test_a_quota_lets_in_what_it_can_and_names_the_rule_that_it_stops(connect):
    neutron = Neutron()
    neutron.quota = len(neutron.lists["security_group_rules"]) + 2
    with pytest.raises(
        VpnError, match=r"^cannot create security_group_rule ingress any 10\.0\.2\.0/24: HTTP 409: Quota exceeded"
    ) as caught:
        connect(neutron).execute(rules(4))
    assert ours(neutron) == ["10.0.0.0/24", "10.0.1.0/24"]
    assert "Done: 2 of 4 steps" in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "passes"), [("SecurityGroupRuleExists", True), ("OverQuota", False), ("SecurityGroupInUse", False)]
)
def test_of_the_conflicts_of_a_rule_only_that_it_exists_is_as_good_as_done(connect, kind, passes):
    neutron = Neutron()
    neutron.answers["POST", "/security-group-rules"] = refusal(409, kind, "conflict")
    if passes:
        connect(neutron).execute(rules(1))
    else:
        with pytest.raises(VpnError, match="HTTP 409: conflict"):
            connect(neutron).execute(rules(1))


def test_a_refusal_that_concerns_all_rules_is_not_asked_for_one_by_one(connect):
    neutron = Neutron()
    neutron.answers["POST", "/security-group-rules"] = refusal(403, "PolicyNotAuthorized", "not allowed")
    with pytest.raises(VpnError, match="HTTP 403"):
        connect(neutron).execute(rules(50))
    assert len(neutron.log) == 1


# --- how many at once, and how far -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("concurrency", "room", "enough"), [(1, 1, True), (3, 3, True), (4, 2, False)])
def test_no_more_requests_side_by_side_than_allowed(monkeypatch, concurrency, room, enough):
    neutron = Neutron()
    at_once, most = threading.Semaphore(room), []

    class Slow:
        def get_endpoint(self):
            return "http://cloud.example"

        def request(self, *args, **options):
            free = at_once.acquire(blocking=False)
            most.append(free)
            time.sleep(0.01)
            if free:
                at_once.release()
            return neutron.request(*args, **options)

    monkeypatch.setattr(_cloud.openstack, "connect", lambda **_cloud: connection(Slow()))
    cloud = _cloud.Cloud("lab", concurrency)
    cloud.execute([Step("delete", "endpoint_group", str(number), str(number), {}) for number in range(12)])
    assert len(most) == 12 and all(most) is enough


def test_a_concurrency_of_nothing_is_an_error():
    with pytest.raises(VpnError, match=r"concurrency: 0 .* Remedy"):
        _cloud.Cloud("lab", 0)


def test_progress_counts_what_is_done(connect):
    neutron, seen = Neutron(), []
    cloud = connect(neutron)
    steps = plan(cloud.snapshot("prod"), {"berlin": site(3), "paris": site(4)}).steps
    cloud.execute(steps, lambda done, step: seen.append((done, step.kind)))
    assert [done for done, _kind in seen] == list(range(1, len(steps) + 1))
    assert [kind for _done, kind in seen] == [step.kind for step in steps]


def test_when_the_cloud_is_down_nothing_more_is_asked(connect):
    neutron = Neutron()
    steps = [Step("delete", "endpoint_group", str(number), str(number), {}) for number in range(200)]
    neutron.answers.update({("DELETE", f"/vpn/endpoint-groups/{step.id}"): Answer(503, "", "down") for step in steps})
    with pytest.raises(
        VpnError,
        match=r"HTTP 503: down\. Done: 0 of 200 steps\. Not done: .* and 192 more\. Remedy: see the cloud's status",
    ):
        connect(neutron).execute(steps)
    assert len(neutron.log) <= 4 * 5, "each of those that go side by side, with its attempts"


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


PENDING = Step("update", "site_connection", "prod/berlin/1", "berlin", {"mtu": 1400})


def test_an_update_waits_until_its_connection_is_settled(connect, monkeypatch):
    neutron = connections(berlin="PENDING_CREATE")
    clock = Clock(monkeypatch, lambda: None, lambda: neutron.lists["ipsec_site_connections"][0].update(status="DOWN"))
    connect(neutron).execute([PENDING], timeout=60)
    assert neutron.lists["ipsec_site_connections"][0]["mtu"] == 1400
    assert clock.naps == 2


def test_what_is_pending_for_ever_is_an_error_that_says_what_was_waited_for(connect, monkeypatch):
    clock = Clock(monkeypatch)
    with pytest.raises(VpnError) as caught:
        connect(connections(berlin="PENDING_CREATE")).execute([PENDING], timeout=5)
    assert str(caught.value) == (
        "cannot update site_connection prod/berlin/1: HTTP 400: Invalid state PENDING_CREATE of vpnaas resource berlin for "
        "updating. Waited 5 s for site_connection prod/berlin/1 (Creating). Done: 0 of 1 steps. "
        "Not done: update site_connection prod/berlin/1. Remedy: see whether the cloud's VPN agent runs; or allow more time "
        "(timeout), then run again; what is done is found and kept."
    )
    assert clock.now <= 5 + 1, "bounded"


@pytest.mark.parametrize(("status", "naps"), [("PENDING_DELETE", 2), ("ACTIVE", 0)])
def test_a_removal_waits_for_its_user_to_go_and_for_no_other(connect, monkeypatch, status, naps):
    """Where the cloud removes a connection in its own time, what it used is in use until then."""
    neutron = connections(berlin=status)
    neutron.lists["ipsec_site_connections"][0]["ikepolicy_id"] = "p1"
    neutron.lists["ikepolicies"].append({"id": "p1", "name": "prod/default"})
    clock = Clock(monkeypatch, lambda: None, neutron.lists["ipsec_site_connections"].clear)
    cloud = connect(neutron)
    step = Step("delete", "ike_policy", "prod/default", "p1", {})
    if naps:
        cloud.execute([step], timeout=60)
        assert neutron.lists["ikepolicies"] == []
    else:
        with pytest.raises(VpnError, match="cannot delete ike_policy prod/default: HTTP 409: IKEPolicy p1 is in use"):
            cloud.execute([step], timeout=60)
    assert clock.naps == naps


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
    assert set(_steps.VERBS) == {"create", "update", "delete"}


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
