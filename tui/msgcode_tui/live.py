"""The store as one user sees it, advanced event by event: the fold, the rooms in it, who is there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from msgcode import Agent, Message, Presence, Status
from msgcode.events import (
    Event,
    JournalReset,
    MessageAcknowledged,
    MessageDelivered,
    MessageDiscarded,
    MessageExpired,
    MessageFailed,
    MessageSent,
    RoomPurged,
)
from msgcode.state import State, fold
from msgcode_tui.activity import MINUTES, Traffic
from msgcode_tui.rooms import EVERYTHING, Room, RoomIndex, RoomKind, rooms_of

_MOVED_ON = (MessageDelivered, MessageAcknowledged, MessageExpired, MessageDiscarded)


class Live:
    """What the screens draw. Only the app changes it; they read.

    me: the user. since: when they came; what others sent before counts as read, but for what waits for them.
    """

    def __init__(self, me: str, since: datetime) -> None:
        self.me = me
        self.since = since
        self._recent = since - timedelta(minutes=MINUTES)
        self.presences: dict[str, Presence] = {}
        self.clear()

    def clear(self) -> None:
        """Become what it was before the first event."""
        self.state = State(keep_ended=True)
        self._begin_anew()

    def _begin_anew(self) -> None:
        self.index = RoomIndex()
        self.traffic = Traffic()
        self.failed: set[tuple[str, str]] = set()
        """Messages and the agents for whom they could not be injected, and still wait."""

    def advance(self, events: Iterable[Event]) -> None:
        """Take in what has happened."""
        for event in events:
            fact = event.fact
            is_new = type(fact) is MessageSent and fact.id not in self.state.messages
            fold(self.state, event)
            if is_new:
                message = self.state.messages[fact.id]  # type: ignore[union-attr]
                self.index.add(message, unread=self._is_unread(message))
                if message.sent_at >= self._recent:
                    self.traffic.add(message)
            elif isinstance(fact, MessageFailed):
                self._fail(fact)
            elif isinstance(fact, _MOVED_ON):
                self.failed.discard((fact.id, fact.agent))
                if fact.agent == self.me and fact.id in self.state.messages:
                    self.index.read(self.state.messages[fact.id])
            elif isinstance(fact, RoomPurged):
                self.index.keep(self.state.messages)
            elif isinstance(fact, JournalReset):
                self._begin_anew()

    def _fail(self, fact: MessageFailed) -> None:
        message = self.state.messages.get(fact.id)
        delivery = message.deliveries.get(fact.agent) if message else None
        if delivery and delivery.status is Status.QUEUED:
            self.failed.add((fact.id, fact.agent))

    def _is_unread(self, message: Message) -> bool:
        if self.me in (message.sender, message.by):
            return False
        return self.me in message.deliveries or message.sent_at >= self.since

    def read(self, room: Room) -> list[str]:
        """The user has seen the room's newest messages.

        Returns the ids of those that were waiting to be delivered to the user.
        """
        for id in self.index.unread(room):
            self.index.read(self.state.messages[id])
        shelves = self.state.inbox(self.me).undelivered.values()
        waiting = [id for shelf in shelves for id in shelf]
        return [id for id in waiting if room == EVERYTHING or room in rooms_of(self.state.messages[id])]

    def recipient(self, room: Room) -> str | None:
        """Whom the user speaks to in a room: an agent's or a channel's id; None where they only listen."""
        return room.names[0] if room.kind is RoomKind.CHANNEL else room.partner(self.me)

    def concerns_me(self, message: Message) -> bool:
        """Whether the message is to the user, or names them as `@id`."""
        if self.me in message.deliveries:
            return True
        name = re.compile(rf"(?<!\w)@{re.escape(self.me)}(?![\w.-]*\w)")
        return bool(name.search(message.body) or name.search(message.subject or ""))

    def presence(self, agent: str) -> Presence:
        """What is known of the agent's presence."""
        return self.presences.get(agent, Presence())

    def online(self) -> list[Agent]:
        """The agents that are there."""
        return [agent for agent in self.state.agents.values() if self.presence(agent.id).online]

    def waiting(self, agent: str) -> int:
        """How many messages wait for the agent."""
        return len(self.state.inbox(agent))
