# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module hub from end to end, with a small neutron."""

from __future__ import annotations

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.bothends.vpn.plugins.module_utils import _hub, _hub_options
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError
from ansible_collections.bothends.vpn.tests.unit.builders import hub, site
from ansible_collections.bothends.vpn.tests.unit.neutron import Answer, Neutron, settled

KEY = "a key of 20 characters"
SITES = {"berlin": site(3), "paris": site(4)}
GONE = {name: {**one, "state": "absent"} for name, one in SITES.items()}


@pytest.fixture
def neutron():
    """A cloud with a VPC and no VPN."""
    there = Neutron()
    there.answers["GET", f"{there.get_endpoint()}/v2.0/quotas/{there.get_project_id()}/details"] = Answer(404)
    return there


@pytest.fixture
def apply(neutron, connect):
    """Run the module's code with these sites, options and the defaults of the others."""
    cloud = connect(neutron)

    def run(sites, check_mode=False, **options):
        connections = [
            {"name": name, "psk": KEY, **{key: one[key] for key in one if key != "hub"}} for name, one in sites.items()
        ]
        given = {"name": "prod", **hub(), "connections": connections, "wait_for": "none", **options}
        outcome = ArgumentSpecValidator(_hub_options.spec()).validate(given)
        assert outcome.error_messages == []
        return _hub.apply(outcome.validated_parameters, cloud, check_mode)

    return run


def left(neutron):
    """Give the kinds of which something is there that the module makes."""
    kinds = ("ikepolicies", "ipsecpolicies", "vpnservices", "endpoint_groups", "ipsec_site_connections")
    rules = [one for one in neutron.lists["security_group_rules"] if one["direction"] == "ingress"]
    return [kind for kind in kinds if neutron.lists[kind]] + ["rules"] * bool(rules)


# --- what need not be there ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "what"),
    [
        pytest.param({"security_groups": ["gone"]}, "security group 'gone' is not there", id="group"),
        pytest.param({"subnets": ["gone"]}, "no subnets called 'gone'", id="subnet by name"),
        pytest.param({"subnets": ["192.168.9.0/24"]}, "no subnet 192.168.9.0/24", id="subnet by CIDR"),
    ],
)
def test_what_is_only_to_go_needs_nothing_of_what_it_was_made_with(neutron, apply, options, what):
    apply(SITES)
    settled(neutron)
    with pytest.raises(VpnError, match=what):
        apply({"berlin": GONE["berlin"], "paris": SITES["paris"]}, **options)
    assert apply(GONE, **options)["changed"]
    assert left(neutron) == []
    assert not apply(GONE, **options)["changed"]


# --- check mode ------------------------------------------------------------------------------------------------------

GROUPS = {"security_groups": ["servers", "later", "last"]}


def test_check_mode_takes_a_group_for_one_that_will_be_there(neutron, apply):
    checked = apply(SITES, check_mode=True, **GROUPS)
    assert checked["warnings"] == [
        f"security group {name!r} is not there yet; its id is known after apply." for name in ("later", "last")
    ]
    assert "later (known after apply)" in repr(checked["diff"]) and neutron.writes() == []
    with pytest.raises(VpnError, match=r"security group 'later' is not there; there are: servers\. Remedy"):
        apply(SITES, **GROUPS)
    assert neutron.writes() == []
    neutron.lists["security_groups"] += [{"id": f"g-{name}", "name": name} for name in ("later", "last")]
    real = apply(SITES, **GROUPS)
    assert (real["plan"], real["warnings"]) == (checked["plan"], [])


def test_check_mode_still_wants_the_subnets(apply):
    """What overlaps, and which tunnels there would be, nobody could say without them."""
    with pytest.raises(VpnError, match="no subnets called 'later'"):
        apply(SITES, check_mode=True, subnets=["later"])
