"""Who calls a tool, and what a tool says to it."""

from __future__ import annotations

import os

from msgcode.errors import BadInput, Refused
from msgcode.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from msgcode.model import Session
    from msgcode.store import Store

AROUND = "MSGCODE_TERMINAL"
"""The environment variable by which what runs in `msgcode run` knows the session of that terminal."""


class ToolAnswer(Record):
    """What a tool has to say to the model that called it."""

    text: str
    ok: bool = True
    """False if it was refused or not understood; nothing was changed then, and the text says what to do."""
    data: dict[str, Any] | None = None
    """The same as JSON, as the tool's `answers` has it; None if it was refused. Safe to print."""


class Caller(Record):
    """Who calls a tool: a session, which may speak only for the agents that live in it."""

    store: Store
    session: Session
    brought: bool = True
    """Messages are brought to the session; else its agents have to look for them."""

    def agents(self) -> list[str]:
        """The agents that live in the session."""
        return self.store.agents_in(self.session.harness, self.session.id)

    def agent(self, id: str | None, among: tuple[str, ...] | None = None) -> str:
        """The agent that acts: `id`, or if none is given the only one there is (`among` these).

        Raises Refused if it does not live in the session, and BadInput if it is not clear which one acts.
        """
        own = self.agents()
        if id is not None:
            id = id.removeprefix("@")
            if id in own:
                return id
            yours = f"yours: {', '.join(own)}" if own else "it has none"
            raise Refused(
                f"agent {id!r} does not live in this session ({yours}), and a session speaks only for its "
                "own: call register_agent first."
            )
        if not own:
            raise Refused("no agent lives in this session: call register_agent first.")
        candidates = [agent for agent in own if among is None or agent in among] or own
        if len(candidates) > 1:
            raise BadInput(f"say which of your agents acts: {', '.join(candidates)}.")
        return candidates[0]


def lives_around(store: Store, agent: str) -> bool:
    """Whether the agent lives in the terminal that this process runs in: its program may take it over."""
    around = os.environ.get(AROUND)
    sessions = (known.session for known in store.agents() if known.id == agent)
    return around is not None and any(session and session.id == around for session in sessions)
