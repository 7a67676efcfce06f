# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting and stopping: a lab of its own in a copy of the checkout, beside whatever lab runs already."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from bothends_lab import Lab, netns, processes
from bothends_lab.layout import SOURCE, Layout

# What a machine has in its own network namespace, and in its own configuration.
MACHINE = [
    "ip -o address show",
    "ip route show table all",
    "ip rule",
    "nft list ruleset",
    "sysctl net.ipv4.ip_forward net.ipv4.conf.all.forwarding net.ipv6.conf.all.forwarding net.ipv4.ip_nonlocal_bind",
    # Names and times of change; what the package manager does meanwhile is no concern.
    "find /etc /var/lib ~/.ssh -xdev -not -path '/var/lib/apt*' -not -path '/var/lib/dpkg*' -printf '%p %C@\\n' | sort",
]


@pytest.fixture
def copy(tmp_path):
    """A second checkout, with a long path; it shares what takes long to make."""
    layout = Layout(
        tmp_path / "a-checkout-with-a-name-that-is-much-too-long-for-any-unix-socket-to-lie-below-it" / "main"
    )
    shutil.copytree(SOURCE, layout.checkout / "tests" / "lab", ignore=shutil.ignore_patterns("__pycache__"))
    for directory in (layout.state, layout.venv.parent):
        directory.mkdir(parents=True, exist_ok=True)
    layout.venv.symlink_to(Layout().venv)
    shutil.copytree(Layout().template, layout.template)
    yield layout
    command(layout, "stop")


def command(layout, *arguments, **options):
    """Runs the copy's own command line."""
    environment = {**os.environ, "PYTHONPATH": str(layout.checkout / "tests" / "lab")}
    argv = [str(layout.venv / "bin" / "python"), "-m", "bothends_lab", *arguments]
    return subprocess.run(argv, env=environment, capture_output=True, check=False, text=True, timeout=180, **options)


def machine():
    """The machine's own state, by the command that shows it."""
    return {
        show: subprocess.run(["sh", "-c", show], capture_output=True, check=False, text=True).stdout for show in MACHINE
    }


def remains(layout, routers=()):
    """All that is there of a lab: namespaces, mounts, processes, files outside the checkout."""
    found = [*netns.starting_with(layout.ident), *(name for name in routers if netns.exists(name))]
    found += [
        line
        for line in Path("/proc/self/mountinfo").read_text().splitlines()
        if layout.ident in line or str(layout.checkout) in line
    ]
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            said = (entry / "cmdline").read_text() + (entry / "environ").read_text()
        except OSError:
            continue
        if str(layout.state) in said:
            found.append(f"process {entry.name}: {said[:200]!r}")
    return found + [str(layout.control)] * layout.control.exists()


def test_a_second_lab_comes_and_goes(copy):
    before = machine()
    started = command(copy, "start")
    assert started.returncode == 0, started.stderr
    assert [line.split("=")[0] for line in started.stdout.splitlines()] == [
        "export OS_CLIENT_CONFIG_FILE",
        "export OS_CLOUD",
        "export BOTHENDS_LAB_INVENTORY",
    ]
    lab = Lab.load(copy)
    routers = [path.name for path in copy.router_namespaces.glob("*")]
    assert routers
    assert lab.ping("app1", "192.168.1.1")
    again = command(copy, "start")
    assert again.returncode == 0
    assert again.stdout == started.stdout
    assert "already running" in again.stderr

    stopped = command(copy, "stop")
    assert stopped.returncode == 0, stopped.stderr
    assert remains(copy, routers) == []
    kept = {"keys", "lock", "log", "ports.json", "template", "venv", "xdg"}
    assert {path.name for path in copy.state.iterdir()} <= kept
    assert machine() == before, "the machine itself is not as it was"
    assert "not running" in command(copy, "stop").stderr


@pytest.mark.parametrize("seconds", [0.0, 4.0])
def test_a_start_that_was_killed_leaves_nothing_after_a_stop(copy, seconds):
    environment = {**os.environ, "PYTHONPATH": str(copy.checkout / "tests" / "lab")}
    starting = subprocess.Popen(
        [str(copy.venv / "bin" / "python"), "-m", "bothends_lab", "start"],
        env=environment,
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 30
    while not processes.all_recorded(copy.processes) and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(seconds)
    starting.send_signal(signal.SIGKILL)
    starting.wait()
    assert processes.all_recorded(copy.processes), "the start was killed before it had started anything"
    stopped = command(copy, "stop")
    assert stopped.returncode == 0, stopped.stderr
    assert remains(copy) == []


def test_a_failing_step_is_named_with_its_log(copy):
    (copy.checkout / "tests" / "lab" / "etc" / "neutron.conf").write_text("[DEFAULT]\ncore_plugin = none\n")
    started = command(copy, "start")
    assert started.returncode == 1
    assert started.stdout == ""
    assert "failed: neutron answers" in started.stderr
    assert "neutron has ended" in started.stderr
    assert f"log: {copy.log}/neutron.log" in started.stderr
    assert remains(copy) == []
