"""What the readings have to say of times and of agents, in words. Not made safe to print."""

from __future__ import annotations

from datetime import timedelta

from msgcode.decisions import nearest
from msgcode.model import Activity, Presence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from msgcode.model import Agent

NOWHERE = Presence()
"""Of an agent of which nothing is known."""


def duration(span: timedelta) -> str:
    """How long something took, in its two largest units at most: `0.4 s`, `12 s`, `4 min 10 s`, `2 d 3 h`."""
    seconds = max(span.total_seconds(), 0)
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    rest = round(seconds)
    parts: list[str] = []
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, rest = divmod(rest, length)
        if parts or count:
            parts.append(f"{count} {unit}" if count else "")
        if len(parts) == 2:
            break
    return " ".join(filter(None, parts))


def seconds(took: float) -> str:
    """A short time, in milliseconds where it is less than a second: `12 ms`, `4.0 s`."""
    return f"{1000 * took:.0f} ms" if took < 1 else duration(timedelta(seconds=took))


def clock(moment: datetime, now: datetime) -> str:
    """The local time of day, such as `10:02`; with its date unless that is the day of `now`."""
    local = moment.astimezone()
    same_day = local.date() == now.astimezone().date()
    return local.strftime("%H:%M" if same_day else "%Y-%m-%d %H:%M")


def whereabouts(
    agent: str, agents: Mapping[str, Agent], presence: Presence, now: datetime, gone: datetime | None = None
) -> str:
    """What the agent is doing, as a sentence without its full stop: `bob is offline since 10:02`.

    agents: those that are registered. gone: when it was unregistered, if that is known.
    """
    if agent not in agents:
        if gone:
            return f"{agent} was unregistered at {clock(gone, now)}"
        return f"{agent} is not registered{nearest(agent, agents)}"
    if presence.activity is Activity.UNKNOWN:
        return f"{agent} is of unknown presence"
    if presence.activity is Activity.OFFLINE:
        if presence.last_seen is None:
            return f"{agent} was never there"
        return f"{agent} is offline since {clock(presence.last_seen, now)}"
    words = f"{agent} is {presence.activity}"
    if presence.since and presence.activity is not Activity.IDLE:
        words += f" for {duration(now - presence.since)}"
    return f"{words}: {presence.reason}" if presence.reason else words
