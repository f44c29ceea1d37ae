"""What a search has found: the newest first, two lines each, however many they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Size
from textual.message import Message as TextualMessage
from textual.scroll_view import ScrollView
from textual.strip import Strip

from msgcode import Message
from msgcode_tui import safe, times
from msgcode_tui.finding import Search
from msgcode_tui.live import Live
from msgcode_tui.palette import palette_for, sender_color

HEIGHT = 2
"""Lines of a hit."""

_BEFORE = 20
"""Characters that are shown before the first word that was found."""

_SHOWN = 1_000
"""Characters of a text that are looked at to show where the words are."""


class Hits(ScrollView, can_focus=False):
    """One of them is the current one; who holds the list moves it."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar = {"hits--muted", "hits--hit", "hits--current", "hits--empty"}

    @dataclass
    class Clicked(TextualMessage):
        """The user wants to go to the current one."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._search: Search | None = None
        self._live: Live | None = None
        self._current: str | None = None
        self._moved = False
        self.place = 0
        """The place of the current one."""
        self.note = ""
        """What is said where there is none."""

    def show(self, search: Search | None, live: Live) -> None:
        """Show what has been found. Call again as it becomes more. A current one that the user has gone to
        stays it; else it is the newest."""
        if search is not self._search:
            self._search, self._current, self.place, self._moved = search, None, 0, False
            self.scroll_to(y=0, animate=False, force=True)
        self._live = live
        if self._moved and search and self._current and search.found is not None:
            message = live.state.messages.get(self._current)
            self.place = (message and search.place(message)) or 0
        self._current = self.current
        self.virtual_size = Size(self.size.width, HEIGHT * self._count)
        self.refresh()

    @property
    def current(self) -> str | None:
        """The id of the current one; None if nothing has been found."""
        return self._search.at(self.place) if self._search and self._count else None

    @property
    def _count(self) -> int:
        return self._search.count if self._search else 0

    def move(self, step: int) -> None:
        """Make another one the current one, that many further down."""
        if self._count:
            self.place = min(max(self.place + step, 0), self._count - 1)
            self._moved, self._current = True, self.current
            self._reveal()
            self.refresh()

    @property
    def page(self) -> int:
        """How many of them fit on the screen."""
        return max(self.size.height // HEIGHT, 1)

    def _reveal(self) -> None:
        top, shown = self.place * HEIGHT, self.scroll_offset.y
        lowest = top + HEIGHT - self.size.height
        self.scroll_to(y=min(max(shown, lowest), top), animate=False, force=True)

    def on_resize(self) -> None:
        self.virtual_size = Size(self.size.width, HEIGHT * self._count)
        self._reveal()

    def on_click(self, event: events.Click) -> None:
        place = (self.scroll_offset.y + event.y) // HEIGHT
        if place < self._count:
            self.move(place - self.place)
            self.post_message(self.Clicked())

    # Drawing

    def render_line(self, y: int) -> Strip:
        width, line = self.size.width, self.scroll_offset.y + y
        place, second = divmod(line, HEIGHT)
        if self._live is None or self._search is None or place >= self._count:
            lines = self.note.split("\n") if self._search is None else []
            text = safe.fit(lines[y], width - 2) if y < len(lines) else ""
            return self._strip([Segment(f" {text}", self._style("empty"))], width)
        message = self._live.state.messages.get(self._search.at(place))
        if message is None:  # It has been purged, and is about to leave the list.
            return Strip.blank(width, self.rich_style)
        strip = self._strip(self._second(message, width) if second else self._first(message, width), width)
        return self._as_current(strip, width) if place == self.place else strip

    def _as_current(self, strip: Strip, width: int) -> Strip:
        over, found = self._style("current"), self._style("hit").bgcolor
        background = Style(bgcolor=over.bgcolor)
        rest = (
            segment
            if segment.style and segment.style.bgcolor == found
            else Segment(segment.text, (segment.style or Style()) + background)
            for segment in strip.crop(1, width)
        )
        return Strip([Segment("▌", over), *rest], width)

    def _strip(self, segments: list[Segment], width: int) -> Strip:
        return Strip(segments).crop(0, width).extend_cell_length(width, self.rich_style)

    def _first(self, message: Message, width: int) -> list[Segment]:
        """Who said it to whom, and when."""
        assert self._live
        palette = palette_for(self.app.current_theme, self.background_colors[1])
        sender = safe.fit(message.sender, 30)
        to = f"#{message.channel}" if message.channel else ", ".join(message.recipients)
        when = f"{times.moment(message.sent_at)} "
        space = width - cell_len(sender) - cell_len(when) - 6
        to = safe.fit(to, max(space, 0))
        style = self.rich_style + Style(color=sender_color(message.sender, palette), bold=True)
        gap = " " * max(space - cell_len(to) + 2, 1)
        return [
            Segment(" ", self.rich_style),
            Segment(sender, style),
            Segment(f" → {to}{gap}{when}", self._style("muted")),
        ]

    def _second(self, message: Message, width: int) -> list[Segment]:
        """What it says, from a little before the first word that was found."""
        assert self._search
        query = self._search.query
        text = f"{message.subject}: {message.body}" if message.subject else message.body
        first = next(iter(query.spans(text[: 20 * _SHOWN])), (0, 0))[0]
        begin = first - _BEFORE if first > max(width - _BEFORE, _BEFORE) else 0
        shown = safe.fit(("…" if begin else "") + " ".join(text[begin : begin + _SHOWN].split()), width - 4)
        segments, end = [Segment("   ", self.rich_style)], 0
        for start, stop in query.spans(shown):
            segments += [
                Segment(shown[end:start], self.rich_style),
                Segment(shown[start:stop], self._style("hit")),
            ]
            end = stop
        return [*segments, Segment(shown[end:], self.rich_style)]

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"hits--{name}")
