# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.bothends.vpn.plugins.filter.connections import connections
from ansible_collections.bothends.vpn.plugins.filter.verdicts import FilterModule
from ansible_collections.bothends.vpn.tests.unit.builders import hub, site

verdicts = FilterModule().filters()["verdicts"]


def records():
    return connections({"berlin": site()}, hubs={"prod": hub(gateway="203.0.113.150")}, end="site")


@pytest.mark.parametrize(
    ("sas", "verdict", "why"),
    [
        ([], "failed", "the router has no SA for it"),
        (None, "not proven", "router berlin was not asked: it is not in this run, or could not be reached"),
    ],
)
def test_a_row_for_each_tunnel(sas, verdict, why):
    (row,) = verdicts(records(), statuses={"prod": [{"name": "prod/berlin/1", "state": "Normal"}]}, sas=sas, proof={})
    assert (row["tunnel"], row["status"], row["verdict"], row["why"]) == ("prod/berlin/1", "Normal", verdict, why)


def test_a_router_that_gives_no_answer_has_failed():
    """Whatever the cloud says; one that nobody asked has not."""
    there = {"prod": [{"name": "prod/berlin/1", "state": "Normal"}]}
    silent = "the daemon charon did not answer within 15 s"
    given = {"statuses": there, "sas": None, "pending": ["prod/berlin/1"]}
    (row,) = verdicts(records(), silent=silent, **given)
    assert (row["tunnel"], row["status"], row["verdict"]) == ("prod/berlin/1", "Normal", "failed")
    assert row["why"] == f"router berlin: {silent}"
    (row,) = verdicts(records(), **{**given, "statuses": {}}, silent=silent)
    assert row["why"] == f"the cloud did not answer; router berlin: {silent}"
    (row,) = verdicts(records(), silent="", **given)
    assert row["verdict"] == "pending" and silent not in row["why"]


@pytest.mark.parametrize("wrong", [{"records": ["prod/berlin"]}, {"statuses": ["x"]}, {"sas": ["x"]}], ids=str)
def test_what_is_no_record_is_named(wrong):
    with pytest.raises(AnsibleFilterError, match=r"bothends\.vpn\.verdicts: "):
        verdicts(**{"records": records(), "statuses": {}, "sas": [], **wrong})
