#!/usr/bin/env bash
# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# dist.sh DIRECTORY: build the collection there, check that nothing of the development is in it, and install it.
set -euo pipefail
directory=$1
rm -rf "$directory"
ansible-galaxy collection build --output-path "$directory"
tarball=$(echo "$directory"/*.tar.gz)
shipped=$(tar -tzf "$tarball" | grep -v '/$' | sort)

# Only what git knows, and of the top level only a collection's own rooms
unknown=$(comm -23 <(grep -vxE 'MANIFEST\.json|FILES\.json' <<<"$shipped") <(git ls-files -co --exclude-standard | sort))
foreign=$(grep -vE '^((changelogs|docs|examples|extensions|meta|playbooks|plugins|roles|tests/(integration|unit))/|[A-Z][^/]*$)' <<<"$shipped" || true)
if [[ -n $unknown$foreign ]]; then
    printf 'Must not be in %s (see build_ignore in galaxy.yml):\n%s\n' "$tarball" "$(sort -u <<<"$unknown"$'\n'"$foreign")" >&2
    exit 1
fi

export ANSIBLE_COLLECTIONS_PATH=$directory/installed
mkdir "$ANSIBLE_COLLECTIONS_PATH"
ansible-galaxy collection install --offline --no-deps --collections-path "$ANSIBLE_COLLECTIONS_PATH" "$tarball"
modules=$(ansible-doc --list --type module bothends.vpn)
if [[ -z $modules ]]; then
    echo "The installed collection shows no module" >&2
    exit 1
fi
echo "$modules"
echo "$(wc -l <<<"$shipped") files, $(stat -c %s "$tarball") bytes"
