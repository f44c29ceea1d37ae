"""What a planned fault does, and how it is undone."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgcode.errors import Unavailable
from msgcode.journal.lock import Lock
from msgcode.journal.reader import segment_numbers, segment_path
from tests.soak.crew import Crew
from tests.soak.ledger import CUT as CUT_AWAY
from tests.soak.ledger import Ledger
from tests.soak.plan import CUT, FILL, KILL, PAUSE, POWER, SKEW, TEAR, Fault

Undo = Callable[[], None]

_BLOCK = 4096

_LIMIT = 64 * 1024
"""Bytes that no file of a process may grow beyond, where the disk cannot be filled."""


class Faults:
    """Does what is planned. is_disk: the room has a small file system of its own, which may be filled."""

    def __init__(self, crew: Crew, room: Path, outside: Path, *, is_disk: bool) -> None:
        self._crew = crew
        self._room = room
        self._outside = outside
        self._is_disk = is_disk
        self._ledger = Ledger(outside, "faults")

    def do(self, fault: Fault) -> Undo | None:
        """Do it. Returns what undoes it, or None if there was nothing to do it to."""
        crew, who = self._crew, fault.who
        if fault.kind == KILL:
            return (lambda: crew.start(who)) if crew.kill(who) else None
        if fault.kind == PAUSE:
            return (lambda: crew.resume(who)) if crew.pause(who) else None
        if fault.kind == SKEW:
            skew = self._outside / f"{who}.skew"
            _put(skew, str(fault.amount))
            return lambda: _put(skew, "0")
        if fault.kind == FILL:
            return self._fill(int(fault.amount))
        if fault.kind == CUT:
            return _nothing if self._cut(who, fault.amount) else None
        if fault.kind == TEAR:
            return _nothing if self._tear(fault.amount) else None
        assert fault.kind == POWER
        return self._power_cut(fault.amount)

    def _power_cut(self, amount: float) -> Undo:
        running = self._crew.kill_all()
        self._tear(amount)

        def start() -> None:
            for name in running:
                self._crew.start(name)

        return start

    def _fill(self, left: int) -> Undo | None:
        if not self._is_disk:
            return self._limit()
        filler = self._room.parent / "filler"
        with open(filler, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(64 * _BLOCK))
            except OSError:
                pass
        os.truncate(filler, max(0, filler.stat().st_size // _BLOCK - left) * _BLOCK)
        return lambda: filler.unlink(missing_ok=True)

    def _limit(self) -> Undo:
        """Instead of a full disk: files that may not grow."""
        limited = [name for name, kind in self._crew.members.items() if kind in ("writer", "deliverer")]

        def start(limit: int | None) -> None:
            for name in limited:
                self._crew.kill(name)
                self._crew.start(name, limit)

        start(_LIMIT)
        return lambda: start(None)

    def _cut(self, name: str, share: float) -> bool:
        path = self._room / name
        done = False
        for file in [path] if path.is_file() else [*path.glob("*.json")]:
            try:
                os.truncate(file, int(file.stat().st_size * share))
                done = True
            except FileNotFoundError:
                pass  # It is just being replaced.
        return done

    def _tear(self, amount: float) -> bool:
        """Cut the journal's end within a line, as a machine that goes down may, and take note of what goes.

        Nobody writes meanwhile, as nobody could.
        """
        journal = str(self._room / "journal")
        try:
            with Lock(str(self._room)):
                numbers = segment_numbers(journal)
                if not numbers:
                    return False
                path = segment_path(journal, numbers[-1])
                data = Path(path).read_bytes()
                stays, gone = torn(data, amount)
                for fact in gone:
                    for agent in [fact["agent"]] if "agent" in fact else fact.get("to", []):
                        self._ledger.write(CUT_AWAY, str(fact.get("id", "")), agent, text=fact["type"])
                os.truncate(path, stays)
                return stays < len(data)
        except Unavailable:
            return False  # A paused process has the lock.


def torn(data: bytes, amount: float) -> tuple[int, list[dict[str, Any]]]:
    """How many bytes of a segment stay, and the events that go, when its end is cut within a line.

    amount: lines that go; the fraction says how much of the first of these stays. The lines before it that
    are of the same change go with it, because a change counts whole or not at all.
    """
    lines = data.splitlines(keepends=True)
    first = len(lines) - 1 - min(int(amount), len(lines) - 1)
    if first < 0 or not data.endswith(b"\n"):
        return len(data), []
    stays = sum(map(len, lines[:first])) + 1 + int((len(lines[first]) - 2) * (amount % 1))
    while first and json.loads(lines[first - 1]).get("more"):
        first -= 1
    return stays, [json.loads(line) for line in lines[first:]]


def _put(path: Path, text: str) -> None:
    beside = path.with_suffix(".new")
    beside.write_text(text)
    beside.replace(path)


def _nothing() -> None:
    pass
