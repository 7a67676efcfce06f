# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.bothends.vpn.plugins.filter.psks import psks


@pytest.mark.parametrize(
    "key", ["no", "010", "1e3", "2026-11-22", "0x1f", "~", "1_000", "12:30", "{{ 7*7 }}", "{% raw %}", "$a`b`"]
)
def test_a_key_stays_the_text_that_was_written(key):
    quoted = key.replace("'", "''")
    assert psks(f"prod/berlin: '{quoted}'\n") == {"prod/berlin": key}
    if key[0] != "{":
        assert psks(f"prod/berlin: {key}\n") == {"prod/berlin": key}


@pytest.mark.parametrize("name", ["no", "010", "1e3", "2026-11-22"])
def test_a_name_stays_the_text_that_was_written(name):
    assert psks(f"{name}: a key\n") == {name: "a key"}


@pytest.mark.parametrize("text", ["", "---\n", "# nothing yet\n", "{}"])
def test_no_keys_are_no_keys(text):
    assert psks(text) == {}


@given(st.dictionaries(st.text(min_size=1), st.text()))
def test_whatever_yaml_can_write_is_read_back(keys):
    assert psks(yaml.safe_dump(keys, default_style='"', allow_unicode=True)) == keys


@pytest.mark.parametrize(
    ("value", "said"),
    [
        pytest.param("!secret rest", "line 2: what begins with", id="a tag"),
        pytest.param("!secret", "line 2: what begins with", id="only a tag"),
        pytest.param("!se!cret x", "line 2, column", id="an unknown handle"),
        pytest.param("&secret rest", "line 2: what begins with", id="an anchor"),
        pytest.param("*secret", "line 2: what begins with", id="an alias"),
        pytest.param("{{ secret }}", "nothing below a key", id="braces"),
        pytest.param("[secret]", "nothing below a key", id="a list"),
        pytest.param("secret #rest", "line 2: # after a blank", id="a comment"),
        pytest.param("secret: rest", "line 2, column", id="a colon"),
        pytest.param("@secret", "line 2, column", id="a reserved character"),
        pytest.param("%secret", "line 2, column", id="a percent sign"),
        pytest.param("'secret", "this is no YAML", id="an open quote"),
        pytest.param("\x07secret", "this is no YAML", id="a control character"),
    ],
)
def test_a_key_that_needs_quotes_is_refused_and_not_shown(value, said):
    with pytest.raises(AnsibleFilterError) as raised:
        psks(f"prod/berlin: fine\nprod/paris: {value}\n")
    assert said in str(raised.value)
    assert "secret" not in str(raised.value) and "rest" not in str(raised.value)
    assert raised.value.__cause__ is None and raised.value.__suppress_context__


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a\n- b\n", "one dict"),
        ("a text", "one dict"),
        ("a: b\n---\nc: d\n", "one dict"),
        ("a: b\na: c\n", "line 2: 'a' is there twice"),
    ],
)
def test_what_is_no_dict_of_keys_is_refused(text, said):
    with pytest.raises(AnsibleFilterError, match=said):
        psks(text)
