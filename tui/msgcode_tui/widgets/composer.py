"""Where the user writes. Its frame says who will speak to whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message as TextualMessage
from textual.widgets import TextArea

from msgcode_tui import safe


class Composer(TextArea):
    """Enter sends; the text is then gone, and `give_back` brings it back if it could not be sent."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "send", "Send", id="composer.send", tooltip="Send what you wrote"),
        Binding(
            "ctrl+j,shift+enter,alt+enter",
            "new_line",
            "New line",
            id="composer.new-line",
            show=False,
            tooltip="Begin another line",
        ),
        Binding("escape", "leave", "Back", id="composer.leave", tooltip="Go back to the messages"),
    ]

    @dataclass
    class Sent(TextualMessage):
        """The user wants this to be sent, or run if it is a `/msg` line."""

        text: str

    @dataclass
    class Left(TextualMessage):
        """The user wants to go back to the messages."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, compact=True, show_line_numbers=False, soft_wrap=True, tab_behavior="focus")
        self.highlight_cursor_line = False

    def address(self, title: Content, placeholder: str) -> None:
        """Say who will speak to whom, and what can be written."""
        self.border_title = title
        self.placeholder = safe.content(placeholder)

    def give_back(self, text: str) -> None:
        """Bring back what could not be sent, unless something else has been written meanwhile."""
        if not self.text:
            self.load_text(text)
            self.move_cursor(self.document.end)

    def action_send(self) -> None:
        """Hand over what was written."""
        text = self.text
        if text.strip():
            self.load_text("")
            self.post_message(self.Sent(text))

    def action_new_line(self) -> None:
        """Break the line."""
        self.insert("\n")

    def action_leave(self) -> None:
        """Go back to the messages."""
        self.post_message(self.Left())

    async def _on_key(self, event: events.Key) -> None:
        # Here and not by a binding with priority, which would overtake letters that are still on their way.
        if event.key == "enter":
            event.stop()
            event.prevent_default()
            self.action_send()

    async def _on_paste(self, event: events.Paste) -> None:
        # What is pasted may come from anywhere, and is drawn here before it is ever sent.
        await super()._on_paste(events.Paste(safe.content(event.text).plain))
        event.prevent_default()
