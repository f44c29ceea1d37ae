"""How high each item of a long list is, and which item is at which line. Pure."""

from __future__ import annotations

from collections.abc import Iterable

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

    def __len__(self) -> int:
        return len(self._heights)

    def __getitem__(self, index: int) -> int:
        return self._heights[index]

    def __setitem__(self, index: int, height: int) -> None:
        more = height - self._heights[index]
        self._heights[index] = height
        self._blocks[index // _BLOCK] += more
        self.total += more

    def append(self, height: int) -> None:
        """Add an item at the end."""
        if len(self._heights) % _BLOCK == 0:
            self._blocks.append(0)
        self._heights.append(height)
        self._blocks[-1] += height
        self.total += height

    def top(self, index: int) -> int:
        """The line at which an item begins."""
        block = index // _BLOCK
        return sum(self._blocks[:block]) + sum(self._heights[block * _BLOCK : index])

    def at(self, line: int) -> tuple[int, int]:
        """The item that the line is in, and how many of its lines come before. There must be such a line."""
        if not 0 <= line < self.total:
            raise IndexError(f"line {line} of {self.total}")
        block = 0
        while line >= self._blocks[block]:
            line -= self._blocks[block]
            block += 1
        index = block * _BLOCK
        while line >= self._heights[index]:
            line -= self._heights[index]
            index += 1
        return index, line
