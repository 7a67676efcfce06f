#!/usr/bin/python
# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: endpoint_group
short_description: Manage an endpoint group
version_added: 0.1.0
author:
  - bothends.vpn authors (@bothends)
description:
  - Makes, changes or removes one endpoint group of a project. What is left out stays as it is.
  - The API cannot change a group's endpoints. A group that no connection uses is removed and made anew, with another id; where a
    run is killed in between, the next one makes it, from what its task says of a new group. One in use is refused; the error
    names the connections. Make another group and put it into the connection.
extends_documentation_fragment:
  - bothends.vpn.attributes
  - bothends.vpn.openstack
  - bothends.vpn.objects.endpoint_group
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
- name: Have the VPC's end, by subnets
  bothends.vpn.endpoint_group:
    cloud: mycloud
    name: prod-subnets
    type: subnet
    endpoints: [app, 192.168.2.0/24]

- name: Have the site's end, by CIDRs
  bothends.vpn.endpoint_group:
    cloud: mycloud
    name: berlin
    type: cidr
    endpoints: [192.168.3.0/24, 192.168.4.0/24]

- name: Remove it
  bothends.vpn.endpoint_group:
    cloud: mycloud
    name: berlin
    state: absent
"""

RETURN = r"""
endpoint_group:
  description: The endpoint group as it is, or in check mode would be; null after O(state=absent).
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
    type:
      description: What the endpoints are.
      type: str
      returned: success
      sample: cidr
    endpoints:
      description: The CIDRs, ids or numbers.
      type: list
      elements: str
      returned: success
      sample: [192.168.3.0/24, 192.168.4.0/24]
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
      sample: endpoint_group
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
    module = AnsibleModule(**_single_run.arguments("endpoint_group"))
    _module.run(module, lambda cloud: _single_run.apply("endpoint_group", module.params, cloud, module.check_mode))


if __name__ == "__main__":
    main()
