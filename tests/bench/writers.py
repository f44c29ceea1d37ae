"""Several processes that send as fast as they can: how many a second, how fairly, how many lost."""

from __future__ import annotations

import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import NamedTuple

from tests.bench import seed
from tests.bench.table import FLOOR, OURS, SEED, SQLITE, Row, Scale, Target, medians, progress
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


def rows(scale: Scale) -> Iterator[Row]:
    """Throughput, fairness and losses, for each number of writers, with sync and without."""
    for sync in (True, False):
        contenders = [OURS, SQLITE, FLOOR]
        if scale.seed_live and not sync:
            contenders.append(SEED)  # It has no sync.
        for count in scale.writers:
            runs: dict[str, list[Run]] = defaultdict(list)
            for round in range(scale.rounds):
                progress(f"{count} writers, {'sync' if sync else 'no sync'}, {round + 1} of {scale.rounds}")
                for name in contenders:
                    run = _race(name, count, scale.seconds, sync=sync)
                    if run:
                        runs[name].append(run)
            yield from _rows(f"{count} writers, {'sync' if sync else 'no sync'}", count, runs)


def _rows(title: str, count: int, runs: dict[str, list[Run]]) -> Iterator[Row]:
    def figures(field: Callable[[Run], float]) -> dict[str, float]:
        return medians({name: list(map(field, its)) for name, its in runs.items()})

    rate = figures(lambda run: run.rate)
    target = Target(rate[OURS] / rate[SQLITE], least=1, unit=" x SQLite") if count == _CROWD else None
    yield Row(f"{title}: sends", "a second", rate, more_is_better=True, target=target)
    if count > 1:
        fairness = figures(lambda run: run.fairness)
        target = Target(fairness[OURS], least=0.6) if count == _CROWD else None
        yield Row(f"{title}: slowest over fastest", "", fairness, more_is_better=True, target=target)
    lost = {name: max(run.lost for run in its) for name, its in runs.items()}
    yield Row(f"{title}: lost", "%", lost, target=Target(lost[OURS], most=0))
    doubled = {name: max(run.doubled for run in its) for name, its in runs.items()}
    yield Row(f"{title}: doubled", "%", doubled, target=Target(doubled[OURS], most=0))


def _race(contender: str, count: int, seconds: float, *, sync: bool) -> Run | None:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        workers: list[Worker] = []
        for _ in range(count):
            worker = seed.worker(folder) if contender == SEED else python_worker(contender, folder, sync=sync)
            if not worker:
                return None
            workers.append(stack.enter_context(worker))
            worker.ask(do="open")
        at = time.time() + _HEAD_START
        for worker in workers:
            worker.tell(do="write", at=at, seconds=seconds)
        sent: list[list[str]] = [worker.answer() for worker in workers]
        return _judge(sent, _kept(contender, folder), seconds)


def _kept(contender: str, folder: str) -> list[str]:
    if contender == SEED:
        return seed.sent(folder)
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
