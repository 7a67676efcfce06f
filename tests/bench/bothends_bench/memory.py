# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan without HTTP: what is checked and planned for a hub, from memory. Seconds are of the processor's time."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.bothends.vpn.plugins.module_utils import (
    _hub,
    _hub_options,
    _objects,
    _plan,
    _rules,
    _state,
    _steps,
    _topology,
)

from . import sizes

VPC = {"id": "v", "name": "prod", "external_gateway_info": {"external_fixed_ips": [{"ip_address": "203.0.113.150"}]}}
SUBNETS = [{"id": f"s{number}", "name": f"s{number}", "cidr": f"192.168.{number}.0/24"} for number in (1, 2)]
GROUP = {"id": "g", "name": "servers"}
EGRESS = {
    "security_group_id": "g", "direction": "egress", "protocol": None, "port_range_min": None, "port_range_max": None,
    "remote_ip_prefix": None, "remote_group_id": None, "description": "",
}  # fmt: skip


def empty() -> dict[str, list[dict[str, Any]]]:
    """A cloud with the VPC, and no VPN in it."""
    rules = [{**EGRESS, "id": f"r{version}", "ethertype": version} for version in ("IPv4", "IPv6")]
    return {
        **{kind: [] for kind in _objects.KINDS},
        "vpc": [VPC],
        "subnets": SUBNETS,
        "security_groups": [GROUP],
        "security_group_rule": rules,
        "extensions": [{"alias": alias} for alias in ("vpnaas", "vpn-endpoint-groups")],
        "missing": [],
        "endpoint": [{"url": "http://127.0.0.1"}],
    }


class Cloud:
    """What module hub sees of a cloud, without one."""

    def __init__(self, there: dict[str, list[dict[str, Any]]]) -> None:
        self.there = there

    def snapshot(self, vpc: str) -> dict[str, list[dict[str, Any]]]:
        return self.there


def measure(count: int) -> dict[str, float]:
    """Seconds of each stage, and the peak of memory in MB."""
    out: dict[str, float] = {}

    def timed(name: str, work: Callable[[], Any]) -> Any:
        begin = time.process_time()
        result = work()
        out[name] = round(out.get(name, 0) + time.process_time() - begin, 2)
        return result

    given = sizes.hub([sizes.site(number) for number in range(count)])
    options = ArgumentSpecValidator(_hub_options.spec()).validate(given).validated_parameters
    there = empty()
    described, keys = timed("description", lambda: _hub_options.describe(options))
    found = timed("checks", lambda: _rules.offline(described, keys, needed=False))
    if found:
        raise RuntimeError(f"the sites of the benchmark are wrong: {found[0]}")

    def plan(there: Any) -> _plan.Plan:
        facts = _state.hub_facts(there)
        records = [_topology.resolve(record, facts) for record in _topology.connections(described, keys)]
        vpc = {**facts["vpc"], "subnets": facts["subnets"]}
        wanted = _objects.target("prod", "neutron", vpc, records, [GROUP])
        return _plan.plan(wanted, there)

    new = timed("plan of an empty cloud", lambda: plan(there))
    timed("its diff", lambda: _steps.diff(there, new.steps))
    there = _steps.project(there, new.steps)
    out["peak MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if timed("plan of nothing to do", lambda: plan(there)).steps:
        raise RuntimeError("the second plan is not empty")
    timed("all of a run with nothing to do", lambda: _hub.apply(options, Cloud(there), True))
    out["steps"] = len(new.steps)
    return out


if __name__ == "__main__":
    json.dump(measure(int(sys.argv[1])), sys.stdout)
