"""Copying a room's events to another place: line by line as they are, but for their numbers.

Only whole changes are copied; lines that cannot be read are left out. A copy that broke off is gone on with:
what is there must be what the source begins with.
"""

from __future__ import annotations

import json
import os
import re
from bisect import bisect_right
from hashlib import sha256
from itertools import islice
from typing import Protocol

from msgcode.codec import decode_line, encode_json
from msgcode.errors import Refused, Unavailable
from msgcode.events import Event, JournalReset, LineDamaged, MessageRanked
from msgcode.journal.file import FileJournal
from msgcode.journal.reader import Position, Reader, segment_path
from msgcode.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

MOST_LINES = 1000
"""Lines of one change: what a JetStream server takes at once. A longer one, such as what a clean-up of a
large room says again, becomes several."""

_MOST_BYTES = 512 * 1024
"""About how much is written at once."""

_USUAL = re.compile(rb'\{"seq":[1-9]\d*,("at":"[^"]*","type":"[^"\\]*")(?:,"more":true)?(?=[,}])')
"""How `codec` begins a line. One that is written in another way is encoded anew."""


class Target(Protocol):
    """Where a copy goes."""

    @property
    def segments(self) -> str:
        """The folder with its segments, or with those of its copy on this machine."""

    @property
    def seq(self) -> int:
        """The number of its last event."""

    def append(self, lines: Sequence[bytes], after: int) -> None:
        """Append lines without their numbers, and without newlines, right behind the event `after`.

        Raises Refused if there is another event by now, and Unavailable.
        """


class Copied(Record):
    """What has come of copying."""

    events: int
    """How many the copy has."""
    before: int
    """How many of these it had already."""
    skipped: int
    """Lines of the source that could not be read."""
    digest: str
    """SHA-256 of the events' lines without their numbers, in hexadecimal: of the source and of the copy."""


class FolderTarget(FileJournal):
    """The room in a folder, as a target."""

    @property
    def segments(self) -> str:
        return self.folder

    @property
    def seq(self) -> int:
        return self._reader.position.seq

    def append(self, lines: Sequence[bytes], after: int) -> None:
        with self._alone(), self._lock:
            self.refresh()
            if self.seq != after:
                raise written_meanwhile(self.folder)
            self._append([numbered(after + count, line) for count, line in enumerate(lines, 1)], False)
            self.refresh()
            if self._sync:
                self._write_through()


def written_meanwhile(name: str) -> Refused:
    """What to say when somebody else writes where a copy is to go."""
    return Refused(f"somebody else has written to {name} meanwhile: copy to a room that nobody uses yet.")


def numbered(seq: int, text: bytes) -> bytes:
    """A line of a journal, with its newline, for text without a number."""
    return b'{"seq":%d,' % seq + text[1:] + b"\n"


def copy(folder: str, until: Position, target: Target, tell: Callable[[int], object]) -> Copied:
    """Copy the journal in `folder` up to `until`, and see that it is there.

    folder: that of its segments. tell: is told now and then how many events are done.
    Raises Refused if the target has other events, and Unavailable.
    """
    source = _Lines(folder, until)
    there = iter(_Lines(target.segments))
    digest, events = sha256(), 0
    waiting: list[bytes] = []
    before = None
    for change in source:
        for text in change:
            digest.update(text + b"\n")
        if before is None:
            had = next(there, None)
            if had == change:
                events += len(change)
                tell(events)
                continue
            if had is not None:
                raise _differs(events)
            if events != target.seq:
                raise _differs(0)  # Its own events have other numbers: it was cleaned up.
            before = events
        if waiting and (len(waiting) + len(change) > MOST_LINES or sum(map(len, waiting)) > _MOST_BYTES):
            target.append(waiting, events)
            events += len(waiting)
            tell(events)
            waiting = []
        waiting += change
    if waiting:
        target.append(waiting, events)
        events += len(waiting)
    if next(there, None) is not None and before is None:
        raise _differs(events)
    _verify(target, events, digest.hexdigest())
    return Copied(events, events if before is None else before, source.skipped, digest.hexdigest())


def _differs(events: int) -> Refused:
    what = f"differs behind event {events}" if events else "has other events"
    return Refused(
        f"the target {what}: copy to an empty room, or to a copy that broke off. Nothing was changed."
    )


def _verify(target: Target, events: int, digest: str) -> None:
    found, count = sha256(), 0
    for text in islice((text for change in _Lines(target.segments) for text in change), events):
        found.update(text + b"\n")
        count += 1
    if (count, found.hexdigest()) != (events, digest):
        raise Unavailable(f"the copy is not what was copied: it has {count} of {events} events as they were.")


class _Lines:
    """The changes of the journal in a folder, each as its lines without their numbers.

    They are what a journal has that numbers them from 1 on, without gaps.
    """

    def __init__(self, folder: str, until: Position | None = None) -> None:
        self._folder = folder
        self._until = until
        self.skipped = 0
        """Lines that could not be read, so far."""

    def __iter__(self) -> Iterator[list[bytes]]:
        reader = Reader(self._folder, until=self._until)
        seq, place, numbers = 0, Position(), _Numbers()
        try:
            for events in reader.batches():
                if any(isinstance(event.fact, JournalReset) for event in events):
                    raise Unavailable("the room was cleaned up while it was copied: copy it again.")
                if place.segment != reader.position.segment:
                    place = Position(reader.position.segment)
                for change in self._changes(place, reader.position, events):
                    for start in range(0, len(change), MOST_LINES):
                        part = change[start : start + MOST_LINES]
                        texts = []
                        for count, (line, event) in enumerate(part, 1):
                            numbers.renumber(event.seq, seq + count)
                            texts.append(_text(line, event, numbers, more=count < len(part)))
                        yield texts
                        seq += len(part)
                place = reader.position
        except OSError as error:
            raise Unavailable(f"cannot read {self._folder}: {error.strerror}.") from error
        finally:
            reader.close()

    def _changes(
        self, start: Position, end: Position, events: list[Event]
    ) -> Iterator[list[tuple[bytes, Event]]]:
        """The lines between two places, with their events, change by change. Damage ends one."""
        with open(segment_path(self._folder, start.segment), "rb") as file:
            file.seek(start.offset)
            lines = file.read(end.offset - start.offset).split(b"\n")[:-1]
        damaged = {event.fact.line for event in events if isinstance(event.fact, LineDamaged)}
        self.skipped += len(damaged)
        sound = (event for event in events if not isinstance(event.fact, LineDamaged))
        change: list[tuple[bytes, Event]] = []
        for number, line in enumerate(lines, start.line + 1):
            more = False
            if number not in damaged and line.strip():
                change.append((line, next(sound)))
                more = b'"more"' in line and decode_line(line)[1]
            if change and not more:
                yield change
                change = []


class _Numbers:
    """The numbers of the events in the copy: without the gaps that the journal has."""

    def __init__(self) -> None:
        self._runs: list[tuple[int, int]] = []
        """Where the numbers go on after a gap: in the journal, and in the copy."""

    def renumber(self, old: int, new: int) -> None:
        """The next event has this number in the journal, and that in the copy."""
        if not self._runs or old - new != self._runs[-1][0] - self._runs[-1][1]:
            self._runs.append((old, new))

    def place(self, rank: float) -> float:
        """Where a message is among those of the copy if it has this place among the numbers here."""
        run = max(bisect_right(self._runs, rank, key=lambda run: run[0]) - 1, 0)
        old, new = self._runs[run]
        if run + 1 < len(self._runs):
            next_old, next_new = self._runs[run + 1]
            end = old + next_new - 1 - new
            if rank > end:  # In the gap, for which the copy has no room but between two numbers.
                return next_new - 1 + (rank - end) / (next_old - end)
        return rank - old + new

    @property
    def moved(self) -> bool:
        """Whether any event has another number than it had."""
        return any(old != new for old, new in self._runs)


def _text(line: bytes, event: Event, numbers: _Numbers, *, more: bool) -> bytes:
    """The line as it is in the copy, without its number."""
    head = _USUAL.match(line)
    ranked = isinstance(event.fact, MessageRanked) and numbers.moved
    if head and not ranked:
        return b"{" + head[1] + (b',"more":true' if more else b"") + line[head.end() :]
    fields = json.loads(line)
    if isinstance(event.fact, MessageRanked):
        fields["rank"] = numbers.place(event.fact.rank)
    head_fields = {"at": fields.pop("at"), "type": fields.pop("type")}
    for name in ("seq", "more"):
        fields.pop(name, None)
    return encode_json({**head_fields, **({"more": True} if more else {}), **fields}).encode()


def size(folder: str) -> int:
    """Bytes of the segments in a folder. Raises OSError."""
    with os.scandir(folder) as entries:
        return sum(entry.stat().st_size for entry in entries if entry.name.endswith(".jsonl"))
