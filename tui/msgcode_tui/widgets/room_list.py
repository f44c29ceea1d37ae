"""The list of agents, channels and conversations, one of which is selected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message as TextualMessage
from textual.scroll_view import ScrollView
from textual.strip import Strip

from msgcode import Activity
from msgcode_tui import safe
from msgcode_tui.palette import palette_for, sender_color
from msgcode_tui.rooms import EVERYTHING, Room
from msgcode_tui.roster import Row


class RoomList(ScrollView, can_focus=True):
    """Draws the rows that it is given. Moving through it selects; the selection stays as rows change.

    It is the one place that knows which room is selected.
    """

    ALLOW_SELECT = False

    COMPONENT_CLASSES: ClassVar = {
        "room-list--muted", "room-list--heading", "room-list--idle", "room-list--busy",
        "room-list--blocked", "room-list--unread", "room-list--current",
    }  # fmt: skip

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "step(-1)", "Up", id="rooms.up", show=False, tooltip="Select the room above"),
        Binding("down,j", "step(1)", "Down", id="rooms.down", show=False, tooltip="Select the room below"),
        Binding("home,g", "first", "First", id="rooms.first", show=False, tooltip="Select everything"),
        Binding("end,G", "last", "Last", id="rooms.last", show=False, tooltip="Select the last room"),
        Binding("enter", "open", "Open", id="rooms.open", tooltip="Write to the selected room"),
    ]

    @dataclass
    class Selected(TextualMessage):
        """Another room was selected."""

        room: Room

    @dataclass
    class Opened(TextualMessage):
        """The user wants to be in this room."""

        room: Room

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._rows: list[Row] = []
        self.room = EVERYTHING
        """The room that is selected."""

    def show(self, rows: list[Row]) -> None:
        """Show these rows."""
        if rows == self._rows:
            return
        moved = [row.room for row in rows] != [row.room for row in self._rows]
        self._rows = rows
        self.virtual_size = Size(self.scrollable_content_region.width, len(rows))
        if moved:
            self._reveal()
        self.refresh()

    def select(self, room: Room) -> None:
        """Select a room, whether there is a row for it or not."""
        if room != self.room:
            self.room = room
            self._reveal()
            self.refresh()
            self.post_message(self.Selected(room))

    def _reveal(self) -> None:
        shown = [y for y, row in enumerate(self._rows) if row.room == self.room]
        if shown:
            self.scroll_to_region(Region(0, shown[0], 1, len(shown)), animate=False, force=True)

    def on_resize(self) -> None:
        self.virtual_size = Size(self.scrollable_content_region.width, len(self._rows))
        self._reveal()

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        line = self.scroll_offset.y + offset.y if offset else len(self._rows)
        if line < len(self._rows) and (room := self._rows[line].room):
            self.select(room)
            self.post_message(self.Opened(room))

    # Actions

    def action_step(self, step: int) -> None:
        """Select the next room in one direction."""
        rooms = self.rooms
        place = rooms.index(self.room) if self.room in rooms else 0
        self.select(rooms[min(max(place + step, 0), len(rooms) - 1)])

    def action_first(self) -> None:
        """Select the first room."""
        self.select(self.rooms[0])

    def action_last(self) -> None:
        """Select the last room."""
        self.select(self.rooms[-1])

    def action_open(self) -> None:
        """Go to the selected room."""
        self.post_message(self.Opened(self.room))

    @property
    def rooms(self) -> list[Room]:
        """The rooms in the order of the list."""
        return [row.room for row in self._rows if row.room and not row.is_note] or [EVERYTHING]

    # Drawing

    def render_line(self, y: int) -> Strip:
        line = self.scroll_offset.y + y
        width = self.scrollable_content_region.width
        if line >= len(self._rows):
            return Strip.blank(width, self.rich_style)
        return self._row_strip(self._rows[line], width)

    def _row_strip(self, row: Row, width: int) -> Strip:
        muted = self._style("muted")
        if row.room is None:
            return self._two_ends([Segment(safe.line(row.text), self._style("heading"))], row, width)
        if row.is_note:
            text = Segment(safe.fit(row.text, width - 5), self._style(row.activity or "muted"))
            return self._current(Strip([Segment("    ", muted), text]), row, width)
        plain = self.rich_style + Style(bold=bool(row.unread))
        mark = self._style(row.activity) if row.activity not in (None, Activity.OFFLINE) else muted
        spans = [Segment(f" {row.mark} " if row.mark else " ", mark)]
        if row.speakers and row.activity is not Activity.OFFLINE:
            palette = palette_for(self.app.current_theme, self.background_colors[1])
            for index, name in enumerate(row.speakers):
                spans.append(Segment(" ⇄ " if index else "", muted))
                spans.append(Segment(safe.line(name), plain + Style(color=sender_color(name, palette))))
        else:
            style = muted if row.activity is Activity.OFFLINE else plain
            spans.append(Segment(safe.line(row.text), style))
        return self._current(self._two_ends(spans, row, width), row, width)

    def _style(self, name: str) -> Style:
        name = "muted" if name == Activity.OFFLINE else name
        return self.get_component_rich_style(f"room-list--{name}")

    def _two_ends(self, left: list[Segment], row: Row, width: int) -> Strip:
        """The row's name at the left; at the right what there is room for, the count of unread first."""
        name = Strip([Segment(" ", self.rich_style), *left] if row.room is None else left)
        badge = f" {row.unread if row.unread < 1000 else '999+'} " if row.unread else ""
        space = width - len(badge) - 1
        if name.cell_length > space:
            name = Strip([*name.crop(0, space - 1), Segment("…", self._style("muted"))])
        aside = row.aside if name.cell_length + len(row.aside) + 1 <= space else row.aside.split(" ", 1)[0]
        if name.cell_length + len(aside) + 1 > space:
            aside = ""
        name = name.adjust_cell_length(space - len(aside) - bool(badge and aside), self.rich_style)
        spans = [*name, Segment(aside, self._aside_style(row))]
        if badge:
            spans += [Segment(" " * bool(aside), self.rich_style), Segment(badge, self._style("unread"))]
        return Strip([*spans, Segment(" ", self.rich_style)])

    def _aside_style(self, row: Row) -> Style:
        return self._style(row.activity if row.activity in (Activity.BUSY, Activity.BLOCKED) else "muted")

    def _current(self, strip: Strip, row: Row, width: int) -> Strip:
        strip = strip.adjust_cell_length(width, self.rich_style)
        if row.room != self.room:
            return strip
        over = self._style("current")
        background = Style(bgcolor=over.bgcolor)
        first = Segment("▌" if not row.is_note else " ", over)
        kept = strip.crop(1, width)
        badge = self._style("unread").bgcolor
        return Strip(
            [
                first,
                *(
                    segment
                    if segment.style and segment.style.bgcolor == badge
                    else Segment(segment.text, (segment.style or Style()) + background)
                    for segment in kept
                ),
            ],
            width,
        )
