"""How long a message takes on each part of its way to an agent, measured with one sent for that. Pure.

Probes are marked by the metadata PROBE. They are no part of any loop, nobody waits for their answer, and
what an agent sends next is not taken to be caused by them.
"""

from __future__ import annotations

from math import ceil

from msgcode.events import (
    MessageAcknowledged,
    MessageClaimed,
    MessageDelivered,
    MessageDiscarded,
    MessageExpired,
    MessageFailed,
    MessageSent,
)
from msgcode.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from msgcode.events import Event
    from msgcode.model import Message

BODY = (
    "This is a probe: a human wants to see whether messages reach you. "
    "Acknowledge it, or reply with one word, and go on with what you were doing."
)

HOPS = ("stored", "claimed", "delivered", "answered")


class Hop(Record):
    """One thing that a probe has come through."""

    what: str
    """One of HOPS, or `failed`, `expired`, `discarded`."""
    at: datetime
    took: float
    """Seconds since the hop before; for the first, since it was asked for."""
    detail: str = ""
    """Who claimed it, how it was answered (`acknowledged`, `replied`), or why it failed."""


class Probe:
    """Follows one probe to its agent and back.

    message: the probe, to one agent. asked: when it was asked for.
    """

    def __init__(self, message: Message, asked: datetime) -> None:
        self.message = message
        (self.agent,) = message.deliveries
        self.hops: list[Hop] = []
        """Oldest first. A failed attempt is one, and the next claim another."""
        self._last = asked
        self._add("stored", message.sent_at)

    @property
    def answered(self) -> bool:
        """Whether the agent has acknowledged it, or replied."""
        return self.hops[-1].what == "answered"

    @property
    def over(self) -> bool:
        """Whether nothing more comes of it."""
        return self.hops[-1].what in ("answered", "expired", "discarded")

    @property
    def total(self) -> float:
        """Seconds from asking for it to the last hop."""
        return sum(hop.took for hop in self.hops)

    def see(self, event: Event) -> None:
        """Take in an event that came after it was sent."""
        fact = event.fact
        if self.over:
            return
        if isinstance(fact, MessageSent) and self._is_reply(fact):
            self._add("answered", event.at, "replied")
        if getattr(fact, "id", None) != self.message.id or getattr(fact, "agent", None) != self.agent:
            return
        if isinstance(fact, MessageClaimed):
            self._add("claimed", event.at, fact.by)
        elif isinstance(fact, MessageDelivered):
            self._add("delivered", event.at)
        elif isinstance(fact, MessageFailed):
            self._add("failed", event.at, fact.reason)
        elif isinstance(fact, MessageAcknowledged):
            self._add("answered", event.at, "acknowledged")
        elif isinstance(fact, MessageExpired):
            self._add("expired", event.at)
        elif isinstance(fact, MessageDiscarded):
            self._add("discarded", event.at)

    def _is_reply(self, sent: MessageSent) -> bool:
        if sent.sender != self.agent:
            return False
        was_delivered = any(hop.what == "delivered" for hop in self.hops)
        return sent.reply_to == self.message.id or (was_delivered and self.message.sender in sent.to)

    def _add(self, what: str, at: datetime, detail: str = "") -> None:
        self.hops.append(Hop(what, at, max((at - self._last).total_seconds(), 0.0), detail))
        self._last = at


class Spread(Record):
    """How long one hop took over several probes, in seconds."""

    p50: float
    p99: float
    probes: int
    """How many came through it."""


def spreads(probes: Iterable[Probe]) -> dict[str, Spread]:
    """By hop, as far as any has come to it, in the order of HOPS; and `total` of those that were answered."""
    taken: dict[str, list[float]] = {what: [] for what in (*HOPS, "total")}
    for probe in probes:
        for hop in probe.hops:
            if hop.what in taken:
                taken[hop.what].append(hop.took)
        if probe.answered:
            taken["total"].append(probe.total)
    return {what: _spread(sorted(times)) for what, times in taken.items() if times}


def _spread(times: list[float]) -> Spread:
    p50, p99 = (times[ceil(share * len(times)) - 1] for share in (0.5, 0.99))
    return Spread(p50, p99, len(times))
