# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""libreswan's own programs judge what is written for it; first, that they can say no."""

from __future__ import annotations

import re
import typing as t

import pytest

from ansible_collections.bothends.vpn.plugins.module_utils import _algorithms
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import (
    _ipsec_text,
    _libreswan_evidence,
    _libreswan_sas,
    libreswan,
)
from ansible_collections.bothends.vpn.tests.unit.plugins.module_utils._platforms import libreswan_cases as cases
from kernel_lab import judge

CONF, SECRETS = (cases.golden("ikev2-cbc")[suffix].read_text() for suffix in ("conf", "secrets"))

# What addconn must see.
SEEDED = {
    "a parameter that there is not": ("\tpfs=", "\tpsf="),
    "a value that there is not": ("encapsulation=auto", "encapsulation=maybe"),
    "a parameter twice": ("\tpfs=", "\tpfs=yes\n\tpfs="),
    "no subnet": ("leftsubnet=192.168.3.0/24", "leftsubnet=192.168.3.0/33"),
    "a reference to nothing": ("also=bothends.prod.berlin\n", "also=bothends.prod.rome\n"),
    "a parameter at the margin": ("\tpfs=", "pfs="),
}


@pytest.mark.parametrize("error", SEEDED)
def test_addconn_rejects(error):
    text = CONF.replace(*SEEDED[error])
    assert text != CONF
    done = judge.check(text)
    assert done.returncode or done.stdout, "nothing was said"


@pytest.mark.parametrize("case", cases.CASES)
def test_addconn_has_nothing_to_say(case):
    done = judge.check(cases.golden(case)["conf"].read_text())
    assert (done.returncode, done.stdout) == (0, "")


# The words of algorithms that libreswan is said not to speak, as it would call them.
CANDIDATES: dict[str, dict[str, str]] = {
    "encryption": {
        name: f"aes_{mode}_{letter}{key}"
        for key in (128, 192, 256)
        for mode in ("ccm", "gcm")
        for size, letter in ((8, "a"), (12, "b"), (16, "c"))
        for name in (f"aes-{key}-{mode}-{size}",)
    },
    "integrity": {"aes-xcbc": "aes_xcbc", "aes-cmac": "aes_cmac"},
    "prf": {"aes-xcbc": "aes_xcbc", "aes-cmac": "aes_cmac", "sha256": "sha2_256", "sha384": "sha2_384", "sha512": "sha2_512"},
    "dh_group": {name: name.replace("group", "dh") for name in _algorithms.DH_GROUP},
}  # fmt: skip


def proposal(where: str, table: str, word: str) -> str:
    """A proposal whose only doubtful word is this one."""
    parts = {"encryption": "aes256", "integrity": "sha2_256", "dh_group": "dh14", table: word}
    aead = "cm_" in parts["encryption"]
    if where == "ipsec":
        return f"esp={parts['encryption']}-{'none' if aead else parts['integrity']}-{parts['dh_group']}"
    if table == "prf":
        return f"ike=aes_gcm_c256-{word}-dh14"
    return f"ike={parts['encryption']}-{parts['integrity']}-{parts['dh_group']}"


@pytest.mark.parametrize("where", _algorithms.CONTEXTS)
def test_the_column_says_what_libreswan_can_speak_and_nothing_else(where):
    tables = [table for table in CANDIDATES if table != "prf" or where != "ipsec"]
    spoken = {table: _algorithms.spoken("libreswan", table, where) for table in tables}
    done = judge.parse(where, *(proposal(where, table, word) for table in tables for word in spoken[table].values()))
    assert done.returncode == 0, done.stdout
    for table in tables:
        for name in set(_algorithms.TABLES[table]) - set(spoken[table]):
            done = judge.parse(where, proposal(where, table, CANDIDATES[table][name]))
            assert "ERROR: " in done.stdout and done.returncode, f"{name} in {where}: {done.stdout}"


def loaded(case: str) -> str:
    """What pluto says of a case's golden files."""
    files = cases.golden(case)
    setup = "\tikev1-policy=accept" if case.startswith("ikev1") else ""
    return judge.load(files["conf"].read_text(), files["secrets"].read_text(), setup)


_TYPES = {"ipv4": "ID_IPV4_ADDR", "ipv6": "ID_IPV6_ADDR", "fqdn": "ID_FQDN", "email": "ID_USER_FQDN"}


def word(table: str, name: str, where: str) -> str:
    """pluto's word for an algorithm."""
    found = _algorithms.word("libreswan_sa", table, name, where)
    assert found, f"{name} in {where}"
    return found


def expected(record: dict[str, t.Any]) -> list[str]:
    """What pluto must say of each tunnel of a connection, in its own words."""
    ike, ipsec, dpd = record["ike"], record["ipsec"], record["dpd"]
    local, remote = record["local"]["id"], record["remote"]["id"]
    where = _algorithms.context("ike", ike["version"])
    second = ("prf", ike["prf"]) if ike.get("prf") else ("integrity", ike["integrity"])
    suite = [
        word("encryption", ike["encryption"], where),
        word(*second, where),
        word("dh_group", ike["dh_group"], where),
    ]
    esp = [word("encryption", ipsec["encryption"], "ipsec")]
    esp.append(word("integrity", ipsec["integrity"], "ipsec") if ipsec["integrity"] else "NONE")
    esp += [word("pfs_group", ipsec["pfs_group"], "ipsec")] if ipsec["pfs_group"] else []
    return [
        f"our idtype: {_TYPES[local['type']]}; our id={libreswan.identity(local)};",
        f"their idtype: {_TYPES[remote['type']]}; their id={libreswan.identity(remote)}\n",
        f"ike_life: {ike['lifetime']}s; ipsec_life: {ipsec['lifetime']}s;",
        f"rekey_margin: {libreswan.margin(record)}s;",
        f"IKE algorithms: {'-'.join(suite)}\n",
        f"ESP algorithms: {'-'.join(esp)}\n",
        f"policy: IKE{ike['version']}+PSK+",
        "+TUNNEL+PFS+" if ipsec["pfs_group"] else "+TUNNEL+",
        f"encaps:{ {'auto': 'auto', 'force': 'yes', 'off': 'no'}[record['nat_traversal']] };",
        f"dpddelay:{dpd['interval']}s"
        if ike["version"] == "v2"
        else f"delay:{dpd['interval']}s; timeout:{dpd['timeout']}s",
        f"action:{dpd['action']};",
        "+AGGRESSIVE+" if ike.get("mode") == "aggressive" else "newest",
    ]


@pytest.mark.parametrize("case", cases.CASES)
def test_pluto_loads_what_was_meant(case):
    said = loaded(case)
    for record in cases.CASES[case][2]:
        for tunnel in record["tunnels"]:
            name = re.escape(f'"{_ipsec_text.section(tunnel["name"])}"')
            status = "".join(re.findall(rf"^000 {name}: *(.*\n)", said, re.MULTILINE))
            assert [line for line in expected(record) if line not in status] == [], status
            ends = (
                tunnel["local_subnets"][0],
                record["local"]["address"],
                record["remote"]["gateway"],
                tunnel["remote_subnets"][0],
            )
            assert re.search(r"{}==={}\D*\S*\.\.\.{}\S*==={};".format(*map(re.escape, ends)), status), status
        ids = [libreswan.identity(record[end]["id"]) for end in ("remote", "local")]
        assert re.search(rf"PSK {re.escape(ids[0])} {re.escape(ids[1])}\n", said), "the key's ids"


@pytest.mark.parametrize(
    ("secrets", "has"), [(SECRETS, True), (SECRETS.replace('" : PSK', '9" : PSK'), False), ("", False)]
)
def test_whether_a_key_is_loaded_is_read_from_what_pluto_lists(secrets, has):
    said = judge.load(CONF, secrets)
    (conn, *_rest) = _libreswan_sas.read_connections(said).values()
    assert _libreswan_evidence.has_key(said, conn) is has
    assert set(_libreswan_sas.loaded(conn)["ike"]) == {"encryption", "integrity", "prf", "dh_group"}


def test_pluto_refuses_ikev1_unless_told_otherwise():
    """That is why the file says what ipsec.conf needs."""
    files = cases.golden("ikev1-pairs")
    said = judge.load(files["conf"].read_text(), files["secrets"].read_text())
    assert "ikev1-policy" in files["conf"].read_text()
    assert "loaded 0" in said and "ikev1-policy" in said


def test_pluto_shortens_what_is_too_long():
    """That is why a lifetime of more than a day is refused."""
    assert "set to the maximum allowed 86400s" in judge.load(CONF.replace("28800s", "86401s"), SECRETS)


def test_pluto_takes_no_group_for_pfs_but_that_of_ike():
    """That is why another one is refused with IKEv2: the proposal for the tunnels has none."""
    said = judge.load(CONF.replace("esp=aes256-sha2_384-dh20", "esp=aes256-sha2_384-dh14"), SECRETS)
    assert "ESP=AES_CBC_256-HMAC_SHA2_384_192-NONE-" in said
