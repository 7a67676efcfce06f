# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.bothends.vpn.plugins.filter.mss import FilterModule
from ansible_collections.bothends.vpn.plugins.module_utils import _topology
from ansible_collections.bothends.vpn.tests.unit.builders import hub, records, site

mss = FilterModule().filters()["mss"]

CBC = {"encryption": "aes-256", "integrity": "sha256"}
GCM = {"encryption": "aes-256-gcm-16"}


def record(**change):
    hubs = {"prod": hub(**change.pop("hub", {}))}
    policies = {"strong": {"ipsec": change.pop("ipsec", {})}}
    (found,) = records({"berlin": site(policy="strong", **change)}, hubs=hubs, policies=policies)
    return found


@pytest.mark.parametrize(
    ("given", "options", "segment", "packet"),
    [
        (CBC, {}, 1382, 1422),
        ({}, {}, 1382, 1422),
        ({"encryption": "aes-128"}, {}, 1382, 1422),
        ({"ipsec": CBC, "ike": {"encryption": "aes-128"}}, {}, 1382, 1422),
        (CBC, {"nat_traversal": "off"}, 1398, 1438),
        (CBC, {"nat_traversal": "force"}, 1382, 1422),
        (CBC, {"underlay_mtu": "1400"}, 1286, 1326),
        (CBC, {"outer": 6}, 1366, 1406),
        (CBC, {"inner": "6"}, 1362, 1422),
        (GCM, {}, 1398, 1438),
        ({**GCM, "integrity": None}, {"nat_traversal": "off", "inner": 6}, 1386, 1446),
        (record(), {}, 1382, 1422),
        (record(ipsec=GCM, nat_traversal="off"), {}, 1406, 1446),
        (record(ipsec=GCM, nat_traversal="off"), {"nat_traversal": "force"}, 1398, 1438),
        (record(underlay_mtu=1400), {}, 1286, 1326),
        (record(underlay_mtu=1400), {"underlay_mtu": 1500}, 1382, 1422),
        (
            record(gateway="2001:db8:f::1", subnets=["2001:db8:3::/64"], hub={"subnets": ["2001:db8::/64"]}),
            {},
            1346,
            1406,
        ),
        (
            record(gateway="2001:db8:f::1", subnets=["2001:db8:3::/64"], hub={"subnets": ["2001:db8::/64"]}),
            {"inner": 4},
            1366,
            1406,
        ),
    ],
)
def test_what_fits(given, options, segment, packet):
    assert mss(given, **options) == segment
    assert mss(given, **options, want="mtu") == packet


@pytest.mark.parametrize(
    ("change", "options", "segment"),
    [
        ({}, {}, 1260),
        ({}, {"inner": 6}, 1240),
        ({"nat_traversal": "off"}, {}, 1260),
        ({}, {"underlay_mtu": 1300}, 1190),
        ({}, {"want": "mtu"}, 1422),
    ],
)
def test_a_cloud_that_carries_shorter_packets_of_tcp(change, options, segment):
    """Open Telekom Cloud: 1300 bytes, and it advises an MSS of less than 1399."""
    found = record(hub={"provider": "otc"}, **change)
    for seen in (found, _topology.mirror(found)):
        assert mss(seen, **options) == segment


@pytest.mark.parametrize(
    ("given", "options", "said"),
    [
        ({"encryption": "aes256"}, {}, "ipsec.encryption: there is no 'aes256'. Write one of aes-128, "),
        ({"integrity": "md5"}, {}, "ipsec.integrity: there is no 'md5'. Write one of "),
        (CBC, {"underlay_mtu": 100}, "underlay_mtu: 100 leaves 30 bytes for a packet"),
        (CBC, {"underlay_mtu": "big"}, "underlay_mtu: 'big' is no number of bytes"),
        (CBC, {"underlay_mtu": True}, "underlay_mtu: True is no number of bytes"),
        (CBC, {"nat_traversal": "yes"}, "nat_traversal: 'yes' is not one of auto, force, off"),
        (
            CBC,
            {"nat_traversal": False},
            "nat_traversal: False is not one of auto, force, off. YAML takes on and off for true and false: put them in quotes",
        ),
        (CBC, {"inner": 5}, "inner: 5 is not one of 4, 6"),
        (CBC, {"outer": "ipv4"}, "outer: 'ipv4' is not one of 4, 6"),
        (CBC, {"want": "ip"}, "want: 'ip' is not one of mss, mtu"),
        ("aes-256", {}, "a connection or an IPsec proposal is wanted"),
        ([CBC], {}, "a connection or an IPsec proposal is wanted"),
        ({"ipsec": "strong"}, {}, "a connection or an IPsec proposal is wanted"),
    ],
)
def test_what_is_wrong_is_named(given, options, said):
    with pytest.raises(AnsibleFilterError, match=rf"bothends\.vpn\.mss: {said}"):
        mss(given, **options)
