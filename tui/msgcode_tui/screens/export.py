"""Asks what to write to which file, and shows how far it has come."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import ProgressBar, RadioButton, RadioSet, Static

from msgcode import Message, MsgcodeError, Refused
from msgcode_tui import exporting, safe
from msgcode_tui.exporting import FORMAT_NAMES, Part
from msgcode_tui.items import count
from msgcode_tui.screens.confirm import Confirm
from msgcode_tui.screens.dialog import Dialog
from msgcode_tui.widgets.footer import Footer
from msgcode_tui.widgets.line_input import LineInput

TELL_EVERY = 0.1
"""Seconds between two looks at how far it has come."""


class NameInput(LineInput):
    """Where the name of the file is typed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Write", id="export.write", tooltip="Write the file"),
    ]


class Radio(RadioButton):
    """One whose circle is empty or full: the colour alone would not say, least of all where there is none."""

    def render(self) -> Content:
        self.BUTTON_INNER = "●" if self.value else "○"
        return super().render()


class ExportScreen(Dialog[str | None]):
    """Returns the path of what was written; None if nothing was.

    parts: what can be exported, the first is proposed. messages: those that there are, by id. clock: local
    time, for the name that is proposed.
    """

    CSS_PATH: ClassVar = ["export.tcss"]
    AUTO_FOCUS = "NameInput"
    BINDING_GROUP_TITLE = "Export"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back", id="export.leave", tooltip="Write nothing, or stop writing"),
    ]

    def __init__(
        self, parts: Sequence[Part], messages: Mapping[str, Message], clock: Callable[[], datetime]
    ) -> None:
        super().__init__()
        self._parts, self._messages, self._clock = parts, messages, clock
        self._stop = threading.Event()
        self._is_writing = False
        self._done = 0
        """How many messages have been written."""

    def compose(self) -> ComposeResult:
        with Vertical() as frame:
            frame.border_title = "Export"
            with RadioSet(id="parts", compact=True):
                for number, part in enumerate(self._parts):
                    label = f"{part.about}: {count(len(part.ids), 'message')}"
                    yield Radio(safe.content(label), number == 0)
            with RadioSet(id="formats", compact=True):
                for number, name in enumerate(FORMAT_NAMES.values()):
                    yield Radio(name, number == 0)
            yield NameInput("a file's name")
            yield Static(id="problem", markup=False)
            yield ProgressBar(show_eta=False)
        yield Footer()

    def on_mount(self) -> None:
        self._propose()
        self.set_interval(TELL_EVERY, lambda: self.query_one(ProgressBar).update(progress=self._done))

    def on_unmount(self) -> None:
        self._stop.set()

    def _tell(self, done: int) -> None:
        self._done = done  # From the thread that writes; the bar is drawn by and by.

    @property
    def _part(self) -> Part:
        return self._parts[max(self.query_one("#parts", RadioSet).pressed_index, 0)]

    @on(RadioSet.Changed)
    def _propose(self) -> None:
        format = list(FORMAT_NAMES)[max(self.query_one("#formats", RadioSet).pressed_index, 0)]
        self.query_one(NameInput).value = exporting.proposed(self._part, format, self._clock())

    @on(NameInput.Submitted)
    def _submitted(self) -> None:
        if not self._is_writing:
            self._write()

    @work
    async def _write(self) -> None:
        self._is_writing = True
        try:
            path = await self._written(replace=False)
        except Refused as error:
            self._is_writing = False
            if not await self.app.push_screen_wait(Confirm("Replace the file?", [str(error)], "Replace")):
                return
            self._is_writing = True
            path = await self._written(replace=True)
        self._is_writing = False
        if path:
            self.dismiss(path)
        elif self._stop.is_set():
            self.notify("Stopped: no file was written.")
            self.dismiss(None)

    async def _written(self, *, replace: bool) -> str | None:
        """The path of what was written, None if that failed. Raises Refused if there is such a file."""
        part = self._part
        messages = [self._messages[id] for id in part.ids if id in self._messages]
        self._done = 0
        self.query_one(ProgressBar).update(total=max(len(messages), 1), progress=0)
        self.add_class("-writing")
        try:
            return await asyncio.to_thread(
                exporting.write,
                self.query_one(NameInput).value.strip(),
                messages,
                part.title,
                replace=replace,
                tell=self._tell,
                is_stopped=self._stop.is_set,
            )
        except Refused:
            raise
        except MsgcodeError as error:
            self.query_one("#problem", Static).update(safe.content(str(error)))
            return None
        finally:
            self.remove_class("-writing")

    def action_leave(self) -> None:
        """Write nothing, or stop writing."""
        if self._is_writing:
            self._stop.set()  # Whoever writes then leaves.
        else:
            self.dismiss(None)

    @on(LineInput.Left)
    def _left(self) -> None:
        self.action_leave()
