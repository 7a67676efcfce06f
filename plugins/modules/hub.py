#!/usr/bin/python
# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: hub
short_description: Manage the whole VPN of one VPC
version_added: 0.1.0
author:
  - bothends.vpn authors (@bothends)
description:
  - Makes, changes and removes the IKE and IPsec policies, the VPN service, the endpoint groups, the site connections and the
    security-group rules of one VPC, so that it looks as described.
  - Each kind of object is read once, and only differences are written. What the module makes carries a marker in its
    description; objects without the marker are used where they fit, and never removed unless they have to be replaced.
  - Everything is checked before the first write. What is wrong with the hub stops the module then. What is wrong with one site
    blocks that site only - nothing of it is touched, the others are made as described, and then the module fails and names it.
  - See the role P(bothends.vpn.hub#role) for the way from the description.
extends_documentation_fragment:
  - bothends.vpn.attributes
  - bothends.vpn.openstack
  - bothends.vpn.description
options:
  name:
    description:
      - The hub's name. It becomes part of the objects' names and of their marker.
    type: str
    required: true
  blocked:
    description:
      - Sites that stay exactly as they are, because something is wrong with them. They need not stand in O(connections).
    type: list
    elements: str
    default: []
  purge:
    description:
      - Also remove what this module made for sites that are not in O(connections) any more.
      - Without it they stay, and a warning names them. Ending a connection in this way also needs O(allow_disruption).
    type: bool
    default: false
  send_psks:
    description:
      - Send the keys again of all connections whose key the cloud does not give back (RV(connections[].not_compared)).
      - Without it such a connection gets its key when it is made, and again when its O(connections[].psk_generation) changes. One
        that somebody else made, and that is used as it is, gets none; with another generation than the first a finding says so.
      - Where the cloud gives keys back, they are compared, and this changes nothing.
    type: bool
    default: false
  allow_disruption:
    description:
      - Allow steps that interrupt traffic, such as replacing a connection because its policy changed.
      - Without it such a run fails before it has changed anything.
    type: bool
    default: false
  wait_for:
    description:
      - V(accepted) waits, after a change, until no connection is being created or updated any more.
      - V(active) waits until every connection that is switched on is Normal. That may take traffic from a host at either side.
      - V(none) does not wait.
    type: str
    choices: [none, accepted, active]
    default: accepted
  timeout:
    description:
      - Seconds to wait at most for what O(wait_for) says.
      - Before that, seconds to wait at most for an object that the cloud is still working on, before it can be changed or another
        one can take its place. Once one was waited for in vain, no other is - the run does what needs no waiting, and fails. Waits
        that end well may add up to more.
    type: int
    default: 120
  progress_file:
    description:
      - A file to which a line is added for each step that is done, and now and then while something is waited for.
      - Where it cannot be written, the run goes on without.
      - Left out, and where the module runs on the controller, lines that say how far it is are printed every 10 seconds.
    type: path
attributes:
  check_mode:
    support: full
    details:
      - A security group that is not there yet is a warning in check mode, and C(known after apply) in the plan's rules.
      - The VPC and its subnets must be there, because without them nobody can say what overlaps, and which tunnels there would be.
  diff_mode:
    support: full
  idempotent:
    support: full
seealso:
  - module: bothends.vpn.hub_info
"""

EXAMPLES = r"""
- name: Connect the VPC prod to the data centre berlin
  bothends.vpn.hub:
    cloud: otc
    provider: otc
    name: prod
    vpc: prod
    subnets: [192.168.1.0/24, 192.168.2.0/24]
    security_groups: [servers]
    policies:
      - name: strong
        ike: {encryption: aes-256, integrity: sha384, dh_group: group20}
        ipsec: {encryption: aes-256, integrity: sha384, pfs_group: group20}
    connections:
      - name: berlin
        gateway: 203.0.113.10
        subnets: [192.168.3.0/24, 192.168.4.0/24]
        policy: strong
        psk: "{{ vpn_psks.berlin }}"
        security_group_rules:
          - protocol: icmp
          - protocol: tcp
            ports: [443, 8000-8010]

- name: Take the data centre off again
  bothends.vpn.hub:
    cloud: otc
    provider: otc
    name: prod
    vpc: prod
    subnets: [192.168.1.0/24, 192.168.2.0/24]
    security_groups: [servers]
    connections:
      - name: berlin
        state: absent
        gateway: 203.0.113.10
        subnets: [192.168.3.0/24, 192.168.4.0/24]
"""

RETURN = r"""
plan:
  description: The steps that were done, or in check mode would be; one step is one write to the API.
  returned: once it is made, whatever fails then
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
      description: The object's name; for a rule what it lets through.
      type: str
      returned: success
      sample: prod/berlin/1
    id:
      description: The object's id; null for one that the step creates.
      type: str
      returned: success
    disruptive:
      description: Whether the step interrupts traffic.
      type: bool
      returned: success
    pending_activation:
      description: Whether a running tunnel goes on without it until the site has made new SAs.
      type: bool
      returned: success
    in_force:
      description: The same in words, V(at once), V(with new SAs) or V(interrupts).
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
differences:
  description:
    - What the plan would change, field by field in the words of the description; there is one exactly where there is a step.
      A key is never shown, so both values of C(psk) are null.
  returned: in check mode
  type: list
  elements: dict
  contains:
    connection:
      description: The connection; the hub alone for what all its connections share.
      type: str
      returned: success
      sample: prod/berlin
    tunnel:
      description: The tunnel, where it is one's.
      type: str
      returned: success
      sample: prod/berlin/1
    field:
      description: The field.
      type: str
      returned: success
      sample: dpd.interval
    described:
      description: What is described.
      type: raw
      returned: success
      sample: 30
    cloud:
      description: What the cloud holds.
      type: raw
      returned: success
      sample: 60
leftovers:
  description: Objects of sites that are not described any more, which stay without O(purge).
  returned: success, or failure of single sites or half way
  type: list
  elements: dict
unowned:
  description: Connections to sites with O(connections[].state=absent) that somebody else made, and that stay.
  returned: success, or failure of single sites or half way
  type: list
  elements: dict
blocked:
  description: The sites that were stopped, and why. Nothing of them was touched, unless the cloud refused something of theirs.
  returned: success, or failure of single sites or half way
  type: dict
  sample: {paris: "vpn_sites.paris.subnets[0]: '192.168.5/24' is not a subnet."}
steps_done:
  description: Where the run failed half way, what it had done by then.
  returned: failure half way
  type: list
  elements: str
  sample: [create ike_policy prod/strong]
steps_not_done:
  description: What it had not done; the next run does it.
  returned: failure half way
  type: list
  elements: str
  sample: [create site_connection prod/berlin/1]
findings:
  description:
    - What was found in the cloud, such as a quota that may not be enough, and what is wrong with single sites; errors first.
      docs/reference/findings.md has all codes, and the filter P(bothends.vpn.findings#filter) says what each of them has.
    - Of the description, only the errors are among them; the role P(bothends.vpn.preflight#role) shows its warnings.
  returned: when the checks were made, also where they stop the module
  type: list
  elements: dict
hub:
  description: What the other end needs to know of the VPC.
  returned: success, or failure of single sites
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
      description: The VPN service's status in the API's words; null before there is one.
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
connections:
  description: The site connections that answer for the described sites.
  returned: success, or failure of single sites
  type: list
  elements: dict
  contains:
    name:
      description: Hub, site and number.
      type: str
      returned: success
      sample: prod/berlin/1
    id:
      description: The connection's id; null when check mode would create it.
      type: str
      returned: success
    status:
      description: Its status in the API's words.
      type: str
      returned: success
      sample: DOWN
    state:
      description: The same in the console's words.
      type: str
      returned: success
      sample: Not connected
    pending_activation:
      description: Whether a change is stored that is in force only once the site has made new SAs.
      type: bool
      returned: success
    not_compared:
      description: The fields that the cloud does not give back, so that nobody can tell whether they are as described.
      type: list
      elements: str
      returned: success
      sample: [psk]
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.bothends.vpn.plugins.module_utils import _hub, _hub_options, _module


def main() -> None:
    module = AnsibleModule(argument_spec={**_module.CLOUD_SPEC, **_hub_options.spec()}, supports_check_mode=True)
    _module.run(module, lambda cloud: _hub.apply(module.params, cloud, module.check_mode))


if __name__ == "__main__":
    main()
