#!/usr/bin/python
# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: security_group_rules
short_description: Manage the rules of a security group
version_added: 0.1.0
author:
  - bothends.vpn authors (@bothends)
description:
  - Has the listed rules in one security group, or has them not; with O(purge) these and no others.
  - Rules are compared exactly. A narrower rule does not serve for a wider one, nor a wider one for a narrower.
  - What can be made before something is removed, is; a rule that gets another description is removed and made again.
extends_documentation_fragment:
  - bothends.vpn.attributes
  - bothends.vpn.openstack
  - bothends.vpn.objects.security_group_rules
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
  - module: bothends.vpn.hub
"""

EXAMPLES = r"""
- name: Let the data centre berlin in
  bothends.vpn.security_group_rules:
    cloud: mycloud
    security_group: servers
    rules:
      - {protocol: icmp, remote_ip_prefix: 192.168.3.0/24}
      - {protocol: tcp, ports: [443, 8000-8010], remote_ip_prefix: 192.168.3.0/24, description: berlin}

- name: Have these rules and no others, the two default ones for egress included
  bothends.vpn.security_group_rules:
    cloud: mycloud
    security_group: servers
    purge: true
    rules:
      - {direction: egress, ethertype: IPv4}
      - {direction: egress, ethertype: IPv6}
      - {protocol: tcp, ports: [22], remote_group: bastions}

- name: Take one off
  bothends.vpn.security_group_rules:
    cloud: mycloud
    security_group: servers
    state: absent
    rules:
      - {protocol: tcp, ports: [22], remote_group: bastions}
"""

RETURN = r"""
security_group:
  description: The security group.
  returned: success
  type: dict
  contains:
    id:
      description: Its id; null where check mode does not find it yet.
      type: str
      returned: success
    name:
      description: Its name.
      type: str
      returned: success
      sample: servers
rules:
  description: All rules of the group as they are, or in check mode would be.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: The rule's id; null for one that check mode would create.
      type: str
      returned: success
    direction:
      description: V(ingress) or V(egress).
      type: str
      returned: success
      sample: ingress
    ethertype:
      description: V(IPv4) or V(IPv6).
      type: str
      returned: success
      sample: IPv4
    protocol:
      description: The protocol, V(any) for all.
      type: str
      returned: success
      sample: tcp
    ports:
      description: The port or range; null for all.
      type: str
      returned: success
      sample: 8000-8010
    icmp_type:
      description: The type of ICMP; null for all.
      type: int
      returned: success
    icmp_code:
      description: The code of that type; null for all.
      type: int
      returned: success
    remote_ip_prefix:
      description: CIDR of the other end.
      type: str
      returned: success
      sample: 192.168.3.0/24
    remote_group_id:
      description: Id of the other end's security group.
      type: str
      returned: success
    remote_address_group_id:
      description: Id of the other end's address group.
      type: str
      returned: success
    description:
      description: The rule's description.
      type: str
      returned: success
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
      sample: security_group_rule
    name:
      description: What the rule lets through.
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

from ansible_collections.bothends.vpn.plugins.module_utils import _group_rules, _module, _single_run


def main() -> None:
    module = AnsibleModule(argument_spec=_single_run.spec(_group_rules.OPTIONS), supports_check_mode=True)
    _module.run(module, lambda cloud: _single_run.apply_rules(module.params, cloud, module.check_mode))


if __name__ == "__main__":
    main()
