"""What each verb may do in a room as it stands: pure functions of a state, a time and the arguments.

They return facts to append, or raise Refused with a sentence that says what to do instead.
"""

from __future__ import annotations

from msgcode.debugger.holds import all_holds, held_by
from msgcode.errors import Refused
from msgcode.events import (
    AgentBound,
    AgentHeard,
    AgentRegistered,
    BreakpointAdded,
    ChannelCreated,
    ChannelJoined,
    Event,
    Fact,
    HoldPlaced,
    LineDamaged,
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
    Unknown,
)
from msgcode.model import HUMAN, Agent, Channel, Delivery, Message, Priority, Session, Status
from msgcode.state import new_message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime, timedelta

    from msgcode.model import Presence
    from msgcode.state import State


def known_agent(state: State, id: str) -> Agent:
    """The agent registered as `id`. Raises Refused, naming the nearest one, if there is none."""
    agent = state.agents.get(id)
    if not agent:
        raise Refused(f"agent {id!r} is not registered{nearest(id, state.agents)}: register it first.")
    return agent


def known_channel(state: State, id: str) -> Channel:
    """The channel `id`. Raises Refused, naming the nearest one, if there is none."""
    channel = state.channels.get(id)
    if not channel:
        raise Refused(f"there is no channel {id!r}{nearest(id, state.channels)}: create it first.")
    return channel


def nearest(id: str, known: Iterable[str]) -> str:
    """` (did you mean 'x'?)` for the known id most like `id`, or nothing."""
    close = closest(id, known)
    return f" (did you mean {close!r}?)" if close else ""


def closest(id: str, known: Iterable[str]) -> str | None:
    """The known id most like `id`, if one is like it."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(id, list(known), n=1)), None)


def check_speaker(state: State, by: str | None) -> None:
    """Only a human may act for somebody else. Raises Refused otherwise."""
    if by is not None and not known_agent(state, by).human:
        raise Refused(f"agent {by!r} is not a human, and only a human may act for another agent.")


def bind(agent: Agent, session: Session, alive: bool, takeover: bool) -> AgentBound:
    """Lets the agent live in the session.

    alive: the session that it lives in now is. A session may take its own agent up again, from another
    host too; another's only if that is dead, or by `takeover`. No session may pose as a human.
    """
    if agent.human or agent.id == HUMAN:
        raise Refused(f"{agent.id!r} is a human, and an agent cannot be: register under another id.")
    held = agent.session
    if held and held.id != session.id and alive and not takeover:
        raise Refused(
            f"agent {agent.id!r} lives in another session, which is alive ({held.place}): "
            "register under another id, or with takeover, and that session loses it."
        )
    return AgentBound(agent.id, session)


def is_alive(agent: Agent, presence: Presence, now: datetime, online_for: timedelta) -> bool:
    """Whether the agent's session is there: seen lately, or bound lately and not seen since."""
    if agent.session is None or agent.bound_at is None:
        return False
    unseen = presence.last_seen is None or presence.last_seen < agent.bound_at
    return presence.online or (unseen and now - agent.bound_at < online_for)


def send(state: State, draft: MessageSent, origin: Message | None) -> MessageSent:
    """The message as it is sent: `draft` with what led to it.

    origin: the message that it answers.
    """
    sender = known_agent(state, draft.sender)
    check_speaker(state, draft.by)
    human = sender.human or draft.by is not None
    heard = None if human else state.heard.get(draft.sender)
    if origin:
        return draft._replace(
            human=human,
            reply_to=origin.id,
            thread=origin.thread,
            cause=origin.id,
            hops=0 if human or origin.human else origin.hops + 1,
        )
    if heard:
        return draft._replace(human=human, cause=heard.message, hops=0 if heard.human else heard.hops + 1)
    return draft._replace(human=True) if human else draft


def stopped(state: State, now: datetime, facts: list[Fact]) -> list[Fact]:
    """The facts, and behind them the holds on what they send that a breakpoint stops."""
    if not state.breakpoints:
        return facts
    sent = [new_message(0, now, fact) for fact in facts if isinstance(fact, MessageSent)]
    return [*facts, *stops(state, now, sent)]


def stops(state: State, now: datetime, messages: list[Message]) -> list[HoldPlaced]:
    """The holds to place on those of the messages that a breakpoint stops now."""
    if not state.breakpoints:
        return []
    from msgcode.debugger.breakpoints import stops_among

    return stops_among(state, messages, now)


def audience(state: State, draft: MessageSent, channel: str) -> tuple[str, ...]:
    """Who hears a broadcast: the channel's members but the sender, who must be one.

    A human need not be a member, nor an agent for whom a human speaks.
    """
    members = known_channel(state, channel).members
    if draft.sender not in members and draft.by is None and not known_agent(state, draft.sender).human:
        raise Refused(f"agent {draft.sender!r} is not in channel {channel!r}: join it first.")
    return tuple(member for member in members if member != draft.sender)


def inbox(
    state: State,
    agent: str,
    now: datetime,
    *,
    channel: str | None = None,
    sender: str | None = None,
    priority: Priority | None = None,
    limit: int | None = None,
    held: bool = True,
) -> list[Message]:
    """What the agent has to deal with: urgent first, then oldest first.

    Without what is past its time, and what a deliverer, other than the agent, is handing over; and without
    what is held unless `held`.
    """
    shelves = state.inbox(agent)
    found: list[Message] = []
    for rank in [priority] if priority else Priority:
        for id in list(shelves.waiting[rank]):
            if limit is not None and len(found) >= limit:
                return found
            message = state.messages.get(id)
            if not message:
                continue  # Another thread has moved it on meanwhile.
            if channel is not None and message.channel != channel:
                continue
            if sender is not None and message.sender != sender:
                continue
            delivery = message.deliveries[agent]
            hold = held_by(state, message, agent)
            if hold and not held:
                continue
            if delivery.status.ended or (not hold and is_due(message, delivery, now)):
                continue
            if is_leased(delivery, now) and delivery.by != agent:
                continue
            found.append(message)
    return found


def offered(state: State, agent: str, now: datetime, limit: int | None) -> list[Message]:
    """What a deliverer may claim for the agent, in the order of its inbox."""
    shelves = state.inbox(agent)
    found: list[Message] = []
    for rank in Priority:
        for id in shelves.undelivered[rank]:
            if limit is not None and len(found) >= limit:
                return found
            message = state.messages[id]
            delivery = message.deliveries[agent]
            if is_due(message, delivery, now) or is_leased(delivery, now):
                continue
            if not held_by(state, message, agent):
                found.append(message)
    return found


def next_offer(state: State, agent: str, now: datetime) -> datetime | None:
    """When the first lease on a message for the agent runs out; None if none is leased."""
    shelves = state.inbox(agent)
    leases = [
        delivery.lease_until
        for rank in Priority
        for id in shelves.undelivered[rank]
        if is_leased(delivery := state.messages[id].deliveries[agent], now) and delivery.lease_until
    ]
    return min(leases, default=None)


def is_leased(delivery: Delivery, now: datetime) -> bool:
    """Whether a deliverer holds it at this time. A claim whose lease has run out counts for nothing."""
    return (
        delivery.status is Status.CLAIMED and delivery.lease_until is not None and delivery.lease_until > now
    )


def is_due(message: Message, delivery: Delivery, now: datetime) -> bool:
    """Whether its time to live ran out before it was delivered.

    What was delivered stays, and so does what a human let through. What is held waits, whatever its time:
    whoever asks must ask `held_by` first.
    """
    return (
        message.expires_at is not None
        and message.expires_at <= now
        and delivery.to_come
        and delivery.passed_at is None
    )


def expire_due(state: State, now: datetime, agent: str | None = None) -> list[MessageExpired]:
    """Ends what is past its time, for one agent or for all."""
    return [
        MessageExpired(id, recipient)
        for id in state.expiring
        for recipient, delivery in state.messages[id].deliveries.items()
        if agent in (None, recipient)
        and is_due(state.messages[id], delivery, now)
        and not held_by(state, state.messages[id], recipient)
    ]


def claim(
    state: State, now: datetime, agent: str, by: str, offered: list[Message], until: datetime
) -> list[Fact]:
    """Leases what is offered to the deliverer `by`, after ending what is past its time.

    What a breakpoint stops at this moment is held, and not leased.
    """
    known_agent(state, agent)
    stopping = stops(state, now, offered)
    held = {stop.hold.message for stop in stopping}
    claims = [
        MessageClaimed(message.id, agent, by, until)
        for message in offered
        if message.deliveries[agent].status is not Status.DELIVERED and message.id not in held
    ]
    return [*expire_due(state, now, agent), *stopping, *claims]


def confirm(message: Message, agent: str, by: str) -> list[Fact]:
    """It reached the agent. Whoever's claim it is now: that it arrived is a fact."""
    delivery = delivery_to(message, agent)
    if delivery.to_come:
        return [MessageDelivered(message.id, agent, by)]
    return []


def fail(message: Message, agent: str, by: str, reason: str) -> list[Fact]:
    """It could not be injected. Only its claimant can say so: another may be injecting it by now."""
    delivery = delivery_to(message, agent)
    if has_claimed(message, agent, by):
        return give_back(message, agent, by, reason)
    raise Refused(f"message {message.id} for {agent!r} is {delivery.status}, not claimed by {by!r}.")


def is_queued(message: Message, agent: str) -> bool:
    """Whether it waits for the agent and nobody holds it."""
    return message.deliveries[agent].status is Status.QUEUED


def has_claimed(message: Message, agent: str, by: str) -> bool:
    """Whether the message is the deliverer's at this moment."""
    delivery = message.deliveries[agent]
    return delivery.status is Status.CLAIMED and delivery.by == by


def give_back(message: Message, agent: str, by: str, reason: str) -> list[Fact]:
    """The deliverer does not use its claim, if it has not lost it anyway."""
    return [MessageFailed(message.id, agent, by, reason)] if has_claimed(message, agent, by) else []


def acknowledge(message: Message, agent: str, by: str | None) -> list[Fact]:
    """The agent is done with it. Saying so twice is no error."""
    delivery = delivery_to(message, agent)
    if delivery.status is Status.ACKNOWLEDGED:
        return []
    if delivery.status.ended:
        raise Refused(f"message {message.id} cannot be acknowledged: it is {delivery.status}.")
    return [MessageAcknowledged(message.id, agent, by)]


def expire(message: Message, by: str | None) -> list[Fact]:
    """Ends the message wherever it has not been delivered."""
    facts: list[Fact] = [
        MessageExpired(message.id, agent, by)
        for agent, delivery in message.deliveries.items()
        if delivery.to_come
    ]
    if not facts:
        raise Refused(f"message {message.id} cannot be expired: it is not waiting to be delivered.")
    return facts


def edit(
    state: State, now: datetime, message: Message, body: str, subject: str | None, by: str
) -> list[Fact]:
    """Puts other words in place of the message's, while nobody has had them or is being given them."""
    check_may_change(state, message, by)
    for agent, delivery in message.deliveries.items():
        if delivery.delivered_at or delivery.status is Status.ACKNOWLEDGED:
            raise Refused(f"message {message.id} cannot be edited: {agent!r} has had it. Send another.")
        if is_leased(delivery, now):
            raise Refused(f"message {message.id} cannot be edited: it is being handed to {agent!r} just now.")
    if message.ended:
        raise Refused(f"message {message.id} cannot be edited: it has ended. Send another.")
    if (body, subject) == (message.body, message.subject):
        return []
    return [MessageEdited(message.id, by, body, subject)]


def prioritize(state: State, message: Message, priority: Priority, by: str) -> list[Fact]:
    """Gives the message another priority, while it waits for somebody."""
    check_may_change(state, message, by)
    if not any(delivery.to_come for delivery in message.deliveries.values()):
        raise Refused(f"message {message.id} waits for nobody, so its priority means nothing any more.")
    return [] if priority is message.priority else [MessagePrioritized(message.id, by, priority)]


def discard(state: State, message: Message, agent: str | None, by: str) -> list[Fact]:
    """Clears the message away for the agent, or for all at whom it has not ended."""
    check_may_change(state, message, by)
    among = message.deliveries if agent is None else {agent: delivery_to(message, agent)}
    ending = [recipient for recipient, delivery in among.items() if not delivery.status.ended]
    if not ending:
        raise Refused(
            f"message {message.id} cannot be discarded: it has ended{f' for {agent!r}' if agent else ''}."
        )
    return [MessageDiscarded(message.id, recipient, by) for recipient in ending]


def close(state: State, question: Message, agent: str, by: str | None) -> list[Fact]:
    """The agent has dealt with the question by its reply; nothing if it was not asked, or has been before."""
    current = state.messages.get(question.id)
    delivery = current.deliveries.get(agent) if current else None
    return [MessageAcknowledged(question.id, agent, by)] if delivery and not delivery.status.ended else []


def answer(state: State, draft: MessageSent, question: Message, *, by_default: bool = False) -> list[Fact]:
    """Sends the answer `draft`, and closes the question. Refused if that has been done.

    by_default: the deadline gave the answer, and no human did.
    """
    delivery = delivery_to(state.messages.get(question.id, question), draft.sender)
    closing = close(state, question, draft.sender, None)
    if not closing and delivery.status in (Status.EXPIRED, Status.DISCARDED):
        raise Refused(f"question {question.id} cannot be answered: it is {delivery.status}.")
    if not closing:
        raise Refused(f"question {question.id} has been answered, or acknowledged without an answer.")
    sent = send(state, draft, question)
    if by_default:
        sent = sent._replace(human=False, hops=0 if question.human else question.hops + 1)
    return [sent, *closing]


def check_may_change(state: State, message: Message, by: str) -> None:
    """Only its sender and humans may change a message. Raises Refused otherwise."""
    if by != message.sender and not known_agent(state, by).human:
        raise Refused(f"only a human or its sender may change message {message.id}, and {by!r} is neither.")


def delivery_to(message: Message, agent: str) -> Delivery:
    """The message's delivery to the agent. Raises Refused if it was not sent to it."""
    delivery = message.deliveries.get(agent)
    if not delivery:
        raise Refused(f"message {message.id} is not addressed to agent {agent!r}.")
    return delivery


def discard_waiting(state: State, by: str | None) -> list[MessageDiscarded]:
    """Clears away everything that waits, for everybody."""
    return [
        MessageDiscarded(message.id, agent, by)
        for message in state.messages.values()
        for agent, delivery in message.deliveries.items()
        if not delivery.status.ended
    ]


def restate(state: State) -> list[Fact]:
    """The registry, who heard what last, and what is held and why: what the events that go have told."""
    facts: list[Fact] = [
        AgentRegistered(agent.id, agent.name, agent.description, agent.human, agent.registered_at)
        for agent in state.agents.values()
    ]
    facts += [
        AgentBound(agent.id, agent.session, agent.bound_at)
        for agent in state.agents.values()
        if agent.session
    ]
    for channel in state.channels.values():
        facts.append(
            ChannelCreated(
                channel.id, channel.name, channel.created_by, channel.description, channel.created_at
            )
        )
        facts.extend(ChannelJoined(channel.id, member) for member in channel.members)
    facts.extend(AgentHeard(agent, *heard) for agent, heard in state.heard.items())
    facts.extend(HoldPlaced(hold) for hold in all_holds(state))
    facts.extend(BreakpointAdded(breakpoint) for breakpoint in state.breakpoints.values())
    return facts


def disposable(event: Event, before: datetime, keep: Collection[str]) -> bool:
    """Whether a clean-up that restates the registry may remove the event.

    It may if it is older than `before`, not about one of the messages to `keep`, and understood.
    """
    if event.at >= before or isinstance(event.fact, Unknown | LineDamaged):
        return False
    return isinstance(event.fact, RoomPurged) or getattr(event.fact, "id", None) not in keep
