# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.bothends.vpn.plugins.module_utils import _topology, _verdict
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.tests.unit.builders import hub, records, site

POLICY = {
    "default": {
        "ike": {"encryption": "aes-256", "integrity": "sha384", "dh_group": "group20"},
        "ipsec": {"encryption": "aes-256", "integrity": "sha384", "pfs_group": "group20"},
    }
}
IKE = {"encryption": "aes-256", "integrity": "sha384", "prf": "sha384", "dh_group": "group20"}
IPSEC = {"encryption": "aes-256", "integrity": "sha384", "pfs_group": None}
HERE, THERE = ["192.168.3.0/24", "192.168.4.0/24"], ["192.168.1.0/24", "192.168.2.0/24"]
PROBES = [{"from": "192.168.3.10", "to": "192.168.1.10"}]
NORMAL = {"prod": [{"name": "prod/berlin/1", "state": "Normal"}]}


def record(**change):
    """Give the document's own example as the site sees it."""
    entry = site(subnets=HERE, policy="default", probe=PROBES, **change)
    (found,) = records({"berlin": entry}, hubs={"prod": hub(gateway="203.0.113.150")}, policies=POLICY)
    return _topology.mirror(found)


def sa(number=1, child=1, ike=(), ipsec=(), state="ESTABLISHED", connection="prod/berlin", **change):
    """Give an IKE SA with one child that is as declared, but for the changes."""
    return {
        "connection": connection,
        "id": number,
        "state": state,
        "ike": {**IKE, **dict(ike)},
        "children": [
            {
                "tunnel": "prod/berlin/1",
                "id": child,
                "state": "INSTALLED",
                "ipsec": {**IPSEC, **dict(ipsec)},
                "local_subnets": HERE,
                "remote_subnets": THERE,
                "bytes_in": 840,
                "bytes_out": 1680,
                **change,
            }
        ],
    }


REKEYED = {"pfs_group": "group20"}


def ping(source, target, received=3):
    return {"tunnel": "prod/berlin/1", "host": "x", "from": source, "to": target, "sent": 3, "received": received}


# One ping for each selector, and the first one's way back.
PINGS = [
    *(ping(f"192.168.{here}.10", f"192.168.{there}.10") for here in (3, 4) for there in (1, 2)),
    ping("192.168.1.10", "192.168.3.10"),
]


def proof(**change):
    """Give a proof that holds: another IKE SA after re-authentication, another child after rekeying, all pings back."""
    return {
        "before": [sa(1, 1)],
        "reauthenticated": [sa(2, 2)],
        "rekeyed": [sa(2, 3, ipsec=REKEYED)],
        "pings": PINGS,
        "drift": {"prod": []},
        **change,
    }


def judge(sas, proven=None, statuses=None, **change):
    (row,) = _verdict.rows([record(**change)], NORMAL if statuses is None else statuses, sas, proven)
    return row


# --- what can be read ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sas", "verdict", "why"),
    [
        pytest.param([sa()], "up", "", id="all as declared"),
        pytest.param([sa(ipsec=REKEYED)], "up", "", id="rekeyed once"),
        pytest.param([sa(bytes_in=0, bytes_out=0)], "up", "", id="nobody talked yet"),
        pytest.param([sa(), sa(2, 2, connection="prod/paris")], "up", "", id="another site's"),
        pytest.param([sa(1, 1, ike={"integrity": "sha256"}), sa(2, 2)], "up", "", id="an old one beside a good one"),
        pytest.param([sa(state="REKEYED"), sa(2, 2)], "up", "", id="one that was replaced"),
        pytest.param([sa(local_subnets=HERE[::-1])], "up", "", id="selectors in another order"),
        pytest.param([], "failed", "the router has no SA for it", id="no SA"),
        pytest.param([sa(connection="prod/paris")], "failed", "the router has no SA for it", id="another site's only"),
        pytest.param([sa(state="CONNECTING")], "failed", "the router has no SA for it", id="still connecting"),
        pytest.param([{**sa(), "children": []}], "failed", "the router has no SA for it", id="IKE only"),
        pytest.param([{**sa(), "children": [{**sa()["children"][0], "state": "DELETED"}]}], "failed",
                     "the router has no SA for it", id="the child was replaced"),
        pytest.param([sa(ike={"integrity": "sha256"})], "failed",
                     "IKE integrity is sha256, declared is sha384", id="IKE hash"),
        pytest.param([sa(ike={"prf": "sha256"})], "failed", "IKE prf is sha256, declared is sha384", id="PRF"),
        pytest.param([sa(ike={"dh_group": "group14"})], "failed",
                     "IKE dh_group is group14, declared is group20", id="DH group"),
        pytest.param([sa(ipsec={"integrity": "sha256"})], "failed",
                     "prod/berlin/1 integrity is sha256, declared is sha384", id="ESP hash"),
        pytest.param([sa(ipsec={"encryption": "aes-128"})], "failed",
                     "prod/berlin/1 encryption is aes-128, declared is aes-256", id="ESP cipher"),
        pytest.param([sa(ipsec={"pfs_group": "group14"})], "failed",
                     "prod/berlin/1 pfs_group is group14, declared is group20", id="PFS group after a rekeying"),
        pytest.param([sa(remote_subnets=THERE[:1])], "failed",
                     "prod/berlin/1 carries 192.168.1.0/24, declared is 192.168.1.0/24, 192.168.2.0/24", id="narrowed"),
        pytest.param([sa(local_subnets=["0.0.0.0/0"])], "failed",
                     "prod/berlin/1 carries 0.0.0.0/0, declared is 192.168.3.0/24, 192.168.4.0/24", id="widened"),
        pytest.param([sa(1, 1), sa(2, 2, ike={"integrity": "sha256"})], "failed",
                     "IKE integrity is sha256, declared is sha384", id="the youngest counts"),
    ],
)  # fmt: skip
def test_what_the_router_says(sas, verdict, why):
    row = judge(sas)
    assert (row["verdict"], row["why"]) == (verdict, why)


@pytest.mark.parametrize(
    ("statuses", "status", "verdict", "why"),
    [
        (NORMAL, "Normal", "up", ""),
        ({"prod": [{"name": "prod/berlin/1", "state": "Not connected"}]}, "Not connected", "failed",
         "the cloud says Not connected"),
        ({"prod": [{"name": "prod/berlin/1", "state": "Frozen"}]}, "Frozen", "failed", "the cloud says Frozen"),
        ({"prod": [{"name": "prod/paris/1", "state": "Normal"}]}, "not there", "failed", "the cloud says not there"),
        ({"prod": []}, "not there", "failed", "the cloud says not there"),
        ({"test": NORMAL["prod"]}, "not known", "failed", "the cloud did not answer"),
        ({}, "not known", "failed", "the cloud did not answer"),
    ],
)  # fmt: skip
def test_what_the_cloud_says(statuses, status, verdict, why):
    row = judge([sa()], statuses=statuses)
    assert (row["status"], row["verdict"], row["why"]) == (status, verdict, why)


def test_all_that_is_wrong_is_said_at_once():
    row = judge([sa(ike={"dh_group": "group14"}, ipsec={"integrity": None})], statuses={"prod": []})
    assert row["why"].split("; ") == [
        "the cloud says not there",
        "IKE dh_group is group14, declared is group20",
        "prod/berlin/1 integrity is none, declared is sha384",
    ]


def test_without_a_router_nothing_is_claimed():
    row = judge(None)
    assert (row["status"], row["verdict"]) == ("Normal", "not proven")
    assert row["why"] == "router berlin was not asked: it is not in this run, or could not be reached"
    assert (row["ike"], row["ipsec"], row["traffic"], row["pings"]) == ("-", "-", "-", "-")


def test_a_row_shows_suite_and_traffic():
    row = judge([sa(ipsec=REKEYED)])
    assert (row["tunnel"], row["site"]) == ("prod/berlin/1", "berlin")
    assert (row["ike"], row["ipsec"]) == ("aes-256/sha384/group20", "aes-256/sha384/group20")
    assert (row["traffic"], row["pings"]) == ("840/1680", "-")


@pytest.mark.parametrize(
    ("algorithms", "written"),
    [
        (IKE, "aes-256/sha384/group20"),
        (IPSEC, "aes-256/sha384"),
        ({"encryption": "aes-256-gcm-16", "integrity": None, "prf": "sha384", "dh_group": "group20"},
         "aes-256-gcm-16/sha384/group20"),
        ({"encryption": "aes-256-gcm-16", "pfs_group": "group20"}, "aes-256-gcm-16/group20"),
        ({"encryption": "CHACHA20_POLY1305_256"}, "CHACHA20_POLY1305_256"),
        ({}, "-"),
    ],
)  # fmt: skip
def test_a_suite_is_one_word(algorithms, written):
    assert _verdict.suite(algorithms) == written


def test_an_absent_site_has_no_row():
    assert _verdict.rows([record(state="absent")], NORMAL, [sa()]) == []


def test_each_tunnel_has_its_own_row():
    """One pair's tunnel that is down does not hide behind another that is up."""
    statuses = {"prod": [{"name": f"prod/berlin/{number}", "state": "Normal"} for number in (1, 2, 3, 4)]}
    up = sa(local_subnets=HERE[:1], remote_subnets=THERE[:1])
    found = _verdict.rows([record(selector_mode="per_pair")], statuses, [up])
    assert [(row["tunnel"], row["verdict"]) for row in found] == [
        ("prod/berlin/1", "up"),
        ("prod/berlin/2", "failed"),
        ("prod/berlin/3", "failed"),
        ("prod/berlin/4", "failed"),
    ]


# --- the proof -------------------------------------------------------------------------------------------------------

NO_REAUTHENTICATION = "re-authentication gave no new SA: the keys or identities of the two ends differ by now"
NO_REKEYING = "rekeying gave no new SA: the PFS group or the suite of the two ends differs"


@pytest.mark.parametrize(
    ("change", "verdict", "why"),
    [
        pytest.param({}, "proven", "", id="complete"),
        pytest.param({"before": []}, "proven", "", id="there was none before"),
        pytest.param({"reauthenticated": []}, "failed", NO_REAUTHENTICATION, id="lost by re-authentication"),
        pytest.param({"reauthenticated": [sa(1, 1)]}, "failed", NO_REAUTHENTICATION, id="still the old IKE SA"),
        pytest.param({"reauthenticated": [sa(1, 2)]}, "failed", NO_REAUTHENTICATION, id="a new child of the old IKE SA"),
        pytest.param({"rekeyed": []}, "failed", NO_REKEYING, id="lost by rekeying"),
        pytest.param({"rekeyed": [sa(2, 2, ipsec=REKEYED)]}, "failed", NO_REKEYING, id="still the old child"),
        pytest.param(
            {"rekeyed": [sa(2, 3)]}, "failed", "rekeyed with PFS group none, declared is group20", id="without PFS"
        ),
        pytest.param(
            {"rekeyed": [sa(2, 3, ipsec={"pfs_group": "group14"})]}, "failed",
            "prod/berlin/1 pfs_group is group14, declared is group20; rekeyed with PFS group group14, declared is group20",
            id="other PFS group",
        ),
        pytest.param(
            {"reauthenticated": [sa(2, 2, ike={"integrity": "sha256"})]}, "failed",
            "IKE integrity is sha256, declared is sha384", id="another suite in between",
        ),
        pytest.param(
            {"pings": [*PINGS[:-1], ping("192.168.1.10", "192.168.3.10", 1)]}, "failed",
            "192.168.1.10 to 192.168.3.10: 1 of 3 pings came back", id="lost pings",
        ),
        pytest.param(
            {"pings": [{**one, "received": 0} for one in PINGS]}, "failed",
            "192.168.3.10 to 192.168.1.10: 0 of 3 pings came back; 192.168.3.10 to 192.168.2.10: 0 of 3 pings came back; "
            "and 3 more pairs whose pings did not all come back", id="nothing comes back",
        ),
        pytest.param(
            {"drift": {"prod": [{"verb": "update", "kind": "site_connection", "name": "prod/berlin/1"}]}}, "failed",
            "the cloud's objects are not as declared: update site_connection prod/berlin/1", id="drift",
        ),
        *(
            pytest.param({"drift": {"prod": [{"verb": "update", "kind": kind, "name": name}]}}, verdict,
                         f"the cloud's objects are not as declared: update {kind} {name}" if verdict == "failed" else "",
                         id=f"drift of {kind} {name}")
            for kind, name, verdict in (
                ("site_connection", "prod/berlin/2", "proven"), ("site_connection", "prod/paris/1", "proven"),
                ("site_connection", "by hand", "failed"), ("vpn_service", "prod", "failed"),
                ("endpoint_group", "prod/berlin", "failed"), ("endpoint_group", "prod/paris", "proven"),
                ("endpoint_group", "prod/subnets", "failed"),
                ("ike_policy", "prod/default", "failed"), ("ipsec_policy", "prod/other", "proven"),
                ("security_group_rule", "ingress icmp 192.168.3.0/25", "failed"),
                ("security_group_rule", "ingress tcp 22 192.168.99.0/24", "proven"),
                ("security_group_rule", "ingress any anywhere", "failed"),
            )
        ),
        pytest.param(
            {"drift": {"test": [{"verb": "create", "kind": "vpn_service", "name": "test"}]}}, "proven", "",
            id="another hub's drift",
        ),
        pytest.param(
            {"pings": PINGS[:3]}, "not proven", "192.168.4.0/24 to 192.168.2.0/24", id="a selector untried"
        ),
        pytest.param(
            {"pings": []}, "not proven",
            "192.168.3.0/24 to 192.168.1.0/24, 192.168.3.0/24 to 192.168.2.0/24, "
            "192.168.4.0/24 to 192.168.1.0/24, 192.168.4.0/24 to 192.168.2.0/24",
            id="no probes",
        ),
        pytest.param(
            {"pings": [{**one, "tunnel": "prod/paris/1"} for one in PINGS]}, "not proven",
            "192.168.3.0/24 to 192.168.1.0/24, 192.168.3.0/24 to 192.168.2.0/24, "
            "192.168.4.0/24 to 192.168.1.0/24, 192.168.4.0/24 to 192.168.2.0/24",
            id="another tunnel's pings",
        ),
    ],
)  # fmt: skip
def test_what_a_proof_is_worth(change, verdict, why):
    row = judge([sa(2, 3, ipsec=REKEYED)], proof(**change))
    if verdict == "not proven":
        why = f"no probe tried {why}: give the site a `probe`, and its hosts verify_address"
    assert (row["verdict"], row["why"]) == (verdict, why)


@pytest.mark.parametrize(
    ("counters", "why"),
    [
        ({"bytes_in": 0}, "no traffic from the hub was counted in the tunnel"),
        ({"bytes_out": 0}, "no traffic to the hub was counted in the tunnel"),
    ],
)
def test_pings_that_did_not_go_through_the_tunnel_prove_nothing(counters, why):
    row = judge([sa(2, 3, ipsec=REKEYED, **counters)], proof())
    assert (row["verdict"], row["why"]) == ("failed", why)


def test_an_sa_that_is_lost_after_the_proof_is_a_failure():
    assert judge([], proof())["verdict"] == "failed"


def test_a_proof_counts_the_pings():
    assert judge([sa(2, 3)], proof())["pings"] == "15/15"


# --- probes ----------------------------------------------------------------------------------------------------------

PC, SERVER = "192.168.3.10", "192.168.1.10"


def directions(hosts, probe=None, **change):
    found = _verdict.pings([{**record(**change), "probes": [probe] if probe else PROBES}], hosts)
    assert all(one["tunnel"] == "prod/berlin/1" for one in found)
    return [(one["host"], one["from"], one["to"]) for one in found]


@pytest.mark.parametrize(
    ("hosts", "expected"),
    [
        pytest.param({"pc": PC, "server": SERVER}, [("pc", PC, SERVER), ("server", SERVER, PC)], id="there and back"),
        pytest.param({"pc": PC}, [("pc", PC, SERVER)], id="the cloud's host is not in the inventory"),
        pytest.param({"server": SERVER}, [("berlin", PC, SERVER), ("server", SERVER, PC)], id="the router stands in"),
        pytest.param({}, [("berlin", PC, SERVER)], id="only the router"),
        pytest.param({"pc": PC, "odd": "not an address"}, [("pc", PC, SERVER)], id="a host without a good address"),
    ],
)
def test_who_pings_whom(hosts, expected):
    assert directions(hosts) == expected


def test_probes_may_be_named_by_their_hosts():
    """Two data centres may have the same LAN: the host that is named sends, not another with its address."""
    hosts = {"pc": PC, "server": SERVER, "zz-other-pc": PC}
    assert directions(hosts, {"from": "pc", "to": "server"}) == [("pc", PC, SERVER), ("server", SERVER, PC)]


def test_an_address_is_found_however_it_is_written():
    change = {"subnets": ["2001:db8:3::/64"], "policy": "default"}
    (found,) = records(
        {"berlin": site(**change)}, hubs={"prod": hub(subnets=["2001:db8:1::/64"])}, policies=POLICY
    )  # fmt: skip
    probe = {"from": "2001:DB8:3::A", "to": "2001:db8:1:0::10"}
    planned = _verdict.pings(
        [{**_topology.mirror(found), "probes": [probe]}], {"pc": "2001:db8:3::a", "server": "2001:db8:1::10"}
    )
    assert [one["host"] for one in planned] == ["pc", "server"]


@pytest.mark.parametrize("probe", [{"from": "10.9.9.9", "to": SERVER}, {"from": PC, "to": "10.9.9.9"}])
def test_what_no_selector_carries_is_not_tried(probe):
    assert directions({"pc": PC}, probe) == []


def test_an_absent_site_is_not_tried():
    assert directions({"pc": PC}, state="absent") == []


def test_a_probe_host_without_an_address_is_named():
    with pytest.raises(VpnError, match="site berlin: probe: pc is neither an address nor a host that has one"):
        directions({}, {"from": "pc", "to": SERVER})


IPUTILS = """PING 192.168.1.10 (192.168.1.10) from 192.168.3.10 : 56(84) bytes of data.
64 bytes from 192.168.1.10: icmp_seq=1 ttl=62 time=1.24 ms

--- 192.168.1.10 ping statistics ---
{}
rtt min/avg/max/mdev = 0.980/1.100/1.240/0.106 ms"""


@pytest.mark.parametrize(
    ("result", "counted"),
    [
        ({"stdout": IPUTILS.format("3 packets transmitted, 3 received, 0% packet loss, time 402ms")}, (3, 3)),
        ({"stdout": IPUTILS.format("3 packets transmitted, 0 received, 100% packet loss, time 2048ms")}, (3, 0)),
        ({"stdout": IPUTILS.format("10 packets transmitted, 7 received, 30% packet loss, time 1840ms")}, (10, 7)),
        (
            {"stdout": IPUTILS.format("3 packets transmitted, 0 received, +3 errors, 100% packet loss, time 2053ms")},
            (3, 0),
        ),
        (
            {"stdout": IPUTILS.format("3 packets transmitted, 3 received, +2 duplicates, 0% packet loss, time 400ms")},
            (3, 3),
        ),
        pytest.param(
            {"stdout": IPUTILS.format("3 packets transmitted, 2 packets received, 33% packet loss")}, (3, 2), id="busybox"
        ),
        pytest.param({"stdout": "", "stderr": "ping: connect: Network is unreachable", "rc": 2}, (1, 0), id="no route"),
        pytest.param({"stdout": "", "stderr": "ping: bind: Cannot assign requested address"}, (1, 0), id="not its address"),
        pytest.param({"skipped": True}, (1, 0), id="skipped"),
        pytest.param({"stdout": None}, (1, 0), id="nothing"),
    ],
)  # fmt: skip
def test_what_ping_printed(result, counted):
    planned = {"tunnel": "prod/berlin/1", "host": "pc", "from": PC, "to": SERVER}
    (read,) = _verdict.ping_results([planned], [result])
    said = read.pop("said", "")
    assert read == {**planned, "sent": counted[0], "received": counted[1]}
    assert said == ("ping: connect: Network is unreachable" if "unreachable" in str(result) else "")


@pytest.mark.parametrize(
    ("printed", "largest"),
    [
        ("passes 1472", None),
        ("told 1472\npasses 1372", None),
        ("silent 1472\npasses 1372", 1400),
        ("told 1472\nsilent 1372\nsilent 1272\npasses 1172", 1200),
        ("silent 1472\nsilent 548", None),  # that nothing passes, the pings say
        ("", None),
        ("sh: ping: not found", None),
    ],
)
def test_the_largest_packet_that_passes(printed, largest):
    """That a router says `too long` is well; that packets vanish is not."""
    found = {"stdout": printed, "item": PINGS[0]}
    (read,) = _verdict.ping_results(PINGS[:1], [{"stdout": ""}], large=[found])
    assert read.get("largest") == largest
    row = judge([sa(2, 3, ipsec=REKEYED)], proof(pings=[{**PINGS[0], "largest": 1200}, *PINGS[1:]]))
    assert row["verdict"] == "failed" and "packets of more than 1200 bytes vanish" in row["why"]


def test_no_planned_ping_is_forgotten():
    with pytest.raises(VpnError, match="2 pings were planned, but there are results of 1"):
        _verdict.ping_results(PINGS[:2], [{}])


def test_what_is_only_planned_has_not_failed():
    [row] = _verdict.rows([record()], {"prod": []}, [], planned=True)
    assert row["verdict"] == "pending"


# --- what is not simply up ---------------------------------------------------------------------------------------------


NOT_CONNECTED = {"prod": [{"name": "prod/berlin/1", "state": "Not connected"}]}


@pytest.mark.parametrize(
    ("sas", "statuses", "verdict"),
    [
        pytest.param([], NOT_CONNECTED, "disabled", id="as it should be"),
        pytest.param([sa()], NORMAL, "failed", id="still up"),
        pytest.param(None, NOT_CONNECTED, "disabled", id="the router was not asked"),
        pytest.param(None, NORMAL, "failed", id="the cloud ignores it"),
    ],
)
def test_a_disabled_site(sas, statuses, verdict):
    assert judge(sas, statuses=statuses, state="disabled")["verdict"] == verdict


@pytest.mark.parametrize(
    ("there", "verdict"),
    [
        ([{**sa(), "older": True}], "pending"),
        ([{**sa(), "older": False}], "up"),
        ([{**sa(1), "older": True}, {**sa(2, 2), "older": False}], "up"),
        ([{**sa(ipsec={"encryption": "aes-128"}), "older": True}], "failed"),
    ],
)
def test_an_sa_that_is_older_than_what_the_router_has_stored(there, verdict):
    """It carries, and yet what is stored may never work: only a new SA shows that."""
    row = judge(there, statuses=NORMAL)
    assert (row["verdict"], "the SA is older" in row["why"]) == (verdict, verdict == "pending")


@pytest.mark.parametrize(
    "result",
    [
        {"unreachable": True, "msg": "Failed to connect to the host via ssh"},
        {"msg": "[Errno 2] No such file or directory: b'ping'", "rc": 2},
    ],
)
def test_a_probe_host_that_could_not_be_asked_has_lost_nothing(result):
    """Its tunnel is not proven, for that reason, and no cause is looked for in what was not sent."""
    counted = _verdict.ping_results(PINGS, [*[{"stdout": "3 packets transmitted, 3 received"}] * 4, result])
    (row,) = _verdict.rows([record()], NORMAL, [sa(2, 3, ipsec=REKEYED)], proof(pings=counted))
    assert (row["verdict"], row["pings"]) == ("not proven", "12/12")
    assert row["why"] == f"probe host x could not ping: {result['msg']}"
    (told,) = _verdict.with_causes([row], [record()], proof=proof(pings=counted))
    assert "ping" not in str(told["causes"])
    # The twin: one that was asked, and heard nothing.
    counted = _verdict.ping_results(PINGS, [*[{"stdout": "3 packets transmitted, 3 received"}] * 4, {"stdout": ""}])
    assert judge([sa(2, 3, ipsec=REKEYED)], proof(pings=counted))["verdict"] == "failed"


def test_without_cloud_and_router_a_tunnel_has_failed():
    (row,) = _verdict.rows([record()], {}, None)
    assert (row["verdict"], row["why"].split("; ")[0]) == ("failed", "the cloud did not answer")


def test_a_stored_change_is_pending_where_no_router_was_asked():
    def why(**more):
        (row,) = _verdict.rows([record()], NORMAL, None, **more)
        return row["verdict"], "in force once the site makes new SAs" in row["why"]

    assert why(pending=["prod/berlin/1"]) == ("pending", True)
    assert why(pending=["prod/paris/1"]) == ("not proven", False)


@pytest.mark.parametrize(
    ("left", "pending", "verdict"),
    [
        (["berlin"], ["prod/berlin/1"], "pending"),
        (["berlin"], [], "up"),  # the cloud stored nothing of it
        (["paris"], ["prod/berlin/1"], "up"),  # its router took part, and made new SAs
    ],
)
def test_a_stored_change_is_pending_where_the_router_was_left_as_it_is(left, pending, verdict):
    (row,) = _verdict.rows([record()], NORMAL, [sa()], left=left, pending=pending)
    assert (row["verdict"], "the router did not get" in row["why"]) == (verdict, verdict == "pending")


@pytest.mark.parametrize("sas", [None, [], [sa()]])
@pytest.mark.parametrize(("planned", "verdict"), [(False, "failed"), (True, "pending")])
def test_of_a_hub_that_cannot_be_asked_where_it_is_nothing_is_compared(sas, planned, verdict):
    """Its subnets by name, its address by the cloud, and the cloud does not answer."""
    (found,) = records(
        {"berlin": site(subnets=HERE, policy="default")}, hubs={"prod": hub(subnets=["app"])}, policies=POLICY
    )
    unresolved = _topology.mirror(found)
    (row,) = judged = _verdict.rows([unresolved], {}, sas, planned=planned)
    assert (row["verdict"], row["why"]) == (verdict, "the cloud did not answer")
    assert _verdict.with_causes(judged, [unresolved], sas=sas) == judged


def test_where_the_hub_is_known_the_router_is_heard_also_without_its_cloud():
    assert judge([sa(ipsec={"encryption": "aes-128"})], statuses={})["why"].startswith("the cloud did not answer; ")


def test_a_blocked_site_says_why():
    (row,) = _verdict.rows([], {}, None, blocked={"berlin": "vpn_sites.berlin.gateway: is missing."})
    assert (row["tunnel"], row["verdict"], row["why"]) == ("berlin", "blocked", "vpn_sites.berlin.gateway: is missing.")


@pytest.mark.parametrize(
    ("change", "status"),
    [
        pytest.param({}, "Normal", id="made by hand"),
        pytest.param({"site": "berlin"}, "not there", id="ours under another name"),
        pytest.param({"gateway": "203.0.113.99"}, "not there", id="to another peer"),
        pytest.param({"subnets": HERE[:1]}, "not there", id="with other subnets"),
    ],
)
def test_a_connection_of_another_name_is_known_by_where_it_leads(change, status):
    there = {
        "name": "by hand",
        "site": None,
        "gateway": "203.0.113.3",
        "subnets": HERE[::-1],
        "state": "Normal",
        **change,
    }
    assert judge([sa()], statuses={"prod": [there]})["status"] == status
