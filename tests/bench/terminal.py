"""A program on a terminal of its own, and when it wrote what."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time

PATIENCE = 60.0
"""Seconds within which a program must write what is waited for."""


class Terminal:
    """A command on a pseudo-terminal of so many columns and lines. A context manager that ends it.

    Nobody answers what the command asks the terminal.
    """

    def __init__(self, command: list[str], env: dict[str, str], size: tuple[int, int]) -> None:
        self._descriptor, theirs = pty.openpty()
        self._set_size(size)
        environment = {name: value for name, value in env.items() if name not in ("COLUMNS", "LINES")}
        environment |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self.started = time.monotonic()
        """When the command was started, on the monotonic clock."""
        self._process = subprocess.Popen(
            command, env=environment, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
        )
        os.close(theirs)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._descriptor)

    def _set_size(self, size: tuple[int, int]) -> None:
        columns, lines = size
        fcntl.ioctl(self._descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def resize(self, size: tuple[int, int]) -> None:
        """Make it so many columns and lines."""
        self._set_size(size)
        self._process.send_signal(signal.SIGWINCH)

    def press(self, keys: str) -> None:
        """Send what these keys send."""
        os.write(self._descriptor, keys.encode())

    def rest(self, seconds: float) -> None:
        """Go on reading for so long."""
        deadline = time.monotonic() + seconds
        self._read(0)
        while (left := deadline - time.monotonic()) > 0:
            self._read(left)

    def shown(self, text: str) -> float:
        """Wait until the text is written; returns when it was, on the monotonic clock."""
        deadline = time.monotonic() + PATIENCE
        wanted, written = text.encode(), b""
        while wanted not in written:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{text!r} was not written")
            written += self._read(1)
        return time.monotonic()

    def _read(self, wait: float) -> bytes:
        ready, _, _ = select.select([self._descriptor], [], [], wait)
        return os.read(self._descriptor, 1 << 16) if ready else b""

    def memory(self) -> float:
        """Megabytes that the process has in memory."""
        command = ["ps", "-o", "rss=", "-p", str(self._process.pid)]
        return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout) / 1024
