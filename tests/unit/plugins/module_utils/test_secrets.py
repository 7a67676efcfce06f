# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import types

import pytest
from ansible.module_utils.common.parameters import remove_values
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.bothends.vpn.plugins.module_utils import _module, _secrets
from ansible_collections.bothends.vpn.plugins.module_utils._providers import PROVIDERS


@pytest.mark.parametrize(
    ("psks", "found"),
    [
        pytest.param({"prod/berlin": "by connection"}, "by connection", id="by connection"),
        pytest.param({"berlin": "by site"}, "by site", id="by site"),
        pytest.param(
            {"berlin": "by site", "prod/berlin": "by connection"}, "by connection", id="the connection's first"
        ),
        pytest.param({"prod/berlin": "", "berlin": "by site"}, "by site", id="empty is none"),
        pytest.param({"prod/berlin": None}, None, id="null is none"),
        pytest.param({"test/berlin": "x", "prod": "x", "prod/": "x", "/berlin": "x"}, None, id="others' keys"),
        pytest.param({}, None, id="no keys at all"),
    ],
)
def test_whose_key(psks, found):
    assert _secrets.find(psks, "prod", "berlin") == found


@pytest.mark.parametrize(
    ("psk", "why"),
    [
        ("a key of twenty chars", None),
        ("quotes \" ' \\ # $ {{ }} and blanks inside", None),
        ("schlüssel-é世", None),
        ("", "has 0 characters; 1 to 40 are allowed"),
        ("x" * 41, "has 41 characters; 1 to 40 are allowed"),
        ("one\nmore", "has 1 control character (a line end, say)"),
        ("\x00\x7f\x85", "has 3 control characters (a line end, say)"),
        ("half a pair \ud800", "has 1 control character (a line end, say)"),
        (" blank", "begins or ends with a blank"),
        ("blank ", "begins or ends with a blank"),
    ],
)
def test_what_is_wrong_with_a_key(psk, why):
    assert _secrets.problem(psk, (1, 40)) == why


@pytest.mark.parametrize(
    ("psk", "why"),
    [
        ("nowhere", None),
        ("no;where", "has 1 character that the provider does not allow"),
        ("n;o;where", "has 2 characters that the provider does not allow"),
    ],
)
def test_what_is_not_in_the_alphabet(psk, why):
    assert _secrets.problem(psk, (1, 40), "nowher") == why


@given(st.text(st.characters(exclude_characters="; abcdeghilmnoprstw0123456789()-"), min_size=4, max_size=60))
def test_what_is_wrong_is_said_without_the_key(psk):
    assert psk not in (_secrets.problem(psk, (5, 20), "xyz") or "")


def test_a_derived_key_stays_what_it_is():
    """Another value here means that every derived key of every user changes."""
    assert _secrets.derive("m" * 32, "prod", "berlin") == "GLK_DKxSz6B2M7sS39fXLQD1teDalwoP1lpR2OWL3Tg"


names = st.text("abc0./-", min_size=1, max_size=6)
places = st.tuples(st.text(min_size=16, max_size=40), names, names, st.integers(1, 30))


@given(places, places)
def test_every_place_and_generation_has_its_own_key(one, other):
    assert (_secrets.derive(*one) == _secrets.derive(*other)) is (one == other)


@given(places)
def test_a_derived_key_is_allowed_everywhere(place):
    key = _secrets.derive(*place)
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", key)
    assert all(
        _secrets.problem(key, provider.psk_length, provider.psk_alphabet) is None for provider in PROVIDERS.values()
    )


def test_a_place_is_not_just_the_joined_names():
    assert _secrets.derive("m" * 16, "a", "bc") != _secrets.derive("m" * 16, "ab", "c")


def test_a_login_without_its_secrets():
    login = {
        "auth_type": "v3applicationcredential", "region_name": "eu",
        "auth": {"username": "me", "password": "p", "application_credential_secret": "s", "token": "t", "passcode": "1"},
        "regions": [{"values": {"password": "p"}}],
    }  # fmt: skip
    assert _secrets.without_secrets(login) == {
        "auth_type": "v3applicationcredential", "region_name": "eu",
        "auth": {"username": "me", **dict.fromkeys(("password", "application_credential_secret", "token", "passcode"), "(secret)")},
        "regions": [{"values": {"password": "(secret)"}}],
    }  # fmt: skip
    texts = (None, "otc", '{"auth": {"password": "p"}}')
    assert [_secrets.without_secrets(one) for one in texts] == [None, "otc", "(secret)"]


# --- what has to be masked -------------------------------------------------------------------------------------------

# Two letters, so that keys are parts of each other and of what is shown.
few = st.text("ab\n", max_size=6)
shown = st.recursive(
    few | st.none() | st.booleans() | st.integers(0, 30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(few, inner, max_size=3),
    max_leaves=8,
)


@given(st.sets(few.filter(bool) | st.integers(0, 12).map(str), max_size=5), shown)
def test_ansible_masks_the_same_when_it_looks_only_for_keys_that_occur(keys, result):
    assert remove_values(result, _secrets.occurring(keys, result)) == remove_values(result, keys)


@pytest.mark.parametrize(
    ("keys", "result", "occur"),
    [
        pytest.param(set(), "anything", set(), id="no keys"),
        pytest.param({"secret"}, {"a": [{"b": "my secret."}]}, {"secret"}, id="a part, deep inside"),
        pytest.param({"secret"}, {"secret": 1}, {"secret"}, id="a field's name"),
        pytest.param({"500"}, {"mtu": 1500}, {"500"}, id="a part of a number"),
        pytest.param({"secret", "long secret"}, ["a long secret"], {"secret", "long secret"}, id="one in the other"),
        pytest.param({"secret"}, ["sec", "ret", "Secret"], set(), id="nowhere"),
        pytest.param({"secret", "secrecy"}, ["secrecy"], {"secrecy"}, id="the same beginning"),
    ],
)
def test_which_keys_occur(keys, result, occur):
    assert _secrets.occurring(keys, result) == occur


def test_the_options_are_shown_without_the_keys():
    options = {"name": "prod", "connections": [{"name": "berlin", "psk": "k1"}, {"name": "k12", "psk": None, "mtu": 1}]}
    assert _secrets.without_keys(options, {"k1"}) == {
        "name": "prod",
        "connections": [{"name": "berlin", "psk": _secrets.MASKED}, {"name": "k12", "psk": None, "mtu": 1}],
    }
    assert remove_values("k1", {"k1"}) == _secrets.MASKED


class Ended(Exception):
    """The module is over."""


@pytest.mark.parametrize(("key", "kept"), [("never seen", set()), ("berlin", {"berlin"}), ("told", {"told"})])
def test_the_masking_of_a_module_keeps_what_is_to_be_masked(monkeypatch, key, kept):
    module = types.SimpleNamespace(
        params={"cloud": None, "concurrency": 1, "psk": key}, no_log_values={key}, warn=lambda text: None
    )

    def exit_json(**result):
        assert result["invocation"]["module_args"]["psk"] == _secrets.MASKED
        raise Ended

    module.exit_json = exit_json
    monkeypatch.setattr(_module._cloud, "Cloud", lambda *login: None)
    monkeypatch.setattr(_module, "get_warning_messages", lambda: ("told of it",))
    with pytest.raises(Ended):
        _module.run(module, lambda cloud: {"connections": ["prod/berlin/1"]})
    assert module.no_log_values == kept
