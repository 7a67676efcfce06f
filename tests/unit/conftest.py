# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all unit tests share."""

from __future__ import annotations

from hypothesis import settings

# How long one example takes says more about what else the machine does than about the code; and what is tried is what was
# tried before, so that a run fails for what was changed and not by chance.
settings.register_profile("alike", deadline=None, derandomize=True)
settings.load_profile("alike")
