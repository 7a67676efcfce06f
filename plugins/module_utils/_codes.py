# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""Every code that a finding can have, as one table: how bad it is, who finds it, what it means and where the rule comes from.

No finding can be made with a code that has no row. ``docs/reference/findings.md`` is written from it.
"""

from __future__ import annotations

import typing as t

ERROR = "error"
WARNING = "warning"

# Who finds it: the check of the description, module hub once it has read the cloud, or the modules for one object.
OFFLINE = "description"
ONLINE = "cloud"
OBJECT = "object"


class Code(t.NamedTuple):
    """One row."""

    severities: tuple[str, ...]
    found_by: tuple[str, ...]
    what: str
    source: str  # where every finding of the code has the same one; else in words, and each finding has its own

    @property
    def ignorable(self) -> bool:
        """Whether ``vpn_ignore`` may silence it: only what works all the same, and not what is said of ``vpn_ignore`` itself."""
        return WARNING in self.severities and self.source != IGNORE_PAGE


IGNORE_PAGE = "docs/preflight.md"
_PAGE = "docs/reference/description.md"
_API = "OpenStack Networking API, VPNaaS"
_VALIDATOR = "neutron-vpnaas, vpn_validator.py"
_GROUPS = "neutron, securitygroups_db.py"
_VPN = "Open Telekom Cloud, Connecting to a VPC Through a VPN"
_PROVIDER = "the provider's row (docs/reference/providers.md)"
_PLATFORM = "the platform's row (docs/reference/platforms.md)"


def _rows(severities: str, *found_by: str, **rows: tuple[str, str]) -> dict[str, Code]:
    return {
        name.replace("_", "-"): Code(tuple(severities.split()), found_by, what, source)
        for name, (what, source) in rows.items()
    }


CODES: dict[str, Code] = {
    # --- how it is written
    **_rows(
        ERROR, OFFLINE,
        bad_name=("a hub's, site's or policy's name has characters that a name cannot have, or is too long", _PAGE),
        bad_value=("a value is of the wrong type or none of the choices", _PAGE),
        missing=("a key that every entry needs is not there", _PAGE),
        not_a_dict=("a text or list stands where a dict must be", _PAGE),
        not_a_list=("something else stands where a list must be", _PAGE),
        unknown_key=("a key that nobody reads, most often misspelt", _PAGE),
        unknown_hub=("a site names a hub that is not described", _PAGE),
        unknown_policy=("a site names a policy that is not described", _PAGE),
        no_hub=("a site names no hub", _PAGE),
        no_subnets=("a hub or site has no subnets, so nothing could talk", _VPN),
        bad_probe=("a probe is not a pair of `from` and `to`", _PAGE),
        generation_range=("`psk_generation` counts from 1", _PAGE),
        ignore_error=("`vpn_ignore` names an error, or a finding that cannot be ignored", IGNORE_PAGE),
    ),
    **_rows(
        f"{ERROR} {WARNING}", OFFLINE,
        mangled_by_yaml=("YAML read something else than was written (yes, 0123, 1e3); a warning for a key that no site has", "YAML 1.1"),
        nothing_described=("`vpn_hubs` or `vpn_sites` is empty or misspelt; an error with `vpn_purge`, as all would go", _VPN),
    ),
    **_rows(
        WARNING, OFFLINE,
        absent_from_nowhere=("a site is to be absent at a hub that is not described, so nothing is removed there", _PAGE),
        shared_vpc=("two hubs name one VPC, which has one VPN service", "neutron-vpnaas 29.0.0, strongSwan driver"),
        psk_unused=("a key of `vpn_psks` is no site's or connection's, most often misspelt", _PAGE),
        no_security_group=("a site writes `security_group_rules` and its hub names no `security_groups`, so no rule is made", _PAGE),
        hub_without_host=("no inventory host has a hub's name, so nobody makes its end", "docs/architecture.md"),
        probe_not_let_in=("a site has a probe, and its rules let no ping into the hub's groups, so verify's proof must fail", _VPN),
        probe_outside=("a probe's host lies in no subnet of the tunnel, so it proves nothing", _PAGE),
        ignore_unused=("an entry of `vpn_ignore` silences nothing", IGNORE_PAGE),
    ),
    # --- addresses
    **_rows(ERROR, OFFLINE, OBJECT, bad_subnet=("a subnet is no CIDR", _API)),
    **_rows(ERROR, OFFLINE, OBJECT, bad_address=("a gateway is no address, or one that no gateway can have", "the API, or RFC 6890")),
    **_rows(
        WARNING, OFFLINE, OBJECT,
        host_bits=("a subnet has host bits, and is used without them", "RFC 4632 section 3.1, RFC 4291 section 2.3"),
    ),
    **_rows(
        ERROR, OFFLINE, ONLINE,
        overlap_hub=("two subnets of a hub overlap", _VPN),
        overlap_site=("two subnets of a site overlap", _VPN),
        overlap_shared_router=("two hubs overlap that one router reaches, which could not tell them apart", _VPN),
    ),
    **_rows(
        f"{ERROR} {WARNING}", OFFLINE, ONLINE,
        no_partner=("a subnet has no counterpart of its IP version at the other end, so no tunnel; a warning where the other version fits",
                    "RFC 7296 section 2.9"),
    ),
    **_rows(
        ERROR, OFFLINE, ONLINE, OBJECT,
        overlap_hub_site=("a subnet of a site overlaps one of its hub", _VPN),
        overlap_sites=("subnets of two sites of a hub overlap", _VPN),
        gateway_is_own=("a site's gateway is the hub's own", _VPN),
    ),
    **_rows(ERROR, OBJECT, overlap=("two CIDRs of one list overlap", _VPN)),
    **_rows(
        ERROR, ONLINE,
        overlap_vpc=("a site's subnet overlaps a subnet of the VPC that the description does not name, and would cut it off",
                     "RFC 4301 section 4.4.1"),
    ),
    **_rows(
        f"{ERROR} {WARNING}", ONLINE,
        overlap_route=("a site's subnet overlaps a route of the VPC (an error where that is a peering's: the API refuses it)", _PROVIDER),
        overlap_connection=("a connection of the VPC that is not described leads to a site too (an error where the API refuses a second)",
                            "the API, or the provider's row"),
    ),
    **_rows(
        WARNING, ONLINE,
        key_not_sent=("a site has another key than its first, which a connection that somebody else made gets on request only", _PROVIDER),
    ),
    **_rows(
        f"{ERROR} {WARNING}", OFFLINE, ONLINE, OBJECT,
        gateway_inside=("a site's gateway lies in a subnet that the tunnel carries; a warning where it is the site's own",
                        "RFC 4301 section 4.4.1"),
    ),
    **_rows(ERROR, OBJECT, peer_inside=("the peer's address lies in a subnet of the VPC", _VPN)),
    **_rows(
        ERROR, OFFLINE, OBJECT,
        reserved_subnet=("a subnet that is never routed, or that the provider does not carry", "RFC 6890, or the provider's row"),
        gateway_not_public=("a site's gateway is an address that the provider cannot reach", _PROVIDER),
    ),
    **_rows(WARNING, OFFLINE, gateway_private=("a site's gateway is a private address, which no public cloud reaches", "RFC 1918")),
    **_rows(ERROR, ONLINE, OBJECT, no_gateway=("the VPC's router has no address outside, or none of the peer's IP version", _VALIDATOR)),
    # --- who is who
    **_rows(
        ERROR, OFFLINE,
        duplicate_gateway=("two sites of a hub have one gateway", "strongSwan: uniqueids, secrets are chosen by the peer's identity"),
        router_platforms=("the sites of one router have several platforms", _PAGE),
        router_routes=("the sites of one router need several ways to one subnet", _PAGE),
        nat_without_nat_t=("a router behind NAT is told not to encapsulate ESP in UDP", "RFC 3948 section 2"),
    ),
    **_rows(
        ERROR, OFFLINE, OBJECT,
        mixed_versions=("IPv4 and IPv6 in one group, connection or rule, or in the addresses of two ends", _VALIDATOR),
        only_ipv6=("a protocol of IPv6 in a rule for IPv4", _GROUPS),
        duplicate_id=("two sites of a hub have one IKE identity", "strongSwan: uniqueids, secrets are chosen by the peer's identity"),
        bad_id=("an IKE identity that the hub would break on, takes for another kind or for any peer, or cannot keep", _PROVIDER),
    ),
    **_rows(WARNING, OFFLINE, same_id=("both ends of a connection have one IKE identity", "RFC 7296 section 3.5")),
    # --- what the ends can do
    **_rows(
        ERROR, OFFLINE, ONLINE, OBJECT,
        not_spoken=("an end cannot speak an algorithm", "the end's row"),
        one_connection_a_peer=("several connections to one gateway, where the provider takes one", _PROVIDER),
    ),
    **_rows(
        ERROR, OFFLINE, OBJECT,
        lifetime_range=("a lifetime that the provider does not take", _PROVIDER),
        aead_integrity=("an AEAD cipher with an integrity algorithm", "RFC 5282 section 8"),
        prf_without_aead=("a PRF with a cipher that takes it from `integrity`", _API),
        ikev1_aead=("an AEAD cipher for IKEv1 itself", "RFC 5282 section 1"),
        ikev2_mode=("a negotiation mode with IKEv2", "RFC 7296"),
        ikev1_combined=("several pairs of subnets in one tunnel of IKEv1", "RFC 2409 section 5.5"),
        dpd_timeout=("dead peer detection times out before it asks", _API),
        mtu_range=("an MTU that no path has", "RFC 8200 section 5"),
        provider_fixed=("a field that has one value at this provider has another", _PROVIDER),
        name_too_long=("the name or description of an object would be longer than the provider takes", _PROVIDER),
        bad_protocol=("a security-group rule names no protocol", _API),
        bad_ports=("a security-group rule names no port, or has ports and a protocol that has none", _API),
        psk_not_allowed=("a key that the provider does not take, or a placeholder", _PROVIDER),
    ),
    **_rows(
        ERROR, OFFLINE,
        platform_limit=("the router's platform cannot do it", _PLATFORM),
        too_many_pairs=("more pairs of subnets than the provider takes", _PROVIDER),
        psk_missing=("a connection has no key", _VPN),
    ),
    # --- what works, and hurts
    **_rows(
        WARNING, OFFLINE, OBJECT,
        psk_short=("a key that can be guessed", "RFC 7296 section 2.15"),
        weak_algorithm=("an algorithm that should not or must not be used", "RFC 8247"),
        ikev1=("IKEv1 is historic", "RFC 9395"),
        aggressive_psk=("IKEv1's aggressive mode gives away a hash of the key", "RFC 2409 section 5.4"),
        lifetime_order=("the IKE SA ends before the tunnel does, and takes it with it", "RFC 7296 section 1.4.1"),
        lifetime_short=("a lifetime of less than 600 s: new SAs are made all the time", _PROVIDER),
    ),
    **_rows(
        WARNING, OFFLINE,
        reauth_gap=("the hub re-authenticates with a gap, and does it often", _PROVIDER),
        close_action=("the router begins anew when the hub closes, and the hub closes to re-authenticate: doubled SAs", _PROVIDER),
        not_in_force=("the hub stores a value and does not do it", _PROVIDER),
    ),
    **_rows(
        WARNING, OFFLINE, ONLINE, OBJECT,
        over_usual_quota=("more than the provider usually allows, which cannot be read", _PROVIDER),
    ),
    # --- the server
    **_rows(
        ERROR, ONLINE, OBJECT,
        wrong_provider=("the server shows that it is another provider's", _PROVIDER),
        extension_missing=("the server has no VPN API, or not the part of it that is needed", _PROVIDER),
        over_quota=("more than the project may have", _PROVIDER),
    ),
    # --- single objects
    **_rows(
        ERROR, OBJECT,
        ah_esp=("a protocol that no driver takes", "neutron-vpnaas, ipsec_validator.py"),
        bad_icmp=("an ICMP type or code out of range", _GROUPS),
        dpd_action=("an action that the provider leaves the whole connection out for", _PROVIDER),
        bad_vlan=("a VLAN out of range", "IEEE 802.1Q"),
        duplicate=("an endpoint is there twice", _VALIDATOR),
        flavor_off=("a flavor that is switched off", "neutron-vpnaas 29.0.0, services/vpn/plugin.py"),
        flavor_type=("a flavor of another service", "neutron-vpnaas 29.0.0, services/vpn/plugin.py"),
        group_type=("an endpoint group of another type than this end needs", _VALIDATOR),
        no_endpoints=("an endpoint group without endpoints", _VALIDATOR),
        no_group=("a connection needs both endpoint groups", _VALIDATOR),
        no_icmp=("an ICMP type with another protocol", _GROUPS),
        no_icmp_type=("an ICMP code without its type", _GROUPS),
        no_peer_cidrs=("a service with a subnet needs peer_cidrs", _VALIDATOR),
        not_attached=("a subnet that is not attached to the VPC's router", _VALIDATOR),
        not_begun=("a service without connections is in creation and cannot be changed", _VALIDATOR),
        second_service=("a second VPN service of a VPC, which would never work", "neutron-vpnaas 29.0.0, strongSwan driver"),
        two_forms=("endpoint groups and the API's old form together", _VALIDATOR),
        two_remotes=("a rule with two remote ends", _GROUPS),
    ),
}  # fmt: skip
