# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fills in the configuration files of keystone and neutron."""

from __future__ import annotations

from pathlib import Path
from string import Template

from ..layout import NAME, SOURCE, Layout
from ..processes import SYSTEM_PATH


def write(layout: Layout, service: str, directory: Path, **values: str) -> Path:
    """Writes `etc/SERVICE.conf`, filled in, into a directory that is also the service's own; returns the file."""
    template = Template((SOURCE / "etc" / f"{service}.conf").read_text())
    path = directory / f"{service}.conf"
    path.touch(mode=0o600)
    path.write_text(template.substitute(directory=directory, source=SOURCE, venv=layout.venv, **values))
    return path


def environment(layout: Layout) -> dict[str, str]:
    """The environment of the lab's own Python processes: none of the user's settings reach them."""
    return {
        "PATH": f"{layout.venv}/bin:{SYSTEM_PATH}",
        "PYTHONPATH": str(SOURCE),
        NAME: layout.name,
        "PYTHONWARNINGS": "ignore",
        # Stevedore writes what it found into a cache there.
        "XDG_CACHE_HOME": str(layout.state / "xdg"),
        "HOME": str(layout.run),
        "LANG": "C.UTF-8",
    }
