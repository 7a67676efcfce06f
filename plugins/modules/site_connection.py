#!/usr/bin/python
# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: site_connection
short_description: Manage a site connection
version_added: 0.1.0
author:
  - bothends.vpn authors (@bothends)
description:
  - Makes, changes or removes one IPsec site connection. What is left out stays as it is.
  - Both forms of the API are there - O(local_endpoint_group) and O(peer_endpoint_group); or O(peer_cidrs) where the VPN service
    has a subnet.
  - The API cannot change the VPN service and the policies of a connection. M(bothends.vpn.hub) puts another connection in its
    place safely.
  - A change is stored at once. A tunnel that runs goes on without it until the site has made new SAs, see C(in_force).
extends_documentation_fragment:
  - bothends.vpn.attributes
  - bothends.vpn.openstack
  - bothends.vpn.objects.site_connection
attributes:
  check_mode:
    support: full
    details:
      - What is referred to by name and is not there yet is a warning in check mode, and C(known after apply) in the plan.
  diff_mode:
    support: full
  idempotent:
    support: full
    details:
      - Where the cloud does not give keys back, O(psk) is not compared, and O(send_psk) sends it each time.
seealso:
  - module: bothends.vpn.vpn_service
  - module: bothends.vpn.ike_policy
  - module: bothends.vpn.ipsec_policy
  - module: bothends.vpn.endpoint_group
  - module: bothends.vpn.hub
"""

EXAMPLES = r"""
- name: Connect the VPC prod to berlin
  bothends.vpn.site_connection:
    cloud: mycloud
    name: berlin
    vpn_service: prod
    ike_policy: strong
    ipsec_policy: strong
    local_endpoint_group: prod-subnets
    peer_endpoint_group: berlin
    peer_address: 203.0.113.10
    psk: "{{ vpn_psks.berlin }}"

- name: Change its MTU; all else, its key too, stays
  bothends.vpn.site_connection:
    cloud: mycloud
    name: berlin
    mtu: 1400

- name: Give it another key, at a cloud that does not give keys back
  bothends.vpn.site_connection:
    cloud: mycloud
    name: berlin
    psk: "{{ vpn_psks.berlin_new }}"
    send_psk: true

- name: Remove it
  bothends.vpn.site_connection:
    cloud: mycloud
    name: berlin
    state: absent
"""

RETURN = r"""
site_connection:
  description: The site connection as it is, or in check mode would be; null after O(state=absent).
  returned: success
  type: dict
  contains:
    id:
      description: Its id; null for one that check mode would create.
      type: str
      returned: success
    name:
      description: Its name.
      type: str
      returned: success
    description:
      description: Its description.
      type: str
      returned: success
    project_id:
      description: The id of the project that it belongs to; null for one that check mode would create in the login's.
      type: str
      returned: success
    vpn_service:
      description: The id of the VPN service.
      type: str
      returned: success
    ike_policy:
      description: The id of the IKE policy.
      type: str
      returned: success
    ipsec_policy:
      description: The id of the IPsec policy.
      type: str
      returned: success
    local_endpoint_group:
      description: The id of the group of the VPC's subnets.
      type: str
      returned: success
    peer_endpoint_group:
      description: The id of the group of the site's CIDRs.
      type: str
      returned: success
    peer_cidrs:
      description: The site's CIDRs, in the form without groups.
      type: list
      elements: str
      returned: success
    peer_address:
      description: The site's public address.
      type: str
      returned: success
      sample: 203.0.113.10
    peer_id:
      description: The site's IKE identity.
      type: str
      returned: success
      sample: 203.0.113.10
    local_id:
      description: The VPC's IKE identity.
      type: str
      returned: success
    mtu:
      description: MTU in bytes.
      type: int
      returned: success
      sample: 1500
    initiator:
      description: Whether the cloud may begin.
      type: str
      returned: success
      sample: bi-directional
    dpd:
      description: Dead peer detection, with action, interval and timeout.
      type: dict
      returned: success
    admin_state_up:
      description: Whether it is switched on.
      type: bool
      returned: success
    auth_mode:
      description: How the ends prove who they are.
      type: str
      returned: success
      sample: psk
    route_mode:
      description: How routes are made.
      type: str
      returned: success
      sample: static
    status:
      description: Its status in the API's words.
      type: str
      returned: success
      sample: ACTIVE
    state:
      description: The same in the console's words.
      type: str
      returned: success
      sample: Normal
plan:
  description: The steps that were done, or in check mode would be; one step is one write to the API.
  returned: success
  type: list
  elements: dict
  contains:
    verb:
      description: V(create), V(update) or V(delete).
      type: str
      returned: success
      sample: create
    kind:
      description: The kind of object.
      type: str
      returned: success
      sample: site_connection
    name:
      description: The object's name.
      type: str
      returned: success
    id:
      description: The object's id; null for one that the step creates.
      type: str
      returned: success
    disruptive:
      description: Whether the step interrupts traffic of something else.
      type: bool
      returned: success
    pending_activation:
      description: Whether a running tunnel goes on without it until new SAs are made.
      type: bool
      returned: success
    in_force:
      description: The same in words, V(at once) or V(with new SAs).
      type: str
      returned: success
    fields:
      description: The fields that an update sends.
      type: list
      elements: str
      returned: success
    why:
      description: Why the step is needed, where that is not obvious.
      type: str
      returned: success
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.bothends.vpn.plugins.module_utils import _module, _single_run


def main() -> None:
    module = AnsibleModule(**_single_run.arguments("site_connection"))
    _module.run(module, lambda cloud: _single_run.apply("site_connection", module.params, cloud, module.check_mode))


if __name__ == "__main__":
    main()
