# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""One login to the cloud's network service, and requests that are sent again after a fault where that is safe.

Lists and writes go through the SDK's authenticated session as plain JSON: its resource classes lose or mix up fields of
this API (``type`` of endpoint groups, nested lifetimes) and print keys.

What does the same when it is done twice is sent again. A create is not, as long as it may have been done: the API knows no
unique names, so that the second one would make a second object.
"""

from __future__ import annotations

import random
import threading
import time
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _secrets
from ansible_collections.bothends.vpn.plugins.module_utils._errors import (
    ENDPOINT,
    LOST,
    OTHER,
    TLS,
    UNSENT,
    CloudError,
    VpnError,
)
from ansible_collections.bothends.vpn.plugins.module_utils._objects import Body

try:
    import openstack
    import requests
    from keystoneauth1 import exceptions as keystone
    from openstack.exceptions import SDKException
    from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

    OPENSTACK_ERROR: str | None = None
    ClientException = keystone.ClientException
except ImportError as error:  # the module says so in its own words
    OPENSTACK_ERROR = str(error)
    ClientException = SDKException = Exception  # type: ignore[misc,assignment]

# Seconds for a connection, and for an answer; the SDK waits for ever where clouds.yaml has no api_timeout.
_TIMEOUTS = (15.0, 90.0)

# After which faults a request is sent again. A gateway's 502 and 504 say nothing of what was done behind it.
_BUSY = (UNSENT, "429")
_TWICE = (*_BUSY, LOST, "500", "502", "503", "504")
_AGAIN = {"GET": _TWICE, "PUT": _TWICE, "DELETE": _TWICE, "POST": _BUSY}
ATTEMPTS = 5
_PAUSE = 0.5  # seconds before the second attempt, twice that before the third; half to one and a half times, by chance
_LONGEST_PAUSE = 60.0  # whatever the server asks for
_PATIENCE = 180.0  # seconds after which nothing is sent again


class Wire:
    """One project of one cloud, by one token."""

    def __init__(self, cloud: str | dict[str, t.Any] | None) -> None:
        self._one_login, self._logins = threading.Lock(), 0
        if _secrets.is_dict_as_text(cloud):
            raise VpnError(
                "cloud: a text with braces is no name in clouds.yaml. Remedy: give the name, or the dict itself."
            )
        try:
            connection = openstack.connect(**cloud) if isinstance(cloud, dict) else openstack.connect(cloud=cloud)
            connection.session.timeout = connection.session.timeout or _TIMEOUTS
            self._auth = connection.session.auth
            self._session = _patiently(lambda: _network(connection), _TWICE)
        except Exception as error:  # whatever the libraries make of a login that is not as they want it
            name = cloud if isinstance(cloud, str) else "(from the environment)"
            reason, remedy = _why_no_login(error)
            raise VpnError(f"cannot log in to cloud {name}: {reason} Remedy: {remedy}.") from error

    @property
    def endpoint(self) -> str:
        """The network service's URL."""
        return str(self._session.get_endpoint())

    @property
    def project(self) -> str:
        """The id of the login's project."""
        return str(self._session.get_project_id())

    def call(self, method: str, path: str, doing: str, body: Body | None = None) -> Body:
        """Send a request, and again where that is safe and may help; raises CloudError. ``doing`` is for that."""
        return _patiently(lambda: self._send(method, path, doing, body), _AGAIN[method])

    def _request(self, method: str, path: str, body: Body | None) -> t.Any:
        """Send a request; where the token is refused, which is before anything is done, get a new one and send it again."""
        login = self._logins
        answer = self._request_once(method, path, body)
        if answer.status_code == 401 and self._renewed(login):
            answer = self._request_once(method, path, body)
        return answer

    def _request_once(self, method: str, path: str, body: Body | None) -> t.Any:
        # Old releases of the SDK send everything twice by themselves, creates too; clouds.yaml can ask for it as well.
        return self._session.request(
            path,
            method,
            json=body,
            raise_exc=False,
            connect_retries=0,
            status_code_retries=0,
            allow_reauth=False,
            skip_cache=True,
        )

    def _renewed(self, login: int) -> bool:
        """Log in again, once for all requests that were on the way with the same token; False where no login can be renewed.

        The SDK does so too, but for the first of them only: the others get their refusal, or find no token at all.
        """
        with self._one_login:
            if self._logins == login:
                if not hasattr(self._auth, "get_auth_ref"):
                    return False
                self._auth.auth_ref = self._auth.get_auth_ref(self._session.session)
                self._logins += 1
        return True

    def _send(self, method: str, path: str, doing: str, body: Body | None) -> Body:
        try:
            answer = self._request(method, path, body)
        except (SDKException, ClientException, OSError) as error:
            raise CloudError(doing, _fault(error), error) from error
        if answer.status_code >= 400:
            after = _seconds(answer.headers.get("Retry-After"))
            raise CloudError(doing, str(answer.status_code), _reason(answer), _type(answer), after)
        try:
            found = answer.json() if answer.content else {}
        except ValueError as error:
            raise CloudError(doing, LOST, "what came is no JSON") from error
        if not isinstance(found, dict):
            raise CloudError(doing, LOST, "what came is no answer of this API")
        return found


Result = t.TypeVar("Result")


def _patiently(request: t.Callable[[], Result], faults: t.Container[str]) -> Result:
    """Ask, and after one of these faults again, with growing pauses."""
    end = time.monotonic() + _PATIENCE
    attempt = 1
    while True:
        try:
            return request()
        except CloudError as error:
            if error.fault not in faults or attempt == ATTEMPTS or time.monotonic() > end:
                raise
            time.sleep(pause(attempt, error.after))
        attempt += 1


def pause(attempt: int, asked: float) -> float:
    """Give the seconds to wait after that attempt; ``asked`` is what the server wants, 0 where it says nothing."""
    return min(asked or _PAUSE * 2 ** (attempt - 1) * random.uniform(0.5, 1.5), _LONGEST_PAUSE)


def _seconds(value: str | None) -> float:
    """Read Retry-After; a date, which no OpenStack sends, counts as nothing said."""
    return float(value) if value and value.isdigit() else 0.0


def _network(connection: t.Any) -> t.Any:
    """Log in, and give the session of the network service."""
    try:
        session = connection.network
        endpoint = session.get_endpoint()
    except (SDKException, ClientException) as error:
        raise CloudError("logging in", _fault(error), error) from error
    if not endpoint:
        raise CloudError("logging in", ENDPOINT, "none is in the catalog")
    return session


def _why_no_login(error: Exception) -> tuple[str, str]:
    if isinstance(error, CloudError) and error.fault not in (OTHER, "401"):
        return error.reason, error.remedy
    reason = error.reason.partition(": ")[2] if isinstance(error, CloudError) else f"{str(error).strip().rstrip('.')}."
    if not isinstance(error, (SDKException, ClientException, VpnError, OSError)):
        reason = f"the login cannot be understood: {reason}"
    return reason, "check clouds.yaml (OS_CLIENT_CONFIG_FILE), OS_CLOUD and the credential"


def _fault(error: BaseException | None) -> str:
    """Tell what became of a request that ended with an exception; the libraries wrap one another's."""
    fault = OTHER
    while error is not None and fault == OTHER:
        fault = _fault_of(error)
        error = error.__context__
    return fault


def _fault_of(error: BaseException) -> str:
    if isinstance(error, keystone.SSLError):
        return TLS
    if isinstance(error, keystone.ConnectionError):
        cause = error.__context__
        inner = getattr(next(iter(getattr(cause, "args", ())), None), "reason", None)
        never = isinstance(cause, requests.ConnectTimeout) or isinstance(
            inner, (NewConnectionError, ConnectTimeoutError)
        )
        return UNSENT if never else LOST
    if isinstance(error, keystone.EndpointNotFound) or type(error).__name__ == "ServiceDisabledException":
        return ENDPOINT
    if isinstance(error, keystone.HttpError) and error.http_status:
        # Of the login, which comes before the request itself.
        return UNSENT if error.http_status >= 500 else str(error.http_status)
    return LOST if isinstance(error, OSError) else OTHER


def _type(answer: t.Any) -> str:
    """Take the type out of an error body; "" where it has none."""
    try:
        error = answer.json()["NeutronError"]
        return str(error["type"])
    except (ValueError, KeyError, TypeError):
        return ""


def _reason(answer: t.Any) -> str:
    """Take the sentence out of an error body, whichever of its shapes it has."""
    try:
        body = answer.json()
    except ValueError:
        return (answer.reason or "no reason given") + "."
    # {"NeutronError": {"message": ...}}, {"code": ..., "message": ...}, {"error_code": ..., "error_msg": ...}, "text"
    while isinstance(body, dict):
        named = (body[key] for key in ("message", "error_msg", "detail") if body.get(key))
        body = next(named, next(iter(body.values()), ""))
    return str(body) or "no reason given."
