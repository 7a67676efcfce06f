# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From nothing to live traffic: the lab, examples/hub_and_spoke, both ends from one description, the proof, a site's life.

``make demo`` runs it. Everything that a step prints goes to the terminal and to ``.cache/demo/log``; a failure names the
step and that log. The lab is left running to look around; ``make lab-stop`` ends it.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples/hub_and_spoke"
CACHE = ROOT / ".cache/demo"
REPORT = CACHE / "report.json"
PAIRS = [
    ("berlin-pc", "192.168.1.10"),
    ("berlin-plant", "192.168.2.10"),
    ("paris-pc", "192.168.1.10"),
    ("rome-pc", "192.168.1.10"),
    ("rome-till", "192.168.2.10"),
    ("oslo-pc", "192.168.2.10"),
    ("oslo-pc", "192.168.11.10"),
    ("app1", "192.168.3.10"),
    ("db1", "192.168.4.10"),
    ("db1", "192.168.5.10"),
    ("app1", "192.168.7.10"),
    ("test1", "192.168.8.10"),
]
# Who goes and comes back, and whose pings must not notice it.
MOVING = ("paris-pc", "192.168.1.10")
NEIGHBOURS = [("berlin-pc", "192.168.1.10"), ("rome-pc", "192.168.1.10")]

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


def playbook(demo: Demo, lab: t.Any, names: str, *more: str) -> dict[str, int]:
    """Run playbooks of the collection by their FQCN; gives the changes that each host counted."""
    out = demo.run(
        "ansible-playbook", *(f"bothends.vpn.{name}" for name in names.split()), "-i", EXAMPLE / "hosts.yml", "-i", lab.inventory, *more,
        env={"OS_CLIENT_CONFIG_FILE": str(lab.clouds_yaml), "OS_CLOUD": "lab"},
    )  # fmt: skip
    return {host: int(count) for host, count in re.findall(r"^(\S+) +: ok=\d+ +changed=(\d+)", out, re.MULTILINE)}


def pings(demo: Demo, lab: t.Any, count: int) -> list[t.Any]:
    """Let hosts on both sides ping each other, all at once, and show what came back."""
    with ThreadPoolExecutor(len(PAIRS)) as pool:
        found = list(pool.map(lambda pair: lab.ping(*pair, count=count, wait=1.0), PAIRS))
    for (source, address), ping in zip(PAIRS, found, strict=True):
        demo.say(f"    {source:>13} -> {address:<13} {ping.received} of {ping.sent} came back")
    return found


def live(demo: Demo, lab: t.Any) -> None:
    """Let one site go and come back, while its neighbours ping all the time."""
    sites = yaml.safe_load((EXAMPLE / "group_vars/all.yml").read_text())["vpn_sites"]
    rows = []
    for state, expected in (("absent", False), ("present", True)):
        changed = {**sites, "paris": {**sites["paris"], "state": state}}
        with contextlib.ExitStack() as stack:
            flows = [stack.enter_context(lab.flow(*pair)) for pair in NEIGHBOURS]
            playbook(demo, lab, "cloud routers", "--limit", "prod,paris", "-e", json.dumps({"vpn_sites": changed}))
            talks = bool(lab.wait_for_ping(*MOVING, seconds=20) if expected else lab.ping(*MOVING, count=2))
        rows.append((f"paris {state}", f"{MOVING[0]} {'talks' if talks else 'is cut off'}", *map(str, flows)))
        if talks is not expected or any(flow.lost for flow in flows):
            raise Failed(f"paris {state}: {rows[-1]}")
    line = "    {:<14} {:<20} " + "{:<40}" * len(NEIGHBOURS)
    demo.say("\n" + line.format("", "", *(f"{source} -> {address}" for source, address in NEIGHBOURS)))
    for row in rows:
        demo.say(line.format(*row))


def demonstrate(demo: Demo) -> None:
    """Run the whole story."""
    demo.step("set up the lab (packages and a virtual environment; seconds when done before)")
    demo.run(ROOT / "tests/lab/setup.sh")

    demo.step("start the lab: keystone, neutron with its VPN service, two VPCs, four sites")
    lab_python = ROOT / ".cache/lab/venv/bin/python"
    demo.run(lab_python, "-m", "bothends_lab", "start", env={"PYTHONPATH": str(ROOT / "tests/lab")})
    from bothends_lab import Lab

    lab = Lab.load()
    lab.reset()

    demo.step("before: can the LAN and the servers talk?")
    if any(ping.received for ping in pings(demo, lab, 2)):
        raise Failed("packets pass already, so nothing could be shown")

    demo.step("site.yml: all ends from one description (examples/hub_and_spoke)")
    start = time.monotonic()
    changed = playbook(demo, lab, "site")
    if not sum(changed.values()):
        raise Failed("the first run changed nothing")

    demo.step("after: can they talk now?")
    for pair in PAIRS:
        lab.wait_for_ping(*pair, seconds=20)
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

    demo.step("a site's life: paris goes and comes back; do its neighbours notice?")
    live(demo, lab)

    demo.step("done")
    line = "    {:<14} {:<7} {:<29} {:<22} {:<6} {}"
    demo.say(line.format("TUNNEL", "STATUS", "IKE", "IPSEC", "PINGS", "VERDICT"))
    for row in rows:
        demo.say(line.format(*(row[key] for key in ("tunnel", "status", "ike", "ipsec", "pings", "verdict"))))
    demo.say(f"""
    Hosts talked {seconds:.0f} s after the first playbook began; the whole demo took {time.monotonic() - demo.begun:.0f} s.
    The lab goes on running. To look around:
      eval "$(make -s lab)"                             the cloud's exports, for openstack clients and playbooks
      make lab-status                                   its processes and memory
      make lab-run ARGS='berlin swanctl --list-sas'     a command on the site's router
      make lab-run ARGS='berlin-pc ping 192.168.1.10'   ... on a host of the LAN
    To run an example, the demo's own VPN goes first:
      export PATH=$PWD/.venv/bin:$PATH ANSIBLE_COLLECTIONS_PATH=$PWD/.cache/tree
      cd examples/hub_and_spoke
      ansible-playbook -i hosts.yml -i "$BOTHENDS_LAB_INVENTORY" bothends.vpn.teardown -e teardown_confirm=prod,test
      cd ../site_to_site                                the example's inventory first: its keys lie beside it
      ansible-playbook -i hosts.yml -i "$BOTHENDS_LAB_INVENTORY" bothends.vpn.site
    At the end, in the checkout:
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
