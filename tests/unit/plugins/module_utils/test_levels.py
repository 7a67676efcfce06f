# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.bothends.vpn.plugins.module_utils import _algorithms, _description, _levels


def test_every_cell_is_about_a_field_of_a_policy():
    for phase, fields in _levels.CELLS.items():
        for field, cells in fields.items():
            known = set(_description.POLICY[phase]["options"][field]["choices"])
            # What no policy can have is there for the test `weak` only, because some provider speaks it.
            assert set(cells) - known <= {"des", "3des", "md5", "sha1", "group1"}
            assert all(one.clause.startswith("RFC ") for one in cells.values())


def test_one_name_has_one_level_wherever_it_stands():
    groups = [_levels.CELLS[phase][field] for phase, field in (("ike", "dh_group"), ("ipsec", "pfs_group"))]
    assert groups[0] == groups[1]
    for name in ("md5", "sha1", "sha256"):
        assert _levels.cell("ike", "prf", name).level == _levels.cell("ike", "integrity", name).level


def test_strength_and_level_do_not_contradict():
    """What the RFC forbids or advises against has fewer bits than what it demands; RFC 5114's groups are another matter."""
    cells = _levels.CELLS["ike"]["dh_group"]
    demanded = min(_algorithms.DH_GROUP[name].bits for name in cells if cells[name].level in ("MUST", "SHOULD"))
    for name, one in cells.items():
        if one.level in _levels.REFUSED and name in _algorithms.DH_GROUP and name not in ("group23", "group24"):
            assert _algorithms.DH_GROUP[name].bits < demanded


@pytest.mark.parametrize(
    ("policy", "found"),
    [
        ({}, []),
        ({"ike": {"version": "v2", "encryption": "aes-256", "dh_group": "group31"}, "ipsec": {"pfs_group": "group14"}}, []),
        ({"ike": {"version": "v1"}}, [("ike", "version", "historic")]),
        ({"ike": {"dh_group": "group22"}}, [("ike", "dh_group", "MUST NOT")]),
        ({"ipsec": {"pfs_group": "group5", "encryption": "aes-128"}}, [("ipsec", "pfs_group", "SHOULD NOT")]),
        ({"ike": {"integrity": "md5", "prf": None}}, [("ike", "integrity", "MUST NOT")]),
    ],
)  # fmt: skip
def test_what_is_refused_of_a_policy(policy, found):
    assert [(phase, field, cell.level) for phase, field, _value, cell in _levels.refused(policy)] == found
