# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""Reads what a Linux router's network says of a connection, and knocks at the other gateway. Changes nothing, decides nothing.

Everything is bounded: a program that hangs or does not stop to write is ended, and what it said up to then counts.
"""

from __future__ import annotations

import ipaddress
import json
import os
import re
import socket
import subprocess
import threading
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _linux_nat

Record = t.Mapping[str, t.Any]

SECONDS = 5  # that one program may take
MOST = 512 * 1024  # bytes that are read of one program or file
# What iproute2 says where there is no way (ip-route(8): a route of type throw or none, unreachable, prohibit, blackhole).
_NO_ROUTE = re.compile(
    r"RTNETLINK answers: (?:Network is unreachable|No route to host|Permission denied|Invalid argument)$", re.MULTILINE
)
_LEGACY = ("/proc/net/ip_tables_names", "/proc/net/ip6_tables_names")  # the tables that iptables-legacy has made
_KNOCKS = (0.5, 1.0, 1.5)  # seconds that a probe waits for an answer, each time that it asks


class Machine:
    """The programs of the router, each for a bounded time and output; ``problems`` says what could not be read."""

    def __init__(self, find: t.Callable[[str], str | None]) -> None:
        self._find = find
        self.problems: list[str] = []

    def has(self, name: str) -> bool:
        """Whether a program is installed."""
        return self._find(name) is not None

    def run(
        self, name: str, *arguments: str, seconds: float = SECONDS, quiet: bool = False, why: bool = False
    ) -> tuple[int, str]:
        """Give the return code (-1 where there is none) and the beginning of the output; ``why``: where it failed, of its errors."""
        program = self._find(name)
        if program is None:
            if not quiet:
                self.problems.append(f"{name} is not installed")
            return -1, ""
        try:
            process = subprocess.Popen(
                [program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE if why else subprocess.DEVNULL,
                env={**os.environ, "LC_ALL": "C"},
            )
        except OSError as error:
            self.problems.append(f"{name}: {error.strerror}")
            return -1, ""
        late = threading.Event()

        def end() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(seconds, end)
        timer.start()
        stdout = t.cast(t.IO[bytes], process.stdout)
        try:
            out = stdout.read(MOST)
            if len(out) < MOST:
                errors = process.stderr.read(MOST) if process.stderr else out
                out = errors if process.wait() else out
        finally:
            timer.cancel()
            process.kill()
            stdout.close()
            if process.stderr:
                process.stderr.close()
            process.wait()
        if late.is_set():
            self.problems.append(f"{name} did not end within {seconds:g} s")
        return process.returncode, out.decode(errors="replace")

    def ip(self, *arguments: str) -> list[dict[str, t.Any]] | None:
        """Ask iproute2: [] where it says that there is nothing, as for a destination without a route; None for no answer."""
        code, out = self.run("ip", "-j", *arguments, why=True)
        if code == 2 and _NO_ROUTE.search(out):
            return []
        if code > 0:
            self.problems.append(f"ip {' '.join(arguments)}: {out.strip() or f'return code {code}'}")
            return None
        try:
            found = json.loads(out or "[]")
        except (ValueError, RecursionError):
            self.problems.append(f"ip {' '.join(arguments)}: its output is no JSON")
            return None
        if code < 0:
            return None
        if not _is_listing(found):
            self.problems.append(f"ip {' '.join(arguments)}: its output is not as iproute2 writes it")
            return None
        return found


def _is_listing(found: t.Any) -> bool:
    """Whether JSON has the form of what iproute2 writes of links and routes."""
    return isinstance(found, list) and all(
        isinstance(one, dict)
        and all(isinstance(one.get(name, ""), str) for name in ("dev", "gateway", "local"))
        and _is_listing(one.get("addr_info", []))
        for one in found
    )


def tail(path: str, most: int = MOST) -> str:
    """The end of a file, whatever its size, from the first whole line on. Raises OSError."""
    with open(path, "rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(0, size - most))
        content = stream.read(most)
    if size > most:
        content = content.partition(b"\n")[2]
    return content.decode(errors="replace")


def network(
    machine: Machine, record: Record, device: str | None, gateways: dict[tuple[str, str | None], dict[str, t.Any]]
) -> dict[str, t.Any]:
    """Give what the router's network says of one connection, in the shape of ``_cause_facts.Evidence``.

    ``gateways`` keeps what was found out of each, for other connections to the same one.
    """
    out: dict[str, t.Any] = {}
    gateway = record["remote"].get("gateway")
    if gateway:
        ends = gateway, record["local"].get("address") or record["local"].get("gateway")
        if ends not in gateways:
            gateways[ends] = _gateway(machine, *ends)
        out.update(gateways[ends])
    addresses = machine.ip("address", "show", "up")
    if addresses is not None:
        out["addresses"] = [
            one["local"]
            for link in addresses
            for one in link.get("addr_info", [])
            if one.get("scope") == "global" and "local" in one
        ]
    out["forwarding"] = _forwarding()
    local = sorted({one for tunnel in record["tunnels"] for one in tunnel["local_subnets"]})
    remote = sorted({one for tunnel in record["tunnels"] for one in tunnel["remote_subnets"]})
    default = machine.ip("route", "show", "default")
    out["default_route"] = _way(default[0]) if default else {}
    out["lan"] = []
    for subnet in local:
        ways = machine.ip("route", "get", _within(subnet))
        if ways is not None:
            out["lan"].append({"subnet": subnet, **(_way(ways[0]) if ways else {"error": "unreachable"})})
    ruleset = _ruleset(machine)
    if ruleset is not None:
        # With the kernel's ESP, what a tunnel carries leaves by the interface that leads to the gateway.
        leaves = device or (out.get("gateway_route") or {}).get("dev")
        out["source_nat"] = _linux_nat.translating(ruleset, local, remote, leaves)
    return out


def _ruleset(machine: Machine) -> str | None:
    """What nft lists, "" where there is neither it nor its iptables; None where it does not say all."""
    if any(map(_has_nat, _LEGACY)):
        machine.problems.append("the NAT rules of iptables-legacy are not read; iptables-legacy-save shows them")
    if not machine.has("nft"):
        _code, version = machine.run("iptables", "--version", quiet=True)
        if "nf_tables" not in version:
            return ""
        machine.problems.append("nft is not installed, so the NAT rules of iptables are not read")
        return None
    code, out = machine.run("nft", "list", "ruleset", why=True)
    if code > 0:
        machine.problems.append(f"nft list ruleset: {out.strip() or f'return code {code}'}")
    elif len(out) >= MOST:
        machine.problems.append(f"nft list ruleset: NAT rules are not read, it lists more than {MOST // 1024} KiB")
    return None if code else out


def _has_nat(path: str) -> bool:
    try:
        with open(path, encoding="ascii") as stream:
            return "nat" in stream.read().split()
    except OSError:
        return False


def _gateway(machine: Machine, gateway: str, own: str | None) -> dict[str, t.Any]:
    out: dict[str, t.Any] = {}
    found = machine.ip("route", "get", gateway)
    if found is not None:
        out["gateway_route"] = _way(found[0]) if found else None
    code, said = machine.run("ping", "-n", "-q", "-c", "2", "-i", "0.2", "-W", "1", gateway)
    if "packets transmitted" in said:
        out["gateway_answers"] = code == 0
    elif code > 0 and out.get("gateway_route"):
        machine.problems.append(f"ping {gateway}: it sent nothing (return code {code})")
    out["ports"] = {port: knock(gateway, int(port), own) for port in ("500", "4500")}
    return out


def _way(route: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    return {"dev": route.get("dev", ""), "via": route.get("gateway", "")}


def _within(subnet: str) -> str:
    """An address of a subnet that is no network address: the second one, or the only one."""
    net = ipaddress.ip_network(subnet)
    return str(net[1] if net.num_addresses > 1 else net[0])


def _forwarding() -> dict[str, bool]:
    out = {}
    for family, path in (("4", "ipv4/ip_forward"), ("6", "ipv6/conf/all/forwarding")):
        try:
            with open(f"/proc/sys/net/{path}", encoding="ascii") as stream:
                out[family] = stream.read().strip() != "0"
        except OSError:
            continue
    return out


# An IKE header alone, of a version that nobody has: a daemon says so (RFC 7296 section 2.5), and has nothing to remember.
_SPI = b"bothends"
_HEADER = _SPI + bytes(8) + bytes([0, 0x30, 34, 0x08]) + bytes(4) + (28).to_bytes(4, "big")


def knock(gateway: str, port: int, own: str | None = None) -> str:
    """Send a packet to an IKE daemon: ``answers``, ``refused`` (nobody listens), ``forbidden`` (here) or ``silent``.

    It is sent again where nothing comes: one that was lost is no blocked port.
    """
    family = socket.AF_INET6 if ":" in gateway else socket.AF_INET
    packet = bytes(4) * (port == 4500) + _HEADER
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            if own:
                probe.bind((own, 0))
        except OSError:
            pass  # that the address is not here, `addresses` says
        try:
            probe.connect((gateway, port))
            answer = _asked(probe, packet)
        except ConnectionRefusedError:
            return "refused"
        except PermissionError:
            return "forbidden"
        except OSError:  # its time is over, or it cannot be reached
            return "silent"
    return "answers" if _SPI in answer else "silent"


def _asked(probe: socket.socket, packet: bytes) -> bytes:
    """Give the answer to a packet, b"" where none came to any of them; raises OSError where it cannot be sent."""
    for seconds in _KNOCKS:
        probe.settimeout(seconds)
        probe.send(packet)
        try:
            return probe.recv(2048)
        except socket.timeout:  # a TimeoutError from Python 3.10 on only, and routers have older ones
            continue
    return b""
