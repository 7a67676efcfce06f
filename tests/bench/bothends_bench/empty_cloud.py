# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes all VPN objects and their rules out of the lab's database at once: `empty_cloud.py NEUTRON.CONF`.

Through the API that is thousands of requests. Runs in the lab's virtual environment.
"""

from __future__ import annotations

import configparser
import sys

import sqlalchemy

# In the order in which nothing is referred to any more.
STATEMENTS = (
    "DELETE FROM ipsecpeercidrs",
    "DELETE FROM ipsec_site_connections",
    "DELETE FROM vpn_endpoints",
    "DELETE FROM vpn_endpoint_groups",
    "DELETE FROM vpnservices",
    "DELETE FROM ikepolicies",
    "DELETE FROM ipsecpolicies",
    "DELETE FROM providerresourceassociations",
    "DELETE FROM securitygrouprules WHERE remote_ip_prefix IS NOT NULL",
)

if __name__ == "__main__":
    config = configparser.ConfigParser(interpolation=None, strict=False)
    config.read(sys.argv[1])
    engine = sqlalchemy.create_engine(config["database"]["connection"])
    with engine.begin() as connection:
        for statement in STATEMENTS:
            connection.execute(sqlalchemy.text(statement))
