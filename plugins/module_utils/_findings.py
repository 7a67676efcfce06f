# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""What a check says, as one plain record that travels through filters, modules and reports unchanged."""

from __future__ import annotations

import collections
import re
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils._codes import CODES, ERROR, WARNING

VPN_PAGE = "Open Telekom Cloud, Connecting to a VPC Through a VPN"
NEUTRON = "OpenStack Networking API, VPNaaS"

IGNORED = "ignored"


class Finding(t.TypedDict):
    """One thing that a check found."""

    code: str  # stable: users silence and search by it
    severity: str  # error stops what it is about, warning does not; ignored: a warning that vpn_ignore silenced
    host: str  # the hub, site or policy that it is about
    field: str  # dotted path in the description: vpn_sites.berlin.subnets[0]
    value: str  # what stands there, never a secret
    message: str
    remedy: str
    source: str  # where the rule comes from
    scope: str  # what an error stops, in words: "site berlin", "hub prod", "policy strong"; "" for all of it
    reason: str  # why it is ignored; "" where it is not


Found = t.Iterator[Finding]


def listed(names: t.Iterable[str]) -> str:
    """Write the names that a remedy offers."""
    return ", ".join(sorted(names)) or "none"


def finding(
    code: str,
    host: str,
    field: str,
    value: t.Any,
    message: str,
    remedy: str,
    source: str = "",
    severity: str = "",
    scope: str | None = None,
) -> Finding:
    """Make one. What is not said comes from the code's row; the scope is the entry that the field stands in, unless it reaches
    further. Raises KeyError for a code without a row.
    """
    row = CODES[code]
    return Finding(
        code=code,
        severity=severity or row.severities[0],
        host=host,
        field=field,
        value=str(value),
        message=_with_value(str(value), message),
        remedy=remedy,
        source=source or row.source,
        scope=scope_of(field, host) if scope is None else scope,
        reason="",
    )


_SAYS_OF_A_VALUE = ("is ", "has ", "overlaps ", "lies ", "would ")
_LONGEST_VALUE = 60


def _with_value(value: str, message: str) -> str:
    """Begin a sentence that says something of a value with the value: whoever reads a table or a log has no file open."""
    short = value if len(value) <= _LONGEST_VALUE else f"{value[:_LONGEST_VALUE]}..."
    said = re.search(rf"(?<![\w.:/-]){re.escape(value)}(?![\w:/-])", message)
    if not value or value in ("(secret)", "...") or said or not message.startswith(_SAYS_OF_A_VALUE):
        return message
    return f"{short if short.isprintable() else repr(short)} {message}"


def about(one: Finding, host: str) -> Finding:
    """Put in whom a finding is about, where its maker could not know."""
    return t.cast(Finding, {**one, "host": host, "scope": scope_of(one["field"], host)})


_SCOPES = {"vpn_policies": "policy", "vpn_hubs": "hub", "vpn_sites": "site"}


def scope_of(field: str, host: str) -> str:
    """Name the entry that a field stands in; "" for a whole variable."""
    kind, dot, _rest = field.partition(".")
    return f"{_SCOPES[kind]} {host}" if dot and kind in _SCOPES else ""


def errors(findings: t.Iterable[Finding]) -> list[Finding]:
    """Keep what stops a run."""
    return [one for one in findings if one["severity"] == ERROR]


def ordered(findings: t.Iterable[Finding]) -> list[Finding]:
    """Put them in the order in which they are shown: errors, warnings, what is ignored."""
    rank = {ERROR: 0, WARNING: 1, IGNORED: 2}
    return sorted(findings, key=lambda one: (rank[one["severity"]], one["host"], one["field"]))


def counts(findings: t.Iterable[Finding]) -> dict[str, int]:
    """Count them by severity."""
    found = collections.Counter(one["severity"] for one in findings)
    return {severity: found[severity] for severity in (ERROR, WARNING, IGNORED)}


def summary(findings: t.Iterable[Finding]) -> str:
    """Say in one line how many there are."""
    number = counts(findings)
    wrong, hurts = (f"{number[one]} {one}{'' if number[one] == 1 else 's'}" for one in (ERROR, WARNING))
    return f"{wrong}, {hurts}" + (f", {number[IGNORED]} ignored" if number[IGNORED] else "")


def lines(findings: t.Iterable[Finding]) -> str:
    """Write them one a line, for a module's error message."""
    return "\n".join(
        f"{one['severity']}: {one['field']}: {one['message']} Remedy: {one['remedy']} [{one['code']}]"
        for one in findings
    )
