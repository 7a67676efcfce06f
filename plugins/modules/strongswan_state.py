#!/usr/bin/python
# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: strongswan_state
short_description: Read a strongSwan router's SAs, or make them anew to prove them
version_added: 0.1.0
author:
  - bothends.vpn authors (@bothends)
description:
  - Reads the running SAs with their suites, selectors and counters, in the words of the description.
  - With O(prove) it re-authenticates each connection and then rekeys each tunnel first, and returns what was there before and
    after each of the two. A running SA keeps what it was born with, so only this shows that what is stored works.
extends_documentation_fragment:
  - bothends.vpn.attributes
  - bothends.vpn.router.state
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
  state_file:
    description:
      - Where M(bothends.vpn.strongswan_connections) keeps what it loaded into the running charon.
    type: path
    default: /run/bothends-vpn/strongswan.json
"""

EXAMPLES = r"""
- name: Look at the SAs
  bothends.vpn.strongswan_state:
  register: state

- name: Show them
  ansible.builtin.debug:
    var: state.sas
"""

RETURN = r"""
sas:
  description:
    - The IKE SAs with their children, as they are at the end. One that is C(older) has not what was loaded of its connection since.
  returned: success
  type: list
  elements: dict
now:
  description: The router's time when the SAs were read, in seconds since 1970.
  returned: success
  type: float
proof:
  description: The SAs C(before), after each was C(reauthenticated), and after each child was C(rekeyed).
  returned: when O(prove) was done
  type: dict
"""

import time

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.bothends.vpn.plugins.module_utils import _router
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _strongswan_proof, _swanctl
from ansible_collections.bothends.vpn.plugins.module_utils._platforms._memory import State

ARGUMENT_SPEC = {
    **_router.STATE_SPEC,
    "directory": {"type": "path", "default": "/etc/swanctl"},
    "uri": {"type": "str"},
    "state_file": {"type": "path", "default": "/run/bothends-vpn/strongswan.json"},
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    given = module.params
    prove = given["prove"] and not module.check_mode
    try:
        program = module.get_bin_path("swanctl", required=True, opt_dirs=["/usr/sbin", "/sbin"])
        swanctl = _swanctl.Swanctl(program, given["directory"], given["uri"])
        proof = _strongswan_proof.prove(swanctl, given["connections"], given["timeout"]) if prove else None
        charon, _plugins = swanctl.born()
        sas = _strongswan_proof.aged(_strongswan_proof.sas(swanctl), State(given["state_file"], charon))
        module.exit_json(changed=prove, sas=sas, now=time.time(), **({"proof": proof} if proof else {}))
    except VpnError as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
