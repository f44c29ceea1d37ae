"""What the room has to say in each of oh-my-msgcode's files. Pure."""

from __future__ import annotations

from datetime import timedelta

from msgcode.decisions import is_due, is_leased
from msgcode.mirror.entries import (
    MessageEntry,
    agent_entry,
    channel_entry,
    entry_id,
    message_entry,
    raw_entry,
)
from msgcode.mirror.versions import AGENTS, CHANNELS, MESSAGES
from msgcode.model import Status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from msgcode.mirror.entries import Content
    from msgcode.mirror.memory import Memory
    from msgcode.model import Delivery, Message
    from msgcode.state import State

KEEP_ENDED = timedelta(minutes=30)
"""How long what has ended stays in messages.json, as with oh-my-msgcode."""

SEEN_EVERY = timedelta(seconds=10)
"""How much newer the news must be that an agent is still there, for agents.json to be written."""


def agents_listed(
    state: State, content: Content, last_seen: Callable[[str], datetime | None]
) -> list[object]:
    """agents.json: all agents. content: what the file says now; the order of that is kept."""
    known = {entry.id: entry.last_seen_at for entry in content.entries.values()}
    listed: list[object] = []
    for id in _in_order(content.raw, state.agents):
        entry = agent_entry(state.agents[id], last_seen(id))
        if id in known and abs(entry.last_seen_at - known[id]) < SEEN_EVERY:
            entry = entry._replace(last_seen_at=known[id])
        listed.append(raw_entry(AGENTS, entry, content.raw.get(id)))
    return listed + content.odd


def channels_listed(state: State, content: Content) -> list[object]:
    """channels.json: all channels. content: what the file says now."""
    listed: list[object] = [
        raw_entry(CHANNELS, channel_entry(state.channels[id]), content.raw.get(id))
        for id in _in_order(content.raw, state.channels)
    ]
    return listed + content.odd


def messages_listed(
    state: State, memory: Memory, content: Content, now: datetime, lookup: Callable[[str], Message | None]
) -> list[object]:
    """messages.json: what waits and nobody has claimed, and what has ended lately, oldest first.

    content: what the file says now. lookup: a message that the state has forgotten.
    """
    entries = {entry.id: entry for message in state.ended for entry in _entries(message, now)}
    for message in sorted(state.messages.values(), key=lambda message: message.seq):
        entries.update((entry.id, entry) for entry in _entries(message, now))
    living = {entry_id(message, agent) for message in state.messages.values() for agent in message.deliveries}
    for id, entry in content.entries.items():
        if id in entries or id in living:
            continue
        found = None if entry.ended else lookup(id)
        if entry.ended:
            entries[id] = entry
        elif found:
            entries.update((copy.id, copy) for copy in _entries(found, now) if copy.id == id)
    listed: list[MessageEntry] = sorted(
        (entry for entry in entries.values() if _belongs(entry, memory, now)), key=_moment
    )
    raws: list[object] = [raw_entry(MESSAGES, entry, content.raw.get(entry.id)) for entry in listed]
    return raws + content.odd


def _moment(entry: MessageEntry) -> datetime:
    return entry.created_at


def _belongs(entry: MessageEntry, memory: Memory, now: datetime) -> bool:
    """Unless it ended long ago, or somebody has cleared it away since it ended."""
    if not entry.ended:
        return True
    return now - entry.ended_at < KEEP_ENDED and not memory.messages.get(entry.id)


def _entries(message: Message, now: datetime) -> Iterator[MessageEntry]:
    for agent, delivery in message.deliveries.items():
        status = _status(message, delivery, now)
        if status:
            yield message_entry(message, agent, delivery, status)


def _status(message: Message, delivery: Delivery, now: datetime) -> Status | None:
    """What oh-my-msgcode is told of it; None for nothing."""
    if is_leased(delivery, now) or delivery.status is Status.DISCARDED:
        return None
    if is_due(message, delivery, now):
        return Status.EXPIRED  # It would be injected there all the same.
    return Status.QUEUED if delivery.status is Status.CLAIMED else delivery.status


def _in_order(listed: Iterable[str], known: Iterable[str]) -> list[str]:
    names, first = dict.fromkeys(known), dict.fromkeys(listed)
    return [*(id for id in first if id in names), *(id for id in names if id not in first)]
