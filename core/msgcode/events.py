"""The facts that a journal holds, one small record each, and the event that carries one.

On disk an event is one line of JSON: `seq`, `at` and `type`, then the fact's own fields in
camelCase (`sender` is written `from`, the word oh-my-msgcode uses). To add a fact: write its record,
name it in FACTS, and give it a handler in `state.py`.
"""

from __future__ import annotations

from datetime import datetime

from msgcode.model import Breakpoint, Hold, Priority, Session
from msgcode.record import Record


class AgentRegistered(Record):
    """An agent joined the room, or changed its name or description.

    `since` is set when a clean-up states again what was registered earlier.
    """

    id: str
    name: str
    description: str | None = None
    human: bool = False
    since: datetime | None = None


class AgentBound(Record):
    """From now on the agent lives in this session, and in no other.

    `since` is set when a clean-up states again what was bound earlier.
    """

    agent: str
    session: Session
    since: datetime | None = None


class AgentUnregistered(Record):
    """An agent left the room and all its channels. What waits for it goes on waiting."""

    id: str


class AgentHeard(Record):
    """What a clean-up states again of the messages that are gone: the newest that reached an agent."""

    agent: str
    message: str
    hops: int
    human: bool


class ChannelCreated(Record):
    """A channel was opened; its creator joins with a `channel.joined` of its own.

    `since` is set when a clean-up states again what was created earlier.
    """

    id: str
    name: str
    created_by: str
    description: str | None = None
    since: datetime | None = None


class ChannelJoined(Record):
    """An agent became a member of a channel."""

    channel: str
    agent: str


class ChannelLeft(Record):
    """An agent is no longer a member of a channel."""

    channel: str
    agent: str


class MessageSent(Record):
    """A message was accepted; it now waits for each agent in `to`. For the rest see `model.Message`.

    `since`, here and below, is set when it happened earlier, among agents of oh-my-msgcode.
    """

    id: str
    sender: str
    to: tuple[str, ...]
    body: str
    thread: str
    priority: Priority = Priority.NORMAL
    channel: str | None = None
    subject: str | None = None
    expires_at: datetime | None = None
    reply_to: str | None = None
    cause: str | None = None
    hops: int = 0
    metadata: dict[str, str] = {}
    human: bool = False
    by: str | None = None
    since: datetime | None = None


class MessageEdited(Record):
    """Before anybody had the message, `by` gave it this body and subject."""

    id: str
    by: str
    body: str
    subject: str | None = None


class MessagePrioritized(Record):
    """While the message was still waiting for somebody, `by` gave it another priority."""

    id: str
    by: str
    priority: Priority


class MessageClaimed(Record):
    """The deliverer `by` took the message for `agent` and may inject it until the lease ends."""

    id: str
    agent: str
    by: str
    until: datetime


class MessageDelivered(Record):
    """The agent's harness accepted the message from the deliverer `by`."""

    id: str
    agent: str
    by: str
    since: datetime | None = None


class MessageFailed(Record):
    """The deliverer `by` could not inject the message; it waits again."""

    id: str
    agent: str
    by: str
    reason: str


class MessageAcknowledged(Record):
    """The agent is done with the message; `by` is set when somebody else said so for it."""

    id: str
    agent: str
    by: str | None = None
    since: datetime | None = None


class MessageExpired(Record):
    """The message ended undelivered; `by` is set when somebody ended it before its time."""

    id: str
    agent: str
    by: str | None = None
    since: datetime | None = None


class MessageDiscarded(Record):
    """The message was cleared away before it was acknowledged."""

    id: str
    agent: str
    by: str | None = None


class MessagePassed(Record):
    """On its way to `agent`, no hold that there is now stops the message any more."""

    id: str
    agent: str
    by: str


class MessageRanked(Record):
    """`by` gave the message another place among those of its priority: see `Message.rank`."""

    id: str
    rank: float
    by: str


class HoldPlaced(Record):
    """What the hold covers waits from now on. A clean-up states it again."""

    hold: Hold

    @property
    def by(self) -> str:
        """Who placed it."""
        return self.hold.by


class HoldReleased(Record):
    """What the hold has covered goes on: the `message` that alone it covered, if it did."""

    number: int
    by: str
    message: str | None = None


class BreakpointAdded(Record):
    """The breakpoint stops what it matches. A clean-up states it again, as it is by then."""

    breakpoint: Breakpoint

    @property
    def by(self) -> str:
        """Who added it."""
        return self.breakpoint.by


class BreakpointSwitched(Record):
    """The breakpoint was enabled, or disabled."""

    number: int
    enabled: bool
    by: str


class BreakpointRemoved(Record):
    """The breakpoint is no more; what it has stopped still waits."""

    number: int
    by: str


class RoomPurged(Record):
    """Messages that had ended before `before` were forgotten."""

    before: datetime
    by: str | None = None


class Unknown(Record):
    """A fact of a type that this version does not know, kept as it was written and otherwise ignored."""

    type: str
    fields: dict[str, object]


class LineDamaged(Record):
    """A line that cannot be read. Never written: a reader reports it in the line's place."""

    file: str
    line: int
    reason: str


class JournalReset(Record):
    """Segments were deleted that a reader had not read. Never written: it says so and starts afresh."""


Fact = (
    AgentRegistered
    | AgentBound
    | AgentUnregistered
    | AgentHeard
    | ChannelCreated
    | ChannelJoined
    | ChannelLeft
    | MessageSent
    | MessageEdited
    | MessagePrioritized
    | MessageClaimed
    | MessageDelivered
    | MessageFailed
    | MessageAcknowledged
    | MessageExpired
    | MessageDiscarded
    | MessagePassed
    | MessageRanked
    | HoldPlaced
    | HoldReleased
    | BreakpointAdded
    | BreakpointSwitched
    | BreakpointRemoved
    | RoomPurged
)
"""What may be written to a journal."""

FACTS: dict[str, type[Fact]] = {
    "agent.registered": AgentRegistered,
    "agent.bound": AgentBound,
    "agent.unregistered": AgentUnregistered,
    "agent.heard": AgentHeard,
    "channel.created": ChannelCreated,
    "channel.joined": ChannelJoined,
    "channel.left": ChannelLeft,
    "message.sent": MessageSent,
    "message.edited": MessageEdited,
    "message.prioritized": MessagePrioritized,
    "message.claimed": MessageClaimed,
    "message.delivered": MessageDelivered,
    "message.failed": MessageFailed,
    "message.acknowledged": MessageAcknowledged,
    "message.expired": MessageExpired,
    "message.discarded": MessageDiscarded,
    "message.passed": MessagePassed,
    "message.ranked": MessageRanked,
    "hold.placed": HoldPlaced,
    "hold.released": HoldReleased,
    "breakpoint.added": BreakpointAdded,
    "breakpoint.switched": BreakpointSwitched,
    "breakpoint.removed": BreakpointRemoved,
    "room.purged": RoomPurged,
}
TYPES: dict[type, str] = {
    **{fact: name for name, fact in FACTS.items()},
    LineDamaged: "line.damaged",
    JournalReset: "journal.reset",
}


class Event(Record):
    """One fact with its place in the journal.

    `seq` counts from 1 and never goes back; `at` is UTC. What a reader reports about the journal itself
    (LineDamaged) bears the `seq`
    of the last event before it, 0 when there is none (JournalReset).
    """

    seq: int
    at: datetime
    fact: Fact | Unknown | LineDamaged | JournalReset
