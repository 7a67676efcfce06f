# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import tempfile
import threading
import typing as t

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

# Seconds between two lines: what is over before says nothing.
EVERY = 10.0


class ActionModule(ActionBase):
    """Run the module, and print meanwhile how far it is: a module cannot print, and thousands of steps take minutes."""

    _supports_check_mode = True
    _supports_async = True

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Run the module; where it runs on this machine, beside a thread that reads what it writes of its progress."""
        result = super().run(tmp, task_vars)
        wrap_async = bool(self._task.async_val) and not self._connection.has_native_async
        arguments = dict(self._task.args)
        here = self._connection.transport == "local" and not wrap_async and not arguments.get("progress_file")
        if here:
            with tempfile.TemporaryDirectory(prefix="bothends-vpn-") as directory:
                path = os.path.join(directory, "progress")
                over = threading.Event()
                reader = threading.Thread(
                    target=show, args=(path, f"hub {arguments.get('name')}", over, Display().display)
                )
                reader.start()
                try:
                    done = self._execute_module(module_args={**arguments, "progress_file": path}, task_vars=task_vars)
                finally:
                    over.set()
                    reader.join()
        else:
            done = self._execute_module(module_args=arguments, task_vars=task_vars, wrap_async=wrap_async)
        if not wrap_async:
            self._remove_tmp_path(self._connection._shell.tmpdir)
        return {**result, **done}


def show(path: str, what: str, over: threading.Event, display: t.Callable[[str], t.Any], every: float = EVERY) -> None:
    """Print the last line of a file now and then, when it is another one, until it is over."""
    shown = ""
    while not over.wait(every):
        last = _last_line(path)
        if last and last != shown:
            display(f"  {what}: {last}")
            shown = last


def _last_line(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as lines:  # a name may be half written
            return lines.read().rpartition("\n")[0].rpartition("\n")[2]
    except OSError:
        return ""  # nothing is done yet
