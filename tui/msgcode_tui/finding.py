"""Looking for messages, newest first, in slices that hold up nobody. Pure, but for the waits in `finish`.

What comes meanwhile is looked at too, and what changes is looked at again.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence

from msgcode import Message
from msgcode.search import Query
from msgcode_tui.live import Live
from msgcode_tui.rooms import EVERYTHING, Room, rooms_of

SLICE = 1_000_000
"""How much is looked at in between two turns of the event loop, in characters: one or two milliseconds."""

_OVERHEAD = 2_000
"""What a message costs beside its body, in characters."""

BREATH = 0.001
"""Seconds between two slices."""


class Search:
    """The messages of a room that a query matches. text: the query as it was typed."""

    def __init__(self, text: str, query: Query, room: Room = EVERYTHING) -> None:
        self.text, self.query, self.room = text, query, room
        self.found: list[str] | None = None
        """All of them, oldest first: a list that grows at its end, or is replaced when some go. None
        until they have been looked for everywhere."""
        self._source: Sequence[str] | None = None
        self._messages: Mapping[str, Message] = {}
        """Among which it was looked. The room may be another by now: the past, or what is left of it."""
        self._left = self._end = 0
        """Between these places in the source, all has been looked at."""
        self._older: list[str] = []
        self._newer: list[str] = []
        self._moved: Sequence[str] = ()
        """What changed since it was listed, of which all before `_retested` has been looked at again."""
        self._retested = 0

    @property
    def count(self) -> int:
        """How many have been found so far."""
        return len(self._older) + len(self._newer)

    def at(self, place: int) -> str:
        """The id of what was found at this place, the newest at 0."""
        newer = len(self._newer)
        return self._newer[newer - 1 - place] if place < newer else self._older[place - newer]

    @property
    def share(self) -> float:
        """How much has been looked at, from 0 to 1."""
        return (self._end - self._left) / len(self._source) if self._source else 0.0

    def look(self, live: Live) -> bool:
        """Look at the next slice; returns whether that was the last."""
        ids, messages = live.index.messages(self.room), live.state.messages
        self._messages = messages
        if ids is not self._source:
            self._source, self._older, self._newer = ids, [], []
            self._left = self._end = len(ids)
            self._moved, self._retested = live.moved, len(live.moved)
        budget = SLICE
        while self._end < len(ids) and budget > 0:
            budget -= self._test(messages[ids[self._end]], self._newer)
            self._end += 1
        while self._left and budget > 0:
            self._left -= 1
            budget -= self._test(messages[ids[self._left]], self._older)
        if self._left or self._end < len(ids):
            return False
        if self._older or self.found is not self._newer:
            self._newer = self.found = [*reversed(self._older), *self._newer]
            self._older = []
        self._look_again()
        return True

    def _look_again(self) -> None:
        """Test again what has changed. `found` is replaced if another list is right."""
        changed = set(self._moved[self._retested :])
        self._retested = len(self._moved)
        if not changed:
            return
        assert self.found is not None
        was, now = self.found, set(self.found)
        for id in changed:
            message = self._messages.get(id)
            if message and self._is_in_room(message) and self.query.matches(message):
                now.add(id)
            else:
                now.discard(id)
        if len(now) != len(was) or now.difference(was):
            self._newer = self.found = sorted(now, key=lambda id: self._messages[id].seq)

    def _is_in_room(self, message: Message) -> bool:
        return self.room == EVERYTHING or self.room in rooms_of(message)

    def _test(self, message: Message, found: list[str]) -> int:
        if self.query.matches(message):
            found.append(message.id)
        return _OVERHEAD + len(message.body)

    def place(self, message: Message) -> int | None:
        """At which place the message was found; None if it was not. Only when all is `found`."""
        assert self.found is not None
        index = self._index(message.seq)
        if index < len(self.found) and self.found[index] == message.id:
            return len(self.found) - 1 - index
        return None

    def beside(self, message: Message | None, step: int) -> str | None:
        """The id of the next older one (step 1) or newer one (-1) than the message; after the last comes the
        first. With no message, the newest. None if nothing was found. Only when all is `found`."""
        assert self.found is not None
        if not self.found:
            return None
        if message is None:
            return self.found[-1]
        if step > 0:
            return self.found[self._index(message.seq) - 1]
        return self.found[self._index(message.seq + 1) % len(self.found)]

    def _index(self, seq: int) -> int:
        assert self.found is not None
        return bisect_left(self.found, seq, key=lambda id: self._messages[id].seq)


async def finish(search: Search, live: Live, tell: Callable[[], None] = lambda: None) -> None:
    """Look everywhere. `tell` is called after each slice, the last one too."""
    while not search.look(live):
        tell()
        await asyncio.sleep(BREATH)
    tell()


async def first(search: Search, live: Live) -> None:
    """Look until something has been found, or everywhere."""
    while not search.count and not search.look(live):  # noqa: ASYNC110
        await asyncio.sleep(BREATH)
