# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""API extension of neutron-lib that neutron-vpnaas 29.0.0 does not load; see `patches.load_extension_without_sha1`."""

from __future__ import annotations

from neutron_lib.api import extensions
from neutron_lib.api.definitions import vpn, vpn_aes_ctr, vpn_no_sha1_3des

# The definition is older than the counter modes and would take them away again.
for _policy in (vpn.IKE_POLICIES, vpn.IPSEC_POLICIES):
    vpn_no_sha1_3des.RESOURCE_ATTRIBUTE_MAP[_policy][vpn.ENCRYPTION_ALGORITHM]["validate"] = {
        "type:values": [
            algorithm
            for algorithm in vpn_aes_ctr.VPN_SUPPORTED_ENCRYPTION_ALGORITHMS_WITH_CTR
            if algorithm != vpn.VPN_ENCRYPTION_ALGORITHM_3DES
        ]
    }
vpn_no_sha1_3des.REQUIRED_EXTENSIONS = [vpn.ALIAS, vpn_aes_ctr.ALIAS]


class Vpn_no_sha1_3des(extensions.APIExtensionDescriptor):
    """Refuses sha1 and 3des, and makes sha256 the default."""

    api_definition = vpn_no_sha1_3des
