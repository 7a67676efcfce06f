# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""The text of an IOS configuration: words, addresses, and lines that stand below others by their indentation."""

from __future__ import annotations

import ipaddress
import re
import typing as t

# A blank ends a word and a question mark asks for help: IOS knows no way to quote either.
_WORD = re.compile(r"[!-~]+\Z")
_LONGEST = 200  # a line of the CLI takes 254 characters


class Line(t.NamedTuple):
    """One command and those below it."""

    text: str
    below: list[Line]

    def values(self, command: str) -> list[str]:
        """Give what follows a command, for each time that it stands below."""
        return [line.text[len(command) + 1 :] for line in self.below if line.text.startswith(command + " ")]

    def value(self, command: str) -> str:
        """Give what follows a command that stands below once. Raises ValueError else."""
        found = self.values(command)
        if len(found) != 1:
            raise ValueError(f"{self.text.split(' key ')[0]}: {command}: stands there {len(found)} times")
        return found[0]


def is_word(value: str) -> bool:
    """Whether IOS takes a value as one word, as it stands."""
    return bool(_WORD.match(value)) and "?" not in value and len(value) <= _LONGEST


def word(value: t.Any, field: str) -> str:
    """Give a value for the text. Raises ValueError for one that IOS would read as something else."""
    value = str(value)
    if not is_word(value):
        raise ValueError(f"{field}: IOS takes one word of printable ASCII characters without a question mark")
    return value


def comment(value: t.Any) -> str:
    """Give a text for the end of a comment's line."""
    return ascii(str(value))[1:-1]


def wildcard(subnet: str) -> str:
    """Give a subnet as access lists write it: 10.1.0.0 0.0.255.255. Raises ValueError for what is none."""
    network = ipaddress.IPv4Network(subnet)
    return f"{network.network_address} {network.hostmask}"


def masked(subnet: str) -> str:
    """Give a subnet as routes write it: 10.1.0.0 255.255.0.0. Raises ValueError for what is none."""
    network = ipaddress.IPv4Network(subnet)
    return f"{network.network_address} {network.netmask}"


def unwild(address: str, hostmask: str) -> str:
    """Give the prefix of an address with a wildcard, the inverse of `wildcard`."""
    # Python would take 0.0.0.0 for a netmask.
    length = 32 - int(ipaddress.IPv4Address(hostmask)).bit_length()
    return str(ipaddress.IPv4Network(f"{address}/{length}"))


def parse(content: str) -> list[Line]:
    """Read a configuration; comments are left out. Raises ValueError for a line that is below none."""
    top: list[Line] = []
    open_: list[tuple[int, Line]] = []
    for number, raw in enumerate(content.splitlines(), start=1):
        text = raw.strip()
        if not text or text.startswith("!"):
            continue
        depth = len(raw) - len(raw.lstrip())
        while open_ and open_[-1][0] >= depth:
            open_.pop()
        if depth and not open_:
            raise ValueError(f"line {number}: is below no other")
        line = Line(text, [])
        (open_[-1][1].below if open_ else top).append(line)
        open_.append((depth, line))
    return top
