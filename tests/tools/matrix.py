# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the quick tests on the oldest ansible-core that the collection supports and on the newest that a Python here takes.

All other parts of `make test` run on the one in .venv; of the quick tests it gets those that the other parts do not have.
Usage: matrix.py [PYTEST-ARGUMENTS...], by the virtual environment's Python, with the collection on the path.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import typing as t
from pathlib import Path

import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
CACHE = CHECKOUT / ".cache/matrix"
REPORTS = CHECKOUT / ".cache/reports/matrix"
REQUIREMENTS = [CHECKOUT / f"tests/requirements/{name}.txt" for name in ("run", "units")]
CONSTRAINTS = CHECKOUT / "tests/requirements/constraints.txt"
STEP, VENV = (CHECKOUT / f"tests/tools/{name}.sh" for name in ("step", "venv"))

PLAYBOOKS = "tests/matrix"
# What another ansible-core may do otherwise: plugins, modules, the validation of options, the masking of keys.
UNITS = [
    f"tests/unit/plugins/{name}"
    for name in ("action", "filter", "test",
                 *(f"module_utils/test_{name}.py" for name in ("description", "hub_info", "scale", "secrets", "single_run")))
]  # fmt: skip
# What ansible-core itself narrows down differs between its releases.
NOT_CONSTRAINED = ("ansible-core", "resolvelib")


class Python(t.NamedTuple):
    """An interpreter; the newest is the greatest."""

    version: tuple[int, int]
    path: str

    @property
    def name(self) -> str:
        """The version as people write it."""
        return ".".join(map(str, self.version))


class Run(t.NamedTuple):
    """One column of the matrix: which Python, with which ansible-core, runs which tests."""

    core: str
    python: str
    tests: tuple[str, ...]


def version_of(python: str) -> tuple[int, int] | None:
    """Ask an interpreter for its version; a shim of pyenv may be there without one behind it."""
    script = "import ensurepip, sys, venv; print(*sys.version_info[:2])"
    done = subprocess.run([python, "-c", script], capture_output=True, text=True, check=False)
    return t.cast("tuple[int, int]", tuple(map(int, done.stdout.split()))) if done.returncode == 0 else None


def pythons() -> t.Iterator[Python]:
    """Find the interpreters on PATH, those of pyenv, and the one that made the virtual environment."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    on_path = (
        shutil.which(f"python3.{minor}", path=directory) for directory in os.get_exec_path() for minor in range(11, 20)
    )
    base = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"
    for path in filter(None, (*on_path, *map(str, pyenv.glob("versions/3.*/bin/python3")), str(base))):
        inside_venv = Path(path).parent == Path(sys.executable).parent
        if not inside_venv and Path(path).exists() and (version := version_of(path)):
            yield Python(version, path)


def newest(python: Python, requirement: str) -> str:
    """Ask the package index for the newest release that a Python takes; once, so that a second run needs no network."""
    kept = CACHE / f"{requirement}-for-{python.name}.txt"
    if not kept.exists():
        command = [sys.executable, "-m", "pip", "--python", python.path, "install", "--dry-run", "--ignore-installed",
                   "--no-deps", "--quiet", "--report", "-", requirement]  # fmt: skip
        report = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
        kept.write_text(report["install"][0]["metadata"]["version"])
    return kept.read_text()


def environment(python: Python, core: str) -> str:
    """Make a virtual environment with an ansible-core, unless it is there; give its interpreter."""
    constraints = "".join(
        line
        for line in CONSTRAINTS.read_text().splitlines(keepends=True)
        if line.partition("==")[0] not in NOT_CONSTRAINED
    )
    content = "\n".join(
        [constraints, *(path.read_text() for path in REQUIREMENTS), VENV.read_text(), *map(str, python), core]
    )
    name = f"{core}-{hashlib.sha256(content.encode()).hexdigest()[:12]}"
    directory, made = CACHE / name, CACHE / f"{name}.made"
    if not made.exists():
        shared = CACHE / f"{name}.txt"
        shared.write_text(constraints)
        requirements = [word for path in REQUIREMENTS for word in ("-r", str(path))]
        subprocess.run(
            [STEP, f"matrix: ansible-core {core} for Python {python.name}", VENV, directory, f"ansible-core=={core}",
             *requirements, "-c", shared],
            env={**os.environ, "PYTHON": python.path}, check=True,
        )  # fmt: skip
        made.touch()
    return str(directory / "bin/python")


def minor(core: str) -> str:
    """Give the release without its last number: 2.19 of 2.19.14."""
    return ".".join(core.split(".")[:2])


def runs() -> t.Iterator[Run]:
    """Give what has to run: the oldest ansible-core, the one that all parts run on, the newest."""
    here = importlib.metadata.version("ansible-core")
    found = list(pythons())
    [own] = [python for python in found if python.version == sys.version_info[:2]][:1]
    wanted = yaml.safe_load((CHECKOUT / "meta/runtime.yml").read_text())["requires_ansible"]
    oldest = newest(own, f"ansible-core~={wanted.removeprefix('>=')}")
    if minor(oldest) != minor(here):
        yield Run(oldest, environment(own, oldest), (*UNITS, PLAYBOOKS))
    yield Run(here, sys.executable, (PLAYBOOKS,))
    latest = newest(max(found), "ansible-core")
    if minor(latest) == minor(here):
        print(f"The newest Python here is {max(found).name}, and the newest ansible-core that it "
              f"takes is {minor(latest)}, which all other parts run on.", flush=True)  # fmt: skip
    else:
        yield Run(latest, environment(max(found), latest), (*UNITS, PLAYBOOKS))


def run(one: Run, arguments: list[str]) -> int:
    """Run the tests on one ansible-core; give the exit code."""
    paths = {
        "PATH": f"{Path(one.python).parent}:{os.environ['PATH']}",
        "PYTHONPATH": os.environ["ANSIBLE_COLLECTIONS_PATH"],
        "HOME": str(CHECKOUT / ".cache/home"),
        "ANSIBLE_HOME": str(CACHE / f"home-{one.core}"),
        "ANSIBLE_LOCAL_TEMP": str(CACHE / f"home-{one.core}/tmp"),
        "MATRIX_CORE": one.core,
    }
    command = [one.python, "-m", "pytest", "-n", "auto", "--quiet", f"--junitxml={REPORTS / one.core}.xml", *one.tests]
    return subprocess.run(
        [STEP, f"matrix: ansible-core {one.core}", *command, *arguments],
        cwd=CHECKOUT, env=os.environ | paths, check=False,
    ).returncode  # fmt: skip


def main() -> None:
    """Run all of them, also after one that failed."""
    CACHE.mkdir(parents=True, exist_ok=True)
    failed = [one.core for one in runs() if run(one, sys.argv[1:])]
    if failed:
        sys.exit(f"failed on ansible-core {', '.join(failed)}")


if __name__ == "__main__":
    main()
