"""Reading a journal's segments, in order and without a lock, while others append to them.

A journal is a row of numbered segments, `0000000001.jsonl` and so on. Only the newest is appended to:
once a segment has a successor it never changes. A line without its newline, or a change
without its last line, is either still being written or was cut off when its writer died; a reader
waits, and when a successor appears it knows that it was the latter and leaves it aside.
"""

from __future__ import annotations

import os

from msgcode.codec import decode_line
from msgcode.events import Event, JournalReset, LineDamaged
from msgcode.model import now
from msgcode.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

SUFFIX = ".jsonl"


class Position(Record):
    """A place between two changes: how far a reader has come."""

    segment: int = 0
    """The number of the segment, 0 before the first."""
    offset: int = 0
    """Bytes of the segment that come before this place."""
    line: int = 0
    """Lines of the segment that come before this place."""
    seq: int = 0
    """The number of the last event before this place."""


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
        return reader.read_segment()
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


class Reader:
    """A cursor over the journal in `folder`, which need not exist yet."""

    def __init__(self, folder: str, position: Position = Position()) -> None:
        self.folder = folder
        self.position = position
        self.size = 0
        """Bytes in the current segment when it was last looked at; more than `position.offset` when it
        ends in a line or a change that is not whole."""
        self.passed = 0
        """Bytes that it has passed over since it was made."""
        self.opened = 0
        """How often it has opened a segment, so that a writer can tell when it is on another one."""
        self._descriptor = -1
        self._at: datetime = now()

    def read(self) -> list[Event]:
        """The events that have been appended since the last call, up to the newest. See `batches`."""
        return [event for batch in self.batches() for event in batch]

    def batches(self) -> Iterator[list[Event]]:
        """The events that have been appended since the last call, a segment at a time.

        Also reports damaged lines, and a reset when the journal was deleted; it then reads on from
        the start of what is there. Raises OSError if a file cannot be read.
        """
        if self._descriptor < 0 and not self._open_after(self.position.segment - 1):
            return
        while True:
            # The order matters: once a successor exists nothing is appended here any more, so what is
            # read after having seen it is all there is.
            successor = self._exists(self.position.segment + 1)
            in_place = self._in_place()
            events = self.read_segment()
            if events:
                yield events
            if in_place and not successor:
                return
            if in_place is False or not self._open_after(self.position.segment):
                # Deleted, not cleaned up: a clean-up leaves later segments, and reuses no number.
                self.close()
                self.position = Position()
                yield [Event(0, now(), JournalReset())]
                if not self._open_after(0):
                    return

    def advance(self, lines: list[bytes], seq: int) -> None:
        """Pass over `lines` that the caller has itself appended, the last one numbered `seq`."""
        length = sum(map(len, lines))
        self.passed += length
        offset = self.position.offset + length
        self.position = Position(self.position.segment, offset, self.position.line + len(lines), seq)
        self.size = offset

    def enter(self, number: int) -> None:
        """Go to the start of a segment that exists. Raises OSError if it does not."""
        self._open(number)

    def close(self) -> None:
        """Close the current segment; the next read opens it again."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1

    def _exists(self, number: int) -> bool:
        return os.path.exists(segment_path(self.folder, number))

    def _in_place(self) -> bool | None:
        """Whether the current segment is still the file of that name; None if there is no such file."""
        here = os.fstat(self._descriptor)
        self.size = here.st_size
        try:
            return os.path.samestat(here, os.stat(segment_path(self.folder, self.position.segment)))
        except FileNotFoundError:
            return None

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
        descriptor = os.open(segment_path(self.folder, number), os.O_RDONLY)
        self.close()
        self._descriptor = descriptor
        self.opened += 1
        if number != self.position.segment:
            self.position = Position(number, 0, 0, self.position.seq)
        self.size = os.fstat(descriptor).st_size

    def read_segment(self) -> list[Event]:
        """The events from here to the end of the current segment, as far as it was when last looked at."""
        segment, offset, line, seq = before = self.position
        if self.size <= offset:
            return []
        data = os.pread(self._descriptor, self.size - offset, offset)
        events: list[Event] = []
        whole = 0
        start = 0
        while (end := data.find(b"\n", start)) >= 0:
            line += 1
            more = False
            text = data[start:end]
            start = end + 1
            try:
                event, more = decode_line(text)
                if event.seq <= seq:
                    raise ValueError(f"its number {event.seq} is not above the {seq} before it")
                seq, self._at = event.seq, event.at
                events.append(event)
            except ValueError as error:
                if text.strip():
                    file = os.path.basename(segment_path(self.folder, segment))
                    events.append(Event(seq, self._at, LineDamaged(file, line, str(error))))
            if not more:
                whole = len(events)
                self.position = Position(segment, offset + start, line, seq)
        self.passed += self.position.offset - before.offset
        return events[:whole]
