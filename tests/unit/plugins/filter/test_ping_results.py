# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.bothends.vpn.plugins.filter.ping_results import FilterModule

ping_results = FilterModule().filters()["ping_results"]

PING = {"tunnel": "prod/berlin/1", "host": "pc", "from": "192.168.3.10", "to": "192.168.1.10"}


def test_each_ping_gets_its_count():
    out = "--- 192.168.1.10 ping statistics ---\n3 packets transmitted, 2 received, 33% packet loss, time 402ms"
    assert ping_results([PING], [{"stdout": out}]) == [{**PING, "sent": 3, "received": 2}]


def test_results_that_are_not_those_of_the_pings():
    with pytest.raises(AnsibleFilterError, match=r"bothends\.vpn\.ping_results: 1 pings were planned"):
        ping_results([PING], [])
