# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection.
"""One way in which every filter and test of the collection fails: by its name, and by what is wrong with its input."""

from __future__ import annotations

import functools
import inspect
import typing as t

from ansible.errors import AnsibleFilterError
from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.bothends.vpn.plugins.module_utils._addresses import AddressError
from ansible_collections.bothends.vpn.plugins.module_utils._errors import VpnError

P = t.ParamSpec("P")
R = t.TypeVar("R")


def guarded(function: t.Callable[P, R]) -> t.Callable[P, R]:
    """Turn what a filter or test raises into an error that names it, without values that may be secret.

    What its signature says is a ``bool`` is read as Ansible reads one: ``-e x=no`` is a text, and every text is true to Python.
    """
    name = f"bothends.vpn.{function.__name__}"
    signature = inspect.signature(function)
    switches = {one: row.default for one, row in signature.parameters.items() if row.annotation == "bool"}

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            given = signature.bind(*args, **kwargs)
            for one in switches.keys() & given.arguments.keys():
                given.arguments[one] = _switch(one, given.arguments[one], switches[one])
            return function(*given.args, **given.kwargs)
        except (VpnError, AddressError) as error:
            raise AnsibleFilterError(f"{name}: {error}") from None
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise AnsibleFilterError(
                f"{name}: the input has not the form that its documentation says ({error})."
            ) from None

    return call


def _switch(name: str, value: t.Any, default: bool) -> bool:
    if value is None or value == "":
        return default
    try:
        return boolean(value)
    except TypeError:
        raise VpnError(f"{name}: {value!r} is neither true nor false.") from None
