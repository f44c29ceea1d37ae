"""The keys at the bottom of a screen."""

from __future__ import annotations

from textual import widgets
from textual.app import ComposeResult
from textual.binding import Binding


class Footer(widgets.Footer):
    """Textual's, made anew only when its keys are others: at each change of focus, twice, took 50 ms."""

    _made_of: list[tuple[Binding, bool, str]] | None = None

    def compose(self) -> ComposeResult:
        if self._bindings_ready:
            self._made_of = self._keys()
        yield from super().compose()

    async def recompose(self) -> None:
        if self.is_attached and self._made_of != self._keys():
            await super().recompose()

    def _keys(self) -> list[tuple[Binding, bool, str]]:
        palette = self.app.COMMAND_PALETTE_BINDING
        return [
            (binding, enabled, tooltip)
            for key, (_, binding, enabled, tooltip) in self.screen.active_bindings.items()
            if binding.show or key == palette
        ]
