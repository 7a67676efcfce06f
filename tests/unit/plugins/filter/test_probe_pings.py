# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.bothends.vpn.plugins.filter.connections import connections
from ansible_collections.bothends.vpn.plugins.filter.probe_pings import FilterModule
from ansible_collections.bothends.vpn.tests.unit.builders import hub, site

probe_pings = FilterModule().filters()["probe_pings"]


def records(probe):
    return connections({"berlin": site(probe=probe)}, hubs={"prod": hub(gateway="203.0.113.150")}, end="site")


def test_a_probe_goes_there_and_back():
    planned = probe_pings(
        records({"from": "10.3.0.10", "to": "192.168.1.10"}), hosts={"pc": "10.3.0.10", "server": "192.168.1.10"}
    )
    assert planned == [
        {"tunnel": "prod/berlin/1", "host": "pc", "from": "10.3.0.10", "to": "192.168.1.10"},
        {"tunnel": "prod/berlin/1", "host": "server", "from": "192.168.1.10", "to": "10.3.0.10"},
    ]


def test_a_probe_host_that_nobody_knows():
    with pytest.raises(AnsibleFilterError, match=r"bothends\.vpn\.probe_pings: site berlin: probe: pc is neither"):
        probe_pings(records({"from": "pc", "to": "192.168.1.10"}), hosts={})
