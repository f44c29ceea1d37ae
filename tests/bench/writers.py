"""Several processes that send as fast as they can: how many a second, how fairly, how many lost."""

from __future__ import annotations

import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import NamedTuple

from tests.bench import oh_my_msgcode
from tests.bench.progress import progress
from tests.bench.rooms import DURABILITY
from tests.bench.row import FLOOR, OH_MY, OURS, SQLITE, Row, Target, medians
from tests.bench.scale import Scale
from tests.bench.worker import ROOMS, Worker, python_worker

_HEAD_START = 0.1
"""Seconds from the word until all begin, in which the word reaches everybody."""

_CROWD = 8
"""The number of writers that the targets are about."""


class Run(NamedTuple):
    """What one run of several writers came to."""

    rate: float
    """Sends a second, by all together."""
    fairness: float
    """The slowest writer's sends over the fastest's."""
    lost: float
    """Percent of the messages sent that the store does not have."""
    doubled: float
    """Percent of the messages sent that the store has more than once."""


def title(writers: int, *, sync: bool) -> str:
    """What the rates are measured of."""
    return f"{_who(writers, sync=sync)}: sends"


def lost(writers: int, *, sync: bool) -> str:
    """What the losses are measured of."""
    return f"{_who(writers, sync=sync)}: lost in the worst run"


def _who(writers: int, *, sync: bool) -> str:
    return f"{writers} writer{'s' * (writers > 1)}, {DURABILITY[sync]}"


def rows(scale: Scale) -> Iterator[Row]:
    """Throughput, fairness and losses, for each number of writers, with sync and without."""
    for sync in (True, False):
        contenders = [OURS, SQLITE, FLOOR]
        if scale.others and not sync and oh_my_msgcode.module():
            contenders.append(OH_MY)  # It has no sync.
        for count in scale.writers:
            runs: dict[str, list[Run]] = defaultdict(list)
            for round in range(scale.rounds):
                progress(f"{title(count, sync=sync)}, {round + 1} of {scale.rounds}")
                for name in contenders:
                    runs[name].append(_race(name, count, scale.seconds, sync=sync))
            yield from _rows(count, runs, f"{scale.rounds} x {scale.seconds:g} s", sync=sync)


def _rows(count: int, runs: dict[str, list[Run]], times: str, *, sync: bool) -> Iterator[Row]:
    def figures(field: Callable[[Run], float]) -> dict[str, float]:
        return medians({name: list(map(field, its)) for name, its in runs.items()})

    what, crowd = _who(count, sync=sync), count == _CROWD
    rate = figures(lambda run: run.rate)
    target = Target(rate[OURS] / rate[SQLITE], least=1, unit=" x SQLite") if crowd else None
    yield Row(title(count, sync=sync), "a second", rate, more_is_better=True, target=target, runs=times)
    if count > 1:
        fairness = figures(lambda run: run.fairness)
        target = Target(fairness[OURS], least=0.6) if crowd else None
        fair = f"{what}: the slowest's sends over the fastest's"
        yield Row(fair, "", fairness, more_is_better=True, target=target, runs=times)
    missing = {name: max(run.lost for run in its) for name, its in runs.items()}
    none = Target(missing[OURS], most=0, unit=" %")
    yield Row(lost(count, sync=sync), "%", missing, target=none, runs=times)
    doubled = {name: max(run.doubled for run in its) for name, its in runs.items()}
    none = Target(doubled[OURS], most=0, unit=" %")
    yield Row(f"{what}: doubled in the worst run", "%", doubled, target=none, runs=times)


def _race(contender: str, count: int, seconds: float, *, sync: bool) -> Run:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        workers: list[Worker] = []
        for _ in range(count):
            worker = (
                oh_my_msgcode.worker(folder)
                if contender == OH_MY
                else python_worker(contender, folder, sync=sync)
            )
            assert worker
            workers.append(stack.enter_context(worker))
        for worker in workers:
            worker.ask(do="open")
        at = time.time() + _HEAD_START
        for worker in workers:
            worker.tell(do="write", at=at, seconds=seconds)
        sent: list[list[str]] = [worker.answer() for worker in workers]
        return _judge(sent, _kept(contender, folder), seconds)


def _kept(contender: str, folder: str) -> list[str]:
    if contender == OH_MY:
        return oh_my_msgcode.sent(folder)
    room = ROOMS[contender](folder, sync=False)
    try:
        return room.sent(0)
    finally:
        room.close()


def _judge(sent: list[list[str]], kept: list[str], seconds: float) -> Run:
    counts = [len(ids) for ids in sent]
    total = sum(counts)
    present = set(kept)
    return Run(
        rate=total / seconds,
        fairness=min(counts) / max(counts),
        lost=100 * sum(id not in present for ids in sent for id in ids) / total,
        doubled=100 * (len(kept) - len(present)) / total,
    )
