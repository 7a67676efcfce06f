# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WSGI middleware: one line a request, `METHOD path status milliseconds project`.

Tests prove from it what was asked and that nothing was written. Neither bodies nor queries: both can hold a PSK.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any
from urllib.parse import quote


class ApiLog:
    """Writes each line before the answer is sent, so that a client that has its answer finds its line."""

    def __init__(self, application: Any, path: Path) -> None:
        self._application = application
        self._file = path.open("a", buffering=1)

    def __call__(self, environ, start_response):
        begin = time.monotonic()
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        status = "500"  # what the client gets if no answer is begun

        def remember(line, headers, *error):
            nonlocal status
            status = line.split()[0]
            return start_response(line, headers, *error)

        try:
            return self._application(environ, remember)
        finally:
            milliseconds = round((time.monotonic() - begin) * 1000)
            project = environ.get("HTTP_X_PROJECT_NAME", "-")
            self._file.write(f"{method} {quote(path)} {status} {milliseconds} {project}\n")
