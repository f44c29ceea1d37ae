"""What a `/msg` line was answered, until the user closes it."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from msgcode_tui import safe

_INDENT = "    "


class Answer(VerticalScroll, can_focus=True):
    """A panel that is only there while it has something to say."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close", id="answer.close", tooltip="Close the answer"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._text = ""

    def compose(self) -> ComposeResult:
        yield Static(markup=False)

    def show(self, question: str, text: str, *, ok: bool) -> None:
        """Show the answer to a line; `ok` is False if it was refused."""
        self.border_title = safe.content(safe.line(question.strip()))
        self.border_subtitle = safe.content("esc closes")
        self._text = text
        self.set_class(not ok, "-failed")
        self.add_class("-shown")
        self._wrap()
        self.scroll_home(animate=False)

    def on_resize(self) -> None:
        self._wrap()

    def _wrap(self) -> None:
        """Indent what goes on from the line above, or the lines of a table could not be told apart."""
        width = self.scrollable_content_region.width - len(_INDENT)
        if width <= 0:  # It has not been laid out yet.
            return
        lines = (safe.wrap(line, width) for line in self._text.split("\n"))
        self.query_one(Static).update(safe.content("\n".join(f"\n{_INDENT}".join(each) for each in lines)))

    @property
    def shown(self) -> bool:
        """Whether there is an answer on the screen."""
        return self.has_class("-shown")

    def action_close(self) -> None:
        """Close it."""
        self.remove_class("-shown")
