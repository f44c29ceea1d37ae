"""Which faults happen when: pure, and the same for the same seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import NamedTuple

KILL, PAUSE, SKEW, FILL, CUT, TEAR, POWER = (
    "kill", "pause", "skew the clock", "fill the disk", "cut a file", "tear the journal", "power cut",
)  # fmt: skip

_WEIGHTS = {KILL: 30, PAUSE: 25, SKEW: 15, CUT: 15, FILL: 7, TEAR: 5, POWER: 3}

_EVERY = 0.6
"""Seconds between two faults, on average."""

CACHES = ("journal/snapshot.json", "mirror.json", "agents.json", "channels.json", "messages.json", "presence")
"""What is cut while everybody is at work. A snapshot that is no good is ignored; without mirror.json,
oh-my-msgcode's three files are read anew; of these, one that is not whole is set aside and written again, and
only what it has written and nobody has read is lost; an agent whose presence is cut was never seen.

Of the journal only the end is cut, within a line and with nobody writing, as when a machine goes down: the
changes that go have not happened, all others stand, and nobody takes what is left for damage. Not tried is
what takes more away by design: cutting a segment that has a successor, and deleting messages.json, which
discards all that waits.
"""


class Fault(NamedTuple):
    """One thing that is done to the room or to a process."""

    at: float
    """Seconds after the start."""
    kind: str
    who: str = ""
    """The process, or the file."""
    seconds: float = 0
    """After which it is undone: started again, let go on, freed."""
    amount: float = 0
    """SKEW: seconds. FILL: blocks that are left. CUT: the share of the file that stays. TEAR, POWER: how
    much of the journal's end goes, in lines; its fraction is that of the oldest of these that stays."""


def plan(seed: int, seconds: float, processes: Sequence[str], skewed: Sequence[str]) -> list[Fault]:
    """The faults of a run.

    processes: who may be killed or paused. skewed: those of them whose clocks may be set.
    """
    return list(_faults(Random(seed), seconds, processes, skewed))


def _faults(
    random: Random, seconds: float, processes: Sequence[str], skewed: Sequence[str]
) -> Iterator[Fault]:
    at = random.expovariate(1 / _EVERY)
    while at < seconds:
        (kind,) = random.choices([*_WEIGHTS], [*_WEIGHTS.values()])
        if kind == KILL:
            yield Fault(at, kind, random.choice(processes), random.uniform(0, 2))
        elif kind == PAUSE:
            # Sometimes for longer than others wait for a lock.
            yield Fault(at, kind, random.choice(processes), random.choice((0.05, 0.5, 3, 11)))
        elif kind == SKEW:
            offset = random.choice((-3600, -60, -5, -0.5, 0.5, 5, 60, 3600)) * random.uniform(0.5, 1)
            yield Fault(at, kind, random.choice(skewed), random.uniform(0.5, 15), offset)
        elif kind == CUT:
            yield Fault(at, kind, random.choice(CACHES), amount=random.choice((0, random.random(), 0.999)))
        elif kind == FILL:
            yield Fault(at, kind, seconds=random.uniform(0.2, 3), amount=random.choice((0, 0, 1, 2)))
        else:
            yield Fault(at, kind, amount=random.uniform(0, 3))
        at += random.expovariate(1 / _EVERY)
