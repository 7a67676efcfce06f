# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""The cloud APIs' dialects, as data: limits, names, and what the service does whatever it was told.

Which algorithm a provider speaks, and by which name, stands in ``_algorithms`` under the provider's name. All code reads the
rows; none asks which provider it has to do with. Each fact has its source: ``Provider.said``.
"""

from __future__ import annotations

import string
import typing as t


class Quotas(t.NamedTuple):
    """Where a member of the project reads how much of what may be there."""

    path: str  # below the root of the network service's endpoint
    words: dict[str, str]  # kind -> what the answer calls it


class Provider(t.NamedTuple):
    """What one cloud's VPN API accepts and does."""

    name: str
    title: str
    source: str  # of every fact that has none of its own
    sources: dict[str, str]  # fact -> source

    # What may be written
    lifetime: tuple[int, int]  # seconds, least and greatest
    psk_length: tuple[int, int]  # characters
    psk_alphabet: str  # "" for any printable character
    ike_modes: tuple[str, ...]
    dpd_actions: tuple[str, ...]
    id_forbidden: str  # characters that must not stand in an IKE id
    name_length: int
    description_length: int
    fixed: dict[str, tuple[t.Any, ...]]  # field of a site -> the only values that it may have
    pairs: int | None  # greatest number of pairs of subnets of one connection
    one_connection_a_peer: bool
    one_connection_a_subnet: bool  # of a site, whatever the gateway
    site_reserved: tuple[str, ...]  # what a site's subnets must not touch
    gateway_reserved: tuple[str, ...]  # where a site's gateway must not lie
    not_written: tuple[str, ...]  # fields of a connection that the API does not take

    # What comes back
    not_read_back: tuple[str, ...]  # fields of a connection that do not come back as they were written
    gateway_is_routers: bool  # whether the VPN has the VPC router's own address, before there is a service

    # What the server shows of itself
    needs: tuple[str, ...]  # extensions of the API without which nothing goes; () where the API lists none
    adds: dict[str, tuple[str, ...]]  # extension -> the algorithms that it adds
    never: tuple[str, ...]  # extensions that no server of this provider has
    hosts: tuple[str, ...]  # ends of its endpoints' host names

    routes_path: (
        str  # list of the VPC's routes to its peers, which no site may have; "" where the VPC's own routes are all
    )

    tcp_packet: int | None  # longest packet of TCP that its gateway carries, in bytes; None where nobody says
    rekey_span: int  # seconds in which it may begin to make new SAs before the old ones end; 0 where nobody says
    reauth_gap: bool  # whether it makes each IKE SA anew only after it ended the old one
    quotas: Quotas
    usual_quotas: dict[str, int]  # kind -> what a project has unless it asked for more; nobody can read it
    effective: dict[str, str]  # field -> what is in force in truth

    def said(self, fact: str) -> str:
        """Give a fact's source."""
        return self.sources.get(fact, self.source)


# An AEAD protects integrity by itself, but the API wants the field all the same: what is sent then, and never compared.
INTEGRITY_FILLER = "sha256"

_OTC = "Open Telekom Cloud, Virtual Private Network"
_OTC_API = f"{_OTC}, API Reference, Classic VPN"

PROVIDERS: dict[str, Provider] = {
    "neutron": Provider(
        name="neutron",
        title="OpenStack Networking",
        source="neutron-vpnaas 29.0.0, strongSwan driver",
        sources={
            "lifetime": "neutron-lib 5.0.1, api/definitions/vpn.py",
            "name_length": "neutron-lib 5.0.1, db/constants.py",
            "description_length": "neutron-lib 5.0.1, db/constants.py",
            "needs": "neutron-lib 5.0.1, api/definitions/vpn.py and vpn_endpoint_groups.py",
            "adds": "neutron-lib 5.0.1, api/definitions/vpn_aes_ctr.py",
            "quotas": "neutron 29.0.0, extensions/quotasv2_detail.py",
            "routes_path": "neutron 29.0.0, extensions/extraroute.py",
        },
        lifetime=(60, 2**31 - 1),
        psk_length=(1, 255),
        psk_alphabet="",
        ike_modes=("main", "aggressive"),
        # The reference driver silently leaves out a connection with any other action.
        dpd_actions=("hold", "clear", "restart"),
        # Ids go unquoted into ipsec.conf, where one bad line freezes every site of the hub.
        id_forbidden="\"'#= \t\r\n\\{}",
        name_length=255,
        description_length=255,
        fixed={},
        pairs=None,
        one_connection_a_peer=False,
        one_connection_a_subnet=False,
        site_reserved=(),
        gateway_reserved=(),
        not_written=(),
        not_read_back=(),
        gateway_is_routers=True,
        needs=("vpnaas", "vpn-endpoint-groups"),
        adds={"vpn-aes-ctr": ("aes-128-ctr", "aes-192-ctr", "aes-256-ctr")},
        never=(),
        hosts=(),
        routes_path="",
        tcp_packet=None,
        rekey_span=360,  # rekeymargin 3 minutes, fuzz 100 %
        reauth_gap=True,  # reauth=yes, and strongSwan 5.9 breaks before it makes
        quotas=Quotas(
            "/v2.0/quotas/{project}/details",
            {
                "ike_policy": "ikepolicy",
                "ipsec_policy": "ipsecpolicy",
                "vpn_service": "vpnservice",
                "endpoint_group": "endpoint_group",
                "site_connection": "ipsec_site_connection",
                "security_group_rule": "security_group_rule",
            },
        ),
        usual_quotas={},
        effective={
            "ipsec.lifetime": "1200 s whatever the policy says",
            "initiator": "ignored: the hub may always initiate",
            "underlay_mtu": "stored, not used",
        },
    ),
    "otc": Provider(
        name="otc",
        title="Open Telekom Cloud, classic VPN",
        source=f"{_OTC_API}, Creating an IPsec VPN Connection",
        sources={
            "lifetime": f"{_OTC_API}, Creating an IKE Policy and an IPsec Policy",
            "ike_modes": f"{_OTC_API}, Creating an IKE Policy",
            "pairs": f"{_OTC}, User Guide (2020), What Is the Limitation on the Number of Local and Remote Subnets of a VPN?",
            "one_connection_a_peer": f"{_OTC_API}, Error Codes, VPC.1004",
            "one_connection_a_subnet": f"{_OTC_API}, Error Codes, VPC.1018 and VPC.1021",
            "tcp_packet": f"{_OTC}, User Guide, Quotas and Limitations",
            "site_reserved": f"{_OTC}, User Guide, FAQ vpn_faq_00036",
            "gateway_reserved": f"{_OTC}, User Guide, Creating a VPN",
            "not_read_back": "Terraform provider opentelekomcloud, resource vpnaas_site_connection_v2",
            "gateway_is_routers": f"{_OTC_API}, Creating a VPN Service (external_v4_ip)",
            "never": f"{_OTC_API}: no flavor_id, no AES-CTR",
            "hosts": "Open Telekom Cloud, Regions and Endpoints",
            "quotas": "Open Telekom Cloud, Virtual Private Cloud, API Reference, Querying Quotas",
            "routes_path": "Open Telekom Cloud, Virtual Private Cloud, API Reference, Querying VPC Routes; User Guide, Creating a VPN",
            "usual_quotas": "Open Telekom Cloud, User Guides: VPC, Security Groups and Security Group Rules; VPN, Constraints",
            "effective": f"{_OTC}, User Guide, FAQ How Do I Configure DPD",
        },
        lifetime=(60, 604800),
        psk_length=(6, 128),
        psk_alphabet=string.ascii_letters + string.digits + "~`!@#$%^()-_+=[]{}|\\,./:;",
        ike_modes=("main",),
        dpd_actions=("hold", "clear", "restart"),
        id_forbidden="\"'#= \t\r\n\\{}",
        name_length=64,
        description_length=255,
        fixed={"underlay_mtu": (1500,), "state": ("present", "absent"), "peer_id": (None,)},
        pairs=2500,
        one_connection_a_peer=True,
        one_connection_a_subnet=True,
        site_reserved=("100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "214.0.0.0/8", "224.0.0.0/3"),
        gateway_reserved=(
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16",
            "224.0.0.0/3",
        ),
        # A connection's description is the service's own; so is the hub's identity, which is its gateway.
        not_written=("description", "local_id"),
        not_read_back=("psk",),
        gateway_is_routers=False,
        needs=(),
        adds={},
        never=("vpn-flavors", "vpn-aes-ctr"),
        hosts=(".otc.t-systems.com",),
        routes_path="/vpc/routes",
        tcp_packet=1300,  # the same page advises an MSS of less than 1399, which is within it
        rekey_span=0,
        reauth_gap=False,  # nobody says
        quotas=Quotas(
            "/v1/{project}/quotas",
            {"vpn_service": "vpngw", "site_connection": "vpn", "security_group_rule": "securityGroupRule"},
        ),
        # Rules of a group (the number of a project can be read), and subnets at either end of a connection.
        usual_quotas={"security_group_rule": 50, "subnet": 5},
        effective={
            "dpd": "always on: asks after 30 s without traffic, three times in 15 s",
            "peer_id": "the hub's identity is its gateway",
            "hub.status": "a VPN service may stay PENDING_CREATE though it works; nothing waits for it",
        },
    ),
}  # fmt: skip
