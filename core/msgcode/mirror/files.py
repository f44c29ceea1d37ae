"""Files that others replace without asking, read and replaced so that no version of theirs is lost unseen."""

from __future__ import annotations

import ctypes
import hashlib
import os
import sys

from msgcode.journal.folder import PRIVATE_DIR, PRIVATE_FILE, write_all
from msgcode.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from msgcode.mirror.versions import Signature

_OURS = ".msgcode-"
"""How the names begin under which we prepare a version."""

ASIDE = "set-aside"
"""The folder of what could not be understood."""


class Version(Record):
    """What a file held at one time."""

    name: str
    data: bytes
    signature: Signature

    @property
    def written(self) -> float:
        """When, in seconds since the epoch."""
        return self.signature[1] / 1e9


def read(folder: str, name: str) -> Version | None:
    """The file as it is now, or None if there is none. Raises other OSErrors."""
    try:
        descriptor = os.open(os.path.join(folder, name), os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        return read_open(descriptor, name)
    finally:
        os.close(descriptor)


def read_open(descriptor: int, name: str) -> Version:
    """The open file, whatever its name is by now."""
    parts, offset = [], 0
    while part := os.pread(descriptor, 1 << 20, offset):
        parts.append(part)
        offset += len(part)
    return Version(name, b"".join(parts), _signature(descriptor))


def _signature(descriptor: int) -> Signature:
    status = os.fstat(descriptor)
    return status.st_ino, status.st_mtime_ns, status.st_size


def _temporary(folder: str, name: str) -> str:
    return os.path.join(folder, f"{_OURS}{name}-{os.getpid()}-{os.urandom(4).hex()}.tmp")


def prepare(folder: str, name: str, data: bytes) -> tuple[str, Version]:
    """Write a version beside the file, to be put in its place by `swap`; returns its path, and it."""
    path = _temporary(folder, name)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    try:
        write_all(descriptor, data)
        return path, Version(name, data, _signature(descriptor))
    except OSError:
        os.unlink(path)
        raise
    finally:
        os.close(descriptor)


def swap(prepared: str, folder: str, name: str) -> Version | None:
    """Put the prepared version in the file's place; returns the one that was there until that moment.

    That has the prepared path until it is dropped: it is a leftover if we die before we know what it says.
    Nobody ever finds the file missing. Raises OSError.
    """
    path = os.path.join(folder, name)
    for _ in range(10):
        try:
            exchange(prepared, path)
            displaced = read(folder, os.path.basename(prepared))
            return displaced and displaced._replace(name=name)
        except FileNotFoundError:
            pass
        try:
            os.link(prepared, path)
            os.unlink(prepared)
            return None
        except FileExistsError:
            pass  # Somebody has written one at this moment.
    raise FileExistsError(f"{path} comes and goes")


def drop(prepared: str) -> None:
    """Delete what has the prepared path, if anything has."""
    try:
        os.unlink(prepared)
    except FileNotFoundError:
        pass


def take(folder: str, name: str, expected: Signature) -> Version | None:
    """Take the file from its place; returns it if it was not the version expected there."""
    path = os.path.join(folder, name)
    taken = _temporary(folder, name)
    try:
        os.rename(path, taken)
    except FileNotFoundError:
        return None
    version = read(folder, os.path.basename(taken))
    os.unlink(taken)
    return version._replace(name=name) if version and version.signature != expected else None


def has_leftovers(folder: str, files: tuple[str, ...]) -> bool:
    """Whether there are any, be it of a process that is still at work."""
    try:
        return any(_leftover(entry) in files for entry in os.listdir(folder))
    except OSError:
        return False


def _leftover(entry: str) -> str | None:
    """The file of which a version is kept under this name in the folder."""
    return entry.removeprefix(_OURS).split("-", 1)[0] if entry.startswith(_OURS) else None


def leftovers(folder: str, files: tuple[str, ...]) -> Iterator[Version]:
    """What processes of ours that died in `swap` have left: theirs, or what they displaced.

    Each is deleted when the next is asked for.
    Only whoever holds the mirror's lock may ask.
    """
    for entry in sorted(os.listdir(folder)):
        name = _leftover(entry)
        if name in files:
            version = read(folder, entry)
            if version:
                yield version._replace(name=name)
            drop(os.path.join(folder, entry))


def set_aside(folder: str, name: str, data: bytes, trouble: bytes) -> str:
    """Keep a copy of a version in which something could not be understood, one for the same trouble.

    Returns its path, relative to the folder.
    """
    stem, extension = os.path.splitext(name)
    digest = hashlib.sha256(trouble).hexdigest()[:8]
    kept = os.path.join(ASIDE, f"{stem}-{digest}{extension}")
    os.makedirs(os.path.join(folder, ASIDE), PRIVATE_DIR, exist_ok=True)
    try:
        descriptor = os.open(os.path.join(folder, kept), os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    except FileExistsError:
        return kept
    try:
        write_all(descriptor, data)
    finally:
        os.close(descriptor)
    return kept


def _system_exchange() -> Callable[[bytes, bytes], int] | None:
    """The system's own call to exchange two files, which Python has not: 0 when it is done."""
    library = ctypes.CDLL(None, use_errno=True)
    if sys.platform == "darwin" and hasattr(library, "renamex_np"):
        swap_flag = 2  # RENAME_SWAP in <sys/stdio.h>
        return lambda one, other: int(library.renamex_np(one, other, swap_flag))
    if sys.platform == "linux" and hasattr(library, "renameat2"):
        here, exchange_flag = -100, 2  # AT_FDCWD in <fcntl.h>, RENAME_EXCHANGE in <linux/fs.h>
        return lambda one, other: int(library.renameat2(here, one, here, other, exchange_flag))
    return None


_exchange_in_one = _system_exchange()


def exchange(one: str, other: str) -> None:
    """Each file gets the other's name, in one step where the file system can. Raises OSError."""
    if _exchange_in_one:
        if _exchange_in_one(os.fsencode(one), os.fsencode(other)) == 0:
            return
        error = ctypes.get_errno()
        if error == 2:
            raise FileNotFoundError(error, os.strerror(error), other)
    # It cannot, as on some network mounts: a version that is put there between these two is lost unseen.
    os.link(other, f"{one}.other")
    os.replace(one, other)
    os.replace(f"{one}.other", one)
