# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Renders the sites' configurations on the controller; the module of the same name writes them on the task's host."""

from __future__ import annotations

import base64
import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.bothends.vpn.plugins.module_utils import _description, _platforms
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError

TEMPLATES = Path(__file__).resolve().parents[2] / "roles" / "site_router" / "templates"
OPTIONS = ("sites", "dest", "placeholders", "resolved", "known_sites", "known_hubs", "purge")


class ActionModule(ActionBase):
    """The action plugin."""

    _requires_connection = True

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Renders what is to be there and hands the module nothing but texts, file names and states."""
        result = super().run(tmp, task_vars)
        # Ansible's tagged and lazy values end here: jinja2 and the platforms see plain data only.
        arguments = _description.plain(dict(self._task.args))
        unknown = sorted(set(arguments) - set(OPTIONS))
        if unknown:
            raise AnsibleActionFail(f"site_configs: unsupported options: {', '.join(unknown)}.")
        try:
            sites = rendered(
                arguments.get("sites"),
                allow_placeholders=_choice(arguments, "placeholders", ("refuse", "allow")) == "allow",
                resolved=arguments.get("resolved") or {},
            )
        except VpnError as error:
            raise AnsibleActionFail(str(error)) from None
        module_args = {key: arguments[key] for key in OPTIONS if key in arguments and key != "resolved"}
        module_args["sites"] = sites
        result.update(
            self._execute_module("bothends.vpn.site_configs", module_args=module_args, task_vars=task_vars or {})
        )
        # Whoever loads the files needs to know what is in them, without the keys. It is added here, on the controller, so
        # that nothing of it was ever masked.
        purged = [{"name": name} for one in result.get("left", []) if one["removed"] for name in one["connections"]]
        result.update(
            connections=records(arguments["sites"], gone=False), absent=records(arguments["sites"], gone=True) + purged
        )
        return result


def records(sites: list[dict[str, t.Any]], gone: bool) -> list[dict[str, t.Any]]:
    """The connection records of all sites that are there, or that are to be gone, without their keys."""
    return [
        {
            **{key: value for key, value in record.items() if key != "psk"},
            "router_settings": site.get("router_settings") or record.get("router_settings") or {},
        }
        for site in sites
        for record in site.get("connections") or []
        if _gone(site, record) is gone
    ]


def _gone(*states: dict[str, t.Any]) -> bool:
    """Whether a router has nothing of it: a disabled site is kept by the cloud only."""
    return any(one.get("state") in ("absent", "disabled") for one in states)


def rendered(sites: t.Any, allow_placeholders: bool, resolved: dict[str, t.Any]) -> list[dict[str, t.Any]]:
    """What the module needs to know of each site. Raises one VpnError with all that is wrong with all sites."""
    if not isinstance(sites, list) or not all(isinstance(site, dict) and site.get("name") for site in sites):
        raise VpnError("site_configs: sites must be a list of dicts that have a name.")
    out, wrong = [], []
    for site in sites:
        entry = {"name": site["name"], "platform": site.get("platform") or "strongswan"}
        entry["state"] = "absent" if _gone(site) else "present"
        out.append(entry)
        if entry["state"] == "absent":
            continue
        try:
            texts = _texts({**site, **entry}, allow_placeholders, resolved)
            # Encoded, because Ansible masks a secret value wherever it stands: a text without a key would be lost in the diff.
            entry["files"] = [
                {"name": name, "content": base64.b64encode(text.encode()).decode()} for name, text in texts.items()
            ]
        except VpnError as error:
            wrong.append(str(error))
        except (KeyError, TypeError, AttributeError) as error:  # not the data that a record is: show no value of it
            wrong.append(
                f"site {site['name']}: connections: not a complete connection record ({type(error).__name__})."
            )
    if wrong:
        raise VpnError("\n".join(wrong))
    return out


def _texts(site: dict[str, t.Any], allow_placeholders: bool, resolved: dict[str, t.Any]) -> dict[str, str]:
    # A connection that is to be gone is left out of its site's file.
    records = [record for record in site.get("connections") or [] if not _gone(record)]
    given = site.get("router_settings") or (records[0].get("router_settings") if records else None) or {}
    site = {**site, "connections": records, "router_settings": given}
    texts = _platforms.render(site["platform"], site, records, str(TEMPLATES), **resolved)
    missing = _platforms.missing_settings(site)
    if missing and not allow_placeholders:
        raise VpnError(
            f"site {site['name']}: {', '.join(missing)}: needed on a router and not known."
            " Set it, or have a file written instead (placeholders: allow)."
        )
    return texts


def _choice(arguments: dict[str, t.Any], name: str, choices: tuple[str, ...]) -> str:
    value = arguments.get(name) or choices[0]
    if value not in choices:
        raise VpnError(f"site_configs: {name} must be one of {', '.join(choices)}.")
    return value
