# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Running SAs against what is declared."""

from __future__ import annotations

import contextlib
import re
import typing as t
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _sas, _strongswan_sas
from ansible_collections.bothends.vpn.tests.unit.plugins.module_utils._platforms import cases

ROOT = Path(__file__).parents[5]
SAS = (ROOT / "tests" / "unit" / "fixtures" / "swanctl" / "list-sas.txt").read_text(encoding="utf-8")


def test_deviations() -> None:
    """Suite and selectors of a running SA are compared with the record; a first child's PFS group is not known yet."""
    record = cases.record(
        "prod", "berlin.west", ike={"dh_group": "group14"}, ipsec={"integrity": "sha256", "pfs_group": "group14"},
        tunnels=[
            {
                "name": "prod/berlin.west/1", "local_subnets": ["192.168.3.0/24"],
                "remote_subnets": ["192.168.2.0/24", "192.168.1.0/24"],
            }
        ],
    )  # fmt: skip
    sa = _strongswan_sas.read_sas(SAS)[0]
    assert _sas.deviations(record, sa) == []
    sa["children"][1]["ipsec"]["pfs_group"] = None
    assert _sas.deviations(record, sa) == []
    record["ike"]["integrity"] = "sha256"
    record["ipsec"]["pfs_group"] = "group19"
    record["tunnels"][0]["local_subnets"] = ["192.168.4.0/24"]
    sa["children"][1]["ipsec"]["pfs_group"] = "group14"
    assert [line.split(" is ")[0] for line in _sas.deviations(record, sa)][:2] == [
        "IKE integrity",
        "IKE prf",
    ]
    assert len(_sas.deviations(record, sa)) == 4


def _sa(
    number: int, state: str = "ESTABLISHED", tunnels: tuple[str, ...] = ("prod/berlin/1",), **suite: str
) -> dict[str, t.Any]:
    record = cases.record()
    return {
        "connection": "prod/berlin", "id": number, "state": state,
        "ike": {"encryption": "aes-256", "integrity": "sha384", "prf": "sha384", "dh_group": "group20", **suite},
        "children": [
            {
                "tunnel": name, "id": number, "state": "INSTALLED",
                "ipsec": {"encryption": "aes-256", "integrity": "sha384", "pfs_group": None},
                "local_subnets": record["tunnels"][0]["local_subnets"],
                "remote_subnets": record["tunnels"][0]["remote_subnets"],
            }
            for name in tunnels
        ],
    }  # fmt: skip


def _aged(age: float | None, *tunnels: str) -> dict[str, t.Any]:
    sa = _sa(1, tunnels=tunnels or ("prod/berlin/1",))
    return {**sa, "children": [{**child, "age": age} for child in sa["children"]]}


# SA, what the cloud calls down -> whether a new SA is due
UNHEARD: dict[str, tuple[dict[str, t.Any], set[str], bool]] = {
    "old": (_aged(61), {"prod/berlin/1"}, True),
    "so-young-that-the-cloud-may-not-have-said-so": (_aged(60), {"prod/berlin/1"}, False),
    "nobody-knows-how-old": (_aged(None), {"prod/berlin/1"}, False),
    "another-is-down": (_aged(61), {"prod/paris/1", "prod/berlin/2"}, False),
    "none-is-down": (_aged(61), set(), False),
    "carries-nothing": (_sa(1, tunnels=()), {"prod/berlin/1"}, False),
    "one-of-two": (_aged(61, "prod/berlin/1", "prod/berlin/2"), {"prod/berlin/2"}, True),
}


@pytest.mark.parametrize("case", UNHEARD)
def test_what_the_cloud_does_not_know_of_is_made_anew(case: str) -> None:
    sa, down, due = UNHEARD[case]
    assert _sas.unheard([cases.record()], [sa], down) == ({"prod/berlin"} if due else set())
    assert _sas.unheard([cases.record(initiator="hub")], [sa], down) == set()
    assert _sas.unheard([cases.record(site="paris")], [sa], down) == set()


# SAs, highest id of the old ones -> tunnels that lack, old ids, wrong ids
STANDINGS: dict[str, tuple[list[dict[str, t.Any]], int, tuple[list[str], list[int], list[int]]]] = {
    "none": ([], 0, (["prod/berlin/1"], [], [])),
    "good": ([_sa(3)], 2, ([], [], [])),
    "old": ([_sa(2)], 2, (["prod/berlin/1"], [2], [])),
    "old-and-new": ([_sa(3), _sa(2)], 2, ([], [2], [])),
    "both-ends-began": ([_sa(3), _sa(4)], 2, ([], [], [])),
    "other-suite": ([_sa(3, integrity="sha256")], 2, (["prod/berlin/1"], [], [3])),
    "no-child": ([_sa(3, tunnels=())], 2, (["prod/berlin/1"], [], [])),
    "connecting": ([_sa(3, "CONNECTING", ())], 2, (["prod/berlin/1"], [], [])),
    "being-deleted": ([_sa(3, "DELETING")], 2, (["prod/berlin/1"], [], [])),
}


@pytest.mark.parametrize("case", STANDINGS)
def test_standing(case: str) -> None:
    """What lacks, what is too old, and what the other end made otherwise."""
    sas, older, expected = STANDINGS[case]
    assert _sas.standing(cases.record(), sas, older)[:3] == expected


@pytest.mark.parametrize(
    ("pattern", "nonsense", "why"),
    [
        ("uniqueid=11", "uniqueid=x", "uniqueid is no number"),
        ("uniqueid=11", "uniqueid=[1 2]", "uniqueid is no text"),
        ("uniqueid=15", "uniqueid=\N{SUPERSCRIPT TWO}", "uniqueid is no number"),
        ("bytes-in=0", "bytes-in=" + "9" * 5000, "bytes-in is no number"),
        ("established=0", "established=-1", "established is no number"),
        ("encr-keysize=256", "encr-keysize=large", "encr-keysize is no number"),
        ("state=ESTABLISHED", "state {x=y}", "state is no text"),
        (r"local-ts=\[[^]]*\]", "local-ts=192.168.3.0/24", "local-ts is no list"),
        (r"local-ts=\[[^]]*\]", "local-ts {a {b=c}}", "local-ts is no list"),
        ("name=prod", "name=[prod] x=y", "name is no text"),
        (r"child-sas \{prod", "child-sas=x y {prod", "child-sas is no section"),
        (r"^list-sa event \{", "list-sa event {prod/paris=x ", "prod/paris is no section"),
    ],
)
def test_nonsense_of_swanctl_is_said(pattern: str, nonsense: str, why: str) -> None:
    """It is not taken for a router without SAs, of which nobody would know why."""
    with pytest.raises(VpnError) as caught:
        _strongswan_sas.read_sas(re.sub(pattern, nonsense, SAS, count=1, flags=re.MULTILINE))
    assert str(caught.value).startswith(f"swanctl --list-sas: its answer cannot be read ({why}). Remedy: ")


@given(st.data())
def test_whatever_is_mangled_of_an_answer(data: st.DataObject) -> None:
    """It is SAs that can be judged, or an error of ours."""
    mangled = SAS
    for _time in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(mangled)))
        put = data.draw(
            st.sampled_from(["", " ", "=", "{", "}", "[", "]", " x=", " x {", "=[", "9" * 30, "\N{SUPERSCRIPT TWO}"])
        )
        mangled = mangled[:at] + put + mangled[at + data.draw(st.integers(0, 40)) :]
    for answer in (
        mangled,
        mangled.replace("list-sa ", "list-conn "),
        mangled.replace("list-sa event", "get-algorithms reply"),
    ):
        with contextlib.suppress(VpnError):
            for sa in _strongswan_sas.read_sas(answer):
                _sas.deviations(cases.record(), sa)
            _sas.standing(cases.record(), _strongswan_sas.read_sas(answer), 0)
        for read in (_strongswan_sas.read_connections, _strongswan_sas.read_algorithms):
            with contextlib.suppress(VpnError):
                read(answer)
