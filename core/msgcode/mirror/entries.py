"""The format of oh-my-msgcode's three files: arrays of objects, indented by 2, as its version 0.1.3 has them.

Times are ISO 8601 in UTC with milliseconds and `Z`; optional keys are left out, not null. A broadcast is a
message for each recipient, with an id of its own.
"""

from __future__ import annotations

import json
from datetime import datetime
from itertools import islice

from msgcode.codec import IllTyped, from_json, to_json
from msgcode.mirror.versions import AGENTS, CHANNELS, MESSAGES
from msgcode.model import Priority, Status
from msgcode.record import Record
from msgcode.text import visible_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from msgcode.model import Agent, Channel, Delivery, Message

MAX_NAME = 64
"""The longest id of an agent or a channel, in characters; the room takes no longer ones either."""

_LEVELS = 50
"""So deeply an entry may be nested: what Python has read more deeply, it cannot always write."""

_SHARED = 32
"""So many characters of its id a broadcast shares with the messages that stand for it in the file."""

Raw = dict[str, object]
"""An entry as JSON has it."""


class AgentEntry(Record):
    """An agent in agents.json."""

    id: str
    name: str
    registered_at: datetime
    last_seen_at: datetime
    description: str | None = None


class ChannelEntry(Record):
    """A channel in channels.json."""

    id: str
    name: str
    created_by: str
    members: tuple[str, ...]
    created_at: datetime
    description: str | None = None


class MessageEntry(Record):
    """A message to one recipient in messages.json."""

    id: str
    sender: str
    to: str
    body: str
    priority: Priority
    status: Status
    created_at: datetime
    channel: str | None = None
    subject: str | None = None
    expires_at: datetime | None = None
    metadata: dict[str, str] = {}  # noqa: RUF012
    delivered_at: datetime | None = None
    acknowledged_at: datetime | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.status.ended

    @property
    def ended_at(self) -> datetime:
        """When it ended, if it has, as oh-my-msgcode reckons before it clears it away."""
        return self.acknowledged_at or self.expires_at or self.created_at


Entry = AgentEntry | ChannelEntry | MessageEntry

_RECORDS: dict[str, type[Entry]] = {AGENTS: AgentEntry, CHANNELS: ChannelEntry, MESSAGES: MessageEntry}

_KEYS = {
    AGENTS: ("id", "name", "description", "registeredAt", "lastSeenAt"),
    CHANNELS: ("id", "name", "description", "createdBy", "members", "createdAt"),
    MESSAGES: (
        "id", "from", "to", "channel", "subject", "body", "priority", "status", "createdAt", "expiresAt",
        "metadata", "deliveredAt", "acknowledgedAt",
    ),
}  # fmt: skip
"""The keys of each file's entries, in the order in which it writes them."""

_STATUSES = (Status.QUEUED, Status.DELIVERED, Status.ACKNOWLEDGED, Status.EXPIRED)


class Unreadable(ValueError):
    """A file that is no array in JSON; the text says what is wrong with it."""


class Content:
    """What one of the files says."""

    def __init__(self, name: str, data: bytes = b"") -> None:
        self.name = name
        self.data = data
        self.items: list[object] = []
        """All entries, as they stand there."""
        self.raw: dict[str, Raw] = {}
        """Those that can be understood, by id; of several with one id, the first."""
        self.entries: dict[str, Any] = {}
        """The same as records, of the file's own type."""
        self.news: list[Any] = []
        """Those of these that were not, or were otherwise, in the version before."""
        self.odd: list[object] = []
        """The entries that cannot be understood."""
        self.problems: list[str] = []
        """What is wrong with those, and which keys are not known, a sentence each."""
        self.boundaries = data.count(_BOUNDARY)


def parse(name: str, data: bytes, before: Content | None = None) -> Content:
    """What the bytes of the file say. Raises Unreadable.

    before: an earlier reading; the beginning that is the same is not parsed again, and no entry that is the
    same is checked again.
    """
    content = Content(name, data)
    before = before or Content(name)
    shared = _shared_entries(data, before)
    if shared:
        content.items = before.items[:shared]
        content.raw = dict(islice(before.raw.items(), shared))
        content.entries = dict(islice(before.entries.items(), shared))
        if before.problems:
            content.problems = [problem for item in content.items for problem in _unknown_keys(name, item)]
        data = b"[" + data[_end(data, shared) :]
    for item in _array(data):
        _add(content, item, before)
    content.problems = list(dict.fromkeys(content.problems))
    return content


def _add(content: Content, item: object, before: Content) -> None:
    name = content.name
    content.items.append(item)
    id = item.get("id") if isinstance(item, dict) else None
    known = before.entries[id] if type(id) is str and before.raw.get(id) == item else None
    try:
        if not isinstance(item, dict):
            raise IllTyped("an entry is not an object")
        if item.keys() - _KEYS[name] and not _is_writable(item):
            raise IllTyped("it is nested too deeply, or has a number without end")
        entry = known or _checked(from_json(_RECORDS[name], item), item)
    except IllTyped as error:
        where = f"{name}, {visible_line(id)[:MAX_NAME]}" if type(id) is str else name
        if _is_writable(item):  # Of others there is a copy.
            content.odd.append(item)
        content.problems.append(f"{where}: {error}.")
        return
    content.problems += _unknown_keys(name, item)
    if entry.id not in content.raw:
        content.raw[entry.id], content.entries[entry.id] = item, entry
        if not known:
            content.news.append(entry)


def _unknown_keys(name: str, item: Any) -> list[str]:
    return [
        f"{name}: the key {visible_line(key)[:MAX_NAME]!r} is not known here."
        for key in sorted(item.keys() - _KEYS[name])
    ]


def _is_writable(value: object, levels: int = _LEVELS) -> bool:
    """Whether a value is nested no deeper than so many levels, and JSON has it."""
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return levels > 0 and all(_is_writable(item, levels - 1) for item in inner)
    return value not in (float("inf"), float("-inf"))


_BOUNDARY = b"\n  },\n  {"
"""Where an entry ends and another begins. No text can look like this, since none has line ends in JSON."""


def _shared_entries(data: bytes, before: Content) -> int:
    """How many entries, at least, `data` has in common with `before` at its beginning.

    These files grow at their ends, and parsing one of a megabyte takes ten milliseconds.
    """
    if len(before.raw) != len(before.items) or before.boundaries + 1 != len(before.items):
        return 0
    return data.count(_BOUNDARY, 0, _shared_length(data, before.data))


def _end(data: bytes, entries: int) -> int:
    """Where so many entries have ended, with their commas."""
    end = 0
    for _ in range(entries):
        end = data.index(_BOUNDARY, end) + len(_BOUNDARY)
    return end - len(b"\n  {")


def _array(data: bytes) -> list[object]:
    try:
        items = json.loads(data.decode(), parse_constant=_no_json)
    except UnicodeDecodeError:
        raise Unreadable("is not text in UTF-8") from None
    except (ValueError, RecursionError):
        raise Unreadable("is not whole JSON") from None
    if type(items) is not list:
        raise Unreadable("is not an array")
    return items


def _no_json(name: str) -> None:
    raise ValueError(f"{name} is no JSON")  # Python takes it all the same, and would write it.


def _shared_length(one: bytes, other: bytes) -> int:
    """How many bytes both begin with."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _checked(entry: Entry, raw: Raw) -> Entry:
    try:
        json.dumps(raw, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise IllTyped("it has half a surrogate pair, which is no text") from None
    names: tuple[str, ...] = (entry.id,)
    if isinstance(entry, MessageEntry):
        if entry.status not in _STATUSES:
            raise IllTyped("'status' is none of " + ", ".join(_STATUSES))
        names = (entry.id, entry.sender, entry.to, *([entry.channel] if entry.channel else []))
    elif isinstance(entry, ChannelEntry):
        names = (entry.id, entry.created_by, *entry.members)
    for name in names:
        if not 0 < len(name) <= MAX_NAME or visible_line(name) != name or name != name.strip():
            raise IllTyped(f"{visible_line(name)[:MAX_NAME]!r} cannot be an id")
    return entry


def render_entry(raw: object) -> str:
    """An entry as the file holds it, character for character as JavaScript's `JSON.stringify` has it."""
    return json.dumps(raw, ensure_ascii=False, indent=2).replace("\n", "\n  ")


def render(entries: list[str]) -> bytes:
    """The whole file, as `JSON.stringify(..., null, 2)` has it: half a surrogate pair as an escape."""
    return ("[\n  " + ",\n  ".join(entries) + "\n]").encode(errors="backslashreplace") if entries else b"[]"


def raw_entry(name: str, entry: Entry, before: Raw | None = None) -> Raw:
    """The entry as JSON has it, keys in the file's order.

    before: as it stands in the file; keys of it that are not known here are kept.
    """
    fields: dict[str, Any] = to_json(entry)
    raw = {key: fields[key] for key in _KEYS[name] if key in fields}
    if before:
        raw.update({key: value for key, value in before.items() if key not in _KEYS[name]})
    return raw


def agent_entry(agent: Agent, last_seen: datetime | None) -> AgentEntry:
    """An agent of the room; one that was never seen counts as seen when it registered."""
    seen = last_seen or agent.registered_at
    return AgentEntry(agent.id, agent.name, agent.registered_at, seen, agent.description)


def channel_entry(channel: Channel) -> ChannelEntry:
    """A channel of the room."""
    return ChannelEntry(
        channel.id, channel.name, channel.created_by, channel.members, channel.created_at, channel.description
    )


def message_entry(message: Message, agent: str, delivery: Delivery, status: Status) -> MessageEntry:
    """A message of the room as one of its recipients has it, with this status."""
    return MessageEntry(
        entry_id(message, agent),
        message.sender,
        agent,
        message.body,
        message.priority,
        status,
        message.sent_at,
        message.channel,
        message.subject,
        message.expires_at,
        message.metadata,
        delivery.delivered_at,
        delivery.at if status is Status.ACKNOWLEDGED else None,
    )


def entry_id(message: Message, agent: str) -> str:
    """The id under which a recipient's copy of a message is in the file: a broadcast has one for each.

    They begin like the broadcast's own, so that people and agents who know the first characters of one
    know those of the other.
    """
    if len(message.deliveries) == 1:
        return message.id
    return f"{message.id[:_SHARED]}{list(message.deliveries).index(agent):04x}"


def shared_id(id: str) -> str:
    """What the ids of a broadcast and of all its copies in the file begin with."""
    return id[:_SHARED]
