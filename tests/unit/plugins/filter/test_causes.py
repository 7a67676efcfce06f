# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.bothends.vpn.plugins.filter.causes import FilterModule
from ansible_collections.bothends.vpn.plugins.filter.connections import connections
from ansible_collections.bothends.vpn.tests.unit.builders import hub, site

causes = FilterModule().filters()["causes"]

ROW = {"tunnel": "prod/berlin/1", "site": "berlin", "status": "Not connected", "verdict": "failed", "why": "x"}


def records():
    return connections({"berlin": site()}, hubs={"prod": hub(gateway="203.0.113.150")}, end="site")


def test_a_row_gets_its_causes():
    log = {"auth.key": {"said": "tried 1 shared key for 'a' - 'b', but MAC mismatched", "count": 1}}
    evidence = [{"connection": "prod/berlin", "log": log, "log_read": True, "problems": []}]
    (row,) = causes([ROW], connections=records(), evidence=evidence, sas=[])
    (cause,) = row.pop("causes")
    assert row == ROW
    assert (cause["code"], cause["end"]) == ("psk", "either end")
    assert cause["evidence"] == log["auth.key"]["said"] and cause["cause"] and cause["remedy"]


@pytest.mark.parametrize(("rows", "given"), [([ROW], ["prod/berlin"]), ("x", []), ([{}], [])])
def test_what_is_no_row_or_record_is_named(rows, given):
    with pytest.raises(AnsibleFilterError, match=r"bothends\.vpn\.causes: "):
        causes(rows, connections=given)
