# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection.
"""A file of pre-shared keys, read so that each key stays the text that was written, and that no error shows any of it."""

from __future__ import annotations

import typing as t

import yaml

from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError

REMEDY = "Put the key in single quotes, with each ' in it doubled."


def read(text: str) -> dict[str, str]:
    """Read ``connection or site: key`` lines; ``no``, ``0123`` and the like stay texts."""
    events = _events(text)
    scalars = [one for one in events if not isinstance(one, _FRAME)]
    frame = tuple(type(one) for one in events if isinstance(one, _FRAME))
    if yaml.MappingStartEvent not in frame and not any(getattr(one, "value", "*") for one in scalars):
        return {}
    if frame != _BEGIN + _END:
        raise VpnError("one dict from a connection or site to its key is wanted, and nothing below a key.")
    for one in scalars:
        _refuse_cut(one, text)
    out: dict[str, str] = {}
    for name, key in zip(scalars[::2], scalars[1::2], strict=True):
        if name.value in out:
            raise VpnError(f"line {name.start_mark.line + 1}: {name.value!r} is there twice.")
        out[name.value] = key.value
    return out


_BEGIN = (yaml.StreamStartEvent, yaml.DocumentStartEvent, yaml.MappingStartEvent)
_END = (yaml.MappingEndEvent, yaml.DocumentEndEvent, yaml.StreamEndEvent)
_FRAME = (*_BEGIN, *_END, yaml.SequenceStartEvent, yaml.SequenceEndEvent)


def _events(text: str) -> list[t.Any]:
    try:
        return list(yaml.parse(text, Loader=yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        # What PyYAML says may quote the line.
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "somewhere"
    except yaml.YAMLError:
        where = "somewhere"
    raise VpnError(f"{where}: this is no YAML. {REMEDY}")


def _refuse_cut(one: t.Any, text: str) -> None:
    """What YAML takes for a tag, an anchor, an alias or a comment would be missing in the key."""
    if isinstance(one, yaml.AliasEvent) or one.anchor is not None or one.tag is not None:
        raise VpnError(f"line {one.start_mark.line + 1}: what begins with !, & or * is no text to YAML. {REMEDY}")
    rest = text[one.end_mark.index :].partition("\n")[0]
    if not one.style and rest.lstrip().startswith("#"):
        raise VpnError(f"line {one.start_mark.line + 1}: # after a blank begins a comment to YAML. {REMEDY}")
