"""Keeps oh-my-msgcode's files like the room, and the room like them, as long as somebody follows it.

What its processes lose, they lose because each overwrites what another has written since it read. So one
thread catches every version as it appears, and does nothing else; another takes them in.
"""

from __future__ import annotations

import fcntl
import os
import sys
import threading
import time
from collections import deque

from msgcode.journal.folder import PRIVATE_FILE
from msgcode.mirror.catcher import catcher
from msgcode.mirror.versions import KEEPER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from msgcode.mirror.files import Version
    from msgcode.mirror.mirror import Mirror

_TEND_EVERY = 0.2
"""Seconds after which it looks for what there is to write, if nothing was caught."""

_TURN = 0.0005
"""Seconds for which another thread may run on when the catching one has something to do: a tenth of Python's
own, within which a version that is caught too late would be gone."""

_TOUCH_EVERY = 0.5
"""Seconds between two signs that a keeper is at work."""


class Keeper:
    """At work while the context lasts. Of several keepers of a folder, in any processes, one does the work.

    tend: takes in what is new after the versions it is given, and writes what the files lack.
    is_needed: whether there is anything to be kept; until then the folder is only looked at.
    """

    def __init__(
        self, folder: str, tend: Callable[[Sequence[Version]], Mirror | None], is_needed: Callable[[], bool]
    ) -> None:
        self._tend = tend
        self._is_needed = is_needed
        self._post = Post(folder)
        self._catcher = catcher(folder)
        self._caught: deque[Version] = deque()
        self._woken = threading.Event()
        self._stopped = False
        self._usual_turn = sys.getswitchinterval()
        self._threads = [
            threading.Thread(target=run, name=f"mirror {run.__name__}", daemon=True)
            for run in (self._catch, self._work)
        ]

    def __enter__(self) -> Keeper:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped = True
        self._catcher.stop()
        self._woken.set()
        for thread in self._threads:
            thread.join()
        self._catcher.close()
        if self._caught and self._post.is_ours:
            self._tend([*self._caught])
        self._post.leave()
        sys.setswitchinterval(self._usual_turn)

    def _catch(self) -> None:
        while not self._stopped:
            if self._post.is_ours:
                self._caught.extend(self._catcher.catch(_TEND_EVERY))
                self._woken.set()
            else:
                self._woken.wait(_TEND_EVERY)

    def _work(self) -> None:
        while not self._stopped:
            self._woken.wait(_TEND_EVERY)
            self._woken.clear()
            if self._is_needed() and self._post.take():
                mirror = self._tend([self._caught.popleft() for _ in range(len(self._caught))])
                has_peers = mirror is not None and mirror.peers_are_active
                sys.setswitchinterval(_TURN if has_peers else self._usual_turn)


class Post:
    """The one place of a keeper in `folder`: a lock, and a file that is touched while it is held."""

    def __init__(self, folder: str) -> None:
        self._path = os.path.join(folder, KEEPER)
        self._descriptor = -1
        self._touched = -_TOUCH_EVERY

    @property
    def is_ours(self) -> bool:
        """Whether we hold it."""
        return self._descriptor >= 0

    def take(self) -> bool:
        """Take it if it is free, or show that one is still there; returns whether it is ours."""
        now = time.monotonic()
        if now - self._touched < _TOUCH_EVERY:
            return self.is_ours
        self._touched = now
        try:
            if self.is_ours and os.fstat(self._descriptor).st_nlink == 0:
                self.leave()  # The file was deleted, so another may take the next one.
            if not self.is_ours:
                self._lock()
            os.utime(self._descriptor)
        except OSError:
            pass  # It is taken, or there is no folder yet.
        return self.is_ours

    def _lock(self) -> None:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise
        self._descriptor = descriptor

    def leave(self) -> None:
        """Give it up."""
        if self.is_ours:
            try:
                os.utime(self._descriptor, (0, 0))  # Nobody need wait until it would have been touched again.
            except OSError:
                pass
            os.close(self._descriptor)
            self._descriptor = -1
