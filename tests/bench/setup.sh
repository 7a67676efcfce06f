#!/usr/bin/env bash
# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Makes ready what the benchmarks need besides the lab: MariaDB's programs (packages.txt; no service), its Python client, and
# the collection ansible.utils (collections.txt), out of the package that carries it.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=$(cd "$here/../.." && pwd)/.cache/lab
bench=${cache%/*}/bench
log=$cache/log/bench-setup.log
mkdir -p "$cache/log"

quietly() {
    "$@" >"$log" 2>&1 </dev/null || {
        printf 'bench setup: failed: %s; the end of %s:\n' "$*" "$log" >&2
        tail -n 15 "$log" >&2
        exit 1
    }
}

for package in $(<"$here/packages.txt"); do
    if ! dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed; then
        quietly apt-get update
        DEBIAN_FRONTEND=noninteractive quietly apt-get install -y --no-install-recommends "$package"
    fi
done
quietly "$cache/venv/bin/python" -m pip install --no-deps --requirement "$here/requirements.txt"

take_utils='
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel:
    wheel.extractall(sys.argv[2], [name for name in wheel.namelist() if name.startswith("ansible_collections/ansible/utils/")])
'
if ! cmp -s "$here/collections.txt" "$bench/collections.txt"; then
    rm -rf "$bench/collections" "$bench/wheels"
    quietly "$cache/venv/bin/python" -m pip download --no-deps --dest "$bench/wheels" --requirement "$here/collections.txt"
    quietly "$cache/venv/bin/python" -c "$take_utils" "$bench"/wheels/*.whl "$bench/collections"
    rm -r "$bench/wheels"
    cp "$here/collections.txt" "$bench/collections.txt"
fi
