"""Any program in a terminal: `msgcode run` and `msgcode adopt`, which type a wake-up when that is safe."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from msgcode.store import Store

AROUND = "MSGCODE_TERMINAL"
"""The environment variable by which what runs in `msgcode run` knows the session of that terminal."""


def lives_around(store: Store, agent: str) -> bool:
    """Whether the agent lives in the terminal that this process runs in: its program may take it over."""
    around = os.environ.get(AROUND)
    sessions = (known.session for known in store.agents() if known.id == agent)
    return around is not None and any(session and session.id == around for session in sessions)
