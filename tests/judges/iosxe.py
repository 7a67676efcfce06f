# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A judge of IOS XE configurations that is not ours: each line is walked through Cisco's YANG modules.

The modules say which words there are below each other, which choices and ranges their values have, and what is a list with
keys. The few tables here say where a command line differs from them: YANG has names for what the line leaves out, and other
names for some words. What the modules cannot say is said by references: nothing may be named that is not there.
"""

from __future__ import annotations

import ipaddress
import re
import typing as t

Node = dict[str, t.Any]
Path = tuple[str, ...]
Object = tuple[str, tuple[str, ...]]  # path of a list, its keys and those above


def _table(rows: str) -> dict[str, Path]:
    return {path: tuple(names) for path, *names in (row.split() for row in rows.strip().splitlines())}


_NUMBERS = {"1": "one", "2": "two", "5": "five", "14": "fourteen", "15": "fifteen", "16": "sixteen", "19": "nineteen",
            "20": "twenty", "21": "twenty-one", "24": "twenty-four"}  # fmt: skip

# path of a word on the line -> where YANG has it
RENAMED: dict[str, Path] = {
    "crypto/map": ("crypto-map", "map"),
    **{f"crypto/ikev2/proposal/group/{number}": (name,) for number, name in _NUMBERS.items()},
}

# place -> what YANG names there and the line does not, in the line's order; what is left out stays away
UNNAMED = _table("""
    crypto/crypto-map/map                                              keying
    crypto/crypto-map/map/set/peer                                     address
    crypto/crypto-map/map/set/pfs                                      group
    crypto/ikev2/keyring/peer/address                                  ipv4/ipv4-address ipv4/ipv4-mask
    crypto/ikev2/keyring/peer/pre-shared-key                           encryption key
    crypto/ikev2/profile/dpd                                           interval retry query
    crypto/ikev2/profile/lifetime                                      seconds
    crypto/ikev2/profile/match/address/local                           ip
    crypto/ikev2/profile/match/fvrf                                    name
    crypto/ikev2/profile/match/identity/remote/address                 ipv4
    crypto/ikev2/profile/match/identity/remote/address/ipv4            ipv4-mask
    crypto/ikev2/profile/match/identity/remote/email                   name
    crypto/ikev2/profile/match/identity/remote/fqdn                    name
    crypto/ipsec/profile/set/pfs                                       group
    crypto/ipsec/transform-set                                         esp key-bit esp-hmac
    crypto/isakmp/policy/encryption/aes                                key
    crypto/isakmp/profile/keepalive                                    number
    crypto/isakmp/profile/local-address                                bind-ip-address/ip-address bind-ip-address/vrf
    crypto/isakmp/profile/match/identity/address                       vrf
    crypto/isakmp/profile/match/identity/host                          domain-name/name
    crypto/isakmp/profile/match/identity/user-fqdn                     domain-name/name
    crypto/isakmp/profile/self-identity/fqdn                           id
    crypto/keyring/pre-shared-key/address                              ipv4
    crypto/keyring/pre-shared-key/address/ipv4                         mask encryption unencryt-key
    interface/GigabitEthernet/crypto/map                               tag
    interface/Tunnel/tunnel/destination                                ipaddress-or-host
    ip/access-list/extended                                            access-list-seq-rule
    ip/access-list/extended/access-list-seq-rule                       ace-rule
    ip/access-list/extended/access-list-seq-rule/ace-rule              action protocol ipv4-address mask dest-ipv4-address dest-mask
    ip/route                                                           ip-route-interface-forwarding-list
    ip/route/ip-route-interface-forwarding-list                        fwd-list
    ip/route/vrf                                                       ip-route-interface-forwarding-list
    ip/route/vrf/ip-route-interface-forwarding-list                    fwd-list
""")

# Lists whose keys alone are no command
UNFINISHED = {
    "crypto/crypto-map/map", "crypto/ipsec/transform-set", "ip/access-list/extended/access-list-seq-rule",
    "ip/route/ip-route-interface-forwarding-list", "ip/route/vrf/ip-route-interface-forwarding-list",
    "crypto/keyring/pre-shared-key/address/ipv4",
}  # fmt: skip

# What is newer than the modules, 16.9: several SAs of a tunnel interface are there from 16.12 on (Cisco's document 214728).
NEWER: dict[str, Node] = {
    "interface/Tunnel/tunnel/protection/ipsec/policy": {
        "kind": "container",
        "below": {"ipv4": {"kind": "leaf", "type": {"is": "text"}}},
    }
}

# leaf -> the list that must have its value as first key
REFERENCES = {path: names[0] for path, names in _table("""
    crypto/crypto-map/map/match/address                         ip/access-list/extended
    crypto/crypto-map/map/set/ikev2-profile                     crypto/ikev2/profile
    crypto/crypto-map/map/set/isakmp-profile                    crypto/isakmp/profile
    crypto/crypto-map/map/set/transform-set                     crypto/ipsec/transform-set
    crypto/ikev2/policy/proposal                                crypto/ikev2/proposal
    crypto/ikev2/profile/keyring/local                          crypto/ikev2/keyring
    crypto/ipsec/profile/set/ikev2-profile                      crypto/ikev2/profile
    crypto/ipsec/profile/set/isakmp-profile                     crypto/isakmp/profile
    crypto/ipsec/profile/set/transform-set                      crypto/ipsec/transform-set
    crypto/isakmp/profile/keyring                               crypto/keyring
    interface/GigabitEthernet/crypto/map/tag                    crypto/crypto-map/map
    interface/Tunnel/tunnel/protection/ipsec/policy/ipv4        ip/access-list/extended
    interface/Tunnel/tunnel/protection/ipsec/profile            crypto/ipsec/profile
""").items()}  # fmt: skip
# What is of no use unless something names it
SHARED = {"crypto/crypto-map/map"}  # an interface keeps its map when one entry of it goes
NAMED = set(REFERENCES.values()) - SHARED

_INTERFACE = re.compile(r"interface ([A-Za-z-]+)(\d\S*)\Z")
_ROUTED_TO = re.compile(r"Tunnel(\d+)\Z")


class Rejected(Exception):
    """What is wrong with a configuration, with the line."""


class Place(t.NamedTuple):
    """Where a line has led to; the lines below it go on from there."""

    path: Path
    node: Node
    keys: tuple[str, ...]


class Judge:
    """Takes one configuration after another, as a router does, and keeps what is there."""

    def __init__(self, tree: Node) -> None:
        """Begin with an empty router."""
        self.tree = tree
        self.objects: set[Object] = set()
        self.references: list[tuple[Object, Object]] = []  # who, whom

    def apply(self, text: str) -> None:
        """Take a configuration. Raises Rejected for the first line that the router would not take, or not as meant."""
        open_: list[tuple[int, Place]] = []
        for number, raw in enumerate(text.splitlines(), start=1):
            line = raw.strip()
            if not line or line.startswith("!") or line == "end":
                continue
            depth = len(raw) - len(raw.lstrip())
            while open_ and open_[-1][0] >= depth:
                open_.pop()
            if depth and not open_:
                raise Rejected(f"line {number}: {line}: is below nothing")
            try:
                place = self._line(open_[-1][1] if open_ else Place((), self.tree, ()), line)
            except Rejected as error:
                raise Rejected(f"line {number}: {line}: {error}") from None
            open_.append((depth, place))

    def dangling(self) -> list[str]:
        """Say which names are used that nothing has."""
        there = {(path, keys[0]) for path, keys in self.objects}
        return [f"{who[0]} {who[1]}: there is no {path} {keys[0]}" for who, (path, keys) in self.references
                if (path, keys[0]) not in there]  # fmt: skip

    def unused(self) -> list[str]:
        """Say which of our things nothing names."""
        named = {(path, keys[0]) for _who, (path, keys) in self.references}
        return [f"{path} {keys[0]}" for path, keys in sorted(self.objects)
                if path in NAMED and keys[0].startswith("bothends-") and (path, keys[0]) not in named]  # fmt: skip

    def _line(self, above: Place, line: str) -> Place:
        negated = line.startswith("no ")
        line = line.removeprefix("no ")
        words = _INTERFACE.sub(r"interface \1 \2", line).split(" ")
        values: list[tuple[str, str]] = []
        lists: list[Object] = [("/".join(above.path), above.keys)]
        place = self._walk(above, words, values, lists, negated)
        owner, entered = lists[-1], lists[1:]
        if not negated:
            self.objects.update(entered)
        elif entered:
            self._remove(entered)
        for path, value in values:
            target = REFERENCES.get(path)
            if target:
                self._refer(owner, (target, (value,)), negated)
        routed = _ROUTED_TO.match(place.keys[-1]) if place.path[:2] == ("ip", "route") else None
        if routed and not negated:
            self._refer(owner, ("interface/Tunnel", (routed[1],)), negated)
        return place

    def _remove(self, entered: list[Object]) -> None:
        """Remove the last of the lists that a line goes through, and those around it that are empty then."""
        path, keys = entered[-1]
        if entered[-1] not in self.objects:
            raise Rejected("removes what is not there")
        users = [who for who, whom in self.references if whom == (path, keys[:1])]
        if users and path not in SHARED:
            raise Rejected(f"removes what {users[0]} still names")
        gone = set(self._within(entered[-1]))
        self.objects -= gone
        self.references = [(who, whom) for who, whom in self.references if who not in gone]
        for around in reversed(entered[:-1]):
            if self._within(around) == [around]:
                self.objects.remove(around)

    def _within(self, what: Object) -> list[Object]:
        path, keys = what
        return [one for one in self.objects if f"{one[0]}/".startswith(path + "/") and one[1][: len(keys)] == keys]

    def _refer(self, who: Object, whom: Object, negated: bool) -> None:
        if not negated:
            self.references.append((who, whom))
        elif (who, whom) in self.references:
            self.references.remove((who, whom))
        else:
            raise Rejected("removes what is not there")

    def _walk(
        self, place: Place, words: list[str], values: list[tuple[str, str]], lists: list[Object], negated: bool
    ) -> Place:
        """Follow the words from a place to where the line ends."""
        path, node, keys = place
        unnamed, taken = list(UNNAMED.get("/".join(path), ())), False
        while words:
            route = self._named(path, node, words[0])
            if route:
                words = words[1:]
            else:
                route = self._unnamed(node, unnamed, words[0])
            if not route:
                raise Rejected(f"{words[0]!r}: is nothing that {'/'.join(path) or 'IOS XE'} has")
            below = _below(node, route)
            path_below = (*path, *route)
            if below["kind"].startswith("leaf"):
                words = _take(path_below, below, words, values)
                taken = True
                continue
            count = len(below.get("keys", ()))
            if len(words) < count:
                raise Rejected(f"{'/'.join(path_below)}: lacks {', '.join(below['keys'][len(words) :])}")
            for key, word in zip(below.get("keys", ()), words[:count], strict=True):
                _check("/".join(path_below), below["below"][key]["type"], word)
            place = Place(path_below, below, (*keys, *words[:count]))
            if count:
                lists.append(("/".join(path_below), place.keys))
            return self._walk(place, words[count:], values, lists, negated)
        finished = taken or negated or node.get("presence") or node["kind"] == "list"
        if not finished or (node["kind"] == "list" and "/".join(path) in UNFINISHED and not (taken or negated)):
            raise Rejected(f"{'/'.join(path)}: the line ends too early")
        return Place(path, node, keys)

    def _named(self, path: Path, node: Node, word: str) -> Path | None:
        where = "/".join((*path, word))
        if where in NEWER:
            node.setdefault("below", {})[word] = NEWER[where]
        if where in RENAMED:
            return RENAMED[where]
        return (word,) if word in node.get("below", {}) and word not in node.get("keys", ()) else None

    def _unnamed(self, node: Node, names: list[str], word: str) -> Path | None:
        """Take the next name whose values the word is one of; those before it were left out."""
        while names:
            route = tuple(names.pop(0).split("/"))
            below = _below(node, route)
            type_ = below["below"][below["keys"][0]]["type"] if below["kind"] == "list" else below.get("type")
            if type_ is None or _fits(type_, word):
                return route
        return None


def _below(node: Node, route: Path) -> Node:
    for name in route:
        node = node["below"][name]
    return node


def _take(path: Path, leaf: Node, words: list[str], values: list[tuple[str, str]]) -> list[str]:
    """Take a leaf's value off the line and give the rest."""
    if leaf["type"]["is"] == "empty":
        return words
    if not words:
        raise Rejected(f"{'/'.join(path)}: lacks its value")
    value, rest = (" ".join(words), []) if path[-1] == "description" else (words[0], words[1:])
    _check("/".join(path), leaf["type"], value)
    values.append(("/".join(path), value))
    return rest


def _check(where: str, type_: Node, value: str) -> None:
    if not _fits(type_, value):
        raise Rejected(f"{where}: {value!r} is none of its values")


def _fits(type_: Node, value: str) -> bool:
    if type_["is"] == "union":
        return any(_fits(member, value) for member in type_["of"])
    if type_["is"] == "choice":
        return value in type_["choices"]
    if type_["is"] == "number":
        return value.isdecimal() and any(low <= int(value) <= high for low, high in type_["ranges"])
    if type_["is"] == "text":
        return bool(value) and bool(re.fullmatch(type_.get("pattern", ".*"), value))
    if type_["is"] in ("ipv4-address", "ipv6-address"):
        return _is_address(value, int(type_["is"][3]))
    raise Rejected(f"{type_}: nothing here can judge it")


def _is_address(value: str, version: int) -> bool:
    try:
        return ipaddress.ip_address(value).version == version
    except ValueError:
        return False
