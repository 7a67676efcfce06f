# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cloud for the modules for one object, and their options as Ansible hands them over."""

from __future__ import annotations

import copy

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.bothends.vpn.plugins.module_utils import (
    _cloud,
    _description,
    _group_rules,
    _plan,
    _single,
    _single_kinds,
    _steps,
)
from ansible_collections.bothends.vpn.tests.unit.builders import snapshot

KEY = "a key of 20 characters"
EXTENSIONS = (
    "vpnaas",
    "vpn-endpoint-groups",
    "vpn-flavors",
    "vpn-aes-ctr",
    "security-group",
    "security-groups-remote-address-group",
)
CONNECTION = {
    "name": "berlin", "vpn_service": "vpn", "ike_policy": "strong", "ipsec_policy": "strong", "local_endpoint_group": "here",
    "peer_endpoint_group": "there", "peer_address": "203.0.113.10", "psk": KEY,
}  # fmt: skip
# What a connection needs, in the order in which it is made.
WHOLE = (
    ("ike_policy", {"name": "strong"}),
    ("ipsec_policy", {"name": "strong"}),
    ("vpn_service", {"name": "vpn", "vpc": "prod"}),
    ("endpoint_group", {"name": "here", "type": "subnet", "endpoints": ["app", "db"]}),
    ("endpoint_group", {"name": "there", "type": "cidr", "endpoints": ["192.168.3.0/24"]}),
    ("site_connection", CONNECTION),
)


def validated(spec, given):
    """Give all options, as the module gets them."""
    outcome = ArgumentSpecValidator(_description.arguments(spec)).validate(copy.deepcopy(given))
    assert not outcome.error_messages, outcome.error_messages
    return outcome.validated_parameters


def params(kind, **given):
    """Give a module's options."""
    return validated(_single_kinds.options(kind), given)


def rule_params(*rules, **given):
    """Give the options of module security_group_rules."""
    return validated(_group_rules.OPTIONS, {"security_group": "servers", "rules": list(rules), **given})


def empty():
    """Give a cloud with a VPC and no VPN."""
    there = snapshot()
    routers = there.pop("vpc")
    return {
        **there,
        "routers": [*routers, {"id": "v2", "name": "lonely", "external_gateway_info": None}],
        "subnets": [*there["subnets"], {"id": "s-far", "name": "far", "cidr": "10.99.0.0/24"},
                    {"id": "s-six", "name": "six", "cidr": "2001:db8:1::/64"}],
        "networks": [{"id": "n1", "name": "net"}],
        "address_groups": [{"id": "a1", "name": "offices"}],
        "flavors": [{"id": "f1", "name": "fast", "service_type": "VPN", "enabled": True},
                    {"id": "f2", "name": "routed", "service_type": "L3_ROUTER_NAT", "enabled": True},
                    {"id": "f3", "name": "retired", "service_type": "VPN", "enabled": False}],
        "ports": [{"fixed_ips": [{"subnet_id": one} for one in ("s-app", "s-db", "s-six")]}],
    }  # fmt: skip


def planned(there, kind, check_mode=False, **given):
    """Plan for one object; gives the steps and the warnings."""
    row, asked = _single_kinds.ROWS[kind], params(kind, **given)
    known = _single.Known(there, check_mode, asked["project_id"])
    return _single.plan(row, asked, _single.find(row, asked, known), known), known.warnings


def steps(there, kind, **given):
    """Plan for one object."""
    return planned(there, kind, **given)[0]


def made(there, *wanted):
    """Give the cloud once objects are made."""
    for kind, given in wanted:
        there = _steps.project(there, steps(there, kind, **given))
    return there


def whole(**change):
    """Give a cloud with one connection and what it needs; of any object something can be other: there={"endpoints": ...}."""
    return made(
        empty(), *((kind, {**given, **change.get(given["name"], {}), **change.get(kind, {})}) for kind, given in WHOLE)
    )


def rule_steps(there, *rules, check_mode=False, **given):
    """Plan for the rules of the group servers."""
    asked = rule_params(*rules, **given)
    known = _single.Known(there, check_mode, asked["project_id"], absent=asked["state"] == "absent")
    group = known.id_of("security group", "security_groups", asked["security_group"])
    return _group_rules.plan(asked, group, known)


class Cloud:
    """Stands in for the cloud: lists, and does what is planned."""

    def __init__(self, there):
        self.there, self.reads, self.waited, self.timeouts = there, [], [], []
        self.quota, self.asked_quotas = {}, []  # word -> limit and used; of which projects they were asked
        self.endpoint, self.extensions = "http://cloud.example:9696", EXTENSIONS
        self.after_execute = None  # what another does in between

    def list(self, _path, plural, query=""):
        """Give a list."""
        self.reads.append(plural + ("?" + query if query else ""))
        name = next((name for name, (_where, known) in _cloud.LISTS.items() if known == plural), plural)
        if name == "extensions":
            return [{"alias": alias} for alias in self.extensions]
        if name == "security_groups":
            rules = self.there["security_group_rule"]
            return [
                {**one, "security_group_rules": [rule for rule in rules if rule["security_group_id"] == one["id"]]}
                for one in self.there[name]
            ]
        return copy.deepcopy(self.there[name])

    def lists(self, names, optional=()):
        """Give several lists. None of them stands for one that the server does not have."""
        missing = [
            name for name in names if self.there.get(name, []) is None or (name == "extensions" and not self.extensions)
        ]
        assert set(missing) <= set(optional)
        return {
            **{name: [] if name in missing else self.list(*_cloud.LISTS[name]) for name in names},
            "missing": [{"name": name} for name in missing],
            "endpoint": [{"url": self.endpoint}],
        }

    def limits(self, _path, project=None):
        """Give the quotas in neutron's words."""
        self.asked_quotas.append(project)
        return {"quota": {word: {"limit": limit, "used": used} for word, (limit, used) in self.quota.items()}}

    def execute(self, todo, timeout=None):
        """Do the steps."""
        self.timeouts.append(timeout)
        before = {one["id"] for kind in _plan.KINDS for one in self.there[kind]}
        self.there = _steps.project(self.there, todo)
        new = [one["id"] for kind in _plan.KINDS for one in self.there[kind] if one["id"] not in before]
        if self.after_execute:
            self.after_execute(self)
        return dict(zip([step.ref for step in todo if step.ref], new, strict=True))

    def wait(self, ids, until_active, timeout):
        """Give the connections as they are."""
        self.waited.append((set(ids), until_active, timeout))
        return [one for one in self.there["site_connection"] if one["id"] in ids]
