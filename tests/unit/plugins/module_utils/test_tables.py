# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.bothends.vpn.plugins.module_utils import _tables

COLUMNS = [("host", "host"), ("field", "field"), ("message", "what was found")]


def shown(*rows, width=80):
    return _tables.table(COLUMNS, rows, width)


def test_a_table_that_fits():
    assert shown({"host": "berlin", "field": "vpn_sites.berlin.subnets[0]", "message": "overlaps"}) == [
        "HOST    FIELD                        WHAT WAS FOUND",
        "berlin  vpn_sites.berlin.subnets[0]  overlaps",
    ]


def test_the_widest_column_gives_way_first():
    lines = shown({"host": "berlin", "field": "subnets", "message": "192.168.1.0/24 overlaps 192.168.0.0/16"}, width=40)
    assert lines == [
        "HOST    FIELD    WHAT WAS FOUND",
        "berlin  subnets  192.168.1.0/24 overlaps",
        "                 192.168.0.0/16",
    ]


def test_where_no_column_fits_a_row_is_a_paragraph():
    row = {"host": "berlin", "field": "subnets", "message": "overlaps 192.168.0.0/16"}
    assert shown(row, {**row, "host": "paris"}, width=20) == [
        "HOST: berlin", "FIELD: subnets", "WHAT WAS FOUND:", "overlaps", "192.168.0.0/16",
        "",
        "HOST: paris", "FIELD: subnets", "WHAT WAS FOUND:", "overlaps", "192.168.0.0/16",
    ]  # fmt: skip


def test_a_heading_wraps_like_any_cell():
    assert _tables.table([("a", "seen at the far end"), ("b", "why")], [{"a": 1, "b": "x" * 20}], 30) == [
        "SEEN AT   WHY",
        "THE FAR",
        "END",
        "1         xxxxxxxxxxxxxxxxxxxx",
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"), (True, "yes"), (False, "no"), (0, "0"), ([], "-"), (["a", None, 3], "a, -, 3"), ("", ""),
        ("two\nlines", "two"),
    ],
)  # fmt: skip
def test_how_a_value_is_written(value, text):
    assert _tables.table([("v", "v")], [{"v": value}], 20)[1] == text


def test_a_missing_key_is_a_dash():
    assert _tables.table([("v", "v")], [{}], 20) == ["V", "-"]


@pytest.mark.parametrize("evil", ["\x1b[31mred", "\rover", "\x07", "\x9b2J", "\u202egnirts", "a\tb", "\x7f", "\u2028"])
def test_a_value_cannot_steer_the_terminal(evil):
    text = "".join(shown({"host": evil, "field": [evil], "message": {"nested": evil}}))
    assert text.isprintable()
    assert "?" in text


texts = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=60), st.lists(st.text(max_size=9), max_size=3)
)
tables = st.integers(1, 5).flatmap(
    lambda count: st.tuples(
        st.lists(st.text(min_size=1, max_size=15), min_size=count, max_size=count),
        st.lists(st.lists(texts, min_size=count, max_size=count), max_size=4),
    )
)


@given(tables, st.integers(1, 120))
@example((["severity"] * 5, [["a"] * 5]), 10)
def test_no_line_is_longer_than_the_width(content, width):
    headings, rows = content
    columns = list(enumerate(headings))
    assert all(len(line) <= width for line in _tables.table(columns, [dict(enumerate(row)) for row in rows], width))


@given(tables, st.integers(1, 120))
def test_whatever_is_in_a_table_only_text_comes_out(content, width):
    headings, rows = content
    lines = _tables.table(list(enumerate(headings)), [dict(enumerate(row)) for row in rows], width)
    assert all(line.isprintable() for line in lines)


words = st.lists(st.text("abcdefgh-/.0", min_size=1, max_size=30), max_size=8).map(" ".join)


@given(st.lists(words, max_size=4), st.lists(words, max_size=4), st.integers(20, 60))
def test_wrapping_loses_no_word(left, right, width):
    """Each column, read from top to bottom, holds its values in full; only blanks and line ends may move."""
    rows = [{"left": f"<{one}>", "right": f"[{other}]"} for one, other in zip(left, right, strict=False)]
    lines = _tables.table([("left", "l"), ("right", "r")], rows, width)
    text = "".join(lines)
    for letter in "abcdefgh-/.0<>[]":
        assert text.count(letter) == sum(row[side].count(letter) for row in rows for side in row)
    whole = "".join(line.replace(" ", "") for line in _tables.table([("left", "l")], rows, width)[1:])
    assert whole == "".join(row["left"].replace(" ", "") for row in rows)
