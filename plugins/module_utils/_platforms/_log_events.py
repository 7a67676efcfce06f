# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""What an IKE daemon's log says, in words that are the same whichever daemon wrote it. Pure.

The kinds of events are those that ``_cause_facts`` turns into facts, ``log.KIND``.
"""

from __future__ import annotations

import typing as t

LONGEST = 400  # characters of a line that a report shows
_LINE = 4096  # characters of a line that are looked at


class Event(t.TypedDict, total=False):
    """Something that the log says."""

    said: str
    count: int
    differing: list[str]  # fields of the proposal that have no algorithm in common
    received: dict[str, list[str]]  # by field, in our names
    ids: list[str]  # the router's id and the hub's, as the hub asked for them
    subnets: list[list[str]]  # what the hub asked for: the router's and its own


Events = t.Dict[str, Event]
Offer = t.Mapping[str, t.Sequence[str]]  # a proposal: by field (`dh_group` in both phases) the algorithms, in our names


def printable(said: str) -> str:
    """A line without what could move a cursor, and of bounded length."""
    return "".join(letter if letter.isprintable() else "?" for letter in said[:_LINE]).rstrip()


def remember(found: Events, name: str, said: str) -> Event:
    """Notes an event; the newest line stands for it."""
    count = found[name]["count"] + 1 if name in found else 1
    found[name] = Event(said=said, count=count)
    return found[name]


def without(found: Events, trouble: tuple[str, ...]) -> Events:
    """The events but those whose kind begins with one of ``trouble``."""
    return {name: event for name, event in found.items() if not name.startswith(trouble)}


def shown(found: Events) -> Events:
    """The events with lines that fit a report."""
    for event in found.values():
        event["said"] = event["said"][:LONGEST]
    return found


def compare(
    event: Event, received: t.Iterable[Offer], configured: t.Iterable[Offer], phase: str, first_child: bool
) -> None:
    """Say in which fields the nearest received proposal has nothing in common with a configured one."""
    mine = list(configured)
    pairs = [(_differing(theirs, ours, first_child), theirs) for theirs in received for ours in mine]
    if pairs:
        differing, nearest = min(pairs, key=lambda pair: len(pair[0]))
        names = {"dh_group": "dh_group" if phase == "ike" else "pfs_group"}
        event["differing"] = [names.get(field, field) for field in differing]
        event["received"] = {names.get(field, field): list(words) for field, words in nearest.items()}


def _differing(theirs: Offer, ours: Offer, first_child: bool) -> list[str]:
    # A first IKEv2 child has no key exchange of its own (RFC 7296 section 1.2).
    fields = [field for field in {**ours, **theirs} if not (first_child and field == "dh_group")]
    return [field for field in fields if not set(ours.get(field, ())) & set(theirs.get(field, ()))]
