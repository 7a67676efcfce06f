# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""What the two ends say of a connection, against what is declared. Pure: reads no cloud and no router.

Neither a ping nor a rekeying is proof by itself: a server that accepts more than it was told lets a wrong suite pass, and
a wrong PFS group shows at the next rekeying only. So a tunnel is ``up`` when what can be read agrees, and ``proven`` only
when its SAs were made anew with what is declared and traffic was counted in both directions.
"""

from __future__ import annotations

import itertools
import re
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _addresses, _cause, _cause_facts
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _sas
from ansible_collections.bothends.vpn.plugins.module_utils._topology import Connection

Sas = t.List[t.Dict[str, t.Any]]

UP, PROVEN, FAILED, UNKNOWN, PENDING = "up", "proven", "failed", "not proven", "pending"
DISABLED, BLOCKED = "disabled", "blocked"
NOT_KNOWN = "not known"  # a status


class Proof(t.TypedDict, total=False):
    """What was seen while the SAs of a router were made anew and hosts talked."""

    before: Sas
    reauthenticated: Sas
    rekeyed: Sas
    pings: list[dict[str, t.Any]]  # connection, from, to, sent, received
    drift: dict[str, list[dict[str, t.Any]]]  # hub -> the plan that would make the cloud's objects as declared


class Row(t.TypedDict):
    """One tunnel in the report."""

    tunnel: str
    site: str
    status: str
    ike: str
    ipsec: str
    traffic: str  # bytes in and out
    pings: str
    verdict: str
    why: str
    causes: list[_cause.Cause]


def rows(
    records: t.Sequence[Connection],
    statuses: t.Mapping[str, t.Sequence[t.Mapping[str, t.Any]]],
    sas: Sas | None,
    proof: Proof | None = None,
    planned: bool = False,
    pending: t.Container[str] = (),
    blocked: t.Mapping[str, str] | None = None,
    silent: str = "",
    left: t.Container[str] = (),
) -> list[Row]:
    """Judge each tunnel of each connection (site's view).

    ``statuses`` are the cloud's connections by hub, as hub_info returns them; ``sas`` the router's SAs, None where there is
    no router to ask. ``planned`` says that nothing was applied yet (check mode): then nothing has failed. ``pending`` names
    tunnels of which the cloud stored a change just now; ``blocked`` sites or connections get a row that says why. ``silent`` says
    why a router that was asked gave no SAs: that is a failure, and not that nobody was asked. ``left`` names sites whose router
    stayed as it was in this run: what the cloud stored of them is not in force.
    """
    judged = [
        _row(record, tunnel, status(statuses.get(record["hub"]), record, tunnel), sas, proof, pending, silent, left)
        for record in records
        if record["state"] != "absent"
        for tunnel in record["tunnels"]
    ]
    judged = [{**row, "verdict": PENDING} if planned and row["verdict"] == FAILED else row for row in judged]
    return judged + [_empty(site, site, "-", BLOCKED, why) for site, why in (blocked or {}).items()]


def _empty(tunnel: str, site: str, state: str, verdict: str = UNKNOWN, why: str = "") -> Row:
    return Row(
        tunnel=tunnel, site=site, status=state, ike="-", ipsec="-", traffic="-", pings="-", verdict=verdict, why=why, causes=[]
    )  # fmt: skip


def status(connections: t.Sequence[t.Mapping[str, t.Any]] | None, record: Connection, tunnel: t.Any) -> str:
    """Find what the cloud (None: it did not answer) says of a tunnel: by its name, else, where somebody else made it, by where it leads."""
    if connections is None:
        return NOT_KNOWN
    ends = (record["local"]["gateway"], sorted(tunnel["local_subnets"]))
    found = [one for one in connections if one["name"] == tunnel["name"]] or [
        one
        for one in connections
        if not one.get("site") and (one.get("gateway"), sorted(one.get("subnets", []))) == ends
    ]
    return found[0]["state"] if found else "not there"


def _row(
    record: Connection,
    tunnel: t.Any,
    state: str,
    sas: Sas | None,
    proof: Proof | None,
    pending: t.Container[str],
    silent: str,
    left: t.Container[str],
) -> Row:
    row = _empty(tunnel["name"], record["site"], state)
    if record["state"] == "disabled":
        up = state == "Normal" if sas is None else _carrier(sas, record["name"], tunnel["name"]) is not None
        row["verdict"], row["why"] = (FAILED, "it is disabled, and still up") if up else (DISABLED, "")
        return row
    if state == NOT_KNOWN and not record["resolved"]:
        # Nobody knows where it leads, so what the router says cannot be compared.
        row["verdict"], row["why"] = FAILED, "; ".join(_cloud_problems(state))
        return row
    if silent:
        row["verdict"] = FAILED
        row["why"] = "; ".join([*_cloud_problems(state), f"router {record['router']}: {silent}"])
        return row
    if sas is None:
        why = "it is not in this run, or could not be reached"
        if not record["driven"]:
            why = f"{record['platform']} is configured by hand"
        row["verdict"] = FAILED if state == NOT_KNOWN else UNKNOWN
        row["why"] = "; ".join([*_cloud_problems(state), f"router {record['router']} was not asked: {why}"])
        if tunnel["name"] in pending:
            row["verdict"] = PENDING
            row["why"] = f"a change is stored, and in force once the site makes new SAs; {row['why']}"
        return row
    carrier = _carrier(sas, record["name"], tunnel["name"])
    wrong = _cloud_problems(state)
    if carrier is None:
        row["verdict"], row["why"] = FAILED, "; ".join([*wrong, "the router has no SA for it"])
        return row
    sa, child = carrier
    row["ike"], row["ipsec"] = suite(sa["ike"]), suite(child["ipsec"])
    row["traffic"] = f"{child['bytes_in']}/{child['bytes_out']}"
    wrong += _deviations(t.cast(t.Dict[str, t.Any], record), sa, child)
    pings = [one for one in (proof or {}).get("pings", []) if one["tunnel"] == tunnel["name"]]
    if proof is not None:
        wrong += _unproven(record, tunnel, sas, proof)
        row["pings"] = f"{sum(one['received'] for one in pings)}/{sum(one['sent'] for one in pings)}" if pings else "-"
    untried = [] if proof is None else _untried(tunnel, pings)
    row["verdict"] = FAILED if wrong else UP if proof is None else UNKNOWN if untried else PROVEN
    row["why"] = "; ".join(wrong or untried)
    if row["verdict"] == UP and sa.get("older"):
        row["verdict"] = PENDING
        row["why"] = (
            "the router has a change stored that is not in force: the SA is older. Run bothends.vpn.routers; where that fails, the "
            "ends differ: undo the change, or the next re-authentication ends the tunnel"
        )
    elif row["verdict"] == UP and tunnel["name"] in pending and record["site"] in left:
        row["verdict"] = PENDING
        row["why"] = (
            "the cloud has a change stored that the router did not get, as another hub of the site was not finished: mend that and "
            "run again before the next re-authentication"
        )
    return row


def _cloud_problems(state: str) -> list[str]:
    if state == NOT_KNOWN:
        return ["the cloud did not answer"]
    return [] if state == "Normal" else [f"the cloud says {state}"]


def _untried(tunnel: t.Any, pings: t.Sequence[t.Mapping[str, t.Any]]) -> list[str]:
    """Say which hosts could not ping; where all could, which selectors no probe sent anything through."""
    unasked = {one["host"]: one["unasked"] for one in pings if "unasked" in one}
    if unasked:
        return [f"probe host {host} could not ping: {why}" for host, why in unasked.items()]
    tried = [(_addresses.parse(one["from"]), _addresses.parse(one["to"])) for one in pings]
    out = []
    for here, there in itertools.product(tunnel["local_subnets"], tunnel["remote_subnets"]):
        local, remote = _addresses.parse(here), _addresses.parse(there)
        if not any(local.covers(source) and remote.covers(target) for source, target in tried):
            out.append(f"{here} to {there}")
    return [f"no probe tried {', '.join(out)}: give the site a `probe`, and its hosts verify_address"] if out else []


def _carrier(sas: Sas, connection: str, tunnel: str) -> tuple[dict[str, t.Any], dict[str, t.Any]] | None:
    """Find the youngest live child of a tunnel, and its IKE SA."""
    found = [
        (sa, child)
        for sa in sas
        if sa["connection"] == connection and sa["state"] == "ESTABLISHED"
        for child in _sas.live(sa)
        if child["tunnel"] == tunnel
    ]
    return max(found, key=lambda one: (one[0]["id"], one[1]["id"]), default=None)


def _deviations(record: dict[str, t.Any], sa: dict[str, t.Any], child: dict[str, t.Any]) -> list[str]:
    return _sas.deviations(record, {**sa, "children": [child]})


def suite(algorithms: t.Mapping[str, str | None]) -> str:
    """Write a suite as one word: aes-256/sha384/group20; the PRF only where it is not the integrity algorithm."""
    parts = [algorithms.get("encryption"), algorithms.get("integrity")]
    if not algorithms.get("integrity"):
        parts.append(algorithms.get("prf"))
    parts += [algorithms.get("dh_group"), algorithms.get("pfs_group")]
    return "/".join(part for part in parts if part) or "-"


_TOLD = 2  # pairs whose pings are told one by one: a table has to hold them
_NOT_RENEWED = {
    "reauthenticate": "re-authentication gave no new SA: the keys or identities of the two ends differ by now",
    "rekey": "rekeying gave no new SA: the PFS group or the suite of the two ends differs",
}


def renewal(record: Connection, tunnel: t.Any, proof: Proof) -> str:
    """Say which step of the proof gave no new SA: reauthenticate, rekey, or "" for none."""
    first = _carrier(proof["before"], record["name"], tunnel["name"])
    second = _carrier(proof["reauthenticated"], record["name"], tunnel["name"])
    third = _carrier(proof["rekeyed"], record["name"], tunnel["name"])
    if second is None or (first is not None and second[0]["id"] <= max(sa["id"] for sa in proof["before"])):
        return "reauthenticate"
    return "rekey" if third is None or third[1]["id"] == second[1]["id"] else ""


def with_causes(
    judged: t.Sequence[Row],
    connections: t.Sequence[Connection],
    evidence: t.Sequence[_cause_facts.Evidence] = (),
    clouds: t.Mapping[str, t.Any] | None = None,
    sas: Sas | None = None,
    proof: Proof | None = None,
) -> list[dict[str, t.Any]]:
    """Put the causes into the rows of tunnels that are not as declared; ``clouds`` are hub_info's results by hub."""
    known = {tunnel["name"]: (record, tunnel) for record in connections for tunnel in record["tunnels"]}
    seen = {one["connection"]: one for one in evidence}
    out = []
    for row in judged:
        found: list[_cause.Cause] = []
        record, tunnel = known.get(row["tunnel"], (None, None))
        if row["verdict"] in (FAILED, UNKNOWN) and record and record["resolved"]:
            view = _cause_facts.View(
                evidence=seen.get(record["name"]),
                sas=sas,
                cloud=(clouds or {}).get(record["hub"]),
                state=row["status"],
                pings=[one for one in (proof or {}).get("pings", []) if one["sent"]],
                drift=_lacking(record, tunnel, proof) if proof else [],
                renewal=renewal(record, tunnel, proof) if proof and "before" in proof else "",
            )
            found = _cause.causes(record, tunnel, view)
        out.append({**row, "causes": found})
    return out


def _unproven(record: Connection, tunnel: t.Any, sas: Sas, proof: Proof) -> list[str]:
    """Say what of the proof is missing for one tunnel."""
    wrong = []
    second = _carrier(proof["reauthenticated"], record["name"], tunnel["name"])
    third = _carrier(proof["rekeyed"], record["name"], tunnel["name"])
    last = _carrier(sas, record["name"], tunnel["name"])
    failed = renewal(record, tunnel, proof)
    if failed:
        wrong.append(_NOT_RENEWED[failed])
    elif second is not None and third is not None:
        for sa, child in (second, third):
            wrong += [one for one in _deviations(t.cast(t.Dict[str, t.Any], record), sa, child) if one not in wrong]
        if third[1]["ipsec"].get("pfs_group") != record["ipsec"]["pfs_group"]:
            seen = third[1]["ipsec"].get("pfs_group") or "none"
            wrong.append(f"rekeyed with PFS group {seen}, declared is {record['ipsec']['pfs_group']}")
    pings = [one for one in proof.get("pings", []) if one["tunnel"] == tunnel["name"]]
    lost = [one for one in pings if one["received"] < one["sent"]]
    wrong += [
        f"{one['from']} to {one['to']}: {one['received']} of {one['sent']} pings came back" for one in lost[:_TOLD]
    ]
    if len(lost) > _TOLD:
        wrong.append(f"and {len(lost) - _TOLD} more pairs whose pings did not all come back")
    for ping in pings:
        if ping.get("largest") is not None:
            wrong.append(f"{ping['from']} to {ping['to']}: packets of more than {ping['largest']} bytes vanish")
    if last and any(one["sent"] for one in pings):
        for word, counter in (("from", "bytes_in"), ("to", "bytes_out")):
            if not last[1][counter]:
                wrong.append(f"no traffic {word} the hub was counted in the tunnel")
    steps = [f"{step['verb']} {step['kind']} {step['name']}" for step in _lacking(record, tunnel, proof)]
    if steps:
        wrong.append(f"the cloud's objects are not as declared: {', '.join(steps)}")
    return wrong


def _lacking(record: Connection, tunnel: t.Any, proof: Proof) -> list[dict[str, t.Any]]:
    """Give the steps of the hub's plan but those for other tunnels."""
    return [step for step in proof.get("drift", {}).get(record["hub"], []) if not _elsewhere(record, tunnel, step)]


def _elsewhere(record: Connection, tunnel: t.Any, step: t.Mapping[str, t.Any]) -> bool:
    """Tell whether a step is for other tunnels only, by the names that ``_objects`` gives; a stranger's name may be anybody's."""
    name, hub = step["name"], record["hub"]
    if step["kind"] == "security_group_rule":
        prefix = name.rpartition(" ")[2]
        return _addresses.is_prefix(prefix) and not any(
            _addresses.parse(prefix).overlaps(_addresses.parse(subnet)) for subnet in tunnel["local_subnets"]
        )
    own = {
        "site_connection": (tunnel["name"],),
        "endpoint_group": (record["name"], f"{hub}/subnets"),
        "ike_policy": (f"{hub}/{record['policy']}",),
        "ipsec_policy": (f"{hub}/{record['policy']}",),
    }.get(step["kind"], (name,))
    return name.startswith(f"{hub}/") and name not in own


# --- probes ---------------------------------------------------------------------------------------------------------


def pings(records: t.Sequence[Connection], hosts: t.Mapping[str, str]) -> list[dict[str, t.Any]]:
    """Plan the pings: each probe there and back, from the inventory host that has the address.

    ``hosts`` maps inventory hosts to their address. A probe's host that is not in the inventory cannot send; where the
    router has the address itself, the router sends.
    """
    by_address = {_addresses.parse(address): host for host, address in hosts.items() if _addresses.is_prefix(address)}
    out = []
    for record in records:
        if record["state"] != "present":
            continue
        for probe in record["probes"]:
            names = [str(probe[end]) for end in ("from", "to")]
            ends = [hosts.get(name, name) for name in names]
            for end, address in zip(names, ends):
                if not _addresses.is_prefix(address):
                    raise VpnError(
                        f"site {record['site']}: probe: {end} is neither an address nor a host that has one."
                    )
            tunnel = _tunnel_of(record, *ends)
            if tunnel is None:
                continue
            senders = [name if name in hosts else by_address.get(_addresses.parse(name)) for name in names]
            for host, source, target in ((senders[0] or record["router"], *ends), (senders[1], *reversed(ends))):
                if host:
                    out.append({"tunnel": tunnel, "host": host, "from": source, "to": target})
    return out


def _tunnel_of(record: Connection, site_address: str, hub_address: str) -> str | None:
    """Find the tunnel whose selectors carry a pair of addresses."""
    here, there = _addresses.parse(site_address), _addresses.parse(hub_address)
    for tunnel in record["tunnels"]:
        if any(_addresses.parse(one).covers(here) for one in tunnel["local_subnets"]) and any(
            _addresses.parse(one).covers(there) for one in tunnel["remote_subnets"]
        ):
            return tunnel["name"]
    return None


def ping_results(
    planned: t.Sequence[t.Mapping[str, t.Any]],
    results: t.Sequence[t.Mapping[str, t.Any]],
    large: t.Sequence[t.Mapping[str, t.Any]] = (),
) -> list[dict[str, t.Any]]:
    """Read what iputils' ping printed for each planned ping; ``large`` are results of the search for the largest packet."""
    if len(planned) != len(results):
        raise VpnError(f"{len(planned)} pings were planned, but there are results of {len(results)}.")
    searched = {(one["item"]["from"], one["item"]["to"]): _largest(one) for one in large if "item" in one}
    out = []
    for ping, result in zip(planned, results):
        printed = result.get("stdout") or ""
        found = re.search(r"(\d+) packets transmitted, (\d+) (?:packets )?received", printed)
        sent, received = (int(found.group(1)), int(found.group(2))) if found else (1, 0)
        if result.get("unreachable") or "No such file" in str(result.get("msg")):
            # Whoever was not asked has lost nothing.
            out.append({**ping, "sent": 0, "received": 0, "unasked": str(result.get("msg") or "it was not reached")})
            continue
        one = {**ping, "sent": sent, "received": received}
        complaint = re.search(
            r"^.*unreachable.*$", f"{printed}\n{result.get('stderr') or ''}", re.MULTILINE | re.IGNORECASE
        )
        if complaint and not received:
            one["said"] = complaint.group().strip()[:200]
        largest = searched.get((ping.get("from"), ping.get("to")))
        if largest is not None:
            one["largest"] = largest
        out.append(one)
    return out


_HEADERS = {4: 28, 6: 48}  # bytes of IP and ICMP (RFC 791, 792, 8200, 4443)


def _largest(result: t.Mapping[str, t.Any]) -> int | None:
    """Give the largest packet that passes, in bytes, where a larger one vanished; None where none did.

    That a packet is told to be too long is well: whoever sends then learns what passes (RFC 1191, RFC 8201).
    """
    words = [line.split() for line in (result.get("stdout") or "").splitlines()]
    outcomes = [(word[0], int(word[1])) for word in words if len(word) == 2 and word[1].isdigit()]
    passes = [size for outcome, size in outcomes if outcome == "passes"]
    if not passes or not any(outcome == "silent" for outcome, _size in outcomes):
        return None
    return max(passes) + _HEADERS[6 if ":" in str(result["item"]["to"]) else 4]
