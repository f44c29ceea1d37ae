"""What a `/msg` line was answered, until the user closes it."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from msgcode_tui import safe


class Answer(VerticalScroll, can_focus=True):
    """A panel that is only there while it has something to say."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close", id="answer.close", tooltip="Close the answer"),
    ]

    def compose(self) -> ComposeResult:
        yield Static(markup=False)

    def show(self, question: str, text: str, *, ok: bool) -> None:
        """Show the answer to a line; `ok` is False if it was refused."""
        self.border_title = safe.content(safe.line(question.strip()))
        self.border_subtitle = safe.content("esc closes")
        self.query_one(Static).update(safe.content(text))
        self.set_class(not ok, "-failed")
        self.add_class("-shown")
        self.scroll_home(animate=False)

    @property
    def shown(self) -> bool:
        """Whether there is an answer on the screen."""
        return self.has_class("-shown")

    def action_close(self) -> None:
        """Close it."""
        self.remove_class("-shown")
