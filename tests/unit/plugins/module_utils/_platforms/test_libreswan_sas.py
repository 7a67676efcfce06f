# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a real pluto (4.10, against a real cloud end) says of its SAs, read as records."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _libreswan, _libreswan_sas, _sas
from ansible_collections.bothends.vpn.tests.unit.plugins.module_utils._platforms import cases as common
from ansible_collections.bothends.vpn.tests.unit.plugins.module_utils._platforms import libreswan_cases as cases

FIXTURES = Path(__file__).parents[3] / "fixtures" / "libreswan"
STATUS, TRAFFIC = ((FIXTURES / name).read_text() for name in ("status.txt", "trafficstatus.txt"))
RECORD = cases.record(
    tunnels=common.pairs("prod/berlin", ["192.168.3.0/24"], ["192.168.1.0/24"])
    + [{"name": "prod/berlin/2", "local_subnets": ["192.168.4.0/24"], "remote_subnets": ["192.168.1.0/24"]}]
    + [{"name": "prod/berlin/3", "local_subnets": ["192.168.3.0/24"], "remote_subnets": ["192.168.2.0/24"]}]
    + [{"name": "prod/berlin/4", "local_subnets": ["192.168.4.0/24"], "remote_subnets": ["192.168.2.0/24"]}]
)


def test_the_ike_sa() -> None:
    """Its suite in our names, both ends, and its tunnels."""
    (sa,) = _libreswan_sas.read_sas(STATUS, TRAFFIC)
    assert (sa["connection"], sa["id"], sa["state"], sa["version"]) == ("prod/berlin", 14, "ESTABLISHED", "v2")
    assert sa["ike"] == {"encryption": "aes-256", "integrity": "sha384", "prf": "sha384", "dh_group": "group20"}
    assert (sa["local_host"], sa["remote_host"]) == ("203.0.113.10", "203.0.113.151")
    assert (sa["local_id"], sa["remote_id"]) == ("203.0.113.10", "203.0.113.151")


def test_its_tunnels() -> None:
    """Selectors, counters and SPIs; one that a newer one replaced is no carrier."""
    (sa,) = _libreswan_sas.read_sas(STATUS, TRAFFIC)
    assert [(child["id"], child["tunnel"], child["state"]) for child in sa["children"]] == [
        (15, "prod/berlin/1", "REPLACED"),
        (20, "prod/berlin/1", "INSTALLED"),
        (21, "prod/berlin/2", "INSTALLED"),
        (22, "prod/berlin/3", "INSTALLED"),
        (23, "prod/berlin/4", "INSTALLED"),
    ]
    child = sa["children"][1]
    assert child["ipsec"] == {"encryption": "aes-256", "integrity": "sha384", "pfs_group": None}
    assert (child["local_subnets"], child["remote_subnets"]) == (["192.168.3.0/24"], ["192.168.1.0/24"])
    assert (child["bytes_in"], child["bytes_out"]) == (504, 504)
    assert (child["spi_in"], child["spi_out"]) == ("f7e9e0e7", "b0f05e6d")
    assert child["age"] is None
    (sa,) = _libreswan_sas.read_sas(STATUS, TRAFFIC, now=child["added"] + 61.0)
    assert sa["children"][1]["age"] == 61.0


def test_they_are_judged_as_any_platforms() -> None:
    """As declared: nothing lacks. Otherwise: what differs is named."""
    sas = _libreswan_sas.read_sas(STATUS, TRAFFIC)
    assert _sas.standing(RECORD, sas, 0) == ([], [], [], [])
    assert _sas.standing(RECORD, sas, 14).old == [14]
    other = cases.record(tunnels=RECORD["tunnels"], ike={"dh_group": "group14"}, ipsec={"integrity": "sha512"})
    assert _sas.deviations(other, sas[0])[0] == "IKE dh_group is group20, declared is group14"
    assert len(_sas.deviations(other, sas[0])) == 5


def test_ikev1() -> None:
    """There pluto tells the tunnel's PFS group at any time."""
    status, traffic = ((FIXTURES / name).read_text() for name in ("status-ikev1.txt", "trafficstatus-ikev1.txt"))
    (sa,) = _libreswan_sas.read_sas(status, traffic)
    assert (sa["id"], sa["state"], sa["version"]) == (1, "ESTABLISHED", "v1")
    assert sa["ike"] == {"encryption": "aes-256", "integrity": "sha256", "prf": "sha256", "dh_group": "group14"}
    (child,) = sa["children"]
    assert (child["id"], child["state"]) == (2, "INSTALLED")
    assert child["ipsec"] == {"encryption": "aes-256", "integrity": "sha384", "pfs_group": "group16"}


def test_a_group_that_is_known_from_the_rekeying() -> None:
    """pluto tells it to the command that rekeyed, and to nobody else."""
    (sa,) = _libreswan_sas.read_sas(STATUS, TRAFFIC, {21: "group20"})
    assert [child["ipsec"]["pfs_group"] for child in sa["children"]] == [None, None, "group20", None, None]


SAID = '004 "a" #24: initiator rekeyed Child SA #21 using #14; IPsec tunnel [x] -> [y] {ESPinUDP=>0x43 <0x11 xfrm=%s NATD=z}'
REKEYED = {
    "AES_CBC_256-HMAC_SHA2_384_192-DH20": "group20",
    "AES_GCM_16_256-NONE-MODP2048": "group14",
    "AES_CBC_256-HMAC_SHA2_384_192": None,
    "AES_GCM_16_256-NONE": None,
}


@pytest.mark.parametrize("suite", REKEYED)
def test_rekeyed_group(suite: str) -> None:
    """The third word, where there is one."""
    assert _libreswan_sas.rekeyed_group(SAID % suite) == REKEYED[suite]


def test_nothing_is_no_sa() -> None:
    """Neither an empty answer nor somebody else's connections give SAs."""
    assert _libreswan_sas.read_sas("", "") == []
    assert _libreswan_sas.read_sas(STATUS.replace('"bothends.', '"office.'), TRAFFIC) == []


def test_connections() -> None:
    """What is loaded, with selectors."""
    conns = _libreswan_sas.read_connections(STATUS)
    assert sorted(conns) == [f"bothends.prod.berlin.{number}" for number in (1, 2, 3, 4)]
    assert conns["bothends.prod.berlin.4"]["remote_subnets"] == ["192.168.2.0/24"]


REASONS = {
    "key": (
        '003 "a" #1: IKE SA authentication request rejected by peer: AUTHENTICATION_FAILED\n036 "a" #1: encountered fatal error',
        "the key or an id differs",
    ),
    "silence": (
        '010 "a" #1: STATE_V2_PARENT_I1: retransmission; will wait 8 seconds for response',
        "the other end does not answer",
    ),
    "ikev1": ('036 "a": failed to add IKEv1 connection: global ikev1-policy does not allow IKEv1 connections', "ikev1-policy=accept"),
    "nothing": ('002 "a" #1: initiating IKEv2 connection', ""),
}  # fmt: skip


@pytest.mark.parametrize("case", REASONS)
def test_reasons(case: str) -> None:
    """The cause is named, and what to do."""
    said, hint = REASONS[case]
    assert hint in _libreswan.reason(said)
    assert bool(_libreswan.reason(said)) is bool(hint)
