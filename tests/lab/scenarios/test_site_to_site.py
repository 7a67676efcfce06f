# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The document's own example: one VPC, one data centre, from nothing to live traffic and back. In this order."""

from __future__ import annotations

import re
import subprocess

import pytest
import yaml

from .conftest import DESCRIPTION, EXAMPLE, SITE_FILE, changed_sites, planned_steps, writes

PAIRS = [
    ("berlin-pc", "192.168.1.10"),
    ("berlin-plant", "192.168.2.10"),
    ("app1", "192.168.4.10"),
    ("db1", "192.168.3.10"),
]
PSK = yaml.safe_load((EXAMPLE / "psks.yml").read_text())["prod/berlin"]
# Whatever a shell, YAML, Jinja, swanctl or ipsec.secrets could stumble over.
ODD_PSK = "0x\"quotes' and \\ {{ 7*7 }} {% raw %} $HOME `id` #no , ; = ümläut"


@pytest.fixture(scope="module", autouse=True)
def fresh(lab):
    lab.reset()
    yield
    lab.reset()


@pytest.fixture(scope="module")
def planned(fresh, lab, playbook):
    """What check mode says before anything is there."""
    mark = lab.mark()
    return playbook("site", "--check", "--diff"), writes(lab, mark)


@pytest.fixture(scope="module")
def first(planned, lab, playbook):
    """The first real run."""
    return playbook("site", "--diff", "-vvv")


def test_before_nothing_passes(planned, lab):
    for source, address in PAIRS:
        assert lab.ping(source, address, count=1).received == 0


def test_check_mode_writes_nothing(planned, lab):
    run, written = planned
    assert written == []
    assert planned_steps(run.output)
    assert not lab.file("berlin", SITE_FILE).exists()


def test_the_real_run_does_what_check_mode_said(planned, first):
    assert planned_steps(first.output) == planned_steps(planned[0].output)


def test_after_hosts_on_both_sides_talk(first, lab):
    for source, address in PAIRS:
        assert lab.wait_for_ping(source, address, seconds=20), f"{source} does not reach {address}"


# Who refuses is reached, and only does not listen yet.
CONNECT = """
import socket, sys, time
end = time.monotonic() + 10
while True:
    try:
        socket.create_connection((sys.argv[1], int(sys.argv[2])), 3)
        break
    except ConnectionRefusedError:
        if time.monotonic() > end:
            raise
        time.sleep(0.1)
"""


def test_only_what_is_described_passes(first, lab):
    """ICMP and two ranges of TCP are let in; telnet is not."""
    listen = "import socket,sys\ns=socket.create_server(('', int(sys.argv[1])))\ns.settimeout(20)\ns.accept()"
    for port, passes in ((443, True), (23, False)):
        lab.run("app1", ["sh", "-c", f'nohup python3 -c "$0" {port} >/dev/null 2>&1 &', listen])
        done = lab.run("berlin-pc", ["python3", "-c", CONNECT, "192.168.1.10", str(port)], check=False)
        assert (done.returncode == 0) is passes, f"port {port}: {done.stderr[-300:]}"


def test_the_second_run_changes_nothing(first, lab, playbook):
    mark = lab.mark()
    run = playbook("site")
    assert run.changed == 0
    assert writes(lab, mark) == []
    assert run.verdicts == {"prod/berlin/1": "up"}


def test_a_broken_file_is_mended_as_a_check_says(first, lab, playbook):
    """The twin is somebody else's file, which nobody would write anew."""
    ours = lab.file("berlin", SITE_FILE)
    whole = ours.read_text()
    ours.write_text(whole + "garbage\n")
    planned = playbook("routers", "--check", "--diff")
    assert "-garbage" in planned.output and planned.changed == 2
    assert playbook("routers").changed == 2 and ours.read_text() == whole
    theirs = ours.with_name("theirs.conf")
    theirs.write_text("garbage\n")
    refused = playbook("routers", "--check", ok=False)
    theirs.unlink()
    assert "theirs.conf:1: '{' or '=' was expected" in refused.output and "Nothing was loaded" not in refused.output


def test_no_key_is_in_any_output(planned, first):
    assert PSK not in planned[0].output
    assert PSK not in first.output


def test_the_routers_file_is_for_root_only_and_holds_the_key(first, lab):
    """The scan above could only find a key that is somewhere at all."""
    import base64

    path = lab.file("berlin", SITE_FILE)
    assert path.stat().st_mode & 0o777 == 0o600
    assert base64.b64encode(PSK.encode()).decode() in path.read_text()


def test_the_tunnel_is_proven(first, playbook):
    run = playbook.prove()
    assert run.verdicts == {"prod/berlin/1": "proven"}
    row = run.rows[0]
    assert (row["ike"], row["ipsec"]) == ("aes-256/sha384/group20", "aes-256/sha384/group20")
    assert row["pings"] == "24/24"


def test_a_restarted_router_comes_back(first, lab, playbook):
    lab.restart_router("berlin")
    assert playbook("routers").status == 0
    assert lab.wait_for_ping("berlin-plant", "192.168.2.10", seconds=20)
    assert playbook("routers").changed == 0


def test_subnets_change_in_place(first, lab, playbook):
    """The connection keeps its id, and the new selectors are in force at the end."""
    before = lab.api().list("vpn/ipsec-site-connections")[0]["id"]
    fewer = changed_sites(subnets=["192.168.3.0/24"], probe=None)
    run = playbook("site", vpn_sites=fewer)
    assert run.changed and run.verdicts == {"prod/berlin/1": "up"}
    assert lab.wait_for_ping("berlin-pc", "192.168.1.10", seconds=20)
    assert not lab.ping("berlin-plant", "192.168.1.10", count=1)
    assert lab.api().list("vpn/ipsec-site-connections")[0]["id"] == before
    assert playbook("site", vpn_sites=fewer).changed == 0
    assert playbook("site").changed
    assert lab.wait_for_ping("berlin-plant", "192.168.1.10", seconds=20)


def test_an_odd_key_arrives_whole(first, playbook, tmp_path):
    keys = tmp_path / "psks.yml"
    keys.write_text(yaml.safe_dump({"prod/berlin": ODD_PSK}))
    psks = f"{{{{ lookup('ansible.builtin.file', '{keys}') | bothends.vpn.psks }}}}"
    run = playbook("site", "--diff", "-vvv", vpn_psks=psks)
    assert run.changed
    assert "7*7" not in run.output and "ümläut" not in run.output
    assert playbook.prove(vpn_psks=psks).verdicts == {"prod/berlin/1": "proven"}


def test_a_router_of_any_name_and_a_key_from_a_vault(first, lab, playbook, tmp_path):
    """The site names its host by `router`; the key is decrypted on the controller, and shown nowhere."""
    name, key = "der Router von Büro-1", "only-for-the-vault-7mQz4RkXe1BnG5dL"
    reach = yaml.safe_load(lab.inventory.read_text())["all"]["children"]["lab"]
    host = {**reach["vars"], **reach["children"]["lab_routers"]["hosts"]["berlin"]}
    (tmp_path / "odd.yml").write_text(yaml.safe_dump({"vpn_routers": {"hosts": {name: host}}}))
    (tmp_path / "password").write_text("of the vault\n")
    vault = ["--vault-password-file", str(tmp_path / "password")]
    encrypted = subprocess.run(
        ["ansible-vault", "encrypt_string", *vault, "--stdin-name", "prod/berlin"],
        input=key, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    (tmp_path / "keys.yml").write_text("vpn_psks:\n" + "".join(f"  {line}\n" for line in encrypted.splitlines()))
    options = ("-i", str(tmp_path / "odd.yml"), "-e", f"@{tmp_path / 'keys.yml'}", *vault, "--limit", "!berlin")
    run = playbook("site", *options, "--diff", "-vvv", vpn_sites=changed_sites(router=name))
    assert re.search(rf"^{name} +: ok=\d+ +changed=[1-9]", run.output, re.MULTILINE)
    assert key not in run.output
    run = playbook("verify", *options, vpn_sites=changed_sites(router=name), verify_active=True, verify_sa_timeout=8)
    assert run.verdicts == {"prod/berlin/1": "proven"}


def test_another_project_sees_and_touches_nothing(first, lab, playbook):
    mark = lab.mark()
    run = playbook("cloud", ok=False, vpn_hubs={"prod": {**DESCRIPTION["vpn_hubs"]["prod"], "cloud": "lab-other"}})
    assert "VPC 'prod' is not there" in run.output
    assert writes(lab, mark) == []


def test_a_site_without_a_router_gets_a_file(first, playbook, tmp_path):
    sites = changed_sites(router="somebody-elses")
    run = playbook("routers", vpn_sites=sites, site_router_output_dir=str(tmp_path), vpn_psks={"berlin": PSK})
    files = list(tmp_path.rglob("*.conf"))
    assert len(files) == 1 and files[0].stat().st_mode & 0o777 == 0o600
    assert "192.168.4.0/24" in files[0].read_text()
    assert PSK not in run.output


def test_absent_removes_exactly_what_was_made(first, lab, playbook):
    """Last: both ends are as they were before the first run."""
    run = playbook("site", vpn_sites=changed_sites(state="absent"))
    assert run.changed
    for kind in (
        "vpn/ikepolicies",
        "vpn/ipsecpolicies",
        "vpn/vpnservices",
        "vpn/endpoint-groups",
        "vpn/ipsec-site-connections",
    ):
        assert lab.api().list(kind) == []
    assert [
        rule for rule in lab.api().list("security-group-rules") if "bothends.vpn" in (rule["description"] or "")
    ] == []
    assert not lab.file("berlin", SITE_FILE).exists()
    assert "prod" not in lab.run("berlin", ["swanctl", "--list-conns"]).stdout
    assert "192.168.4.0/24" not in lab.run("berlin", ["ip", "route"]).stdout
    assert not lab.ping("berlin-pc", "192.168.1.10", count=1)
    assert playbook("site", vpn_sites=changed_sites(state="absent")).changed == 0
