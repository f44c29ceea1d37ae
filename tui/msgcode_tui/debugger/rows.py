"""What a tab of the debugger is made of. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from msgcode import Message, Presence
from msgcode.debugger.findings import Finding
from msgcode.debugger.stuck import DEFAULTS, Thresholds
from msgcode.debugger.unanswered import Unanswered
from msgcode.state import Inbox, State
from msgcode_tui.health import age
from msgcode_tui.items import Item
from msgcode_tui.live import Live

MOST = 300
"""Rows of a kind that are listed, the first ones; what is said of the others is how many they are."""


class Row(NamedTuple):
    """Something in a list, or a heading."""

    key: str
    """What it is known by from one reading to the next; "" if it cannot be selected."""
    items: tuple[Item, ...]
    of: Any = None
    """What it is, such as a Held, a Breakpoint, a Finding, a Wait or a Stuck."""
    message: str | None = None
    """The id of the message that it is about."""
    agent: str | None = None
    """The recipient of the message, or the agent, that it is about."""


class Reading(NamedTuple):
    """What a tab shows. Its texts are untrusted."""

    rows: Sequence[Row]
    about: str = ""
    """What is to be said of all of it, in a line."""
    calls: int = 0
    """How many things ask for attention."""


class Scene(NamedTuple):
    """The room as it is at one moment; nobody changes it any more."""

    state: State
    presences: Mapping[str, Presence]
    now: datetime
    findings: Sequence[Finding] = ()
    thresholds: Thresholds = DEFAULTS
    unanswered: Unanswered | None = None
    """That of the state, where it is kept up."""


def frozen(state: State, *, keep_ended: bool = True) -> State:
    """A copy that stays as it is while the state goes on, to be read by another thread.

    keep_ended: with all messages, not only those that wait. That takes milliseconds for 100,000 of them, and
    makes as much work for the garbage collector again.
    """
    copy = State(keep_ended=keep_ended)
    copy.seq, copy.ended = state.seq, state.ended.copy()
    for name in ("agents", "channels", "holds", "stopped", "breakpoints"):
        setattr(copy, name, dict(getattr(state, name)))
    waiting = {id: state.messages[id] for inbox in state.inboxes.values() for id in inbox}
    copy.messages = dict(state.messages) if keep_ended else waiting
    for agent, inbox in state.inboxes.items():
        copied = copy.inboxes[agent] = Inbox()
        for shelves, own in ((inbox.waiting, copied.waiting), (inbox.undelivered, copied.undelivered)):
            own.update((priority, dict(shelf)) for priority, shelf in shelves.items() if shelf)
    return copy


def scene_of(
    live: Live,
    now: datetime,
    thresholds: Thresholds = DEFAULTS,
    unanswered: Unanswered | None = None,
    *,
    keep_ended: bool = True,
) -> Scene:
    """The room as it is now. unanswered: that of the room, where it is kept up. keep_ended: as `frozen`."""
    state = frozen(live.state, keep_ended=keep_ended)
    kept = unanswered.copy() if unanswered else None
    return Scene(state, dict(live.presences), now, live.findings(now), thresholds, kept)


def heading(text: str) -> Row:
    """A row that names what comes below it."""
    return Row("", (Item(text, "heading"),))


def first(rows: Iterable[Row], left: int, what: str) -> list[Row]:
    """The rows, and how many more there would be. left: that number. what: what they are, in words."""
    more = [Row("", (Item(f"and {left:,} more {what}", "muted"),))] if left > 0 else []
    return [*rows, *more]


def about(message: Message) -> str:
    """What it says, in a line."""
    return message.subject or message.body.lstrip()[:200].split("\n", 1)[0]


def whom(message: Message) -> str:
    """To whom it is."""
    if message.channel is not None:
        return f"#{message.channel}"
    names = message.recipients
    return ", ".join(names) if len(names) < 4 else f"{names[0]}, {names[1]} and {len(names) - 2:,} more"


def line(message: Message, now: datetime, lead: str = "", tone: str = "") -> Item:
    """The message in a single line, which leads to it."""
    text = f"{message.sender} → {whom(message)}: {about(message)}"
    return Item(text, tone, lead, age(message.sent_at, now), message.id)


def message_rows(ids: Iterable[str], scene: Scene, agent: str | None = None) -> list[Row]:
    """The messages that are kept of these, a row each. agent: the recipient that is meant."""
    found = [message for id in ids if (message := scene.state.messages.get(id))]
    rows = [
        Row(f"message {message.id}", (line(message, scene.now),), None, message.id, agent)
        for message in found[:MOST]
    ]
    return first(rows, len(found) - MOST, "messages")


def text_rows(message: Message) -> list[Row]:
    """What the message says, and what it said before somebody changed it."""
    items = [Item(message.subject, "title")] if message.subject else []
    items.append(Item(message.body))
    rows = [Row("", tuple(items))]
    if message.edited:
        was = message.edited
        before = [Item(was.subject, "muted")] if was.subject else []
        rows.append(heading(f"First written, before {was.by} edited it"))
        rows.append(Row("", (*before, Item(was.body, "muted"))))
    return rows
