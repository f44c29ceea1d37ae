"""How busy agents have been."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from msgcode.model import Delivery, Message, Status
from msgcode_tui.activity import MINUTES, Traffic, sparkline

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def sent(minute: float, to: str = "bob") -> Message:
    at = START + timedelta(minutes=minute)
    return Message("m", 1, "alice", "x", at, {to: Delivery(Status.QUEUED, at)})


def test_counts_by_minute_and_agent() -> None:
    traffic = Traffic()
    for minute in (0, 0.5, 3, 9):
        traffic.add(sent(minute))
    traffic.add(sent(9, to="alice"))
    at = START + timedelta(minutes=9)
    assert traffic.of("bob", at) == (2, 0, 0, 1, 0, 0, 0, 0, 0, 1)
    assert traffic.of("alice", at) == (2, 0, 0, 1, 0, 0, 0, 0, 0, 2)
    assert traffic.of("carol", at) == (0,) * MINUTES


def test_the_clock_moves_on() -> None:
    traffic = Traffic()
    traffic.add(sent(0))
    assert traffic.of("bob", START + timedelta(minutes=1))[-2:] == (1, 0)
    assert not any(traffic.of("bob", START + timedelta(minutes=MINUTES)))


def test_what_is_long_past_is_forgotten() -> None:
    traffic = Traffic()
    for minute in range(5000):
        traffic.add(sent(minute))
    assert len(traffic._counts["bob"]) <= 2 * MINUTES
    assert traffic.of("bob", START + timedelta(minutes=4999)) == (1,) * MINUTES


def test_bars() -> None:
    assert sparkline((0,) * 10) == ""
    assert sparkline((0, 1, 0, 0, 0, 0, 0, 0, 0, 7)) == "▁▂▁▁▁▁▁▁▁█"
    assert sparkline((0, 1, 0, 0, 0, 0, 0, 0, 0, 700)) == "▁▂▁▁▁▁▁▁▁█"
    assert sparkline((0, 1, 0, 0, 0, 0, 0, 0, 3, 4), 5) == "▂▁▁▁█"
