# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read of a router: rules that translate, and programs, files and daemons that misbehave."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import threading
import time
import types

import pytest

from ansible_collections.bothends.vpn.plugins.module_utils._platforms import (
    _evidence,
    _libreswan_evidence,
    _linux_evidence,
    _linux_nat,
    _strongswan_evidence,
    _swanctl,
)
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _swanctl_text as text

HERE, THERE = ["192.168.3.0/24"], ["192.168.1.0/24", "192.168.2.0/24"]


BESIDE = "\tchain FOO {\n\t\treturn\n\t}\n\n\tchain BAR {\n\t\tip daddr 192.168.1.0/24 accept\n\t}\n"


def chain(*rules, hook="postrouting"):
    """Write a chain as nft lists it, and two that a rule may jump to."""
    lines = "".join(f"\t\t{rule}\n" for rule in rules)
    return f"table ip nat {{\n\tchain POST {{\n\t\ttype nat hook {hook} priority srcnat; policy accept;\n{lines}\t}}\n\n{BESIDE}}}\n"


@pytest.mark.parametrize(
    ("rules", "found"),
    [
        pytest.param(["masquerade"], True, id="all"),
        pytest.param(['oifname "wan" masquerade'], True, id="what leaves by the uplink"),
        pytest.param(['oifname "lan0" masquerade'], False, id="what leaves elsewhere"),
        pytest.param(['oifname != "wan" snat to 10.0.0.1'], False, id="all but the uplink"),
        pytest.param(['oifname "w*" counter packets 3 bytes 252 masquerade'], True, id="a pattern, with a counter"),
        pytest.param(["ip saddr 192.168.0.0/16 counter snat to 203.0.113.10"], True, id="a wider source"),
        pytest.param(["ip saddr 10.0.0.0/8 masquerade"], False, id="other hosts"),
        pytest.param(["ip daddr != 192.168.0.0/16 masquerade"], False, id="all but private"),
        pytest.param(["ip saddr 192.168.3.0/24 ip daddr { 192.168.1.0/24, 192.168.2.0/24 } accept", "masquerade"], False,
                     id="exempted before"),
        pytest.param(["masquerade", "ip daddr 192.168.1.0/24 accept"], True, id="exempted too late"),
        pytest.param(["rt ipsec exists accept", "masquerade"], False, id="exempted by policy"),
        pytest.param(["meta l4proto 50 accept", 'oifname "wan" # match-set x dst masquerade'], False, id="not understood"),
        pytest.param(['oifname "wan" # policy match dir out pol ipsec counter accept', "masquerade"], False, id="iptables' policy"),
        pytest.param(["tcp dport 25 masquerade"], False, id="one service"),
        pytest.param([], False, id="none"),
        # nft itself writes two nets that lie side by side as a range, in and out of a set.
        pytest.param(["ip daddr 192.168.1.0-192.168.2.255 accept", "masquerade"], False, id="a range is exempted"),
        pytest.param(["ip daddr { 10.9.0.1, 192.168.1.0-192.168.2.255 } accept", "masquerade"], False, id="a range in a set"),
        pytest.param(["ip daddr != 192.168.1.0-192.168.2.255 masquerade"], False, id="all but a range"),
        pytest.param(["ip saddr 192.168.3.0-192.168.4.255 masquerade"], True, id="hosts of a range"),
        pytest.param(["ip saddr 10.0.0.0-10.0.0.9 masquerade"], False, id="other hosts of a range"),
        pytest.param(["ip saddr != 10.0.0.0-10.0.0.9 masquerade"], True, id="all but other hosts"),
        # What is not understood makes nothing sure.
        pytest.param(["ip daddr != @vpn masquerade"], False, id="all but a named set"),
        pytest.param(["ip daddr @vpn accept", "masquerade"], False, id="a named set may be the exemption"),
        pytest.param(["ip daddr $vpn masquerade"], False, id="a name"),
        pytest.param(["ip saddr . ip daddr { 192.168.3.0/24 . 10.0.0.0/8 } masquerade"], False, id="pairs"),
        pytest.param(["meta skuid 0 masquerade"], False, id="a condition of another kind"),
        pytest.param(['oifname != { "lan0", "wan" } masquerade'], False, id="a set of devices"),
        pytest.param(["meta mark 0x00000001 accept", "masquerade"], False, id="a mark may be the exemption"),
        pytest.param(["xt match \"set\" counter packets 0 bytes 0 accept", "masquerade"], False, id="a match of iptables' may be"),
        pytest.param(["counter packets 0 bytes 0 jump FOO", "masquerade"], True, id="a chain that lets nothing leave"),
        pytest.param(["counter packets 0 bytes 0 jump BAR", "masquerade"], False, id="a chain that may"),
        pytest.param(["udp dport { 500, 4500 } accept", "meta l4proto esp accept", "masquerade"], True, id="IKE and ESP are exempted"),
        pytest.param(['ct state new log prefix "nat " counter xt target "MASQUERADE"'], True, id="words that are no condition"),
    ],
)  # fmt: skip
def test_rules_that_translate_what_the_tunnel_carries(rules, found):
    assert bool(_linux_nat.translating(chain(*rules), HERE, THERE, "wan")) is found
    assert _linux_nat.translating(chain(*rules, hook="prerouting"), HERE, THERE, "wan") == []


def test_where_the_way_is_not_known_every_device_counts():
    assert _linux_nat.translating(chain('oifname "ppp0" masquerade'), HERE, THERE) == ['oifname "ppp0" masquerade']


# --- what misbehaves -------------------------------------------------------------------------------------------------


def machine():
    return _linux_evidence.Machine(shutil.which)


def test_a_program_that_hangs_is_ended():
    asked = machine()
    began = time.monotonic()
    code, out = asked.run("sh", "-c", "echo first; exec sleep 30", seconds=2)
    assert time.monotonic() - began < 20
    assert (code, out) == (-9, "first\n")
    assert asked.problems == ["sh did not end within 2 s"]


def test_a_program_that_never_stops_to_write_is_ended():
    asked = machine()
    began = time.monotonic()
    _code, out = asked.run("sh", "-c", "exec yes nonsense")
    assert len(out) == _linux_evidence.MOST and time.monotonic() - began < 5


def test_a_program_that_is_not_there_is_said():
    asked = machine()
    assert asked.run("no-such-program") == (-1, "")
    assert asked.problems == ["no-such-program is not installed"]


@pytest.fixture
def router(tmp_path, monkeypatch):
    """Give a machine whose programs do what a test says, and has no others."""
    monkeypatch.setattr(_linux_evidence, "_KNOCKS", (0.01,))
    monkeypatch.setattr(_linux_evidence, "_LEGACY", (str(tmp_path / "names"),))

    def installed(**programs):
        for name, does in programs.items():
            (tmp_path / name).write_text(f"#!/bin/sh\n{does}\n")
            (tmp_path / name).chmod(0o755)
        return _linux_evidence.Machine(lambda name: str(tmp_path / name) if name in programs else None)

    return installed


NOWHERE = "echo 'RTNETLINK answers: {}' >&2; exit 2"


@pytest.mark.parametrize(
    ("does", "found", "problem"),
    [
        ("echo '[ ]'", [], None),
        ("true", [], None),
        ('echo \'[{"dst":"192.0.2.1","dev":"wan"}]\'', [{"dst": "192.0.2.1", "dev": "wan"}], None),
        (NOWHERE.format("Network is unreachable"), [], None),
        (NOWHERE.format("No route to host"), [], None),
        (NOWHERE.format("Permission denied"), [], None),  # a route that prohibits
        (NOWHERE.format("Operation not supported"), None, "ip route get x: RTNETLINK answers: Operation not supported"),
        # without -j: an old iproute2, and busybox
        ("echo 'Option \"-j\" is unknown, try \"ip -help\".' >&2; exit 255", None,
         'ip route get x: Option "-j" is unknown, try "ip -help".'),
        ("echo \"ip: invalid option -- 'j'\" >&2; exit 1", None, "ip route get x: ip: invalid option -- 'j'"),
        ("exit 2", None, "ip route get x: return code 2"),
        ("echo nonsense", None, "ip route get x: its output is no JSON"),
        ("head -c 9999 /dev/zero | tr '\\0' '['", None, "ip route get x: its output is no JSON"),
        *[(f"echo '{said}'", None, "ip route get x: its output is not as iproute2 writes it") for said in
          ("[null]", "7", "{}", "[[]]", '[{"dev":7}]', '[{"addr_info":[null]}]', '[{"addr_info":null}]', '[{"addr_info":[{"local":[]}]}]')],
    ],
)  # fmt: skip
def test_what_ip_answers(router, does, found, problem):
    asked = router(ip=does)
    assert asked.ip("route", "get", "x") == found
    assert [one.strip() for one in asked.problems] == [problem] * bool(problem)


@pytest.mark.parametrize("does", ["echo '[null]'", "echo nonsense", "head -c 999 /dev/urandom", "exit 1", "exit 255"])
def test_programs_that_talk_nonsense_cost_nothing_but_what_they_would_say(router, does):
    asked = router(ip=does, ping=does, nft=does)
    found = _linux_evidence.network(asked, RECORD, None, {})
    assert "forwarding" in found and "ports" in found
    assert not {"gateway_route", "gateway_answers", "addresses"} & set(found)
    assert found["lan"] == found.get("source_nat", []) == [] and found["default_route"] == {}
    assert any(said.startswith("ip ") for said in asked.problems)


@pytest.mark.parametrize(
    ("programs", "names", "rules", "problem"),
    [
        ({}, None, [], None),
        ({"nft": "cat {rules}"}, "filter\n", ["masquerade"], None),
        ({"nft": "cat {rules}"}, "filter\nnat\n", ["masquerade"],
         "the NAT rules of iptables-legacy are not read; iptables-legacy-save shows them"),
        ({"nft": "echo 'Operation not permitted (you must be root)' >&2; exit 1"}, None, None,
         "nft list ruleset: Operation not permitted (you must be root)"),
        ({"nft": "yes table"}, None, None, "nft list ruleset: NAT rules are not read, it lists more than 512 KiB"),
        ({"iptables": "echo 'iptables v1.8.9 (nf_tables)'"}, None, None,
         "nft is not installed, so the NAT rules of iptables are not read"),
        ({"iptables": "echo 'iptables v1.8.9 (legacy)'"}, None, [], None),
        ({"iptables": "echo 'iptables v1.8.9 (legacy)'"}, "nat\n", [],
         "the NAT rules of iptables-legacy are not read; iptables-legacy-save shows them"),
    ],
)  # fmt: skip
def test_nat_that_cannot_be_read_is_said(router, tmp_path, programs, names, rules, problem):
    (tmp_path / "rules").write_text(chain("masquerade"))
    if names:
        (tmp_path / "names").write_text(names)
    quiet = {"ip": "echo '[]'", "ping": "echo '2 packets transmitted'"}
    asked = router(**quiet, **{name: does.format(rules=tmp_path / "rules") for name, does in programs.items()})
    assert _linux_evidence.network(asked, RECORD, None, {}).get("source_nat") == rules
    assert [one.strip() for one in asked.problems] == [problem] * bool(problem)


RECORD = {
    "name": "prod/berlin",
    "initiator": "both",
    "local": {"address": None, "gateway": "127.0.0.1"},
    "remote": {"gateway": "127.0.0.2"},
    "tunnels": [
        {"name": f"prod/berlin/{n}", "local_subnets": ["192.0.2.0/24"], "remote_subnets": ["10.0.0.0/24"]}
        for n in (1, 2, 3)
    ],
}


def test_who_cannot_be_asked_says_nothing_of_routes(monkeypatch):
    """No answer is not the answer that there is no route."""
    monkeypatch.setattr(_linux_evidence, "_KNOCKS", (0.1, 0.1))
    found = _linux_evidence.network(_linux_evidence.Machine(lambda name: None), RECORD, None, {})
    assert "gateway_route" not in found and "gateway_answers" not in found and found["lan"] == []


def test_a_gateway_is_asked_once_for_all_its_connections(monkeypatch):
    asked = []
    monkeypatch.setattr(_linux_evidence, "knock", lambda gateway, port, own: asked.append((gateway, port)) or "silent")
    known = {}
    for _connection in range(3):
        _linux_evidence.network(_linux_evidence.Machine(lambda name: None), RECORD, None, known)
    assert asked == [("127.0.0.2", 500), ("127.0.0.2", 4500)]


@pytest.mark.parametrize(("seconds", "tried"), [(60, 3), (-1, 0)])
def test_attempts_end_when_they_took_too_long(monkeypatch, seconds, tried):
    class Log(contextlib.nullcontext):
        entries = ()

        def __enter__(self):
            return self

    began = []
    swanctl = types.SimpleNamespace(uri=None, ask=lambda *words: "", run=lambda *words, seconds: began.append(words))
    monkeypatch.setattr(_swanctl, "Log", lambda uri: Log())
    monkeypatch.setattr(_evidence, "ATTEMPTS", seconds)
    monkeypatch.setattr(_evidence, "SETTLE", 0)
    asked = machine()
    _strongswan_evidence._attempt(swanctl, asked, [RECORD], 5)
    assert len(began) == tried
    assert asked.problems == ([] if tried else ["3 of 3 tunnels were not tried: it took too long"])


def test_a_file_that_is_not_ours_says_nothing_of_what_is_stored():
    section, asked, one, none = "prod-berlin", machine(), {}, {}
    for into, tree in ((one, {section: {"children": "x"}}), (none, {})):
        _evidence.put_stored(
            into, asked, section, lambda tree=tree: _strongswan_evidence._record({"connections": tree}, section)
        )
    assert one == {"unreadable": "its file is none that this collection wrote"}
    assert asked.problems == [f"connection {section}: {one['unreadable']}"]
    assert none == {"stored": None}


def test_of_a_huge_log_only_the_end_is_read(tmp_path):
    path = tmp_path / "charon.log"
    with path.open("wb") as stream:  # 100 MB that take no room
        stream.truncate(100_000_000)
        stream.seek(0, 2)
        stream.write(b"\n07[IKE] could not decrypt payloads\n")
    began = time.monotonic()
    read = _linux_evidence.tail(str(path))
    assert read == "07[IKE] could not decrypt payloads\n" and time.monotonic() - began < 2
    entries = _strongswan_evidence.read_log(machine(), [str(path)])
    assert [one.said for one in entries] == ["could not decrypt payloads"]


JOURNAL = """#!/bin/sh
cd {room}
case " $* " in *" --reverse "*) tac lines | head -n {most};; *) tail -n {most} lines;; esac
"""


@pytest.mark.parametrize(
    ("read", "line"),
    [
        (lambda asked: _strongswan_evidence.read_log(asked, None), "line {}"),
        (lambda asked: _libreswan_evidence.read_log(None, asked, None), '"bothends.prod.berlin.1" #1: line {}'),
    ],
)
def test_of_a_long_journal_the_newest_lines_are_read(tmp_path, monkeypatch, read, line):
    """Each of its lines carries more of the journal's own than is said, so they do not all fit."""
    own = {
        "__CURSOR": f"s={'0' * 32};i=3b1a6;b={'0' * 32};m=2a1b3c4d5e;t=6447a1b2c3d4e;x={'0' * 16}",
        "__REALTIME_TIMESTAMP": "1763884800000000", "__MONOTONIC_TIMESTAMP": "180000000000", "_BOOT_ID": "0" * 32, "THREAD": "07",
    }  # fmt: skip
    number = 2 * _evidence.LINES
    lines = [json.dumps({**own, "MESSAGE": line.format(at) + " of some length" * 5}) + "\n" for at in range(number)]
    (tmp_path / "lines").write_text("".join(lines))
    (tmp_path / "journalctl").write_text(JOURNAL.format(room=tmp_path, most=_evidence.LINES))
    (tmp_path / "journalctl").chmod(0o755)
    monkeypatch.setattr(_strongswan_evidence, "CONFIGURATION", "/dev/null")
    monkeypatch.setattr(_libreswan_evidence, "log_files", lambda pluto: [])
    asked = _linux_evidence.Machine(lambda name: str(tmp_path / name))
    found = [int(one.said.split()[1]) for one in read(asked)]
    assert 1000 < len(found) < _evidence.LINES
    assert found == list(range(number - len(found), number))  # the oldest first, and none that was cut
    assert asked.problems == []


def test_a_log_that_is_not_there_is_said(tmp_path):
    asked = machine()
    assert _strongswan_evidence.read_log(asked, [str(tmp_path / "none")]) == []
    assert asked.problems == [f"{tmp_path}/none: No such file or directory"]


def test_a_charon_that_hangs_costs_bounded_time_and_not_the_rest(tmp_path, monkeypatch):
    """swanctl waits for it; the router's network is read all the same."""
    program = tmp_path / "swanctl"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    (tmp_path / "swanctl.conf").write_text("")
    plain = _swanctl.Swanctl.run
    monkeypatch.setattr(
        _swanctl.Swanctl, "run", lambda self, *given, seconds=60: plain(self, *given, seconds=min(seconds, 1))
    )
    end = {"address": None, "gateway": None, "id": None, "subnets": []}
    record = {"name": "prod/berlin", "local": end, "remote": end, "initiator": "both", "tunnels": []}
    (one,) = _strongswan_evidence.collect(
        _swanctl.Swanctl(str(program), str(tmp_path), None), machine(), [record], True, 5, []
    )
    assert "charon does not answer" in one["problems"]
    assert one["stored"] is None and "loaded" not in one and one["log_read"] is False and "forwarding" in one


@pytest.mark.parametrize(
    "does",
    [
        "printf 'stats reply {plugins=[x]}\\nlist-sa event {a {uniqueid=x}}\\nlist-conn event {a {children=x}}\\n'",
        "printf 'stats reply {plugins=x}\\nlist-sa event {a=b}\\nlist-conn event {a=b}\\n'",
        "echo nonsense",
        "head -c 9999 /dev/urandom",
    ],
)
def test_a_charon_that_talks_nonsense_costs_not_the_rest(tmp_path, monkeypatch, does):
    monkeypatch.setattr(_evidence, "SETTLE", 0)
    program = tmp_path / "swanctl"
    program.write_text(f"#!/bin/sh\n{does}\n")
    program.chmod(0o755)
    (tmp_path / "swanctl.conf").write_text("")
    (one,) = _strongswan_evidence.collect(
        _swanctl.Swanctl(str(program), str(tmp_path), f"unix://{tmp_path}/none"), machine(), [RECORD], True, 5, []
    )
    assert any("charon does not answer" in said or "its answer cannot be read" in said for said in one["problems"])
    assert one["stored"] is None and "loaded" not in one and "forwarding" in one


def test_the_log_files_that_strongswan_conf_names():
    tree = text.parse_settings(
        "charon-systemd { filelog { a { path = /var/log/a.log } /var/log/b { default = 2 } stdout { } } }\n"
        "charon { filelog { a { path = /var/log/a.log } } syslog { daemon { } } }"
    )
    assert _strongswan_evidence.log_files(tree) == ["/var/log/a.log", "/var/log/b"]
    assert _strongswan_evidence.log_files({}) == []


# --- a knock at an IKE daemon ----------------------------------------------------------------------------------------


@pytest.fixture
def listener():
    """A socket that answers as it is told to."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.bind(("127.0.0.1", 0))
        yield daemon


@pytest.mark.parametrize(("answer", "said"), [(lambda asked: asked, "answers"), (lambda asked: b"nonsense", "silent")])
def test_a_knock_is_answered(listener, answer, said):
    def serve():
        asked, peer = listener.recvfrom(2048)
        listener.sendto(answer(asked), peer)

    thread = threading.Thread(target=serve)
    thread.start()
    assert _linux_evidence.knock("127.0.0.1", listener.getsockname()[1]) == said
    thread.join()


def test_a_packet_that_was_lost_is_no_blocked_port(listener, monkeypatch):
    monkeypatch.setattr(_linux_evidence, "_KNOCKS", (0.2, 5))

    def serve():
        listener.recvfrom(2048)  # and nothing comes of it
        asked, peer = listener.recvfrom(2048)
        listener.sendto(asked, peer)

    thread = threading.Thread(target=serve)
    thread.start()
    assert _linux_evidence.knock("127.0.0.1", listener.getsockname()[1]) == "answers"
    thread.join()


def test_a_knock_where_nobody_answers(listener, monkeypatch):
    monkeypatch.setattr(_linux_evidence, "_KNOCKS", (0.1, 0.1))
    port = listener.getsockname()[1]
    assert _linux_evidence.knock("127.0.0.1", port) == "silent"
    assert _linux_evidence.knock("127.0.0.1", port, own="203.0.113.10") == "silent"  # no address of this machine's
    listener.close()
    assert _linux_evidence.knock("127.0.0.1", port) == "refused"
