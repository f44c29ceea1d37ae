"""What a user has typed into a terminal and not sent yet, from the bytes of the keys. Pure."""

from __future__ import annotations

import re

_REPORT = re.compile(
    rb"\x1b\[(?:[IO]|M[\s\S]{3}|[?<>][\d;]*\$?[A-Za-z]|\d+;\d+R|[\d;]*[cnt])"  # focus, mouse, answers
    rb"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"
    rb"|\x1b[P_][^\x1b]*\x1b\\"
)
"""What a terminal says by itself: nobody has pressed a key."""

_PASTE = re.compile(rb"\x1b\[200~([\s\S]*?)\x1b\[201~")
_PASTING = re.compile(rb"\x1b\[200~[\s\S]*\Z")
_SEQUENCE = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|O[ -~]|[^\[O])")
_TEXT = re.compile(rb"[^\x00-\x1f\x7f]+")

_ENTER, _INTERRUPT, _REDRAW = 0x0D, 0x03, 0x0C
_RUB_OUT = (0x7F, 0x08)


class Typed:
    """Follows the keys. What it cannot follow, such as the history or a completion, counts as typed."""

    def __init__(self) -> None:
        self._count = 0
        self._unsure = False
        self._escaped = False
        self._rest = b""

    @property
    def pending(self) -> bool:
        """Whether there is, or may be, something typed that was not sent with Enter."""
        return bool(self._count or self._unsure or self._rest)

    def feed(self, keys: bytes) -> bool:
        """The bytes came from the terminal. Returns whether a key was among them."""
        keys, self._rest = self._rest + keys, b""
        at, pressed = 0, False
        while at < len(keys):
            if report := _REPORT.match(keys, at):
                at = report.end()
                continue
            pressed = True
            if paste := _PASTE.match(keys, at):
                self._count += len(paste[1])
                at = paste.end()
            elif _PASTING.match(keys, at):
                self._rest, at = keys[at:], len(keys)
            elif sequence := _SEQUENCE.match(keys, at):
                self._unsure = True
                at = sequence.end()
            elif keys[at] == 0x1B:
                self._rest, at = keys[at:], len(keys)
            elif text := _TEXT.match(keys, at):
                self._count += sum(byte & 0xC0 != 0x80 for byte in text[0])
                self._escaped = text[0].endswith(b"\\")
                at = text.end()
                continue
            else:
                self._control(keys[at])
                at += 1
            self._escaped = False
        return pressed

    def _control(self, key: int) -> None:
        if key == _INTERRUPT or (key == _ENTER and not self._escaped):
            self._count, self._unsure = 0, False
        elif key == _ENTER:
            self._count += 1  # A backslash before it: the line goes on.
        elif key in _RUB_OUT:
            self._count = max(self._count - 1, 0)
        elif key != _REDRAW:
            self._unsure = True
