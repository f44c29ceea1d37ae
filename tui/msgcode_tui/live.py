"""The store as one user sees it, advanced event by event: the fold, the rooms in it, who is there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from msgcode import Agent, Message, Presence, Status
from msgcode.debugger import holds
from msgcode.debugger.findings import Finding
from msgcode.debugger.holds import Held
from msgcode.debugger.loops import LoopDetector
from msgcode.debugger.unanswered import Unanswered
from msgcode.events import (
    Event,
    JournalReset,
    MessageAcknowledged,
    MessageClaimed,
    MessageDelivered,
    MessageDiscarded,
    MessageEdited,
    MessageExpired,
    MessageFailed,
    MessagePrioritized,
    MessageSent,
    RoomPurged,
)
from msgcode.journal.recent import Recent
from msgcode.questions import Question, open_questions
from msgcode.state import State, fold
from msgcode_tui.activity import MINUTES, Traffic
from msgcode_tui.past import Piece, joined
from msgcode_tui.rooms import EVERYTHING, Room, RoomIndex, RoomKind, rooms_of

_MOVED_ON = (MessageDelivered, MessageAcknowledged, MessageExpired, MessageDiscarded)


class _Past:
    """The past as it is read, while the room is already shown without it."""

    def __init__(self, whole: Live) -> None:
        self.whole = whole
        """The room from its beginning to where one has come."""
        self.newer: list[Event] = []
        """What has happened since the room is shown."""
        self.share = 0.0


class Live:
    """What the screens draw. Only the app changes it; they read.

    me: the user. since: when they came. marks: up to which message (its `seq`) they had read each room when
    they left; a mark for everything holds for all rooms. Without any, what others sent before they came
    counts as read, but for what waits for them.
    """

    def __init__(self, me: str, since: datetime, marks: dict[Room, int] | None = None) -> None:
        self.me = me
        self.marks: dict[Room, int] = marks or {}
        self.since = since
        self._recent = since - timedelta(minutes=MINUTES)
        self.presences: dict[str, Presence] = {}
        self.knows_presence = True
        """Whether `presences` can be known at all: of the past they are not kept."""
        self._past: _Past | None = None
        self._show(State(keep_ended=True))

    def _show(self, state: State) -> None:
        self.state = state
        self.index = RoomIndex()
        self.traffic = Traffic()
        self.moved: list[str] = []
        """Ids of messages that have changed since they were listed, once for each change. It grows at its
        end, or another takes its place when all is anew."""
        self._held: list[Held] | None = None
        self.failed: set[tuple[str, str]] = set()
        """Messages and the agents for whom they could not be injected, and still wait."""
        self._unanswered: Unanswered | None = None
        self._loops = LoopDetector()
        self._unexamined = list(state.messages.values())
        """What has not been looked through for loops yet."""
        for message in state.messages.values():
            self._list(message)

    def _list(self, message: Message) -> None:
        self.index.add(message, unread=self._is_unread(message))
        if message.sent_at >= self._recent:
            self.traffic.add(message)
        for agent, delivery in message.deliveries.items():
            if delivery.failures and delivery.status is Status.QUEUED:
                self.failed.add((message.id, agent))

    @property
    def held(self) -> list[Held]:
        """What is kept from those to whom it was sent, in the order of sending."""
        if self._held is None:
            self._held = holds.held(self.state)
        return self._held

    @property
    def unanswered(self) -> Unanswered:
        """What waits and has not been answered. Looks through the room if nobody has asked for it yet."""
        if self._unanswered is None:
            self._unanswered = Unanswered.of(self.state)
        return self._unanswered

    @property
    def past(self) -> float | None:
        """How much of the past has been read, from 0 to 1; None when all of it is there."""
        return self._past.share if self._past else None

    def begin(self, recent: Recent) -> None:
        """Show the room as it is now. Unless that is the whole of it, `recall` its past."""
        if max(self.marks.values(), default=0) > recent.state.seq:  # The store was deleted, and is another.
            self.marks.clear()
        self.marks.setdefault(EVERYTHING, recent.state.seq)
        self._show(recent.state)
        self._past = None if recent.whole else _Past(self._unshown())

    def _unshown(self) -> Live:
        """The same user's, before anything has happened."""
        whole = Live(self.me, self.since)
        whole.marks = self.marks
        return whole

    def recall(self, piece: Piece) -> None:
        """Take in the next piece of the past. With the last one, all of it is shown from then on."""
        past = self._past
        assert past
        past.share = piece.share
        for message in piece.messages:
            past.whole.state.add(message)
            past.whole._list(message)
        if piece.rest:
            past.whole.state = joined(piece.rest, past.whole.state)
            assert piece.loops
            past.whole._loops, past.whole._unanswered = piece.loops, piece.unanswered
            past.whole.advance(past.newer)
            self._become(past.whole)

    def _become(self, whole: Live) -> None:
        unread = set(self.index.unread(EVERYTHING))
        for id in whole.index.unread(EVERYTHING):
            was_read = id in self.state.messages and id not in unread
            if was_read or not self._is_unread(whole.state.messages[id]):  # It was read meanwhile.
                whole.index.read(whole.state.messages[id])
        self.state, self.index, self._past = whole.state, whole.index, None
        self.traffic, self.failed, self.moved = whole.traffic, whole.failed, whole.moved
        self._loops, self._unexamined = whole._loops, []
        self._unanswered = whole._unanswered

    def advance(self, events: Iterable[Event]) -> None:
        """Take in what has happened."""
        self._held = None
        if self._past:
            events = list(events)
            self._past.newer += events
        for event in events:
            fact = event.fact
            if isinstance(fact, RoomPurged):  # The screens go on with what they have until they are told.
                self.state.messages = dict(self.state.messages)
            is_new = type(fact) is MessageSent and fact.id not in self.state.messages
            fold(self.state, event)
            if self._unanswered:
                self._unanswered.advance(event, self.state)
            if is_new:
                message = self.state.messages[fact.id]  # type: ignore[union-attr]
                self._list(message)
                self._unexamined.append(message)
            elif isinstance(fact, MessageFailed):
                self.moved.append(fact.id)
                self._fail(fact)
            elif isinstance(fact, MessageClaimed | MessageEdited | MessagePrioritized):
                self.moved.append(fact.id)
            elif isinstance(fact, _MOVED_ON):
                self.moved.append(fact.id)
                self.failed.discard((fact.id, fact.agent))
                if fact.agent == self.me and fact.id in self.state.messages:
                    self.index.read(self.state.messages[fact.id])
            elif isinstance(fact, RoomPurged):
                self.index.keep(self.state.messages)
                self._unanswered = None
            elif isinstance(fact, JournalReset):
                self.marks.clear()
                self._show(self.state)
        self._look_for_loops()

    def _look_for_loops(self) -> None:
        """While the past is read, by another process, it is that which looks: they must come in order."""
        if not self._past:
            for message in self._unexamined:
                self._loops.sent(message)
            self._unexamined.clear()

    def findings(self, now: datetime) -> list[Finding]:
        """The loops that there have been, oldest first; none as long as the past is being read."""
        self._look_for_loops()
        return [] if self._past else self._loops.findings(now)

    def _fail(self, fact: MessageFailed) -> None:
        message = self.state.messages.get(fact.id)
        delivery = message.deliveries.get(fact.agent) if message else None
        if delivery and delivery.status is Status.QUEUED:
            self.failed.add((fact.id, fact.agent))

    def _is_unread(self, message: Message) -> bool:
        if self.me in (message.sender, message.by):
            return False
        if mine := message.deliveries.get(self.me):
            return mine.status in (Status.QUEUED, Status.CLAIMED)
        if not self.marks:
            return message.sent_at >= self.since
        return all(message.seq > self.marks.get(room, 0) for room in (EVERYTHING, *rooms_of(message)))

    def read(self, room: Room) -> list[str]:
        """The user has seen the room's newest messages.

        Returns the ids of those that were waiting to be delivered to the user.
        """
        if room == EVERYTHING:
            self.marks.clear()
        self.marks[room] = self.state.seq
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

    def questions(self, now: datetime) -> list[Question]:
        """All questions that wait for the user's answer, in the order in which to answer them."""
        waiting = (self.state.messages[id] for id in self.state.inbox(self.me))
        return open_questions(waiting, self.me, now)
