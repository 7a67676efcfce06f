# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From nothing to live traffic: the lab, the document's own example, both ends from one description, and the proof.

``make demo`` runs it. Everything that a step prints goes to the terminal and to ``.cache/demo/log``; a failure names the
step and that log. The lab is left running to look around; ``make lab-stop`` ends it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import typing as t
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples/site_to_site/hosts.yml"
CACHE = ROOT / ".cache/demo"
REPORT = CACHE / "report.json"
PAIRS = [
    ("berlin-pc", "192.168.1.10"),
    ("berlin-plant", "192.168.2.10"),
    ("app1", "192.168.3.10"),
    ("db1", "192.168.4.10"),
]

sys.path.insert(0, str(ROOT / "tests/lab"))


class Failed(Exception):
    """A step did not end as it must."""


class Demo:
    """The steps, each with a heading, a time and a log."""

    def __init__(self) -> None:
        self.begun = time.monotonic()
        self.step_name = "begin"
        CACHE.mkdir(parents=True, exist_ok=True)
        self.log = (CACHE / "log").open("w", buffering=1)

    def say(self, text: str = "") -> None:
        """Print a line, to the log too."""
        print(text, flush=True)
        self.log.write(text + "\n")

    def step(self, name: str) -> None:
        """Begin a step."""
        self.step_name = name
        self.say(f"\n==> {name}  [{time.monotonic() - self.begun:.0f} s]")

    def run(self, *command: str | Path, env: dict[str, str] | None = None, ok: bool = True) -> str:
        """Run a command, show and log what it prints; gives that text."""
        out: list[str] = []
        process = subprocess.Popen(
            [str(part) for part in command], cwd=ROOT, env={**os.environ, **(env or {})}, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace",
        )  # fmt: skip
        for line in t.cast(t.IO[str], process.stdout):
            out.append(line)
            self.say(line.rstrip("\n"))
        if process.wait() and ok:
            raise Failed(f"`{' '.join(map(str, command))}` ended with {process.returncode}")
        return "".join(out)


def playbook(demo: Demo, lab: t.Any, name: str, *more: str) -> dict[str, int]:
    """Run one of the collection's playbooks by its FQCN; gives the changes that each host counted."""
    out = demo.run(
        "ansible-playbook", f"bothends.vpn.{name}", "-i", EXAMPLE, "-i", lab.inventory, *more,
        env={"OS_CLIENT_CONFIG_FILE": str(lab.clouds_yaml), "OS_CLOUD": "lab"},
    )  # fmt: skip
    return {host: int(count) for host, count in re.findall(r"^(\S+) +: ok=\d+ +changed=(\d+)", out, re.MULTILINE)}


def pings(demo: Demo, lab: t.Any, count: int) -> list[t.Any]:
    """Let hosts on both sides ping each other, and show what came back."""
    found = []
    for source, address in PAIRS:
        ping = lab.ping(source, address, count=count, wait=1.0)
        found.append(ping)
        demo.say(f"    {source:>13} -> {address:<13} {ping.received} of {ping.sent} came back")
    return found


def demonstrate(demo: Demo) -> None:
    """Run the whole story."""
    demo.step("set up the lab (packages and a virtual environment; seconds when done before)")
    demo.run(ROOT / "tests/lab/setup.sh")

    demo.step("start the lab: keystone, neutron with its VPN service, one VPC, one site")
    lab_python = ROOT / ".cache/lab/venv/bin/python"
    demo.run(lab_python, "-m", "bothends_lab", "start", env={"PYTHONPATH": str(ROOT / "tests/lab")})
    from bothends_lab import Lab

    lab = Lab.load()
    lab.reset()

    demo.step("before: can the LAN and the servers talk?")
    if any(ping.received for ping in pings(demo, lab, 2)):
        raise Failed("packets pass already, so nothing could be shown")

    demo.step("site.yml: both ends from one description (examples/site_to_site)")
    start = time.monotonic()
    changed = playbook(demo, lab, "site")
    if not sum(changed.values()):
        raise Failed("the first run changed nothing")

    demo.step("after: can they talk now?")
    for source, address in PAIRS:
        lab.wait_for_ping(source, address, seconds=20)
    seconds = time.monotonic() - start
    if not all(pings(demo, lab, 3)):
        raise Failed("not every packet came back")

    demo.step("site.yml again: nothing is left to change")
    changed = playbook(demo, lab, "site")
    if sum(changed.values()):
        raise Failed(f"the second run changed something: {changed}")

    demo.step("verify: new keys, new SAs, every selector, both directions")
    REPORT.unlink(missing_ok=True)
    playbook(demo, lab, "verify", "-e", json.dumps({"verify_active": True, "verify_report_file": str(REPORT)}))
    rows = json.loads(REPORT.read_text())
    if not rows or any(row["verdict"] != "proven" for row in rows):
        raise Failed("not every tunnel was proven")

    demo.step("done")
    line = "    {:<16} {:<8} {:<24} {:<24} {:<7} {:<8} {}"
    demo.say(line.format("TUNNEL", "STATUS", "IKE", "IPSEC", "PINGS", "VERDICT", "SECONDS TO TRAFFIC"))
    for row in rows:
        demo.say(
            line.format(
                *(row[key] for key in ("tunnel", "status", "ike", "ipsec", "pings", "verdict")), f"{seconds:.0f}"
            )
        )
    demo.say(f"""
    The whole demo took {time.monotonic() - demo.begun:.0f} s. The lab goes on running. To look around:
      eval "$(make -s lab)"                             the cloud's exports, for openstack clients and playbooks
      make lab-status                                   its processes and memory
      make lab-run ARGS='berlin swanctl --list-sas'     a command on the site's router
      make lab-run ARGS='berlin-pc ping 192.168.1.10'   ... on a host of the LAN
      make lab-stop                                     end it, and leave nothing""")


def main() -> int:
    """Run the demo; a failure names its step and the log."""
    demo = Demo()
    try:
        demonstrate(demo)
    except Exception as error:  # whatever it was, the step and the log are what helps
        demo.say(f"\nFAILED in step '{demo.step_name}': {error}\nThe whole log: {CACHE / 'log'}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
