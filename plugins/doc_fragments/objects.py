# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Generated from plugins/module_utils/_single_*.py and _group_rules.py by `make docs`; change it there.

from __future__ import annotations


class ModuleDocFragment:
    IKE_POLICY = r"""
options:
  name:
    description:
      - The object's name, by which it is found; two of one name are an error that lists their ids. With O(id) the name that
        it is to have.
    type: str
  id:
    description:
      - The object's id, by which it is found. It must be there.
    type: str
  description:
    description:
      - A text. Left out, the one that is there stays. The last word of what M(bothends.vpn.hub) made is its marker; with
        another description the hub would not know the object any more.
    type: str
  project_id:
    description:
      - The id of the project that the object belongs to; it cannot be changed. A new one gets the login's. With it, what
        is named is looked for in that project first. Only an administrator may name another than the login's.
    type: str
  state:
    description:
      - Whether the object is to be there.
    type: str
    choices:
      - present
      - absent
    default: present
  version:
    description:
      - IKE version. A new one gets V(v2).
    type: str
    choices:
      - v1
      - v2
  mode:
    description:
      - Negotiation mode of IKEv1. A new one gets V(main).
    type: str
    choices:
      - main
      - aggressive
  encryption:
    description:
      - Cipher. A new one gets V(aes-256).
    type: str
    choices:
      - aes-128
      - aes-192
      - aes-256
      - aes-128-ctr
      - aes-192-ctr
      - aes-256-ctr
      - aes-128-ccm-8
      - aes-192-ccm-8
      - aes-256-ccm-8
      - aes-128-ccm-12
      - aes-192-ccm-12
      - aes-256-ccm-12
      - aes-128-ccm-16
      - aes-192-ccm-16
      - aes-256-ccm-16
      - aes-128-gcm-8
      - aes-192-gcm-8
      - aes-256-gcm-8
      - aes-128-gcm-12
      - aes-192-gcm-12
      - aes-256-gcm-12
      - aes-128-gcm-16
      - aes-192-gcm-16
      - aes-256-gcm-16
  integrity:
    description:
      - Integrity algorithm (and PRF). A new one gets V(sha256); not with an AEAD cipher (GCM, CCM).
    type: str
    choices:
      - aes-xcbc
      - aes-cmac
      - sha256
      - sha384
      - sha512
  prf:
    description:
      - Pseudo-random function of an AEAD cipher. A new one gets V(sha256); without an AEAD the integrity names it.
    type: str
    choices:
      - aes-xcbc
      - sha256
      - sha384
      - sha512
      - aes-cmac
  dh_group:
    description:
      - Diffie-Hellman group. A new one gets V(group14).
    type: str
    choices:
      - group2
      - group5
      - group14
      - group15
      - group16
      - group17
      - group18
      - group19
      - group20
      - group21
      - group22
      - group23
      - group24
      - group25
      - group26
      - group27
      - group28
      - group29
      - group30
      - group31
  lifetime:
    description:
      - Seconds until the IKE SA is made anew. A new one gets V(28800).
    type: int
  provider:
    description:
      - The cloud API's dialect and limits.
    type: str
    choices:
      - neutron
      - otc
    default: neutron
"""

    IPSEC_POLICY = r"""
options:
  name:
    description:
      - The object's name, by which it is found; two of one name are an error that lists their ids. With O(id) the name that
        it is to have.
    type: str
  id:
    description:
      - The object's id, by which it is found. It must be there.
    type: str
  description:
    description:
      - A text. Left out, the one that is there stays. The last word of what M(bothends.vpn.hub) made is its marker; with
        another description the hub would not know the object any more.
    type: str
  project_id:
    description:
      - The id of the project that the object belongs to; it cannot be changed. A new one gets the login's. With it, what
        is named is looked for in that project first. Only an administrator may name another than the login's.
    type: str
  state:
    description:
      - Whether the object is to be there.
    type: str
    choices:
      - present
      - absent
    default: present
  encryption:
    description:
      - Cipher. A new one gets V(aes-256).
    type: str
    choices:
      - aes-128
      - aes-192
      - aes-256
      - aes-128-ctr
      - aes-192-ctr
      - aes-256-ctr
      - aes-128-ccm-8
      - aes-192-ccm-8
      - aes-256-ccm-8
      - aes-128-ccm-12
      - aes-192-ccm-12
      - aes-256-ccm-12
      - aes-128-ccm-16
      - aes-192-ccm-16
      - aes-256-ccm-16
      - aes-128-gcm-8
      - aes-192-gcm-8
      - aes-256-gcm-8
      - aes-128-gcm-12
      - aes-192-gcm-12
      - aes-256-gcm-12
      - aes-128-gcm-16
      - aes-192-gcm-16
      - aes-256-gcm-16
  integrity:
    description:
      - Integrity algorithm. A new one gets V(sha256); not with an AEAD cipher (GCM, CCM).
    type: str
    choices:
      - aes-xcbc
      - aes-cmac
      - sha256
      - sha384
      - sha512
  pfs_group:
    description:
      - Diffie-Hellman group of each rekeying (perfect forward secrecy). A new one gets V(group14).
    type: str
    choices:
      - group2
      - group5
      - group14
      - group15
      - group16
      - group17
      - group18
      - group19
      - group20
      - group21
      - group22
      - group23
      - group24
      - group25
      - group26
      - group27
      - group28
      - group29
      - group30
      - group31
  lifetime:
    description:
      - Seconds until the child SA is made anew. A new one gets V(3600).
    type: int
  transform_protocol:
    description:
      - The protocol. No driver takes V(ah-esp) in a connection. A new one gets V(esp).
    type: str
    choices:
      - esp
      - ah
      - ah-esp
  encapsulation_mode:
    description:
      - The mode. A new one gets V(tunnel).
    type: str
    choices:
      - tunnel
      - transport
  provider:
    description:
      - The cloud API's dialect and limits.
    type: str
    choices:
      - neutron
      - otc
    default: neutron
"""

    VPN_SERVICE = r"""
options:
  name:
    description:
      - The object's name, by which it is found; two of one name are an error that lists their ids. With O(id) the name that
        it is to have.
    type: str
  id:
    description:
      - The object's id, by which it is found. It must be there.
    type: str
  description:
    description:
      - A text. Left out, the one that is there stays. The last word of what M(bothends.vpn.hub) made is its marker; with
        another description the hub would not know the object any more.
    type: str
  project_id:
    description:
      - The id of the project that the object belongs to; it cannot be changed. A new one gets the login's. With it, what
        is named is looked for in that project first. Only an administrator may name another than the login's.
    type: str
  state:
    description:
      - Whether the object is to be there.
    type: str
    choices:
      - present
      - absent
    default: present
  vpc:
    description:
      - Name or id of the VPC (OpenStack, the router). Needed for a new service; cannot be changed.
    type: str
  subnet:
    description:
      - Name, id or CIDR of the one subnet that the service serves (the API's old form). The service's connections take C(peer_cidrs)
        then, and endpoint groups otherwise. Cannot be changed.
    type: str
  flavor:
    description:
      - Name or id of the service flavor, which says what realises the service (the API's extension vpn-flavors). A new one
        without it gets what the cloud's operator has chosen. Cannot be changed.
    type: str
  admin_state_up:
    description:
      - Whether it is switched on. A new one gets V(true).
    type: bool
  provider:
    description:
      - The cloud API's dialect and limits.
    type: str
    choices:
      - neutron
      - otc
    default: neutron
  timeout:
    description:
      - Seconds to wait at most, also for what is just being created or updated and cannot be changed as long.
    type: int
    default: 120
"""

    ENDPOINT_GROUP = r"""
options:
  name:
    description:
      - The object's name, by which it is found; two of one name are an error that lists their ids. With O(id) the name that
        it is to have.
    type: str
  id:
    description:
      - The object's id, by which it is found. It must be there.
    type: str
  description:
    description:
      - A text. Left out, the one that is there stays. The last word of what M(bothends.vpn.hub) made is its marker; with
        another description the hub would not know the object any more.
    type: str
  project_id:
    description:
      - The id of the project that the object belongs to; it cannot be changed. A new one gets the login's. With it, what
        is named is looked for in that project first. Only an administrator may name another than the login's.
    type: str
  state:
    description:
      - Whether the object is to be there.
    type: str
    choices:
      - present
      - absent
    default: present
  type:
    description:
      - What the endpoints are. The VPC's end of a site connection takes V(subnet), the site's V(cidr). Needed for a new group.
    type: str
    choices:
      - cidr
      - subnet
      - network
      - router
      - vlan
  endpoints:
    description:
      - The endpoints - CIDRs; or names, ids or CIDRs of subnets; or names or ids of networks or routers; or VLAN numbers.
        Needed for a new group.
    type: list
    elements: str
  provider:
    description:
      - The cloud API's dialect and limits.
    type: str
    choices:
      - neutron
      - otc
    default: neutron
"""

    SITE_CONNECTION = r"""
options:
  name:
    description:
      - The object's name, by which it is found; two of one name are an error that lists their ids. With O(id) the name that
        it is to have.
    type: str
  id:
    description:
      - The object's id, by which it is found. It must be there.
    type: str
  description:
    description:
      - A text. Left out, the one that is there stays. The last word of what M(bothends.vpn.hub) made is its marker; with
        another description the hub would not know the object any more.
    type: str
  project_id:
    description:
      - The id of the project that the object belongs to; it cannot be changed. A new one gets the login's. With it, what
        is named is looked for in that project first. Only an administrator may name another than the login's.
    type: str
  state:
    description:
      - Whether the object is to be there.
    type: str
    choices:
      - present
      - absent
    default: present
  vpn_service:
    description:
      - Name or id of the VPN service. Needed for a new one; cannot be changed.
    type: str
  ike_policy:
    description:
      - Name or id of the IKE policy. Needed for a new one; cannot be changed.
    type: str
  ipsec_policy:
    description:
      - Name or id of the IPsec policy. Needed for a new one; cannot be changed.
    type: str
  local_endpoint_group:
    description:
      - Name or id of the endpoint group of the VPC's subnets. Changing it keeps the connection and its id.
    type: str
  peer_endpoint_group:
    description:
      - Name or id of the endpoint group of the site's CIDRs. Changing it keeps the connection and its id.
    type: str
  peer_cidrs:
    description:
      - The site's CIDRs, instead of the two groups, where the VPN service has a subnet.
    type: list
    elements: str
  peer_address:
    description:
      - The site's public address. Needed for a new connection.
    type: str
  peer_id:
    description:
      - The site's IKE identity. A new one gets O(peer_address).
    type: str
  local_id:
    description:
      - The VPC's IKE identity. A new one gets V(''), that is its gateway's address.
    type: str
  psk:
    description:
      - The pre-shared key. Needed for a new connection; left out, the key that is there stays. The API may show it to whoever
        may read the connection.
    type: str
  send_psk:
    description:
      - Send O(psk) also where the cloud does not give keys back, so that nobody can tell whether it is another one. Where
        it does, keys are compared, and this changes nothing.
    type: bool
    default: false
  mtu:
    description:
      - MTU of the path between the gateways, in bytes. A new one gets V(1500).
    type: int
  initiator:
    description:
      - Whether the cloud may begin. A new one gets V(bi-directional).
    type: str
    choices:
      - bi-directional
      - response-only
  dpd:
    description:
      - Dead peer detection.
    type: dict
    suboptions:
      action:
        description:
          - What to do about a dead peer. The reference driver leaves out a connection with one of the last two, so they are
            refused there. A new one gets V(restart).
        type: str
        choices:
          - hold
          - clear
          - restart
          - restart-by-peer
          - disabled
      interval:
        description:
          - Seconds between two questions. A new one gets V(30).
        type: int
      timeout:
        description:
          - Seconds of silence that mean dead (IKEv1). A new one gets V(120).
        type: int
  admin_state_up:
    description:
      - Whether it is switched on. A new one gets V(true).
    type: bool
  provider:
    description:
      - The cloud API's dialect and limits.
    type: str
    choices:
      - neutron
      - otc
    default: neutron
  wait_for:
    description:
      - V(accepted) waits, after a change, until the connection is not being created, updated or deleted any more. V(active)
        waits until it is Normal, which may take traffic from a host at either side. V(none) does not wait.
    type: str
    choices:
      - none
      - accepted
      - active
    default: accepted
  timeout:
    description:
      - Seconds to wait at most, also for what is just being created or updated and cannot be changed as long.
    type: int
    default: 120
"""

    SECURITY_GROUP_RULES = r"""
options:
  security_group:
    description:
      - Name or id of the security group.
    type: str
    required: true
  project_id:
    description:
      - The id of the project that new rules belong to; the login's by default. It must be the group's. With it, the group
        is looked for in that project first. Only an administrator may name another than the login's.
    type: str
  provider:
    description:
      - The cloud API's dialect and limits.
    type: str
    choices:
      - neutron
      - otc
    default: neutron
  rules:
    description:
      - The rules. One that is there serves only if it lets through exactly the same, however it is written.
    type: list
    elements: dict
    required: true
    suboptions:
      direction:
        description:
          - Whether it lets in or out.
        type: str
        choices:
          - ingress
          - egress
        default: ingress
      ethertype:
        description:
          - 'The IP version. Default: what the prefix is, or the protocol says; else V(IPv4).'
        type: str
        choices:
          - IPv4
          - IPv6
      protocol:
        description:
          - V(any), V(tcp), V(udp), V(icmp), another name the cloud knows, or a number. With IPv6 V(icmp) is ICMPv6.
        type: str
        default: any
      ports:
        description:
          - 'Ports and ranges (V(443), V(8000-8010)) of tcp and udp. Default: all. Each one is a rule of its own.'
        type: list
        elements: str
      icmp_type:
        description:
          - 'The type of ICMP. Default: all.'
        type: int
      icmp_code:
        description:
          - 'The code of that type. Default: all.'
        type: int
      remote_ip_prefix:
        description:
          - 'CIDR of the other end. Default: everywhere. Host bits are left out, with a warning.'
        type: str
      remote_group:
        description:
          - Name or id of the security group that the other end is in, instead of a prefix.
        type: str
      remote_address_group:
        description:
          - Name or id of the address group that the other end is in, instead of a prefix.
        type: str
      description:
        description:
          - 'A text. Left out, the one that is there stays. The API cannot change it: the rule is removed and made again.'
        type: str
  purge:
    description:
      - Also remove every rule of the group that is not listed, whoever made it. The two rules for egress that each new group
        has are rules like others.
    type: bool
    default: false
  state:
    description:
      - Whether the listed rules are to be there. Where the group is gone, or one that a rule names, they are absent.
    type: str
    choices:
      - present
      - absent
    default: present
"""
