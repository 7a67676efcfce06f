# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pings of a proof that do not all come back: tried once more where some did, told as they are where that does not help. And a
host that cannot be asked to ping: that costs nobody the report.

What gets lost is up to a program of that name here: no network loses the first packet and not the fourth on demand.
"""

from __future__ import annotations

import json

from .conftest import run

# By the address that is asked: what comes back of three packets, at the first call and at the next.
ANSWERS = {"192.168.1.10": (2, 3), "192.168.1.11": (2, 1), "192.168.1.12": (0, 3), "192.168.1.13": (3, 0)}
AWAY = {"from": "10.3.0.20", "to": "192.168.1.20"}  # a probe from a host that nobody reaches
PING = """#!/bin/sh
for address; do :; done
case " $* " in *" -M "*) exit ;; esac
echo >>"$0.$address"
set -- $(sed -n "s/^$address //p" "$0.answers") 0
[ $(wc -l <"$0.$address") = 1 ] || shift
loss=$(echo "$1" | sed 's/3/0/;t;s/2/33.3333/;t;s/1/66.6667/;t;s/0/100/')
echo "3 packets transmitted, $1 received, $loss% packet loss, time 401ms"
[ "$1" != 0 ]
"""
PLAY = """
- hosts: vpn_probes
  gather_facts: false
  connection: local
  vars:
    ansible_python_interpreter: "{{ ansible_playbook_python }}"
    __verify_proof: {}
    __verify_connections: >-
      {{ vpn_sites | bothends.vpn.connections(hubs=vpn_hubs, policies={}, end='site') }}
  environment:
    PATH: "{{ inventory_dir }}:{{ lookup('ansible.builtin.env', 'PATH') }}"
  tasks:
    - include_role: {name: bothends.vpn.verify, tasks_from: probes}
    - copy: {content: "{{ __verify_proof.pings | to_json }}", dest: "{{ inventory_dir }}/pings.json"}
"""


def test_a_pair_that_lost_some_is_asked_once_more(tmp_path):
    (tmp_path / "ping").write_text(PING)
    (tmp_path / "ping").chmod(0o755)
    (tmp_path / "ping.answers").write_text("".join(f"{to} {first} {next_}\n" for to, (first, next_) in ANSWERS.items()))
    variables = {
        "vpn_hubs": {"prod": {"vpc": "prod", "subnets": ["192.168.1.0/24"], "gateway": "203.0.113.150"}},
        "vpn_sites": {
            "berlin": {
                "hub": "prod", "gateway": "203.0.113.10", "subnets": ["10.3.0.0/24"],
                "probe": [*({"from": "10.3.0.10", "to": to} for to in ANSWERS), AWAY],
            }
        },
    }  # fmt: skip
    away = {"verify_address": AWAY["from"], "ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}
    hosts = {
        "vpn_probes": {"hosts": {"berlin-pc": {"verify_address": "10.3.0.10"}}},
        "others": {"hosts": {"away-pc": away}},
    }
    (tmp_path / "hosts.yml").write_text(json.dumps({"all": {"children": hosts, "vars": variables}}))
    (tmp_path / "play.yml").write_text(PLAY)
    done = run("ansible-playbook", tmp_path / "play.yml", "-i", tmp_path / "hosts.yml", "-v")
    assert done.status == 0, done.output[-4000:]
    pings = json.loads((tmp_path / "pings.json").read_text())
    unasked = pings.pop()
    assert (unasked["host"], unasked["sent"]) == ("away-pc", 0) and "refused" in unasked["unasked"]
    calls = {to: len((tmp_path / f"ping.{to}").read_text()) for to in ANSWERS}
    assert {one["to"]: (one["sent"], one["received"], calls[one["to"]]) for one in pings} == {
        "192.168.1.10": (3, 3, 2),  # what was lost was no more than that
        "192.168.1.11": (3, 1, 2),  # it goes on: told as it is the second time
        "192.168.1.12": (3, 0, 1),  # nobody is there: asking again only takes time
        "192.168.1.13": (3, 3, 1),
    }
