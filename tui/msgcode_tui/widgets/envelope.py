"""What is said of a message beside its text: the line above the composer, while there is something to say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message as TextualMessage
from textual.widgets import Input, Static

from msgcode_tui import safe
from msgcode_tui.widgets.line_input import LineInput


class Chip(Static):
    """One thing that is said. A click takes it back."""

    ALLOW_SELECT = False

    @dataclass
    class Dropped(TextualMessage):
        """The user wants this not to be said."""

        option: str

    def __init__(self, option: str, text: str) -> None:
        super().__init__(safe.content(f"✕ {safe.fit(text, 200)}"), markup=False, classes=option)
        self.option = option
        self.tooltip = "Click to take it back"

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self.post_message(self.Dropped(self.option))


class Envelope(Vertical):
    """The message that is answered, then the other options as chips, or the field for the subject."""

    @dataclass
    class SubjectWritten(TextualMessage):
        """The user has written the subject, or left it as it was (None)."""

        subject: str | None

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._told: tuple[str, Sequence[tuple[str, str]]] = ("", ())

    def compose(self) -> ComposeResult:
        yield LineInput("subject (enter keeps it, esc does not)", id="subject")
        yield Horizontal()

    def show(self, reply: str, options: Sequence[tuple[str, str]]) -> None:
        """Show these.

        reply: what is answered, in words; "" if nothing is. options: names, and their values in words.
        """
        if (reply, options) == self._told:
            return
        self._told = (reply, options)
        self.set_class(bool(options), "-told")
        self.query(Chip).remove()
        if reply:
            self.mount(Chip("reply_to", reply), before=0)
        self.query_one(Horizontal).mount_all([Chip(option, text) for option, text in options])

    def ask_subject(self, subject: str) -> None:
        """Let the user write the subject."""
        field = self.query_one(LineInput)
        field.value = subject
        field.cursor_position = len(subject)
        self.add_class("-asks")
        field.focus()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._answer(event.value.strip())

    @on(LineInput.Left)
    def _left(self, event: LineInput.Left) -> None:
        event.stop()
        self._answer(None)

    @on(events.DescendantBlur)
    def _blurred(self) -> None:
        self.remove_class("-asks")

    def _answer(self, subject: str | None) -> None:
        self.remove_class("-asks")
        self.post_message(self.SubjectWritten(subject))
