# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run make targets one after the other and sum them up. Usage: parts.py [--keep-going] STAGE...

A stage is a target, or two lanes of targets that run at the same time: ``lab-test,lab-stop/dist,sanity``. What waits most of its
time stands left; what stands right gets the time that the left lane leaves (``nice``), and its output is shown when it is done.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import os
import shutil
import subprocess
import sys
import threading
import time
import typing as t
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

CACHE = Path(__file__).resolve().parents[2] / ".cache"
STEPS = CACHE / "reports/steps"
TOTAL = CACHE / "reports/total.txt"


def cases(part: str) -> Counter[str]:
    """Count a part's test cases from its JUnit reports, else its steps."""
    count: Counter[str] = Counter()
    for report in (CACHE / "reports" / part).glob("*.xml"):
        try:
            found_cases = list(ET.parse(report).iter("testcase"))
        except ET.ParseError:  # it was ended while it wrote
            count["failed"] += 1
            continue
        for case in found_cases:
            found = {child.tag for child in case}
            count["failed" if found & {"failure", "error"} else "skipped" if "skipped" in found else "passed"] += 1
    if not count:
        for line in (STEPS / part).read_text().splitlines():
            count["passed" if line.startswith("0\t") else "failed"] += 1
    return count


class Row(t.NamedTuple):
    """How a part ended."""

    part: str
    result: str = "not run"
    count: Counter[str] = Counter()
    seconds: float = 0.0


def run(part: str, beside: bool) -> Row:
    """Run one part; say how it ended, what it counted and how long it took."""
    shutil.rmtree(CACHE / "reports" / part, ignore_errors=True)
    STEPS.mkdir(parents=True, exist_ok=True)
    (STEPS / part).write_text("")
    start = time.monotonic()
    command = ["make", "--no-print-directory", part]
    environment = os.environ | {"STEPS_FILE": str(STEPS / part)}
    if beside:
        done = subprocess.run(
            ["nice", "-n", "19", *command],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        sys.stdout.write(f"\n{done.stdout.decode(errors='replace')}")
        sys.stdout.flush()
    else:
        done = subprocess.run(command, env=environment, check=False)
    status = done.returncode
    count = cases(part)
    if status and not count["failed"]:
        count["failed"] = 1
    if not status:
        # A playbook that is meant to fail a task, and rescues it, has that task in its report as failed.
        count["passed"] += count.pop("failed", 0)
    return Row(part, "FAILED" if status else "ok", count, time.monotonic() - start)


def run_lane(parts: list[str], beside: bool, stop: threading.Event, keep_going: bool) -> list[Row]:
    """Run the parts of one lane in order; ``stop`` is set by a failure that ends both lanes."""
    rows = []
    for part in parts:
        rows.append(Row(part) if stop.is_set() else run(part, beside))
        if rows[-1].result == "FAILED" and not keep_going:
            stop.set()
    return rows


def main() -> None:
    """Run the parts, print a table of them and, as the last line, the total."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--keep-going", action="store_true", help="go on after a failing part")
    parser.add_argument("stages", nargs="+")
    options = parser.parse_args()

    rows: list[Row] = []
    stop = threading.Event()
    for stage in options.stages:
        lanes = [lane.split(",") for lane in stage.split("/")]
        with concurrent.futures.ThreadPoolExecutor(len(lanes)) as pool:
            running = [
                pool.submit(run_lane, parts, number > 0, stop, options.keep_going) for number, parts in enumerate(lanes)
            ]
            rows += [row for lane in running for row in lane.result()]

    print(f"\n{'part':<14}{'result':<10}{'passed':>7}{'failed':>7}{'skipped':>8}{'seconds':>9}")
    total: Counter[str] = Counter()
    for part, result, count, seconds in rows:
        total += count
        print(f"{part:<14}{result:<10}{count['passed']:>7}{count['failed']:>7}{count['skipped']:>8}{seconds:>9.0f}")
    line = f"{total['passed']} passed, {total['failed']} failed"
    print(line)
    TOTAL.write_text(f"{line}\n")
    sys.exit(bool(total["failed"]))


if __name__ == "__main__":
    main()
