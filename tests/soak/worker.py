"""A process of the soak: `python -m tests.soak.worker KIND NAME ROOM OUTSIDE SEED PACE`.

It goes on until SIGTERM, whatever the room answers; what it has done is in its ledger in OUTSIDE.
"""

from __future__ import annotations

import importlib
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from msgcode import model
from tests.soak.ledger import BROKEN, Ledger

READERS = ("reader-1", "reader-2", "reader-3")
"""The agents that our deliverers serve."""

CHANNEL = "all"


class Life:
    """What a process is given: its name, its room, its clock, its chances."""

    def __init__(self, name: str, room: Path, outside: Path, seed: str, pace: float) -> None:
        self.name = name
        self.room = room
        self.outside = outside
        self.pace = pace
        """Seconds between two things that it does, on average."""
        self.random = Random(f"{seed} {name}")
        self.ledger = Ledger(outside, name)
        self.by = f"{name}.{os.getpid()}"
        """Nobody else, before or after, claims under this name."""
        self.has_ended = False
        self._skew = outside / f"{name}.skew"
        signal.signal(signal.SIGTERM, self._end)

    def _end(self, *_: object) -> None:
        self.has_ended = True

    def clock(self) -> datetime:
        """The time, as far as the faults leave it right."""
        try:
            offset = float(self._skew.read_text())
        except (OSError, ValueError):
            offset = 0
        return model.now() + timedelta(milliseconds=round(1000 * offset))

    def rest(self) -> None:
        """Wait until the next thing is to be done."""
        deadline = time.monotonic() + self.random.uniform(0, 2) * self.pace
        while not self.has_ended and time.monotonic() < deadline:
            time.sleep(min(0.05, self.pace))

    def audience(self) -> str:
        """Whom to write to."""
        return self.random.choice((*READERS, *READERS, "theirs-1", "human-1"))

    def body(self) -> str:
        """What to write."""
        word = self.random.choice(
            ("Done.", "The build is green — naïve tests too.", "line\nline\t😀", "x" * 700)
        )
        return word * self.random.choice((1, 1, 1, 1, 2, 30))


KINDS = {
    "writer": "tests.soak.writing",
    "command": "tests.soak.commanding",
    "deliverer": "tests.soak.delivering",
    "screen": "tests.soak.screens",
    "theirs": "tests.soak.theirs",
}
"""The modules whose function `live` is a process of the kind."""


def main(kind: str, name: str, room: str, outside: str, seed: str, pace: str, limit: str = "") -> None:
    """Live, and tell what went wrong that may not.

    limit: bytes that no file may grow beyond, which stands for a full disk where none can be had.
    """
    life = Life(name, Path(room), Path(outside), seed, float(pace))
    if limit:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), resource.RLIM_INFINITY))
    live: Callable[[Life], None] = importlib.import_module(KINDS[kind]).live
    try:
        live(life)
    except Exception as error:
        life.ledger.write(BROKEN, by=name, text=f"{type(error).__name__}: {error}")
        raise


if __name__ == "__main__":
    main(*sys.argv[1:])
