# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small client of the lab's cloud, with nothing but the standard library: any Python can drive the lab."""

from __future__ import annotations

import copy
import json
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import yaml

from ..errors import LabError
from .accounts import CLOUDS, DOMAIN, FRONTS, REGION

# A proxy of the user's is no way to 127.0.0.1.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
TIMEOUT = 90.0


class ApiError(LabError):
    """The API refused a request."""

    def __init__(self, method: str, path: str, status: int, message: str) -> None:
        super().__init__(f"{method} {path}: {status} {message}")
        self.status = status


def write_clouds_yaml(path: Path, keystone_url: str, passwords: dict[str, str], front_url: str) -> None:
    """Writes the clients' configuration, readable by its owner only."""
    clouds: dict[str, dict[str, Any]] = {
        name: {
            "region_name": REGION,
            "auth": {
                "auth_url": keystone_url,
                "username": account.user,
                "password": passwords[account.user],
                "project_name": account.project,
                "user_domain_name": DOMAIN,
                "project_domain_name": DOMAIN,
            },
        }
        for name, account in CLOUDS.items()
    }
    for name, account in FRONTS.items():
        clouds[name] = {**clouds[account], "network_endpoint_override": f"{front_url}/v2.0"}
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump({"clouds": copy.deepcopy(clouds)}, sort_keys=False))


class CloudApi:
    """The networking API as one entry of clouds.yaml sees it."""

    def __init__(self, clouds_yaml: Path, cloud: str) -> None:
        entry = yaml.safe_load(clouds_yaml.read_text())["clouds"][cloud]
        auth = entry["auth"]
        domain = {"name": auth["user_domain_name"]}
        body = {
            "auth": {
                "identity": {
                    "methods": ["password"],
                    "password": {"user": {"name": auth["username"], "password": auth["password"], "domain": domain}},
                },
                "scope": {"project": {"name": auth["project_name"], "domain": domain}},
            }
        }
        self._base, self._token = auth["auth_url"], ""
        headers, answer = self._send("POST", "/auth/tokens", body)
        self._token = headers["X-Subject-Token"]
        network = next(service for service in answer["token"]["catalog"] if service["type"] == "network")
        url = network["endpoints"][0]["url"].rstrip("/") + "/v2.0"
        self._base = entry.get("network_endpoint_override", url)

    @property
    def root(self) -> str:
        """The endpoint without its version."""
        return self._base.removesuffix("/v2.0")

    @property
    def base(self) -> str:
        """Where the API is, with its version."""
        return self._base

    def request(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Sends one request and returns the answer's body; a path may also be a whole URL."""
        return self._send(method, path, body)[1]

    def list(self, path: str, **filters: str) -> list[dict[str, Any]]:
        """All objects of a kind, such as `vpn/ikepolicies`."""
        query = "?" + urllib.parse.urlencode(filters) if filters else ""
        return next(
            value for key, value in self.request("GET", f"/{path}{query}").items() if not key.endswith("_links")
        )

    def create(self, path: str, kind: str, **fields: Any) -> dict[str, Any]:
        """Creates one object."""
        return self.request("POST", f"/{path}", {kind: fields})[kind]

    def update(self, path: str, identity: str, kind: str, **fields: Any) -> dict[str, Any]:
        """Changes one object."""
        return self.request("PUT", f"/{path}/{identity}", {kind: fields})[kind]

    def delete(self, path: str, identity: str) -> None:
        """Deletes one object; it may be gone already."""
        try:
            self.request("DELETE", f"/{path}/{identity}")
        except ApiError as error:
            if error.status != 404:
                raise

    def _send(self, method: str, path: str, body: Any) -> tuple[Any, dict[str, Any]]:
        request = urllib.request.Request(
            path if path.startswith("http") else self._base + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "X-Auth-Token": self._token},
        )
        try:
            with _OPENER.open(request, timeout=TIMEOUT) as answer:
                return answer.headers, json.loads(answer.read() or "{}")
        except urllib.error.HTTPError as error:
            raise ApiError(method, path, error.code, error.read().decode(errors="replace")) from error
        except urllib.error.URLError as error:
            raise LabError(f"{method} {path}: no answer: {error.reason}") from error
