"""The panes side by side, as many as the terminal has room for, and the dividers between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from textual import events, on
from textual.containers import Horizontal
from textual.message import Message as TextualMessage
from textual.strip import Strip
from textual.widget import Widget

from msgcode_tui import safe

ROOMS, MIDDLE, INSPECTOR = "rooms", "conversation", "inspector"

THREE_FROM = 126
"""Columns from which there is room for three panes."""

TWO_FROM = 72

WIDTHS = {ROOMS: 30, INSPECTOR: 40}
"""Columns of the panes at the sides, unless the user wants others."""

LEAST = 18
"""Columns that a pane at the side has at least."""

LEAST_MIDDLE = 40
"""Columns that are left to the middle."""


class Splitter(Widget):
    """The line at the edge of a pane; it is dragged with the mouse."""

    ALLOW_SELECT = False

    @dataclass
    class Dragged(TextualMessage):
        """The edge of this pane was dragged to this column of the screen."""

        pane: str
        column: int

    def __init__(self, pane: str) -> None:
        super().__init__()
        self.pane = pane

    def render_line(self, y: int) -> Strip:
        return Strip([Segment("│", self.visual_style.rich_style)])

    def on_mouse_down(self, event: events.MouseDown) -> None:
        event.stop()
        self.capture_mouse()
        self.add_class("-dragged")

    def on_mouse_up(self, event: events.MouseUp) -> None:
        event.stop()
        self.capture_mouse(False)
        self.remove_class("-dragged")

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self.has_class("-dragged"):
            self.post_message(self.Dragged(self.pane, event.screen_x))


class Panes(Horizontal):
    """Three panes where there is room: rooms, the middle, the inspector. With room for two, one of those at
    the sides; with room for one, one of the three.

    What the user chooses is kept in `widths` and `hidden`, which others may store.
    """

    @dataclass
    class Changed(TextualMessage):
        """Other panes are shown, or their widths have changed, by the user or by the size of the terminal."""

        panes: Panes

    def __init__(self, widths: dict[str, int], hidden: set[str], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.widths = widths
        """Columns of the panes at the sides, as the user has made them."""
        self.hidden = hidden
        """The panes at the sides that are not shown where there is room for both."""
        self.side: str | None = ROOMS
        """The pane beside the middle where there is room for one."""
        self.front: str = MIDDLE
        """The pane that is shown where there is room for one only."""

    @property
    def capacity(self) -> int:
        """For how many panes there is room."""
        width = self.app.size.width
        return 3 if width >= THREE_FROM else 2 if width >= TWO_FROM else 1

    @property
    def visible_panes(self) -> frozenset[str]:
        """The panes that are shown now."""
        if self.capacity == 3:
            return frozenset((ROOMS, MIDDLE, INSPECTOR)) - self.hidden
        if self.capacity == 2:
            return frozenset((MIDDLE, self.side)) if self.side else frozenset((MIDDLE,))
        return frozenset((self.front,))

    def bring(self, pane: str) -> None:
        """Show the pane, in the place of another where there is no room for both."""
        if self.capacity == 3:
            self.hidden.discard(pane)
        elif self.capacity == 2 and pane != MIDDLE:
            self.side = pane
        self.front = pane
        self.lay_out()

    def toggle(self, pane: str) -> None:
        """Show or hide a pane at the side."""
        if pane not in self.visible_panes:
            self.bring(pane)
            return
        if self.capacity == 3:
            self.hidden.add(pane)
        elif self.capacity == 2:
            self.side = None
        self.front = MIDDLE
        self.lay_out()

    def widen(self, pane: str, columns: int) -> None:
        """Make a pane at the side wider by so many columns."""
        self._set_width(pane, self._columns().get(pane, 0) + columns)

    def _set_width(self, pane: str, width: int) -> None:
        if self.capacity > 1 and pane in self.visible_panes:
            others = sum(columns + 1 for other, columns in self._columns().items() if other != pane)
            room = self.app.size.width - others - LEAST_MIDDLE - 1
            self.widths[pane] = max(min(width, room), LEAST)
            self.lay_out()

    def _columns(self) -> dict[str, int]:
        """The widths of the panes at the sides that are shown: those wanted, as far as the middle keeps its
        room."""
        sides = [pane for pane in (ROOMS, INSPECTOR) if pane in self.visible_panes]
        room = self.app.size.width - LEAST_MIDDLE - len(sides)
        columns = {}
        for index, pane in enumerate(sides, 1):
            columns[pane] = max(
                min(self.widths.get(pane, WIDTHS[pane]), room - LEAST * (len(sides) - index)), LEAST
            )
            room -= columns[pane]
        return columns

    def lay_out(self) -> None:
        """Lay the panes out for the size that the terminal has now."""
        visible, capacity, columns = self.visible_panes, self.capacity, self._columns()
        for pane in (ROOMS, MIDDLE, INSPECTOR):
            widget = self.query_one(f"#{pane}")
            widget.display = pane in visible
            widget.styles.width = "1fr" if pane == MIDDLE or capacity == 1 else columns.get(pane, 0)
        for splitter in self.query(Splitter):
            splitter.display = capacity > 1 and splitter.pane in visible
        self.post_message(self.Changed(self))

    def on_mount(self) -> None:
        self.lay_out()

    @on(Splitter.Dragged)
    def _splitter_dragged(self, event: Splitter.Dragged) -> None:
        event.stop()
        region = self.region
        at_left = event.column - region.x
        self._set_width(event.pane, at_left if event.pane == ROOMS else region.width - at_left - 1)


class PaneTabs(Widget):
    """Names the three panes where only one is shown, which one it is; a click shows another."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar = {"pane-tabs--current"}

    @dataclass
    class Chosen(TextualMessage):
        """The user wants to see this pane."""

        pane: str

    def __init__(self) -> None:
        super().__init__()
        self._titles: dict[str, str] = {}
        self._current = MIDDLE

    def show(self, titles: dict[str, str], current: str) -> None:
        """Show these titles, by pane; they may be untrusted."""
        if (titles, current) != (self._titles, self._current):
            self._titles, self._current = titles, current
            self.refresh()

    def _labels(self) -> list[tuple[str, str]]:
        """The panes with what is said of each; the middle's title has what room the others leave."""
        width = self.size.width - sum(
            len(title) + 2 for pane, title in self._titles.items() if pane != MIDDLE
        )
        return [
            (pane, f" {safe.fit(title, max(width - 2, 1) if pane == MIDDLE else len(title))} ")
            for pane, title in self._titles.items()
        ]

    def render_line(self, y: int) -> Strip:
        current = self.get_component_rich_style("pane-tabs--current")
        spans = [
            Segment(label, current if pane == self._current else self.rich_style)
            for pane, label in self._labels()
        ]
        return Strip(spans).adjust_cell_length(self.size.width, self.rich_style)

    def on_click(self, event: events.Click) -> None:
        end = 0
        for pane, label in self._labels():
            end += Segment(label).cell_length
            if event.x < end:
                self.post_message(self.Chosen(pane))
                return
