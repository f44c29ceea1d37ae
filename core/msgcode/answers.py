"""Model objects and events in words: the text that the CLI, the TUI and OpenCode show.

All of it is fit for a terminal: whatever came from a message, an agent or a channel is made visible here.
"""

from __future__ import annotations

from msgcode.debugger import holds
from msgcode.events import (
    AgentBound,
    AgentHeard,
    AgentRegistered,
    AgentUnregistered,
    BreakpointAdded,
    BreakpointRemoved,
    BreakpointSwitched,
    ChannelCreated,
    ChannelJoined,
    ChannelLeft,
    Event,
    HoldPlaced,
    HoldReleased,
    JournalReset,
    LineDamaged,
    MessageAcknowledged,
    MessageClaimed,
    MessageDelivered,
    MessageDiscarded,
    MessageEdited,
    MessageExpired,
    MessageFailed,
    MessagePassed,
    MessagePrioritized,
    MessageRanked,
    MessageSent,
    RoomPurged,
    Unknown,
)
from msgcode.model import Priority, Status
from msgcode.text import visible, visible_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime
    from typing import Any

    from msgcode.mirror.mirror import Peers
    from msgcode.model import Agent, Channel, Delivery, Message, Presence

    Paint = Callable[[str, str], str]

SHORT_ID = 8
"""Characters of a message id that people are shown; any verb takes so many for the whole."""

_SUMMARY = 100

_PRIORITY_STYLE = {Priority.URGENT: "red", Priority.HIGH: "yellow", Priority.LOW: "dim"}


def plain(text: str, style: str) -> str:
    """Paint nothing: the text as it is."""
    return text


def ansi(text: str, style: str) -> str:
    """Paint for a terminal: `style` is one of the names in `_SGR`."""
    return f"\x1b[{_SGR[style]}m{text}\x1b[0m"


_SGR = {"bold": 1, "dim": 2, "red": 31, "green": 32, "yellow": 33, "cyan": 36}


def message_block(message: Message, paint: Paint, status: Status | None = None) -> str:
    """A message as its recipient reads it: a line with who, what and when, then the body, indented.

    status: how far it has come, for somebody else who looks.
    """
    head = [
        paint(message.id[:SHORT_ID], "cyan"),
        clock_time(message.sent_at),
        paint(speaker(message.sender, message.by), "bold"),
    ]
    if message.priority is not Priority.NORMAL:
        head.append(paint(message.priority.upper(), _PRIORITY_STYLE[message.priority]))
    if message.channel:
        head.append(f"#{visible_line(message.channel)}")
    if message.subject:
        head.append(paint(visible_line(message.subject), "bold"))
    if message.edited:
        head.append(paint(f"edited by {visible_line(message.edited.by)}", "dim"))
    if status:
        head.append(paint(f"({status})", "dim"))
    lines = ["  ".join(head), *visible(message.body).split("\n")]
    lines += [f"{visible_line(key)}: {visible_line(value)}" for key, value in message.metadata.items()]
    return "\n    ".join(lines)


def original_block(message: Message) -> str | None:
    """What was first written, if the message was edited since."""
    if not message.edited:
        return None
    head = f"first written ({clock_time(message.sent_at)}):"
    if message.edited.subject:
        head += f" {visible_line(message.edited.subject)}"
    return "\n    ".join([head, *visible(message.edited.body).split("\n")])


def message_line(message: Message, paint: Paint) -> str:
    """A message as one line of a list, which may leave out the end of its text."""
    return f"{paint(clock_time(message.sent_at), 'dim')} {_summary(message, message.recipients, paint)}"


def delivery_line(agent: str, delivery: Delivery) -> str:
    """How far a message has come at one recipient, and what went wrong on the way."""
    by = f" by {delivery.by}" if delivery.by and delivery.by != agent else ""
    failures = [f"failed: {reason}" for reason in delivery.failures]
    return visible_line("; ".join([f"{agent}: {delivery.status}{by}, {clock_time(delivery.at)}", *failures]))


def agent_line(agent: Agent, presence: Presence, waiting: int, width: int, paint: Paint) -> str:
    """An agent with its presence and how much waits for it; its id padded to `width` cells."""
    mark = paint("●", "green") if presence.online else paint("○", "dim")
    state = str(presence.activity)
    if presence.reason:
        state += f": {visible_line(presence.reason)}"
    parts = [f"{mark} {agent.id:{width}}  {state:7}"]
    if waiting:
        parts.append(paint(f"{waiting} waiting", "yellow"))
    if agent.name != agent.id:
        parts.append(visible_line(agent.name))
    if agent.description:
        parts.append(paint(visible_line(agent.description), "dim"))
    if agent.human:
        parts.append(paint("human", "dim"))
    if agent.session:
        parts.append(paint(visible_line(agent.session.place), "dim"))
    return "  ".join(parts)


def channel_line(channel: Channel, paint: Paint) -> str:
    """A channel with its members."""
    title = f" {visible_line(channel.name)}" if channel.name != channel.id else ""
    members = ", ".join(channel.members) or "nobody"
    return f"{paint(f'#{channel.id}', 'bold')}{title}: {members}"


def speaker(sender: str, by: str | None) -> str:
    """Who speaks, and for whom a human does."""
    return visible_line(f"{sender} (by {by})" if by else sender)


def clock_time(moment: datetime) -> str:
    """The local time of day; with its date unless that is today's."""
    local = moment.astimezone()
    today = local.now(local.tzinfo).date()
    return local.strftime("%H:%M:%S" if local.date() == today else "%Y-%m-%d %H:%M:%S")


def behind_words(since: datetime) -> str:
    """That the room's servers cannot be reached since then."""
    return f"NATS cannot be reached since {clock_time(since)}: this is the room as it was then."


def event_line(event: Event, paint: Paint) -> str:
    """An event as one line of a feed."""
    return f"{paint(clock_time(event.at), 'dim')} {event_words(event, paint)}"


def event_words(event: Event, paint: Paint) -> str:
    """What has happened, in one line, without the time."""
    describe: Callable[[Any, Paint], str] = _DESCRIPTIONS[type(event.fact)]
    return describe(event.fact, paint)


def _sent(fact: MessageSent, paint: Paint) -> str:
    return _summary(fact, fact.to, paint)


def _summary(message: MessageSent | Message, recipients: tuple[str, ...], paint: Paint) -> str:
    to = (
        recipients[0]
        if len(recipients) == 1
        else f"{len(recipients)} {'members' if message.channel else 'agents'}"
    )
    if message.channel:
        to += f" of #{message.channel}" if len(recipients) != 1 else f" in #{message.channel}"
    urgency = (
        ""
        if message.priority is Priority.NORMAL
        else paint(message.priority.upper(), _PRIORITY_STYLE[message.priority]) + " "
    )
    who = paint(speaker(message.sender, message.by), "bold")
    text = _beginning(message.subject, message.body)
    return f"{_id(message, paint)} {who} → {visible_line(to)}: {urgency}{text}"


def _beginning(subject: str | None, body: str) -> str:
    beginning = body[: 2 * _SUMMARY]
    text = visible_line(f"{subject}: {beginning}" if subject else beginning)
    return text if len(text) <= _SUMMARY else f"{text[: _SUMMARY - 1]}…"


def _id(fact: Any, paint: Paint) -> str:
    return paint(visible_line(fact.id)[:SHORT_ID], "cyan")


def _who(fact: Any) -> str:
    return speaker(fact.agent, fact.by)


def _breakpoint_added(fact: BreakpointAdded, paint: Paint) -> str:
    from msgcode.debugger.breakpoints import describe  # Who sends need not read that.

    words = visible_line(describe(fact.breakpoint))
    return f"breakpoint {fact.breakpoint.number} set by {visible_line(fact.by)}: {words}"


_DESCRIPTIONS: dict[type, Callable[[Any, Paint], str]] = {
    AgentRegistered: lambda fact, paint: f"{visible_line(fact.id)} registered as {visible_line(fact.name)}",
    AgentBound: lambda fact, paint: f"{visible_line(fact.agent)} lives in {visible_line(fact.session.place)}",
    AgentUnregistered: lambda fact, paint: f"{visible_line(fact.id)} unregistered",
    AgentHeard: lambda fact, paint: (
        f"{visible_line(fact.agent)} last heard {paint(visible_line(fact.message)[:SHORT_ID], 'cyan')}"
    ),
    ChannelCreated: lambda fact, paint: (
        f"{visible_line(fact.created_by)} created #{visible_line(fact.id)} ({visible_line(fact.name)})"
    ),
    ChannelJoined: lambda fact, paint: f"{visible_line(fact.agent)} joined #{visible_line(fact.channel)}",
    ChannelLeft: lambda fact, paint: f"{visible_line(fact.agent)} left #{visible_line(fact.channel)}",
    MessageSent: _sent,
    MessageEdited: lambda fact, paint: (
        f"{_id(fact, paint)} edited by {visible_line(fact.by)}: {_beginning(fact.subject, fact.body)}"
    ),
    MessagePassed: lambda fact, paint: (
        f"{_id(fact, paint)} let through to {visible_line(fact.agent)} by {visible_line(fact.by)}"
    ),
    MessageRanked: lambda fact, paint: f"{_id(fact, paint)} moved by {visible_line(fact.by)}",
    HoldPlaced: lambda fact, paint: (
        f"{paint(visible_line(holds.name(fact.hold)), 'yellow')} held: {visible_line(holds.words(fact.hold))}"
    ),
    HoldReleased: lambda fact, paint: f"hold {fact.number} released by {visible_line(fact.by)}",
    BreakpointAdded: _breakpoint_added,
    BreakpointSwitched: lambda fact, paint: (
        f"breakpoint {fact.number} {'enabled' if fact.enabled else 'disabled'} by {visible_line(fact.by)}"
    ),
    BreakpointRemoved: lambda fact, paint: f"breakpoint {fact.number} removed by {visible_line(fact.by)}",
    MessagePrioritized: lambda fact, paint: (
        f"{_id(fact, paint)} made {visible_line(fact.priority)} by {visible_line(fact.by)}"
    ),
    MessageClaimed: lambda fact, paint: (
        f"{_id(fact, paint)} claimed for {visible_line(fact.agent)} by {visible_line(fact.by)}"
    ),
    MessageDelivered: lambda fact, paint: (
        f"{_id(fact, paint)} delivered to {visible_line(fact.agent)}"
        + (f" by {visible_line(fact.by)}" if fact.by != fact.agent else "")
    ),
    MessageFailed: lambda fact, paint: (
        f"{_id(fact, paint)} {paint('failed', 'red')} for {visible_line(fact.agent)} "
        f"at {visible_line(fact.by)}: {visible_line(fact.reason)}"
    ),
    MessageAcknowledged: lambda fact, paint: f"{_id(fact, paint)} acknowledged by {_who(fact)}",
    MessageExpired: lambda fact, paint: f"{_id(fact, paint)} expired for {_who(fact)}",
    MessageDiscarded: lambda fact, paint: f"{_id(fact, paint)} discarded for {_who(fact)}",
    RoomPurged: lambda fact, paint: (
        f"what had ended before {clock_time(fact.before)} was purged"
        + (f" by {visible_line(fact.by)}" if fact.by else "")
    ),
    Unknown: lambda fact, paint: f"{visible_line(fact.type)} (not known to this version)",
    LineDamaged: lambda fact, paint: (
        f"{paint('damaged', 'red')} {fact.file}:{fact.line}: {visible_line(fact.reason)}"
    ),
    JournalReset: lambda fact, paint: "files of the store were deleted; what is left follows",
}


def peer_lines(peers: Peers | None, paint: Paint) -> list[str]:
    """Whether oh-my-msgcode shares the folder, and what is wrong with its files; nothing if it never did."""
    if not peers:
        return []
    wrote = f", last wrote {clock_time(peers.wrote)}" if peers.wrote else ""
    state = paint("active", "green") if peers.active else "not active"
    problems = [f"{paint('Not understood:', 'yellow')} {visible_line(problem)}" for problem in peers.problems]
    return [f"oh-my-msgcode: {state}{wrote}", *problems]


def listing(lines: Iterable[str], otherwise: str) -> str:
    """The lines, or the sentence for when there are none."""
    return "\n".join(lines) or otherwise
