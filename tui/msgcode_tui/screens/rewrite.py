"""Edits a message that nobody has had yet."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input

from msgcode import Message
from msgcode.text import visible
from msgcode_tui import safe
from msgcode_tui.drafts import FOLD_OVER, PLAIN, Draft, draft_of
from msgcode_tui.screens.dialog import Dialog
from msgcode_tui.widgets.composer import Composer
from msgcode_tui.widgets.desk import TOO_LONG
from msgcode_tui.widgets.line_input import LineInput


class Rewritten(NamedTuple):
    """What a message shall say."""

    body: str
    subject: str


class Rewrite(Dialog[Rewritten | None]):
    """Returns the text and the subject that the user wants; None if nothing shall change.

    What the terminal would obey is visible in the text, and stays so in what is written anew.
    """

    CSS_PATH: ClassVar = ["../widgets/composer.tcss", "rewrite.tcss"]
    AUTO_FOCUS = "Composer"

    def __init__(self, message: Message) -> None:
        super().__init__()
        self._message = message
        self._subject = safe.line(message.subject or "")

    def compose(self) -> ComposeResult:
        message = self._message
        whom = f"#{message.channel}" if message.channel is not None else ", ".join(message.recipients)
        with Vertical() as frame:
            frame.border_title = safe.content(safe.fit(f"Edit: {message.sender} → {whom}", 60))
            frame.border_subtitle = safe.content("enter saves · alt+s subject · esc")
            yield LineInput("no subject")
            yield Composer(self._take_key, self._do)

    def on_mount(self) -> None:
        self.query_one(LineInput).value = self._subject
        self.query_one(Composer).show(_foldable(self._message.body))

    def _take_key(self, key: str) -> bool:
        if key == "enter":
            self._save()
        return key == "enter"

    def _do(self, name: str) -> None:
        if name == "leave":
            self.dismiss(None)
        elif name == "new_line":
            self.query_one(Composer).insert("\n")
        elif name == "send":
            self._save()
        elif name == "subject":
            self.query_one(LineInput).focus()

    def _save(self) -> None:
        body, subject = self.query_one(Composer).draft(PLAIN).whole, self.query_one(LineInput).value
        same_body = visible(body) == visible(self._message.body)
        if same_body and subject == self._subject:
            self.dismiss(None)
        elif not body.strip():
            self.notify("A message needs a text. To take it away, discard it.", severity="warning")
        else:
            # What was not touched keeps what cannot be shown.
            old = self._message
            self.dismiss(
                Rewritten(
                    old.body if same_body else body,
                    (old.subject or "") if subject == self._subject else subject,
                )
            )

    @on(Composer.TooLong)
    def _too_long(self) -> None:
        self.notify(TOO_LONG, severity="warning")

    @on(Input.Submitted)
    def _subject_written(self) -> None:
        self.query_one(Composer).focus()

    @on(LineInput.Left)
    def _subject_left(self) -> None:
        self.query_one(Composer).focus()


def _foldable(body: str) -> Draft:
    """The text as it is; with a mark for it, if it is one that a text area is slow with."""
    is_slow = len(body) > 10 * FOLD_OVER or any(len(line) > FOLD_OVER for line in body.split("\n"))
    return draft_of(body) if is_slow else Draft(body)
