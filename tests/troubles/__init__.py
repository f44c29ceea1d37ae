"""Recorded rooms: each a journal that scripted agents wrote on a real store, by a clock they move.

    recorded = TROUBLES["triangle"](tmp_path / "room")
    with recorded.open() as store: ...        # its clock stands at `recorded.now`

`recorded` says what is wrong there, with whom, and which messages prove it. In the `HEALTHY` rooms, which
look like the others, nothing is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

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

TROUBLES: dict[str, Script] = {
    "ping-pong thanks": ping_pong_thanks,
    "triangle": triangle,
    "polite waiting": polite_waiting,
    "storm": storm,
    "deadlock of two": deadlock_of_two,
    "deadlock of three": deadlock_of_three,
    "lost recipient": lost_recipient,
    "dead host": dead_host,
    "permission block": permission_block,
}
"""Rooms in which something is wrong. Each is played into the folder that it is given."""

HEALTHY: dict[str, Script] = {
    "long review": long_review,
    "busy status": busy_status,
    "worker pool": worker_pool,
    "human chat": human_chat,
}
"""Rooms that look like those, and in which nothing is wrong."""

__all__ = ["HEALTHY", "TROUBLES", "Recorded", "Script", "Trouble"]
