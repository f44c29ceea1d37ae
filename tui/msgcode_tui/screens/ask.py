"""Asks for one line, such as a name, with what is known to complete it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input, Static

from msgcode_tui import safe
from msgcode_tui.completion import Choice, best
from msgcode_tui.screens.dialog import Dialog
from msgcode_tui.widgets.choices import Choices
from msgcode_tui.widgets.line_input import LineInput


class Ask(Dialog[str | None]):
    """Returns what the user wrote or chose; None if they want out.

    question: what is asked. hint: said in the empty field. among: with some given, the answer is one of them.
    """

    CSS_PATH: ClassVar = ["ask.tcss"]
    AUTO_FOCUS = "LineInput"

    def __init__(self, question: str, hint: str, among: Sequence[Choice] = ()) -> None:
        super().__init__()
        self._question, self._hint, self._among = question, hint, among

    def compose(self) -> ComposeResult:
        with Vertical() as frame:
            frame.border_title = safe.content(safe.line(self._question))
            frame.border_subtitle = safe.content("enter · esc")
            yield LineInput(self._hint)
            yield Choices()
            yield Static(safe.content("Nothing is called so."), id="none")

    def on_mount(self) -> None:
        self._offer("")

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self._offer(event.value)

    def _offer(self, text: str) -> None:
        """Offer what the text may become."""
        found = [choice for choice in self._among if choice.text == text] or best(
            text, 0, self._among
        ).choices
        self.query_one(Choices).show(found)
        self.set_class(bool(self._among) and not found, "-none")

    def on_key(self, event: events.Key) -> None:
        choices = self.query_one(Choices)
        if choices.shown and event.key in ("up", "down", "tab"):
            event.stop()
            event.prevent_default()
            choices.move(-1 if event.key == "up" else 1)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        choices = self.query_one(Choices)
        if choices.shown:
            self.dismiss(choices.choose().text)
        elif not self._among:
            self.dismiss(event.value.strip())

    @on(Choices.Chosen)
    def _chosen(self, event: Choices.Chosen) -> None:
        self.dismiss(event.choice.text)

    @on(LineInput.Left)
    def _left(self) -> None:
        self.dismiss(None)
