"""The journal of a room on NATS JetStream: a stream with the same events, and a copy of it on this machine.

A fact is one message of the stream: what is on its line in a folder, without its number, which is the
message's own. A change of several facts is an atomic batch. What is merely sent (`MessageSent` that depends
on nothing) goes to the subject `msgcode.ROOM.send`, and needs no agreement. Whatever is decided goes to
`msgcode.ROOM.fact`, and says which was the last decision that it knows of: if there is another by then the
server refuses it, and it is decided anew. Each publish has an id by which the server knows it again, so that
it can be repeated when the link breaks before the answer has come.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

import nats.errors
from nats.js.api import ConsumerConfig, DeliverPolicy
from nats.js.errors import Error as JetStreamError

from msgcode.codec import encode_facts, encode_line
from msgcode.errors import MsgcodeError, Unavailable
from msgcode.events import Event, Fact, MessageSent
from msgcode.journal.copying import written_meanwhile
from msgcode.journal.index import Index
from msgcode.journal.protocol import Decide
from msgcode.journal.reader import Position
from msgcode.journal.recent import Recent
from msgcode.journal.replica import Gap, Replica
from msgcode.model import now
from msgcode.nats import layout
from msgcode.nats.address import Address
from msgcode.nats.link import ANSWER, Link, LinkDown, refused
from msgcode.state import State

PATIENCE = 10.0
"""Seconds for which a verb tries to reach the stream: a cluster elects a new leader in less."""

FETCH = 2000
"""Messages that are fetched at once; more than a batch may have, so that each holds a whole change."""

MOST_FACTS = 1000
"""Facts in one change: what a JetStream server takes in an atomic batch."""

_WRONG_LAST = 10071
_DOUBLE_IN_BATCH = 10201
"""Error codes of JetStream: somebody has decided meanwhile; a batch with this id has been taken."""


class _Outdated(Exception):
    """Another decision has come first."""


class JetStreamJournal:
    """A Journal (see `protocol.py`) that is the room's stream.

    cache: the folder under which copies are kept. clock: the time in UTC, in whole milliseconds.
    Raises BadInput or Unavailable if there is no such room, or it may not be read.
    """

    def __init__(self, address: Address, cache: str, *, clock: Callable[[], datetime] = now) -> None:
        self._address = address
        self._clock = clock
        self._stream = address.stream
        self._send, self._fact = f"{address.subjects}.send", f"{address.subjects}.fact"
        self._decided: int | None = None
        """The number of the last decision that is known; None if it has to be asked for."""
        self._behind: datetime | None = None
        self.link = Link(address)
        """The connection, for whatever else is kept there."""
        try:
            # When it was made tells the stream from others of its name.
            created = layout.info(self.link)["created"]
            name = sha256(f"{address} {created}".encode()).hexdigest()[:24]
            self._replica = Replica(os.path.join(cache, name))
            self.segments = self._replica.folder
            """The folder with the segments of the copy on this machine."""
            self._catch_up()
        except BaseException:
            self.link.close()
            raise

    @property
    def state(self) -> State:
        return self._replica.state

    @property
    def seq(self) -> int:
        """The number of the last event that is here."""
        return self._replica.seq

    @property
    def behind_since(self) -> datetime | None:
        """Since when the stream could not be read, so that the room is shown as it was then."""
        return self._behind

    def refresh(self) -> None:
        try:
            self._catch_up()
        except LinkDown:
            self._behind = self._behind or self.link.down_since or now()
            self._replica.refresh()

    def commit(self, decide: Decide, *, blind: bool = False) -> list[Event]:
        if blind and (events := self._send_blindly(decide)):
            return events
        deadline = time.monotonic() + PATIENCE
        while True:
            self._catch_up()
            expected = self._last_decision()  # Before deciding: what is decided knows of that, or of more.
            moment = self._clock()
            facts = decide(self.state, moment)
            if not facts:
                return []
            try:
                last = self._publish(self._fact, moment, facts, expected, deadline)
            except _Outdated:
                self._decided = None
                if time.monotonic() > deadline:
                    raise Unavailable(
                        f"{self._address} is too busy: others decided first for {PATIENCE:g} s. "
                        "Nothing was changed: try again."
                    ) from None
                continue
            self._decided = last
            self._catch_up(last)
            return _numbered(facts, moment, last)

    def _send_blindly(self, decide: Decide) -> list[Event]:
        """Publish without agreement what depends on no decision of others; nothing if it is refused here."""
        try:
            moment = self._clock()
            facts = decide(self.state, moment)
        except MsgcodeError:
            return []  # On the newest state it may not be.
        if not facts or not all(isinstance(fact, MessageSent) for fact in facts):
            return []
        last = self._publish(self._send, moment, facts, None, time.monotonic() + PATIENCE)
        return _numbered(facts, moment, last)

    # The stream

    def _publish(
        self, subject: str, moment: datetime, facts: list[Fact], expected: int | None, deadline: float
    ) -> int:
        """Publish a change, and return the number of its last fact; again, until it is known to be there.

        expected: the number of the decision that it is founded on. Raises _Outdated if that is no longer the
        last one, Unavailable if it was not taken, or if nobody can say.
        """
        if len(facts) > MOST_FACTS:
            raise Unavailable(f"a change of {len(facts)} facts is too long for one batch of {MOST_FACTS}.")
        payloads = [_payload(moment, fact) for fact in encode_facts(facts)]
        token = secrets.token_hex(8)
        heads = [_heads(token, index, len(payloads)) for index in range(1, len(payloads) + 1)]
        heads[0]["Nats-Msg-Id"] = token
        if expected is not None:
            heads[0]["Nats-Expected-Last-Subject-Sequence"] = str(expected)
            heads[0]["Nats-Expected-Last-Subject-Sequence-Subject"] = self._fact
        unsure = False
        while True:
            try:
                answer = self.link.call(self._say(subject, payloads, heads))
            except (LinkDown, nats.errors.Error) as error:
                if isinstance(error, nats.errors.MaxPayloadError):
                    raise Unavailable(
                        f"the message is larger than the NATS server takes ({self.link.client.max_payload} "
                        "bytes): its setting max_payload says so. Nothing was changed."
                    ) from None
                unsure = unsure or not isinstance(error, nats.errors.NoRespondersError)
                if time.monotonic() > deadline:
                    raise self._failed(unsure) from None
                time.sleep(0.05)
                continue
            code = answer.get("error", {}).get("err_code")
            if not code:
                return int(answer["seq"])
            taken = code in (_WRONG_LAST, _DOUBLE_IN_BATCH) and unsure
            if taken and (found := self._find(payloads, expected or 0)):
                return found
            if code == _WRONG_LAST:
                raise _Outdated
            raise Unavailable(f"the stream {self._stream}: {answer['error'].get('description')}.")

    async def _say(
        self, subject: str, payloads: Sequence[bytes], heads: list[dict[str, str]]
    ) -> dict[str, Any]:
        client = self.link.client
        for payload, head in zip(payloads[:-1], heads, strict=False):
            await client.publish(subject, payload, headers=head)
        found: dict[str, Any] = json.loads(await self.link.request(subject, payloads[-1], heads[-1]))
        return found

    def append(self, lines: Sequence[bytes], after: int) -> None:
        """Publish what another journal has, without numbers, as one batch right behind the event `after`.

        Raises Refused if there is another event by now, Unavailable if it cannot be told whether it is there.
        """
        deadline = time.monotonic() + PATIENCE
        while True:
            token = secrets.token_hex(8)
            heads = [_heads(token, index, len(lines)) for index in range(1, len(lines) + 1)]
            heads[0]["Nats-Expected-Last-Sequence"] = str(after)
            try:
                answer = self.link.call(self._say(self._fact, lines, heads))
                wrong = answer.get("error", {})
                if wrong and wrong.get("err_code") != _WRONG_LAST:
                    raise Unavailable(f"the stream {self._stream}: {wrong.get('description')}.")
                self._catch_up(after + len(lines) if not wrong else 0)
            except nats.errors.MaxPayloadError:
                raise Unavailable(
                    f"a message is larger than the NATS server takes ({self.link.client.max_payload} bytes): "
                    "raise its setting max_payload, and copy again."
                ) from None
            except (LinkDown, nats.errors.Error) as error:
                if time.monotonic() > deadline:
                    raise refused(self._address, error) from None
                time.sleep(0.05)
                self.refresh()
            if self.seq == after + len(lines):
                return
            if self.seq != after or time.monotonic() > deadline:
                raise written_meanwhile(str(self._address))

    def _find(self, payloads: list[bytes], after: int) -> int | None:
        """The number of the last of these payloads, if they are in the stream behind that number."""
        rest = iter(payloads)
        wanted = next(rest)
        for seq, line in self.link.call(self._fetch(after)):
            if line == _line(seq, wanted):
                wanted = next(rest, b"")
                if not wanted:
                    return seq
        return None

    def _failed(self, unsure: bool) -> Unavailable:
        where = ", ".join(self._address.servers)
        if unsure:
            return Unavailable(
                f"NATS at {where} has not confirmed it for {PATIENCE:g} s: it may have been done or not. "
                "Look when the link is back, before you try again."
            )
        return LinkDown(f"NATS at {where} cannot be reached. Nothing was changed: try again.")

    def _last_decision(self) -> int:
        if self._decided is None:
            answer = layout.ask(self.link, f"STREAM.MSG.GET.{self._stream}", {"last_by_subj": self._fact})
            self._decided = int(answer["message"]["seq"]) if "message" in answer else 0
            # Whatever was decided until then has to be known, too.
            self._catch_up(self._decided)
        return self._decided

    def _catch_up(self, until: int = 0) -> None:
        """Fetch what is new in the stream, at least as far as this number."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                lines = self.link.call(self._fetch(self._replica.seq))
            except nats.errors.Error as error:
                raise refused(self._address, error) from None
            try:
                self._take(lines)
            except Gap:
                self._replica.forget()
                continue
            self._behind = None
            if len(lines) < FETCH and self._replica.seq >= until:
                return
            if not lines:
                # A server of the cluster that lags behind the one that has told us so.
                if time.monotonic() > deadline:
                    raise LinkDown(f"the stream {self._stream} does not show what was published.")
                time.sleep(0.005)

    def _take(self, lines: list[tuple[int, bytes]]) -> None:
        whole = len(lines)
        if whole == FETCH:
            while whole and b',"more":true' in lines[whole - 1][1][:200]:
                whole -= 1
        self._replica.take(lines[:whole])

    async def _fetch(self, after: int) -> list[tuple[int, bytes]]:
        """The stream's messages behind a number, as lines of a journal; at most FETCH."""
        client = self.link.client
        inbox = client.new_inbox()
        subscription = await client.subscribe(inbox, pending_bytes_limit=-1, pending_msgs_limit=-1)
        try:
            wanted = {"seq": after + 1, "batch": FETCH, "next_by_subj": f"{self._address.subjects}.>"}
            subject = f"$JS.API.DIRECT.GET.{self._stream}"
            await client.publish(subject, json.dumps(wanted).encode(), reply=inbox)
            lines: list[tuple[int, bytes]] = []
            while True:
                message = await subscription.next_msg(timeout=ANSWER - 1)
                headers = message.headers or {}
                status = headers.get("Status")
                if status in ("204", "404"):
                    return lines
                if status:
                    raise LinkDown(f"NATS answers {status} {headers.get('Description', '')}.")
                seq = int(headers["Nats-Sequence"])
                lines.append((seq, _line(seq, message.data)))
        finally:
            await subscription.unsubscribe()

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

        ringing = asyncio.create_task(self._fetch_as_it_comes())
        try:
            async with aclosing(self._replica.follow(after)) as batches:
                async for batch in batches:
                    yield batch
        finally:
            ringing.cancel()
            await asyncio.gather(ringing, return_exceptions=True)

    async def _fetch_as_it_comes(self) -> None:
        """Bring what is published into the copy at once; the copy's own watchers see it there."""
        loop = asyncio.get_running_loop()
        rung = asyncio.Event()
        bell = _Bell(self.link, self._address, lambda: loop.call_soon_threadsafe(rung.set))
        await loop.run_in_executor(None, bell.hang)
        try:
            while True:
                rung.clear()
                await loop.run_in_executor(None, self.refresh)
                try:
                    async with asyncio.timeout(RESCAN):
                        await rung.wait()
                except TimeoutError:
                    pass
        finally:
            await loop.run_in_executor(None, bell.take_down)

    # Cleaning up

    def compact(self, restate: Decide, disposable: Callable[[Event], bool]) -> None:
        restated = self.commit(restate)
        first = restated[0].seq if restated else self._replica.seq + 1
        older = (event for batch in self.events() for event in batch if event.seq < first)
        first = next((event.seq for event in older if not disposable(event)), first)
        if first > 1:
            layout.ask(self.link, f"STREAM.PURGE.{self._stream}", {"seq": first})
            self._replica.forget()
            self._catch_up()

    def close(self) -> None:
        self.link.close()
        self._replica.close()


RESCAN = 1.0
"""Seconds between two looks at the stream without having been called: a bell may be lost with its server."""


class _Bell:
    """Rings in the connection's thread whenever something is published to the room."""

    def __init__(self, link: Link, address: Address, ring: Callable[[], object]) -> None:
        self._link, self._address, self._ring = link, address, ring
        self._subscription: Any = None

    def hang(self) -> None:
        try:
            self._subscription = self._link.call(self._subscribe())
        except (LinkDown, nats.errors.Error, JetStreamError):
            pass  # Then it is the look once a second that finds what is new.

    async def _subscribe(self) -> Any:
        async def rung(message: Any) -> None:
            self._ring()

        return await self._link.client.jetstream().subscribe(
            f"{self._address.subjects}.>",
            stream=self._address.stream,
            ordered_consumer=True,
            cb=rung,
            config=ConsumerConfig(deliver_policy=DeliverPolicy.NEW, headers_only=True),
        )

    def take_down(self) -> None:
        if self._subscription:
            try:
                self._link.call(self._subscription.unsubscribe(), 1.0)
            except (LinkDown, nats.errors.Error):
                pass


def _payload(moment: datetime, fact: str) -> bytes:
    """What is published of a fact: its line without the number at its beginning."""
    return b"{" + encode_line(0, moment, fact).removeprefix(b'{"seq":0,').rstrip(b"\n")


def _line(seq: int, payload: bytes) -> bytes:
    """The line of a published fact. What is none becomes a damaged line."""
    return b'{"seq":%d,' % seq + payload[1:].replace(b"\n", b" ") + b"\n"


def _heads(token: str, index: int, count: int) -> dict[str, str]:
    if count == 1:
        return {}
    batch = {"Nats-Batch-Id": token, "Nats-Batch-Sequence": str(index)}
    return {**batch, "Nats-Batch-Commit": "1"} if index == count else batch


def _numbered(facts: list[Fact], moment: datetime, last: int) -> list[Event]:
    return [Event(last - len(facts) + number, moment, fact) for number, fact in enumerate(facts, 1)]
