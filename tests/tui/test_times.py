"""Times in words."""

from __future__ import annotations

from datetime import date, timedelta

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
