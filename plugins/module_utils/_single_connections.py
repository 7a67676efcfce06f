# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""Site connections: from the options to the API's words and back. Pure."""

from __future__ import annotations

import copy

from ansible_collections.bothends.vpn.plugins.module_utils import (
    _description,
    _objects,
    _single_rules,
    _single_rules_connection,
)
from ansible_collections.bothends.vpn.plugins.module_utils._description import Spec
from ansible_collections.bothends.vpn.plugins.module_utils._objects import Body
from ansible_collections.bothends.vpn.plugins.module_utils._providers import PROVIDERS
from ansible_collections.bothends.vpn.plugins.module_utils._single import FIXED, Known, Params, Row
from ansible_collections.bothends.vpn.plugins.module_utils._single_options import (
    ADMIN_STATE,
    PROVIDER,
    TIMEOUT,
    WAITING,
    cidr,
    head,
    kept,
    status,
)

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
        asked["peer_cidrs"] = [cidr(text) for text in params["peer_cidrs"]]
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
        **head(body),
        **{option: body.get(field) for option, (field, _where, _what) in _REFERENCES.items()},
        **{option: body.get(option) for option in _PLAIN if option != "psk"},
        "peer_cidrs": _objects.normal("peer_cidrs", body),
        "dpd": {part: body["dpd"][part] for part in _DPD},
        "auth_mode": body.get("auth_mode"),
        "route_mode": body.get("route_mode"),
        **status(body),
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
        "dpd": {"type": "dict", "description": "Dead peer detection.", "options": kept(_DPD)},
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
    needs=("vpnaas",),
    required=("vpn_service", "ike_policy", "ipsec_policy", "peer_address", "psk"),
    content=FIXED,
    remedy="module bothends.vpn.hub puts another connection in its place safely (with allow_disruption); or remove this one, and "
    "make it anew",
    body=_connection_body,
    new=_connection_new,
    shown=_connection_shown,
    rules=(
        (
            _single_rules_connection.values,
            ("mtu", "dpd", "peer_id", "local_id", "admin_state_up", "peer_address", *_ENDS),
        ),
        (_single_rules_connection.not_taken, ("description", "local_id")),
        (_single_rules.lengths, ("name", "description")),
        (_single_rules_connection.key, ("psk",)),
        (_single_rules_connection.form, _ENDS),
        (_single_rules_connection.group_types, _ENDS),
        (_single_rules_connection.peer_cidrs, ("peer_cidrs",)),
        (_single_rules_connection.selectors, _ENDS),
        (_single_rules_connection.one_pair, (*_ENDS, "ike_policy")),
        (_single_rules_connection.neighbours, (*_ENDS, "peer_id", "peer_address")),
        (_single_rules_connection.peer, ("peer_address", "vpn_service")),
        (_single_rules_connection.peer_identity, ("peer_id",)),
        (_single_rules_connection.policies, ("ike_policy", "ipsec_policy")),
    ),
    router=_connection_router,
    not_written=lambda params: PROVIDERS[params["provider"]].not_written,
    not_read_back=lambda params: PROVIDERS[params["provider"]].not_read_back,
)
