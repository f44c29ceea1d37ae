"""Going through the room's past: where one is, and the room as it was there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from msgcode import MsgcodeError, Store
from msgcode.answers import event_words, plain
from msgcode.events import Event
from msgcode.journal.recent import Recent
from msgcode.model import now
from msgcode_tui import times
from msgcode_tui.live import Live

if TYPE_CHECKING:
    from msgcode.journal.timeline import Timeline

PACES = (1, 4, 16)
"""Events a second, one after another, before playing pauses."""

Move = Callable[["Timeline"], object]


class Moment(NamedTuple):
    """When a message was sent."""

    message: str
    """Its id."""


class Place(NamedTuple):
    """Somewhere in the past: the room after one event."""

    live: Live
    """The room there. Who was there nobody knows: presence is no part of what is kept."""
    seq: int
    """The number of the event; 0 before the first."""
    last: int
    """The number of the newest event when the journey began."""
    share: float
    """Where it is among all events, from 0 to 1."""
    event: Event | None
    at: datetime | None
    """When that happened."""

    @property
    def message(self) -> str | None:
        """The id of the message that the event is about, if it is about one that is there."""
        id = getattr(self.event.fact, "id", None) if self.event else None
        return id if id in self.live.state.messages else None

    def words(self, today: datetime) -> str:
        """Which event it is, when that happened and what did. Has untrusted text."""
        where = f"event {self.seq:,} of {self.last:,}"
        if self.event is None or self.at is None:
            return f"{where} · before anything had happened" if self.seq == 0 else where
        is_today = self.at.astimezone().date() == today.astimezone().date()
        when = times.of_day(self.at, seconds=True) if is_today else times.moment(self.at)
        return f"{where} · {when} · {event_words(self.event, plain)}"


class _Journey:
    """What belongs to one journey, from the present to the present."""

    def __init__(self) -> None:
        self.timeline: Timeline | None = None
        self.moves: list[Move] = []
        self.goes = False


class Travel:
    """Takes the user through the past. The present goes on meanwhile, and is not changed by it."""

    def __init__(
        self, store: Store, me: str, changed: Callable[[], None], lost: Callable[[str], None]
    ) -> None:
        """changed: called when `place` is another. lost: told why, if the past is gone."""
        self._store = store
        self._me = me
        self._changed = changed
        self._lost = lost
        self._journey: _Journey | None = None
        self.place: Place | None = None
        """Where the user is; None in the present."""
        self.pace = 0
        """Events a second at which it plays; 0 while it stands."""

    @property
    def is_on(self) -> bool:
        """Whether the user is in the past, or will be there once the journal has been read."""
        return self._journey is not None

    async def go(self, *moves: Move) -> None:
        """Make these moves, from the newest event if the user is in the present. What is asked for while
        others are being made follows them, all at once."""
        journey = self._journey = self._journey or _Journey()
        journey.moves += moves
        if journey.goes:
            return
        journey.goes = True
        self._changed()
        try:
            while journey is self._journey and (journey.moves or self.place is None):
                wanted, journey.moves = journey.moves, []
                place = await asyncio.to_thread(self._after, journey, wanted)
                if journey is self._journey:
                    self.place = place
                    self._changed()
        except MsgcodeError as error:
            if journey is self._journey:
                self.lose(str(error))
        finally:
            journey.goes = False

    def _after(self, journey: _Journey, moves: list[Move]) -> Place:
        """Where these moves lead. Off the event loop."""
        timeline = journey.timeline = journey.timeline or self._store.timeline()
        for move in moves:
            move(timeline)
        event, at = timeline.event, timeline.at
        live = Live(self._me, at or now())
        live.knows_presence = False
        live.begin(Recent(timeline.state.copy(), timeline.position, True))
        return Place(live, timeline.seq, timeline.last, timeline.share, event, at)

    def end(self) -> None:
        """Be back in the present."""
        self._journey = self.place = None
        self.pace = 0
        self._changed()

    def lose(self, why: str) -> None:
        """The past is no longer there, so this is the present again."""
        self.end()
        self._lost(f"Back in the present, as the past is gone: {why}")

    def next_pace(self) -> int:
        """Play; if it does, faster; if it cannot, pause. Returns the events a second."""
        faster = [pace for pace in PACES if pace > self.pace]
        self.pace = faster[0] if faster else 0
        return self.pace
