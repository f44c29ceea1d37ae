"""What the inspector is made of: paragraphs, some of which lead somewhere. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from msgcode import Message
from msgcode_tui import times
from msgcode_tui.rooms import Room


class Item(NamedTuple):
    """A paragraph, wrapped where it is drawn."""

    text: str
    tone: str = ""
    """What it is, for its style: title, heading, muted, done, under-way, warning, failed, or nothing."""
    lead: str = ""
    """Said at the left of its first line; the others begin below what follows it."""
    aside: str = ""
    """Said at the right of its first line."""
    target: str | Room | None = None
    """What it leads to: the message with this id, or a room. It is a single line then, cut at its end."""


BLANK = Item("")


def section(title: str, items: Iterable[Item], aside: str = "") -> list[Item]:
    """The items under a heading; nothing if there are none."""
    found = list(items)
    return [BLANK, Item(title, "heading", aside=aside), *found] if found else []


def reference(message: Message, lead: str = "") -> Item:
    """A line that leads to a message."""
    about = message.subject or message.body.lstrip()[:100].split("\n", 1)[0]
    return Item(
        f"{message.sender}: {about}", lead=lead, aside=times.of_day(message.sent_at), target=message.id
    )


def count(number: int, noun: str) -> str:
    """So many of them, in words."""
    return f"{number:,} {noun}{'s' * (number != 1)}"
