"""What the list of rooms says, row by row. Pure."""

from __future__ import annotations

from typing import NamedTuple

from msgcode import Activity
from msgcode_tui.live import Live
from msgcode_tui.rooms import EVERYTHING, Room, RoomKind, channel_room, pair_room

ACTIVITY_MARKS = {
    Activity.IDLE: "●",
    Activity.BUSY: "◐",
    Activity.BLOCKED: "■",
    Activity.OFFLINE: "○",
}


class Row(NamedTuple):
    """One row of the list: a heading where it has no room, a note where it says more about the row above."""

    text: str
    room: Room | None = None
    is_note: bool = False
    mark: str = ""
    activity: Activity | None = None
    """What the row's agent is doing."""
    speakers: tuple[str, ...] = ()
    """The agents that the text names, to be drawn in their colours."""
    aside: str = ""
    """Said at the right, if there is room."""
    unread: int = 0


def roster(live: Live) -> list[Row]:
    """All rows: everything, then agents, channels, and the conversations that no agent's row stands for."""
    index = live.index
    others = [agent for agent in live.state.agents.values() if agent.id != live.me]
    others.sort(key=lambda agent: (not live.presence(agent.id).online, agent.id))
    rows = [Row("Everything", EVERYTHING, mark="≡", unread=index.unread_count(EVERYTHING))]
    if others:
        online = sum(live.presence(agent.id).online for agent in others)
        rows += [Row(""), Row("Agents", aside=f"{online} of {len(others)} online")]
    own = set()
    for agent in others:
        room = pair_room(live.me, agent.id)
        own.add(room)
        rows += _agent_rows(agent.id, room, live)
    channels = sorted({*live.state.channels, *index.channels()})
    if channels:
        rows += [Row(""), Row("Channels")]
    for id in channels:
        channel = live.state.channels.get(id)
        members = len(channel.members) if channel else 0
        room = channel_room(id)
        aside = f"{members} member{'s' * (members != 1)}"
        rows.append(Row(id, room, mark="#", aside=aside, unread=index.unread_count(room)))
    pairs = [room for room in index.pairs() if room not in own]
    pairs.sort(key=lambda room: live.state.messages[index.messages(room)[-1]].seq, reverse=True)
    if pairs:
        rows += [Row(""), Row("Conversations")]
    rows += [_pair_row(room, index.unread_count(room)) for room in pairs]
    return rows


def _agent_rows(agent: str, room: Room, live: Live) -> list[Row]:
    activity, _, reason = live.presence(agent)
    words = [] if activity in (Activity.IDLE, Activity.OFFLINE) else [str(activity)]
    if waiting := live.waiting(agent):
        words.append(f"{waiting} waiting")
    row = Row(
        agent,
        room,
        mark=ACTIVITY_MARKS[activity],
        activity=activity,
        speakers=(agent,),
        aside=" · ".join(words),
        unread=live.index.unread_count(room),
    )
    return [row, Row(reason, room, is_note=True, activity=activity)] if reason else [row]


def _pair_row(room: Room, unread: int) -> Row:
    return Row(" ⇄ ".join(room.names), room, speakers=room.names, unread=unread)


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
        about = [agent.name] if agent.name != agent.id else []
        return " · ".join([*about, *([agent.description] if agent.description else []), state])
    if partner:
        return "not registered"
    count = len(live.index.messages(room))
    return f"{count:,} message{'s' * (count != 1)}"
