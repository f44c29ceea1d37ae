"""The messages of one room, 100,000 of them if need be, drawn line by line as they come into sight."""

from __future__ import annotations

import sys
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.geometry import Size
from textual.message import Message as TextualMessage
from textual.scroll_view import ScrollView
from textual.strip import Strip

from msgcode import Message
from msgcode_tui.palette import palette_for
from msgcode_tui.rooms import EVERYTHING, Room
from msgcode_tui.widgets.heights import Heights
from msgcode_tui.widgets.message_lines import Look, estimated_height, message_lines

_SPACED_FROM = 30
"""Terminals of so many rows have room for an empty line between two messages."""


_SAMPLE = 500
"""So many messages are looked at to know about how high all of them are."""


class Thread(ScrollView, can_focus=True):
    """Follows its end until the reader scrolls up or selects a message, and then says how many are below.

    Heights are estimates, made exact one screen around what is shown; so opening a room, changing the
    width, and older messages that come in front take milliseconds whatever the room's size.
    """

    ALLOW_SELECT = False

    COMPONENT_CLASSES: ClassVar = {
        "thread--muted", "thread--subject", "thread--done", "thread--under-way", "thread--failed",
        "thread--urgent", "thread--high", "thread--selected", "thread--below", "thread--empty",
    }  # fmt: skip

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "up,k",
            "select(-1)",
            "Select",
            key_display="↑↓",
            id="thread.older",
            tooltip="Select the message above",
        ),
        Binding(
            "down,j", "select(1)", "Newer", id="thread.newer", show=False, tooltip="Select the message below"
        ),
        Binding("pageup", "page(-1)", "Page up", id="thread.page-up", show=False, tooltip="Scroll up a page"),
        Binding(
            "pagedown",
            "page(1)",
            "Page down",
            id="thread.page-down",
            show=False,
            tooltip="Scroll down a page",
        ),
        Binding(
            "home,g", "oldest", "Oldest", id="thread.oldest", show=False, tooltip="Go to the oldest message"
        ),
        Binding("end,G,escape", "newest", "Newest", id="thread.newest", tooltip="Follow the newest message"),
    ]

    @dataclass
    class Followed(TextualMessage):
        """It began to follow its end, or has shown what was new there: all of it has been seen."""

        thread: Thread

    def __init__(self, *, compact: bool = False, id: str | None = None) -> None:
        """compact: never with an empty line between two messages."""
        super().__init__(id=id)
        self._room = EVERYTHING
        self._spaced_from = sys.maxsize if compact else _SPACED_FROM
        self._ids: Sequence[str] = ()
        self._messages: Mapping[str, Message] = {}
        self._heights = Heights()
        self._strips: LRUCache[str, tuple[Message, list[Strip]]] = LRUCache(512)
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

    # What is shown

    def show(self, room: Room, ids: Sequence[str], messages: Mapping[str, Message]) -> None:
        """Show these messages of a room, oldest first. Call again after every change, with the same `ids`
        if it has only grown at its end. As long as the room is the same, the reader stays where they are."""
        if room != self._room:
            self._room, self._ids = room, ids
            self.selected = None
            self.following = True
            self._heights = Heights()
        elif ids is not self._ids:
            self._replace(ids, messages)
        self._messages = messages
        self._settle()
        self.refresh()

    def _replace(self, ids: Sequence[str], messages: Mapping[str, Message]) -> None:
        """Go on with the same room's messages of which some have gone or have come in between."""
        place, before = self._place(), self._ids
        self._ids, self._messages = ids, messages
        self._strips.clear()
        self._heights = Heights(self._estimates(ids))
        if self.selected not in messages:
            self.selected = None
        if place:
            index, offset = place
            top = next((id for id in before[index:] if id in messages), None)
            if top is not None:
                self._go_to(self._index(top), offset)

    def _place(self) -> tuple[int, int] | None:
        """The message at the top, and how many of its lines are above; None while following."""
        if self.following or not self._heights.total:
            return None
        return self._heights.at(min(self.scroll_offset.y, self._heights.total - 1))

    def _go_to(self, index: int, offset: int) -> None:
        """Have so many lines of the message above the top."""
        height = self._heights[index] = len(self._strips_of(index))
        self._scroll(self._heights.top(index) + min(offset, height - 1))

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
                index, offset = self._heights.at(min(self.scroll_offset.y, self._heights.total - 1))
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
            height = len(self._strips_of(index))
            lines -= height
            if more := height - self._heights[index]:
                self._heights[index] = height
                grown += more
        return grown

    def _scroll(self, y: int) -> None:
        size = Size(self._width, self._heights.total)
        if size != self.virtual_size:
            self.virtual_size = size
        self.scroll_to(y=min(y, self.max_scroll_y), animate=False, force=True)

    def _estimates(self, ids: Sequence[str]) -> list[int]:
        """About how high these messages are; of many, all as high as some of them are on average."""
        step = max(len(ids) // _SAMPLE, 1)
        heights = [
            estimated_height(self._messages[id], self._width, spaced=self._spaced) for id in ids[::step]
        ]
        return heights if step == 1 else [round(sum(heights) / len(heights))] * len(ids)

    def _strips_of(self, index: int) -> list[Strip]:
        id = self._ids[index]
        message = self._messages[id]
        cached = self._strips.get(id)
        if cached and cached[0] is message:
            return cached[1]
        strips = message_lines(
            message,
            self._width,
            self._styles_now(),
            origin=self._messages.get(message.reply_to) if message.reply_to else None,
            selected=id == self.selected,
            spaced=self._spaced,
        )
        self._strips[id] = (message, strips)
        return strips

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
        self._strips.clear()

    def on_resize(self, event: events.Resize) -> None:
        width, spaced = self.scrollable_content_region.width, self.app.size.height >= self._spaced_from
        if (width, spaced) != (self._width, self._spaced):
            place = self._place()
            self._width, self._spaced = width, spaced
            self._strips.clear()
            self._heights = Heights(self._estimates(self._ids))
            if place:
                self._go_to(*place)
        self._settle()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if not self._settling:
            self.following = self.selected is None and self.scroll_offset.y >= self.max_scroll_y
            self._settle()

    def on_click(self, event: events.Click) -> None:
        line = self.scroll_offset.y + event.y
        if line < self._heights.total:
            self._select(self._heights.at(line)[0])

    # Actions

    def action_select(self, step: int) -> None:
        """Select the next message in one direction; past the newest, none."""
        if not self._ids:
            return
        if self.selected is None:
            if step > 0:
                return
            index = len(self._ids) - 1 - self.below
        else:
            index = self._index(self.selected) + step
        if index >= len(self._ids):
            self.action_newest()
        else:
            self._select(max(index, 0))

    def action_page(self, step: int) -> None:
        """Scroll by a screen."""
        self.scroll_to(y=self.scroll_offset.y + step * (self.size.height - 1), animate=False, force=True)

    def action_oldest(self) -> None:
        """Go to the first message."""
        if self._ids:
            self._select(0)

    def action_newest(self) -> None:
        """Select nothing, and follow the newest message."""
        self._unselect()
        self.following = True
        self._settle()
        self.refresh()

    def _index(self, id: str) -> int:
        """Where the message is in the room; past its end if it is no longer there."""
        message = self._messages.get(id)
        if message is None:
            return len(self._ids)
        return bisect_left(self._ids, message.seq, key=lambda other: self._messages[other].seq)

    def _unselect(self) -> None:
        if self.selected is not None:
            index = self._index(self.selected)
            self._strips.discard(self.selected)
            self.selected = None
            if index < len(self._ids):
                self._heights[index] = len(self._strips_of(index))

    def _select(self, index: int) -> None:
        self._unselect()
        self.selected = self._ids[index]
        self.following = False
        self._strips.discard(self.selected)
        height = self._heights[index] = len(self._strips_of(index))
        self._settle()
        top, shown, screen = self._heights.top(index), self.scroll_offset.y, self.size.height
        if top < shown or height > screen:
            self._scroll(top)
        elif top + height > shown + screen:
            self._scroll(top + height - screen)
        self.refresh()

    # Drawing

    def render_line(self, y: int) -> Strip:
        line = self.scroll_offset.y + y
        width = self.size.width
        if not self._ids and y == self.size.height // 2:
            style = self._style("empty")
            return Strip([Segment(self.empty_note.center(width), style)]).adjust_cell_length(width, style)
        if y == self.size.height - 1 and (below := self.below):
            return self._below_line(below, width)
        if not self._width or line >= self._heights.total:
            return Strip.blank(width, self.rich_style)
        index, offset = self._heights.at(line)
        strips, style = self._strips_of(index), self._styles_now().body
        if offset >= len(strips):  # An estimate that was too high; it is made exact when one stops there.
            return Strip.blank(width, style)
        return strips[offset].adjust_cell_length(width, style)

    def _below_line(self, below: int, width: int) -> Strip:
        style = self._style("below")
        text = f" ↓ {below:,} below · End "
        margin = max(width - len(text), 0) // 2
        blank = Segment(" " * margin, self.rich_style)
        return Strip([blank, Segment(text, style)]).adjust_cell_length(width, self.rich_style)
