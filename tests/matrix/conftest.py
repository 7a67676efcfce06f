# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the tests run the commands of the ansible-core that they run on."""

from __future__ import annotations

import os
import subprocess
import typing as t
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class Done(t.NamedTuple):
    """How a command ended, and all that it said."""

    status: int
    output: str


def run(*command: str | Path, **environment: str) -> Done:
    """Run a command of the ansible-core that these tests run on."""
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "ANSIBLE_NOCOLOR": "1", **environment}, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=200, check=False,
    )  # fmt: skip
    return Done(done.returncode, done.stdout)
