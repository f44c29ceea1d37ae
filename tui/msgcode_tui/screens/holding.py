"""Freezing the room, letting one message through at a time, and setting it going again."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.app import SystemCommand
from textual.binding import Binding, BindingType

from msgcode import Message
from msgcode.debugger import holds
from msgcode_tui import deeds, holding
from msgcode_tui.deeds import Deed
from msgcode_tui.rooms import Room
from msgcode_tui.screens.acting import ActingScreen

if TYPE_CHECKING:
    from msgcode_tui.app import MsgcodeApp


class HoldingScreen(ActingScreen):
    """A screen from which what agents say to each other can be held."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "F,f8", "freeze", "Freeze", id="room.freeze", show=False,
            tooltip="Hold everything that is on its way to agents; if it is held, let it go on",
        ),
        Binding(
            "s,f10", "let_through", "Step", id="room.step", show=False,
            tooltip="Let one held message through: the selected one, or the next in this room",
        ),
    ]  # fmt: skip

    def action_freeze(self) -> None:
        """Hold the whole room; if it is held already, release that."""
        app = self._app
        frozen = [hold.number for hold in app.live.state.holds.values() if holds.is_everything(hold)]
        self._do(
            partial(deeds.release, app.store, app.live.me, *frozen)
            if frozen
            else partial(deeds.hold, app.store, app.live.me)
        )

    def action_let_through(self) -> None:
        """Let the selected message through if it is held, else the next one in this room."""
        held = self._app.live.held
        selected = [item.message for item in held for one in self.targets() if one.id == item.message.id]
        if not held:
            self._app.say("Nothing is held. F holds everything.")
        elif selected:
            self._step(message=selected[0].id)
        else:
            self._step(**holding.scope(self.room, self._app.live.me))

    def _step(self, **within: str) -> None:
        self._do(partial(stepped, self._app, **within))

    def commands(self) -> Iterator[SystemCommand]:
        yield from super().commands()
        yield SystemCommand("Freeze", "Hold everything, or let it go on", self.action_freeze)
        numbers = [hold.number for hold in holding.all_holds(self._app.live)]
        if numbers:
            yield SystemCommand("Step", "Let one held message through", self.action_let_through)
            yield SystemCommand("Release all holds", "Let all go on", partial(self._release, *numbers))

    # From the menus

    def _do_step(self, messages: list[Message]) -> None:
        self._step(message=messages[0].id)

    def _do_hold(self, messages: list[Message]) -> None:
        self._hold(message=messages[0].id)

    def _do_hold_thread(self, messages: list[Message]) -> None:
        self._hold(thread=messages[0].thread)

    def _do_release(self, messages: list[Message]) -> None:
        self._release(*(hold.number for hold in holding.keeping(messages, self._app.live)))

    def _in_hold(self, room: Room, name: str) -> None:
        self._hold(**holding.scope(room, self._app.live.me))

    def _in_release(self, room: Room, name: str) -> None:
        self._release(*(hold.number for hold in holding.holds_on(room, self._app.live)))

    def _hold(self, **within: str) -> None:
        self._do(partial(deeds.hold, self._app.store, self._app.live.me, **within))

    def _release(self, *numbers: int) -> None:
        self._do(partial(deeds.release, self._app.store, self._app.live.me, *numbers))


def stepped(app: MsgcodeApp, **within: str) -> Deed:
    """Let one held message through, the first within the scope, and go on to say what comes of it. Off the
    event loop."""
    message, done = deeds.step(app.store, app.live.me, **within)
    app.call_from_thread(app.steps.begin, message)
    return done
