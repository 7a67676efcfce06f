# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""Tables of text that fit a terminal: long cells wrap, the widest columns give way first."""

from __future__ import annotations

import textwrap
import typing as t

GAP = "  "
LEAST = 8  # a column is not made narrower than this


def table(columns: t.Sequence[tuple[str, str]], rows: t.Sequence[t.Mapping[str, t.Any]], width: int) -> list[str]:
    """Lay out rows under headings; ``columns`` are (key, heading) pairs. Gives the lines, none longer than ``width``.

    Where the width is too small for columns, a row is a paragraph with one heading and value a line.
    """
    headings = [_text(heading).upper() for _key, heading in columns]
    cells = [[_text(row.get(key)) for key, _heading in columns] for row in rows]
    widths = [
        max([len(heading), *(len(line) for row in cells for line in row[index].splitlines())])
        for index, heading in enumerate(headings)
    ]
    room = width - len(GAP) * (len(columns) - 1)
    if sum(widths) > room and room < LEAST * len(columns):
        return _paragraphs(headings, cells, max(width, 1))
    words = [_longest_word([heading, *(row[index] for row in cells)]) for index, heading in enumerate(headings)]
    while sum(widths) > room:
        # A word is cut only where no column has a blank left to break at.
        slack = [width if width > word else 0 for width, word in zip(widths, words)]
        widest = slack.index(max(slack)) if any(slack) else widths.index(max(widths))
        widths[widest] -= 1
    lines = []
    for row in [headings, *cells]:
        wrapped = [_wrap(cell, widths[index]) for index, cell in enumerate(row)]
        for number in range(max(map(len, wrapped))):
            lines.append(_join([cell[number] if number < len(cell) else "" for cell in wrapped], widths))
    return lines


def _longest_word(texts: t.Iterable[str]) -> int:
    return max((len(word) for text in texts for word in text.split()), default=0)


def _paragraphs(headings: t.Sequence[str], cells: t.Sequence[t.Sequence[str]], width: int) -> list[str]:
    lines: list[str] = []
    for row in cells:
        lines += [""] if lines else []
        for heading, cell in zip(headings, row):
            lines += _wrap(f"{heading}: {cell}", width)
    return lines


def _text(value: t.Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_text, value)) or "-"
    # A value must not be able to move the cursor or colour the terminal.
    return "".join(letter if letter.isprintable() or letter == "\n" else "?" for letter in str(value))


def _wrap(cell: str, width: int) -> list[str]:
    return [
        part
        for line in cell.splitlines() or [""]
        for part in textwrap.wrap(line, width, break_on_hyphens=False) or [""]
    ]


def _join(cells: t.Sequence[str], widths: t.Sequence[int]) -> str:
    return GAP.join(cell[:size].ljust(size) for cell, size in zip(cells, widths)).rstrip()
