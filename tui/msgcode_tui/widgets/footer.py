"""The keys at the bottom of a screen."""

from __future__ import annotations

from itertools import accumulate

from rich.cells import cell_len
from textual import widgets
from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets._footer import FooterKey

_BLANKS = 3
"""Around a key and the word beside it."""


class Footer(widgets.Footer):
    """Textual's, with as many keys as there is room for, and none cut off. It is made anew only when these
    are others: at each change of focus, twice, took 50 ms."""

    _made_of: list[tuple[Binding, bool, str]] | None = None
    _ends: tuple[int, ...] = ()
    """Where each key ends, were there room for it."""
    _shown = 0
    """How many keys are shown."""
    _palette = 0
    """Cells of the command palette's key."""

    def compose(self) -> ComposeResult:
        if not self._bindings_ready:
            return
        self._made_of = self._keys()
        made = [key for key in super().compose() if isinstance(key, FooterKey)]
        at_right = [key for key in made if key.has_class("-command-palette")]
        at_left = made[: len(made) - len(at_right)]
        for key in at_left:  # They would begin as compact ones, and be restyled at once.
            key.set_reactive(FooterKey.compact, self.compact)
        self._ends = tuple(accumulate(map(_width, at_left)))
        self._palette = sum(map(_width, at_right))
        self._shown = self._fitting()
        yield from at_left[: self._shown]
        yield from at_right

    async def recompose(self) -> None:
        if self.is_attached and (self._made_of, self._shown) != (self._keys(), self._fitting()):
            await super().recompose()

    def on_resize(self) -> None:
        self.call_after_refresh(self.recompose)  # Which holds up all drawing.

    def _fitting(self) -> int:
        """How many keys there is room for."""
        room = self.size.width - (0 if self.has_class("-narrow") else self._palette + 1)
        return sum(end - 1 <= room for end in self._ends)  # Nobody misses the last blank.

    def _keys(self) -> list[tuple[Binding, bool, str]]:
        palette = self.app.COMMAND_PALETTE_BINDING
        return [
            (binding, enabled, tooltip)
            for key, (_, binding, enabled, tooltip) in self.screen.active_bindings.items()
            if binding.show or key == palette
        ]


def _width(key: FooterKey) -> int:
    return cell_len(key.key_display) + cell_len(key.description) + _BLANKS
