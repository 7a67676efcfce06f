# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib

import pytest

from ansible_collections.bothends.vpn.plugins.module_utils import _entries
from ansible_collections.bothends.vpn.plugins.module_utils._addresses import AddressError

HUBS = {"prod": {"vpc": "prod", "subnets": ["10.1.0.0/16", "10.2.0.0/16"]}}
SITES = {"berlin": {"hub": "prod", "gateway": "203.0.113.10", "subnets": ["10.3.0.0/24"]}}


@pytest.mark.parametrize(
    ("entries", "read"),
    [
        ([], []),
        ({}, []),
        (["10.0.0.0/8"], [("10.0.0.0/8", "10.0.0.0/8")]),
        (("10.0.0.0/8",), [("10.0.0.0/8", "10.0.0.0/8")]),
        ([" 10.0.0.1/8 "], [(" 10.0.0.1/8 ", " 10.0.0.1/8 ")]),
        ([{"name": "office", "cidr": "10.0.0.0/8"}], [("office", "10.0.0.0/8")]),
        ([{"cidr": "10.0.0.0/8"}], [("10.0.0.0/8", "10.0.0.0/8")]),
        ([{"name": "a", "subnets": ["10.1.0.0/16", "::/0"]}], [("a", "10.1.0.0/16"), ("a", "::/0")]),
        ([{"name": "a", "cidr": "10.1.0.0/16", "subnets": ["::/0"]}], [("a", "10.1.0.0/16"), ("a", "::/0")]),
        ({"a": "10.1.0.0/16", "b": ["10.2.0.0/16", "::/0"]}, [("a", "10.1.0.0/16"), ("b", "10.2.0.0/16"), ("b", "::/0")]),
        ({"a": {"cidr": "10.1.0.0/16"}}, [("a", "10.1.0.0/16")]),
        ({"a": [{"cidr": "10.1.0.0/16"}, {"name": "b", "cidr": "::1"}]}, [("a", "10.1.0.0/16"), ("b", "::1")]),
        (HUBS, [("prod", "10.1.0.0/16"), ("prod", "10.2.0.0/16")]),
        (
            [HUBS, SITES, "10.4.0.0/16", ["10.5.0.0/16"]],
            [("prod", "10.1.0.0/16"), ("prod", "10.2.0.0/16"), ("berlin", "10.3.0.0/24"), ("10.4.0.0/16", "10.4.0.0/16"),
             ("10.5.0.0/16", "10.5.0.0/16")],
        ),
        ((text for text in ["10.1.0.0/16"]), [("10.1.0.0/16", "10.1.0.0/16")]),
        ({"10.1.0.0/16"}, [("10.1.0.0/16", "10.1.0.0/16")]),
    ],
)  # fmt: skip
def test_all_the_forms_that_a_playbook_has(entries, read):
    assert [(one["name"], one["cidr"]) for one in (entry.public() for entry in _entries.read(entries))] == read


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        (["10.0.0.0/8", "app"], "item 1: 'app' is not a subnet (invalid IPNetwork app); write a CIDR such as"),
        (["10.0.0.0/8", ["10.0.0.0/8", "10.0.0.0/33"]], "item 1[1]: '10.0.0.0/33' is not a subnet"),
        ([None], "item 0: None is not a subnet"),
        ([True], "item 0: True is not a subnet"),
        ([b"10.0.0.0/8"], "item 0: b'10.0.0.0/8' is not a subnet"),
        ([{"name": "office", "cidr": "x"}], "item 0 (office): 'x' is not a subnet"),
        ([{"name": "office", "subnets": ["::/0", "x"]}], "item 0 (office).subnets[1]: 'x' is not a subnet"),
        ([{"name": "office"}], "item 0 (office): it has no `cidr` and no `subnets`; give it one of them"),
        ([{"cidr": None}], "item 0: None is not a subnet"),
        ({"berlin": ["10.0.0.0/8", "lan"]}, "berlin[1]: 'lan' is not a subnet"),
        ({"berlin": "lan"}, "berlin: 'lan' is not a subnet"),
        ({"berlin": {"gateway": "203.0.113.10"}}, "berlin: it has no `cidr` and no `subnets`"),
        ({"prod": {"subnets": ["10.0.0.0/8", "app"]}}, "prod.subnets[1]: 'app' is not a subnet"),
        ([HUBS, {"prod": {"subnets": ["app"]}}], "item 1.prod.subnets[0]: 'app' is not a subnet"),
        ("10.0.0.0/8", "a list of subnets is wanted, or a dict from names to them, not str"),
        (None, "a list of subnets is wanted, or a dict from names to them, not NoneType"),
        (8, "a list of subnets is wanted, or a dict from names to them, not int"),
    ],
)
def test_an_error_says_where_and_what(entries, said):
    for read in (_entries.read, _entries.prefixes):
        with pytest.raises(AddressError) as caught:
            read(entries)
        assert str(caught.value).startswith(said)


@pytest.mark.parametrize("on", [True, False])
@pytest.mark.parametrize("entries", [["10.0.0.0/8"], ["app"]])
def test_the_collector_is_left_as_it_was(monkeypatch, on, entries):
    calls = []
    monkeypatch.setattr(_entries.gc, "isenabled", lambda: on)
    monkeypatch.setattr(_entries.gc, "disable", lambda: calls.append("disable"))
    monkeypatch.setattr(_entries.gc, "enable", lambda: calls.append("enable"))
    for read in (_entries.read, _entries.prefixes):
        with contextlib.suppress(AddressError):
            read(entries)
    assert calls == (["disable", "enable"] if on else ["disable"]) * 2


def test_a_list_in_itself_has_an_end():
    endless = []
    endless.append(endless)
    with pytest.raises(AddressError, match="more than 8 deep"):
        _entries.read(endless)


def test_one_bad_item_among_many_is_named():
    many = [f"10.{number // 256 % 256}.{number % 256}.0/24" for number in range(100_000)]
    with pytest.raises(AddressError, match="item 100000: 'app' is not a subnet"):
        _entries.prefixes([*many, "app"])
    assert len(_entries.prefixes(many)) == 100_000
