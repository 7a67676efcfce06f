# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab as the benchmarks use it: started, emptied between two runs, and asked what it was asked."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parent.parent.parent
STATE = CHECKOUT / ".cache" / "lab"
LAB_PYTHON = STATE / "venv" / "bin" / "python"


class Run(NamedTuple):
    """What one process of a contender took and answered."""

    seconds: float
    cpu: float  # of the contender's own process
    answer: Any
    requests: Counter[str]  # to the networking API, by method
    lists: list[str]  # the paths that were read
    tokens: int


class Cloud:
    """One started lab."""

    def __init__(self, database: str) -> None:
        self.database = database
        self.auth = yaml.safe_load((STATE / "clouds.yaml").read_text())["clouds"]["lab"]["auth"]

    def empty(self) -> None:
        """Take everything out again that a run has made."""
        subprocess.run([LAB_PYTHON, HERE / "empty_cloud.py", STATE / "run" / "cloud" / "neutron.conf"], check=True)

    def run(self, program: str, *arguments: str, options: Any) -> Run:
        """Run one contender in a fresh process."""
        logs = [STATE / "log" / name for name in ("api.log", "keystone-api.log")]
        marks = [log.stat().st_size for log in logs]
        environment = {
            **os.environ,
            "OS_CLIENT_CONFIG_FILE": str(STATE / "clouds.yaml"),
            "OS_CLOUD": "lab",
            "BENCH_AUTH": json.dumps(self.auth),
        }
        before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        # A file and not a module: a contender imports nothing of the other ones.
        done = subprocess.run(
            [sys.executable, HERE / program, *arguments], input=json.dumps(options), capture_output=True, text=True,
            env=environment, check=False,
        )  # fmt: skip
        seconds, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode:
            raise RuntimeError(f"{program} {' '.join(arguments)}: {done.stdout[-2000:]} {done.stderr[-2000:]}")
        asked, identity = (
            [line.split() for line in log.read_bytes()[mark:].decode().splitlines()]
            for log, mark in zip(logs, marks, strict=True)
        )
        return Run(
            seconds,
            after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
            json.loads(done.stdout) if done.stdout.strip() else None,
            Counter("reads" if line[0] == "GET" else "writes" for line in asked),
            sorted({line[1] for line in asked if line[0] == "GET"}),
            sum(line[:2] == ["POST", "/v3/auth/tokens"] for line in identity),
        )


@contextlib.contextmanager
def lab(database: str) -> Iterator[Cloud]:
    """A lab with this database and without tunnels, for as long as it is used."""
    command = [LAB_PYTHON, "-m", "bothends_lab"]
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT / "tests" / "lab")}
    start = ["start", "--world", "one_vpc", "--database", database, "--agent", "reporting"]
    subprocess.run([*command, *start], env=environment, check=True, stdout=subprocess.DEVNULL)
    try:
        yield Cloud(database)
    finally:
        subprocess.run([*command, "stop"], env=environment, check=True)
