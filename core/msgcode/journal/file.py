"""The journal in a folder: segments of JSON Lines, one lock for writers, none for readers.

A change is one write to the newest segment, under the lock; the write-through to the disk comes after
the lock is let go, so that the syncs of several writers overlap. When a segment is full, or ends in
what a killed writer left, the next change goes to a new one. Nothing is ever cut from a segment but
what a failed write has just added to it.
"""

from __future__ import annotations

import os
from _thread import RLock  # threading itself takes 1 ms to import, and a send needs no threads.

from msgcode.codec import encode_facts, encode_line
from msgcode.errors import MsgcodeError, Unavailable
from msgcode.events import Event
from msgcode.journal import snapshot
from msgcode.journal.folder import PRIVATE_DIR, PRIVATE_FILE, make_private, sync_data, unavailable, write_all
from msgcode.journal.lock import Lock
from msgcode.journal.reader import (
    Position,
    Reader,
    events_mentioning,
    is_beginning,
    place_before,
    segment_events,
    segment_numbers,
    segment_path,
)
from msgcode.model import now
from msgcode.state import State, fold

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator
    from datetime import datetime
    from threading import Thread

    from msgcode.events import Fact
    from msgcode.journal.index import Index
    from msgcode.journal.protocol import Decide
    from msgcode.journal.recent import Recent

SEGMENT_BYTES = 1024 * 1024
"""A segment that has reached this size gets a successor."""

SNAPSHOT_BYTES = 8 * 1024
"""How much has to be settled between two snapshots (see `Reader.settled`), or a tenth of what the last one
has if that is more. It bounds what a fresh process reads for nothing: the lives of about 30 messages."""


class FileJournal:
    """A Journal (see `protocol.py`) in `folder`/journal, with its lock in `folder`.

    sync: write each change through to the disk before `commit` returns.
    clock: the time in UTC, in whole milliseconds.
    Safe to share between threads, and across a fork.
    """

    def __init__(self, folder: str, *, sync: bool = True, clock: Callable[[], datetime] = now) -> None:
        self.folder = os.path.join(folder, "journal")
        self._sync = sync
        self._clock = clock
        self._lock = Lock(folder)
        if os.path.isdir(folder):
            make_private(folder)
        self._begin()
        self.refresh()

    def _begin(self) -> None:
        """Start from the newest snapshot."""
        self._process = os.getpid()
        self._mutex = RLock()
        self._out = -1
        self._out_opened = 0
        self._snapshot = snapshot.signature(self.folder)
        self._snapshot_writer: Thread | None = None
        self._settled_at_snapshot = 0
        self.state, position = snapshot.load(self.folder) or (State(), Position())
        self._reader = Reader(self.folder, position)
        if position.segment:
            try:
                self._reader.enter(position.segment)  # If it is replaced from now on, that is noticed.
            except OSError:
                pass  # It has just gone, which the first read will find out.

    def _alone(self) -> RLock:
        """The mutex that keeps the other threads of this process away."""
        if self._process != os.getpid():
            # In a forked child it may be held by a thread that was not copied, which may have been
            # half-way through a change of the state.
            self._reader.close()
            self._close_out()
            self._begin()
        return self._mutex

    @property
    def behind_since(self) -> datetime | None:
        return None  # A folder is there or it is not.

    def refresh(self) -> None:
        with self._alone():
            try:
                for batch in self._reader.batches():
                    for event in batch:
                        fold(self.state, event)
            except OSError as error:
                raise unavailable(error, f"cannot read {self.folder}") from error

    def commit(self, decide: Decide, *, blind: bool = False) -> list[Event]:
        return self._commit(decide, blind=blind)

    def _commit(self, decide: Decide, *, blind: bool = False, new_segment: bool = False) -> list[Event]:
        with self._alone():
            change = self._prepare(decide) if blind else None
            if not change:
                self.refresh()  # Most of the reading is done before others have to wait for it.
                if not self._reader.position.segment and not decide(self.state, self._clock()):
                    return []  # What changes nothing, or is refused, does not create the room either.
            with self._lock:
                moment = self._clock()
                skimmed = change is not None and self._skim()
                if not (change and skimmed):
                    self.refresh()
                    facts = decide(self.state, moment)
                    change = facts, encode_facts(facts)
                facts, encoded = change
                if not facts:
                    return []
                first = self._reader.position.seq + 1
                lines = [encode_line(first + index, moment, fact) for index, fact in enumerate(encoded)]
                self._append(lines, new_segment)
                self._reader.advance(lines, first + len(facts) - 1, defer=skimmed)
            events = [Event(first + index, moment, fact) for index, fact in enumerate(facts)]
            if not skimmed:
                for event in events:
                    fold(self.state, event)
            if self._sync:
                self._write_through()
            if new_segment or self._snapshot_is_due():
                self._write_snapshot()
        return events

    def _prepare(self, decide: Decide) -> tuple[list[Fact], list[str]] | None:
        """Decide and encode before others have to wait for it, on the state as it was last read.

        That stands if nothing but messages have come since. None if it is refused: on the newest state it
        may not be.
        """
        try:
            facts = decide(self.state, self._clock())
        except MsgcodeError:
            return None
        return facts, encode_facts(facts)

    def _skim(self) -> bool:
        try:
            return self._reader.skim()
        except OSError as error:
            raise unavailable(error, f"cannot read {self.folder}") from error

    def _append(self, lines: list[bytes], new_segment: bool) -> None:
        """Write the lines as one change, to the newest segment or a new one."""
        reader = self._reader
        place = reader.position
        cut_off = reader.size > place.offset
        try:
            if new_segment or cut_off or place.offset >= SEGMENT_BYTES or place.segment == 0:
                self._begin_segment(place.segment + 1)
            else:
                self._open_out(place.segment)
            self._write(b"".join(lines))
        except OSError as error:
            raise unavailable(error, f"cannot write to {self.folder}") from error

    def _begin_segment(self, number: int) -> None:
        """Create the next segment and go there.

        The old one is written through first, so that a power cut cannot take its end and leave its
        successor. From the moment the new one exists everybody goes on there; if we die before
        writing to it, the next writer finds it empty and uses it.
        """
        if number == 1:
            make_private(os.path.dirname(self.folder))
            os.makedirs(self.folder, PRIVATE_DIR, exist_ok=True)
        elif self._sync:
            self._open_out(number - 1)
            sync_data(self._out)
        path = segment_path(self.folder, number)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE))
        self._reader.enter(number)
        self._open_out(number)
        if self._sync:
            self._sync_names()

    def _open_out(self, number: int) -> None:
        """Have the segment that the reader is at open for writing."""
        if self._out >= 0 and self._out_opened == self._reader.opened:
            return
        descriptor = os.open(segment_path(self.folder, number), os.O_WRONLY | os.O_APPEND)
        self._close_out()
        self._out, self._out_opened = descriptor, self._reader.opened

    def _write(self, data: bytes) -> None:
        end = os.fstat(self._out).st_size
        if end != self._reader.position.offset:
            # Possible only if the lock file was deleted and another process has locked the new one.
            raise Unavailable(
                f"{self.folder} was changed while it was locked: try again. Nothing was changed."
            )
        try:
            write_all(self._out, data)
        except OSError:
            # The disk may have taken a part. No reader has used it, since it is not a whole change.
            try:
                os.ftruncate(self._out, end)
            except OSError:
                pass  # Then it stays as a cut-off change, and the next writer leaves it behind.
            raise

    def _write_through(self) -> None:
        try:
            sync_data(self._out)
        except OSError as error:
            raise Unavailable(
                f"the change is in {self.folder}, but the disk did not confirm it ({error.strerror}): "
                "a power cut may take it."
            ) from error

    def _sync_names(self) -> None:
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _snapshot_is_due(self) -> bool:
        since = self._reader.settled - self._settled_at_snapshot
        if since < SNAPSHOT_BYTES or since < self._snapshot.size // 10:
            return False
        newest = snapshot.signature(self.folder)
        if newest == self._snapshot:
            return True
        # Another process has written one meanwhile.
        self._snapshot, self._settled_at_snapshot = newest, self._reader.settled
        return False

    def _write_snapshot(self) -> None:
        """Write a snapshot in the background, so that no writer waits for it."""
        from threading import Thread

        if self._snapshot_writer and self._snapshot_writer.is_alive():
            return
        try:
            self.refresh()
        except Unavailable:
            return  # As below.
        frozen = snapshot.Frozen(self.state, self._reader.position, self._reader.last_line)
        self._settled_at_snapshot = self._reader.settled

        def write() -> None:
            try:
                frozen.write(self.folder)
                self._snapshot = snapshot.signature(self.folder)
            except OSError:
                pass  # Only a cache. Whatever is wrong with the disk, the next append will say.

        writer = Thread(target=write, name="snapshot")
        try:
            writer.start()
        except RuntimeError:
            return  # No more threads to be had, or the interpreter is on its way out.
        self._snapshot_writer = writer

    def events(self, until: Position | None = None) -> Iterator[list[Event]]:
        reader = Reader(self.folder, until=until)
        try:
            yield from reader.batches()
        except OSError as error:
            raise unavailable(error, f"cannot read {self.folder}") from error
        finally:
            reader.close()

    def mentioning(self, text: str) -> Iterator[Event]:
        try:
            yield from events_mentioning(self.folder, text)
        except OSError as error:
            raise unavailable(error, f"cannot read {self.folder}") from error

    def index(self, until: int | None = None) -> Index:
        from msgcode.journal.index import Index

        try:
            return Index(self.folder, until)
        except OSError as error:
            raise unavailable(error, f"cannot read {self.folder}") from error

    def recent(self, size: int) -> Recent:
        from msgcode.journal.recent import recent

        with self._alone():
            self.refresh()
            position = self._reader.position
            try:
                start = place_before(self.folder, position, size)
                reader = Reader(self.folder, start, position)
                try:
                    events = reader.read()
                finally:
                    reader.close()
            except OSError as error:
                raise unavailable(error, f"cannot read {self.folder}") from error
            return recent(self.state, events, position, whole=is_beginning(self.folder, start))

    async def follow(self, after: Position | None) -> AsyncGenerator[list[Event], None]:
        from contextlib import aclosing

        from msgcode.watch import changes

        reader = Reader(self.folder, self._reader.position if after is None else after)
        try:
            async with aclosing(changes(self.folder)) as wakes:
                async for _ in wakes:
                    for batch in reader.batches():
                        yield batch
        except OSError as error:
            raise unavailable(error, f"cannot read {self.folder}") from error
        finally:
            reader.close()

    def compact(self, restate: Decide, disposable: Callable[[Event], bool]) -> None:
        with self._alone():
            self._commit(restate, new_segment=True)
            newest = self._reader.position.segment
            try:
                for number in segment_numbers(self.folder):
                    # Oldest first, up to the first that is needed: with a gap in the middle a reader would
                    # see beginnings whose ends are gone, such as a message sent but not acknowledged.
                    if number >= newest or not all(map(disposable, segment_events(self.folder, number))):
                        break
                    os.unlink(segment_path(self.folder, number))
            except OSError as error:
                raise unavailable(error, f"cannot clean up {self.folder}") from error

    def close(self) -> None:
        with self._alone():
            # Whoever had to read much spares it the next one, a process that only looked too.
            if self._snapshot_is_due():
                self._write_snapshot()
        if self._snapshot_writer:
            self._snapshot_writer.join()
        with self._alone():
            self._reader.close()
            self._close_out()
            self._lock.close()

    def _close_out(self) -> None:
        if self._out >= 0:
            os.close(self._out)
        self._out, self._out_opened = -1, 0
