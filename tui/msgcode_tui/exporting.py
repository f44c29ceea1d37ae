"""Writing messages to a file: the name that is proposed, and the writing itself, which can be stopped."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from msgcode import Message
from msgcode.answers import SHORT_ID
from msgcode.errors import BadInput, Refused, Unavailable
from msgcode.export import FORMATS
from msgcode.text import visible_line
from msgcode_tui.rooms import Room

FORMAT_NAMES = {"md": "Markdown", "html": "HTML", "jsonl": "JSON Lines"}
"""What the formats are called, by the ending of their files."""


class Part(NamedTuple):
    """What can be exported. `name` is a part of the file's name, `title` its heading."""

    about: str
    name: str
    title: str
    ids: Sequence[str]


def room_part(room: Room, title: str, ids: Sequence[str]) -> Part:
    """All messages of a room."""
    return Part("this room", "-".join(room.names) or "everything", title, ids)


def thread_part(first: str, ids: Sequence[str]) -> Part:
    """The messages of the thread that begins with `first`."""
    short = first[:SHORT_ID]
    return Part("the selected thread", f"thread-{short}", f"thread {short}", ids)


def marked_part(ids: Sequence[str]) -> Part:
    """The messages that are marked."""
    return Part("the marked messages", "marked", "Marked messages", ids)


def found_part(text: str, ids: Sequence[str]) -> Part:
    """What a query has found."""
    return Part("what was found", "found", f"Search: {text}", ids)


def proposed(part: Part, format: str, now: datetime) -> str:
    """A file's name for it. now: local time."""
    return f"msgcode-{part.name}-{now:%Y-%m-%d}.{format}"


def format_of(name: str) -> str | None:
    """The format that a file of this name has; None if its ending says none."""
    ending = Path(name).suffix.removeprefix(".").lower()
    return ending if ending in FORMATS else None


def write(
    name: str,
    messages: Sequence[Message],
    title: str,
    *,
    replace: bool,
    tell: Callable[[int], None],
    is_stopped: Callable[[], bool],
) -> str | None:
    """Write the messages to a file, in the format that its ending says; returns its path, None if stopped.

    It is readable by the user alone. replace: put it in the place of the one that has this name, once it is
    complete. tell: is called with how many messages have been written. Raises BadInput, Unavailable, and
    Refused if there is one already.
    """
    format = format_of(name)
    if format is None:
        raise BadInput(f"the name must end in {', '.join(f'.{each}' for each in FORMAT_NAMES)}.")
    path = os.path.abspath(os.path.expanduser(name))
    shown = visible_line(path)
    made = f"{path}.{os.getpid()}.part" if replace else path
    try:
        with open(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            try:
                for number, chunk in enumerate(FORMATS[format](messages, title)):
                    file.write(chunk)
                    tell(number)
                    if is_stopped():
                        os.unlink(made)
                        return None
                file.flush()
                os.replace(made, path)
            except OSError:
                os.unlink(made)
                raise
    except FileExistsError:
        raise Refused(f"{shown} exists already.") from None
    except OSError as error:
        raise Unavailable(f"cannot write {shown}: {error.strerror}.") from error
    except ValueError:
        raise BadInput(f"{shown} cannot be the name of a file.") from None
    return path
