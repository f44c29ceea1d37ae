"""Which decisions have to know of each other. Pure.

A room has lanes, and each fact concerns one of them or several. A decision stands only if nobody has
concerned a lane of its own meanwhile; so two that have no lane in common may be taken at the same time, on
two machines, and neither may change what the other comes to. What is between one agent and the room concerns
that agent's lane. All else, such as a hold or an edit, and whatever is not named here, concerns all of them.

A message concerns its sender's lane alone: most are sent without agreement, and wait for who looks next.
"""

from __future__ import annotations

from zlib import crc32

from msgcode.events import (
    AgentBound,
    AgentRegistered,
    MessageAcknowledged,
    MessageClaimed,
    MessageDelivered,
    MessageDiscarded,
    MessageExpired,
    MessageFailed,
    MessageSent,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from msgcode.events import Fact
    from msgcode.state import State

LANES = 16
"""Few enough that a hold may concern them all, and enough that agents who are busy rarely share one."""

ALL = tuple(range(LANES))

_WHOSE: dict[type, str] = {
    AgentRegistered: "id",
    AgentBound: "agent",
    MessageSent: "sender",
    MessageClaimed: "agent",
    MessageDelivered: "agent",
    MessageFailed: "agent",
    MessageAcknowledged: "agent",
    MessageExpired: "agent",
    MessageDiscarded: "agent",
}
"""The field with the agent whose lane alone the fact concerns."""

_ARRIVES = (MessageDelivered, MessageAcknowledged, MessageExpired, MessageDiscarded)
"""After these the message is no longer on its way to that agent."""


def lane(agent: str) -> int:
    """The agent's lane, from 0 to LANES - 1; the same in every process."""
    return crc32(agent.encode()) % LANES


def lanes(fact: Fact, state: State) -> Sequence[int]:
    """The lanes that the fact concerns, when it is decided in this state."""
    whose = _WHOSE.get(type(fact))
    if whose is None or (isinstance(fact, _ARRIVES) and _matters_to_breakpoints(fact.id, state)):
        return ALL
    return (lane(getattr(fact, whose)),)


def _matters_to_breakpoints(message: str, state: State) -> bool:
    """Whether a breakpoint may stop something else, or no longer, because the message has arrived somewhere:
    it counts what arrives, or looks at all to whom a message is still on its way."""
    rules = [rule for rule in state.breakpoints.values() if rule.enabled]
    if not rules:
        return False
    found = state.messages.get(message)
    return found is None or len(found.deliveries) > 1 or any(rule.budget is not None for rule in rules)
