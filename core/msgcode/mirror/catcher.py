"""Catching every version of oh-my-msgcode's files, also those that are overwritten a millisecond later.

A version has a temporary name while it is written, and is then renamed. Whoever opens it in time can read it
however soon it is overwritten. (What had another name before is ours.) The system's own notices of such
events arrive in 0.25 ms; watchfiles looks for them every 1 to 2 ms, too late for half of the versions when
two processes write as fast as they can.
"""

from __future__ import annotations

import os
import select
import sys
import time

from msgcode.mirror.files import Version, read_open
from msgcode.mirror.versions import FILES, signature

TYPE_CHECKING = False
if TYPE_CHECKING:
    from inotify_simple import Event, INotify

_TEMPORARY = ".tmp-"
_LEFT_BEHIND = 10.0
"""Seconds after which a temporary file counts as that of a process that was killed."""

_LOOK_EVERY = 0.002
"""Seconds between two looks where the system gives no notice."""


class Catcher:
    """Waits for versions of the files in `folder`, from one thread, until another one stops it."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._stop_reader, self._stop_writer = os.pipe()
        self._stopped = False

    def catch(self, seconds: float) -> list[Version]:
        """The versions that have come since the last call, oldest first; waits for one for so many seconds.

        The newest may be missing: it is in its place to be read.
        """
        last = [signature(os.path.join(self._folder, name)) for name in FILES]
        deadline = time.monotonic() + seconds
        while not self._stopped and time.monotonic() < deadline:
            self._sleep(_LOOK_EVERY)
            if [signature(os.path.join(self._folder, name)) for name in FILES] != last:
                break
        return []

    def stop(self) -> None:
        """End the waiting, now and from now on. From any thread."""
        self._stopped = True
        os.write(self._stop_writer, b"x")

    def close(self) -> None:
        """Let go of all files, once nobody waits any more."""
        os.close(self._stop_reader)
        os.close(self._stop_writer)

    def _sleep(self, seconds: float) -> None:
        select.select([self._stop_reader], [], [], seconds)


class LinuxCatcher(Catcher):
    """A catcher that the system tells of each file that is created and renamed."""

    def __init__(self, folder: str) -> None:
        super().__init__(folder)
        self._inotify: INotify | None = None
        self._open: dict[str, tuple[int, float]] = {}
        self._late: set[int] = set()

    def catch(self, seconds: float) -> list[Version]:
        inotify = self._inotify or self._watch()
        if not inotify:
            self._sleep(seconds)
            return []
        select.select([inotify.fileno(), self._stop_reader], [], [], seconds)
        caught: list[Version] = []
        for event in [] if self._stopped else inotify.read(timeout=0):
            self._take(event, caught)
        for name, (_, since) in list(self._open.items()):
            if time.monotonic() - since > _LEFT_BEHIND:
                self._drop(name)
        return caught

    def _watch(self) -> INotify | None:
        from inotify_simple import INotify, flags

        try:
            inotify = INotify()
        except OSError:  # All that the user may have are in use.
            return None
        try:
            inotify.add_watch(self._folder, flags.CREATE | flags.MOVED_FROM | flags.MOVED_TO | flags.ONLYDIR)
        except OSError:  # There is no folder yet.
            inotify.close()
            return None
        self._inotify = inotify
        return inotify

    def _take(self, event: Event, caught: list[Version]) -> None:
        from inotify_simple import flags

        if event.mask & flags.IGNORED:  # The folder is gone.
            if self._inotify:
                self._inotify.close()
            self._inotify = None
        elif event.mask & flags.CREATE and event.name.startswith(_TEMPORARY):
            self._open_file(event.name, event.name)
        elif event.mask & flags.MOVED_FROM and event.name in self._open:
            self._open[f"{event.cookie}"] = self._open.pop(event.name)
        elif event.mask & flags.MOVED_FROM and event.name.startswith(_TEMPORARY):
            self._late.add(event.cookie)
        elif event.mask & flags.MOVED_TO and event.name in FILES:
            key = f"{event.cookie}"
            if event.cookie in self._late:  # Too late for its first name, but perhaps not for this one.
                self._late.remove(event.cookie)
                self._open_file(event.name, key)
            if key in self._open:
                try:
                    caught.append(read_open(self._open[key][0], event.name))
                except OSError:
                    pass
                self._drop(key)

    def _open_file(self, name: str, key: str) -> None:
        try:
            self._open[key] = os.open(os.path.join(self._folder, name), os.O_RDONLY), time.monotonic()
        except OSError:
            pass  # It has another name by now, which is the next event.

    def _drop(self, key: str) -> None:
        os.close(self._open.pop(key)[0])

    def close(self) -> None:
        for key in list(self._open):
            self._drop(key)
        if self._inotify:
            self._inotify.close()
        super().close()


def catcher(folder: str) -> Catcher:
    """The best one for this system."""
    return LinuxCatcher(folder) if sys.platform == "linux" else Catcher(folder)
