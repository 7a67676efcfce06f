# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.bothends.vpn.plugins.filter.named import FilterModule

named = FilterModule().filters()["named"]


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ({}, []),
        ({"strong": {"ike": 1}, "weak": {}}, [{"name": "strong", "ike": 1}, {"name": "weak"}]),
        # As a survey sends what was left out
        (
            {"strong": {"ike": {"prf": None, "lifetime": "", "version": "v2"}, "ipsec": ""}},
            [{"name": "strong", "ike": {"version": "v2"}}],
        ),
    ],
)
def test_a_dict_becomes_a_list(entries, expected):
    assert named(entries) == expected


@pytest.mark.parametrize("wrong", [None, [], "strong", {"strong": None}, {"strong": {}, "weak": "x"}])
def test_anything_else_is_refused(wrong):
    with pytest.raises(AnsibleFilterError, match=r"bothends\.vpn\.named: a dict of dicts is wanted"):
        named(wrong)
