"""What oh-my-msgcode's files say that the room does not know yet, as facts. Pure.

Its processes write whole files without a lock, from what they read a moment before. So what is missing in a
file may just not have been there for its writer, and counts as removed only where the file is otherwise the
one before; what is new counts, unless it was removed lately; and a message only ever moves on.
"""

from __future__ import annotations

from msgcode.events import (
    AgentRegistered,
    AgentUnregistered,
    ChannelCreated,
    ChannelJoined,
    ChannelLeft,
    MessageAcknowledged,
    MessageDelivered,
    MessageExpired,
    MessageSent,
)
from msgcode.mirror.entries import AgentEntry, ChannelEntry, MessageEntry, entry_id, shared_id
from msgcode.model import HUMAN, PEER, Status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from msgcode.events import Fact
    from msgcode.mirror.entries import Content, Raw
    from msgcode.mirror.memory import Memory
    from msgcode.model import Delivery, Message
    from msgcode.state import State

STALE_FOR = 60.0
"""Seconds for which a member that left may be brought back by somebody who had not noticed."""


class Said:
    """The facts that a file adds to the room, and what is to be remembered once they are in the journal."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.gone: dict[str, float] = {}


def agents_said(state: State, memory: Memory, content: Content, now: float) -> Said:
    """Agents that registered, changed their names, or unregistered."""
    said = Said()
    before = memory.agents
    entries: dict[str, AgentEntry] = content.entries
    for id, entry in entries.items():
        known = state.agents.get(id)
        if known:
            renamed = id in before and _naming(before[id]) != _naming(content.raw[id])
            if renamed and (known.name, known.description) != (entry.name, entry.description):
                said.facts.append(AgentRegistered(id, entry.name, entry.description, known.human))
            continue
        registered = entry.registered_at.timestamp()
        if id in before and before[id].get("registeredAt") == content.raw[id].get("registeredAt"):
            said.gone[id] = now  # The room has unregistered it; the file has not followed yet.
        elif registered > memory.gone.get(id, 0):
            said.facts.append(
                AgentRegistered(id, entry.name, entry.description, id == HUMAN, entry.registered_at)
            )
    # An entry that cannot be understood may be that of the one that is missing.
    missing = [id for id in before if id not in entries] if not content.odd else []
    if len(missing) == 1 and missing[0] in state.agents and _without(before, missing[0]) == content.raw:
        said.facts.append(AgentUnregistered(missing[0]))
        said.gone[missing[0]] = now
    return said


def channels_said(state: State, memory: Memory, content: Content, now: float) -> Said:
    """Channels that were created, and who joined or left."""
    said = Said()
    entries: dict[str, ChannelEntry] = content.entries
    for id, entry in entries.items():
        known = state.channels.get(id)
        before = memory.channels.get(id)
        members = _members(before)
        changed = {*members} ^ {*entry.members}
        deliberate = len(changed) == 1 and _without(memory.channels, id) == _without(content.raw, id)
        if known is None:
            said.facts.append(
                ChannelCreated(id, entry.name, entry.created_by, entry.description, entry.created_at)
            )
        for member in dict.fromkeys(entry.members):
            key = f"{id}/{member}"
            if known and member in known.members:
                continue
            if known and member in members:
                said.gone[key] = now  # It has left the room's channel; the file has not followed yet.
            elif deliberate or now - memory.gone.get(key, 0) > STALE_FOR:
                said.facts.append(ChannelJoined(id, member))
        for member in changed.intersection(members) if known and deliberate else ():
            if known and member in known.members:
                said.facts.append(ChannelLeft(id, member))
                said.gone[f"{id}/{member}"] = now
    return said


def gone(state: State, memory: Memory) -> list[str]:
    """The agents, and members of channels, that were last seen in the files and are not in the room."""
    agents = [id for id in memory.agents if id not in state.agents]
    members = [
        f"{id}/{member}"
        for id, raw in memory.channels.items()
        if id in state.channels
        for member in _members(raw)
        if member not in state.channels[id].members
    ]
    return agents + members


def messages_said(state: State, content: Content, is_known: Callable[[MessageEntry], bool]) -> Said:
    """Messages that were sent, and how far others have come.

    is_known: whether a message that does not wait was in the room before.
    """
    said = Said()
    news: list[MessageEntry] = content.news
    broadcasts: dict[str, tuple[Message, str]] | None = None
    for entry in news:
        id, agent = entry.id, entry.to
        message = state.messages.get(id)
        if message is None:
            if broadcasts is None:
                broadcasts = dict(_copies(state.messages.values()))
            message, agent = broadcasts.get(id, (None, agent))
        delivery = message.deliveries.get(agent) if message else None
        if message and delivery:
            said.facts += _moved(message, agent, delivery, entry)
        elif message is None and not is_known(entry):
            said.facts += _sent(state, entry)
    return said


def _copies(messages: Iterable[Message]) -> Iterable[tuple[str, tuple[Message, str]]]:
    for message in messages:
        if len(message.deliveries) > 1:
            for agent in message.deliveries:
                yield entry_id(message, agent), (message, agent)


def _moved(message: Message, agent: str, delivery: Delivery, entry: MessageEntry) -> list[Fact]:
    if delivery.status.ended:
        return []
    if entry.status is Status.ACKNOWLEDGED:
        return [MessageAcknowledged(message.id, agent, None, entry.acknowledged_at)]
    if entry.status is Status.EXPIRED:
        return [MessageExpired(message.id, agent, None, entry.expires_at)]
    if entry.status is Status.DELIVERED and delivery.status is not Status.DELIVERED:
        return [MessageDelivered(message.id, agent, PEER, entry.delivered_at)]
    return []


def _sent(state: State, entry: MessageEntry) -> list[Fact]:
    """A message that is new to the room, taken to be caused as one that is sent here."""
    sender = state.agents.get(entry.sender)
    human = sender is not None and sender.human
    heard = None if human else state.heard.get(entry.sender)
    facts: list[Fact] = [
        MessageSent(
            entry.id,
            entry.sender,
            (entry.to,),
            entry.body,
            entry.id,
            entry.priority,
            entry.channel,
            entry.subject,
            entry.expires_at,
            cause=heard.message if heard else None,
            hops=heard.hops + 1 if heard and not heard.human else 0,
            metadata=entry.metadata,
            human=human,
            since=entry.created_at,
        )
    ]
    if entry.status is Status.DELIVERED or entry.delivered_at:
        facts.append(MessageDelivered(entry.id, entry.to, PEER, entry.delivered_at or entry.created_at))
    if entry.status is Status.ACKNOWLEDGED:
        facts.append(MessageAcknowledged(entry.id, entry.to, None, entry.ended_at))
    elif entry.status is Status.EXPIRED:
        facts.append(MessageExpired(entry.id, entry.to, None, entry.ended_at))
    return facts


def known_ids(sent: Iterable[str]) -> Callable[[str], bool]:
    """Whether an id in the file belongs to one of the messages with these ids, or to a copy of it."""
    known = {shared_id(id) for id in sent}
    return lambda id: shared_id(id) in known


def _naming(raw: Raw) -> tuple[object, object]:
    return raw.get("name"), raw.get("description")


def _members(raw: Raw | None) -> list[str]:
    members = raw.get("members") if raw else None
    return [member for member in members if isinstance(member, str)] if isinstance(members, list) else []


def _without(entries: dict[str, Raw], id: str) -> dict[str, Raw]:
    return {key: raw for key, raw in entries.items() if key != id}
