"""What the list of rooms says, row by row. Pure: time is passed in."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from msgcode import Activity
from msgcode_tui.activity import MINUTES, sparkline
from msgcode_tui.fuzzy import match
from msgcode_tui.health import age, oldest_waiting
from msgcode_tui.live import Live
from msgcode_tui.rooms import EVERYTHING, Room, RoomKind, channel_room, pair_room

ACTIVITY_MARKS = {
    Activity.IDLE: "●",
    Activity.BUSY: "◐",
    Activity.BLOCKED: "■",
    Activity.OFFLINE: "○",
    Activity.UNKNOWN: "○",
}

_LONG, _SHORT = 14, 6
"""How wide the columns are that say what waits: `9 waiting, 12m` and `9·12m`."""

Part = tuple[str, str]
"""A text and the name of the style in which it is drawn."""


class Section(StrEnum):
    """A part of the list, with a heading."""

    PINNED = "Pinned"
    AGENTS = "Agents"
    CHANNELS = "Channels"
    CONVERSATIONS = "Conversations"


class Queue(StrEnum):
    """A row that leads to a list of its own."""

    QUESTIONS = "Questions"


Place = Room | Section | Queue
"""What the cursor can be on: a room, the heading of a collapsed section, or a queue."""


class Arrangement(NamedTuple):
    """How the user has arranged the list."""

    pinned: tuple[Room, ...] = ()
    muted: frozenset[Room] = frozenset()
    collapsed: frozenset[Section] = frozenset()

    def pin(self, room: Room) -> Arrangement:
        """With the room pinned; or not, if it was."""
        pinned = tuple(other for other in self.pinned if other != room)
        return self._replace(pinned=pinned if room in self.pinned else (*pinned, room))

    def mute(self, room: Room) -> Arrangement:
        """With the room muted; or not, if it was."""
        return self._replace(muted=self.muted ^ {room})

    def collapse(self, section: Section) -> Arrangement:
        """With the section collapsed; or not, if it was."""
        return self._replace(collapsed=self.collapsed ^ {section})


AS_IT_COMES = Arrangement()
"""How the list is before the user has arranged it."""


class Row(NamedTuple):
    """One row of the list: a heading where it has no room and no queue, a note where it says more about the
    row above."""

    text: str
    room: Room | None = None
    section: Section | None = None
    """The section that it belongs to."""
    queue: Queue | None = None
    is_note: bool = False
    is_collapsed: bool = False
    mark: str = ""
    activity: Activity | None = None
    """What the row's agent is doing."""
    speakers: tuple[str, ...] = ()
    """The agents that the text names, to be drawn in their colours."""
    asides: tuple[tuple[Part, ...], ...] = ()
    """What is said at the right, longest first: the first for which there is room."""
    unread: int = 0
    is_muted: bool = False
    has_draft: bool = False

    @property
    def place(self) -> Place | None:
        """What the cursor can be on here."""
        if self.is_note:
            return None
        return self.room or self.queue or (self.section if self.is_collapsed else None)


class _Entry(NamedTuple):
    """A room with its rows before they are put in order."""

    room: Room
    name: str
    rows: list[Row]


def roster(
    live: Live,
    now: datetime,
    arrangement: Arrangement = AS_IT_COMES,
    *,
    selected: Room = EVERYTHING,
    drafts: Collection[Room] = (),
    filter: str = "",
    order: Sequence[Room] = (),
) -> list[Row]:
    """All rows: everything, the questions to the user if there are any, what is pinned, agents, channels,
    conversations that no agent's row stands for.

    drafts: the rooms in which something has been begun. filter: only rooms whose names match it.
    order: the rooms as they are shown now, if they shall not change places; new ones then come last.
    """
    sections = {
        Section.AGENTS: _agents(live, now),
        Section.CHANNELS: _channels(live),
        Section.CONVERSATIONS: _conversations(live),
    }
    entries = {entry.room: entry for found in sections.values() for entry in found}
    places = {room: place for place, room in enumerate(order)}
    sections = {
        section: [entry for entry in found if entry.room not in arrangement.pinned]
        for section, found in sections.items()
    }
    if places:
        for found in sections.values():
            found.sort(key=lambda entry: places.get(entry.room, len(places)))
    pinned = [entries[room] for room in arrangement.pinned if room in entries]
    rows = []
    if match(filter, "everything"):
        rows.append(Row("Everything", EVERYTHING, mark="≡", unread=live.index.unread_count(EVERYTHING)))
    asked = len(live.questions(now))
    if asked and match(filter, Queue.QUESTIONS):
        rows.append(Row(Queue.QUESTIONS, queue=Queue.QUESTIONS, mark="?", unread=asked))
    for section, found in {Section.PINNED: pinned, **sections}.items():
        found = [entry for entry in found if match(filter, entry.name)]
        if found:
            collapsed = section in arrangement.collapsed and not filter
            shown = [entry for entry in found if entry.room == selected] if collapsed else found
            rows += [Row(""), _heading(section, found, live, collapsed)]
            rows += [row._replace(section=section) for entry in shown for row in entry.rows]
    return [
        row._replace(is_muted=row.room in arrangement.muted, has_draft=row.room in drafts and not row.is_note)
        if row.room
        else row
        for row in rows
    ]


def _heading(section: Section, entries: list[_Entry], live: Live, is_collapsed: bool) -> Row:
    asides: tuple[tuple[Part, ...], ...] = ()
    unread = sum(live.index.unread_count(entry.room) for entry in entries) if is_collapsed else 0
    if section is Section.AGENTS and live.knows_presence:
        online = sum(entry.rows[0].activity is not Activity.OFFLINE for entry in entries)
        asides = (
            (((f"{online} of {len(entries)} online"), "muted"),),
            ((f"{online}/{len(entries)}", "muted"),),
        )
    return Row(section, section=section, is_collapsed=is_collapsed, asides=asides, unread=unread)


def _agents(live: Live, now: datetime) -> list[_Entry]:
    others = [agent for agent in live.state.agents.values() if agent.id != live.me]
    others.sort(key=lambda agent: (not live.presence(agent.id).online, agent.id))
    entries = []
    for agent in others:
        room = pair_room(live.me, agent.id)
        activity, _, reason, _ = live.presence(agent.id)
        harness = agent.session.harness if agent.session else ""
        row = Row(
            agent.id,
            room,
            mark=ACTIVITY_MARKS[activity],
            activity=activity,
            speakers=(agent.id,),
            asides=_agent_asides(agent.id, harness, live, now),
            unread=live.index.unread_count(room),
        )
        about = f"{reason} · {harness}" if harness else reason or ""
        note = [Row(about, room, is_note=True, activity=activity)] if reason else []
        entries.append(_Entry(room, agent.id, [row, *note]))
    return entries


def _agent_asides(agent: str, harness: str, live: Live, now: datetime) -> tuple[tuple[Part, ...], ...]:
    """What is said of an agent, in columns that get narrower. What waits for it is left out last."""
    counts = live.traffic.of(agent, now)
    waiting, since = live.waiting(agent), oldest_waiting(live, agent)
    how_old = age(since, now) if since else ""
    long = f"{waiting:,} waiting, {how_old}" if since else ""
    short = f"{waiting if waiting < 1000 else '999+'}·{how_old}" if since else ""
    program, bars = (harness, "muted"), (f"{sparkline(counts):{MINUTES}}", "traffic")
    few_bars = (f"{sparkline(counts, MINUTES // 2):{MINUTES // 2}}", "traffic")
    told = (f"{short:>{_SHORT}}", "waiting")
    told_long = (f"{long:>{_LONG}}", "waiting")
    bars_or_program = bars if any(counts) else (f"{harness:>{MINUTES}}", "muted")
    return (
        (program, bars, told_long),
        (bars_or_program, told_long),
        (bars_or_program, told),
        (few_bars, told),
        ((short, "waiting"),),
    )


def _channels(live: Live) -> list[_Entry]:
    ids = sorted({*live.state.channels, *live.index.channels()})
    entries = []
    for id in sorted(ids, key=lambda id: _newest(channel_room(id), live), reverse=True):
        channel = live.state.channels.get(id)
        members = len(channel.members) if channel else 0
        room = channel_room(id)
        asides = (((f"{members} member{'s' * (members != 1)}", "muted"),), ((str(members), "muted"),))
        row = Row(id, room, mark="#", asides=asides, unread=live.index.unread_count(room))
        entries.append(_Entry(room, id, [row]))
    return entries


def _conversations(live: Live) -> list[_Entry]:
    pairs = [
        room
        for room in live.index.pairs()
        if (partner := room.partner(live.me)) is None or partner not in live.state.agents
    ]
    pairs.sort(key=lambda room: _newest(room, live), reverse=True)
    return [
        _Entry(
            room,
            " ".join(room.names),
            [Row(" ⇄ ".join(room.names), room, speakers=room.names, unread=live.index.unread_count(room))],
        )
        for room in pairs
    ]


def _newest(room: Room, live: Live) -> int:
    messages = live.index.messages(room)
    return live.state.messages[messages[-1]].seq if messages else 0


def rooms_in(rows: Iterable[Row]) -> list[Room]:
    """The rooms that the rows stand for, in their order."""
    return [row.room for row in rows if row.room and not row.is_note]


def room_title(room: Room, live: Live) -> str:
    """The room's name as people write it."""
    if room.kind is RoomKind.EVERYTHING:
        return "Everything"
    if room.kind is RoomKind.CHANNEL:
        return f"#{room.names[0]}"
    return room.partner(live.me) or " ⇄ ".join(room.names)


def room_about(room: Room, live: Live) -> str:
    """What the room is, in one line."""
    if room.kind is RoomKind.CHANNEL:
        channel = live.state.channels.get(room.names[0])
        if channel is None:
            return "nobody has created this channel"
        about = [channel.description] if channel.description else []
        return " · ".join([*about, ", ".join(channel.members) or "no members"])
    partner = room.partner(live.me)
    agent = live.state.agents.get(partner) if partner else None
    if partner and agent:
        presence = live.presence(partner)
        state = f"{presence.activity}: {presence.reason}" if presence.reason else str(presence.activity)
        name = agent.name if agent.name != agent.id else ""
        harness = agent.session.harness if agent.session else ""
        return " · ".join(filter(None, [name, agent.description, harness, state]))
    if partner:
        return "not registered"
    count = len(live.index.messages(room))
    return f"{count:,} message{'s' * (count != 1)}"
