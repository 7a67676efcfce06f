# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault proxy does what it says: what arrives at the server, what comes back, and which request it hits."""

from __future__ import annotations

import http.client
import http.server
import multiprocessing
import signal
import threading

import pytest

from bothends_lab.fault_proxy import FAULTS, Answer, FaultProxy


@pytest.fixture
def served():
    """What arrives at a server, and a proxy before it."""
    arrived = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            arrived.append((self.command, self.path, body, self.headers.get("X-Auth-Token")))
            self.send_response(201)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        do_GET = do_POST = answer

        def log_message(self, *_args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    with FaultProxy(f"http://127.0.0.1:{server.server_port}/v2.0") as proxy:
        yield proxy, arrived
    server.shutdown()
    server.server_close()


def ask(proxy, method="GET", path="/things?a=b", body=None, timeout=0.5):
    """Send one request; gives status and body, or the name of the exception."""
    base = proxy.url.removeprefix("http://")
    host, _slash, prefix = base.partition("/")
    client = http.client.HTTPConnection(host, timeout=timeout)
    try:
        client.request(method, f"/{prefix}{path}", body, {"X-Auth-Token": "t"})
        answer = client.getresponse()
        return answer.status, answer.read()
    except OSError as error:
        return type(error).__name__, b""
    finally:
        client.close()


def test_without_a_fault_it_is_not_there(served):
    proxy, arrived = served
    assert ask(proxy, "POST", body=b"x") == (201, b"{}")
    assert arrived == [("POST", "/v2.0/things?a=b", b"x", "t")]
    assert [(call.method, call.path, call.fault) for call in proxy.calls] == [("POST", "/v2.0/things?a=b", None)]


@pytest.mark.parametrize("name", [name for name, fault in FAULTS.items() if fault.end != "kill"])
def test_each_fault(served, name):
    proxy, arrived = served
    fault = FAULTS[name]
    proxy.arm(name, at=2)
    assert ask(proxy)[0] == 201
    status, body = ask(proxy)
    if isinstance(fault.end, Answer):
        assert (status, body) == fault.end[:2]
    else:
        assert status == {"reset": "ConnectionResetError", "hang": "TimeoutError"}[fault.end]
    assert ask(proxy)[0] == 201
    assert len(arrived) == (3 if fault.arrives else 2)
    assert [call.fault for call in proxy.calls] == [None, name, None]


def test_it_waits_for_what_is_on_the_way(served, monkeypatch):
    proxy, _arrived = served
    entered, go, order, asked = threading.Event(), threading.Event(), [], proxy._asked

    def slow(*request):
        entered.set()
        assert go.wait(5)
        return asked(*request)

    def wait():
        proxy.wait_until_quiet()
        order.append("quiet")

    monkeypatch.setattr(proxy, "_asked", slow)
    threads = [threading.Thread(target=ask, args=(proxy, "POST"), kwargs={"timeout": 5}), threading.Thread(target=wait)]
    threads[0].start()
    assert entered.wait(5)
    threads[1].start()
    threads[1].join(0.1)
    order.append("answered")
    go.set()
    for thread in threads:
        thread.join()
    assert order == ["answered", "quiet"]


def test_only_writes_are_counted_where_that_is_asked(served):
    proxy, _arrived = served
    proxy.arm("500 before", at=2, writes=True)
    assert [ask(proxy, method)[0] for method in ("GET", "POST", "GET", "POST", "POST")] == [201, 201, 201, 500, 201]
    assert (len(proxy.hits), len(proxy.writes), len(proxy.changes)) == (1, 3, 2)


def test_each_new_request_is_hit_once(served):
    proxy, _arrived = served
    with proxy.armed("500 before"):
        first = [ask(proxy, "POST", body=body)[0] for body in (b"a", b"a", b"b", b"b")]
        assert [*first, ask(proxy)[0], ask(proxy)[0], ask(proxy, path="/more")[0]] == [
            500,
            201,
            500,
            201,
            500,
            201,
            500,
        ]
    assert ask(proxy, path="/even-more")[0] == 201, "no longer armed"


@pytest.mark.parametrize(("name", "arrives"), [("kill before", False), ("kill after", True)])
def test_the_client_is_killed(served, name, arrives):
    proxy, arrived = served
    with proxy.armed(name, at=1):
        child = multiprocessing.get_context("fork").Process(target=ask, args=(proxy,), kwargs={"timeout": 30})
        child.start()
        proxy.kill(child.pid)
        child.join(10)
    assert child.exitcode == -signal.SIGKILL
    assert len(arrived) == arrives
