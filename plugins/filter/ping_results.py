# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: ping_results
short_description: Read what ping printed
version_added: 0.1.0
author: bothends.vpn authors (@bothends)
description:
  - Adds to each planned ping how many packets were sent and how many came back.
options:
  _input:
    description: The pings, as the filter P(bothends.vpn.probe_pings#filter) plans them.
    type: list
    elements: dict
    required: true
  results:
    description: The results of the commands, in the same order.
    type: list
    elements: dict
    required: true
  large:
    description:
      - Results of a search for the largest packet, each with the ping as its C(item), and in its C(stdout) a line for each size that
        was tried, V(passes), V(told) or V(silent) and the size of the payload.
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
- name: Count the answers
  ansible.builtin.set_fact:
    counted: "{{ pings | bothends.vpn.ping_results(pinged.results) }}"
"""

RETURN = r"""
_value:
  description:
    - The pings, with C(sent) and C(received), with what ping complained of (C(said)), and with the largest packet that passes
      (C(largest), in bytes) where larger ones vanish. Where a host could not be asked to ping, nothing was sent, and C(unasked)
      says why.
  type: list
  elements: dict
"""

import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _verdict
from ansible_collections.bothends.vpn.plugins.module_utils._description import plain
from ansible_collections.bothends.vpn.plugins.plugin_utils._guard import guarded


@guarded
def ping_results(planned: t.Any, results: t.Any, large: t.Any = ()) -> list[dict[str, t.Any]]:
    """List the pings with their answers."""
    return _verdict.ping_results(plain(planned), plain(results), plain(large))


class FilterModule:
    """Ansible's way to the filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"ping_results": ping_results}
