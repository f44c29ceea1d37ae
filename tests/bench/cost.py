"""One operation in a process that stays, at growing numbers of waiting messages."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from tests.bench import seed
from tests.bench.rooms import IDLER, READER, SENDER, FloorRoom, MsgcodeRoom, Room, SqliteRoom, write_journal
from tests.bench.table import FLOOR, OURS, SEED, SQLITE, Row, Scale, Target, medians, progress

OPERATIONS = ("send", "check", "acknowledge", "check an empty inbox")

SEED_OPERATIONS = 10
"""As many in a batch are enough where one takes up to half a second."""

Batch = Callable[[int], dict[str, float]]
"""Does each operation so many times; returns the mean microseconds of each."""


def rows(scale: Scale) -> Iterator[Row]:
    """What each operation costs at each size, with sync and without."""
    for sync in (True, False):
        figures = _measure(scale, sync=sync)
        smallest, biggest = min(scale.live), max(scale.live)
        for operation in OPERATIONS:
            for live in scale.live:
                target = None
                if operation == "send" and live == biggest:
                    growth = figures[operation, biggest][OURS] / figures[operation, smallest][OURS]
                    target = Target(growth, most=1.5, unit=f" x at {smallest:,} live")
                title = f"{operation}, {live:,} live, {'sync' if sync else 'no sync'}"
                yield Row(title, "us", figures[operation, live], target=target)


def _measure(scale: Scale, *, sync: bool) -> dict[tuple[str, int], dict[str, float]]:
    """For each operation at each size, the figure of each contender; all stores are open at once."""
    samples: dict[tuple[str, int], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        batches: list[tuple[int, str, Batch]] = []
        for live in scale.live:
            progress(f"stores with {live:,} live messages, {'sync' if sync else 'no sync'}")
            home = os.path.join(folder, str(live))
            os.mkdir(home)
            batches += [(live, *contender) for contender in _contenders(home, live, sync, stack).items()]
            if live in scale.seed_live and not sync and (driver := _seed(home, live, stack)):
                batches.append((live, SEED, driver))  # It has no sync.
        for round in range(1 + scale.rounds):
            progress(f"single operations, {round} of {scale.rounds}")
            for live, name, batch in batches:
                for operation, figure in batch(scale.operations).items():
                    if round:  # The first one warms up.
                        samples[operation, live][name].append(figure)
    return {key: medians(by_contender) for key, by_contender in samples.items()}


def _seed(home: str, live: int, stack: ExitStack) -> Batch | None:
    worker = seed.worker(os.path.join(home, "seed"))
    if not worker:
        return None
    stack.enter_context(worker)
    worker.ask(do="fill", live=live)
    return lambda count: dict(worker.ask(do="batch", count=min(count, SEED_OPERATIONS)))


def _contenders(folder: str, live: int, sync: bool, stack: ExitStack) -> dict[str, Batch]:
    ours, sqlite, floor = (os.path.join(folder, name) for name in ("msgcode", "sqlite", "floor"))
    if live:
        write_journal(ours, events=live, live=live)
    sqlite_room = SqliteRoom(sqlite, sync=sync)
    sqlite_room.fill(live)
    floor_room = FloorRoom(floor, sync=sync)
    msgcode_room = MsgcodeRoom(ours, sync=sync)
    for room in (msgcode_room, sqlite_room, floor_room):
        stack.callback(room.close)
    return {
        OURS: lambda count: _batch(msgcode_room, count),
        SQLITE: lambda count: _batch(sqlite_room, count),
        FLOOR: lambda count: {"send": _mean(lambda: floor_room.send(SENDER, READER), count)},
    }


def _batch(room: Room, count: int) -> dict[str, float]:
    spent: dict[str, list[float]] = {name: [] for name in OPERATIONS}
    for _ in range(count):
        start = time.perf_counter()
        id = room.send(SENDER, READER)
        sent = time.perf_counter()
        found = room.check(READER)
        checked = time.perf_counter()
        room.acknowledge(READER, id)
        acknowledged = time.perf_counter()
        nothing = room.check(IDLER)
        looked = time.perf_counter()
        assert (found, nothing) == (1, 0)
        moments = (start, sent, checked, acknowledged, looked)
        for name, before, after in zip(OPERATIONS, moments, moments[1:], strict=False):
            spent[name].append(after - before)
    return {name: 1e6 * statistics.fmean(values) for name, values in spent.items()}


def _mean(operation: Callable[[], object], count: int) -> float:
    start = time.perf_counter()
    for _ in range(count):
        operation()
    return 1e6 * (time.perf_counter() - start) / count
