"""The line that names the tabs of a screen, and says which of them ask for attention."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message as TextualMessage
from textual.strip import Strip
from textual.widget import Widget


class Tab(NamedTuple):
    """One of them."""

    name: str
    calls: int = 0
    """How many things in it ask for attention."""


class TabBar(Widget):
    """Draws the tabs, with their keys where there is room; a click on one chooses it."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar = {"tab-bar--current", "tab-bar--count", "tab-bar--key"}

    @dataclass
    class Chosen(TextualMessage):
        """The user wants to see the tab at this place."""

        place: int

    def __init__(self) -> None:
        super().__init__()
        self._tabs: Sequence[Tab] = ()
        self._current = 0

    def show(self, tabs: Sequence[Tab], current: int) -> None:
        """Show these tabs, the current one among them."""
        if (tabs, current) != (self._tabs, self._current):
            self._tabs, self._current = tabs, current
            self.refresh()

    def _parts(self) -> list[list[Segment]]:
        """Each tab, with as much of it as there is room for."""
        ways = ((True, True), (False, True), (False, False))
        for keys, counts in ways:
            parts = [self._part(place, tab, keys, counts) for place, tab in enumerate(self._tabs)]
            if sum(segment.cell_length for part in parts for segment in part) <= self.size.width:
                break
        return parts

    def _part(self, place: int, tab: Tab, keys: bool, counts: bool) -> list[Segment]:
        is_current = place == self._current
        own = self._style("current") if is_current else self.rich_style
        parts = [Segment(" ", own)]
        if keys:
            parts.append(Segment(f"{place + 1} ", own if is_current else self._style("key")))
        parts.append(Segment(tab.name, own))
        if tab.calls and (counts or is_current):
            parts.append(Segment(f" {tab.calls:,}", own if is_current else self._style("count")))
        return [*parts, Segment(" ", own)]

    def render_line(self, y: int) -> Strip:
        segments = [segment for part in self._parts() for segment in part]
        return Strip(segments).adjust_cell_length(self.size.width, self.rich_style)

    def on_click(self, event: events.Click) -> None:
        end = 0
        for place, part in enumerate(self._parts()):
            end += sum(segment.cell_length for segment in part)
            if event.x < end:
                self.post_message(self.Chosen(place))
                return

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"tab-bar--{name}")
