"""The single lines across the screen: the room's health on top, what is wrong, the room that is shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Static

from msgcode_tui import safe
from msgcode_tui.health import Health

Part = tuple[str, str]
"""A text and the last word of the component class that styles it; "" for none."""


class Bar(Widget):
    """One line with something at the left and something at the right, which is cut last."""

    ALLOW_SELECT = False
    PREFIX: ClassVar[str]
    """The first words of its component classes."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._left: Sequence[Part] = ()
        self._right: Sequence[Part] = ()

    def show(self, left: Sequence[Part], right: Sequence[Part] = ()) -> None:
        """Show these parts; their texts may be untrusted."""
        if (left, right) != (self._left, self._right):
            self._left, self._right = left, right
            self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        right = Strip(self._segments(self._right))
        left = Strip(self._segments(self._left))
        space = max(width - right.cell_length, 0)
        if left.cell_length > space - 1:
            left = Strip([*left.crop(0, max(space - 2, 0)), Segment("… ", self.rich_style)])
        strip = Strip([*left.adjust_cell_length(space, self.rich_style), *right])
        return strip.adjust_cell_length(width, self.rich_style)

    def _segments(self, parts: Sequence[Part]) -> list[Segment]:
        return [
            Segment(
                safe.line(text),
                self.get_component_rich_style(f"{self.PREFIX}--{name}") if name else self.rich_style,
            )
            for text, name in parts
        ]


class TopBar(Bar):
    """How the whole room is, in as many words as there is room for."""

    PREFIX = "top-bar"
    COMPONENT_CLASSES: ClassVar = {
        "top-bar--name", "top-bar--muted", "top-bar--online", "top-bar--waiting", "top-bar--stuck",
        "top-bar--failed",
    }  # fmt: skip

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._health = Health()
        self._me = self._where = ""

    def tell(self, health: Health, me: str, where: str) -> None:
        """Say how the room is, who the user is and where the store is."""
        self._health, self._me, self._where = health, me, where
        self._fit()

    def on_resize(self) -> None:
        self._fit()

    def _fit(self) -> None:
        for left, right in _top_bar(self._health, self._me, self._where):
            if sum(cell_len(safe.line(text)) for text, _ in [*left, *right]) < self.size.width:
                break
        self.show(left, right)


def _top_bar(health: Health, me: str, where: str) -> Iterator[tuple[list[Part], list[Part]]]:
    """What the bar can say at the left and at the right, in ever fewer words."""
    counts = [
        (health.waiting, "waiting", "waiting"),
        (health.held, "held", "stuck"),
        (health.stuck, "stuck", "stuck"),
        (health.failed, "failed", "failed"),
        (health.questions, "question" if health.questions == 1 else "questions", "waiting"),
    ]
    told = [(f"  {count:,} {word}", style) for count, word, style in counts if count]
    style = "online" if health.online else "muted"
    title = (" msgcode  ", "name")
    there = "as it was" if health.online is None else f"● {health.online}"
    online = [(there if health.online is None else f"{there} online", style), *told]
    you: list[Part] = [("  you are ", "muted"), (f"{me} ", "name")]
    yield [title, *online], [(f"  {where}", "muted"), *you]
    yield [title, *online], you
    yield [(" ", "name"), *online], you
    yield [(" ", "name"), *online], [(f"  {me} ", "name")]
    yield [(f" {there}", style), *told], [(f"  {me} ", "name")]
    yield [(f" {there}", style), *told], []


class RoomBar(Bar):
    """Which room is shown, and what it is."""

    PREFIX = "room-bar"
    COMPONENT_CLASSES: ClassVar = {"room-bar--title", "room-bar--about", "room-bar--found"}


class Banner(Static):
    """Says what is wrong, as long as it is."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self._text = ""

    def show(self, text: str) -> None:
        """Show the sentence; an empty one takes the banner away."""
        if text != self._text:  # An update has the whole screen laid out anew.
            self._text = text
            self.update(safe.content(text))
            self.set_class(bool(text), "-shown")
