# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is seen of a broken tunnel, and the cause that is named; a tunnel with nothing broken has none."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.bothends.vpn.plugins.module_utils import _cause, _cause_facts, _topology, _verdict
from ansible_collections.bothends.vpn.tests.unit.builders import hub, records, site

POLICY = {
    "default": {
        "ike": {"encryption": "aes-256", "integrity": "sha384", "dh_group": "group20"},
        "ipsec": {"encryption": "aes-256", "integrity": "sha384", "pfs_group": "group20"},
    }
}
HERE, THERE = ["192.168.3.0/24", "192.168.4.0/24"], ["192.168.1.0/24", "192.168.2.0/24"]
GATEWAY, HUB = "203.0.113.10", "203.0.113.150"
PC, PLANT, APP = "192.168.3.10", "192.168.4.10", "192.168.1.10"


def record():
    """Give a connection as its site sees it."""
    sites = {"berlin": site(gateway=GATEWAY, subnets=HERE, policy="default")}
    (found,) = records(sites, hubs={"prod": hub(gateway=HUB)}, policies=POLICY)
    return _topology.mirror(found)


RECORD = record()
TUNNEL = RECORD["tunnels"][0]
IKE = {"encryption": "aes-256", "integrity": "sha384", "prf": "sha384", "dh_group": "group20"}


def child(**change):
    return {"tunnel": "prod/berlin/1", "id": 1, "state": "INSTALLED",
            "ipsec": {"encryption": "aes-256", "integrity": "sha384", "pfs_group": None},
            "local_subnets": HERE, "remote_subnets": THERE, "bytes_in": 84, "bytes_out": 84, **change}  # fmt: skip


def sa(*children, number=1, **change):
    return {
        "connection": "prod/berlin",
        "id": number,
        "state": "ESTABLISHED",
        "ike": IKE,
        "children": list(children),
        **change,
    }


def ping(source, target, received=3, **more):
    return {"tunnel": "prod/berlin/1", "from": source, "to": target, "sent": 3, "received": received, **more}


def all_pings(*lost):
    """Give pings of two hosts there and back; ``lost`` names (from, to) that did not come back."""
    ways = [(PC, APP), (APP, PC), (PLANT, APP), (APP, PLANT)]
    return [ping(*way, received=0 if way in lost else 3) for way in ways]


def connection(**change):
    return {"name": "prod/berlin/1", "gateway": GATEWAY, "peer_id": GATEWAY, "subnets": HERE, **change}


def healthy():
    """Give all that can be seen of a tunnel with nothing broken."""
    lan = [
        {"subnet": HERE[0], "dev": "office", "via": ""},
        {"subnet": HERE[1], "dev": "office", "via": "192.168.3.254"},
    ]
    evidence = {
        "connection": "prod/berlin", "log": {}, "log_read": True, "stored": copy.deepcopy(RECORD), "loaded": True, "key_loaded": True,
        "addresses": [GATEWAY, "192.168.3.1"], "forwarding": {"4": True, "6": False}, "gateway_route": {"dev": "wan", "via": ""},
        "gateway_answers": True, "ports": {"500": "answers", "4500": "answers"}, "lan": lan,
        "default_route": {"dev": "wan", "via": "203.0.113.1"}, "source_nat": [], "problems": [],
    }  # fmt: skip
    policy = {"name": "default", "ike": RECORD["ike"], "ipsec": RECORD["ipsec"]}
    cloud = {
        "hub": {"services": [{"id": "s1", "name": "prod", "status": "ACTIVE"}]},
        "connections": [connection()],
        "description": {
            "subnets": THERE,
            "policies": [copy.deepcopy(policy)],
            "connections": [
                {"name": "berlin", "gateway": GATEWAY, "subnets": HERE, "policy": "default", "state": "present"}
            ],
        },
    }
    return {
        "evidence": evidence, "sas": [sa(child())], "cloud": cloud, "state": "Normal", "pings": all_pings(), "drift": [],
        "renewal": "",
    }  # fmt: skip


def named(view):
    """Give the causes as {code: end}."""
    return {one["code"]: one["end"] for one in _cause.causes(RECORD, TUNNEL, view)}


def change(view, path, value):
    """Set something deep in a view."""
    *way, last = path.split("/")
    for step in way:
        view = view[int(step) if isinstance(view, list) else step]
    view[int(last) if isinstance(view, list) else last] = value


def log(**events):
    """Give events of charon's log; a name's first ``_`` stands for its dot."""
    return {name.replace("_", ".", 1): {"said": f"line of {name}", "count": 1, **more} for name, more in events.items()}


DOWN = {"sas": [], "state": "Not connected"}
UNREAD_CLOUD = {**DOWN, "cloud": None, "state": "not known"}
OTHER_CIPHER = {"differing": ["encryption"], "received": {"encryption": ["aes-128"]}}
BAD = [connection(), connection(name="prod/paris/1", gateway="203.0.113.20", peer_id='par"is')]
CLASH = [connection(), connection(name="prod/paris/1", gateway="203.0.113.20")]
TWO = [{"id": "s1", "name": "prod", "status": "ACTIVE"}, {"id": "s2", "name": "old", "status": "PENDING_CREATE"}]
SHA256 = {**IKE, "integrity": "sha256", "prf": "sha256"}

BREAKS = [
    # phase 1
    ("the router's IKE hash", {**DOWN, "evidence/stored/ike/integrity": "sha512"}, {"ike_proposal": "site"}),
    ("the cloud's IKE group", {**DOWN, "cloud/description/policies/0/ike": {**RECORD["ike"], "dh_group": "group14"}},
     {"ike_proposal": "hub"}),
    ("the hub asked with another hash", {**DOWN, "evidence/log": log(ike_differs={"differing": ["integrity"],
     "received": {"integrity": ["sha256"]}})}, {"ike_proposal": "hub"}),
    ("the hub asked with the declared hash", {**DOWN, "evidence/log": log(ike_differs={"differing": ["integrity"],
     "received": {"integrity": ["sha384"]}})}, {"ike_proposal": "site"}),
    # What charon says of another hash, which without AEAD is the PRF too.
    ("the hub asked with another hash and PRF", {**DOWN, "evidence/log": log(ike_differs={"differing": ["integrity", "prf"],
     "received": {"integrity": ["sha256"], "prf": ["sha256"]}})}, {"ike_proposal": "hub"}),
    ("the hub asked with the declared hash and PRF", {**DOWN, "evidence/log": log(ike_differs={"differing": ["integrity", "prf"],
     "received": {"integrity": ["sha384"], "prf": ["sha384"]}})}, {"ike_proposal": "site"}),
    ("a refusal, and the cloud says nothing", {**UNREAD_CLOUD, "evidence/log": log(ike_refused={})},
     {"ike_proposal": "either end", "version": "either end", "hub_not_loaded": "hub"}),
    ("a refusal, and both ends are as declared", {**DOWN, "evidence/log": log(ike_refused={})}, {"hub_not_loaded": "hub"}),
    ("IKEv1 at the router", {**DOWN, "evidence/stored/ike/version": "v1"}, {"version": "site"}),
    ("IKEv1 at the cloud", {**DOWN, "cloud/description/policies/0/ike": {**RECORD["ike"], "version": "v1"}}, {"version": "hub"}),
    ("the hub speaks IKEv1", {**DOWN, "evidence/log": log(spoke_v1={}, ike_not_expected={})}, {"version": "hub"}),
    ("the hub speaks aggressive mode", {**DOWN, "evidence/log": log(spoke_aggressive={})}, {"version": "hub"}),
    ("the hub comes in another mode than the router has", {"cloud": None, "sas": [], "state": "not known",
     "evidence": {"log_read": True, "log": log(ike_mode={})}}, {"version": "either end"}),
    ("the router expects nobody of the hub's address and version", {"cloud": None, "sas": [], "state": "not known",
     "evidence": {"log_read": True, "log": log(ike_not_expected={}, spoke_v2={})}}, {"version": "site", "site_not_loaded": "site"}),
    ("the hub comes from an address that is not described", {**DOWN, "evidence/log": log(ike_not_expected={}, spoke_v2={})},
     {"gateway": "either end"}),
    # keys and ids
    ("another key, we began, the cloud is read", {**DOWN, "evidence/log": log(auth_refused={})}, {"psk": "either end"}),
    ("another key or id, the cloud is not read", {**UNREAD_CLOUD, "evidence/log": log(auth_refused={})},
     {"psk": "either end", "id": "either end"}),
    ("another key, they began", {**UNREAD_CLOUD, "evidence/log": log(auth_key={}, auth_refused={})}, {"psk": "either end"}),
    ("no key loaded", {**DOWN, "evidence/key_loaded": False}, {"psk": "site"}),
    ("a key that is not in force yet", {"renewal": "reauthenticate"}, {"psk": "either end"}),
    ("another id in the router's file", {**DOWN, "evidence/stored/local/id": {"type": "fqdn", "value": "x.example"},
     "evidence/log": log(auth_refused={})}, {"id": "site"}),
    ("another id at the cloud", {**DOWN, "cloud/description/connections/0/id": {"type": "fqdn", "value": "x.example"}},
     {"id": "hub"}),
    ("the hub asked with another id", {**DOWN, "evidence/log": log(auth_nobody={"ids": [GATEWAY, "x.example"]})},
     {"id": "either end"}),
    # the tunnel
    ("the router's ESP hash", {**DOWN, "evidence/stored/ipsec/integrity": "sha512"}, {"ipsec_proposal": "site"}),
    ("the hub asked with another cipher", {**DOWN, "evidence/log": log(child_differs={"differing": ["encryption"],
     "received": {"encryption": ["aes-128"]}})}, {"ipsec_proposal": "hub"}),
    ("ESP refused", {"sas": [sa()], "evidence/log": log(child_refused={})}, {"ipsec_proposal": "either end"}),
    ("the router's PFS group", {"renewal": "rekey", "evidence/stored/ipsec/pfs_group": "group21"}, {"pfs": "site"}),
    ("the cloud's PFS group", {"renewal": "rekey", "cloud/description/policies/0/ipsec": {**RECORD["ipsec"], "pfs_group": "group14"}},
     {"pfs": "hub"}),
    ("the hub rekeys with another group", {"renewal": "rekey", "evidence/log": log(child_differs={"differing": ["pfs_group"],
     "received": {"pfs_group": ["group14"]}})}, {"pfs": "hub"}),
    ("a rekeying was refused", {"renewal": "rekey", "evidence/log": log(rekey_refused={})},
     {"pfs": "either end", "ipsec_proposal": "either end"}),
    ("the router's subnets", {"sas": [sa(child(local_subnets=HERE[:1]))],
     "evidence/stored/tunnels": [{**TUNNEL, "local_subnets": HERE[:1]}]}, {"selectors": "site"}),
    ("the cloud's subnets", {**DOWN, "cloud/description/connections/0/subnets": HERE[:1]}, {"selectors": "hub"}),
    ("the hub's subnets at the cloud", {"sas": [sa(child(remote_subnets=THERE[:1]))], "cloud/description/subnets": THERE[:1]},
     {"selectors": "hub"}),
    ("the hub asked for other subnets", {**DOWN, "evidence/log": log(child_subnets={})}, {"selectors": "either end"}),
    ("subnets were refused, both ends are as declared", {"sas": [sa()], "evidence/log": log(child_subnets_refused={})},
     {"selectors": "either end", "old_sa": "hub"}),
    ("narrowed, the cloud is not read", {"cloud": None, "sas": [sa(child(remote_subnets=THERE[:1]))]},
     {"selectors": "either end", "old_sa": "either end"}),
    ("an old SA's hash", {"sas": [sa(child(), ike=SHA256)]}, {"old_sa": "either end"}),
    ("an old SA's subnets", {"sas": [sa(child(local_subnets=HERE[:1]))]}, {"old_sa": "either end"}),
    ("the kernel", {"sas": [sa()], "evidence/log": log(child_kernel={})}, {"kernel": "site"}),
    # who is there
    ("two sites with one id", {**DOWN, "cloud/connections": CLASH, "evidence/log": log(duplicate={"count": 3})}, {"duplicate": "hub"}),
    ("one pushes the other out", {**DOWN, "evidence/log": log(duplicate={"count": 3})}, {"duplicate": "either end"}),
    ("two SAs", {"sas": [sa(child()), sa(child(id=2), number=2)], "pings": all_pings((PC, APP), (APP, PC), (PLANT, APP), (APP, PLANT))},
     {"duplicate": "either end", "security_group": "hub", "return_path": "site"}),
    ("another site's bad value", {**DOWN, "cloud/connections": BAD, "evidence/log": log(ike_refused={})}, {"hub_not_loaded": "hub"}),
    ("a cloud that stays Creating", {"sas": [], "state": "Creating"}, {"hub_not_loaded": "hub"}),
    ("two services", {"sas": [], "state": "Creating", "cloud/hub/services": TWO}, {"duplicate_service": "hub"}),
    ("no such connection at the cloud", {"sas": [], "state": "not there", "cloud/connections": [], "cloud/description/connections": []},
     {"hub_missing": "hub"}),
    ("disabled at the cloud", {**DOWN, "cloud/description/connections/0/state": "disabled"}, {"disabled": "hub"}),
    ("no such connection in the router's files", {**DOWN, "evidence/stored": None, "evidence/loaded": False},
     {"site_not_loaded": "site"}),
    ("stored and not loaded", {**DOWN, "evidence/loaded": False, "evidence/key_loaded": False}, {"site_not_loaded": "site"}),
    ("another gateway in the router's file", {**DOWN, "evidence/stored/remote/gateway": "203.0.113.151"}, {"gateway": "site"}),
    # the way between
    ("no route to the gateway", {**DOWN, "evidence/gateway_route": None, "evidence/gateway_answers": False,
     "evidence/ports": {"500": "silent", "4500": "silent"}}, {"unreachable": "site"}),
    ("the gateway is gone", {**DOWN, "evidence/log": log(silent_init={}), "evidence/gateway_answers": False,
     "evidence/ports": {"500": "silent", "4500": "silent"}}, {"unreachable": "between the ends", "udp_500": "between the ends"}),
    ("UDP 500 is blocked", {**DOWN, "evidence/log": log(silent_init={}), "evidence/ports": {"500": "silent", "4500": "silent"}},
     {"udp_500": "between the ends"}),
    ("the router's firewall blocks it", {**DOWN, "evidence/ports": {"500": "forbidden", "4500": "forbidden"}}, {"udp_500": "site"}),
    ("UDP 4500 is blocked", {**DOWN, "evidence/log": log(silent_auth={}), "evidence/ports": {"500": "answers", "4500": "silent"}},
     {"udp_4500": "between the ends"}),
    ("nobody listens there any more", {**DOWN, "evidence/log": log(silent_dead={}),
     "evidence/ports": {"500": "refused", "4500": "refused"}}, {"dead_peer": "hub"}),
    ("the peer died with its machine", {**DOWN, "evidence/log": log(silent_dead={}), "evidence/gateway_answers": False,
     "evidence/ports": {"500": "silent", "4500": "silent"}}, {"dead_peer": "hub"}),
    # A firewall that lets no probe pass, of a version that nobody has, and from any port, and yet IKE.
    ("a refused key, behind a firewall that drops probes", {**UNREAD_CLOUD, "evidence/log": log(auth_refused={}),
     "evidence/ports": {"500": "silent", "4500": "silent"}}, {"psk": "either end", "id": "either end"}),
    ("the hub asked with another cipher, from behind such a one", {**DOWN, "evidence/log": log(child_differs=OTHER_CIPHER),
     "evidence/gateway_answers": False, "evidence/ports": {"500": "silent", "4500": "silent"}}, {"ipsec_proposal": "hub"}),
    ("a refused key, and the probe of one port was lost", {**UNREAD_CLOUD, "evidence/log": log(auth_refused={}),
     "evidence/ports": {"500": "answers", "4500": "silent"}}, {"psk": "either end", "id": "either end"}),
    ("a probe alone makes nothing sure", {**DOWN, "evidence/log": log(duplicate={"count": 3}),
     "evidence/ports": {"500": "silent", "4500": "silent"}}, {"udp_500": "between the ends", "duplicate": "either end"}),
    ("nor of the other port", {**DOWN, "evidence/log": log(duplicate={"count": 3}),
     "evidence/ports": {"500": "answers", "4500": "silent"}}, {"udp_4500": "between the ends", "duplicate": "either end"}),
    ("NAT that is not described", {**DOWN, "evidence/addresses": ["10.0.0.2"]}, {"nat": "site"}),
    ("NAT on the way, and the id is not known", {**UNREAD_CLOUD, "evidence/log": log(nat_here={}, auth_refused={})},
     {"nat": "between the ends", "psk": "either end", "id": "either end"}),
    # behind the ends
    ("rules are missing", {"pings": all_pings((PC, APP), (PLANT, APP)),
     "drift": [{"verb": "create", "kind": "security_group_rule", "name": "icmp from 192.168.3.0/24"}]}, {"security_group": "hub"}),
    ("the hub's servers do not answer", {"pings": all_pings((PC, APP), (PLANT, APP))}, {"security_group": "hub"}),
    ("the LAN's route", {"pings": all_pings((PLANT, APP), (APP, PLANT)), "evidence/lan/1": {"subnet": HERE[1], "dev": "wan",
     "via": "203.0.113.1"}}, {"site_route": "site"}),
    ("forwarding", {"pings": all_pings((PC, APP), (APP, PC), (PLANT, APP), (APP, PLANT)), "evidence/forwarding": {"4": False}},
     {"forwarding": "site"}),
    ("the LAN behind the default route, where hosts talk", {"evidence/lan/1": {"subnet": HERE[1], "dev": "wan", "via": "203.0.113.1"},
     "drift": [{"verb": "update", "kind": "site_connection", "name": "prod/berlin/1"}]}, {"cloud_differs": "hub"}),
    ("the same, and one way does not pass", {"pings": all_pings((PC, APP), (PLANT, APP)),
     "evidence/lan/1": {"subnet": HERE[1], "dev": "wan", "via": "203.0.113.1"}}, {"security_group": "hub"}),
    ("forwarding that is read as off, where hosts talk", {"evidence/forwarding": {"4": False}, "pings": all_pings((PC, APP), (APP, PC))},
     {"return_path": "site"}),
    ("a host without a route", {"pings": [ping(PC, APP, 0, said="ping: connect: Network is unreachable"), *all_pings((APP, PC))[1:]]},
     {"return_path": "site"}),
    ("a host that nothing comes back from", {"pings": all_pings((PC, APP), (APP, PC))}, {"return_path": "site"}),
    ("NAT of what the tunnel carries", {"pings": all_pings((PC, APP), (PLANT, APP)), "evidence/source_nat": ["masquerade"]},
     {"nat_exemption": "site"}),
    ("large packets", {"pings": [ping(PC, APP, largest=1200), *all_pings()[1:]]}, {"mtu": "between the ends"}),
    ("nobody tried", DOWN, {"never_tried": "either end"}),
    ("this end ended it", {**DOWN, "evidence/log": log(attempt={}, up={}, ended={})}, {"ended": "either end"}),
    ("the hub ended it", {**DOWN, "evidence/log": log(attempt={}, up={}, closed={})}, {"ended": "either end"}),
    ("it was up once", {**DOWN, "evidence/log": log(attempt={}, up={})}, {"ended": "either end"}),
    ("garbage in the router's file, and an SA that was ended",
     {**DOWN, "evidence": {"log": log(up={}), "log_read": True, "unreadable": "bothends-vpn-berlin.conf:7: a name was expected"}},
     {"ended": "either end", "site_file": "site"}),
    ("an SA that the cloud counts for another connection",
     {"state": "Not connected", "sas": [sa(child(age=61))]}, {"not_counted": "hub"}),
    ("something of its connection in the cloud", {"drift": [{"verb": "update", "kind": "site_connection", "name": "prod/berlin/1"}]},
     {"cloud_differs": "hub"}),
]  # fmt: skip


def broken(changes):
    """Give the view of a tunnel with something broken."""
    view = healthy()
    for path, value in changes.items():
        change(view, path, copy.deepcopy(value))
    return view


@pytest.mark.parametrize(
    ("changes", "causes"), [pytest.param(changes, causes, id=name) for name, changes, causes in BREAKS]
)
def test_what_is_broken_is_named(changes, causes):
    found = _cause.causes(RECORD, TUNNEL, broken(changes))
    assert {one["code"]: one["end"] for one in found} == causes
    assert all(one["evidence"] and one["remedy"] and one["cause"] for one in found)


def test_each_cause_stands_in_the_table():
    assert {code for _name, _changes, causes in BREAKS for code in causes} == set(_cause.KINDS)
    assert {row.code for row in _cause.ROWS} == set(_cause.KINDS)


def test_with_nothing_broken_there_is_none():
    assert named(healthy()) == {}


# What is no trouble by itself.
HARMLESS = {
    "evidence": [None, {}],
    "evidence/log": [log(attempt={}, up={}, spoke_v2={}), log(nat_here={}, nat_there={}), log(duplicate={})],
    "evidence/log_read": [False],
    "evidence/gateway_answers": [False],
    "evidence/ports": [{"500": "silent", "4500": "silent"}, {}],
    "evidence/problems": [["journalctl did not end within 5 s"]],
    "evidence/default_route": [{}],
    "evidence/stored/ike/lifetime": [3600],
    "sas": [None, [sa(child(age=60)), sa(child(id=2), number=2)], [sa(child(bytes_in=0, bytes_out=0))]],
    "cloud": [None, {}],
    "cloud/hub": [{}],
    "state": ["not known", "Not connected", "Updating"],
    "pings": [[], [ping(PC, APP, 2)]],
    "drift": [[]],
}


@given(st.data())
def test_no_evidence_of_trouble_no_cause(data):
    """Whatever was not read, and whatever harmless thing was."""
    view = healthy()
    for path in data.draw(st.lists(st.sampled_from(sorted(HARMLESS)), unique=True)):
        parent = view
        for step in path.split("/")[:-1]:
            parent = (parent or {}).get(step)
        if parent:
            change(view, path, copy.deepcopy(data.draw(st.sampled_from(HARMLESS[path]))))
    assert named(view) == {}


def test_whether_somebody_tried_is_not_known_without_the_cloud():
    assert named(broken(DOWN)) == {"never_tried": "either end"}
    assert named(broken({**DOWN, "state": "not known"})) == {}


def test_what_is_not_loaded_because_its_file_cannot_be_read_says_so():
    (cause,) = _cause.causes(
        RECORD, TUNNEL, broken({**DOWN, "evidence": {"loaded": False, "unreadable": "berlin.conf:7: a name"}})
    )
    assert cause["code"] == "site_not_loaded" and "berlin.conf:7: a name" in cause["evidence"]


def test_a_connection_whose_rules_cannot_be_described_is_compared_all_the_same():
    view = healthy()
    described = view["cloud"]["description"]
    described["left_out"] = [
        {"name": "prod/berlin/1", "id": "c", "why": "rules", "but_for_rules": described["connections"].pop()}
    ]
    assert named(view) == {}
    described["left_out"][0]["but_for_rules"]["subnets"] = HERE[:1]
    assert named({**view, **DOWN}) == {"selectors": "hub"}


def test_every_row_says_its_cause():
    """Nothing of the table is out of reach."""
    for row in _cause.ROWS:
        found = _cause.meaning(dict.fromkeys(row.needs, "seen"))
        assert row.code in {one["code"] for one in found}, row


def test_a_fact_that_no_row_knows_is_written_wrong():
    """Names of facts in the table are those that are made."""
    import inspect
    import re

    from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _pluto_log, _strongswan_log

    made = set(re.findall(r'"((?:site|hub|sa|path|ping|log|declared)\.\w+)"', inspect.getsource(_cause_facts)))
    made |= {
        f"{end}.{name}"
        for end in ("site", "hub")
        for name in (*_cause_facts._CLASSES, "id", "gateway", "subnets", "disabled")
    }
    made |= {f"hub.{name}" for name in _cause_facts._STATES.values()}
    made |= {f"log.{row.event}" for row in (*_strongswan_log.PATTERNS, *_pluto_log.PATTERNS)}
    made |= {f"log.{kind}.{end}" for kind in ("ike", "ipsec", "pfs") for end in ("site", "hub")}
    made |= {f"path.{port}.{what}" for port in ("500", "4500") for what in _cause_facts._PORT_WORDS}
    made |= {"declared.v1", "proof.no_rekey", "proof.no_reauthenticate", "sa.nothing_in", "sa.nothing_out"}
    made |= {f"ping.{way}{what}" for way in ("to_hub", "to_site") for what in ("", "_passes")}
    used = {fact for row in _cause.ROWS for fact in (*row.needs, *row.unless, *row.shows)}
    assert used - made == set()


def test_two_sure_signs_of_one_cause_are_one_cause_with_both():
    (one,) = _cause.meaning({"site.ike": "the router has sha512", "hub.ike": "the cloud has sha256"})
    assert (one["code"], one["end"]) == ("ike_proposal", "either end")
    assert one["evidence"] == "the router has sha512; the cloud has sha256"


def test_a_record_without_addresses_is_judged_too():
    """A hub that is not resolved yet, in a run that could ask nobody."""
    bare = copy.deepcopy(RECORD)
    bare["remote"].update(gateway=None, id=None)
    assert _cause.causes(bare, bare["tunnels"][0], {}) == []


@pytest.mark.parametrize("verdict", ["up", "proven", "pending", "disabled", "blocked"])
def test_only_what_is_not_well_gets_a_cause(verdict):
    row = {"tunnel": "prod/berlin/1", "verdict": verdict, "status": "Not connected"}
    arguments = {"connections": [RECORD], "evidence": [healthy()["evidence"]], "sas": []}
    assert _verdict.with_causes([row], **arguments) == [{**row, "causes": []}]
    (told,) = _verdict.with_causes([{**row, "verdict": "failed"}], **arguments)
    assert [one["code"] for one in told["causes"]] == ["never_tried"]
