#!/usr/bin/python
# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ipsec_policy
short_description: Manage an IPsec policy
version_added: 0.1.0
author:
  - bothends.vpn authors (@bothends)
description:
  - Makes, changes or removes one IPsec policy (phase 2) of a project. What is left out stays as it is.
  - A policy that a connection uses cannot be changed, nor removed; the error names the connections. M(bothends.vpn.hub) puts
    another in its place safely.
extends_documentation_fragment:
  - bothends.vpn.attributes
  - bothends.vpn.openstack
  - bothends.vpn.objects.ipsec_policy
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
seealso:
  - module: bothends.vpn.ike_policy
  - module: bothends.vpn.site_connection
  - module: bothends.vpn.hub
"""

EXAMPLES = r"""
- name: Have an IPsec policy
  bothends.vpn.ipsec_policy:
    cloud: mycloud
    name: strong
    encryption: aes-256
    integrity: sha384
    pfs_group: group20
    lifetime: 3600

- name: Remove it
  bothends.vpn.ipsec_policy:
    cloud: mycloud
    name: strong
    state: absent
"""

RETURN = r"""
ipsec_policy:
  description: The IPsec policy as it is, or in check mode would be; null after O(state=absent).
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
    encryption:
      description: The cipher.
      type: str
      returned: success
      sample: aes-256
    integrity:
      description: The integrity algorithm; null with an AEAD cipher.
      type: str
      returned: success
      sample: sha384
    pfs_group:
      description: The Diffie-Hellman group of each rekeying.
      type: str
      returned: success
      sample: group20
    lifetime:
      description: Seconds.
      type: int
      returned: success
      sample: 3600
    transform_protocol:
      description: The protocol.
      type: str
      returned: success
      sample: esp
    encapsulation_mode:
      description: The mode.
      type: str
      returned: success
      sample: tunnel
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
      sample: ipsec_policy
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
    module = AnsibleModule(**_single_run.arguments("ipsec_policy"))
    _module.run(module, lambda cloud: _single_run.apply("ipsec_policy", module.params, cloud, module.check_mode))


if __name__ == "__main__":
    main()
