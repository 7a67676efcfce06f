# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: weak
short_description: Whether an algorithm or a policy should not be used
version_added: 0.1.0
author: bothends.vpn authors (@bothends)
description:
  - Looks an algorithm, an IKE version or everything in a policy up in the requirement levels of RFC 8247, 8221 and 9395; weak is what
    has SHOULD NOT, MUST NOT or is historic there. The same table makes the findings C(weak-algorithm) and C(ikev1) of
    P(bothends.vpn.findings#filter).
  - A name of which nothing is known is an error, so that a misspelt one does not pass.
options:
  _input:
    description:
      - The name of an algorithm as C(vpn_policies) has it (V(group14), V(aes-256), V(sha256)), also V(md5), V(des), V(3des), V(sha1) and
        V(group1) which no policy can have, V(v1) or V(v2), or a policy as a dict with C(ike) and C(ipsec).
    type: raw
    required: true
seealso:
  - plugin: bothends.vpn.findings
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Allow no weak policy
  ansible.builtin.assert:
    that: weak | length == 0
    fail_msg: "These can be broken: {{ weak | map(attribute='key') | join(', ') }}"
  vars:
    weak: "{{ vpn_policies | dict2items | selectattr('value', 'bothends.vpn.weak') }}"
"""

RETURN = r"""
_value:
  description: Whether it, or anything in it, should not be used.
  type: bool
"""

import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _levels
from ansible_collections.bothends.vpn.plugins.module_utils._description import plain
from ansible_collections.bothends.vpn.plugins.plugin_utils._guard import guarded


@guarded
def weak(value: t.Any) -> bool:
    """Whether an algorithm or a policy should not be used."""
    return _levels.is_weak(plain(value))


class TestModule:
    """Ansible's way to the test."""

    def tests(self) -> dict[str, t.Callable[..., bool]]:
        """Name the test."""
        return {"weak": weak}
