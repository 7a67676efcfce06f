# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cisco IOS XE: golden files, the way back, and what cannot be said. That IOS takes the text is tests/judges' to say."""

from __future__ import annotations

import ipaddress
import os
import re
import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.bothends.vpn.plugins.module_utils import (
    _algorithms,
    _description,
    _platforms,
    _rules,
    _topology,
    _views,
)
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _cisco_iosxe_words, _ios_text, cisco_iosxe
from ansible_collections.bothends.vpn.tests.unit.plugins.module_utils._platforms import cases
from ansible_collections.bothends.vpn.tests.unit.plugins.module_utils._platforms import cases_cisco_iosxe as ios

hypothesis = pytest.importorskip("hypothesis")
st = pytest.importorskip("hypothesis.strategies")

ROOT = Path(__file__).parents[5]
TEMPLATES = ROOT / "roles" / "site_router" / "templates"
GOLDEN = ROOT / "tests" / "unit" / "fixtures" / "rendered" / "cisco_iosxe"


def files(settings: dict[str, t.Any], records: list[dict[str, t.Any]]) -> dict[str, str]:
    """Renders the site berlin."""
    return _platforms.render("cisco_iosxe", {"name": "berlin", "router_settings": settings}, records, str(TEMPLATES))


def configuration(settings: dict[str, t.Any], records: list[dict[str, t.Any]]) -> str:
    """Renders the site berlin, and gives the file that makes it."""
    return files(settings, records)["bothends-vpn-berlin.ios"]


def carried(record: dict[str, t.Any]) -> dict[str, t.Any]:
    """What of a record stands in the files."""
    version = record["ike"]["version"]
    out = {key: record[key] for key in ("name", "hub", "site", "end", "mode", "ipsec", "tunnels", "psk")}
    out["initiator"] = "hub" if record["initiator"] == "hub" else "both"
    out["ike"] = {"prf": None, "mode": "main", **record["ike"]}
    out["local"] = {key: record["local"][key] for key in ("address", "id")}
    out["remote"] = {key: record["remote"][key] for key in ("gateway", "id")}
    # IOS XE asks a silent peer five times, and an ISAKMP profile does not say when to begin.
    waits = round((record["dpd"]["timeout"] - record["dpd"]["interval"]) / 5) * 5
    out["dpd"] = {"interval": record["dpd"]["interval"], "timeout": record["dpd"]["interval"] + waits}
    if version == "v2":
        out["dpd"]["action"] = record["dpd"]["action"]
    return out


@pytest.mark.parametrize("case", ios.CASES)
def test_golden_files(case: str) -> None:
    """A change of the text is seen in review. BOTHENDS_GOLDEN=write writes the files anew."""
    texts = files(*ios.CASES[case])
    assert list(texts) == ["bothends-vpn-berlin.ios", "bothends-vpn-berlin.ios-remove"]
    for name, text in texts.items():
        path = GOLDEN / f"{case}{Path(name).suffix}"
        if os.environ.get("BOTHENDS_GOLDEN") == "write":
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8")


def test_no_golden_file_is_left_over() -> None:
    """Each golden file has its case."""
    assert {path.name for path in GOLDEN.iterdir()} == {
        f"{case}.ios{end}" for case in ios.CASES for end in ("", "-remove")
    }


@pytest.mark.parametrize("case", ios.CASES)
def test_read_gives_the_records_back(case: str) -> None:
    """Reading both files gives the records, and the one that removes adds nothing to it."""
    settings, records = ios.CASES[case]
    texts = files(settings, records)
    assert _platforms.read("cisco_iosxe", texts) == [carried(record) for record in records]
    assert _platforms.read("cisco_iosxe", {name: texts[name] for name in texts if name.endswith("-remove")}) == []


def test_what_somebody_changed_is_not_read() -> None:
    """A file that is not as it was written says so, without its key."""
    text = configuration(*ios.CASES["ikev2-map"]).replace(" set peer 203.0.113.150\n", "")
    with pytest.raises(VpnError, match="not as this collection writes it") as caught:
        _platforms.read("cisco_iosxe", {"berlin.ios": text})
    assert ios.PSK not in str(caught.value)


def test_a_diff_shows_no_key() -> None:
    """Of IKEv1 and of IKEv2."""
    for case in ("ikev1-map", "ikev2-map"):
        before, after = _platforms.redact("cisco_iosxe", *[configuration(*ios.CASES[case])] * 2)
        assert ios.PSK not in before + after
        assert before.count("(redacted)") == 1


# --- whatever is described ------------------------------------------------------------------------------------------

_NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,12}", fullmatch=True)
_SUBNETS = st.lists(
    st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 32)).map(
        lambda pair: str(ipaddress.IPv4Network(pair, strict=False))
    ),
    min_size=1, max_size=3, unique=True,
)  # fmt: skip
_WORDS = st.text(st.characters(min_codepoint=33, max_codepoint=126, blacklist_characters="?"), min_size=1, max_size=60)
_IDS = _WORDS.filter(lambda value: value != "domain")
# What begins as a placeholder does is no key: the checks say so.
_PSKS = _WORDS.filter(lambda value: not value.startswith("CHANGEME-"))


def _spoken(table: str, where: str) -> t.Any:
    return st.sampled_from(sorted(_algorithms.spoken("cisco_iosxe", table, where)))


def _phase(draw: t.Callable[[t.Any], t.Any], where: str) -> dict[str, t.Any]:
    cipher = _algorithms.ENCRYPTION[draw(_spoken("encryption", where))]
    return {"encryption": cipher.name, "integrity": None if cipher.aead else draw(_spoken("integrity", where))}


@st.composite
def records(draw: t.Callable[[t.Any], t.Any]) -> dict[str, t.Any]:
    """Draws a record that IOS XE can do."""
    hub, site = draw(_NAMES), draw(_NAMES)
    version = draw(st.sampled_from(["v1", "v2"]))
    mode = draw(st.sampled_from(["policy", "route"]))
    ike = _phase(draw, f"ike_{version}")
    aead = _algorithms.ENCRYPTION[ike["encryption"]].aead
    interval = draw(st.integers(10, 3600))
    return ios.record(
        hub, site, mode=mode, psk=draw(_PSKS), underlay_mtu=draw(st.integers(1280, 9216)),
        tunnels=cases.pairs(f"{hub}/{site}", draw(_SUBNETS), draw(_SUBNETS)),
        initiator=draw(st.sampled_from(["both", "site"] + (["hub"] if mode == "route" else []))),
        local={"id": {"type": "fqdn", "value": draw(_IDS)}}, remote={"id": {"type": "email", "value": draw(_IDS)}},
        ike={
            **ike, "version": version, "prf": draw(_spoken("prf", "ike_v2")) if aead else None,
            "dh_group": draw(_spoken("dh_group", f"ike_{version}")), "lifetime": draw(st.integers(120, 86400)),
        },
        ipsec={
            **_phase(draw, "ipsec"), "pfs_group": draw(st.none() | _spoken("pfs_group", "ipsec")),
            "lifetime": draw(st.integers(120, 2592000)),
        },
        dpd={
            "action": draw(st.sampled_from(["hold", "restart"])), "interval": interval,
            "timeout": interval + draw(st.integers(10, 300)),
        },
    )  # fmt: skip


def settings_for(record: dict[str, t.Any]) -> dict[str, t.Any]:
    """Gives router_settings in which nothing is missing."""
    return {**ios.BUSY, "connections": [ios.numbers(record["hub"])]}


@hypothesis.given(record=records())
@hypothesis.settings(max_examples=150, deadline=None)
def test_any_record_survives_the_way_there_and_back(record: dict[str, t.Any]) -> None:
    """Whatever stands in names, ids and keys, it comes back as it was, and nothing beside it."""
    assert cisco_iosxe.read(files(settings_for(record), [record])) == [carried(record)]


@hypothesis.given(psk=_PSKS)
@hypothesis.settings(deadline=None)
def test_a_key_stands_there_whole(psk: str) -> None:
    """And changes nothing else."""
    plain = configuration(ios.SETTINGS, [ios.record()])
    assert configuration(ios.SETTINGS, [ios.record(psk=psk)]) == plain.replace(ios.PSK, psk)


@hypothesis.given(psk=st.text(min_size=1, max_size=140).filter(lambda psk: not re.fullmatch("[!->@-~]{1,128}", psk)))
@hypothesis.settings(deadline=None)
def test_every_other_key_is_refused(psk: str) -> None:
    """Without being shown."""
    with pytest.raises(VpnError, match=r"psk: \(secret\): IOS takes a key"):
        configuration(ios.SETTINGS, [ios.record(psk=psk)])


@hypothesis.given(names=st.lists(st.tuples(_NAMES, _NAMES), min_size=2, max_size=2, unique=True))
def test_no_two_connections_share_a_name(names: list[tuple[str, str]]) -> None:
    """Hub a-b with site c is another connection than hub a with site b-c."""
    assert len({_cisco_iosxe_words.object_name("/".join(name)) for name in [*names, ("a-b", "c"), ("a", "b-c")]}) >= 3


# --- what cannot be said --------------------------------------------------------------------------------------------

V6_ID = {"type": "ipv6", "value": "2001:db8::1"}
# name -> (changes of the record, of router_settings, the field that is named)
REFUSED: dict[str, tuple[dict[str, t.Any], dict[str, t.Any], str]] = {
    "combined": ({"tunnels": [{"name": "prod/berlin/1", "local_subnets": ["10.0.0.0/8"],
                               "remote_subnets": ["10.1.0.0/16", "10.2.0.0/16"]}]}, {}, "selector_mode"),
    "aggressive": ({**ios.V1, "ike": {**ios.V1["ike"], "mode": "aggressive"}}, {}, "ike.mode"),
    "nat-force": ({"nat_traversal": "force"}, {}, "nat_traversal"),
    "translate": ({"translate": {"192.168.3.0/24": "10.3.0.0/24"}}, {}, "translate"),
    "dpd-clear": ({"dpd": {"action": "clear"}}, {}, "dpd.action"),
    "dpd-fast": ({"dpd": {"interval": 9}}, {}, "dpd.interval"),
    "dpd-short": ({"dpd": {"interval": 30, "timeout": 39}}, {}, "dpd.timeout"),
    "dpd-long": ({"dpd": {"interval": 30, "timeout": 331}}, {}, "dpd.timeout"),
    "ike-lifetime": ({"ike": {"lifetime": 119}}, {}, "ike.lifetime"),
    "ipsec-lifetime": ({"ipsec": {"lifetime": 2592001}}, {}, "ipsec.lifetime"),
    "map-waits": ({"initiator": "hub"}, {}, "initiator"),
    "old-vti": ({"mode": "route", "platform_version": "16.9.3"}, {}, "platform_version"),
    "v6-gateway": ({"remote": {"gateway": "2001:db8::1"}}, {}, "remote.gateway"),
    "v6-subnet": ({"local": {"subnets": ["2001:db8::/64"]}}, {}, "local.subnets"),
    "v6-id": ({"remote": {"id": V6_ID}}, {}, "remote.id.type"),
    "two-commands-id": ({"local": {"id": {"type": "fqdn", "value": "a\nend"}}}, {}, "local.id.value"),
    "help-id": ({"local": {"id": {"type": "fqdn", "value": "a?"}}}, {}, "local.id.value"),
    "keyword-id": ({"local": {"id": {"type": "fqdn", "value": "domain"}}}, {}, "local.id.value"),
    "no-ipv4-id": ({"remote": {"id": {"type": "ipv4", "value": "peer"}}}, {}, "remote.id.value"),
    "ikev1-nat-id": ({**ios.V1, **ios.BEHIND_NAT}, {}, "local.id.value"),
    "key-of-two-words": ({"psk": "two words"}, {}, "psk"),
    "key-asks": ({"psk": "what?"}, {}, "psk"),
    "key-of-129": ({"psk": "k" * 129}, {}, "psk"),
    "long-name": ({"name": "p" * 40 + "/" + "s" * 40}, {}, "name"),
    "no-subnet": ({"tunnels": [{"name": "prod/berlin/1", "local_subnets": ["app"], "remote_subnets": ["10.0.0.0/8"]}]}, {}, "app"),
    "unknown-cipher": ({"ipsec": {"encryption": "aes-256-ccm-16"}}, {}, "encryption"),
    "cipher-of-the-other-phase": ({"ike": {"encryption": "aes-192-gcm-16", "integrity": None, "prf": "sha384"}}, {}, "encryption"),
    "interface": ({}, {"wan_interface": "Gi0/0/0\nno aaa new-model"}, "router_settings.wan_interface"),
    "lan": ({}, {"lan_interfaces": ["Vlan 10"]}, "router_settings.lan_interfaces"),
    "map-name": ({}, {"crypto_map": "WAN 10"}, "router_settings.crypto_map"),
    "sequence": ({}, {"connections": [{"hub": "prod", "crypto_map_sequence": 65536}]}, "crypto_map_sequence"),
    "sequence-twice": ({}, {"connections": [ios.numbers(), ios.numbers("other")]}, "connections[1].crypto_map_sequence"),
    "route": ({}, {"routes": [{"to": "192.168.4.0/24", "via": "x"}]}, "router_settings.routes[0]"),
    "unknown-setting": ({}, {"wan": "x"}, "router_settings.wan"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_said_is_refused(case: str) -> None:
    """The error names site and field and holds no key."""
    changes, settings, field = REFUSED[case]
    with pytest.raises(VpnError, match=re.escape(field)) as caught:
        files({**ios.SETTINGS, **settings}, [ios.record(**changes)])
    assert "site berlin" in str(caught.value)
    assert changes.get("psk", ios.PSK) not in str(caught.value)


def test_the_lines_of_two_connections_do_not_overlap() -> None:
    """Each pair takes a line of the NAT's access list, so the second connection begins after the first's last."""
    both = [ios.record(**ios.PAIRS), ios.record("prod-b")]
    for number, refused in ((13, True), (14, False)):
        given = {**ios.BUSY, "connections": [ios.numbers(), ios.numbers("prod-b", number)]}
        if refused:
            with pytest.raises(VpnError, match="nat_sequence"):
                files(given, both)
        else:
            assert "\n 14 deny ip" in configuration(given, both)


@pytest.mark.parametrize(
    "given", [{"connections": "prod"}, {"connections": [5]}, {"routes": 5}, {"routes": ["x"]}, {"vrf": ["x y"]}]
)
def test_checks_survive_settings_of_another_type(given: dict[str, t.Any]) -> None:
    """The specification has said so before, and the other checks go on."""
    assert all(len(found) == 4 for found in cisco_iosxe.problems(ios.record(router_settings=given)))


def test_both_ends_have_the_same_problems() -> None:
    """Checks look at the hub's view, where the site's own id is the remote one."""
    site = ios.record(**ios.V1, **ios.BEHIND_NAT)
    for record, field in ((site, "local.id.value"), (_topology.mirror(site), "remote.id.value")):
        assert [found[0] for found in cisco_iosxe.problems(record)] == [field]


# case -> the fields that are missing when nothing of router_settings is given
MISSING = {
    "ikev2-map": ["router_settings.wan_interface", "router_settings.crypto_map", "router_settings.ikev2_policy",
                  "router_settings.connections: prod: crypto_map_sequence"],
    "ikev1-vti": ["router_settings.wan_interface", "router_settings.connections: prod: tunnel",
                  "router_settings.connections: prod: isakmp_policy"],
}  # fmt: skip


@pytest.mark.parametrize("case", MISSING)
def test_what_is_missing_is_a_placeholder(case: str) -> None:
    """A file can be written before everything is known; each field that is missing stands there, and no other."""
    record = ios.CASES[case][1][0]
    site = {"name": "berlin", "platform": "cisco_iosxe", "router_settings": {}, "connections": [record]}
    assert _platforms.missing_settings(site) == MISSING[case]
    found = set(re.findall(r"CHANGEME-([a-z0-9_-]+)", configuration({}, [record])))
    assert found == {re.split(r"[.: ]+", field)[-1] for field in MISSING[case]}


def test_what_the_cloud_or_the_user_does_not_say_yet_is_a_placeholder() -> None:
    """The hub's gateway before the first run, the key, and what a NAT list and two VRFs need."""
    record = ios.record(remote={"gateway": None, "id": None}, psk=None)
    given = {**ios.VRFS, "connections": [{"hub": "prod", "crypto_map_sequence": 10}]}
    site = {"name": "berlin", "platform": "cisco_iosxe", "router_settings": given, "connections": [record]}
    assert _platforms.missing_settings(site) == [
        "router_settings.connections: prod: nat_sequence", "prod/berlin: remote.gateway", "prod/berlin: psk"
    ]  # fmt: skip
    text = configuration(given, [record])
    assert set(re.findall(r"CHANGEME-\S+", text)) == {"CHANGEME-gateway", "CHANGEME-psk", "CHANGEME-nat_sequence"}
    assert "psk" not in _platforms.read("cisco_iosxe", {"x": text.replace("CHANGEME-gateway", "203.0.113.150")})[0]


def test_a_tunnel_interface_borrows_an_address_of_its_own_vrf() -> None:
    """Where the LAN is in another VRF than the WAN, the WAN's address would not do."""
    given = {**ios.VRFS, "lan_interfaces": []}
    record = ios.record(**ios.ROUTE)
    site = {"name": "berlin", "platform": "cisco_iosxe", "router_settings": given, "connections": [record]}
    assert _platforms.missing_settings(site) == ["router_settings.lan_interfaces"]
    assert " ip unnumbered CHANGEME-lan_interfaces\n" in configuration(given, [record])


@pytest.mark.parametrize(
    ("underlay", "encryption", "integrity", "packet", "segment"),
    [
        (1500, "aes-256", "sha256", 1422, 1382),
        (1500, "aes-256", "sha512", 1406, 1366),
        (1500, "aes-256-gcm-16", None, 1438, 1398),
        (1400, "aes-128", "sha384", 1310, 1270),
        (9000, "aes-256", "sha256", 8926, 1460),  # IOS adjusts to no more
    ],
)
def test_a_tunnel_interface_takes_what_fits(
    underlay: int, encryption: str, integrity: str | None, packet: int, segment: int
) -> None:
    """There is room for UDP: IOS finds a NAT by itself. The figures are those of `test_mtu.py`."""
    record = ios.record(**ios.ROUTE, underlay_mtu=underlay, ipsec={"encryption": encryption, "integrity": integrity})
    text = configuration(ios.SETTINGS, [record])
    assert f" ip mtu {packet}\n ip tcp adjust-mss {segment}\n" in text


def test_a_cloud_that_carries_shorter_packets_of_tcp() -> None:
    """The tunnel takes what fits all the same: only TCP's segments are made for it."""
    text = configuration(ios.SETTINGS, [ios.record(**ios.ROUTE, provider="otc")])
    assert re.search(r" ip mtu 1[34]\d\d\n ip tcp adjust-mss 1260\n", text)


def test_a_broken_configuration_is_refused() -> None:
    """A line below none, and a command that must stand once."""
    with pytest.raises(ValueError, match="line 1: is below no other"):
        _ios_text.parse(" match address X")
    line = _ios_text.parse("crypto map WAN 10\n set peer 1\n set peer 2")[0]
    with pytest.raises(ValueError, match="stands there 2 times"):
        line.value("set peer")


# --- the page -------------------------------------------------------------------------------------------------------


def example() -> dict[str, str]:
    """Renders the example of the platform's page, the way it goes from a description."""
    page = (ROOT / "docs" / "platforms" / "cisco_iosxe.md").read_text(encoding="utf-8")
    described = yaml.safe_load(re.search(r"```yaml\n(.*?)```", page, re.DOTALL)[1])
    parts = [described[name] for name in ("vpn_policies", "vpn_hubs", "vpn_sites")]
    assert [found["why"] for found in _rules.offline(_description.describe(*parts), {"berlin": ios.PSK})] == []
    (site,) = _views.router_sites(*parts, {"berlin": ios.PSK})
    assert _platforms.missing_settings(site) == []
    return files(site["router_settings"], site["connections"])


def test_the_example_of_the_page() -> None:
    """It is complete, and is what the page says."""
    text = example()["bothends-vpn-berlin.ios"]
    assert "CHANGEME" not in text
    assert " 4 permit ip 192.168.4.0 0.0.0.255 192.168.2.0 0.0.0.255\n" in text
    assert "ip access-list extended INTERNET\n 10 deny ip 192.168.3.0 0.0.0.255 192.168.1.0 0.0.0.255\n" in text
    assert "ip route 192.168.4.0 255.255.255.0 192.168.3.254\n" in text
