# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How neutron's L3 agent plugs a router into a network: a veth pair to the network's bridge in the fabric.

It stands in for Open vSwitch: one kernel bridge a network, all in one namespace.
"""

from __future__ import annotations

from neutron.agent.linux import interface, ip_lib

from .. import netns
from ..layout import Layout
from .build import bridge_of


class FabricInterfaceDriver(interface.LinuxInterfaceDriver):
    """The four operations that the agent asks for."""

    def plug_new(
        self, network_id, port_id, device_name, mac_address, bridge=None, namespace=None, prefix=None, mtu=None
    ):
        layout = Layout()
        layout.router_namespaces.mkdir(parents=True, exist_ok=True)
        (layout.router_namespaces / namespace).touch()
        ip_lib.IPWrapper().ensure_namespace(namespace)
        netns.ensure_bridge(layout.fabric, bridge_of(network_id))
        netns.plug(layout.fabric, bridge_of(network_id), "tap" + port_id[:11], namespace, device_name, mac_address)
        self.set_mtu(device_name, mtu, namespace)
        netns.ip(namespace, f"link set {device_name} up")

    def unplug(self, device_name, bridge=None, namespace=None, prefix=None):
        netns.ip(namespace, f"link delete {device_name}", force=True)

    def set_mtu(self, device_name, mtu, namespace=None, prefix=None):
        if mtu:
            netns.ip(namespace, f"link set {device_name} mtu {mtu}")
