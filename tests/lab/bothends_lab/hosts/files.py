# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host's own files: SSH keys and settings, and on a router a strongSwan as Debian delivers it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from ..layout import Layout

# The package's defaults: what is in /etc may be the machine's own VPN.
_PACKAGED = Path("/usr/share/strongswan/templates/config")

_SSHD_CONFIG = """\
ListenAddress 127.0.0.1
HostKey /etc/ssh/ssh_host_ed25519_key
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
Subsystem sftp /usr/lib/openssh/sftp-server
"""

# Many a kernel here has no ESP: user-space ESP, asked before the kernel's.
_LIBIPSEC = """\
kernel-libipsec {
    load = 100
}
"""

_FILELOG = """\
charon {
    filelog {
        lab {
            path = %s
            time_format = %%b %%e %%T
            default = 1
            flush_line = yes
        }
    }
}
"""

_SWANCTL_DIRECTORIES = (
    "bliss conf.d ecdsa pkcs12 pkcs8 private pubkey rsa x509 x509aa x509ac x509ca x509crl x509ocsp".split()
)


def write_strongswan_d(directory: Path, log: str) -> None:
    """Makes an /etc/strongswan.d: the packages' defaults, user-space ESP, and a log file."""
    shutil.copytree(_PACKAGED / "strongswan.d", directory, dirs_exist_ok=True)
    shutil.copytree(_PACKAGED / "plugins", directory / "charon", dirs_exist_ok=True)
    (directory / "charon" / "kernel-libipsec.conf").write_text(_LIBIPSEC)
    (directory / "lab.conf").write_text(_FILELOG % log)


def _write_router(etc: Path) -> None:
    shutil.copy(_PACKAGED / "strongswan.conf", etc)
    write_strongswan_d(etc / "strongswan.d", "/var/log/charon.log")
    for name in _SWANCTL_DIRECTORIES:
        (etc / "swanctl" / name).mkdir(parents=True)
    (etc / "swanctl" / "swanctl.conf").write_text("# Include config snippets\ninclude conf.d/*.conf\n")


def make_key(path: Path) -> str:
    """Makes an SSH key unless it is there; returns its public half."""
    public = path.with_name(path.name + ".pub")
    if not public.exists():
        path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "bothends lab", "-f", str(path)],
            check=True,
            stdin=subprocess.DEVNULL,
        )
    return public.read_text().strip()


def user_key(layout: Layout) -> Path:
    """The private key that opens every host."""
    return layout.keys / "id_ed25519"


def host_key(layout: Layout, name: str) -> Path:
    """The private key by which a host is known."""
    return layout.keys / f"host-{name}"


def write(layout: Layout, directory: Path, name: str, router: bool) -> None:
    """Writes a host's files, laid out as under /."""
    shutil.rmtree(directory, ignore_errors=True)
    ssh, root = directory / "etc" / "ssh", directory / "root" / ".ssh"
    ssh.mkdir(parents=True)
    root.mkdir(parents=True, mode=0o700)
    root.parent.chmod(0o700)
    (ssh / "sshd_config").write_text(_SSHD_CONFIG)
    public = make_key(host_key(layout, name))
    (ssh / "ssh_host_ed25519_key.pub").write_text(public + "\n")
    shutil.copy(host_key(layout, name), ssh / "ssh_host_ed25519_key")
    (root / "authorized_keys").write_text(make_key(user_key(layout)) + "\n")
    if router:
        _write_router(directory / "etc")
