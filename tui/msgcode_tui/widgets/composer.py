"""The text area in which the user writes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message as TextualMessage
from textual.widgets import TextArea
from textual.widgets.text_area import Edit, EditResult

from msgcode.checks import MAX_BODY_BYTES
from msgcode.text import visible
from msgcode_tui.drafts import FOLD_OVER, Draft, Options, mark_for


class Composer(TextArea):
    """Grows with the text. Whatever gets into it is drawn with nothing that a terminal would obey.

    take_key: is asked first about each key, and says whether it has dealt with it. do: what else its keys are
    for, by the name of the action.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "do('send')", "Send", id="composer.send", tooltip="Send what you wrote"),
        Binding(
            "ctrl+j,shift+enter,alt+enter,ctrl+enter", "do('new_line')", "New line", id="composer.new-line",
            show=False, tooltip="Begin another line",
        ),
        Binding("escape", "do('leave')", "Back", id="composer.leave", tooltip="Go back to the messages"),
        Binding(
            "ctrl+t", "do('options')", "Options", id="composer.options",
            tooltip="Priority, subject, time to live, reply, and for whom you speak",
        ),
        Binding(
            "alt+p", "do('priority')", "Priority", id="composer.priority", show=False,
            tooltip="Take the next priority",
        ),
        Binding(
            "alt+s", "do('subject')", "Subject", id="composer.subject", show=False, tooltip="Write a subject"
        ),
        Binding(
            "alt+t", "do('ttl')", "Expires", id="composer.ttl", show=False,
            tooltip="Choose when it expires if it has not been delivered",
        ),
        Binding(
            "alt+r", "do('reply')", "Reply", id="composer.reply", show=False,
            tooltip="Choose the message that you answer, or answer none",
        ),
        Binding(
            "alt+a", "do('speak_as')", "Speak as", id="composer.speak-as", show=False,
            tooltip="Choose the agent for which you speak, or speak for yourself",
        ),
    ]  # fmt: skip

    @dataclass
    class TooLong(TextualMessage):
        """The user pasted more than any message may hold; it was not taken."""

    def __init__(
        self, take_key: Callable[[str], bool], do: Callable[[str], None], *, id: str | None = None
    ) -> None:
        super().__init__(id=id, compact=True, show_line_numbers=False, soft_wrap=True, tab_behavior="focus")
        self.highlight_cursor_line = False
        self._take_key = take_key
        self._do = do
        self._pasted: dict[str, str] = {}

    def draft(self, options: Options) -> Draft:
        """What has been written, to be sent with these options."""
        text = self.text
        return Draft(text, options, {mark: whole for mark, whole in self._pasted.items() if mark in text})

    def show(self, draft: Draft) -> None:
        """Show a draft, with the cursor at its end."""
        self._pasted = dict(draft.pasted)
        self.load_text(visible(draft.text))
        self.move_cursor(self.document.end)

    @property
    def before_cursor(self) -> str:
        """The text of the cursor's line up to the cursor."""
        row, column = self.cursor_location
        return self.document.get_line(row)[:column]

    @property
    def is_at_top(self) -> bool:
        """Whether the cursor is in the first line as it is drawn."""
        return self.navigator.is_first_wrapped_line(self.cursor_location)

    @property
    def is_at_bottom(self) -> bool:
        """Whether the cursor is in the last line as it is drawn."""
        return self.navigator.is_last_wrapped_line(self.cursor_location)

    def action_do(self, name: str) -> None:
        """Do what belongs to the whole desk."""
        self._do(name)

    def edit(self, edit: Edit) -> EditResult:
        edit.text = visible(
            edit.text
        )  # Each way to change the text, by key, by mouse or by paste, ends here.
        return super().edit(edit)

    async def _on_key(self, event: events.Key) -> None:
        # Here and not by a binding with priority, which would overtake letters that are still on their way.
        if self._take_key(event.key):
            event.stop()
            event.prevent_default()
        elif event.key.startswith("alt+"):
            event.prevent_default()  # Many terminals send the letter along, and it is not meant as text.

    async def _on_paste(self, event: events.Paste) -> None:
        if len(event.text) > MAX_BODY_BYTES:
            self.post_message(self.TooLong())
            event.prevent_default()
        elif len(event.text) > FOLD_OVER:
            text = visible(event.text)
            mark = mark_for(text, self._pasted)
            self._pasted[mark] = text
            self.insert(mark)
            event.prevent_default()
        event.stop()
