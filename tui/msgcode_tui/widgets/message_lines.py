"""One message as lines of a terminal. Pure: no widget, no clock but the local time zone."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from msgcode import Delivery, Message
from msgcode.model import FORWARDED, RESENT
from msgcode.questions import ANSWER, DEFAULTED, question_of
from msgcode_tui import safe, times
from msgcode_tui.metadata import chips
from msgcode_tui.widgets.look import HELD, PRIORITY_MARKS, TICKS, Look
from msgcode_tui.widgets.question_lines import question_lines

MAX_CHARACTERS = 20_000
"""So much of a body is shown; a body may have a mebibyte, and wrapping all of that takes seconds."""

MAX_LINES = 500
"""So many of a body's own lines are shown."""

SHORT_ID = 8
"""Characters of a message's id that people are shown."""

INDENT = 2
"""Cells at the left for the bar in the sender's colour."""

_WIDE = 70
"""Cells from which times have seconds."""

_GAP = " " * 3
"""At least so much is between the two ends of a message's head."""

Spans = list[Segment]
Highlight = Callable[[str], list[tuple[int, int]]]
"""Where in a text, from and to which character, there is what was searched for."""


class Place(NamedTuple):
    """How a message stands in its thread."""

    origin: Message | None = None
    """The message that it answers, if that is still known."""
    passed_on: Message | None = None
    """The message that it forwards, if that is still known."""
    above: Message | None = None
    """The message above it."""
    is_new: bool = False
    """Whether what is new to the reader begins with it."""
    tagged: bool = True
    """Whether it says its channel: where there are messages of others too."""
    spaced: bool = False
    """With an empty line between it and the message above."""
    selected: bool = False
    marked: bool = False
    detailed: bool = False
    """With its id, and how far it has come at each recipient."""
    as_markdown: bool = False
    highlight: Highlight | None = None
    held: Collection[str] = ()
    """The recipients from whom it is kept."""


class Line(NamedTuple):
    """A line as it is drawn, and the text in it as it is copied."""

    strip: Strip
    text: str = ""
    at: int = INDENT
    """Cells at its left that are no part of the text."""
    glue: str = "\n"
    """What stands in the text between the line above and this one: nothing where a word was broken."""


def message_lines(message: Message, width: int, look: Look, place: Place) -> list[Line]:
    """The message in lines of exactly `width` cells."""
    room = max(width - INDENT, 4)
    divider = _divider(message, width, look, place)
    answers_above = place.above is not None and message.reply_to == place.above.id and not divider
    content: list[tuple[Spans, str]] = [(_head(message, room, look, place), "\n\n")]
    if message.reply_to and not answers_above:
        content.append((_reply(message.reply_to, place.origin, room, look), "\n"))
    if message.subject:
        subject = safe.fit(message.subject, room)
        content.append((_highlighted([Segment(subject, look.subject)], look, place.highlight), "\n"))
    content += _body(message.body, room, look, place)
    if question := question_of(message):
        content += [(spans, "\n") for spans in question_lines(question, room, look)]
    if found := chips(message.metadata):
        content.append((_chips(found, room, look), "\n"))
    if place.detailed:
        content += [(spans, "\n") for spans in _details(message, room, look, place.held)]

    over = look.marked if place.marked else Style()
    if place.selected:
        over += look.selected
    sender = look.sender(message.sender) + Style(bold=False)
    bar = Segment("◆ " if place.marked else "▌ " if place.selected else "▎ ", sender)
    first = Segment("╰╴", look.muted) if answers_above else bar
    lines: list[Line] = []
    if place.spaced and place.above:
        stem = [Segment("│", look.muted)] if answers_above else []
        lines.append(Line(_strip(stem, width, look.body)))
    if divider:
        lines.append(divider)
    for index, (spans, glue) in enumerate(content):
        strip = _strip([bar if index else first, *spans], width, look.body)
        text = "".join(span.text for span in spans).rstrip()
        if not index:
            text = text.split(_GAP, 1)[0]  # Without how far it has come.
        lines.append(Line(_overlaid(strip, over, look) if over else strip, text, INDENT, glue))
    return lines


def estimated_height(message: Message, width: int, *, spaced: bool) -> int:
    """About as many lines as `message_lines` returns for it when it is not selected."""
    room = max(width - INDENT, 4)
    body = message.body if len(message.body) <= MAX_CHARACTERS else message.body[:MAX_CHARACTERS]
    lines = min(body.count("\n"), MAX_LINES) - (-len(body) // room) or 1
    return 1 + lines + bool(message.subject) + bool(message.reply_to) + bool(message.metadata) + spaced


def message_text(message: Message) -> str:
    """The message as it is copied whole, as much as its lines show of it."""
    to = f"#{message.channel}" if message.channel is not None else ", ".join(message.deliveries)
    head = safe.line(f"{message.sender} → {to}")
    subject = [safe.line(message.subject)] if message.subject else []
    return "\n".join([head, *subject, safe.content(_shown(message.body)).plain])


def _strip(spans: Iterable[Segment], width: int, style: Style) -> Strip:
    return Strip(spans).adjust_cell_length(width, style)


def _overlaid(strip: Strip, over: Style, look: Look) -> Strip:
    """The strip with a style laid over all of it but what has a background of its own."""
    background = look.body.bgcolor
    return Strip(
        [
            Segment(text, own + over if own and own.bgcolor in (background, None) else own)
            for text, own, _ in strip
        ],
        strip.cell_length,
    )


def _divider(message: Message, width: int, look: Look, place: Place) -> Line | None:
    """A line that says that a day begins with the message, or what is new to the reader."""
    day = message.sent_at.astimezone().date()
    day_above = place.above.sent_at.astimezone().date() if place.above else None
    left: Spans = []
    right: Spans = []
    if day != day_above:
        left = [Segment("── ", look.divider), Segment(f"{times.day(day, day_above)} ", look.muted)]
    if place.is_new:
        words = "new since you looked" if width >= _cells(left) + 30 else "new"
        right = [Segment(f" {words} ", look.new), Segment("──", look.divider)]
    if not left and not right:
        return None
    rule = max(width - _cells(left) - _cells(right), 0)
    return Line(_strip([*left, Segment("─" * rule, look.divider), *right], width, look.body))


# Its head


def _head(message: Message, width: int, look: Look, place: Place) -> Spans:
    """Who to whom and how urgent at the left, how far it has come and when at the right."""
    clock = Segment(times.of_day(message.sent_at, seconds=width >= _WIDE), look.muted)
    left = [Segment(safe.line(message.sender), look.sender(message.sender))]
    if message.by:
        left += [Segment(" ", look.body), Segment(f"by {safe.line(message.by)}", look.note)]
    left += _recipients(message, look, tagged=place.tagged)
    if mark := PRIORITY_MARKS.get(message.priority):
        left += [Segment("  ", look.body), Segment(mark, look.priority(message.priority))]
    for note in _notes(message, place):
        left += [Segment("  ", look.body), Segment(safe.line(note), look.note)]
    free = width - _cells(left) - cell_len(clock.text) - 3
    status = next((spans for spans in _statuses(message, look, place.held) if _cells(spans) <= free), [])
    right = [*status, Segment(" " if status else "", look.body), clock]
    strip = Strip(left)
    space = width - _cells(right)
    if strip.cell_length > space - 1:
        cut = strip.crop(0, max(space - 2, 0))
        strip = Strip([*cut, Segment("… ", look.muted)])
    return [*strip.adjust_cell_length(space, look.body), *right]


def _recipients(message: Message, look: Look, *, tagged: bool) -> Spans:
    arrow, recipients = Segment(" → ", look.muted), list(message.deliveries)
    if message.channel is None:
        spans = [arrow]
        for index, recipient in enumerate(recipients):
            spans.append(Segment(", " if index else "", look.muted))
            spans.append(Segment(safe.line(recipient), look.sender(recipient)))
        return spans
    spans = []
    if len(recipients) == 1 and message.sender != recipients[0]:
        spans += [Segment(safe.line(recipients[0]), look.sender(recipients[0]))]
    if tagged:
        name = f"#{message.channel}"
        spans += [Segment(" " * bool(spans), look.body), Segment(safe.line(name), look.sender(name))]
    return [arrow, *spans] if spans else []


def _notes(message: Message, place: Place) -> Iterator[str]:
    """What was done to the message, such as that it was edited, each in a word or two."""
    if message.edited:
        yield "edited" if message.edited.by == message.sender else f"edited by {message.edited.by}"
    if FORWARDED in message.metadata:
        yield f"forwarded from {place.passed_on.sender}" if place.passed_on else "forwarded"
    if RESENT in message.metadata:
        yield "sent again"
    if ANSWER in message.metadata:
        yield "answer by default" if DEFAULTED in message.metadata else "answer"


def _cells(spans: Iterable[Segment]) -> int:
    return sum(span.cell_length for span in spans)


def _statuses(message: Message, look: Look, held: Collection[str]) -> Iterator[Spans]:
    """How far it has come at its recipients, in ever fewer words."""
    if not message.deliveries:
        yield [Segment("nobody there", look.muted)]
        return
    ticks = {agent: _tick(agent, delivery, look, held) for agent, delivery in message.deliveries.items()}
    if len(ticks) == 1:
        ((word, tick, style),) = ticks.values()
        yield [Segment(f"{word} {tick}", style)]
        yield [Segment(tick, style)]
        return
    by_name: Spans = []
    for agent, (_, tick, style) in ticks.items():
        by_name.append(Segment(f"{safe.line(agent)} ", look.muted))
        by_name.append(Segment(f"{tick}  ", style))
    by_name[-1] = Segment(by_name[-1].text.rstrip(), by_name[-1].style)
    yield by_name
    counts = Counter((tick, style) for _, tick, style in ticks.values())
    order = [HELD, *TICKS.values()]
    found = sorted(counts, key=lambda each: order.index(each[0]))
    yield [
        Segment(f"{' ' * bool(index)}{tick}{counts[tick, style]}", style)
        for index, (tick, style) in enumerate(found)
    ]


def _tick(agent: str, delivery: Delivery, look: Look, held: Collection[str]) -> tuple[str, str, Style]:
    """How far it has come at one recipient: in a word, as a sign, and how that is drawn."""
    if agent in held:
        return "held", HELD, look.high
    return delivery.status, TICKS[delivery.status], look.status(delivery.status)


def _reply(reply_to: str, origin: Message | None, width: int, look: Look) -> Spans:
    if origin is None:
        return [Segment(safe.fit(f"↩ {reply_to[:SHORT_ID]}", width), look.muted)]
    first = (origin.subject or origin.body.lstrip()[: width * 2]).split("\n", 1)[0]
    return [Segment(safe.fit(f"↩ {origin.sender}: {first}", width), look.muted)]


# Its text


def _body(body: str, width: int, look: Look, place: Place) -> list[tuple[Spans, str]]:
    if place.as_markdown:
        # Only now: to import a parser of Markdown takes a tenth of the time until the first picture.
        from msgcode_tui.widgets.markdown_lines import markdown_lines

        if lines := markdown_lines(body, width, look):
            return [(_highlighted(spans, look, place.highlight), "\n") for spans in lines]
    text = safe.content(_shown(body)).plain
    hits = place.highlight(text) if place.highlight else []
    found: list[tuple[Spans, str]] = []
    start = 0
    for glue, piece in safe.pieces(text, width):
        start += len(glue)
        found.append((_cut(piece, _within(hits, start), look.body, look), glue if found else "\n"))
        start += len(piece)
    return found


def _shown(body: str) -> str:
    shown = "\n".join(body[:MAX_CHARACTERS].split("\n", MAX_LINES)[:MAX_LINES])
    if len(shown) == len(body):
        return body.rstrip("\n")
    return f"{shown}\n… and {len(body) - len(shown):,} characters more"


def _highlighted(spans: Spans, look: Look, highlight: Highlight | None) -> Spans:
    """The spans of one line, with what was searched for in a style of its own."""
    if highlight is None:
        return spans
    hits, start = highlight("".join(span.text for span in spans)), 0
    found: Spans = []
    for text, style, _ in spans:
        found += _cut(text, _within(hits, start), style or look.body, look)
        start += len(text)
    return found


def _within(hits: list[tuple[int, int]], start: int) -> Iterator[tuple[int, int]]:
    """Those of the hits, in order, that end behind `start`, counted from there."""
    first = bisect_right(hits, start, key=lambda hit: hit[1])
    return ((begin - start, end - start) for begin, end in islice(hits, first, None))


def _cut(text: str, hits: Iterable[tuple[int, int]], style: Style, look: Look) -> Spans:
    """The text in spans, what the hits point to in a style of its own."""
    spans: Spans = []
    done = 0
    for start, end in hits:
        if start >= len(text):
            break
        start = max(start, done)
        spans += [Segment(text[done:start], style), Segment(text[start:end], style + look.hit)]
        done = end
    return [*spans, Segment(text[done:], style)]


def _chips(texts: list[str], width: int, look: Look) -> Spans:
    """As many of the texts as there is room for in a line, and how many more there are."""
    spans: Spans = []
    for index, text in enumerate(texts):
        rest = len(texts) - index - 1
        room = width - _cells(spans) - len(f" +{rest}") * bool(rest)
        chip = Segment(f" {safe.fit(text, max(width // 2, room if not index else 0) - 2)} ", look.chip)
        if index and chip.cell_length + 1 > room:
            return [*spans, Segment(f" +{rest + 1}", look.muted)]
        spans += [Segment(" " * bool(index), look.body), chip]
    return spans


# Its details


def _details(message: Message, width: int, look: Look, held: Collection[str]) -> list[Spans]:
    facts = [f"id {message.id[:SHORT_ID]}", f"sent {times.moment(message.sent_at)}"]
    if message.expires_at:
        facts.append(f"expires {times.moment(message.expires_at)}")
    if message.hops:
        facts.append(f"hop {message.hops}")
    lines: list[Spans] = [[Segment(safe.fit(line, width), look.muted)] for line in _rows(facts, width)]
    for agent, delivery in message.deliveries.items():
        word, tick, style = _tick(agent, delivery, look, held)
        told = safe.fit(_delivery(agent, word, delivery), width - 3)
        lines.append([Segment(f"{tick:2} ", style), Segment(told, look.muted)])
    return lines


def _rows(facts: Iterable[str], width: int) -> list[str]:
    """The facts, as many to a line as there is room for."""
    rows: list[str] = []
    for fact in facts:
        if rows and cell_len(rows[-1]) + cell_len(fact) + 3 <= width:
            rows[-1] += f" · {fact}"
        else:
            rows.append(fact)
    return rows


def _delivery(agent: str, word: str, delivery: Delivery) -> str:
    words = f"{agent} {word} {times.moment(delivery.at)}"
    if delivery.by and delivery.by != agent:
        words += f" by {delivery.by}"
    if delivery.failures:
        words += f" · failed {len(delivery.failures)} times: {delivery.failures[-1]}"
    return words
