# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import itertools
import threading
import time

import pytest

from ansible_collections.bothends.vpn.plugins.module_utils import _cloud, _objects, _wire
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.plugins.module_utils._steps import Ref, Step
from ansible_collections.bothends.vpn.tests.unit.builders import plan, site, verbs
from ansible_collections.bothends.vpn.tests.unit.neutron import (
    IN_USE,
    Answer,
    Neutron,
    connection,
    refusal,
    settled,
)

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
    *referred, connections, rules = (kind.path for kind in _objects.KINDS.values())
    assert set(order[:-2]) == set(referred) and order[-2:] == [connections, rules]
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


def test_of_two_runs_that_both_found_nothing_the_next_leaves_one_of_each(connect):
    neutron, sites = Neutron(), {"berlin": site(3), "paris": site(4)}
    cloud = connect(neutron)
    plans = [plan(cloud.snapshot("prod"), sites) for _run in range(2)]
    kinds = (*IN_USE, "ipsec_site_connections")
    counts = []
    for planned in [*plans, None]:
        cloud.execute((planned or plan(cloud.snapshot("prod"), sites)).steps)
        settled(neutron)
        counts.append({plural: len(neutron.lists[plural]) for plural in kinds})
    one, two, then = counts
    assert {plural for plural in kinds if two[plural] > one[plural]} == {"endpoint_groups", "ipsec_site_connections"}
    assert then == one and verbs(plan(cloud.snapshot("prod"), sites)) == []


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


@pytest.mark.parametrize(("count", "requests"), [(1, 1), (2, 1), (50, 1), (51, 2), (120, 3)])
def test_rules_go_fifty_in_a_request(connect, count, requests):
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

    monkeypatch.setattr(_wire.openstack, "connect", lambda **_cloud: connection(Slow()))
    cloud = _cloud.Cloud("lab", concurrency)
    cloud.execute([Step("delete", "endpoint_group", str(number), str(number), {}) for number in range(12)])
    assert len(most) == 12 and all(most) is enough


def test_what_needs_nothing_of_each_other_is_made_side_by_side(monkeypatch):
    """While a new VPN service and new policies wait for a second look, the endpoint groups are made."""
    neutron = Neutron()
    groups = threading.Event()

    def between(_number, method, path, served):
        answer = served()
        if (method, path) == ("POST", "/vpn/endpoint-groups") and len(neutron.lists["endpoint_groups"]) == 3:
            groups.set()
        return answer

    neutron.between = between
    waited = []
    monkeypatch.setattr(_wire.openstack, "connect", lambda **login: connection(neutron))
    monkeypatch.setattr(_cloud.time, "sleep", lambda seconds: waited.append(groups.wait(5)))
    cloud = _cloud.Cloud("lab", 4)
    cloud.execute(plan(cloud.snapshot("prod"), {"berlin": site(3), "paris": site(4)}).steps)
    assert waited == [True] * 3
    posts = [path for method, path in neutron.writes() if method == "POST"]
    assert posts.index("/vpn/ipsec-site-connections") == 6, "what refers to them comes after all of them"


def test_a_concurrency_of_nothing_is_an_error():
    with pytest.raises(VpnError, match=r"concurrency: 0 .* Remedy"):
        _cloud.Cloud("lab", 0)


def test_progress_counts_what_is_done(connect):
    neutron, seen = Neutron(), []
    cloud = connect(neutron)
    steps = plan(cloud.snapshot("prod"), {"berlin": site(3), "paris": site(4)}).steps
    cloud.execute(steps, seen.append)
    assert seen == [f"{number} of {len(steps)} steps done" for number in range(1, len(steps) + 1)]


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
