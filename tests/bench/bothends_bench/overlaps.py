# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who overlaps whom, from texts to the answer, by each contender in a process of its own. Seconds are of the processor's time."""

from __future__ import annotations

import functools
import ipaddress
import itertools
import json
import random
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError

CHECKOUT = Path(__file__).resolve().parents[3]
COLLECTIONS = CHECKOUT / ".cache" / "bench" / "collections"  # setup.sh puts ansible.utils there
PLANTED = 10


def apart(count: int) -> tuple[list[str], int]:
    """Subnets that stand apart, in no order, but for a few that lie in others: the texts, and how many pairs overlap."""
    texts = [f"{(number >> 16) + 1}.{number >> 8 & 255}.{number & 255}.0/24" for number in range(count - PLANTED)]
    texts += [text.replace(".0/24", ".128/25") for text in texts[:PLANTED]]
    random.Random(1).shuffle(texts)
    return texts, PLANTED


def equal(count: int) -> tuple[list[str], int]:
    """All the same: as many pairs as can be."""
    return ["10.0.0.0/24"] * count, count * (count - 1) // 2


def bad(count: int) -> tuple[list[str], int]:
    """The last one is none."""
    return [*apart(count)[0], "app"], -1


SHAPES: dict[str, Callable[[int], tuple[list[str], int]]] = {"apart": apart, "all equal": equal, "one bad": bad}


def ours(texts: list[str]) -> int:
    """The filter, called as Ansible calls it."""
    from ansible_collections.bothends.vpn.plugins.filter.overlaps import overlaps

    return overlaps(texts, summary=True)["count"]


def ours_in_a_template(texts: list[str]) -> int:
    """The same, by a playbook's expression."""
    return _templated("{{ (subnets | bothends.vpn.overlaps(summary=true)).count }}", texts)


def ipset(texts: list[str]) -> bool:
    """netaddr's set knows how many addresses there are together: whether any are there twice, not whose they are."""
    import netaddr

    return netaddr.IPSet(texts).size < sum(netaddr.IPNetwork(text).size for text in texts)


def double_loop(texts: list[str]) -> int:
    """Each with each other, by the standard library."""
    nets = [ipaddress.ip_network(text) for text in texts]
    return sum(1 for one, other in itertools.combinations(nets, 2) if one.overlaps(other))


LOOP = """
{%- set found = namespace(count=0) -%}
{%- for one in subnets -%}
{%- for other in subnets[loop.index:] -%}
{%- if one is ansible.utils.subnet_of(other) or one is ansible.utils.supernet_of(other) -%}
{%- set found.count = found.count + 1 -%}
{%- endif -%}{%- endfor -%}{%- endfor -%}
{{ found.count }}"""


def jinja_loop(texts: list[str]) -> int:
    """Each with each other, in a template, by the tests of ansible.utils."""
    if not (COLLECTIONS / "ansible_collections" / "ansible" / "utils").is_dir():
        raise SystemExit("ansible.utils is not there: run tests/bench/setup.sh")
    return int(_templated(LOOP, texts))


@functools.cache
def _plugins() -> None:
    from ansible.plugins.loader import init_plugin_loader

    init_plugin_loader([str(COLLECTIONS)])


def _templated(expression: str, texts: list[str]) -> Any:
    from ansible.parsing.dataloader import DataLoader
    from ansible.template import Templar, trust_as_template

    _plugins()
    return Templar(loader=DataLoader(), variables={"subnets": texts}).template(trust_as_template(expression))


CONTENDERS: dict[str, Callable[[list[str]], int | bool]] = {
    "ours": ours,
    "ours in a template": ours_in_a_template,
    "netaddr's IPSet (whether, not who)": ipset,
    "double loop of ipaddress": double_loop,
    "Jinja loop of ansible.utils": jinja_loop,
}


def measure(contender: str, shape: str, count: int) -> dict[str, Any]:
    """Seconds from the texts to the answer, which must be the right one, and what that took of memory beside the texts."""
    texts, pairs = SHAPES[shape](count)
    work = CONTENDERS[contender]
    work(texts[:2])  # imports and the like
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begin, wall = time.process_time(), time.perf_counter()
    try:
        found: int | bool = work(texts)
    except AnsibleError as error:
        if shape != "one bad" or f"item {count}: 'app' is not a subnet" not in str(error):
            raise
        found = -1
    spent = {"seconds": time.process_time() - begin, "wall": time.perf_counter() - wall}
    if found != pairs and found is not bool(pairs):
        raise RuntimeError(f"{contender}: {count} subnets, {shape}: found {found} instead of {pairs}")
    return {**spent, "MB": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024}


if __name__ == "__main__":
    json.dump(measure(sys.argv[1], sys.argv[2], int(sys.argv[3])), sys.stdout)
