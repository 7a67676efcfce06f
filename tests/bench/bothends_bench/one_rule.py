# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One security-group rule by the SDK in a process of its own, as openstack.cloud's module security_group_rule does it.

Log in, find the group by name, look among its rules for an equal one, create it. Options are JSON on stdin.
"""

from __future__ import annotations

import json
import sys

import openstack

if __name__ == "__main__":
    given = json.load(sys.stdin)
    network = openstack.connect().network
    group = network.find_security_group(given.pop("security_group"), ignore_missing=False)
    wanted = {"security_group_id": group.id, **given}
    if not list(network.security_group_rules(**wanted)):
        network.create_security_group_rule(**wanted)
