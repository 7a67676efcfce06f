# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""keystone in one process: `python -m bothends_lab.cloud.keystone_server PORT CONFIG`."""

from __future__ import annotations

import gc
import os
import sys

import waitress

from ..layout import Layout
from . import patches
from .api_log import ApiLog


def main() -> None:
    """Serves the identity API on 127.0.0.1 until it is ended."""
    port, config = int(sys.argv[1]), sys.argv[2]
    gc.disable()  # what imports make stays: a fifth of the start is saved by not looking through it
    sys.argv = ["keystone"]  # keystone's configuration reads it
    os.environ["OS_KEYSTONE_CONFIG_FILES"] = config
    patches.retry_when_sqlite_is_locked()

    from keystone.wsgi.api import application

    gc.freeze()
    gc.enable()
    waitress.serve(ApiLog(application, Layout().keystone_log), host="127.0.0.1", port=port, threads=8, ident=None)


if __name__ == "__main__":
    main()
