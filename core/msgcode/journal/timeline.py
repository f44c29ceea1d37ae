"""Going through a room's past, event by event.

timeline = store.timeline()
timeline.go(57)                 # the room after event 57
timeline.step(-1)               # and after the event before it
timeline.state, timeline.event, timeline.around(5)
"""

from __future__ import annotations

from msgcode.state import State, fold

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import TypeVar

    from msgcode.events import Event
    from msgcode.journal.index import Index
    from msgcode.journal.reader import Position

    T = TypeVar("T")

SPAN = 500
"""Events from one place that is kept at hand to the next: folding so many takes 5 ms."""

NEAR = 25
"""Events from one place to the next that is kept at hand around the cursor, for steps back."""

KEPT = 40
"""Places of each kind that are kept at hand, those that were used last."""

BEFORE = SPAN
"""Messages that ended within so many events, at least, are still there to be shown."""


LONGEST = 10 * SPAN
"""So far the cursor goes on without leaving behind what had ended before."""


class Timeline:
    """A cursor over all that had happened when it was made, at first behind the newest event.

    Going anywhere takes about 30 ms, and 20 ms for each 1000 messages that waited there; a step back less,
    and one forward next to nothing. It reads the journal's files: to be used off an event loop, by one
    thread at a time. Whatever it does may raise Unavailable, if what it is to show was purged meanwhile.
    """

    def __init__(self, index: Index) -> None:
        self._index = index
        self._kept: dict[int, State] = {}
        self._near: dict[int, State] = {}
        self._events: dict[int, list[Event | None]] = {}
        self._start = -1
        self._state = State(keep_ended=True)
        self._count = len(index)
        self._show(len(index))

    @property
    def state(self) -> State:
        """The room where the cursor is; it has what waits there, and the messages that ended not long before.

        Stepping on changes it, while going elsewhere makes another.
        """
        return self._state

    @property
    def seq(self) -> int:
        """The number of the last event before the cursor; 0 before the first."""
        return self._index.number(self._count - 1) if self._count else 0

    @property
    def event(self) -> Event | None:
        """The last event before the cursor."""
        return self._at(self._count - 1) if self._count else None

    @property
    def at(self) -> datetime | None:
        """When that happened."""
        return self._index.at(self._count - 1) if self._count else None

    @property
    def first(self) -> int:
        """The number of the first event that is kept."""
        return self._index.first

    @property
    def last(self) -> int:
        """The number of the newest event."""
        return self._index.last

    @property
    def position(self) -> Position:
        """The place of the cursor in the journal, for `Store.watch` and `Store.history`."""
        return self._index.position(self._count)

    @property
    def share(self) -> float:
        """Where the cursor is among all events, from 0 to 1."""
        return self._count / len(self._index) if len(self._index) else 1.0

    def go(self, seq: int) -> State:
        """Go behind the event of this number, or as near as there are any."""
        self._show(self._index.count(max(seq, 0)))
        return self._state

    def go_to(self, moment: datetime) -> State:
        """Go behind the last event that had happened by this time."""
        self._show(self._index.count_until(moment))
        return self._state

    def go_share(self, share: float) -> State:
        """Go behind this part of all events, from 0 to 1."""
        self._show(round(share * len(self._index)))
        return self._state

    def step(self, events: int = 1) -> State:
        """Go on by so many events, or back by so many if it is negative, as far as there are any."""
        count, way = self._count, 1 if events > 0 else -1
        for _ in range(abs(events)):
            count += way
            while 0 < count <= len(self._index) and self._at(count - 1) is None:
                count += way
        self._show(count)
        return self._state

    def around(self, before: int, after: int = 0) -> list[Event]:
        """The events around the cursor: the last `before` of those behind it, and the next `after`."""
        start, end = max(self._count - before, 0), min(self._count + after, len(self._index))
        return [event for line in range(start, end) if (event := self._at(line))]

    def _show(self, count: int) -> None:
        count = min(max(count, 0), len(self._index))
        while count and self._at(count - 1) is None:
            count -= 1
        near = count // NEAR * NEAR
        shows_enough = 0 <= self._start <= max(count - BEFORE, 0)
        if shows_enough and self._count <= count <= self._start + LONGEST:
            pass  # On from here.
        elif shows_enough and near in self._near:
            self._count, self._state = near, self._near[near].copy()
        else:
            self._near.clear()
            self._start = self._count = max(count // SPAN * SPAN - BEFORE - SPAN, 0)
            self._state = self._begin(self._start)
        for line in range(self._count, count):
            if line % NEAR == 0 and line + NEAR * KEPT > count:
                _keep(self._near, line, self._state.copy())
            event = self._at(line)
            if event:
                fold(self._state, event)
        self._count = count

    def _begin(self, start: int) -> State:
        """The room after the first `start` lines, without what had ended there; the caller's own."""
        kept = self._kept.get(start) or self._index.state(start)
        _keep(self._kept, start, kept)
        state = kept.copy()
        state.keep_ended = True
        return state

    def _at(self, line: int) -> Event | None:
        """The event in the line; None if that is blank."""
        span = line // SPAN
        events = self._events.get(span) or self._index.lines(span * SPAN, (span + 1) * SPAN)
        _keep(self._events, span, events)
        return events[line - span * SPAN]


def _keep(kept: dict[int, T], place: int, what: T) -> None:
    """Keep it at hand, and drop what has not been used for the longest time."""
    kept.pop(place, None)
    kept[place] = what
    if len(kept) > KEPT:
        del kept[next(iter(kept))]
