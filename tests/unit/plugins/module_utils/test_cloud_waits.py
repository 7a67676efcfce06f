# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.bothends.vpn.plugins.module_utils import _cloud, _objects
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.plugins.module_utils._steps import Ref, Step
from ansible_collections.bothends.vpn.tests.unit.builders import site, snapshot, target
from ansible_collections.bothends.vpn.tests.unit.neutron import (
    Answer,
    Neutron,
    Otc,
    refusal,
)

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


def connections(server=Neutron, **statuses):
    neutron = server()
    neutron.lists["ipsec_site_connections"] += [
        {"id": name, "name": f"prod/{name}/1", "status": status} for name, status in statuses.items()
    ]
    return neutron


def update(name):
    return Step("update", "site_connection", f"prod/{name}/1", name, {"mtu": 1400})


PENDING = update("berlin")
# Of the two only one says in an error what it is.
servers = pytest.mark.parametrize("server", [Neutron, Otc])


@servers
def test_an_update_waits_until_its_connection_is_settled(connect, monkeypatch, server):
    neutron = connections(server, berlin="PENDING_CREATE")
    clock = Clock(monkeypatch, lambda: None, lambda: neutron.lists["ipsec_site_connections"][0].update(status="DOWN"))
    connect(neutron).execute([PENDING], timeout=60)
    assert neutron.lists["ipsec_site_connections"][0]["mtu"] == 1400
    assert clock.naps == 2


@servers
def test_what_is_pending_for_ever_is_an_error_that_says_what_was_waited_for(connect, monkeypatch, server):
    clock = Clock(monkeypatch)
    with pytest.raises(VpnError) as caught:
        connect(connections(server, berlin="PENDING_CREATE")).execute([PENDING], timeout=5)
    assert str(caught.value) == (
        "cannot update site_connection prod/berlin/1: the cloud is still at work: Invalid state PENDING_CREATE of vpnaas resource "
        "berlin for updating. Waited 5 s for site_connection prod/berlin/1 (Creating). Done: 0 of 1 steps. "
        "Not done: update site_connection prod/berlin/1. Remedy: see whether the cloud's VPN agent runs; or allow more time "
        "(timeout), then run again; what is done is found and kept."
    )
    assert clock.now <= 5 + 1, "bounded"


@servers
def test_what_is_settled_between_the_refusal_and_the_look_is_written(connect, monkeypatch, server):
    neutron = connections(server, berlin="PENDING_UPDATE")
    [berlin] = neutron.lists["ipsec_site_connections"]

    def between(_number, method, _path, served):
        answer = served()
        if method == "PUT":
            berlin["status"] = "DOWN"
        return answer

    neutron.between = between
    Clock(monkeypatch)
    connect(neutron).execute([PENDING], timeout=5)
    assert berlin["mtu"] == 1400


@pytest.mark.parametrize(
    ("kind", "status"), [("site_connection", "DOWN"), ("vpn_service", "PENDING_CREATE"), ("endpoint_group", None)]
)
def test_what_is_refused_for_another_reason_is_not_waited_for(connect, monkeypatch, kind, status):
    """Without a type in the error it is asked once more; a service says for ever that it is being made, though it works."""
    row, neutron = _objects.KINDS[kind], Otc()
    neutron.lists[row.plural].append({"id": "x", "name": "x", "status": status})
    neutron.answers["PUT", f"{row.path}/x"] = Answer(400, {"code": "VPC.1001", "message": "Invalid VPN parameters."})
    clock = Clock(monkeypatch)
    with pytest.raises(VpnError, match=r"HTTP 400: Invalid VPN parameters\..*Remedy: mend what the cloud names"):
        connect(neutron).execute([Step("update", kind, "x", "x", {"name": "y"})], timeout=60)
    assert (clock.naps, len(neutron.writes())) == (0, 2)


def test_an_error_with_another_type_is_not_waited_for(connect, monkeypatch):
    neutron = connections(berlin="PENDING_UPDATE")
    neutron.answers["PUT", "/vpn/ipsec-site-connections/berlin"] = refusal(400, "HTTPBadRequest", "no such field")
    clock = Clock(monkeypatch)
    with pytest.raises(VpnError, match="no such field"):
        connect(neutron).execute([PENDING], timeout=60)
    assert (clock.naps, len(neutron.writes())) == (0, 1)


@servers
@pytest.mark.parametrize(("status", "naps"), [("PENDING_DELETE", 2), ("ACTIVE", 0)])
def test_a_removal_waits_for_its_user_to_go_and_for_no_other(connect, monkeypatch, server, status, naps):
    """Where the cloud removes a connection in its own time, what it used is in use until then."""
    neutron = connections(server, berlin=status)
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


OLD = Step("delete", "site_connection", "prod/berlin/1", "berlin", {})
NEW = Step("create", "site_connection", "prod/berlin/1", None, {"name": "prod/berlin/1"}, Ref("site_connection", "b"))


def going(naps, monkeypatch):
    """Give a cloud that takes so many naps to remove a connection, and a clock for it."""
    neutron = connections(Otc, berlin="ACTIVE")
    there = neutron.lists["ipsec_site_connections"]

    def between(_number, method, _path, served):
        if method != "DELETE":
            return served()
        there[0]["status"] = "PENDING_DELETE"
        return Answer(204)

    neutron.between = between
    changes = [*[lambda: None] * (naps - 1), there.clear]
    return neutron, Clock(monkeypatch, *changes)


@pytest.mark.parametrize(
    ("steps", "one", "waited"),
    [
        ([OLD, NEW], True, 3),
        ([OLD, NEW], False, 0),
        ([NEW, OLD], True, 0),
        ([OLD], True, 0),
        ([OLD, update("paris")], True, 0),
    ],
    ids=["in its way", "beside it", "after it", "alone", "before a change"],
)
def test_what_is_in_the_way_of_a_new_one_has_to_be_gone(connect, monkeypatch, steps, one, waited):
    """The API takes one connection a gateway, and may remove the old one after it has said yes."""
    neutron, clock = going(3, monkeypatch)
    neutron.lists["ipsec_site_connections"].append({"id": "paris", "name": "prod/paris/1", "status": "DOWN"})
    connect(neutron).execute(steps, timeout=60, one_connection_a_peer=one)
    assert clock.naps == waited
    assert len(neutron.writes()) == len(steps)


def test_what_never_goes_is_an_error_before_the_new_one(connect, monkeypatch):
    neutron, clock = going(100, monkeypatch)
    with pytest.raises(VpnError) as caught:
        connect(neutron).execute([OLD, NEW], timeout=5, one_connection_a_peer=True)
    assert str(caught.value) == (
        "cannot delete site_connection prod/berlin/1: the cloud is still at work: Waited 5 s for site_connection prod/berlin/1 "
        "(Deleting). Done: 0 of 2 steps. Not done: delete site_connection prod/berlin/1, create site_connection prod/berlin/1. "
        "Remedy: see whether the cloud's VPN agent runs; or allow more time (timeout), then run again; what is done is found and kept."
    )
    assert clock.now <= 5 + 1
    assert [method for method, _path in neutron.writes()] == ["DELETE"]


MANY = [f"site{number}" for number in range(20)]


@pytest.mark.parametrize("concurrency", [1, 4])
def test_of_many_that_never_settle_only_the_first_take_their_time(connect, monkeypatch, concurrency):
    neutron = connections(**dict.fromkeys(MANY, "PENDING_UPDATE"), paris="DOWN")
    clock = Clock(monkeypatch)
    cloud = connect(neutron)
    cloud.concurrency = concurrency
    with pytest.raises(
        VpnError, match=r"cannot update site_connection prod/site0/1: .* Waited 60 s .* Done: 1 of 21 steps"
    ):
        cloud.execute([*map(update, MANY), update("paris")], timeout=60)
    # The clock of these tests counts the naps of all threads.
    assert clock.now <= (60 + 1) * concurrency
    assert neutron.lists["ipsec_site_connections"][-1]["mtu"] == 1400, "what need not be waited for is done"


def test_waits_that_end_well_may_be_many(connect, monkeypatch):
    """A run may take longer than its timeout, as long as it goes on."""
    neutron = connections(**dict.fromkeys(MANY, "PENDING_UPDATE"))
    pending = [one for one in neutron.lists["ipsec_site_connections"] for _second in range(10)]
    clock = Clock(monkeypatch, *(lambda one=one, last=number % 10 == 9: one.update(status="DOWN" if last else "PENDING_UPDATE")
                                 for number, one in enumerate(pending)))  # fmt: skip
    cloud = connect(neutron)
    cloud.concurrency = 1
    cloud.execute([*map(update, MANY)], timeout=15)
    assert clock.now == 200


def test_whoever_watches_sees_what_is_waited_for(connect, monkeypatch):
    """Now and then, and not each look; what is over at once says nothing."""
    neutron, seen = connections(berlin="PENDING_UPDATE", paris="PENDING_CREATE"), []
    berlin, paris = neutron.lists["ipsec_site_connections"]
    changes = [lambda: None] * 29
    changes[11] = lambda: berlin.update(status="DOWN")
    changes[14] = lambda: berlin.update(status="PENDING_UPDATE")
    changes[19] = lambda: berlin.update(status="DOWN")
    Clock(monkeypatch, *changes, lambda: paris.update(status="DOWN"))
    cloud = connect(neutron)
    cloud.execute([PENDING], seen.append, 120)
    cloud.wait({"berlin", "paris"}, until_active=False, timeout=60, tell=seen.append)
    assert seen == [
        "waiting for site_connection prod/berlin/1 (Updating), 5 of at most 120 s",
        "waiting for site_connection prod/berlin/1 (Updating), 10 of at most 120 s",
        "1 of 1 steps done",
        "waiting for site_connection prod/berlin/1 (Updating) and 1 more, 5 of at most 60 s",
        "waiting for site_connection prod/paris/1 (Creating), 10 of at most 60 s",
        "waiting for site_connection prod/paris/1 (Creating), 15 of at most 60 s",
    ]


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


@pytest.mark.parametrize(("status", "naps"), [("DOWN", 0), ("PENDING_UPDATE", 2)])
def test_what_is_switched_off_is_settled_and_never_normal(connect, monkeypatch, status, naps):
    neutron = connections(berlin=status, paris="ACTIVE")
    berlin = neutron.lists["ipsec_site_connections"][0]
    berlin["admin_state_up"] = False
    clock = Clock(monkeypatch, lambda: None, lambda: berlin.update(status="DOWN"))
    connect(neutron).wait({"berlin", "paris"}, until_active=True, timeout=5)
    assert clock.naps == naps


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
