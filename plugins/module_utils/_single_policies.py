# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""The two kinds of policies: from the options to the API's words and back. Pure."""

from __future__ import annotations

import functools
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import (
    _algorithms,
    _description,
    _findings,
    _objects,
    _single_rules,
)
from ansible_collections.bothends.vpn.plugins.module_utils._description import Spec
from ansible_collections.bothends.vpn.plugins.module_utils._objects import Body
from ansible_collections.bothends.vpn.plugins.module_utils._single import UPDATED, Case, Known, Params, Row, refuse
from ansible_collections.bothends.vpn.plugins.module_utils._single_options import PROVIDER, head, kept

_POLICY = _description.describe({}, {}, {}).policies["default"]

_IKE_FIELDS = {
    "version": "ike_version", "mode": "phase1_negotiation_mode", "encryption": "encryption_algorithm",
    "integrity": "auth_algorithm", "prf": "auth_algorithm", "dh_group": "pfs", "lifetime": "lifetime",
}  # fmt: skip
_IPSEC_FIELDS = {
    "encryption": "encryption_algorithm", "integrity": "auth_algorithm", "pfs_group": "pfs", "lifetime": "lifetime",
    "transform_protocol": "transform_protocol", "encapsulation_mode": "encapsulation_mode",
}  # fmt: skip
_FIELDS = {"ike": _IKE_FIELDS, "ipsec": _IPSEC_FIELDS}
_WORDS = {"ike": _objects.ike_body, "ipsec": _objects.ipsec_body}
_WHAT = {"ike": "IKE policy", "ipsec": "IPsec policy"}

_IPSEC_MORE: Spec = {
    "transform_protocol": {
        "type": "str",
        "choices": ["esp", "ah", "ah-esp"],
        "default": "esp",
        "description": "The protocol. No driver takes V(ah-esp) in a connection.",
    },
    "encapsulation_mode": {
        "type": "str",
        "choices": ["tunnel", "transport"],
        "default": "tunnel",
        "description": "The mode.",
    },
}


def _policy_shown(phase: str, body: Body, params: Params) -> Params:
    """Write a policy in our words; a word that we have none for stays."""
    where = _algorithms.context(phase, body.get("ike_version", ""))

    def ours(table: str, word: str) -> str:
        spoken = _algorithms.spoken(params["provider"], table, where)
        return next((name for name, theirs in spoken.items() if theirs == word), word)

    cipher = ours("encryption", body["encryption_algorithm"])
    out = {
        option: _objects.normal(field, body)
        for option, field in _FIELDS[phase].items()
        if field not in ("auth_algorithm", "pfs")
    }
    group = "dh_group" if phase == "ike" else "pfs_group"
    out.update({"encryption": cipher, group: ours(group, body["pfs"]), "integrity": None})
    hashed = "integrity" if not _is_aead(cipher) else "prf" if phase == "ike" else None
    if phase == "ike":
        out["prf"] = None
    if hashed:
        out[hashed] = ours(hashed, body["auth_algorithm"])
    return {**head(body), **out}


def _is_aead(cipher: str) -> bool:
    return cipher in _algorithms.ENCRYPTION and _algorithms.ENCRYPTION[cipher].aead


def _proposal(phase: str, params: Params, there: Body | None) -> Params:
    """Give the proposal as it will be. The hash of one that is there stays, whatever it is called with the cipher."""
    base = _policy_shown(phase, there, params) if there else dict(_POLICY[phase])
    asked = {option: params[option] for option in _POLICY[phase] if params[option] is not None}
    out = {**{option: base[option] for option in _POLICY[phase]}, "integrity": None, "prf": None, **asked}
    if not {"integrity", "prf"} & set(asked):
        kept = base["integrity"] or base.get("prf") or "sha256"
        slot = "integrity" if not _is_aead(out["encryption"]) else "prf" if phase == "ike" else None
        out.update({slot: kept} if slot else {})
    return out


def _sound(phase: str, proposal: Params) -> Params:
    """Put the default for what we have no name for, so that the rest can be judged; it is not sent."""
    return {
        option: value if value is None or not _unspeakable(option, value) else _POLICY[phase][option]
        for option, value in proposal.items()
    }


def _unspeakable(option: str, value: t.Any) -> bool:
    return option in _algorithms.TABLES and value not in _algorithms.TABLES[option]


def _policy_body(phase: str, params: Params, there: Body | None, known: Known) -> Body:
    name = params["name"] or params["id"]
    refuse(f"{_WHAT[phase]} {name}", _policy_rule(phase, Case(name, params, {}, there, known)))
    proposal = _sound(phase, _proposal(phase, params, there))
    words = {**_WORDS[phase](params["provider"], proposal), **_more(params)}
    return {field: words[field] for option, field in _FIELDS[phase].items() if params[option] is not None}


def _more(params: Params) -> Body:
    return {option: params[option] for option in _IPSEC_MORE if params.get(option) is not None}


def _policy_new(phase: str, params: Params) -> Body:
    return _WORDS[phase](params["provider"], _proposal(phase, params, None))


def _policy_rule(phase: str, case: Case) -> _findings.Found:
    proposal = _sound(phase, _proposal(phase, case.params, case.there))
    for one in _single_rules.policy(phase, proposal, case.params["provider"]):
        if case.asks(one["field"]):
            yield one


def _policy(phase: str, kind: str, more: Spec) -> Row:
    return Row(
        kind=kind,
        what=_WHAT[phase],
        options={**kept({**_description.POLICY[phase]["options"], **more}), **PROVIDER},
        fields=_FIELDS[phase],
        reads=(kind, "site_connection"),
        needs=("vpnaas",),
        required=(),
        content=UPDATED,
        remedy="module bothends.vpn.hub puts another policy in its place safely; or make one under another name",
        body=functools.partial(_policy_body, phase),
        new=functools.partial(_policy_new, phase),
        shown=functools.partial(_policy_shown, phase),
        rules=(
            (functools.partial(_policy_rule, phase), tuple(_FIELDS[phase])),
            (_single_rules.lengths, ("name", "description")),
        ),
    )


IKE_POLICY = _policy("ike", "ike_policy", {})
IPSEC_POLICY = _policy("ipsec", "ipsec_policy", _IPSEC_MORE)
