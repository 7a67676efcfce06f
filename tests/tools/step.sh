#!/usr/bin/env bash
# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# step.sh NAME COMMAND...: run one command under a heading with the time, and name the step when it fails.
# Headings go to stderr, so that stdout stays the command's own.
set -uo pipefail
name=$1
shift
printf '== %(%H:%M:%S)T %s\n' -1 "$name" >&2
SECONDS=0
"$@"
status=$?
if ((status)); then
    printf '== FAILED: %s (exit code %d after %d s): %s\n' "$name" "$status" "$SECONDS" "$*" >&2
elif ((SECONDS > 1)); then
    printf '== %(%H:%M:%S)T %s: ok, %d s\n' -1 "$name" "$SECONDS" >&2
fi
[[ -z ${STEPS_FILE-} ]] || printf '%d\t%d\t%s\n' "$status" "$SECONDS" "$name" >>"$STEPS_FILE"
exit "$status"
