#!/usr/bin/python
# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Loads a libreswan router's connections and brings them into force."""

from __future__ import annotations

DOCUMENTATION = r"""
module: libreswan_connections
short_description: Load the connections of a libreswan router and bring them into force
version_added: 0.1.0
author:
  - bothends.vpn authors (@bothends)
description:
  - Makes pluto do what the files of M(bothends.vpn.site_configs) say. Loads only the tunnels that pluto does not have as the
    files say, whatever the reason (a changed file, a restarted pluto, an earlier run that was killed).
  - Then makes the SAs that are missing, or not what is declared, since a running SA keeps what it was born with. pluto ends a
    tunnel's SAs when it is loaded anew, so a change interrupts that connection for a moment, and the actions say so.
  - Connections and SAs of others stay.
extends_documentation_fragment:
  - bothends.vpn.attributes
  - bothends.vpn.router.connections
options:
  directory:
    description: Directory of the files, which C(ipsec.conf) and C(ipsec.secrets) include.
    type: path
    default: /etc/ipsec.d
  state_file:
    description: Where is kept what of the files was loaded into the running pluto. It must not outlive a restart of the machine.
    type: path
    default: /run/bothends-vpn/libreswan.json
  rundir:
    description: Directory of pluto's socket.
    type: path
    default: /run/pluto
"""

EXAMPLES = r"""
- name: Write the files
  bothends.vpn.site_configs:
    sites: "{{ site_router_sites }}"
    dest: /etc/ipsec.d
  register: written

- name: Load them and bring the connections up
  bothends.vpn.libreswan_connections:
    connections: "{{ written.connections }}"
    absent: "{{ written.absent }}"
    files: "{{ written.files }}"
"""

RETURN = r"""
actions:
  description:
    - What was done (in check mode, would be done) for each connection - load, unload, initiate, re-authenticate. C(load, which ends
      its SAs) and C(re-authenticate, which interrupts it) where SAs carry its tunnels now. Of a connection whose files would change,
      check mode takes all tunnels for loaded anew.
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
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _libreswan, _libreswan_router, _sas

ARGUMENT_SPEC: dict[str, t.Any] = {
    **_router.CONNECTIONS_SPEC,
    "directory": {"type": "path", "default": "/etc/ipsec.d"},
    "state_file": {"type": "path", "default": "/run/bothends-vpn/libreswan.json"},
    "rundir": {"type": "path", "default": "/run/pluto"},
}


def main() -> None:
    """Runs the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    given = module.params
    program = module.get_bin_path("ipsec", opt_dirs=["/usr/sbin", "/sbin"])
    if program is None:
        module.fail_json(msg="ipsec is not there. Install libreswan (Debian: libreswan).")
    changed = [entry for entry in given["files"] if entry["changed"]]
    try:
        router = _libreswan_router.Router(
            _libreswan.Pluto(program, given["directory"], given["rundir"]),
            given["connections"],
            [record["name"] for record in given["absent"]],
            {name for entry in changed for name in entry["connections"]},
            {entry["site"] for entry in changed},
            given["state_file"],
            given["timeout"],
            module.check_mode,
        )
        router.load()
        if given["activate"]:
            unheard = _sas.unheard(router.records, router.pluto.sas(), given["reported_down"])
            router.activate([*given["reauthenticate"], *unheard])
    except (VpnError, OSError) as error:
        module.fail_json(msg=str(error))
    _router.end(module, router.done, router.failures)


if __name__ == "__main__":
    main()
