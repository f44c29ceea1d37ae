"""What can be done to messages, and to a room with its agent or channel, as they stand. Pure.

An action that is not possible now says why in its `about`; one that makes no sense there is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from msgcode import Message, decisions
from msgcode.debugger import holds
from msgcode.errors import Refused
from msgcode.questions import Question, open_questions
from msgcode_tui import editor, holding
from msgcode_tui.items import count
from msgcode_tui.live import Live
from msgcode_tui.rooms import EVERYTHING, Room, RoomKind
from msgcode_tui.roster import Arrangement

ONE_ONLY = "One message at a time: take away the marks first."
"""Why something cannot be done to several messages."""


class Action(NamedTuple):
    """Something that the user can do. What `about` says is not made safe to print."""

    id: str
    key: str
    """What chooses it in a menu."""
    title: str
    about: str = ""
    """What it touches; or, in a sentence, why it is not possible now."""
    possible: bool = True


def message_actions(messages: Sequence[Message], room: Room, live: Live, now: datetime) -> list[Action]:
    """What can be done to these messages, which are shown in the room."""
    one = messages[0] if len(messages) == 1 else None
    named = count(len(messages), "message") if not one else ""
    waiting = unacknowledged(messages)
    agent = inbox_agent(messages, room, live)
    found = [
        _single("reply", "r", "Reply", f"to {one.sender}" if one else "", one),
        _unless(
            "" if waiting else "Nobody has to acknowledge it any more.",
            Action("acknowledge", "x", "Acknowledge", _for_whom(waiting)),
        ),
    ]
    if one and (question := question_to(live, one.id, now)):
        found.insert(0, Action("answer", "n", "Answer", ", ".join(question.choices)))
    if agent:
        found.append(_inbox_action("i", agent, live))
    return [
        *found,
        Action("forward", "f", "Forward", named),
        _unless(_unsendable(messages, live), Action("resend", "s", "Send again", named)),
        _single("edit", "e", "Edit", "before anybody has it", one, refusal(one, "edit", live, now)),
        *(_on_each(action, messages, live, now) for action in _CHANGES),
        *_holding(messages, one, live),
        _single("open", "o", "Open its file", _file(one), one, "" if _file(one) else "It names no file."),
        _single("why", "w", "Why?", "what has become of it", one),
        Action("copy", "y", "Copy the text", named),
        Action("copy-thread", "t", "Copy the thread", "all messages of the chain"),
        Action("copy-id", "c", "Copy the id", named),
    ]


_CHANGES = (
    Action("prioritize", "p", "Change the priority"),
    Action("discard", "d", "Discard", "wherever it has not been acknowledged"),
    Action("expire", "l", "Expire", "wherever it has not been delivered"),
)


def _holding(messages: Sequence[Message], one: Message | None, live: Live) -> Iterator[Action]:
    if keeping := holding.keeping(messages, live):
        yield _single("step", "b", "Let it through", "and keep the rest", one)
        names = named([holds.name(hold) for hold in keeping])
        yield Action("release", "m", "Release what holds it", names)
    elif one and any(delivery.to_come for delivery in one.deliveries.values()):
        yield Action("hold", "h", "Hold it", "until somebody lets it through")
    if one and not any(hold.thread == one.thread for hold in live.state.holds.values()):
        yield Action("hold-thread", "g", "Hold its thread", "what is still to come of it, too")


def _unless(reason: str, action: Action) -> Action:
    return action._replace(about=reason, possible=False) if reason else action


def _single(id: str, key: str, title: str, about: str, one: Message | None, reason: str = "") -> Action:
    return _unless(reason if one else ONE_ONLY, Action(id, key, title, about))


def _on_each(action: Action, messages: Sequence[Message], live: Live, now: datetime) -> Action:
    reasons = [refusal(message, action.id, live, now) for message in messages]
    if all(reasons):
        return _unless(reasons[0], action)
    able = reasons.count("")
    return action._replace(about=f"{able:,} of {len(reasons):,}") if able < len(reasons) else action


def refusal(message: Message | None, action: str, live: Live, now: datetime) -> str:
    """Why the message cannot be edited, discarded, expired or given another priority; "" if it can."""
    if message is None:
        return ""
    state, me = live.state, live.me
    dry_runs: dict[str, Callable[[Message], object]] = {
        "edit": lambda found: decisions.edit(state, now, found, found.body, found.subject, me),
        "prioritize": lambda found: decisions.prioritize(state, found, found.priority, me),
        "discard": lambda found: decisions.discard(state, found, None, me),
        "expire": lambda found: decisions.expire(found, me),
    }
    try:
        dry_runs[action](message)
    except Refused as error:
        sentence = str(error).removeprefix(f"message {message.id} ")
        return f"It {sentence}" if sentence != str(error) else sentence
    return ""


def unacknowledged(messages: Iterable[Message]) -> list[tuple[Message, str]]:
    """The messages with each agent that they have not ended for."""
    return [
        (message, agent)
        for message in messages
        for agent, delivery in message.deliveries.items()
        if not delivery.status.ended
    ]


def inbox(agent: str, live: Live) -> list[tuple[Message, str]]:
    """What waits for the agent, in the order in which it would read it."""
    messages = live.state.messages
    return [(messages[id], agent) for id in live.state.inbox(agent)]


def inbox_agent(messages: Sequence[Message], room: Room, live: Live) -> str | None:
    """Whose inbox is meant: that of the room's agent, or of the only one to whom the messages are."""
    recipients = {agent for message in messages for agent in message.deliveries}
    return room.partner(live.me) or (recipients.pop() if len(recipients) == 1 else None)


def question_to(live: Live, id: str | None, now: datetime) -> Question | None:
    """What the message with this id asks the user, if it is a question that waits for their answer."""
    message = live.state.messages.get(id or "")
    return next(iter(open_questions([message], live.me, now)), None) if message else None


def _for_whom(waiting: Sequence[tuple[Message, str]]) -> str:
    agents = list(dict.fromkeys(agent for _, agent in waiting))
    whom = f"for {named(agents)}"
    messages = len({message.id for message, _ in waiting})
    return whom if messages == 1 else f"{count(messages, 'message')} {whom}"


def named(names: Sequence[str]) -> str:
    """The names as one says them; of many, the first."""
    if len(names) > 3:
        return f"{', '.join(names[:2])} and {len(names) - 2:,} more"
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]])) if names else "nobody"


def _inbox_action(key: str, agent: str, live: Live) -> Action:
    waiting = live.waiting(agent)
    about = f"{count(waiting, 'message')} for {agent}"
    reason = "" if waiting else f"Nothing waits for {agent}."
    return _unless(reason, Action("acknowledge-inbox", key, "Acknowledge all in the inbox", about))


def _unsendable(messages: Sequence[Message], live: Live) -> str:
    gone = [message.sender for message in messages if message.sender not in live.state.agents]
    return f"{gone[0]} is not registered, and so cannot send." if gone else ""


def _file(message: Message | None) -> str:
    places = editor.places(message) if message else []
    return places[0].file if places else ""


def room_actions(room: Room, live: Live, arrangement: Arrangement) -> list[Action]:
    """What can be done to a room and to its agent or channel, and to the list."""
    found = []
    if room != EVERYTHING:
        title = "Unpin" if room in arrangement.pinned else "Pin"
        found.append(Action("pin", "p", title, "at the top of the list"))
    title = "Unmute" if room in arrangement.muted else "Mute"
    found.append(Action("mute", "m", title, "tells you of nothing there"))
    if holding.holds_on(room, live):
        found.append(Action("release", "h", "Release", "what is held here goes on"))
    else:
        found.append(Action("hold", "h", "Hold", "nothing is delivered until released"))
    if room.kind is RoomKind.CHANNEL:
        found += _channel_actions(room.names[0], live)
    elif agent := room.partner(live.me):
        found += _agent_actions(agent, live)
    return [
        *found,
        Action("create-channel", "c", "Create a channel", "you are its first member"),
        Action("register", "r", "Register an agent", "whose session may come later"),
    ]


def _channel_actions(id: str, live: Live) -> Iterator[Action]:
    channel = live.state.channels.get(id)
    if channel is None:
        yield Action("create-channel-here", "n", "Create this channel", "nobody has yet")
        return
    if live.me in channel.members:
        yield Action("leave", "o", "Leave the channel")
    else:
        yield Action("join", "i", "Join the channel")
    others = outside(id, live)
    yield _unless("" if others else "All are in it.", Action("add-member", "a", "Let an agent join"))
    members = [agent for agent in channel.members if agent != live.me]
    yield _unless(
        "" if members else "Nobody else is in it.",
        Action("remove-member", "t", "Take an agent out", named(members)),
    )


def outside(channel: str, live: Live) -> list[str]:
    """The other agents that are not in the channel."""
    known = live.state.channels.get(channel)
    members = known.members if known else ()
    return [agent for agent in live.state.agents if agent not in members and agent != live.me]


def channels_of(agent: str, live: Live, *, member: bool = True) -> list[str]:
    """The channels in which the agent is, or those in which it is not."""
    return [id for id, channel in live.state.channels.items() if (agent in channel.members) is member]


def _agent_actions(agent: str, live: Live) -> Iterator[Action]:
    yield _inbox_action("x", agent, live)
    if agent not in live.state.agents:
        yield Action("register-here", "n", "Register this agent", agent)
        return
    joinable, joined = channels_of(agent, live, member=False), channels_of(agent, live)
    yield _unless(
        "" if joinable else f"{agent} is in every channel.",
        Action("join-channel", "a", "Let it join a channel"),
    )
    yield _unless(
        "" if joined else f"{agent} is in no channel.",
        Action("leave-channel", "t", "Take it out of a channel", named([f"#{id}" for id in joined])),
    )
    yield Action("unregister", "u", "Unregister the agent", agent)
