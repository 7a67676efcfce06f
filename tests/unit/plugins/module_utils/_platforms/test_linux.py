# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Linux router's routes and forwarding: what is declared, what is there, what is to be done."""

from __future__ import annotations

import shutil
import subprocess
import typing as t
from pathlib import Path

import pytest

from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _linux
from ansible_collections.bothends.vpn.tests.unit.plugins.module_utils._platforms import cases

LAN = {"to": "192.168.4.0/24", "via": "192.168.3.254"}
OURS = {"dst": "192.168.4.0/24", "gateway": "192.168.3.254", "dev": "lan0", "protocol": _linux.PROTOCOL}
ADD, DEL = "add", "del"

# declared, `ip -j route`, what is to be done
PLANS: dict[str, tuple[list[dict[str, str]], list[dict[str, str]], list[tuple[str, str]]]] = {
    "missing": ([LAN], [], [(ADD, "192.168.4.0/24")]),
    "there": ([LAN], [OURS], []),
    "there-by-others": ([LAN], [{**OURS, "protocol": "static"}], []),
    "no-longer-declared": ([], [OURS, {"dst": "10.0.0.0/8", "gateway": "192.168.3.9", "protocol": "static"}], [(DEL, "192.168.4.0/24")]),
    "moved": ([{**LAN, "via": "192.168.3.253"}], [OURS], [(ADD, "192.168.4.0/24"), (DEL, "192.168.4.0/24")]),
    "other-device": ([{**LAN, "dev": "lan1"}], [OURS], [(ADD, "192.168.4.0/24"), (DEL, "192.168.4.0/24")]),
    "one-host": ([{"to": "10.9.9.9/32", "via": "192.168.3.254"}], [{**OURS, "dst": "10.9.9.9"}], []),
}  # fmt: skip


def records(*routes: dict[str, str]) -> list[dict[str, t.Any]]:
    """Gives one record with routes."""
    return [cases.record(router_settings={"routes": list(routes)})]


@pytest.mark.parametrize("case", PLANS)
def test_plan(case: str) -> None:
    """Only what is ours is ever removed."""
    declared, listed, expected = PLANS[case]
    routing = _linux.plan(_linux.wanted_routes(records(*declared)), _linux.read_routes(listed, 4))
    assert [(ADD, one.to) for one in routing.add] + [(DEL, one.to) for one in routing.remove] == expected


INNER = {"dst": "10.9.0.0/16", "gateway": "192.168.3.9", "dev": "lan0", "protocol": _linux.PROTOCOL}


@pytest.mark.parametrize(("via", "removed"), [("192.168.3.254", []), ("192.168.3.253", ["192.168.4.0/24"])])
def test_routes_of_sites_that_are_not_named_stay(via: str, removed: list[str]) -> None:
    """But for one that leads a wanted subnet elsewhere: the kernel takes no second one."""
    wanted = _linux.wanted_routes(records({**LAN, "via": via}))
    routing = _linux.plan(wanted, _linux.read_routes([OURS, INNER], 4), keep=True)
    assert [one.to for one in routing.add] == [one.to for one in routing.remove] == removed
    assert [one.to for one in routing.keep] == ["10.9.0.0/16"]


REFUSED = {
    "elsewhere": ([LAN], [{"dst": "192.168.4.0/24", "dev": "eth7", "protocol": "kernel"}], "another route"),
    "host-bits": ([{**LAN, "to": "192.168.4.1/24"}], [], "host bits"),
    "no-address": ([{**LAN, "via": "$(reboot)"}], [], "does not appear to be"),
    "two-families": ([{**LAN, "via": "2001:db8::1"}], [], "different address families"),
    "device": ([{**LAN, "dev": "lan0; reboot"}], [], "no interface name"),
    "incomplete": ([{"to": "192.168.4.0/24"}], [], "via is missing"),
    "contradiction": ([LAN, {**LAN, "via": "192.168.3.253"}], [], "as well"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    """The error names the field."""
    declared, listed, words = REFUSED[case]
    with pytest.raises(VpnError, match=words) as caught:
        _linux.plan(_linux.wanted_routes(records(*declared)), _linux.read_routes(listed, 4))
    assert "router_settings.routes" in str(caught.value)


def test_forwarding_follows_the_tunnels() -> None:
    """Only the address families that the tunnels carry."""
    text = _linux.sysctl_text(_linux.wanted_families([cases.record()]), {4: "0"})
    assert text.splitlines()[1:] == ["# before: net.ipv4.ip_forward = 0", "net.ipv4.ip_forward = 1"]
    assert _linux.read_before(text) == {4: "0"}
    assert _linux.read_before("net.ipv4.ip_forward = 1") == {}
    assert _linux.wanted_families([cases.record(), cases.record(**cases.V6)]) == [4, 6]
    assert _linux.sysctl_text([], {4: "0"}) == ""


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_the_unit_is_what_systemd_takes(tmp_path: Path) -> None:
    """systemd's own judge."""
    path = tmp_path / _linux.UNIT
    path.write_text(_linux.unit_text(_linux.wanted_routes(records(LAN)), "/bin/true"), encoding="utf-8")
    done = subprocess.run(["systemd-analyze", "verify", path], capture_output=True, text=True, check=False)
    assert _linux.UNIT not in done.stdout + done.stderr


def test_the_hook_is_shell() -> None:
    """The shell's own judge."""
    text = _linux.hook_text(_linux.wanted_routes(records(LAN)), "/usr/sbin/ip")
    subprocess.run(["sh", "-n"], input=text, text=True, check=True)
    assert f"ip route replace 192.168.4.0/24 via 192.168.3.254 proto {_linux.PROTOCOL}" in text
