# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small neutron in memory, for the tests of what talks to the cloud."""

from __future__ import annotations

import itertools
import json
import threading
import types
import urllib.parse

from ansible_collections.bothends.vpn.plugins.module_utils import _objects
from ansible_collections.bothends.vpn.tests.unit.builders import snapshot

PLURALS = {"/routers": "routers", "/subnets": "subnets", "/security-groups": "security_groups", "/ports": "ports",
           "/extensions": "extensions"}  # fmt: skip
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

    def __init__(self, status_code, body="", reason="", headers=None):
        self.status_code, self.reason, self.headers = status_code, reason, headers or {}
        self.content = (body if isinstance(body, str) else json.dumps(body)).encode()

    def json(self):
        return json.loads(self.content)


def refusal(status, kind, message):
    return Answer(status, {"NeutronError": {"type": kind, "message": message, "detail": ""}})


class Neutron:
    """Stands in for the session of a cloud: answers like neutron 29.0.0 with neutron-vpnaas, keeps a log of requests."""

    provider = "neutron"

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
            "extensions": [{"id": alias, "alias": alias} for alias in ("vpnaas", "vpn-endpoint-groups", "vpn-aes-ctr")],
            **{kind.plural: there[kind.name] for kind in _objects.KINDS.values() if kind.name != "security_group_rule"},
        }  # fmt: skip
        self.page = page
        self.log = []
        self.answers = {}  # (verb, path) -> what to answer instead
        self.between = None  # stands between client and server: called with number, method, path and the way on
        self.quota = 1000  # objects of a kind
        self.ids = itertools.count(1)
        self.lock = threading.Lock()

    def get_endpoint(self):
        return "http://cloud.example:9696"

    def get_project_id(self):
        return "p1"

    def request(self, url, method, json=None, **options):
        assert options == {
            "raise_exc": False,
            "connect_retries": 0,
            "status_code_retries": 0,
            "allow_reauth": False,
            "skip_cache": True,
        }
        path, _mark, query = url.partition("?")
        with self.lock:
            self.log.append((method, path, json))
            answer = self.answers.get((method, path))
            if isinstance(answer, Exception):
                raise answer

            def served():
                return getattr(self, f"_{method.lower()}")(path, dict(urllib.parse.parse_qsl(query)), json)

            return answer or (self.between(len(self.log), method, path, served) if self.between else served())

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
        (key,) = body
        wanted = body[key] if key == PLURALS[path] else [body[SINGULARS[path]]]
        there = self.lists[PLURALS[path]]
        made = [{**one, "id": f"new-{next(self.ids)}"} for one in wanted]
        if path == "/security-group-rules":
            if len({one["security_group_id"] for one in made}) > 1:
                message = "Only allowed to update rules for one security profile at a time"
                return refusal(400, "SecurityGroupNotSingleGroupRules", message)
            contents = [_objects.content("security_group_rule", one) for one in made]
            if len(set(contents)) < len(contents):
                return refusal(409, "DuplicateSecurityGroupRuleInPost", "Duplicate Security Group Rule in POST.")
            for one in there:
                if _objects.content("security_group_rule", one) in contents:
                    message = f"Security group rule already exists. Rule id is {one['id']}."
                    return refusal(409, "SecurityGroupRuleExists", message)
        if len(there) + len(made) > self.quota:
            return refusal(409, "OverQuota", f"Quota exceeded for resources: ['{SINGULARS[path]}'].")
        if path in ("/vpn/vpnservices", "/vpn/ipsec-site-connections"):
            for one in made:
                one["status"] = "PENDING_CREATE"
        there.extend(made)
        return Answer(201, {key: made if key == PLURALS[path] else made[0]})

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


class Otc(Neutron):
    """The same as Open Telekom Cloud tells it: no key, a description of its own, and errors that say no type."""

    provider = "otc"

    def request(self, url, method, json=None, **options):
        answer = super().request(url, method, json, **options)
        if not url.startswith("/vpn/") or not answer.content:
            return answer
        try:
            body = answer.json()
        except ValueError:
            return answer
        if isinstance(body, dict) and "NeutronError" in body:
            body = {"code": "VPC.1001", "message": body["NeutronError"]["message"]}
        elif isinstance(body, dict) and "/ipsec-site-connections" in url and answer.status_code < 400:
            body = {
                name: [self._shown(one) for one in value] if isinstance(value, list) else self._shown(value)
                for name, value in body.items()
            }
        return Answer(answer.status_code, body, answer.reason, answer.headers)

    @staticmethod
    def _shown(one):
        return {**{field: value for field, value in one.items() if field != "psk"}, "description": "{}"}


def connection(neutron, timeout=None):
    """Give what the SDK's connect gives."""
    return types.SimpleNamespace(network=neutron, session=types.SimpleNamespace(timeout=timeout, auth=None))


def settled(neutron):
    """The agent has done its work."""
    for plural in ("vpnservices", "ipsec_site_connections"):
        for one in neutron.lists[plural]:
            one["status"] = "ACTIVE"
