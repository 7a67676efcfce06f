# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""The whole VPN of one VPC: description in, plan, steps, result out. The glue between the pure parts and the cloud."""

from __future__ import annotations

import contextlib
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import (
    _cloud,
    _description,
    _dialect,
    _drift_cloud,
    _findings,
    _hub_options,
    _ignore,
    _objects,
    _plan,
    _rules,
    _rules_connection,
    _rules_provider,
    _rules_vpc,
    _single,
    _state,
    _steps,
    _topology,
)
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.plugins.module_utils._providers import PROVIDERS

Params = t.Dict[str, t.Any]


class Work(t.NamedTuple):
    """What is known of a hub before anything is written."""

    snapshot: _objects.Snapshot
    facts: dict[str, t.Any]
    plan: _plan.Plan
    blocked: dict[str, str]  # site -> why nothing of it is touched
    findings: list[_findings.Finding]  # what was found in the cloud, and what blocks single sites
    warnings: list[str]  # what check mode took for something that will be there


def prepare(params: Params, cloud: _cloud.Cloud, check_mode: bool = False) -> Work:
    """Check, read and plan. What is wrong with one site blocks that site; raises VpnError, before anything could be
    written, where something is wrong with the hub, or nothing is left to do. It carries the findings then.
    """
    description, psks = _hub_options.describe(params)
    blocked = dict.fromkeys(params["blocked"], "was blocked before")
    found = _findings.errors(_rules.offline(description, psks, needed=False))  # role preflight tells the warnings
    blocked.update(_refuse(description, found))
    snapshot = _dialect.read(cloud.snapshot(params["vpc"]), params["provider"])
    known, facts = _single.Known(snapshot, check_mode), _facts(params, snapshot)
    records = [record for record in _topology.connections(description, psks) if record["site"] not in blocked]
    subnets = {params["name"]: _resolved_subnets(description, params["name"], facts) if _needed(records) else []}
    records = [record if record["state"] == "absent" else _topology.resolve(record, facts) for record in records]
    hub = description.hubs[params["name"]]
    there = [record for record in records if record["state"] != "absent"]
    partners = [one for record in there for one in _rules_connection.without_partner(record, hub)]
    read = [
        *_rules_provider.shown(params["name"], params["provider"], snapshot, there),
        *_rules.addresses(there, subnets),
        *partners,
        *_rules_vpc.vpc(params["name"], params["provider"], snapshot, there, subnets[params["name"]]),
    ]
    blocked.update(_refuse(description, read, found))
    found += read
    plan = _planned(params, known, facts, records, blocked)
    beside = [*_routes(params, cloud, snapshot, plan, there), *_others(params, snapshot, plan, description, there)]
    stopped = _refuse(description, beside, found)
    if stopped.keys() - blocked.keys():
        blocked.update(stopped)
        plan = _planned(params, known, facts, records, blocked)
    found += [*beside, *_rules_vpc.unknown_keys(params["provider"], snapshot, plan, there)]
    quotas = _quotas(params, cloud, snapshot, plan)
    _refuse(description, quotas, found)
    found = _ignore.silenced([*found, *quotas], description.ignore)
    disruptive = sorted({step.name for step in plan.steps if step.disruptive})
    if disruptive and not params["allow_disruption"]:
        raise VpnError(
            f"hub {params['name']}: nothing was changed, because this would interrupt {', '.join(disruptive)} "
            f"({'; '.join(sorted({step.why.removeprefix(_steps.REPLACED) for step in plan.steps if step.disruptive}))}). "
            "Remedy: look at the steps with --check --diff -e vpn_allow_disruption=true, which changes nothing; when the interruption is "
            "acceptable, run again with that (module hub: allow_disruption).",
            changed=False,
            plan=[step.public() for step in plan.steps],
            diff=_steps.diff(snapshot, plan.steps),
            findings=found,
        )
    return Work(snapshot, facts, plan, blocked, found, known.warnings)


def _facts(params: Params, snapshot: _objects.Snapshot) -> Params:
    return _state.hub_facts(snapshot, PROVIDERS[params["provider"]].gateway_is_routers)


def _makes(plan: _plan.Plan) -> bool:
    return any(step.verb == "create" for step in plan.steps)


def _routes(
    params: Params,
    cloud: _cloud.Cloud,
    snapshot: _objects.Snapshot,
    plan: _plan.Plan,
    records: list[_topology.Connection],
) -> list[_findings.Finding]:
    """Ask for routes that do not stand in the VPC's router, only where something is to be made."""
    path = PROVIDERS[params["provider"]].routes_path
    if not path or not _makes(plan):
        return []
    return _rules_vpc.routes(params["provider"], cloud.routes(path, snapshot["vpc"][0]["id"]), records)


def _others(
    params: Params,
    snapshot: _objects.Snapshot,
    plan: _plan.Plan,
    description: _description.Description,
    records: list[_topology.Connection],
) -> list[_findings.Finding]:
    going = {step.id for step in plan.steps if (step.verb, step.kind) == ("delete", "site_connection")}
    mine = going | set(map(str, plan.connections.values()))
    sites = {*description.sites, *params["blocked"]}
    return _rules_vpc.others(params["name"], params["provider"], snapshot, mine, sites, records)


def _quotas(
    params: Params, cloud: _cloud.Cloud, snapshot: _objects.Snapshot, plan: _plan.Plan
) -> list[_findings.Finding]:
    """Ask for the quotas only where something is to be made."""
    if not _makes(plan):
        return []
    answer = cloud.limits(PROVIDERS[params["provider"]].quotas.path)
    return _rules_provider.quotas(params["name"], params["provider"], plan.steps, snapshot, answer)


def _needed(records: t.Iterable[_topology.Connection], blocked: t.Container[str] = ()) -> bool:
    """Tell whether something is to be there: what is only to go needs neither subnets nor groups, which may be gone before it."""
    return any(record["state"] != "absent" and record["site"] not in blocked for record in records)


def _groups(names: t.Iterable[str], known: _single.Known) -> list[_objects.Body]:
    """Find the security groups; each that check mode takes for one that will be there is one of its own."""
    found = [(name, known.id_of("security group", "security_groups", name)) for name in names]
    return [{"id": f"{name} ({one})" if one == _single.UNKNOWN else one, "name": name} for name, one in found]


def _planned(
    params: Params,
    known: _single.Known,
    facts: Params,
    records: list[_topology.Connection],
    blocked: dict[str, str],
) -> _plan.Plan:
    """Plan; sites that turn out to be impossible join ``blocked``, and the others are planned without them."""
    vpc = {**facts["vpc"], "subnets": facts["subnets"]}
    groups = _groups(params["security_groups"], known) if _needed(records, blocked) else []
    while True:
        wanted = _objects.target(params["name"], params["provider"], vpc, records, groups, blocked, params["send_psks"])
        try:
            return _plan.plan(wanted, known.snapshot, params["purge"])
        except _plan.SiteError as error:
            blocked.update(error.sites)


def _resolved_subnets(description: _description.Description, hub: str, facts: Params) -> list[str]:
    try:
        return [_topology.subnet_cidr(subnet, facts["subnets"]) for subnet in description.hubs[hub]["subnets"]]
    except LookupError as error:
        raise VpnError(f"hub {hub}: subnets: {error}. Remedy: correct the name, or give the CIDR.") from error


def _refuse(
    description: _description.Description, found: list[_findings.Finding], before: t.Sequence[_findings.Finding] = ()
) -> dict[str, str]:
    """Say which sites are blocked; raises VpnError where an error concerns the hub itself, or each of its sites.

    The error carries what was found, and what was found ``before`` and stopped less.
    """
    wrong = _findings.errors(found)
    blocked = _rules.blocked(description, wrong)
    if wrong and (not set(description.sites) - set(blocked) or any(_rules.is_wide(one) for one in wrong)):
        raise VpnError(
            f"nothing was changed; {_findings.summary(wrong)}:\n{_findings.lines(wrong)}",
            findings=_ignore.silenced([*before, *found], description.ignore),
        )
    return blocked


def apply(params: Params, cloud: _cloud.Cloud, check_mode: bool) -> Params:
    """Bring the hub into the described state, or say what that would take. Returns the module's result.

    Raises VpnError, with that result, when sites were blocked: the others are as described then.
    """
    work = prepare(params, cloud, check_mode)
    result = {
        "changed": bool(work.plan.steps),
        "plan": [step.public() for step in work.plan.steps],
        "leftovers": work.plan.leftovers,
        "unowned": work.plan.unowned,
        "blocked": work.blocked,
        "findings": work.findings,
        "warnings": work.warnings,
        "diff": _steps.diff(work.snapshot, work.plan.steps),
    }
    if check_mode:
        result["differences"] = _drift_cloud.differences(params["name"], work.snapshot, work.plan, params["provider"])
    try:
        steps = _dialect.write(work.plan.steps, work.snapshot, params["provider"])
        tell = _progress(params["progress_file"])
        one_a_peer = PROVIDERS[params["provider"]].one_connection_a_peer
        refused: dict[str, VpnError] = {}
        ids = cloud.execute(steps, tell, params["timeout"], one_a_peer, refused) if steps and not check_mode else {}
        answers = {name: ids.get(answer) if isinstance(answer, _steps.Ref) else answer
                   for name, answer in work.plan.connections.items()
                   if not any(name.startswith(f"{params['name']}/{site}/") for site in refused)}  # fmt: skip
        connections = _report(params, cloud, work, answers, tell, check_mode)
        facts = _facts(params, cloud.with_services(work.snapshot) if ids else work.snapshot)
    except VpnError as error:
        # What was written stays written: the failure says so too.
        error.result = {**result, **error.result}
        raise
    result.update(hub={"name": params["name"], **facts}, connections=connections)
    new = {site: why for site, why in work.blocked.items() if site not in params["blocked"]}
    lines = [f"site {site} is blocked, nothing of it was touched: {why}" for site, why in new.items()]
    lines += [f"site {site} stopped half way: {error}" for site, error in refused.items()]
    if lines:
        work.blocked.update({site: str(error) for site, error in refused.items()})
        lines.append(f"All else of hub {params['name']} {'would be' if check_mode else 'is'} as described.")
        raise VpnError("\n".join(lines), **result)
    return result


def _progress(path: str | None) -> _cloud.Tell:
    """Give what writes how far a run is, line by line, for whoever reads the file meanwhile. A file that cannot be written
    stops nothing.
    """

    def tell(line: str) -> None:
        with contextlib.suppress(OSError, ValueError), open(path, "a", encoding="utf-8") as file:
            file.write(f"{line}\n")

    return tell if path else _cloud.silent


def _report(
    params: Params,
    cloud: _cloud.Cloud,
    work: Work,
    answers: dict[str, str | None],
    tell: _cloud.Tell,
    check_mode: bool,
) -> list[Params]:
    """Say each connection's status: as read, or as waited for after writes."""
    there = work.snapshot["site_connection"]
    wrote = bool(work.plan.steps) and not check_mode
    known = {identifier for identifier in answers.values() if identifier}
    if known and not check_mode and (params["wait_for"] == "active" or (wrote and params["wait_for"] == "accepted")):
        there = cloud.wait(known, params["wait_for"] == "active", params["timeout"], tell)
    status = {one["id"]: one.get("status") for one in there}
    pending = {step.name for step in work.plan.steps if step.pending_activation}
    return [
        {
            "name": name,
            "id": identifier,
            "status": status.get(identifier or "", "PENDING_CREATE"),
            "state": _state.status_word(status.get(identifier or "", "PENDING_CREATE")),
            "pending_activation": name in pending,
            "not_compared": list(PROVIDERS[params["provider"]].not_read_back),
        }
        for name, identifier in answers.items()
    ]
