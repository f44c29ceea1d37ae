"""What conversations cost: how much text each thread has put into each agent's context. Pure.

Counted are the characters of the subject and the body of a message, once for each agent that has had it:
to which it was delivered, or that acknowledged it itself. The frame that a harness puts around it is not
counted, nor what humans read, nor what has been purged.
"""

from __future__ import annotations

from bisect import bisect_left
from datetime import datetime, timedelta

from msgcode.model import Status
from msgcode.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from msgcode.model import Message
    from msgcode.state import State

CHARACTERS_PER_TOKEN = 4
"""An estimate, good for English prose; code and other languages have fewer."""


class Put(Record):
    """A message that was put into an agent's context."""

    at: datetime
    sender: str
    agent: str
    thread: str
    characters: int


class Cost(Record):
    """What was put into contexts, in all and lately."""

    characters: int = 0
    messages: int = 0
    per_hour: int = 0
    """Characters in an hour, at the rate of the time that was asked for."""

    @property
    def tokens(self) -> int:
        """About so many tokens."""
        return -(-self.characters // CHARACTERS_PER_TOKEN)


class Costs(Record):
    """The cost of a room, each way that costs most first."""

    total: Cost
    threads: dict[str, Cost]
    agents: dict[str, Cost]
    """By the agent into which it was put."""
    pairs: dict[tuple[str, str], Cost]
    """By sender and recipient."""
    shares: dict[tuple[str, str], Cost]
    """By thread and the agent into which it was put."""


def puts(state: State) -> Iterator[Put]:
    """What was put into the contexts of agents, in no order. The state must keep what has ended."""
    humans = {agent.id for agent in state.agents.values() if agent.human}
    for message in state.messages.values():
        size = characters(message)
        for agent, delivery in message.deliveries.items():
            at = delivery.delivered_at
            if at is None and delivery.status is Status.ACKNOWLEDGED and delivery.by is None:
                at = delivery.at
            if at is not None and agent not in humans:
                yield Put(at, message.sender, agent, message.thread, size)


def characters(message: Message) -> int:
    """How many characters of the message an agent is given to read."""
    return len(message.body) + len(message.subject or "")


def cost(state: State, now: datetime, window: timedelta = timedelta(hours=1)) -> Costs:
    """The cost of what is kept. window: the time until `now` of which the rates are."""
    since = now - window
    sums: tuple[dict[object, list[int]], ...] = ({}, {}, {}, {}, {})
    for put in puts(state):
        lately = put.characters if put.at > since else 0
        keys = (None, put.thread, put.agent, (put.sender, put.agent), (put.thread, put.agent))
        for table, key in zip(sums, keys, strict=True):
            found = table.setdefault(key, [0, 0, 0])
            found[0] += put.characters
            found[1] += 1
            found[2] += lately
    hours = window.total_seconds() / 3600
    total, *ways = ({key: Cost(a, b, round(c / hours)) for key, (a, b, c) in table.items()} for table in sums)
    ranked = [dict(sorted(way.items(), key=lambda item: -item[1].characters)) for way in ways]
    return Costs(total.get(None, Cost()), *ranked)  # type: ignore[arg-type]


class Ledger:
    """Answers at once how much was put into an agent, or by a thread, since a time.

    It is filled with `Ledger.of(state)`, and kept up with `add`.
    """

    def __init__(self) -> None:
        self._accounts: dict[tuple[str | None, str | None], tuple[list[datetime], list[int]]] = {}

    @classmethod
    def of(cls, state: State) -> Ledger:
        """All that is known of; the state must keep what has ended."""
        ledger = cls()
        for put in sorted(puts(state)):
            ledger.add(put)
        return ledger

    def add(self, put: Put) -> None:
        """Take in the next one. One from before the newest counts as put at the time of that."""
        for key in ((None, None), (put.agent, None), (None, put.thread), (put.agent, put.thread)):
            times, sums = self._accounts.setdefault(key, ([], []))
            times.append(max(put.at, times[-1]) if times else put.at)
            sums.append((sums[-1] if sums else 0) + put.characters)

    def spent(
        self, *, agent: str | None = None, thread: str | None = None, since: datetime | None = None
    ) -> int:
        """Characters put into the agent, by the thread, by that thread into that agent, or in all.

        since: from this time on.
        """
        times, sums = self._accounts.get((agent, thread), ([], []))
        if not sums:
            return 0
        first = bisect_left(times, since) if since else 0
        return sums[-1] - (sums[first - 1] if first else 0)
