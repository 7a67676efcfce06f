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
  - Renders the configuration of each site for the platform of its router, and writes its files, most often one a site.
  - All sites are rendered on the controller in one task; the files are written on the task's host, which is the router or,
    for sites whose router is no inventory host, the controller (C(delegate_to)).
  - Only files that differ are written, each in one step, readable by their owner only.
  - Keys never appear in results and diffs.
  - Files of earlier runs whose site is neither in O(sites) nor in O(known_sites) are named, and removed with O(purge).
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
        description: Whether the site's files are to be there. A disabled site has none; the cloud keeps its objects.
        type: str
        choices: [present, disabled, absent]
        default: present
      platform:
        description: What the router runs, see the reference of the description.
        type: str
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
      files:
        description: The rendered texts. The action plugin sets them.
        type: list
        elements: dict
        suboptions:
          name:
            description: The file's name.
            type: str
            required: true
          content:
            description: The file's text, base64-encoded.
            type: str
            required: true
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
  resolved:
    description:
      - What the platform's own V(auto) comes to on this router. For strongSwan C(can_trap), whether its kernel can hold packets
        until their tunnel is up; user-space ESP cannot.
    type: dict
    default: {}
  known_sites:
    description: Sites whose files stay as they are, whatever O(sites) says.
    type: list
    elements: str
    default: []
  known_hubs:
    description: The hubs that the description knows. A file that has a connection to another hub is somebody else's.
    type: list
    elements: str
    default: []
  purge:
    description: Also remove the files of sites that are neither in O(sites) nor in O(known_sites), if all their hubs are known.
    type: bool
    default: false
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
  description:
    - The files of each site. C(connections) are those of which the site's files said something else, on a platform that a role
      drives; none where they differed in nothing that the router reads.
  type: list
  elements: dict
  returned: success
  sample:
    - site: berlin
      path: /etc/swanctl/conf.d/bothends-vpn-berlin.conf
      state: present
      changed: true
      connections: [prod/berlin]
left:
  description: The sites of earlier runs that are not described any more, with the connections in their files.
  type: list
  elements: dict
  returned: success
  sample: [{site: paris, paths: [/etc/swanctl/conf.d/bothends-vpn-paris.conf], connections: [prod/paris], removed: false}]
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

import base64
import contextlib
import glob
import os
import tempfile
import time
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.bothends.vpn.plugins.module_utils import _platforms
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError

SITE_SPEC: dict[str, t.Any] = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "disabled", "absent"], "default": "present"},
    "platform": {"type": "str", "default": "strongswan"},
    "platform_version": {"type": "str"},
    "router_settings": {"type": "dict"},
    "connections": {"type": "list", "elements": "dict", "no_log": True},
    "files": {
        "type": "list", "elements": "dict",
        "options": {"name": {"type": "str", "required": True}, "content": {"type": "str", "required": True, "no_log": True}},
    },
}  # fmt: skip
ARGUMENT_SPEC: dict[str, t.Any] = {
    "sites": {"type": "list", "elements": "dict", "required": True, "options": SITE_SPEC},
    "dest": {"type": "path", "required": True},
    "placeholders": {"type": "str", "choices": ["refuse", "allow"], "default": "refuse"},
    "resolved": {"type": "dict", "default": {}},
    "known_sites": {"type": "list", "elements": "str", "default": []},
    "known_hubs": {"type": "list", "elements": "str", "default": []},
    "purge": {"type": "bool", "default": False},
}
MODE = 0o600

# What to return of a file, and its diff.
Done = t.Tuple[t.Dict[str, t.Any], t.Optional[t.Dict[str, str]]]
_TEMPORARY = ".bothends-vpn-"
_ABANDONED = 600  # seconds: nobody writes a file for so long


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
        remove(temporary)
        raise


def remove(path: str) -> None:
    """Removes a file, if somebody else did not do it just now."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def sweep(dest: str) -> None:
    """Removes what runs that were killed left of files; another process may be writing into the same directory now."""
    for leftover in glob.glob(os.path.join(glob.escape(dest), _TEMPORARY + "*")):
        with contextlib.suppress(FileNotFoundError):
            if abs(time.time() - os.stat(leftover).st_mtime) > _ABANDONED:  # a clock may have been set back
                os.unlink(leftover)


def apply(site: dict[str, t.Any], dest: str, check_mode: bool) -> t.Iterator[Done]:
    """Brings one site's files into their state. Gives what to return of each, and its diff when it differs."""
    texts = {file["name"]: base64.b64decode(file["content"]).decode() for file in site["files"] or []}
    if site["state"] == "present" and not texts:
        raise VpnError(f"site {site['name']}: nothing was rendered: call the module as a task, not by itself.")
    names = _platforms.files(site["platform"], site["name"])
    there = {name: current(os.path.join(dest, name)) for name in names}
    wanted = {name: texts.get(name) if site["state"] == "present" else None for name in names}
    differing = _platforms.differing(
        site["platform"],
        {name: before or "" for name, (before, _private) in there.items()},
        {name: after or "" for name, after in wanted.items()},
    )
    for name in names:
        path = os.path.join(dest, name)
        (before, private), after = there[name], wanted[name]
        changed = before != after or not private
        entry = {
            "site": site["name"],
            "path": path,
            "state": "absent" if after is None else "present",
            "changed": changed,
            "connections": differing,
        }
        if not changed:
            yield entry, None
            continue
        if not check_mode:
            if after is None:
                remove(path)
            else:
                write(path, after)
        shown = _platforms.redact(site["platform"], before or "", after or "")
        if not private and before == after:
            shown = ("readable by others\n", "readable by its owner only\n")
        yield entry, {"before": shown[0], "after": shown[1], "before_header": path, "after_header": path}


def find_left(dest: str, known: t.Collection[str], hubs: t.Collection[str], purge: bool) -> list[dict[str, t.Any]]:
    """Finds the files of sites that are not known any more, and says of each whether it is to be removed."""
    left = []
    for platform, site, names in _platforms.owners(sorted(os.listdir(dest)) if os.path.isdir(dest) else []):
        if site in known:
            continue
        texts = {os.path.join(dest, name): current(os.path.join(dest, name))[0] or "" for name in names}
        try:
            records = _platforms.read(platform, texts)
        except VpnError:
            records = []  # somebody wrote into it: not ours to remove
        ours = bool(records) and all(record["hub"] in hubs for record in records)
        names = [record["name"] for record in records]
        left.append({"site": site, "paths": list(texts), "connections": names, "removed": purge and ours})
    return left


def main() -> None:
    """Runs the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    dest, sites = module.params["dest"], module.params["sites"]
    if not os.path.isdir(dest) and not module.check_mode:
        module.fail_json(
            msg=f"dest: {dest} is not a directory. Make it, or install what brings it (strongswan-swanctl)."
        )
    try:
        if not module.check_mode:
            sweep(dest)
        done = [one for site in sites for one in apply(site, dest, module.check_mode)]
        known = {*module.params["known_sites"], *(site["name"] for site in sites)}
        left = find_left(dest, known, module.params["known_hubs"], module.params["purge"])
        for path in (path for one in left if one["removed"] for path in one["paths"]):
            done.append(
                ({"changed": True}, {"before": f"{path}\n", "after": "", "before_header": path, "after_header": path})
            )
            if not module.check_mode:
                remove(path)
    except (VpnError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(
        changed=any(entry["changed"] for entry, _diff in done),
        files=[entry for entry, _diff in done if "path" in entry],
        left=left,
        diff=[shown for _entry, shown in done if shown],
    )


if __name__ == "__main__":
    main()
