#!/usr/bin/python
# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: hub_info
short_description: Read the VPN of one VPC
version_added: 0.1.0
author:
  - bothends.vpn authors (@bothends)
description:
  - Reads the VPN of one VPC, its gateway and its subnets, in the shape that M(bothends.vpn.hub) returns. Never returns a key.
extends_documentation_fragment:
  - bothends.vpn.attributes
  - bothends.vpn.attributes.info
  - bothends.vpn.openstack
options:
  name:
    description:
      - The hub's name, given back in the result. Default is the VPC's.
    type: str
  vpc:
    description:
      - Name or id of the VPC (OpenStack, the router).
    type: str
    required: true
  gather:
    description:
      - What to read; what is left out costs no request. V(hub) is RV(hub), V(connections) is RV(connections), V(description) is
        RV(description).
      - Tasks that only want to know where a VPC's gateway is take V(hub); for a look at the status V(connections) is enough.
    type: list
    elements: str
    choices: [hub, connections, description]
    default: [hub, connections, description]
  until_normal:
    description:
      - Names of connections to wait for. The module ends once all that are there are Normal, or after O(timeout) as they are then.
    type: list
    elements: str
    default: []
  timeout:
    description:
      - Seconds to wait for O(until_normal) at most.
    type: int
    default: 30
  digest_key:
    description:
      - A random text. With it RV(connections[].psk_digest) is returned, so that keys can be compared that nobody sees.
    type: str
  provider:
    description:
      - The cloud API's dialect.
    type: str
    choices: [neutron, otc]
    default: neutron
seealso:
  - module: bothends.vpn.hub
"""

EXAMPLES = r"""
- name: Look at the VPN of the VPC prod
  bothends.vpn.hub_info:
    cloud: otc
    provider: otc
    vpc: prod
  register: prod

- name: Wait half a minute at most for one connection
  bothends.vpn.hub_info:
    cloud: otc
    provider: otc
    vpc: prod
    gather: [connections]
    until_normal: [prod/berlin/1]

- name: Take over a VPN that is there, whoever made it. Nothing is changed by that
  bothends.vpn.hub:
    cloud: otc
    provider: otc
    name: prod
    vpc: prod
    subnets: "{{ prod.description.subnets }}"
    security_groups: "{{ prod.description.security_groups }}"
    policies: "{{ prod.description.policies }}"
    connections: "{{ prod.description.connections }}"

- name: Show where the other end has to connect to
  ansible.builtin.debug:
    var: prod.hub.gateway
"""

RETURN = r"""
hub:
  description: What the other end needs to know of the VPC.
  returned: success, with V(hub) in O(gather)
  type: dict
  contains:
    name:
      description: The hub's name.
      type: str
      returned: success
      sample: prod
    vpc:
      description: Id and name of the VPC.
      type: dict
      returned: success
    gateway:
      description: The VPN's public address at the cloud.
      type: str
      returned: success
      sample: 203.0.113.150
    status:
      description: The VPN service's status in the API's words; null where there is none.
      type: str
      returned: success
      sample: ACTIVE
    state:
      description: The same in the console's words.
      type: str
      returned: success
      sample: Normal
    services:
      description: All VPN services of the VPC, each with id, name and status. A cloud may realise one only.
      type: list
      elements: dict
      returned: success
    subnets:
      description: The VPC's subnets, each with id, name and cidr.
      type: list
      elements: dict
      returned: success
provider:
  description: What is known of the cloud's API and of what it does whatever it was told.
  returned: success
  type: dict
  contains:
    name:
      description: See O(provider).
      type: str
      returned: success
      sample: neutron
    title:
      description: The same in words.
      type: str
      returned: success
      sample: OpenStack Networking
    effective:
      description: By field what is in force in truth, where that differs from what was written.
      type: dict
      returned: success
      sample: {initiator: "ignored: the hub may always initiate"}
    not_read_back:
      description: The fields of a connection that the API does not give back, so that nobody can tell whether they are as described.
      type: list
      elements: str
      returned: success
      sample: [psk]
description:
  description:
    - What M(bothends.vpn.hub) takes to find all that is there as described, whoever made it. No key is in it; a connection
      that is there keeps its own.
    - Sites are called as their connections are, where such a name is allowed and no other has it.
    - Of security-group rules those are described that M(bothends.vpn.hub) made; it leaves those of others alone.
  returned: success, with V(description) in O(gather)
  type: dict
  contains:
    subnets:
      description: The VPC's subnets that the sites reach, see O(bothends.vpn.hub#module:subnets).
      type: list
      elements: str
      returned: success
    security_groups:
      description:
        - The groups in which the rules are, by name, or by id where another group has that name; see
          O(bothends.vpn.hub#module:security_groups).
      type: list
      elements: str
      returned: success
    policies:
      description: See O(bothends.vpn.hub#module:policies).
      type: list
      elements: dict
      returned: success
    connections:
      description: See O(bothends.vpn.hub#module:connections).
      type: list
      elements: dict
      returned: success
    left_out:
      description:
        - The connections that cannot be described, with their rules, each with name, id and the reason (C(why)).
        - Where only the rules are otherwise, C(but_for_rules) says what else there is, as RV(description.connections) would; its policy is
          among RV(description.policies).
      type: list
      elements: dict
      returned: success
connections:
  description: The site connections of the VPC, whoever made them.
  returned: success, with V(connections) in O(gather)
  type: list
  elements: dict
  contains:
    name:
      description: The connection's name.
      type: str
      returned: success
      sample: prod/berlin/1
    id:
      description: Its id.
      type: str
      returned: success
    site:
      description: The site that this collection made it for; null for a foreign one.
      type: str
      returned: success
      sample: berlin
    gateway:
      description: The site's address.
      type: str
      returned: success
      sample: 203.0.113.10
    peer_id:
      description: The site's IKE identity.
      type: str
      returned: success
      sample: 203.0.113.10
    subnets:
      description: The site's subnets.
      type: list
      elements: str
      returned: success
      sample: [192.168.3.0/24]
    initiator:
      description: Which end may begin, in the API's words.
      type: str
      returned: success
      sample: bi-directional
    status:
      description: The status in the API's words.
      type: str
      returned: success
      sample: ACTIVE
    state:
      description: The same in the console's words.
      type: str
      returned: success
      sample: Normal
    psk_digest:
      description: HMAC-SHA256 of the key under O(digest_key); null without that, or where the cloud does not give the key back.
      type: str
      returned: success
    updated_at:
      description: When the connection or one of its endpoint groups was last written; null where the cloud does not say.
      type: str
      returned: success
      sample: "2026-03-01T10:00:00Z"
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.bothends.vpn.plugins.module_utils import _hub_info, _module


def main() -> None:
    module = AnsibleModule(argument_spec={**_module.CLOUD_SPEC, **_hub_info.spec()}, supports_check_mode=True)
    _module.run(module, lambda cloud: _hub_info.inform(module.params, cloud))


if __name__ == "__main__":
    main()
