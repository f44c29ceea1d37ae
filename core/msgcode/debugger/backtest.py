"""What a rule would have done, had it been on: a guard against loops, or a breakpoint.

The past is taken as it was. In truth what a guard holds is not answered, so a loop would have ended with
the first message held; the others tell how long it went on unguarded.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from msgcode.debugger.findings import Ended, Finding, Limits
from msgcode.debugger.loops import LoopDetector
from msgcode.events import Event, MessageSent
from msgcode.record import Record
from msgcode.state import new_message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from msgcode.model import Message


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


def backtest_breakpoint(events: Iterable[Event], breaks: Callable[[Message], bool]) -> Backtest:
    """What a breakpoint would have done that holds the messages for which `breaks` is true."""
    count = 0
    firings = []
    for message in sent_messages(events):
        count += 1
        if breaks(message):
            firings.append(Firing(message.sent_at, message.id, (message.id,)))
    return Backtest(count, tuple(firings))


def sent_messages(events: Iterable[Event]) -> Iterator[Message]:
    """The messages as they were sent, in that order."""
    for event in events:
        if isinstance(event.fact, MessageSent):
            yield new_message(event.seq, event.at, event.fact)
