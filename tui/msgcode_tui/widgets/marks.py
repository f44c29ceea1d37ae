"""Which messages of a thread are marked, to do something with all of them. Pure."""

from __future__ import annotations

from collections.abc import Iterable


class Marks:
    """Ids of marked messages: single ones, and while a range is drawn, all from its anchor to its end."""

    def __init__(self) -> None:
        self._single: set[str] = set()
        self._range: frozenset[str] = frozenset()
        self.anchor: str | None = None
        """Where the range begins that is being drawn."""

    def __contains__(self, id: object) -> bool:
        return id in self._range or id in self._single

    def __bool__(self) -> bool:
        return bool(self._single or self._range)

    @property
    def ids(self) -> frozenset[str]:
        """All that are marked."""
        return self._range | self._single

    def toggle(self, id: str) -> None:
        """Mark the message, or take its mark away. Ends a range, which stays marked."""
        self.end_range()
        self._single ^= {id}

    def begin_range(self, id: str) -> None:
        """Begin a range at the message."""
        self.end_range()
        self.anchor, self._range = id, frozenset([id])

    def draw_range(self, ids: Iterable[str]) -> None:
        """These are the messages from the anchor to where the range ends now."""
        self._range = frozenset(ids)

    def end_range(self) -> None:
        """Draw the range no further; its messages stay marked."""
        self._single |= self._range
        self.anchor, self._range = None, frozenset()

    def clear(self) -> None:
        """Mark nothing."""
        self._single, self._range, self.anchor = set(), frozenset(), None
