# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real SDK against a server of a few lines that misbehaves: what of a fault arrives, and what the SDK does by itself."""

from __future__ import annotations

import collections
import concurrent.futures
import contextlib
import datetime
import http.server
import ipaddress
import itertools
import json
import socket
import ssl
import struct
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ansible_collections.bothends.vpn.plugins.module_utils import _errors, _wire
from ansible_collections.bothends.vpn.plugins.module_utils._errors import CloudError, VpnError

# Not to wait for what cannot come: the SDK otherwise looks up where it runs.
DOMAIN = {"user_domain_name": "Default", "project_domain_name": "Default"}


class Server:
    """keystone and neutron on one port. ``script`` is what becomes of neutron's next requests; then each is answered with {}."""

    def __init__(self, context=None):
        self.log, self.script, self.tokens, self.services = [], [], itertools.count(1), ["network"]
        self.login, self.login_seconds = 201, 0.0
        self.together = threading.Barrier(4)
        self.uses, self.used = 1000, collections.Counter()  # how often a token is good

        clouds = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                self.rfile.read(length)
                if self.path.startswith("/v3"):
                    clouds._keystone(self)
                else:
                    clouds._neutron(self)

            do_GET = do_POST = do_PUT = do_DELETE = answer

            def log_message(self, *_args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"http{'s' if context else ''}://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def _keystone(self, handler):
        if handler.command == "POST":
            number = next(self.tokens)
            endpoints = [{"url": self.url, "interface": "public", "region": "r", "region_id": "r", "id": "e"}]
            token = {
                "methods": ["password"], "expires_at": "2099-01-01T00:00:00.000000Z", "issued_at": "2026-01-01T00:00:00.000000Z",
                "user": {"id": "u", "name": "u", "domain": {"id": "default", "name": "Default"}},
                "project": {"id": "p", "name": "p", "domain": {"id": "default", "name": "Default"}}, "roles": [],
                "catalog": [{"type": kind, "name": kind, "id": kind, "endpoints": endpoints} for kind in self.services],
            }  # fmt: skip
            threading.Event().wait(self.login_seconds)
            self.log.append("login")
            self.send(handler, self.login, {"token": token}, {"X-Subject-Token": f"token-{number}"})
        else:
            link = {"rel": "self", "href": f"{self.url}/v3/"}
            self.send(handler, 200, {"version": {"id": "v3.14", "status": "stable", "links": [link]}})

    def _neutron(self, handler):
        self.log.append(f"{handler.command} {handler.headers.get('X-Auth-Token')}")
        self.used[handler.headers.get("X-Auth-Token")] += 1
        act = self.script.pop(0) if self.script else 200
        if self.used[handler.headers.get("X-Auth-Token")] > self.uses:
            act = 401
        if act == "reset":
            # Leave with RST.
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            handler.close_connection = True
            handler.rfile.close()
            handler.connection.close()
        elif act == "hang":
            threading.Event().wait(1.5)  # time.sleep is no sleep here
            handler.close_connection = True
        elif act == "expired":
            self.together.wait(5)
            self.send(handler, 401, {})
        elif act == "half":
            handler.send_response(200)
            handler.send_header("Content-Length", "1000")
            handler.end_headers()
            handler.wfile.write(b'{"routers": [')
            handler.close_connection = True
        elif isinstance(act, str):
            self.send(handler, 200, act)
        else:
            self.send(handler, act, {"routers": []}, {"Retry-After": "7"} if act == 429 else {})

    @staticmethod
    def send(handler, status, body, headers=None):
        text = (body if isinstance(body, str) else json.dumps(body)).encode()
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(text)), **(headers or {})}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(text)

    def cloud(self, **more):
        """Give the login, as a dict."""
        auth = {"auth_url": f"{self.url}/v3", "username": "u", "password": "hunter2", "project_name": "p", **DOMAIN}
        return {
            "auth": auth,
            "region_name": "r",
            "api_timeout": 10,
            "load_yaml_config": False,
            "load_envvars": False,
            **more,
        }


@contextlib.contextmanager
def served(context=None):
    server = Server(context)
    try:
        yield server
    finally:
        server.server.shutdown()
        server.server.server_close()


@pytest.fixture
def server():
    with served() as one:
        yield one


@pytest.fixture
def naps(monkeypatch):
    """Sleep not at all, and remember how long."""
    out = []
    monkeypatch.setattr(_wire.time, "sleep", out.append)
    return out


def patience(act):
    """Give the time that a request may take: little only where the server hangs."""
    return {"api_timeout": 0.5} if act == "hang" else {}


def call(cloud, method):
    return cloud.call(method, "/routers", "trying", None if method == "GET" else {"router": {}})


@pytest.mark.parametrize("act", ["reset", "hang", "half", "<html>", 500, 502, 503, 504])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_what_can_be_done_twice_is_sent_again(server, naps, method, act):
    cloud = _wire.Wire(server.cloud(**patience(act)))
    server.script = [act, act]
    call(cloud, method)
    assert server.log == ["login", *[f"{method} token-1"] * 3]
    assert 0.25 <= naps[0] <= 0.75 and 0.5 <= naps[1] <= 1.5


@pytest.mark.parametrize(
    ("act", "fault"),
    [("reset", "lost"), ("hang", "lost"), ("half", "lost"), ("<html>", "lost"), (500, "500"), (502, "502"), (503, "503"), (504, "504")],
)  # fmt: skip
def test_a_create_is_sent_once(server, naps, act, fault):
    """Also with releases of the SDK that would send it twice, and with a clouds.yaml that asks for that."""
    cloud = _wire.Wire(server.cloud(connect_retries=3, status_code_retries=3, **patience(act)))
    server.script = [act]
    with pytest.raises(CloudError) as caught:
        call(cloud, "POST")
    assert (caught.value.fault, server.log[1:], naps) == (fault, ["POST token-1"], [])


def test_the_twin_the_sdk_left_alone_sends_a_create_twice(server):
    """The option that is switched off does exist, and does what it is switched off for."""
    cloud = _wire.Wire(server.cloud())
    server.script = ["reset"]
    cloud._session.request("/routers", "POST", json={}, connect_retries=1)
    assert server.log[1:] == ["POST token-1"] * 2


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_too_many_requests_wait_as_long_as_asked(server, naps, method):
    cloud = _wire.Wire(server.cloud())
    server.script = [429]
    call(cloud, method)
    assert (len(server.log), naps) == (3, [7.0])


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_a_token_that_is_refused_in_mid_run_is_renewed(server, naps, method):
    """By the SDK itself, with the password; what was refused is sent again."""
    cloud = _wire.Wire(server.cloud())
    call(cloud, "GET")
    server.script = [401]
    call(cloud, method)
    call(cloud, "GET")
    assert server.log == ["login", "GET token-1", f"{method} token-1", "login", f"{method} token-2", "GET token-2"]
    assert naps == []


@pytest.mark.parametrize("alone", [True, False])
def test_a_token_that_several_requests_find_refused_is_renewed(server, alone):
    """The SDK alone renews it for the first of them, and lets the others fail."""
    cloud = _wire.Wire(server.cloud())
    server.script, server.login_seconds = ["expired"] * 4, 1

    def ask(_number):
        if alone:
            return cloud._session.request("/routers", "GET").status_code
        return call(cloud, "GET") and 200

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        got = sorted(pool.map(ask, range(4)))
    assert got == ([200, 401, 401, 401] if alone else [200] * 4)
    assert server.log.count("login") == 2, "one for all of them"


def test_a_token_that_is_refused_again_and_again_is_renewed_each_time(server):
    """Also where others ask all the time: none of them finds no token."""
    cloud = _wire.Wire(server.cloud())
    server.uses = 30
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _number: call(cloud, "GET"), range(240)))
    assert server.log.count("login") >= 8


def test_a_token_alone_cannot_be_renewed(server, naps):
    auth = {"auth_url": f"{server.url}/v3", "token": "given", "project_name": "p", "project_domain_name": "Default"}
    cloud = _wire.Wire(server.cloud(auth_type="v3token", auth=auth))
    server.script = [401] * 9
    with pytest.raises(CloudError, match=r"HTTP 401.*Remedy: renew the login; a token cannot be renewed in mid-run"):
        call(cloud, "GET")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_where_nobody_listens_nothing_can_have_been_done(server, naps, method):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and never listens
        cloud = _wire.Wire(server.cloud(network_endpoint_override=f"http://127.0.0.1:{nobody.getsockname()[1]}"))
        with pytest.raises(
            CloudError, match=r"the cloud cannot be reached \(trying\): .*refused.*Remedy: check the net"
        ) as caught:
            call(cloud, method)
    assert (caught.value.fault, len(naps)) == (_errors.UNSENT, 4)


def test_growing_pauses_end(server, naps):
    cloud = _wire.Wire(server.cloud())
    server.script = [503] * 9
    with pytest.raises(CloudError, match="HTTP 503"):
        call(cloud, "GET")
    assert len(naps) == 4 and sum(naps) < 12


@pytest.mark.parametrize(("given", "used"), [({}, 10), ({"api_timeout": None}, _wire._TIMEOUTS)])
def test_every_request_has_a_time_out(server, given, used):
    cloud = _wire.Wire(server.cloud(**given))
    assert cloud._session.session.timeout == used


# --- logging in ------------------------------------------------------------------------------------------------------


def self_signed(directory):
    """Make a file with a key and its certificate for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - day, now + day)
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = directory / "certificate.pem"
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path


def test_a_server_that_nobody_vouches_for(tmp_path, naps):
    certificate = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with served(context) as server:
        with pytest.raises(VpnError, match=r"cannot log in to cloud .*\(TLS\).*Remedy: check cacert"):
            _wire.Wire(server.cloud())
        assert naps == [], "it does not get better"
        call(_wire.Wire(server.cloud(cacert=str(certificate))), "GET")


def test_a_catalog_without_the_network_service(server):
    server.services = ["compute"]
    with pytest.raises(
        VpnError, match=r"cannot log in .* has no network service for this login.*Remedy: check region_name"
    ):
        _wire.Wire(server.cloud())


def test_another_region(server):
    with pytest.raises(
        VpnError, match=r"cannot log in .* has no network service for this login.*Remedy: check region_name"
    ):
        _wire.Wire(server.cloud(region_name="elsewhere"))


def without(login, *names):
    return {**login, "auth": {name: value for name, value in login["auth"].items() if name not in names}}


def with_(login, **auth):
    return {**login, "auth": {**login["auth"], **auth}}


# An entry of clouds.yaml that is not as the libraries want it, and what of it they say.
NO_LOGINS = {
    "no password": (lambda login: without(login, "password"), "password"),
    "an empty password": (lambda login: with_(login, password=None), "password"),
    "no address": (lambda login: without(login, "auth_url"), "auth_url"),
    "an address that is a number": (lambda login: with_(login, auth_url=5), "int"),
    "a text": (lambda login: {**login, "auth": "hunter2"}, ""),
    "a list": (lambda login: {**login, "auth": ["hunter2"]}, ""),
    "nothing": (lambda login: {**login, "auth": None}, ""),
    "another timeout": (lambda login: {**login, "api_timeout": "soon"}, "soon"),
    "another way": (lambda login: {**login, "auth_type": "nothing"}, "nothing"),
}


@pytest.mark.parametrize("by_name", [True, False])
@pytest.mark.parametrize("wrong", NO_LOGINS)
def test_an_entry_that_is_no_login(server, naps, monkeypatch, tmp_path, wrong, by_name):
    change, says = NO_LOGINS[wrong]
    entry = change(server.cloud())
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))
    (tmp_path / "clouds.yaml").write_text(json.dumps({"clouds": {"here": entry}}))
    with pytest.raises(VpnError, match=rf"cannot log in to cloud .*{says}.* Remedy: check clouds\.yaml") as caught:
        _wire.Wire("here" if by_name else entry)
    assert "hunter2" not in str(caught.value) and "login" not in server.log


@pytest.mark.parametrize(
    "text", ["[]", "x", '{"clouds": "x"}', '{"clouds": ["here"]}', '{"clouds": null}', '{"clouds": {"here": "hunter2"}}',
             '{"clouds": {"here": null}}', "clouds: {here: {auth: {password: hunter2, : [", ""]
)  # fmt: skip
def test_a_file_that_has_no_clouds(monkeypatch, tmp_path, text):
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))
    (tmp_path / "clouds.yaml").write_text(text)
    with pytest.raises(VpnError, match=r"cannot log in to cloud here: .*Remedy: check clouds\.yaml") as caught:
        _wire.Wire("here")
    assert "hunter2" not in str(caught.value)


def test_a_login_that_came_as_text_is_not_shown():
    with pytest.raises(VpnError, match=r"a text with braces is no name.*Remedy: give the name, or the dict") as caught:
        _wire.Wire('{"auth": {"password": "hunter2"}}')
    assert "hunter2" not in str(caught.value)


def test_a_password_that_is_wrong_is_asked_for_once(server, naps):
    server.login = 401
    with pytest.raises(VpnError, match=r"cannot log in .*Remedy: check clouds.yaml") as caught:
        _wire.Wire(server.cloud())
    assert (server.log, naps) == (["login"], [])
    assert "hunter2" not in str(caught.value)


def test_a_login_service_that_is_down_is_asked_again(server, naps):
    server.login = 503
    with pytest.raises(VpnError, match=r"cannot log in .* the cloud cannot be reached.*503.*Remedy: check the network"):
        _wire.Wire(server.cloud())
    assert (server.log, len(naps)) == (["login"] * 5, 4)
