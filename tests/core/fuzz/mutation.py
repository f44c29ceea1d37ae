"""Bytes that were right once: flipped, cut, copied about, written over.

`pytest tests/core/fuzz --hypothesis-profile=deep --timeout=0` tries many more of them than a usual run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from hypothesis import strategies as st

# What parsers trip over.
SNAGS = (
    b"\n",
    b"\r\n",
    b"\0",
    b'"',
    b"\\",
    b"\\ud83d",
    b"\\u0000",
    b"\xff",
    b"\xef\xbb\xbf",
    b"{",
    b"}",
    b"[" * 2000,
    b"]",
    b",",
    b":",
    b"-",
    b"0",
    b"9" * 30,
    b"9" * 5000,
    b"1e999",
    b"NaN",
    b"null",
    b"true",
    b"{}",
    b"[]",
    b'""',
    b"7",
    b"0001-01-01T00:00:00.000Z",
    b"9999-12-31T23:59:59.999Z",
    "\u2028\u202e\U0001f600".encode(),
)


class Edit(NamedTuple):
    """One change to some bytes. Places are taken round the end."""

    kind: str
    at: int
    to: int
    size: int
    new: bytes

    def apply(self, data: bytes) -> bytes:
        at, to = self.at % (len(data) + 1), self.to % (len(data) + 1)
        piece = data[at : at + self.size]
        match self.kind:
            case "truncate":
                return data[:at]
            case "cut":
                return data[:at] + data[at + self.size :]
            case "zero":
                return data[:at] + b"\0" * len(piece) + data[at + self.size :]
            case "insert":
                return data[:at] + self.new + data[at:]
            case "overwrite":
                return data[:at] + self.new + data[at + len(self.new) :]
            case "flip":
                return (
                    data[:at] + bytes([data[at] ^ (1 << self.size % 8)]) + data[at + 1 :] if piece else data
                )
            case "duplicate":
                return data[:to] + piece + data[to:]
            case "splice":
                return data[:to] + piece + data[to + len(piece) :]
        return self._apply_to_lines(data)

    def _apply_to_lines(self, data: bytes) -> bytes:
        lines = data.splitlines(keepends=True)
        if not lines:
            return data
        at, to = self.at % len(lines), self.to % len(lines)
        match self.kind:
            case "cut line":
                del lines[at]
            case "duplicate line":
                lines.insert(to, lines[at])
            case "swap lines":
                lines[at], lines[to] = lines[to], lines[at]
            case "insert line":
                lines.insert(at, self.new.replace(b"\n", b" ") + b"\n")
        return b"".join(lines)


LOSSES = ("truncate", "zero", "cut line", "duplicate line", "swap lines", "insert line")
"""What disks, crashes and people with editors do to parts of a file: none makes of a line another one."""

ANY = (*LOSSES, "cut", "insert", "overwrite", "flip", "duplicate", "splice")


def edits(kinds: Sequence[str] = ANY, most: int = 4) -> st.SearchStrategy[list[Edit]]:
    """One to `most` changes."""
    places = st.integers(0, 1 << 16)
    new = st.sampled_from(SNAGS) | st.binary(max_size=20)
    edit = st.builds(Edit, st.sampled_from(kinds), places, places, st.integers(0, 300), new)
    return st.lists(edit, min_size=1, max_size=most)


def mutated(data: bytes, changes: Sequence[Edit]) -> bytes:
    """The bytes after all the changes."""
    for change in changes:
        data = change.apply(data)
    return data
