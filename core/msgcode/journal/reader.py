"""Reading a journal's segments, in order and without a lock, while others append to them.

A journal is a row of numbered segments, `0000000001.jsonl` and so on. Only the newest is appended to:
once a segment has a successor it never changes. A line without its newline, or a change
without its last line, is either still being written or was cut off when its writer died; a reader
waits, and when a successor appears it knows that it was the latter and leaves it aside.
"""

from __future__ import annotations

import os
import time

from msgcode.codec import decode_line
from msgcode.events import Event, JournalReset, LineDamaged, MessageSent
from msgcode.model import now
from msgcode.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

SUFFIX = ".jsonl"

# How a line begins that is a change of its own, and sends a message. See codec.event_json for the order.
_SEQ = b'{"seq":'
_PLAIN_SEND = b'"type":"message.sent","id":'
_HEAD = 100

SHORTEST = 40
"""Fewer bytes than any event's line has."""

ANY_NUMBER = 10**18
"""So many events may be missing before a segment."""

_SURVEY_PAUSE = 1.0

_BATCH = 100
"""Lines that are decoded in one go: about a millisecond, a small part of a frame."""


class Position(Record):
    """A place between two changes: how far a reader has come. By default the beginning."""

    segment: int = 0
    """The number of the segment, 0 before the first."""
    offset: int = 0
    """Bytes of the segment that come before this place."""
    line: int = 0
    """Lines of the segment that come before this place."""
    seq: int = 0
    """The number of the last event before this place."""


class _Lines(Record):
    """Lines of a segment, without their newlines, that have not been decoded yet."""

    segment: int
    texts: list[bytes]
    line: int
    """Lines of the segment that come before them."""
    seq: int
    """The number of the last event before them."""


def segment_path(folder: str, number: int) -> str:
    """The file that the segment is in."""
    return os.path.join(folder, f"{number:010}{SUFFIX}")


def segment_numbers(folder: str) -> list[int]:
    """The segments that exist, oldest first; none if the folder does not exist."""
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    stems = (name[: -len(SUFFIX)] for name in names if name.endswith(SUFFIX))
    return sorted(int(stem) for stem in stems if stem.isdecimal() and int(stem))


def segment_events(folder: str, number: int) -> list[Event]:
    """The whole changes in one segment, and its damaged lines. Raises OSError if it cannot be read."""
    reader = Reader(folder)
    try:
        reader.enter(number)
        return [event for batch in reader.read_segment() for event in batch]
    finally:
        reader.close()


def events_mentioning(folder: str, text: str) -> Iterator[Event]:
    """The events whose lines contain `text` (ASCII), oldest first.

    Segments are searched as bytes, about 2 GB a second; only lines that match are decoded.
    """
    needle = text.encode()
    for number in segment_numbers(folder):
        try:
            with open(segment_path(folder, number), "rb") as segment:
                data = segment.read()
        except FileNotFoundError:
            continue  # Cleaned up meanwhile.
        if needle in data:
            lines = data.split(b"\n")[:-1]
            while lines and _has_more(lines[-1]):
                lines.pop()  # A change that was cut off never happened.
            for line in lines:
                if needle in line:
                    try:
                        yield decode_line(line)[0]
                    except ValueError:
                        continue  # A damaged line, which readers report.


def _has_more(line: bytes) -> bool:
    try:
        return decode_line(line)[1]
    except ValueError:
        return False


def place_before(folder: str, position: Position, size: int) -> Position:
    """A place at the start of a line, about `size` bytes before this one. Raises OSError.

    Between two changes, or within one, of which a reader from there sees the end. The lines and the events
    before it are not counted.
    """
    segment, end = position.segment, position.offset
    there = segment_numbers(folder)
    while end < size and segment - 1 in there:
        segment -= 1
        size -= end
        end = os.path.getsize(segment_path(folder, segment))
    offset = max(end - size, 0)
    if offset:
        with open(segment_path(folder, segment), "rb") as file:
            file.seek(offset)
            offset += len(file.readline())
    return Position(segment, offset)


def is_beginning(folder: str, position: Position) -> bool:
    """Whether there is nothing before this place."""
    return position.offset == 0 and all(number >= position.segment for number in segment_numbers(folder))


class Reader:
    """A cursor over the journal in `folder`, which need not exist yet.

    until: where it stops, though there may be more.
    """

    def __init__(self, folder: str, position: Position = Position(), until: Position | None = None) -> None:
        self.folder = folder
        self.position = position
        self._until = until
        self.size = 0
        """Bytes in the current segment when it was last looked at; more than `position.offset` when it
        ends in a line or a change that is not whole."""
        self.settled = 0
        """Bytes of all but sent messages that it has passed over. A snapshot spares its readers these, and
        the messages that they have ended; one that waits is as long in the snapshot as here."""
        self.last_line = b""
        """The line right before `position`, if it has passed over one."""
        self.opened = 0
        """How often it has opened a segment, so that a writer can tell when it is on another one."""
        self._descriptor = -1
        self._path = self._next_path = ""
        self._identity = (0, 0)
        self._surveyed = -_SURVEY_PAUSE
        self._deferred: list[_Lines] = []
        self._missing = 0 if position.line else ANY_NUMBER
        """So many events may have been right before `position`, in damaged lines and deleted segments."""
        self._at: datetime = now()

    def read(self) -> list[Event]:
        """The events that have been appended since the last call, up to the newest. See `batches`."""
        return [event for batch in self.batches() for event in batch]

    def batches(self) -> Iterator[list[Event]]:
        """The events that have been appended since the last call, a few hundred at a time.

        Also reports damaged lines, and a reset when segments were deleted that it has not read; it then
        begins again at the start of what is there. Raises OSError if a file cannot be read.
        """
        if self._deferred:
            deferred, self._deferred = self._deferred, []
            yield [event for lines in deferred for event in self._decode(lines)[0]]
        if self._descriptor < 0 and not self._open_after(self.position.segment - 1):
            if not self.position.segment:
                return
            yield self._reset()
            if not self._open_after(0):
                return
        while True:
            # The order matters: once a successor exists nothing is appended here any more, so what is
            # read after having seen it is all there is.
            successor = self._has_successor()
            in_place = self._look()
            last = self._stops_here()
            yield from self.read_segment()
            if last or (in_place and not successor):
                return
            before = self.position.segment
            if in_place is False or not self._open_after(before) or self._has_missed_some(before):
                yield self._reset()
                if not self._open_after(0):
                    return

    def _stops_here(self) -> bool:
        """Look no further than `until`; returns whether that is in this segment, or in one that is gone."""
        if self._until is None or self.position.segment < self._until.segment:
            return False
        is_there = self.position.segment == self._until.segment
        self.size = min(self.size, self._until.offset if is_there else 0)
        return True

    def _has_missed_some(self, before: int) -> bool:
        # A clean-up takes the oldest segments, perhaps up to some that this reader has not seen yet. Asked
        # after it has moved on, because that can happen at any moment until then.
        return self.position.segment > before + 1 and not os.access(
            segment_path(self.folder, before), os.F_OK
        )

    def _reset(self) -> list[Event]:
        self.close()
        self.position = Position()
        return [Event(0, now(), JournalReset())]

    def skim(self) -> bool:
        """Pass over what has been appended if it is nothing but messages, leaving them for `read`.

        For a writer whose decision does not depend on them: looking costs a tenth of decoding. They all
        wait, since whatever moves a message on is read at once, so they take less room than when folded.
        Returns False, somewhere on the way, if there is anything else.
        """
        while self._descriptor >= 0:
            successor = self._has_successor()
            if not self._look() or not self._skim_segment():
                return False
            if not successor:
                return True
            try:
                self._open(self.position.segment + 1)
            except FileNotFoundError:
                return False
        return False

    def _skim_segment(self) -> bool:
        segment, offset, line, seq = self.position
        if self.size <= offset:
            return True
        texts = os.pread(self._descriptor, self.size - offset, offset).split(b"\n")[:-1]
        last = seq
        for text in texts:
            if not text.startswith(_SEQ) or text.find(_PLAIN_SEND, 0, _HEAD) < 0:
                return False
            last += 1
            if text[len(_SEQ) : text.index(b",")] != b"%d" % last:
                return False
        if texts:
            self._deferred.append(_Lines(segment, texts, line, seq))
            self._pass(sum(map(len, texts)) + len(texts), len(texts), last, texts[-1])
        return True

    def advance(self, lines: list[bytes], seq: int, *, defer: bool) -> None:
        """Pass over `lines` that the caller has itself appended, the last one numbered `seq`.

        defer: leave them for `read`, behind what was skimmed.
        """
        if defer:
            texts = [line[:-1] for line in lines]
            self._deferred.append(_Lines(self.position.segment, texts, self.position.line, self.position.seq))
        self._pass(sum(map(len, lines)), len(lines), seq, lines[-1][:-1])
        self.settled += sum(len(line) for line in lines if line.find(_PLAIN_SEND, 0, _HEAD) < 0)
        self.size = self.position.offset

    def enter(self, number: int) -> None:
        """Go to a segment that exists, to its start if it is another one. Raises OSError if it does not."""
        self._open(number)

    def close(self) -> None:
        """Close the current segment; the next read opens it again."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1

    def _has_successor(self) -> bool:
        if os.access(self._next_path, os.F_OK):
            return True
        # Somebody may have deleted the next one by hand and left later ones. It takes a while to get so
        # far behind, so look for that once a second.
        moment = time.monotonic()
        if moment - self._surveyed < _SURVEY_PAUSE:
            return False
        self._surveyed = moment
        return segment_numbers(self.folder)[-1:] > [self.position.segment]

    def _look(self) -> bool | None:
        """See how long the current segment is, and whether it is still the file of that name.

        None if there is no such file any more, False if it is another one, or was cut short.
        """
        try:
            status = os.stat(self._path)
        except FileNotFoundError:
            self.size = os.fstat(self._descriptor).st_size
            return None
        replaced = (status.st_dev, status.st_ino) != self._identity
        self.size = os.fstat(self._descriptor).st_size if replaced else status.st_size
        return not replaced and self.size >= self.position.offset

    def _open_after(self, number: int) -> bool:
        """Go on to the first segment after the one numbered so; False if there is none."""
        for candidate in [number + 1, *segment_numbers(self.folder)]:
            if candidate > number:
                try:
                    self._open(candidate)
                    return True
                except FileNotFoundError:
                    continue
        return False

    def _open(self, number: int) -> None:
        path = segment_path(self.folder, number)
        descriptor = os.open(path, os.O_RDONLY)
        self.close()
        status = os.fstat(descriptor)
        self._descriptor, self._identity, self.size = (
            descriptor,
            (status.st_dev, status.st_ino),
            status.st_size,
        )
        self._path, self._next_path = path, segment_path(self.folder, number + 1)
        self.opened += 1
        self._surveyed = -_SURVEY_PAUSE
        if number != self.position.segment:
            self.position = Position(number, 0, 0, self.position.seq)
            self._missing = ANY_NUMBER

    def read_segment(self) -> Iterator[list[Event]]:
        """The events from here to the end of the current segment, as far as it was when last looked at.

        In batches, so that whoever has a screen to draw can do so in between.
        """
        segment, offset, line, seq = self.position
        if self.size <= offset:
            return
        texts = os.pread(self._descriptor, self.size - offset, offset).split(b"\n")[:-1]
        start, length = 0, _BATCH
        while start < len(texts):
            batch = texts[start : start + length]
            events, whole, seq = self._decode(_Lines(segment, batch, line + start, seq))
            if whole:
                self._pass(sum(map(len, batch[:whole])) + whole, whole, seq, batch[whole - 1])
                yield events
                start, length = start + whole, _BATCH
            elif start + length < len(texts):
                length *= 2  # A change of more lines than that.
            else:
                return

    def _pass(self, length: int, lines: int, seq: int, last_line: bytes) -> None:
        segment, offset, line, _ = self.position
        self.position = Position(segment, offset + length, line + lines, seq)
        self.last_line = last_line

    def _decode(self, lines: _Lines) -> tuple[list[Event], int, int]:
        """The events of the whole changes in the lines, how many lines those are, and their last number."""
        segment, texts, line, seq = lines
        events: list[Event] = []
        at, missing, settled = self._at, self._missing, 0
        whole, whole_seq, whole_events = 0, seq, 0
        for count, text in enumerate(texts, 1):
            more = False
            try:
                event, more = decode_line(text)
                if reason := misnumbered(event.seq, seq, missing):
                    raise ValueError(reason)
                seq, at, missing = event.seq, event.at, 0
                events.append(event)
                if type(event.fact) is not MessageSent:
                    settled += len(text)
            except ValueError as error:
                missing += 1 + len(text) // SHORTEST
                if text.strip():
                    file = os.path.basename(segment_path(self.folder, segment))
                    events.append(Event(seq, at, LineDamaged(file, line + count, str(error))))
            if not more:
                whole, whole_seq, whole_events = count, seq, len(events)
                # What is not whole will be decoded again.
                self._at, self._missing = at, missing
                self.settled += settled
                settled = 0
        return events[:whole_events], whole, whole_seq


def misnumbered(number: int, before: int, missing: int) -> str:
    """Why an event behind the one numbered `before` cannot have this number; nothing if it can.

    Numbers go up by one; behind damaged lines by as many as these may have held, so many are `missing`. One
    that jumps is damage itself: going by it, all that follows would seem to go back.
    """
    if number <= before:
        return f"its number {number} is not above the {before} before it"
    if number > before + 1 + missing:
        return f"its number {number} is too far above the {before} before it"
    return ""
