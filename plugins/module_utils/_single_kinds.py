# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""The kinds of objects that have a module of their own. Pure."""

from __future__ import annotations

from ansible_collections.bothends.vpn.plugins.module_utils._description import Spec
from ansible_collections.bothends.vpn.plugins.module_utils._single import Row
from ansible_collections.bothends.vpn.plugins.module_utils._single_connections import SITE_CONNECTION
from ansible_collections.bothends.vpn.plugins.module_utils._single_options import COMMON
from ansible_collections.bothends.vpn.plugins.module_utils._single_policies import IKE_POLICY, IPSEC_POLICY
from ansible_collections.bothends.vpn.plugins.module_utils._single_services import ENDPOINT_GROUP, VPN_SERVICE

ROWS: dict[str, Row] = {
    row.kind: row for row in (IKE_POLICY, IPSEC_POLICY, VPN_SERVICE, ENDPOINT_GROUP, SITE_CONNECTION)
}


def options(kind: str) -> Spec:
    """Give a module's options with their descriptions."""
    return {**COMMON, **ROWS[kind].options}
