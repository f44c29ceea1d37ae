"""How the room is drawn at its first size, and at a new one: once."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack

from textual import events
from textual.geometry import Size
from textual.screen import Screen


class FittingScreen(Screen[None]):
    """A screen that is drawn once the widgets have fitted themselves to their sizes.

    Textual draws all of it when it has laid it out, and only then tells each widget its size; what the
    widgets make of that takes two pictures more, and it is the last one that is right.
    """

    def __init__(self) -> None:
        super().__init__()
        self._laid_out: Size | None = None
        """The size that it was last laid out for."""

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        if self._laid_out is None:  # For the first time: all widgets were given their styles just now.
            event.refresh_styles = False
            self._lay_out(self.app.size)

    def on_resize(self, event: events.Resize) -> None:
        if event.size == self._laid_out:
            event.prevent_default()  # Told once more, by the layout itself: Textual would lay out once more.
        elif self._laid_out:
            self._lay_out(event.size)

    def _lay_out(self, size: Size) -> None:
        """Get ready for the layout, which Textual's own handler of the same event makes."""
        self._laid_out = size
        self.fit(size)
        batch = ExitStack()
        batch.enter_context(self.app.batch_update())
        if not self.call_later(self._draw, batch):
            batch.close()

    def fit(self, size: Size) -> None:
        """Choose what is shown at a size, before it is laid out for that."""
        raise NotImplementedError

    async def _draw(self, batch: ExitStack) -> None:
        """Have drawn what was laid out, which Textual does right after this if it may."""
        with batch:
            await asyncio.sleep(0)  # The widgets are told their sizes,
            await asyncio.sleep(0)  # and fit themselves to them.
