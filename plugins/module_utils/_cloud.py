# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""The only file that talks to the cloud: read a snapshot, execute steps, wait. It decides nothing.

Lists and writes go through the SDK's authenticated session as plain JSON: its resource classes lose or mix up fields of
this API (``type`` of endpoint groups, nested lifetimes) and print keys.
"""

from __future__ import annotations

import concurrent.futures
import itertools
import time
import typing as t
import urllib.parse

from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.plugins.module_utils._objects import KINDS, Body, Snapshot
from ansible_collections.bothends.vpn.plugins.module_utils._plan import Ref, Step
from ansible_collections.bothends.vpn.plugins.module_utils._state import PENDING, one_of, status_word

try:
    import openstack
    from keystoneauth1.exceptions import ClientException
    from openstack.exceptions import SDKException

    OPENSTACK_ERROR: str | None = None
except ImportError as error:  # the module says so in its own words
    OPENSTACK_ERROR = str(error)
    ClientException = SDKException = Exception  # type: ignore[misc,assignment]


# Seconds in which whoever found no service has made one.
_BOTH_LOOKED = 2.0


class Cloud:
    """One project of one cloud, by one token."""

    def __init__(self, cloud: str | dict[str, t.Any] | None, concurrency: int = 4) -> None:
        self.concurrency = concurrency
        try:
            self._session = (
                openstack.connect(**cloud) if isinstance(cloud, dict) else openstack.connect(cloud=cloud)
            ).network
            self._session.get_endpoint()
        except (SDKException, ClientException, TypeError, OSError) as error:
            raise VpnError(
                f"cannot log in to cloud {cloud if isinstance(cloud, str) else '(from the environment)'}: {_sentence(error)} "
                "Remedy: check clouds.yaml (OS_CLIENT_CONFIG_FILE), OS_CLOUD and the credential."
            ) from error

    # --- reading

    def list(self, path: str, plural: str, query: str = "") -> list[Body]:
        """Read a whole list, page by page where the server pages."""
        out: list[Body] = []
        url: str | None = f"{path}?{query}" if query else path
        while url:
            page = self._call("GET", url, f"reading {plural}")
            if not isinstance(page.get(plural), list):
                raise VpnError(
                    f"the cloud answered without {plural} (reading {plural}). Remedy: check the endpoint of the network service."
                )
            out.extend(page[plural])
            after = next((link["href"] for link in page.get(f"{plural}_links", []) if link["rel"] == "next"), None)
            url = f"{path}?{urllib.parse.urlsplit(after).query}" if after else None
        return out

    def snapshot(self, vpc: str) -> Snapshot:
        """Read each kind once. ``vpc`` is the VPC's name or id; its router, subnets and groups stand beside the kinds."""
        lists = {
            "routers": ("/routers", "routers"),
            "subnets": ("/subnets", "subnets"),
            "security_groups": ("/security-groups", "security_groups"),
            **{kind.name: (kind.path, kind.plural) for kind in KINDS.values() if kind.name != "security_group_rule"},
        }
        with concurrent.futures.ThreadPoolExecutor(self.concurrency) as pool:
            running = {name: pool.submit(self.list, *where) for name, where in lists.items()}
            found: Snapshot = {name: future.result() for name, future in running.items()}
        router = one_of("VPC", vpc, found.pop("routers"))
        ports = self.list("/ports", "ports", urllib.parse.urlencode({"device_id": router["id"]}))
        attached = {address["subnet_id"] for port in ports for address in port["fixed_ips"]
                    if "router_interface" in port["device_owner"]}  # fmt: skip
        found["vpc"] = [router]
        found["subnets"] = [subnet for subnet in found["subnets"] if subnet["id"] in attached]
        found["security_group_rule"] = [
            rule for group in found["security_groups"] for rule in group.get("security_group_rules", [])
        ]
        return found

    def with_services(self, snapshot: Snapshot) -> Snapshot:
        """Give the snapshot with the VPN services as they are now."""
        kind = KINDS["vpn_service"]
        return {**snapshot, kind.name: self.list(kind.path, kind.plural)}

    # --- writing

    def execute(self, steps: t.Sequence[Step], progress: t.Callable[[int, Step], None] | None = None) -> dict[Ref, str]:
        """Do the steps: those of one verb and kind side by side, one such batch after the other. Returns the new ids."""
        ids: dict[Ref, str] = {}
        done = 0
        for _key, batch in itertools.groupby(steps, key=lambda step: (step.verb, step.kind)):
            with concurrent.futures.ThreadPoolExecutor(self.concurrency) as pool:
                running = [(step, pool.submit(self._execute, step, ids)) for step in batch]
            failed = [(step, future.exception()) for step, future in running if future.exception()]
            done += len(running) - len(failed)
            for step, future in running:
                if not future.exception() and step.ref:
                    ids[step.ref] = future.result()
            if failed:
                step, cause = failed[0]
                raise VpnError(
                    f"cannot {step.verb} {step.kind} {step.name}: {_sentence(cause)} Done: {done} of {len(steps)} steps. "
                    "Remedy: mend the cause and run again; what is done is found and kept.",
                    changed=done > 0,
                ) from cause
        return ids

    def _execute(self, step: Step, ids: t.Mapping[Ref, str]) -> str:
        kind = KINDS[step.kind]
        body = {field: ids[value] if isinstance(value, Ref) else value for field, value in step.body.items()}
        doing = f"{step.verb} of {step.kind} {step.name}"
        if step.verb == "create" and kind.name == "vpn_service":
            return self._only_service(body, doing)
        if step.verb == "create":
            # Another run may just have made the same rule, and the API allows no second one: that will do.
            answer = self._call(
                "POST", kind.path, doing, {kind.singular: body}, fine=409 if kind.name == "security_group_rule" else 0
            )
            return answer.get(kind.singular, {}).get("id", "")
        path = f"{kind.path}/{step.id}"
        if step.verb == "update":
            self._call("PUT", path, doing, {kind.singular: body})
        else:
            self._call("DELETE", path, doing, fine=404)
        return t.cast(str, step.id)

    def _only_service(self, body: Body, doing: str) -> str:
        """Create a VPC's VPN service; where other runs make one at the same moment, all go on with the same one of them.

        A second service of a VPC is never realised, and its connections could not be moved. So it is looked before and after,
        with time in between for whoever looked before this one was made.
        """
        kind = KINDS["vpn_service"]

        def there() -> list[str]:
            return sorted(
                one["id"] for one in self.list(kind.path, kind.plural) if one["router_id"] == body["router_id"]
            )

        found = there()
        if not found:
            mine = self._call("POST", kind.path, doing, {kind.singular: body})[kind.singular]["id"]
            time.sleep(_BOTH_LOOKED)
            found = there() or [mine]
            if found[0] != mine:
                self._call("DELETE", f"{kind.path}/{mine}", f"taking back of {doing}", fine=404)
        return found[0]

    def wait(self, ids: t.Collection[str], until_active: bool, timeout: float, interval: float = 1.0) -> list[Body]:
        """Wait until no connection of ``ids`` is pending (or until all are ACTIVE); raises VpnError after ``timeout`` s."""
        kind = KINDS["site_connection"]
        end = time.monotonic() + timeout
        while True:
            there = [one for one in self.list(kind.path, kind.plural) if one["id"] in ids]
            waiting = [
                one for one in there if (one["status"] != "ACTIVE" if until_active else one["status"] in PENDING)
            ]
            if len(there) < len(ids):
                raise VpnError(
                    f"{len(ids) - len(there)} of {len(ids)} connections vanished while they were waited for. "
                    "Remedy: see who else changes this VPN, and run again."
                )
            if not waiting:
                return there
            if time.monotonic() > end:
                names = ", ".join(f"{one['name']} ({status_word(one['status'])})" for one in waiting)
                raise VpnError(
                    f"after {timeout:g} s these connections are not {'Normal' if until_active else 'settled'}: {names}. "
                    "Remedy: see whether the cloud's VPN agent runs; a connection is Normal only once traffic passes."
                )
            time.sleep(interval)

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

    def _call(self, method: str, path: str, doing: str, body: Body | None = None, fine: int = 0) -> Body:
        try:
            answer = self._session.request(path, method, json=body, raise_exc=False)
        except (SDKException, ClientException, OSError) as error:
            raise VpnError(f"the cloud did not answer ({doing}): {error}.") from error
        if answer.status_code == fine:
            return {}
        if answer.status_code >= 400:
            raise VpnError(f"the cloud refused ({doing}): HTTP {answer.status_code}: {_sentence(_reason(answer))}")
        try:
            return answer.json() if answer.content else {}
        except ValueError as error:
            raise VpnError(f"the cloud answered no JSON ({doing}).") from error


def _sentence(text: t.Any) -> str:
    """End a text that others wrote with one full stop."""
    return str(text).strip().rstrip(".") + "."


def _reason(answer: t.Any) -> str:
    """Take the sentence out of an error body, whichever of its shapes it has."""
    try:
        body = answer.json()
    except ValueError:
        return (answer.reason or "no reason given") + "."
    # {"NeutronError": {"message": ...}}, {"code": ..., "message": ...}, {"error_code": ..., "error_msg": ...}, "text"
    while isinstance(body, dict):
        named = (body[key] for key in ("message", "error_msg", "detail") if body.get(key))
        body = next(named, next(iter(body.values()), ""))
    return str(body) or "no reason given."
