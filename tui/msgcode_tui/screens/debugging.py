"""How one comes from the room to the debugger, and to why a message has come no further."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from textual.app import SystemCommand
from textual.binding import Binding, BindingType

from msgcode import Message
from msgcode_tui.debugger.tabs import TABS, Kind
from msgcode_tui.notices import Happening
from msgcode_tui.rooms import Room
from msgcode_tui.screens.arranging import ArrangingScreen
from msgcode_tui.travel import Moment


class DebuggingScreen(ArrangingScreen):
    """A screen from which the debugger is opened."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "D", "debug", "Debug", id="room.debug", show=False,
            tooltip="Open the debugger: what is held, goes round, waits or is stuck",
        ),
        Binding(
            "w", "act('why')", "Why", id="room.why", show=False,
            tooltip="Say why the selected message has come no further",
        ),
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._debugged = TABS[0].id
        """The tab of the debugger that was shown last."""

    def visit(self, id: str) -> None:
        """Select a message where it was said."""
        raise NotImplementedError

    def enter(self, room: Room) -> None:
        """Go to a room, and to where one writes in it."""
        raise NotImplementedError

    def travel_to(self, id: str) -> None:
        """Go to when this message was sent."""
        raise NotImplementedError

    def commands(self) -> Iterator[SystemCommand]:
        yield from super().commands()
        for kind in TABS:
            yield SystemCommand(f"Debugger: {kind.name}", kind.about, partial(self.action_debug, kind.id))

    def action_debug(self, tab: str = "") -> None:
        """Open the debugger at a tab, or at the one that was shown last."""
        from msgcode_tui.screens.debug import DebugScreen

        screen = DebugScreen(tab or self._debugged)

        def closed(target: str | Room | Moment | None) -> None:
            self._debugged = screen.kind.id
            if isinstance(target, Room):
                self.enter(target)
            elif isinstance(target, Moment):
                self.travel_to(target.message)
            elif target:
                self.visit(target)

        self.app.push_screen(screen, closed)

    def offer_debugger(self, happening: Happening) -> None:
        """Say what has happened, and which key shows more of it."""
        bound = [each.binding for each in self.active_bindings.values() if each.binding.id == "room.debug"]
        key = f" {self.app.get_key_display(bound[0])} opens the debugger." if bound else ""
        self._app.say(f"{happening.title}: {happening.text}{key}", "warning")

    def _do_why(self, messages: list[Message]) -> None:
        from msgcode_tui.screens.why import WhyScreen

        def closed(target: str | Kind | None) -> None:
            if isinstance(target, str):
                self.visit(target)
            elif target:
                self.action_debug(target.id)

        self.app.push_screen(WhyScreen(messages[0].id), closed)
