# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""libreswan with its kernel's ESP against the real cloud end: a site's life by the collection's roles, and what must fail."""

from __future__ import annotations

import re
import time

import pytest
import yaml
from scenarios.causes import documented, said, table, the_cloud_says
from scenarios.conftest import DESCRIPTION, EXAMPLE, Playbooks, changed_sites

from ansible_collections.bothends.vpn.plugins.module_utils import _cloud
from bothends_lab import Lab
from kernel_lab.doctor import PlutoDoctor
from kernel_lab.guest import Guest

PAIRS = [
    ("berlin-pc", "192.168.1.10"),
    ("berlin-plant", "192.168.2.10"),
    ("app1", "192.168.4.10"),
    ("db1", "192.168.3.10"),
]
PSK = yaml.safe_load((EXAMPLE / "psks.yml").read_text())["prod/berlin"]
ODD_PSK = "0x\"quotes' and \\ {{ 7*7 }} {% raw %} $HOME `id` #no , ; = ümläut"
CONF, SECRETS = "/etc/ipsec.d/bothends-vpn-berlin.conf", "/etc/ipsec.d/bothends-vpn-berlin.secrets"
TUNNEL = "bothends.prod.berlin.1"
SITES = changed_sites(platform="libreswan")
# One pair of subnets is enough for what is not about pairs.
ONE_PAIR = {
    "vpn_hubs": {"prod": {**DESCRIPTION["vpn_hubs"]["prod"], "subnets": ["192.168.1.0/24"]}},
    "vpn_sites": changed_sites(
        platform="libreswan",
        subnets=["192.168.3.0/24"],
        probe=[{"from": "192.168.3.10", "to": "192.168.1.10"}],
        router_settings=None,
    ),
}


@pytest.fixture(scope="module")
def lab() -> Lab:
    return Lab.load()


@pytest.fixture(scope="module")
def playbook(lab, tmp_path_factory) -> Playbooks:
    return Playbooks(lab, tmp_path_factory.mktemp("report") / "rows.json")


@pytest.fixture(scope="module")
def guest(lab):
    """The lab's router `berlin` as a machine with a kernel of its own and libreswan."""
    lab.reset_cloud_vpn()
    guest = Guest(lab, "berlin")
    guest.start()
    yield guest
    guest.stop()
    lab.reset()


@pytest.fixture(scope="module")
def made(guest, playbook):
    """Both ends as described, with four pairs of subnets; what check mode said before, and the real run."""
    planned = playbook("site", "--check", "--diff", vpn_sites=SITES)
    assert guest.run(["ls", CONF], check=False).returncode
    return planned, playbook("site", "--diff", "-vvv", vpn_sites=SITES)


def test_hosts_on_both_sides_talk(made, lab):
    for source, address in PAIRS:
        assert lab.wait_for_ping(source, address, seconds=20), f"{source} does not reach {address}"


def test_it_is_the_kernels_esp(made, guest):
    """Not user space: the kernel holds the SAs, and counts what went through them."""
    said = guest.run(["ip", "-s", "xfrm", "state"]).stdout
    assert said.count("mode tunnel") == 8
    assert said.count("encap type espinudp") == 8
    assert "auth-trunc hmac(sha384)" in said and "enc cbc(aes)" in said


def test_every_pair_is_proven(made, playbook):
    run = playbook.prove(vpn_sites=SITES)
    assert set(run.verdicts.values()) == {"proven"}
    assert len(run.verdicts) == 4


def test_a_second_run_changes_nothing(made, playbook):
    assert playbook("site", vpn_sites=SITES).changed == 0


def test_no_key_shows(made):
    planned, real = made
    assert PSK not in planned.output + real.output


def test_traffic_alone_brings_a_tunnel_up(made, guest, lab):
    """The kernel's policies hold a packet until pluto has an SA for it."""
    name = "bothends.prod.berlin.1"
    guest.run(["ipsec", "whack", "--name", name, "--terminate"])
    assert not re.search(
        rf'"{name}".* STATE_V2_ESTABLISHED_CHILD', guest.run(["ipsec", "whack", "--showstates"]).stdout
    )
    assert lab.wait_for_ping("berlin-pc", "192.168.1.10", seconds=20)


@pytest.fixture(scope="module")
def one_pair(guest, playbook):
    """Both ends as described, with one pair of subnets; gives the router's files as they then are."""
    playbook("site", hub_allow_disruption=True, **ONE_PAIR)
    return {path: guest.run(["cat", path]).stdout for path in (CONF, SECRETS)}


def test_fewer_subnets_take_their_tunnels_away(made, one_pair, guest, playbook):
    """The tunnels that are described no more are gone at both ends, the other one carries."""
    assert re.findall(r"^conn .*\.\d$", one_pair[CONF], re.MULTILINE) == [f"conn {TUNNEL}"]
    assert guest.run(["ipsec", "whack", "--status"]).stdout.count("our idtype") == 1
    assert playbook.prove(**ONE_PAIR).verdicts == {"prod/berlin/1": "proven"}


def load(guest: Guest, files: dict[str, str]) -> None:
    """Changes the router's files behind the collection's back, and makes pluto load them: no SA is left, and nothing logged."""
    for path, text in files.items():
        guest.run(["tee", path], stdin=text)
    guest.run(["ipsec", "auto", "--rereadsecrets"])
    guest.run(["ipsec", "auto", "--replace", TUNNEL])
    guest.run(["truncate", "-s", "0", "/var/log/pluto.log"])


def reload(guest: Guest, files: dict[str, str]) -> None:
    """The same, and makes the SAs, if it can."""
    load(guest, files)
    guest.run(["timeout", "10", "ipsec", "auto", "--up", TUNNEL], check=False)


@pytest.fixture
def whole(one_pair, guest, lab):
    """What a test breaks is put right again."""
    yield one_pair
    reload(guest, one_pair)
    assert lab.wait_for_ping("berlin-pc", "192.168.1.10")


def test_no_pfs_at_one_end_passes_pings_but_not_the_proof(whole, guest, lab, playbook):
    """The cloud's end also accepts its defaults."""
    text, count = re.subn("pfs=yes", "pfs=no", whole[CONF])
    assert count == 1
    reload(guest, {CONF: text})
    assert lab.wait_for_ping("berlin-pc", "192.168.1.10")
    run = playbook.prove(ok=False, **ONE_PAIR)
    assert run.verdicts == {"prod/berlin/1": "failed"}
    assert "rekeyed with PFS group none, declared is group20" in run.why


# What is changed in the router's files, what it then finds out by itself, and what it hears, by its log alone, when the hub begins.
WRONG_KEY = "PSK 0sYW5vdGhlciBrZXkgdGhhbiB0aGUgY2xvdWQgaGFz"
BREAKS = [
    ("IKE group", {CONF: (r"(ike=\S+)-dh\d+", r"\1-dh5")}, {"ike_proposal": "site"}, {"ike_proposal": "site"}, "dh_group"),
    ("key", {SECRETS: (r"PSK \S+", WRONG_KEY)}, {"psk": "either end"}, {"psk": "either end"}, "computed hash does not match"),
    ("no key", {SECRETS: ("^", "# ")}, {"psk": "site"}, {"psk": "site"}, "no key"),
    (
        "the hub's id",
        {CONF: ("rightid=.*", "rightid=@x.example"), SECRETS: (r'^(\S+) \S+', r'\1 "@x.example"')},
        {"id": "site"}, {"id": "either end"}, "mismatched",
    ),
    ("ESP cipher", {CONF: ("esp=aes256", "esp=camellia256")}, {"ipsec_proposal": "site"}, {"ipsec_proposal": "site"}, "encryption"),
    ("subnet", {CONF: ("leftsubnet=.*", "leftsubnet=10.99.0.0/24")}, {"selectors": "site"}, {"selectors": "either end"}, "Selectors"),
]  # fmt: skip


def test_what_is_broken_is_named(whole, guest, lab):
    """And with nothing broken there is none. The table stands in docs/causes.md."""
    # Where pluto logs to here, by its command line.
    guest.run(["sed", "-i", "s,#logfile=,logfile=,", "/etc/ipsec.conf"])
    doctor = PlutoDoctor(lab, _cloud.Cloud("lab"), guest, {**DESCRIPTION, **ONE_PAIR})
    seen: dict[str, str] = {}

    def named(name: str, causes: list[dict[str, str]]) -> dict[str, str]:
        seen[name] = said(causes)
        print(f"| {name} | {seen[name]} |")
        return {one["code"]: one["end"] for one in causes}

    reload(guest, whole)
    time.sleep(3)  # until then the cloud may speak of the SA before
    the_cloud_says(doctor, normal=True)
    looked = doctor.look(attempt=True)
    assert (looked["verdict"], looked["view"]["evidence"]["problems"]) == ("up", []), looked
    assert "up" in looked["view"]["evidence"]["log"]
    assert named("nothing", doctor.causes(looked)) == {} == named("nothing", doctor.causes(looked, "stored", "cloud"))
    for name, changes, own, heard, word in BREAKS:
        files = {path: re.sub(*changes.get(path, ("^$", "")), text, flags=re.MULTILINE) for path, text in whole.items()}
        assert files != whole
        load(guest, files)
        looked = doctor.look(attempt=True)
        assert looked["verdict"] == "failed", (name, looked)
        assert named(f"{name}, at the router", doctor.causes(looked)) == own, looked
        load(guest, files)
        doctor.hub_begins()
        causes = doctor.causes(doctor.look(), "stored", "cloud")
        assert named(f"{name}, by the log alone, when the hub begins", causes) == heard
        assert word in causes[0]["evidence"]
    assert table(seen) == documented("The same with libreswan")


def test_another_key_is_named(whole, lab, playbook):
    run = playbook("routers", ok=False, vpn_psks={"berlin": "another key than the cloud has"}, **ONE_PAIR)
    assert "the key or an id differs between the two ends" in run.output, run.output[-3000:]
    assert not lab.ping("berlin-pc", "192.168.1.10")


def test_a_new_key_comes_into_force_at_both_ends(one_pair, lab, playbook):
    """The cloud's end has it some seconds after the cloud said so. A check says that the tunnel is interrupted, and does not do it."""
    variables = {**ONE_PAIR, "vpn_psks": {"berlin": "Quite-Another-Key-For-Berlin-2718281828"}}
    step = "prod/berlin: load, which ends its SAs"
    assert step in playbook("site", "--check", "--diff", **variables).output
    assert lab.ping("berlin-pc", "192.168.1.10")
    run = playbook("site", "--diff", **variables)
    assert step in run.output
    assert run.verdicts == {"prod/berlin/1": "up"}, run.why
    assert playbook("site", **variables).changed == 0
    playbook("site", **ONE_PAIR)


def carrying(guest: Guest) -> list[str]:
    """The SAs that carry traffic."""
    return re.findall(r"^006 (#\d+):", guest.run(["ipsec", "whack", "--trafficstatus"]).stdout, re.MULTILINE)


@pytest.mark.parametrize("restarted", [False, True])
def test_a_hub_that_the_site_has_no_more_goes(one_pair, guest, playbook, restarted):
    """Also where pluto has read the file by itself; the other hub's tunnel stays up."""
    more = {"test": {"vpc": "test", "gateway": "203.0.113.77", "subnets": ["192.168.11.0/24"]}}
    both = {
        "vpn_hubs": {**ONE_PAIR["vpn_hubs"], **more},
        "vpn_sites": {"berlin": {**ONE_PAIR["vpn_sites"]["berlin"], "hubs": ["test"]}},
    }
    playbook("routers", site_router_activate=False, vpn_psks={"berlin": PSK}, **both)
    if restarted:
        guest.restart_pluto()
    assert "bothends.test.berlin.1" in guest.run(["ipsec", "whack", "--status"]).stdout
    before = carrying(guest)
    planned, run = (playbook("routers", "--diff", *check, **ONE_PAIR) for check in (["--check"], []))
    assert "test/berlin: unload" in planned.output and "test/berlin: unload" in run.output
    assert "bothends.test" not in guest.run(["ipsec", "whack", "--status"]).stdout
    assert restarted or carrying(guest) == before != []


def test_ikev1_and_a_key_of_any_characters(one_pair, guest, lab, playbook, tmp_path):
    """With the permission that IKEv1 needs there."""
    keys = tmp_path / "psks.yml"
    keys.write_text(yaml.safe_dump({"prod/berlin": ODD_PSK}))
    guest.run(["sed", "-i", r"s/^config setup/&\n\tikev1-policy=accept/", "/etc/ipsec.conf"])
    guest.restart_pluto()
    strong = DESCRIPTION["vpn_policies"]["strong"]
    ike = {**strong["ike"], "version": "v1", "integrity": "sha256", "dh_group": "group14"}
    policies = {"strong": {"ike": ike, "ipsec": {**strong["ipsec"], "pfs_group": "group16"}}}
    psks = f"{{{{ lookup('ansible.builtin.file', '{keys}') | from_yaml }}}}"
    variables = {**ONE_PAIR, "vpn_policies": policies, "vpn_psks": psks}
    playbook("site", hub_allow_disruption=True, **variables)
    assert lab.wait_for_ping("berlin-pc", "192.168.1.10")
    assert playbook.prove(**variables).verdicts == {"prod/berlin/1": "proven"}


def test_an_absent_site_leaves_nothing(one_pair, guest, lab, playbook):
    """Last: both ends are as they were."""
    gone = {"berlin": {**ONE_PAIR["vpn_sites"]["berlin"], "state": "absent"}}
    playbook("site", hub_allow_disruption=True, **{**ONE_PAIR, "vpn_sites": gone})
    assert guest.run(["ls", CONF, SECRETS], check=False).stdout == ""
    assert "loaded 0" in guest.run(["ipsec", "whack", "--status"]).stdout
    assert "mode tunnel" not in guest.run(["ip", "xfrm", "state"]).stdout
    assert not lab.ping("berlin-pc", "192.168.1.10", count=1)
