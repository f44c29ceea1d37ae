"""What the room has to say in each of oh-my-msgcode's files. Pure."""

from __future__ import annotations

from datetime import timedelta

from msgcode.debugger.holds import held_by
from msgcode.decisions import is_due, is_leased
from msgcode.mirror.entries import (
    agent_entry,
    channel_entry,
    entry_id,
    message_entry,
    raw_entry,
    render_entry,
)
from msgcode.mirror.versions import AGENTS, CHANNELS, MESSAGES
from msgcode.model import Status
from msgcode.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from msgcode.mirror.entries import Content, MessageEntry, Raw
    from msgcode.mirror.memory import Memory
    from msgcode.model import Message
    from msgcode.state import State

KEEP_ENDED = timedelta(minutes=30)
"""How long what has ended stays in messages.json, as with oh-my-msgcode."""

SEEN_EVERY = timedelta(seconds=10)
"""How much newer the news must be that an agent is still there, for agents.json to be written."""


def agents_listed(state: State, content: Content, last_seen: Callable[[str], datetime | None]) -> list[str]:
    """agents.json: all agents. content: what the file says now; the order of that is kept."""
    known = {entry.id: entry.last_seen_at for entry in content.entries.values()}
    listed: list[object] = []
    for id in _in_order(content.raw, state.agents):
        entry = agent_entry(state.agents[id], last_seen(id))
        if id in known and abs(entry.last_seen_at - known[id]) < SEEN_EVERY:
            entry = entry._replace(last_seen_at=known[id])
        listed.append(raw_entry(AGENTS, entry, content.raw.get(id)))
    return list(map(render_entry, listed + content.odd))


def channels_listed(state: State, content: Content) -> list[str]:
    """channels.json: all channels. content: what the file says now."""
    listed: list[object] = [
        raw_entry(CHANNELS, channel_entry(state.channels[id]), content.raw.get(id))
        for id in _in_order(content.raw, state.channels)
    ]
    return list(map(render_entry, listed + content.odd))


class Rendered(Record):
    """A recipient's copy of a message as it was last rendered."""

    message: Message
    status: Status
    moment: datetime
    raw: Raw | None
    """As it stood in the file."""
    text: str


class Messages:
    """messages.json: what waits and nobody has claimed, and what has ended lately.

    lookup: a message that the state has forgotten, by the id of one of its entries.
    """

    def __init__(self, lookup: Callable[[str], Message | None]) -> None:
        self._lookup = lookup
        self._rendered: dict[str, Rendered] = {}

    def listed(self, state: State, memory: Memory, content: Content, now: datetime) -> list[str]:
        """All entries. content: what the file says now; what is new comes after that, oldest first."""
        found: dict[str, Rendered] = {}
        hidden: set[str] = set()
        for message in (*state.ended, *state.messages.values()):
            for agent, delivery in message.deliveries.items():
                id, status = entry_id(message, agent), _status(state, message, agent, now)
                if status and _belongs(id, status, delivery.at, memory, now):
                    found[id] = self._render(id, message, agent, status, content)
                else:
                    hidden.add(id)
        texts: list[str] = []
        for id, entry in content.entries.items():
            if id in found:
                texts.append(found[id].text)
            elif id not in hidden:
                kept = entry if entry.ended else self._ended(state, id, now)
                if kept and _belongs(id, kept.status, kept.ended_at, memory, now):
                    texts.append(render_entry(raw_entry(MESSAGES, kept, content.raw[id])))
        new = [rendered for id, rendered in found.items() if id not in content.entries]
        texts += [rendered.text for rendered in sorted(new, key=_moment)]
        self._rendered = found
        return texts + list(map(render_entry, content.odd))

    def _render(self, id: str, message: Message, agent: str, status: Status, content: Content) -> Rendered:
        known, raw = self._rendered.get(id), content.raw.get(id)
        same = known and known.message is message and known.status is status
        if known and same and (known.raw is raw or known.raw == raw):
            return known
        entry = message_entry(message, agent, message.deliveries[agent], status)
        return Rendered(message, status, message.sent_at, raw, render_entry(raw_entry(MESSAGES, entry, raw)))

    def _ended(self, state: State, id: str, now: datetime) -> MessageEntry | None:
        """The entry of a message that waits in the file and no longer in the room."""
        message = self._lookup(id)
        for agent, delivery in message.deliveries.items() if message else ():
            assert message
            status = _status(state, message, agent, now)
            if entry_id(message, agent) == id and status:
                return message_entry(message, agent, delivery, status)
        return None


def _moment(rendered: Rendered) -> datetime:
    return rendered.moment


def _belongs(id: str, status: Status, at: datetime, memory: Memory, now: datetime) -> bool:
    """Unless it ended long ago, or somebody has cleared it away since it ended."""
    return not status.ended or (now - at < KEEP_ENDED and id not in memory.cleared)


def _status(state: State, message: Message, agent: str, now: datetime) -> Status | None:
    """What oh-my-msgcode is told of it; None for nothing."""
    delivery = message.deliveries[agent]
    if is_leased(delivery, now) or delivery.status is Status.DISCARDED or held_by(state, message, agent):
        return None
    if is_due(message, delivery, now):
        return Status.EXPIRED  # It would be injected there all the same.
    return Status.QUEUED if delivery.status is Status.CLAIMED else delivery.status


def _in_order(listed: Iterable[str], known: Iterable[str]) -> list[str]:
    names, first = dict.fromkeys(known), dict.fromkeys(listed)
    return [*(id for id in first if id in names), *(id for id in names if id not in first)]
