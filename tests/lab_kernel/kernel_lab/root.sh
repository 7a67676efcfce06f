#!/usr/bin/env bash
# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Lays a writable layer in memory over a root's files, puts files into it and runs a command with the path as $root.
# Everything is gone with the mount namespace that this runs in.
#
# usage: root.sh ROOT SCRATCH FILES COMMAND...
#   SCRATCH  an empty directory
#   FILES    what is to be added, laid out as under /
set -euo pipefail

lower=$1 scratch=$2 files=$3
shift 3
mount -t tmpfs -o mode=0755 lab "$scratch"
mkdir "$scratch/upper" "$scratch/work" "$scratch/root"
root=$scratch/root
mount -t overlay lab "$root" -o "lowerdir=$lower,upperdir=$scratch/upper,workdir=$scratch/work"
tar -c -C "$files" --owner=0 --group=0 . | tar -x -C "$root" -p --no-overwrite-dir
mkdir -p "$root/lib/modules"
mount --bind /usr/lib/uml/modules "$root/lib/modules"
export root
exec "$@"
