# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write what follows from the one specification: the modules' options, the reference page, the editors' JSON Schema.

``python tests/tools/generate.py`` writes the files, ``--check`` says which are not what they should be. Needs the
collection on the path (``make docs`` sees to that).
"""

from __future__ import annotations

import ast
import json
import re
import sys
import typing as t
from pathlib import Path

import yaml

from ansible_collections.bothends.vpn.plugins.doc_fragments import inputs
from ansible_collections.bothends.vpn.plugins.module_utils import (
    _algorithms,
    _description,
    _group_rules,
    _hub_options,
    _levels,
    _single_kinds,
)
from ansible_collections.bothends.vpn.plugins.module_utils._codes import CODES
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import PLATFORMS
from ansible_collections.bothends.vpn.plugins.module_utils._providers import PROVIDERS

ROOT = Path(__file__).resolve().parents[2]
Spec = dict[str, dict[str, t.Any]]

FRAGMENT_HEAD = """# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Generated from plugins/module_utils/{source} by `make docs`; change it there.

from __future__ import annotations


class ModuleDocFragment:
"""


class _Dumper(yaml.SafeDumper):
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _yaml(data: t.Any) -> str:
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, width=120, allow_unicode=True)


def _documented(spec: Spec) -> Spec:
    """Turn a specification into the options of a DOCUMENTATION block."""
    out: Spec = {}
    for name, row in spec.items():
        out[name] = {
            "description": [row["description"]],
            **{k: v for k, v in row.items() if k not in ("description", "options", "no_log")},
        }
        if "options" in row:
            out[name]["suboptions"] = _documented(row["options"])
    return out


def hub_options() -> Spec:
    """Give the options of module hub that come from the specification."""
    arguments = _hub_options.spec()
    name = {"type": "str", "required": True}
    hub = {key: _description.HUB[key] for key in _description.HUB if key != "cloud"}
    site = {key: _description.SITE[key] for key in _hub_options.SITE_FIELDS}
    psk = {
        "type": "str",
        "description": "The pre-shared key. Needed to create a connection; left out, the key that is there stays.",
    }
    return _documented(
        {
            **hub,
            "policies": {
                **{k: v for k, v in arguments["policies"].items() if k != "options"},
                "description": "Pairs of an IKE and an IPsec proposal, by name. A policy C(default) is always there.",
                "options": {"name": {**name, "description": "The policy's name."}, **_description.POLICY},
            },
            "connections": {
                **{k: v for k, v in arguments["connections"].items() if k != "options"},
                "description": "The sites that the hub connects to.",
                "options": {"name": {**name, "description": "The site's name."}, **site, "psk": psk},
            },
            "ignore": {
                **{k: v for k, v in arguments["ignore"].items() if k != "options"},
                "description": "Warnings that were looked at and are left as they are.",
                "options": _description.IGNORE,
            },
        }
    )


def fragment() -> str:
    """Write the documentation fragment of module hub."""
    return FRAGMENT_HEAD.format(source="_description.py") + _block("DOCUMENTATION", hub_options())


def _block(name: str, options: Spec) -> str:
    return f'    {name} = r"""\n{_yaml({"options": options})}"""\n'


def objects() -> str:
    """Write the documentation fragments of the modules for one object."""
    specs = {kind: _single_kinds.options(kind) for kind in _single_kinds.ROWS}
    specs["security_group_rules"] = _group_rules.OPTIONS
    blocks = [_block(name.upper(), _documented(spec)) for name, spec in specs.items()]
    return FRAGMENT_HEAD.format(source="_single_*.py and _group_rules.py") + "\n".join(blocks)


# --- reference page -------------------------------------------------------------------------------------------------


_HEAD = ["| key | type | default | meaning |", "| --- | --- | --- | --- |"]


def _default(row: dict[str, t.Any]) -> str:
    return "**required**" if row.get("required") else f"`{json.dumps(row['default'])}`" if "default" in row else ""


def _markdown(text: str) -> str:
    return re.sub(r"\b[VCOE]\(([^)]*)\)", r"`\1`", text).replace("|", "\\|")


def _rows(spec: Spec, path: str = "") -> t.Iterator[str]:
    for name, row in spec.items():
        kind = row["type"] + (f" of {row['elements']}" if "elements" in row else "")
        choices = f" One of {', '.join(f'`{one}`' for one in row['choices'])}." if "choices" in row else ""
        yield f"| `{path}{name}` | {kind} | {_default(row)} | {_markdown(row['description'])}{choices} |"
        if "options" in row:
            yield from _rows(row["options"], f"{path}{name}{'[]' if row['type'] == 'list' else ''}.")


def reference() -> str:
    """Write the page that documents every variable of the description."""
    titles = {"vpn_policies": "Policies", "vpn_hubs": "Hubs", "vpn_sites": "Sites"}
    text = [
        "# The description",
        "",
        "Generated from `plugins/module_utils/_description.py` by `make docs`. Three dicts keyed by name, beside the",
        "inventory, say everything; [`examples/site_to_site`](../../examples/site_to_site) is one that runs.",
        "`''` and null count as left out.",
    ]
    for kind, spec in _description.KINDS.items():
        text += [
            "",
            f"## {titles[kind]}: `{kind}`",
            "",
            *_HEAD,
        ]
        text += list(_rows(spec))
    text += [
        "",
        "## What is left as it is: `vpn_ignore`",
        "",
        "A list. A warning that an entry names is shown as ignored, with its reason; [docs/preflight.md](../preflight.md) says more.",
        "",
        *_HEAD,
        *_rows(_description.IGNORE),
        "",
        "## Keys: `vpn_psks`",
        "",
        "A dict from a connection (`prod/berlin`) or a site (`berlin`) to its pre-shared key. Keep it in a vaulted file",
        "and read it with a lookup, so that no character of a key is taken for a template:",
        "",
        "```yaml",
        "vpn_psks: \"{{ lookup('ansible.builtin.file', inventory_dir ~ '/psks.yml') | bothends.vpn.psks }}\"",
        "```",
    ]
    return "\n".join(text) + "\n"


def platforms() -> str:
    """Write the page of the platforms: what each can do and speak, and its router_settings."""
    text = [
        "# Platforms",
        "",
        "Generated from `plugins/module_utils/_platforms` and `_algorithms.py` by `make docs`. What a router runs is said by",
        "`platform` of its site. Fields of a site that stand in no table here, every platform can do, but for `translate`, which",
        "none can yet.",
    ]
    for name, platform in PLATFORMS.items():
        (first, _template), *more = platform.FILES
        files = " and ".join(
            f"`{pattern.format(site='SITE')}`" for pattern in [first, *(one for one, _template in more)]
        )
        brought = "The role brings it into force." if platform.DRIVEN else "Somebody has to carry it over."
        text += ["", f"## {platform.TITLE}: `{name}`", "", f"Written: {files}. {brought}", ""]
        text += ["| field | what it can do |", "| --- | --- |"]
        text += [f"| `{field}` | {_codes(allowed)} |" for field, allowed in platform.LIMITS.items()]
        text += ["", "| phase and field | algorithms |", "| --- | --- |", *_algorithm_rows(name)]
        text += ["", f"`router_settings` of platform `{name}`:", "", *_HEAD, *_rows(platform.SETTINGS)]
    return "\n".join(text) + "\n"


def _codes(words: t.Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


_PHASES = {
    "ike_v1": ("`ike`, v1", ("encryption", "integrity", "dh_group")),
    "ike_v2": ("`ike`, v2", ("encryption", "integrity", "prf", "dh_group")),
    "ipsec": ("`ipsec`", ("encryption", "integrity", "pfs_group")),
}


def _algorithm_rows(platform: str) -> t.Iterator[str]:
    for where, (phase, fields) in _PHASES.items():
        for field in fields:
            spoken = _algorithms.spoken(platform, field, where)
            told = "all" if len(spoken) == len(_algorithms.TABLES[field]) else _codes(spoken) or "none"
            yield f"| {phase}, `{field}` | {told} |"


def _or(allowed: t.Iterable[t.Any]) -> str:
    return " or ".join(str(one) for one in allowed if one is not None) or "left out"


def _pairs(rows: dict[str, str]) -> str:
    return "; ".join(f"`{field}`: {text}" for field, text in rows.items())


# fact -> what it is called on the page, and how it is written
_FACTS: dict[str, tuple[str, t.Callable[[t.Any], str]]] = {
    "lifetime": ("lifetimes", lambda value: f"{value[0]} to {value[1]} s"),
    "psk_length": ("characters of a key", lambda value: f"{value[0]} to {value[1]}"),
    "psk_alphabet": ("which ones", lambda value: f"`` {value.replace('|', chr(92) + '|')} ``" if value else "any printable ones"),
    "ike_modes": ("modes of IKEv1", _codes),
    "dpd_actions": ("`dpd.action`", _codes),
    "name_length": ("characters of an object's name", str),
    "description_length": ("characters of a description", str),
    "fixed": ("fields of a site with fixed values", lambda value: _pairs({field: _or(allowed) for field, allowed in value.items()})),
    "pairs": ("greatest number of pairs of subnets of a site", lambda value: str(value or "no limit")),
    "one_connection_a_peer": ("several tunnels to one gateway", lambda value: "no; a replaced one ends before the new one begins"
                              if value else "yes"),
    "one_connection_a_subnet": ("several connections to one subnet of a site", lambda value: "no" if value
                                else "only one gets the traffic (a warning)"),
    "site_reserved": ("what a site's subnets must not touch", _codes),
    "gateway_reserved": ("where a site's gateway must not lie", _codes),
    "not_written": ("fields of a connection that are not the user's", _codes),
    "not_read_back": ("what nobody can compare, as it does not come back", _codes),
    "gateway_is_routers": ("the hub's gateway", lambda value: "the VPC router's address" if value
                           else "known once there is a VPN service"),
    "needs": ("extensions that the server must have", _codes),
    "never": ("extensions by which another server is known", _codes),
    "hosts": ("hosts by which it is known", lambda value: _codes(f"*{host}" for host in value)),
    "tcp_packet": ("longest packet of TCP", lambda value: f"{value} bytes" if value else ""),
    "rekey_span": ("new SAs may begin before the old ones end", lambda value: f"{value} s" if value else ""),
    "reauth_gap": ("an IKE SA is made anew", lambda value: "after the old one ended: a short gap" if value else ""),
    "routes_path": ("routes that no site's subnet may have", lambda value: f"those to its peers, `{value}`" if value
                    else "the VPC's own (a warning)"),
    "quotas": ("quotas are read from", lambda value: f"`{value.path}`"),
    "usual_quotas": ("limits that cannot be read (a warning)", lambda value: _pairs({kind: str(most) for kind, most in value.items()})),
    "effective": ("what is in force in truth", _pairs),
}  # fmt: skip


def providers() -> str:
    """Write the page of the providers: what each takes, gives back and does, with the source."""
    text = [
        "# Providers",
        "",
        "Generated from `plugins/module_utils/_providers.py` and `_algorithms.py` by `make docs`. Which one a hub's cloud is, its",
        "`provider` says; what the server shows against it, what it lacks and what its quotas leave stops a run before the first write.",
        "",
        "A key that does not come back is sent when its connection is made, again when `psk_generation` of the site changes, and of all",
        "connections with `vpn_send_psks`. Which generation the cloud has stands in the connection's name (`prod/berlin/1#2`). The name of",
        "one that somebody else made is not touched: it gets a key with `vpn_send_psks` only, and a warning (`key-not-sent`) says so where",
        "`psk_generation` is more than 1.",
    ]
    for row in PROVIDERS.values():
        text += ["", f"## {row.title}: `{row.name}`", "", "| what | value | source |", "| --- | --- | --- |"]
        told = {fact: write(getattr(row, fact)) for fact, (_title, write) in _FACTS.items()}
        text += [f"| {_FACTS[fact][0]} | {value} | {row.said(fact)} |" for fact, value in told.items() if value]
        text += ["", "| phase and field | algorithms |", "| --- | --- |", *_algorithm_rows(row.name)]
    return "\n".join(text) + "\n"


_FOUND_BY = {"description": "preflight", "cloud": "hub", "object": "one object"}


def findings() -> str:
    """Write the page of all codes that a finding can have."""
    text = [
        "# Findings",
        "",
        "Generated from `plugins/module_utils/_codes.py` and `_levels.py` by `make docs`. Who finds it: `preflight` (role and filter",
        "`findings`) from the description alone, module `hub` once it has read the cloud and before it writes, the modules for one object.",
        "What `vpn_ignore` may silence are the warnings; a code that is sometimes an error can be ignored only where it is a warning.",
        "",
        "| code | severity | can be ignored | found by | what | source |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    text += [
        f"| `{code}` | {' or '.join(row.severities)} | {'yes' if row.ignorable else 'no'} | "
        f"{', '.join(_FOUND_BY[one] for one in row.found_by)} | {row.what} | {row.source} |"
        for code, row in sorted(CODES.items())
    ]
    text += [
        "",
        "## What the RFCs say of algorithms",
        "",
        f"{', '.join(_levels.REFUSED)}: a finding, and what the test `bothends.vpn.weak` is true for. An algorithm without a row has no",
        "requirement level there, or none that could be checked against the text.",
        "",
        "| phase and field | level | algorithms | clause |",
        "| --- | --- | --- | --- |",
        *_level_rows(),
    ]
    return "\n".join(text) + "\n"


def _level_rows() -> t.Iterator[str]:
    for phase, fields in _levels.CELLS.items():
        for field, cells in fields.items():
            for level, clause in dict.fromkeys(cells.values()):
                names = [name for name, cell in cells.items() if cell == (level, clause)]
                yield f"| `{phase}`, `{field}` | {level} | {_codes(names)} | {clause} |"


def roles() -> str:
    """Write the page of the roles' variables from their argument specifications."""
    text = [
        "# The roles' variables",
        "",
        "Generated from `roles/*/meta/argument_specs.yml` by `make docs`. Set them like any variable, in `group_vars` or with",
        "`-e hub_allow_disruption=true`. What they take from `vpn_policies`, `vpn_hubs`, `vpn_sites` and `vpn_psks` by default",
        "need not be set.",
    ]
    for path in sorted(ROOT.glob("roles/*/meta/argument_specs.yml")):
        for entry, spec in yaml.safe_load(path.read_text())["argument_specs"].items():
            name = path.parts[-3] + ("" if entry == "main" else f", `tasks_from: {entry}`")
            text += ["", f"## {name}", "", _prose(spec["description"]), "", *_HEAD]
            text += [
                f"| `{option}` | {row['type']} | {_default(row)} | {_prose(row['description'])} |"
                for option, row in spec["options"].items()
            ]
    return "\n".join(text) + "\n"


def _prose(description: str | list[str]) -> str:
    lines = [description] if isinstance(description, str) else description
    text = re.sub(r"\b(?:RV|O)\(([a-z._]+)#[a-z]+:([^)]+)\)", r"`\2` of `\1`", " ".join(lines))
    return re.sub(r"\b[MP]\(([a-z._]+)(?:#[a-z]+)?\)", r"`\1`", _markdown(text))


def filters() -> str:
    """Write the page of the filters and tests from what each of them documents."""
    text = [
        "# Filters and tests",
        "",
        "Generated from `plugins/filter` and `plugins/test` by `make docs`. Each can be used in any playbook, without this collection's",
        "roles; `bothends.vpn.` stands before the name there. What goes into a filter or test from the left is `_input` in its table.",
    ]
    for kind in ("filter", "test"):
        for path in sorted(ROOT.glob(f"plugins/{kind}/*.py")):
            told = _documentation(path)
            text += [
                "",
                f"## {kind} `{told['name']}`",
                "",
                f"{told['short_description']}.",
                "",
                _prose(told["description"]),
                "",
            ]
            text += [*_HEAD]
            text += [
                f"| `{name}` | {row['type']} | {_default(row)} | {_prose(row['description'])}{_choices(row)} |"
                for name, row in told["options"].items()
            ]
            text += ["", "```yaml", told["examples"].strip(), "```"]
    return "\n".join(text) + "\n"


def _choices(row: dict[str, t.Any]) -> str:
    return f" One of {', '.join(f'`{one}`' for one in row['choices'])}." if "choices" in row else ""


def _documentation(path: Path) -> dict[str, t.Any]:
    """Read a plugin's documentation, with the fragment that it takes options from."""
    texts = {
        node.targets[0].id: node.value.value
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Constant)
    }
    told = yaml.safe_load(texts["DOCUMENTATION"])
    named = told.get("extends_documentation_fragment", [])
    shared: dict[str, t.Any] = {}
    for fragment_name in [named] if isinstance(named, str) else named:
        attribute = (fragment_name.split(".")[3:] or ["documentation"])[0].upper()
        shared.update(yaml.safe_load(getattr(inputs.ModuleDocFragment, attribute))["options"])
    return {**told, "options": {**shared, **told.get("options", {})}, "examples": texts["EXAMPLES"]}


# --- JSON Schema ----------------------------------------------------------------------------------------------------

_JSON_TYPES = {"str": "string", "int": "integer", "bool": "boolean", "dict": "object", "list": "array"}


def _schema_of(row: dict[str, t.Any]) -> dict[str, t.Any]:
    out: dict[str, t.Any] = {"description": _markdown(row.get("description", ""))}
    if row["type"] in _JSON_TYPES:
        out["type"] = _JSON_TYPES[row["type"]]
    for key, word in (("choices", "enum"), ("default", "default")):
        if key in row:
            out[word] = row[key]
    if row["type"] == "list":
        inner = {"type": row["elements"], **({"options": row["options"]} if "options" in row else {})}
        item = _schema_of(inner)
        item.pop("description")
        if row["elements"] == "str":
            item["type"] = ["string", "integer"]
        out["items"] = item
    elif "options" in row:
        out.update(_object(row["options"]))
    return out


def _or_null(schema: dict[str, t.Any], row: dict[str, t.Any]) -> dict[str, t.Any]:
    """Null counts as left out, where that is allowed."""
    if not row.get("required") and "type" in schema:
        schema["type"] = [schema["type"], "null"]
        if "enum" in schema:
            schema["enum"] = [*schema["enum"], None]
    return schema


def _object(spec: Spec) -> dict[str, t.Any]:
    required = [name for name, row in spec.items() if row.get("required")]
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {name: _or_null(_schema_of(row), row) for name, row in spec.items()},
        **({"required": required} if required else {}),
    }


def schema() -> str:
    """Write the JSON Schema that editors complete and check the description by."""
    kinds = {
        name: {
            "type": "object",
            "propertyNames": {"pattern": f"^{_description.NAME.pattern[:-2]}$"},
            "additionalProperties": _object(spec),
        }
        for name, spec in _description.KINDS.items()
    }
    kinds["vpn_ignore"] = {"type": ["array", "null"], "items": _object(_description.IGNORE)}
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "bothends.vpn description",
                       "type": "object", "properties": kinds}, indent=2) + "\n"  # fmt: skip


OUTPUTS: dict[str, t.Callable[[], str]] = {
    "docs/reference/roles.md": roles,
    "docs/reference/findings.md": findings,
    "plugins/doc_fragments/description.py": fragment,
    "plugins/doc_fragments/objects.py": objects,
    "docs/reference/description.md": reference,
    "docs/reference/platforms.md": platforms,
    "docs/reference/providers.md": providers,
    "docs/reference/filters.md": filters,
    "docs/reference/description.schema.json": schema,
}


def stale() -> list[str]:
    """Name the files that differ from what the specification says."""
    return [
        path for path, make in OUTPUTS.items() if not (ROOT / path).is_file() or (ROOT / path).read_text() != make()
    ]


def main() -> int:
    """Write all files, or only look at them with ``--check``."""
    if "--check" in sys.argv[1:]:
        old = stale()
        print(
            "\n".join(f"{path} is old: run `make docs`" for path in old) or "all generated files are as they should be"
        )
        return 1 if old else 0
    for path in stale():
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(OUTPUTS[path]())
        print(f"wrote {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
