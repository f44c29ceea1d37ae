"""What a room needs of its journal. Everything above works the same on any class that does this."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator
from datetime import datetime
from typing import Protocol

from msgcode.events import Event, Fact
from msgcode.journal.index import Index
from msgcode.journal.reader import Position
from msgcode.journal.recent import Recent
from msgcode.state import State

Decide = Callable[[State, datetime], list[Fact]]
"""A decision: the facts to append to a room in this state at this time; none for no change.

It may raise to refuse, and may be asked again on a newer state, so it must do nothing else.
"""


class Journal(Protocol):
    """An ordered, durable record of events, shared by many processes."""

    @property
    def state(self) -> State:
        """The fold of everything read so far. Only this journal advances it."""

    @property
    def behind_since(self) -> datetime | None:
        """Since when others may have appended what could not be read, as they are out of reach; None if
        that is not so. `refresh` raises nothing then, and leaves the state as it was."""

    def refresh(self) -> None:
        """Read what other processes have appended since, without locking anybody out."""

    def commit(self, decide: Decide, *, blind: bool = False) -> list[Event]:
        """Decide on the newest state, append what was decided, and fold it; all of it or nothing.

        blind: the decision looks neither at messages nor at the time, so it may be taken beforehand, and
        messages sent meanwhile need not be folded first, nor what it decides itself; `refresh` does so.
        Returns the events appended. Raises what `decide` raises, and Unavailable when the journal
        cannot be written; then nothing was appended.
        """

    def events(self, until: Position | None = None) -> Iterator[list[Event]]:
        """All events in batches, oldest first, from the first that is still kept to the newest.

        until: only those before this place.
        """

    def recent(self, size: int) -> Recent:
        """The room as it is now, with the messages that have ended only as far as the newest `size` bytes
        tell of them."""

    def mentioning(self, text: str) -> Iterator[Event]:
        """The events whose lines contain `text` (ASCII), oldest first."""

    def index(self, until: int | None = None) -> Index:
        """What is in which line, to see the room as it was at any of its events.

        until: only up to the event of this number.
        """

    def follow(self, after: Position | None) -> AsyncGenerator[list[Event], None]:
        """New events as they are appended, by any process, in batches.

        after: with all that there are already behind this place first.
        """

    def compact(self, restate: Decide, disposable: Callable[[Event], bool]) -> None:
        """Append what `restate` says, then free the space of the oldest events, as far as all are disposable.

        `restate` must say again whatever a reader of the remaining events would miss.
        """

    def close(self) -> None:
        """Let go of files and connections. May be called twice."""
