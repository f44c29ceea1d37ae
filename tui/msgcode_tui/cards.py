"""What the inspector says of an agent, a channel, or the whole room. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from msgcode import Activity, Message, Priority
from msgcode_tui import times
from msgcode_tui.items import BLANK, Item, count, reference, section
from msgcode_tui.live import Live
from msgcode_tui.rooms import EVERYTHING, Room, RoomKind, channel_room, pair_room
from msgcode_tui.roster import ACTIVITY_MARKS

RECENT = 5
_LOOKED_THROUGH = 1000
"""Of so many of the newest messages in the room, an agent's own are shown."""

_TONES = {
    Activity.IDLE: "done",
    Activity.BUSY: "warning",
    Activity.BLOCKED: "failed",
    Activity.OFFLINE: "muted",
    Activity.UNKNOWN: "muted",
}


def room_card(live: Live, room: Room, now: datetime) -> list[Item]:
    """Whose room it is: the agent the user talks to, two agents, a channel, or everybody."""
    if room.kind is RoomKind.CHANNEL:
        return _channel(live, room.names[0])
    if room.kind is RoomKind.EVERYTHING:
        return _everything(live)
    partner = room.partner(live.me)
    first, *others = [_agent(live, name, now) for name in ([partner] if partner else room.names)]
    return [*first, *(item for card in others for item in (BLANK, *card))]


def _presence(live: Live, agent: str) -> Item:
    activity, _, reason, _ = live.presence(agent)
    text = f"{activity}: {reason}" if reason else str(activity)
    return Item(f"{ACTIVITY_MARKS[activity]} {text}", _TONES[activity])


def _agent(live: Live, id: str, now: datetime) -> list[Item]:
    agent = live.state.agents.get(id)
    if agent is None:
        return [Item(id, "title"), Item("not registered", "warning"), *_inbox(live, id, now)]
    title = Item(id, "title", aside="human" if agent.human else "")
    items = [
        title,
        *(Item(text) for text in (agent.name if agent.name != id else "", agent.description) if text),
    ]
    items.append(_presence(live, id))
    last_seen = live.presence(id).last_seen
    facts = [] if last_seen is None else [("seen", f"{times.duration(now - last_seen)} ago")]
    facts.append(("joined", times.moment(agent.registered_at)))
    if agent.session:
        facts += [("in", f"{agent.session.harness} {agent.session.id}")]
        facts += [("at", agent.session.directory)] if agent.session.directory else []
        facts += [("since", times.moment(agent.bound_at))] if agent.bound_at else []
    items += [Item(text, "muted", lead=f"{label:7}") for label, text in facts]
    items += _inbox(live, id, now)
    own = [channel.id for channel in live.state.channels.values() if id in channel.members]
    items += section("Channels", (Item(f"#{name}", target=channel_room(name)) for name in sorted(own)))
    items += section("Lately", map(reference, islice(_newest_of(live, id), RECENT)))
    return items


def _inbox(live: Live, agent: str, now: datetime) -> list[Item]:
    inbox = live.state.inbox(agent)
    waiting = [live.state.messages[id] for id in inbox]
    if not waiting:
        return section("Inbox", [Item("empty", "muted")])
    by_priority = [(priority, len(inbox.waiting[priority])) for priority in Priority]
    words = [f"{number} {priority}" for priority, number in by_priority if number]
    undelivered = sum(map(len, inbox.undelivered.values()))
    oldest = min(waiting, key=lambda message: message.seq)
    age = times.duration(now - oldest.sent_at)
    return section(
        "Inbox",
        [
            Item(", ".join(words), "warning" if undelivered else ""),
            Item(f"{undelivered} of them not delivered yet" if undelivered else "all delivered", "muted"),
            Item(f"the oldest waits for {age}", "muted"),
            reference(oldest, "oldest "),
        ],
        aside=f"{len(waiting):,} waiting",
    )


def _newest_of(live: Live, agent: str) -> Iterator[Message]:
    ids = live.index.messages(EVERYTHING)
    for id in islice(reversed(ids), _LOOKED_THROUGH):
        message = live.state.messages[id]
        if message.sender == agent or agent in message.deliveries:
            yield message


def _channel(live: Live, id: str) -> list[Item]:
    channel = live.state.channels.get(id)
    ids = live.index.messages(channel_room(id))
    size = Item(count(len(ids), "message"), "muted")
    if channel is None:
        return [Item(f"#{id}", "title"), Item("nobody has created this channel", "warning"), size]
    items = [Item(f"#{id}", "title")]
    items += [
        Item(text) for text in (channel.name if channel.name != id else "", channel.description) if text
    ]
    items.append(Item(f"created by {channel.created_by}, {times.moment(channel.created_at)}", "muted"))
    items.append(size)
    members = [_member(live, agent) for agent in channel.members]
    items += section("Members", members or [Item("nobody", "muted")], aside=str(len(members)))
    items += section("Lately", (reference(live.state.messages[id]) for id in reversed(ids[-RECENT:])))
    return items


def _member(live: Live, agent: str) -> Item:
    activity, _, reason, _ = live.presence(agent)
    text = f"{ACTIVITY_MARKS[activity]} {agent}"
    if agent == live.me:
        return Item(f"{text} (you)")
    return Item(f"{text}: {reason}" if reason else text, _TONES[activity], target=pair_room(live.me, agent))


def _everything(live: Live) -> list[Item]:
    state = live.state
    waiting = [(agent, len(inbox)) for agent, inbox in state.inboxes.items()]
    waiting.sort(key=lambda pair: (-pair[1], pair[0]))
    items = [
        Item("Everything", "title"),
        Item(count(len(state.messages), "message"), "muted"),
        Item(f"{count(len(state.agents), 'agent')}, {len(live.online())} online", "muted"),
        Item(count(len(state.channels), "channel"), "muted"),
    ]
    for agent, number in waiting[:RECENT]:
        if not items[-1].target:
            items += section("Waiting", [Item("in the fullest inboxes", "muted")])
        items.append(Item(agent, aside=str(number), target=pair_room(live.me, agent)))
    return items
