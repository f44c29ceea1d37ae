"""Changing several files of the user's: all of them, or none.

Links stay links: what they lead to is changed. Permissions stay as they are.
"""

from __future__ import annotations

import os
import stat

from msgcode.errors import Unavailable
from msgcode.journal.folder import PRIVATE_FILE, replace_file, unavailable
from msgcode.record import Record


class Change(Record):
    """One file, and what is to be in it; None: the file goes."""

    path: str
    data: bytes | None
    mode: int | None = None
    """The permissions of a file that is made; none: only its owner can read it."""


def read(path: str) -> bytes | None:
    """What is in the file; None if there is none. Raises Unavailable."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unavailable(error, f"cannot read {path}") from error


def permissions(path: str) -> int:
    """Those of the file. Raises OSError."""
    return stat.S_IMODE(os.stat(path).st_mode)


def missing_folders(path: str) -> int:
    """How many folders above the file are yet to be made."""
    folder, count = os.path.dirname(os.path.realpath(path)), 0
    while not os.path.exists(folder):
        folder, count = os.path.dirname(folder), count + 1
    return count


def make(changes: list[Change]) -> None:
    """Make them in this order. Raises Unavailable; then all is as it was."""
    done: list[Change] = []
    folders: list[str] = []
    try:
        for change in changes:
            target = os.path.realpath(change.path)
            old = read(target)
            mode = permissions(target) if old is not None else change.mode or PRIVATE_FILE
            _may_write(target, old)
            _make_folder(os.path.dirname(target), folders)
            _write(target, change.data, mode)
            done.append(Change(target, old, mode))
    except BaseException as error:
        stuck = [undo.path for undo in reversed(done) if not _put_back(undo)]
        if stuck:
            raise Unavailable(
                f"cannot change {change.path}, and {', '.join(stuck)} cannot be put back as it was."
            ) from error
        for folder in reversed(folders):
            os.rmdir(folder)
        if isinstance(error, OSError):
            raise unavailable(error, f"cannot change {change.path}") from error
        raise


def remove_folders(path: str, count: int) -> None:
    """Remove that many folders above the file, from the innermost, as long as nothing is in them."""
    folder = os.path.dirname(os.path.realpath(path))
    try:
        for _ in range(count):
            os.rmdir(folder)
            folder = os.path.dirname(folder)
    except OSError:
        pass  # It is in use by now, or gone already.


def _may_write(path: str, old: bytes | None) -> None:
    if old is not None and not os.access(path, os.W_OK):
        raise Unavailable(f"cannot change {path}: it is write-protected. Nothing was changed.")


def _make_folder(folder: str, made: list[str]) -> None:
    if not os.path.isdir(folder):
        _make_folder(os.path.dirname(folder), made)
        os.mkdir(folder, 0o700)
        made.append(folder)


def _put_back(was: Change) -> bool:
    try:
        _write(was.path, was.data, was.mode or PRIVATE_FILE)
    except OSError:
        return False
    return True


def _write(path: str, data: bytes | None, mode: int) -> None:
    if data is not None:
        replace_file(path, data, mode, sync=True)
    elif os.path.lexists(path):
        os.unlink(path)
