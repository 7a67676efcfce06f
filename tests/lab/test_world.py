# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A world's file is checked before anything is started, and the error says where the mistake is."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import yaml

from bothends_lab import LabError, world
from bothends_lab.hosts import network

WORLD = Path(__file__).parent / "worlds" / "hub_and_spoke.yml"

MISTAKES = [
    (("public",), None, "key 'public' is missing"),
    (("vpcs", "prod", "server"), {}, "vpcs.prod: unknown key 'server', did you mean 'servers'?"),
    (
        ("vpcs", "prod", "networks", "app", "app"),
        "192.168.1.1/24",
        "vpcs.prod.networks.app.app: 192.168.1.1/24 has host bits",
    ),
    (("vpcs", "prod", "servers", "app1", "addresses"), ["192.168.2.10"], "192.168.2.10 is not in 192.168.1.0/24"),
    (("vpcs", "prod", "servers", "app1", "network"), "web", "the VPC has no network 'web'"),
    (("vpcs", "prod", "servers", "app1", "security_groups"), ["web"], "the VPC has no security group 'web'"),
    (("vpcs", "prod", "servers", "berlin"), {"network": "app", "addresses": []}, "two hosts have this name"),
    (("sites", "berlin", "machines", "berlin", "kind"), "switch", "must be one of router, inner-router, host"),
    (("sites", "berlin", "machines", "berlin", "lans"), {"lab": []}, "the site has no LAN 'lab'"),
    (("sites", "berlin", "machines", "berlin", "wan"), ["198.51.100.1"], "198.51.100.1 is not in 203.0.113.0/24"),
]


@pytest.mark.parametrize(("where", "value", "message"), MISTAKES, ids=[mistake[-1][:40] for mistake in MISTAKES])
def test_a_mistake_is_named(tmp_path, where, value, message):
    data = copy.deepcopy(yaml.safe_load(WORLD.read_text()))
    place = data
    for key in where[:-1]:
        place = place[key]
    if value is None:
        del place[where[-1]]
    else:
        place[where[-1]] = value
    path = tmp_path / "world.yml"
    path.write_text(yaml.safe_dump(data))
    with pytest.raises(LabError) as caught:
        world.load(path)
    assert message in str(caught.value)


def test_router_has_an_address_for_the_lan_behind_another_router():
    document = world.load(WORLD)
    ports = {name: network.PluggedServer("port", "mac", "bridge") for name in document.servers}
    planned = network.plan(document, "public", ports)
    assert planned["berlin"].stand_ins == ("192.168.4.254",)
    assert not planned["berlin"].forwarding
    assert planned["berlin-inner"].stand_ins == ()
