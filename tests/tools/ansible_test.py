# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run ansible-test in a copy of the checkout that lies where it wants it, and fail when it tested nothing.

Usage: ansible_test.py sanity|units|integration [ARGUMENTS...], by the virtual environment's Python.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
CACHE = CHECKOUT / ".cache"
COPY = CACHE / "copy/ansible_collections/bothends/vpn"
HOME = CACHE / "home"
PYTHON_VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"

# ansible-test downloads pip's own installer from a host of the Ansible project. This stands in for it, with the pip
# that is here and the package index that pip is configured for.
GET_PIP = """import subprocess, sys
packages = [word for word in sys.argv[1:] if word not in ("--no-setuptools", "--no-wheel")]
sys.exit(subprocess.call([{python!r}, "-m", "pip", "--python", sys.executable, "install", "-qq", *packages]))
"""
PIP_OPTIONS = ("index-url", "extra-index-url", "find-links", "trusted-host", "cert", "proxy", "timeout")


def output_of(*command: str, cwd: Path = CHECKOUT) -> str:
    """Return what a command prints."""
    return subprocess.run(command, cwd=cwd, check=True, stdout=subprocess.PIPE, text=True).stdout


def make_copy() -> None:
    """Copy the files that git knows or would add; a git repository, else ansible-test sees only ignored files."""
    shutil.rmtree(COPY, ignore_errors=True)
    COPY.mkdir(parents=True)
    for name in output_of("git", "ls-files", "-coz", "--exclude-standard").split("\0"):
        source = CHECKOUT / name
        if name and (source.is_symlink() or source.is_file()):
            (COPY / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, COPY / name, follow_symlinks=False)
    output_of("git", "init", "--quiet", cwd=COPY)
    output_of("git", "add", "--all", cwd=COPY)


def make_home() -> None:
    """Prepare the home directory that ansible-test keeps its environments in; it passes on no PIP_* variables."""
    package = Path(output_of(sys.executable, "-c", "import ansible_test; print(ansible_test.__path__[0])").strip())
    source = (package / "_internal/python_requirements.py").read_text()
    versions = set(re.findall(r"""\bpip=['"]([0-9.]+)['"]""", source))
    if not versions:
        sys.exit("ansible-test does not say which pip it wants any more: adapt tests/tools/ansible_test.py")
    installers = HOME / ".ansible/test/cache"
    installers.mkdir(parents=True, exist_ok=True)
    for version in versions:
        name = f"get_pip_{version.replace('.', '_')}.py"
        (installers / name).write_text(GET_PIP.format(python=sys.executable))

    options = {"quiet": "2"}
    if "PIP_NO_CACHE_DIR" not in os.environ:
        options["cache-dir"] = output_of(sys.executable, "-m", "pip", "cache", "dir").strip()
    for line in output_of(sys.executable, "-m", "pip", "config", "list").splitlines():
        name, value = line.split("=", 1)
        if (option := name.rpartition(".")[2]) in PIP_OPTIONS:
            options[option] = ast.literal_eval(value).replace("\n", " ")
    settings = HOME / ".config/pip/pip.conf"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text("[global]\n" + "".join(f"{name} = {value}\n" for name, value in options.items()))


def run(command: str, arguments: list[str]) -> int:
    """Run ansible-test, show and keep its output, and return its exit code."""
    log = CACHE / f"log/ansible-test-{command}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    words = ["ansible-test", command, "--python", PYTHON_VERSION, "--color", "no", *arguments]
    environment = os.environ | {"HOME": str(HOME)}
    with (
        log.open("w") as kept,
        subprocess.Popen(
            words, cwd=COPY, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process,
    ):
        assert process.stdout
        for line in process.stdout:
            print(line, end="", flush=True)
            kept.write(line)
    return process.returncode


def reports(command: str) -> list[Path]:
    """Keep ansible-test's reports for the summary of `make test`, by the part's name."""
    kept = CACHE / "reports" / {"units": "ansible-units"}.get(command, command)
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(parents=True)
    return [Path(shutil.copy2(report, kept)) for report in (COPY / "tests/output/junit").glob("*.xml")]


def main() -> None:
    """Run one of ansible-test's commands."""
    command, *arguments = sys.argv[1:]
    make_copy()
    make_home()
    status = run(command, arguments)
    cases = sum(len(ET.parse(report).findall(".//testcase")) for report in reports(command))
    if not status and not cases:
        sys.exit(f"ansible-test {command} ended well but tested nothing")
    sys.exit(status)


if __name__ == "__main__":
    main()
