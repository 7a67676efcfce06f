# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What verify does to name a cause at a router with libreswan, without Ansible's seconds: the modules' own code in the guest."""

from __future__ import annotations

import base64
import io
import json
import tarfile
import typing as t

from scenarios.causes import Doctor
from scenarios.conftest import ROOT

from ansible_collections.bothends.vpn.plugins.module_utils import _cloud
from bothends_lab import Lab

from .guest import Guest

_TREE = "/root/tree"
_UTILS = "ansible_collections/bothends/vpn/plugins/module_utils"
_LOOK = """
import json, shutil, sys
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _libreswan, _libreswan_evidence, _linux_evidence
given = json.load(sys.stdin)
pluto = _libreswan.Pluto("/usr/sbin/ipsec", "/etc/ipsec.d", "/run/pluto")
evidence = _libreswan_evidence.collect(
    pluto, _linux_evidence.Machine(shutil.which), given["records"], given["attempt"], given["timeout"])
print(json.dumps({"evidence": evidence, "sas": pluto.sas(), "proof": None}))
"""


class PlutoDoctor(Doctor):
    """Looks at the connection of the example, at both ends."""

    def __init__(self, lab: Lab, cloud: _cloud.Cloud, guest: Guest, description: t.Mapping[str, t.Any]) -> None:
        super().__init__(lab, cloud, description)
        self.guest = guest
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as tar:
            for path in sorted((ROOT / "plugins/module_utils").rglob("*.py")):
                tar.add(path, f"{_UTILS}/{path.relative_to(ROOT / 'plugins/module_utils')}")
        unpack = f"mkdir -p {_TREE} && base64 -d | tar -xz -C {_TREE}"
        guest.run(["sh", "-c", unpack], stdin=base64.encodebytes(packed.getvalue()).decode())

    def _router(self, given: dict[str, t.Any]) -> dict[str, t.Any]:
        done = self.guest.run(
            ["env", f"PYTHONPATH={_TREE}", "python3", "-c", _LOOK], stdin=json.dumps(given), timeout=90
        )
        return json.loads(done.stdout)
