"""The inspector: all about the message that is selected, or the room; its links can be followed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events, work
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message as TextualMessage
from textual.scroll_view import ScrollView
from textual.strip import Strip

from msgcode import Message, MsgcodeError
from msgcode.events import Event
from msgcode_tui.cards import room_card
from msgcode_tui.inspection import message_card
from msgcode_tui.items import Item
from msgcode_tui.live import Live
from msgcode_tui.rooms import Room
from msgcode_tui.widgets.item_lines import ItemLine, item_lines

_REST = 0.1
"""Seconds that a message is selected before its life is read: who goes through a room reads none."""


class Inspector(ScrollView, can_focus=True, inherit_bindings=False):
    """Draws the items that it is given. Keys go from link to link, and enter follows the current one."""

    ALLOW_SELECT = False

    COMPONENT_CLASSES: ClassVar = {
        "inspector--title", "inspector--heading", "inspector--muted", "inspector--done",
        "inspector--under-way", "inspector--warning", "inspector--failed", "inspector--link",
        "inspector--current",
    }  # fmt: skip

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(keys, action, description, id=f"inspector.{id}", show=id == "open", tooltip=tooltip)
        for keys, action, description, id, tooltip in (
            ("up,k", "step(-1)", "Up", "up", "Go to the link above, or scroll up"),
            ("down,j", "step(1)", "Down", "down", "Go to the link below, or scroll down"),
            ("pageup,ctrl+u", "page(-1)", "Page up", "page-up", "Scroll up a page"),
            ("pagedown,ctrl+d", "page(1)", "Page down", "page-down", "Scroll down a page"),
            ("home,g", "top", "Top", "top", "Go to the top"),
            ("end,G", "bottom", "Bottom", "bottom", "Go to the bottom"),
            ("enter", "open", "Open", "open", "Go to what the current line names"),
        )
    ]

    @dataclass
    class Followed(TextualMessage):
        """The user wants to go to this message or room."""

        target: str | Room

    def __init__(self, read_life: Callable[[str], Awaitable[list[Event]]], *, id: str | None = None) -> None:
        """read_life: reads what has happened to the message with this id. May raise MsgcodeError."""
        super().__init__(id=id)
        self._read_life = read_life
        self._life: list[Event] = []
        self._about: tuple[Room, str | None] | None = None
        self._message: Message | None = None
        self._items: Sequence[Item] = ()
        self._rows: list[ItemLine] = []
        self._current: int | None = None

    def show(self, live: Live, room: Room, message: Message | None, now: datetime) -> None:
        """Show all about the message, or if that is None, the room. Call again after every change."""
        about = (room, message.id if message else None)
        if about != self._about:
            self._about, self._life, self._current = about, [], None
            self.scroll_to(y=0, animate=False, force=True)
        if message is not self._message:
            self._message = message
            if message:
                self._follow_life(live, room, message, now)
        items = message_card(live, message, self._life, now) if message else room_card(live, room, now)
        if items != self._items:
            self._items = items
            self._lay_out()

    @work(exclusive=True)
    async def _follow_life(self, live: Live, room: Room, message: Message, now: datetime) -> None:
        if not self._life:
            await asyncio.sleep(_REST)
        try:
            self._life = await self._read_life(message.id)
        except MsgcodeError:
            return  # The banner says what is wrong with the store; what the message itself says stays.
        self.show(live, room, message, now)

    def _lay_out(self) -> None:
        width = max(self.scrollable_content_region.width - 2, 10)
        target = self._rows[self._current].item.target if self._current is not None else None
        self._rows = [row for item in self._items for row in item_lines(item, width)]
        self.virtual_size = Size(width, len(self._rows))
        links = self._links()
        self._current = next((y for y in links if target and self._rows[y].item.target == target), None)
        self.refresh()

    def _links(self) -> list[int]:
        return [y for y, row in enumerate(self._rows) if row.item.target]

    def on_resize(self) -> None:
        self._lay_out()

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        y = self.scroll_offset.y + offset.y if offset else len(self._rows)
        if y < len(self._rows) and self._rows[y].item.target:
            self._current = y
            self.refresh()
            self.action_open()

    # Actions

    def action_step(self, step: int) -> None:
        """Go to the next link in one direction if it is in sight, else scroll by a line."""
        links = [y for y in self._links() if self._current is None or (y - self._current) * step > 0]
        top, bottom = self.scroll_offset.y, self.scroll_offset.y + self.size.height
        within = [y for y in links if top - 1 <= y <= bottom]
        if within and not (self._current is None and step < 0):
            self._current = within[0] if step > 0 else within[-1]
            self.scroll_to_region(Region(0, self._current, 1, 1), animate=False, force=True)
        else:
            self.scroll_to(y=top + step, animate=False, force=True)
        self.refresh()

    def action_page(self, step: int) -> None:
        """Scroll by a screen."""
        self.scroll_to(y=self.scroll_offset.y + step * (self.size.height - 1), animate=False, force=True)

    def action_top(self) -> None:
        """Go to the top."""
        self.scroll_to(y=0, animate=False, force=True)

    def action_bottom(self) -> None:
        """Go to the bottom."""
        self.scroll_to(y=len(self._rows), animate=False, force=True)

    def action_open(self) -> None:
        """Go to what the current link leads to."""
        if self._current is not None and (target := self._rows[self._current].item.target):
            self.post_message(self.Followed(target))

    # Drawing

    def render_line(self, y: int) -> Strip:
        line, width = self.scroll_offset.y + y, self.size.width
        plain = self.visual_style.rich_style  # Which is kept; `rich_style` is worked out anew each time.
        if line >= len(self._rows):
            return Strip.blank(width, plain)
        row = self._rows[line]
        style = self._style(row.item.tone) if row.item.tone else plain
        if row.item.target and not row.item.tone:
            style = self._style("link")
        muted = self._style("muted")
        is_current = line == self._current and self.has_focus
        mark = Segment("▸" if is_current else " ", self._style("link"))
        left = Strip(
            [
                mark,
                Segment(row.lead, muted if row.aside or row.lead.strip() else style),
                Segment(row.text, style),
            ]
        )
        left = left.adjust_cell_length(width - cell_len(row.aside) - 1, plain)
        strip = Strip([*left, Segment(row.aside, muted), Segment(" ", plain)])
        strip = strip.adjust_cell_length(width, plain)
        if is_current:
            over = Style(bgcolor=self._style("current").bgcolor)
            strip = Strip([Segment(text, (own or Style()) + over) for text, own, _ in strip], width)
        return strip

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"inspector--{name}")
