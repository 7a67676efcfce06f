# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bare HTTP client: one token, connections that stay open, and exactly the requests that it is told.

`bare.py lists` reads the lists, `bare.py writes` sends the recorded writes, batch after batch; nothing is checked, compared
or retried. It knows nothing of this collection and imports only Python's own library.
"""

from __future__ import annotations

import http.client
import json
import os
import sys
import threading
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from typing import Any


class Client:
    """One token; one connection for each thread."""

    def __init__(self, auth: dict[str, str]) -> None:
        self.token, self.local = "", threading.local()
        self.host, path = self._parts(auth["auth_url"])
        user = {"name": auth["username"], "password": auth["password"], "domain": {"name": auth["user_domain_name"]}}
        project = {"name": auth["project_name"], "domain": {"name": auth["project_domain_name"]}}
        body = {
            "auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": {"project": project}}
        }
        headers, answer = self.send("POST", f"{path}/auth/tokens", body)
        self.token, self.local = headers["X-Subject-Token"], threading.local()
        network = next(one for one in answer["token"]["catalog"] if one["type"] == "network")
        self.host, path = self._parts(network["endpoints"][0]["url"])
        self.base = f"{path}/v2.0"

    @staticmethod
    def _parts(url: str) -> tuple[str, str]:
        parts = urllib.parse.urlsplit(url)
        return parts.netloc, parts.path.rstrip("/")

    def send(self, method: str, path: str, body: Any = None) -> tuple[Any, Any]:
        """Send one request; an answer that is no success ends the run."""
        if not hasattr(self.local, "connection"):
            self.local.connection = http.client.HTTPConnection(self.host, timeout=600)
        headers = {"Content-Type": "application/json", "X-Auth-Token": self.token}
        self.local.connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = self.local.connection.getresponse()
        content = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {content.decode(errors='replace')}")
        return answer.headers, json.loads(content or "{}")


def lists(client: Client, paths: list[str], concurrency: int) -> int:
    """Read the lists; returns how many objects were in them."""
    with ThreadPoolExecutor(concurrency) as pool:
        answers = list(pool.map(lambda path: client.send("GET", path)[1], paths))
    return sum(len(value) for answer in answers for value in answer.values() if isinstance(value, list))


def writes(client: Client, batches: list[list[dict[str, Any]]], concurrency: int) -> int:
    """Send the writes; returns how many."""
    ids: dict[str, str] = {}

    def send(write: dict[str, Any]) -> list[tuple[str, str]]:
        bodies = [
            {
                field: ids[value["made"]] if isinstance(value, dict) and "made" in value else value
                for field, value in body.items()
            }
            for body in write["bodies"]
        ]
        many = len(bodies) > 1
        answer = client.send("POST", client.base + write["path"], {write["key"]: bodies if many else bodies[0]})[1]
        made = answer[write["key"]] if many else [answer[write["key"]]]
        return [(name, one["id"]) for name, one in zip(write["as"], made, strict=True)]

    for batch in batches:
        with ThreadPoolExecutor(concurrency) as pool:
            for made in pool.map(send, batch):
                ids.update(made)
    return len(ids)


if __name__ == "__main__":
    given = json.load(sys.stdin)
    connected = Client(json.loads(os.environ["BENCH_AUTH"]))
    work = {"lists": lists, "writes": writes}[sys.argv[1]]
    print(json.dumps({"done": work(connected, given["of"], given["concurrency"])}))
