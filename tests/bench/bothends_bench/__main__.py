# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m bothends_bench`: everything of README.md's table, or the parts that are asked for."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import sizes
from .cloud import CHECKOUT, Cloud, Run, lab

PARTS = ["memory", "overlaps", "api", "loops", "concurrency"]
Row = dict[str, Any]
REPORT = CHECKOUT / ".cache" / "reports" / "bench.json"

# How many sites on which database, where it is not said: SQLite, which lets one writer in at a time, shows that once.
SITES = {"mariadb": [1, 100, 500], "sqlite": [100]}


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def seconds(runs: list[Run]) -> float:
    """The quickest: what else the machine did only ever adds."""
    return round(min(run.seconds for run in runs), 2)


def row(work: str, ours: Any, unit: str, against: str = "", theirs: Any = "", goal: str = "", **more: Any) -> Row:
    ratio = float(f"{ours / theirs:.3g}") if isinstance(theirs, (int, float)) and theirs else None
    return {
        "work": work,
        "ours": ours,
        "unit": unit,
        "against": against,
        "theirs": theirs,
        "ratio": ratio,
        "goal": goal,
        **more,
    }


def create(cloud: Cloud, count: int, concurrency: int, repeat: int) -> list[Row]:
    """A new hub, against the bare client that sends the very same writes with the same concurrency."""
    options = sizes.hub_of(count, concurrency=concurrency)
    ours, theirs = [], []
    for _time in range(repeat):
        cloud.empty()
        batches = cloud.run("ours.py", "record", options=options).answer
        theirs.append(cloud.run("bare.py", "writes", options={"of": batches, "concurrency": concurrency}))
        cloud.empty()
        ours.append(cloud.run("ours.py", "hub", options=options))
    # Of a few sites the pauses that keep two runs at once from making two services are the most.
    goal = "1.2 times" if count >= 100 else ""
    return [
        row(
            f"create {count} sites with rules", seconds(ours), "s", "bare client, same writes", seconds(theirs), goal,
            writes=ours[0].requests["writes"], their_writes=theirs[0].requests["writes"], cpu=round(ours[0].cpu, 2),
        )
    ]  # fmt: skip


def unchanged(cloud: Cloud, count: int, concurrency: int, repeat: int) -> list[Row]:
    """A second run with nothing to do: how many requests, and against the bare client that only reads the same lists."""
    ours = [
        cloud.run("ours.py", "hub", options=sizes.hub_of(count, concurrency=concurrency)) for _time in range(repeat)
    ]
    if any(run.answer["changed"] for run in ours):
        raise RuntimeError("the second run changed something")
    theirs = [
        cloud.run("bare.py", "lists", options={"of": ours[0].lists, "concurrency": concurrency})
        for _time in range(repeat)
    ]
    work = f"nothing to do, {count} sites"
    return [
        row(work, ours[0].requests["reads"], "requests", goal="10"),
        row(work, ours[0].tokens, "tokens", goal="1"),
        row(
            work,
            seconds(ours),
            "s",
            "bare client, same lists",
            seconds(theirs),
            "1.5 times + 1 s",
            cpu=round(ours[0].cpu, 2),
        ),
    ]


def change(cloud: Cloud, count: int, concurrency: int) -> list[Row]:
    """One site of many gets other subnets."""
    options = sizes.hub_of(count, concurrency=concurrency)
    options["connections"][count // 2]["subnets"] = ["10.250.0.0/24"]
    run = cloud.run("ours.py", "hub", options=options)
    work = f"other subnets for one of {count} sites"
    planned = len(run.answer["plan"])
    return [
        row(work, run.requests["reads"], "reads", "nothing to do", ""),
        row(work, run.requests["writes"], "writes", "steps of its plan", planned, "1 time"),
        row(work, round(run.seconds, 2), "s"),
    ]


def informed(cloud: Cloud, count: int, repeat: int) -> list[Row]:
    """What a role that wants one thing only asks of a hub."""
    rows = []
    for part in ("hub", "connections"):
        options = {"vpc": "prod", "gather": [part]}
        runs = [cloud.run("ours.py", "hub_info", options=options) for _time in range(repeat)]
        work = f"hub_info of {count} sites, gather {part}"
        rows += [row(work, runs[0].requests["reads"], "requests", goal="4"), row(work, seconds(runs), "s")]
    return rows


def loops(cloud: Cloud, count: int, sample: int, whole: float) -> list[Row]:
    """One task an object, as the first `sample` sites show: the time of the others is reckoned from theirs."""
    cloud.empty()
    for module, options in sizes.SHARED:
        cloud.run("ours.py", module, options=options)
    modules: list[Run] = []
    rules: list[Run] = []
    for number in range(sample):
        modules += [cloud.run("ours.py", module, options=options) for module, options in sizes.alone(number)]
        rules += [cloud.run("one_rule.py", options=options) for options in sizes.rules_alone(number)]

    def of_all(runs: list[Run]) -> float:
        return round(sum(run.seconds for run in runs) / sample * count, 1)

    work, note = f"create {count} sites with rules", f"reckoned from {sample} sites"
    both = of_all(modules + rules)
    return [
        row(work, whole, "s", f"loop of one-object modules, and of the SDK for the rules ({note})", both, "1/20 of it"),
        row(work, whole, "s", f"the loop's rules alone ({note})", of_all(rules)),
    ]


def concurrencies(cloud: Cloud, count: int, of: list[int]) -> list[Row]:
    """Which concurrency is the quickest."""
    out = []
    for concurrency in of:
        cloud.empty()
        run = cloud.run("ours.py", "hub", options=sizes.hub_of(count, concurrency=concurrency))
        again = cloud.run("ours.py", "hub", options=sizes.hub_of(count, concurrency=concurrency))
        out.append(row(f"create {count} sites, concurrency {concurrency}", round(run.seconds, 2), "s"))
        out.append(row(f"nothing to do, {count} sites, concurrency {concurrency}", round(again.seconds, 2), "s"))
    return out


def memory(count: int, repeat: int) -> list[Row]:
    """The plan without HTTP."""
    command = [sys.executable, "-m", "bothends_bench.memory", str(count)]
    runs = [json.loads(subprocess.run(command, check=True, capture_output=True).stdout) for _time in range(repeat)]
    goals = {"plan of an empty cloud": "2 s", "plan of nothing to do": "2 s", "peak MB": "300 MB"}
    units = {"peak MB": "MB", "steps": ""}
    return [
        row(f"{count} sites from memory: {name}", round(min(run[name] for run in runs), 2), units.get(name, "s CPU"),
            goal=goals.get(name, ""))
        for name in runs[0]
    ]  # fmt: skip


# Up to how many subnets each contender of the overlap search is asked; a double loop takes a hundred times as long for ten times.
SURVIVES = {
    "ours in a template": 100_000,
    "netaddr's IPSet (whether, not who)": 1_000_000,
    "double loop of ipaddress": 3_000,
    "Jinja loop of ansible.utils": 300,
}
SUBNETS = [300, 3_000, 10_000, 100_000, 1_000_000]


def overlaps(repeat: int) -> list[Row]:
    """Who overlaps whom, from texts to the answer."""

    def best(contender: str, shape: str, count: int) -> dict[str, float]:
        command = [sys.executable, "-m", "bothends_bench.overlaps", contender, shape, str(count)]
        # What takes long is not measured again.
        runs = [json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)]
        while len(runs) < repeat and runs[0]["wall"] < 10:
            runs.append(json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout))
        return min(runs, key=lambda run: run["seconds"])

    rows = []
    for count in SUBNETS:
        work, goal = f"overlaps among {count:,} subnets", "1.5 s" if count == 100_000 else ""
        mine = best("ours", "apart", count)
        rows.append(row(work, round(mine["seconds"], 3), "s CPU", goal=goal, memory=round(mine["MB"])))
        for contender, most in SURVIVES.items():
            if count <= most:
                theirs = best(contender, "apart", count)
                rows.append(
                    row(work, round(mine["seconds"], 3), "s CPU", contender, round(theirs["seconds"], 3),
                        memory=round(mine["MB"]), their_memory=round(theirs["MB"]))
                )  # fmt: skip
    for shape, count in (("all equal", 100_000), ("all equal", 1_000_000), ("one bad", 1_000_000)):
        mine = best("ours", shape, count)
        work = f"overlaps among {count:,} subnets, {shape}"
        rows.append(row(work, round(mine["seconds"], 3), "s CPU", goal="1.5 s" if count == 100_000 else ""))
        rows.append(row(f"{work}: memory beside the texts", round(mine["MB"]), "MB"))
    return rows


def against_a_cloud(database: str, options: argparse.Namespace, keep: Callable[[list[Row]], None]) -> None:
    """All that needs an API."""

    def add(found: list[Row]) -> None:
        keep([{"database": database, **one} for one in found])

    with lab(database) as cloud:
        # The first requests of a server load what all later ones use.
        cloud.run("ours.py", "hub", options=sizes.hub_of(1))
        sites = options.sites or SITES[database]
        for count in sites:
            found = create(cloud, count, options.concurrency, options.repeat if count < 100 else 1)
            add(found)
            add(unchanged(cloud, count, options.concurrency, options.repeat))
            if count == max(sites):
                add(informed(cloud, count, options.repeat))
                add(change(cloud, count, options.concurrency))
            if count == 100 and "loops" in options.parts and database == options.databases[0]:
                add(loops(cloud, count, options.sample, found[0]["ours"]))
        if "concurrency" in options.parts and database == options.databases[0]:
            add(concurrencies(cloud, 20, [1, 2, 4, 8]))


def line(one: Row) -> str:
    parts = [one["work"], f"{one['ours']} {one['unit']}".strip()]
    if one["against"]:
        parts.append(f"{one['against']}: {one['theirs']}".rstrip(": "))
    if one["ratio"] is not None:
        parts.append(f"ratio {one['ratio']}")
    if one["goal"]:
        parts.append(f"goal {one['goal']}")
    return "; ".join(parts)


def table(rows: list[Row]) -> str:
    """As Markdown, for people."""
    heads = ("database", "work", "ours", "against", "theirs", "ratio", "goal")
    cells = [
        [one.get("database", ""), one["work"], f"{one['ours']} {one['unit']}".strip(), one["against"],
         str(one["theirs"]), "" if one["ratio"] is None else str(one["ratio"]), one["goal"]]
        for one in rows
    ]  # fmt: skip
    return "\n".join(f"| {' | '.join(cell)} |" for cell in [heads, ["---"] * len(heads), *cells])


def main() -> None:
    """Measure, print the table and keep it as JSON."""
    parser = argparse.ArgumentParser(prog="bothends_bench")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)  # fmt: skip
    parser.add_argument("--databases", nargs="+", choices=("mariadb", "sqlite"), default=["mariadb", "sqlite"])
    parser.add_argument("--sites", nargs="+", type=int, help="default: 1 100 500 on MariaDB, 100 on SQLite")
    parser.add_argument("--planned", type=int, default=5000, help="sites of the plan from memory")
    parser.add_argument("--concurrency", type=int, default=4)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--sample", type=int, default=3, help="sites of the loops")
    options = parser.parse_args()
    machine = {"cpus": os.cpu_count(), "load before": os.getloadavg()[0], "python": platform.python_version()}
    begin = time.monotonic()
    rows: list[Row] = []

    def add(found: list[Row]) -> None:
        # What was measured is kept, whatever becomes of the rest.
        rows.extend(found)
        say("\n".join(map(line, found)))
        took = round(time.monotonic() - begin)
        REPORT.parent.mkdir(parents=True, exist_ok=True)
        REPORT.write_text(json.dumps({"machine": machine, "seconds": took, "rows": rows}, indent=2))

    if "memory" in options.parts:
        add(memory(options.planned, options.repeat))
    if "overlaps" in options.parts:
        add(overlaps(options.repeat))
    if "api" in options.parts:
        for database in options.databases:
            against_a_cloud(database, options, add)
    print(table(rows))
    say(f"also in {Path(os.path.relpath(REPORT))}")


if __name__ == "__main__":
    main()
