"""A field for one line, such as a subject."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message as TextualMessage
from textual.widgets import Input

from msgcode.checks import MAX_LINE
from msgcode_tui import safe


class LineInput(Input):
    """Takes as much as a line of the store may have, and nothing that a terminal would obey."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back", id="line.leave", tooltip="Leave it as it was"),
    ]

    @dataclass
    class Left(TextualMessage):
        """The user wants out, with nothing changed."""

        input: LineInput

        @property
        def control(self) -> LineInput:
            return self.input

    def __init__(self, placeholder: str, *, id: str | None = None) -> None:
        super().__init__(placeholder=placeholder, id=id, compact=True, select_on_focus=False)

    def replace(self, text: str, start: int, end: int) -> None:
        low, high = sorted((start, end))
        room = MAX_LINE - (len(self.value) - (high - low))
        super().replace(safe.line(text)[:room], start, end)

    async def _on_key(self, event: events.Key) -> None:
        if event.key.startswith("alt+"):
            event.prevent_default()  # As in the composer.

    def action_leave(self) -> None:
        """Leave the field as it was."""
        self.post_message(self.Left(self))
