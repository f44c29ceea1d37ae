"""The folder that a store lives in: its paths, its permissions, and its errors in words."""

from __future__ import annotations

import errno
import os
import stat

from msgcode.errors import Unavailable

PRIVATE_DIR = 0o700
PRIVATE_FILE = 0o600


def make_private(folder: str) -> None:
    """Create `folder` if need be, and see that only its owner can enter it or read its files.

    A folder that oh-my-msgcode made is open to everybody on the machine until then.
    Raises Unavailable if it cannot be created.
    """
    try:
        os.makedirs(folder, PRIVATE_DIR, exist_ok=True)
    except OSError as error:
        raise unavailable(error, f"cannot create {folder}") from error
    try:
        if stat.S_IMODE(os.stat(folder).st_mode) != PRIVATE_DIR:
            os.chmod(folder, PRIVATE_DIR)
        _close_files(folder)
    except OSError:
        pass  # Somebody else's folder, or a read-only one: reading is still possible, so go on.


def _close_files(folder: str) -> None:
    with os.scandir(folder) as entries:
        for entry in entries:
            mode = entry.stat(follow_symlinks=False).st_mode
            if stat.S_ISREG(mode) and stat.S_IMODE(mode) & 0o077:
                os.chmod(entry.path, PRIVATE_FILE)
            elif stat.S_ISDIR(mode):
                if stat.S_IMODE(mode) & 0o077:
                    os.chmod(entry.path, PRIVATE_DIR)
                _close_files(entry.path)


def unavailable(error: OSError, what: str) -> Unavailable:
    """`error` as one sentence: what could not be done, why, and that nothing was changed."""
    why = {
        errno.ENOSPC: "the disk is full",
        errno.EDQUOT: "your disk quota is used up",
        errno.EROFS: "it is on a read-only file system",
        errno.EACCES: "its permissions do not allow it",
        errno.EPERM: "its permissions do not allow it",
        errno.ENOTDIR: "a part of the path is a file, not a folder",
        errno.EEXIST: "a file of that name is in the way",
    }.get(error.errno or 0, error.strerror or str(error))
    return Unavailable(f"{what}: {why}. Nothing was changed.")


def replace_file(path: str, data: bytes, mode: int = PRIVATE_FILE, *, sync: bool = False) -> None:
    """Put `data` at `path` in one step: readers see the old file or the new one, never a part.

    mode: its permissions. sync: write it through to the disk first; without, it is for what can be done
    without. Raises OSError; then `path` is as it was.
    """
    temporary = f"{path}.{os.getpid()}-{os.urandom(4).hex()}.tmp"
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
        try:
            write_all(descriptor, data)
            if mode != PRIVATE_FILE:
                os.fchmod(descriptor, mode)
            if sync:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(temporary, path)
    except OSError:
        try:
            os.unlink(temporary)
        except OSError:
            pass
        raise


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of `data`, going on after short writes. Raises OSError, perhaps after a part of it."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


sync_data = getattr(os, "fdatasync", os.fsync)
"""Write a file's data through to the disk. macOS has no fdatasync."""
