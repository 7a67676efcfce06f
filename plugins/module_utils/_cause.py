# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""Why a tunnel is not as it should be: a table of what facts mean. Pure; ``_cause_facts`` says what was seen.

An end that begins sees the same refusal for several causes (RFC 7296 sections 2.6, 2.15 and 2.21 let the other end say
no more). So a row is sure, possible, or what is left when nothing else was seen: possible ones count only where none is
sure, and where two are possible both are said.
"""

from __future__ import annotations

import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils import _cause_facts
from ansible_collections.bothends.vpn.plugins.module_utils._cause_facts import Facts, Record, View

SITE, HUB, EITHER, BETWEEN = "site", "hub", "either end", "between the ends"
SURE, POSSIBLE, LEFT = 1, 2, 3


class Cause(t.TypedDict):
    """One verdict."""

    code: str  # stable
    cause: str
    end: str  # where it comes from
    evidence: str
    remedy: str


class Kind(t.NamedTuple):
    """A cause by itself."""

    title: str
    remedy: str


_AGAIN = "run bothends.vpn.site, which puts both ends as declared and makes new SAs"

KINDS = {
    "ike_proposal": Kind("IKE proposals differ", f"Give both ends the declared one: {_AGAIN}."),
    "ipsec_proposal": Kind("IPsec proposals differ", f"Give both ends the declared one: {_AGAIN}."),
    "pfs": Kind(
        "PFS groups differ",
        f"Give both ends the declared pfs_group: {_AGAIN}; till then the tunnel ends at its next rekeying.",
    ),
    "psk": Kind(
        "keys differ",
        f"Set one key in vpn_psks (a blank at its end counts too) and raise psk_generation; then {_AGAIN}.",
    ),
    "id": Kind(
        "IKE ids differ",
        f"Each end's id must be what the other expects (`id` and `peer_id` of the site): {_AGAIN}.",
    ),
    "selectors": Kind("subnets differ", f"Both ends must name the same pairs of subnets: {_AGAIN}."),
    "version": Kind(
        "IKE versions or modes differ",
        f"Give both ends the declared ike.version and ike.mode: {_AGAIN}.",
    ),
    "old_sa": Kind(
        "an old SA is still in force",
        "A stored change waits for new SAs: run bothends.vpn.routers, or verify with verify_active.",
    ),
    "duplicate": Kind(
        "two peers have one id, or a connection has two SAs",
        "Give each site of the hub an `id` of its own, and let one end begin (`initiator`).",
    ),
    "hub_not_loaded": Kind(
        "the cloud has not loaded its configuration",
        "Look for a value that breaks it (a line break, quote or blank in any site's peer id), correct it, and run"
        " bothends.vpn.cloud; a cloud that stays so is its operator's.",
    ),
    "hub_missing": Kind("the cloud has no such connection", "Run bothends.vpn.cloud."),
    "site_file": Kind(
        "the router's file cannot be read",
        "Run bothends.vpn.routers, which writes the file of a described site anew; another one mend by hand.",
    ),
    "site_not_loaded": Kind("the router has not loaded the connection", "Run bothends.vpn.routers."),
    "disabled": Kind(
        "the connection is disabled at the cloud",
        "Set the site's state to present and run bothends.vpn.cloud.",
    ),
    "gateway": Kind("an end has another address than declared", f"Correct `gateway` of the hub or site: {_AGAIN}."),
    "unreachable": Kind(
        "the gateway is not reachable",
        "Check the router's uplink, its default route and the hub's address.",
    ),
    "udp_500": Kind(
        "UDP 500 is blocked",
        "Let UDP 500 and 4500 pass both ways between the two gateways, in each firewall on the way.",
    ),
    "udp_4500": Kind(
        "UDP 4500 is blocked",
        "Let UDP 4500 pass both ways between the two gateways, in each firewall on the way.",
    ),
    "nat": Kind(
        "there is NAT in between that is not described",
        "Set the site's local_address to what the router has itself, its `id`, and nat_traversal to auto or force.",
    ),
    "security_group": Kind(
        "the security group does not let it in",
        "Add the rules to the site's security_group_rules and run bothends.vpn.cloud; a server's own "
        "firewall does the same.",
    ),
    "site_route": Kind(
        "the router has no route into the LAN",
        "Declare it in router_settings.routes, if it is not there, and run bothends.vpn.routers.",
    ),
    "forwarding": Kind("the router does not forward", "Run bothends.vpn.routers, which turns forwarding on."),
    "return_path": Kind(
        "the site's host has no way back through the router",
        "Give the host, or its inner router, a route to the hub's subnets by this router; check the "
        "host's own firewall.",
    ),
    "nat_exemption": Kind(
        "NAT exemption is missing",
        "Accept packets to the hub's subnets before the rule that translates them.",
    ),
    "mtu": Kind(
        "large packets vanish",
        "Clamp TCP's MSS on the router to what passes, or let ICMP `fragmentation needed` through.",
    ),
    "never_tried": Kind(
        "up to now nobody tried",
        "Send traffic from a host in one of the subnets, or run bothends.vpn.routers.",
    ),
    "ended": Kind(
        "its SAs were ended, and nobody began again",
        "Send traffic from a host in one of the subnets, or run bothends.vpn.routers. Where verify_active tried it just now, it "
        "may be up by now: run verify again.",
    ),
    "cloud_differs": Kind(
        "the cloud's objects are not as declared",
        "Run bothends.vpn.cloud; bothends.vpn.drift shows what differs.",
    ),
    "not_counted": Kind(
        "the cloud does not count the router's SA",
        "Run bothends.vpn.site, which makes a new one: the cloud lost this one, or counts it for a connection that is gone."
        " Where that does not help, its VPN agent does not report: that is its operator's.",
    ),
    "duplicate_service": Kind(
        "the VPC has two VPN services",
        "Only one of them is realised: delete the one without connections, or move them to one.",
    ),
    "dead_peer": Kind("the peer is dead", "Its IKE daemon stopped, or the way to it: check the hub's VPN service."),
    "kernel": Kind(
        "the router's kernel refuses the SA",
        "Install or load the kernel's ESP and the suite's algorithms, or (strongSwan) the plugin kernel-libipsec.",
    ),
}


class Row(t.NamedTuple):
    """What some facts mean together. The first of ``needs`` is the evidence that is shown, with ``shows`` besides."""

    code: str
    end: str
    needs: tuple[str, ...]
    unless: tuple[str, ...] = ()
    level: int = SURE
    shows: tuple[str, ...] = ()


_NOT_UP = ("sa.none",)
_BOTH_RIGHT = ("site.as_declared", "hub.as_declared")

ROWS = (
    # What is stored is not what is declared: seen at either end, and therefore sure whatever the ends said of it.
    Row("ike_proposal", SITE, ("site.ike",)),
    Row("ike_proposal", HUB, ("hub.ike",)),
    Row("ipsec_proposal", SITE, ("site.ipsec",)),
    Row("ipsec_proposal", HUB, ("hub.ipsec",)),
    Row("pfs", SITE, ("site.pfs",)),
    Row("pfs", HUB, ("hub.pfs",)),
    Row("version", SITE, ("site.version",)),
    Row("version", HUB, ("hub.version",)),
    Row("id", SITE, ("site.id",)),
    Row("id", HUB, ("hub.id",)),
    Row("selectors", SITE, ("site.subnets",)),
    Row("selectors", HUB, ("hub.subnets",)),
    Row("gateway", SITE, ("site.gateway",)),
    Row("gateway", HUB, ("hub.gateway",)),
    Row("disabled", HUB, ("hub.disabled",)),
    Row("site_not_loaded", SITE, ("site.not_stored",)),
    Row("site_not_loaded", SITE, ("site.not_loaded",), ("site.not_stored",), SURE, ("site.unreadable",)),
    Row("psk", SITE, ("site.no_key",), ("site.not_stored", "site.not_loaded")),
    Row("hub_missing", HUB, ("hub.absent",)),
    # The router was asked, so it knows why it said no.
    Row("ike_proposal", SITE, ("log.ike.site",), ("site.ike",)),
    Row("ike_proposal", HUB, ("log.ike.hub",), ("hub.ike",)),
    Row("ipsec_proposal", SITE, ("log.ipsec.site",), ("site.ipsec",)),
    Row("ipsec_proposal", HUB, ("log.ipsec.hub",), ("hub.ipsec",)),
    Row("pfs", SITE, ("log.pfs.site",), ("site.pfs",)),
    Row("pfs", HUB, ("log.pfs.hub",), ("hub.pfs",)),
    Row("version", HUB, ("log.other_version",), ("hub.version", "site.version")),
    Row("version", EITHER, ("log.ike.version",)),
    Row("version", SITE, ("log.ike.not_expected",), ("log.other_version", "site.as_declared"), POSSIBLE),
    Row("site_not_loaded", SITE, ("log.ike.not_expected",), ("log.other_version", "site.as_declared"), POSSIBLE),
    Row("gateway", EITHER, ("log.ike.not_expected", "site.as_declared"), ("log.other_version",)),
    Row("version", EITHER, ("log.ike.aggressive",), ("site.version", "hub.version")),
    Row("version", EITHER, ("log.ike.mode",), ("site.version", "hub.version")),
    Row("ike_proposal", EITHER, ("log.ike.group",), ("site.ike", "hub.ike")),
    Row("psk", EITHER, ("log.auth.key",), ("site.id", "hub.id")),
    Row("psk", EITHER, ("log.auth.key_v1", "declared.v1")),
    Row("id", EITHER, ("log.auth.nobody",), ("site.id", "hub.id")),
    Row("id", EITHER, ("log.auth.id",), ("site.id", "hub.id")),
    Row("selectors", EITHER, ("log.child.subnets",), ("site.subnets", "hub.subnets")),
    Row("kernel", SITE, ("log.child.kernel",)),
    # The router began, and heard no more than no. What the cloud's objects and the router's file say rules causes out.
    Row("psk", EITHER, ("log.auth.refused", *_BOTH_RIGHT), ("hub.id_clash",)),
    Row("psk", EITHER, ("log.auth.refused",), (), POSSIBLE),
    Row("id", EITHER, ("log.auth.refused",), (), POSSIBLE),
    Row("psk", EITHER, ("log.auth.no_key",), (), POSSIBLE),
    Row("id", EITHER, ("log.auth.no_key",), (), POSSIBLE),
    Row("hub_not_loaded", HUB, ("log.ike.refused", "hub.creating")),
    Row("hub_not_loaded", HUB, ("log.ike.refused", *_BOTH_RIGHT), ("log.ike.differs",)),
    Row("ike_proposal", EITHER, ("log.ike.refused",), (), POSSIBLE),
    Row("version", EITHER, ("log.ike.refused",), (), POSSIBLE),
    Row("hub_not_loaded", HUB, ("log.ike.refused",), ("hub.as_declared",), POSSIBLE),
    Row("ipsec_proposal", EITHER, ("log.child.refused",), (), POSSIBLE),
    Row("selectors", EITHER, ("log.child.subnets_refused",), ("hub.as_declared",)),
    Row("selectors", EITHER, ("log.child.subnets_refused",), (), POSSIBLE),
    Row("old_sa", HUB, ("log.child.subnets_refused", "hub.as_declared"), (), POSSIBLE),
    Row("pfs", EITHER, ("log.rekey.group",), ("site.pfs", "hub.pfs")),
    Row("pfs", EITHER, ("log.rekey.refused",), (), POSSIBLE),
    Row("ipsec_proposal", EITHER, ("log.rekey.refused",), (), POSSIBLE),
    Row("pfs", EITHER, ("proof.no_rekey",), (), POSSIBLE),
    Row("psk", EITHER, ("proof.no_reauthenticate",), (*_NOT_UP, "log.silent.init", "log.ike.refused"), POSSIBLE),
    Row("id", EITHER, ("proof.no_reauthenticate",), (*_NOT_UP, *_BOTH_RIGHT, "log.silent.init", "log.ike.refused"), POSSIBLE),
    # A cloud whose service does not do what is stored.
    Row("hub_not_loaded", HUB, ("hub.bad_value", "sa.none"), (), SURE, ("hub.creating", "hub.down")),
    Row("hub_not_loaded", HUB, ("hub.creating", "sa.none"), ("hub.services",)),
    Row("hub_not_loaded", HUB, ("hub.abnormal",)),
    Row("hub_not_loaded", HUB, ("hub.frozen",)),
    Row("duplicate_service", HUB, ("hub.services",), ("hub.normal",)),
    Row("duplicate", HUB, ("hub.id_clash",), (), SURE, ("log.duplicate", "log.closed")),
    Row("duplicate", EITHER, ("log.duplicate",), ("hub.id_clash",), POSSIBLE),
    Row("duplicate", EITHER, ("sa.several", "ping.all"), (), POSSIBLE),
    # What runs is older than what is stored.
    Row("old_sa", EITHER, ("sa.suite", *_BOTH_RIGHT)),
    Row("old_sa", EITHER, ("sa.subnets", *_BOTH_RIGHT)),
    Row("old_sa", EITHER, ("sa.suite",), (), POSSIBLE),
    Row("ipsec_proposal", EITHER, ("sa.suite",), ("hub.as_declared",), POSSIBLE),
    Row("selectors", EITHER, ("sa.subnets",), ("hub.as_declared",), POSSIBLE),
    Row("old_sa", EITHER, ("sa.subnets",), (), POSSIBLE),
    # Nobody answers.
    Row("nat", SITE, ("path.foreign_address",)),
    Row("nat", BETWEEN, ("log.nat.here", "log.auth.refused"), ("path.foreign_address",), POSSIBLE),
    Row("nat", BETWEEN, ("log.nat.here", "log.auth.nobody"), ("path.foreign_address",)),
    Row("unreachable", SITE, ("path.no_route",)),
    Row("unreachable", SITE, ("log.send.failed",), ("path.foreign_address", "path.500.forbidden", "path.4500.forbidden")),
    Row("udp_500", SITE, ("path.500.forbidden",), ("path.no_route",)),
    Row("udp_4500", SITE, ("path.4500.forbidden",), ("path.no_route", "path.500.forbidden")),
    Row("dead_peer", HUB, ("path.500.refused",), ("hub.bad_value",), SURE, ("log.silent.init", "log.silent.dead")),
    Row("dead_peer", HUB, ("log.silent.dead", "path.mute"), ("path.500.answers", "path.no_route")),
    Row("dead_peer", HUB, ("log.silent.dead",), ("path.500.answers", "path.500.refused"), POSSIBLE),
    Row("udp_500", BETWEEN, ("log.silent.init", "path.answers"), ("path.500.answers", "path.500.refused", "path.500.forbidden", "log.up")),
    Row("udp_500", BETWEEN, ("path.500.silent", "sa.none"), ("path.no_route", "log.answered"), POSSIBLE, ("log.silent.init",)),
    Row("unreachable", BETWEEN, ("path.mute", "path.500.silent", "sa.none"), ("path.no_route", "log.answered"), POSSIBLE,
        ("log.silent.init",)),
    Row("dead_peer", HUB, ("path.500.silent", "log.up", "sa.none"), ("path.no_route", "log.answered"), POSSIBLE),
    Row("udp_500", BETWEEN, ("log.silent.init",), ("path.500.answers", "path.500.refused"), POSSIBLE),
    Row("udp_4500", BETWEEN, ("log.silent.auth",), ("path.4500.answers", "path.4500.forbidden")),
    Row("udp_4500", BETWEEN, ("path.4500.silent", "path.500.answers", "sa.none"), ("log.silent.auth", "log.answered"), POSSIBLE),
    # The tunnel is up, and the hosts do not talk.
    # What pings disprove is not so: a LAN behind the default route, say, of a router that has one interface.
    Row("site_route", SITE, ("path.no_lan_route",), ("sa.none", "ping.to_hub_passes", "ping.to_site_passes"), SURE,
        ("ping.one_host", "ping.all")),
    Row("forwarding", SITE, ("path.no_forwarding",), ("sa.none", "ping.some"), SURE, ("ping.all",)),
    Row("nat_exemption", SITE, ("path.source_nat", "ping.to_hub"), ("path.no_lan_route", "path.no_forwarding")),
    Row("security_group", HUB, ("hub.rules",), ("sa.none", "sa.no_child"), SURE, ("ping.to_hub",)),
    Row("return_path", SITE, ("ping.host_no_route",), ("path.no_lan_route",)),
    Row("return_path", SITE, ("ping.one_host",), ("path.no_lan_route", "path.source_nat"), POSSIBLE),
    Row("security_group", HUB, ("ping.to_hub", "ping.to_site_passes"), ("ping.one_host",), POSSIBLE),
    Row("return_path", SITE, ("ping.to_site", "ping.to_hub_passes"), ("ping.one_host",), POSSIBLE),
    Row("security_group", HUB, ("ping.all",), ("sa.none", "sa.no_child"), POSSIBLE),
    Row("return_path", SITE, ("ping.all",), ("sa.none", "sa.no_child", "path.no_lan_route"), POSSIBLE),
    Row("mtu", BETWEEN, ("ping.large",)),
    # Nothing is wrong that anybody saw.
    Row("never_tried", EITHER, ("sa.none", "log.read"), ("log.attempt", "log.up", "log.ended", "log.closed", "hub.silent"), LEFT),
    Row("never_tried", EITHER, ("sa.no_child", "log.read"), ("hub.silent",), LEFT),
    Row("ended", EITHER, ("log.ended", "sa.none"), (), LEFT),
    Row("ended", EITHER, ("log.closed", "sa.none"), ("log.ended",), LEFT),
    Row("ended", EITHER, ("log.up", "sa.none"), ("log.ended", "log.closed"), LEFT),
    Row("not_counted", HUB, ("hub.down", "sa.carries"), (), LEFT, ("sa.carries",)),
    Row("site_file", SITE, ("site.unreadable",), (), LEFT),
    Row("cloud_differs", HUB, ("hub.steps",), (), LEFT),
)  # fmt: skip


def causes(record: Record, tunnel: Record, view: View) -> list[Cause]:
    """Name why a tunnel (site's view) is not as declared: one cause, two where the evidence allows two, [] for none."""
    return meaning(_cause_facts.facts(record, tunnel, view))


def meaning(facts: Facts) -> list[Cause]:
    """Give what facts mean, by the table."""
    found = [
        row for row in ROWS if all(one in facts for one in row.needs) and not any(one in facts for one in row.unless)
    ]
    level = min((row.level for row in found), default=LEFT)
    out: dict[str, Cause] = {}
    for row in (row for row in found if row.level == level):
        shown = [facts[one] for one in (row.needs[0], *(one for one in row.shows if one in facts)) if facts[one]]
        kind = KINDS[row.code]
        if row.code in out:
            known = out[row.code]
            known["end"] = row.end if known["end"] == row.end else EITHER
            shown = [one for one in shown if one not in known["evidence"]]
            known["evidence"] = "; ".join([known["evidence"], *shown])
        else:
            out[row.code] = Cause(
                code=row.code, cause=kind.title, end=row.end, evidence="; ".join(shown), remedy=kind.remedy
            )
    return list(out.values())
