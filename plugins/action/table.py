# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import shutil
import typing as t

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.bothends.vpn.plugins.module_utils import _tables
from ansible_collections.bothends.vpn.plugins.module_utils._description import plain

SPEC: dict[str, dict[str, t.Any]] = {
    "title": {"type": "str"},
    "columns": {"type": "dict", "required": True},
    "rows": {"type": "list", "elements": "dict", "required": True},
    "empty": {"type": "str", "default": "nothing"},
}


class ActionModule(ActionBase):
    """Print a table on the controller."""

    _requires_connection = False

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Lay out the rows and print them; the result holds the same lines."""
        result = super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec(SPEC)
        columns = list(plain(options["columns"]).items())
        width = shutil.get_terminal_size((132, 24)).columns
        rows = plain(options["rows"])
        lines = _tables.table(columns, rows, width - 2) if rows else [options["empty"]]
        display = Display()
        for line in [*([str(options["title"])] if options["title"] else []), *lines]:
            display.display(f"  {line}"[: max(width, 20)])
        return {**result, "changed": False, "lines": lines}
