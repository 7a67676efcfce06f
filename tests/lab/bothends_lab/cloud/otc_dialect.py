# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Open Telekom Cloud's networking API does otherwise than neutron, as far as it is documented: rows with their source.

Only data and predicates; `otc_front` applies them.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Any, NamedTuple

API = "Virtual Private Network, API Reference, Classic VPN: "
CODES = API + "Error Codes"
QUOTAS = "Virtual Private Cloud, API Reference: Querying Quotas"
TERRAFORM = "Terraform provider opentelekomcloud, vpnaas_site_connection_v2: the answer's key is not the requested one"

CONNECTION, SERVICE, GROUP, IKE, IPSEC = (
    "ipsec_site_connection", "vpnservice", "endpoint_group", "ikepolicy", "ipsecpolicy",
)  # fmt: skip
RULE = "security_group_rule"
PATHS = {
    "/v2.0/vpn/ipsec-site-connections": CONNECTION,
    "/v2.0/vpn/vpnservices": SERVICE,
    "/v2.0/vpn/endpoint-groups": GROUP,
    "/v2.0/vpn/ikepolicies": IKE,
    "/v2.0/vpn/ipsecpolicies": IPSEC,
    "/v2.0/security-group-rules": RULE,
}
VPN = (CONNECTION, SERVICE, GROUP, IKE, IPSEC)

# What each request may hold. Not among them: project_id, a connection's local_id and description, flavor_id.
PARAMETERS = {
    CONNECTION: (
        "psk", "initiator", "ipsecpolicy_id", "admin_state_up", "mtu", "peer_ep_group_id", "ikepolicy_id", "vpnservice_id",
        "local_ep_group_id", "peer_address", "peer_id", "name", "peer_cidrs", "tenant_id", "dpd",
    ),
    SERVICE: ("subnet_id", "router_id", "name", "admin_state_up", "tenant_id", "description"),
    GROUP: ("endpoints", "type", "name", "tenant_id", "description"),
    IKE: (
        "name", "auth_algorithm", "description", "encryption_algorithm", "ike_version", "lifetime", "pfs",
        "phase1_negotiation_mode", "tenant_id",
    ),
    IPSEC: (
        "name", "pfs", "auth_algorithm", "description", "encapsulation_mode", "encryption_algorithm", "lifetime", "tenant_id",
        "transform_protocol",
    ),
}  # fmt: skip

# OTC's word -> neutron's
WORDS = {"auth_algorithm": {"sha2-256": "sha256", "sha2-384": "sha384", "sha2-512": "sha512"}}
CIPHERS = ("aes-128", "aes-192", "aes-256")
PFS = tuple(f"group{number}" for number in (2, 5, 14, 15, 16, 19, 20, 21))
KEY = re.compile(r"[A-Za-z0-9~`!@#$%^()\-_+=\[\]{}|\\,./:;]{6,128}")

# kind -> what a project may have
LIMITS = {CONNECTION: 5, SERVICE: 2}
RULES_A_GROUP = 50

# Of each answer
HIDDEN = {
    CONNECTION: {
        "psk": TERRAFORM,
        "project_id": API + "Creating an IPsec VPN Connection",
        "local_id": API + "the same",
    },
    SERVICE: {"project_id": API + "Creating a VPN Service", "flavor_id": API + "the same"},
    GROUP: {"project_id": API + "Creating a VPN Endpoint Group"},
    IKE: {"project_id": API + "Creating an IKE Policy"},
    IPSEC: {"project_id": API + "Creating an IPsec Policy"},
}
SHOWN = {
    # The service works while it says so.
    SERVICE: {
        "status": "PENDING_CREATE", "created_at": "2020-08-05 12:36:35.921257", "order_id": "", "product_id": "",
        "prepay_connection_num": 0, "resource_speccode": "",
    },
    # "used by internal components"
    CONNECTION: {"description": "{}", "created_at": "2020-08-05 12:37:01.104512"},
}  # fmt: skip
# What has no page in the API's reference, and what a gateway says of it
NO_SUCH_API = {"error_code": "APIGW.0101", "error_msg": "The API does not exist or has not been published."}
ABSENT = re.compile(r"/v2\.0/(extensions|quotas)(/.*)?")


class Request(NamedTuple):
    """A write: its method, its kind, what it holds, and a way to ask neutron for what is there, as the same user."""

    method: str
    kind: str
    body: dict[str, Any]
    ask: Callable[[str], dict[str, Any]]

    def there(self, path: str, plural: str) -> list[dict[str, Any]]:
        return self.ask(path)[plural]


class Refusal(NamedTuple):
    """What the API refuses."""

    name: str
    kinds: tuple[str, ...]
    source: str
    code: str
    message: str
    applies: Callable[[Request], bool]
    methods: tuple[str, ...] = ("POST", "PUT")


def _given(field: str, wrong: Callable[[Any], bool]) -> Callable[[Request], bool]:
    """A field that is there, and wrong."""
    return lambda request: field in request.body and wrong(request.body[field])


def _overlap(request: Request) -> bool:
    groups = {one["id"]: one["endpoints"] for one in request.there("/v2.0/vpn/endpoint-groups", "endpoint_groups")}
    cidrs = {one["id"]: one["cidr"] for one in request.there("/v2.0/subnets", "subnets")}
    local, peer = (groups.get(request.body.get(f"{end}_ep_group_id"), []) for end in ("local", "peer"))
    ours, theirs = ([ipaddress.ip_network(cidrs.get(one, one), strict=False) for one in end] for end in (local, peer))
    return any(one.version == other.version and one.overlaps(other) for one in ours for other in theirs)


def _peer_in_use(request: Request) -> bool:
    return any(
        one["peer_address"] == request.body.get("peer_address")
        and one["vpnservice_id"] == request.body.get("vpnservice_id")
        for one in request.there("/v2.0/vpn/ipsec-site-connections", "ipsec_site_connections")
    )


def _subnet_in_use(request: Request) -> bool:
    groups = {one["id"]: one["endpoints"] for one in request.there("/v2.0/vpn/endpoint-groups", "endpoint_groups")}
    used = {
        ipaddress.ip_network(cidr, strict=False)
        for one in request.there("/v2.0/vpn/ipsec-site-connections", "ipsec_site_connections")
        if one["vpnservice_id"] == request.body.get("vpnservice_id")
        for cidr in one["peer_cidrs"] or groups.get(one["peer_ep_group_id"], [])
    }
    return any(
        ipaddress.ip_network(cidr, strict=False) in used
        for cidr in groups.get(request.body.get("peer_ep_group_id"), [])
    )


def _second_service(request: Request) -> bool:
    services = request.there("/v2.0/vpn/vpnservices", "vpnservices")
    return any(one["router_id"] == request.body.get("router_id") for one in services)


def _no_room(request: Request) -> bool:
    path = next(path for path, kind in PATHS.items() if kind == request.kind)
    return len(request.there(path, f"{request.kind}s")) >= LIMITS[request.kind]


def _no_room_in_group(request: Request) -> bool:
    group = request.body.get("security_group_id")
    return (
        len(request.there(f"/v2.0/security-group-rules?security_group_id={group}", "security_group_rules"))
        >= RULES_A_GROUP
    )


REFUSALS = (
    Refusal("parameters", VPN, API + "the request tables", "VPC.1001", "Invalid VPN parameters.",
            lambda request: bool(set(request.body) - set(PARAMETERS[request.kind]))),
    Refusal("mtu", (CONNECTION,), API + "Creating an IPsec VPN Connection", "VPC.1001", "mtu can only be 1500.",
            _given("mtu", lambda value: value != 1500)),
    Refusal("admin_state_up", (CONNECTION, SERVICE), API + "Creating an IPsec VPN Connection", "VPC.1001",
            "admin_state_up can only be true.", _given("admin_state_up", lambda value: value is not True)),
    Refusal("psk", (CONNECTION,), API + "Creating an IPsec VPN Connection", "VPC.1001", "Invalid psk.",
            _given("psk", lambda value: not KEY.fullmatch(value))),
    Refusal("lifetime", (IKE, IPSEC), API + "Creating an IKE Policy", "VPC.1001", "lifetime: 60 to 604800.",
            _given("lifetime", lambda value: not 60 <= int(value["value"]) <= 604800)),
    Refusal("auth_algorithm", (IKE, IPSEC), API + "Creating an IKE Policy", "VPC.1001", "Invalid auth_algorithm.",
            _given("auth_algorithm", lambda value: value not in WORDS["auth_algorithm"])),
    Refusal("encryption_algorithm", (IKE, IPSEC), API + "Creating an IKE Policy", "VPC.1001", "Invalid encryption_algorithm.",
            _given("encryption_algorithm", lambda value: value not in CIPHERS)),
    Refusal("pfs", (IKE, IPSEC), API + "Creating an IKE Policy", "VPC.1001", "Invalid pfs.",
            _given("pfs", lambda value: value not in PFS)),
    Refusal("name", VPN, API + "the request tables", "VPC.1001", "name: 1 to 64 characters.",
            _given("name", lambda value: len(value) > 64)),
    Refusal("type", (GROUP,), API + "Creating a VPN Endpoint Group", "VPC.1001", "type: subnet or cidr.",
            _given("type", lambda value: value not in ("subnet", "cidr"))),
    Refusal("overlap", (CONNECTION,), CODES, "VPC.1016", "The VPN remote subnet is the same as the local subnet.", _overlap),
    Refusal("peer_address", (CONNECTION,), CODES, "VPC.1004", "The remote gateway is being used by another VPN connection.",
            _peer_in_use, ("POST",)),
    # The reference has VPC.1018 besides, where the local subnets are in use too; nothing that differs depends on which of the two.
    Refusal("peer_subnet", (CONNECTION,), CODES, "VPC.1021", "The remote subnet of the VPN is in use.", _subnet_in_use, ("POST",)),
    Refusal("service", (SERVICE,), CODES, "VPC.1026", "The VPN gateway already exists.", _second_service, ("POST",)),
    Refusal("quota", tuple(LIMITS), CODES, "VPC.1003", "The quota limit has been reached.", _no_room, ("POST",)),
    Refusal("rules", (RULE,), "Virtual Private Cloud, User Guide: Security Groups and Security Group Rules", "OverQuota",
            "Quota exceeded for resources: ['security_group_rule'].", _no_room_in_group, ("POST",)),
    # It shows PENDING_CREATE for ever, and what is pending cannot be changed.
    Refusal("pending", (SERVICE,), API + "Updating a VPN Service", "VPC.1001", "Invalid state PENDING_CREATE for updating.",
            lambda request: True, ("PUT",)),
)  # fmt: skip


_BACK = {field: {theirs: ours for ours, theirs in known.items()} for field, known in WORDS.items()}


def understood(body: dict[str, Any]) -> dict[str, Any]:
    """A request's body in neutron's words."""
    return {**body, **_translated(body, WORDS)}


def shown(kind: str, body: dict[str, Any]) -> dict[str, Any]:
    """An object as OTC shows it."""
    kept = {field: value for field, value in body.items() if field not in HIDDEN.get(kind, {})}
    return {**kept, **_translated(body, _BACK), **SHOWN.get(kind, {})}


def _translated(body: dict[str, Any], words: dict[str, dict[str, str]]) -> dict[str, Any]:
    return {field: known.get(body[field], body[field]) for field, known in words.items() if field in body}


def refusal(request: Request) -> Refusal | None:
    """The first row that refuses a write."""
    rows = (row for row in REFUSALS if request.kind in row.kinds and request.method in row.methods)
    return next((row for row in rows if row.applies(request)), None)


def quotas(used: dict[str, int]) -> dict[str, Any]:
    """QUOTAS: by type, what there is and what there may be."""
    rows = (
        ("vpn", CONNECTION, LIMITS[CONNECTION]),
        ("vpngw", SERVICE, LIMITS[SERVICE]),
        ("securityGroupRule", RULE, 5000),
    )
    resources = [{"type": word, "used": used[kind], "quota": quota, "min": 0} for word, kind, quota in rows]
    return {"quotas": {"resources": resources}}
