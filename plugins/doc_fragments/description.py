# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Generated from plugins/module_utils/_description.py by `make docs`; change it there.

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  provider:
    description:
      - The cloud API's dialect and limits.
    type: str
    choices:
      - neutron
      - otc
    default: neutron
  vpc:
    description:
      - 'Name or id of the VPC (OpenStack: the router).'
    type: str
    required: true
  subnets:
    description:
      - Names, ids or CIDRs of the VPC's subnets that the sites may reach.
    type: list
    elements: str
    required: true
  security_groups:
    description:
      - 'Names or ids of the security groups that get the rules which let the sites'' traffic in. Without any, what the groups
        of the VPC''s servers let in is not looked after: by themselves they let in nothing from outside.'
    type: list
    elements: str
    default: []
  gateway:
    description:
      - 'The cloud''s public address. Default: asked from the API.'
    type: str
  policies:
    description:
      - Pairs of an IKE and an IPsec proposal, by name. A policy C(default) is always there.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description:
          - The policy's name.
        type: str
        required: true
      ike:
        description:
          - The IKE proposal (phase 1).
        type: dict
        suboptions:
          version:
            description:
              - IKE version.
            type: str
            choices:
              - v1
              - v2
            default: v2
          mode:
            description:
              - Negotiation mode of IKEv1.
            type: str
            choices:
              - main
              - aggressive
            default: main
          encryption:
            description:
              - Cipher.
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
            default: aes-256
          integrity:
            description:
              - Integrity algorithm (and PRF). Default sha256; not with an AEAD cipher (GCM, CCM).
            type: str
            choices:
              - aes-xcbc
              - aes-cmac
              - sha256
              - sha384
              - sha512
          prf:
            description:
              - Pseudo-random function of an AEAD cipher. Default sha256; without an AEAD the integrity names it.
            type: str
            choices:
              - aes-xcbc
              - sha256
              - sha384
              - sha512
              - aes-cmac
          dh_group:
            description:
              - Diffie-Hellman group.
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
            default: group14
          lifetime:
            description:
              - Seconds until the IKE SA is made anew.
            type: int
            default: 28800
      ipsec:
        description:
          - The IPsec proposal (phase 2, ESP in tunnel mode).
        type: dict
        suboptions:
          encryption:
            description:
              - Cipher.
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
            default: aes-256
          integrity:
            description:
              - Integrity algorithm. Default sha256; not with an AEAD cipher (GCM, CCM).
            type: str
            choices:
              - aes-xcbc
              - aes-cmac
              - sha256
              - sha384
              - sha512
          pfs_group:
            description:
              - Diffie-Hellman group of each rekeying (perfect forward secrecy).
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
            default: group14
          lifetime:
            description:
              - Seconds until the child SA is made anew.
            type: int
            default: 3600
  connections:
    description:
      - The sites that the hub connects to.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description:
          - The site's name.
        type: str
        required: true
      state:
        description:
          - V(absent) removes what was made for the site, at both ends. V(disabled) keeps the cloud's objects, switched off,
            and takes the configuration from the router, so that nothing passes until it is V(present) again.
        type: str
        choices:
          - present
          - disabled
          - absent
        default: present
      gateway:
        description:
          - The site's public address, as the cloud sees it.
        type: str
        required: true
      local_address:
        description:
          - Address on the router's own interface, where it differs from the gateway (behind NAT).
        type: str
      subnets:
        description:
          - CIDRs of the site's LAN that the hubs may reach.
        type: list
        elements: str
        required: true
      policy:
        description:
          - Name of an entry of C(vpn_policies).
        type: str
        default: default
      security_group_rules:
        description:
          - What the site's subnets may reach in the hub's security groups.
        type: list
        elements: dict
        default:
          - protocol: any
        suboptions:
          protocol:
            description:
              - V(any), V(tcp), V(udp), V(icmp), another name the cloud knows, or a number.
            type: str
            required: true
          ports:
            description:
              - 'Ports and ranges (V(443), V(8000-8010)) of tcp and udp. Default: all.'
            type: list
            elements: str
      psk_generation:
        description:
          - 'Count it up to rotate a derived key (filter site_psk), and with any new key where the provider does not give
            keys back (otc): that is how the change is noticed. The count stands in the name of a connection that this collection
            made; one that somebody else made gets a new key with C(vpn_send_psks) only, and a warning says so.'
        type: int
        default: 1
      id:
        description:
          - 'The site''s IKE identity. Default: its gateway.'
        type: dict
        suboptions:
          type:
            description:
              - 'Kind of the IKE identity. Default: read from the value.'
            type: str
            choices: &id001
              - ipv4
              - ipv6
              - fqdn
              - email
          value:
            description:
              - The IKE identity.
            type: str
            required: true
      peer_id:
        description:
          - 'The hub''s IKE identity. Default: the hub''s gateway.'
        type: dict
        suboptions:
          type:
            description:
              - 'Kind of the IKE identity. Default: read from the value.'
            type: str
            choices: *id001
          value:
            description:
              - The IKE identity.
            type: str
            required: true
      selector_mode:
        description:
          - 'One tunnel with all subnets, or one for each pair. V(auto): per pair where an end needs that (IKEv1, or a platform
            that knows nothing else).'
        type: str
        choices:
          - auto
          - combined
          - per_pair
        default: auto
      underlay_mtu:
        description:
          - MTU of the path between the gateways, in bytes.
        type: int
        default: 1500
      dpd:
        description:
          - Dead peer detection.
        type: dict
        suboptions:
          action:
            description:
              - What to do about a dead peer.
            type: str
            choices:
              - hold
              - clear
              - restart
            default: restart
          interval:
            description:
              - Seconds between two questions.
            type: int
            default: 30
          timeout:
            description:
              - Seconds of silence that mean dead (IKEv1).
            type: int
            default: 120
      initiator:
        description:
          - Which end may begin.
        type: str
        choices:
          - both
          - hub
          - site
        default: both
      psk:
        description:
          - The pre-shared key. Needed to create a connection; left out, the key that is there stays.
        type: str
  ignore:
    description:
      - Warnings that were looked at and are left as they are.
    type: list
    elements: dict
    default: []
    suboptions:
      code:
        description:
          - The finding's code; docs/reference/findings.md has them all.
        type: str
        required: true
        choices:
          - absent-from-nowhere
          - aggressive-psk
          - close-action
          - gateway-inside
          - gateway-private
          - host-bits
          - hub-without-host
          - ikev1
          - key-not-sent
          - lifetime-order
          - lifetime-short
          - mangled-by-yaml
          - no-partner
          - no-security-group
          - not-in-force
          - nothing-described
          - over-usual-quota
          - overlap-connection
          - overlap-route
          - probe-not-let-in
          - probe-outside
          - psk-short
          - psk-unused
          - reauth-gap
          - same-id
          - shared-vpc
          - weak-algorithm
      host:
        description:
          - 'Only that of this hub, site or policy. Default: of any.'
        type: str
      field:
        description:
          - 'Only that of this field, or of what is below it. Default: of any.'
        type: str
      reason:
        description:
          - Why it is right all the same; it is shown with the finding.
        type: str
        required: true
"""
