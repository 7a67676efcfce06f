# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""The platforms that a site's router can run.

A new one is an entry in ``PLATFORMS``, a column in ``_algorithms``, a file here, a template a file and golden files; no other
platform is touched by it. A platform's file gives, as module attributes:

``TITLE``       what people call it
``LIMITS``      field -> what it can do
``SETTINGS``    its ``router_settings``, in the shape of ``_description``'s specifications
``FILES``       (name with ``{site}``, template) of each file of a site
``SECRET``      a pattern of what must not show of a file: group 1 stays, group 2 is the secret
``FILTERS``     the templates' filters
``RESOLVED``    what `auto` may come to on a router, as `model()` takes it; left out where that depends on nothing
``DRIVEN``      whether roles can bring it into force (``tasks/PLATFORM.yml``); else its files are written for a person
``problems()``  what of a record it cannot do
``missing()``   the fields that a deployable file lacks
``model()``     records -> the templates' variables
``read()``      files -> records, the way back
``parts()``     files -> what they say of each connection, only to be compared (where ``DRIVEN``)
"""

from __future__ import annotations

import functools
import re
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils._errors import TextError, VpnError
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import cisco_iosxe, libreswan, strongswan

PLATFORMS: dict[str, t.Any] = {
    "strongswan": strongswan,
    "libreswan": libreswan,
    "cisco_iosxe": cisco_iosxe,
}


def problems(record: dict[str, t.Any]) -> list[tuple[str, t.Any, str, str]]:
    """What of a connection record its platform cannot do, as (field, value, message, remedy)."""
    platform = PLATFORMS.get(record["platform"])
    if platform is None:
        return [("platform", record["platform"], "is not a platform.", f"Use one of: {', '.join(sorted(PLATFORMS))}.")]
    return list(platform.problems(record))


def settings(platform: str, given: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """router_settings with the platform's defaults. Raises VpnError for a name or value that it does not know."""
    table = PLATFORMS[platform].SETTINGS
    out = {name: row["default"] for name, row in table.items() if "default" in row}
    for name, value in given.items():
        if name not in table:
            raise VpnError(
                f"router_settings.{name}: {platform} does not know it. Known are: {', '.join(sorted(table))}."
            )
        choices = table[name].get("choices")
        if choices and value not in choices:
            raise VpnError(f"router_settings.{name}: {value} is none of {', '.join(choices)}.")
        out[name] = value
    return out


def missing_settings(site: t.Mapping[str, t.Any]) -> list[str]:
    """The fields of a site (``name``, ``platform``, ``router_settings``, ``connections``) that stand as CHANGEME."""
    platform = PLATFORMS[site["platform"]]
    given = site.get("router_settings") or {}
    required = [
        f"router_settings.{name}"
        for name, row in sorted(platform.SETTINGS.items())
        if row["required"] and given.get(name) in (None, "")
    ]
    return required + platform.missing(site, site["connections"])


def render(
    platform: str, site: t.Mapping[str, t.Any], records: list[dict[str, t.Any]], templates_dir: str, **resolved: t.Any
) -> dict[str, str]:
    """The files of one site, name -> text, from records as the site sees them (with ``psk``).

    ``resolved`` says what the platform's own `auto` comes to on this router (strongSwan: ``can_trap``). Raises VpnError
    that names site, field and remedy; a key is never part of it.
    """
    if platform not in PLATFORMS:
        raise VpnError(f"site {site['name']}: platform: {platform} is not one of {', '.join(sorted(PLATFORMS))}.")
    speaker = PLATFORMS[platform]
    names = files(platform, site["name"])
    try:
        chosen = settings(platform, site.get("router_settings") or {})
        variables = speaker.model(dict(site), records, chosen, **resolved)
        return {
            name: _template(platform, template, templates_dir).render(variables)
            for name, (_pattern, template) in zip(names, speaker.FILES)
        }
    except (ValueError, VpnError) as error:
        raise VpnError(f"site {site['name']}: {error}") from None


@functools.lru_cache(maxsize=None)
def _template(platform: str, name: str, templates_dir: str) -> t.Any:
    # Only the controller renders, and modules import this package too: jinja2 need not be on a router.
    import jinja2  # pylint: disable=import-outside-toplevel

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates_dir),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # the platform quotes by its own filters
    )
    environment.filters.update(PLATFORMS[platform].FILTERS)
    return environment.get_template(name)


# Site names become part of file names.
_SITE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")


def files(platform: str, site: str) -> list[str]:
    """The names of a site's files. Raises VpnError for a site's name that could lead out of the directory."""
    if not _SITE_NAME.match(site):
        raise VpnError(f"site {site!r}: name: letters, digits, dots, dashes and underscores only.")
    return [pattern.format(site=site) for pattern, _template in PLATFORMS[platform].FILES]


def owners(names: t.Collection[str]) -> list[tuple[str, str, list[str]]]:
    """Tell the platform and the site of files by their names; files that are not ours are left out.

    Platforms may call a file alike, so a site's files are those of the platform that most of them belong to.
    """
    found: dict[str, dict[str, list[str]]] = {}
    for platform, speaker in PLATFORMS.items():
        for pattern, _template in speaker.FILES:
            head, _site, tail = pattern.partition("{site}")
            for name in names:
                site = name[len(head) : len(name) - len(tail)]
                if name == head + site + tail and _SITE_NAME.match(site):
                    found.setdefault(site, {}).setdefault(platform, []).append(name)
    out = []
    for site, of in sorted(found.items()):
        platform = max(of, key=lambda one: len(of[one]))
        out.append((platform, site, of[platform]))
    return out


def read(platform: str, texts: t.Mapping[str, str]) -> list[dict[str, t.Any]]:
    """The records that a site's files (name -> text) carry. Raises VpnError for what is not as it was written."""
    try:
        return PLATFORMS[platform].read(texts)
    except TextError as error:
        raise VpnError(f"{error}.") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise VpnError(f"{', '.join(texts)}: not as this collection writes it.") from None


def differing(platform: str, before: t.Mapping[str, str], after: t.Mapping[str, str]) -> list[str]:
    """The connections of which two states of a site's files (name -> text) do not say the same; of old ones that cannot be read, all.

    Of platforms that nobody loads them on by a role, none.
    """
    speaker = PLATFORMS[platform]
    if not speaker.DRIVEN:
        return []
    new = speaker.parts(after)
    try:
        old = speaker.parts(before)
    except (TextError, AttributeError):
        old = {}
    return sorted(name for name in {*old, *new} if old.get(name) != new.get(name))


def redact(platform: str, before: str, after: str) -> tuple[str, str]:
    """Two states of a site's file as a diff may show them: a changed key shows as changed and in no other way."""
    secret = PLATFORMS[platform].SECRET
    known = {found.group(2) for found in secret.finditer(before)}
    mark = "(redacted)"

    def replace(found: re.Match[str]) -> str:
        return found.group(1) + (mark if found.group(2) in known or not before else "(redacted, changed)")

    return secret.sub(lambda found: found.group(1) + mark, before), secret.sub(replace, after)
