"""What comes of one message that was let through: when it arrived, and what its recipients did then. Pure."""

from __future__ import annotations

from msgcode.events import MessageAcknowledged, MessageDelivered, MessageFailed, MessageSent
from msgcode.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from msgcode.events import Event


class Outcome(Record):
    """One thing that came of it."""

    at: datetime
    agent: str
    what: str
    """`delivered`, `failed`, `acknowledged` or `sent`."""
    detail: str = ""
    """The reason why it failed; the id of the message that was sent."""


class Effect:
    """Watches for what a message does to those to whom it was let through.

    Its effect on an agent is there when the agent has acknowledged it, or sent something that it led to.
    """

    def __init__(self, message: str, agents: Iterable[str]) -> None:
        self._message = message
        self.missing = set(agents)
        """Those on whom it has had no effect yet."""

    def of(self, event: Event) -> Outcome | None:
        """What the event says of it, if it is about it."""
        fact = event.fact
        if isinstance(fact, MessageSent) and fact.cause == self._message and fact.sender in self.missing:
            self.missing.discard(fact.sender)
            return Outcome(event.at, fact.sender, "sent", fact.id)
        if getattr(fact, "id", None) != self._message:
            return None
        if isinstance(fact, MessageDelivered):
            return Outcome(event.at, fact.agent, "delivered")
        if isinstance(fact, MessageFailed):
            return Outcome(event.at, fact.agent, "failed", fact.reason)
        if isinstance(fact, MessageAcknowledged):
            self.missing.discard(fact.agent)
            return Outcome(event.at, fact.agent, "acknowledged")
        return None
