"""From a message that names a file and a line to the user's editor, at that line.

What a message says is untrusted. It may only choose among files that exist, and it reaches the editor as
one absolute path and one number: it can be no option, and no shell sees it.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from msgcode import Message
from msgcode.errors import Refused
from msgcode.state import State
from msgcode.text import visible_line

_WITH_LINE = re.compile(r"(?P<file>.+?):(?P<line>[0-9]{1,7})([:-][0-9]{1,7})?")

_PLUS = {
    "vi",
    "vim",
    "nvim",
    "view",
    "nano",
    "pico",
    "emacs",
    "emacsclient",
    "kak",
    "micro",
    "joe",
    "ne",
    "mg",
}
_GOTO = {"code", "code-insiders", "codium", "cursor", "windsurf"}
_COLON = {"hx", "helix", "subl", "zed", "zeditor"}
_WINDOWS = {*_GOTO, "subl", "zed", "zeditor"}
"""Those that open a window of their own, and leave the terminal alone."""


class Place(NamedTuple):
    """A file as a message names it, and a line in it, from 1."""

    file: str
    line: int | None = None


class Command(NamedTuple):
    """What to run, without a shell."""

    words: list[str]
    in_terminal: bool
    """Whether it takes the terminal until it ends."""


def places(message: Message) -> list[Place]:
    """The files that the metadata names: under `file` or `path`, or as `path:line` under any key."""
    metadata = message.metadata
    found = []
    for key, value in metadata.items():
        match = _WITH_LINE.fullmatch(value)
        if match:
            found.append(Place(match["file"], int(match["line"]) or None))
        elif key in ("file", "path") and value:
            line = re.match("[0-9]{1,7}", metadata.get("line", ""))
            found.append(Place(value, int(line[0]) or None if line else None))
    return found


def find(message: Message, state: State) -> tuple[Path, int | None]:
    """The first file that the message names and that exists, and the line.

    Relative names are looked up in the folder of the sender's session, and without one in the current folder.
    Raises Refused, with a sentence, if there is none.
    """
    named = places(message)
    if not named:
        raise Refused(
            "This message names no file: its metadata would say file=src/config.py:15, for example."
        )
    sender = state.agents.get(message.sender)
    folder = Path((sender and sender.session and sender.session.directory) or Path.cwd())
    for place in named:
        path = _absolute(folder, place.file)
        if path:
            return path, place.line
    files = ", ".join(visible_line(place.file) for place in named)
    raise Refused(f"There is no such file in {visible_line(str(folder))}: {files}.")


def _absolute(folder: Path, file: str) -> Path | None:
    try:
        path = Path(os.path.abspath(folder / file))
        return path if path.is_file() else None
    except (OSError, ValueError):  # Too long a name, a NUL in it.
        return None


def command(path: Path, line: int | None, environment: Mapping[str, str]) -> Command:
    """How to open the file at the line with $VISUAL, else $EDITOR, else vi.

    path: absolute. An editor that is not known opens it at its top.
    Raises Refused if the variable is no command.
    """
    chosen = environment.get("VISUAL") or environment.get("EDITOR") or "vi"
    try:
        words = shlex.split(chosen)
    except ValueError:
        words = []
    if not words:
        raise Refused(f"$VISUAL and $EDITOR should name an editor, not {visible_line(chosen)!r}.")
    name = Path(words[0]).name
    target = str(path)
    if line is None:
        rest = [target]
    elif name in _PLUS:
        rest = [f"+{line}", target]
    elif name in _GOTO:
        rest = ["--goto", f"{target}:{line}"]
    elif name in _COLON:
        rest = [f"{target}:{line}"]
    else:
        rest = [target]
    return Command([*words, *rest], in_terminal=name not in _WINDOWS)
