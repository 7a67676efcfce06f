#!/usr/bin/python
# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes the sites' configurations that the action plugin of the same name rendered."""

from __future__ import annotations

DOCUMENTATION = r"""
module: site_configs
short_description: Write the router configurations of sites
version_added: 0.1.0
author:
  - bothends.vpn authors (@bothends)
description:
  - Renders the configuration of each site for the platform of its router, and writes one file a site.
  - All sites are rendered on the controller in one task; the files are written on the task's host, which is the router or,
    for sites whose router is no inventory host, the controller (C(delegate_to)).
  - Only files that differ are written, each in one step, readable by their owner only.
  - Keys never appear in results and diffs.
extends_documentation_fragment:
  - bothends.vpn.attributes
options:
  sites:
    description: The sites.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The site's name.
        type: str
        required: true
      state:
        description: Whether the site's file is to be there.
        type: str
        choices: [present, absent]
        default: present
      platform:
        description: What the router runs.
        type: str
        choices: [strongswan]
        default: strongswan
      platform_version:
        description: Its version, where the text depends on it.
        type: str
      router_settings:
        description: What the platform needs to know of the router.
        type: dict
      connections:
        description: The site's connection records as the site sees them, with their keys, as the collection's filters give them.
        type: list
        elements: dict
      content:
        description: The rendered text. The action plugin sets it.
        type: str
  dest:
    description: Directory of the files. It must exist.
    type: path
    required: true
  placeholders:
    description:
      - What to do where a value that a router needs is not known.
      - V(refuse) fails and names it; V(allow) writes C(CHANGEME-...) in its place, for a person to replace.
    type: str
    choices: [refuse, allow]
    default: refuse
  can_trap:
    description: Whether the router's kernel can hold packets until their tunnel is up. User-space ESP of strongSwan cannot.
    type: bool
    default: true
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - Keys are left out; one that changes shows as C((redacted, changed)).
  idempotent:
    support: full
"""

EXAMPLES = r"""
- name: Write the files of sites whose routers somebody else configures
  bothends.vpn.site_configs:
    sites: "{{ site_router_sites }}"
    dest: "{{ inventory_dir }}/vpn-files"
    placeholders: allow
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
files:
  description: The file of each site.
  type: list
  elements: dict
  returned: success
  sample: [{site: berlin, path: /etc/swanctl/conf.d/bothends-vpn-berlin.conf, state: present, changed: true}]
connections:
  description: The connection records that the files carry, without their keys.
  type: list
  elements: dict
  returned: success
absent:
  description: The connection records that no file carries any more, without their keys.
  type: list
  elements: dict
  returned: success
"""

import glob
import os
import tempfile
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.bothends.vpn.plugins.module_utils import _platforms
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError

SITE_SPEC: dict[str, t.Any] = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "platform": {"type": "str", "choices": ["strongswan"], "default": "strongswan"},
    "platform_version": {"type": "str"},
    "router_settings": {"type": "dict"},
    "connections": {"type": "list", "elements": "dict", "no_log": True},
    "content": {"type": "str", "no_log": True},
}
ARGUMENT_SPEC: dict[str, t.Any] = {
    "sites": {"type": "list", "elements": "dict", "required": True, "options": SITE_SPEC},
    "dest": {"type": "path", "required": True},
    "placeholders": {"type": "str", "choices": ["refuse", "allow"], "default": "refuse"},
    "can_trap": {"type": "bool", "default": True},
}
MODE = 0o600
_TEMPORARY = ".bothends-vpn-"


def current(path: str) -> tuple[str | None, bool]:
    """Gives a file's text (None: not there) and whether only its owner may read it."""
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read(), os.fstat(stream.fileno()).st_mode & 0o777 == MODE
    except FileNotFoundError:
        return None, True


def write(path: str, content: str) -> None:
    """Replaces a file in one step: a reader sees the old text or the new one, whole."""
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=_TEMPORARY)  # made with mode 0600
    try:
        with open(handle, "w", encoding="utf-8", newline="") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def apply(site: dict[str, t.Any], dest: str, check_mode: bool) -> tuple[dict[str, t.Any], dict[str, str] | None]:
    """Brings one site's file into its state. Gives what to return of it, and its diff when it differs."""
    path = os.path.join(dest, _platforms.file_name(site["platform"], site["name"]))
    before, private = current(path)
    after = site["content"] if site["state"] == "present" else None
    if site["state"] == "present" and after is None:
        raise VpnError(f"site {site['name']}: nothing was rendered: call the module as a task, not by itself.")
    changed = before != after or not private
    entry = {"site": site["name"], "path": path, "state": site["state"], "changed": changed}
    if not changed:
        return entry, None
    if not check_mode:
        if after is None:
            os.unlink(path)
        else:
            write(path, after)
    shown = _platforms.redact(site["platform"], before or "", after or "")
    if not private and before == after:
        shown = ("readable by others\n", "readable by its owner only\n")
    return entry, {"before": shown[0], "after": shown[1], "before_header": path, "after_header": path}


def main() -> None:
    """Runs the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    dest = module.params["dest"]
    if not os.path.isdir(dest) and not module.check_mode:
        module.fail_json(
            msg=f"dest: {dest} is not a directory. Make it, or install what brings it (strongswan-swanctl)."
        )
    if not module.check_mode:
        for leftover in glob.glob(os.path.join(glob.escape(dest), _TEMPORARY + "*")):  # of a run that was killed
            os.unlink(leftover)
    try:
        done = [apply(site, dest, module.check_mode) for site in module.params["sites"]]
    except (VpnError, OSError) as error:
        module.fail_json(msg=str(error))
    files = [entry for entry, _diff in done]
    diff = [shown for _entry, shown in done if shown]
    module.exit_json(changed=any(entry["changed"] for entry in files), files=files, diff=diff)


if __name__ == "__main__":
    main()
