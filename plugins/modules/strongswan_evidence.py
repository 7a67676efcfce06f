#!/usr/bin/python
# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: strongswan_evidence
short_description: Read what a strongSwan router can tell about tunnels that do not work
version_added: 0.1.0
author:
  - bothends.vpn authors (@bothends)
description:
  - Reads the end of charon's log (the files that C(strongswan.conf) names, else the journal), the stored and loaded configuration,
    addresses, routes, forwarding and NAT rules, pings the other gateway and knocks at its UDP ports 500 and 4500,
    three times where nothing comes. The filter P(bothends.vpn.causes#filter) says what that means.
  - Of a log file of any size only the end is read, each program may take seconds only (charon's own up to a
    minute), and what could not be read is returned beside the rest.
extends_documentation_fragment:
  - bothends.vpn.attributes
  - bothends.vpn.attributes.info
  - bothends.vpn.router.evidence
options:
  directory:
    description:
      - Directory of C(swanctl.conf).
    type: path
    default: /etc/swanctl
  uri:
    description:
      - VICI socket of charon, C(unix://...). Default is swanctl's own.
    type: str
seealso:
  - plugin: bothends.vpn.causes
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Look for what keeps the tunnels down
  bothends.vpn.strongswan_evidence:
    connections: "{{ vpn_sites | bothends.vpn.connections(hubs=vpn_hubs, policies=vpn_policies, end='site') }}"
  register: looked

- name: Say why
  ansible.builtin.debug:
    msg: "{{ rows | bothends.vpn.causes(connections=connections, evidence=looked.evidence, sas=state.sas) }}"
"""

RETURN = r"""
evidence:
  description: What was read of each connection.
  returned: success
  type: list
  elements: dict
  contains:
    connection:
      description: The connection's name.
      type: str
      returned: always
      sample: prod/berlin
    log:
      description: What the log says last, by kind, with the line (C(said)).
      type: dict
      returned: always
      sample: {auth.key: {said: "tried 1 shared key for '203.0.113.10' - '203.0.113.150', but MAC mismatched", count: 1}}
    log_read:
      description: Whether there was a log.
      type: bool
      returned: always
    stored:
      description: The connection in the router's files, without its key; null where there is none.
      type: dict
      returned: when the files can be read
    unreadable:
      description: Why they cannot be read.
      type: str
      returned: when they cannot
    loaded:
      description: Whether charon has it loaded.
      type: bool
      returned: when charon answers
    key_loaded:
      description: Whether charon has its key loaded.
      type: bool
      returned: when charon answers
    addresses:
      description: The router's addresses.
      type: list
      elements: str
      returned: when they can be read
    forwarding:
      description: Whether the router forwards, by address family.
      type: dict
      returned: always
    gateway_route:
      description: C(dev) and C(via) by which the hub's gateway is reached; null where there is no route.
      type: dict
      returned: when the hub's gateway is known
    gateway_answers:
      description: Whether it answers a ping.
      type: bool
      returned: when one can be sent
    ports:
      description: What became of a packet to UDP 500 and 4500, V(answers), V(refused), V(forbidden) or V(silent).
      type: dict
      returned: when the hub's gateway is known
    default_route:
      description: C(dev) and C(via) of the default route.
      type: dict
      returned: always
    lan:
      description: By which way the router would send into each of the site's subnets.
      type: list
      elements: dict
      returned: always
    source_nat:
      description: Rules that would translate what the tunnel should carry.
      type: list
      elements: str
      returned: when they can be read
    problems:
      description: What could not be read, and why.
      type: list
      elements: str
      returned: always
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.bothends.vpn.plugins.module_utils import _router
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import (
    _linux_evidence,
    _strongswan_evidence,
    _swanctl,
)

ARGUMENT_SPEC = {
    **_router.EVIDENCE_SPEC,
    "directory": {"type": "path", "default": "/etc/swanctl"},
    "uri": {"type": "str"},
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    given = module.params

    def find(name: str) -> str | None:
        return module.get_bin_path(name, opt_dirs=["/usr/sbin", "/sbin"])

    try:
        program = module.get_bin_path("swanctl", required=True, opt_dirs=["/usr/sbin", "/sbin"])
        swanctl = _swanctl.Swanctl(program, given["directory"], given["uri"])
        evidence = _strongswan_evidence.collect(
            swanctl, _linux_evidence.Machine(find), given["connections"],
            given["attempt"] and not module.check_mode, given["timeout"], given["log_files"],
        )  # fmt: skip
        module.exit_json(changed=False, evidence=evidence)
    except VpnError as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
