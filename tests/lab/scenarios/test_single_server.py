# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules for one object, and what differs from server to server: fields, providers, projects, flavors, quotas."""

from __future__ import annotations

import json
import subprocess

import pytest

from ansible_collections.bothends.vpn.plugins.module_utils import _objects, _single_kinds
from bothends_lab.cloud.api import ApiError

from .conftest import ROOT, writes
from .single_runs import KEY, OTHER_KEY, PATHS, WHOLE, Modules, Task, there, unchanged

DRIVER = "neutron_vpnaas.services.vpn.service_drivers.ipsec.IPsecVPNDriver"


@pytest.fixture(scope="module")
def modules(lab):
    """A way to run modules, on a cloud without a VPN."""
    lab.reset_cloud_vpn()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OS_CLIENT_CONFIG_FILE", str(lab.clouds_yaml))
        yield Modules()
    lab.reset_cloud_vpn()


# --- whole -----------------------------------------------------------------------------------------------------------

FIELDS = """
import json
from neutron.extensions import securitygroup
from neutron_lib.api.definitions import vpn, vpn_endpoint_groups, vpn_flavors
maps = {**vpn.RESOURCE_ATTRIBUTE_MAP, **vpn_endpoint_groups.RESOURCE_ATTRIBUTE_MAP}
maps["security_group_rules"] = securitygroup.RESOURCE_ATTRIBUTE_MAP["security_group_rules"]
maps["vpnservices"] = {**maps["vpnservices"], **vpn_flavors.RESOURCE_ATTRIBUTE_MAP["vpnservices"]}
print(json.dumps({name: [field for field, row in of.items() if row["allow_post"] or row["allow_put"]] for name, of in maps.items()}))
"""


def test_every_field_that_the_api_takes_has_an_option():
    """As the server's own tables have them."""
    said = subprocess.run(
        [ROOT / ".cache/lab/venv/bin/python", "-c", FIELDS], capture_output=True, text=True, check=True
    )
    theirs = {plural: set(fields) for plural, fields in json.loads(said.stdout.splitlines()[-1]).items()}
    common = {"name", "description", "tenant_id"}
    for kind, row in _single_kinds.ROWS.items():
        options = set(_single_kinds.options(kind))
        assert theirs[_objects.KINDS[kind].plural] == {*row.fields.values(), *common}, kind
        assert options > {*row.fields, "name", "description", "project_id"}
    rule = {*_objects.KINDS["security_group_rule"].content, "tenant_id"}
    assert theirs["security_group_rules"] <= rule and len(theirs["security_group_rules"]) > 8


def test_the_dialect_of_another_provider(modules, lab):
    """Through the front that speaks it: its words, its fields, and a key that does not come back."""
    otc = {"cloud": "lab-otc", "provider": "otc"}
    key = OTHER_KEY.replace(" ", ".")
    chain: list[Task] = [(module, {**options, **otc}) for module, options in WHOLE]
    chain[1][1].update(encryption="aes-256")
    chain[-1][1].update(psk=key)
    planned, made = modules(*chain, check=True), modules(*chain)
    assert not any(one.get("failed") for one in made), made
    assert [one["plan"] for one in made] == [one["plan"] for one in planned]
    assert unchanged(lab, modules, *chain)
    (connection,) = there(lab, "site_connection", name="berlin")
    assert connection["psk"] == key
    other: Task = ("site_connection", {**otc, "name": "berlin", "psk": KEY.replace(" ", ".")})
    assert unchanged(lab, modules, other), "nobody can tell"
    sent = modules.one("site_connection", **other[1], send_psk=True)
    assert sent["plan"][0]["fields"] == ["psk"] and there(lab, "site_connection", psk=KEY.replace(" ", "."))
    refused = modules.one("site_connection", **otc, name="berlin", mtu=1400)
    assert refused["failed"] and "otc takes only 1500" in refused["msg"]
    gone = modules(
        *(
            (module, {"cloud": "lab-otc", "name": options["name"], "state": "absent"})
            for module, options in reversed(chain)
        )
    )
    assert all(one["changed"] for one in gone) and [there(lab, kind) for kind in PATHS] == [[]] * len(PATHS)
    assert key not in modules.output and KEY.replace(" ", ".") not in modules.output


@pytest.fixture
def flavor(lab):
    """What the cloud's operator offers; nothing of a VPN is left after it."""
    admin = lab.api("lab-admin")
    profile = admin.create("service_profiles", "service_profile", driver=DRIVER)
    flavor = admin.create("flavors", "flavor", name="fast", service_type="VPN")
    admin.request("POST", f"/flavors/{flavor['id']}/service_profiles", {"service_profile": {"id": profile["id"]}})
    yield flavor["id"]
    lab.reset_cloud_vpn()
    admin.delete("flavors", flavor["id"])
    admin.delete("service_profiles", profile["id"])


def test_an_administrator_makes_what_belongs_to_another_project(modules, lab, flavor):
    """By that project's id, and by a flavor; two projects may have things of one name."""
    admin = lab.api("lab-admin")
    project = admin.list("routers", name="test")[0]["project_id"]
    theirs = {"cloud": "lab-admin", "project_id": project}
    own = admin.create("vpn/ikepolicies", "ikepolicy", name="strong", auth_algorithm="sha256")
    tasks: list[Task] = [
        ("ike_policy", {**theirs, "name": "strong"}),
        ("vpn_service", {**theirs, "name": "vpn", "vpc": "test", "flavor": "fast"}),
        (
            "security_group_rules",
            {**theirs, "security_group": "servers", "rules": [{"protocol": "udp", "ports": [4500]}]},
        ),
    ]
    made = modules(*tasks)
    assert not any(one.get("failed") for one in made), made
    assert there(lab, "ike_policy")[0]["project_id"] == project != own["project_id"]
    assert there(lab, "vpn_service")[0]["flavor_id"] == flavor
    assert unchanged(lab, modules, *tasks) and unchanged(
        lab, modules, ("vpn_service", {"name": "vpn", "flavor": flavor})
    )
    refused = modules.one("ike_policy", **theirs, id=own["id"], lifetime=7200)
    assert refused["failed"] and "cannot be given to another" in refused["msg"]
    gone = modules(*((module, {**options, "state": "absent"}) for module, options in reversed(tasks)))
    assert all(one["changed"] for one in gone) and [one["id"] for one in admin.list("vpn/ikepolicies")] == [own["id"]]


def test_a_quota_without_room_is_told_before_the_first_write(modules, lab):
    """The server itself has the last word: it refuses it too."""
    admin, project = lab.api("lab-admin"), lab.api().list("routers", name="prod")[0]["project_id"]
    admin.request("PUT", f"/quotas/{project}", {"quota": {"ikepolicy": 0}})
    try:
        mark = lab.mark()
        refused = modules.one("ike_policy", name="one too many")
        assert refused["failed"] and "over-quota" in refused["msg"] and writes(lab, mark) == []
        with pytest.raises(ApiError, match="Quota exceeded"):
            lab.api().create("vpn/ikepolicies", "ikepolicy", name="x", auth_algorithm="sha256")
    finally:
        admin.delete("quotas", project)
