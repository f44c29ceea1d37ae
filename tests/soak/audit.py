"""What must hold of a room whatever was done to it. Pure: each rule takes what is known, and yields a
sentence for each thing that is wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from msgcode.events import (
    Event,
    JournalReset,
    LineDamaged,
    MessageAcknowledged,
    MessageClaimed,
    MessageDelivered,
    MessageDiscarded,
    MessageExpired,
    MessageFailed,
    MessageSent,
)
from msgcode.model import Message, Status
from tests.soak.ledger import (
    ACKNOWLEDGED,
    BROKEN,
    CONFIRMED,
    CUT,
    INJECTED,
    REFUSED,
    SENT,
    Entry,
)

Messages = Mapping[str, Message]
"""Every message that there ever was, by its id."""


class Stand(NamedTuple):
    """Where a message stands at one recipient, by a reckoning of our own."""

    status: Status
    by: str = ""
    until: datetime | None = None
    """When the claim lapses."""


def numbers(events: Iterable[Event]) -> Iterator[str]:
    """The events are numbered from 1 without gaps, and every line can be read."""
    last = 0
    for event in events:
        if isinstance(event.fact, LineDamaged):
            yield f"{event.fact.file}:{event.fact.line} cannot be read: {event.fact.reason}"
        elif isinstance(event.fact, JournalReset):
            yield f"the journal was found cut short behind event {last}, with nobody at work"
        elif event.seq != last + 1:
            yield f"event {event.seq} follows event {last}"
        last = max(last, event.seq)


def lawful(events: Iterable[Event]) -> Iterator[str]:
    """No event is one that may not follow those before it: above all, nobody is given what another has."""
    stands: dict[tuple[str, str], Stand] = {}
    sent: dict[str, MessageSent] = {}
    for event in events:
        fact = event.fact
        if isinstance(fact, MessageSent):
            if fact.id in sent:
                yield f"event {event.seq} sends {fact.id}, which was sent before"
            sent[fact.id] = fact
            stands.update({(fact.id, agent): Stand(Status.QUEUED) for agent in fact.to})
        elif isinstance(fact, _Move):
            before = stands.get((fact.id, fact.agent))
            if before is None:
                yield f"event {event.seq} moves {fact.id} at {fact.agent}, to whom it was not sent"
                continue
            if not _may_follow(fact, event.at, before, sent[fact.id]):
                yield (
                    f"event {event.seq} at {event.at} makes {fact.id} at {fact.agent}, which is "
                    f"{before.status} by {before.by!r} until {before.until}, {type(fact).__name__}"
                )
            until = fact.until if isinstance(fact, MessageClaimed) else None
            stands[fact.id, fact.agent] = Stand(_MOVES[type(fact)], fact.by or "", until)


_Move = (
    MessageClaimed
    | MessageFailed
    | MessageDelivered
    | MessageAcknowledged
    | MessageExpired
    | MessageDiscarded
)

_MOVES: dict[type, Status] = {
    MessageClaimed: Status.CLAIMED,
    MessageFailed: Status.QUEUED,
    MessageDelivered: Status.DELIVERED,
    MessageAcknowledged: Status.ACKNOWLEDGED,
    MessageExpired: Status.EXPIRED,
    MessageDiscarded: Status.DISCARDED,
}


def _may_follow(fact: _Move, at: datetime, before: Stand, sent: MessageSent) -> bool:
    if before.status.ended:
        return False
    if isinstance(fact, MessageClaimed):
        lapsed = before.until is not None and before.until <= at
        is_free = before.status is Status.QUEUED or lapsed
        return is_free or (before.status is Status.CLAIMED and before.by == fact.by == fact.agent)
    if isinstance(fact, MessageFailed):
        return before.status is Status.CLAIMED and before.by == fact.by
    if isinstance(fact, MessageDelivered):
        return before.status is not Status.DELIVERED
    if isinstance(fact, MessageExpired):
        return sent.expires_at is not None or fact.by is not None
    if isinstance(fact, MessageDiscarded):
        return fact.by is not None
    return True


def promised(messages: Messages, entries: Sequence[Entry]) -> Iterator[str]:
    """What a verb has returned is so: sent is there, refused is not, delivered and done stay so."""
    gone = {(entry.id, entry.agent) for entry in entries if entry.did == CUT}
    gone_whole = {entry.id for entry in entries if entry.did == CUT and entry.text == "message.sent"}
    for entry in entries:
        message = messages.get(entry.id)
        if entry.did == REFUSED and message:
            yield f"{entry.id} was refused ({entry.text}), and is there"
        if entry.did not in (SENT, CONFIRMED, ACKNOWLEDGED) or entry.id in gone_whole:
            continue
        agents = entry.agent.split()
        if not message:
            yield f"{entry.id} to {entry.agent} was {entry.did}, and is not there"
        elif entry.did == SENT and set(message.deliveries) != set(agents):
            yield f"{entry.id} was sent to {entry.agent}, and is to {' '.join(message.deliveries)}"
        elif entry.did != SENT and (entry.id, entry.agent) not in gone:
            delivery = message.deliveries[entry.agent]
            if entry.did == ACKNOWLEDGED and delivery.status is not Status.ACKNOWLEDGED:
                yield f"{entry.id} was acknowledged at {entry.agent}, and is {delivery.status}"
            elif delivery.to_come:
                yield f"{entry.id} was delivered to {entry.agent}, and is {delivery.status}"


def offered(events: Iterable[Event], entries: Sequence[Entry]) -> Iterator[str]:
    """Every time that a deliverer put a message before an agent, it had a claim of its own on it.

    With `lawful`, which says when somebody may claim, no message comes twice unless a lease has lapsed.
    """
    claims = Counter(
        (event.fact.id, event.fact.agent, event.fact.by)
        for event in events
        if isinstance(event.fact, MessageClaimed)
    )
    gone = {(entry.id, entry.agent) for entry in entries if entry.did == CUT}
    injected = Counter((entry.id, entry.agent, entry.by) for entry in entries if entry.did == INJECTED)
    for (id, agent, by), count in injected.items():
        if count > claims[id, agent, by] and (id, agent) not in gone:
            yield f"{by} gave {id} to {agent} {count} times, with {claims[id, agent, by]} claims"


def drained(messages: Messages, agents: Sequence[str]) -> Iterator[str]:
    """Once everything is released and delivered, nothing of what was sent to these agents still waits."""
    for message in messages.values():
        for agent in agents:
            delivery = message.deliveries.get(agent)
            if delivery and not delivery.status.ended:
                yield f"{message.id} is still {delivery.status} at {agent}"


def same(one: Mapping[str, object], other: Mapping[str, object], whose: str) -> Iterator[str]:
    """Two pictures of the room (`tests.core.support.picture`), of which one is the fold's, are the same."""
    for part in one:
        if one[part] != other[part]:
            yield f"{whose} has other {part} than the fold: {_difference(one[part], other[part])}"


def _difference(one: object, other: object) -> str:
    if isinstance(one, dict) and isinstance(other, dict):
        keys = [key for key in {**one, **other} if one.get(key) != other.get(key)]
        return f"{len(keys)} differ, such as {keys[0]!r}: {one.get(keys[0])} and {other.get(keys[0])}"[:800]
    return f"{one} and {other}"[:800]


def broken(entries: Iterable[Entry]) -> Iterator[str]:
    """No process ended by itself, or said what none may say."""
    for entry in entries:
        if entry.did == BROKEN:
            yield f"{entry.by}: {entry.text}"
