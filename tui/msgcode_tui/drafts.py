"""What the user has begun to write in each room, and what they wrote before. Pure, in memory.

Whoever wants it to outlive the app hands in what was kept, and keeps `Drafts.kept` and `History.lines`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from msgcode import Priority
from msgcode_tui.rooms import Room

FOLD_OVER = 4000
"""Characters of a pasted text above which a mark stands for it: a text area is slow with long lines."""

MAX_HISTORY = 200
"""How many of the texts that were sent are remembered."""


MAX_REMEMBERED = 20_000
"""Characters of the longest text that the history remembers."""


@dataclass(frozen=True)
class Options:
    """What can be said of a message beside its text."""

    priority: Priority = Priority.NORMAL
    subject: str = ""
    ttl: float | None = None
    """Seconds."""
    reply_to: str | None = None
    """The id of the message that it answers."""
    speak_as: str | None = None
    """The agent for which the user speaks."""


PLAIN = Options()
"""Nothing is said beside the text."""


class Draft(NamedTuple):
    """A message as far as it has been written."""

    text: str = ""
    """As it is shown: for each long text that was pasted, a mark."""
    options: Options = PLAIN
    pasted: Mapping[str, str] = {}
    """The pasted texts by their marks."""

    @property
    def whole(self) -> str:
        """The text as it is sent."""
        whole = self.text
        for mark, text in self.pasted.items():
            whole = whole.replace(mark, text)
        return whole

    @property
    def size(self) -> int:
        """How many bytes of UTF-8 the whole text has."""
        size = len(self.text.encode("utf-8", "replace"))
        for mark, text in self.pasted.items():
            size += self.text.count(mark) * (len(text.encode("utf-8", "replace")) - len(mark.encode()))
        return size


def draft_of(whole: str, options: Options = PLAIN) -> Draft:
    """A draft of a whole text, with a mark for it if it is long."""
    if len(whole) <= FOLD_OVER:
        return Draft(whole, options)
    mark = mark_for(whole, ())
    return Draft(mark, options, {mark: whole})


def mark_for(text: str, taken: Iterable[str]) -> str:
    """A mark that stands for a long text, unlike those that are taken."""
    lines = text.count("\n") + 1
    size = f"{lines:,} lines" if lines > 1 else f"{len(text):,} characters"
    number = 1
    while (mark := f"[pasted text {number}: {size}]") in taken:
        number += 1
    return mark


class Drafts:
    """What has been begun in each room. kept: drafts of earlier."""

    def __init__(self, kept: Mapping[Room, Draft] | None = None) -> None:
        self.kept: dict[Room, Draft] = dict(kept or {})

    def keep(self, room: Room, draft: Draft) -> None:
        """Remember the room's draft; one that says nothing is forgotten."""
        if draft.text.strip() or draft.options != PLAIN:
            self.kept[room] = draft
        else:
            self.kept.pop(room, None)

    def of(self, room: Room) -> Draft:
        """What has been begun in the room."""
        return self.kept.get(room, Draft())


class History:
    """The texts that were sent, oldest first, and where the user is in going through them."""

    def __init__(self, lines: Iterable[str] = ()) -> None:
        self.lines = list(lines)[-MAX_HISTORY:]
        self._place = len(self.lines)
        self._begun = Draft()

    def add(self, line: str) -> None:
        """A text was sent. The same twice in a row counts once, and what is too long to be remembered not."""
        if self.lines[-1:] != [line] and len(line) <= MAX_REMEMBERED:
            self.lines = [*self.lines, line][-MAX_HISTORY:]
        self._place = len(self.lines)

    def older(self, begun: Draft) -> Draft | None:
        """The text before the one that is shown; `begun` is kept for when the user comes back."""
        if self._place == 0:
            return None
        if self._place == len(self.lines):
            self._begun = begun
        self._place -= 1
        return draft_of(self.lines[self._place], begun.options)

    def newer(self, begun: Draft) -> Draft | None:
        """The text after the one that is shown, and last what had been begun."""
        if self._place >= len(self.lines):
            return None
        self._place += 1
        if self._place == len(self.lines):
            return self._begun._replace(options=begun.options)
        return draft_of(self.lines[self._place], begun.options)

    def leave(self) -> None:
        """The user writes something of their own, or is in another room."""
        self._place = len(self.lines)
