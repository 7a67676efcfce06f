# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""What every module of the action group shares: the options that lead to the cloud, and how a run ends."""

from __future__ import annotations

import collections
import typing as t

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible.module_utils.common.warnings import get_deprecation_messages, get_warning_messages

from ansible_collections.bothends.vpn.plugins.module_utils import _addresses, _cloud, _findings, _secrets, _wire
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError

CLOUD_SPEC: dict[str, dict[str, t.Any]] = {
    "cloud": {"type": "raw"},
    "concurrency": {"type": "int", "default": 4},
}


def run(module: AnsibleModule, work: t.Callable[[_cloud.Cloud], dict[str, t.Any]]) -> t.NoReturn:
    """Log in, do the work, and end the module; the one place that knows ``fail_json``."""
    for library, problem in (("openstacksdk", _wire.OPENSTACK_ERROR), ("netaddr", _addresses.NETADDR_ERROR)):
        if problem:
            module.fail_json(msg=missing_required_lib(library), exception=problem)
    login = module.params["cloud"] or None
    # Ansible adds all parameters to what a module returns.
    module.params["cloud"] = _secrets.without_secrets(login)
    try:
        result = work(_cloud.Cloud(login, module.params["concurrency"]))
    except VpnError as error:
        _warn(module, error.result)
        module.fail_json(msg=str(error), **error.result)
    _warn(module, result)
    _exit(module, result)


def _exit(module: AnsibleModule, result: dict[str, t.Any]) -> t.NoReturn:
    """End the module well. Ansible looks for each key in each text of a result, which takes minutes where there are thousands.

    So it gets the options without the keys, and looks only for those that occur. A failure shows what nobody knows before: it
    goes the long way.
    """
    options = _secrets.without_keys(module.params, module.no_log_values)
    shown = [result, options, get_warning_messages(), get_deprecation_messages()]
    module.no_log_values = _secrets.occurring(module.no_log_values, shown)
    module.exit_json(invocation={"module_args": options}, **result)


def _warn(module: AnsibleModule, result: dict[str, t.Any]) -> None:
    for text in result.pop("warnings", []):
        module.warn(text)
    for one in result.get("findings", []):
        if one["severity"] != _findings.ERROR:  # those are the failure's own words
            module.warn(f"{one['field']}: {one['message']} Remedy: {one['remedy']}")
    for one in result.get("unowned", []):
        module.warn(
            f"site {one['site']} is to be absent, but {one['kind']} {one['name']} ({one['id']}) was not made by this collection; it "
            "stays. Remedy: delete it by hand."
        )
    for text in _forgotten(result.get("leftovers", [])):
        module.warn(text)


def _forgotten(leftovers: t.Sequence[dict[str, str]]) -> t.Iterator[str]:
    """Say in one line a site what stays of those that left the description; the result has each by name and id."""
    sites: dict[str, collections.Counter[str]] = {}
    for one in leftovers:
        sites.setdefault(one["site"], collections.Counter())[one["kind"]] += 1
    for site, kinds in sorted(sites.items()):
        what = ", ".join(f"{number} {kind}" for kind, number in kinds.items())
        yield (
            f"site {site} is not described any more, and what was made for it stays: {what}. Remedy: describe the site with state "
            "absent, or run with purge (playbooks: vpn_purge)."
        )
