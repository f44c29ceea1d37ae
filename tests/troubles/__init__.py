"""Recorded rooms: each a journal that scripted agents wrote on a real store, by a clock they move.

    recorded = TROUBLES["triangle"](tmp_path / "room")
    with recorded.open() as store: ...        # its clock stands at `recorded.now`

`recorded` says what is wrong there, with whom, and which messages prove it. In the `HEALTHY` rooms, which
look like the others, nothing is wrong.
"""

from __future__ import annotations

import atexit
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from tests.troubles.healthy import busy_status, human_chat, long_review, worker_pool
from tests.troubles.loops import ping_pong_thanks, polite_waiting, storm, triangle
from tests.troubles.stage import Recorded, Trouble
from tests.troubles.standstills import (
    dead_host,
    deadlock_of_three,
    deadlock_of_two,
    lost_recipient,
    permission_block,
)

Script = Callable[[Path], Recorded]


@cache
def _played(script: Script) -> Recorded:
    """The room that the script left, which nobody changes."""
    home = mkdtemp()
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    return script(Path(home) / "room")


def _copied(script: Script) -> Script:
    """The same room, played once a process: the longest takes a second."""

    def copy(folder: Path) -> Recorded:
        return replace(_played(script), folder=Path(shutil.copytree(_played(script).folder, folder)))

    return copy


TROUBLES: dict[str, Script] = {
    "ping-pong thanks": _copied(ping_pong_thanks),
    "triangle": _copied(triangle),
    "polite waiting": _copied(polite_waiting),
    "storm": _copied(storm),
    "deadlock of two": _copied(deadlock_of_two),
    "deadlock of three": _copied(deadlock_of_three),
    "lost recipient": _copied(lost_recipient),
    "dead host": _copied(dead_host),
    "permission block": _copied(permission_block),
}
"""Rooms in which something is wrong. Each is played into the folder that it is given."""

HEALTHY: dict[str, Script] = {
    "long review": _copied(long_review),
    "busy status": _copied(busy_status),
    "worker pool": _copied(worker_pool),
    "human chat": _copied(human_chat),
}
"""Rooms that look like those, and in which nothing is wrong."""

__all__ = ["HEALTHY", "TROUBLES", "Recorded", "Script", "Trouble"]
