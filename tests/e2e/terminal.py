"""A terminal that a test types into and reads: tmux, on a server of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

WAIT = 40.0
"""Seconds within which the screen has to show what a test waits for."""

AGAIN = 0.5
"""Seconds between two tries to press a key that a program may not hear yet."""

needs_tmux = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")


class Terminal:
    """A terminal in which a command runs.

    `command` goes through the shell: say `exec` where `pid` has to be the program's own. `environment` is
    the whole of what the program sees, and the test's own if None, but for what tmux adds (TERM, TMUX).
    """

    def __init__(
        self,
        command: str,
        *,
        size: tuple[int, int] = (120, 40),
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._tmux = ["tmux", "-L", f"msgcode-{os.getpid()}-{time.monotonic_ns()}", "-f", os.devnull]
        self._environment = environment
        columns, lines = map(str, size)
        place = [] if folder is None else ["-c", str(folder)]
        self._run("new-session", "-d", "-x", columns, "-y", lines, *place, command)

    def screen(self) -> str:
        """What it shows."""
        return self._run("capture-pane", "-p")

    def type(self, *keys: str) -> None:
        """Press these keys."""
        self._run("send-keys", *keys)

    def paste(self, text: str) -> None:
        """Paste the text at once, in brackets where the program asked for them."""
        self._run("load-buffer", "-b", "pasted", "-", given=text)
        self._run("paste-buffer", "-p", "-d", "-b", "pasted")

    def press(self, key: str, until: Callable[[], object]) -> None:
        """Press the key, and again each AGAIN, until the condition holds: what has just come up may not
        listen yet."""
        deadline = time.monotonic() + WAIT
        while not until():
            assert time.monotonic() < deadline, f"{key} did nothing, on:\n{self.screen()}"
            self.type(key)
            again = time.monotonic() + AGAIN
            while not until() and time.monotonic() < again:
                time.sleep(0.05)

    def wait_for(self, text: str) -> None:
        """Wait until it shows the text."""
        self.wait_until(lambda: text in self.screen(), f"{text!r} never came up")

    def wait_until(self, condition: Callable[[], object], otherwise: str) -> None:
        """Wait until the condition holds."""
        deadline = time.monotonic() + WAIT
        while not condition():
            assert time.monotonic() < deadline, f"{otherwise}, on:\n{self.screen()}"
            time.sleep(0.05)  # Each look starts a process, on the cores that the program needs.

    def on_bell(self, command: str) -> None:
        """Run the command in a shell whenever it rings."""
        self._run("set-option", "-g", "bell-action", "any")
        self._run("set-hook", "-g", "alert-bell", f"run-shell '{command}'")

    def pid(self) -> int:
        """The process that runs in it."""
        return int(self._run("display-message", "-p", "#{pane_pid}"))

    @contextmanager
    def stopped(self) -> Iterator[int]:
        """The process that runs in it does nothing meanwhile; gives its id. Nor does tmux, as that has what
        is stopped in a pane go on at once: nothing else can be asked of the terminal."""
        pid, server = self.pid(), int(self._run("display-message", "-p", "#{pid}"))
        os.kill(server, signal.SIGSTOP)
        try:
            os.kill(pid, signal.SIGSTOP)
            yield pid
        finally:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
            os.kill(server, signal.SIGCONT)

    @property
    def socket(self) -> str:
        """Where tmux's server listens."""
        return self._run("display-message", "-p", "#{socket_path}").strip()

    def runs(self) -> bool:
        """Whether the command has not ended yet; tmux's server ends with it."""
        return self._tmux_does("has-session").returncode == 0

    def close(self) -> None:
        """End it and whatever runs in it."""
        self._tmux_does("kill-server")

    def _run(self, *words: str, given: str | None = None) -> str:
        done = self._tmux_does(*words, given=given)
        done.check_returncode()
        return done.stdout

    def _tmux_does(self, *words: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
        # The environment also says where tmux's sockets are.
        return subprocess.run(
            [*self._tmux, *words],
            env=self._environment,
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )
