# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small worlds for the tests: a VPC as the API tells it, and descriptions for it."""

from __future__ import annotations

from ansible_collections.bothends.vpn.plugins.module_utils import (
    _description,
    _objects,
    _plan,
    _rules,
    _state,
    _steps,
    _topology,
)

SUBNETS = {"app": "192.168.1.0/24", "db": "192.168.2.0/24"}


def hub(**change):
    """Give a hub's entry."""
    return {"vpc": "prod", "subnets": list(SUBNETS.values()), "security_groups": ["servers"], **change}


def site(number=3, **change):
    """Give a site's entry; the number makes its addresses its own."""
    return {"hub": "prod", "gateway": f"203.0.113.{number}", "subnets": [f"10.{number}.0.0/24"], **change}


def describe(sites, hubs=None, policies=None):
    """Give a description that is meant to be right."""
    described = _description.describe(policies, hubs or {"prod": hub()}, sites)
    assert described.findings == [], described.findings
    return described


def records(sites, psks=None, **more):
    """Give the connection records of a description, seen from the hub."""
    return _topology.connections(describe(sites, **more), psks)


def findings(sites, hubs=None, policies=None, psks=None):
    """Give (code, field) of each finding."""
    described = _description.describe(policies, hubs or {"prod": hub()}, sites)
    return [(one["code"], one["field"]) for one in _rules.offline(described, psks)]


def snapshot(**more):
    """Give a cloud with the VPC, its subnets and a security group, and no VPN."""
    group = {"id": "g1", "name": "servers"}
    rules = [
        {"id": "r1", "security_group_id": "g1", "direction": "egress", "ethertype": version, "protocol": None,
         "port_range_min": None, "port_range_max": None, "remote_ip_prefix": None, "remote_group_id": None, "description": ""}
        for version in ("IPv4", "IPv6")
    ]  # fmt: skip
    for number, rule in enumerate(rules):
        rule["id"] = f"r{number}"
    return {
        **{kind: [] for kind in _objects.KINDS},
        "vpc": [
            {
                "id": "v1",
                "name": "prod",
                "external_gateway_info": {"external_fixed_ips": [{"ip_address": "203.0.113.150"}]},
            }
        ],
        "subnets": [{"id": f"s-{name}", "name": name, "cidr": cidr, "ip_version": 4} for name, cidr in SUBNETS.items()],
        "security_groups": [group],
        "security_group_rule": rules,
        **more,
    }


def target(
    there,
    sites,
    psk="a key of 20 characters",
    policies=None,
    provider="neutron",
    blocked=(),
    hubs=None,
    send_psks=False,
):
    """Give what the hub prod should look like."""
    facts = _state.hub_facts(there)
    resolved = [
        _topology.resolve(record, facts)
        for record in records(sites, dict.fromkeys(sites, psk), policies=policies, hubs=hubs)
    ]
    groups = [_state.one_of("security group", "servers", there["security_groups"])]
    vpc = {**facts["vpc"], "subnets": facts["subnets"]}
    return _objects.target("prod", provider, vpc, resolved, groups, blocked, send_psks)


def plan(there, sites, purge=False, **more):
    """Plan for the hub prod."""
    return _plan.plan(target(there, sites, **more), there, purge)


def after(there, sites, **more):
    """Give the cloud as it is after such a plan."""
    return _steps.project(there, plan(there, sites, **more).steps)


def in_the_old_form(there):
    """Give the same VPN as the API's old form has it: the one subnet at the service, the CIDRs at each connection."""
    by_id = {one["id"]: one for kind in _objects.KINDS for one in there[kind]}
    for one in there["site_connection"]:
        [subnet], peer = _objects.selectors(one, by_id)
        by_id[one["vpnservice_id"]]["subnet_id"] = subnet
        one.update(local_ep_group_id=None, peer_ep_group_id=None, peer_cidrs=peer)
    return {**there, "endpoint_group": []}


def verbs(planned):
    """Give the steps as short texts."""
    return [f"{step.verb} {step.kind} {step.name}" for step in planned.steps]
