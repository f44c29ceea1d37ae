"""What the user is told of while they look elsewhere. Pure: the clock is passed in.

Something happens (`of_event`, `of_stuck`, `of_loop`, `of_deadlock`), and `Notices` decides whether that
is worth a notice now.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import datetime, time, timedelta
from typing import NamedTuple

from msgcode.debugger.findings import Finding
from msgcode.debugger.stuck import Stuck
from msgcode.debugger.waits import Wait
from msgcode.events import Event, MessageSent
from msgcode.model import Message, Priority
from msgcode.state import State
from msgcode_tui.rooms import Room, home_of, pair_room
from msgcode_tui.settings import Notify, What

APART = timedelta(seconds=10)
"""The least time between two notices. What happens meanwhile is told at its end, in one."""

QUESTION = "choices"
"""The key of a message's metadata that makes it a question."""


class Happening(NamedTuple):
    """Something that the user may want to be told of. Its texts are untrusted."""

    what: What
    room: Room
    title: str
    text: str


class Notice(NamedTuple):
    """What the user is told. Its texts are untrusted."""

    title: str
    text: str


def of_event(event: Event, state: State, me: str) -> Happening | None:
    """What has happened to the user `me` by the event, which `state` has taken in; None if nothing has."""
    if type(event.fact) is not MessageSent:
        return None
    message = state.messages.get(event.fact.id)
    if message is None or me in (message.sender, message.by):
        return None
    what = _kind(message, me)
    if what is None:
        return None
    verb = {"questions": " asks", "urgent": " (urgent)"}.get(what, "")
    where = f" in #{message.channel}" if message.channel else ""
    text = message.body if not message.subject else f"{message.subject}: {message.body}"
    return Happening(what, home_of(message, me), f"{message.sender}{verb}{where}", text)


def _kind(message: Message, me: str) -> What | None:
    to_me = me in message.deliveries
    if to_me and QUESTION in message.metadata:
        return "questions"
    if message.priority is Priority.URGENT:
        return "urgent"
    return "mentions" if to_me or mentions(f"{message.subject or ''}\n{message.body}", me) else None


def mentions(text: str, agent: str) -> bool:
    """Whether the text says `@agent`, and not just a longer name that begins so, or a mail address."""
    return re.search(rf"(?<![\w@.-])@{re.escape(agent)}(?![\w-]|\.\w)", text) is not None


def of_stuck(one: Stuck, me: str) -> Happening:
    """That an agent does not move on."""
    return Happening("stuck", pair_room(one.agent, me), f"{one.agent} is stuck", one.reason)


def of_loop(found: Finding, me: str) -> Happening:
    """That agents go round without getting anywhere."""
    return Happening(
        "loops", pair_room(found.agents[0], me), f"{_named(found.agents)} are in a loop", found.explain
    )


def of_deadlock(ring: Sequence[Wait], me: str) -> Happening:
    """That each of some agents waits for the next one."""
    waiters = [wait.waiter for wait in ring]
    text = f"Each waits for the next: {' → '.join([*waiters, waiters[0]])}."
    return Happening("stuck", pair_room(waiters[0], me), f"{_named(waiters)} are deadlocked", text)


def _named(agents: Sequence[str]) -> str:
    return " and ".join(agents) if len(agents) < 3 else f"{agents[0]} and {len(agents) - 1} more"


class Notices:
    """Decides what is told, and when: at once, if nothing was told just before."""

    def __init__(self, settings: Notify) -> None:
        self._settings = settings
        self._told_at: datetime | None = None
        self._held_back: list[Happening] = []

    def decide(
        self,
        happening: Happening,
        now: datetime,
        *,
        muted: Collection[Room] = (),
        focused: Room | None = None,
    ) -> Notice | None:
        """What to tell now. What is not told because it comes too soon is told by `overdue`.

        now: local time, aware. muted: the rooms of which nothing is told. focused: the room whose newest
        messages the user has before their eyes, if they look at the app.
        """
        if happening.what not in self._settings.what or happening.room in muted or happening.room == focused:
            return None
        if is_quiet(self._settings.quiet_hours, now):
            return None
        if self._held_back or (self._told_at and now - self._told_at < APART):
            self._held_back.append(happening)
            return self.overdue(now)
        self._told_at = now
        return Notice(happening.title, happening.text)

    def overdue(self, now: datetime) -> Notice | None:
        """What was held back, in one notice, if it is time for that."""
        if not self._held_back or (self._told_at and now - self._told_at < APART):
            return None
        held, self._held_back = self._held_back, []
        if is_quiet(self._settings.quiet_hours, now):
            return None
        self._told_at = now
        if len(held) == 1:
            return Notice(held[0].title, held[0].text)
        return Notice(f"{len(held)} more", ", ".join(dict.fromkeys(each.title for each in held)))


def is_quiet(hours: str, now: datetime) -> bool:
    """Whether the local time `now` is in the quiet hours (`settings.Notify.quiet_hours`)."""
    if not hours:
        return False
    begin, end = (time.fromisoformat(moment) for moment in hours.split("-"))
    moment = now.time()
    return begin <= moment < end if begin <= end else moment >= begin or moment < end
