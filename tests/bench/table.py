"""Rows of figures, and the one table that they are printed as."""

from __future__ import annotations

import os
import platform
import statistics
import sys
from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

OURS = "msgcode"
SQLITE = "SQLite WAL"
SEED = "oh-my-msgcode"
HCOM = "hcom"
FLOOR = "floor"
OTHERS = (SQLITE, SEED, HCOM, FLOOR)


class Scale(NamedTuple):
    """How much is measured."""

    live: tuple[int, ...]
    """Numbers of waiting messages at which single operations are timed."""
    seed_live: tuple[int, ...]
    """Those of them at which oh-my-msgcode is timed too; none to leave it out of the run."""
    operations: int
    """Operations a batch."""
    rounds: int
    """Batches, or runs of writers; medians are taken over them."""
    history: int
    """Events in the journal that a fresh process opens."""
    waiting: int
    """Messages that wait in it."""
    writers: tuple[int, ...]
    seconds: float
    """How long writers write."""
    wakes: int
    """Appends that a watcher is woken for."""
    processes: int
    """Whole processes run of each kind."""
    deliveries: int
    """Messages sent from one OpenCode to another, in each state of the recipient."""
    messages: int
    """Messages in the room that the TUI opens, a fiftieth of which wait."""
    sharing: float
    """How many seconds the processes of both systems send in one folder."""


class Target(NamedTuple):
    """What a figure should be: at most `most`, or at least `least`."""

    figure: float
    most: float | None = None
    least: float | None = None
    unit: str = ""

    def __str__(self) -> str:
        if self.most is not None:
            bound, met = f"at most {self.most:g}", self.figure <= self.most
        else:
            bound, met = f"at least {self.least:g}", self.figure >= (self.least or 0)
        return f"target {bound}{self.unit}: {_figure(self.figure)}{self.unit}, {'met' if met else 'missed'}"


class Row(NamedTuple):
    """One thing measured, for each contender that can do it."""

    what: str
    unit: str
    figures: dict[str, float]
    """By contender; OURS need not be among them."""
    more_is_better: bool = False
    target: Target | None = None

    def ratio(self, other: str) -> float | None:
        """How many times better than the other ours is; None where that says nothing."""
        ours, theirs = self.figures.get(OURS), self.figures.get(other)
        if not ours or not theirs:
            return None
        return ours / theirs if self.more_is_better else theirs / ours


def progress(text: str) -> None:
    """Say on standard error what is being measured."""
    print(f"... {text}", file=sys.stderr, flush=True)


def percentile(values: list[float], share: float) -> float:
    """The smallest value that `share` (0 to 1) of the values do not exceed."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def medians(samples: dict[str, list[float]]) -> dict[str, float]:
    """The median of each contender's samples."""
    return {name: statistics.median(values) for name, values in samples.items()}


def head() -> str:
    """The day, the machine and the interpreter, without its name."""
    return (
        f"{date.today()}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores, "
        f"{platform.python_implementation()} {platform.python_version()}\n"
        "(x): how many times better msgcode is than the column before it; below 1 it is worse."
    )


def render(rows: Iterable[Row]) -> str:
    """The rows as aligned text."""
    cells = [["", "unit", OURS, *(cell for other in OTHERS for cell in (other, "(x)")), ""]]
    for row in rows:
        line = [row.what, row.unit, _figure(row.figures.get(OURS))]
        for other in OTHERS:
            line += [_figure(row.figures.get(other)), _figure(row.ratio(other))]
        cells.append([*line, str(row.target or "")])
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join("  ".join(_aligned(line, widths)).rstrip() for line in cells)


def _aligned(line: list[str], widths: list[int]) -> list[str]:
    last = len(line) - 1
    return [
        cell.ljust(width) if index in (0, 1, last) else cell.rjust(width)
        for index, (cell, width) in enumerate(zip(line, widths, strict=True))
    ]


def _figure(value: float | None) -> str:
    if value is None:
        return ""
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
