# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""Endpoint groups and VPN services: from the options to the API's words and back. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _objects, _single_rules
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.plugins.module_utils._objects import Body
from ansible_collections.bothends.vpn.plugins.module_utils._single import FIXED, REMADE, UNKNOWN, Known, Params, Row
from ansible_collections.bothends.vpn.plugins.module_utils._single_options import (
    ADMIN_STATE,
    PROVIDER,
    TIMEOUT,
    cidr,
    head,
    status,
)

# --- endpoint groups ------------------------------------------------------------------------------------------------

# Type of a group -> how an endpoint is found.
_ENDPOINTS: dict[str, t.Callable[[Known, str], str]] = {
    "cidr": lambda known, text: cidr(text),
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
    return {**head(body), "type": body["type"], "endpoints": _objects.normal("endpoints", body)}


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
        **PROVIDER,
    },
    fields={"type": "type", "endpoints": "endpoints"},
    reads=("endpoint_group", "site_connection", "subnets", "networks", "routers"),
    needs=("vpnaas", "vpn-endpoint-groups"),
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
    if params["flavor"]:
        asked["flavor_id"] = known.id_of("flavor", "flavors", params["flavor"])
    return asked


def _service_router(params: Params, there: Body | None, known: Known) -> str | None:
    found = _service_body(
        {**params, "subnet": None, "flavor": None}, there, Known(known.snapshot, known.check_mode)
    ).get("router_id")
    return None if found == UNKNOWN or there or not params["subnet"] else found


def _service_shown(body: Body, params: Params) -> Params:
    fields = ("router_id", "subnet_id", "flavor_id", "admin_state_up", "external_v4_ip", "external_v6_ip")
    return {**head(body), **{field: body.get(field) for field in fields}, **status(body)}


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
        "flavor": {
            "type": "str",
            "description": "Name or id of the service flavor, which says what realises the service (the API's extension vpn-flavors). A"
            " new one without it gets what the cloud's operator has chosen. Cannot be changed.",
        },
        **ADMIN_STATE,
        **PROVIDER,
        **TIMEOUT,
    },
    fields={"vpc": "router_id", "subnet": "subnet_id", "flavor": "flavor_id", "admin_state_up": "admin_state_up"},
    fixed=("flavor_id",),
    reads=("vpn_service", "site_connection", "routers", "subnets"),
    needs=("vpnaas",),
    only_with={"flavor": ("flavors", "vpn-flavors")},
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
        (_single_rules.usable_flavor, ("flavor",)),
    ),
    router=_service_router,
)
