"""Copying and notifications in a real tmux. Another one around it plays the terminal, and is looked at."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.terminal import needs_tmux

pytestmark = needs_tmux

WAIT = 20.0

COPY = """
import os
from msgcode_tui.clipboard import copy
print(copy("h\\u00e9llo from msgcode", os.environ, print).sentence)
"""
NOTIFY = """
import os
from msgcode_tui.desktop import escape
from msgcode_tui.notices import Notice
sequence = escape(Notice("alice asks", "May I merge?"), os.environ)
print(sequence or "nothing is known of this terminal", end="", flush=True)
"""


class Nested:
    """Two tmuxes, the inner one in a pane of the outer one, whose bytes go to a file as well."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._environment = {key: value for key, value in os.environ.items() if key != "TMUX"}
        self.outer("new-session", "-d", "-x", "100", "-y", "30", "cat")
        self.outer("set-option", "-g", "default-terminal", "tmux-256color")
        self.inner("new-session", "-d", "-x", "100", "-y", "29", "cat")

    def outer(self, *words: str) -> str:
        return self._tmux("outer", *words)

    def inner(self, *words: str) -> str:
        return self._tmux("inner", *words)

    def attach(self) -> None:
        """Show the inner one in the outer one."""
        command = shlex.join(["tmux", "-S", str(self._folder / "inner"), "attach"])
        self.outer("respawn-pane", "-k", f"env -u TMUX {command}")
        self.outer("pipe-pane", f"cat > {shlex.quote(str(self._folder / 'bytes'))}")
        self.until(lambda: self.inner("list-clients"))

    def run(self, script: str) -> None:
        """Run the script in Python in the inner one."""
        (self._folder / "script.py").write_text(script)
        command = shlex.join([sys.executable, str(self._folder / "script.py")])
        self.inner("respawn-pane", "-k", f"{command}; sleep 60")

    def shows(self, text: str) -> None:
        """Wait until the inner one shows the text."""
        self.until(lambda: text in self.inner("capture-pane", "-pJ"))

    @property
    def bytes(self) -> bytes:
        """What the outer one was given."""
        file = self._folder / "bytes"
        return file.read_bytes() if file.exists() else b""

    def until(self, condition: Callable[[], object]) -> None:
        """Wait until the condition holds."""
        deadline = time.monotonic() + WAIT
        while not condition():
            assert time.monotonic() < deadline, self.inner("capture-pane", "-p")
            time.sleep(0.02)

    def close(self) -> None:
        """End both."""
        for server in (self.outer, self.inner):  # The outer one ends with what it shows.
            server("kill-server")

    def _tmux(self, server: str, *words: str) -> str:
        command = ["tmux", "-S", str(self._folder / server), "-f", os.devnull, *words]
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=True)
        return done.stdout


@pytest.fixture
def nested(tmp_path: Path) -> Iterator[Nested]:
    """Two tmuxes, one in the other."""
    both = Nested(tmp_path)
    try:
        yield both
    finally:
        both.close()


def test_a_text_is_copied_to_tmux_and_through_it_to_the_terminal(nested: Nested) -> None:
    nested.outer("set-option", "-s", "set-clipboard", "on")
    nested.inner("set-option", "-as", "terminal-features", ",*:clipboard")
    nested.attach()
    nested.run(COPY)
    nested.shows("Copied to tmux's buffer (paste it with tmux's prefix and ]), and the terminal was asked")
    assert nested.inner("show-buffer") == "héllo from msgcode"
    nested.until(lambda: nested.outer("list-buffers"))
    assert nested.outer("show-buffer") == "héllo from msgcode"


def test_where_tmux_keeps_it_to_itself_that_is_said(nested: Nested) -> None:
    nested.inner("set-option", "-s", "set-clipboard", "off")
    nested.attach()
    nested.run(COPY)
    nested.shows("Copied to tmux's buffer only, as its set-clipboard is off")
    assert nested.inner("show-buffer") == "héllo from msgcode"
    assert nested.outer("list-buffers") == ""


def test_a_notification_passes_through_tmux_if_it_may(nested: Nested) -> None:
    nested.outer("set-option", "-g", "default-terminal", "rxvt")
    nested.inner("set-option", "-g", "allow-passthrough", "on")
    nested.attach()
    nested.run(NOTIFY)
    nested.until(lambda: b"\x1b]777;notify;msgcode: alice asks;May I merge?\x1b\\" in nested.bytes)


@pytest.mark.parametrize(("passes", "terminal"), [("off", "rxvt"), ("on", "xterm-256color")])
def test_else_nothing_is_sent(nested: Nested, passes: str, terminal: str) -> None:
    nested.outer("set-option", "-g", "default-terminal", terminal)
    nested.inner("set-option", "-g", "allow-passthrough", passes)
    nested.attach()
    nested.run(NOTIFY)
    nested.shows("nothing is known of this terminal")
    assert b"alice asks" not in nested.bytes
