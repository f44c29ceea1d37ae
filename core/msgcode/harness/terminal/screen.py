"""What a terminal shows, followed from the bytes that a program writes to it."""

from __future__ import annotations

import copy
import re
from typing import Any

import pyte

from msgcode.harness.terminal.wake import Screen

BACKLOG = 32 * 1024
"""Bytes that may wait to be followed, for 0.2 s; of a flood, only the end is, which is more than a screen."""

_SLICE = 4096

_UNKNOWN = re.compile(
    rb"\x1b\[[<=>][0-?]*[ -/]*[@-~]"  # sequences that pyte would take for text or for others
    rb"|\x1b\[[0-?]*[ -/]+[@-~]"
    rb"|\x1b\[[0-?]*:[0-?]*[@-~]"
    rb"|\x1b\[\?[0-?]*[ -/]*[@-gi-km-~]"
    rb"|\x1b\[[0-?]*[mnct]"  # colours, and questions to the terminal
    rb"|\x1b[\]P_^X][^\x07\x1b]*(?:\x07|\x1b\\|(?=\x1b[^\\]))"
)
_UNFINISHED = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*|[\]P_^X][^\x07\x1b]{0,4096}\x1b?)?\Z")
_MODES = re.compile(rb"\x1b\[\?[\d;]+[hl]")

_ALTERNATE = {mode << 5 for mode in (47, 1047, 1049)}  # pyte's way to write private modes
_UNDONE = (1000, 1002, 1003, 1004, 1005, 1006, 1015, 2004, 47, 1047, 1049)
_CURSOR = 25


class _Shown(pyte.Screen):
    """pyte's screen, and the alternate one that it lacks."""

    _main: tuple[Any, Any] | None = None

    def set_mode(self, *modes: int, **options: Any) -> None:
        super().set_mode(*modes, **options)
        if self._main is None and _ALTERNATE & self.mode:
            self._main = dict(self.buffer), copy.copy(self.cursor)
            self.buffer.clear()

    def reset_mode(self, *modes: int, **options: Any) -> None:
        super().reset_mode(*modes, **options)
        if self._main is not None and not _ALTERNATE & self.mode:
            lines, self.cursor = self._main
            self._main = None
            self.buffer.clear()
            self.buffer.update(lines)
            self.ensure_hbounds()
            self.ensure_vbounds()


class Followed:
    """The screen of a program, by what it has written."""

    def __init__(self, columns: int, lines: int) -> None:
        self._screen = _Shown(columns, lines)
        self._stream = pyte.ByteStream(self._screen)
        self._backlog = bytearray()
        self._seen: Screen | None = None

    def write(self, data: bytes) -> None:
        """The program has written this; `follow` looks at it."""
        self._backlog += data
        if len(self._backlog) > 2 * BACKLOG:
            start = (
                self._backlog.find(b"\n", len(self._backlog) - BACKLOG) + 1 or len(self._backlog) - BACKLOG
            )
            self._feed(b"".join(_MODES.findall(self._backlog, 0, start)))
            del self._backlog[:start]

    def follow(self) -> bool:
        """Follow a part of what was written, in a few milliseconds. Returns whether there is more."""
        data = bytes(self._backlog[:_SLICE])
        more = len(self._backlog) > len(data)
        unfinished = _UNFINISHED.search(data)
        end = unfinished.start() if unfinished else len(data)
        if not end and more:
            end = len(data)  # It is too long to wait for its end.
        del self._backlog[:end]
        self._feed(_UNKNOWN.sub(b"", data[:end]))
        return more

    def resize(self, columns: int, lines: int) -> None:
        """The terminal has another size."""
        self._screen.resize(lines, columns)
        self._seen = None

    def screen(self) -> Screen:
        """What it shows now."""
        if self._seen is None:
            self._seen = self._look()
        return self._seen

    def undo(self) -> bytes:
        """What puts back the modes that the program has left behind: mouse, paste, screen, cursor."""
        self._feed(b"".join(_MODES.findall(self._backlog)))
        left = [mode for mode in _UNDONE if mode << 5 in self._screen.mode]
        shown = _CURSOR << 5 in self._screen.mode
        return b"".join(b"\x1b[?%dl" % mode for mode in left) + (b"" if shown else b"\x1b[?25h")

    def _look(self) -> Screen:
        shown, cursor = self._screen, self._screen.cursor
        column = min(cursor.x, shown.columns)
        lines = tuple(self._text(row, shown.columns) for row in range(shown.lines))
        return Screen(lines, cursor.y, self._text(cursor.y, column), bool(_ALTERNATE & shown.mode))

    def _text(self, row: int, columns: int) -> str:
        cells = self._screen.buffer[row]
        return "".join(cells[column].data for column in range(columns))

    def _feed(self, data: bytes) -> None:
        self._seen = None
        try:
            self._stream.feed(data)
        except Exception:
            pass  # pyte meets something it does not know; whatever is typed is looked for on the screen.
