# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A front to the lab's neutron that speaks Open Telekom Cloud's dialect: `... otc_front PORT NEUTRON`.

What passes is neutron's own work: the tunnels behind this front are as real as the others. Objects that were made without the
front look through it as OTC would show them.
"""

from __future__ import annotations

import json
import re
import sys
import threading
from typing import Any

import requests
import waitress
import webob
import webob.dec

from . import otc_dialect as otc

# Of one connection only, and not to be passed on.
_OWN_HEADERS = ("connection", "content-length", "transfer-encoding")


class Front:
    """Passes requests on, refuses what OTC refuses, and shows answers as OTC does."""

    def __init__(self, neutron: str) -> None:
        self._neutron = neutron
        self._own = threading.local()

    @webob.dec.wsgify
    def __call__(self, request: webob.Request) -> webob.Response:
        path = request.path.rstrip("/")
        kind = otc.PATHS.get(path) or otc.PATHS.get(path.rpartition("/")[0])
        if re.fullmatch(r"/v1/[^/]+/quotas", path):
            return webob.Response(json_body=otc.quotas(self._used(request)))
        if otc.ABSENT.fullmatch(path):
            return webob.Response(json_body=otc.NO_SUCH_API, status=404)
        if not kind:
            return _passed(self._pass(request))
        return (
            self._write(request, kind) if request.method in ("POST", "PUT") else self._answer(kind, self._pass(request))
        )

    def _write(self, request: webob.Request, kind: str) -> webob.Response:
        body = request.json_body
        # Security-group rules may come many at once.
        many = [body[kind]] if kind in body else body[f"{kind}s"]
        for one in many:
            row = otc.refusal(otc.Request(request.method, kind, one, lambda path: self._ask(request, path)))
            if row:
                return _refused(kind, 400 if kind in otc.VPN else 409, row.code, f"{row.name}: {row.message}")
            one.update(otc.understood(one))
        return self._answer(kind, self._pass(request, content=json.dumps(body).encode()))

    def _answer(self, kind: str, answer: requests.Response) -> webob.Response:
        if kind not in otc.VPN or not answer.content:
            return _passed(answer)
        body = answer.json()
        if answer.status_code >= 400:
            error = next(iter(body.values()), "")
            message = error.get("message", "") if isinstance(error, dict) else str(error)
            return _refused(kind, answer.status_code, "VPC.1002" if answer.status_code >= 500 else "VPC.1001", message)
        shown = {
            name: [otc.shown(kind, one) for one in value] if isinstance(value, list) else otc.shown(kind, value)
            for name, value in body.items()
            if not name.endswith("_links")
        }
        return webob.Response(json_body=shown, status=answer.status_code)

    def _pass(
        self, request: webob.Request, path: str = "", method: str = "", content: bytes | None = None
    ) -> requests.Response:
        if not hasattr(self._own, "session"):
            self._own.session = requests.Session()
            self._own.session.trust_env = False
        return self._own.session.request(
            method or request.method,
            self._neutron + (path or request.path_qs),
            data=request.body if content is None and not path else content,
            headers={name: value for name, value in request.headers.items() if name.lower() not in _OWN_HEADERS},
            allow_redirects=False,
            timeout=90,
        )

    def _ask(self, request: webob.Request, path: str) -> dict[str, Any]:
        """Look at what is there, as the same user."""
        answer = self._pass(request, path, "GET")
        answer.raise_for_status()
        return answer.json()

    def _used(self, request: webob.Request) -> dict[str, int]:
        counted = {kind: path for path, kind in otc.PATHS.items() if kind in (*otc.LIMITS, otc.RULE)}
        return {kind: len(next(iter(self._ask(request, path).values()))) for kind, path in counted.items()}


def _passed(answer: requests.Response) -> webob.Response:
    kind = answer.headers.get("Content-Type", "application/json").partition(";")[0]
    return webob.Response(answer.content, answer.status_code, content_type=kind, charset="UTF-8")


def _refused(kind: str, status: int, code: str, message: str) -> webob.Response:
    """An error as the VPN's API tells it, or as OpenStack's own."""
    body = {"code": code, "message": message}
    if kind not in otc.VPN:
        body = {"NeutronError": {"type": code, "message": message, "detail": ""}}
    return webob.Response(json_body=body, status=status)


def main() -> None:
    """Serves on 127.0.0.1 until it is ended."""
    waitress.serve(Front(sys.argv[2]), host="127.0.0.1", port=int(sys.argv[1]), threads=8, ident=None)


if __name__ == "__main__":
    main()
