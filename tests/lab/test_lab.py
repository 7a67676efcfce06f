# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab is what it says: run with the lab's own Python while the lab runs.

.cache/lab/venv/bin/python -m pytest tests/lab
"""

from __future__ import annotations

import json
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import openstack
import pytest
import yaml

from bothends_lab import Lab, netns
from bothends_lab.cloud.api import ApiError

LAN, PLANT, SECRET = "192.168.3.0/24", "192.168.4.0/24", "not-in-any-log"
HUB_CONF = """
connections {
    hub {
        version = 2
        local_addrs = 203.0.113.10
        remote_addrs = %(gateway)s
        proposals = aes256-sha256-ecp384
        local {
            auth = psk
            id = 203.0.113.10
        }
        remote {
            auth = psk
            id = %(gateway)s
        }
        children {
            net {
                local_ts = 192.168.3.0/24,192.168.4.0/24
                remote_ts = 192.168.1.0/24,192.168.2.0/24
                esp_proposals = aes256gcm16-ecp384
                start_action = start
            }
        }
    }
}
secrets {
    ike-hub {
        id = %(gateway)s
        secret = "%(secret)s"
    }
}
"""


@pytest.fixture(scope="session")
def running():
    """The running lab, left as it was at its start."""
    lab = Lab.load()
    yield lab
    lab.reset()


@pytest.fixture
def lab(running):
    """The lab as it was at its start."""
    running.reset()
    return running


def allow_icmp(lab, source):
    api = lab.api()
    group = api.list("security-groups", name="servers")[0]
    return api.create(
        "security-group-rules",
        "security_group_rule",
        security_group_id=group["id"],
        direction="ingress",
        ethertype="IPv4",
        protocol="icmp",
        remote_ip_prefix=source,
    )


def make_vpn(lab):
    """The cloud's end, made by openstacksdk from the lab's own clouds.yaml; returns the cloud's gateway."""
    config = openstack.config.OpenStackConfig(config_files=[str(lab.clouds_yaml)])
    network = openstack.connection.Connection(config=config.get_one("lab")).network
    router = network.find_router("prod")
    subnets = [network.find_subnet(name).id for name in ("app", "db")]
    ike = network.create_vpn_ike_policy(
        name="test", ike_version="v2", encryption_algorithm="aes-256", auth_algorithm="sha256", pfs="group20"
    )
    ipsec = network.create_vpn_ipsec_policy(
        name="test", encryption_algorithm="aes-256-gcm-16", auth_algorithm="sha256", pfs="group20"
    )
    service = network.create_vpn_service(name="test", router_id=router.id)
    local = network.create_vpn_endpoint_group(name="local", type="subnet", endpoints=subnets)
    peer = network.create_vpn_endpoint_group(name="peer", type="cidr", endpoints=[LAN, PLANT])
    network.create_vpn_ipsec_site_connection(
        name="test",
        vpnservice_id=service.id,
        ikepolicy_id=ike.id,
        ipsecpolicy_id=ipsec.id,
        psk=SECRET,
        peer_address="203.0.113.10",
        peer_id="203.0.113.10",
        local_ep_group_id=local.id,
        peer_ep_group_id=peer.id,
    )
    return router.external_gateway_info["external_fixed_ips"][0]["ip_address"]


def make_site(lab, gateway):
    path = lab.file("berlin", "/etc/swanctl/conf.d/hub.conf")
    path.touch(mode=0o600)
    path.write_text(HUB_CONF % {"gateway": gateway, "secret": SECRET})
    lab.run("berlin", ["sysctl", "-q", "-w", "net.ipv4.ip_forward=1"])
    lab.run("berlin", ["ip", "route", "add", PLANT, "via", "192.168.3.254"])
    lab.run("berlin", ["swanctl", "--load-all", "--noprompt"])


def wait_for_status(lab, wanted, seconds=40.0):
    api, deadline = lab.api(), time.monotonic() + seconds
    while True:
        seen = api.list("vpn/ipsec-site-connections")[0]["status"]
        if seen == wanted:
            return
        assert time.monotonic() < deadline, f"after {seconds} s the connection is {seen}, not {wanted}"
        time.sleep(0.2)


def test_security_groups_are_enforced_in_packets(lab):
    assert not lab.ping("db1", "192.168.1.10"), "the group has no ingress rule, and yet db1 reaches app1"
    assert lab.ping("app1", "192.168.1.1"), "app1 does not reach its own router"
    rule = allow_icmp(lab, "192.168.2.0/24")
    assert lab.ping("db1", "192.168.1.10"), "the rule is there, and yet db1 does not reach app1"
    assert not lab.ping("app1", "192.168.2.10"), "the rule lets db1's subnet in, and yet app1 reaches db1"
    lab.api().delete("security-group-rules", rule["id"])
    assert not lab.ping("db1", "192.168.1.10"), "the rule is gone, and yet db1 reaches app1"


def test_a_flow_ends_with_its_rule(lab):
    rule = allow_icmp(lab, "192.168.2.0/24")
    argv = [*lab.machine("db1").enter(), "ping", "-n", "-D", "-i", "0.1", "-c", "300", "192.168.1.10"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as flow:
        time.sleep(1)
        lab.api().delete("security-group-rules", rule["id"])
        deleted = time.time()
        time.sleep(1)
        lab.run("db1", ["pkill", "-x", "ping"])
        answers = [float(line[1:].partition("]")[0]) for line in flow.stdout if "bytes from" in line]
    assert len(answers) > 5, "the flow never began"
    assert answers[-1] < deleted + 0.05, f"answered {answers[-1] - deleted:.2f} s after the rule was gone"


def test_a_remote_group_means_its_members(lab):
    api = lab.api()
    group = api.list("security-groups", name="servers")[0]
    api.create(
        "security-group-rules",
        "security_group_rule",
        security_group_id=group["id"],
        direction="ingress",
        ethertype="IPv4",
        remote_group_id=group["id"],
    )
    assert lab.ping("db1", "192.168.1.10"), "a member of the remote group does not get in"
    gateway = api.list("routers", name="prod")[0]["external_gateway_info"]["external_fixed_ips"][0]["ip_address"]
    lab.run("berlin", ["ip", "route", "add", "192.168.1.0/24", "via", gateway])
    assert not lab.ping("berlin", "192.168.1.10"), "one that is no member gets in"
    allow_icmp(lab, "203.0.113.0/24")
    assert lab.ping("berlin", "192.168.1.10"), "with a rule for its network it does not get in"


def test_projects_and_roles_are_real(running):
    other, reader = running.api("lab-other"), running.api("lab-reader")
    router = running.api().list("routers", name="prod")[0]
    assert not other.list("routers"), "another project sees the first one's router"
    assert reader.list("routers", name="prod")[0]["id"] == router["id"], (
        "the reader does not see its own project's router"
    )
    for api, path, expected in ((other, f"/routers/{router['id']}", 404), (reader, f"/routers/{router['id']}", 403)):
        with pytest.raises(ApiError) as refused:
            api.request("PUT", path, {"router": {"name": "mine"}})
        assert refused.value.status == expected


def test_the_log_has_every_request_and_no_secret(lab):
    mark = lab.mark()
    lab.api().list("vpn/ikepolicies", name=SECRET)
    assert [(r.method, r.path, r.status, r.project) for r in lab.api_requests(mark)] == [
        ("GET", "/v2.0/vpn/ikepolicies", 200, "demo")
    ]
    make_vpn(lab)
    written = [request.path.rpartition("/")[2] for request in lab.api_requests(mark) if request.is_write]
    assert written == [
        "ikepolicies",
        "ipsecpolicies",
        "vpnservices",
        "endpoint-groups",
        "endpoint-groups",
        "ipsec-site-connections",
    ]
    assert SECRET not in lab.layout.api_log.read_text()


def test_a_policy_with_the_servers_defaults_can_be_read_again(lab):
    lab.api().create("vpn/ikepolicies", "ikepolicy", name="defaults")
    assert [policy["auth_algorithm"] for policy in lab.api().list("vpn/ikepolicies")] == ["sha256"]


def test_a_tunnel_made_by_hand(lab):
    pairs = [
        ("berlin-pc", "192.168.1.10"),
        ("berlin-plant", "192.168.2.10"),
        ("app1", "192.168.3.10"),
        ("db1", "192.168.4.10"),
    ]
    for prefix in (LAN, PLANT):
        allow_icmp(lab, prefix)
    gateway = make_vpn(lab)
    wait_for_status(lab, "DOWN")
    for source, address in pairs:
        assert not lab.ping(source, address, count=1), f"{source} reaches {address} without a tunnel"
    make_site(lab, gateway)
    wait_for_status(lab, "ACTIVE")
    for source, address in pairs:
        assert lab.ping(source, address), f"{source} does not reach {address}"
    site, cloud = lab.run("berlin", ["swanctl", "--list-sas"]).stdout, lab.ipsec("prod", "statusall")
    assert "AES_GCM_16-256" in site and " 12 packets" in site, site
    assert "AES_GCM_16_256" in cloud and "12 pkts" in cloud, cloud

    lab.restart_router("berlin")
    wait_for_status(lab, "ACTIVE")
    assert lab.run("berlin", ["sysctl", "-n", "net.ipv4.ip_forward"]).stdout.strip() == "0"
    assert PLANT not in lab.run("berlin", ["ip", "route"]).stdout, "a route outlived the restart"

    lab.reset()
    assert not lab.api().list("vpn/vpnservices")
    assert not lab.file("berlin", "/etc/swanctl/conf.d/hub.conf").exists()
    assert lab.ipsec("prod", "status") == ""


def test_connections_that_are_made_at_once_are_all_settled(lab):
    """None stays `Creating` because the agent looked for it too early, or was busy with the one before."""
    api = lab.api()
    ike = api.create("vpn/ikepolicies", "ikepolicy", name="test", auth_algorithm="sha256")
    ipsec = api.create("vpn/ipsecpolicies", "ipsecpolicy", name="test", auth_algorithm="sha256")
    router = api.list("routers", name="prod")[0]
    service = api.create("vpn/vpnservices", "vpnservice", name="test", router_id=router["id"])
    subnet = api.list("subnets", name="app")[0]["id"]
    local = api.create("vpn/endpoint-groups", "endpoint_group", type="subnet", endpoints=[subnet])

    def connect(number):
        peer = api.create("vpn/endpoint-groups", "endpoint_group", type="cidr", endpoints=[f"10.9.{number}.0/24"])
        api.create(
            "vpn/ipsec-site-connections",
            "ipsec_site_connection",
            vpnservice_id=service["id"],
            ikepolicy_id=ike["id"],
            ipsecpolicy_id=ipsec["id"],
            psk=SECRET,
            peer_address=f"203.0.113.{50 + number}",
            peer_id=f"203.0.113.{50 + number}",
            local_ep_group_id=local["id"],
            peer_ep_group_id=peer["id"],
        )

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(connect, range(6)))
    deadline = time.monotonic() + 30
    while {one["status"] for one in api.list("vpn/ipsec-site-connections")} != {"DOWN"}:
        assert time.monotonic() < deadline, [one["status"] for one in api.list("vpn/ipsec-site-connections")]
        time.sleep(0.5)
    assert len(api.list("vpn/vpnservices")) == 1, "one request made two services"


def test_every_host_answers_to_ssh_as_itself(running):
    group = yaml.safe_load(running.inventory.read_text())["all"]["children"]["lab"]
    hosts = {name: values for child in group["children"].values() for name, values in child["hosts"].items()}
    assert set(hosts) == set(running.world.hosts)
    for name, values in hosts.items():
        command = (
            f"ssh -i {group['vars']['ansible_ssh_private_key_file']} {group['vars']['ansible_ssh_common_args']}"
            f" -o BatchMode=yes root@{values['ansible_host']} hostname"
        )
        done = subprocess.run(["sh", "-c", command], capture_output=True, check=False, text=True, timeout=20)
        assert done.stdout.strip() == name, done.stderr


def test_a_hosts_files_are_its_own(lab):
    lab.run("berlin", ["sh", "-c", "touch /etc/probe /root/probe /var/lib/probe /tmp/probe"])
    assert not lab.file("berlin-pc", "/etc/probe").exists()
    assert (
        subprocess.run(
            "ls /etc/probe /root/probe /var/lib/probe /tmp/probe", shell=True, capture_output=True, check=False
        ).stdout
        == b""
    )
    assert lab.run("berlin", ["touch", "/usr/probe"], check=False).returncode != 0
    lab.reset_router("berlin")
    assert not lab.file("berlin", "/etc/probe").exists()


def test_a_bridge_keeps_its_address_when_a_port_comes(running):
    """Whoever is plugged in knows it: nobody is unheard for the time that another one joins."""
    fabric, bridge = running.layout.fabric, "bridge-test"
    try:
        netns.ensure_bridge(fabric, bridge)
        before = link_address(fabric, bridge)
        netns.ip(
            fabric, "link add low type veth peer name low-end", "link set low address 00:00:00:00:00:01",
            f"link set low master {bridge} up",
        )  # fmt: skip
        assert link_address(fabric, bridge) == before
    finally:
        netns.ip(fabric, "link delete low", f"link delete {bridge}", force=True)


def link_address(namespace: str, link: str) -> str:
    shown = netns.run(["ip", "-n", namespace, "-json", "link", "show", link]).stdout
    return json.loads(shown)[0]["address"]
