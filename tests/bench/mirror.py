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
from tests.bench import oh_my_msgcode
from tests.bench.progress import progress
from tests.bench.rooms import BODY, READER, SENDER
from tests.bench.row import OH_MY, OURS, Row, Target
from tests.bench.scale import Scale
from tests.foreign import race

PACES = {"one send each 100 ms": 100, "as fast as they can": 0}
"""Milliseconds after each send."""


def rows(scale: Scale) -> Iterator[Row]:
    """What is lost at each pace: by oh-my-msgcode alone, beside ours, and with `msgcode watch` there."""
    yield from _cost(scale)
    if not scale.others or not oh_my_msgcode.module():
        return
    with tempfile.TemporaryDirectory() as folder:
        for pace, pause in PACES.items():
            progress(f"4 processes of oh-my-msgcode, {pace}")
            alone = race.alone(Path(folder, f"alone-{pause}"), scale.sharing, pause)
            yield from _rows(f"{pace}, 4 of oh-my-msgcode", scale, alone)
            for watched in (False, True):
                title = f"{pace}, 2 and 2 of ours{', msgcode watch' if watched else ''}"
                progress(title)
                home = Path(folder, f"{'watched' if watched else 'shared'}-{pause}")
                beside = race.beside_ours(home, scale.sharing, pause, keeper=watched)
                yield from _rows(title, scale, beside, alone if watched else None)


def _rows(title: str, scale: Scale, found: race.Outcome, alone: race.Outcome | None = None) -> Iterator[Row]:
    runs = f"{scale.sharing:g} s"
    beside = found.ours_sent > 0
    target = Target(found.share / alone.share, most=0.2, unit=" x alone") if alone and alone.lost else None
    lost = {OH_MY: float(found.lost), **({OURS: float(found.ours_lost)} if beside else {})}
    yield Row(f"{title}: lost", "messages", lost, target=target, runs=runs)
    sent = {OH_MY: float(found.sent), **({OURS: float(found.ours_sent)} if beside else {})}
    yield Row(f"{title}: sent", "messages", sent, more_is_better=True, runs=runs)
    if beside:
        doubled = Target(found.doubled, most=0)
        yield Row(f"{title}: doubled", "messages", {OURS: float(found.doubled)}, target=doubled, runs=runs)


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
    what, runs = "send, not synced", str(scale.rounds * scale.operations)
    yield Row(f"{what}, no oh-my-msgcode ever here", "us", {OURS: statistics.median(spent[True])}, runs=runs)
    bare_journal = {OURS: statistics.median(spent[False])}
    yield Row(f"{what}, in a journal that knows nothing of its files", "us", bare_journal, runs=runs)
