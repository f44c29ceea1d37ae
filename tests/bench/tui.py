"""The TUI on a big room, from outside: a real process on a pseudo-terminal, 140 x 40.

What is timed ends when the bytes are read from the terminal. Only the event loop's stalls are measured
within.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator

from msgcode import Store
from msgcode.events import MessageSent
from tests.bench.opening import make_snapshot
from tests.bench.processes import installed_env
from tests.bench.progress import progress
from tests.bench.rooms import READER, SENDER, write_journal
from tests.bench.row import OURS, Row, Target, percentile
from tests.bench.scale import Scale
from tests.bench.terminal import PATIENCE, Terminal

SIZE, SMALLER = (140, 40), (100, 30)

ANY_MESSAGE = " → "
"""In the first line of every message."""

TO_THREAD, PAGE_UP, HOME, END = "\x12", "\x1b[5~", "\x1b[H", "\x1b[F"

_PAUSE = 0.15
"""Seconds between two things that are timed, so that each comes alone."""

_Samples = dict[str, list[float]]
"""Milliseconds from each deed until it is on the screen, by what was done."""

_DURING, _AFTER = "while the past is read", "all read"


def rows(scale: Scale) -> Iterator[Row]:
    """Everything about opening a room and using it, while its past is read and then."""
    with tempfile.TemporaryDirectory() as folder, installed_env() as env:
        room = os.path.join(folder, "room")
        progress(f"writing a room of {scale.messages:,} messages")
        waiting = scale.messages // 50
        write_journal(room, events=3 * scale.messages - 2 * waiting, live=waiting)
        make_snapshot(room)
        with Store.open(room, sync=False) as store:
            yield from _first_paint(room, store, scale, env)
            yield from _Use(room, store, scale, env, os.path.join(folder, "report")).rows()


def _first_paint(room: str, store: Store, scale: Scale, env: dict[str, str]) -> Iterator[Row]:
    command = [sys.executable, "-m", "msgcode_tui", "--store", room]
    samples = []
    rounds = min(scale.processes, 10)
    for number in range(rounds + 1):
        progress(f"first paint, {number} of {rounds}")
        text = f"The newest of round {number}."
        store.send(SENDER, READER, text)
        with Terminal(command, env, SIZE) as terminal:
            samples.append(1000 * (terminal.shown(text) - terminal.started))
    figure = statistics.median(samples[1:])  # The first one fills the caches.
    what = f"{scale.messages:,} messages: process start until the newest is on the terminal"
    yield Row(what, "ms", {OURS: figure}, target=Target(figure, most=500, unit=" ms"), runs=str(rounds))


class _Use:
    """One long use of the TUI, its focus in the thread."""

    def __init__(self, room: str, store: Store, scale: Scale, env: dict[str, str], report: str) -> None:
        self._store = store
        self._count = scale.wakes // 2
        self._report = report
        self._newest = 0
        self._title = f"{scale.messages:,} messages"
        sent = sum(isinstance(event.fact, MessageSent) for event in store.history())
        command = [sys.executable, "-m", "tests.bench.metered", room, str(sent), report]
        self._terminal = Terminal(command, env, SIZE)

    def rows(self) -> Iterator[Row]:
        """The figures."""
        with self._terminal as terminal:
            progress("use, while the past is read")
            terminal.shown(ANY_MESSAGE)
            terminal.press(TO_THREAD)
            samples: _Samples = {}
            while not samples or not os.path.exists(self._report):
                for deed in (self._append, self._scroll, self._resize):
                    deed(samples)
            yield from self._figures(_DURING, samples)
            inside = self._inside()
            yield self._row("from the start on", 1000 * inside["seconds"], _DURING)
            yield from self._stall_rows(inside, _DURING)
            yield self._memory("once the past is read")
            progress("use, all read")
            terminal.rest(1)
            samples = {}
            for deed in (self._append, self._scroll, self._resize):
                self._stall()  # What was before is not this deed's.
                for _ in range(self._count):
                    deed(samples)
                yield from self._stalls(f"{_AFTER}, {deed.__name__.strip('_')}")
            yield from self._figures(_AFTER, samples)
            yield self._ends()
            yield from self._stalls(f"{_AFTER}, to the oldest and back")
            yield self._memory("at the end")

    def _memory(self, when: str) -> Row:
        memory = self._terminal.memory()
        target = Target(memory, most=200, unit=" MB")
        return Row(f"{self._title}, {when}: memory (RSS)", "MB", {OURS: memory}, target=target, runs="1")

    def _append(self, samples: _Samples) -> None:
        samples.setdefault("append", []).append(self._arrival())

    def _scroll(self, samples: _Samples) -> None:
        pages = samples.setdefault("scroll", [])
        pages += [self._delay(lambda: self._terminal.press(PAGE_UP), ANY_MESSAGE) for _ in range(3)]
        pages.append(self._delay(lambda: self._terminal.press(END), self._newest_text))

    def _resize(self, samples: _Samples) -> None:
        resizes = samples.setdefault("resize", [])
        resizes.append(self._delay(lambda: self._terminal.resize(SMALLER), self._newest_text))
        resizes.append(self._delay(lambda: self._terminal.resize(SIZE), self._newest_text))

    def _figures(self, when: str, samples: _Samples) -> Iterator[Row]:
        arrivals, pages, resizes = samples["append"], samples["scroll"], samples["resize"]
        runs = len(arrivals)
        yield self._row("send to screen, median", statistics.median(arrivals), when, runs, 50)
        yield self._row("send to screen, 95th percentile", percentile(arrivals, 0.95), when, runs)
        for what, delays in (("page up", pages), ("resize", resizes)):
            runs = len(delays)
            yield self._row(f"{what} to screen, median", statistics.median(delays), when, runs)
            yield self._row(f"{what} to screen, worst", max(delays), when, runs, 100)

    def _ends(self) -> Row:
        delays = []
        for _ in range(3):
            delays.append(self._delay(lambda: self._terminal.press(HOME), "Number 1."))
            delays.append(self._delay(lambda: self._terminal.press(END), self._newest_text))
        return self._row("to the oldest and back, worst", max(delays), _AFTER, len(delays), 100)

    @property
    def _newest_text(self) -> str:
        return f"News item {self._newest}."

    def _arrival(self) -> float:
        self._newest += 1
        return self._delay(lambda: self._store.send(SENDER, READER, self._newest_text), self._newest_text)

    def _delay(self, act: Callable[[], object], text: str) -> float:
        """Milliseconds from the deed until the text is written."""
        self._terminal.rest(_PAUSE)
        before = time.monotonic()
        act()
        return 1000 * (self._terminal.shown(text) - before)

    def _row(self, what: str, figure: float, when: str, runs: int = 1, most: float | None = None) -> Row:
        target = Target(figure, most=most, unit=" ms") if most else None
        return Row(f"{self._title}, {when}: {what}", "ms", {OURS: figure}, target=target, runs=str(runs))

    def _stall(self) -> dict[str, float]:
        """What the meter has seen since it last said something."""
        os.unlink(self._report)
        return self._inside()

    def _stalls(self, when: str) -> Iterator[Row]:
        yield from self._stall_rows(self._stall(), when)

    def _stall_rows(self, inside: dict[str, float], when: str) -> Iterator[Row]:
        yield self._row("longest stall of the event loop", 1000 * inside["stall"], when, most=100)
        # What is more than this was other processes' doing.
        yield self._row("... most processor time in one", 1000 * inside["work"], when, most=100)

    def _inside(self) -> dict[str, float]:
        """What the meter in the event loop says, once it does."""
        deadline = time.monotonic() + PATIENCE
        while not os.path.exists(self._report):
            if time.monotonic() > deadline:
                raise TimeoutError("the meter says nothing")
            self._terminal.rest(0.05)
        with open(self._report) as file:
            found: dict[str, float] = json.load(file)
        return found
