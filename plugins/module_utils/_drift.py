# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""What is described, what the cloud and the router hold, and what the running SAs use: where the four differ. Pure.

Each of the three is compared with the description where it is read (``_drift_cloud``, ``_drift_router``); here they are put
side by side, one row a connection and field. Keys are compared by digests, and never part of a row.
"""

from __future__ import annotations

import collections
import datetime
import itertools
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _drift_cloud, _drift_router
from ansible_collections.bothends.vpn.plugins.module_utils._drift_router import (
    NOT_THERE,
    THERE,
    Difference,
    Record,
)
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError

DIFFERENCE, UNANSWERED, NOT_COMPARED = "difference", "unanswered", "not compared"
SAME, UNKNOWN = "same", "-"
STALE = "in force"
_HIDDEN = {"psk": "another key"}


# One difference, or one thing that could not be compared: ``kind``, ``connection`` (hub/site, or hub/site/n), ``field``, what each
# of the four says (``described``, ``cloud``, ``router``, ``running``), and a ``note``.
Row = t.Dict[str, t.Any]


class Cloud(t.TypedDict, total=False):
    """What is known of a hub: what hub_info and hub (in check mode) returned, or why not."""

    error: str
    connections: list[dict[str, t.Any]]
    differences: list[_drift_cloud.Difference]
    provider: dict[str, t.Any]
    blocked: dict[str, str]


class Router(t.TypedDict, total=False):
    """What is known of a router, or of the files that are carried over by hand: what site_configs_info and PLATFORM_state returned."""

    error: str  # why its files were not read
    asked: bool  # whether somebody was to answer; then no answer is more than nothing to compare
    sites: list[dict[str, t.Any]]
    sas: list[dict[str, t.Any]] | None
    now: float  # the router's time when they were read, in seconds since 1970
    sas_error: str  # why its SAs were not read


class View(t.NamedTuple):
    """One of the three beside the description."""

    name: str
    differences: list[Difference]
    carries: set[tuple[str, str]]  # (connection, field) that it was compared in


class World(t.NamedTuple):
    """All that was read. What is None was not to be asked."""

    clouds: t.Mapping[str, Cloud] | None  # by hub
    routers: t.Mapping[str, Router] | None  # by inventory host
    files: Router  # of the sites whose routers somebody configures by hand
    hosts: t.Collection[str] | None = None  # the routers that are inventory hosts; None where all are
    failed: t.Collection[str] = ()  # the hosts that this run lost before they could say anything

    def by_hand(self, record: Record) -> str | None:
        """Say why nobody logs in to a connection's router; None where somebody does."""
        if not record["driven"]:
            return f"{record['platform']} is configured by hand"
        if self.hosts is not None and record["router"] not in self.hosts:
            return f"router {record['router']} is no inventory host"
        return None

    def router(self, record: Record) -> Router:
        """Give what is known of a connection's router. What it did not answer names it."""
        by_hand = self.by_hand(record)
        if by_hand:
            why = f"{by_hand}: nobody reads what runs there"
            files = self.files or Router(error="no file of it was looked for")
            return t.cast(Router, {**files, "asked": False, "sas": None, "sas_error": why})
        name = f"router {record['router']}"
        if record["router"] in self.failed:
            why = f"{name} was not read: it failed earlier in this run, as its own error says"
            return Router(error=why, sas_error=why)
        router = (self.routers or {}).get(record["router"])
        if not router:
            why = f"{name} is not in this run"
            return Router(error=why, sas_error=why, asked=False)
        silent = {part: f"{name}: {router[part]}" for part in ("error", "sas_error") if router.get(part)}
        return t.cast(Router, {**router, **silent})

    def held(self) -> dict[tuple[str | None, str], dict[str, t.Any]]:
        """Give each site's files by router, None for those that are carried over, and site."""
        sources = [*(self.routers or {}).items(), (None, self.files)]
        return {(host, one["site"]): one for host, router in sources for one in router.get("sites", [])}

    def home(self, record: Record) -> tuple[str | None, str]:
        """Say where among ``held()`` a connection's site belongs."""
        return (None if self.by_hand(record) else record["router"], record["site"])

    def stored(self) -> dict[str, dict[str, t.Any]]:
        """Give the clouds' connections by name."""
        return {one["name"]: one for cloud in (self.clouds or {}).values() for one in cloud.get("connections", [])}


def rows(
    records: t.Sequence[Record],
    world: World,
    key: str,
    templates_dir: str,
    known: t.Mapping[str, t.Collection[str]],
    blocked: t.Mapping[str, str],
) -> list[Row]:
    """Put the four side by side.

    ``records`` are the site's view, resolved, with keys where they are known, absent sites too; ``known`` names all ``sites`` and
    ``hubs`` that are described, so that what is left of others is told; ``blocked`` are the sites that an error stops, and why.
    """
    out = [_row(UNANSWERED, site, "description", note=why) for site, why in blocked.items()]
    views: list[View] = []
    if world.clouds is not None:
        views.append(_cloud_view(records, world.clouds, known["sites"], blocked, out))
    if world.routers is not None:
        views.append(_router_view(records, world, key, templates_dir, out))
        views.append(_running_view(records, world, out))
        out += _left(records, world, known)
    told = _beside(records, views)
    _explain(told, world)
    told += _stale(records, world)
    told += [row for row in out if row["kind"] == DIFFERENCE]
    return told + sorted(
        (row for row in out if row["kind"] != DIFFERENCE),
        key=lambda row: (row["kind"] != UNANSWERED, row["connection"]),
    )


def _row(kind: str, connection: str, field: str, note: str = "", **views: t.Any) -> Row:
    shown = {view: views.get(view, UNKNOWN) for view in ("described", "cloud", "router", "running")}
    return {"kind": kind, "connection": connection, "field": field, **shown, "note": note}


# --- the views ------------------------------------------------------------------------------------------------------


def _cloud_view(
    records: t.Sequence[Record],
    clouds: t.Mapping[str, Cloud],
    known_sites: t.Collection[str],
    blocked: t.Container[str],
    out: list[Row],
) -> View:
    tunnels = {record["name"]: [tunnel["name"] for tunnel in record["tunnels"]] for record in records}
    found, carries = [], set()
    for hub, cloud in clouds.items():
        if cloud.get("error"):
            out.append(_row(UNANSWERED, hub, "cloud", note=cloud["error"]))
        out += [_row(UNANSWERED, f"{hub}/{site}", "cloud", note=why)
                for site, why in cloud.get("blocked", {}).items() if site not in blocked]  # fmt: skip
        for one in cloud.get("differences", []):
            # Of the sites that are described, only those that this run is about.
            if one["connection"] in tunnels or one["connection"].partition("/")[2] not in known_sites:
                found.append(
                    Difference(one["tunnel"] or one["connection"], one["field"], one["described"], one["cloud"])
                )
    missing = {one.subject for one in found if one.field == "connection"}
    for record in records:
        cloud = clouds.get(record["hub"], Cloud(error="not asked"))
        if cloud.get("error") or record["state"] == "absent":
            continue
        hidden = cloud["provider"]["not_read_back"]
        if "psk" in hidden:
            out.append(_row(NOT_COMPARED, record["name"], "psk", note="the cloud does not give the key back"))
        if not missing & {record["name"], *tunnels[record["name"]]}:
            carries |= {(record["name"], field) for field in _drift_cloud.FIELDS.difference(hidden)}
    return View("cloud", _folded(found, tunnels), carries)


def _folded(found: list[Difference], tunnels: t.Mapping[str, list[str]]) -> list[Difference]:
    """Tell what is the same for all tunnels of a connection once."""
    counted = collections.Counter(repr(_of_connection(one)) for one in found)
    out: dict[str, Difference] = {}
    for one in found:
        whole = _of_connection(one)
        names = tunnels.get(whole.subject, [])
        if one.subject in names and one.field not in ("subnets", "hub.subnets") and counted[repr(whole)] == len(names):
            one = whole
        out.setdefault(repr(one), one)
    return list(out.values())


def _of_connection(one: Difference) -> Difference:
    return one._replace(subject=_connection(one.subject))


def _connection(subject: str) -> str:
    """Give the connection of a tunnel; anything else stays."""
    return "/".join(subject.split("/")[:2])


def _router_view(records: t.Sequence[Record], world: World, key: str, templates_dir: str, out: list[Row]) -> View:
    found: list[Difference] = []
    carries: set[tuple[str, str]] = set()
    held = world.held()
    for site, of_site in itertools.groupby(sorted(records, key=lambda one: one["site"]), key=lambda one: one["site"]):
        everyone = list(of_site)
        router, wanted = world.router(everyone[0]), [one for one in everyone if one["state"] == "present"]
        there = held.get(world.home(everyone[0]))
        names = [record["name"] for record in everyone]
        problem = (there or {}).get("problem")
        if router.get("error") or problem:
            kind = UNANSWERED if problem or router.get("asked", True) else NOT_COMPARED
            out += [_row(kind, name, "router", note=problem or router["error"]) for name in names]
        elif not wanted or there is None:
            ends = (THERE, NOT_THERE) if wanted else (NOT_THERE, THERE)
            found += [Difference(one["name"], "connection", *ends) for one in wanted or everyone if wanted or there]
        elif not all(record["resolved"] for record in wanted):
            out += [_row(NOT_COMPARED, name, "router", note="the hub's address is not known") for name in names]
        else:
            try:
                found += _drift_router.stored(site, wanted[0]["platform"], wanted, there, key, templates_dir)
            except VpnError as error:
                out += [_row(UNANSWERED, name, "router", note=str(error)) for name in names]
                continue
            out += [
                _row(NOT_COMPARED, one["name"], "psk", note="vpn_psks has no key of it")
                for one in wanted
                if not one.get("psk")
            ]
            for one in there["connections"]:
                carries |= {(one["name"], field) for _subject, field in _drift_router.fields(one)}
                carries |= {(one["name"], "psk")} if one["psk_digest"] else set()
    return View("router", found, carries)


def _running_view(records: t.Sequence[Record], world: World, out: list[Row]) -> View:
    found: list[Difference] = []
    carries: set[tuple[str, str]] = set()
    for record in records:
        router = world.router(record)
        sas = router.get("sas")
        if sas is None and record["state"] != "absent":
            kind = UNANSWERED if router.get("asked", True) else NOT_COMPARED
            out.append(_row(kind, record["name"], "running", note=router.get("sas_error") or "its SAs were not read"))
        elif _drift_router.carrying(record, sas or []):
            found += _drift_router.running(record, sas)
            carries |= {(record["name"], field) for field in _drift_router.RUNNING}
        elif record["state"] == "present":
            out.append(_row(NOT_COMPARED, record["name"], "running", note="nothing is up, so nothing is in force"))
    return View("running", found, carries)


def _left(records: t.Sequence[Record], world: World, known: t.Mapping[str, t.Collection[str]]) -> list[Row]:
    """Tell of files of sites that nobody describes, or whose router is another; one of an unknown hub is somebody else's."""
    homes = {record["site"]: world.home(record) for record in records}
    return [
        _row(DIFFERENCE, one["name"], "connection", described=NOT_THERE, router=THERE,
             note=f"the description has no site {site} for {host or 'a file'}")
        for (host, site), there in world.held().items()
        if (homes[site] != (host, site) if site in homes else site not in known["sites"])
        for one in there["connections"]
        if one["hub"] in known["hubs"]
    ]  # fmt: skip


# --- side by side ---------------------------------------------------------------------------------------------------


def _beside(records: t.Sequence[Record], views: list[View]) -> list[Row]:
    """One row for each connection or tunnel and field in which a view differs."""
    order = {record["name"]: number for number, record in enumerate(records)}
    table: dict[tuple[str, str], Row] = {}
    for view in views:
        for subject, field, described, there in view.differences:
            hidden = _HIDDEN.get(field)
            row = table.get((subject, field))
            if row is None:
                row = table[subject, field] = _row(
                    DIFFERENCE, subject, field, described="(secret)" if hidden else _shown(described)
                )
            row[view.name] = hidden or _shown(there)
    for (subject, field), row in table.items():
        for view in views:
            if row[view.name] == UNKNOWN and (_connection(subject), field) in view.carries:
                row[view.name] = SAME
    return [
        table[one]
        for one in sorted(table, key=lambda one: (order.get(_connection(one[0]), len(order)), one[0], one[1]))
    ]


def _shown(value: t.Any) -> t.Any:
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else "none" if value in (None, "") else value


def _explain(told: list[Row], world: World) -> None:
    """Say what is known beside a difference: what the cloud does in truth, and whether both ends have the same other key."""
    clouds = world.clouds or {}
    held = {one["name"]: one["psk_digest"] for site in world.held().values() for one in site["connections"]}
    theirs: dict[str, set[str | None]] = {}
    for name, one in world.stored().items():
        theirs.setdefault(_connection(name), set()).add(one.get("psk_digest"))
    for row in told:
        connection = _connection(row["connection"])
        effective = clouds.get(connection.partition("/")[0], {}).get("provider", {}).get("effective", {})
        if row["field"] in effective:
            row["note"] = f"in force at the cloud: {effective[row['field']]}"
        if row["field"] == "psk" and row["cloud"] == row["router"] == _HIDDEN["psk"] and connection in theirs:
            same = theirs[connection] == {held.get(connection)}
            row["note"] = f"both ends have {'the same other key' if same else 'another key, and not the same'}"


# --- stored, and not in force ---------------------------------------------------------------------------------------


def _stale(records: t.Sequence[Record], world: World) -> list[Row]:
    """Tell of changes that are younger than the SAs that carry a connection: a running SA keeps what it was born with."""
    held, stored = world.held(), world.stored()
    out = []
    for record in records:
        oldest = _born(record, world.router(record))
        if oldest is None or record["state"] != "present":
            continue
        written = [_seconds(stored.get(one["name"], {}).get("updated_at")) for one in record["tunnels"]]
        changes = {"router": held.get(world.home(record), {}).get("modified"), "cloud": max(written, default=0.0)}
        late = {end: when for end, when in changes.items() if when and when > oldest}
        if late:
            note = f"stored but not in force since {_when(min(late.values()))}: the SA is older; new SAs bring it into force"
            shown = {end: f"stored {_when(when)}" for end, when in late.items()}
            out.append(_row(DIFFERENCE, record["name"], STALE, note=note, running=f"SA of {_when(oldest)}", **shown))
    return out


def _born(record: Record, router: Router) -> float | None:
    """Say when the oldest SA that carries something of a connection was made, where that is known."""
    now, sas = router.get("now"), router.get("sas")
    if now is None or not sas:
        return None
    births = [_drift_router.born(sa, now) for sa in _drift_router.carrying(record, sas)]
    return min((one for one in births if one is not None), default=None)


def _seconds(text: str | None) -> float:
    """Read a time of the API; one without a zone is UTC, what is none is 0."""
    try:
        when = datetime.datetime.fromisoformat(text or "")
    except ValueError:
        return 0.0
    return (when if when.tzinfo else when.replace(tzinfo=datetime.timezone.utc)).timestamp()


def _when(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(int(seconds), datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
