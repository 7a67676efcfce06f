# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""Text that strongSwan writes and reads: its settings files and the dumps of ``swanctl --raw``. Pure, no I/O.

Sources: strongswan.conf(5), section SYNTAX; the dumps as ``swanctl`` 5.9.8 prints them. Both are tried on the real
programs by the tests.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils._errors import TextError

_NAME = re.compile(r'[^#{}=",:.\r\n\t ]+')  # 5.9.8 takes no dot; refusing is the safe side
_VALUE_WORD = re.compile(r'[^#}"\r\n\t ]+')
_INCLUDE = re.compile(r"include[\t ]+(?=[^=])")
_INCLUDE_WORD = re.compile(r"(?:\\.|[^\\#}\r\n\t ])+")
_SPACE = re.compile(r"[\t\r ]+")
_COMMENT = re.compile(r"#[^\n]*")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\n": ""}

Tree = t.Dict[str, t.Any]  # section name -> Tree, key -> value


class _Parser:
    """A reader of one settings text; strongSwan's own lexer has a state for values and one for the rest, so has this."""

    def __init__(self, text: str, source: str, include: t.Callable[[str], None] | None) -> None:
        self.text = text
        self.source = source
        self.include = include
        self.at = 0

    def fail(self, what: str) -> t.NoReturn:
        raise TextError(f"{self.source}:{self.text.count(chr(10), 0, self.at) + 1}: {what}")

    def take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        if found is None:
            return ""
        self.at = found.end()
        return found.group()

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def skip(self, newlines: bool = True) -> None:
        while self.take(_SPACE) or self.take(_COMMENT) or (newlines and self.peek() == "\n"):
            if self.peek() == "\n" and newlines:
                self.at += 1

    def string(self) -> str:
        self.at += 1
        out: list[str] = []
        while True:
            char = self.peek()
            self.at += 1
            if not char:
                self.fail("a quoted text has no end")
            if char == '"':
                return "".join(out)
            if char == "\\":
                char = self.peek()
                self.at += 1
                char = _ESCAPES.get(char, char)
            out.append(char)

    def value(self) -> str:
        words: list[str] = []
        while True:
            self.take(_SPACE)
            if self.peek() == '"':
                words.append(self.string())
                continue
            word = self.take(_VALUE_WORD)
            if not word:
                return " ".join(words)
            words.append(word)

    def section(self, into: Tree, depth: int) -> None:
        while True:
            self.skip()
            if not self.peek():
                if depth:
                    self.fail("a section has no closing brace")
                return
            if self.peek() == "}":
                if not depth:
                    self.fail("a closing brace without a section")
                self.at += 1
                return
            if self.take(_INCLUDE):
                pattern = self.string() if self.peek() == '"' else re.sub(r"\\(.)", r"\1", self.take(_INCLUDE_WORD))
                if self.include is not None:
                    self.include(pattern)
                continue
            self.statement(into, depth)

    def statement(self, into: Tree, depth: int) -> None:
        begun = self.at
        name = self.take(_NAME)
        if not name:
            self.fail("a name was expected")
        self.skip(newlines=False)
        if self.peek() == "=":
            self.at += 1
            into[name] = self.value()
            return
        if self.peek() == ":":  # references to other sections: which ones does not matter to us
            while self.peek() in (":", ","):
                self.at += 1
                self.skip(newlines=False)
                if not self.take(_NAME):
                    self.fail("the name of a referenced section was expected")
                self.skip(newlines=False)
        self.skip()
        if self.peek() != "{":
            self.at = begun
            self.fail("'{' or '=' was expected after the name")
        self.at += 1
        below = into.setdefault(name, {})
        if not isinstance(below, dict):
            below = into[name] = {}
        self.section(below, depth + 1)


def parse_settings(
    text: str, source: str = "text", into: Tree | None = None, include: t.Callable[[str], None] | None = None
) -> Tree:
    """Turns a settings text into nested dicts of strings, merged over ``into``.

    ``include`` is called with the pattern of each include statement. Raises TextError.
    """
    tree: Tree = {} if into is None else into
    _Parser(text, source, include).section(tree, 0)
    return tree


def quote(value: t.Any, field: str) -> str:
    """One value as a quoted text that the settings parser gives back unchanged. Raises ValueError with the field."""
    text = str(value)
    if any(ord(char) < 32 or ord(char) == 127 for char in text):
        raise ValueError(f"{field}: line breaks and control characters cannot stand in a swanctl file")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


_PLAIN = re.compile(r"[A-Za-z0-9_-]")


def encode_part(text: str) -> str:
    """One part of a name as section names can carry it: every other byte becomes ``~`` and two hex digits."""
    return "".join(
        char if _PLAIN.match(char) else "".join(f"~{byte:02x}" for byte in char.encode("utf-8")) for char in text
    )


def decode_part(text: str) -> str:
    """The inverse of encode_part; a text that encode_part never gives comes back as it is."""
    raw = re.sub(rb"~([0-9a-f]{2})", lambda found: bytes([int(found.group(1), 16)]), text.encode("utf-8"))
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return text


def decode_name(name: str) -> str:
    """A connection's or tunnel's name from the name of its section."""
    return "/".join(decode_part(part) for part in name.split("/"))


# In a dump, sections are `name {...}`, lists `name=[a b]`, values `name=text`; a text may hold spaces, so it goes on
# until the next ` name=`, ` name {` or closing brace.
_KEY = re.compile(r" *([^\s={}\[\]]+)(=\[|=| \{)")
_NEXT = re.compile(r"(?= [^\s={}\[\]]+(?:=| \{))|(?=\})|$")
_NO_KEY = re.compile(r" *[^\s={}\[\]]*")
_DEPTH = 20  # sections in each other; swanctl's are five


def _section(text: str, at: int, depth: int = 0) -> tuple[list[tuple[str, t.Any]], int]:
    items: list[tuple[str, t.Any]] = []
    while at < len(text) and depth < _DEPTH:
        if text[at] == "}":
            return items, at + 1
        found = _KEY.match(text, at)
        if found is None:
            at = max(at + 1, _NO_KEY.match(text, at).end())  # type: ignore[union-attr]
            continue
        name, kind = found.groups()
        at = found.end()
        if kind == " {":
            below, at = _section(text, at, depth + 1)
            items.append((name, below))
        elif kind == "=[":
            end = text.find("]", at)
            end = len(text) if end < 0 else end
            items.append((name, text[at:end].split()))
            at = end + 1
        else:
            end = _NEXT.search(text, at).end()  # type: ignore[union-attr]
            items.append((name, text[at:end]))
            at = end
    return items, at


def is_section(value: t.Any) -> bool:
    """Whether a value of a dump is a section."""
    return isinstance(value, list) and all(isinstance(one, tuple) for one in value)


def section(value: t.Any, name: str) -> dict[str, t.Any]:
    """A section's values by their names. Raises TextError where it is none."""
    if not is_section(value):
        raise TextError(f"{name} is no section")
    return dict(value)


def parse_dump(raw: str, event: str) -> list[list[tuple[str, t.Any]]]:
    """The messages of one kind (``list-sa event``, ``list-conn event``, ``stats reply``) in a ``swanctl --raw`` output.

    A message is a list of (name, text | list of texts | message): names may come twice. What is cut off in the middle
    gives what was there.
    """
    messages = []
    for line in raw.splitlines():
        if line.startswith(event + " {"):
            messages.append(_section(line, len(event) + 2)[0])
    return messages
