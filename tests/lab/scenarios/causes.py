# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What verify does to name a cause, without Ansible's seconds: the module's own code in the router's network, hub_info's
own code against the cloud, and the filters."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import typing as t

import yaml

from ansible_collections.bothends.vpn.plugins.module_utils import _cause, _cloud, _hub_info, _verdict, _views
from bothends_lab import Lab

from .conftest import DESCRIPTION, ROOT, SITE_FILE

LOG = "/var/log/charon-tests.log"
TUNNEL = "prod/berlin/1"
# Probe hosts of the example; the hub's ones begin what the security group has to let in.
PINGS = [
    ("berlin-pc", "192.168.3.10", "192.168.1.10"),
    ("app1", "192.168.1.10", "192.168.3.10"),
    ("berlin-plant", "192.168.4.10", "192.168.1.10"),
    ("app1", "192.168.1.10", "192.168.4.10"),
]
_LOOK = """
import json, shutil, sys
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import (
    _linux_evidence, _strongswan_evidence, _strongswan_proof, _swanctl)
given = json.load(sys.stdin)
swanctl = _swanctl.Swanctl("/usr/sbin/swanctl", given["directory"], given["uri"])
records = given["records"]
proof = _strongswan_proof.prove(swanctl, records, 5) if given["prove"] else None
lacking = [one for one in records if given["attempt"]]
evidence = _strongswan_evidence.collect(
    swanctl, _linux_evidence.Machine(shutil.which), records, bool(lacking), given["timeout"], [given["log"]])
print(json.dumps({"evidence": evidence, "sas": _strongswan_proof.sas(swanctl), "proof": proof}))
"""


DOCS = ROOT / "docs/causes.md"


def documented(heading: str) -> list[str]:
    """The lines of the table under a heading of the docs."""
    section = DOCS.read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return [line for line in section.splitlines() if line.startswith("| ")]


def table(seen: t.Mapping[str, str]) -> list[str]:
    """What was broken and what was said, as the docs have it."""
    return ["| broken | verdict |", "| --- | --- |", *(f"| {broken} | {said} |" for broken, said in seen.items())]


def said(causes: list[dict[str, t.Any]]) -> str:
    """Causes as the table has them."""
    return "; ".join(f"{one['cause']} ({one['end']})" for one in causes) or "none"


class Router:
    """berlin, and what is done to it behind the collection's back."""

    name = "berlin"

    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    def run(self, *argv: str, check: bool = True) -> str:
        """Run a command on it."""
        return self.lab.run(self.name, argv, check=check).stdout

    def log_to_a_file(self) -> None:
        """Let charon write a log that can be read: a host of the lab has no journal."""
        self.lab.file(self.name, "/etc/strongswan.d/tests.conf").write_text(
            f"charon-systemd {{\n filelog {{\n tests {{\n path = {LOG}\n default = 1\n flush_line = yes\n }}\n }}\n}}\n"
        )
        self.run("swanctl", "--reload-settings")

    def forget(self) -> None:
        """Empty the log, so that what a test reads is its own."""
        self.lab.file(self.name, LOG).write_text("")

    def down(self) -> None:
        """End all SAs at this end; the other end's go with them, where it hears of it."""
        for sa in set(re.findall(r"^(\S+): #\d+", self.run("swanctl", "--list-sas"), re.MULTILINE)):
            self.run("swanctl", "--terminate", "--force", "--ike", sa, check=False)

    def rewrite(self, *changes: tuple[str, str]) -> None:
        """Change its file, and load it; makes no SA."""
        path = self.lab.file(self.name, SITE_FILE)
        text = path.read_text()
        for pattern, replacement in changes:
            text, count = re.subn(pattern, replacement, text, flags=re.MULTILINE)
            assert count, f"{pattern} is not in the router's file"
        path.write_text(text)
        self.run("swanctl", "--load-all", "--noprompt")

    def initiate(self, seconds: int = 8) -> None:
        """Make the SAs, if it can."""
        self.run("swanctl", "--initiate", "--child", TUNNEL, "--timeout", str(seconds), check=False)


class Doctor:
    """Looks at the connection of the example, at both ends."""

    def __init__(self, lab: Lab, cloud: _cloud.Cloud, description: t.Mapping[str, t.Any] = DESCRIPTION) -> None:
        self.lab = lab
        self.cloud = cloud
        self.description = description

    def hub(self) -> dict[str, t.Any]:
        """What hub_info returns."""
        asked = {"vpc": "prod", "name": "prod", "provider": "neutron", "gather": list(_hub_info.READS), "until_normal": [],
                 "timeout": 0, "digest_key": None}  # fmt: skip
        return _hub_info.inform(asked, self.cloud)

    def look(
        self,
        *,
        attempt: bool = False,
        prove: bool = False,
        pings: bool = False,
        large: bool = False,
        sites: t.Any = None,
        drift: t.Sequence[dict[str, t.Any]] = (),
    ) -> dict[str, t.Any]:
        """Give verify's row, and what it was judged by (``view``); ``attempt`` and ``prove`` are what verify_active does.

        ``drift`` are the steps that would make this tunnel's objects in the cloud as declared.
        """
        hub = self.hub()
        (record,) = _views.connections(
            self.description["vpn_policies"], self.description["vpn_hubs"], sites or self.description["vpn_sites"], None,
            end="site", facts={"prod": hub["hub"]},
        )  # fmt: skip
        seen = self._router({"records": [record], "attempt": attempt, "prove": prove, "timeout": 6})
        proof = {**seen["proof"], "pings": [], "drift": {"prod": list(drift)}} if seen["proof"] else None
        (row,) = _verdict.rows([record], {"prod": hub["connections"]}, seen["sas"], proof)
        view = {"evidence": seen["evidence"][0], "sas": seen["sas"], "cloud": hub, "state": row["status"],
                "renewal": _verdict.renewal(record, record["tunnels"][0], proof) if proof else "",
                "pings": self._ping(large) if pings else [], "drift": drift}  # fmt: skip
        return {"verdict": row["verdict"], "record": record, "view": view}

    @staticmethod
    def causes(looked: dict[str, t.Any], *unread: str) -> list[dict[str, t.Any]]:
        """Name the causes, as if some of what was seen could not have been read."""
        view = {key: value for key, value in looked["view"].items() if key not in unread}
        view["evidence"] = {key: value for key, value in view["evidence"].items() if key not in unread}
        return _cause.causes(looked["record"], looked["record"]["tunnels"][0], view)

    def hub_begins(self) -> None:
        """Let the hub initiate, as traffic from its side does where its ESP is the kernel's."""
        (one,) = self.lab.api().list("vpn/ipsec-site-connections", name=TUNNEL)
        # The command ends when the attempt does; what it comes to is in the site's log.
        self.lab.ipsec("prod", "up", one["id"])

    def _router(self, given: dict[str, t.Any]) -> dict[str, t.Any]:
        init = self.lab.machine("berlin").init
        root = f"/proc/{init}/root"
        paths = {"directory": f"{root}/etc/swanctl", "uri": f"unix://{root}/run/charon.vici", "log": root + LOG}
        done = subprocess.run(
            ["nsenter", "--target", str(init), "--net", sys.executable, "-c", _LOOK],
            input=json.dumps({**given, **paths}), capture_output=True, text=True, check=False, timeout=90,
            env={**os.environ, "PYTHONPATH": str(ROOT / ".cache/tree")},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout)

    def _ping(self, large: bool) -> list[dict[str, t.Any]]:
        out = []
        for host, source, target in PINGS:
            argv = ["ping", "-n", "-c", "2", "-i", "0.2", "-W", "1", "-I", source, target]
            done = self.lab.run(host, argv, check=False)
            planned = {"tunnel": TUNNEL, "host": host, "from": source, "to": target}
            found = []
            if large and not out:
                sized = self.lab.run(host, ["sh", "-c", sizes_script(), "sh", source, target], check=False)
                found = [{"item": planned, "stdout": sized.stdout}]
            printed = {"stdout": done.stdout, "stderr": done.stderr}
            out += _verdict.ping_results([planned], [printed], large=found)
        return out


def the_cloud_says(doctor: Doctor, normal: bool) -> None:
    """Wait until the cloud says Normal, or says it no more: it looks at its daemon every two seconds."""
    deadline = time.monotonic() + 15
    while (doctor.hub()["connections"][0]["state"] == "Normal") is not normal and time.monotonic() < deadline:
        time.sleep(0.5)


def sizes_script() -> str:
    """The role's own search for the largest packet."""
    tasks = yaml.safe_load((ROOT / "roles/verify/tasks/probes.yml").read_text())
    (script,) = [
        argv[2]
        for argv in (one.get("ansible.builtin.command", {}).get("argv", []) for one in tasks)
        if argv[:2] == ["sh", "-c"]
    ]
    return script
