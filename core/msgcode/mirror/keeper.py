"""Keeps oh-my-msgcode's files like the room, and the room like them, as long as somebody follows it.

What its processes lose, they lose because each overwrites what another has written since it read. So every
version is caught as it appears, under the temporary name that it has for a millisecond before it is put in
its place: by looking, which is quicker here than being told of changes (0.6 ms against 1.9 for watchfiles).
"""

from __future__ import annotations

import os
import threading
import time

from msgcode.mirror.files import Version, read_open
from msgcode.mirror.versions import AGENTS, CHANNELS, MESSAGES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from msgcode.mirror.mirror import Mirror

_BUSY = 0.001
"""Seconds between two looks while foreign processes write."""

_BUSY_FOR = 2.0
"""Seconds for which they count as writing after a write."""

_QUIET = 0.005
"""Seconds between two looks while foreign processes are there."""

_ALONE = 0.2
"""Seconds between two looks while there are none."""

_LEFT_BEHIND = 10.0
"""Seconds after which a temporary file counts as that of a process that was killed."""

_MARKS = {
    AGENTS: b'\n    "lastSeenAt": ',
    CHANNELS: b'\n    "members": ',
    MESSAGES: b'\n    "body": ',
}
"""What only this file has: a temporary name does not say which file it is to be. No text in it can pose as
this, since texts have no line ends."""


class Keeper:
    """A thread at work while the context lasts.

    look: takes in what is new after the versions it is given, and returns the mirror, if there is one.
    """

    def __init__(self, folder: str, look: Callable[[Sequence[Version]], Mirror | None]) -> None:
        self._look = look
        self._catcher = Catcher(folder)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mirror", daemon=True)

    def __enter__(self) -> Keeper:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()
        self._catcher.close()

    def _run(self) -> None:
        pause = 0.0
        while not self._stopped.wait(pause):
            mirror = self._look(self._catcher.catch())
            if mirror:
                mirror.tend()
            pause = _pause(mirror)


def _pause(mirror: Mirror | None) -> float:
    if mirror is None or not mirror.peers_are_active:
        return _ALONE
    return _BUSY if mirror.quiet_for < _BUSY_FOR else _QUIET


class Catcher:
    """Catches what foreign processes write in `folder`, also what the next of them overwrites at once."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._open: dict[str, tuple[int, float]] = {}
        self._ignored: set[str] = set()

    def catch(self) -> list[Version]:
        """The versions that were put in their place since the last look, oldest first."""
        try:
            names = {name for name in os.listdir(self._folder) if name.startswith(".tmp-")}
        except OSError:
            return []
        self._ignored &= names
        now = time.monotonic()
        for name in names - self._open.keys() - self._ignored:
            try:
                self._open[name] = os.open(os.path.join(self._folder, name), os.O_RDONLY), now
            except OSError:
                continue  # It has just been put in its place, where it will be found.
        caught = []
        for name, (descriptor, since) in list(self._open.items()):
            if name in names and now - since < _LEFT_BEHIND:
                continue
            del self._open[name]
            try:
                if name in names:
                    self._ignored.add(name)
                else:
                    caught.append(read_open(descriptor, name))
            except OSError:
                pass
            finally:
                os.close(descriptor)
        return sorted(filter(None, map(_named, caught)), key=lambda version: version.signature[1])

    def close(self) -> None:
        """Let go of what has not been put in its place yet."""
        for descriptor, _ in self._open.values():
            os.close(descriptor)
        self._open.clear()


def _named(version: Version) -> Version | None:
    """The version under the name of the file that it was written for; None for one without an entry."""
    for name, mark in _MARKS.items():
        if mark in version.data:
            return version._replace(name=name)
    return None
