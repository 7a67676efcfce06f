# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows on stderr what is being done, a line a step, and names the log when a step fails."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import LabError

TAIL_LINES = 15


def say(text: str) -> None:
    """Writes one line for the user; stdout stays free for what a shell evaluates."""
    print(f"lab: {text}", file=sys.stderr, flush=True)


def tail(log: Path, lines: int = TAIL_LINES) -> str:
    """Returns the last lines of a log, indented."""
    try:
        text = log.read_text(errors="replace")
    except OSError as error:
        return f"    ({error})"
    return "\n".join("    " + line for line in text.splitlines()[-lines:]) or "    (empty)"


@contextmanager
def step(what: str, log: Path) -> Iterator[None]:
    """One step of a start or stop. Its failure carries the step, the log's path and the log's end."""
    begin = time.monotonic()
    try:
        yield
    except Exception as error:
        raise LabError(f"failed: {what}: {error}\n  log: {log}\n{tail(log)}") from error
    say(f"{time.monotonic() - begin:5.1f} s  {what}")
