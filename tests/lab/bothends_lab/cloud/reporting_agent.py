# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of the VPN agent a benchmark needs: nothing is realised, and nothing stays pending.

Hundreds of real connections would be hundreds of tunnels that nobody measures; without any report the API refuses every change.
"""

from __future__ import annotations

import threading
import time

_INTERVAL = 0.5  # seconds


def start() -> None:
    """Reports every service as ACTIVE and every connection as DOWN soon after it was made, in a thread of its own."""
    from neutron_lib import constants, context
    from neutron_lib.db import api
    from neutron_vpnaas.db.vpn import vpn_models

    admin = context.get_admin_context()
    states = {vpn_models.VPNService: constants.ACTIVE, vpn_models.IPsecSiteConnection: constants.DOWN}

    @api.retry_db_errors
    def report() -> None:
        for model, state in states.items():
            with api.CONTEXT_READER.using(admin):
                pending = admin.session.query(model.id).filter(model.status.like("PENDING%")).first()
            if pending:
                with api.CONTEXT_WRITER.using(admin):
                    admin.session.query(model).filter(model.status.like("PENDING%")).update(
                        {"status": state}, synchronize_session=False
                    )

    def run() -> None:
        while True:
            report()
            time.sleep(_INTERVAL)

    threading.Thread(target=run, name="reporting agent", daemon=True).start()
