# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.bothends.vpn.plugins.module_utils import _algorithms, _mtu, _topology
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.tests.unit.builders import hub, records, site

# Underlay, in UDP, outer version, cipher, integrity; longest packet, MSS of IPv4, MSS of IPv6. Worked out by hand, as in the first:
# 1500 - 20 (IPv4) - 8 (ESP) - 8 (vector) - 16 (check) = 1448, a multiple of 4; - 2 (trailer) = 1446; - 40 and - 60 (IP, TCP).
ROWS = [
    # These eight also stand in a vendor's table: AWS, Site-to-Site VPN, "Best practices for your customer gateway device".
    (1500, False, 4, "aes-128-gcm-16", None, 1446, 1406, 1386),
    (1500, True, 4, "aes-256-gcm-16", None, 1438, 1398, 1378),
    (1500, False, 4, "aes-128", "sha256", 1438, 1398, 1378),  # 1500-20-8-16-16 = 1440 = 90*16; -2
    (1500, True, 4, "aes-256", "sha256", 1422, 1382, 1362),  # 1500-20-8-8-16-16 = 1432; 89*16 = 1424; -2
    (1500, False, 4, "aes-256", "sha384", 1422, 1382, 1362),  # 1500-20-8-16-24 = 1432; 1424; -2
    (1500, True, 4, "aes-256", "sha384", 1422, 1382, 1362),  # 1500-20-8-8-16-24 = 1424 = 89*16; -2
    (1500, False, 4, "aes-256", "sha512", 1422, 1382, 1362),  # 1500-20-8-16-32 = 1424; -2
    (1500, True, 4, "aes-256", "sha512", 1406, 1366, 1346),  # 1500-20-8-8-16-32 = 1416; 88*16 = 1408; -2
    # IPv6 between the gateways: 40 instead of 20.
    (1500, False, 6, "aes-256", "sha256", 1406, 1366, 1346),  # 1500-40-8-16-16 = 1420; 88*16 = 1408; -2
    (1500, True, 6, "aes-256-gcm-16", None, 1418, 1378, 1358),  # 1500-40-8-8-8-16 = 1420 = 355*4; -2
    # Shorter check values, and a stream cipher with one: RFC 4106, RFC 4309, RFC 3566, RFC 4494, RFC 3686.
    (1500, False, 4, "aes-256-gcm-8", None, 1454, 1414, 1394),  # 1500-20-8-8-8 = 1456; -2
    (1500, False, 4, "aes-256-ccm-12", None, 1450, 1410, 1390),  # 1500-20-8-8-12 = 1452; -2
    (1500, False, 4, "aes-192", "aes-xcbc", 1438, 1398, 1378),  # 1500-20-8-16-12 = 1444; 90*16 = 1440; -2
    (1500, True, 4, "aes-192", "aes-cmac", 1422, 1382, 1362),  # 1500-20-8-8-16-12 = 1436; 1424; -2
    (1500, False, 4, "aes-256-ctr", "sha256", 1446, 1406, 1386),  # 1500-20-8-8-16 = 1448; -2
    # Other paths: PPPoE, jumbo frames, the least that IPv6 allows.
    (1492, True, 4, "aes-256", "sha256", 1422, 1382, 1362),  # 1492-20-8-8-16-16 = 1424 = 89*16; -2
    (1491, True, 4, "aes-256", "sha256", 1406, 1366, 1346),  # one byte less: 1423; 88*16 = 1408; -2
    (9000, False, 4, "aes-256-gcm-16", None, 8946, 8906, 8886),  # 9000-20-8-8-16 = 8948; -2
    (1280, True, 6, "aes-256", "sha512", 1166, 1126, 1106),  # 1280-40-8-8-16-32 = 1176; 73*16 = 1168; -2
]


@pytest.mark.parametrize(("underlay", "udp", "outer", "encryption", "integrity", "packet", "four", "six"), ROWS)
def test_rows_worked_out_by_hand(underlay, udp, outer, encryption, integrity, packet, four, six):
    suite = {"encryption": encryption, "integrity": integrity}
    assert _mtu.inner_mtu(suite, underlay, udp, outer) == packet
    assert (_mtu.segment(packet, 4), _mtu.segment(packet, 6)) == (four, six)


def sent(inner, suite, udp, outer):
    """Put a packet of this length into ESP as RFC 4303 section 2 draws it, and give how long what is sent is."""
    name = suite["encryption"]
    cbc = _algorithms.ENCRYPTION[name].id == 12
    aead_check = int(name.rpartition("-")[2]) if _algorithms.ENCRYPTION[name].aead else None
    check = aead_check or {"aes-xcbc": 12, "aes-cmac": 12, "sha256": 16, "sha384": 24, "sha512": 32}[suite["integrity"]]
    encrypted = b"p" * inner
    padding = 0
    while (len(encrypted) + padding + 2) % (16 if cbc else 4):
        padding += 1
    encrypted += bytes(padding) + bytes([padding, 4])
    packet = b"SPI-" + b"sequ" + bytes(16 if cbc else 8) + encrypted + bytes(check)
    if udp:
        packet = b"source, port, length"[:8] + packet
    return len(bytes(20 if outer == 4 else 40) + packet)


suites = st.builds(
    lambda encryption, integrity: {
        "encryption": encryption,
        "integrity": None if _algorithms.ENCRYPTION[encryption].aead else integrity,
    },
    st.sampled_from(list(_algorithms.ENCRYPTION)),
    st.sampled_from(list(_algorithms.INTEGRITY)),
)


@given(suites, st.integers(576, 9216), st.booleans(), st.sampled_from([4, 6]))
def test_the_longest_packet_fits_and_one_byte_more_does_not(suite, underlay, udp, outer):
    longest = _mtu.inner_mtu(suite, underlay, udp, outer)
    assert sent(longest, suite, udp, outer) <= underlay
    assert sent(longest + 1, suite, udp, outer) > underlay


def test_each_algorithm_has_its_sizes_and_their_source():
    assert list(_mtu.CIPHERS) == list(_algorithms.ENCRYPTION)
    assert set(_mtu.CHECKS) == set(_algorithms.INTEGRITY)
    assert all(row.source.startswith("RFC ") for table in (_mtu.CIPHERS, _mtu.CHECKS) for row in table.values())
    assert all(bool(_mtu.CIPHERS[name].check) is row.aead for name, row in _algorithms.ENCRYPTION.items())


SITE6 = {"gateway": "2001:db8:f::10", "subnets": ["2001:db8:3::/64"]}
HUB6 = hub(gateway="2001:db8:f::150", subnets=["2001:db8:1::/64"])


@pytest.mark.parametrize(
    ("change", "hubs", "packet", "inner"),
    [
        ({}, None, 1422, 4),
        ({"nat_traversal": "force"}, None, 1422, 4),
        ({"nat_traversal": "off"}, None, 1438, 4),
        ({"underlay_mtu": 1400}, None, 1326, 4),  # 1400-20-8-8-16-16 = 1332; 83*16 = 1328; -2
        ({**SITE6, "nat_traversal": "off"}, {"prod": HUB6}, 1406, 6),
        ({**SITE6, "subnets": ["2001:db8:3::/64", "10.3.0.0/24"]}, {"prod": hub(subnets=["app", "db"])}, 1406, 6),
    ],
)
def test_a_connection_says_it_all_from_either_end(change, hubs, packet, inner):
    (record,) = records({"berlin": site(**change)}, hubs=hubs)
    for seen in (record, _topology.mirror(record)):
        assert _mtu.of_connection(seen) == packet
        assert _mtu.inner_version(seen) == inner


@pytest.mark.parametrize(
    ("suite", "underlay", "said"),
    [
        (
            {"encryption": "aes-512", "integrity": "sha256"},
            1500,
            r"ipsec\.encryption: there is no 'aes-512'. Write one of aes-128,",
        ),
        (
            {"encryption": "aes-256", "integrity": None},
            1500,
            r"ipsec\.integrity: there is no None. Write one of aes-xcbc,",
        ),
        ({}, 1500, r"ipsec\.encryption: there is no None"),
        ({"encryption": "aes-256", "integrity": "sha256"}, 137, r"underlay_mtu: 137 leaves 62 bytes"),
        ({"encryption": "aes-256", "integrity": "sha256"}, 0, r"underlay_mtu: 0 leaves 0 bytes"),
    ],
)
def test_what_cannot_be_is_refused(suite, underlay, said):
    with pytest.raises(VpnError, match=said):
        _mtu.inner_mtu(suite, underlay, udp=False)


def test_the_least_path_that_is_of_use():
    """137 bytes are refused above: 137-60 = 77, 64 of which are whole blocks; with 140 there are 80."""
    assert _mtu.inner_mtu({"encryption": "aes-256", "integrity": "sha256"}, 140, udp=False) == 78
