#!/usr/bin/python
# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vpn_service
short_description: Manage the VPN service of a VPC
version_added: 0.1.0
author:
  - bothends.vpn authors (@bothends)
description:
  - Makes, changes or removes the VPN service of one VPC. What is left out stays as it is.
  - A second service of a VPC is refused, because the cloud would never realise it. A service with connections is not removed;
    the error names them.
  - A new service has nothing to do, and stays Creating, until its first connection is there; so nothing is waited for.
extends_documentation_fragment:
  - bothends.vpn.attributes
  - bothends.vpn.openstack
  - bothends.vpn.objects.vpn_service
attributes:
  check_mode:
    support: full
    details:
      - What is referred to by name and is not there yet is a warning in check mode, and C(known after apply) in the plan.
  diff_mode:
    support: full
  idempotent:
    support: full
seealso:
  - module: bothends.vpn.site_connection
  - module: bothends.vpn.hub
"""

EXAMPLES = r"""
- name: Have the VPN service of the VPC prod
  bothends.vpn.vpn_service:
    cloud: mycloud
    name: prod
    vpc: prod

- name: Switch it off
  bothends.vpn.vpn_service:
    cloud: mycloud
    name: prod
    admin_state_up: false

- name: Have one in another project, as an administrator, realised as a flavor says
  bothends.vpn.vpn_service:
    cloud: admin
    project_id: 5f705e771ddb4cdea0d07c4ae1c5bcbf
    name: staging
    vpc: staging
    flavor: fast

- name: Remove it
  bothends.vpn.vpn_service:
    cloud: mycloud
    name: prod
    state: absent
"""

RETURN = r"""
vpn_service:
  description: The VPN service as it is, or in check mode would be; null after O(state=absent).
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
    router_id:
      description: The id of the VPC.
      type: str
      returned: success
    subnet_id:
      description: The id of its subnet; null in the form with endpoint groups.
      type: str
      returned: success
    flavor_id:
      description: The id of its flavor; null where it has none.
      type: str
      returned: success
    admin_state_up:
      description: Whether it is switched on.
      type: bool
      returned: success
    external_v4_ip:
      description: Its public IPv4 address.
      type: str
      returned: success
      sample: 203.0.113.150
    external_v6_ip:
      description: Its public IPv6 address.
      type: str
      returned: success
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
      sample: vpn_service
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
    module = AnsibleModule(**_single_run.arguments("vpn_service"))
    _module.run(module, lambda cloud: _single_run.apply("vpn_service", module.params, cloud, module.check_mode))


if __name__ == "__main__":
    main()
