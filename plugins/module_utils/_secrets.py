# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""Pre-shared keys: whose is which, and what they may look like. Never part of a message, a diff or a result."""

from __future__ import annotations

import base64
import hashlib
import hmac
import typing as t
import unicodedata

REDACTED = "(secret)"
# What Ansible's own masking puts in place of an option that is not to be logged.
MASKED = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
# What stands in a file where a person has to put in something.
PLACEHOLDER = "CHANGEME-"

# What a login calls its secrets: password, application_credential_secret, token, passcode.
_SECRET_WORDS = ("password", "secret", "token", "passcode")


def without_secrets(login: t.Any) -> t.Any:
    """Copy what a user gave as login, whatever its shape, with its secrets made unreadable."""
    if isinstance(login, t.Mapping):
        return {
            name: REDACTED if any(word in str(name).lower() for word in _SECRET_WORDS) else without_secrets(value)
            for name, value in login.items()
        }
    if isinstance(login, list):
        return [without_secrets(one) for one in login]
    return REDACTED if is_dict_as_text(login) else login


def is_dict_as_text(login: t.Any) -> bool:
    """Tell whether somebody gave a dict's text for the dict, with all that stands in it."""
    return isinstance(login, str) and "{" in login


def without_keys(value: t.Any, keys: t.Container[str]) -> t.Any:
    """Copy a module's options with the keys in them replaced by the word that Ansible puts there."""
    if isinstance(value, dict):
        return {name: without_keys(one, keys) for name, one in value.items()}
    if isinstance(value, list):
        return [without_keys(one, keys) for one in value]
    return MASKED if isinstance(value, str) and value in keys else value


def occurring(keys: t.Collection[str], shown: t.Any) -> set[str]:
    """Give those of many keys that stand anywhere in what is to be shown, as a whole or as a part of a text.

    The time grows with both, and not with their product: only where a text has the first characters of a key is it looked further.
    """
    if not keys:
        return set()
    text = "\n".join({*_texts(shown)})
    length = min(map(len, keys))
    beginnings = {key[:length] for key in keys}
    there = beginnings.intersection(text[place : place + length] for place in range(len(text)))
    return {key for key in keys if key[:length] in there and key in text}


def _texts(value: t.Any) -> t.Iterator[str]:
    """Everything in a nested value as text; names of fields too."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield str(name)
            yield from _texts(one)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for one in value:
            yield from _texts(one)
    else:
        yield str(value)


def find(psks: t.Mapping[str, t.Any], hub: str, site: str) -> str | None:
    """Look up a connection's key: under ``hub/site`` first, else under the site's name; None when there is none."""
    for name in (f"{hub}/{site}", site):
        value = psks.get(name)
        if value not in (None, ""):
            return str(value)
    return None


def problem(psk: str, length: tuple[int, int], alphabet: str = "") -> str | None:
    """Say why a key is not allowed, without showing any of it; None when it is allowed. No alphabet allows every character."""
    low, high = length
    if not low <= len(psk) <= high:
        return f"has {len(psk)} characters; {low} to {high} are allowed"
    if psk.startswith(PLACEHOLDER):
        return "is a placeholder that nobody has replaced"
    control = sum(1 for letter in psk if unicodedata.category(letter) in ("Cc", "Cs"))
    if control:
        return f"has {control} control character{'' if control == 1 else 's'} (a line end, say)"
    if psk != psk.strip():
        return "begins or ends with a blank"
    bad = sum(1 for letter in psk if alphabet and letter not in alphabet)
    if bad:
        return f"has {bad} character{'' if bad == 1 else 's'} that the provider does not allow"
    return None


def digest(key: str, secret: str) -> str:
    """Give what tells a secret from another one and shows nothing of it: HMAC-SHA256 (RFC 2104) in hex.

    ``key`` is random and lives as long as one run, so that nobody can look up what a digest was made from.
    """
    return hmac.new(key.encode(), secret.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def derive(master: str, hub: str, site: str, generation: int = 1) -> str:
    """Derive a connection's key from one master secret: HMAC-SHA256 (RFC 2104), 43 characters of [A-Za-z0-9-_].

    Nothing is stored and a rebuilt machine gets the same key; its price is that one leak of the master is every key.
    """
    message = "\0".join(("bothends.vpn psk", hub, site, str(generation)))
    digest = hmac.new(master.encode(), message.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
