"""The keys that can be pressed, along the bottom."""

from __future__ import annotations

from textual.binding import Binding
from textual.screen import Screen
from textual.widgets import Footer


class KeyBar(Footer):
    """Is made anew only when it would say something else.

    A footer takes 50 ms to make, and the screen asks for it whenever something has changed in the room.
    """

    def __init__(self) -> None:
        super().__init__()
        self._said: list[tuple[Binding, bool, str]] = []

    def bindings_changed(self, screen: Screen[object]) -> None:
        if not (screen.app.app_focus and self.is_attached and screen is self.screen):
            return
        palette = screen.app.COMMAND_PALETTE_BINDING
        said = [
            (binding, enabled, tooltip)
            for key, (_, binding, enabled, tooltip) in screen.active_bindings.items()
            if binding.show or key == palette
        ]
        if said != self._said:
            self._said = said
            super().bindings_changed(screen)
