# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The strongSwan platform: golden files, the way back, quoting, and what running SAs say."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest

from ansible_collections.bothends.vpn.plugins.module_utils import _algorithms, _platforms
from ansible_collections.bothends.vpn.plugins.module_utils._errors import TextError, VpnError
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _strongswan_sas, _swanctl_text, strongswan
from ansible_collections.bothends.vpn.tests.unit.plugins.module_utils._platforms import cases

hypothesis = pytest.importorskip("hypothesis")
st = pytest.importorskip("hypothesis.strategies")

ROOT = Path(__file__).parents[5]
TEMPLATES = ROOT / "roles" / "site_router" / "templates"
GOLDEN = ROOT / "tests" / "unit" / "fixtures" / "rendered" / "strongswan"


def rendered(site: str, settings: dict[str, t.Any], can_trap: bool, records: list[dict[str, t.Any]]) -> str:
    """Renders one site."""
    texts = _platforms.render(
        "strongswan", {"name": site, "router_settings": settings}, records, str(TEMPLATES), can_trap=can_trap
    )
    return "".join(texts.values())


def carried(record: dict[str, t.Any]) -> dict[str, t.Any]:
    """What of a record stands in the file."""
    version = record["ike"]["version"]
    out = {key: record[key] for key in ("name", "hub", "site", "end", "ipsec", "tunnels", "nat_traversal", "psk")}
    out["ike"] = {"prf": None, "mode": "main", **record["ike"]}
    out["local"] = {key: record["local"][key] for key in ("address", "id")}
    out["remote"] = {key: record["remote"][key] for key in ("gateway", "id")}
    out["dpd"] = {key: value for key, value in record["dpd"].items() if key != "timeout" or version == "v1"}
    return out


@pytest.mark.parametrize("case", cases.CASES)
def test_golden_file(case: str) -> None:
    """A change of the text is seen in review. BOTHENDS_GOLDEN=write writes the files anew."""
    path = GOLDEN / f"{case}.conf"
    text = rendered(*cases.CASES[case])
    if os.environ.get("BOTHENDS_GOLDEN") == "write":
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def test_no_golden_file_is_left_over() -> None:
    """Each golden file has its case."""
    assert {path.stem for path in GOLDEN.glob("*.conf")} == set(cases.CASES)


@pytest.mark.parametrize("case", sorted(set(cases.CASES) - {"user-space", "hub-begins"}))
def test_read_gives_the_records_back(case: str) -> None:
    """Reading the text gives the records (where the router resolves nothing of them)."""
    records = cases.CASES[case][3]
    assert strongswan.read({"": rendered(*cases.CASES[case])}) == [carried(record) for record in records]


_NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True)
_SUBNETS = st.lists(
    st.integers(0, 2**24 - 1).map(lambda number: f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}/32"),
    min_size=1, max_size=4, unique=True,
)  # fmt: skip
_PSK = st.text(st.characters(blacklist_categories=("Cs",)), min_size=1, max_size=60)
_FQDN = st.text(st.characters(min_codepoint=33, max_codepoint=126, blacklist_characters="*#"), min_size=1, max_size=40)


def _named(field: str) -> t.Any:
    return st.sampled_from(sorted(_algorithms.spoken("strongswan", field, "ipsec")))


@st.composite
def _records(draw: t.Callable[[t.Any], t.Any]) -> dict[str, t.Any]:
    hub, site = draw(_NAMES), draw(_NAMES)
    version = draw(st.sampled_from(["v1", "v2"]))
    ciphers = [_algorithms.ENCRYPTION[draw(_named("encryption"))] for _phase in (1, 2)]
    if version == "v1":
        ciphers[0] = _algorithms.ENCRYPTION["aes-256"]
    integrity, prf = draw(_named("integrity")), draw(_named("prf"))
    local, remote = draw(_SUBNETS), draw(_SUBNETS)
    tunnels = cases.pairs(f"{hub}/{site}", local, remote)
    if version == "v2" and draw(st.booleans()):
        tunnels = [{"name": f"{hub}/{site}/1", "local_subnets": local, "remote_subnets": remote}]
    return cases.record(
        hub, site, psk=draw(_PSK), tunnels=tunnels,
        local={"id": {"type": "fqdn", "value": draw(_FQDN)}}, remote={"id": {"type": "email", "value": draw(_FQDN)}},
        ike={
            "version": version, "encryption": ciphers[0].name, "integrity": None if ciphers[0].aead else integrity,
            "prf": prf if ciphers[0].aead else None, "dh_group": draw(_named("dh_group")),
            "lifetime": draw(st.integers(60, 10**8)),
        },
        ipsec={
            "encryption": ciphers[1].name, "integrity": None if ciphers[1].aead else integrity,
            "pfs_group": draw(st.none() | _named("dh_group")), "lifetime": draw(st.integers(60, 10**8)),
        },
        dpd={"action": draw(st.sampled_from(["hold", "clear", "restart"])), "interval": draw(st.integers(1, 3600)), "timeout": 4000},
        nat_traversal=draw(st.sampled_from(["auto", "force"])),
    )  # fmt: skip


@hypothesis.given(record=_records())
@hypothesis.settings(max_examples=150, deadline=None)
def test_any_record_survives_the_way_there_and_back(record: dict[str, t.Any]) -> None:
    """Whatever stands in names, ids and keys, it comes back as it was, and nothing beside it."""
    assert strongswan.read({"": rendered(record["site"], {}, True, [record])}) == [carried(record)]


@hypothesis.given(st.text())
def test_names_survive(name: str) -> None:
    """Encoding has an inverse and uses only what a section's name may hold."""
    encoded = _swanctl_text.encode_part(name)
    assert _swanctl_text.decode_part(encoded) == name
    assert set(encoded) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-~")


def test_hub_and_site_never_mix() -> None:
    """Hub a-b with site c is another connection than hub a with site b-c."""
    assert len({strongswan.section(name) for name in ("a-b/c", "a/b-c", "a~2f/b", "a//b", "a.b/c", "a~2eb/c")}) == 6


REFUSED = {
    "newline-in-id": ({"local": {"id": {"type": "fqdn", "value": "a\nb"}}}, "local.id.value"),
    "wildcard-id": ({"remote": {"id": {"type": "fqdn", "value": "*.example.com"}}}, "remote.id.value"),
    "hex-id": ({"remote": {"id": {"type": "fqdn", "value": "#c0ffee"}}}, "remote.id.value"),
    "id-of-another-type": ({"remote": {"id": {"type": "ipv4", "value": "fqdn:a"}}}, "remote.id.value"),
    "two-gateways": ({"remote": {"gateway": "203.0.113.1, 0.0.0.0/0"}}, "remote.gateway"),
    "two-selectors": (
        {"tunnels": [{"name": "prod/berlin/1", "local_subnets": ["10.0.0.0/8,0.0.0.0/0"], "remote_subnets": []}]},
        "local_subnets",
    ),
    "long-name": ({"name": "p" * 60 + "/" + "s" * 60}, "name"),
    "ikev1-aead": ({"ike": {"version": "v1", **cases.GCM["ike"]}, "tunnels": []}, "ike.encryption"),
    "ikev1-combined": ({"ike": {"version": "v1"}}, "selector_mode"),
    "nat-off": ({"nat_traversal": "off"}, "nat_traversal"),
    "unknown-cipher": ({"ipsec": {"encryption": "rot13"}}, "encryption"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_said_is_refused(case: str) -> None:
    """The error names site and field and holds no key."""
    changes, field = REFUSED[case]
    with pytest.raises(VpnError) as caught:
        rendered("berlin", {}, True, [cases.record(**changes)])
    assert "site berlin" in str(caught.value)
    assert field in str(caught.value)
    assert cases.PLAIN_PSK not in str(caught.value)


def test_unknown_setting() -> None:
    """A misspelt setting is named together with the known ones."""
    with pytest.raises(VpnError, match=r"router_settings\.start_acton: strongswan does not know it"):
        rendered("berlin", {"start_acton": "none"}, True, [cases.record()])


def test_missing_values_are_placeholders() -> None:
    """A file can be rendered before the hub's gateway and the key are known, and says what is missing."""
    record = cases.record(remote={"gateway": None, "id": None})
    del record["psk"]
    site = {"name": "berlin", "platform": "strongswan", "router_settings": {}, "connections": [record]}
    assert _platforms.missing_settings(site) == ["prod/berlin: remote.gateway", "prod/berlin: psk"]
    text = rendered("berlin", {}, True, [record])
    assert text.count("CHANGEME-") == 4


def test_a_name_that_could_end_the_comment_is_refused() -> None:
    """The header names the site."""
    with pytest.raises(VpnError, match="letters, digits"):
        rendered("x\nconnections { evil { } }", {}, True, [])


BAD_SETTINGS = ["a {", "a { b = 1", "}", 'a = "x', 'a { "b" { } }', "a.b : { }", "a\n"]


@pytest.mark.parametrize("text", BAD_SETTINGS)
def test_broken_settings_are_refused_without_their_text(text: str) -> None:
    """swanctl reads a broken file as an empty one, and then unloads everything; so ours must be strict."""
    with pytest.raises(TextError, match=r"^f:\d+: "):
        _swanctl_text.parse_settings(text, "f")


def test_a_name_alone_is_told_by_its_own_line() -> None:
    with pytest.raises(TextError, match=r"^f:2: "):
        _swanctl_text.parse_settings("a { }\nb\n\n", "f")


def test_settings_of_others() -> None:
    """Syntax that we do not write but must understand."""
    includes: list[str] = []
    text = 'include conf.d/*.conf # c\na : x, y {\n b = 1 # c\n c = "q}" r\n d { e=f } }\na { b = 2\n include "x y" }\n'
    tree = _swanctl_text.parse_settings(text, include=includes.append)
    assert tree == {"a": {"b": "2", "c": "q} r", "d": {"e": "f"}}}
    assert includes == ["conf.d/*.conf", "x y"]


SAS = (ROOT / "tests" / "unit" / "fixtures" / "swanctl" / "list-sas.txt").read_text(encoding="utf-8")


def test_read_sas() -> None:
    """A dump of a real swanctl, 5.9.8: one IKE SA with a rekeyed child."""
    first, second = _strongswan_sas.read_sas(SAS)
    assert first["connection"] == "prod/berlin.west"
    assert first["state"] == "ESTABLISHED"
    assert first["version"] == "v2"
    assert first["ike"] == {"encryption": "aes-256", "integrity": "sha384", "prf": "sha384", "dh_group": "group14"}
    assert [child["ipsec"]["pfs_group"] for child in first["children"]] == [None, "group14"]
    assert [child["state"] for child in first["children"]] == ["DELETED", "INSTALLED"]
    assert first["children"][0]["tunnel"] == "prod/berlin.west/1"
    assert first["children"][0]["remote_subnets"] == ["192.168.1.0/24", "192.168.2.0/24"]
    assert first["children"][0]["encap"]
    assert (second["state"], second["established"], second["children"]) == ("CONNECTING", None, [])


@pytest.mark.parametrize("end", range(0, len(SAS), 37))
def test_read_sas_of_a_cut_output(end: int) -> None:
    """Whatever is cut off, what was there is read."""
    for sa in _strongswan_sas.read_sas(SAS[:end]):
        assert isinstance(sa["children"], list)


def test_unknown_algorithms_keep_their_word() -> None:
    """What we have no name for is shown as charon says it."""
    sa = _strongswan_sas.read_sas(SAS.replace("AES_CBC", "CAMELLIA_CBC").replace("MODP_2048", "KYBER"))[0]
    assert sa["ike"]["encryption"] == "CAMELLIA_CBC_256"
    assert sa["ike"]["dh_group"] == "KYBER"


def test_unknown_algorithms() -> None:
    """A charon without a plugin for a declared group is told before anything is loaded; ESP is the kernel's own."""
    raw = "get-algorithms reply {encryption {AES_CBC=aes} integrity {HMAC_SHA2_384_192=hmac} dh {MODP_2048=gmp}}"
    known = _strongswan_sas.read_algorithms(raw)
    assert _strongswan_sas.unknown_algorithms(cases.record(), known, user_space=False) == ["group20 (ECP_384)"]
    gcm = cases.record(ipsec={"encryption": "aes-256-gcm-16", "integrity": None})
    assert "aes-256-gcm-16 (AES_GCM_16)" in _strongswan_sas.unknown_algorithms(gcm, known, user_space=True)
