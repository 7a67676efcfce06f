# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of a run when a request goes wrong, or the run is killed at one; and that the next run ends the work."""

from __future__ import annotations

import contextlib
import copy
import itertools
import typing as t

import pytest

from ansible_collections.bothends.vpn.plugins.module_utils import _cloud, _dialect, _objects, _plan, _wire
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.plugins.module_utils._providers import PROVIDERS
from ansible_collections.bothends.vpn.plugins.module_utils._steps import Ref, Step
from ansible_collections.bothends.vpn.tests.unit.builders import site, snapshot, target
from ansible_collections.bothends.vpn.tests.unit.neutron import (
    Answer,
    Neutron,
    Otc,
    connection,
    refusal,
    settled,
)

# --- faults between the client and the server --------------------------------------------------------------------------


def broken(inner, outer):
    """Give what raises the way that the libraries do: one wraps the other."""

    def end():
        try:
            raise inner
        except Exception:
            raise outer  # noqa: B904

    return end


reset = broken(
    _wire.requests.ConnectionError("Connection reset by peer"), _wire.keystone.ConnectFailure("reset by peer")
)
hang = broken(
    _wire.requests.ReadTimeout("read timed out"), _wire.keystone.ConnectTimeout("Request to http://x timed out")
)
unsent = broken(
    _wire.requests.ConnectionError(
        type("MaxRetryError", (Exception,), {"reason": _wire.NewConnectionError(None, "refused")})()
    ),
    _wire.keystone.ConnectFailure("Connection refused"),
)
untrusted = broken(
    _wire.requests.exceptions.SSLError("self-signed"), _wire.keystone.SSLError("self-signed certificate")
)


class Killed(BaseException):
    """The process is gone."""


def kill():
    raise Killed


def answer(*args, **more):
    return lambda: Answer(*args, **more)


def before(end):
    """The request does not arrive."""
    return lambda _served: end()


def after(end):
    """The request arrives, its answer does not."""

    def arrive(served):
        served()
        return end()

    return arrive


def without_ids(served):
    """The request arrives, and what comes back of a create is no object of this API."""
    done = served()
    return Answer(201, done.content.decode().replace('"id":', '"uuid":')) if done.status_code == 201 else done


# What a run does that meets it once, at a GET, POST, PUT and DELETE: True where it goes on as if nothing had been.
ALL, NO_CREATE, NONE = (True,) * 4, (True, False, True, True), (False,) * 4
FAULTS = {
    "reset before": (before(reset), NO_CREATE),
    "reset after": (after(reset), ALL),
    "no connection": (before(unsent), ALL),
    "hang before": (before(hang), NO_CREATE),
    "hang after": (after(hang), ALL),
    "500 before": (before(answer(500, "", "Internal Server Error")), ALL),
    "500 after": (after(answer(500, "", "Internal Server Error")), ALL),
    "502 before": (before(answer(502, "<html>", "Bad Gateway")), NO_CREATE),
    "502 after": (after(answer(502, "<html>", "Bad Gateway")), ALL),
    "503 before": (before(answer(503, "", "Service Unavailable")), ALL),
    "503 after": (after(answer(503, "", "Service Unavailable")), ALL),
    "504 before": (before(answer(504, "", "Gateway Timeout")), NO_CREATE),
    "504 after": (after(answer(504, "", "Gateway Timeout")), ALL),
    "429": (before(answer(429, "", "Too Many Requests", {"Retry-After": "3"})), ALL),
    "no JSON after": (after(answer(201, '{"ikepolicy": {"id"')), ALL),
    "no object after": (after(answer(201, {})), (False, True, True, True)),
    "no id after": (without_ids, ALL),
    "a list after": (after(answer(201, ["?"])), ALL),
    "401": (before(answer(401, "", "Unauthorized")), NONE),
    "403": (before(lambda: refusal(403, "PolicyNotAuthorized", "rule:x is disallowed by policy")), NONE),
    "TLS": (before(untrusted), NONE),
    "unknown": (before(broken(ValueError("?"), _wire.SDKException("no idea"))), NONE),
}  # fmt: skip
METHODS = ("GET", "POST", "PUT", "DELETE")

# A hub's life: create, change selectors and a key's companion, replace the policy, remove.
TWO = {"berlin": site(3), "paris": site(4)}
LIFE = {
    "create": (TWO, None),
    "change": ({"berlin": site(3, subnets=["10.3.0.0/24", "10.33.0.0/24"]), "paris": site(4, gateway="203.0.113.44")}, None),
    "replace": (TWO, {"default": {"ike": {"integrity": "sha512"}}}),
    "remove": ({name: {**one, "state": "absent"} for name, one in TWO.items()}, None),
}  # fmt: skip


CLOUDS = {server.provider: server for server in (Neutron, Otc)}
WANTED = {
    (provider, phase): target(snapshot(), sites, policies=policies, provider=provider)
    for provider in CLOUDS
    for phase, (sites, policies) in LIFE.items()
}


class Client(_cloud.Cloud):
    """A login that knows where."""

    def __init__(self, provider, concurrency):
        super().__init__("lab", concurrency)
        self.provider = provider


def planned(cloud, phase):
    """Give the steps that lead to a phase."""
    there = _dialect.read(cloud.snapshot("prod"), cloud.provider)
    return _dialect.write(_plan.plan(WANTED[cloud.provider, phase], there).steps, there, cloud.provider)


def bring(cloud, phase):
    """Bring the hub into the state of a phase of its life."""
    cloud.execute(planned(cloud, phase), one_connection_a_peer=PROVIDERS[cloud.provider].one_connection_a_peer)


class Undisturbed(t.NamedTuple):
    """A phase when nothing goes wrong."""

    begin: dict[str, list[_objects.Body]]  # what is there before it
    calls: list[str]  # their methods
    end: dict[str, list[str]]  # what is there after it


@pytest.fixture(scope="module")
def quick():
    """Log in to a fake; time passes by looking at the clock only."""
    now = itertools.count()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_cloud.time, "monotonic", lambda: float(next(now)))
        patch.setattr(_cloud.time, "sleep", lambda _seconds: None)

        def to(neutron, concurrency=1):
            patch.setattr(_wire.openstack, "connect", lambda **_cloud: connection(neutron))
            return Client(neutron.provider, concurrency)

        yield to


@pytest.fixture(scope="module", params=CLOUDS)
def server(request):
    """One cloud after the other."""
    return CLOUDS[request.param]


@pytest.fixture(scope="module")
def life(quick, server):
    """Each phase when nothing goes wrong."""
    neutron = server()
    cloud = quick(neutron)
    out = {}
    for phase in LIFE:
        begin = copy.deepcopy(neutron.lists)
        neutron.log.clear()
        bring(cloud, phase)
        settled(neutron)
        out[phase] = Undisturbed(begin, [method for method, _path, _body in neutron.log], there(neutron))
    return out


def there(neutron):
    """All VPN objects and rules, with contents for ids, sorted."""
    known = {one["id"]: one for plural in neutron.lists for one in neutron.lists[plural]}

    def told(kind, one):
        fields = {field: _objects.normal(field, one) for field in (*kind.content, *kind.mutable, "name", "description")}
        for field, value in fields.items():
            if field in _objects.REFERENCES and value:
                fields[field] = told(_objects.KINDS[_objects.REFERENCES[field]], known[value])
        return repr(fields)

    return {
        kind.name: sorted(told(kind, one) for one in neutron.lists[kind.plural]) for kind in _objects.KINDS.values()
    }


def disturbed(quick, server, phase, at, fault, ids="1"):
    """Meet a fault at the call number ``at`` of a phase; gives the cloud, and the methods of the calls that arrive."""
    neutron = server()
    neutron.lists, neutron.ids = copy.deepcopy(phase.begin), map((ids + "{:03}").format, itertools.count())
    arrived = []

    def between(number, method, _path, served):
        def arrive():
            arrived.append(method)
            return served()

        return fault(arrive) if number == at else arrive()

    neutron.between = between
    return neutron, quick(neutron), arrived


@pytest.mark.parametrize("phase", LIFE)
@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_at_each_call(quick, server, life, phase, name):
    """The run goes on, or it ends with an error and the next one does the rest: what is there is exactly the same."""
    fault, passes = FAULTS[name]
    for at, method in enumerate(life[phase].calls, 1):
        neutron, cloud, _arrived = disturbed(quick, server, life[phase], at, fault)
        with (
            contextlib.nullcontext() if passes[METHODS.index(method)] else pytest.raises(VpnError, match=r"Remedy: \w")
        ):
            bring(cloud, phase)
        settled(neutron)
        bring(cloud, phase)
        settled(neutron)
        assert there(neutron) == life[phase].end, f"{phase}, call {at} ({method})"
        assert planned(cloud, phase) == []


@pytest.mark.parametrize("name", [name for name, (_fault, passes) in FAULTS.items() if passes == ALL])
def test_a_fault_that_is_got_over_leaves_nothing_to_do(quick, server, life, name):
    for at, method in enumerate(life["create"].calls, 1):
        neutron, cloud, _arrived = disturbed(quick, server, life["create"], at, FAULTS[name][0])
        bring(cloud, "create")
        settled(neutron)
        assert planned(cloud, "create") == [], f"call {at} ({method})"


def test_a_rule_without_a_description_that_was_made_is_found(quick):
    """The server gives it an empty one."""
    neutron = Neutron()
    body = {
        "security_group_id": "g1",
        "direction": "ingress",
        "ethertype": "IPv4",
        "protocol": "tcp",
        "remote_ip_prefix": "10.3.0.0/24",
    }

    def lost(_number, method, _path, served):
        if method != "POST":
            return served()
        made = served().json()["security_group_rule"]["id"]
        next(one for one in neutron.lists["security_group_rules"] if one["id"] == made)["description"] = ""
        return reset()

    neutron.between = lost
    step = Step("create", "security_group_rule", "ingress tcp 10.3.0.0/24", None, body, Ref("security_group_rule", "r"))
    assert quick(neutron).execute([step]) == {step.ref: "new-1"}


@pytest.mark.parametrize("phase", LIFE)
@pytest.mark.parametrize("when", [before, after])
@pytest.mark.parametrize("ids", ["0", "z"], ids=["new ids come first", "new ids come last"])
def test_killed_at_each_write(quick, server, life, phase, when, ids):
    """The next run does what the killed one has not done, and no write more."""
    writes = [at for at, method in enumerate(life[phase].calls, 1) if method != "GET"]
    assert len(writes) >= 4
    for at in writes:
        neutron, cloud, arrived = disturbed(quick, server, life[phase], at, when(kill), ids)
        with pytest.raises(Killed):
            bring(cloud, phase)
        settled(neutron)
        bring(cloud, phase)
        settled(neutron)
        where = f"{phase}, {when.__name__} call {at} ({life[phase].calls[at - 1]})"
        assert there(neutron) == life[phase].end, where
        assert len([method for method in arrived if method != "GET"]) == len(writes), where


@pytest.mark.parametrize("sent_again", [False, True])
def test_the_twin_a_create_that_is_sent_again_doubles(quick, server, life, monkeypatch, sent_again):
    """Were a create sent again when its answer is lost, these tests would see it."""
    if sent_again:
        monkeypatch.setitem(_wire._AGAIN, "POST", _wire._TWICE)
    doubled = set()
    for at in (at for at, method in enumerate(life["create"].calls, 1) if method == "POST"):
        neutron, cloud, _arrived = disturbed(quick, server, life["create"], at, after(reset))
        bring(cloud, "create")
        end = there(neutron)
        doubled |= {kind for kind, things in end.items() if len(things) > len(life["create"].end[kind])}
    # The server takes no rule twice, and of several services or equal policies the executor takes its own back.
    assert doubled == ({"endpoint_group", "site_connection"} if sent_again else set())
