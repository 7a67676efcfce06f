# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keystone and neutron must have changed at run time to be one small cloud. Each patch says why.

They are tied to the pinned releases of requirements.txt.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import sys


def retry_when_sqlite_is_locked() -> None:
    """SQLite lets one writer in at a time; the others get an error that oslo.db does not know as "try again".

    As a deadlock it is one that keystone and neutron retry by themselves.
    """
    import sqlalchemy.exc
    from oslo_db import exception
    from oslo_db.sqlalchemy import exc_filters

    @exc_filters.filters("sqlite", sqlalchemy.exc.OperationalError, r".*database is locked")
    def _locked(error, match, engine_name, is_disconnect):
        raise exception.DBDeadlock(error)


def retry_soon() -> None:
    """Between its attempts neutron waits half a second, then up to 1, 2, 4, 8 seconds: a database server rarely makes it.

    SQLite makes it at every fifth write of a busy run, and lets the next one in within milliseconds.
    """
    from neutron_lib.db import api

    retry = api._retry_db_errors  # one for all that it decorates
    retry.retry_interval, retry.max_retry_interval, retry.max_retries = 0.05, 0.3, 100


def load_extension_without_sha1() -> None:
    """neutron-vpnaas 29.0.0 no longer stores sha1 and 3des, but forgot to say so in its API.

    A policy made with the API's default (sha1) is stored and from then on every list of policies answers 500.
    neutron-lib has the API extension for it; `extensions/vpn_no_sha1_3des.py` loads it.
    """
    from neutron_vpnaas.services.vpn import plugin

    plugin.VPNPlugin.supported_extension_aliases.append("vpn-no-sha1-3des")


def add_mechanism_driver() -> None:
    """Mechanism drivers are found as entry points of installed packages only, and the lab is not one."""
    from neutron.plugins.ml2 import managers

    entry_point = importlib.metadata.EntryPoint(
        "fabric", "bothends_lab.cloud.mechanism_driver:FabricMechanismDriver", "neutron.ml2.mechanism_drivers"
    )
    managers.MechanismManager.list_entry_points = lambda self: [entry_point]


def work_as_root_in_process() -> None:
    """Privileged calls go to helper processes of 120 MB each, to lose and regain root; the lab is root throughout."""
    from neutron import privileged
    from oslo_privsep import priv_context

    for context in vars(privileged).values():
        if isinstance(context, priv_context.PrivContext):
            context.set_client_mode(False)


def separate_agent_callbacks() -> None:
    """Server and agent publish events of the same names, with different contents, in one registry a process.

    Here they share the process, so that each would hear the other's. Every `neutron.agent` module that uses the
    registry gets a second copy of it.
    """
    from neutron_lib import callbacks
    from neutron_lib.callbacks import registry

    spec = importlib.util.find_spec(registry.__name__)
    assert spec and spec.loader
    copy = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(copy)
    sys.modules[registry.__name__] = callbacks.registry = copy
    try:
        import neutron.agent.l3.agent
        import neutron.agent.metadata.driver  # noqa: F401
    finally:
        sys.modules[registry.__name__] = callbacks.registry = registry
    for name, module in list(sys.modules.items()):
        if name.startswith("neutron.agent.") and getattr(module, "registry", None) is registry:
            module.registry = copy


def leave_namespaces_of_other_clouds() -> None:
    """At its start the L3 agent removes every `qrouter-` namespace of the machine that is not of a router of its own.

    Several labs may run side by side, and each starts with an empty cloud: there is nothing to clean up.
    """
    from neutron.agent.l3.namespace_manager import NamespaceManager

    begin = NamespaceManager.__init__

    def begin_clean(self, *args, **kwargs):
        begin(self, *args, **kwargs)
        self._clean_stale = False

    NamespaceManager.__init__ = begin_clean


def retry_what_meets_a_locked_database() -> None:
    """SQLite refuses a write while another one goes on, where a database server would let it wait.

    Three places of neutron-vpnaas do not bear that. A status report raises in the agent's loop, which then never reports
    again. A VPN service is stored in three transactions, and when the second or third one is refused, neutron begins with
    the first again: one request makes two services, and one of them has no address. neutron's own decorator for its API
    calls does for these as well.
    """
    from neutron.db.servicetype_db import ServiceTypeManager
    from neutron_lib.db import api
    from neutron_vpnaas.db.vpn.vpn_db import VPNPluginRpcDbMixin
    from neutron_vpnaas.services.vpn.service_drivers.base_ipsec import BaseIPsecVPNDriver

    for owner, name in (
        (VPNPluginRpcDbMixin, "update_status_by_agent"),
        (ServiceTypeManager, "add_resource_association"),
        (BaseIPsecVPNDriver, "create_vpnservice"),
    ):
        setattr(owner, name, api.retry_if_session_inactive()(getattr(owner, name)))
