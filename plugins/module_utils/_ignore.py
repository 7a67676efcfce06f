# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""``vpn_ignore``: what somebody has looked at and leaves as it is. An ignored finding stays in the list, with its reason. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils._codes import CODES, ONLINE
from ansible_collections.bothends.vpn.plugins.module_utils._findings import (
    ERROR,
    IGNORED,
    WARNING,
    Finding,
    finding,
    ordered,
)

Entries = t.Sequence[t.Mapping[str, t.Any]]


def silenced(found: t.Iterable[Finding], entries: Entries) -> list[Finding]:
    """Mark the warnings that an entry (``code``, ``reason``, perhaps ``host`` and ``field``) names as ignored."""
    out = []
    for one in found:
        reason = next((entry["reason"] for entry in entries if one["severity"] == WARNING and _names(entry, one)), None)
        out.append(one if reason is None else t.cast(Finding, {**one, "severity": IGNORED, "reason": str(reason)}))
    return ordered(out)


def judged(found: t.Sequence[Finding], entries: Entries, unlooked: t.Container[str] = ()) -> list[Finding]:
    """Find fault with the entries: one that names an error, and one that names nothing that is there.

    ``found`` are all findings of the description. What module hub may find, and the codes that nobody looked for
    (``unlooked``), cannot be missed here.
    """
    wrong = []
    for entry in entries:
        named = [one for one in found if _names(entry, one)]
        for one in named:
            if one["severity"] == ERROR:
                wrong.append(
                    finding(
                        "ignore-error", one["host"], entry["path"], one["code"],
                        f"{one['field']} is an error there: {one['message']}", f"Mend it: {one['remedy']}", scope="",
                    )
                )  # fmt: skip
        if not named and entry["code"] not in unlooked and ONLINE not in CODES[entry["code"]].found_by:
            where = " ".join(str(entry[key]) for key in ("code", "host", "field") if entry.get(key))
            wrong.append(
                finding(
                    "ignore-unused",
                    "",
                    entry["path"],
                    where,
                    "there is no such finding.",
                    "Take the entry out, or correct it.",
                )
            )
    return wrong


def _names(entry: t.Mapping[str, t.Any], one: Finding) -> bool:
    field = entry.get("field")
    return (
        entry["code"] == one["code"]
        and entry.get("host") in (None, one["host"])
        and (field is None or one["field"] == field or one["field"].startswith((f"{field}.", f"{field}[")))
    )
