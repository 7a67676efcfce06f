# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: `python -m bothends_lab COMMAND`."""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import shlex
import sys
import time
from collections.abc import Iterator

from . import status
from .errors import LabError
from .lab import Lab
from .layout import SOURCE, Layout
from .progress import say
from .start import running, start
from .stop import stop


@contextlib.contextmanager
def _alone(layout: Layout) -> Iterator[None]:
    """One start or stop at a time in a checkout."""
    layout.state.mkdir(parents=True, exist_ok=True)
    with (layout.state / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("waiting for another start or stop of this checkout's lab")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _exports(layout: Layout) -> str:
    values = {
        "OS_CLIENT_CONFIG_FILE": layout.clouds_yaml,
        "OS_CLOUD": "lab",
        "BOTHENDS_LAB_INVENTORY": layout.inventory,
    }
    return "\n".join(f"export {key}={shlex.quote(str(value))}" for key, value in values.items())


def _start(layout: Layout, options: argparse.Namespace) -> None:
    with _alone(layout):
        if running(layout):
            wanted = (SOURCE / "worlds" / f"{options.world}.yml").read_text(), f"{options.database} {options.agent}"
            if (layout.world.read_text(), layout.made_of.read_text()) != wanted:
                raise LabError("a lab with another world, database or agent is running; stop it first")
            say("already running")
        else:
            begin = time.monotonic()
            start(layout, options.world, options.database, options.agent)
            say(f"{time.monotonic() - begin:5.1f} s  in all; inventory: {layout.inventory}")
    print(_exports(layout))


def _stop(layout: Layout, options: argparse.Namespace) -> None:
    with _alone(layout):
        begin = time.monotonic()
        say(f"stopped in {time.monotonic() - begin:.1f} s" if stop(layout) else "not running")


def _status(layout: Layout, options: argparse.Namespace) -> None:
    print(status.table(layout))


def _restart_router(layout: Layout, options: argparse.Namespace) -> None:
    Lab.load(layout).restart_router(options.name)


def _reset_router(layout: Layout, options: argparse.Namespace) -> None:
    Lab.load(layout).reset_router(options.name)


def _reset_cloud(layout: Layout, options: argparse.Namespace) -> None:
    Lab.load(layout).reset_cloud_vpn()


def _run(layout: Layout, options: argparse.Namespace) -> None:
    sys.exit(Lab.load(layout).interactive(options.name, options.command))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bothends_lab", description="A real cloud network and real site routers.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name, action, text):
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(action=action)
        return added

    worlds = sorted(path.stem for path in (SOURCE / "worlds").glob("*.yml"))
    added = command("start", _start, "start the lab; prints what a shell can evaluate")
    added.add_argument("--world", choices=worlds, default="hub_and_spoke")
    added.add_argument("--database", choices=("sqlite", "mariadb"), default="sqlite")
    added.add_argument("--agent", choices=("l3", "reporting"), default="l3", help="reporting: nothing is realised")
    command("stop", _stop, "end the lab and leave nothing")
    command("status", _status, "processes, memory and namespaces")
    added = command("restart-router", _restart_router, "restart a router: what it stores stays")
    added.add_argument("name")
    added = command("reset-router", _reset_router, "make a router as it was at the start")
    added.add_argument("name")
    command("reset-cloud", _reset_cloud, "delete all VPN objects and restore the security groups' rules")
    added = command("run", _run, "run a command in a host")
    added.add_argument("name")
    added.add_argument("command", nargs=argparse.REMAINDER)
    return parser


def main() -> None:
    """Does what the command line says; an error is one message and a non-zero exit."""
    options = _parser().parse_args()
    try:
        options.action(Layout(), options)
    except LabError as error:
        say(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        say("interrupted")
        sys.exit(130)
