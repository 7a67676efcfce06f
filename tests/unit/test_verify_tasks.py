# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A router that hangs costs its own row of verify's report, and bounded time; the report is made all the same."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

TASKS = Path(__file__).parents[2] / "roles/verify/tasks"


@pytest.mark.parametrize("path", sorted(TASKS.glob("*swan*.yml")), ids=lambda path: path.stem)
def test_a_task_that_asks_a_router_ends(path):
    """A limit that is over is an error that ``failed_when`` does not see."""
    for task in yaml.safe_load(path.read_text()):
        assert task["timeout"] and task["ignore_errors"] is task["ignore_unreachable"] is True
        assert task["failed_when"] is False
