"""`msgcode-tui` on a terminal of its own, and somebody who presses its keys."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time

from tests.soak.crew import up
from tests.soak.ledger import BROKEN
from tests.soak.worker import Life

_DOWN, _ENTER, _ESCAPE, _QUIT = "\x1b[B", "\r", "\x1b", "\x11"

_DEEDS = (
    # Write to a room, acknowledge, freeze and step and release, discard, ask why, travel in time.
    (_DOWN, _ENTER, "Please go on.", _ENTER, _ESCAPE),
    (_DOWN, _DOWN, _ENTER, "Which of the two?\r", _ESCAPE),
    ("k", "k", "x"),
    ("F", "s", "s", "F"),
    ("F", "F"),
    ("k", "d", "y"),
    ("w", _ESCAPE),
    ("T", ",", ",", _ESCAPE),
    ("k", "k", "k", "G"),
)

_ENDS_WITHIN = 40.0
"""Seconds within which it has to end when it is asked to, on a machine with much else to do."""


def live(life: Life) -> None:
    """Use the room by its keys until it has ended."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (40, 120))
    command = [sys.executable, "-m", "msgcode_tui", "--store", str(life.room), "--as", life.name]
    environment = {**os.environ, "TERM": "xterm-256color", "PYTHONFAULTHANDLER": "1"}
    # Not in a session of its own, so that what is done to this process is done to it.
    screen = subprocess.Popen(command, env=environment, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    seen = ""
    while not life.has_ended and screen.poll() is None and "you are" not in seen:
        seen += _read(ours, 0.2)
    up(life.outside, life.name).touch()
    while not life.has_ended and screen.poll() is None:
        for keys in (*life.random.choice(_DEEDS), _ESCAPE):
            if not life.has_ended and screen.poll() is None:
                os.write(ours, keys.encode())
                seen = (seen + _read(ours, life.random.uniform(0.1, 0.6)))[-100_000:]
    deadline = time.monotonic() + _ENDS_WITHIN
    while screen.poll() is None and time.monotonic() < deadline:
        # Again and again: what comes before it listens, the terminal swallows.
        for keys in (_ESCAPE, _QUIT):
            os.write(ours, keys.encode())
            seen += _read(ours, 0.5)
    if screen.poll() is None:
        screen.send_signal(signal.SIGABRT)  # So that it says where it is.
        seen += _read(ours, 1)
    if screen.wait():
        life.ledger.write(BROKEN, by=life.name, text=f"msgcode-tui ended with {screen.returncode}")
        sys.stderr.write(seen)


def _read(terminal: int, seconds: float) -> str:
    """What it writes within so many seconds."""
    deadline, read = time.monotonic() + seconds, b""
    while (left := deadline - time.monotonic()) > 0:
        if select.select([terminal], [], [], left)[0]:
            try:
                read += os.read(terminal, 1 << 16)
            except OSError:  # On Linux, the end.
                break
    return read.decode(errors="replace")
