"""The fold: what a room looks like after a run of events.

Deterministic, with no clock and no I/O: the same events give the same state in every process. It is
lenient, because a journal may have been cut short or cleaned up: an event about something that it
does not know changes nothing.
"""

from __future__ import annotations

from collections import deque

from msgcode.events import (
    AgentBound,
    AgentHeard,
    AgentRegistered,
    AgentUnregistered,
    BreakpointAdded,
    BreakpointRemoved,
    BreakpointSwitched,
    ChannelCreated,
    ChannelJoined,
    ChannelLeft,
    Event,
    HoldPlaced,
    HoldReleased,
    JournalReset,
    LineDamaged,
    MessageAcknowledged,
    MessageClaimed,
    MessageDelivered,
    MessageDiscarded,
    MessageEdited,
    MessageExpired,
    MessageFailed,
    MessagePassed,
    MessagePrioritized,
    MessageRanked,
    MessageSent,
    RoomPurged,
)
from msgcode.model import (
    PROBE,
    Agent,
    Breakpoint,
    Channel,
    Delivery,
    Edited,
    Hold,
    Message,
    Priority,
    Status,
)
from msgcode.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime
    from typing import Any, TypeVar

    Kept = TypeVar("Kept")

MAX_DAMAGE = 100
"""How many damaged lines a state remembers; the newest are kept."""

MAX_ENDED = 1000
"""How many messages a state goes on remembering after they have ended, the newest."""


class Heard(Record):
    """The newest message that reached an agent: what its next message is taken to be caused by."""

    message: str
    hops: int
    human: bool


class Inbox:
    """Ids of the messages that wait for one agent, by priority, each in the order in which they were sent."""

    __slots__ = ("undelivered", "waiting")

    def __init__(self) -> None:
        self.waiting: dict[Priority, dict[str, None]] = {priority: {} for priority in Priority}
        """All that have not ended."""
        self.undelivered: dict[Priority, dict[str, None]] = {priority: {} for priority in Priority}
        """Those of them that are queued or claimed."""

    def copy(self) -> Inbox:
        """Another inbox with the same in it."""
        other = Inbox()
        other.waiting = {priority: ids.copy() for priority, ids in self.waiting.items()}
        other.undelivered = {priority: ids.copy() for priority, ids in self.undelivered.items()}
        return other

    def __len__(self) -> int:
        return sum(map(len, self.waiting.values()))

    def __iter__(self) -> Iterator[str]:
        for priority in Priority:
            yield from self.waiting[priority]


class State:
    """A room after the event numbered `seq`.

    `messages` holds those that have not ended at every recipient, and with `keep_ended` all the others
    too. Records are immutable; the dictionaries belong to the state and change as it is advanced.
    """

    __slots__ = (
        "agents", "breakpoints", "channels", "damage", "ended", "expiring", "heard", "holds", "inboxes",
        "keep_ended", "messages", "seq", "stopped",
    )  # fmt: skip

    def __init__(self, *, keep_ended: bool = False) -> None:
        self.keep_ended = keep_ended
        self.clear()

    def clear(self) -> None:
        """Become the state before the first event."""
        self.seq = 0
        self.agents: dict[str, Agent] = {}
        self.channels: dict[str, Channel] = {}
        self.messages: dict[str, Message] = {}
        self.inboxes: dict[str, Inbox] = {}
        self.expiring: dict[str, None] = {}
        """Ids of the waiting messages that have a time to live."""
        self.heard: dict[str, Heard] = {}
        self.ended: deque[Message] = deque(maxlen=MAX_ENDED)
        """Those that ended last, unless all are kept. No snapshot has them."""
        self.holds: dict[int, Hold] = {}
        """By number, those that cover more than one message."""
        self.stopped: dict[str, Hold] = {}
        """Those that cover one message, by its id, while it waits to be delivered."""
        self.breakpoints: dict[int, Breakpoint] = {}
        self.damage: list[LineDamaged] = []

    def copy(self) -> State:
        """Another state of the same room, which changes on its own."""
        other = State(keep_ended=self.keep_ended)
        other.seq = self.seq
        other.agents, other.channels = self.agents.copy(), self.channels.copy()
        other.messages, other.expiring = self.messages.copy(), self.expiring.copy()
        other.inboxes = {agent: inbox.copy() for agent, inbox in self.inboxes.items()}
        other.heard, other.ended, other.damage = self.heard.copy(), self.ended.copy(), self.damage.copy()
        other.holds, other.stopped = self.holds.copy(), self.stopped.copy()
        other.breakpoints = self.breakpoints.copy()
        return other

    def inbox(self, agent: str) -> Inbox:
        """What waits for `agent`, registered or not."""
        return self.inboxes.get(agent) or Inbox()

    def add(self, message: Message) -> None:
        """Take in a message at the point that its deliveries have reached (a new one, or a snapshot's)."""
        waiting = [
            (agent, delivery.status)
            for agent, delivery in message.deliveries.items()
            if not delivery.status.ended
        ]
        if not waiting and not self.keep_ended:
            return
        self.messages[message.id] = message
        if message.expires_at and waiting:
            self.expiring[message.id] = None
        for agent, status in waiting:
            inbox = self.inboxes.get(agent)
            if inbox is None:
                inbox = self.inboxes[agent] = Inbox()
            inbox.waiting[message.priority][message.id] = None
            if status is not Status.DELIVERED:
                inbox.undelivered[message.priority][message.id] = None
        if message.rank is not None:
            self._shelve(message.id, message.priority)

    def prioritize(self, id: str, priority: Priority) -> None:
        """Give the message another priority, and its place by when it was sent among those that have it."""
        was = self.messages[id].priority
        self.messages[id] = self.messages[id]._replace(priority=priority)
        self._shelve(id, was)

    def rank(self, id: str, rank: float) -> None:
        """Give the message another place among those of its priority."""
        message = self.messages[id] = self.messages[id]._replace(rank=rank)
        self._shelve(id, message.priority)

    def _shelve(self, id: str, was: Priority) -> None:
        """Put the message where it belongs now in the inboxes that had it under the priority `was`."""
        message = self.messages[id]
        for agent in message.deliveries:
            inbox = self.inboxes.get(agent)
            for shelves in (inbox.waiting, inbox.undelivered) if inbox else ():
                if id in shelves[was]:
                    del shelves[was][id]
                    known = [*shelves[message.priority], id]
                    shelves[message.priority] = dict.fromkeys(sorted(known, key=self._place))

    def _place(self, id: str) -> float:
        return self.messages[id].place

    def next_hold(self) -> int:
        """The number for a new hold: one more than the highest that there is."""
        stopped = max((hold.number for hold in self.stopped.values()), default=0)
        return 1 + max(stopped, max(self.holds, default=0))

    def place(self, hold: Hold) -> None:
        """Let the hold stop what it covers, if there is any such thing."""
        if hold.message is None:
            _keep_in_order(self.holds, hold.number, hold)
        elif self._is_to_come(hold.message):
            self.stopped[hold.message] = hold

    def _is_to_come(self, id: str) -> bool:
        message = self.messages.get(id)
        return message is not None and any(delivery.to_come for delivery in message.deliveries.values())

    def move(self, id: str, agent: str, delivery: Delivery) -> None:
        """Put the message's delivery to `agent` where it is now, and drop the message if it has ended.

        Queued or claimed, it keeps its place in the inbox: no attempt costs it its turn.
        """
        message = self.messages[id]
        message = message._replace(deliveries={**message.deliveries, agent: delivery})
        self.messages[id] = message
        if delivery.to_come:
            return
        inbox = self.inboxes[agent]
        inbox.undelivered[message.priority].pop(id, None)
        if id in self.stopped and not self._is_to_come(id):
            del self.stopped[id]
        if not delivery.status.ended:
            return
        inbox.waiting[message.priority].pop(id, None)
        if not len(inbox):
            del self.inboxes[agent]
        if message.ended:
            self.expiring.pop(id, None)
            if not self.keep_ended:
                self.ended.append(self.messages.pop(id))


def fold(state: State, event: Event) -> None:
    """Advance `state` by one event."""
    handler = _HANDLERS.get(type(event.fact))
    if handler:
        handler(state, event, event.fact)
    state.seq = max(state.seq, event.seq)


def _agent_registered(state: State, event: Event, fact: AgentRegistered) -> None:
    known = state.agents.get(fact.id)
    state.agents[fact.id] = Agent(
        fact.id,
        fact.name,
        known.registered_at if known else fact.since or event.at,
        fact.description,
        fact.human,
        known.session if known else None,
        known.bound_at if known else None,
    )


def _agent_bound(state: State, event: Event, fact: AgentBound) -> None:
    agent = state.agents.get(fact.agent)
    if agent:
        bound = agent._replace(session=fact.session, bound_at=fact.since or event.at)
        state.agents[fact.agent] = bound


def _agent_unregistered(state: State, event: Event, fact: AgentUnregistered) -> None:
    state.agents.pop(fact.id, None)
    state.heard.pop(fact.id, None)
    for channel in [channel for channel in state.channels.values() if fact.id in channel.members]:
        _set_members(state, channel, tuple(member for member in channel.members if member != fact.id))


def _agent_heard(state: State, event: Event, fact: AgentHeard) -> None:
    state.heard[fact.agent] = Heard(fact.message, fact.hops, fact.human)


def _channel_created(state: State, event: Event, fact: ChannelCreated) -> None:
    if fact.id not in state.channels:
        state.channels[fact.id] = Channel(
            fact.id, fact.name, fact.created_by, fact.since or event.at, description=fact.description
        )


def _channel_joined(state: State, event: Event, fact: ChannelJoined) -> None:
    channel = state.channels.get(fact.channel)
    if channel and fact.agent not in channel.members:
        _set_members(state, channel, (*channel.members, fact.agent))


def _channel_left(state: State, event: Event, fact: ChannelLeft) -> None:
    channel = state.channels.get(fact.channel)
    if channel:
        _set_members(state, channel, tuple(member for member in channel.members if member != fact.agent))


def _set_members(state: State, channel: Channel, members: tuple[str, ...]) -> None:
    state.channels[channel.id] = channel._replace(members=members)


def _message_sent(state: State, event: Event, fact: MessageSent) -> None:
    if fact.id not in state.messages:
        state.add(new_message(event.seq, event.at, fact))


def new_message(seq: int, at: datetime, fact: MessageSent) -> Message:
    """The message as it was when the fact was recorded: queued for everybody."""
    return Message(
        fact.id,
        seq,
        fact.sender,
        fact.body,
        fact.since or at,
        dict.fromkeys(fact.to, Delivery(Status.QUEUED, fact.since or at)),
        fact.priority,
        fact.thread,
        fact.channel,
        fact.subject,
        fact.expires_at,
        fact.reply_to,
        fact.cause,
        fact.hops,
        fact.metadata,
        fact.human,
        fact.by,
    )


def _message_edited(state: State, event: Event, fact: MessageEdited) -> None:
    message = state.messages.get(fact.id)
    if message:
        was = message.edited or message
        edited = Edited(event.at, fact.by, was.body, was.subject)
        state.messages[fact.id] = message._replace(body=fact.body, subject=fact.subject, edited=edited)


def _message_prioritized(state: State, event: Event, fact: MessagePrioritized) -> None:
    if fact.id in state.messages:
        state.prioritize(fact.id, fact.priority)


def _waiting(state: State, id: str, agent: str) -> Delivery | None:
    """The delivery that an event is about, if there is one that has not ended."""
    message = state.messages.get(id)
    delivery = message.deliveries.get(agent) if message else None
    return delivery if delivery and not delivery.status.ended else None


def _message_claimed(state: State, event: Event, fact: MessageClaimed) -> None:
    delivery = _waiting(state, fact.id, fact.agent)
    if delivery and delivery.status is not Status.DELIVERED:
        claimed = Delivery(
            Status.CLAIMED, event.at, fact.by, fact.until, None, delivery.failures, delivery.claims + 1,
            delivery.passed_at,
        )  # fmt: skip
        state.move(fact.id, fact.agent, claimed)


def _message_failed(state: State, event: Event, fact: MessageFailed) -> None:
    delivery = _waiting(state, fact.id, fact.agent)
    if delivery and delivery.status is not Status.DELIVERED:
        failures = (*delivery.failures, fact.reason)
        queued = Delivery(
            Status.QUEUED, event.at, None, None, None, failures, delivery.claims, delivery.passed_at
        )
        state.move(fact.id, fact.agent, queued)


def _message_delivered(state: State, event: Event, fact: MessageDelivered) -> None:
    delivery = _waiting(state, fact.id, fact.agent)
    if delivery and delivery.status is not Status.DELIVERED:
        _hear(state, fact.id, fact.agent)
        at = fact.since or event.at
        delivered = Delivery(
            Status.DELIVERED, at, fact.by, None, at, delivery.failures, delivery.claims, delivery.passed_at
        )
        state.move(fact.id, fact.agent, delivered)


def _message_acknowledged(state: State, event: Event, fact: MessageAcknowledged) -> None:
    delivery = _waiting(state, fact.id, fact.agent)
    if delivery:
        if delivery.status is not Status.DELIVERED and fact.by is None:
            _hear(state, fact.id, fact.agent)
        _end(state, event, fact, delivery, Status.ACKNOWLEDGED)


def _message_expired(state: State, event: Event, fact: MessageExpired) -> None:
    delivery = _waiting(state, fact.id, fact.agent)
    if delivery:
        _end(state, event, fact, delivery, Status.EXPIRED)


def _message_discarded(state: State, event: Event, fact: MessageDiscarded) -> None:
    delivery = _waiting(state, fact.id, fact.agent)
    if delivery:
        _end(state, event, fact, delivery, Status.DISCARDED)


def _end(
    state: State,
    event: Event,
    fact: MessageAcknowledged | MessageExpired | MessageDiscarded,
    delivery: Delivery,
    status: Status,
) -> None:
    at = (None if isinstance(fact, MessageDiscarded) else fact.since) or event.at
    ended = delivery._replace(status=status, at=at, by=fact.by, lease_until=None)
    state.move(fact.id, fact.agent, ended)


def _hear(state: State, id: str, agent: str) -> None:
    message = state.messages[id]
    if PROBE not in message.metadata:  # It would cut the chain of what it is to look at.
        state.heard[agent] = Heard(id, message.hops, message.human)
    for rule in [*state.breakpoints.values()]:
        if rule.budget is not None and rule.enabled and is_within(rule, message, (agent,)):
            state.breakpoints[rule.number] = rule._replace(spent=rule.spent + len(message.body))


def is_within(rule: Breakpoint, message: Message, agents: Iterable[str]) -> bool:
    """Whether the message to these agents is of those that the breakpoint is about.

    What it asks beyond that (a text, a loop, a budget) is in `debugger/breakpoints.py`.
    """
    return (
        rule.sender in (None, message.sender)
        and (rule.to is None or rule.to in agents)
        and rule.channel in (None, message.channel)
        and rule.thread in (None, message.thread)
        and rule.priority in (None, message.priority)
        and (rule.hops is None or message.hops >= rule.hops)
    )


def _message_passed(state: State, event: Event, fact: MessagePassed) -> None:
    delivery = _waiting(state, fact.id, fact.agent)
    if delivery and delivery.to_come:
        state.move(fact.id, fact.agent, delivery._replace(passed_at=event.at))


def _message_ranked(state: State, event: Event, fact: MessageRanked) -> None:
    if fact.id in state.messages:
        state.rank(fact.id, fact.rank)


def _hold_placed(state: State, event: Event, fact: HoldPlaced) -> None:
    hold = fact.hold
    rule = state.breakpoints.get(hold.breakpoint) if hold.breakpoint else None
    if rule and state.stopped.get(hold.message or "") != hold:
        hit = rule._replace(hits=rule.hits + 1, enabled=rule.enabled and not rule.once)
        state.breakpoints[rule.number] = hit
    state.place(hold)


def _hold_released(state: State, event: Event, fact: HoldReleased) -> None:
    if fact.message is None:
        state.holds.pop(fact.number, None)
    elif state.stopped.pop(fact.message, None):
        state.messages[fact.message] = state.messages[fact.message]._replace(released_at=event.at)


def _breakpoint_added(state: State, event: Event, fact: BreakpointAdded) -> None:
    _keep_in_order(state.breakpoints, fact.breakpoint.number, fact.breakpoint)


def _keep_in_order(kept: dict[int, Kept], number: int, one: Kept) -> None:
    """Keep it by its number. After a clean-up, a younger one may have been read before an older one."""
    behind = {other: kept.pop(other) for other in list(kept) if other > number}
    kept[number] = one
    kept.update(behind)


def _breakpoint_switched(state: State, event: Event, fact: BreakpointSwitched) -> None:
    rule = state.breakpoints.get(fact.number)
    if rule:
        state.breakpoints[fact.number] = rule._replace(enabled=fact.enabled)


def _breakpoint_removed(state: State, event: Event, fact: BreakpointRemoved) -> None:
    state.breakpoints.pop(fact.number, None)


def _room_purged(state: State, event: Event, fact: RoomPurged) -> None:
    if not state.keep_ended:
        return
    for id in [message.id for message in state.messages.values() if ended_before(message, fact.before)]:
        del state.messages[id]


def ended_before(message: Message, moment: datetime) -> bool:
    """Whether the message had ended at every recipient before `moment`."""
    return message.ended and all(delivery.at < moment for delivery in message.deliveries.values())


def _line_damaged(state: State, event: Event, fact: LineDamaged) -> None:
    state.damage = [*state.damage[-MAX_DAMAGE + 1 :], fact]


def _journal_reset(state: State, event: Event, fact: JournalReset) -> None:
    state.clear()


_HANDLERS: dict[type, Callable[[State, Event, Any], None]] = {
    AgentRegistered: _agent_registered,
    AgentBound: _agent_bound,
    AgentUnregistered: _agent_unregistered,
    AgentHeard: _agent_heard,
    ChannelCreated: _channel_created,
    ChannelJoined: _channel_joined,
    ChannelLeft: _channel_left,
    MessageSent: _message_sent,
    MessageEdited: _message_edited,
    MessagePrioritized: _message_prioritized,
    MessageClaimed: _message_claimed,
    MessageDelivered: _message_delivered,
    MessageFailed: _message_failed,
    MessageAcknowledged: _message_acknowledged,
    MessageExpired: _message_expired,
    MessageDiscarded: _message_discarded,
    MessagePassed: _message_passed,
    MessageRanked: _message_ranked,
    HoldPlaced: _hold_placed,
    HoldReleased: _hold_released,
    BreakpointAdded: _breakpoint_added,
    BreakpointSwitched: _breakpoint_switched,
    BreakpointRemoved: _breakpoint_removed,
    RoomPurged: _room_purged,
    LineDamaged: _line_damaged,
    JournalReset: _journal_reset,
}
