# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one error that the lab raises by itself."""

from __future__ import annotations


class LabError(Exception):
    """Something that the user can read and act on; shown without a traceback."""
