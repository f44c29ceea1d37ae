"""What does not move on: messages that do not arrive, agents that wait for a human. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from msgcode import Activity, Presence, Priority
from msgcode.state import State
from msgcode_tui.settings import Stuck as Thresholds


class Stuck(NamedTuple):
    """One agent whose messages, or who itself, does not move on."""

    agent: str
    since: datetime
    reason: str
    message: str | None = None
    """The id of the message that has waited longest, if it is that which is stuck."""


class Blocked:
    """Since when each agent has been blocked by the same thing: presence itself does not say that."""

    def __init__(self) -> None:
        self.since: dict[str, tuple[datetime, str]] = {}

    def look(self, presences: Mapping[str, Presence], now: datetime) -> None:
        """Take in who is blocked now."""
        self.since = {
            agent: (
                self.since[agent][0] if self._is_the_same(agent, presence) else now,
                presence.reason or "",
            )
            for agent, presence in presences.items()
            if presence.activity is Activity.BLOCKED
        }

    def _is_the_same(self, agent: str, presence: Presence) -> bool:
        return agent in self.since and self.since[agent][1] == (presence.reason or "")


def stuck(state: State, blocked: Blocked, thresholds: Thresholds, now: datetime) -> list[Stuck]:
    """Who and what is stuck, the longest first. Humans are not: they may take their time."""
    found = []
    for agent in state.agents.values():
        if agent.human:
            continue
        since, reason = blocked.since.get(agent.id, (now, ""))
        if now - since >= timedelta(seconds=thresholds.blocked):
            found.append(Stuck(agent.id, since, f"is blocked: {reason}" if reason else "is blocked"))
        waiting = _oldest(state, agent.id)
        if waiting and now - waiting[0] >= timedelta(seconds=thresholds.waiting):
            found.append(Stuck(agent.id, waiting[0], "has messages that do not arrive", waiting[1]))
    return sorted(found, key=lambda each: each.since)


def _oldest(state: State, agent: str) -> tuple[datetime, str] | None:
    shelves = state.inbox(agent).undelivered
    firsts = [next(iter(shelves[priority])) for priority in Priority if shelves[priority]]
    return min(((state.messages[id].sent_at, id) for id in firsts), default=None)
