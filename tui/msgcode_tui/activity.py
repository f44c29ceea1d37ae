"""How many messages each agent has sent or been sent in each of the last minutes. Pure: time is passed in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgcode import Message

MINUTES = 10
"""How far back it looks."""

_BARS = "▁▂▃▄▅▆▇█"


class Traffic:
    """Counts by minute and agent. A message costs one look-up for each agent, whatever came before."""

    def __init__(self) -> None:
        self._counts: dict[str, dict[int, int]] = {}

    def add(self, message: Message) -> None:
        """Count a message for its sender and its recipients."""
        minute = _minute(message.sent_at)
        for agent in {message.sender, *message.deliveries}:
            counts = self._counts.setdefault(agent, {})
            counts[minute] = counts.get(minute, 0) + 1
            if len(counts) > 2 * MINUTES:
                newest = max(counts)
                self._counts[agent] = {key: n for key, n in counts.items() if key > newest - MINUTES}

    def of(self, agent: str, now: datetime) -> tuple[int, ...]:
        """The counts of the agent's last minutes, the one of `now` last."""
        counts = self._counts.get(agent)
        if not counts:
            return (0,) * MINUTES
        this = _minute(now)
        return tuple(counts.get(minute, 0) for minute in range(this - MINUTES + 1, this + 1))


def _minute(moment: datetime) -> int:
    return int(moment.timestamp() // 60)


def sparkline(counts: Sequence[int], width: int = MINUTES) -> str:
    """The counts as so many bars; "" if all are 0. Nothing is the lowest bar, the largest the highest.

    width: a divisor of how many counts there are; each bar stands for as many.
    """
    if not any(counts):
        return ""
    each = len(counts) // width
    sums = [sum(counts[start : start + each]) for start in range(0, len(counts), each)]
    top, steps = max(*sums, len(_BARS) - 1), len(_BARS) - 1
    return "".join(_BARS[-(-count * steps // top)] for count in sums)
