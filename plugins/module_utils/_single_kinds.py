# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""The kinds of objects that have a module of their own: one row each, from the options to the API's words and back. Pure."""

from __future__ import annotations

import copy
import functools
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import (
    _addresses,
    _algorithms,
    _description,
    _findings,
    _objects,
    _single_rules,
    _state,
)
from ansible_collections.bothends.vpn.plugins.module_utils._description import Spec
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.plugins.module_utils._objects import Body
from ansible_collections.bothends.vpn.plugins.module_utils._providers import PROVIDERS
from ansible_collections.bothends.vpn.plugins.module_utils._single import (
    FIXED,
    REMADE,
    UNKNOWN,
    UPDATED,
    Case,
    Known,
    Params,
    Row,
    refuse,
)

COMMON: Spec = {
    "name": {
        "type": "str",
        "description": "The object's name, by which it is found; two of one name are an error that lists their ids. With O(id) the"
        " name that it is to have.",
    },
    "id": {"type": "str", "description": "The object's id, by which it is found. It must be there."},
    "description": {
        "type": "str",
        "description": "A text. Left out, the one that is there stays. The last word of what M(bothends.vpn.hub) made is its"
        " marker; with another description the hub would not know the object any more.",
    },
    "state": {
        "type": "str",
        "choices": ["present", "absent"],
        "default": "present",
        "description": "Whether the object is to be there.",
    },
}
PROVIDER: Spec = {"provider": _description.HUB["provider"]}
WAITING: Spec = {
    "wait_for": {
        "type": "str",
        "choices": ["none", "accepted", "active"],
        "default": "accepted",
        "description": "V(accepted) waits, after a change, until the connection is not being created, updated or deleted any more."
        " V(active) waits until it is Normal, which may take traffic from a host at either side. V(none) does not wait.",
    },
}
TIMEOUT: Spec = {
    "timeout": {
        "type": "int",
        "default": 120,
        "description": "Seconds to wait at most, also for what is just being created or updated and cannot be changed as long.",
    },
}
ADMIN_STATE: Spec = {
    "admin_state_up": {"type": "bool", "description": "Whether it is switched on. A new one gets V(true)."},
}


def _kept(spec: Spec) -> Spec:
    """Options that stay as they are where nothing is said; what was the default is what a new object gets."""
    out = copy.deepcopy(spec)
    for row in out.values():
        if "default" in row:
            row["description"] += f" A new one gets V({row.pop('default')})."
        row["description"] = row["description"].replace("Default sha256;", "A new one gets V(sha256);")
    return out


# --- policies -------------------------------------------------------------------------------------------------------

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
    return {**_head(body), **out}


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
        options={**_kept({**_description.POLICY[phase]["options"], **more}), **PROVIDER},
        fields=_FIELDS[phase],
        reads=(kind, "site_connection"),
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


# --- endpoint groups ------------------------------------------------------------------------------------------------


def _head(body: Body) -> Params:
    return {"id": body["id"], "name": body["name"], "description": body.get("description") or ""}


def _cidr(text: str) -> str:
    """Write a CIDR without host bits; what is none is told by a rule."""
    return _addresses.normalize(text) if _addresses.is_prefix(text) else text


# Type of a group -> how an endpoint is found.
_ENDPOINTS: dict[str, t.Callable[[Known, str], str]] = {
    "cidr": lambda known, text: _cidr(text),
    "subnet": lambda known, text: known.subnet_id(text),
    "network": lambda known, text: known.id_of("network", "networks", text),
    "router": lambda known, text: known.id_of("router", "routers", text),
    "vlan": lambda known, text: text,
}


def _group_body(params: Params, there: Body | None, known: Known) -> Body:
    kind = params["type"] or (there or {}).get("type")
    asked: Body = {"type": params["type"]} if params["type"] else {}
    if params["endpoints"] is not None and kind:
        asked["endpoints"] = [_ENDPOINTS[kind](known, text.strip()) for text in params["endpoints"]]
    elif there and kind != there["type"]:
        raise VpnError(
            f"endpoint group {there['name'] or there['id']}: endpoints of type {there['type']} are none of type {kind}. "
            "Remedy: give endpoints too."
        )
    return asked


def _group_shown(body: Body, params: Params) -> Params:
    return {**_head(body), "type": body["type"], "endpoints": _objects.normal("endpoints", body)}


ENDPOINT_GROUP = Row(
    kind="endpoint_group",
    what="endpoint group",
    options={
        "type": {
            "type": "str",
            "choices": list(_ENDPOINTS),
            "description": "What the endpoints are. The VPC's end of a site connection takes V(subnet), the site's V(cidr). Needed for"
            " a new group.",
        },
        "endpoints": {
            "type": "list",
            "elements": "str",
            "description": "The endpoints - CIDRs; or names, ids or CIDRs of subnets; or names or ids of networks or routers; or VLAN"
            " numbers. Needed for a new group.",
        },
    },
    fields={"type": "type", "endpoints": "endpoints"},
    reads=("endpoint_group", "site_connection", "subnets", "networks", "routers"),
    required=("type", "endpoints"),
    content=REMADE,
    remedy="make another group and put it into the connection (module bothends.vpn.site_connection), then remove this one",
    body=_group_body,
    new=lambda params: {},
    shown=_group_shown,
    rules=((_single_rules.endpoints, ("type", "endpoints")),),
)

# --- VPN services ---------------------------------------------------------------------------------------------------


def _service_body(params: Params, there: Body | None, known: Known) -> Body:
    asked = {"admin_state_up": params["admin_state_up"]} if params["admin_state_up"] is not None else {}
    if params["vpc"]:
        asked["router_id"] = known.id_of("VPC", "routers", params["vpc"])
    if params["subnet"]:
        asked["subnet_id"] = known.subnet_id(params["subnet"])
    return asked


def _service_router(params: Params, there: Body | None, known: Known) -> str | None:
    found = _service_body({**params, "subnet": None}, there, Known(known.snapshot, known.check_mode)).get("router_id")
    return None if found == UNKNOWN or there or not params["subnet"] else found


def _status(body: Body) -> Params:
    status = body.get("status")
    return {"status": status, "state": _state.status_word(status) if status else None}


def _service_shown(body: Body, params: Params) -> Params:
    fields = ("router_id", "subnet_id", "admin_state_up", "external_v4_ip", "external_v6_ip")
    return {**_head(body), **{field: body.get(field) for field in fields}, **_status(body)}


VPN_SERVICE = Row(
    kind="vpn_service",
    what="VPN service",
    options={
        "vpc": {
            "type": "str",
            "description": "Name or id of the VPC (OpenStack, the router). Needed for a new service; cannot be changed.",
        },
        "subnet": {
            "type": "str",
            "description": "Name, id or CIDR of the one subnet that the service serves (the API's old form). The service's connections"
            " take C(peer_cidrs) then, and endpoint groups otherwise. Cannot be changed.",
        },
        **ADMIN_STATE,
        **TIMEOUT,
    },
    fields={"vpc": "router_id", "subnet": "subnet_id", "admin_state_up": "admin_state_up"},
    reads=("vpn_service", "site_connection", "routers", "subnets"),
    required=("vpc",),
    content=FIXED,
    remedy="remove the service and its connections, and make them anew",
    body=_service_body,
    new=lambda params: {"admin_state_up": True},
    shown=_service_shown,
    rules=(
        (_single_rules.only_service, ("vpc",)),
        (_single_rules.not_begun, ("name", "description", "admin_state_up")),
        (_single_rules.gateway_of_router, ("vpc",)),
        (_single_rules.subnet_of_router, ("vpc", "subnet")),
    ),
    router=_service_router,
)

# --- site connections -----------------------------------------------------------------------------------------------

_REFERENCES = {
    "vpn_service": ("vpnservice_id", "vpn_service", "VPN service"),
    "ike_policy": ("ikepolicy_id", "ike_policy", "IKE policy"),
    "ipsec_policy": ("ipsecpolicy_id", "ipsec_policy", "IPsec policy"),
    "local_endpoint_group": ("local_ep_group_id", "endpoint_group", "endpoint group"),
    "peer_endpoint_group": ("peer_ep_group_id", "endpoint_group", "endpoint group"),
}
_PLAIN = ("peer_address", "peer_id", "local_id", "mtu", "initiator", "admin_state_up", "psk")
_DPD: Spec = copy.deepcopy(_description.SITE["dpd"]["options"])
_DPD["action"]["choices"] = ["hold", "clear", "restart", "restart-by-peer", "disabled"]
_DPD["action"]["description"] += (
    " The reference driver leaves out a connection with one of the last two, so they are refused there."
)


def _connection_body(params: Params, there: Body | None, known: Known) -> Body:
    asked = {
        field: known.id_of(what, where, params[option])
        for option, (field, where, what) in _REFERENCES.items()
        if params[option]
    }
    asked.update({option: params[option] for option in _PLAIN if params[option] is not None})
    if params["peer_cidrs"] is not None:
        asked["peer_cidrs"] = [_cidr(text) for text in params["peer_cidrs"]]
    if params["dpd"] is not None:
        given = {part: value for part, value in params["dpd"].items() if value is not None}
        asked["dpd"] = {**(there["dpd"] if there else _new_dpd()), **given}
    return asked


def _new_dpd() -> Body:
    return {part: row["default"] for part, row in _DPD.items()}


def _connection_new(params: Params) -> Body:
    return {
        "peer_id": params["peer_address"],
        "local_id": "",
        "mtu": _description.SITE["underlay_mtu"]["default"],
        "dpd": _new_dpd(),
        "initiator": "bi-directional",
        "admin_state_up": True,
    }


def _connection_router(params: Params, there: Body | None, known: Known) -> str | None:
    wanted = params["vpn_service"]
    found = [one for one in known.snapshot["vpn_service"] if wanted in (one["id"], one["name"])]
    service = found[0] if len(found) == 1 else known.get("vpn_service", (there or {}).get("vpnservice_id"))
    return service["router_id"] if service else None


def _connection_shown(body: Body, params: Params) -> Params:
    return {
        **_head(body),
        **{option: body.get(field) for option, (field, _where, _what) in _REFERENCES.items()},
        **{option: body.get(option) for option in _PLAIN if option != "psk"},
        "peer_cidrs": _objects.normal("peer_cidrs", body),
        "dpd": {part: body["dpd"][part] for part in _DPD},
        "auth_mode": body.get("auth_mode"),
        "route_mode": body.get("route_mode"),
        **_status(body),
    }


_ENDS = ("vpn_service", "local_endpoint_group", "peer_endpoint_group", "peer_cidrs")

SITE_CONNECTION = Row(
    kind="site_connection",
    what="site connection",
    options={
        "vpn_service": {
            "type": "str",
            "description": "Name or id of the VPN service. Needed for a new one; cannot be changed.",
        },
        "ike_policy": {
            "type": "str",
            "description": "Name or id of the IKE policy. Needed for a new one; cannot be changed.",
        },
        "ipsec_policy": {
            "type": "str",
            "description": "Name or id of the IPsec policy. Needed for a new one; cannot be changed.",
        },
        "local_endpoint_group": {
            "type": "str",
            "description": "Name or id of the endpoint group of the VPC's subnets. Changing it keeps the connection and its id.",
        },
        "peer_endpoint_group": {
            "type": "str",
            "description": "Name or id of the endpoint group of the site's CIDRs. Changing it keeps the connection and its id.",
        },
        "peer_cidrs": {
            "type": "list",
            "elements": "str",
            "description": "The site's CIDRs, instead of the two groups, where the VPN service has a subnet.",
        },
        "peer_address": {"type": "str", "description": "The site's public address. Needed for a new connection."},
        "peer_id": {"type": "str", "description": "The site's IKE identity. A new one gets O(peer_address)."},
        "local_id": {
            "type": "str",
            "description": "The VPC's IKE identity. A new one gets V(''), that is its gateway's address.",
        },
        "psk": {
            "type": "str",
            "no_log": True,
            "description": "The pre-shared key. Needed for a new connection; left out, the key that is there stays. The API may show it to"
            " whoever may read the connection.",
        },
        "send_psk": {
            "type": "bool",
            "default": False,
            "description": "Send O(psk) also where the cloud does not give keys back, so that nobody can tell whether it is another one."
            " Where it does, keys are compared, and this changes nothing.",
        },
        "mtu": {
            "type": "int",
            "description": "MTU of the path between the gateways, in bytes. A new one gets"
            f" V({_description.SITE['underlay_mtu']['default']}).",
        },
        "initiator": {
            "type": "str",
            "choices": ["bi-directional", "response-only"],
            "description": "Whether the cloud may begin. A new one gets V(bi-directional).",
        },
        "dpd": {"type": "dict", "description": "Dead peer detection.", "options": _kept(_DPD)},
        **ADMIN_STATE,
        **PROVIDER,
        **WAITING,
        **TIMEOUT,
    },
    fields={
        **{option: field for option, (field, _where, _what) in _REFERENCES.items()},
        **{option: option for option in (*_PLAIN, "peer_cidrs", "dpd")},
    },
    reads=("site_connection", "vpn_service", "ike_policy", "ipsec_policy", "endpoint_group", "routers", "subnets"),
    required=("vpn_service", "ike_policy", "ipsec_policy", "peer_address", "psk"),
    content=FIXED,
    remedy="module bothends.vpn.hub puts another connection in its place safely (with allow_disruption); or remove this one, and "
    "make it anew",
    body=_connection_body,
    new=_connection_new,
    shown=_connection_shown,
    rules=(
        (
            _single_rules.values,
            ("mtu", "dpd", "peer_id", "local_id", "admin_state_up", "peer_address", *_ENDS),
        ),
        (_single_rules.not_taken, ("description", "local_id")),
        (_single_rules.lengths, ("name", "description")),
        (_single_rules.key, ("psk",)),
        (_single_rules.form, _ENDS),
        (_single_rules.group_types, _ENDS),
        (_single_rules.peer_cidrs, ("peer_cidrs",)),
        (_single_rules.selectors, _ENDS),
        (_single_rules.one_pair, (*_ENDS, "ike_policy")),
        (_single_rules.neighbours, (*_ENDS, "peer_id", "peer_address")),
        (_single_rules.peer, ("peer_address", "vpn_service")),
        (_single_rules.peer_identity, ("peer_id",)),
        (_single_rules.policies, ("ike_policy", "ipsec_policy")),
    ),
    router=_connection_router,
    not_written=lambda params: PROVIDERS[params["provider"]].not_written,
    not_read_back=lambda params: PROVIDERS[params["provider"]].not_read_back,
)

ROWS: dict[str, Row] = {
    row.kind: row
    for row in (
        _policy("ike", "ike_policy", {}),
        _policy("ipsec", "ipsec_policy", _IPSEC_MORE),
        VPN_SERVICE,
        ENDPOINT_GROUP,
        SITE_CONNECTION,
    )
}


def options(kind: str) -> Spec:
    """Give a module's options with their descriptions."""
    return {**COMMON, **ROWS[kind].options}
