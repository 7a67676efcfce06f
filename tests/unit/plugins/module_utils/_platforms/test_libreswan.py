# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The libreswan platform: golden files, the way back, and what it cannot do."""

from __future__ import annotations

import os
import re
import typing as t

import pytest

from ansible_collections.bothends.vpn.plugins.module_utils import _algorithms, _platforms
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _ipsec_text, libreswan
from ansible_collections.bothends.vpn.tests.unit.plugins.module_utils._platforms import cases as common
from ansible_collections.bothends.vpn.tests.unit.plugins.module_utils._platforms import libreswan_cases as cases

hypothesis = pytest.importorskip("hypothesis")
st = pytest.importorskip("hypothesis.strategies")


def carried(record: dict[str, t.Any]) -> dict[str, t.Any]:
    """What of a record stands in the files."""
    version = record["ike"]["version"]
    out = {key: record[key] for key in ("name", "hub", "site", "end", "ipsec", "tunnels", "nat_traversal", "psk")}
    out["ike"] = {"prf": None, "mode": "main", **record["ike"]}
    out["local"] = {key: record["local"][key] for key in ("address", "id")}
    out["remote"] = {key: record["remote"][key] for key in ("gateway", "id")}
    out["dpd"] = {key: value for key, value in record["dpd"].items() if key != "timeout" or version == "v1"}
    return out


@pytest.mark.parametrize("case", cases.CASES)
def test_golden_files(case: str) -> None:
    """A change of the texts is seen in review. BOTHENDS_GOLDEN=write writes the files anew."""
    texts = {name.rpartition(".")[2]: text for name, text in cases.rendered(*cases.CASES[case]).items()}
    assert set(texts) == set(cases.golden(case))
    for suffix, path in cases.golden(case).items():
        if os.environ.get("BOTHENDS_GOLDEN") == "write":
            path.write_text(texts[suffix], encoding="utf-8")
        assert texts[suffix] == path.read_text(encoding="utf-8")


def test_no_golden_file_is_left_over() -> None:
    """Each golden file has its case."""
    assert {path.name for path in cases.GOLDEN.iterdir()} == {
        path.name for case in cases.CASES for path in cases.golden(case).values()
    }


@pytest.mark.parametrize("case", cases.CASES)
def test_read_gives_the_records_back(case: str) -> None:
    """Reading the texts gives the records."""
    assert _platforms.read("libreswan", cases.rendered(*cases.CASES[case])) == [
        carried(record) for record in cases.CASES[case][2]
    ]


_NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True)
_SUBNETS = st.lists(
    st.integers(0, 2**24 - 1).map(lambda number: f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}/32"),
    min_size=1, max_size=3, unique=True,
)  # fmt: skip
_PSK = st.text(st.characters(blacklist_categories=("Cs",)), min_size=1, max_size=60)
_WORD = st.text(st.characters(min_codepoint=33, max_codepoint=126, blacklist_characters='"='), min_size=1, max_size=40)
_IDS = st.one_of(
    _WORD.filter(lambda value: value[0] not in "#[~").map(lambda value: {"type": "fqdn", "value": value}),
    st.tuples(_WORD.filter(lambda value: value[0] != "@"), _WORD).map(
        lambda both: {"type": "email", "value": "@".join(both)}
    ),
    st.ip_addresses(v=4).map(lambda value: {"type": "ipv4", "value": str(value)}),
    st.ip_addresses(v=6).map(lambda value: {"type": "ipv6", "value": str(value)}),
)


def _spoken(field: str, where: str) -> t.Any:
    return st.sampled_from(sorted(_algorithms.spoken("libreswan", field, where)))


@st.composite
def _records(draw: t.Callable[[t.Any], t.Any]) -> dict[str, t.Any]:
    hub, site = draw(_NAMES), draw(_NAMES)
    version = draw(st.sampled_from(["v1", "v2"]))
    where = _algorithms.context("ike", version)
    ike, ipsec = (_algorithms.ENCRYPTION[draw(_spoken("encryption", context))] for context in (where, "ipsec"))
    group = draw(_spoken("dh_group", where))
    pfs = draw(st.sampled_from([None, group if version == "v2" or group != "group31" else "group14"]))
    return cases.record(
        hub, site, psk=draw(_PSK), tunnels=common.pairs(f"{hub}/{site}", draw(_SUBNETS), draw(_SUBNETS)),
        local={"id": draw(_IDS)}, remote={"id": draw(_IDS)},
        ike={
            "version": version, "encryption": ike.name, "dh_group": group,
            "integrity": None if ike.aead else draw(_spoken("integrity", where)),
            "prf": draw(_spoken("prf", where)) if ike.aead else None, "lifetime": draw(st.integers(60, 86400)),
        },
        ipsec={
            "encryption": ipsec.name, "integrity": None if ipsec.aead else draw(_spoken("integrity", "ipsec")),
            "pfs_group": pfs, "lifetime": draw(st.integers(60, 86400)),
        },
        dpd={"action": draw(st.sampled_from(["hold", "clear", "restart"])), "interval": draw(st.integers(1, 3600)), "timeout": 4000},
        nat_traversal=draw(st.sampled_from(["auto", "force", "off"])),
    )  # fmt: skip


@hypothesis.given(record=_records())
@hypothesis.settings(max_examples=150, deadline=None)
def test_any_record_survives_the_way_there_and_back(record: dict[str, t.Any]) -> None:
    """Whatever stands in names, ids and keys, it comes back as it was, and nothing beside it."""
    texts = cases.rendered(record["site"], {}, [record])
    assert _platforms.read("libreswan", texts) == [carried(record)]
    conf, _secrets = texts.values()
    assert len(conf.splitlines()) == len(cases.rendered("x", {}, [record])["bothends-vpn-x.conf"].splitlines())


@hypothesis.given(
    parts=st.lists(
        st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="/")), min_size=2, max_size=3
    )
)
def test_names_survive(parts: list[str]) -> None:
    """The name of a conn has an inverse, and only what libreswan allows in a name."""
    section = _ipsec_text.section("/".join(parts))
    assert _ipsec_text.decode_section(section) == "/".join(parts)
    assert set(section) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.")


@pytest.mark.parametrize("name", ["other", "bothends", "bothends.a", "bothends.a.b.1.2", "x.a.b", "bothends.a._ff"])
def test_conns_of_others_are_not_ours(name: str) -> None:
    """Nothing of somebody else's is ever taken for ours."""
    assert _ipsec_text.decode_section(name) is None


REFUSED: dict[str, tuple[dict[str, t.Any], str]] = {
    "newline-in-id": ({"local": {"id": {"type": "fqdn", "value": "a\nb"}}}, "local.id.value"),
    "quote-in-id": ({"local": {"id": {"type": "fqdn", "value": 'a"b'}}}, "local.id.value"),
    "subject-id": ({"remote": {"id": {"type": "fqdn", "value": "CN=a"}}}, "remote.id.value"),
    "hex-id": ({"remote": {"id": {"type": "fqdn", "value": "#c0ffee"}}}, "remote.id.value"),
    "key-id": ({"remote": {"id": {"type": "fqdn", "value": "[group]"}}}, "remote.id.value"),
    "email-without-at": ({"remote": {"id": {"type": "email", "value": "root"}}}, "remote.id.value"),
    "email-that-is-a-name": ({"remote": {"id": {"type": "email", "value": "@a@b"}}}, "remote.id.value"),
    "id-of-another-type": ({"remote": {"id": {"type": "ipv4", "value": "@a"}}}, "remote.id.value"),
    "zone-in-id": ({"remote": {"id": {"type": "ipv6", "value": "fe80::1%a\nb"}}}, "remote.id.value"),
    "two-gateways": ({"remote": {"gateway": "203.0.113.1\n\tauto=start"}}, "remote.gateway"),
    "zone-in-subnet": (
        {"tunnels": common.pairs("prod/berlin", ["fe80::%a\n/64"], ["192.168.1.0/24"])},
        "local_subnets",
    ),
    "several-pairs-a-tunnel": (
        {"tunnels": common.record()["tunnels"]},
        "selector_mode",
    ),
    "combined": ({"selector_mode": "combined"}, "selector_mode"),
    "ikev1-aead": ({"ike": {"version": "v1", **common.GCM["ike"]}}, "encryption"),
    "aggressive-ikev2": ({"ike": {"mode": "aggressive"}}, "ike.mode"),
    "other-pfs-group": ({"ipsec": {"pfs_group": "group14"}}, "ipsec.pfs_group"),
    "ikev1-group31": ({"ike": {"version": "v1"}, "ipsec": {"pfs_group": "group31"}}, "ipsec.pfs_group"),
    "no-such-group": ({"ike": {"dh_group": "group24"}, "ipsec": {"pfs_group": None}}, "dh_group"),
    "ccm-in-ike": ({"ike": {"encryption": "aes-256-ccm-16", "integrity": None, "prf": "sha256"}}, "encryption"),
    "long-ike-lifetime": ({"ike": {"lifetime": 86401}}, "ike.lifetime"),
    "long-lifetime": ({"ipsec": {"lifetime": 86401}}, "ipsec.lifetime"),
    "translate": ({"translate": {"192.168.3.0/24": "10.0.0.0/24"}}, "translate"),
    "route": ({"router_settings": {"routes": [{"to": "x"}]}}, "router_settings.routes"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_said_is_refused(case: str) -> None:
    """The error names site and field and holds no key."""
    changes, field = REFUSED[case]
    with pytest.raises(VpnError) as caught:
        cases.rendered("berlin", {}, [cases.record(**changes)])
    assert "site berlin" in str(caught.value)
    assert field in str(caught.value)
    assert common.PLAIN_PSK not in str(caught.value)


def test_with_no_pfs_group_the_ike_group_does_not_matter() -> None:
    """Only a group that differs would fail."""
    assert list(libreswan.problems(cases.record(ipsec={"pfs_group": None}))) == []


def test_missing_values_are_placeholders() -> None:
    """Files can be rendered before the hub's gateway and the key are known, and say what is missing."""
    record = cases.record(remote={"gateway": None, "id": None})
    del record["psk"]
    site = {"name": "berlin", "platform": "libreswan", "router_settings": {}, "connections": [record]}
    assert _platforms.missing_settings(site) == ["prod/berlin: remote.gateway", "prod/berlin: psk"]
    conf, secrets = cases.rendered("berlin", {}, [record]).values()
    assert conf.count("CHANGEME-") == secrets.count("CHANGEME-") == 2


RENEWALS = {
    "usual": (28800, 3600, 1800),
    "equal": (3600, 3600, 360),
    "short-ike": (600, 86400, 60),
    "least": (60, 60, 6),
}


@pytest.mark.parametrize("case", RENEWALS)
def test_the_site_renews_before_the_end(case: str) -> None:
    """One margin serves both phases, so it must fit into the shorter one."""
    ike, ipsec, margin = RENEWALS[case]
    assert libreswan.margin(cases.record(ike={"lifetime": ike}, ipsec={"lifetime": ipsec})) == margin


BROKEN = {
    "a section of others": {"a.conf": "config setup\n"},
    "a parameter before any conn": {"a.conf": "\tauto=add\n"},
    "a conn twice": {"a.conf": "conn a\n\tauto=add\nconn a\n"},
    "a parameter twice": {"a.conf": "conn a\n\tauto=add\n\tauto=start\n"},
    "an include": {"a.conf": "include /etc/passwd\n"},
    "a conn of others": {"a.conf": "conn office\n\tauto=add\n"},
    "a secret for everybody": {"a.secrets": ': PSK "x"\n'},
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_not_ours_is_not_read(case: str) -> None:
    """Somebody wrote into the file: nothing is concluded from it, and nothing of it is shown."""
    with pytest.raises(VpnError, match="not as this collection writes it"):
        _platforms.read("libreswan", BROKEN[case])


@pytest.mark.parametrize(
    ("phase", "there", "instead", "field", "read"),
    [
        ("esp", "aes256", "camellia256", "encryption", "camellia256"),
        ("esp", "-sha2_384", "-sha1", "integrity", "sha1"),
        ("ike", "-dh20", "-dh5", "dh_group", "group5"),
        ("ike", "-dh20", "-dh26", "dh_group", "dh26"),
    ],
)
def test_an_algorithm_that_somebody_wrote_who_knows_others_is_read(phase, there, instead, field, read) -> None:
    """So that drift and verify can name it: it differs from whatever is declared."""
    texts = cases.rendered("berlin", {}, [cases.record()])
    changed = re.sub(rf"(?m)^(\s*{phase}=\S*){there}", rf"\g<1>{instead}", texts["bothends-vpn-berlin.conf"])
    assert changed != texts["bothends-vpn-berlin.conf"]
    [record] = _platforms.read("libreswan", {**texts, "bothends-vpn-berlin.conf": changed})
    assert record["ipsec" if phase == "esp" else "ike"][field] == read


def test_keys_never_show_in_a_diff() -> None:
    """A key that changes shows as changed and in no other way."""
    before, after = (
        cases.rendered("berlin", {}, [cases.record(psk=psk)])["bothends-vpn-berlin.secrets"] for psk in ("one", "two")
    )
    shown = _platforms.redact("libreswan", before, after)
    assert [text.splitlines()[1].rpartition("PSK ")[2] for text in shown] == ["(redacted)", "(redacted, changed)"]
