# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""What is done with the cloud, by ``_wire``: read a snapshot, execute steps, wait. It decides nothing.

A create whose answer is lost is not sent again: the API knows no unique names, so that the second one would make a second
object. Whether it was done is settled by looking.
"""

from __future__ import annotations

import concurrent.futures
import itertools
import threading
import time
import typing as t
import urllib.parse

from ansible_collections.bothends.vpn.plugins.module_utils._errors import (
    DOUBT,
    ENDPOINT,
    LOST,
    OTHER,
    SLOW,
    TLS,
    UNSENT,
    CloudError,
    VpnError,
    undone,
)
from ansible_collections.bothends.vpn.plugins.module_utils._objects import (
    KINDS,
    REFERENCES,
    Body,
    Kind,
    Snapshot,
    content,
    name_of,
    owner,
)
from ansible_collections.bothends.vpn.plugins.module_utils._state import PENDING, one_of, status_word
from ansible_collections.bothends.vpn.plugins.module_utils._steps import Ref, Step
from ansible_collections.bothends.vpn.plugins.module_utils._wire import ATTEMPTS, Wire, pause

# What is read, by the name that it has in a snapshot: path and plural.
LISTS = {
    name: (f"/{name.replace('_', '-')}", name)
    for name in ("routers", "subnets", "networks", "security_groups", "address_groups", "flavors", "extensions")
}
LISTS.update({kind.name: (kind.path, kind.plural) for kind in KINDS.values()})

# The lists of a snapshot, the long ones first. Groups come with their rules.
_EVERYWHERE = ("security_groups", "subnets")
_SNAPSHOT = (
    "security_groups",
    "site_connection", "endpoint_group", "vpn_service", "ike_policy", "ipsec_policy",
    "subnets", "extensions",
)  # fmt: skip

# After which faults of a create it is looked whether it was done, and after which of them, when it was not, it is sent again:
# after these the server itself has said that it is through with it.
_DOUBTFUL = (LOST, "500", "502", "503", "504")
_THROUGH = ("500", "503")
# Seconds between looks: what was on its way when the connection broke may still be done.
_LOOKS = (0.0, 0.5, 1.0, 2.0, 4.0)

# Faults after which all other requests would come to the same end.
_DOWN = (UNSENT, LOST, TLS, ENDPOINT, OTHER, "401", "403", "502", "503", "504")

# Faults that one object has: those of other sites are made all the same.
_ITS_OWN = ("400", "404", "409", "413", "422", "500", SLOW)

# Security-group rules of one request. The API takes all of them or none, and of one group only. Where 500 are there, neutron
# works 1.7 s on one new rule, 3.0 s on 25 and 3.9 s on 50. Of a hundred, where 1500 are there, a busy one took two minutes: longer
# than proxies wait.
_BULK = 50
# Refusals that may concern one rule of them.
_ONE_BY_ONE = ("400", "404", "405", "409", "413", "422", "501")

# What a cloud answers to a write of what it is still at work on. Not each one says in its error that it is that.
_REFUSED = ("400", "409")

# Seconds in which whoever found nothing to share has made it.
_BOTH_LOOKED = 2.0

# Seconds between two looks at what is not settled, and between two lines that say so.
_INTERVAL = 1.0
_TOLD_EVERY = 5.0

Tell = t.Callable[[str], None]

if t.TYPE_CHECKING:
    _Pool = concurrent.futures.ThreadPoolExecutor
    _Answer = concurrent.futures.Future[t.Optional[t.List[Body]]]


def silent(_line: str) -> None:
    """Nobody is told how far it is."""


class _Wait:
    """One wait for what the cloud does in its own time."""

    def __init__(self, seconds: float, tell: Tell) -> None:
        self._seconds, self._tell = seconds, tell
        self._begin = self._told = time.monotonic()

    def goes_on(self, what: str) -> bool:
        """Let a moment pass, and say now and then what is waited for; False when the time is over."""
        now = time.monotonic()
        waited = now - self._begin
        if waited >= self._seconds:
            return False
        if now - self._told >= _TOLD_EVERY:
            self._told = now
            self._tell(f"waiting for {what}, {waited:.0f} of at most {self._seconds:g} s")
        time.sleep(_INTERVAL)
        return True


class _Run:
    """What all steps of a run share."""

    def __init__(self, in_the_way: t.Container[str | None], timeout: float, tell: Tell) -> None:
        self.ids: dict[Ref, str] = {}
        self.down = threading.Event()  # whether a request has found the cloud down
        self.in_the_way = in_the_way  # ids of what has to be gone before the next step
        self._timeout, self._tell = timeout, tell
        self._in_vain = threading.Event()

    def wait(self) -> _Wait:
        """Begin to wait. The cloud works on everything at once: after one wait in vain no other one gets its time again."""
        return _Wait(0.0 if self._in_vain.is_set() else self._timeout, self._tell)

    def too_slow(self, what: str, said: str = "") -> CloudError:
        """Give the error for what was waited for in vain."""
        self._in_vain.set()
        return CloudError(f"waiting for {what}", SLOW, f"{said} Waited {self._timeout:g} s for {what}".lstrip())


class Cloud:
    """One project of one cloud, by one token."""

    def __init__(self, cloud: str | dict[str, t.Any] | None, concurrency: int = 4) -> None:
        if concurrency < 1:
            raise VpnError(f"concurrency: {concurrency} requests side by side do nothing. Remedy: give 1 or more.")
        self.concurrency = concurrency
        self._wire = Wire(cloud)

    # --- reading

    def list(self, path: str, plural: str, query: str = "") -> list[Body]:
        """Read a whole list, page by page where the server pages."""
        return self._list(path, plural, query) or []

    def _list(self, path: str, plural: str, query: str = "", optional: bool = False) -> list[Body] | None:
        """Read a whole list; None where the server has no such list, and that is no error."""
        out: list[Body] = []
        url: str | None = f"{path}?{query}" if query else path
        while url:
            try:
                page = self._wire.call("GET", url, f"reading {plural}")
            except CloudError as error:
                if optional and error.fault == "404":
                    return None
                raise
            if not _are_things(page.get(plural), _IDS.get(plural, "id")):
                raise CloudError(f"reading {plural}", ENDPOINT, f"the answer is without {plural}")
            out.extend(page[plural])
            links = page.get(f"{plural}_links") or []
            if not _are_things(links, "rel", "href"):
                raise CloudError(f"reading {plural}", ENDPOINT, "the answer's links lead nowhere")
            after = next((link["href"] for link in links if link["rel"] == "next"), None)
            url = f"{path}?{urllib.parse.urlsplit(after).query}" if after else None
        return out

    def lists(self, names: t.Collection[str], optional: t.Container[str] = ()) -> Snapshot:
        """Read lists side by side, by their names in ``LISTS``. An optional one that the server does not have is empty.

        What the server shows of itself stands beside them: ``missing``, the names of those, and ``endpoint``, its URL.
        """
        with concurrent.futures.ThreadPoolExecutor(self.concurrency) as pool:
            return self._gathered(self._begun(pool, names, optional))

    def _begun(self, pool: _Pool, names: t.Iterable[str], optional: t.Container[str]) -> dict[str, _Answer]:
        return {name: pool.submit(self._list, *LISTS[name], optional=name in optional) for name in names}

    def _gathered(self, running: t.Mapping[str, _Answer]) -> Snapshot:
        answers = {name: future.result() for name, future in running.items()}
        found: Snapshot = {name: answer or [] for name, answer in answers.items()}
        found["missing"] = [{"name": name} for name, answer in answers.items() if answer is None]
        found["endpoint"] = [{"url": self._wire.endpoint}]
        return found

    def snapshot(self, vpc: str, only: t.Collection[str] | None = None) -> Snapshot:
        """Read each kind once, or only some of them; what is not read is empty.

        ``vpc`` is the VPC's name or id; its router, subnets and groups stand beside the kinds.
        """
        # One request before all others: a server asks its identity service about a new token once, and not for each of them.
        router = one_of("VPC", vpc, self.list("/routers", "routers"))
        wanted = [name for name in _SNAPSHOT if only is None or name in only]
        with concurrent.futures.ThreadPoolExecutor(self.concurrency) as pool:
            # Whether a server has the others at all is for the rules to judge.
            running = self._begun(pool, wanted, optional=set(_SNAPSHOT) - set(_EVERYWHERE))
            if "subnets" in wanted:
                query = urllib.parse.urlencode({"device_id": router["id"]})
                running["ports"] = pool.submit(self._list, "/ports", "ports", query)
            found = {name: [] for name in (*_SNAPSHOT, "ports")} | self._gathered(running)
        attached = {address.get("subnet_id") for port in found.pop("ports") for address in port.get("fixed_ips") or []
                    if "router_interface" in (port.get("device_owner") or "")}  # fmt: skip
        found["vpc"] = [router]
        found["subnets"] = [subnet for subnet in found["subnets"] if subnet["id"] in attached]
        found["security_group_rule"] = [
            rule for group in found["security_groups"] for rule in group.get("security_group_rules") or []
        ]
        return found

    def limits(self, path: str, project: str | None = None) -> Body:
        """Read a project's quotas, the login's by default, ``path`` below the endpoint's root; {} where they are not for this
        user to know.
        """
        root = self._wire.endpoint.rstrip("/").removesuffix("/v2.0")
        try:
            return self._wire.call(
                "GET", root + path.format(project=project or self._wire.project), "reading the quotas"
            )
        except VpnError:
            return {}

    def routes(self, path: str, vpc: str) -> list[Body]:
        """Read a VPC's routes where the provider keeps them apart from its router; [] where they are not for this user to know."""
        try:
            return self._list(path, "routes", urllib.parse.urlencode({"vpc_id": vpc}), optional=True) or []
        except VpnError:
            return []

    def with_services(self, snapshot: Snapshot) -> Snapshot:
        """Give the snapshot with the VPN services as they are now."""
        kind = KINDS["vpn_service"]
        return {**snapshot, kind.name: self.list(kind.path, kind.plural)}

    # --- writing

    def execute(
        self,
        steps: t.Sequence[Step],
        tell: Tell = silent,
        timeout: float = 120.0,
        one_connection_a_peer: bool = False,
        refused: dict[str, VpnError] | None = None,
    ) -> dict[Ref, str]:
        """Do the steps: those that need nothing of each other side by side, one such batch after the other. Returns the new ids.

        What is being created or updated cannot be changed until it is settled, and where there may be one connection a peer, an old
        one has to be gone before a new one comes. Each such step waits up to ``timeout`` seconds, and none any more once one has
        waited in vain. Where ``refused`` is given, what the cloud refuses of one site stops that site only, and stands in it then; what
        sites share is removed by a run that ends well.
        """
        run = _Run(_in_the_way(steps) if one_connection_a_peer else set(), timeout, tell)
        done: list[Step] = []
        stopped: dict[str, tuple[Step, CloudError]] = {}

        def report(step: Step, cause: CloudError, concerned: t.Sequence[Step]) -> VpnError:
            finished = {id(one) for one in done}
            made, left = ([_told(one) for one in concerned if (id(one) in finished) is yes] for yes in (True, False))
            return undone(cause, _told(step), made, left)

        for _key, batch in itertools.groupby(steps, key=batch_of):
            ready = [step for step in batch if not (step.site in stopped or (stopped and _is_shared_waste(step)))]
            failed: dict[int, tuple[Step, CloudError]] = {}
            with concurrent.futures.ThreadPoolExecutor(self.concurrency) as pool:
                running = [pool.submit(self._unless_down, unit, run) for unit in _units(ready)]
                for future in concurrent.futures.as_completed(running):
                    for step, outcome in future.result():
                        if isinstance(outcome, CloudError):
                            failed[id(step)] = (step, outcome)
                            continue
                        done.append(step)
                        if step.ref:
                            run.ids[step.ref] = outcome
                        tell(f"{len(done)} of {len(steps)} steps done")
            for step, cause in (failed[id(one)] for one in ready if id(one) in failed):
                if refused is None or not step.site or cause.fault not in _ITS_OWN:
                    raise report(step, cause, steps) from cause
                stopped.setdefault(step.site, (step, cause))
        for site, (step, cause) in stopped.items():
            own = [one for one in steps if one.site == site or _is_shared_waste(one)]
            t.cast("dict[str, VpnError]", refused)[site] = report(step, cause, own)
        return run.ids

    def _unless_down(self, unit: t.Sequence[Step], run: _Run) -> list[tuple[Step, str | CloudError]]:
        """Do what one request does, unless another one has found the cloud down."""
        if run.down.is_set():
            return []
        outcomes = self._execute(unit, run)
        if any(isinstance(outcome, CloudError) and outcome.fault in _DOWN for _step, outcome in outcomes):
            run.down.set()
        return outcomes

    def _execute(self, unit: t.Sequence[Step], run: _Run) -> list[tuple[Step, str | CloudError]]:
        """Do what one request does; where it is refused for several objects at once, one after the other."""
        try:
            return list(zip(unit, self._done(unit, run)))
        except CloudError as error:
            if len(unit) > 1 and error.fault in _ONE_BY_ONE:
                return [outcome for step in unit for outcome in self._execute([step], run)]
            return [(step, error) for step in unit]

    def _done(self, unit: t.Sequence[Step], run: _Run) -> list[str]:
        first = unit[0]
        kind = KINDS[first.kind]
        bodies = [
            {field: run.ids[value] if isinstance(value, Ref) else value for field, value in step.body.items()}
            for step in unit
        ]
        doing = f"{first.verb} of {first.kind} {first.name}" + (f" and {len(unit) - 1} more" if unit[1:] else "")
        if first.verb == "create":
            return (
                [self._only(kind, bodies[0], doing)]
                if _is_shared(kind, bodies[0])
                else self._create(kind, bodies, doing)
            )
        identifier = t.cast(str, first.id)
        path = f"{kind.path}/{identifier}"
        if first.verb == "update":
            self._once_settled(
                kind, identifier, run, lambda: self._wire.call("PUT", path, doing, {kind.singular: bodies[0]})
            )
        else:
            self._once_settled(kind, identifier, run, lambda: self._delete(path, doing))
            if identifier in run.in_the_way:
                self._until_gone(kind, identifier, run)
        return [identifier]

    def _create(self, kind: Kind, bodies: list[Body], doing: str) -> list[str]:
        """Create one object, or several rules by one request, and never twice. Returns the ids, "" where another made it."""
        many = len(bodies) > 1
        body = {kind.plural: bodies} if many else {kind.singular: bodies[0]}
        attempt = 1
        while True:
            try:
                answer = self._wire.call("POST", kind.path, doing, body)
                made = answer.get(kind.plural) if many else [answer.get(kind.singular)]
                if not _are_things(made, "id") or len(made) != len(bodies):
                    raise CloudError(doing, LOST, "what came is no answer of this API")
                return [one["id"] for one in made]
            except CloudError as error:
                if not many and error.kind == "SecurityGroupRuleExists":
                    return [""]  # another run may just have made the same rule, and the API allows no second one
                if error.fault not in _DOUBTFUL:
                    raise
                found = self._look(kind, bodies, error)
                if found:
                    return found
                if error.fault not in _THROUGH:
                    raise CloudError(doing, DOUBT, error.reason.partition(": ")[2]) from error
                if attempt == ATTEMPTS:
                    raise
                time.sleep(pause(attempt, error.after))
                attempt += 1

    def _look(self, kind: Kind, bodies: list[Body], error: CloudError) -> list[str]:
        """Find what a create that ended with an error made all the same: all of it, or nothing."""
        for seconds in (0.0,) if error.fault in _THROUGH else _LOOKS:
            time.sleep(seconds)
            try:
                there = self.list(kind.path, kind.plural)
            except CloudError as blind:
                raise error from blind
            found = [next((one["id"] for one in there if _made_of(kind, body, one)), "") for body in bodies]
            if all(found):
                return found
        return []

    def _once_settled(self, kind: Kind, identifier: str, run: _Run, write: t.Callable[[], t.Any]) -> None:
        """Write, and where the object, or what uses it, is just being changed or removed, wait for that and write again."""
        wait, settled = None, False
        while True:
            try:
                write()
                return
            except CloudError as error:
                what = self._unsettled(kind, identifier, error)
                if what is None or (not what and settled):
                    raise
                settled = not what
                if what:
                    wait = wait or run.wait()
                    if not wait.goes_on(what):
                        raise run.too_slow(what, error.reason.partition(": ")[2]) from error

    def _unsettled(self, kind: Kind, identifier: str, error: CloudError) -> str | None:
        """Say what has to be waited for before a refused write can pass: "" for nothing any more, None where that does not help.

        Of an error that has no type, what is there tells whether it is for that. Only connections are looked at then: the status of
        a service may say for ever that it is being made.
        """
        untyped = not error.kind and error.fault in _REFUSED
        connection = KINDS["site_connection"]
        if error.kind.startswith("VPNStateInvalid"):
            there = [one for one in self.list(kind.path, kind.plural) if one["id"] == identifier]
            return _with_status(kind, there[0]) if there else f"{kind.name} {identifier}"
        if untyped and kind is connection:
            there = [one for one in self.list(kind.path, kind.plural) if one["id"] == identifier]
            return ", ".join(_with_status(kind, one) for one in there if one.get("status") in PENDING)
        if (untyped or "InUse" in error.kind) and kind.name in REFERENCES.values():
            users = [
                one
                for one in self.list(connection.path, connection.plural)
                if identifier in [one.get(field) for field in REFERENCES]
            ]
            if all(one.get("status") == "PENDING_DELETE" for one in users):
                return ", ".join(_with_status(connection, one) for one in users)
        return None

    def _until_gone(self, kind: Kind, identifier: str, run: _Run) -> None:
        """A deletion may be accepted before it is done."""
        wait = run.wait()
        while True:
            there = [one for one in self.list(kind.path, kind.plural) if one["id"] == identifier]
            if not there:
                return
            what = _with_status(kind, there[0])
            if not wait.goes_on(what):
                raise run.too_slow(what)

    def _delete(self, path: str, doing: str) -> None:
        try:
            self._wire.call("DELETE", path, doing)
        except CloudError as error:
            if error.fault != "404":
                raise

    def _only(self, kind: Kind, body: Body, doing: str) -> str:
        """Create what all connections of a hub share; where other runs make one at the same moment, all go on with the same one.

        A second service of a VPC is never realised, and a connection's service and policies cannot be changed. So it is looked
        before and after, with time in between for whoever looked before this one was made.
        """

        def there() -> list[str]:
            return sorted(one["id"] for one in self.list(kind.path, kind.plural) if _serves(kind, body, one))

        found = there()
        if not found:
            [mine] = self._create(kind, [body], doing)
            time.sleep(_BOTH_LOOKED)
            found = there() or [mine]
            if found[0] != mine:
                self._delete(f"{kind.path}/{mine}", f"taking back of {doing}")
        return found[0]

    def wait(self, ids: t.Collection[str], until_active: bool, timeout: float, tell: Tell = silent) -> list[Body]:
        """Wait until no connection of ``ids`` is pending (or all that are switched on are ACTIVE); raises VpnError after
        ``timeout`` s.
        """
        kind = KINDS["site_connection"]
        wait = _Wait(timeout, tell)
        while True:
            there = [one for one in self.list(kind.path, kind.plural) if one["id"] in ids]
            waiting = [one for one in there if _is_awaited(one, until_active)]
            if len(there) < len(ids):
                raise VpnError(
                    f"{len(ids) - len(there)} of {len(ids)} connections vanished while they were waited for. "
                    "Remedy: see who else changes this VPN, and run again."
                )
            if not waiting:
                return there
            more = f" and {len(waiting) - 1} more" if waiting[1:] else ""
            if not wait.goes_on(_with_status(kind, waiting[0]) + more):
                names = ", ".join(f"{name_of(one)} ({status_word(one.get('status'))})" for one in waiting)
                raise VpnError(
                    f"after {timeout:g} s these connections are not {'Normal' if until_active else 'settled'}: {names}. "
                    "Remedy: see whether the cloud's VPN agent runs; a connection is Normal only once traffic passes."
                )

    def connections(self, names: t.Container[str], timeout: float, interval: float = 1.0) -> list[Body]:
        """Give all connections once those of ``names`` are ACTIVE, or as they are after ``timeout`` seconds."""
        kind = KINDS["site_connection"]
        end = time.monotonic() + timeout
        while True:
            there = self.list(kind.path, kind.plural)
            waiting = [one for one in there if one["name"] in names and one["status"] != "ACTIVE"]
            if not waiting or time.monotonic() > end:
                return there
            time.sleep(interval)


def batch_of(step: Step) -> tuple[str, str]:
    """Tell which steps go side by side: of one verb and kind, and all new ones that refer to nothing new."""
    return step.verb, "" if step.verb == "create" and step.kind in REFERENCES.values() else step.kind


def _units(batch: list[Step]) -> list[list[Step]]:
    """Put together what goes into one request."""
    if {(step.verb, step.kind) for step in batch} != {("create", "security_group_rule")}:
        return [[step] for step in batch]
    by_group: dict[t.Any, list[Step]] = {}
    for step in batch:
        by_group.setdefault(step.body["security_group_id"], []).append(step)
    return [rules[start : start + _BULK] for rules in by_group.values() for start in range(0, len(rules), _BULK)]


def _in_the_way(steps: t.Sequence[Step]) -> set[str | None]:
    """Give the ids of the connections that are deleted before a new one comes."""
    last = max((number for number, step in enumerate(steps) if _is(step, "create")), default=0)
    return {step.id for step in steps[:last] if _is(step, "delete")}


def _is(step: Step, verb: str) -> bool:
    return (step.verb, step.kind) == (verb, "site_connection")


def _told(step: Step) -> str:
    return f"{step.verb} {step.kind} {step.name}"


def _with_status(kind: Kind, one: Body) -> str:
    return f"{kind.name} {one.get('name') or one['id']} ({status_word(one.get('status'))})"


def _is_awaited(one: Body, until_active: bool) -> bool:
    """Tell whether a connection is not yet what is waited for; one that is switched off need not become ACTIVE."""
    status = one.get("status")
    return status in PENDING or (until_active and one.get("admin_state_up") is not False and status != "ACTIVE")


# The key that each thing of a list has, where it is not its id.
_IDS = {"extensions": "alias"}


def _are_things(value: t.Any, *keys: str) -> bool:
    """Tell whether what came is a list of objects that have these fields."""
    return isinstance(value, list) and all(isinstance(one, dict) and all(one.get(key) for key in keys) for one in value)


def _is_shared_waste(step: Step) -> bool:
    """Whether it removes what no site has for itself, and one that was stopped may still use."""
    return step.verb == "delete" and step.site is None


def _is_shared(kind: Kind, body: Body) -> bool:
    """Tell whether several connections use an object and cannot change to another: a service, and a hub's own policies."""
    return kind.name == "vpn_service" or (kind.name in ("ike_policy", "ipsec_policy") and owner(body) is not None)


def _serves(kind: Kind, body: Body, one: Body) -> bool:
    """Tell whether an object serves for one that a create with this body would make; of services a VPC has one."""
    return one.get("router_id") == body["router_id"] if kind.name == "vpn_service" else _made_of(kind, body, one)


def _made_of(kind: Kind, body: Body, one: Body) -> bool:
    """Tell whether an object is what a create with this body makes. What is not sent comes back as the cloud likes it."""
    given = [field for field in ("name", "description", *REFERENCES) if field in body]
    return content(kind.name, one) == content(kind.name, body) and all(one.get(field) == body[field] for field in given)
