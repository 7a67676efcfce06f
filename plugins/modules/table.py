#!/usr/bin/python
# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: table
short_description: Print rows as a table that fits the terminal
version_added: 0.1.0
author:
  - bothends.vpn authors (@bothends)
description:
  - Prints a list of dicts as a table, on the controller, whatever callback plugin is in use. Changes nothing.
extends_documentation_fragment:
  - bothends.vpn.attributes
  - bothends.vpn.attributes.info
options:
  title:
    description:
      - A line above the table.
    type: str
  columns:
    description:
      - The keys to show, in this order, each with its heading.
    type: dict
    required: true
  rows:
    description:
      - The rows.
    type: list
    elements: dict
    required: true
  empty:
    description:
      - What to print when there are no rows.
    type: str
    default: nothing
attributes:
  action:
    description: Runs on the controller only.
    support: full
"""

EXAMPLES = r"""
- name: Show who overlaps whom
  bothends.vpn.table:
    title: Overlaps
    columns: {first: first, second: second}
    rows:
      - {first: 192.168.1.0/24, second: 192.168.0.0/16}
"""

RETURN = r"""
lines:
  description: The table's lines.
  returned: success
  type: list
  elements: str
"""
