"""Each benchmark runs at the smallest size and says what it should. What it measures then means nothing."""

from __future__ import annotations

import pytest

from tests.bench import delivery
from tests.bench.__main__ import BENCHMARKS
from tests.bench.table import FLOOR, OURS, SQLITE, Row, Scale, Target, render

SMALLEST = Scale(
    live=(0, 20), seed_live=(), operations=2, rounds=1,
    history=100, waiting=10, writers=(2,), seconds=0.05, wakes=2, processes=1, deliveries=1,
    messages=100, sharing=0.3,
)  # fmt: skip

EXPECTED = {
    "cost": "send, 20 live, no sync",
    "delivery": "send tool call to an idle recipient's model: median",
    "hooks": "hook after a tool call, nothing waits",
    "mirror": "send, no oh-my-msgcode ever here: median",
    "opening": "100 events, 10 waiting, oldest snapshot: Store.open in a fresh process",
    "processes": "whole process: python -c pass",
    "tui": "TUI, 100 messages: memory (RSS) at the end",
    "wake": "another process's send to watch: median",
    "writers": "2 writers, sync: lost",
}


@pytest.mark.parametrize("name", BENCHMARKS)
def test_prints_its_row(name: str) -> None:
    if name == "delivery" and not delivery.available():
        pytest.skip("OpenCode is not installed: npm install --global opencode-ai")
    rows = list(BENCHMARKS[name](SMALLEST))
    assert EXPECTED[name] in {row.what for row in rows}
    assert EXPECTED[name] in render(rows)
    assert all(figure >= 0 for row in rows for figure in row.figures.values())


def test_writers_lose_nothing() -> None:
    (lost,) = [row for row in BENCHMARKS["writers"](SMALLEST) if row.what == "2 writers, no sync: lost"]
    assert lost.figures == {OURS: 0, SQLITE: 0, FLOOR: 0}


def test_ratio_says_how_many_times_better() -> None:
    assert Row("time", "ms", {OURS: 2, SQLITE: 6}).ratio(SQLITE) == 3
    assert Row("rate", "/s", {OURS: 2, SQLITE: 6}, more_is_better=True).ratio(SQLITE) == 1 / 3
    assert Row("time", "ms", {OURS: 2}).ratio(SQLITE) is None


def test_target_says_whether_it_was_met() -> None:
    assert str(Target(1.2, most=1.5, unit=" x")) == "target at most 1.5 x: 1.20 x, met"
    assert str(Target(0.5, least=0.6)) == "target at least 0.6: 0.50, missed"
