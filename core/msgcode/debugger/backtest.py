"""What a rule would have done, had it been on: a guard against loops, or a breakpoint.

The past is taken as it was. In truth what a guard holds is not answered, so a loop would have ended with
the first message held; the others tell how long it went on unguarded.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from msgcode.debugger.breakpoints import stops_among
from msgcode.debugger.findings import Ended, Finding, Limits
from msgcode.debugger.loops import LoopDetector
from msgcode.events import (
    BreakpointAdded,
    BreakpointRemoved,
    BreakpointSwitched,
    Event,
    HoldPlaced,
    HoldReleased,
    JournalReset,
    MessageAcknowledged,
    MessageClaimed,
    MessageDelivered,
    MessagePassed,
    MessageSent,
)
from msgcode.model import Status
from msgcode.record import Record
from msgcode.state import State, fold, new_message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from msgcode.model import Breakpoint, Message


class Firing(Record):
    """One time that the rule would have fired."""

    at: datetime
    message: str
    """The message at which it would have: the first that it holds."""
    held: tuple[str, ...]
    """Ids of all that it would have held from then on, in order: for a loop until a human speaks or it is
    over, for a breakpoint the one message."""
    finding: Finding | None = None
    """The loop, as far as it went."""


class Backtest(Record):
    """What a rule would have done to a run of messages."""

    messages: int
    """How many there were."""
    firings: tuple[Firing, ...]
    """In the order in which they would have begun."""

    @property
    def held(self) -> tuple[str, ...]:
        """Ids of the messages that would have been held, each once."""
        return tuple(dict.fromkeys(id for firing in self.firings for id in firing.held))


def backtest_loops(events: Iterable[Event], limits: Limits = Limits()) -> Backtest:  # noqa: B008
    """What a guard against loops by these limits would have done."""
    detector = LoopDetector(limits)
    quiet = timedelta(seconds=limits.quiet)
    first: dict[int, Message] = {}
    held: dict[int, list[str]] = {}
    found: dict[int, Finding] = {}
    ongoing: set[int] = set()
    count = 0
    for message in sent_messages(events):
        count += 1
        for finding in detector.sent(message):
            number = finding.number
            found[number] = finding
            if number not in first:
                first[number], held[number] = message, []
                ongoing.add(number)
        if message.human and ongoing:
            for finding in detector.findings(message.sent_at):
                if finding.ended is Ended.HUMAN and finding.number in ongoing:
                    found[finding.number] = finding
                    ongoing.discard(finding.number)
        for number in [*ongoing]:
            if message.sent_at - found[number].until > quiet:
                ongoing.discard(number)
                found[number] = found[number]._replace(ended=Ended.QUIET)
            elif found[number].holds(message):
                held[number].append(message.id)
    return Backtest(
        count,
        tuple(
            Firing(message.sent_at, message.id, tuple(held[number]), found[number])
            for number, message in first.items()
        ),
    )


def backtest_breakpoint(history: Callable[[], Iterable[Event]], rule: Breakpoint) -> Backtest:
    """What the breakpoint would have done, had it been there from the beginning, and alone.

    history: all events, anew at each call. What the rule would have held spends nothing of its budget.
    Loops are found by the default limits; what is held of one is one firing.
    """
    if not rule.loops:
        count, held = _stopped(history(), rule, None)
        return Backtest(count, tuple(Firing(at, id, (id,)) for id, at in held.items()))
    guard = backtest_loops(history())
    count, held = _stopped(history(), rule._replace(loops=False), frozenset(guard.held))
    firings = []
    for firing in guard.firings:
        kept = tuple(id for id in firing.held if id in held)
        if kept:
            firings.append(Firing(held[kept[0]], kept[0], kept, firing.finding))
    return Backtest(count, tuple(firings))


def _stopped(
    events: Iterable[Event], rule: Breakpoint, among: Collection[str] | None
) -> tuple[int, dict[str, datetime]]:
    """How many messages there were, and when the rule would have stopped which of them.

    among: the messages that it may stop; None if any.
    """
    state = State()
    rules = {1: rule._replace(number=1)}
    state.breakpoints.update(rules)
    count = 0
    held: dict[str, datetime] = {}
    for event in events:
        fact = event.fact
        if isinstance(fact, _OF_HOLDING) or (isinstance(fact, _ARRIVED) and fact.id in held):
            continue
        is_sent = isinstance(fact, MessageSent)
        count += is_sent
        if is_sent:
            fold(state, event)
        message = _passing(state, fact)
        may_stop = among is None or (message is not None and message.id in among)
        if message and may_stop and stops_among(state, [message], event.at):
            held[message.id] = event.at
            if rule.once:
                rules.clear()
                state.breakpoints.clear()
        if not is_sent and not (message and message.id in held):
            fold(state, event)
        if isinstance(fact, JournalReset):
            state.breakpoints.update(rules)
    return count, held


def _passing(state: State, fact: object) -> Message | None:
    """The message that passes its breakpoints at this fact: as it is sent, and as it is handed over."""
    if not isinstance(fact, MessageSent | MessageClaimed | MessageDelivered):
        return None
    message = state.messages.get(fact.id)
    if message and isinstance(fact, MessageDelivered):
        delivery = message.deliveries.get(fact.agent)
        return message if delivery and delivery.status is Status.QUEUED else None
    return message


_ARRIVED = (MessageClaimed, MessageDelivered, MessageAcknowledged)

_OF_HOLDING = (
    BreakpointAdded,
    BreakpointRemoved,
    BreakpointSwitched,
    HoldPlaced,
    HoldReleased,
    MessagePassed,
)
"""What was held then, and let through, says nothing of what this rule would hold."""


def sent_messages(events: Iterable[Event]) -> Iterator[Message]:
    """The messages as they were sent, in that order."""
    for event in events:
        if isinstance(event.fact, MessageSent):
            yield new_message(event.seq, event.at, event.fact)
