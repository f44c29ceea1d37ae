"""Messages made by hand, for the tests of the debugger."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from msgcode import Message
from msgcode.model import Delivery, Status
from tests.core.support import START

Line = tuple[str, str | tuple[str, ...], str]
"""Who says it, to whom, and what."""


def chain(lines: Iterable[Line], *, gap: float = 60, reply: bool = False, **fields: Any) -> list[Message]:
    """Messages of which each is caused by the one before it, `gap` seconds later.

    reply: they answer each other, so that all are of one thread.
    """
    messages: list[Message] = []
    for seq, (sender, to, body) in enumerate(lines, 1):
        at = START + timedelta(seconds=gap * seq)
        before = messages[-1].id if messages else None
        id = f"m{seq:04}"
        message = Message(
            id,
            seq,
            sender,
            body,
            at,
            {agent: Delivery(Status.QUEUED, at) for agent in ((to,) if isinstance(to, str) else to)},
            thread="m0001" if reply else id,
            cause=before,
            reply_to=before if reply else None,
            hops=seq - 1,
        )
        messages.append(message._replace(**fields))
    return messages


def taking_turns(bodies: list[str], count: int, agents: tuple[str, ...] = ("ann", "bob")) -> list[Line]:
    """Each agent says the next of the bodies to the next agent. `{turn}` in a body is counted up."""
    size = len(agents)
    return [
        (agents[turn % size], agents[(turn + 1) % size], bodies[turn % len(bodies)].format(turn=turn))
        for turn in range(count)
    ]
