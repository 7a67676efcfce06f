# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""The one specification of what a user writes.

``POLICY``, ``HUB`` and ``SITE`` are the source of validation, of the argument specs, of the reference page and of the
JSON Schema. ``describe()`` is the door: it turns whatever Ansible hands over (vaulted, lazy, tagged, '' from a survey)
into plain data with every default filled in, and says about each wrong value where it stands and what to do.
"""

from __future__ import annotations

import copy
import difflib
import re
import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.bothends.vpn.plugins.module_utils import _algorithms, _platforms
from ansible_collections.bothends.vpn.plugins.module_utils._codes import CODES
from ansible_collections.bothends.vpn.plugins.module_utils._findings import Finding, about, finding
from ansible_collections.bothends.vpn.plugins.module_utils._providers import PROVIDERS

Spec = t.Dict[str, t.Dict[str, t.Any]]

SOURCE = "docs/reference/description.md"

ID: Spec = {
    "type": {
        "type": "str",
        "choices": ["ipv4", "ipv6", "fqdn", "email"],
        "description": "Kind of the IKE identity. Default: read from the value.",
    },
    "value": {"type": "str", "required": True, "description": "The IKE identity."},
}

POLICY: Spec = {
    "ike": {
        "type": "dict",
        "description": "The IKE proposal (phase 1).",
        "options": {
            "version": {"type": "str", "choices": ["v1", "v2"], "default": "v2", "description": "IKE version."},
            "mode": {
                "type": "str",
                "choices": ["main", "aggressive"],
                "default": "main",
                "description": "Negotiation mode of IKEv1.",
            },
            "encryption": {
                "type": "str",
                "choices": list(_algorithms.ENCRYPTION),
                "default": "aes-256",
                "description": "Cipher.",
            },
            "integrity": {
                "type": "str",
                "choices": list(_algorithms.INTEGRITY),
                "description": "Integrity algorithm (and PRF). Default sha256; not with an AEAD cipher (GCM, CCM).",
            },
            "prf": {
                "type": "str",
                "choices": list(_algorithms.PRF),
                "description": "Pseudo-random function of an AEAD cipher. Default sha256; without an AEAD the integrity names it.",
            },
            "dh_group": {
                "type": "str",
                "choices": list(_algorithms.DH_GROUP),
                "default": "group14",
                "description": "Diffie-Hellman group.",
            },
            "lifetime": {"type": "int", "default": 28800, "description": "Seconds until the IKE SA is made anew."},
        },
    },
    "ipsec": {
        "type": "dict",
        "description": "The IPsec proposal (phase 2, ESP in tunnel mode).",
        "options": {
            "encryption": {
                "type": "str",
                "choices": list(_algorithms.ENCRYPTION),
                "default": "aes-256",
                "description": "Cipher.",
            },
            "integrity": {
                "type": "str",
                "choices": list(_algorithms.INTEGRITY),
                "description": "Integrity algorithm. Default sha256; not with an AEAD cipher (GCM, CCM).",
            },
            "pfs_group": {
                "type": "str",
                "choices": list(_algorithms.DH_GROUP),
                "default": "group14",
                "description": "Diffie-Hellman group of each rekeying (perfect forward secrecy).",
            },
            "lifetime": {"type": "int", "default": 3600, "description": "Seconds until the child SA is made anew."},
        },
    },
}

HUB: Spec = {
    "provider": {
        "type": "str",
        "choices": list(PROVIDERS),
        "default": "neutron",
        "description": "The cloud API's dialect and limits.",
    },
    "cloud": {
        "type": "raw",
        "description": "Entry of clouds.yaml, or a dict in its shape. Default: what the environment says (OS_CLOUD, or the only entry).",
    },
    "vpc": {"type": "str", "required": True, "description": "Name or id of the VPC (OpenStack: the router)."},
    "subnets": {
        "type": "list",
        "elements": "str",
        "required": True,
        "description": "Names, ids or CIDRs of the VPC's subnets that the sites may reach.",
    },
    "security_groups": {
        "type": "list",
        "elements": "str",
        "default": [],
        "description": "Names or ids of the security groups that get the rules which let the sites' traffic in. Without any, what the"
        " groups of the VPC's servers let in is not looked after: by themselves they let in nothing from outside.",
    },
    "gateway": {"type": "str", "description": "The cloud's public address. Default: asked from the API."},
}

SITE: Spec = {
    "state": {
        "type": "str",
        "choices": ["present", "disabled", "absent"],
        "default": "present",
        "description": "V(absent) removes what was made for the site, at both ends. V(disabled) keeps the cloud's objects, switched"
        " off, and takes the configuration from the router, so that nothing passes until it is V(present) again.",
    },
    "hubs": {"type": "list", "elements": "str", "default": [], "description": "The hubs that the site connects to."},
    "hub": {"type": "str", "description": "The same for one hub."},
    "router": {
        "type": "str",
        "description": "Inventory host that is the site's router. Default: the site's name. Need not be in the inventory.",
    },
    "gateway": {"type": "str", "required": True, "description": "The site's public address, as the cloud sees it."},
    "subnets": {
        "type": "list",
        "elements": "str",
        "required": True,
        "description": "CIDRs of the site's LAN that the hubs may reach.",
    },
    "platform": {
        "type": "str",
        "choices": list(_platforms.PLATFORMS),
        "default": "strongswan",
        "description": "What the router runs.",
    },
    "platform_version": {"type": "str", "description": "Its version, where the configuration depends on it."},
    "policy": {"type": "str", "default": "default", "description": "Name of an entry of C(vpn_policies)."},
    "security_group_rules": {
        "type": "list",
        "elements": "dict",
        "default": [{"protocol": "any"}],
        "description": "What the site's subnets may reach in the hub's security groups.",
        "options": {
            "protocol": {
                "type": "str",
                "required": True,
                "description": "V(any), V(tcp), V(udp), V(icmp), another name the cloud knows, or a number.",
            },
            "ports": {
                "type": "list",
                "elements": "str",
                "description": "Ports and ranges (V(443), V(8000-8010)) of tcp and udp. Default: all.",
            },
        },
    },
    "probe": {
        "type": "raw",
        "description": "Hosts that verify may ping between: a dict C(from), C(to), or a list of them.",
    },
    "psk_generation": {
        "type": "int",
        "default": 1,
        "description": "Count it up to rotate a derived key (filter site_psk), and with any new key where the provider does not give keys"
        " back (otc): that is how the change is noticed. The count stands in the name of a connection that this collection made; one that"
        " somebody else made gets a new key with C(vpn_send_psks) only, and a warning says so.",
    },
    "id": {"type": "dict", "options": ID, "description": "The site's IKE identity. Default: its gateway."},
    "peer_id": {"type": "dict", "options": ID, "description": "The hub's IKE identity. Default: the hub's gateway."},
    "local_address": {
        "type": "str",
        "description": "Address on the router's own interface, where it differs from the gateway (behind NAT).",
    },
    "nat_traversal": {
        "type": "str",
        "choices": ["auto", "force", "off"],
        "default": "auto",
        "description": "UDP encapsulation of ESP.",
    },
    "selector_mode": {
        "type": "str",
        "choices": ["auto", "combined", "per_pair"],
        "default": "auto",
        "description": "One tunnel with all subnets, or one for each pair. V(auto): per pair where an end needs that (IKEv1, or a"
        " platform that knows nothing else).",
    },
    "mode": {
        "type": "str",
        "choices": ["policy", "route"],
        "default": "policy",
        "description": "Whether the router chooses traffic by policy or by route.",
    },
    "translate": {
        "type": "dict",
        "default": {},
        "description": "1:1 NAT at the site: own subnet to the subnet that the hub sees. No platform writes it yet; it is refused.",
    },
    "underlay_mtu": {"type": "int", "default": 1500, "description": "MTU of the path between the gateways, in bytes."},
    "dpd": {
        "type": "dict",
        "description": "Dead peer detection.",
        "options": {
            "action": {
                "type": "str",
                "choices": ["hold", "clear", "restart"],
                "default": "restart",
                "description": "What to do about a dead peer.",
            },
            "interval": {"type": "int", "default": 30, "description": "Seconds between two questions."},
            "timeout": {"type": "int", "default": 120, "description": "Seconds of silence that mean dead (IKEv1)."},
        },
    },
    "initiator": {
        "type": "str",
        "choices": ["both", "hub", "site"],
        "default": "both",
        "description": "Which end may begin.",
    },
    "router_settings": {
        "type": "dict",
        "default": {},
        "description": "What a configuration of the platform cannot do without; see docs/reference/platforms.md.",
    },
}

# One entry of ``vpn_ignore``.
IGNORE: Spec = {
    "code": {
        "type": "str",
        "required": True,
        "choices": sorted(code for code, row in CODES.items() if row.ignorable),
        "description": "The finding's code; docs/reference/findings.md has them all.",
    },
    "host": {"type": "str", "description": "Only that of this hub, site or policy. Default: of any."},
    "field": {"type": "str", "description": "Only that of this field, or of what is below it. Default: of any."},
    "reason": {
        "type": "str",
        "required": True,
        "description": "Why it is right all the same; it is shown with the finding.",
    },
}

# What people write for one of the choices, without marks and capitals, where letters alone lead to another choice or to none.
_ALIASES: dict[str, tuple[str, ...]] = {
    "openstack": ("neutron",),
    "opentelekomcloud": ("otc",),
    "openswan": ("libreswan",),
    **dict.fromkeys(("cisco", "ios", "iosxe"), ("cisco_iosxe",)),
    **dict.fromkeys(("sha", "sha1", "md5"), ("sha256",)),
    **{f"aes{bits}gcm": (f"aes-{bits}-gcm-16",) for bits in (128, 192, 256)},
    "ip": ("ipv4", "ipv6"),
    **dict.fromkeys(("dns", "hostname"), ("fqdn",)),
}

# What people write into an entry that stands elsewhere.
_ELSEWHERE = dict.fromkeys(
    ("psk", "psks", "pre_shared_key", "secret"),
    "Keys stand in vpn_psks, by the site's name or HUB/SITE; docs/reference/description.md says how.",
)

KINDS: dict[str, Spec] = {"vpn_policies": POLICY, "vpn_hubs": HUB, "vpn_sites": SITE}

# Hub and site names become parts of object names, markers, file names and section names.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}\Z")


class Description(t.NamedTuple):
    """The whole description as plain data. What is wrong in itself stands in the findings and is left out here."""

    policies: dict[str, dict[str, t.Any]]
    hubs: dict[str, dict[str, t.Any]]
    sites: dict[str, dict[str, t.Any]]
    findings: list[Finding]
    ignore: t.Sequence[dict[str, t.Any]] = ()


def plain(value: t.Any) -> t.Any:
    """Copy Ansible's tagged, lazy or vaulted values into plain data."""
    if value.__class__ is str:
        return value
    if isinstance(value, t.Mapping):
        return {plain(key): plain(inner) for key, inner in value.items()}
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        return int(value) if isinstance(value, int) else float(value)
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(inner) for inner in value]
    return str(value)[:]


def describe(policies: t.Any, hubs: t.Any, sites: t.Any, ignore: t.Any = None) -> Description:
    """Validate the three dicts that a user writes, and the list of what to ignore, and fill in every default."""
    found: list[Finding] = []
    good = {
        kind: _entries(kind, KINDS[kind], value, found)
        for kind, value in (("vpn_policies", policies), ("vpn_hubs", hubs), ("vpn_sites", sites))
    }
    good["vpn_policies"].setdefault("default", _complete_policy(_defaults(POLICY)))
    ignored = _ignored(plain(ignore), found)
    return Description(good["vpn_policies"], good["vpn_hubs"], good["vpn_sites"], found, ignored)


def _ignored(value: t.Any, found: list[Finding]) -> list[dict[str, t.Any]]:
    """Give the entries of ``vpn_ignore`` that are right, each with its place in the list."""
    if value in (None, "", []):
        return []
    if not isinstance(value, list):
        found.append(
            finding("not-a-list", "", "vpn_ignore", _kind(value), f"vpn_ignore is {_kind(value)}.",
                    "Write it as a list of code and reason.", SOURCE)
        )  # fmt: skip
        return []
    good = []
    for index, entry in enumerate(value):
        path = f"vpn_ignore[{index}]"
        wrong = [_cannot_be_ignored(one, entry) for one in problems(path, IGNORE, entry)]
        found.extend(wrong)
        if not wrong:
            good.append({**_validated(IGNORE, [unset(entry)])[0], "path": path})
    return good


def _cannot_be_ignored(one: Finding, entry: t.Any) -> Finding:
    """A code that is there, and that no entry may name, is another thing than a misspelt one."""
    code = entry.get("code") if isinstance(entry, dict) else None
    if one["code"] != "bad-value" or code not in CODES:
        return one
    return finding(
        "ignore-error", "", one["field"], code, f"{code} ({CODES[code].what}) cannot work or be left, whatever its reason.",
        "Take the entry out and mend what the finding says.",
    )  # fmt: skip


def _entries(kind: str, spec: Spec, value: t.Any, found: list[Finding]) -> dict[str, dict[str, t.Any]]:
    value = plain(value)
    if value in (None, "", []):
        return {}
    if not isinstance(value, dict):
        found.append(
            finding("not-a-dict", "", kind, _kind(value), f"{kind} is {_kind(value)}.",
                    "Write it as a dict keyed by name.", SOURCE)
        )  # fmt: skip
        return {}
    good = {}
    for name, entry in value.items():
        wrong = list(_name_problems(kind, name)) or list(problems(f"{kind}.{name}", spec, entry))
        found.extend(about(one, str(name)) for one in wrong)
        usable = _without_wrong(f"{kind}.{name}.", spec, entry, wrong)
        if usable is not None:
            good[name] = usable
    complete = _validated(spec, list(good.values()))
    return {name: _normal(kind, name, entry) for name, entry in zip(good, complete)}


def _without_wrong(path: str, spec: Spec, entry: t.Any, wrong: list[Finding]) -> dict[str, t.Any] | None:
    """Leave out what is wrong, so that the rest can be checked in the same run; None where too little is left."""
    bad = {one["field"][len(path) :].partition(".")[0].partition("[")[0] for one in wrong}
    if not isinstance(entry, dict) or "" in bad or any(spec[key].get("required") for key in bad & set(spec)):
        return None
    return unset({key: value for key, value in entry.items() if str(key) not in bad})


def _name_problems(kind: str, name: t.Any) -> t.Iterator[Finding]:
    if not isinstance(name, str):
        yield finding(
            "mangled-by-yaml", "", f"{kind}.{name}", name, f"the name was read as {_kind(name)} {name!r}.",
            "Put the name in quotes.", "YAML 1.1",
        )  # fmt: skip
    elif not NAME.match(name):
        yield finding(
            "bad-name", "", f"{kind}.{name}", name, "a name is made of letters, digits, dots, dashes and underscores, at most 63.",
            "Rename it; an inventory host of any name can be given by `router`.", SOURCE,
        )  # fmt: skip


def unset(entry: t.Any) -> t.Any:
    """Leave out what says nothing: null, and the '' that surveys send."""
    if isinstance(entry, dict):
        return {key: unset(value) for key, value in entry.items() if value is not None and value != ""}
    if isinstance(entry, list):
        return [unset(value) for value in entry]
    return entry


def _validated(spec: Spec, entries: list[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
    """Convert values and fill in defaults: by Ansible's validator where a value needs conversion, which most do not."""
    completed = [_completed(spec, entry) for entry in entries]
    # The validator would give the same list or dict to each entry that has none.
    own = {name: row["default"] for name, row in spec.items() if isinstance(row.get("default"), (list, dict))}
    others = [{**copy.deepcopy(own), **entry} for entry, done in zip(entries, completed) if done is None]
    all_of_them: Spec = {"entries": {"type": "list", "elements": "dict", "options": spec}}
    outcome = ArgumentSpecValidator(arguments(all_of_them)).validate({"entries": others})
    converted = iter(outcome.validated_parameters["entries"])
    return [next(converted) if done is None else done for done in completed]


def _completed(spec: Spec, entry: t.Any) -> dict[str, t.Any] | None:
    """Do what the validator does with an entry whose values all have their types already; None for any other.

    The validator takes five times as long, which is seconds for thousands of sites.
    """
    if entry.__class__ is not dict or not spec.keys() >= entry.keys():
        return None
    out: dict[str, t.Any] = {}
    for name, row in spec.items():
        value = entry[name] if name in entry else copy.deepcopy(row.get("default"))
        options = row.get("options")
        if options and row["type"] == "dict":
            if value is None and not any(inner.get("required") for inner in options.values()):
                value = {}
            items = [] if value is None else [_completed(options, value)]
            value = items[0] if items else None
        elif options:
            items = value = [_completed(options, item) for item in value] if value.__class__ is list else [None]
        else:
            items = [value is None or _surely_right(row, value) or None]
        if None in items:
            return None
        out[name] = value
    return out


def arguments(spec: Spec) -> Spec:
    """Give the part of a specification that Ansible knows; nested options get their defaults too."""
    out: Spec = {}
    for name, row in spec.items():
        # The validator writes into a default; the specification's own must stay what it is.
        out[name] = {
            key: copy.deepcopy(row[key]) if key == "default" else row[key] for key in row if key != "description"
        }
        if "options" in row:
            out[name]["options"] = arguments(row["options"])
            inner = row["options"].values()
            if row["type"] == "dict" and any("default" in one for one in inner) and not any(map(_required, inner)):
                out[name]["apply_defaults"] = True
    return out


def _required(row: dict[str, t.Any]) -> bool:
    return bool(row.get("required"))


def _defaults(spec: Spec) -> dict[str, t.Any]:
    return _validated(spec, [{}])[0]


def problems(path: str, spec: Spec, entry: t.Any) -> t.Iterator[Finding]:
    """Say what is wrong in one dict, by Ansible's own validator; the findings' host is for the caller to put in."""
    if not isinstance(entry, dict):
        yield finding(
            "not-a-dict", "", path, "..." if isinstance(entry, list) else entry,
            f"is {_kind(entry)}, but must be a dict of {', '.join(list(spec)[:4])} ...",
            _in_its_place(spec, entry), SOURCE,
        )  # fmt: skip
        return
    for key in entry:
        if key not in spec:
            near = difflib.get_close_matches(str(key), spec, n=1)
            yield finding(
                "unknown-key", "", f"{path}.{key}", key, f"there is no `{key}`.",
                _ELSEWHERE.get(str(key)) or (f"Did you mean `{near[0]}`?" if near else f"Known are: {', '.join(sorted(spec))}."), SOURCE,
            )  # fmt: skip
    entry = unset(entry)
    for key, row in spec.items():
        if key not in entry:
            if row.get("required"):
                yield finding(
                    "missing", "", f"{path}.{key}", "", f"`{key}` is missing.", _unmarked(row["description"]), SOURCE
                )
            continue
        yield from _value_problems(f"{path}.{key}", row, entry[key])


def _in_its_place(spec: Spec, entry: t.Any) -> str:
    """Say how a dict is written; what stands in its place is most likely the one value that it needs."""
    needed = [key for key, row in spec.items() if row.get("required")]
    if isinstance(entry, str) and len(needed) == 1:
        return f"Write it as {{{needed[0]}: {entry}}}."
    return "Write the options below it, one a line."


def _value_problems(path: str, row: dict[str, t.Any], value: t.Any) -> t.Iterator[Finding]:
    options, kind = row.get("options"), row["type"]
    if kind == "list" and isinstance(value, (str, int)) and not isinstance(value, bool):
        value = [value]
    items = list(enumerate(value)) if kind == "list" and isinstance(value, list) else []
    if options and kind == "dict":
        yield from problems(path, options, value)
        return
    if options and not isinstance(value, list):
        yield finding(
            "not-a-list", "", path, value, f"is {_kind(value)}, but must be a list.", row["description"], SOURCE
        )
        return
    if options:
        for index, item in items:
            yield from problems(f"{path}[{index}]", options, item)
        return
    text_wanted = kind == "str" or row.get("elements") == "str"
    for place, item in [(f"{path}[{index}]", item) for index, item in items] or [(path, value)]:
        # Ports may be bare numbers; every other text that YAML made into a number or truth value has lost its form.
        lost = isinstance(item, (bool, float)) or _lost_form(path, item) if text_wanted else _is_no_number(kind, item)
        if lost:
            yield finding(
                "mangled-by-yaml", "", place, item, f"was read as {_kind(item)} {item!r}.",
                _meant(row, item) or ("Put the value in quotes." if text_wanted else "Write a number."), "YAML 1.1",
            )  # fmt: skip
            return
    for index, item in items:
        if item is None or item == "":
            yield finding(
                "bad-value",
                "",
                f"{path}[{index}]",
                "",
                "is empty.",
                "Leave the item out, or write what is meant.",
                SOURCE,
            )
            return
    if _surely_right(row, value):
        return
    outcome = ArgumentSpecValidator(arguments({"it": row})).validate({"it": value})
    if outcome.error_messages:
        wrong = f"is {_kind(value)}, but must be {_KIND_WORDS[row['type']]}."
        yield finding(
            "bad-value", "", path, value if not isinstance(value, dict) else "...",
            "is not one of the choices." if "choices" in row else wrong, _instead(row, value), SOURCE,
        )  # fmt: skip


def _instead(row: dict[str, t.Any], value: t.Any) -> str:
    """Say what to write: the choice that is meant where that can be guessed, all of them, or a number such as the default."""
    if "choices" in row:
        text, choices = str(value).lower(), [str(choice) for choice in row["choices"]]
        meant = [choice for choice in _ALIASES.get(re.sub(r"[\W_]", "", text), ()) if choice in choices]
        near = meant or difflib.get_close_matches(text, choices, n=1)
        return (
            f"Did you mean {' or '.join(f'`{one}`' for one in near)}?" if near else f"Use one of: {', '.join(choices)}."
        )
    said = _unmarked(row["description"])
    return f"Write a number, such as {row['default']}. {said}" if row["type"] == "int" and "default" in row else said


def _is_no_number(kind: str, item: t.Any) -> bool:
    """Ansible would take yes for 1."""
    return kind == "int" and isinstance(item, bool)


_TYPES = {"str": str, "int": int, "bool": bool, "dict": dict}


def _surely_right(row: dict[str, t.Any], value: t.Any) -> bool:
    """Tell whether a value needs neither conversion nor explanation; most do not, and a validator for each costs seconds."""
    if row["type"] == "raw":
        return True
    if row["type"] == "list":
        wanted = _TYPES.get(row.get("elements", ""))
        return isinstance(value, list) and all(item.__class__ is wanted for item in value)
    return value.__class__ is _TYPES.get(row["type"]) and ("choices" not in row or value in row["choices"])


def _meant(row: dict[str, t.Any], item: t.Any) -> str | None:
    """Guess which choice a bare number stands for: 14 for group14."""
    near = [choice for choice in row.get("choices", ()) if re.fullmatch(rf"[a-z]+{item}", choice)]
    return f"Write `{near[0]}`." if near else None


def _unmarked(description: str) -> str:
    """Write a description without the markup of Ansible's documentation."""
    return re.sub(r"\b[A-Z]\(([^)]*)\)", r"\1", description)


def _lost_form(path: str, item: t.Any) -> bool:
    return isinstance(item, int) and path.rpartition(".")[2].partition("[")[0] not in (
        "ports",
        "platform_version",
        "protocol",
    )


_KIND_WORDS = {
    "NoneType": "nothing", "str": "a text", "bool": "a truth value", "int": "a whole number", "float": "a number", "list": "a list",
    "dict": "a dict",
}  # fmt: skip


def _kind(value: t.Any) -> str:
    return _KIND_WORDS.get(type(value).__name__, type(value).__name__)


def _normal(kind: str, name: str, entry: dict[str, t.Any]) -> dict[str, t.Any]:
    """Settle what has two ways of being written, or a default that depends on another value."""
    if kind == "vpn_policies":
        return _complete_policy(entry)
    if kind == "vpn_sites":
        hubs = [*entry["hubs"], *([entry.pop("hub")] if entry.get("hub") else [])]
        entry.pop("hub", None)
        probe = entry["probe"]
        entry["hubs"] = list(dict.fromkeys(hubs))
        entry["router"] = entry["router"] or name
        entry["probe"] = [] if probe is None else probe if isinstance(probe, list) else [probe]
        for field in ("id", "peer_id"):
            if entry[field]:
                entry[field]["type"] = entry[field]["type"] or id_type(entry[field]["value"])
    return entry


def _complete_policy(policy: dict[str, t.Any]) -> dict[str, t.Any]:
    for phase in ("ike", "ipsec"):
        proposal = policy[phase]
        aead = _algorithms.ENCRYPTION[proposal["encryption"]].aead
        if not aead:
            proposal["integrity"] = proposal["integrity"] or "sha256"
        elif phase == "ike":
            proposal["prf"] = proposal["prf"] or "sha256"
    return policy


def id_type(value: str) -> str:
    """Tell the kind of an IKE identity from its text (RFC 7296 section 3.5)."""
    if "@" in value:
        return "email"
    if re.fullmatch(r"[0-9]+(\.[0-9]+){3}", value):
        return "ipv4"
    return "ipv6" if ":" in value else "fqdn"


def port_range(text: str) -> tuple[int, int]:
    """Read ``443`` or ``8000-8010``; (0, 0) for anything else."""
    found = re.fullmatch(r"\s*([0-9]+)\s*(?:-\s*([0-9]+)\s*)?", str(text))
    return (int(found.group(1)), int(found.group(2) or found.group(1))) if found else (0, 0)
