"""How often somebody is woken for the mail that waits for them. Pure: the time is passed in."""

from __future__ import annotations

from collections.abc import Set

PAUSES = (60.0, 120.0, 300.0, 600.0, 1800.0)
"""Seconds until the next wake-up for mail that was not taken after so many; the last goes on."""


class Pacing:
    """One wake-up is for all that waits; the next is due when some of it was taken, or after a pause."""

    def __init__(self) -> None:
        self._woken_for: Set[str] = frozenset()
        self._times = 0
        self._not_before = 0.0

    def due(self, waiting: Set[str], now: float) -> bool:
        """Whether to wake for these messages at the time `now`, in seconds by any clock."""
        if not waiting or not self._woken_for <= waiting:
            self._woken_for, self._times, self._not_before = frozenset(), 0, 0.0
        return bool(waiting) and now >= self._not_before

    def tried(self, waiting: Set[str], now: float) -> None:
        """A wake-up was typed for these messages, or could not be, at the time `now`."""
        self._woken_for = self._woken_for or frozenset(waiting)
        self._not_before = now + PAUSES[min(self._times, len(PAUSES) - 1)]
        self._times += 1
