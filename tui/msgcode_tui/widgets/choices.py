"""The choices that pop up above the composer while it keeps the focus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual import on
from textual.content import Content
from textual.message import Message as TextualMessage
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from msgcode_tui import safe
from msgcode_tui.completion import Choice

_MAX_WIDTH = 24


class Choices(OptionList, can_focus=False):
    """Over the messages, its last line right above the composer. The composer moves the highlight."""

    @dataclass
    class Chosen(TextualMessage):
        """The user has chosen by a click."""

        choice: Choice

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False, compact=True)
        self._choices: Sequence[Choice] = ()
        self.was_moved = False
        """The user has moved the highlight."""

    @property
    def shown(self) -> bool:
        """Whether there is anything to choose."""
        return bool(self._choices)

    @property
    def highlighted_text(self) -> str:
        """What would be chosen."""
        return self._choices[self.highlighted or 0].text

    def show(self, choices: Sequence[Choice], title: str = "") -> None:
        """Offer these, the first of them highlighted; with none, close."""
        self.border_title = safe.content(safe.line(title))
        if choices == self._choices:
            return
        self._choices = choices
        self.was_moved = False
        self.set_options([Option(self._content(choice)) for choice in choices])
        self.highlighted = 0 if choices else None
        self.set_class(bool(choices), "-shown")

    def close(self) -> None:
        """Offer nothing."""
        self.show(())

    def move(self, step: int) -> None:
        """Highlight another choice; after the last comes the first."""
        self.was_moved = True
        self.highlighted = ((self.highlighted or 0) + step) % len(self._choices)

    def choose(self) -> Choice:
        """The choice that is highlighted; nothing is offered any more."""
        choice = self._choices[self.highlighted or 0]
        self.close()
        return choice

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.highlighted = event.option_index
        self.post_message(self.Chosen(self.choose()))

    def _content(self, choice: Choice) -> Content:
        longest = max(cell_len(safe.line(other.text)) for other in self._choices)
        text = safe.fit(choice.text, 64)
        gap = " " * (min(longest, _MAX_WIDTH) - cell_len(text) + 2)
        about = Content.styled(safe.line(choice.about), "dim")
        return Content.assemble(Content(text), gap, about) if choice.about else Content(text)
