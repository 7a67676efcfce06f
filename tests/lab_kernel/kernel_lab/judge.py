# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""libreswan's own programs, in namespaces of their own: what they say of a file."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from . import ROOT, SOURCE

_UNSHARE = "unshare --mount --net --pid --fork --kill-child --propagation private".split()
_PREPARE = 'mount -t proc proc "$root/proc"; mount --rbind /dev "$root/dev"; mount -t tmpfs run "$root/run"; exec chroot "$root" "$@"'
# pluto needs no ESP in the kernel to load connections. The addresses are those of the golden files' sites.
_PLUTO = """
ip link set lo up
for address in "$@"; do ip address add $address dev lo; done
ipsec checknss
/usr/libexec/ipsec/pluto --config /etc/ipsec.conf --logfile /var/log/pluto.log
for turn in $(seq 50); do ipsec whack --status >/dev/null 2>&1 && break; sleep 0.1; done
ipsec whack --listen
sed -n 's/^conn //p' /etc/ipsec.d/*.conf | while read -r name; do
    case $name in *.[0-9]*) ipsec auto --add $name;; esac
done
ipsec whack --status
ipsec whack --listpsks
cat /var/log/pluto.log
ipsec whack --shutdown
"""
ADDRESSES = ("203.0.113.10/24", "10.0.0.2/24", "2001:db8:f::10/64")


def _run(argv: Sequence[str], texts: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Runs a command on a router whose /etc/ipsec.d has these files; its errors are part of what it says."""
    with tempfile.TemporaryDirectory() as directory:
        own, scratch = Path(directory, "files"), Path(directory, "scratch")
        (own / "etc/ipsec.d").mkdir(parents=True)
        scratch.mkdir()
        for name, text in texts.items():
            (own / "etc/ipsec.d" / name).write_text(text)
        prefix = [*_UNSHARE, str(SOURCE / "root.sh"), str(ROOT), str(scratch), str(own), "sh", "-c", _PREPARE, "sh"]
        return subprocess.run(
            [*prefix, *argv],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=False,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        )  # fmt: skip


def check(conf: str) -> subprocess.CompletedProcess[str]:
    """What `addconn --checkconfig` says of an ipsec.conf that includes this file, as Debian's does."""
    argv = ["/usr/libexec/ipsec/addconn", "--config", "/etc/ipsec.conf", "--checkconfig"]
    return _run(argv, {"site.conf": conf})


def parse(where: str, *proposals: str) -> subprocess.CompletedProcess[str]:
    """What `algparse` says of proposals (`ike=...`) in a context of `_algorithms`."""
    version = "-v1" if where == "ike_v1" else "-v2"
    return _run(["/usr/libexec/ipsec/algparse", version, "-pfs=yes", *proposals], {})


def load(conf: str, secrets: str, setup: str = "") -> str:
    """What a real pluto says after it has loaded a site's files: its connections, its keys' ids, its log."""
    config = f"config setup\n{setup}\n" if setup else ""
    return _run(
        ["sh", "-c", _PLUTO, "sh", *ADDRESSES], {"0.conf": config, "site.conf": conf, "site.secrets": secrets}
    ).stdout
