# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""neutron's API, its RPC server and its L3 agent in one process: `... neutron_server PORT CONFIG AGENT`.

One process instead of four, and no message broker: the parts talk over oslo.messaging's in-process transport.
"""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from pathlib import Path

import waitress

from ..layout import Layout
from . import patches, reporting_agent
from .api_log import ApiLog


def _start_rpc_server() -> None:
    """Does what neutron-rpc-server does in its own process: answers the agents."""
    from neutron_lib.callbacks import events, registry, resources
    from neutron_lib.plugins import directory

    for plugin in directory.get_unique_plugins():
        for method in ("start_rpc_listeners", "start_rpc_state_reports_listener"):
            with contextlib.suppress(NotImplementedError):  # so says a plugin without RPC
                getattr(plugin, method, lambda: None)()
    registry.publish(resources.PROCESS, events.AFTER_SPAWN, None)


def _start_l3_agent() -> object:
    """Starts the L3 agent, with neutron-vpnaas as its extension, as neutron-l3-agent does."""
    patches.separate_agent_callbacks()
    patches.work_as_root_in_process()
    patches.leave_namespaces_of_other_clouds()

    from neutron import service
    from neutron.agent import l3_agent
    from neutron.conf.agent import common
    from neutron_lib import constants
    from neutron_lib.agent import topics
    from oslo_config import cfg

    l3_agent.register_opts(cfg.CONF)
    common.setup_privsep()
    agent = service.Service.create(
        binary=constants.AGENT_PROCESS_L3,
        topic=topics.L3_AGENT,
        report_interval=cfg.CONF.AGENT.report_interval,
        manager="neutron.agent.l3.agent.L3NATAgentWithStateReport",
    )
    agent.start()
    return agent


def main() -> None:
    """Serves the networking API on 127.0.0.1 until it is ended."""
    port, config, kind = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    gc.disable()  # what imports make stays: a fifth of the start is saved by not looking through it
    sys.argv = ["neutron"]  # neutron's configuration reads it
    os.environ["OS_NEUTRON_CONFIG_DIR"] = str(config.parent)
    os.environ["OS_NEUTRON_CONFIG_FILES"] = config.name
    layout = Layout()
    patches.retry_when_sqlite_is_locked()
    patches.retry_what_meets_a_locked_database()
    patches.retry_soon()
    patches.load_extension_without_sha1()
    patches.add_mechanism_driver()

    from neutron.wsgi.api import application

    from .packet_filter import PacketFilter

    _start_rpc_server()
    if kind == "l3":
        agent = _start_l3_agent()  # noqa: F841 (it works as long as it is referred to)
    else:
        reporting_agent.start()
    served = ApiLog(PacketFilter(application, layout), layout.api_log)
    gc.freeze()
    gc.enable()
    waitress.serve(served, host="127.0.0.1", port=port, threads=8, ident=None)


if __name__ == "__main__":
    main()
