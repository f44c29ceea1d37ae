"""Where in the past the user is: a line with the whole of the journal, and the event in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.message import Message as TextualMessage
from textual.strip import Strip

from msgcode_tui.widgets.bars import Bar, Part


class TravelBar(Bar):
    """Two lines. A click on the first goes to that part of the past."""

    PREFIX = "travel-bar"
    COMPONENT_CLASSES: ClassVar = {
        "travel-bar--gone", "travel-bar--come", "travel-bar--place", "travel-bar--key",
    }  # fmt: skip

    @dataclass
    class Wanted(TextualMessage):
        """The user wants to go to this part of all events, from 0 to 1."""

        share: float

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._share = 1.0
        self._words = ""
        self._keys: Sequence[Sequence[tuple[str, str]]] = ()

    def tell(self, share: float, words: str, keys: Sequence[Sequence[tuple[str, str]]]) -> None:
        """Say where the user is, and what the keys do.

        words: may be untrusted. keys: pairs of a key and what it does, in ever fewer words.
        """
        if share != self._share:
            self._share = share
            self.refresh()
        self._words, self._keys = words, keys
        self._fit()

    def on_resize(self) -> None:
        self._fit()

    def _fit(self) -> None:
        """The keys have half of the line, or what the words leave."""
        room = max(self.size.width - cell_len(self._words) - 3, self.size.width // 2)
        right: list[Part] = []
        for keys in self._keys:
            right = [part for key, does in keys for part in ((f" {key}", "key"), (f" {does} ", ""))]
            if sum(cell_len(text) for text, _ in right) <= room:
                break
        self.show([(f" {self._words}", "")], right)

    def render_line(self, y: int) -> Strip:
        if y > 0:
            return super().render_line(y)
        width = self.size.width
        place = round(self._share * (width - 1))
        parts = [("━" * place, "gone"), ("●", "place"), ("─" * (width - 1 - place), "come")]
        return Strip(
            [Segment(text, self.get_component_rich_style(f"{self.PREFIX}--{name}")) for text, name in parts]
        ).adjust_cell_length(width, self.rich_style)

    def on_click(self, event: events.Click) -> None:
        if event.y == 0:
            self.post_message(self.Wanted(event.x / max(self.size.width - 1, 1)))
