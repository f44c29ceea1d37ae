"""A fresh process opens a store with a long history, and looks at a point of its past."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from msgcode.journal import snapshot
from tests.bench.processes import installed_env
from tests.bench.progress import progress
from tests.bench.rooms import READER, SENDER, MsgcodeRoom, write_journal
from tests.bench.row import OURS, Row, Target
from tests.bench.scale import Scale

_OPEN = """
import sys, time
from msgcode import Store
before = time.perf_counter()
store = Store.open(sys.argv[1])
print(1000 * (time.perf_counter() - before), len(store.messages()))
"""

_BACK = """
import sys, time
from msgcode import Store
store = Store.open(sys.argv[1])
newest = store.recent(0).position.seq
before = time.perf_counter()
past = store.at(newest - int(sys.argv[2]))
opened = time.perf_counter()
timeline = store.timeline()
timeline.go(newest - int(sys.argv[2]))
gone = time.perf_counter()
timeline.step(-1)
print(1000 * (opened - before), 1000 * (gone - opened), 1000 * (time.perf_counter() - gone))
"""

_INSIDE, _WHOLE = "Store.open in a fresh process", "the whole process over a bare one"


def rows(scale: Scale) -> Iterator[Row]:
    """Right after a snapshot was written, and at the worst moment, right before the next is."""
    with tempfile.TemporaryDirectory() as folder, installed_env() as env:
        progress(f"writing a history of {scale.history:,} events")
        write_journal(folder, events=scale.history, live=scale.backlog)
        make_snapshot(folder)
        yield from _rows("new snapshot", folder, scale, env)
        _age_snapshot(folder)
        yield from _rows("oldest snapshot", folder, scale, env)
        yield from _past_rows(scale, env)


def _past_rows(scale: Scale, env: dict[str, str]) -> Iterator[Row]:
    """Half-way back in a history of its own, of at most 200,000 events."""
    events = min(scale.history, 200_000)
    with tempfile.TemporaryDirectory() as folder:
        progress(f"looking at the past of {events:,} events")
        write_journal(folder, events=events, live=scale.backlog)
        make_snapshot(folder)
        command = [sys.executable, "-c", _BACK, folder, str(events // 2)]
        runs = []
        for _ in range(scale.rounds + 1):
            printed = subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout
            runs.append([float(figure) for figure in printed.split()])
    names = ("Store.at", "a timeline, and going there", "a step back from there")
    for what, most, samples in zip(names, (1000, 1000, 50), zip(*runs[1:], strict=True), strict=True):
        figure = statistics.median(samples)
        title = f"{events:,} events, {scale.backlog:,} waiting, {events // 2:,} events back: {what}"
        yield _row(title, figure, most, len(samples))


def _rows(moment: str, folder: str, scale: Scale, env: dict[str, str]) -> Iterator[Row]:
    progress(f"opening it, {moment}")
    for what, samples in _measure(folder, scale, env).items():
        figure = statistics.median(samples)
        title = f"{scale.history:,} events, {scale.backlog:,} waiting, {moment}: {what}"
        yield _row(title, figure, 50, len(samples))


def _row(title: str, figure: float, most: float, runs: int) -> Row:
    return Row(title, "ms", {OURS: figure}, target=Target(figure, most=most, unit=" ms"), runs=str(runs))


def _measure(folder: str, scale: Scale, env: dict[str, str]) -> dict[str, list[float]]:
    samples = defaultdict(list)
    for _ in range(scale.processes + 1):
        before = time.perf_counter()
        subprocess.run([sys.executable, "-c", "pass"], env=env, check=True)
        between = time.perf_counter()
        command = [sys.executable, "-c", _OPEN, folder]
        printed = subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout
        after = time.perf_counter()
        inside, waiting = printed.split()
        assert int(waiting) == scale.backlog
        samples[_INSIDE].append(float(inside))
        samples[_WHOLE].append(1000 * ((after - between) - (between - before)))
    return {what: figures[1:] for what, figures in samples.items()}  # The first one fills the caches.


def make_snapshot(folder: str) -> bytes:
    """Work in the room until a new snapshot has been written; returns the one before it, or nothing."""
    path = os.path.join(folder, "journal", snapshot.NAME)
    before, signature = (Path(path).read_bytes(), _signature(path)) if os.path.exists(path) else (b"", None)
    deadline = time.monotonic() + 60
    with closing(MsgcodeRoom(folder, sync=False)) as room:
        while _signature(path) == signature:
            if time.monotonic() > deadline:
                raise TimeoutError("no snapshot was written")
            room.acknowledge(READER, room.send(SENDER, READER))
    return before


def _age_snapshot(folder: str) -> None:
    """Bring back the moment before a snapshot was written, when the last one was as old as it can be."""
    before = make_snapshot(folder)
    Path(folder, "journal", snapshot.NAME).write_bytes(before)


def _signature(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns
