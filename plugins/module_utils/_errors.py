# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""The one error that the collection's own code raises; only a module's or plugin's edge turns it into a failure."""

from __future__ import annotations

import re
import typing as t


class VpnError(Exception):
    """Something that the operator must know: the message names the object, what is wrong and the remedy.

    ``result`` is what a module returns all the same: what was planned and done before it failed.
    """

    def __init__(self, message: str, **result: t.Any) -> None:
        super().__init__(message)
        self.result = result


class TextError(ValueError):
    """A text that is not as it must be; the message begins with its source and the line, and has nothing of the text."""


# What became of a request that got no answer which can be read.
UNSENT = "unsent"  # there was no connection: nothing can have been done
LOST = "lost"  # it may have been done
DOUBT = "doubt"  # it may have been done, but what it was to make is not there
TLS = "tls"
ENDPOINT = "endpoint"
SLOW = "slow"  # it was waited for what the cloud does in its own time
OTHER = "other"

_SAID = {
    UNSENT: "cannot be reached",
    LOST: "did not answer",
    DOUBT: "did not answer, and what was to be made is not there yet",
    TLS: "cannot be trusted (TLS)",
    ENDPOINT: "has no network service for this login",
    SLOW: "is still at work",
    OTHER: "did not answer",
}


class _Row(t.NamedTuple):
    """What to do about an error; the first row that fits is the one."""

    fault: str  # regular expression: an HTTP status, or one of the words above
    kind: str  # regular expression: the type that the API gives its error
    remedy: str


_REMEDIES = (
    _Row("", "OverQuota", "have the project's quota raised (`openstack quota show`), or remove what is not needed"),
    _Row("", ".*InUse.*", "see what uses it, and take that off or let it go on"),
    _Row("404", "", "see who else changes this VPN: what is gone is made again"),
    _Row("401", "", "renew the login; a token cannot be renewed in mid-run, a password or an application credential can"),
    _Row("403", "", "have the project's role for it given to this user (with neutron: member)"),
    _Row("429", "", "wait, or send fewer requests at once (concurrency)"),
    _Row("400|409|413|422", "", "mend what the cloud names"),
    _Row("5..", "", "see the cloud's status, or the log of its network service"),
    _Row(SLOW, "", "see whether the cloud's VPN agent runs; or allow more time (timeout)"),
    _Row(UNSENT, "", "check the network, a proxy and the endpoint"),
    _Row(f"{LOST}|{DOUBT}", "", "check the network; a slow cloud needs a larger api_timeout in clouds.yaml"),
    _Row(TLS, "", "check cacert and the endpoint's name in clouds.yaml"),
    _Row(ENDPOINT, "", "check region_name, interface and the project in clouds.yaml"),
    _Row("", "", "mend the cause"),
)  # fmt: skip


class CloudError(VpnError):
    """What the cloud answered instead of what it was asked for, or that it did not answer.

    ``fault`` is the HTTP status as text, or one of the words above; ``kind`` the type that the API gives its error.
    """

    def __init__(self, doing: str, fault: str, reason: t.Any, kind: str = "", after: float = 0.0) -> None:
        self.fault, self.kind, self.after = fault, kind, after
        said = _SAID.get(fault, "refused")
        self.reason = (
            f"HTTP {fault}: {_sentence(reason)}" if said == "refused" else f"the cloud {said}: {_sentence(reason)}"
        )
        self.remedy = next(
            row.remedy
            for row in _REMEDIES
            if re.fullmatch(row.fault or ".*", fault) and re.fullmatch(row.kind or ".*", kind)
        )
        head = f"the cloud {said} ({doing}): "
        super().__init__(
            f"{head}{self.reason.partition(': ')[2] if fault in _SAID else self.reason} Remedy: {self.remedy}."
        )


def _sentence(text: t.Any) -> str:
    """End a text that others wrote with one full stop."""
    return str(text).strip().rstrip(".") + "."


# So many steps an error names; all of them stand in the result.
_NAMED = 8


def undone(cause: VpnError, failed: str, done: t.Sequence[str], left: t.Sequence[str]) -> VpnError:
    """Say what stopped the steps: at which one, what is done, what is not, and how to go on."""
    reason, remedy = (cause.reason, cause.remedy) if isinstance(cause, CloudError) else (str(cause), "")
    total = len(done) + len(left)
    goes_on = f"{remedy}, then run again" if remedy else "run again"
    return VpnError(
        f"cannot {failed}: {reason} Done: {len(done)} of {total} steps{_listed(done)}. Not done{_listed(left)}. "
        f"Remedy: {goes_on}; what is done is found and kept.",
        changed=bool(done),
        steps_done=list(done),
        steps_not_done=list(left),
    )


def _listed(names: t.Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f": {', '.join(names[:_NAMED])}{more}" if names else ""
