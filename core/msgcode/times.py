"""Times as people write them: `09:30`, `2030-01-31`, `2030-01-31T09:30`, or an age such as `2h`."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from msgcode.errors import BadInput

_AGE = re.compile(r"(\d{1,6})([smhdw])", re.ASCII)
_TIME = re.compile(r"\d{1,2}:\d{2}", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_time(value: str, now: datetime) -> datetime:
    """The time that somebody means: a local one, unless it has an offset; a time of day is the last.

    now: the time in UTC. Raises BadInput if it is none.
    """
    try:
        age = _AGE.fullmatch(value.casefold())
        if age:
            return now - timedelta(**{_UNITS[age[2]]: int(age[1])})
        if _TIME.fullmatch(value):
            hour, minute = map(int, value.split(":"))
            today = now.astimezone()
            moment = today.replace(hour=hour, minute=minute, second=0, microsecond=0)
            return moment if moment <= today else moment - timedelta(days=1)
        return datetime.fromisoformat(value).astimezone()
    except (ValueError, OverflowError, OSError):
        raise BadInput(
            f"{value[:80]!r} is no time: write 09:30, 2030-01-31, 2030-01-31T09:30, or an age such as 2h."
        ) from None
