# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""Text that libreswan reads: names, values, and the way back from a file of ours. Pure, no I/O.

Sources: ipsec.conf(5) and ipsec.secrets(5) of libreswan 4.10. Both are tried on the real programs by the tests.
"""

from __future__ import annotations

import base64
import binascii
import re
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils._errors import TextError

Sections = t.Dict[str, t.Dict[str, str]]  # name of a conn -> parameter -> value

# A name begins with a letter and has letters, digits, periods, underscores and hyphens; this one tells that it is ours.
_OURS = "bothends"
_PLAIN = re.compile(r"[A-Za-z0-9-]")
_SECTION = re.compile(r"conn ([A-Za-z][A-Za-z0-9._-]*)\Z")
_PARAMETER = re.compile(r'\t([a-z0-9-]+)=(?:"([^"\n]*)"|([^"\s]+))\Z')
_SECRET = re.compile(r'"([^"\n]+)" "([^"\n]+)" : PSK (\S+)\Z')
_PSK_PREFIX = "0s"


def quote(value: t.Any, field: str) -> str:
    """One value as a quoted text; libreswan knows no escapes. Raises ValueError with the field."""
    text = str(value)
    if '"' in text or any(ord(char) < 32 or ord(char) == 127 for char in text):
        raise ValueError(f"{field}: quotation marks, line breaks and control characters cannot stand in ipsec.conf")
    return f'"{text}"'


def _encode(part: str) -> str:
    return "".join(
        char if _PLAIN.match(char) else "".join(f"_{byte:02x}" for byte in char.encode("utf-8")) for char in part
    )


def _decode(part: str) -> str:
    raw = re.sub(rb"_([0-9a-f]{2})", lambda found: bytes([int(found.group(1), 16)]), part.encode("utf-8"))
    return raw.decode("utf-8")


def section(name: str) -> str:
    """A connection's or tunnel's name (``hub/site``, ``hub/site/n``) as the name of a conn."""
    return ".".join([_OURS, *map(_encode, name.split("/"))])


def decode_section(name: str) -> str | None:
    """The inverse of section(); None for a conn that is not ours."""
    first, *parts = name.split(".")
    if first != _OURS or len(parts) not in (2, 3):
        return None
    try:
        return "/".join(map(_decode, parts))
    except UnicodeDecodeError:
        return None


def encode_psk(psk: str) -> str:
    """A pre-shared key as libreswan takes it whole, whatever is in it."""
    return _PSK_PREFIX + base64.b64encode(psk.encode("utf-8")).decode("ascii")


def decode_psk(value: str) -> str | None:
    """The inverse of encode_psk; None for a secret that it never wrote."""
    if not value.startswith(_PSK_PREFIX):
        return None
    try:
        return base64.b64decode(value[len(_PSK_PREFIX) :], validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return None


def _lines(text: str) -> t.Iterator[tuple[int, str]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield number, line


def parse_conf(text: str, source: str = "text") -> Sections:
    """The conns of a file of ours. Raises TextError for what we do not write."""
    out: Sections = {}
    values: dict[str, str] | None = None
    for number, line in _lines(text):
        begins, has = _SECTION.match(line), _PARAMETER.match(line)
        if begins and begins[1] not in out:
            values = out[begins[1]] = {}
        elif has and values is not None and has[1] not in values:
            values[has[1]] = has[3] if has[2] is None else has[2]
        else:
            raise TextError(f"{source}:{number}: not as this collection writes it")
    return out


def parse_secrets(text: str, source: str = "text") -> dict[tuple[str, str], str]:
    """The secrets of a file of ours by the ids of both ends. Raises TextError for what we do not write."""
    out = {}
    for number, line in _lines(text):
        found = _SECRET.match(line)
        if found is None:
            raise TextError(f"{source}:{number}: not as this collection writes it")
        out[found[1], found[2]] = found[3]
    return out
