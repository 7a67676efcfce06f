# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run make targets one after the other and sum them up. Usage: parts.py [--keep-going] TARGET..."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

CACHE = Path(__file__).resolve().parents[2] / ".cache"
STEPS = CACHE / "reports/steps.tsv"
TOTAL = CACHE / "reports/total.txt"


def cases(part: str) -> Counter[str]:
    """Count a part's test cases from its JUnit reports, else its steps."""
    count: Counter[str] = Counter()
    for report in (CACHE / "reports" / part).glob("*.xml"):
        for case in ET.parse(report).iter("testcase"):
            found = {child.tag for child in case}
            count["failed" if found & {"failure", "error"} else "skipped" if "skipped" in found else "passed"] += 1
    if not count and STEPS.exists():
        for line in STEPS.read_text().splitlines():
            count["passed" if line.startswith("0\t") else "failed"] += 1
    return count


def run(part: str) -> tuple[str, Counter[str], float]:
    """Run one part; say how it ended, what it counted and how long it took."""
    shutil.rmtree(CACHE / "reports" / part, ignore_errors=True)
    STEPS.parent.mkdir(parents=True, exist_ok=True)
    STEPS.write_text("")
    start = time.monotonic()
    environment = os.environ | {"STEPS_FILE": str(STEPS)}
    status = subprocess.run(["make", "--no-print-directory", part], env=environment, check=False).returncode
    count = cases(part)
    if status and not count["failed"]:
        count["failed"] = 1
    if not status:
        # A playbook that is meant to fail a task, and rescues it, has that task in its report as failed.
        count["passed"] += count.pop("failed", 0)
    return "FAILED" if status else "ok", count, time.monotonic() - start


def main() -> None:
    """Run the parts, print a table of them and, as the last line, the total."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--keep-going", action="store_true", help="go on after a failing part")
    parser.add_argument("parts", nargs="+")
    options = parser.parse_args()

    rows: list[tuple[str, str, Counter[str], float]] = []
    stopped = False
    for part in options.parts:
        rows.append((part, "not run", Counter(), 0.0) if stopped else (part, *run(part)))
        stopped = stopped or (rows[-1][1] == "FAILED" and not options.keep_going)

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
