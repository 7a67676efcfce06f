# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody changes the router's file, the cloud's object and the running SA; drift names each. In this order."""

from __future__ import annotations

import base64
import json
import re
import time

import pytest
import yaml

from .conftest import EXAMPLE, SITE_FILE, rewrite, writes

PSK = yaml.safe_load((EXAMPLE / "psks.yml").read_text())["prod/berlin"]
OTHER = base64.b64encode(b"another key of the router").decode()


@pytest.fixture(scope="module", autouse=True)
def fresh(lab, playbook):
    lab.reset()
    playbook("site")
    yield
    lab.reset()


@pytest.fixture
def drift(lab, playbook, tmp_path):
    """Run drift: how it ended, and its rows by what they are about. It writes nothing anywhere."""

    def run(ok=True, *options, **variables):
        report, mark, file = tmp_path / "drift.json", lab.mark(), lab.file("berlin", SITE_FILE)
        before = file.read_text(), file.stat().st_mtime
        done = playbook("drift", *options, ok=ok, drift_report_file=str(report), **variables)
        assert writes(lab, mark) == [] and done.changed == 0
        assert (file.read_text(), file.stat().st_mtime) == before
        assert PSK not in done.output and OTHER not in done.output
        rows = json.loads(report.read_text())
        return {(row["connection"], row["field"]): row for row in rows if row["kind"] != "not compared"}

    return run


def test_nothing_differs_after_a_run(drift):
    assert drift(True, "-vvv", drift_fail=True) == {}


def test_each_change_is_named(drift, lab):
    """Of the running SA, of the router's file, a key too, and of the cloud's object."""
    file = lab.file("berlin", SITE_FILE)
    text = file.read_text()
    # The SA is made from another file than the one that is there now.
    rewrite(lab, (r"local_ts = .*", 'local_ts = "192.168.3.0/24"'))
    time.sleep(3)  # charon tells an SA's age in whole seconds
    text = re.sub(r"dpd_delay = 30", "dpd_delay = 31", text)
    file.write_text(re.sub(r'secret = ".*"', f'secret = "0s{OTHER}"', text))
    api = lab.api()
    connection = api.list("vpn/ipsec-site-connections")[0]["id"]
    api.update("vpn/ipsec-site-connections", connection, "ipsec_site_connection", mtu=1400)
    rows = drift(False, drift_fail=True)
    seen = {key: (row["described"], row["cloud"], row["router"], row["running"]) for key, row in rows.items()}
    stale = seen.pop(("prod/berlin", "in force"))
    assert seen == {
        ("prod/berlin", "dpd.interval"): (30, "same", 31, "-"),
        ("prod/berlin", "underlay_mtu"): (1500, 1400, "-", "-"),
        ("prod/berlin", "psk"): ("(secret)", "same", "another key", "-"),
        ("prod/berlin/1", "subnets"): ("192.168.3.0/24, 192.168.4.0/24", "same", "same", "192.168.3.0/24"),
    }
    assert "stored" in stale[2] and "SA of" in stale[3]


def test_a_router_that_hangs_gets_a_row_and_the_rest_is_told(drift, lab):
    """charon is stopped, not ended: whoever asks it waits."""
    pid = lab.run("berlin", ["pidof", "charon", "charon-systemd"], check=False).stdout.split()
    assert pid
    lab.run("berlin", ["kill", "-STOP", *pid])
    try:
        rows = drift(True, "--check")
        short = drift(True, "--limit", "berlin", drift_timeout=4)
    finally:
        lab.run("berlin", ["kill", "-CONT", *pid])
    note = rows["prod/berlin", "running"]["note"]
    assert "router berlin: the daemon charon did not answer within" in note and "restart" in note
    assert short["prod/berlin", "running"]["note"] == "router berlin: it did not answer within 4 s"
    assert {("prod/berlin", "underlay_mtu"), ("prod/berlin", "dpd.interval")} < set(rows)


@pytest.mark.parametrize(
    ("variables", "limit", "unanswered"),
    [
        pytest.param({"berlin": {"drift_timeout": "soon"}}, "all", True, id="its own variables are wrong"),
        pytest.param({"berlin": {"drift_psks": "{{ lookup('file', '/nowhere') }}"}}, "all", True, id="no keys for it"),
        pytest.param({"prod": {"drift_timeout": "soon"}}, "all", False, id="the hub is lost, and asked by another"),
        pytest.param({"prod": {}}, "vpn_cloud", False, id="it is not in this run"),
    ],
)
def test_a_host_that_fails_before_it_is_asked_is_not_left_out(drift, tmp_path, variables, limit, unanswered):
    """What is known of it otherwise is told all the same."""
    inventory = tmp_path / "more.yml"
    inventory.write_text(yaml.safe_dump({"all": {"hosts": variables}}))
    rows = drift(variables == {"prod": {}}, "-i", str(inventory), "--limit", limit)
    lost = [("prod/berlin", view) for view in ("router", "running")]
    assert [key in rows for key in lost] == [unanswered] * 2
    if unanswered:
        assert {(rows[key]["kind"], rows[key]["note"]) for key in lost} == {
            ("unanswered", "router berlin was not read: it failed earlier in this run, as its own error says")
        }
    assert rows["prod/berlin", "underlay_mtu"]["cloud"] == 1400
