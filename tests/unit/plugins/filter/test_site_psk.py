# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import collections

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.bothends.vpn.plugins.filter.site_psk import FilterModule

site_psk = FilterModule().filters()["site_psk"]

MASTER = "0123456789abcdef0123456789abcdef"


def test_the_same_place_gets_the_same_key():
    key = site_psk(MASTER, hub="prod", site="berlin")
    assert len(key) == 43
    assert site_psk(MASTER, hub="prod", site="berlin", generation="1") == key, "templates may bring numbers as texts"


@pytest.mark.parametrize(
    "change", [{"hub": "test"}, {"site": "paris"}, {"generation": 2}, {"master": MASTER + "x"}], ids=str
)
def test_any_change_gives_another_key(change):
    wanted = {"master": MASTER, "hub": "prod", "site": "berlin"}
    assert site_psk(**{**wanted, **change}) != site_psk(**wanted)


@pytest.mark.parametrize("master", ["", "too short", None])
def test_a_short_master_secret_is_refused_and_not_shown(master):
    with pytest.raises(AnsibleFilterError, match=r"bothends\.vpn\.site_psk: .* fewer than 16 characters") as caught:
        site_psk(master, hub="prod", site="berlin")
    assert "too short" not in str(caught.value)


@pytest.mark.parametrize("master", [MASTER + "\n", " " + MASTER])
def test_a_master_secret_with_a_blank_around_it_would_give_another_key_elsewhere(master):
    with pytest.raises(AnsibleFilterError, match="blank or line end") as caught:
        site_psk(master, hub="prod", site="berlin")
    assert MASTER not in str(caught.value)


@pytest.mark.parametrize("names", [{"hub": ""}, {"site": ""}, {"hub": "h/x"}, {"site": "a/b"}])
def test_a_name_that_no_hub_or_site_has(names):
    with pytest.raises(AnsibleFilterError, match=f"{next(iter(names))} .* is no"):
        site_psk(MASTER, **{"hub": "prod", "site": "berlin", **names})


@pytest.mark.parametrize(
    "given", [{"a": MASTER}, [MASTER], (MASTER,), MASTER.encode(), True, map(str, MASTER)], ids=type
)
@pytest.mark.parametrize("what", ["master", "hub", "site"])
def test_how_python_writes_something_is_no_text(what, given):
    with pytest.raises(AnsibleFilterError, match=f"{what}.* is neither a text nor a number") as caught:
        site_psk(**{"master": MASTER, "hub": "prod", "site": "berlin", what: given})
    assert MASTER not in str(caught.value)


def test_a_number_is_its_digits():
    assert site_psk(12345678901234567890, hub=1, site=2) == site_psk("12345678901234567890", hub="1", site="2")


class Vaulted(collections.UserString):
    """A text of a vault, as ansible-core 2.18 hands it over."""

    __ENCRYPTED__ = True


def test_a_vaulted_text_is_a_text():
    assert site_psk(Vaulted(MASTER), hub="prod", site="berlin") == site_psk(MASTER, hub="prod", site="berlin")


@pytest.mark.parametrize("generation", ["two", None])
def test_a_generation_that_is_no_number(generation):
    with pytest.raises(AnsibleFilterError, match=r"bothends\.vpn\.site_psk: generation"):
        site_psk(MASTER, hub="prod", site="berlin", generation=generation)


@pytest.mark.parametrize("generation", [0, -1])
def test_a_generation_counts_from_one(generation):
    with pytest.raises(AnsibleFilterError, match=r"bothends\.vpn\.site_psk: generation"):
        site_psk(MASTER, hub="prod", site="berlin", generation=generation)
