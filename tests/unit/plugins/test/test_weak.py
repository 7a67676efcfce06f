# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.bothends.vpn.plugins.module_utils import _algorithms
from ansible_collections.bothends.vpn.plugins.test.weak import TestModule as Plugin
from ansible_collections.bothends.vpn.tests.unit.builders import findings, site

weak = Plugin().tests()["weak"]
STRONG = {"ike": {"version": "v2", "encryption": "aes-256", "integrity": "sha384", "dh_group": "group20", "lifetime": 28800},
          "ipsec": {"encryption": "aes-256", "integrity": "sha384", "pfs_group": "group20", "lifetime": 3600}}  # fmt: skip


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        *((name, True) for name in ("group1", "group2", "group5", "group22", "group23", "group24")),
        *((name, True) for name in ("md5", "des", "3des", "v1", "ikev1", "MD5")),
        *((name, False) for name in ("group14", "group19", "group31", "aes-128", "aes-256-gcm-16", "sha256", "sha2-256", "sha1", "v2")),
        (STRONG, False),
        ({}, False),
        ({**STRONG, "ipsec": {"pfs_group": "group5"}}, True),
        ({"ike": {"version": "v1"}}, True),
    ],
)  # fmt: skip
def test_some(value, answer):
    assert weak(value) is answer


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("grop5", "'grop5' is no algorithm .* Did you mean group5"),
        ("rot13", "'rot13' is no algorithm"),
        ({"ike": {"dh_group": "group5", "encryption": "aes-255"}}, "'aes-255' is no algorithm"),
        (None, "None is no algorithm"),
        ({"iek": {"version": "v1"}}, "'iek' is not known: a policy has ike and ipsec"),
        ({"encryption": "des"}, "'encryption' is not known: a policy has ike and ipsec"),
        ({"ike": {"group": "group5"}}, "'group' is not known: ike has version, encryption"),
    ],
)
def test_what_nobody_knows_does_not_pass(value, said):
    with pytest.raises(AnsibleFilterError, match=rf"bothends\.vpn\.weak: {said}"):
        weak(value)


@pytest.mark.parametrize(("phase", "field"), [("ike", "dh_group"), ("ipsec", "pfs_group")])
@pytest.mark.parametrize("group", _algorithms.DH_GROUP)
def test_the_finding_and_the_test_say_the_same(phase, field, group):
    path = f"vpn_policies.default.{phase}.{field}"
    found = findings({"a": site()}, policies={"default": {phase: {field: group}}})
    assert (("weak-algorithm", path) in found) is weak(group)
