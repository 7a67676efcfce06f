# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""How long the SAs of a connection are tried to be made, on any platform."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils._platforms._sas import Standing

_RETRY = 3  # seconds between two tries


def insist(make: t.Callable[[Standing], Standing], now: Standing, seconds: int) -> Standing:
    """Tries for a while: what a cloud stored is in force there only some seconds after it said so."""
    end = time.monotonic() + seconds
    while True:
        now = make(now)
        if not now.lacking or now.wrong or time.monotonic() + _RETRY > end:
            return now
        time.sleep(_RETRY)
