"""A room's journal that oh-my-msgcode's files are kept like: a Journal like any other, on top of another.

As long as there are no such files, and nobody asks for them, it costs four looks into the folder; while a
`Keeper` is at work, in any process, one more.
"""

from __future__ import annotations

import os
from _thread import RLock  # threading itself takes 1 ms to import, and a send needs no threads.

from msgcode.mirror.versions import FILES, MEMORY, is_kept, signature

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
    from datetime import datetime
    from threading import Timer

    from msgcode.events import Event
    from msgcode.journal.index import Index
    from msgcode.journal.protocol import Decide, Journal
    from msgcode.journal.reader import Position
    from msgcode.journal.recent import Recent
    from msgcode.mirror.files import Version
    from msgcode.mirror.mirror import Mirror, Peers
    from msgcode.model import Message
    from msgcode.presence import PresenceBoard
    from msgcode.state import State


class MirroredJournal:
    """The Journal of the room in `folder`.

    always: write the files even if no foreign process has been there. clock: the time in UTC.
    """

    def __init__(
        self,
        folder: str,
        journal: Journal,
        presence: PresenceBoard,
        clock: Callable[[], datetime],
        *,
        always: bool,
    ) -> None:
        self._folder = folder
        self._journal = journal
        self._presence = presence
        self._clock = clock
        self._always = always
        # The last tells that there were some: perhaps the user has deleted them all.
        self._paths = [os.path.join(folder, name) for name in (*FILES, MEMORY)]
        self._mirror: Mirror | None = None
        self._later: Timer | None = None
        self._later_lock = RLock()

    @property
    def state(self) -> State:
        return self._journal.state

    @property
    def behind_since(self) -> datetime | None:
        return self._journal.behind_since

    def refresh(self) -> None:
        self._look()
        self._journal.refresh()

    def commit(self, decide: Decide, *, blind: bool = False) -> list[Event]:
        self._look()
        events = self._journal.commit(decide, blind=blind)
        if events:
            self._publish()
        return events

    def events(self, until: Position | None = None) -> Iterator[list[Event]]:
        return self._journal.events(until)

    def recent(self, size: int) -> Recent:
        return self._journal.recent(size)

    def index(self, until: int | None = None) -> Index:
        return self._journal.index(until)

    def mentioning(self, text: str) -> Iterator[Event]:
        return self._journal.mentioning(text)

    async def follow(self, after: Position | None) -> AsyncGenerator[list[Event], None]:
        from contextlib import aclosing

        from msgcode.mirror.keeper import Keeper

        # Whoever follows the room is there to stay, and keeps the files all the while.
        with Keeper(self._folder, self._tend, lambda: self._opened() is not None):
            async with aclosing(self._journal.follow(after)) as batches:
                async for batch in batches:
                    yield batch

    def compact(self, restate: Decide, disposable: Callable[[Event], bool]) -> None:
        self._look()
        self._journal.compact(restate, disposable)
        self._publish()

    def close(self) -> None:
        with self._later_lock:
            later = self._later
        if later:
            later.cancel()
            later.join()
        if self._mirror:
            self._mirror.close()
        self._journal.close()

    def withdraw(self, agent: str, messages: Iterable[Message]) -> set[str]:
        """See `Mirror.withdraw`."""
        mirror = self._opened()
        return mirror.withdraw(agent, messages) if mirror else set()

    def seen(self, agent: str) -> None:
        """An agent of ours was seen, mostly after what it has done was written."""
        if self._mirror:
            self._mirror.seen(agent)

    @property
    def shared(self) -> bool:
        """Whether a foreign process may be reading and writing the files."""
        mirror = self._opened()
        return mirror is not None and mirror.active

    def peers(self) -> Peers | None:
        """What is known of foreign processes; None if none was ever here."""
        self._look()
        mirror = self._opened()
        return mirror.peers() if mirror else None

    def _opened(self) -> Mirror | None:
        """The mirror, from when there is something to be kept."""
        if self._mirror is None and (self._always or any(map(signature, self._paths))):
            from msgcode.mirror.mirror import Mirror

            self._mirror = Mirror(
                self._folder, self._journal, self._presence, self._clock, always=self._always
            )
        return self._mirror

    def _look(self) -> None:
        """Take in what the files say that is new, unless a keeper does."""
        mirror = self._opened()
        if mirror and not is_kept(self._folder):
            mirror.look()

    def _publish(self) -> None:
        if self._mirror and not is_kept(self._folder):
            self._mirror.publish()
            self._publish_later()

    def _publish_later(self) -> None:
        """See that what was put off is written, even if nothing more is done in this process."""
        if not (self._mirror and self._mirror.due and self._mirror.active):
            return
        from threading import Timer

        from msgcode.mirror.mirror import PUBLISH_EVERY

        with self._later_lock:
            if not self._later:
                self._later = Timer(PUBLISH_EVERY, self._publish_put_off)
                self._later.daemon = True
                self._later.start()

    def _publish_put_off(self) -> None:
        with self._later_lock:
            self._later = None
        self._publish()

    def _tend(self, caught: Sequence[Version]) -> Mirror | None:
        """Do what a keeper does."""
        mirror = self._opened()
        if mirror:
            mirror.look(caught)
            mirror.tend()
        return mirror
