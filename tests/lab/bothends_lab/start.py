# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts a lab: a fresh cloud from the prepared databases, the world through the API, the hosts, the inventory."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from . import inventory, machine_check, netns, ports, processes, world
from .cloud import api, build, configuration, databases, mariadb
from .errors import LabError
from .hosts import files, network
from .hosts.machine import HostMachine
from .layout import SOURCE, Layout
from .progress import say, step
from .stop import stop
from .world import World

SERVICES = ("keystone", "neutron")
FRONT = "otc_front"
_SERVICE_SECONDS = 90.0
_ROUTER_SECONDS = 40.0


def running(layout: Layout) -> bool:
    """Whether a whole lab of this checkout runs."""
    if not layout.ready.exists():
        return False
    alive = processes.all_recorded(layout.processes)
    return set(alive) >= {*SERVICES, FRONT, *(f"host-{name}" for name in world.load(layout.world).hosts)}


def start(layout: Layout, name: str, database: str = "sqlite", agent: str = "l3") -> None:
    """Brings a lab up, or leaves nothing of it. The agent is neutron's own (l3), or one that only reports (reporting)."""
    machine_check.check(layout)
    wanted = world.load(SOURCE / "worlds" / f"{name}.yml")
    if stop(layout):
        say("an earlier lab had not ended; cleaned up")
    shutil.rmtree(layout.log, ignore_errors=True)
    for directory in (layout.log, layout.run, layout.control):
        directory.mkdir(parents=True, mode=0o700)
    shutil.copy(SOURCE / "worlds" / f"{name}.yml", layout.world)
    layout.made_of.write_text(f"{database} {agent}")
    try:
        _start(layout, wanted, database, agent)
    except BaseException:
        stop(layout)
        raise


def _start(layout: Layout, wanted: World, database: str, agent: str) -> None:
    log = layout.log / "start.log"
    log.touch()
    if database == "mariadb":
        with step("start MariaDB", layout.log / "mariadb.log"):
            mariadb.start(layout, SERVICES)
        with step("make the cloud's databases", layout.log / "databases.log"):
            _make_databases(layout, database)
    elif not _template_is_current(layout):
        with step("make the cloud's databases (once)", layout.log / "databases.log"):
            _make_databases(layout, database)
            (layout.template / "stamp").write_text(_template_stamp())
    with step("start keystone, neutron and the hosts", log), ThreadPoolExecutor() as pool:
        netns.add(layout.fabric)
        chosen = _launch_cloud(layout, database, agent)
        hosts = [HostMachine(layout, name, name in wanted.routers) for name in wanted.hosts]
        files.make_key(files.user_key(layout))
        list(pool.map(lambda host: host.start(), hosts))
    with step(f"keystone answers on 127.0.0.1:{chosen['keystone']}", layout.log / "keystone.log"):
        _wait_for(lambda: ports.answers(chosen["keystone"]), _SERVICE_SECONDS, layout, "keystone")
        admin, member = (api.CloudApi(layout.clouds_yaml, cloud) for cloud in ("lab-admin", "lab"))
    with step(f"neutron answers on 127.0.0.1:{chosen['neutron']}", layout.log / "neutron.log"):
        _wait_for(lambda: ports.answers(chosen["neutron"]), _SERVICE_SECONDS, layout, "neutron")
        _wait_for(lambda: ports.answers(chosen[FRONT]), _SERVICE_SECONDS, layout, FRONT)
    with step("build the world through the API", layout.log / "neutron.log"):
        public_bridge, plugged = build.build(layout, wanted, admin, member)
    with step("plug the hosts in", log), ThreadPoolExecutor() as pool:
        gateways = [f"{a}/{n.prefixlen}" for a in wanted.public.gateways for n in wanted.public.cidrs if a in n]
        netns.ensure_bridge(layout.fabric, public_bridge, gateways)
        planned = network.plan(wanted, public_bridge, plugged)
        network.save(layout.plan, planned)
        list(pool.map(lambda host: network.connect(layout, host, planned[host.name]), hosts))
    with step("every server reaches its router, and the internet through it", layout.log / "neutron.log"):
        internet = [str(address) for address in wanted.public.gateways if address.version == 4]  # by neutron's NAT
        for name in wanted.servers:
            server = HostMachine(layout, name)
            for address in (*planned[name].gateways, *internet):
                _wait_for(
                    lambda s=server, a=address: _reaches(s, a), _ROUTER_SECONDS, layout, "neutron", f"{name}, {address}"
                )
    inventory.write(layout, wanted)
    layout.ready.touch()


def _template_stamp() -> str:
    """Changes with whatever the prepared databases are made from."""
    sources = [
        SOURCE / "requirements.txt",
        SOURCE / "etc" / "keystone.conf",
        *(SOURCE / "bothends_lab" / "cloud" / name for name in ("accounts.py", "databases.py")),
    ]
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()


def _template_is_current(layout: Layout) -> bool:
    stamp = layout.template / "stamp"
    return stamp.exists() and stamp.read_text() == _template_stamp()


def _make_databases(layout: Layout, database: str) -> None:
    directory = databases.prepared(layout, database)
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True, mode=0o700)
    makers = [
        processes.spawn(
            layout.processes / f"databases-{service}",
            [_python(layout), "-m", "bothends_lab.cloud.databases", service, database],
            layout.log / "databases.log",
            configuration.environment(layout),
        )
        for service in SERVICES
    ]
    codes = [maker.wait() for maker in makers]
    if any(codes):
        raise LabError("a database could not be made")


def _python(layout: Layout) -> str:
    return str(layout.venv / "bin" / "python")


def _launch_cloud(layout: Layout, database: str, agent: str) -> dict[str, int]:
    """Starts both services on a fresh copy of the databases and writes the clients' configuration."""
    directory = layout.run / "cloud"
    directory.mkdir(mode=0o700)
    chosen = ports.choose(layout.ports)
    keystone_url = f"http://127.0.0.1:{chosen['keystone']}/v3"
    neutron_url = f"http://127.0.0.1:{chosen['neutron']}"
    passwords = databases.copy(layout, database, directory, keystone_url, neutron_url)
    urls = {service: databases.url(layout, database, service, directory) for service in SERVICES}
    files.write_strongswan_d(directory / "strongswan.d", "/var/run/charon.log")
    configs = {
        "keystone": configuration.write(layout, "keystone", directory, database=urls["keystone"]),
        "neutron": configuration.write(
            layout,
            "neutron",
            directory,
            keystone_url=keystone_url,
            password=passwords["neutron"],
            database=urls["neutron"],
        ),
    }
    more = {"keystone": [], "neutron": [agent]}
    for service, config in configs.items():
        argv = [
            _python(layout),
            "-m",
            f"bothends_lab.cloud.{service}_server",
            str(chosen[service]),
            str(config),
            *more[service],
        ]
        processes.spawn(
            layout.processes / service, argv, layout.log / f"{service}.log", configuration.environment(layout)
        )
    neutron, front = (f"http://127.0.0.1:{chosen[name]}" for name in ("neutron", FRONT))
    argv = [_python(layout), "-m", f"bothends_lab.cloud.{FRONT}", str(chosen[FRONT]), neutron]
    processes.spawn(layout.processes / FRONT, argv, layout.log / f"{FRONT}.log", configuration.environment(layout))
    api.write_clouds_yaml(layout.clouds_yaml, keystone_url, passwords, front)
    return chosen


def _wait_for(holds: Callable[[], bool], seconds: float, layout: Layout, service: str, what: str = "") -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        if service not in processes.all_recorded(layout.processes):
            raise LabError(f"{service} has ended")
        if time.monotonic() > deadline:
            raise LabError(f"not so after {seconds:.0f} s{what and f': {what}'}")
        time.sleep(0.1)


def _reaches(host: HostMachine, address: str) -> bool:
    return host.run(["ping", "-n", "-q", "-c", "1", "-W", "1", address], check=False).returncode == 0
