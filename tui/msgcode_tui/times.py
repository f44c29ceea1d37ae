"""Times and durations in words, in the local time zone. Pure."""

from __future__ import annotations

from datetime import date, datetime

from msgcode.debugger.words import duration as duration


def moment(at: datetime) -> str:
    """The date and the time of day."""
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S}"


def day(at: date, before: date | None) -> str:
    """A day as people say it, such as `Tuesday, 3 March`; with its year unless `before` was in the same."""
    year = "" if before and before.year == at.year else f" {at.year}"
    return f"{at:%A}, {at.day} {at:%B}{year}"
