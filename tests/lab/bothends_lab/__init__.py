# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab of the collection `bothends.vpn`: a real cloud network and real site routers on one machine."""

from __future__ import annotations

from .errors import LabError
from .flow import Flow
from .lab import Lab, Ping, Request

__all__ = ["Flow", "Lab", "LabError", "Ping", "Request"]
