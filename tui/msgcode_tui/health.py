"""How the whole room is, at a glance. Pure: time is passed in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import NamedTuple

from msgcode import Message, Priority, Status
from msgcode_tui.live import Live

MAX_COUNTED = 1000
"""Up to so many are counted exactly: with tens of thousands waiting it makes no difference."""


class Health(NamedTuple):
    """What is going on, in numbers."""

    online: int = 0
    waiting: int = 0
    """Messages that somebody has not dealt with, counted once for each recipient."""
    stuck: int = 0
    """Those of them that have been queued, or delivered and not acknowledged, for too long."""
    failed: int = 0
    """Those of them that could not be injected, and wait again."""
    questions: int = 0
    """What the user has been asked and has not answered."""


def health(live: Live, now: datetime, stuck_after: timedelta) -> Health:
    """How the room is. What waits for a human is never stuck: they have no need to acknowledge."""
    return Health(
        len(live.online()),
        sum(map(len, live.state.inboxes.values())),
        sum(1 for _ in islice(stuck_messages(live, now - stuck_after), MAX_COUNTED)),
        len(live.failed),
        len(live.questions(now)),
    )


def stuck_messages(live: Live, before: datetime) -> Iterator[Message]:
    """What has waited for an agent since `before`, once for each of them."""
    for agent, inbox in live.state.inboxes.items():
        known = live.state.agents.get(agent)
        if known and known.human:
            continue
        for priority in Priority:
            for id in inbox.waiting[priority]:
                message = live.state.messages[id]
                if message.sent_at > before:
                    break  # Those after it were sent later.
                delivery = message.deliveries[agent]
                if delivery.status is not Status.DELIVERED or delivery.at <= before:
                    yield message


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
