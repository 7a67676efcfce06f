# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection.
"""Findings as JUnit XML, by the writer that ansible-core's own callback plugin ``junit`` uses."""

from __future__ import annotations

import re
import typing as t

from ansible.utils import _junit_xml as junit

from ansible_collections.bothends.vpn.plugins.module_utils._findings import ERROR, IGNORED, Finding

Names = t.Iterable[str]


def report(findings: t.Sequence[Finding], parts: t.Mapping[str, Names], stage: str) -> str:
    """Write one test case for each finding, and one for each part of the description that has none.

    ``parts`` are the names by variable (vpn_sites: berlin, ...). An error is a failure, a warning passes with its text, what is
    ignored is skipped with its reason. ``stage`` says who found them.
    """
    stage = _text(stage)
    cases = [_case(one, stage) for one in findings]
    told = {named for one in findings for named in _named(one)}
    for variable, names in parts.items():
        for name in names:
            if (variable, name) not in told:
                cases.append(junit.TestCase(name=_text(f"{variable}.{name} has no findings"), classname=stage))
    return junit.TestSuites(suites=[junit.TestSuite(name=f"bothends.vpn {stage}", cases=cases)]).to_pretty_xml()


def _named(one: Finding) -> t.Iterator[tuple[str, str]]:
    """Give what a finding is about: the part that its field names, and its host, which may be another one."""
    variable, _dot, rest = one["field"].partition(".")
    yield variable, re.split(r"[.\[]", rest, maxsplit=1)[0]
    kind, _blank, name = one["scope"].partition(" ")
    yield {"site": "vpn_sites", "hub": "vpn_hubs", "policy": "vpn_policies"}.get(kind, ""), name


def _case(one: Finding, stage: str) -> junit.TestCase:
    told = _text(f"{one['field']}: {one['message']}\nRemedy: {one['remedy']}\nSource: {one['source']}")
    message = _text(f"{one['field']}: {one['message']}")
    error, ignored = one["severity"] == ERROR, one["severity"] == IGNORED
    return junit.TestCase(
        name=_text(f"{one['code']} {one['field']}" + _whose(one)),
        classname=f"{stage}.{one['severity']}",
        failures=[junit.TestFailure(message=message, type=one["code"], output=told)] if error else [],
        skipped=_text(one["reason"]) if ignored else None,
        system_out=None if error else told,
    )


def _whose(one: Finding) -> str:
    """Name the host where the field does not: two sites may have the same to say of a hub."""
    return (
        ""
        if not one["host"] or one["host"] in re.split(r"[.'/\[\]]+", one["field"]) + one["field"].split("'")
        else f" of {one['host']}"
    )


# All but what XML 1.0 can write: https://www.w3.org/TR/xml/#charsets
_UNWRITABLE = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _text(text: str) -> str:
    """Put a question mark for each character that no XML document can hold."""
    return _UNWRITABLE.sub("?", text)
