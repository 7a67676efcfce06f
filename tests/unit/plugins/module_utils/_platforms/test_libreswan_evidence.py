# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is collected of a router with libreswan, from a pluto that answers, hangs, or talks nonsense."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from ansible_collections.bothends.vpn.plugins.module_utils import _cause_facts
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import (
    _evidence,
    _libreswan,
    _libreswan_evidence,
    _libreswan_sas,
    _linux_evidence,
    _pluto_log,
    libreswan,
)

from . import libreswan_cases as cases

STATUS = Path(__file__).parents[3] / "fixtures/libreswan/status.txt"
PSKS = "000\n000 List of Pre-shared secrets (from /etc/ipsec.secrets)\n000\n000    3: PSK 203.0.113.151 203.0.113.10\n"
REFUSED = "IKE SA authentication request rejected by peer: AUTHENTICATION_FAILED"
END = {"address": None, "gateway": None, "id": None, "subnets": []}
RECORD = {
    "name": "prod/berlin", "site": "berlin", "local": END, "remote": END, "initiator": "both",
    "tunnels": [{"name": f"prod/berlin/{number}", "local_subnets": [], "remote_subnets": []} for number in (1, 2)],
}  # fmt: skip


@pytest.fixture
def pluto(tmp_path, monkeypatch):
    """A router's pluto that says what a test writes into its files; it hangs where there is none."""
    monkeypatch.setattr(_libreswan_evidence, "_SECONDS", 3)
    monkeypatch.setattr(_evidence, "SETTLE", 0)
    monkeypatch.setattr(_libreswan_evidence, "SYSLOG", ())
    program = tmp_path / "ipsec"
    program.write_text(
        f'#!/bin/sh\ncd {tmp_path}; echo "$@" >> asked\n'
        'for word in "$@"; do test -f "said$word" && exec cat "said$word"; done; exec sleep 60\n'
    )
    program.chmod(0o755)
    (tmp_path / "said--configsetup").write_text("export confreadstatus=''\n")
    (tmp_path / "said--initiate").write_text("")
    return _libreswan.Pluto(str(program), str(tmp_path / "ipsec.d"), str(tmp_path))


@pytest.fixture
def answers(pluto, tmp_path):
    """The same, with four tunnels up."""
    (tmp_path / "said--status").write_text(STATUS.read_text())
    (tmp_path / "said--listpsks").write_text(PSKS)
    return pluto


def machine():
    return _linux_evidence.Machine(lambda name: None if name == "journalctl" else shutil.which(name))


def collect(pluto, attempt=False, files=None):
    (one,) = _libreswan_evidence.collect(pluto, machine(), [RECORD], attempt, 1, files)
    return one


def test_what_is_loaded_and_said(answers, tmp_path):
    log = tmp_path / "pluto.log"
    log.write_text(f'Nov 23 11:42:05.525993: "bothends.prod.berlin.1" #7: {REFUSED}\n')
    (tmp_path / "said--configsetup").write_text(f"export confreadstatus=''\nexport logfile='{log}'\n")
    one = collect(answers)
    assert one["loaded"] and one["key_loaded"] and one["log_read"]
    assert one["log"] == {"auth.refused": {"said": REFUSED, "count": 1}}
    assert one["stored"] is None and "forwarding" in one


def test_what_is_not_loaded(answers, tmp_path):
    (tmp_path / "said--status").write_text(STATUS.read_text().replace("bothends.prod.berlin.2", "others"))
    (tmp_path / "said--listpsks").write_text(PSKS.replace("203.0.113.151", "@other"))
    one = collect(answers)
    assert one["loaded"] is False and one["key_loaded"] is False


@pytest.mark.parametrize(
    ("listed", "has"),
    [
        ("000    3: PSK 203.0.113.151 203.0.113.10\n", True),
        ("000    3: PSK 203.0.113.10 203.0.113.151\n", True),
        ("000    3: PSK %any %any\n", True),
        ("000    3: PSK\n", True),
        ("000    3: PSK 203.0.113.152 203.0.113.10\n", False),
        ("000    3: RSA 203.0.113.151 203.0.113.10\n", False),
        ("", False),
    ],
)
def test_whose_key_is_listed(listed, has):
    ids = {"local_id": "203.0.113.10", "remote_id": "203.0.113.151"}
    assert _libreswan_evidence.has_key(listed, ids) is has


def test_what_is_stored_without_its_key(answers, tmp_path):
    (tmp_path / "ipsec.d").mkdir()
    for suffix, path in cases.golden("ikev2-cbc").items():
        (tmp_path / "ipsec.d" / f"bothends-vpn-berlin.{suffix}").write_text(path.read_text())
    stored = collect(answers)["stored"]
    assert (stored["name"], stored["ike"]["version"]) == ("prod/berlin", "v2")
    assert "psk" not in stored


@pytest.mark.parametrize("text", ["conn x\n\tleft=%any\n", "\0\1", "conn bothends.prod.berlin\n\tikev2=maybe\n"])
def test_a_file_that_is_not_ours_says_nothing_of_what_is_stored(answers, tmp_path, text):
    (tmp_path / "ipsec.d").mkdir()
    (tmp_path / "ipsec.d/bothends-vpn-berlin.conf").write_text(text)
    one = collect(answers)
    assert "stored" not in one
    assert any("its file is none that this collection wrote" in said for said in one["problems"])


def test_a_pluto_that_hangs_costs_bounded_time_and_not_the_rest(pluto):
    began = time.monotonic()
    one = collect(pluto, attempt=True)
    assert time.monotonic() - began < 20
    assert any("pluto did not answer within 3 s" in said for said in one["problems"])
    assert one["stored"] is None and "loaded" not in one and "key_loaded" not in one
    assert one["log_read"] is False and "forwarding" in one


def test_a_pluto_that_answers_nonsense(pluto, tmp_path):
    for word in ("--status", "--listpsks", "--configsetup"):
        (tmp_path / f"said{word}").write_bytes(bytes(range(1, 256)) * 40)
    one = collect(pluto, attempt=True)
    assert one["loaded"] is False and one["log"] == {}


@pytest.mark.parametrize(("initiator", "tried"), [("both", 2), ("site", 2), ("hub", 0)])
def test_an_attempt_is_for_what_no_sa_carries(answers, tmp_path, initiator, tried):
    """And what whack says of it counts where there is no log."""
    (tmp_path / "said--status").write_text("".join(line for line in STATUS.open() if "STATE_" not in line))
    (tmp_path / "said--initiate").write_text(f'036 "bothends.prod.berlin.1" #7: {REFUSED}\n')
    (one,) = _libreswan_evidence.collect(answers, machine(), [{**RECORD, "initiator": initiator}], True, 1)
    assert (tmp_path / "asked").read_text().count("--initiate") == tried
    assert ("auth.refused" in one["log"]) is bool(tried)


def test_syslog_is_the_last_resort(answers, tmp_path, monkeypatch):
    path = tmp_path / "auth.log"
    path.write_text(
        f'Nov 23 07:01:25 berlin pluto[81]: "bothends.prod.berlin.1" #1: {REFUSED}\nNov 23 07:01:25 berlin sshd[1]: x\n'
    )
    monkeypatch.setattr(_libreswan_evidence, "SYSLOG", (str(tmp_path / "none"), str(path)))
    asked = machine()
    assert _libreswan_evidence.read_log(answers, asked, None) == [_pluto_log.Entry("prod/berlin", "", REFUSED)]
    assert asked.problems == []


def test_a_log_that_is_not_there_is_said(answers, tmp_path):
    asked = machine()
    assert _libreswan_evidence.read_log(answers, asked, [str(tmp_path / "none")]) == []
    assert asked.problems == [f"{tmp_path}/none: No such file or directory"]


def test_a_file_with_a_byte_that_is_no_text_shows_no_key(answers, tmp_path):
    """Somebody wrote a remark in another encoding: the file is read all the same, and no error quotes it."""
    (tmp_path / "ipsec.d").mkdir()
    written = tmp_path / "ipsec.d/bothends-vpn-berlin.secrets"
    written.write_bytes(b"# Schl\xfcssel\n203.0.113.10 203.0.113.151 : PSK 0sR0VIRUlN\n")
    (tmp_path / "ipsec.d/bothends-vpn-berlin.conf").write_text("conn nonsense\n\tauto=add\n")
    found = _libreswan_evidence.collect(answers, _linux_evidence.Machine(shutil.which), [RECORD], False, 1)
    [said] = [one for one in found[0]["problems"] if "its file" in one]
    assert said.endswith(
        "none that this collection wrote (bothends-vpn-berlin.secrets:2: not as this collection writes it)"
    )
    assert "R0VIRUlN" not in repr(found)


def test_what_is_loaded_in_our_names():
    conns = _libreswan_sas.read_connections(STATUS.read_text())
    assert _libreswan_sas.loaded(conns["bothends.prod.berlin.1"]) == {
        "ike": {"encryption": ["aes-256"], "integrity": ["sha384"], "prf": ["sha384"], "dh_group": ["group20"]},
        "ipsec": {"encryption": ["aes-256"], "integrity": ["sha384"], "dh_group": ["group20"]},
    }
    v1 = next(iter(_libreswan_sas.read_connections(STATUS.with_name("status-ikev1.txt").read_text()).values()))
    assert "prf" not in _libreswan_sas.loaded(v1)["ike"]


@pytest.mark.parametrize("case", cases.CASES)
def test_a_file_that_the_collection_wrote_is_as_declared(case):
    """Whatever a record says: what is read of its file differs in nothing; and one changed value is seen."""
    read = libreswan.read({path.name: path.read_text() for path in cases.golden(case).values()})
    for record, stored in zip(cases.CASES[case][2], read, strict=True):
        assert set(_cause_facts._site(record, {"stored": stored})) == {"site.as_declared"}
        other = {**stored, "ipsec": {**stored["ipsec"], "encryption": "none"}}
        assert set(_cause_facts._site(record, {"stored": other})) == {"site.ipsec"}
