"""The room as it is now, put together from what waits and from the newest events alone."""

from __future__ import annotations

from msgcode.journal.reader import Position
from msgcode.record import Record
from msgcode.state import State, fold

TYPE_CHECKING = False
if TYPE_CHECKING:
    from msgcode.events import Event


class Recent(Record):
    """A room at one place in its journal, without most of the messages that had ended there."""

    state: State
    """Keeps messages that have ended. What else it holds, and all that waits, is as in the whole fold."""
    position: Position
    whole: bool
    """Whether it is the whole fold, since the journal is no longer than what was read."""


def recent(now: State, events: list[Event], position: Position, *, whole: bool) -> Recent:
    """The room at `position`, where `events` end.

    now: the fold of all events until there, without the messages that have ended. whole: `events` are all
    that there are.
    """
    state = State(keep_ended=True)
    for event in events:
        fold(state, event)
    if not whole:
        found = {**state.messages, **now.messages}
        state = State(keep_ended=True)
        state.seq, state.agents, state.channels = now.seq, dict(now.agents), dict(now.channels)
        state.heard, state.damage = dict(now.heard), list(now.damage)
        state.breakpoints = dict(now.breakpoints)
        for message in sorted(found.values(), key=lambda message: message.seq):
            state.add(message)
        state.holds, state.stopped = dict(now.holds), dict(now.stopped)
    return Recent(state, position, whole)
