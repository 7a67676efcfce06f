# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of what talks to the cloud share."""

from __future__ import annotations

import pytest

from ansible_collections.bothends.vpn.plugins.module_utils import _cloud, _wire
from ansible_collections.bothends.vpn.tests.unit.neutron import connection


@pytest.fixture
def connect(monkeypatch):
    """Log in to a fake, which needs no time."""
    monkeypatch.setattr(_cloud.time, "sleep", lambda _seconds: None)

    def to(neutron):
        monkeypatch.setattr(_wire.openstack, "connect", lambda **_cloud: connection(neutron))
        return _cloud.Cloud("lab")

    return to
