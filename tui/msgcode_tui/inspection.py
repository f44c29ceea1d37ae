"""What the inspector says of a message: where it stands, its life, and what it belongs to. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice

from msgcode import Message, Priority
from msgcode.events import Event
from msgcode.model import Edited
from msgcode_tui import times
from msgcode_tui.items import Item, count, reference, section
from msgcode_tui.lifeline import life, standing
from msgcode_tui.live import Live

_CHAIN = 20
"""Links of a chain, and answers to a message, that are shown."""


def message_card(live: Live, message: Message, events: Sequence[Event], now: datetime) -> list[Item]:
    """All that is known of the message. events: what has happened to it, as far as that has been read."""
    items = [Item(message.subject or f"From {message.sender}", "title")]
    items.append(Item(message.id, "muted"))
    if message.priority is not Priority.NORMAL:
        items.append(Item(f"{message.priority} priority", "warning"))
    if message.expires_at:
        items.append(Item(f"expires {times.moment(message.expires_at)}", "muted"))
    if message.edited:
        items += section("Edited", _original(message, message.edited), f"by {message.edited.by}")
    items += section("Now", standing(message, live, now))
    items += section("Life", life(message, events), aside=f"{message.sent_at.astimezone():%Y-%m-%d}")
    items += section("Metadata", (Item(value, lead=f"{key}: ") for key, value in message.metadata.items()))
    answers = list(islice(_chain(live, message, "reply_to"), _CHAIN))
    causes = list(islice(_chain(live, message, "cause"), _CHAIN))
    known = live.state.messages
    thread = [known[id] for id in live.index.thread(message.thread) if id in known]
    replies = [one for one in thread if one.reply_to == message.id]
    items += section("Answers", (reference(one, "↩ ") for one in answers))
    items += section("Answered by", (reference(one, "↪ ") for one in replies[:_CHAIN]))
    if causes != answers:
        items += section("Caused by", (reference(one, "⇠ ") for one in causes), _hops(message))
    if len(thread) > 1:
        items += _thread(thread)
    return items


def _original(message: Message, edited: Edited) -> Iterator[Item]:
    """What was first written, where it differs."""
    if edited.subject != message.subject:
        yield Item(edited.subject or "no subject", "muted", lead="was: ")
    if edited.body != message.body:
        yield Item(edited.body, "muted", lead="was: ")


def _chain(live: Live, message: Message, link: str) -> Iterator[Message]:
    """The messages that it goes back to by a link, nearest first, as far as they are known."""
    seen = {message.id}
    while (id := getattr(message, link)) and id not in seen and id in live.state.messages:
        seen.add(id)
        message = live.state.messages[id]
        yield message


def _hops(message: Message) -> str:
    return count(message.hops, "hop") if message.hops else ""


def _thread(thread: list[Message]) -> list[Item]:
    """The size of the thread, and its two ends."""
    characters = sum(len(one.body) for one in thread)
    speakers = ", ".join(dict.fromkeys(one.sender for one in thread))
    lasted = times.duration(thread[-1].sent_at - thread[0].sent_at)
    items = [
        Item(f"{characters:,} characters in {lasted}, by {speakers}", "muted"),
        reference(thread[0], "first "),
        reference(thread[-1], "last  "),
    ]
    return section("Thread", items, count(len(thread), "message"))
