"""Asks before something is done that cannot be taken back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Button, Static

from msgcode_tui import safe
from msgcode_tui.screens.dialog import Dialog


class Confirm(Dialog[bool]):
    """Returns whether the user wants it.

    question: what is to be done. items: what it touches, each in a line of its own. yes: the button's word.
    """

    CSS_PATH: ClassVar = ["confirm.tcss"]
    AUTO_FOCUS = "#no"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes", id="confirm.yes", tooltip="Do it"),
        Binding("n,escape", "answer(False)", "No", id="confirm.no", tooltip="Do nothing"),
    ]

    def __init__(self, question: str, items: Sequence[str], yes: str) -> None:
        super().__init__()
        self._question, self._items, self._yes = question, items, yes

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(safe.content(self._question), id="question")
            with VerticalScroll(can_focus=False):
                yield Static(safe.content("\n".join(map(safe.line, self._items))))
            with Horizontal():
                yield Button(safe.content(f"{self._yes} (y)"), variant="warning", id="yes", compact=True)
                yield Button("No (n)", id="no", compact=True)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")

    def action_answer(self, answer: bool) -> None:
        """Answer the question."""
        self.dismiss(answer)
