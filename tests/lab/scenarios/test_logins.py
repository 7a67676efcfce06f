# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every way to log in, with the newest and the oldest openstacksdk; and what a wrong one is told."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import typing as t

import openstack
import pytest
import yaml

from .conftest import ROOT

# The oldest release that the collection supports; its own environment is made once.
OLDEST = "4.0.0"
OLDEST_VENV = ROOT / f".cache/lab/openstacksdk-{OLDEST}"


@pytest.fixture(scope="module", params=["newest", OLDEST])
def python(request) -> str:
    """An interpreter with a release of openstacksdk."""
    if request.param == "newest":
        return sys.executable
    if not (OLDEST_VENV / "made").exists():
        needs = [f"openstacksdk=={OLDEST}", "netaddr", "ansible-core"]
        subprocess.run([ROOT / "tests/tools/venv.sh", OLDEST_VENV, *needs], check=True, stdin=subprocess.DEVNULL)
        (OLDEST_VENV / "made").touch()
    found = subprocess.run(
        [OLDEST_VENV / "bin/python", "-c", "from openstack.version import __version__; print(__version__)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert found.stdout.strip() == OLDEST
    return str(OLDEST_VENV / "bin/python")


@pytest.fixture(scope="module")
def entry(lab) -> dict[str, t.Any]:
    """The lab's entry of clouds.yaml."""
    return yaml.safe_load(lab.clouds_yaml.read_text())["clouds"]["lab"]


@pytest.fixture(scope="module")
def connection(lab, entry) -> t.Iterator[openstack.connection.Connection]:
    with openstack.connect(**entry) as connected:
        yield connected


def ask(python: str, environment: dict[str, str], **options: t.Any) -> tuple[dict[str, t.Any], str]:
    """Run module hub_info as Ansible does, without Ansible; gives its result and all that it printed."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
    done = subprocess.run(
        [python, "-m", "ansible_collections.bothends.vpn.plugins.modules.hub_info"],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": {"vpc": "prod", **options}}), cwd="/",
        env={**clean, **environment, "PYTHONPATH": str(ROOT / ".cache/tree")},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    printed = done.stdout + done.stderr
    try:
        return json.loads(done.stdout.strip().splitlines()[-1]), printed
    except (ValueError, IndexError):
        pytest.fail(f"no result:\n{printed}")


def clouds_file(path, **clouds: t.Any) -> dict[str, str]:
    """The environment in which these clouds are known."""
    path.write_text(yaml.safe_dump({"clouds": clouds}))
    return {"OS_CLIENT_CONFIG_FILE": str(path)}


def by_name(entry, connection, path):
    return clouds_file(path, here=entry), "here"


def the_only_one_there_is(entry, connection, path):
    """As a controller's credential lays it out: one cloud of any name, and no OS_CLOUD."""
    return clouds_file(path, whatever=entry), None


def named_by_the_environment(entry, connection, path):
    return {**clouds_file(path, here=entry, other={"auth": {}}), "OS_CLOUD": "here"}, None


def a_dict(entry, connection, path):
    return {}, entry


def variables_of_the_environment(entry, connection, path):
    words = {**entry["auth"], "region_name": entry["region_name"]}
    return {f"OS_{name.upper()}": value for name, value in words.items()}, None


def application_credential(entry, connection, path):
    made = connection.identity.create_application_credential(connection.current_user_id, f"login {path.parent.name}")
    secret = {"application_credential_id": made.id, "application_credential_secret": made.secret}
    auth = {"auth_url": entry["auth"]["auth_url"], **secret}
    return {}, {"auth_type": "v3applicationcredential", "auth": auth, "region_name": entry["region_name"]}


def token(entry, connection, path):
    auth = {"auth_url": entry["auth"]["auth_url"], "token": connection.session.get_token()}
    project = {name: entry["auth"][name] for name in ("project_name", "project_domain_name")}
    return {}, {"auth_type": "v3token", "auth": {**auth, **project}, "region_name": entry["region_name"]}


WAYS = (
    by_name, the_only_one_there_is, named_by_the_environment, a_dict, variables_of_the_environment, application_credential,
    token,
)  # fmt: skip


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_a_way_to_log_in(python, entry, connection, tmp_path, way):
    environment, cloud = way(entry, connection, tmp_path / "clouds.yaml")
    result, printed = ask(python, environment, cloud=cloud)
    assert entry["auth"]["password"] not in printed
    if way is token and python != sys.executable:
        # openstacksdk before 4.5.0 sends "None" for it; the documentation says so, and this when it is no longer true
        assert "failed" in result
        return
    assert "failed" not in result, result
    assert result["hub"]["vpc"]["name"] == "prod"


def changed(entry, **auth: t.Any) -> dict[str, t.Any]:
    return {**entry, "auth": {**entry["auth"], **auth}}


WRONG = {
    "the password": (lambda entry: changed(entry, password="wrong"), "requires authentication"),
    "the user": (lambda entry: changed(entry, username="nobody"), "requires authentication"),
    "the project": (lambda entry: changed(entry, project_name="nothing"), "requires authentication"),
    "the region": (lambda entry: {**entry, "region_name": "Elsewhere"}, "Elsewhere"),
    "the address": (lambda entry: changed(entry, auth_url="http://127.0.0.1:9/v3"), "127.0.0.1:9"),
    "no such name": (lambda entry: "nowhere", "nowhere"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_one_is_told_what_and_what_to_do(python, entry, wrong):
    change, says = WRONG[wrong]
    result, printed = ask(python, {}, cloud=change(entry))
    assert result["failed"] and says in result["msg"], result
    assert "Remedy: " in result["msg"] and "Traceback" not in printed
    assert entry["auth"]["password"] not in printed


@contextlib.contextmanager
def behind_tls(port: int, certificate: str, key: str) -> t.Iterator[int]:
    """A port that speaks TLS in front of one that does not."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = free.getsockname()[1]
    listen = f"OPENSSL-LISTEN:{number},bind=127.0.0.1,fork,reuseaddr,cert={certificate},key={key},verify=0"
    front = subprocess.Popen(["socat", listen, f"TCP4:127.0.0.1:{port}"])
    try:
        for _attempt in range(100):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", number), 1):
                break
            time.sleep(0.05)
        yield number
    finally:
        front.terminate()
        front.wait()


def test_a_ca_file_of_ones_own(python, lab, entry, tmp_path):
    """And without the file the certificate is not believed."""
    certificate, key = str(tmp_path / "cert.pem"), str(tmp_path / "key.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "1",
         "-subj", "/CN=lab", "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True,
    )  # fmt: skip
    chosen = json.loads(lab.layout.ports.read_text())
    with contextlib.ExitStack() as stack:
        fronts = {
            name: stack.enter_context(behind_tls(chosen[name], certificate, key)) for name in ("keystone", "neutron")
        }
        cloud = {
            **changed(entry, auth_url=f"https://127.0.0.1:{fronts['keystone']}/v3"),
            "network_endpoint_override": f"https://127.0.0.1:{fronts['neutron']}/v2.0",
        }
        result, _printed = ask(python, {}, cloud={**cloud, "cacert": certificate})
        assert "failed" not in result, result
        assert result["hub"]["vpc"]["name"] == "prod"
        result, _printed = ask(python, {}, cloud=cloud)
        assert result["failed"] and "certificate verify failed" in result["msg"] and "Remedy: " in result["msg"]
