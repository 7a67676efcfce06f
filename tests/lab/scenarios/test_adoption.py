# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A VPN that somebody made by hand, with names as people give them, is taken over without a change."""

from __future__ import annotations

import json

import pytest

from .conftest import DESCRIPTION, EXAMPLE, HUB_AND_SPOKE, ROOT, Playbooks, changed_sites, writes

KEY = "the key that somebody typed"
PEERS = {
    "203.0.113.10": ["192.168.3.0/24", "192.168.4.0/24"],
    "203.0.113.77": ["10.77.0.0/16"],
    "203.0.113.78": ["10.78.0.0/16"],
}


@pytest.fixture(scope="module", autouse=True)
def by_hand(lab):
    """Three connections: the same name twice, one without; as the console makes them. Gives their ids by peer."""
    lab.reset()
    api = lab.api()
    subnets = [one["id"] for one in api.list("subnets") if one["name"] in ("app", "db")]
    [router] = api.list("routers", name="prod")
    ike = api.create("vpn/ikepolicies", "ikepolicy", name="strong", auth_algorithm="sha384", encryption_algorithm="aes-256",
                     pfs="group20", ike_version="v2", lifetime={"units": "seconds", "value": 28800})  # fmt: skip
    ipsec = api.create("vpn/ipsecpolicies", "ipsecpolicy", name="", auth_algorithm="sha384", encryption_algorithm="aes-256",
                       pfs="group20")  # fmt: skip
    service = api.create("vpn/vpnservices", "vpnservice", name="vpn", router_id=router["id"])
    local = api.create("vpn/endpoint-groups", "endpoint_group", name="", type="subnet", endpoints=subnets)
    made = {}
    for (peer, cidrs), name in zip(PEERS.items(), ("Büro", "Büro", ""), strict=True):
        group = api.create("vpn/endpoint-groups", "endpoint_group", name=name, type="cidr", endpoints=cidrs)
        made[peer] = api.create(
            "vpn/ipsec-site-connections", "ipsec_site_connection", name=name, psk=KEY, peer_address=peer, peer_id=peer,
            vpnservice_id=service["id"], ikepolicy_id=ike["id"], ipsecpolicy_id=ipsec["id"], local_ep_group_id=local["id"],
            peer_ep_group_id=group["id"], dpd={"action": "restart", "interval": 30, "timeout": 120},
        )["id"]  # fmt: skip
    yield made
    lab.reset()


@pytest.fixture(scope="module")
def adopted(lab, by_hand, tmp_path_factory):
    """What the playbook read, and what module hub said of it."""
    return adopt(lab, "prod", HUB_AND_SPOKE, tmp_path_factory.mktemp("adopted"))


def adopt(lab, vpc, example, directory):
    mark, kept = lab.mark(), directory / "kept.json"
    playbooks = Playbooks(lab, directory / "rows.json", example)
    run = playbooks.file(ROOT / "tests/lab/scenarios/adopt.yml", adopt_file=str(kept), adopt_vpc=vpc)
    return json.loads(kept.read_text()), run, writes(lab, mark)


def test_what_was_read_is_as_described(adopted, by_hand):
    kept, run, written = adopted
    assert (kept["adopted"]["changed"], kept["adopted"]["plan"], written) == (False, [], [])
    assert {one["id"] for one in kept["adopted"]["connections"]} == set(by_hand.values())
    names = [one["name"] for one in kept["read"]["connections"]]
    assert len(set(names)) == 3 and kept["read"]["left_out"] == []
    assert {one["gateway"]: one["subnets"] for one in kept["read"]["connections"]} == PEERS
    assert KEY not in run.output
    changes = [(step["verb"], step["id"], step["fields"]) for step in kept["changed"]["plan"]]
    assert sorted(changes) == sorted(("update", identifier, ["mtu"]) for identifier in by_hand.values())


def test_the_router_then_joins_and_verify_knows_the_connection(lab, by_hand, playbook):
    """The other two sites are not described here, and nothing of them is touched, also with purge."""
    sites = changed_sites(security_group_rules=[{"protocol": "icmp"}])
    run = playbook("site", "-e", "vpn_purge=true", vpn_sites=sites, vpn_psks={"berlin": KEY})
    assert run.verdicts == {"prod/berlin/1": "up"} and run.rows[0]["status"] == "Normal"
    there = {one["peer_address"]: (one["id"], one["name"]) for one in lab.api().list("vpn/ipsec-site-connections")}
    assert {peer: found[0] for peer, found in there.items()} == by_hand
    assert there["203.0.113.10"][1] == "Büro"
    assert playbook("site", vpn_sites=sites, vpn_psks={"berlin": KEY}).changed == 0


def test_what_we_did_not_make_stays_and_is_named_when_its_site_goes(lab, by_hand, playbook):
    run = playbook("site", vpn_sites=changed_sites(state="absent"), vpn_psks={"berlin": KEY})
    assert f"site_connection Büro ({by_hand['203.0.113.10']}) was not made by this" in " ".join(run.output.split())
    assert {one["id"] for one in lab.api().list("vpn/ipsec-site-connections")} == set(by_hand.values())


def test_what_this_collection_made_is_as_described_too(lab, tmp_path):
    """With the rules of its security groups."""
    lab.reset()
    Playbooks(lab, tmp_path / "rows.json")("cloud")
    kept, _run, written = adopt(lab, "prod", EXAMPLE, tmp_path)
    assert (kept["adopted"]["changed"], kept["adopted"]["plan"], written) == (False, [], [])
    assert (kept["adopted"]["leftovers"], kept["read"]["left_out"]) == ([], [])
    assert kept["read"]["security_groups"] == DESCRIPTION["vpn_hubs"]["prod"]["security_groups"]
    [berlin] = kept["read"]["connections"]
    given = DESCRIPTION["vpn_sites"]["berlin"]["security_group_rules"]
    assert {rule["protocol"] for rule in berlin["security_group_rules"]} == {rule["protocol"] for rule in given}
    assert [(step["verb"], step["fields"]) for step in kept["changed"]["plan"]] == [("update", ["mtu"])]


def test_the_old_form_is_adopted_and_changed_in_place(lab, tmp_path):
    """One subnet at the service, CIDRs at the connection; the connection and its form stay."""
    api = lab.api()
    [router], [subnet] = api.list("routers", name="test"), api.list("subnets", name="test")
    weak = {"auth_algorithm": "sha256", "encryption_algorithm": "aes-128", "pfs": "group14"}
    made = api.create(
        "vpn/ipsec-site-connections", "ipsec_site_connection", name="alt", psk=KEY, peer_address="203.0.113.79",
        peer_id="203.0.113.79", peer_cidrs=["10.79.0.0/24"],
        vpnservice_id=api.create("vpn/vpnservices", "vpnservice", name="alt", router_id=router["id"], subnet_id=subnet["id"])["id"],
        ikepolicy_id=api.create("vpn/ikepolicies", "ikepolicy", name="alt", ike_version="v2", **weak)["id"],
        ipsecpolicy_id=api.create("vpn/ipsecpolicies", "ipsecpolicy", name="alt", **weak)["id"],
    )  # fmt: skip
    kept, run, written = adopt(lab, "test", HUB_AND_SPOKE, tmp_path)
    assert (kept["adopted"]["plan"], written, kept["read"]["left_out"]) == ([], [], [])
    assert [(one["gateway"], one["subnets"]) for one in kept["read"]["connections"]] == [
        ("203.0.113.79", ["10.79.0.0/24"])
    ]
    assert KEY not in run.output
    alt = {**kept["read"]["connections"][0], "hubs": ["test"], "subnets": ["10.79.0.0/24", "10.80.0.0/24"]}
    del alt["name"]
    hub = {"vpc": "test", "subnets": kept["read"]["subnets"]}
    policies = {one["name"]: {"ike": one["ike"], "ipsec": one["ipsec"]} for one in kept["read"]["policies"]}
    playbook = Playbooks(lab, tmp_path / "rows.json", HUB_AND_SPOKE)
    described = {
        "vpn_hubs": {"test": hub},
        "vpn_policies": policies,
        "vpn_sites": {"alt": alt},
        "vpn_psks": {"alt": KEY},
    }
    playbook("cloud", "--limit", "test", **described)
    [there] = api.list("vpn/ipsec-site-connections", id=made["id"])
    assert (there["peer_cidrs"], there["peer_ep_group_id"]) == (["10.79.0.0/24", "10.80.0.0/24"], None)
