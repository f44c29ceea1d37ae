"""A journal that ends in the past. What reads it needs no change to show the room as it was then."""

from __future__ import annotations

from bisect import bisect_right

from msgcode.errors import Refused
from msgcode.journal.recent import Recent
from msgcode.model import Activity, Presence
from msgcode.state import fold

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator
    from datetime import datetime
    from typing import NoReturn

    from msgcode.events import Event
    from msgcode.journal.index import Index
    from msgcode.journal.protocol import Decide, Journal
    from msgcode.journal.reader import Position


class PastJournal:
    """The Journal that `journal` was after the first `count` lines of its index."""

    def __init__(self, journal: Journal, index: Index, count: int) -> None:
        self._journal = journal
        self._index = index
        self._count = count
        self.state = index.state(count)

    @property
    def behind_since(self) -> datetime | None:
        return self._journal.behind_since

    def refresh(self) -> None:
        """Nothing happens there any more."""

    def commit(self, decide: Decide, *, blind: bool = False) -> NoReturn:
        raise over(self.state.seq)

    def compact(self, restate: Decide, disposable: Callable[[Event], bool]) -> NoReturn:
        raise over(self.state.seq)

    async def follow(self, after: Position | None) -> AsyncGenerator[list[Event], None]:
        raise over(self.state.seq)
        yield []  # It is a generator all the same.

    def events(self, until: Position | None = None) -> Iterator[list[Event]]:
        seq = self.state.seq
        for batch in self._journal.events(until):
            if batch and batch[-1].seq > seq:
                yield batch[: bisect_right(batch, seq, key=lambda event: event.seq)]
                return
            yield batch

    def mentioning(self, text: str) -> Iterator[Event]:
        return (event for event in self._journal.mentioning(text) if event.seq <= self.state.seq)

    def recent(self, size: int) -> Recent:
        start = self._index.count_before(self._count, size)
        state = self._index.state(start, keep_ended=True)
        for event in self._index.events(start, self._count):
            fold(state, event)
        return Recent(state, self._index.position(self._count), whole=start == 0)

    def index(self, until: int | None = None) -> Index:
        return self._journal.index(self.state.seq if until is None else min(until, self.state.seq))

    def close(self) -> None:
        """Whoever opened the journal closes it."""


class NoPresence:
    """What is known of who was there at a moment of the past: nothing, since presence is not history.

    seq: the number of the last event before that moment.
    """

    def __init__(self, seq: int) -> None:
        self._seq = seq

    def get(self, agent: str, now: datetime) -> Presence:
        return Presence(Activity.UNKNOWN)

    def seen(self, agent: str, at: datetime) -> NoReturn:
        raise over(self._seq)

    def set(self, agent: str, activity: Activity, at: datetime, reason: str | None = None) -> NoReturn:
        raise over(self._seq)

    def forget(self, agent: str) -> NoReturn:
        raise over(self._seq)


def over(seq: int) -> Refused:
    """That nothing can be done in the room as it was after the event of this number."""
    return Refused(f"this is the room as it was after event {seq}, and the past cannot be changed.")
