# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A router with a Linux kernel of its own in the running lab, and libreswan's own programs as a judge."""

from __future__ import annotations

from pathlib import Path

SOURCE = Path(__file__).resolve().parent
CACHE = SOURCE.parents[2] / ".cache" / "lab_kernel"
# The files of a Debian with libreswan, never written to.
ROOT = CACHE / "root"
