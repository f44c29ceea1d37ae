"""How high each item of a long list is, and which item is at which line. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate

_BLOCK = 256


class Heights:
    """Heights in lines, in order. Finding a line among 100,000 items, and changing one, takes microseconds:
    the sums of blocks of items are kept."""

    def __init__(self, heights: Iterable[int] = ()) -> None:
        self._heights = list(heights)
        self._blocks = [
            sum(self._heights[start : start + _BLOCK]) for start in range(0, len(self._heights), _BLOCK)
        ]
        self.total = sum(self._blocks)
        """The height of all of them."""
        self._ends: list[int] = []
        """The line after each block; none until it is asked for again."""

    def __len__(self) -> int:
        return len(self._heights)

    def __getitem__(self, index: int) -> int:
        return self._heights[index]

    def __setitem__(self, index: int, height: int) -> None:
        more = height - self._heights[index]
        self._heights[index] = height
        self._blocks[index // _BLOCK] += more
        self._ends = []
        self.total += more

    def append(self, height: int) -> None:
        """Add an item at the end."""
        if len(self._heights) % _BLOCK == 0:
            self._blocks.append(0)
        self._heights.append(height)
        self._blocks[-1] += height
        self._ends = []
        self.total += height

    def top(self, index: int) -> int:
        """The line at which an item begins."""
        block = index // _BLOCK
        return sum(self._blocks[:block]) + sum(self._heights[block * _BLOCK : index])

    def at(self, line: int) -> tuple[int, int]:
        """The item that the line is in, and how many of its lines come before. There must be such a line."""
        if not 0 <= line < self.total:
            raise IndexError(f"line {line} of {self.total}")
        self._ends = self._ends or list(accumulate(self._blocks))
        block = bisect_right(self._ends, line)
        first = block * _BLOCK
        heights = self._heights[first : first + _BLOCK]
        ends = list(accumulate(heights, initial=self._ends[block] - self._blocks[block]))
        index = bisect_right(ends, line) - 1
        return first + index, line - ends[index]
