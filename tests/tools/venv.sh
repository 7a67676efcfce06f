#!/usr/bin/env bash
# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# venv.sh DIRECTORY PIP-ARGUMENTS...: make a virtual environment and install into it. PYTHON chooses the interpreter.
# What Debian's Python lacks for it is installed when run as root, else named.
set -euo pipefail
directory=$1
shift
rm -rf "$directory" # first: its Python may be the one on PATH

python=${PYTHON-}
for candidate in python3.11 python3.12 python3.13 python3; do
    [[ -z $python ]] || break
    if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
        python=$candidate
    fi
done
if ! command -v "$python" >/dev/null; then
    echo "${python:-Python 3.11, 3.12 or 3.13} not found. On Debian 12, as root: apt-get install python3-venv" >&2
    exit 1
fi

missing=()
"$python" -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
command -v git >/dev/null || missing+=(git)
if ((${#missing[@]})); then
    if ((EUID)) || ! command -v apt-get >/dev/null; then
        echo "Missing: ${missing[*]}. On Debian 12, as root: apt-get install ${missing[*]}" >&2
        exit 1
    fi
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends "${missing[@]}" >&2
fi

"$python" -m venv "$directory"
"$directory/bin/python" -m pip install -qq --disable-pip-version-check "$@"
