# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""What more than one platform checks of a record in the same way. Pure."""

from __future__ import annotations

import ipaddress
import re
import typing as t

Record = t.Dict[str, t.Any]
Problem = t.Tuple[str, t.Any, str, str]  # field, value, message, remedy

_FAMILY = {"ipv4": 4, "ipv6": 6}
# Configurations have lists of addresses, so a value must not become two.
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:_-]*\Z|::[0-9A-Fa-f.:]*\Z")


def beyond_limits(record: Record, limits: t.Mapping[str, t.Collection[str]], title: str) -> t.Iterator[Problem]:
    """Compares a record with a platform's ``LIMITS``."""
    for field, allowed in limits.items():
        value: t.Any = record
        for key in field.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        if value is not None and value not in allowed:
            yield field, value, f"{title} cannot do {value}.", f"Use one of: {', '.join(allowed)}."


def translation(record: Record, title: str) -> t.Iterator[Problem]:
    """Refuses 1:1 NAT."""
    if record.get("translate"):
        yield (
            "translate",
            ", ".join(record["translate"]),
            f"no 1:1 NAT is written for {title} yet.",
            "Translate on the router yourself, and describe the translated subnets.",
        )


def address_of_type(identity: t.Mapping[str, str]) -> str | None:
    """Says why an identity that is to be an address is none of its type; None where it is, or is no address."""
    if identity["type"] not in _FAMILY:
        return None
    try:
        version = ipaddress.ip_address(identity["value"]).version
        right = version == _FAMILY[identity["type"]] and "%" not in identity["value"]  # no zone: it may be any text
    except ValueError:
        right = False
    return None if right else f"it is not an {identity['type']} address."


def addresses(record: Record) -> None:
    """Raises ValueError for a gateway or subnet that is none, and so could be more than that in a text."""
    for end in ("local", "remote"):
        for field in ("gateway", "address"):
            value = record[end].get(field)
            if value and not _HOST.match(value):
                raise ValueError(f"{end}.{field}: {value!r} is neither an address nor a host name")
    for tunnel in record["tunnels"]:
        for field in ("local_subnets", "remote_subnets"):
            for subnet in tunnel[field]:
                try:
                    ipaddress.ip_network(subnet)
                except ValueError as error:
                    raise ValueError(f"{tunnel['name']}: {field}: {error}") from None
                if "%" in subnet:
                    raise ValueError(f"{tunnel['name']}: {field}: {subnet!r} has a zone")


def unknown_values(records: t.Iterable[Record]) -> list[str]:
    """The fields of records that every router needs and that are not known."""
    out = []
    for record in records:
        if not record["remote"].get("gateway"):
            out.append(f"{record['name']}: remote.gateway")
        if not record["local"].get("id"):
            out.append(f"{record['name']}: local.id")
        if not record.get("psk"):
            out.append(f"{record['name']}: psk")
    return out
