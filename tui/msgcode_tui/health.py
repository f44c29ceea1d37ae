"""How the whole room is, at a glance. Pure: time is passed in."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from msgcode.debugger.stuck import Stuck
from msgcode_tui.live import Live


class Health(NamedTuple):
    """What is going on, in numbers."""

    online: int | None = 0
    """Agents that are there; None if nobody knows."""
    waiting: int = 0
    """Messages that somebody has not dealt with, counted once for each recipient."""
    stuck: int = 0
    """Those of them that do not move on."""
    failed: int = 0
    """Those of them that could not be injected, and wait again."""
    questions: int = 0
    """What the user has been asked and has not answered."""
    held: int = 0
    """What is kept from those to whom it was sent."""


def health(live: Live, now: datetime, stuck: Iterable[Stuck]) -> Health:
    """How the room is. stuck: what was found to be, when last looked for."""
    return Health(
        len(live.online()) if live.knows_presence else None,
        sum(map(len, live.state.inboxes.values())),
        sum(len(one.messages) for one in stuck),
        len(live.failed),
        len(live.questions(now)),
        len(live.held),
    )


def oldest_waiting(live: Live, agent: str) -> datetime | None:
    """When the oldest of the messages that wait for the agent was sent; None if none waits."""
    shelves = live.state.inbox(agent).waiting.values()
    firsts = (live.state.messages[id] for shelf in shelves for id in islice(shelf, 1))
    return min((message.sent_at for message in firsts), default=None)


def age(since: datetime, now: datetime) -> str:
    """How long ago that was, in the largest unit: 40s, 12m, 3h, 5d."""
    seconds = max(int((now - since).total_seconds()), 0)
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
