# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""neutron-vpnaas' own strongSwan driver, with what differs because ESP is in user space and RPC in one process."""

from __future__ import annotations

import copy
import subprocess
import tempfile
import threading
import time

from neutron_lib import exceptions
from neutron_lib import rpc as n_rpc
from neutron_vpnaas.services.vpn.common import topics
from neutron_vpnaas.services.vpn.device_drivers import strongswan_ipsec

_BIND_AND_EXEC = 'mount --bind "$0/etc" /etc && mount --bind "$0/var/run" "$1" && shift && exec "$@"'
_LOAD_SECONDS = 10.0


class LabStrongSwanProcess(strongswan_ipsec.StrongSwanProcess):
    """One strongSwan in one router's namespace."""

    def _execute(self, cmd, check_exit_code=True, extra_ok_codes=None):
        """Runs a command as the stock driver does: in the namespace, with /etc and /run of its own.

        The stock driver starts a Python program for that, `neutron-vpn-netns-wrapper`, at 1.5 s and more a call;
        it also looks at the first process's namespaces, which not every machine allows even to root.
        """
        code, text = self._run(cmd)
        text = f"Command: {cmd} Exit code: {code} Stdout: {text}"
        if check_exit_code and code and code not in (extra_ok_codes or ()):
            raise exceptions.ProcessExecutionError(text, returncode=code)
        return text

    def _run(self, cmd):
        inside = ["sh", "-c", _BIND_AND_EXEC, self.config_dir, self._strongswan_piddir, *cmd]
        # A file and not a pipe: the daemon would hold a pipe open for ever.
        with tempfile.TemporaryFile() as output:
            done = subprocess.run(
                ["ip", "netns", "exec", self.namespace, *inside],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
            )
            output.seek(0)
            return done.returncode, output.read().decode(errors="replace")

    def start(self):
        """Starts strongSwan, waits until it answers, and initiates as the stock driver does.

        The stock driver does not wait: its slow wrapper gives the daemon the time that it needs.
        """
        if not self.namespace:
            return
        self._execute([self.binary, "start"])
        self._wait_until_loaded()
        super().start()

    def reload(self):
        """Lets strongSwan read its configuration again, and waits until it has.

        The stock driver does not wait here either. A connection that is not there yet when it then asks for the status
        stays `Creating` until another one is made.
        """
        super().reload()
        self._wait_until_loaded()

    def _wait_until_loaded(self):
        wanted = {one["id"] for one in self.vpnservice["ipsec_site_connections"] if one["admin_state_up"]}
        deadline = time.monotonic() + _LOAD_SECONDS
        while time.monotonic() < deadline:
            code, text = self._run([self.binary, "status"])
            if code == 0 and all(connection in text for connection in wanted):
                return
            time.sleep(0.05)


class LabStrongSwanDriver(strongswan_ipsec.StrongSwanDriver):
    """The agent's side of the VPN service."""

    def __init__(self, vpn_service, host):
        self._working = threading.RLock()
        super().__init__(vpn_service, host)
        # The server casts to (topic, server) and the agent listens on "topic.server". RabbitMQ makes one queue name
        # of both, the in-process transport does not.
        self.connection_by_topic = n_rpc.Connection()
        self.connection_by_topic.create_consumer(topics.IPSEC_AGENT_TOPIC, self.endpoints, fanout=False)
        self.connection_by_topic.consume_in_threads()

    def create_process(self, process_id, vpnservice, namespace):
        return LabStrongSwanProcess(self.conf, process_id, vpnservice, namespace)

    def sync(self, context, router_information):
        """Does what the API has stored, and no report meanwhile: it could take a mark away that it has not reported."""
        with self._working:
            super().sync(context, router_information)

    def report_status(self, context):
        """Reports what changed."""
        with self._working:
            self._reported = {}
            super().report_status(context)

    def copy_process_status(self, process):
        """Gives the same status to whoever asks in one report.

        The stock driver looks anew for what it remembers to have reported: a connection that came up since then is
        never reported. Its window is small where one connection comes up at a time, and wide where many do.
        """
        if process.id not in self._reported:
            self._reported[process.id] = super().copy_process_status(process)
        return copy.deepcopy(self._reported[process.id])

    def ensure_nat_rules(self, vpnservice):
        """Adds one firewall rule to neutron's own.

        With ESP in user space decrypted packets enter the router by ipsec0 and not by the external interface, where
        neutron marks what may enter a network of the router's address scope.
        """
        super().ensure_nat_rules(vpnservice)
        router = self.routers.get(vpnservice["router_id"])
        if not router:
            return
        manager = self.get_router_based_iptables_manager(router)
        for tables in (manager.ipv4, manager.ipv6):
            tables["mangle"].clear_rules_by_tag("vpnaas")
            mark = f"-i ipsec+ -j MARK --set-xmark {router.get_address_scope_mark_mask()}"
            tables["mangle"].add_rule("PREROUTING", mark, tag="vpnaas")
        manager.apply()
