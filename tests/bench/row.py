"""What a measure comes to: rows of figures, one figure for each contender that can do the thing."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from msgspec import Struct

OURS = "msgcode"
FLOOR = "floor"
SQLITE = "SQLite WAL"
OH_MY = "oh-my-msgcode"
HCOM = "hcom"
NATS = "on NATS"
OTHERS = (FLOOR, SQLITE, OH_MY, HCOM, NATS)


class Target(Struct, frozen=True):
    """What a figure should be: at most `most`, or at least `least`. It need not be the row's own figure."""

    figure: float
    most: float | None = None
    least: float | None = None
    unit: str = ""

    def __str__(self) -> str:
        if self.most is not None:
            bound, met = f"at most {self.most:g}", self.figure <= self.most
        else:
            bound, met = f"at least {self.least:g}", self.figure >= (self.least or 0)
        return f"{bound}{self.unit}: {shown(self.figure)}, {'met' if met else 'missed'}"


class Row(Struct, frozen=True):
    """One thing measured, for each contender that can do it."""

    what: str
    unit: str
    figures: Mapping[str, float]
    """By contender; OURS need not be among them."""
    more_is_better: bool = False
    target: Target | None = None
    runs: str = ""
    """How many times it was done."""

    def ratio(self, other: str) -> float | None:
        """How many times better than the other ours is; None where that says nothing."""
        ours, theirs = self.figures.get(OURS), self.figures.get(other)
        if not ours or not theirs:
            return None
        return ours / theirs if self.more_is_better else theirs / ours


def shown(value: float | None) -> str:
    """The figure in as many digits as say something; nothing for None."""
    if value is None:
        return ""
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` (0 to 1) of the values do not exceed."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def medians(samples: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """The median of each contender's samples."""
    return {name: statistics.median(values) for name, values in samples.items()}
