"""One message as lines of a terminal. Pure: no widget, no clock but the local time zone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from msgcode import Delivery, Message, Priority, Status
from msgcode_tui import safe
from msgcode_tui.palette import sender_color

MAX_CHARACTERS = 20_000
"""So much of a body is shown; a body may have a mebibyte, and wrapping all of that takes seconds."""

SHORT_ID = 8
"""Characters of a message's id that people are shown."""

INDENT = 2
"""Cells at the left for the bar in the sender's colour."""

TICKS = {
    Status.QUEUED: "·",
    Status.CLAIMED: "◌",
    Status.DELIVERED: "✓",
    Status.ACKNOWLEDGED: "✓✓",
    Status.EXPIRED: "✗",
    Status.DISCARDED: "✗",
}

_WIDE = 70
"""Cells from which times have seconds."""

_PRIORITY_MARKS = {Priority.URGENT: "‼ urgent", Priority.HIGH: "! high", Priority.LOW: "↓ low"}


class Look(NamedTuple):
    """The styles of a thread."""

    body: Style
    muted: Style
    subject: Style
    done: Style
    under_way: Style
    failed: Style
    urgent: Style
    high: Style
    selected: Style
    """Laid over all of the selected message."""
    palette: tuple[str, ...]

    def sender(self, agent: str) -> Style:
        """How the agent's name is drawn."""
        return self.body + Style(color=sender_color(agent, self.palette), bold=True)

    def status(self, status: Status) -> Style:
        """How a delivery's status is drawn."""
        if status is Status.ACKNOWLEDGED:
            return self.done
        if status is Status.DELIVERED:
            return self.under_way
        return self.failed if status.ended else self.muted

    def priority(self, priority: Priority) -> Style:
        """How a priority is drawn."""
        return {Priority.URGENT: self.urgent, Priority.HIGH: self.high}.get(priority, self.muted)


Spans = list[Segment]


def message_lines(
    message: Message, width: int, look: Look, *, origin: Message | None, selected: bool, spaced: bool
) -> list[Strip]:
    """The message in lines of exactly `width` cells.

    origin: the message that it answers, if that is still known. selected: with its details.
    spaced: with an empty line at the end.
    """
    room = max(width - INDENT, 4)
    lines = [_head(message, room, look)]
    if message.reply_to:
        lines.append(_reply(message.reply_to, origin, room, look))
    if message.subject:
        lines.append([Segment(safe.fit(message.subject, room), look.subject)])
    lines += [[Segment(text, look.body)] for text in _body(message.body, room)]
    if selected:
        lines += _details(message, room, look)
    bar = Segment("▌ " if selected else "▎ ", look.sender(message.sender) + Style(bold=False))
    strips = [_strip([bar, *spans], width, look.body) for spans in lines]
    if selected:
        strips = [_overlaid(strip, look.selected) for strip in strips]
    if spaced:
        strips.append(Strip.blank(width, look.body))
    return strips


def estimated_height(message: Message, width: int, *, spaced: bool) -> int:
    """About as many lines as `message_lines` returns for it when it is not selected."""
    room = max(width - INDENT, 4)
    body = message.body if len(message.body) <= MAX_CHARACTERS else message.body[:MAX_CHARACTERS]
    lines = body.count("\n") - (-len(body) // room) or 1
    return 1 + lines + bool(message.subject) + bool(message.reply_to) + spaced


def _strip(spans: Iterable[Segment], width: int, style: Style) -> Strip:
    return Strip(spans).adjust_cell_length(width, style)


def _overlaid(strip: Strip, style: Style) -> Strip:
    return Strip([Segment(text, (own or Style()) + style) for text, own, _ in strip], strip.cell_length)


def _head(message: Message, width: int, look: Look) -> Spans:
    """Who to whom and how urgent at the left, how far it has come and when at the right."""
    clock = Segment(f"{message.sent_at.astimezone():{'%H:%M:%S' if width >= _WIDE else '%H:%M'}}", look.muted)
    left = [Segment(safe.line(message.sender), look.sender(message.sender))]
    if message.by:
        left.append(Segment(f" by {safe.line(message.by)}", look.muted))
    left.append(Segment(" → ", look.muted))
    recipients = list(message.deliveries)
    if message.channel is not None:
        if len(recipients) == 1 and message.sender != recipients[0]:
            left += [Segment(safe.line(recipients[0]), look.sender(recipients[0])), Segment(" ", look.body)]
        left.append(Segment(f"#{safe.line(message.channel)}", look.body + Style(bold=True)))
    else:
        for index, recipient in enumerate(recipients):
            left.append(Segment(", " if index else "", look.muted))
            left.append(Segment(safe.line(recipient), look.sender(recipient)))
    if mark := _PRIORITY_MARKS.get(message.priority):
        left += [Segment("  ", look.body), Segment(mark, look.priority(message.priority))]
    free = width - _cells(left) - cell_len(clock.text) - 3
    status = next((spans for spans in _statuses(message, look) if _cells(spans) <= free), [])
    right = [*status, Segment(" " if status else "", look.body), clock]
    strip = Strip(left)
    space = width - _cells(right)
    if strip.cell_length > space - 1:
        cut = strip.crop(0, max(space - 2, 0))
        strip = Strip([*cut, Segment("… ", look.muted)])
    return [*strip.adjust_cell_length(space, look.body), *right]


def _cells(spans: Iterable[Segment]) -> int:
    return sum(span.cell_length for span in spans)


def _statuses(message: Message, look: Look) -> Iterator[Spans]:
    """How far it has come at its recipients, in ever fewer words."""
    deliveries = message.deliveries
    if not deliveries:
        yield [Segment("nobody there", look.muted)]
        return
    if len(deliveries) == 1:
        (delivery,) = deliveries.values()
        style = look.status(delivery.status)
        yield [Segment(f"{delivery.status} {TICKS[delivery.status]}", style)]
        yield [Segment(TICKS[delivery.status], style)]
        return
    by_name: Spans = []
    for agent, delivery in deliveries.items():
        by_name.append(Segment(f"{safe.line(agent)} ", look.muted))
        by_name.append(Segment(f"{TICKS[delivery.status]}  ", look.status(delivery.status)))
    by_name[-1] = Segment(by_name[-1].text.rstrip(), by_name[-1].style)
    yield by_name
    counts = Counter(delivery.status for delivery in deliveries.values())
    yield [
        Segment(f"{' ' * bool(index)}{TICKS[status]}{counts[status]}", look.status(status))
        for index, status in enumerate(status for status in Status if counts[status])
    ]


def _reply(reply_to: str, origin: Message | None, width: int, look: Look) -> Spans:
    if origin is None:
        return [Segment(safe.fit(f"↩ {reply_to[:SHORT_ID]}", width), look.muted)]
    first = (origin.subject or origin.body.lstrip()[: width * 2]).split("\n", 1)[0]
    return [Segment(safe.fit(f"↩ {origin.sender}: {first}", width), look.muted)]


def _body(body: str, width: int) -> list[str]:
    if len(body) <= MAX_CHARACTERS:
        return safe.wrap(body.rstrip("\n"), width)
    rest = f"… and {len(body) - MAX_CHARACTERS:,} characters more"
    return [*safe.wrap(body[:MAX_CHARACTERS], width), *safe.wrap(rest, width)]


def _details(message: Message, width: int, look: Look) -> list[Spans]:
    facts = [f"id {message.id[:SHORT_ID]}", f"sent {_moment(message.sent_at)}"]
    if message.expires_at:
        facts.append(f"expires {_moment(message.expires_at)}")
    if message.hops:
        facts.append(f"hop {message.hops}")
    lines: list[Spans] = [[Segment(safe.fit(" · ".join(facts), width), look.muted)]]
    for key, value in message.metadata.items():
        lines.append([Segment(safe.fit(f"{key}: {value}", width), look.muted)])
    for agent, delivery in message.deliveries.items():
        tick = Segment(f"{TICKS[delivery.status]:2} ", look.status(delivery.status))
        lines.append([tick, Segment(safe.fit(_delivery(agent, delivery), width - 3), look.muted)])
    return lines


def _delivery(agent: str, delivery: Delivery) -> str:
    words = f"{agent} {delivery.status} {_moment(delivery.at)}"
    if delivery.by and delivery.by != agent:
        words += f" by {delivery.by}"
    if delivery.failures:
        words += f" · failed {len(delivery.failures)} times: {delivery.failures[-1]}"
    return words


def _moment(at: datetime) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S}"
