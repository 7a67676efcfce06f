# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cisco's YANG modules judge every golden file of IOS XE, and whatever else a record can say."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import hypothesis
import iosxe
import pytest

from ansible_collections.bothends.vpn.plugins.module_utils import _algorithms
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _cisco_iosxe_checks
from ansible_collections.bothends.vpn.tests.unit.plugins.module_utils._platforms import cases_cisco_iosxe as cases
from ansible_collections.bothends.vpn.tests.unit.plugins.module_utils._platforms import test_cisco_iosxe as unit

TREE = json.loads(Path(os.environ["BOTHENDS_IOSXE_YANG"]).read_text())
GOLDEN = {path.name: path.read_text() for path in sorted(unit.GOLDEN.iterdir())}
MADE = [name for name in GOLDEN if name.endswith(".ios")]
# What a router keeps when a site has gone: it is not ours alone.
KEPT = {"crypto/ikev2/policy", "interface/GigabitEthernet", "ip/access-list/extended"}


def judged(*texts: str) -> iosxe.Judge:
    """Gives the router after these configurations."""
    judge = iosxe.Judge(TREE)
    for text in texts:
        judge.apply(text)
    return judge


# --- the judge rejects what is wrong --------------------------------------------------------------------------------

# golden file, what is in it, what is put there instead, what the judge says
SEEDED = [
    ("ikev2-map", "encryption aes-cbc-256", "encryption aes-256", "'aes-256': is nothing"),
    ("ikev2-map", "integrity sha384", "integrity sha-384", "'sha-384': is nothing"),
    ("ikev2-map", "group 20", "group 18", "'18': is nothing"),
    ("ikev2-map", " authentication remote pre-share", " authentication remote", "ends too early"),
    ("ikev2-map", "authentication remote pre-share", "authentication remote preshare", "'preshare': is nothing"),
    ("ikev2-map", "lifetime 28800", "lifetime 86401", "'86401': is nothing"),
    ("ikev2-map", "dpd 30 18 on-demand", "dpd 9 18 on-demand", "'18': is nothing"),
    ("ikev2-map", "dpd 30 18 on-demand", "dpd 30 61 on-demand", "'61': is nothing"),
    ("ikev2-map", "dpd 30 18 on-demand", "dpd 30 18 sometimes", "'sometimes': is nothing"),
    ("ikev2-map", "pre-shared-key 0 ", "pre-shared-key 7 ", ": is nothing that"),
    ("ikev2-map", "identity local address", "ident local address", "'ident': is nothing"),
    ("ikev2-map", "identity local address 203.0.113.10", "identity local address berlin", "'berlin' is none of its values"),
    ("ikev2-map", "esp-sha384-hmac", "esp-sha2-hmac", "'esp-sha2-hmac': is nothing"),
    ("ikev2-map", "esp-aes 256", "esp-aes-256", "'esp-aes-256': is nothing"),
    ("ikev2-map", "set pfs group20", "set pfs 20", "'20': is nothing"),
    ("ikev2-map", "lifetime kilobytes disable", "lifetime kilobytes off", "'off' is none of its values"),
    ("ikev2-map", "lifetime seconds 3600", "lifetime seconds 119", "'119' is none of its values"),
    ("ikev2-map", "crypto map WAN 10 ipsec-isakmp", "crypto map WAN 65536 ipsec-isakmp", "'65536' is none"),
    ("ikev2-map", "crypto map WAN 10 ipsec-isakmp", "crypto map WAN 10", "ends too early"),
    ("ikev2-map", "0.0.0.255 192.168.1.0", "/24 192.168.1.0", "'/24': is nothing"),
    ("ikev2-map", " 1 permit", " 1 allow", "'allow': is nothing"),
    ("ikev2-map", " match address ", " match adress ", "'adress': is nothing"),
    ("ikev2-map", "ip access-list extended bothends-", "ip access-list extended 9-", "'9-prod-berlin' is none"),
    ("ikev1-map", "hash sha256", "hash sha-256", "'sha-256' is none of its values"),
    ("ikev1-map", "group 14", "group modp2048", "'modp2048' is none"),
    ("ikev1-map", "encryption aes", "encryption aes 512", "'512': is nothing"),
    ("ikev1-map", "encryption aes", "encryption aes-cbc-128", "'aes-cbc-128': is nothing"),
    ("ikev1-map", "keepalive 20 retry 14", "keepalive 20 every 14", "'every': is nothing"),
    ("ikev1-map", "crypto isakmp policy 10", "crypto isakmp policy 10001", "'10001' is none"),
    ("ikev1-map", "self-identity address", "self-identity ip", "'ip': is nothing"),
    ("ikev2-vti", "tunnel mode ipsec ipv4", "tunnel mode ipsec", "ends too early"),
    ("ikev2-vti", "tunnel destination 203.0.113.150", "tunnel destination 203.0.113/150", "'203.0.113/150': is nothing"),
    ("ikev2-vti", "ip tcp adjust-mss 1382", "ip tcp adjust-mss 1461", "'1461' is none"),
    ("ikev2-vti", "ip mtu 1422", "ip mtu 67", "'67' is none"),
    ("ikev2-vti", "protection ipsec policy ipv4", "protection ipsec policy ipv6", "'ipv6': is nothing"),
    ("ikev2-vti", "interface Tunnel10", "interface Tunel10", "'Tunel': is nothing"),
    ("ikev2-vti", "ip route 192.168.1.0 255.255.255.0 Tunnel10", "ip route 192.168.1.0 255.255.255.0", "ends too early"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "right", "wrong", "verdict"), SEEDED, ids=[row[2].strip() for row in SEEDED])
def test_the_judge_rejects_a_wrong_line(name: str, right: str, wrong: str, verdict: str) -> None:
    """Each is one that people write; without it the file is taken."""
    text = GOLDEN[f"{name}.ios"]
    assert right in text
    with pytest.raises(iosxe.Rejected, match=re.escape(verdict)):
        judged(text.replace(right, wrong))


# golden file, line, what takes its place, what hangs in the air then
HANGING = [
    ("ikev2-map", " set transform-set bothends-prod-berlin", " set transform-set other", "no crypto/ipsec/transform-set other"),
    ("ikev2-map", " set ikev2-profile bothends-prod-berlin", " set ikev2-profile other", "no crypto/ikev2/profile other"),
    ("ikev2-map", " keyring local bothends-prod-berlin", " keyring local other", "no crypto/ikev2/keyring other"),
    ("ikev2-map", " proposal bothends-prod-berlin", " proposal other", "no crypto/ikev2/proposal other"),
    ("ikev2-map", " match address bothends-prod-berlin", " match address other", "no ip/access-list/extended other"),
    ("ikev2-map", " crypto map WAN", " crypto map LAN", "no crypto/crypto-map/map LAN"),
    ("ikev1-map", " set isakmp-profile bothends-prod-berlin", " set isakmp-profile other", "no crypto/isakmp/profile other"),
    ("ikev1-map", " keyring bothends-prod-berlin", " keyring other", "no crypto/keyring other"),
    ("ikev2-vti", " tunnel protection ipsec profile bothends-prod-berlin", " tunnel protection ipsec profile other",
     "no crypto/ipsec/profile other"),
    ("ikev2-vti", " tunnel protection ipsec policy ipv4 bothends-prod-berlin", " tunnel protection ipsec policy ipv4 other",
     "no ip/access-list/extended other"),
    ("ikev2-vti", "ip route 192.168.1.0 255.255.255.0 Tunnel10", "ip route 192.168.1.0 255.255.255.0 Tunnel11", "no interface/Tunnel 11"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "right", "wrong", "verdict"), HANGING, ids=[row[2].strip() for row in HANGING])
def test_the_judge_sees_what_is_not_there(name: str, right: str, wrong: str, verdict: str) -> None:
    """A name that nothing has, and (but for maps and routes) the thing that nothing names any more."""
    text = GOLDEN[f"{name}.ios"]
    assert f"{right}\n" in text
    judge = judged(re.sub(f"^{right}$", wrong, text, flags=re.MULTILINE))
    assert [line for line in judge.dangling() if verdict in line]
    assert judge.unused() or verdict.startswith(("no crypto/crypto-map", "no interface"))


def test_the_judge_rejects_a_line_below_the_wrong_one() -> None:
    """`match address` of a crypto map is none of an IPsec profile's."""
    with pytest.raises(iosxe.Rejected, match="'match': is nothing that crypto/ipsec/profile has"):
        judged("crypto ipsec profile X\n match address Y\n")
    with pytest.raises(iosxe.Rejected, match="is below nothing"):
        judged(" match address Y\n")


def test_the_judge_rejects_placeholders_of_numbers() -> None:
    """A file with something missing is for a person: the router takes no such line."""
    with pytest.raises(iosxe.Rejected, match="CHANGEME-crypto_map_sequence"):
        judged(unit.configuration({}, [cases.record()]))


# --- and takes what is ours -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MADE)
def test_ios_takes_each_golden_file(name: str) -> None:
    """Every line, every reference, and nothing is made that nothing uses; twice is the same as once."""
    judge = judged(GOLDEN[name])
    assert judge.dangling() == []
    assert judge.unused() == []
    assert judged(GOLDEN[name], GOLDEN[name]).objects == judge.objects


@pytest.mark.parametrize("name", MADE)
def test_the_second_file_removes_what_the_first_made(name: str) -> None:
    """In an order in which nothing that goes is still named, and what is shared stays."""
    judge = judged(GOLDEN[name], GOLDEN[f"{name}-remove"])
    assert {path for path, _keys in judge.objects} <= KEPT
    assert [keys for _path, keys in judge.objects if any(key.startswith("bothends-") for key in keys)] == []


def test_the_judge_sees_a_wrong_order_of_removal() -> None:
    """A profile cannot go before the map that names it, and nothing goes twice."""
    made, remove = GOLDEN["ikev2-map.ios"], GOLDEN["ikev2-map.ios-remove"]
    with pytest.raises(iosxe.Rejected, match=r"no crypto ikev2 profile .* still names"):
        judged(made, remove.replace("no crypto map WAN 10\n", ""))
    with pytest.raises(iosxe.Rejected, match="no crypto map WAN 10: removes what is not there"):
        judged(made, remove, remove)


@hypothesis.given(record=unit.records())
@hypothesis.settings(max_examples=100, deadline=None, derandomize=True)
def test_ios_takes_whatever_a_record_can_say(record: dict) -> None:
    """Names, ids and keys of any letters among them, lifetimes and numbers up to the limits."""
    texts = unit.files(unit.settings_for(record), [record])
    judge = judged(texts["bothends-vpn-berlin.ios"])
    assert (judge.dangling(), judge.unused()) == ([], [])
    judge.apply(texts["bothends-vpn-berlin.ios-remove"])
    assert {path for path, _keys in judge.objects} <= KEPT


# context, field -> what a line says before the word
LINES = {
    ("ike_v2", "encryption"): "crypto ikev2 proposal X\n encryption {}",
    ("ike_v2", "integrity"): "crypto ikev2 proposal X\n integrity {}",
    ("ike_v2", "prf"): "crypto ikev2 proposal X\n prf {}",
    ("ike_v2", "dh_group"): "crypto ikev2 proposal X\n group {}",
    ("ike_v1", "encryption"): "crypto isakmp policy 1\n encryption {}",
    ("ike_v1", "integrity"): "crypto isakmp policy 1\n hash {}",
    ("ike_v1", "dh_group"): "crypto isakmp policy 1\n group {}",
    ("ipsec", "encryption"): "crypto ipsec transform-set X {}",
    ("ipsec", "integrity"): "crypto ipsec transform-set X esp-aes {}",
    ("ipsec", "pfs_group"): "crypto ipsec profile X\n set pfs {}",
}


@pytest.mark.parametrize("where", LINES, ids=" ".join)
def test_ios_knows_every_word_of_the_column(where: tuple[str, str]) -> None:
    """Each algorithm's word is there, in its context."""
    words = _algorithms.spoken("cisco_iosxe", where[1], where[0])
    assert len(words) >= 3
    for word in words.values():
        judged(LINES[where].format(word))


def test_the_limits_are_those_of_the_modules() -> None:
    """One beyond each end of each range, which the collection refuses, the modules refuse too."""
    lines = {
        ("ike.lifetime", "v1"): "crypto isakmp policy 1\n lifetime {}",
        ("ike.lifetime", "v2"): "crypto ikev2 profile X\n lifetime {}",
        ("ipsec.lifetime", "v1"): "crypto map X 1 ipsec-isakmp\n set security-association lifetime seconds {}",
        ("ipsec.lifetime", "v2"): "crypto ipsec profile X\n set security-association lifetime seconds {}",
        ("dpd.interval", "v1"): "crypto isakmp profile X\n keepalive {} retry 2",
        ("dpd.interval", "v2"): "crypto ikev2 profile X\n dpd {} 2 periodic",
    }
    ranges = _cisco_iosxe_checks.RANGES
    assert {(field, version) for field in ranges for version in ranges[field]} == set(lines)
    for (field, version), line in lines.items():
        low, high = ranges[field][version]
        judged(line.format(low), line.format(high))
        for beyond in (low - 1, high + 1):
            with pytest.raises(iosxe.Rejected):
                judged(line.format(beyond))


def test_ios_takes_the_example_of_the_page() -> None:
    """What a user copies first."""
    made, remove = unit.example().values()
    judge = judged(made)
    assert (judge.dangling(), judge.unused()) == ([], [])
    judge.apply(remove)
    assert {path for path, _keys in judge.objects} <= KEPT
