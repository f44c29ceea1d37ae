"""How much is measured."""

from __future__ import annotations

from msgspec import Struct


class Scale(Struct, frozen=True):
    """How much is measured."""

    name: str
    waiting: tuple[int, ...]
    """Numbers of waiting messages at which single operations are timed."""
    operations: int
    """Operations a batch."""
    rounds: int
    """Batches, or runs of writers; medians are taken over them."""
    history: int
    """Events in the journal that a fresh process opens."""
    backlog: int
    """Messages that wait in it."""
    writers: tuple[int, ...]
    seconds: float
    """How long writers write."""
    wakes: int
    """Appends that a watcher is woken for."""
    processes: int
    """Whole processes run of each kind."""
    deliveries: int
    """Messages sent to an agent in a real OpenCode in each of its states; none to start no OpenCode."""
    messages: int
    """Messages in the room that the TUI opens, a fiftieth of which wait."""
    sharing: float
    """How many seconds the processes of both systems send in one folder."""
    others: bool = True
    """Whether oh-my-msgcode and hcom are measured too, and fetched if need be."""


FULL = Scale(
    name="full",
    waiting=(0, 1_000, 10_000, 100_000), operations=200, rounds=3,
    history=1_000_000, backlog=1_000, writers=(1, 2, 4, 8), seconds=1, wakes=80, processes=30, deliveries=12,
    messages=100_000, sharing=5,
)  # fmt: skip

QUICK = Scale(
    name="quick: figures from few and small runs, none of real agents",
    waiting=(0, 10_000), operations=50, rounds=1,
    history=20_000, backlog=1_000, writers=(1, 4), seconds=0.2, wakes=5, processes=2, deliveries=0,
    messages=2_000, sharing=0.3,
)  # fmt: skip
