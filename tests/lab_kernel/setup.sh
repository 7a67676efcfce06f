#!/usr/bin/env bash
# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Makes ready what the tests with a kernel of their own need: Debian packages (packages.txt) and, in
# .cache/lab_kernel/root, the files of a Debian with libreswan (guest-packages.txt), which cannot be installed beside
# strongSwan. Does nothing, quickly, when all of it is there.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=$(cd "$here/../.." && pwd)/.cache/lab_kernel
log=$cache/setup.log

fail() {
    printf 'kernel lab setup: %s; the end of %s:\n' "$*" "$log" >&2
    tail -n 15 "$log" >&2
    exit 1
}

mkdir -p "$cache"
missing=()
while read -r package; do
    dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done <"$here/packages.txt"
if ((${#missing[@]})); then
    {
        apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"
    } >"$log" 2>&1 </dev/null || fail "as root, the Debian packages ${missing[*]} could not be installed"
fi

wanted=$(cat "$here/guest-packages.txt" "${BASH_SOURCE[0]}" | sha256sum)
if [[ ! -f $cache/root.sha256 || $(<"$cache/root.sha256") != "$wanted" ]]; then
    echo "kernel lab setup: making a Debian with libreswan (1 to 2 minutes)" >&2
    rm -rf "$cache/root" "$cache/root.sha256"
    mmdebstrap --variant=minbase --include="$(paste -sd, "$here/guest-packages.txt")" bookworm "$cache/root" \
        >"$log" 2>&1 </dev/null || fail "the guest's files could not be made"
    printf '%s\n' "$wanted" >"$cache/root.sha256"
fi
