"""The debugger's tabs."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from msgcode_tui.debugger import breakpoints, cost, held, loops, stuck, waits
from msgcode_tui.debugger.rows import Reading, Row, Scene


class Kind(NamedTuple):
    """What a tab is for, and how its rows are made."""

    id: str
    name: str
    about: str
    read: Callable[[Scene], Reading]
    detail: Callable[[Row, Scene], list[Row]]
    """What is shown beside the selected row. Takes no longer in a larger room."""


TABS = (
    Kind("held", "Held", "What is held, and by what", held.read, held.detail),
    Kind("breakpoints", "Breakpoints", "The rules that hold messages", breakpoints.read, breakpoints.detail),
    Kind("loops", "Loops", "What goes round and round", loops.read, loops.detail),
    Kind("waits", "Waits", "Who waits on whom", waits.read, waits.detail),
    Kind("stuck", "Stuck", "What does not move on", stuck.read, stuck.detail),
    Kind("cost", "Cost", "What text was put into whom", cost.read, cost.detail),
)
