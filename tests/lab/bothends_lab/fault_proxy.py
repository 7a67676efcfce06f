# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A proxy between a client and the networking API that lets chosen requests go wrong, on either side of the server.

with FaultProxy(upstream) as proxy:
    proxy.arm("reset after", at=3, writes=True)    # the third write is done, and its answer is lost
    ...                                            # a client that uses proxy.url
    proxy.calls                                    # what it asked, and where the fault was
"""

from __future__ import annotations

import contextlib
import dataclasses
import http.client
import http.server
import os
import queue
import signal
import socket
import struct
import threading
import urllib.parse
from collections.abc import Iterator
from typing import NamedTuple

TIMEOUT = 90.0


class Answer(NamedTuple):
    """What the client gets instead of the server's answer."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


class Fault(NamedTuple):
    """Whether the request reaches the server, and what then becomes of its answer."""

    arrives: bool
    end: str | Answer  # reset: the connection breaks; hang: nothing comes; kill: the client is no more


_HTML = b"<html><h1>Something went wrong</h1></html>"
FAULTS = {
    "reset before": Fault(False, "reset"),
    "reset after": Fault(True, "reset"),
    "hang before": Fault(False, "hang"),
    "hang after": Fault(True, "hang"),
    "kill before": Fault(False, "kill"),
    "kill after": Fault(True, "kill"),
    "401 before": Fault(False, Answer(401, b'{"error": {"message": "expired", "code": 401, "title": "Unauthorized"}}')),
    "429 before": Fault(False, Answer(429, _HTML)),
    "500 before": Fault(False, Answer(500, _HTML)),
    "500 after": Fault(True, Answer(500, _HTML)),
    "502 before": Fault(False, Answer(502, _HTML)),
    "502 after": Fault(True, Answer(502, _HTML)),
    "503 before": Fault(False, Answer(503, _HTML)),
    "503 after": Fault(True, Answer(503, _HTML)),
    "broken after": Fault(True, Answer(200, b'{"half an object": {"id": "1')),
}


@dataclasses.dataclass
class Call:
    """One request that came to the proxy."""

    method: str
    path: str
    fault: str | None = None
    status: int = 0  # what the server said, whatever the client got; 0 where it was not asked

    @property
    def is_write(self) -> bool:
        return self.method not in ("GET", "HEAD")


class FaultProxy:
    """Serves on 127.0.0.1 while its ``with`` lasts."""

    def __init__(self, upstream: str) -> None:
        self._upstream = urllib.parse.urlsplit(upstream)
        self.calls: list[Call] = []
        self._lock = threading.Lock()
        self._at_the_server = 0
        self._quiet = threading.Condition(self._lock)
        self._stop = threading.Event()
        self._victim: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._fault, self._at, self._writes = "", 0, False
        self._seen: set[tuple[str, str, bytes]] = set()
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # head and body in one packet: two of them wait for an acknowledgement

            def _serve(self) -> None:
                proxy._serve(self)

            do_GET = do_POST = do_PUT = do_DELETE = _serve

            def log_message(self, format: str, *args: object) -> None:
                """Says nothing."""

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: object, client_address: object) -> None:
                """A client that goes away in mid-request is what this is for."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}{self._upstream.path.rstrip('/')}"

    def __enter__(self) -> FaultProxy:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._server.shutdown()
        self._server.server_close()

    def arm(self, fault: str = "", *, at: int = 0, writes: bool = False) -> None:
        """Forgets all calls. The fault hits call number ``at`` (of the writes); without ``at`` each request that is new."""
        with self._lock:
            self._fault, self._at, self._writes = fault, at, writes
            self.calls.clear()
            self._seen.clear()
            self._victim = queue.SimpleQueue()

    @contextlib.contextmanager
    def armed(self, fault: str = "", *, at: int = 0, writes: bool = False) -> Iterator[None]:
        """As ``arm``, for the body of a ``with``."""
        self.arm(fault, at=at, writes=writes)
        try:
            yield
        finally:
            with self._lock:
                self._fault = ""

    def kill(self, pid: int) -> None:
        """Says which process is the client that "kill" ends; the request waits until this is said."""
        self._victim.put(pid)

    def wait_until_quiet(self) -> None:
        """Waits until the server has done all that came so far: what a client had on the way when it ended is done without it."""
        with self._quiet:
            assert self._quiet.wait_for(lambda: not self._at_the_server, TIMEOUT)

    @property
    def hits(self) -> list[Call]:
        """The calls that the fault hit."""
        return [call for call in self.calls if call.fault]

    @property
    def writes(self) -> list[Call]:
        """The calls that wanted to change something."""
        return [call for call in self.calls if call.is_write]

    @property
    def changes(self) -> list[Call]:
        """The writes that the server took: one that is still busy with an object refuses, and is asked again."""
        return [call for call in self.writes if 200 <= call.status < 300]

    def _choose(self, method: str, path: str, body: bytes) -> tuple[Call, Fault | None]:
        call = Call(method, path)
        with self._lock:
            counts = call.is_write or not self._writes
            if self._at:
                hit = counts and sum(one.is_write or not self._writes for one in self.calls) + 1 == self._at
            else:
                hit = counts and (method, path, body) not in self._seen
            self._seen.add((method, path, body))
            call.fault = self._fault if hit and self._fault else None
            self.calls.append(call)
            return call, FAULTS[call.fault] if call.fault else None

    def _serve(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        call, fault = self._choose(handler.command, handler.path, body)
        if not fault or fault.arrives:
            answer = self._forward(handler, body)
            call.status = answer.status
        if not fault:
            _send(handler, answer)
            return
        if isinstance(fault.end, Answer):
            _send(handler, fault.end)
            return
        if fault.end == "kill":
            os.kill(self._victim.get(timeout=TIMEOUT), signal.SIGKILL)
        elif fault.end == "hang":
            self._stop.wait(TIMEOUT)
        _reset(handler)

    def _forward(self, handler: http.server.BaseHTTPRequestHandler, body: bytes) -> Answer:
        with self._quiet:
            self._at_the_server += 1
        try:
            return self._asked(handler, body)
        finally:
            with self._quiet:
                self._at_the_server -= 1
                self._quiet.notify_all()

    def _asked(self, handler: http.server.BaseHTTPRequestHandler, body: bytes) -> Answer:
        server = http.client.HTTPConnection(self._upstream.netloc, timeout=TIMEOUT)
        try:
            headers = {
                name: value for name, value in handler.headers.items() if name.lower() not in ("host", "connection")
            }
            server.request(handler.command, handler.path, body or None, headers)
            answer = server.getresponse()
            kept = [
                (name, value) for name, value in answer.getheaders() if name.lower() in ("content-type", "retry-after")
            ]
            return Answer(answer.status, answer.read(), tuple(kept))
        finally:
            server.close()


def _send(handler: http.server.BaseHTTPRequestHandler, answer: Answer) -> None:
    handler.send_response(answer.status)
    for name, value in (*answer.headers, ("Content-Length", str(len(answer.body)))):
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(answer.body)


def _reset(handler: http.server.BaseHTTPRequestHandler) -> None:
    """Breaks the connection with a RST, as a server does that dies."""
    handler.close_connection = True
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.rfile.close()
    handler.connection.close()
