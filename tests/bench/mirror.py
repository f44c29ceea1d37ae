"""One folder shared with oh-my-msgcode: what is lost there, and what it costs where that never was."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from msgcode import Store
from msgcode.journal.file import FileJournal
from msgcode.model import now
from msgcode.presence import PresenceBoard
from tests.bench import seed
from tests.bench.rooms import BODY, READER, SENDER
from tests.bench.table import OURS, SEED, Row, Scale, Target, progress
from tests.foreign import race

PACES = {"one send each 100 ms": 100, "as fast as they can": 0}
"""Milliseconds after each send."""


def rows(scale: Scale) -> Iterator[Row]:
    """What is lost at each pace: by oh-my-msgcode alone, beside ours, and with `msgcode watch` there."""
    yield from _cost(scale)
    if not scale.seed_live or not seed.module():
        return
    with tempfile.TemporaryDirectory() as folder:
        for pace, pause in PACES.items():
            progress(f"4 processes of oh-my-msgcode, {pace}")
            alone = race.alone(Path(folder, f"alone-{pause}"), scale.sharing, pause)
            yield from _rows(f"{pace}, 4 of oh-my-msgcode", alone)
            for watched in (False, True):
                title = f"{pace}, 2 and 2 of ours{', msgcode watch' if watched else ''}"
                progress(title)
                home = Path(folder, f"{'watched' if watched else 'shared'}-{pause}")
                yield from _rows(
                    title,
                    race.beside_ours(home, scale.sharing, pause, keeper=watched),
                    alone if watched else None,
                )


def _rows(title: str, found: race.Outcome, alone: race.Outcome | None = None) -> Iterator[Row]:
    beside = found.ours_sent > 0
    target = Target(found.share / alone.share, most=0.2, unit=" x alone") if alone and alone.lost else None
    lost = {SEED: float(found.lost), **({OURS: float(found.ours_lost)} if beside else {})}
    yield Row(f"{title}: lost", "messages", lost, target=target)
    sent = {SEED: float(found.sent), **({OURS: float(found.ours_sent)} if beside else {})}
    yield Row(f"{title}: sent", "messages", sent, more_is_better=True)
    if beside:
        doubled = Target(found.doubled, most=0)
        yield Row(f"{title}: doubled", "messages", {OURS: float(found.doubled)}, target=doubled)


def _cost(scale: Scale) -> Iterator[Row]:
    """One send in a folder without oh-my-msgcode's files, and in a journal that knows nothing of them."""
    progress("a send without oh-my-msgcode")
    with tempfile.TemporaryDirectory() as with_it, tempfile.TemporaryDirectory() as without:
        plain = FileJournal(without, sync=False, clock=now)
        with (
            Store.open(with_it, sync=False) as mirrored,
            Store(without, plain, PresenceBoard(without)) as bare,
        ):
            spent: dict[bool, list[float]] = defaultdict(list)
            for store in (mirrored, bare):
                store.register(SENDER)
            for _ in range(scale.rounds * scale.operations):
                for store in (mirrored, bare):
                    before = time.perf_counter()
                    store.send(SENDER, READER, BODY)
                    spent[store is mirrored].append(1e6 * (time.perf_counter() - before))
    medians = {is_mirrored: statistics.median(times) for is_mirrored, times in spent.items()}
    yield Row("send, no oh-my-msgcode ever here: median", "us", {OURS: medians[True]})
    yield Row("the same in a journal without the mirror: median", "us", {OURS: medians[False]})
