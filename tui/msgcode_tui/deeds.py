"""What the user does in the store, and how each of it is taken back where the store allows that.

Each function calls verbs of the store, so it may take long and raises what they raise (`Store`); `me` is
the user. None of the texts is made safe to print.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from msgcode import Agent, Message, Priority, Refused, Status, Store
from msgcode.debugger import holds
from msgcode.debugger.breakpoints import describe
from msgcode.model import Breakpoint, Hold
from msgcode.questions import question_of
from msgcode_tui.actions import named
from msgcode_tui.items import count

STEPPED = "What was let through cannot be called back."
"""Why a step cannot be undone."""


class Deed(NamedTuple):
    """Something that was done."""

    said: str
    """What, in a sentence; "" where the screen shows it."""
    back: Callable[[], str] | str
    """Takes it back, and returns what was undone in a sentence; or why that cannot be."""


ACKNOWLEDGED = "An acknowledgement cannot be undone."
DISCARDED = "What was discarded cannot be undone: send it again."
EXPIRED = "What has expired cannot be undone: send it again."


def sent(store: Store, me: str, messages: Sequence[Message], said: str = "") -> Deed:
    """These messages were sent just now."""
    return Deed(said, partial(_withdraw, store, me, _ids(messages)))


def _withdraw(store: Store, me: str, ids: Sequence[str]) -> str:
    withdrawn: list[str] = []
    under_way: list[str] = []
    late: list[str] = []
    for id in ids:
        for agent, delivery in store.message(id).deliveries.items():
            if delivery.status not in (Status.QUEUED, Status.CLAIMED):
                late.append(agent)
                continue
            (message,) = store.discard(id, agent=agent, by=me)
            now = message.deliveries[agent]
            is_claimed = delivery.status is Status.CLAIMED or now.claims > delivery.claims
            (late if now.delivered_at else under_way if is_claimed else withdrawn).append(agent)
    if not withdrawn and not under_way:
        raise Refused(f"The sending cannot be undone: it is past waiting for {_all(late)}.")
    sentences = [f"Undone: the sending to {_all(withdrawn + under_way)}."]
    if under_way:
        sentences.append(f"It was just being handed to {_all(under_way)}, and may arrive all the same.")
    if late:
        sentences.append(f"For {_all(late)} it was too late.")
    if askers := [asker for id in ids if (asker := _answered(store, id))]:
        sentences.append(f"What {_all(askers)} asked stays closed all the same: write another answer.")
    return " ".join(sentences)


def _answered(store: Store, id: str) -> str | None:
    """Who had asked the question that this message has closed; None if it has closed none."""
    message = store.message(id)
    try:
        origin = store.message(message.reply_to) if message.reply_to else None
    except Refused:
        return None  # It has been forgotten.
    mine = origin.deliveries.get(message.sender) if origin and question_of(origin) else None
    return origin.sender if origin and mine and mine.status.ended else None


def _ids(messages: Sequence[Message]) -> list[str]:
    return [message.id for message in messages]


def _all(agents: Sequence[str]) -> str:
    return named(list(dict.fromkeys(agents)))


def forward(store: Store, me: str, messages: Sequence[Message], to: str, note: str | None) -> Deed:
    """Send the messages on to an agent."""
    new = store.forward(*_ids(messages), to=to, sender=me, note=note or None)
    return sent(store, me, new, f"Forwarded to {to}: {count(len(new), 'message')}.")


def resend(store: Store, me: str, messages: Sequence[Message]) -> Deed:
    """Send the messages again, in the names of their senders."""
    new = store.resend(*_ids(messages), by=me)
    return sent(store, me, new, f"Sent again: {count(len(new), 'message')}.")


def acknowledge(store: Store, me: str, waiting: Sequence[tuple[Message, str]]) -> Deed:
    """Acknowledge the messages for the agents."""
    agents: dict[str, list[str]] = {}
    for message, agent in waiting:
        agents.setdefault(message.id, []).append(agent)
    store.acknowledge_for(agents, me)
    said = f"Acknowledged for {_all([agent for _, agent in waiting])}: {count(len(waiting), 'message')}."
    return Deed(said, ACKNOWLEDGED)


def discard(store: Store, me: str, messages: Sequence[Message]) -> Deed:
    """Clear the messages away wherever they have not ended."""
    store.discard(*_ids(messages), by=me)
    said = f"Discarded: {count(len(messages), 'message')}."
    return Deed(said, DISCARDED)


def expire(store: Store, me: str, messages: Sequence[Message]) -> Deed:
    """End the messages wherever they have not been delivered."""
    store.expire(*_ids(messages), by=me)
    said = f"Expired: {count(len(messages), 'message')}."
    return Deed(said, EXPIRED)


def prioritize(store: Store, me: str, messages: Sequence[Message], priority: Priority) -> Deed:
    """Give the messages another priority."""
    store.prioritize(*_ids(messages), priority=priority, by=me)
    return prioritized(store, me, messages, priority)


def prioritized(store: Store, me: str, before: Sequence[Message], priority: Priority) -> Deed:
    """The messages, which were like this before, have another priority."""

    def back() -> str:
        ours = [message for message in before if store.message(message.id).priority is priority]
        if not ours:
            raise Refused("The priority cannot be undone: it was changed again since.")
        was = sorted({message.priority for message in ours})
        for old in was:
            of_old = [message for message in ours if message.priority is old]
            store.prioritize(*_ids(of_old), priority=old, by=me)
        return f"Undone: the priority is {named(was)} again."

    return Deed(f"The priority is {priority} now: {count(len(before), 'message')}.", back)


def edit(store: Store, me: str, message: Message, body: str, subject: str) -> Deed:
    """Put another text and subject in the message's place."""
    return edited(store, me, message, store.edit(message.id, body, subject=subject, by=me))


def edited(store: Store, me: str, before: Message, after: Message) -> Deed:
    """The message was like this before, and after."""

    def back() -> str:
        now = store.message(after.id)
        if (now.body, now.subject) != (after.body, after.subject):
            raise Refused("The edit cannot be undone: the message was changed again since.")
        store.edit(after.id, before.body, subject=before.subject or "", by=me)
        return "Undone: the message is as it was before."

    return Deed("The message was edited.", back)


def answer(store: Store, me: str, question: str, choice: str) -> Deed:
    """Answer the question with this id by one of its choices."""
    given = store.answer(question, choice, me)
    return sent(store, me, [given], f"Answered {_all(given.recipients)}: {given.body}")


def hold(store: Store, me: str, **scope: str) -> Deed:
    """Stop what is on its way to agents, within the scope (`Store.hold`)."""
    return held(store, me, store.hold(me, **scope))


def held(store: Store, me: str, hold: Hold) -> Deed:
    """This hold was placed just now."""
    waiting = store.held(hold)

    def back() -> str:
        if hold not in store.holds():
            raise Refused("The hold cannot be undone: it was released since.")
        store.release(me, hold.number)
        return f"Undone: {holds.name(hold)} is no longer held."

    return Deed(f"Holding {holds.name(hold)}: {count(len(waiting), 'message')} held.", back)


def release(store: Store, me: str, *numbers: int) -> Deed:
    """Let go on what these holds keep."""
    there = {hold.number: hold for hold in store.holds()}
    going = len(store.held(*(there[number] for number in numbers if number in there)))
    gone = [hold for number in numbers for hold in store.release(me, number)]
    return released(store, me, gone, f": {count(going, 'message')} held till now")


def released(store: Store, me: str, gone: Sequence[Hold], about: str = "") -> Deed:
    """These holds were released just now."""

    def back() -> str:
        for hold in gone:
            scope = {name: getattr(hold, name) for name in ("agent", "peer", "thread", "channel", "message")}
            store.hold(me, **scope, reason=hold.reason)
        return f"Undone: {what} is held again, but for what has gone."

    what = named([holds.name(hold) for hold in gone])
    return Deed(f"Released {what}{about}.", back)


def step(store: Store, me: str, **scope: str) -> tuple[Message, Deed]:
    """Let one held message through, the first within the scope (`Store.step`)."""
    message = store.step(me, **scope)
    said = f"Let through: {message.sender} to {named(message.recipients)}. {len(store.held()):,} more held."
    return message, Deed(said, STEPPED)


def broken(store: Store, me: str, rule: Breakpoint) -> Deed:
    """This breakpoint was added just now."""

    def back() -> str:
        store.remove_breakpoint(rule.number, me)
        return f"Undone: breakpoint {rule.number} is no more. What it has stopped still waits."

    return Deed(f"Breakpoint {rule.number} stops {describe(rule)}.", back)


def join(store: Store, me: str, channel: str, agent: str) -> Deed:
    """Let the agent join the channel."""
    store.join(channel, agent, by=me)
    return joined(store, me, channel, agent)


def joined(store: Store, me: str, channel: str, agent: str) -> Deed:
    """The agent is in the channel since just now."""

    def back() -> str:
        store.leave(channel, agent, by=me)
        return f"Undone: {agent} is no longer in #{channel}."

    return Deed(f"{agent} is in #{channel} now.", back)


def leave(store: Store, me: str, channel: str, agent: str) -> Deed:
    """Take the agent out of the channel."""
    store.leave(channel, agent, by=me)
    return left(store, me, channel, agent)


def left(store: Store, me: str, channel: str, agent: str) -> Deed:
    """The agent is no longer in the channel."""

    def back() -> str:
        store.join(channel, agent, by=me)
        return f"Undone: {agent} is in #{channel} again."

    return Deed(f"{agent} is no longer in #{channel}.", back)


def create_channel(store: Store, me: str, channel: str, description: str | None) -> Deed:
    """Open a channel with the user in it."""
    store.create_channel(channel, me, description=description or None)
    return created(channel)


def created(channel: str) -> Deed:
    """The channel was opened."""
    return Deed(f"#{channel} was created.", f"#{channel} cannot be deleted any more: leave it.")


def register(store: Store, me: str, agent: str, description: str | None) -> Deed:
    """Register an agent that there is not yet."""
    if any(known.id == agent for known in store.agents()):
        raise Refused(f"{agent} is registered already.")
    store.register(agent, description=description or None, by=me)
    return registered(store, agent)


def registered(store: Store, agent: str) -> Deed:
    """The agent, whom there was not before, was registered."""

    def back() -> str:
        if any(known.id == agent and known.session for known in store.agents()):
            raise Refused(f"The registration cannot be undone: a session lives as {agent} by now.")
        store.unregister(agent)
        return f"Undone: {agent} is no longer registered."

    return Deed(f"{agent} is registered.", back)


def unregister(store: Store, me: str, agent: str) -> Deed:
    """Take an agent out of the room and its channels."""
    channels = channels_of(store, agent)
    return unregistered(store, me, store.unregister(agent), channels)


def channels_of(store: Store, agent: str) -> list[str]:
    """The channels in which the agent is."""
    return [channel.id for channel in store.channels() if agent in channel.members]


def unregistered(store: Store, me: str, was: Agent, channels: Sequence[str]) -> Deed:
    """The agent is gone, which was like this and in these channels."""
    agent = was.id

    def back() -> str:
        if any(known.id == agent for known in store.agents()):
            raise Refused(f"{agent} has been registered again already.")
        store.register(agent, was.name, was.description, human=was.human, by=me)
        for channel in channels:
            store.join(channel, agent, by=me)
        lives = f" {was.session.harness} has to register its session again." if was.session else ""
        return f"Undone: {agent} is registered, in all its channels.{lives}"

    return Deed(f"{agent} is no longer registered.", back)
