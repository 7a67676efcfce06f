# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection.
"""What touches a running charon: swanctl, its configuration files, and two questions over VICI. Decides nothing.

Source of the VICI packets: strongSwan's ``src/libcharon/plugins/vici/README.md``.
"""

from __future__ import annotations

import contextlib
import fnmatch
import glob
import os
import re
import socket
import struct
import subprocess
import threading
import typing as t

from ansible_collections.bothends.vpn.plugins.module_utils._errors import TextError, VpnError
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _strongswan_log
from ansible_collections.bothends.vpn.plugins.module_utils._platforms import _swanctl_text as text

# Lines in which charon says why something failed; it never writes keys at its default log level.
_REASON = re.compile(
    r"received [A-Z_]+ (?:error )?notify|error|fail|unable|no (?:matching|acceptable|shared|private|IKE|response)|not found|"
    r"mismatch|giving up|retransmit [2-9]|invalid|not match|did not end|unreachable",
    re.IGNORECASE,
)
_NOISE = re.compile(
    r"^(?:plugin '.*failed to load|(?:initiate|rekey) failed|parsed |generating |failed to establish)", re.IGNORECASE
)
TOO_LATE = 124
ANSWER = 15  # seconds until a question that charon has not answered is given up
DEFAULT_URI = "unix:///var/run/charon.vici"
# What the other end's words mean to an operator.
_HINTS = (
    ("AUTHENTICATION_FAILED", "the key or an id differs between the two ends"),
    ("NO_PROPOSAL_CHOSEN", "the algorithms differ between the two ends"),
    ("TS_UNACCEPTABLE", "the subnets differ between the two ends"),
    ("retransmit", "the other end does not answer: check its address and UDP ports 500 and 4500"),
)

# VICI's packet types and message elements.
_REQUEST, _EVENT_REGISTER, _EVENT = 0, 3, 7
_KEY_VALUE, _LIST_START, _LIST_ITEM = 3, 4, 5


def _packet(kind: int, name: str) -> bytes:
    body = struct.pack("!BB", kind, len(name)) + name.encode()
    return struct.pack("!I", len(body)) + body


class Swanctl:
    """swanctl on this machine."""

    def __init__(self, program: str, directory: str, uri: str | None) -> None:
        self.program = program
        self.directory = directory
        self.uri = uri
        self._patterns: list[str] = []  # of the files that the configuration includes
        self._outdated: set[str] = set()

    def run(self, *arguments: str, seconds: int = 60) -> tuple[int, str, str]:
        """Runs one command. Gives return code, stdout and stderr; ``TOO_LATE`` after ``seconds``."""
        command = [self.program, *arguments, *(["--uri", self.uri] if self.uri else [])]
        environment = {**os.environ, "SWANCTL_DIR": self.directory, "LC_ALL": "C"}
        try:
            done = subprocess.run(
                command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, check=False
            )
        except subprocess.TimeoutExpired:
            return TOO_LATE, "", f"{arguments[0]} did not end within {seconds} s"
        except OSError as error:
            raise VpnError(
                f"{self.program}: {error.strerror}. Install strongSwan (Debian: strongswan-swanctl)."
            ) from None
        return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")

    def ask(self, *arguments: str) -> str:
        """Runs one command that must succeed and gives its stdout."""
        code, out, err = self._answer(*arguments)
        if code:
            raise VpnError(f"swanctl {' '.join(arguments)}: {reason(err) or reason(out) or f'return code {code}'}")
        return out

    def _answer(self, *arguments: str) -> tuple[int, str, str]:
        """Runs one command that only asks, so that a charon that hangs is told as that."""
        answer = self.run(*arguments, seconds=ANSWER)
        if answer[0] == TOO_LATE:
            raise VpnError(
                f"the daemon charon did not answer within {ANSWER} s: if it hangs, restart it (Debian: systemctl restart strongswan)"
            )
        return answer

    def born(self) -> tuple[str, list[str]]:
        """Gives what tells this run of charon from any other, and its plugins."""
        code, out, err = self._answer("--stats", "--raw")
        messages = text.parse_dump(out, "stats reply")
        if code or not messages:
            raise VpnError(
                f"charon does not answer: {reason(err) or f'return code {code}'}. Install and start it"
                " (Debian: charon-systemd, service strongswan)."
            )
        stats = dict(messages[0])
        try:
            # charon makes its socket when it starts. When that was, as it says it itself, wavers by a second.
            found = os.stat((self.uri or DEFAULT_URI)[len("unix://") :])
            run = f"{found.st_ino} {found.st_mtime_ns}"
        except OSError:
            uptime = stats.get("uptime")
            run = dict(uptime).get("since", "") if text.is_section(uptime) else ""
        return run, stats.get("plugins", [])

    def configuration(self, outdated: t.Iterable[str] = ()) -> text.Tree:
        """Reads all that swanctl would read. Raises VpnError for what is broken, but for files that are ``outdated``.

        swanctl itself takes a broken file as an empty one, and then unloads what it does not find.
        """
        tree: text.Tree = {}
        self._patterns = []
        self._outdated = set(map(os.path.realpath, outdated))
        self._read(os.path.join(self.directory, "swanctl.conf"), tree, 0)
        return tree

    def includes(self, path: str) -> bool:
        """Whether a file of that name is (or would be) read, after ``configuration()``."""
        return any(fnmatch.fnmatch(path, pattern) for pattern in self._patterns)

    def _read(self, path: str, tree: text.Tree, depth: int) -> None:
        def include(pattern: str) -> None:
            if depth > 16:
                raise VpnError(f"{path}: includes itself")
            whole = os.path.join(os.path.dirname(path), pattern)
            self._patterns.append(whole)
            for name in sorted(glob.glob(whole)):
                self._read(name, tree, depth + 1)

        try:
            with open(path, encoding="utf-8", errors="surrogateescape") as stream:
                text.parse_settings(stream.read(), path, tree, include)
        except TextError as error:
            if os.path.realpath(path) in self._outdated:
                return
            raise VpnError(
                f"{error}. swanctl would take the broken file as empty and unload connections. Remedy: mend the file."
            ) from None
        except OSError as error:
            raise VpnError(f"{path}: {error.strerror}") from None

    def listed(self, command: str) -> list[str] | None:
        """Asks charon itself (``get-conns``, ``get-shared``) for what was loaded over VICI; None when it cannot be asked.

        swanctl has no such command, and its --list-conns also shows what ipsec.conf brought, which is no concern.
        """
        address = self.uri or DEFAULT_URI
        if not address.startswith("unix://"):
            return None
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(10)
                connection.connect(address[len("unix://") :])
                connection.sendall(_packet(_REQUEST, command))
                size = struct.unpack("!I", _receive(connection, 4))[0]
                return _items(_receive(connection, size)[1:])
        except (OSError, struct.error):
            return None


def _receive(connection: socket.socket, size: int) -> bytes:
    out = b""
    while len(out) < size:
        part = connection.recv(size - len(out))
        if not part:
            raise OSError("charon closed the connection")
        out += part
    return out


def _items(message: bytes) -> list[str]:
    """Gives the items of the only list in a VICI message."""
    out, at = [], 0
    while at < len(message):
        kind = message[at]
        at += 1
        if kind == _LIST_START:
            at += 1 + message[at]
        elif kind == _LIST_ITEM:
            size = struct.unpack_from("!H", message, at)[0]
            out.append(message[at + 2 : at + 2 + size].decode(errors="replace"))
            at += 2 + size
    return out


def _values(message: bytes) -> dict[str, str]:
    """Gives the keys and values of a VICI message without sections."""
    out, at = {}, 0
    while at < len(message) and message[at] == _KEY_VALUE:
        name = message[at + 2 : at + 2 + message[at + 1]]
        at += 2 + len(name)
        size = struct.unpack_from("!H", message, at)[0]
        out[name.decode()] = message[at + 2 : at + 2 + size].decode(errors="replace")
        at += 2 + size
    return out


def reason(output: str) -> str:
    """The lines of an output in which charon or swanctl says why, in one line, the last three at most."""
    lines = []
    for raw in output.splitlines():
        line = re.sub(r"^(?:\d+)?\[[A-Z]{3}\] *(?:<[^>]*> *)?", "", raw.strip())
        if _REASON.search(line) and not _NOISE.search(line) and line not in lines:
            lines.append(line)
    said = "; ".join(lines[-3:])
    return said + "".join(f" ({hint})" for word, hint in _HINTS if word in said)


class Log:
    """What charon logs about its IKE SAs while the block runs; nothing where charon cannot be asked."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._lines: list[tuple[str, str]] = []
        self.entries: list[_strongswan_log.Entry] = []
        self._reader = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Log:
        try:
            self._socket.connect(self._uri[len("unix://") :])
            self._socket.sendall(_packet(_EVENT_REGISTER, "log"))
            self._reader.start()
        except OSError:
            pass
        return self

    def __exit__(self, *unused: t.Any) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # ends the reader's wait
        if self._reader.is_alive():
            self._reader.join(2)
        self._socket.close()

    def _read(self) -> None:
        try:
            while True:
                packet = _receive(self._socket, struct.unpack("!I", _receive(self._socket, 4))[0])
                if packet[0] == _EVENT:
                    values = _values(packet[2 + packet[1] :])
                    name, said = values.get("ikesa-name", ""), values.get("msg", "")
                    self._lines.append((name, said))
                    self.entries.append(_strongswan_log.entry(values.get("thread", ""), name, said))
        except (OSError, struct.error):
            return

    def mark(self) -> int:
        """Gives the place in the log up to now."""
        return len(self._lines)

    def since(self, mark: int, name: str) -> list[str]:
        """Gives the lines after a mark that are about IKE SAs of that name, or of none."""
        return [line for about, line in self._lines[mark:] if about in (name, "")]
