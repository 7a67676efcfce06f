# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""The one error that the collection's own code raises; only a module's or plugin's edge turns it into a failure."""

from __future__ import annotations

import typing as t


class VpnError(Exception):
    """Something that the operator must know: the message names the object, what is wrong and the remedy.

    ``result`` is what a module returns all the same: what was planned and done before it failed.
    """

    def __init__(self, message: str, **result: t.Any) -> None:
        super().__init__(message)
        self.result = result
