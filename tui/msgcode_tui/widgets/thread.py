"""The messages of one room, and how their reader goes about in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message as TextualMessage

from msgcode import Message
from msgcode_tui.widgets import copying
from msgcode_tui.widgets.message_view import MessageView


class Thread(MessageView, can_focus=True):
    """What its reader does in it: goes from message to message, selects and marks them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "up,k",
            "select(-1)",
            "Select",
            key_display="↑↓",
            id="thread.older",
            tooltip="Select the message above",
        ),
        Binding(
            "down,j", "select(1)", "Newer", id="thread.newer", show=False, tooltip="Select the message below"
        ),
        *(
            Binding(keys, action, description, id=f"thread.{id}", show=False, tooltip=tooltip)
            for keys, action, description, id, tooltip in (
                ("pageup", "page(-1)", "Page up", "page-up", "Scroll up a page"),
                ("pagedown", "page(1)", "Page down", "page-down", "Scroll down a page"),
                ("ctrl+u", "page(-0.5)", "Half a page up", "half-page-up", "Scroll up half a page"),
                ("ctrl+d", "page(0.5)", "Half a page down", "half-page-down", "Scroll down half a page"),
                ("home,g", "oldest", "Oldest", "oldest", "Go to the oldest message"),
                ("left,h", "origin", "Answered", "origin", "Go to the message that the selected one answers"),
                ("right,l", "back", "Back", "back", "Go back to where you came from"),
                ("z", "fold", "Fold", "fold", "Show the selected message as Markdown, or as it was written"),
                ("space", "mark", "Mark", "mark", "Mark the selected message, or take its mark away"),
                ("v", "range", "Mark range", "range", "Mark from here to where you go; again to end it"),
                (
                    "escape",
                    "leave",
                    "Follow",
                    "leave",
                    "Take away all marks; then follow the newest message",
                ),
            )
        ),
        Binding("end,G", "newest", "Newest", id="thread.newest", tooltip="Follow the newest message"),
    ]

    @dataclass
    class OriginWanted(TextualMessage):
        """The user wants to see the message that this one answers."""

        message: Message

    @dataclass
    class BackWanted(TextualMessage):
        """The user wants to go back to where they came from."""

    # Events

    def on_click(self, event: events.Click) -> None:
        """Select the message; with shift, mark all from the selected one; twice, select its text."""
        if event.button == 1:
            event.prevent_default()  # Twice would select all of the room.
        line = self.scroll_offset.y + event.y
        if line >= self._heights.total or (self.text_selection and event.chain == 1):
            return
        index = self._heights.at(line)[0]
        if event.chain == 2:
            self.screen.selections = {self: copying.whole(index, self._lines_of(index))}
        elif event.shift and self.selected:
            self._marks.begin_range(self.selected)
            self._draw_range(index)
            self._marks.end_range()
            self._select(index)
        else:
            if event.ctrl:
                self._marks.toggle(self._ids[index])
            self._select(index)

    # Actions

    def go_to(self, id: str) -> bool:
        """Select the message with this id; returns whether it is in this room."""
        index = self._index(id)
        if index == len(self._ids):
            return False
        self._settle()  # There may be new ones, whose heights are not known yet.
        self._select(index)
        return True

    def next_where(self, predicate: Callable[[Message], bool], step: int = 1) -> bool:
        """Select the next message that the predicate is true of, below the selected one (step 1) or above it
        (-1). If none is selected, search up from what is shown last, or down from what is shown first.

        Returns whether there is such a message.
        """
        if self.selected:
            index = self._index(self.selected) + step
        elif step < 0:
            index = len(self._ids) - 1 - self.below
        else:
            index = self._top[0]
        while 0 <= index < len(self._ids):
            if predicate(self._messages[self._ids[index]]):
                return self.go_to(self._ids[index])
            index += step
        return False

    def action_select(self, step: int) -> None:
        """Select the next message in one direction; past the newest, none."""
        if not self._ids:
            return
        if self.selected is None:
            if step > 0:
                return
            index = len(self._ids) - 1 - self.below
        else:
            index = self._index(self.selected) + step
        if index >= len(self._ids):
            self.action_newest()
        else:
            self._select(max(index, 0))

    def action_page(self, pages: float) -> None:
        """Scroll by so many screens."""
        lines = int(pages * (self.size.height - 1))
        self.scroll_to(y=self.scroll_offset.y + lines, animate=False, force=True)

    def action_oldest(self) -> None:
        """Go to the first message."""
        if self._ids:
            self._select(0)

    def action_newest(self) -> None:
        """Select nothing, and follow the newest message."""
        self._marks.end_range()
        before, self.selected = self.selected, None
        self.following = True
        self._redraw(before)
        self.post_message(self.Chosen(self))

    def action_leave(self) -> None:
        """Take away all marks; where there are none, follow the newest message."""
        if self._marks:
            before = self._marks.ids
            self._marks.clear()
            self._remark(before)
        else:
            self.action_newest()

    def action_origin(self) -> None:
        """Go to the message that the selected one answers."""
        if self.message:
            self.post_message(self.OriginWanted(self.message))

    def action_back(self) -> None:
        """Go back to where the user came from."""
        self.post_message(self.BackWanted())

    def action_fold(self) -> None:
        """Show the selected message as Markdown, or as it was written."""
        self._as_markdown = not self._as_markdown
        self._redraw(self.selected)

    def action_mark(self) -> None:
        """Mark the selected message, or take its mark away."""
        if self.selected:
            before = self._marks.ids
            self._marks.toggle(self.selected)
            self._remark(before)

    def action_range(self) -> None:
        """Begin to mark a range at the selected message, or end it."""
        before = self._marks.ids
        if self._marks.anchor:
            self._marks.end_range()
        elif self.selected:
            self._marks.begin_range(self.selected)
        self._remark(before)

    def _draw_range(self, index: int) -> None:
        """Let the range that is being marked end at this message."""
        if self._marks.anchor:
            first, last = sorted((self._index(self._marks.anchor), index))
            before = self._marks.ids
            self._marks.draw_range(self._ids[first : last + 1])
            self._remark(before)

    def _remark(self, before: frozenset[str]) -> None:
        for id in before ^ self._marks.ids:
            self._lines.discard(id)
        self.refresh()
        self.post_message(self.Chosen(self))

    def _select(self, index: int) -> None:
        self.screen.clear_selection()
        before, self.selected = self.selected, self._ids[index]
        self.following = False
        self._draw_range(index)
        self._redraw(before, self.selected)
        self._reveal(index)
        self.post_message(self.Chosen(self))
