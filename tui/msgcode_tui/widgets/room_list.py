"""The list of agents, channels and conversations, one of which is selected."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import monotonic
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.geometry import Region, Size
from textual.message import Message as TextualMessage
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widgets import Input

from msgcode import Activity
from msgcode_tui import safe
from msgcode_tui.palette import palette_for, sender_color
from msgcode_tui.rooms import EVERYTHING, Room
from msgcode_tui.roster import Arrangement, Part, Place, Queue, Row, Section, rooms_in
from msgcode_tui.widgets.line_input import LineInput

SETTLED_AFTER = 4.0
"""Seconds after the last move through the list in which its rows keep their places."""

_KEPT = 512
"""So many rows are kept as they are drawn."""

_BADGE_UP_TO = 999
_LEAST_WIDTHS = (60, 40, 30, 0)
"""From which width on each form of what is said of agents is tried."""
_LEFT_BUTTON, _MIDDLE_BUTTON, _RIGHT_BUTTON = 1, 2, 3


class RoomList(ScrollView, can_focus=True, inherit_bindings=False):
    """Draws the rows that it is given. Moving through it selects; the selection stays as rows change.

    It is the one place that knows which room is selected, and how the list is arranged. The cursor is on
    that room, unless it is on a queue, the heading of a collapsed section or the first match of a filter.

    open: is called when the user wants to be in the selected room.
    """

    ALLOW_SELECT = False

    COMPONENT_CLASSES: ClassVar = {
        "room-list--muted", "room-list--heading", "room-list--idle", "room-list--busy",
        "room-list--blocked", "room-list--unread", "room-list--unread-muted", "room-list--current",
        "room-list--waiting", "room-list--traffic", "room-list--draft",
    }  # fmt: skip

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "step(-1)", "Up", id="rooms.up", show=False, tooltip="Select the room above"),
        Binding("down,j", "step(1)", "Down", id="rooms.down", show=False, tooltip="Select the room below"),
        Binding(
            "pageup,ctrl+b", "step(-10)", "Page up", id="rooms.page-up", show=False, tooltip="Ten rooms up"
        ),
        Binding(
            "pagedown", "step(10)", "Page down", id="rooms.page-down", show=False,
            tooltip="Ten rooms down",
        ),
        Binding("home,g", "first", "First", id="rooms.first", show=False, tooltip="Select everything"),
        Binding("end,G", "last", "Last", id="rooms.last", show=False, tooltip="Select the last room"),
        Binding("enter", "open", "Open", id="rooms.open", tooltip="Write to the selected room"),
        Binding(
            "a", "actions", "Actions", id="rooms.actions",
            tooltip="Show what can be done to the room, its agent or its channel (a right click does it too)",
        ),
        Binding("/", "filter", "Find", id="rooms.filter", tooltip="Show only rooms whose names match"),
        Binding(
            "p", "pin", "Pin", id="rooms.pin",
            tooltip="Keep the room at the top, or no longer",
        ),
        Binding(
            "m", "mute", "Mute", id="rooms.mute",
            tooltip="Draw no attention to the room, or again (a middle click does it too)",
        ),
        Binding(
            "left,h", "collapse", "Collapse", id="rooms.collapse", show=False,
            tooltip="Collapse the section (a click on its heading does it too)",
        ),
        Binding(
            "right,l,space", "expand", "Expand", id="rooms.expand", show=False,
            tooltip="Expand the section under the cursor",
        ),
    ]  # fmt: skip

    @dataclass
    class Selected(TextualMessage):
        """Another room was selected."""

        room: Room

    @dataclass
    class Rearranged(TextualMessage):
        """The user has pinned, muted or collapsed something."""

        arrangement: Arrangement
        before: Arrangement
        said: str = ""
        """What was done, in words, where it can be undone."""

    @dataclass
    class ActionsWanted(TextualMessage):
        """The user wants to see what can be done to this room."""

        room: Room

    @dataclass
    class QueueWanted(TextualMessage):
        """The user wants to go through this."""

        queue: Queue

    @dataclass
    class FilterWanted(TextualMessage):
        """The user wants to find a room by its name."""

    def __init__(self, open: Callable[[], None], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._open = open
        self._rows: list[Row] = []
        self._order: list[Room] = []
        self.room = EVERYTHING
        """The room that is selected."""
        self.cursor: Place = EVERYTHING
        self.arrangement = Arrangement()
        self._moved_at = -SETTLED_AFTER
        self._plain: Style | None = None
        self._strips: dict[tuple[Row, int, bool], Strip] = {}
        """The rows as they are drawn: by row, width, and whether the cursor is there."""

    @property
    def order(self) -> list[Room]:
        """The rooms in the order in which they have to stay while the user goes through them; else none."""
        in_use = self.mouse_hover or monotonic() - self._moved_at < SETTLED_AFTER
        return self._order if in_use else []

    def show(self, rows: list[Row], *, is_all: bool = True) -> None:
        """Show these rows; `is_all` is False if a filter has left some out."""
        if is_all:
            self._order = rooms_in(rows)
        if rows == self._rows:
            return
        was = self._line_of(self.cursor)
        before, self._rows = self._rows, rows
        self.virtual_size = Size(self.scrollable_content_region.width, len(rows))
        if self._line_of(self.cursor) is None and self.room in rooms_in(rows):
            self.cursor = self.room
        line = self._line_of(self.cursor)
        if line is not None and was is not None and line != was and self.scroll_offset.y:
            self.scroll_relative(y=line - was, animate=False, force=True)
        if line != was:
            self._reveal()
        if line != was or len(rows) != len(before):
            self.refresh()
        else:
            self._refresh_lines(y for y, row in enumerate(rows) if row != before[y])

    def _refresh_lines(self, lines: Iterable[int]) -> None:
        width, top = self.size.width, self.scroll_offset.y
        if regions := [Region(0, y - top, width, 1) for y in lines if 0 <= y - top < self.size.height]:
            self.refresh(*regions)

    def select(self, room: Room) -> None:
        """Select a room, whether there is a row for it or not."""
        self._move_to(room)
        if room != self.room:
            self.room = room
            self.post_message(self.Selected(room))

    def point_at_first(self) -> None:
        """Put the cursor on the first row that it can be on, if what it was on is not shown."""
        first = next((row.place for row in self._rows if row.place), None)
        if first and self._line_of(self.cursor) is None:
            self._move_to(first)

    def _move_to(self, place: Place) -> None:
        self.cursor = place
        self._reveal()
        self.refresh()

    def _line_of(self, place: Place) -> int | None:
        return next((y for y, row in enumerate(self._rows) if row.place == place), None)

    def _reveal(self) -> None:
        line = self._line_of(self.cursor)
        if line is not None:
            height = 1 + sum(row.is_note for row in self._rows[line + 1 : line + 2])
            self.scroll_to_region(Region(0, line, 1, height), animate=False, force=True)

    def on_resize(self) -> None:
        self.virtual_size = Size(self.scrollable_content_region.width, len(self._rows))
        self._reveal()

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        line = self.scroll_offset.y + offset.y if offset else len(self._rows)
        if line >= len(self._rows):
            return
        row = self._rows[line]
        if row.room and event.button == _RIGHT_BUTTON:
            self.post_message(self.ActionsWanted(row.room))
        elif row.room and event.button == _MIDDLE_BUTTON:
            self.mute(row.room)
        elif row.room:
            self.select(row.room)
            self._open()
        elif row.queue:
            self._move_to(row.queue)
            self.post_message(self.QueueWanted(row.queue))
        elif row.section:
            self.rearrange(self.arrangement.collapse(row.section))

    # Actions

    def action_step(self, step: int) -> None:
        """Go to another room, to a queue, or to the heading of a collapsed section."""
        places = [row.place for row in self._rows if row.place] or [EVERYTHING]
        at = places.index(self.cursor) if self.cursor in places else 0
        self._go_to(places[min(max(at + step, 0), len(places) - 1)])

    def action_first(self) -> None:
        """Select the first room."""
        self._go_to(next((row.place for row in self._rows if row.place), EVERYTHING))

    def action_last(self) -> None:
        """Select the last room."""
        self._go_to(next((row.place for row in reversed(self._rows) if row.place), EVERYTHING))

    def _go_to(self, place: Place) -> None:
        self._moved_at = monotonic()
        if isinstance(place, Room):
            self.select(place)
        else:
            self._move_to(place)

    def action_open(self) -> None:
        """Go to the room under the cursor, or open the section or the queue."""
        if isinstance(self.cursor, Queue):
            self.post_message(self.QueueWanted(self.cursor))
        elif isinstance(self.cursor, Section):
            self.action_expand()
        else:
            self.select(self.cursor)
            self._open()

    @property
    def rooms(self) -> list[Room]:
        """The rooms in the order of the list."""
        return [row.room for row in self._rows if row.room and not row.is_note] or [EVERYTHING]

    def action_filter(self) -> None:
        """Find a room by its name."""
        self.post_message(self.FilterWanted())

    def action_pin(self) -> None:
        """Pin the selected room, or let it go."""
        if isinstance(self.cursor, Room) and self.cursor != EVERYTHING:
            self.pin(self.cursor)

    def action_mute(self) -> None:
        """Mute the selected room, or let it be heard."""
        if isinstance(self.cursor, Room):
            self.mute(self.cursor)

    def pin(self, room: Room) -> None:
        """Pin the room, or let it go."""
        said = "unpinned" if room in self.arrangement.pinned else "pinned"
        self.rearrange(self.arrangement.pin(room), f"the room was {said}")

    def mute(self, room: Room) -> None:
        """Mute the room, or let it be heard."""
        said = "unmuted" if room in self.arrangement.muted else "muted"
        self.rearrange(self.arrangement.mute(room), f"the room was {said}")

    def action_actions(self) -> None:
        """Show what can be done to the room."""
        if isinstance(self.cursor, Room):
            self.post_message(self.ActionsWanted(self.cursor))

    def action_collapse(self) -> None:
        """Collapse the section in which the cursor is."""
        section = next((row.section for row in self._rows if row.place == self.cursor), None)
        if section and section not in self.arrangement.collapsed:
            self.cursor = section
            self.rearrange(self.arrangement.collapse(section))

    def action_expand(self) -> None:
        """Expand the section on whose heading the cursor is."""
        line = self._line_of(self.cursor)
        if line is not None and isinstance(self.cursor, Section):
            section = self.cursor
            self.cursor = self.room
            self.rearrange(self.arrangement.collapse(section))

    def rearrange(self, arrangement: Arrangement, said: str = "") -> None:
        """Arrange the list so. said: what was done, in words, if the user may undo it."""
        before, self.arrangement = self.arrangement, arrangement
        self._moved_at = monotonic()
        self.post_message(self.Rearranged(arrangement, before, said))

    # Drawing

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._plain = None
        self._strips.clear()

    def render_line(self, y: int) -> Strip:
        line = self.scroll_offset.y + y
        width = self.scrollable_content_region.width
        if line >= len(self._rows):
            return Strip.blank(width, self._body())
        row = self._rows[line]
        is_current = self.cursor in (row.room, row.place) if row.text else False
        key = (row, width, is_current)
        if key not in self._strips:
            if len(self._strips) >= _KEPT:
                self._strips.clear()
            strip = self._row_strip(row, width).adjust_cell_length(width, self._body())
            self._strips[key] = self._current(strip, row, width) if is_current else strip
        return self._strips[key]

    def _body(self) -> Style:
        """The style of the list itself, which takes Textual as long to find as drawing a row."""
        if self._plain is None:
            self._plain = self.rich_style
        return self._plain

    def _row_strip(self, row: Row, width: int) -> Strip:
        if row.room is None and row.queue is None:
            return self._heading_strip(row, width)
        muted = self._style("muted")
        if row.is_note:
            style = muted if row.is_muted else self._style(row.activity or "muted")
            return Strip([Segment("    ", muted), Segment(safe.fit(row.text, width - 5), style)])
        plain = self._body() + Style(bold=bool(row.unread) and not row.is_muted)
        mark = self._style(row.activity) if row.activity not in (None, Activity.OFFLINE) else muted
        spans = [Segment(f" {row.mark} " if row.mark else " ", mark)]
        if row.speakers and row.activity is not Activity.OFFLINE and not row.is_muted:
            palette = palette_for(self.app.current_theme, self.background_colors[1])
            for index, name in enumerate(row.speakers):
                spans.append(Segment(" ⇄ " if index else "", muted))
                spans.append(Segment(safe.line(name), plain + Style(color=sender_color(name, palette))))
        else:
            style = muted if row.activity is Activity.OFFLINE or row.is_muted else plain
            spans.append(Segment(safe.line(row.text), style))
        return self._two_ends(spans, row, width)

    def _heading_strip(self, row: Row, width: int) -> Strip:
        if not row.text:
            return Strip.blank(width, self._body())
        arrow = "▸" if row.is_collapsed else "▾"
        return self._two_ends([Segment(f" {arrow} {row.text}", self._style("heading"))], row, width)

    def _style(self, name: str) -> Style:
        name = "muted" if name == Activity.OFFLINE else name
        return self.get_component_rich_style(f"room-list--{name}")

    def _two_ends(self, left: list[Segment], row: Row, width: int) -> Strip:
        """The row's name at the left; at the right the counts, and what else there is room for.

        A long name is cut, so that the counts stay to be seen.
        """
        marks = [Segment("✎", self._style("draft"))] if row.has_draft else []
        if row.is_muted:
            marks.append(Segment("muted" if width > 40 else "⌀", self._style("muted")))
        badge = []
        if row.unread:
            count = str(row.unread) if row.unread <= _BADGE_UP_TO else f"{_BADGE_UP_TO}+"
            badge = [Segment(f" {count} ", self._style("unread-muted" if row.is_muted else "unread"))]
        name = Strip(left)
        forms = [self._spaced(parts) for parts in row.asides[self._first_form(row, width) :]] or [[]]
        space = width - 1
        for form in forms:
            ends = [end for end in (marks, form, badge) if end]
            right = Strip([segment for end in ends for segment in (self._gap(), *end)])
            if name.cell_length + right.cell_length <= space:
                break
        kept = max(space - right.cell_length, 0)
        if name.cell_length > kept:
            name = Strip([*name.crop(0, max(kept - 1, 0)), Segment("…", self._style("muted"))])
        return Strip([*name.adjust_cell_length(kept, self._body()), *right, self._gap()])

    def _first_form(self, row: Row, width: int) -> int:
        """The first form to try. It goes by the width alone, so that the agents' columns are in line."""
        if row.activity is None:
            return 0
        return next(form for form, least in enumerate(_LEAST_WIDTHS) if width >= least)

    def _spaced(self, parts: tuple[Part, ...]) -> list[Segment]:
        segments = []
        for index, (text, style) in enumerate(parts):
            segments += [self._gap()] * bool(index) + [Segment(safe.line(text), self._style(style))]
        return segments

    def _gap(self) -> Segment:
        return Segment(" ", self._body())

    def _current(self, strip: Strip, row: Row, width: int) -> Strip:
        over = self._style("current")
        background = Style(bgcolor=over.bgcolor)
        first = Segment("▌" if not row.is_note else " ", over)
        badge = self._style("unread").bgcolor
        return Strip(
            [
                first,
                *(
                    segment
                    if segment.style and segment.style.bgcolor == badge
                    else Segment(segment.text, (segment.style or Style()) + background)
                    for segment in strip.crop(1, width)
                ),
            ],
            width,
        )


class Rooms(Vertical):
    """The list, and the field that narrows it down while it is in use. open: as for `RoomList`."""

    def __init__(self, open: Callable[[], None], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._open = open

    @dataclass
    class Filtered(TextualMessage):
        """The list has to be drawn anew: only rooms whose names match are wanted, or again all of them."""

    @dataclass
    class Hidden(TextualMessage):
        """They are no longer shown, and so no longer focused."""

    def on_hide(self) -> None:
        self.post_message(self.Hidden())

    def compose(self) -> ComposeResult:
        yield LineInput("find a room", id="room-filter")
        yield RoomList(self._open)

    @property
    def filter(self) -> str:
        """What the names of the rooms that are shown have to match; "" for all rooms."""
        return self.query_one(LineInput).value

    @on(RoomList.FilterWanted)
    def _begin(self) -> None:
        self.add_class("-filtering")
        self.query_one(LineInput).focus()

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Filtered())

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        rooms = self.query_one(RoomList)
        rooms.point_at_first()
        # At once: the screen looks for what to focus when the field goes, and what is opened takes it then.
        self.screen.set_focus(rooms)
        rooms.call_later(rooms.action_open)  # What it posted from here would not get beyond us.

    @on(LineInput.Left)
    def _left(self, event: LineInput.Left) -> None:
        event.stop()
        self.query_one(RoomList).focus()

    @on(events.DescendantBlur)
    def _blurred(self, event: events.DescendantBlur) -> None:
        if event.widget is self.query_one(LineInput):
            self.remove_class("-filtering")
            self.query_one(LineInput).value = ""

    def on_key(self, event: events.Key) -> None:
        if self.query_one(LineInput).has_focus and event.key in ("up", "down"):
            event.stop()
            rooms = self.query_one(RoomList)
            rooms.call_later(rooms.action_step, -1 if event.key == "up" else 1)
