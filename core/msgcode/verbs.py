"""What the verbs of a room have in common: where it is kept, and how a message is found and moved."""

from __future__ import annotations

import os
from datetime import datetime

from msgcode import decisions
from msgcode.checks import check_prefix
from msgcode.errors import MsgcodeError, Refused
from msgcode.events import Event, Fact
from msgcode.mirror.journal import MirroredJournal
from msgcode.model import Message, now
from msgcode.record import Record
from msgcode.state import State, fold

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from msgcode.journal.past import NoPresence
    from msgcode.journal.protocol import Journal
    from msgcode.nats.presence import NatsPresence
    from msgcode.presence import PresenceBoard


class Moment(Record):
    """A point of a room's past."""

    seq: int
    """The number of the last event that had happened."""
    at: datetime
    """The time that was asked for, or that of this event."""
    first: int
    """The number of the first event that is still kept."""
    whole: bool
    """Whether what is kept tells all of the room as it was; else who was registered, and what was held, is
    known only as far as it happened since the first event."""


def new_message_id() -> str:
    """A random UUID (version 4), as oh-my-msgcode gives its messages.

    Made by hand because importing `uuid` costs 2.6 ms, a tenth of what a whole `msgcode send` may.
    """
    raw = os.urandom(16).hex()
    variant = "89ab"[int(raw[16], 16) % 4]
    return f"{raw[:8]}-{raw[8:12]}-4{raw[13:16]}-{variant}{raw[17:20]}-{raw[20:]}"


class Verbs:
    """What each group of verbs builds on. `Store` has them all."""

    def __init__(
        self,
        name: str,
        journal: Journal,
        presence: PresenceBoard | NatsPresence | NoPresence,
        *,
        clock: Callable[[], datetime] = now,
        new_id: Callable[[], str] = new_message_id,
        moment: Moment | None = None,
        target: str | None = None,
    ) -> None:
        self.target = target or name
        """What the room is opened by. It may hold a password, so it is not for showing."""
        self.name = name
        """Where the room is: the absolute path of its folder, or its address on NATS."""
        self.moment = moment
        """The point of the past at which it is seen; None for the room as it is."""
        self._journal = journal
        self._presence = presence
        self._mirrored = journal if isinstance(journal, MirroredJournal) else None
        self._clock = clock
        self._new_id = new_id

    def now(self) -> datetime:
        """The time in UTC by the room's clock, which stands still in the past."""
        return self._clock()

    def message(self, id: str) -> Message:
        """The message with this id, whether it waits or has ended. Raises Refused if there is none."""
        found = self._fresh().messages.get(id)
        if not found:
            check_prefix(id)
            found = fold_anew([], self._journal.mentioning(f'"{id}"')).messages.get(id)
        if not found:
            raise Refused(f"there is no message {id!r}.")
        return found

    def _move(
        self,
        ids: tuple[str, ...] | list[str],
        decide_one: Callable[[Message, State, datetime], list[Fact]],
        by: str | None = None,
    ) -> list[Message]:
        """Decide on each message as it stands, append all the facts as one change."""
        elsewhere = [self.message(id) for id in ids if id not in self._journal.state.messages]
        ended = {message.id: message for message in elsewhere if message.ended}
        before: list[Message] = []

        def decide(state: State, moment: datetime) -> list[Fact]:
            decisions.check_speaker(state, by)
            before[:] = [
                state.messages.get(id) or ended.get(id) or self.message(id) for id in dict.fromkeys(ids)
            ]
            return [fact for message in before for fact in decide_one(message, state, moment)]

        return after(before, self._journal.commit(decide))

    def seen(self, agent: str) -> None:
        """The agent is there: call it at least every 15 s to keep the agent online."""
        self._presence.seen(agent, self._clock())
        if self._mirrored:
            self._mirrored.seen(agent)

    def _seen(self, agent: str) -> None:
        # The verb is done by now; that its actor was seen is worth a try and no error.
        try:
            self.seen(agent)
        except MsgcodeError:
            pass

    def _fresh(self) -> State:
        self._journal.refresh()
        return self._journal.state


def milliseconds(moment: datetime) -> datetime:
    """The time cut to milliseconds, which is what the journal stores."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def fold_anew(messages: list[Message], events: Iterator[Event] | list[Event]) -> State:
    """A state that has just these messages, ended or not, after these events."""
    state = State(keep_ended=True)
    for message in messages:
        state.add(message)
    for event in events:
        fold(state, event)
    return state


def after(before: list[Message], events: list[Event]) -> list[Message]:
    """The messages as the events have left them."""
    state = fold_anew(before, events)
    return [state.messages[message.id] for message in before]
