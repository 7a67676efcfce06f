# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Enforces security groups in packets: nftables in each server's namespace, from what neutron says of its port.

Neutron computes the rules of a port for its layer 2 agents, with remote groups resolved to addresses; this is such
an agent, in neutron's own process. It works before the API's answer to a write is sent, so that what the API has
confirmed is in force.
"""

from __future__ import annotations

import itertools
import threading
from typing import Any

from neutron.api.rpc.handlers.securitygroups_rpc import SecurityGroupServerRpcCallback
from neutron_lib import context
from oslo_log import log as logging

from .. import netns
from ..layout import Layout
from .nftables import DELETED, ruleset

LOG = logging.getLogger(__name__)


class PacketFilter:
    """WSGI middleware that brings the servers' rules up to date after each write and before its answer."""

    def __init__(self, application: Any, layout: Layout) -> None:
        self._application = application
        self._layout = layout
        self._rpc = SecurityGroupServerRpcCallback()
        self._loaded: dict[str, str] = {}
        self._lock = threading.Lock()
        self._asked = itertools.count(1)
        self._next = 0
        self._done = 0

    def __call__(self, environ, start_response):
        answer = self._application(environ, start_response)
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            self.refresh()
        return answer

    def refresh(self) -> None:
        """Loads what changed. One that waited while another began after it has nothing left to do."""
        self._next = ticket = next(self._asked)
        with self._lock:
            if self._done >= ticket:
                return
            covers = self._next
            try:
                self._load()
            except Exception:
                LOG.exception("the servers' packet filters could not be brought up to date")
                raise
            self._done = covers

    def _load(self) -> None:
        namespaces = {path.name: path.read_text() for path in self._layout.server_ports.glob("*")}
        if not namespaces:
            return
        rules = self._rpc.security_group_rules_for_devices(context.get_admin_context(), devices=list(namespaces))
        for port_id, namespace in namespaces.items():
            text = ruleset(rules.get(port_id, DELETED))
            if self._loaded.get(port_id) != text and netns.exists(namespace):
                netns.run([*netns.enter(namespace), "nft", "-f", "-"], stdin=text)
                self._loaded[port_id] = text
