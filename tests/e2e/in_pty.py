"""A command in a pseudo-terminal that a test types into, whose every byte it can look at."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from ptyprocess import PtyProcess

from msgcode.harness.terminal.screen import Followed

WAIT = 40.0
"""Seconds within which what a test waits for has to be so."""


class InPty:
    """A command in a terminal of its own, which ends with the `with` block."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], size: tuple[int, int] = (100, 24)
    ) -> None:
        columns, lines = size
        self.process = PtyProcess.spawn(list(command), env=dict(environment), dimensions=(lines, columns))
        self.bytes = b""
        self._screen = Followed(columns, lines)
        self._lock = threading.Lock()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> InPty:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.close(force=True)
        self._reader.join()

    def type(self, keys: str | bytes) -> None:
        """Press these keys."""
        os.write(self.process.fd, keys if isinstance(keys, bytes) else keys.encode())

    def resize(self, columns: int, lines: int) -> None:
        """Make the terminal another size."""
        with self._lock:
            self._screen.resize(columns, lines)
        self.process.setwinsize(lines, columns)

    def screen(self) -> str:
        """What it shows."""
        with self._lock:
            while self._screen.follow():
                pass
            return "\n".join(line.rstrip() for line in self._screen.screen().lines)

    def wait_for(self, text: str) -> None:
        """Wait until it shows the text."""
        self.wait_until(lambda: text in self.screen(), f"{text!r} never came up")

    def wait_until(self, condition: Callable[[], object], otherwise: str) -> None:
        """Wait until the condition holds."""
        deadline = time.monotonic() + WAIT
        while not condition():
            assert time.monotonic() < deadline, f"{otherwise}, on:\n{self.screen()}"
            time.sleep(0.02)

    def end(self) -> int:
        """Wait until the command has ended. Returns its exit code, negative if a signal ended it."""
        self.wait_until(lambda: not self.process.isalive(), "it never ended")
        self._reader.join()
        if self.process.signalstatus is not None:
            return -int(self.process.signalstatus)
        return int(self.process.exitstatus)

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self.process.fd, 65536)
            except OSError:
                return
            if not data:
                return
            with self._lock:
                self.bytes += data
                self._screen.write(data)
