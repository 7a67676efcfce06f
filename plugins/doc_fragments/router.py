# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # What every module takes that brings a router's connections into force.
    CONNECTIONS = r"""
options:
  connections:
    description: The connection records that are to be loaded, without keys, as M(bothends.vpn.site_configs) returns them.
    type: list
    elements: dict
    default: []
  absent:
    description: The connection records whose SAs and configuration are to go.
    type: list
    elements: dict
    default: []
  files:
    description: RV(bothends.vpn.site_configs#module:files). In check mode it says which files would change.
    type: list
    elements: dict
    default: []
  activate:
    description: Whether to make SAs. Without it the router makes them when there is traffic, or when the hub begins.
    type: bool
    default: true
  reauthenticate:
    description: Names of connections whose SAs are to be made anew in any case, because the hub changed.
    type: list
    elements: str
    default: []
  reported_down:
    description:
      - Names of tunnels that the hub's cloud reports as down. Where an SA has carried one for more than a minute all the same, the
        cloud lost that SA, or counts it for a connection that is gone from it; then the SAs of its connection are made anew, unless
        the hub alone may begin.
    type: list
    elements: str
    default: []
  timeout:
    description: Seconds that one connection may take to come up. For so long a hub that refuses is asked again.
    type: int
    default: 30
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - Shows the actions, one a line.
  idempotent:
    support: full
"""

    # What every module takes that reads a router's SAs.
    STATE = r"""
options:
  connections:
    description: The connections to prove, as the filter P(bothends.vpn.connections#filter) gives them for the site's end.
    type: list
    elements: dict
    default: []
  prove:
    description: Make the SAs of O(connections) anew. Where that cannot be done beside the old ones, it interrupts traffic for a moment.
    type: bool
    default: false
  timeout:
    description: Seconds to wait for new SAs, at most.
    type: int
    default: 20
attributes:
  check_mode:
    support: full
    details:
      - Reads only; O(prove) is left out.
  diff_mode:
    support: none
    details:
      - New SAs are no change of any configuration.
  idempotent:
    support: partial
    details:
      - With O(prove) it makes new SAs each time.
"""

    # What every module takes that looks for what keeps a router's tunnels down.
    EVIDENCE = r"""
options:
  connections:
    description: The connections to look at, as the filter P(bothends.vpn.connections#filter) gives them for the site's end.
    type: list
    elements: dict
    required: true
  attempt:
    description:
      - Initiate the tunnels that no SA carries, and read what the router's IKE daemon logs meanwhile. Changes no configuration.
      - Left out in check mode.
    type: bool
    default: false
  timeout:
    description: Seconds that one attempt may take.
    type: int
    default: 10
  log_files:
    description: Files that the IKE daemon logs to. Default are those that its configuration names, else what the system's log has.
    type: list
    elements: path
"""
