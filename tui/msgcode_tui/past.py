"""A room's past, folded by a process of its own and handed over message by message.

Decoding and folding 300,000 events takes seconds, and while any thread here does it the screen stutters.
Taking 100,000 finished messages takes a fifth of that, in pieces of a millisecond.
"""

from __future__ import annotations

import asyncio
import gc
import os
import pickle
import sys
from collections.abc import AsyncGenerator, Iterable, Iterator
from subprocess import DEVNULL, PIPE, Popen
from typing import NamedTuple

from msgcode import Message, MsgcodeError, Store
from msgcode.debugger.loops import LoopDetector
from msgcode.debugger.unanswered import Unanswered
from msgcode.errors import Unavailable
from msgcode.events import Event
from msgcode.journal.reader import Position
from msgcode.state import State, fold

MESSAGES = 50
"""Messages in a piece, at most."""

CHARACTERS = 20_000
"""Characters that the bodies of a piece have together, at most; but one body may have more."""

_FOLDED = 0.6
"""How much of the work is done, about, when all events have been folded."""

_EVENTS = 5_000
"""Events between two reports of how far it has come."""


class Piece(NamedTuple):
    """A part of the past."""

    share: float
    """How much of the work has been done with it, from 0 to 1."""
    messages: list[Message]
    """The next messages, oldest first; none while events are folded."""
    rest: State | None = None
    """With the last ones, what the state has beside messages (see `joined`)."""
    loops: LoopDetector | None = None
    """With the last ones, what has taken in all messages."""
    unanswered: Unanswered | None = None
    """With the last ones, that of all messages."""


async def pieces(store: str, until: Position) -> AsyncGenerator[Piece, None]:
    """The past of a store, before the place `until`. Raises Unavailable when it cannot be read.

    store: what it is opened by.
    """
    with _started(store, until) as process:
        assert process.stdout
        assert process.stderr
        try:
            rest = None
            while rest is None:
                try:
                    piece = Piece(*await asyncio.to_thread(pickle.load, process.stdout))
                except Exception:  # What is not whole may make pickle raise anything.
                    process.terminate()
                    words = process.stderr.read().decode(errors="replace").strip().rpartition("\n")[2]
                    raise Unavailable(words or "the process that reads the past was killed") from None
                rest = piece.rest
                yield piece
        finally:
            process.kill()


def _started(store: str, until: Position) -> Popen[bytes]:
    command = [sys.executable, "-P", "-m", "msgcode_tui.past", *map(str, until)]
    # It may hold a password, which anybody on this machine could see in a command.
    environment = {**os.environ, "MSGCODE_STORE": store}
    return Popen(command, env=environment, stdin=DEVNULL, stdout=PIPE, stderr=PIPE)


def joined(rest: State, messages: State) -> State:
    """The state that was `cut`: the rest, with the messages that were added to another state one by one."""
    rest.messages, rest.inboxes, rest.expiring = messages.messages, messages.inboxes, messages.expiring
    return rest


def cut(events: Iterable[Event], count: int) -> Iterator[Piece]:
    """The fold of these events in pieces. count: about how many they are."""
    state = State(keep_ended=True)
    for number, event in enumerate(events):
        fold(state, event)
        if number % _EVENTS == 0:
            yield Piece(_FOLDED * min(number / count, 1), [])
    messages = list(state.messages.values())
    loops, unanswered = LoopDetector(), Unanswered.of(state)
    state.messages, state.inboxes, state.expiring = {}, {}, {}
    piece: list[Message] = []
    size = 0
    for number, message in enumerate(messages):
        if piece and (len(piece) == MESSAGES or size + len(message.body) > CHARACTERS):
            yield Piece(_FOLDED + (1 - _FOLDED) * number / len(messages), piece)
            piece, size = [], 0
        loops.sent(message)
        piece.append(_compact(message))
        size += len(message.body)
    yield Piece(1, piece, state, loops, unanswered.copy())


def _compact(message: Message) -> Message:
    """The message with the one copy of each name that a piece then has only once."""
    return message._replace(
        sender=sys.intern(message.sender),
        thread=message.id if message.thread == message.id else message.thread,
        deliveries={sys.intern(agent): delivery for agent, delivery in message.deliveries.items()},
        channel=sys.intern(message.channel) if message.channel else message.channel,
    )


def main() -> int:
    """Write the past of the store to standard output; returns the exit code."""
    until = Position(*map(int, sys.argv[1:]))
    os.nice(5)  # What is on the screen goes first.
    gc.disable()
    try:
        # Its own file: with PYTHONUNBUFFERED the usual one writes a part only, if a pause comes between.
        with Store.open() as store, open(sys.stdout.fileno(), "wb", closefd=False) as out:
            for piece in cut(store.history(until), until.seq):
                out.write(pickle.dumps(tuple(piece), pickle.HIGHEST_PROTOCOL))
                out.flush()
    except MsgcodeError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
