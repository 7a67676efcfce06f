# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.bothends.vpn.plugins.action import hub as action
from ansible_collections.bothends.vpn.plugins.module_utils import _hub


class Over:
    """An event that is set after so many waits; each of them may do something."""

    def __init__(self, *waits):
        self.waits = list(waits)

    def wait(self, _seconds):
        if not self.waits:
            return True
        self.waits.pop(0)()
        return False


def test_what_the_module_writes_is_shown_when_it_changes(tmp_path):
    """The module's own writer and the plugin's own reader, with what happens between two looks."""
    path, shown = tmp_path / "progress", []
    tell = _hub._progress(str(path))

    def done(*numbers):
        return lambda: [tell(f"{number} of 12 steps done") for number in numbers]

    def half():
        path.open("ab").write("11 of 12, B\u00fc".encode()[:-1])

    action.show(str(path), "hub prod", Over(done(), done(1, 2, 3), done(), done(4, 5), half), shown.append)
    assert shown == ["  hub prod: 3 of 12 steps done", "  hub prod: 5 of 12 steps done"]


def test_without_a_file_nothing_is_written():
    _hub._progress(None)("1 of 12 steps done")


@pytest.mark.parametrize("path", ["{}/not/there", "{}", "/dev/full", "{}/\0"])
def test_a_file_that_cannot_be_written_stops_nothing(tmp_path, path):
    """Nor does a name that is no text of UTF-8."""
    _hub._progress(path.format(tmp_path))("1 of 12 steps done")
    _hub._progress(str(tmp_path / "progress"))("waiting for site_connection \ud800")


class Connection:
    """What the plugin asks of a connection."""

    has_native_async = False
    _shell = type("Shell", (), {"tmpdir": "/nowhere"})

    def __init__(self, transport):
        self.transport = transport


@pytest.mark.parametrize(
    ("transport", "given", "asynchronous", "written"),
    [
        ("local", {}, 0, True),
        ("ssh", {}, 0, False),
        ("local", {"progress_file": "/mine"}, 0, False),
        ("local", {}, 60, False),
    ],
)
def test_the_file_is_for_a_module_on_this_machine(monkeypatch, transport, given, asynchronous, written):
    task = type(
        "Task", (), {"args": {"name": "prod", **given}, "async_val": asynchronous, "action": "bothends.vpn.hub"}
    )()
    plugin = action.ActionModule.__new__(action.ActionModule)
    plugin._task, plugin._connection = task, Connection(transport)
    seen = {}

    def execute(module_args, task_vars, wrap_async=False):
        seen.update(module_args, wrap_async=wrap_async)
        return {"changed": True}

    monkeypatch.setattr(action.ActionBase, "run", lambda *_args: {"before": 1})
    monkeypatch.setattr(plugin, "_execute_module", execute)
    monkeypatch.setattr(plugin, "_remove_tmp_path", lambda path: seen.update(removed=path))
    assert plugin.run(None, {}) == {"before": 1, "changed": True}
    ours = seen.get("progress_file") not in (None, given.get("progress_file"))
    assert (ours, seen["wrap_async"], "removed" in seen) == (written, bool(asynchronous), not asynchronous)
    assert task.args == {"name": "prod", **given}, "the task itself stays as it was written"
