"""Which copy of a room that is kept elsewhere is the newest here: for when nobody there can be asked."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from hashlib import sha256

from msgcode.journal.folder import replace_file
from msgcode.journal.reader import segment_numbers, segment_path


def note(cache: str, room: str, name: str) -> None:
    """The copy of this name, in the folder `cache`, is the room as it is now. Raises nothing."""
    path = _path(cache, room)
    try:
        if _read(path) == name:
            os.utime(path)
        else:
            replace_file(path, name.encode())
    except OSError:
        pass  # It is of use only when no server can be reached.


def newest(cache: str, room: str) -> tuple[str, datetime] | None:
    """The folder with the newest copy of the room, and when it was so; None if there is no copy."""
    path = _path(cache, room)
    try:
        folder = os.path.join(cache, _read(path))
        journal = os.path.join(folder, "journal")
        segments = [segment_path(journal, number) for number in segment_numbers(journal)]
        moment = max(os.stat(file).st_mtime for file in [path, *segments[-1:]])
    except OSError:
        return None
    return folder, datetime.fromtimestamp(moment, UTC)


def _path(cache: str, room: str) -> str:
    return os.path.join(cache, f"{sha256(room.encode()).hexdigest()[:24]}.newest")


def _read(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return os.path.basename(file.read().decode("ascii", "replace"))
    except FileNotFoundError:
        return ""
