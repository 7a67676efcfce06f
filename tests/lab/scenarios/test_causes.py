# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each cause that the lab can bring about is brought about, one at a time, and must be named; with nothing broken there is none.

The table break x verdict is printed at the end, and stands in docs/causes.md.
"""

from __future__ import annotations

import time
import typing as t

import pytest

from ansible_collections.bothends.vpn.plugins.module_utils import _cloud, _hub

from . import hubs
from .causes import TUNNEL, Doctor, Router, documented, said, table, the_cloud_says
from .conftest import DESCRIPTION, SITE_FILE, changed_sites, make_anew

SEEN: dict[str, str] = {}  # what was broken -> what was said


@pytest.fixture(scope="module")
def router(lab, playbook):
    """Both ends as described, once, with a log that can be read."""
    lab.reset()
    playbook("site")
    router = Router(lab)
    router.log_to_a_file()
    yield router
    lab.reset()


@pytest.fixture(scope="module")
def doctor(lab, router):
    return Doctor(lab, _cloud.Cloud("lab"))


@pytest.fixture(scope="module")
def made(lab, router):
    """The router's file as it was made."""
    return lab.file("berlin", SITE_FILE).read_text()


@pytest.fixture
def whole(lab, router, made):
    """Begins with an empty log, and ends with the router's file as it was and new SAs."""
    router.forget()
    yield
    lab.file("berlin", SITE_FILE).write_text(made)
    router.run("swanctl", "--load-all", "--noprompt")
    router.down()
    deadline = time.monotonic() + 30
    while not lab.ping("berlin-pc", "192.168.1.10", count=1, wait=0.5) and time.monotonic() < deadline:
        router.initiate(4)
    assert lab.wait_for_ping("berlin-plant", "192.168.1.10", seconds=10)


def named(name: str, causes: list[dict[str, t.Any]]) -> dict[str, str]:
    """Give causes as {code: end}, and keep them for the table."""
    SEEN[name] = said(causes)
    return {one["code"]: one["end"] for one in causes}


def test_with_nothing_broken_there_is_none(doctor, router, whole):
    looked = doctor.look(attempt=True, pings=True)
    assert looked["verdict"] == "up"
    assert looked["view"]["evidence"]["problems"] == []
    assert looked["view"]["evidence"]["ports"] == {"500": "answers", "4500": "answers"}
    assert named("nothing", doctor.causes(looked)) == {}  # even where the verdict does not ask for one
    assert doctor.causes(looked, "cloud") == doctor.causes(looked, "stored", "cloud") == []


# What is changed in the router's file, what the router then finds out by itself, and what it hears when the hub begins.
WRONG_KEY = 'secret = "0sYW5vdGhlciBrZXkgdGhhbiB0aGUgY2xvdWQgaGFz"'
FILE = [
    pytest.param("IKE group", (r"^(\s*)proposals = \S+", r"\1proposals = aes256-sha384-modp1024"),
                 {"ike_proposal": "site"}, {"ike_proposal": "site"}, "dh_group", id="IKE group"),
    pytest.param("IKE version", (r"version = 2", "version = 1"), {"version": "site"},
                 {"version": "site", "site_not_loaded": "site"}, "no IKE config found", id="IKE version"),
    pytest.param("key", (r"secret = .*", WRONG_KEY), {"psk": "either end"}, {"psk": "either end"}, "MAC mismatched", id="key"),
    pytest.param("id", (r"(local \{\s*(?:auth = psk\s*)?id = )\S+", r"\1x.example"),
                 {"id": "site"}, {"id": "either end"}, "203.0.113", id="id"),
    pytest.param("ESP cipher", (r"esp_proposals = \S+", "esp_proposals = camellia256-sha384-ecp384"),
                 {"ipsec_proposal": "site"}, {"ipsec_proposal": "site"}, "encryption", id="ESP cipher"),
    pytest.param("subnet", (r"local_ts = .*", "local_ts = 10.99.0.0/24"),
                 {"selectors": "site"}, {"selectors": "either end"}, "192.168.3.0/24", id="subnet"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "change", "own", "heard", "word"), FILE)
def test_the_routers_file_is_otherwise(lab, doctor, router, whole, what, change, own, heard, word):
    router.rewrite(change)
    router.down()
    router.forget()
    looked = doctor.look(attempt=True)
    assert looked["verdict"] == "failed"
    assert named(f"{what}, at the router", doctor.causes(looked)) == own
    # As if nobody could know what is stored: what the hub's own attempt makes the router log says which value.
    router.down()
    router.forget()
    doctor.hub_begins()
    causes = doctor.causes(doctor.look(), "stored", "cloud")
    assert named(f"{what}, by the log alone, when the hub begins", causes) == heard
    assert word in causes[0]["evidence"]


def test_a_pfs_group_that_differs_is_found_before_the_rekeying_that_it_ends(doctor, router, whole):
    """The first child has no exchange of its own: the tunnel is up, and all that can be read agrees."""
    router.rewrite((r"esp_proposals = \S+", "esp_proposals = aes256-sha384-modp1024"))
    router.down()
    the_cloud_says(doctor, normal=False)
    router.initiate()
    the_cloud_says(doctor, normal=True)
    assert doctor.look()["verdict"] == "up"
    looked = doctor.look(prove=True)
    assert looked["verdict"] == "failed"
    assert named("PFS group, at the router", doctor.causes(looked)) == {"pfs": "site"}
    causes = doctor.causes(looked, "stored", "cloud")
    assert set(named("PFS group, by the log alone", causes)) <= {"pfs", "ipsec_proposal"} and causes


@pytest.mark.parametrize(
    ("name", "change", "causes"),
    [
        ("IKE hash, at the router", (r"^(\s*)proposals = \S+", r"\1proposals = aes256-sha512-ecp384"), {"ike_proposal": "site"}),
        ("ESP hash, at the router", (r"esp_proposals = \S+", "esp_proposals = aes256-sha512-ecp384"), {"ipsec_proposal": "site"}),
        ("a subnet left out at the router", (r"local_ts = .*", "local_ts = 192.168.3.0/24"), {"selectors": "site"}),
    ],
)  # fmt: skip
def test_what_the_hub_takes_although_it_is_not_declared(lab, doctor, router, whole, name, change, causes):
    """The cloud also accepts its defaults and narrower subnets: the tunnel is up, and a ping passes all the same."""
    router.rewrite(change)
    router.down()
    router.initiate()
    assert lab.wait_for_ping("berlin-pc", "192.168.1.10", seconds=10)
    looked = doctor.look()
    assert looked["verdict"] == "failed"
    assert named(name, doctor.causes(looked)) == causes


def test_an_old_sa_that_is_still_in_force(lab, doctor, router, made, whole):
    """Both ends have stored other subnets than those that the SA was born with."""
    api = lab.api()
    (one,) = api.list("vpn/ipsec-site-connections", name=TUNNEL)
    group = {"name": "fewer", "type": "cidr", "endpoints": ["192.168.3.0/24"]}
    fewer = api.create("vpn/endpoint-groups", "endpoint_group", **group)["id"]
    path = lab.file("berlin", SITE_FILE)
    path.write_text(made.replace("192.168.3.0/24, 192.168.4.0/24", "192.168.3.0/24"))
    assert path.read_text() != made
    try:
        api.update("vpn/ipsec-site-connections", one["id"], "ipsec_site_connection", peer_ep_group_id=fewer)
        looked = doctor.look(sites=changed_sites(subnets=["192.168.3.0/24"], probe=None))
        assert looked["verdict"] == "failed"
        assert named("subnets stored at both ends, and not in force", doctor.causes(looked)) == {"old_sa": "either end"}
    finally:
        api.update(
            "vpn/ipsec-site-connections", one["id"], "ipsec_site_connection", peer_ep_group_id=one["peer_ep_group_id"]
        )
        api.delete("vpn/endpoint-groups", fewer)


def test_a_subnet_left_out_at_the_cloud(lab, doctor, router, whole):
    """The hub has one site, so its own subnets are those that this one connection has."""
    api = lab.api()
    (one,) = api.list("vpn/ipsec-site-connections", name=TUNNEL)
    (subnet,) = api.list("subnets", cidr="192.168.1.0/24")
    group = {"name": "fewer", "type": "subnet", "endpoints": [subnet["id"]]}
    fewer = api.create("vpn/endpoint-groups", "endpoint_group", **group)["id"]
    try:
        api.update("vpn/ipsec-site-connections", one["id"], "ipsec_site_connection", local_ep_group_id=fewer)
        deadline = time.monotonic() + 40
        looked = doctor.look()
        while looked["verdict"] != "failed" and time.monotonic() < deadline:  # the hub loads it some time
            router.down()
            router.initiate()
            looked = doctor.look()
    finally:
        api.update(
            "vpn/ipsec-site-connections", one["id"], "ipsec_site_connection", local_ep_group_id=one["local_ep_group_id"]
        )
        api.delete("vpn/endpoint-groups", fewer)
    assert looked["verdict"] == "failed"
    assert named("a subnet of the hub left out at the cloud", doctor.causes(looked)) == {"selectors": "hub"}


# --- the way between ---------------------------------------------------------------------------------------------------

POOL = "203.0.113.100-203.0.113.199"  # the world's: the cloud takes any of them for a gateway
DROP = "add table inet tests; add chain inet tests way {{ type filter hook {hook} priority 0; }}; add rule inet tests way {rule} drop"
NAT = "add table ip tests; add chain ip tests way { type nat hook postrouting priority 100; }; add rule ip tests way snat to 203.0.113.10"


@pytest.fixture
def filtered(router):
    """Takes what a test puts into the packet filter away again."""
    yield lambda rules: router.run("nft", rules)
    for family in ("ip", "inet"):
        router.run("nft", f"delete table {family} tests", check=False)


@pytest.mark.parametrize(
    ("name", "rule", "causes"),
    [
        ("UDP 500 blocked on the way", DROP.format(hook="input", rule="udp sport 500"), {"udp_500": "between the ends"}),
        ("UDP 4500 blocked on the way", DROP.format(hook="input", rule="udp sport 4500"), {"udp_4500": "between the ends"}),
        ("UDP 500 blocked by the router", DROP.format(hook="output", rule="udp dport { 500, 4500 }"), {"udp_500": "site"}),
        ("the gateway silent altogether", DROP.format(hook="input", rule=f"ip saddr {POOL}"),
         {"unreachable": "between the ends", "udp_500": "between the ends"}),
    ],
)  # fmt: skip
def test_a_port_that_is_blocked(doctor, router, whole, filtered, name, rule, causes):
    filtered(rule)  # first, so that the hub cannot begin anew in between
    router.down()
    router.forget()
    looked = doctor.look(attempt=True)
    filtered("delete table inet tests")
    assert looked["verdict"] == "failed"
    assert named(name, doctor.causes(looked)) == causes


def test_a_firewall_that_drops_probes(doctor, router, whole, filtered):
    """IKE passes it; what goes to another port than IKE's own does not. That is no blocked port."""
    filtered(DROP.format(hook="input", rule="udp sport { 500, 4500 } udp dport != { 500, 4500 }"))
    router.rewrite((r"secret = .*", WRONG_KEY))
    router.down()
    router.forget()
    looked = doctor.look(attempt=True)
    assert looked["view"]["evidence"]["ports"] == {"500": "silent", "4500": "silent"}
    assert named("key, at the router, behind a firewall that drops probes", doctor.causes(looked)) == {
        "psk": "either end"
    }
    # Without what is stored; ESP in user space feigns a NAT, which the log may tell too.
    assert {one["code"] for one in doctor.causes(looked, "stored", "cloud")} - {"nat"} == {"psk", "id"}


def test_no_route_to_the_gateway(doctor, router, whole):
    gateway = doctor.hub()["hub"]["gateway"]
    router.down()
    router.run("ip", "route", "add", "unreachable", gateway)
    try:
        looked = doctor.look(attempt=True)
    finally:
        router.run("ip", "route", "del", "unreachable", gateway)
    assert named("no route to the gateway", doctor.causes(looked)) == {"unreachable": "site"}


def test_nat_that_is_not_described(doctor, router, whole):
    """The router has another address than the description gives it."""
    device = router.run("ip", "-o", "route", "get", "203.0.113.1").split(" dev ")[1].split()[0]
    router.down()
    router.run("ip", "address", "add", "10.0.0.2/24", "dev", device)
    router.run("ip", "address", "del", "203.0.113.10/24", "dev", device)
    try:
        looked = doctor.look(attempt=True)
    finally:
        router.run("ip", "address", "del", "10.0.0.2/24", "dev", device)
        router.run("ip", "address", "add", "203.0.113.10/24", "dev", device)
        router.run("ip", "route", "replace", "default", "via", "203.0.113.1")
    assert named("another address than described (NAT)", doctor.causes(looked)) == {"nat": "site"}


def test_nobody_tried(doctor, router, whole):
    router.down()
    router.forget()
    router.run("swanctl", "--load-all", "--noprompt")  # it logs, and nothing of an attempt
    looked = doctor.look()
    assert looked["verdict"] == "failed"
    assert named("no SA, and no attempt", doctor.causes(looked)) == {"never_tried": "either end"}


def test_somebody_ended_it(doctor, router, whole):
    router.down()
    looked = doctor.look()
    assert looked["verdict"] == "failed"
    assert named("the SAs ended by hand", doctor.causes(looked)) == {"ended": "either end"}


def test_garbage_in_the_routers_file(lab, doctor, router, made, whole):
    """What is loaded stays loaded, until somebody loads the file: swanctl takes it as empty."""
    lab.file("berlin", SITE_FILE).write_text(made + "garbage\n")
    router.down()
    looked = doctor.look()
    assert looked["verdict"] == "failed"
    assert named("garbage in the router's file, and the SAs ended", doctor.causes(looked)) == {
        "ended": "either end",
        "site_file": "site",
    }
    router.run("swanctl", "--load-all", "--noprompt", check=False)
    causes = doctor.causes(doctor.look())
    assert named("garbage in the router's file, loaded", causes) == {"site_not_loaded": "site"}
    assert f"{SITE_FILE.rpartition('/')[2]}:{len(made.splitlines()) + 1}: " in causes[0]["evidence"]


def test_an_object_that_somebody_changed_in_the_cloud(lab, doctor, router, whole):
    """In a field that no packet shows: the tunnel is proven but for that."""
    api = lab.api()
    (one,) = api.list("vpn/ipsec-site-connections", name=TUNNEL)
    described = {key: value for key, value in doctor.hub()["description"].items() if key != "left_out"}
    api.update("vpn/ipsec-site-connections", one["id"], "ipsec_site_connection", mtu=1400)
    try:
        planned = _hub.apply(
            hubs.checked({"name": "prod", "vpc": "prod", **described, "wait_for": "none"}), doctor.cloud, True
        )
        steps = [step for step in planned["plan"] if step["kind"] == "site_connection"]
        looked = doctor.look(prove=True, drift=steps)
        assert looked["verdict"] == "failed"
        assert named("the MTU of the connection changed in the cloud", doctor.causes(looked)) == {
            "cloud_differs": "hub"
        }
    finally:
        api.update("vpn/ipsec-site-connections", one["id"], "ipsec_site_connection", mtu=one["mtu"])
    assert doctor.causes(looked | {"view": {**looked["view"], "drift": []}}) == []


def test_a_connection_that_somebody_made_anew(lab, doctor, router, whole):
    """The cloud goes on with the SA of the one before, which carries, and never calls the new one up."""
    make_anew(lab, TUNNEL)
    deadline = time.monotonic() + 90
    while not doctor.causes(looked := doctor.look()) and time.monotonic() < deadline:
        time.sleep(2)
    assert looked["verdict"] == "failed"
    assert lab.ping("berlin-pc", "192.168.1.10")
    assert named("the connection made anew in the cloud, and the SA not", doctor.causes(looked)) == {
        "not_counted": "hub"
    }
    assert doctor.causes(looked, "sas") == doctor.causes(looked, "state") == []


# --- behind the ends -----------------------------------------------------------------------------------------------------


def test_a_security_group_that_lets_nothing_in(lab, doctor, router, whole):
    api = lab.api()
    rules = [one for one in api.list("security-group-rules") if "bothends.vpn" in (one["description"] or "")]
    for rule in rules:
        api.delete("security-group-rules", rule["id"])
    try:
        looked = doctor.look(pings=True)
    finally:
        fields = ("security_group_id", "direction", "ethertype", "protocol", "port_range_min", "port_range_max",
                  "remote_ip_prefix", "description")  # fmt: skip
        for rule in rules:
            api.create("security-group-rules", "security_group_rule", **{field: rule[field] for field in fields})
    assert named("security group rules deleted", doctor.causes(looked)) == {"security_group": "hub"}


@pytest.mark.parametrize(
    ("name", "host", "broken", "restored", "causes"),
    [
        ("the LAN's route deleted", "berlin", "ip route del 192.168.4.0/24", None, {"site_route": "site"}),
        ("a host's route deleted", "berlin-pc", "ip route del default", None, {"return_path": "site"}),
        (
            "forwarding off",
            "berlin",
            "sysctl -q -w net.ipv4.ip_forward=0",
            "sysctl -q -w net.ipv4.ip_forward=1",
            {"forwarding": "site"},
        ),
    ],
)
def test_a_way_that_is_missing(lab, doctor, router, whole, name, host, broken, restored, causes):
    route = lab.run(host, ["ip", "route", "show", *broken.split()[3:]]).stdout.split() if restored is None else []
    lab.run(host, broken.split())
    try:
        looked = doctor.look(pings=True)
    finally:
        lab.run(host, ["ip", "route", "add", *route] if restored is None else restored.split())
    assert named(name, doctor.causes(looked)) == causes


def test_nat_of_what_the_tunnel_carries(doctor, router, whole, filtered):
    filtered(NAT)
    looked = doctor.look(pings=True)
    assert looked["view"]["evidence"]["source_nat"] == ["snat to 203.0.113.10"]
    assert any(not one["received"] for one in looked["view"]["pings"]), "what the rule does shows"
    assert named("NAT without an exemption", doctor.causes(looked)) == {"nat_exemption": "site"}


def test_large_packets_that_vanish(doctor, router, whole, filtered):
    filtered(DROP.format(hook="forward", rule="meta length > 1150"))
    looked = doctor.look(pings=True, large=True)
    (cause,) = doctor.causes(looked)
    assert named("packets of more than 1150 bytes dropped", [cause]) == {"mtu": "between the ends"}
    assert "packets of up to 1100 bytes pass" in cause["evidence"]


# --- the cloud, last: its strongSwan is started anew ---------------------------------------------------------------------


def test_two_sites_with_one_id(lab, doctor, router, whole):
    api = lab.api()
    other = copy_of_the_connection(api, "clash", "203.0.113.20", "203.0.113.10")
    try:
        router.down()
        looked = doctor.look()
    finally:
        api.delete("vpn/ipsec-site-connections", other)
    assert named("two sites with one peer id", doctor.causes(looked)) == {"duplicate": "hub"}


def test_a_second_service_on_the_vpc(lab, doctor, router, whole):
    api = lab.api()
    (service,) = api.list("vpn/vpnservices")
    second = api.create("vpn/vpnservices", "vpnservice", name="second", router_id=service["router_id"])["id"]
    try:
        router.down()
        the_cloud_says(doctor, normal=False)
        looked = doctor.look()
    finally:
        api.delete("vpn/vpnservices", second)
    assert named("a second VPN service on the VPC", doctor.causes(looked)) == {"duplicate_service": "hub"}


def test_a_peer_that_dies_in_silence(lab, doctor, router, whole, filtered):
    """With its machine: nothing comes any more, of the daemon or of anybody. Charon sends again for minutes by default."""
    settings = lab.file("berlin", "/etc/strongswan.d/tests-retransmit.conf")
    settings.write_text("charon-systemd {\n retransmit_timeout = 0.5\n retransmit_base = 1\n retransmit_tries = 3\n}\n")
    router.run("swanctl", "--reload-settings")
    try:
        router.down()
        router.initiate()
        router.forget()
        filtered(DROP.format(hook="input", rule=f"ip saddr {POOL}"))
        router.run("swanctl", "--rekey", "--child", TUNNEL)
        time.sleep(3)
        looked = doctor.look()
    finally:
        settings.unlink()
        router.run("swanctl", "--reload-settings")
        filtered("delete table inet tests")
    assert looked["verdict"] == "failed"
    assert named("the hub's machine stopped in silence", doctor.causes(looked)) == {"dead_peer": "hub"}


def test_a_dead_peer(lab, doctor, router, whole):
    """The hub's strongSwan stops; the gateway's machine goes on, and says that nobody listens."""
    lab.ipsec("prod", "stop")
    the_cloud_says(doctor, normal=False)
    try:
        looked = doctor.look(attempt=True)
    finally:
        restart_the_hub(lab)
    assert looked["verdict"] == "failed"
    assert named("the hub's IKE daemon stopped", doctor.causes(looked)) == {"dead_peer": "hub"}


def test_another_sites_bad_value(lab, doctor, router, whole):
    """A line break in one peer id, and the cloud loads nothing of any site."""
    api = lab.api()
    other = copy_of_the_connection(api, "bad", "203.0.113.20", "par\nis")
    try:
        restart_the_hub(lab)
        router.down()
        router.forget()
        looked = doctor.look(attempt=True)
        assert looked["verdict"] == "failed"
        assert named("a line break in another site's peer id", doctor.causes(looked)) == {"hub_not_loaded": "hub"}
        assert "prod/bad/1" in doctor.causes(looked)[0]["evidence"]
    finally:
        api.delete("vpn/ipsec-site-connections", other)
        restart_the_hub(lab)


def test_the_mode_of_ikev1(lab, doctor, router, playbook):
    """One pair of subnets, which is what IKEv1 carries; the last test, because both ends are then described otherwise."""
    (name,), (strong,) = DESCRIPTION["vpn_policies"], DESCRIPTION["vpn_policies"].values()
    described = {
        "vpn_policies": {name: {**strong, "ike": {**strong["ike"], "version": "v1"}}},
        "vpn_hubs": {"prod": {**DESCRIPTION["vpn_hubs"]["prod"], "subnets": ["192.168.1.0/24"]}},
        "vpn_sites": changed_sites(subnets=["192.168.3.0/24"], router_settings=None, probe=None),
    }
    playbook("site", vpn_allow_disruption=True, **described)
    older = Doctor(lab, doctor.cloud, {**DESCRIPTION, **described})
    assert older.look()["verdict"] == "up"
    router.rewrite((r"aggressive = no", "aggressive = yes"))
    router.down()
    router.forget()
    looked = older.look(attempt=True)
    assert looked["verdict"] == "failed"
    assert named("IKEv1's mode, at the router", older.causes(looked)) == {"version": "site"}
    router.down()
    router.forget()
    older.hub_begins()
    causes = older.causes(older.look(), "stored", "cloud")
    assert named("IKEv1's mode, by the log alone, when the hub begins", causes) == {"version": "either end"}


def copy_of_the_connection(api: t.Any, site: str, gateway: str, peer_id: str) -> str:
    """Make a connection of another site with the same policies; give its id."""
    (one,) = api.list("vpn/ipsec-site-connections", name=TUNNEL)
    fields = ("vpnservice_id", "ikepolicy_id", "ipsecpolicy_id", "local_ep_group_id", "peer_ep_group_id")
    body = {field: one[field] for field in fields}
    body.update(
        name=f"prod/{site}/1",
        peer_address=gateway,
        peer_id=peer_id,
        psk="another key of twenty",
        initiator="bi-directional",
    )
    return api.create("vpn/ipsec-site-connections", "ipsec_site_connection", **body)["id"]


def restart_the_hub(lab: t.Any) -> None:
    """Let the cloud start its strongSwan anew, with what it has stored; with something bad stored it does not start."""
    api = lab.api()
    (service,) = api.list("vpn/vpnservices")
    for up in (False, True):
        api.update("vpn/vpnservices", service["id"], "vpnservice", admin_state_up=up)
        # Down it comes for certain, if only once the cloud has given up loading what is bad.
        deadline = time.monotonic() + (10 if up else 40)
        while bool(lab.ipsec("prod", "status").strip()) is not up and time.monotonic() < deadline:
            time.sleep(0.3)


def test_the_table_in_the_docs_is_what_was_seen():
    """Prints the table break x verdict, and compares it with the docs; all of this file has to have run."""
    print("\n".join(["", *table(SEEN)]))
    assert sorted(table(SEEN)) == sorted(documented("What was broken, and what verify said"))
