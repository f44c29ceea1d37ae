"""One operation in a process that stays, at growing numbers of waiting messages: the mean of a batch."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from tests.bench import oh_my_msgcode
from tests.bench.progress import progress
from tests.bench.rooms import (
    DURABILITY,
    IDLER,
    READER,
    SENDER,
    FloorRoom,
    MsgcodeRoom,
    Room,
    SqliteRoom,
    write_journal,
)
from tests.bench.row import FLOOR, OH_MY, OURS, SQLITE, Row, Target, medians
from tests.bench.scale import Scale

OPERATIONS = ("send", "check", "acknowledge", "check an empty inbox")

OH_MY_OPERATIONS = 5
"""As many in a batch are enough where one takes up to half a second."""

Batch = Callable[[int], dict[str, float]]
"""Does each operation so many times; returns the mean microseconds of each."""


def title(operation: str, waiting: int, *, sync: bool) -> str:
    """What is measured."""
    return f"{operation}, {waiting:,} waiting, {DURABILITY[sync]}"


def rows(scale: Scale) -> Iterator[Row]:
    """What each operation costs at each size, with sync and without."""
    with tempfile.TemporaryDirectory() as folder:
        homes = {waiting: os.path.join(folder, str(waiting)) for waiting in scale.waiting}
        for waiting, home in homes.items():
            progress(f"writing rooms with {waiting:,} waiting messages")
            _fill(home, waiting)
        for sync in (True, False):
            yield from _rows(scale, _measure(scale, homes, sync=sync), sync=sync)


def _rows(scale: Scale, figures: dict[tuple[str, int], dict[str, float]], *, sync: bool) -> Iterator[Row]:
    smallest, biggest = min(scale.waiting), max(scale.waiting)
    for operation in OPERATIONS:
        for waiting in scale.waiting:
            found, target = figures[operation, waiting], None
            if operation == "send" and waiting == biggest:
                growth = found[OURS] / figures[operation, smallest][OURS]
                target = Target(growth, most=1.5, unit=f" x at {smallest:,}")
            runs = f"{scale.rounds} x {scale.operations}"
            if OH_MY in found:
                runs += f" ({OH_MY}: {scale.rounds} x {OH_MY_OPERATIONS})"
            yield Row(title(operation, waiting, sync=sync), "us", found, target=target, runs=runs)


def _fill(home: str, waiting: int) -> None:
    ours, sqlite = _folders(home)
    os.makedirs(home)
    if waiting:
        write_journal(ours, events=waiting, live=waiting)
    room = SqliteRoom(sqlite, sync=False)
    room.fill(waiting)
    room.close()


def _folders(home: str) -> tuple[str, str]:
    return os.path.join(home, "msgcode"), os.path.join(home, "sqlite")


def _measure(scale: Scale, homes: dict[int, str], *, sync: bool) -> dict[tuple[str, int], dict[str, float]]:
    """For each operation at each size, the figure of each contender; all rooms are open at once."""
    samples: dict[tuple[str, int], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    with ExitStack() as stack:
        batches: list[tuple[int, str, Batch]] = []
        for waiting, home in homes.items():
            batches += [(waiting, *contender) for contender in _contenders(home, sync, stack).items()]
            # oh-my-msgcode has no sync.
            if scale.others and not sync and (driver := _oh_my_msgcode(home, waiting, stack)):
                batches.append((waiting, OH_MY, driver))
        for round in range(1 + scale.rounds):
            progress(f"single operations, {DURABILITY[sync]}, {round} of {scale.rounds}")
            for waiting, name, batch in batches:
                for operation, figure in batch(scale.operations).items():
                    if round:  # The first one warms up.
                        samples[operation, waiting][name].append(figure)
    return {key: medians(by_contender) for key, by_contender in samples.items()}


def _oh_my_msgcode(home: str, waiting: int, stack: ExitStack) -> Batch | None:
    worker = oh_my_msgcode.worker(os.path.join(home, "oh-my-msgcode"))
    if not worker:
        return None
    stack.enter_context(worker)
    worker.ask(do="fill", live=waiting)
    return lambda count: dict(worker.ask(do="batch", count=min(count, OH_MY_OPERATIONS)))


def _contenders(home: str, sync: bool, stack: ExitStack) -> dict[str, Batch]:
    ours, sqlite = _folders(home)
    msgcode_room = MsgcodeRoom(ours, sync=sync)
    sqlite_room = SqliteRoom(sqlite, sync=sync)
    floor_room = FloorRoom(os.path.join(home, "floor"), sync=sync)
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
