"""Messages drawn line by line as they come into sight: 100,000 of them if need be."""

from __future__ import annotations

import sys
from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.cache import LRUCache
from textual.geometry import Size
from textual.message import Message as TextualMessage
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from msgcode import Message
from msgcode.model import FORWARDED
from msgcode_tui.palette import palette_for
from msgcode_tui.rooms import Room
from msgcode_tui.widgets import copying
from msgcode_tui.widgets.heights import Heights
from msgcode_tui.widgets.look import Look
from msgcode_tui.widgets.marks import Marks
from msgcode_tui.widgets.message_lines import (
    Highlight,
    Line,
    Place,
    estimated_height,
    message_lines,
    message_text,
)

_SPACED_FROM = 30
"""Terminals of so many rows have room for an empty line between two messages."""

_KEPT = 80
"""Messages whose lines are kept; or two screens of one row each, if these are more. A line takes 5 KB."""

_SAMPLE = 500
"""So many messages are looked at to know about how high all of them are."""


class MessageView(ScrollView, inherit_bindings=False):
    """Follows its end until it is scrolled up, and then says how many messages are below.

    Heights are estimates, made exact one screen around what is shown; so opening a room, changing the
    width, and older messages that come in front take milliseconds whatever the room's size.
    """

    COMPONENT_CLASSES: ClassVar = {
        "thread--muted", "thread--subject", "thread--done", "thread--under-way", "thread--failed",
        "thread--urgent", "thread--high", "thread--chip", "thread--note", "thread--divider", "thread--new",
        "thread--hit", "thread--code", "thread--key", "thread--selected",
        "thread--marked", "thread--below", "thread--empty",
    }  # fmt: skip

    @dataclass
    class Followed(TextualMessage):
        """It began to follow its end, or has shown what was new there: all of it has been seen."""

        thread: MessageView

    @dataclass
    class Chosen(TextualMessage):
        """Another message was selected, or none, or others are marked."""

        thread: MessageView

    def __init__(self, *, compact: bool = False, id: str | None = None) -> None:
        """compact: never with an empty line between two messages."""
        super().__init__(id=id)
        self._spaced_from = sys.maxsize if compact else _SPACED_FROM
        self._room: Room | None = None
        self._ids: Sequence[str] = ()
        self._messages: Mapping[str, Message] = {}
        self._heights = Heights()
        self._held: Mapping[str, Collection[str]] = {}
        self._lines: LRUCache[str, tuple[Message, list[Line]]] = LRUCache(_KEPT)
        self._look: Look | None = None
        self._width = 0
        self._spaced = False
        self._settling = False
        self.selected: str | None = None
        """Id of the message that is selected."""
        self.following = True
        """Whether it shows the newest message, and will show those to come."""
        self.empty_note = ""
        """What is said where there are no messages."""
        self._marks = Marks()
        self._unread = 0
        self._tagged = True
        self._new_from: str | None = None
        self._highlight: Highlight | None = None
        self._as_markdown = True
        self._detailed = True

    # What is shown

    def show(
        self,
        room: Room,
        ids: Sequence[str],
        messages: Mapping[str, Message],
        *,
        tagged: bool = True,
        unread: Sequence[str] = (),
        held: Mapping[str, Collection[str]] = MappingProxyType({}),
    ) -> None:
        """Show these messages of a room, oldest first. Call again after every change, with the same `ids`
        if it has only grown at its end. As long as the room is the same, the reader stays where they are.

        tagged: whether messages say their channel. unread: those that have not been read, oldest first; what
        is new to the reader begins with the first that is so when they come to the room. held: the messages
        that are kept from some of their recipients, and from whom.
        """
        if held != self._held:
            self._held = held
            self._lines.clear()
        if room != self._room:
            self._room, self._ids = room, ids
            self.selected = None
            self.following = True
            self._heights = Heights()
            self._marks.clear()
            self._lines.clear()
            self._new_from = unread[0] if unread else None
            self.post_message(self.Chosen(self))
        elif ids is not self._ids:
            self._replace(ids, messages)
        self._messages, self._tagged, self._unread = messages, tagged, len(unread)
        self._settle()
        self.refresh()

    def _replace(self, ids: Sequence[str], messages: Mapping[str, Message]) -> None:
        """Go on with the same room's messages of which some have gone or have come in between."""
        place, before = self._place(), self._ids
        self._ids, self._messages = ids, messages
        self._lines.clear()
        self._heights = Heights(self._estimates(ids))
        if self.selected and self._index(self.selected) == len(ids):
            self.selected = None
        if place:
            index, offset = place
            top = next((id for id in before[index:] if self._index(id) < len(ids)), None)
            if top is not None:
                self._go_to(self._index(top), offset)

    def _place(self) -> tuple[int, int] | None:
        """The message at the top, and how many of its lines are above; None while following."""
        return None if self.following or not self._heights.total else self._top

    @property
    def _top(self) -> tuple[int, int]:
        """The message at the top, and how many of its lines are above; the first while it has no width."""
        total = self._heights.total
        return self._heights.at(min(self.scroll_offset.y, total - 1)) if total else (0, 0)

    def _go_to(self, index: int, offset: int) -> None:
        """Have so many lines of the message above the top."""
        height = self._heights[index] = len(self._lines_of(index))
        self._scroll(self._heights.top(index) + min(offset, height - 1))

    @property
    def message(self) -> Message | None:
        """The message that is selected."""
        return self._messages.get(self.selected) if self.selected else None

    @property
    def marked(self) -> tuple[str, ...]:
        """Ids of the marked messages, oldest first."""
        ids = self._marks.ids
        return tuple(id for id in self._ids if id in ids) if ids else ()

    @property
    def new_from(self) -> str | None:
        """Id of the message with which what is new to the reader begins, and which says so."""
        return self._new_from

    @new_from.setter
    def new_from(self, id: str | None) -> None:
        if id != self._new_from:
            before, self._new_from = self._new_from, id
            self._redraw(before, id)

    @property
    def highlight(self) -> Highlight | None:
        """Finds in a text what was searched for, which is drawn so that it stands out."""
        return self._highlight

    @highlight.setter
    def highlight(self, highlight: Highlight | None) -> None:
        self._highlight = highlight
        self._lines.clear()
        self.refresh()

    @property
    def detailed(self) -> bool:
        """Whether the selected message says its id, and how far it has come at each recipient."""
        return self._detailed

    @detailed.setter
    def detailed(self, detailed: bool) -> None:
        if detailed != self._detailed:
            self._detailed = detailed
            self._redraw(self.selected)

    @property
    def below(self) -> int:
        """How many messages there are below what is shown."""
        bottom = self.scroll_offset.y + self.size.height
        if self.following or bottom >= self._heights.total:
            return 0
        return len(self._heights) - 1 - self._heights.at(bottom - 1)[0]

    def _settle(self) -> None:
        """Make the heights around what is shown exact, without moving what the reader looks at."""
        if not self._width or self._settling:
            return
        self._settling = True
        try:
            known = len(self._heights)
            for height in self._estimates(self._ids[known:]):
                self._heights.append(height)
            if self.following:
                self._measure(range(len(self._ids) - 1, -1, -1), 2 * self.size.height)
                self._scroll(self._heights.total)
            elif self._heights.total:
                index, offset = self._top
                moved = self._measure(range(index - 1, -1, -1), self.size.height)
                self._measure(range(index, len(self._ids)), offset + 2 * self.size.height)
                self._scroll(self.scroll_offset.y + moved)
        finally:
            self._settling = False
        if self.following:
            self.post_message(self.Followed(self))

    def _measure(self, indices: range, lines: int) -> int:
        """Make the heights of these messages exact until `lines` are; returns by how much they have grown."""
        grown = 0
        for index in indices:
            if lines <= 0:
                break
            height = len(self._lines_of(index))
            lines -= height
            if more := height - self._heights[index]:
                self._heights[index] = height
                grown += more
        return grown

    def _scroll(self, y: int) -> None:
        size = Size(self._width, self._heights.total)
        if size != self.virtual_size:
            # Setting it would lay the whole screen out anew, where only the scroll bar changes.
            self.set_reactive(ScrollView.virtual_size, size)
            self.vertical_scrollbar.window_virtual_size = size.height
            self.refresh()
        self.scroll_to(y=min(y, self.max_scroll_y), animate=False, force=True)

    def _estimates(self, ids: Sequence[str]) -> list[int]:
        """About how high these messages are; of many, all as high as some of them are on average."""
        step = max(len(ids) // _SAMPLE, 1)
        heights = [
            estimated_height(self._messages[id], self._width, spaced=self._spaced) for id in ids[::step]
        ]
        return heights if step == 1 else [round(sum(heights) / len(heights))] * len(ids)

    def _lines_of(self, index: int) -> list[Line]:
        id = self._ids[index]
        message = self._messages[id]
        cached = self._lines.get(id)
        if cached and cached[0] is message:
            return cached[1]
        selected = id == self.selected
        place = Place(
            held=self._held.get(id, ()),
            origin=self._messages.get(message.reply_to) if message.reply_to else None,
            passed_on=self._messages.get(message.metadata.get(FORWARDED, "")),
            above=self._messages.get(self._ids[index - 1]) if index else None,
            is_new=id == self._new_from,
            tagged=self._tagged,
            spaced=self._spaced,
            selected=selected,
            marked=id in self._marks,
            detailed=selected and self._detailed,
            as_markdown=selected and self._as_markdown,
            highlight=self._highlight,
        )
        lines = message_lines(message, self._width, self._styles_now(), place)
        self._lines[id] = (message, lines)
        return lines

    def _redraw(self, *ids: str | None) -> None:
        """Draw these messages anew; they may have become higher or lower."""
        for id in ids:
            if id is not None:
                self._lines.discard(id)
                index = self._index(id)
                if self._width and index < len(self._heights):
                    self._heights[index] = len(self._lines_of(index))
        self._settle()
        self.refresh()

    def _styles_now(self) -> Look:
        if self._look is None:
            self._look = Look(
                body=self.rich_style,
                muted=self._style("muted"),
                subject=self._style("subject"),
                done=self._style("done"),
                under_way=self._style("under-way"),
                failed=self._style("failed"),
                urgent=self._style("urgent"),
                high=self._style("high"),
                chip=self._style("chip"),
                code=self._style("code"),
                key=self._style("key"),
                note=self._style("note"),
                divider=self._style("divider"),
                new=self._style("new"),
                hit=self._style("hit"),
                marked=Style(bgcolor=self._style("marked").bgcolor),
                selected=Style(bgcolor=self._style("selected").bgcolor),
                palette=palette_for(self.app.current_theme, self.background_colors[1]),
            )
        return self._look

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"thread--{name}")

    # Events

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._look = None
        self._lines.clear()

    def on_resize(self, event: events.Resize) -> None:
        self._lines.grow(2 * self.size.height)
        width, spaced = self.scrollable_content_region.width, self.app.size.height >= self._spaced_from
        selected = None
        if (width, spaced) != (self._width, self._spaced):
            selected = self._selected_in_sight()
            place = self._place()
            self._width, self._spaced = width, spaced
            self._lines.clear()
            self._heights = Heights(self._estimates(self._ids))
            if place:
                self._go_to(*place)
        self._settle()
        if selected is not None:
            self._reveal(selected)

    def _selected_in_sight(self) -> int | None:
        """The place of the selected message, if it begins on the screen."""
        index = self._index(self.selected) if self.selected else len(self._ids)
        if index >= len(self._heights):
            return None
        return index if 0 <= self._heights.top(index) - self.scroll_offset.y < self.size.height else None

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if not self._settling:
            self.following = self.selected is None and self.scroll_offset.y >= self.max_scroll_y
            self._settle()

    def _index(self, id: str) -> int:
        """The place of the message in the room; behind the last if it is not there."""
        message = self._messages.get(id)
        if message:
            index = bisect_left(self._ids, message.seq, key=lambda other: self._messages[other].seq)
            if index < len(self._ids) and self._ids[index] == id:
                return index
        return len(self._ids)

    def _reveal(self, index: int) -> None:
        """Scroll as little as shows all of the message, or its beginning where it is too high."""
        height, top = self._heights[index], self._heights.top(index)
        # The last line says how many are below.
        shown, screen = self.scroll_offset.y, self.size.height - (index < len(self._ids) - 1)
        if top < shown or height > screen:
            self._scroll(top)
        elif top + height > shown + screen:
            self._scroll(top + height - screen)

    # Drawing

    def _note_line(self, y: int) -> str:
        """What of `empty_note`, a block in the middle of the screen, is in this line; "" if nothing."""
        lines = self.empty_note.splitlines()
        row = y - max(0, self.size.height // 2 - len(lines) // 2)
        return lines[row].ljust(max(map(len, lines))) if 0 <= row < len(lines) else ""

    def render_line(self, y: int) -> Strip:
        line = self.scroll_offset.y + y
        width = self.size.width
        if not self._ids and (note := self._note_line(y)):
            style = self._style("empty")
            return Strip([Segment(note.center(width), style)]).adjust_cell_length(width, style)
        if y == self.size.height - 1 and (below := self.below):
            return self._below_line(below, width)
        plain = self._styles_now().body
        if not self._width or line >= self._heights.total:
            return Strip.blank(width, plain)
        index, offset = self._heights.at(line)
        lines = self._lines_of(index)
        if offset >= len(lines):  # An estimate that was too high; it is made exact when one stops there.
            return Strip.blank(width, plain)
        style = Style(bgcolor=self.screen.get_component_rich_style("screen--selection").bgcolor)
        line_number = copying.number(index, offset)
        strip = copying.drawn(lines[offset], line_number, self.text_selection, style)
        return strip.adjust_cell_length(width, plain)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        def text_of(index: int) -> str:
            return message_text(self._messages[self._ids[index]])

        return copying.text(selection, len(self._ids), self._lines_of, text_of), "\n"

    def _below_line(self, below: int, width: int) -> Strip:
        style = self._style("below")
        new = min(below, self._unread)
        text = f" ↓ {below:,} below{f', {new:,} new' if new else ''} · End "
        margin = max(width - len(text), 0) // 2
        blank = Segment(" " * margin, self.rich_style)
        return Strip([blank, Segment(text, style)]).adjust_cell_length(width, self.rich_style)
