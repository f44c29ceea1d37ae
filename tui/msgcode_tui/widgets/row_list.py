"""A list of rows, some of which can be selected; it stays with the selected one while the others change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message as TextualMessage
from textual.scroll_view import ScrollView
from textual.strip import Strip

from msgcode_tui.debugger.rows import Row
from msgcode_tui.widgets.item_lines import ItemLine, item_lines

_INDENT = "  "
"""Before what is said of something that can be selected."""


class RowList(ScrollView, can_focus=True):
    """Draws the rows that it is given. Keys go from one that can be selected to the next, or scroll."""

    ALLOW_SELECT = False

    COMPONENT_CLASSES: ClassVar = {
        "row-list--title", "row-list--heading", "row-list--muted", "row-list--done", "row-list--under-way",
        "row-list--warning", "row-list--failed", "row-list--current", "row-list--left",
    }  # fmt: skip

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(keys, action, description, id=f"list.{id}", show=id == "open", tooltip=tooltip)
        for keys, action, description, id, tooltip in (
            ("enter", "open", "Go to it", "open", "Go to the message, or do what the line says"),
            ("up,k", "step(-1)", "Up", "up", "Go to the row above, or scroll up"),
            ("down,j", "step(1)", "Down", "down", "Go to the row below, or scroll down"),
            ("pageup,ctrl+u", "page(-1)", "Page up", "page-up", "Go up a page"),
            ("pagedown,ctrl+d", "page(1)", "Page down", "page-down", "Go down a page"),
            ("home,g", "end(-1)", "Top", "top", "Go to the top"),
            ("end,G", "end(1)", "Bottom", "bottom", "Go to the bottom"),
        )
    ]

    @dataclass
    class Selected(TextualMessage):
        """Another row is the current one."""

        list: RowList

        @property
        def control(self) -> RowList:
            return self.list

    @dataclass
    class Opened(TextualMessage):
        """The user wants to go where the row leads."""

        list: RowList
        row: Row

        @property
        def control(self) -> RowList:
            return self.list

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._rows: Sequence[Row] = ()
        self._lines: list[tuple[ItemLine, int]] = []
        """Every line, with the place of its row."""
        self._tops: list[int] = []
        """At which line each row begins."""
        self._place: int | None = None

    def show(self, rows: Sequence[Row], *, anew: bool = False) -> None:
        """Show these rows. anew: they are of another thing than those before, so begin at the top."""
        if rows == self._rows and not anew:
            return
        before = self.current
        above = self._tops[self._place] - self.scroll_offset.y if self._place is not None else 0
        places = {row.key: place for place, row in reversed(list(enumerate(rows))) if row.key}
        if anew or before is None:
            place = min(places.values(), default=None)
        else:
            place = places.get(before.key, self._nearest(rows))
        self._rows, self._place = rows, place
        self._lay_out()
        if anew:
            self.scroll_to(y=0, animate=False, force=True)
        elif place is not None:
            self.scroll_to(y=self._tops[place] - above, animate=False, force=True)
            self._reveal()
        if anew or (self.current and self.current.key) != (before and before.key):
            self.post_message(self.Selected(self))

    def _nearest(self, rows: Sequence[Row]) -> int | None:
        """The place that can be selected next to where the current row was."""
        was = self._place or 0
        return min(
            (place for place, row in enumerate(rows) if row.key),
            key=lambda place: (abs(place - was), place < was),
            default=None,
        )

    @property
    def current(self) -> Row | None:
        """The row that is selected; None if none can be."""
        return self._rows[self._place] if self._place is not None else None

    @property
    def rows(self) -> Sequence[Row]:
        """All of them."""
        return self._rows

    def _lay_out(self) -> None:
        width = max(self.scrollable_content_region.width - 2, 10)
        self._lines, self._tops = [], []
        for place, row in enumerate(self._rows):
            self._tops.append(len(self._lines))
            for number, item in enumerate(row.items):
                indent = _INDENT if number and row.key else ""
                for line in item_lines(item, width - len(indent)):
                    self._lines.append((line._replace(lead=indent + line.lead), place))
        self.virtual_size = Size(width, len(self._lines))
        self.refresh()

    def on_resize(self) -> None:
        self._lay_out()
        self._reveal()

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        y = self.scroll_offset.y + offset.y if offset else len(self._lines)
        if y < len(self._lines) and self._rows[place := self._lines[y][1]].key:
            is_current = place == self._place
            self._select(place)
            if is_current and event.chain > 1:
                self.action_open()

    def _select(self, place: int) -> None:
        if place != self._place:
            self._place = place
            self.post_message(self.Selected(self))
        self._reveal()
        self.refresh()

    def _reveal(self) -> None:
        if self._place is None:
            return
        top, shown = self._tops[self._place], self.scroll_offset.y
        bottom = top + sum(place == self._place for _, place in self._lines[top : top + self.size.height])
        if self._place == self._first:  # With the headings above it.
            top = 0
        y = top if top < shown else max(shown, bottom - self.size.height)
        self.scroll_to(y=y, animate=False, force=True)

    @property
    def _first(self) -> int | None:
        return next((place for place, row in enumerate(self._rows) if row.key), None)

    # Actions

    def action_step(self, step: int) -> None:
        """Go to the next row in one direction; where there is none, scroll by a line."""
        places = [place for place, row in enumerate(self._rows) if row.key]
        was = self._place if self._place is not None else -1
        found = [place for place in places if (place - was) * step > 0]
        if found:
            self._select(found[0] if step > 0 else found[-1])
        else:
            self.scroll_to(y=self.scroll_offset.y + step, animate=False, force=True)

    def action_page(self, step: int) -> None:
        """Go by a screen."""
        y = (self._tops[self._place] if self._place is not None else self.scroll_offset.y) + step * (
            self.size.height - 1
        )
        places = [place for place, row in enumerate(self._rows) if row.key]
        if places:
            self._select(min(places, key=lambda place: abs(self._tops[place] - y)))
        else:
            self.scroll_to(y=y, animate=False, force=True)

    def action_end(self, step: int) -> None:
        """Go to the first row (-1) or the last (1)."""
        places = [place for place, row in enumerate(self._rows) if row.key]
        if places:
            self._select(places[0] if step < 0 else places[-1])
        self.scroll_to(y=0 if step < 0 else len(self._lines), animate=False, force=True)

    def action_open(self) -> None:
        """Go where the current row leads."""
        if row := self.current:
            self.post_message(self.Opened(self, row))

    # Drawing

    def render_line(self, y: int) -> Strip:
        number, width = self.scroll_offset.y + y, self.size.width
        if number >= len(self._lines):
            return Strip.blank(width, self.rich_style)
        line, place = self._lines[number]
        is_current = place == self._place
        style = self._style(line.item.tone) if line.item.tone else self.rich_style
        own = self._style("current" if self.has_focus else "left")
        mark = Segment("▌", own) if is_current else Segment(" ", self.rich_style)
        left = Strip([mark, Segment(line.lead + line.text, style)])
        left = left.adjust_cell_length(width - cell_len(line.aside) - 1, self.rich_style)
        strip = Strip([*left, Segment(line.aside, self._style("muted")), Segment(" ", self.rich_style)])
        strip = strip.adjust_cell_length(width, self.rich_style)
        if is_current and self.has_focus:
            over = Style(bgcolor=self._style("current").bgcolor)
            strip = Strip([Segment(text, (own or Style()) + over) for text, own, _ in strip], width)
        return strip

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"row-list--{name}")
