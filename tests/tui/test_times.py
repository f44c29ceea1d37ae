"""Times in words."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from msgcode_tui import times


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "0.0 s"),
        (0.04, "0.0 s"),
        (4.26, "4.3 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (250, "4 min 10 s"),
        (3600, "1 h"),
        (7265, "2 h 1 min"),
        (3605, "1 h"),
        (86400 * 3 + 7200, "3 d 2 h"),
    ],
)
def test_durations(seconds: float, words: str) -> None:
    assert times.duration(timedelta(seconds=seconds)) == words


def test_a_day_says_its_year_where_it_is_not_that_of_the_day_before() -> None:
    assert times.day(date(2026, 3, 3), None) == "Tuesday, 3 March 2026"
    assert times.day(date(2026, 3, 3), date(2026, 3, 2)) == "Tuesday, 3 March"
    assert times.day(date(2027, 1, 1), date(2026, 12, 31)) == "Friday, 1 January 2027"


@pytest.mark.parametrize(
    ("hour", "by_24", "by_12"),
    [
        (0, "00:05", "12:05 am"),
        (9, "09:05", "09:05 am"),
        (12, "12:05", "12:05 pm"),
        (21, "21:05", "09:05 pm"),
    ],
)
def test_the_time_of_day(hour: int, by_24: str, by_12: str) -> None:
    at = datetime(2026, 3, 2, hour, 5, 7, tzinfo=UTC)
    assert times.of_day(at) == by_24
    assert times.moment(at) == f"2026-03-02 {by_24}:07"
    times.read_by("12h")
    assert times.of_day(at) == by_12
    assert times.moment(at) == f"2026-03-02 {by_12[:5]}:07{by_12[5:]}"
