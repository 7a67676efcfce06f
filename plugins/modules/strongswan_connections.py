#!/usr/bin/python
# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Loads a strongSwan router's connections and brings them into force."""

from __future__ import annotations

DOCUMENTATION = r"""
module: strongswan_connections
short_description: Load the connections of a strongSwan router and bring them into force
version_added: 0.1.0
author:
  - bothends.vpn authors (@bothends)
description:
  - Makes charon do what the files of M(bothends.vpn.site_configs) say. Loads only when charon does not have what the files
    say, whatever the reason (a changed file, a restarted charon, an earlier run that was killed).
  - Then makes the SAs that are missing, or older than what is loaded, or not what is declared, since a running SA keeps what
    it was born with. The old SA is kept until the new one is there wherever charon can do so.
  - Connections, keys and SAs of others stay. Where loading would remove some that no swanctl file has, it refuses.
extends_documentation_fragment:
  - bothends.vpn.attributes
  - bothends.vpn.router.connections
options:
  directory:
    description: Directory of C(swanctl.conf).
    type: path
    default: /etc/swanctl
  state_file:
    description: Where is kept what of the files was loaded into the running charon. It must not outlive a restart of the machine.
    type: path
    default: /run/bothends-vpn/strongswan.json
  uri:
    description: VICI socket of charon, C(unix://...). Default is swanctl's own.
    type: str
"""

EXAMPLES = r"""
- name: Write the files
  bothends.vpn.site_configs:
    sites: "{{ site_router_sites }}"
    dest: /etc/swanctl/conf.d
  register: written

- name: Load them and bring the connections up
  bothends.vpn.strongswan_connections:
    connections: "{{ written.connections }}"
    absent: "{{ written.absent }}"
    files: "{{ written.files }}"
"""

RETURN = r"""
actions:
  description: What was done (in check mode, would be done) for each connection - load, unload, initiate, re-authenticate, terminate.
  type: dict
  returned: always
  sample: {prod/berlin: [load, initiate]}
failures:
  description: What did not come up and why. The module fails when there is any, after it has been through all connections.
  type: list
  elements: str
  returned: always
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.bothends.vpn.plugins.module_utils import _router
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import (
    _sas,
    _strongswan_router,
    _swanctl,
    strongswan,
)

ARGUMENT_SPEC: dict[str, t.Any] = {
    **_router.CONNECTIONS_SPEC,
    "directory": {"type": "path", "default": "/etc/swanctl"},
    "state_file": {"type": "path", "default": "/run/bothends-vpn/strongswan.json"},
    "uri": {"type": "str"},
}


def main() -> None:
    """Runs the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    given = module.params
    program = module.get_bin_path("swanctl", opt_dirs=["/usr/sbin", "/sbin"])
    if program is None:
        module.fail_json(msg="swanctl is not there. Install strongSwan (Debian: charon-systemd, strongswan-swanctl).")
    changed = [entry for entry in given["files"] if entry["changed"]]
    try:
        router = _strongswan_router.Router(
            _swanctl.Swanctl(program, given["directory"], given["uri"]),
            given["connections"],
            [record["name"] for record in given["absent"]],
            [strongswan.section(name) for entry in changed for name in entry["connections"]],
            [entry["path"] for entry in changed],
            given["state_file"],
            given["timeout"],
            module.check_mode,
        )
        router.load()
        router.remove()
        if given["activate"]:
            unheard = _sas.unheard(router.records, router.before, given["reported_down"])
            router.activate([*given["reauthenticate"], *unheard])
    except (VpnError, OSError) as error:
        module.fail_json(msg=str(error))
    _router.end(module, router.done, router.failures)


if __name__ == "__main__":
    main()
