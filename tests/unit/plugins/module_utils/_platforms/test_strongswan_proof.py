# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _strongswan_proof, strongswan
from ansible_collections.bothends.vpn.plugins.module_utils._platforms._memory import State


@pytest.mark.parametrize(
    ("daemon", "number", "older"),
    [
        pytest.param("this one", 7, True, id="the newest when a change was loaded"),
        pytest.param("this one", 8, False, id="begun since"),
        pytest.param("another one", 7, False, id="the daemon began anew, and read what is stored"),
    ],
)
def test_an_sa_is_older_than_what_was_loaded_since(tmp_path, daemon, number, older):
    state = State(str(tmp_path / "state.json"), "this one")
    state.connections[strongswan.section("prod/berlin")] = {"older": 7, "digest": ""}
    state.save()
    there = [{"connection": "prod/berlin", "id": number}, {"connection": "prod/paris", "id": 1}]
    aged = _strongswan_proof.aged(there, State(state.path, daemon))
    assert [sa["older"] for sa in aged] == [older, False]
