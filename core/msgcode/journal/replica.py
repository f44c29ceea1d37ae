"""A copy, on this machine, of a journal that is kept elsewhere: a folder like that of any other journal.

Whatever reads a journal reads the copy: the fold, the index of the past, the search, the snapshot. It is only
a cache, and is made anew when it has lost touch.
"""

from __future__ import annotations

import os
from itertools import dropwhile

from msgcode.journal.file import FileJournal
from msgcode.journal.folder import unavailable
from msgcode.journal.reader import segment_numbers, segment_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager


class Gap(Exception):
    """What has come does not follow what is here: some was missed."""


class Replica(FileJournal):
    """The copy in `folder`, which all processes of this machine share."""

    def __init__(self, folder: str) -> None:
        super().__init__(folder, sync=False)

    @property
    def seq(self) -> int:
        """The number of the last event that is here."""
        return self._reader.position.seq

    def last_line(self) -> bytes:
        """The line of the last event that is here, with its newline."""
        position = self._reader.position
        try:
            with open(segment_path(self.folder, position.segment), "rb") as segment:
                return segment.read(position.offset).splitlines(keepends=True)[-1]
        except (OSError, IndexError):
            return b""

    def alone(self) -> AbstractContextManager[object]:
        """While it is entered no other thread of this process changes the state."""
        return self._alone()

    def take(self, lines: Sequence[tuple[int, bytes]], after: int) -> None:
        """Append lines of whole changes, with their newlines, each with its number: all behind `after`.

        A blank line takes a number, and is no event; the last line is none. What is here already is passed
        over. Raises Gap, and Unavailable; nothing was appended then.
        """
        with self._alone(), self._lock:
            self.refresh()
            if self.seq < after:
                raise Gap
            fresh = [(seq, line) for seq, line in lines if seq > self.seq]
            if not fresh:
                return
            if self.seq and fresh[0][0] != self.seq + 1:
                raise Gap
            texts = [line for _, line in fresh]
            if not self.seq:
                # A reader takes any number on a first line, but a blank line only for the number before it.
                texts = list(dropwhile(bytes.isspace, texts))
            self._append(texts, new_segment=False)
            self.refresh()
            if self._snapshot_is_due():
                self._write_snapshot()

    def forget(self) -> None:
        """Drop all that is here, to begin anew. Raises Unavailable."""
        with self._alone(), self._lock:
            try:
                for number in segment_numbers(self.folder):
                    os.unlink(segment_path(self.folder, number))
            except OSError as error:
                raise unavailable(error, f"cannot clean up {self.folder}") from error
            self.refresh()
