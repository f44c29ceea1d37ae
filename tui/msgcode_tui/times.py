"""Times and durations in words, in the local time zone and by the clock that the user reads."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from msgcode.debugger.words import duration as duration

Clock = Literal["24h", "12h"]

_clock: Clock = "24h"


def read_by(clock: Clock) -> None:
    """From now on times are those of this clock. Like the time zone it is one for the whole process."""
    global _clock
    _clock = clock


def of_day(at: datetime, *, seconds: bool = False) -> str:
    """The time of day: `21:05`, or `09:05 pm`."""
    local = at.astimezone()
    rest = f"{local:%M:%S}" if seconds else f"{local:%M}"
    if _clock == "24h":
        return f"{local:%H}:{rest}"
    return f"{local.hour % 12 or 12:02}:{rest} {'am' if local.hour < 12 else 'pm'}"


def moment(at: datetime) -> str:
    """The date and the time of day."""
    return f"{at.astimezone():%Y-%m-%d} {of_day(at, seconds=True)}"


def day(at: date, before: date | None) -> str:
    """A day as people say it, such as `Tuesday, 3 March`; with its year unless `before` was in the same."""
    year = "" if before and before.year == at.year else f" {at.year}"
    return f"{at:%A}, {at.day} {at:%B}{year}"
