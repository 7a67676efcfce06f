#!/usr/bin/python
# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: site_configs_info
short_description: Read the router configurations of sites
version_added: 0.1.0
author:
  - bothends.vpn authors (@bothends)
description:
  - Reads the files that M(bothends.vpn.site_configs) wrote, on the router or where they wait to be carried over, as connection
    records in the words of the description. Never returns a key or a file's text, only digests of them.
  - What is not as that module writes it is said so, of that site only.
extends_documentation_fragment:
  - bothends.vpn.attributes
  - bothends.vpn.attributes.info
options:
  directory:
    description: Directory of the files.
    type: path
    required: true
  digest_key:
    description: A random text, under which the digests are made, so that what nobody sees can be compared.
    type: str
    required: true
seealso:
  - module: bothends.vpn.site_configs
"""

EXAMPLES = r"""
- name: Read what is configured
  bothends.vpn.site_configs_info:
    directory: /etc/swanctl/conf.d
    digest_key: "{{ lookup('ansible.builtin.password', '/dev/null', length=43) }}"
  register: held

- name: Show which sites there are, and when their files were written
  ansible.builtin.debug:
    msg: "{{ held.sites | items2dict(key_name='site', value_name='modified') }}"
"""

RETURN = r"""
sites:
  description: The sites.
  returned: success
  type: list
  elements: dict
  contains:
    site:
      description: The site's name.
      type: str
      returned: success
      sample: berlin
    platform:
      description: What the router runs.
      type: str
      returned: success
      sample: strongswan
    paths:
      description: The files.
      type: list
      elements: str
      returned: success
    modified:
      description: When the youngest of them was written, in seconds since 1970.
      type: float
      returned: success
    digests:
      description: HMAC-SHA256 of each file's text under O(digest_key), by the file's name.
      type: dict
      returned: success
    connections:
      description: The connection records that the files carry, without keys; C(psk_digest) is the HMAC-SHA256 of the key, or null.
      type: list
      elements: dict
      returned: success
    problem:
      description: Why the files could not be read; null where they were.
      type: str
      returned: success
"""

import os
import stat
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.bothends.vpn.plugins.module_utils import _drift_router, _platforms
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError

# Ours have some kilobytes; a thousand connections of one site have one megabyte.
LIMIT = 4 * 1024 * 1024


def content(path: str) -> tuple[str, float]:
    """Give a file's text and when it was written. Raises VpnError for what cannot be one of ours."""
    # Opening a pipe waits for its other end.
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as stream:
        found = os.fstat(stream.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise VpnError(f"{path}: is no file.")
        if found.st_size > LIMIT:
            raise VpnError(f"{path}: has {found.st_size} bytes, not as this collection writes it.")
        return stream.read(LIMIT).decode("utf-8", "replace"), found.st_mtime


def held(directory: str, platform: str, site: str, names: list[str], key: str) -> dict[str, t.Any]:
    """Read one site's files."""
    out: dict[str, t.Any] = {
        "site": site,
        "platform": platform,
        "paths": [os.path.join(directory, name) for name in names],
        "modified": None,
        "digests": {},
        "connections": [],
        "problem": None,
    }
    try:
        read = {name: content(path) for name, path in zip(names, out["paths"])}
        texts = {name: text for name, (text, _modified) in read.items()}
        out["modified"] = max(modified for _text, modified in read.values())
        out["digests"] = _drift_router.digests(texts, key)
        out["connections"] = [_drift_router.sealed(record, key) for record in _platforms.read(platform, texts)]
    except OSError as error:
        out["problem"] = str(error)
    except (VpnError, RecursionError) as error:
        why = str(error) if isinstance(error, VpnError) else "not as this collection writes it."
        out["problem"] = f"{why} Remedy: run bothends.vpn.routers, which writes it anew."
    return out


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "directory": {"type": "path", "required": True},
            "digest_key": {"type": "str", "required": True, "no_log": True},
        },
        supports_check_mode=True,
    )
    directory, key = module.params["directory"], module.params["digest_key"]
    try:
        found = _platforms.owners(sorted(os.listdir(directory)))
    except OSError as error:
        module.fail_json(msg=f"directory: {directory}: {error.strerror}.")
    sites = [held(directory, platform, site, names, key) for platform, site, names in found]
    module.exit_json(changed=False, sites=sites)


if __name__ == "__main__":
    main()
