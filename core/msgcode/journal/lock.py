"""One writer at a time: a lock on a file in the store's folder, which the kernel frees if we die.

`fcntl.flock` itself, because importing filelock takes 50 ms, twice what a whole `msgcode send` may.
"""

from __future__ import annotations

import fcntl
import os
import time

from msgcode.errors import Unavailable
from msgcode.journal.folder import PRIVATE_FILE, make_private, unavailable

PATIENCE = 10.0
"""Seconds to wait for the lock. It is held for well under a millisecond, so longer means that its
holder was suspended."""

_YIELDS = 20
"""Tries before the first pause, giving way to others in between: a holder is mostly done in 30 us."""

_PAUSE = 0.001
"""Seconds between two tries after that. With many writers, shorter pauses wake more of them in vain."""


class Lock:
    """A lock file in a store's folder, kept open between uses. Use it as a context manager."""

    def __init__(self, folder: str, name: str = "lock") -> None:
        self._folder = folder
        self._path = os.path.join(folder, name)
        self._descriptor = -1
        self._owner = 0
        self._identity = (0, 0)

    def __enter__(self) -> None:
        deadline = time.monotonic() + PATIENCE
        tries = 0
        while True:
            if self._owner != os.getpid():
                self._open()
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise Unavailable(
                        f"another process has held {self._path} for {PATIENCE:.0f} s: it may be suspended "
                        f"(`fuser {self._path}` names it). Nothing was changed."
                    ) from None
                tries += 1
                if tries <= _YIELDS:
                    os.sched_yield()
                else:
                    time.sleep(_PAUSE)
                continue
            except OSError as error:  # Such as a file system without locks.
                raise unavailable(error, f"cannot lock {self._path}") from error
            if self._in_place():
                return
            self.close()  # The file was deleted, so others lock a new one: lock that.

    def __exit__(self, *_: object) -> None:
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def _open(self) -> None:
        # A forked child shares its parent's lock, so it opens the file anew for one of its own.
        self.close()
        flags = os.O_RDWR | os.O_CREAT
        try:
            self._descriptor = os.open(self._path, flags, PRIVATE_FILE)
        except FileNotFoundError:
            make_private(self._folder)
            try:
                self._descriptor = os.open(self._path, flags, PRIVATE_FILE)
            except OSError as error:
                raise unavailable(error, f"cannot write in {self._folder}") from error
        except OSError as error:
            raise unavailable(error, f"cannot write in {self._folder}") from error
        self._owner = os.getpid()
        status = os.fstat(self._descriptor)
        self._identity = (status.st_dev, status.st_ino)

    def _in_place(self) -> bool:
        try:
            status = os.stat(self._path)
        except OSError:
            return False
        return (status.st_dev, status.st_ino) == self._identity

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor, self._owner = -1, 0
