# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cloud's databases in Debian's MariaDB instead of SQLite, which lets one writer in at a time.

Reached through a socket in a directory of root's only; it listens on no port. Needs packages and a Python client that
only the benchmarks install (`tests/bench/setup.sh`).
"""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from .. import processes
from ..errors import LabError
from ..layout import Layout

_SERVER, _INSTALL = Path("/usr/sbin/mariadbd"), Path("/usr/bin/mariadb-install-db")
_SECONDS = 30.0
RECORD = "mariadb"


def socket(layout: Layout) -> Path:
    return layout.control / "mariadb.sock"


def url(layout: Layout, name: str) -> str:
    """What SQLAlchemy calls a database of this server."""
    return f"mysql+pymysql://root@localhost/{name}?unix_socket={socket(layout)}&charset=utf8mb4"


def start(layout: Layout, names: tuple[str, ...]) -> None:
    """Starts a server with an empty database for each name."""
    if not _SERVER.exists():
        raise LabError(f"{_SERVER} is not there: run tests/bench/setup.sh")
    data, log = layout.run / "mariadb", layout.log / "mariadb.log"
    with log.open("ab") as output:
        subprocess.run(
            [_INSTALL, "--no-defaults", "--user=root", f"--datadir={data}", "--auth-root-authentication-method=normal",
             "--skip-test-db"],
            check=True, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
        )  # fmt: skip
    processes.spawn(
        layout.processes / RECORD,
        [
            str(_SERVER), "--no-defaults", "--user=root", f"--datadir={data}", f"--socket={socket(layout)}",
            f"--pid-file={data}/pid", "--skip-networking", "--max-connections=300", "--innodb-buffer-pool-size=256M",
            # As SQLite in the lab: a commit does not wait for the disk.
            "--innodb-flush-log-at-trx-commit=2",
        ],
        log,
        {"PATH": processes.SYSTEM_PATH, "LANG": "C.UTF-8"},
    )  # fmt: skip
    deadline = time.monotonic() + _SECONDS
    while not socket(layout).exists():
        if time.monotonic() > deadline:
            raise LabError(f"MariaDB does not answer after {_SECONDS:.0f} s")
        time.sleep(0.05)
    connection = connect(layout)
    for name in names:
        connection.cursor().execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    connection.close()


def connect(layout: Layout, name: str | None = None):
    """A connection as Python's database API has it."""
    import pymysql

    return pymysql.connect(unix_socket=str(socket(layout)), user="root", database=name)
