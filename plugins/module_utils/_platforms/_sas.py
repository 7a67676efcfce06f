# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""Running SAs of any platform: how they differ from what is declared, and what is left to do. Pure, no I/O.

An SA is a dict: ``connection``, ``id`` (rises with age), ``state``, ``version``, ``ike`` (algorithms in our names), ``local_id``,
``remote_id``, ``local_host``, ``remote_host`` and ``children``: dicts of ``tunnel``, ``id``, ``state``, ``ipsec``, ``local_subnets``,
``remote_subnets``, ``bytes_in``, ``bytes_out``, ``age`` (seconds, None where it is not known). A running SA keeps the configuration
it was born with.
"""

from __future__ import annotations

import typing as t

Record = t.Dict[str, t.Any]

IKE_FIELDS = ("encryption", "integrity", "prf", "dh_group")
IPSEC_FIELDS = ("encryption", "integrity", "pfs_group")


def live(sa: dict[str, t.Any]) -> list[dict[str, t.Any]]:
    """The children of an IKE SA that carry traffic; those that a renewal replaced stay listed for some seconds."""
    return [child for child in sa["children"] if child["state"] in ("INSTALLED", "REKEYING")]


class Difference(t.NamedTuple):
    """One field in which a running SA is not as declared; lists are subnets, None is none."""

    tunnel: str | None  # None for the IKE SA's
    field: str
    declared: t.Any
    running: t.Any

    def __str__(self) -> str:
        declared, running = (
            ", ".join(one) if isinstance(one, list) else one or "none" for one in (self.declared, self.running)
        )
        if self.field == "tunnel":
            return f"{self.tunnel} is not declared"
        if isinstance(self.declared, list):
            return f"{self.tunnel} carries {running}, declared is {declared}"
        return f"{self.tunnel or 'IKE'} {self.field} is {running}, declared is {declared}"


def differences(record: Record, sa: dict[str, t.Any]) -> list[Difference]:
    """How a running IKE SA with its children differs from what a record (site's view) declares.

    A child's PFS group shows only once it was rekeyed, and is compared only then.
    """
    wanted = {**record["ike"], "prf": record["ike"].get("prf") or _implied_prf(record["ike"])}
    out = [
        Difference(None, field, wanted.get(field) or None, sa["ike"].get(field))
        for field in IKE_FIELDS
        if (wanted.get(field) or None) != sa["ike"].get(field)
    ]
    tunnels = {tunnel["name"]: tunnel for tunnel in record["tunnels"]}
    for child in live(sa):
        name, tunnel = child["tunnel"], tunnels.get(child["tunnel"])
        if tunnel is None:
            out.append(Difference(name, "tunnel", None, name))
            continue
        for field in IPSEC_FIELDS:
            is_, declared = child["ipsec"].get(field), record["ipsec"].get(field) or None
            if is_ != declared and not (field == "pfs_group" and is_ is None):
                out.append(Difference(name, field, declared, is_))
        for end in ("local_subnets", "remote_subnets"):
            if child[end] and set(child[end]) != set(tunnel[end]):
                out.append(Difference(name, end, tunnel[end], child[end]))
    return out


def deviations(record: Record, sa: dict[str, t.Any]) -> list[str]:
    """The same in words; [] if it does not differ."""
    return [str(one) for one in differences(record, sa)]


def _implied_prf(ike: dict[str, t.Any]) -> str | None:
    """Without an AEAD, the PRF follows from the integrity algorithm."""
    return ike.get("integrity")


_REPORTED = 60.0  # seconds: the reference agent reports a status once in that time (ipsec_status_check_interval)


def unheard(records: t.Iterable[Record], sas: t.Collection[dict[str, t.Any]], down: t.Container[str]) -> set[str]:
    """The connections with a tunnel that the cloud calls down (``down``: names) and that an SA here carries for longer than a report
    takes.

    The cloud has lost that SA, or counts it for a connection that is gone: where a connection is made anew, its strongSwan goes on
    with the SA of the one before, and never calls the new one up. Only a new SA ends that. Where the hub alone may begin, nobody
    here could make one.
    """
    begins = {record["name"] for record in records if record["initiator"] != "hub"}
    return {
        sa["connection"]
        for sa in sas
        if any(child["tunnel"] in down and (child.get("age") or 0) > _REPORTED for child in live(sa))
    } & begins


class Standing(t.NamedTuple):
    """How a connection stands: what it lacks, and what is in the way."""

    lacking: list[str]  # names of tunnels that no good SA carries
    old: list[int]  # ids of IKE SAs that must go once a good one is there
    wrong: list[int]  # ids of IKE SAs that are not old and yet not as declared: the other end's doing
    deviations: list[str]  # how they differ


def standing(record: Record, sas: list[dict[str, t.Any]], born_before: int) -> Standing:
    """Judges the SAs of one connection; ``born_before`` is the highest IKE id that has an old configuration or key.

    Both ends may have begun at once, so the tunnels may lie on several good SAs.
    """
    carried: set[str] = set()
    old: list[int] = []
    wrong: list[int] = []
    why: list[str] = []
    for sa in sas:
        if sa["connection"] != record["name"] or sa["state"] not in ("ESTABLISHED", "REKEYING", "CONNECTING"):
            continue
        if sa["id"] <= born_before:
            old.append(sa["id"])
        elif sa["state"] != "CONNECTING":
            differs = deviations(record, sa)
            why.extend(differs)
            if differs:
                wrong.append(sa["id"])
            else:
                carried.update(child["tunnel"] for child in live(sa))
    names = [tunnel["name"] for tunnel in record["tunnels"]]
    return Standing([name for name in names if name not in carried], old, wrong, why)
