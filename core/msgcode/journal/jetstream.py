"""The journal of a room on NATS JetStream: a stream with the same events, and a copy of it on this machine.

A fact is one message of the stream: what is on its line in a folder, without its number, which is the
message's own. A change of several facts is an atomic batch. What is merely sent (`MessageSent` that depends
on nothing) goes to the subject `msgcode.ROOM.send`, and needs no agreement. Whatever is decided goes to
`msgcode.ROOM.fact.LANE`, and says which was the last message there that it knows of: if there is another by
then the server refuses it, and it is decided anew. What concerns several lanes (`lanes.py`) puts a message
into each: a mark, which is an empty one, where it has no fact.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import TypeVar

from msgcode.codec import encode_facts, encode_line
from msgcode.errors import MsgcodeError, Unavailable
from msgcode.events import Event, Fact, MessageSent
from msgcode.journal import copies
from msgcode.journal.index import Index
from msgcode.journal.lanes import lanes
from msgcode.journal.protocol import Decide
from msgcode.journal.reader import Position
from msgcode.journal.recent import Recent
from msgcode.journal.replica import Gap, Replica
from msgcode.model import now
from msgcode.nats import layout
from msgcode.nats.address import Address
from msgcode.nats.bell import listen
from msgcode.nats.fetching import Fetched, Fetcher
from msgcode.nats.link import Denied, Link, LinkDown
from msgcode.nats.publishing import AGAIN, Outdated, Outgoing, Unconfirmed, publish
from msgcode.state import State

PATIENCE = 10.0
"""Seconds for which a verb tries to reach the stream: a cluster elects a new leader in less."""

T = TypeVar("T")


class JetStreamJournal:
    """A Journal (see `protocol.py`) that is the room's stream.

    cache: the folder under which copies are kept. clock: the time in UTC, in whole milliseconds.
    needs_server: else it may be the copy alone, until a server can be reached.
    Raises BadInput or Unavailable if there is no such room, or it may not be read.
    """

    def __init__(
        self,
        address: Address,
        cache: str,
        *,
        clock: Callable[[], datetime] = now,
        needs_server: bool = True,
    ) -> None:
        self._address = address
        self._cache = cache
        self._clock = clock
        known = None if needs_server else copies.newest(cache, str(address))
        self.link = Link(address, needed=known is None)
        """The connection, for whatever else is kept there."""
        self._behind: datetime | None = None
        self._is_checked = not self.link.is_awaited
        """Whether the stream is known to be a room's."""
        try:
            if known and self.link.is_awaited:
                folder, self._behind = known
            else:
                folder = self._patiently(self._find_copy)
            self._replica = Replica(folder)
            self.segments = self._replica.folder
            """The folder with the segments of the copy on this machine."""
            self._fetcher = Fetcher(self.link, self._replica, PATIENCE)
            if not self._behind:
                self._patiently(self._catch_up)
                self._note_copy()
        except BaseException:
            self.link.close()
            raise

    def _find_copy(self) -> str:
        # When it was made tells the stream from others of its name.
        created = layout.info(self.link)["created"]
        name = sha256(f"{self._address} {created}".encode()).hexdigest()[:24]
        return os.path.join(self._cache, name)

    def _note_copy(self) -> None:
        copies.note(self._cache, str(self._address), os.path.basename(os.path.dirname(self.segments)))

    def _patiently(self, work: Callable[[], T]) -> T:
        """Do the work, again while the servers do not answer: a cluster may be electing a new leader."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return work()
            except LinkDown:
                if time.monotonic() > deadline:
                    raise
                time.sleep(AGAIN)

    @property
    def state(self) -> State:
        return self._replica.state

    @property
    def seq(self) -> int:
        """The number of the last event that is here."""
        return self._replica.seq

    @property
    def behind_since(self) -> datetime | None:
        return self._behind

    def refresh(self) -> None:
        try:
            self._catch_up()
        except LinkDown:
            self._behind = self._behind or self.link.down_since or now()
            self._replica.refresh()

    def _catch_up(self, until: int = 0) -> None:
        if not self._is_checked:
            layout.info(self.link)
            self._is_checked = True
        self._fetcher.catch_up(until)
        self._behind = None

    def commit(self, decide: Decide, *, blind: bool = False) -> list[Event]:
        if self.link.is_awaited:
            where = ", ".join(self._address.servers)
            raise LinkDown(f"NATS at {where} cannot be reached. Nothing was changed: try again.")
        return (blind and self._send_blindly(decide)) or self._commit(decide)[0]

    def _commit(self, decide: Decide) -> tuple[list[Event], int]:
        """As `commit`; with the number of the first message, which may be a mark before the first event."""
        deadline = time.monotonic() + PATIENCE
        expected: dict[str, int] = {}
        while True:
            self._catch_up_by(deadline)
            newest = self._fetcher.newest()  # Before deciding: what is decided knows of these, or of more.
            moment = self._clock()
            with self._replica.alone():
                decided_at = self._replica.seq
                if decided_at < max(newest.values(), default=0) and time.monotonic() < deadline:
                    continue  # Another thread is just making the copy anew.
                facts = decide(self.state, moment)
                concerned = [[self._subject(lane) for lane in lanes(fact, self.state)] for fact in facts]
            if not facts:
                return [], decided_at + 1
            # Those by which it was refused just now, if nothing newer has come, are to be asked for.
            known = {
                subject: seq
                for subject, seq in newest.items()
                if seq <= decided_at and seq != expected.get(subject)
            }
            try:
                expected = self._expected(concerned, known, decided_at, deadline)
                first, last = self._publish(moment, facts, concerned, expected, decided_at, deadline)
            except Outdated:
                if time.monotonic() > deadline:
                    raise Unavailable(
                        f"{self._address} is too busy: others decided first for {PATIENCE:g} s. "
                        "Nothing was changed: try again."
                    ) from None
                continue
            return _numbered(facts, moment, last), first

    def _catch_up_by(self, deadline: float) -> None:
        """Read what is new; again until the deadline, by the monotonic clock, if the link is down."""
        while True:
            try:
                return self._catch_up()
            except LinkDown as error:
                if time.monotonic() > deadline:
                    raise LinkDown(f"{error} Nothing was changed: try again.") from None
                time.sleep(AGAIN)

    def _subject(self, lane: int) -> str:
        return f"{self._address.fact}.{lane}"

    def _expected(
        self, concerned: Sequence[Sequence[str]], known: Mapping[str, int], decided_at: int, deadline: float
    ) -> dict[str, int]:
        """The newest message of each subject concerned, all of which the decision knows.

        known: of some. decided_at: the last event that the decision knows. Raises Outdated, and Unavailable.
        """
        subjects = dict.fromkeys(subject for each in concerned for subject in each)
        asked = [subject for subject in subjects if subject not in known]
        try:
            found = self._fetcher.ask(asked) if asked else {}
            newest = max(found.values(), default=0)
            if newest > decided_at:
                self._catch_up(newest)
                raise Outdated
        except LinkDown as error:
            if time.monotonic() > deadline:
                raise LinkDown(f"{error} Nothing was changed: try again.") from None
            raise Outdated from None
        return {subject: found[subject] if subject in found else known[subject] for subject in subjects}

    def _send_blindly(self, decide: Decide) -> list[Event]:
        """Publish without agreement what depends on no decision of others; nothing if it is refused here."""
        self.refresh()  # What has led to it, and what stops it, is to be known all the same.
        try:
            moment = self._clock()
            with self._replica.alone():
                facts = decide(self.state, moment)
                decided_at = self._replica.seq
        except MsgcodeError:
            return []  # On the newest state it may not be.
        if not facts or not all(isinstance(fact, MessageSent) for fact in facts):
            return []
        concerned = [[self._address.send]] * len(facts)
        _, last = self._publish(moment, facts, concerned, {}, decided_at, time.monotonic() + PATIENCE)
        return _numbered(facts, moment, last)

    def _publish(
        self,
        moment: datetime,
        facts: list[Fact],
        concerned: Sequence[Sequence[str]],
        expected: Mapping[str, int],
        decided_at: int,
        deadline: float,
    ) -> tuple[int, int]:
        """Publish the facts of a change; the numbers of its first message and of the last, which is a fact.

        concerned: the subjects that each fact concerns. expected: the number of the newest message of these
        that the decision knows. Raises Outdated if there is a newer one by now, and Unavailable.
        """
        subjects = [each[0] for each in concerned]
        marked = dict.fromkeys(subject for each in concerned for subject in each)
        messages = [Outgoing(subject, b"") for subject in marked if subject not in subjects]
        messages += map(Outgoing, subjects, _payloads(moment, facts))
        to_check = dict(expected)
        messages = [message._replace(expected=to_check.pop(message.subject, None)) for message in messages]
        try:
            last = publish(self.link, messages, lambda token: self._fetcher.find(token, decided_at), deadline)
        except Unconfirmed as error:
            sent = " ".join(fact.id for fact in facts if isinstance(fact, MessageSent))
            how = f"`msgcode show {sent}`" if sent else "`msgcode log`"
            raise Unavailable(
                f"{error} for {PATIENCE:g} s: it may have been done or not. "
                f"Before you try again, see whether it was: {how}, when the link is back."
            ) from None
        if expected:
            self._take_in(messages, last)
        return last - len(messages) + 1, last

    def _take_in(self, messages: Sequence[Outgoing], last: int) -> None:
        """Bring into the copy what has been published, the last of which has that number."""
        after = last - len(messages)
        try:
            if self._replica.seq == after:
                numbered = enumerate(messages, after + 1)
                self._fetcher.take(
                    after, [Fetched(seq, item.subject, item.payload, {}) for seq, item in numbered]
                )
            else:
                self._catch_up(last)
        except (Gap, LinkDown):
            pass  # It is done all the same. The copy is behind until the next look.

    # What is read from the copy

    def events(self, until: Position | None = None) -> Iterator[list[Event]]:
        return self._replica.events(until)

    def mentioning(self, text: str) -> Iterator[Event]:
        return self._replica.mentioning(text)

    def index(self, until: int | None = None) -> Index:
        return self._replica.index(until)

    def recent(self, size: int) -> Recent:
        return self._replica.recent(size)

    async def follow(self, after: Position | None) -> AsyncGenerator[list[Event], None]:
        from contextlib import aclosing

        # What is published is brought into the copy at once; the copy's own watchers see it there.
        ringing = asyncio.create_task(listen(self.link, self.refresh, lambda: self._replica.seq))
        try:
            async with aclosing(self._replica.follow(after)) as batches:
                async for batch in batches:
                    yield batch
        finally:
            ringing.cancel()
            await asyncio.gather(ringing, return_exceptions=True)

    # Cleaning up

    def compact(self, restate: Decide, disposable: Callable[[Event], bool]) -> None:
        # With the marks of the change: an empty lane would look as it does to who knows nothing of it yet.
        _, first = self._commit(restate)
        older = (event for batch in self.events() for event in batch if event.seq < first)
        first = next((event.seq for event in older if not disposable(event)), first)
        if first > 1:
            try:
                layout.ask(self.link, f"STREAM.PURGE.{self._address.stream}", {"seq": first})
            except Denied:
                raise Denied(
                    "what has ended is forgotten, but your NATS account may not free its space: it may not "
                    f"publish to $JS.API.STREAM.PURGE.{self._address.stream}."
                ) from None
            self._fetcher.forget()
            self._catch_up()

    def close(self) -> None:
        if not self._behind:
            self._note_copy()
        self.link.close()
        self._replica.close()


def _payloads(moment: datetime, facts: list[Fact]) -> list[bytes]:
    """What is published of each fact: its line without the number at its beginning."""
    lines = (encode_line(0, moment, fact) for fact in encode_facts(facts))
    return [b"{" + line.removeprefix(b'{"seq":0,').rstrip(b"\n") for line in lines]


def _numbered(facts: list[Fact], moment: datetime, last: int) -> list[Event]:
    return [Event(last - len(facts) + number, moment, fact) for number, fact in enumerate(facts, 1)]
