# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A continuous ping: how many answers were missing while something else happened, and for how long."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from .errors import LabError
from .processes import Process, children

_BEGIN_SECONDS = 10.0
# How late an answer may be that still counts: under load a round trip takes its time.
_GRACE_SECONDS = 1.0
# `[1700000000.123456] 64 bytes from ...: icmp_seq=7 ttl=63 time=0.4 ms`, or `no answer yet for icmp_seq=7`, or an error.
_LINE = re.compile(r"^\[(?P<time>\d+\.\d+)\] (?P<answer>\d+ bytes )?.*\bicmp_seq=(?P<number>\d+)", re.MULTILINE)


@dataclass(frozen=True)
class Heard:
    """What ping has written: the number of the last ping that it spoke of, and when each answer came first."""

    last: int = 0
    answers: dict[int, float] = field(default_factory=dict)


def heard(text: str) -> Heard:
    """Reads what `ping -D -O` has written so far."""
    last, answers = 0, {}
    for line in _LINE.finditer(text):
        number = int(line["number"])
        last = max(last, number)
        if line["answer"]:
            answers.setdefault(number, float(line["time"]))
    return Heard(last, answers)


def longest_silence(begin: float, end: float, answers: Sequence[float]) -> float:
    """The longest time between one answer and the next; begin and end count as answers."""
    times = sorted([begin, *(moment for moment in answers if begin < moment < end), end])
    return max(later - earlier for earlier, later in pairwise(times))


class Flow:
    """A ping that runs while the body of a `with` does; after it, what came back.

    Counted is what was sent before the body ended, with answers that came up to a second after that.
    """

    sent: int
    received: int
    longest_gap: float  # milliseconds without an answer

    def __init__(self, argv: Sequence[str]) -> None:
        self._argv = argv

    @property
    def lost(self) -> int:
        return self.sent - self.received

    def __str__(self) -> str:
        return f"{self.lost} of {self.sent} lost, longest gap {self.longest_gap:.0f} ms"

    def __enter__(self) -> Flow:
        # A file and not a pipe: nobody reads while the body runs.
        self._output = tempfile.TemporaryFile()
        self._process = subprocess.Popen(self._argv, stdin=subprocess.DEVNULL, stdout=self._output, stderr=self._output)
        deadline = time.monotonic() + _BEGIN_SECONDS
        while not heard(self._text()).last:
            if self._process.poll() is not None or time.monotonic() > deadline:
                text = self._end()
                raise LabError(f"`{' '.join(self._argv)}` does not begin: {text.strip()}")
            time.sleep(0.01)
        self._begin = time.time()
        return self

    def __exit__(self, *error: object) -> None:
        end, self.sent = time.time(), heard(self._text()).last
        time.sleep(_GRACE_SECONDS)
        ended = self._process.poll()
        text = self._end()
        if ended is not None and error[0] is None:
            raise LabError(f"`{' '.join(self._argv)}` ended by itself with {ended}: {text[-300:].strip()}")
        answers = {number: moment for number, moment in heard(text).answers.items() if number <= self.sent}
        self.received = len(answers)
        self.longest_gap = 1000 * longest_silence(self._begin, end, list(answers.values()))

    def _text(self) -> str:
        return os.pread(self._output.fileno(), os.fstat(self._output.fileno()).st_size, 0).decode(errors="replace")

    def _end(self) -> str:
        """Ends ping, and what brought it into its host; returns all that it wrote."""
        # Only ping itself: whoever started it in the host then ends too, having reaped it.
        for process in filter(None, map(Process.of, children(self._process.pid))):
            process.signal(signal.SIGKILL)
        self._process.wait()
        text = self._text()
        self._output.close()
        return text
