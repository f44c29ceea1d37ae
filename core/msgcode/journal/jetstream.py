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
from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from typing import Any, TypeVar

import nats.errors

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
from msgcode.nats.link import ANSWER, Denied, Link, LinkDown, refused
from msgcode.state import State

PATIENCE = 10.0
"""Seconds for which a verb tries to reach the stream: a cluster elects a new leader in less."""

FETCH = 2000
"""Messages that are fetched at once; more than a batch may have, so that each holds a whole change."""

MOST_FACTS = 1000
"""Facts in one change: what a JetStream server takes in an atomic batch."""

_WRONG_LAST = (10071, 10164)
"""Error codes of JetStream: somebody has decided meanwhile; or is about to, in a cluster."""

_PASSING = (10158, 10176, 10201)
"""Errors that go away when it is asked again: it is being taken; a part of the batch was lost on its way; the
batch has been taken, and cannot be read yet."""

_NOT_SENT = (nats.errors.OutboundBufferLimitError, nats.errors.NoRespondersError)
"""Of the errors of a publish, those by which nothing can have come to the stream."""


T = TypeVar("T")


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
        self._compared: int | None = None
        """How often the link had been broken when the copy was last compared with the stream."""
        self.link = Link(address)
        """The connection, for whatever else is kept there."""
        try:
            self._replica = self._patiently(lambda: self._copy(cache))
            self.segments = self._replica.folder
            """The folder with the segments of the copy on this machine."""
            self._patiently(self._catch_up)
        except BaseException:
            self.link.close()
            raise

    def _copy(self, cache: str) -> Replica:
        # When it was made tells the stream from others of its name.
        created = layout.info(self.link)["created"]
        name = sha256(f"{self._address} {created}".encode()).hexdigest()[:24]
        return Replica(os.path.join(cache, name))

    def _patiently(self, work: Callable[[], T]) -> T:
        """Do the work, again while the servers do not answer: a cluster may be electing a new leader."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return work()
            except LinkDown:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

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

    def commit(self, decide: Decide, *, blind: bool = False) -> list[Event]:
        if blind and (events := self._send_blindly(decide)):
            return events
        deadline = time.monotonic() + PATIENCE
        while True:
            expected = self._newest_decision(
                deadline
            )  # Before deciding: what is decided knows of it, or of more.
            moment = self._clock()
            with self._replica.alone():
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
            try:
                self._catch_up(last)
            except LinkDown:
                pass  # It is done all the same. The copy is behind until the link is back.
            return _numbered(facts, moment, last)

    def _newest_decision(self, deadline: float) -> int:
        """Read what is new, and return the number of the last decision."""
        while True:
            try:
                self._catch_up()
                return self._last_decision()
            except LinkDown as error:
                if time.monotonic() > deadline:
                    raise LinkDown(f"{error} Nothing was changed: try again.") from None
                time.sleep(0.05)

    def _send_blindly(self, decide: Decide) -> list[Event]:
        """Publish without agreement what depends on no decision of others; nothing if it is refused here."""
        self.refresh()  # What has led to it, and what stops it, is to be known all the same.
        try:
            moment = self._clock()
            with self._replica.alone():
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
                if found := self._taken(answer, token, expected or 0, unsure):
                    return found
                if not unsure and not _may_pass(answer):
                    break
            except nats.errors.MaxPayloadError:
                raise Unavailable(
                    f"the message is larger than the NATS server takes ({self.link.client.max_payload} "
                    "bytes): its setting max_payload says so. Nothing was changed."
                ) from None
            except (LinkDown, nats.errors.Error) as error:
                unsure = unsure or not isinstance(error, _NOT_SENT)
            if time.monotonic() > deadline:
                raise self._failed(facts, unsure)
            time.sleep(0.05)
        raise Unavailable(
            f"the stream {self._stream} refuses it: {answer['error'].get('description')}. "
            "Nothing was changed."
        )

    def _taken(self, answer: dict[str, Any], token: str, expected: int, unsure: bool) -> int | None:
        """The number of the last fact published, if this answer says so, or lets us find it in the stream.

        unsure: it may be there from a try before. Raises _Outdated if another decision came first.
        """
        code = answer.get("error", {}).get("err_code")
        if not code:
            return int(answer["seq"])
        found = self._find(token, expected) if unsure else None
        if code in _WRONG_LAST and not found:
            raise _Outdated
        return found

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
                if wrong and wrong.get("err_code") not in _WRONG_LAST:
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

    def _find(self, token: str, after: int) -> int | None:
        """The number of the last fact of a change that was published with this id, behind that number."""
        found, more = None, True
        while more:
            messages, more = self.link.call(self._fetch(after))
            for after, message in messages:
                headers = message.headers or {}
                if token in (headers.get("Nats-Msg-Id"), headers.get("Nats-Batch-Id")):
                    found = after
        return found

    def _failed(self, facts: list[Fact], unsure: bool) -> Unavailable:
        where = ", ".join(self._address.servers)
        if not unsure:
            return LinkDown(f"NATS at {where} cannot be reached. Nothing was changed: try again.")
        sent = " ".join(fact.id for fact in facts if isinstance(fact, MessageSent))
        how = f"`msgcode show {sent}`" if sent else "`msgcode log`"
        return Unavailable(
            f"NATS at {where} has not confirmed it for {PATIENCE:g} s: it may have been done or not. "
            f"Before you try again, see whether it was: {how}, when the link is back."
        )

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
                if self._compared != self.link.breaks:
                    self._compare()
                messages, more = self.link.call(self._fetch(self._replica.seq))
            except nats.errors.Error as error:
                raise refused(self._address, error) from None
            lines = [(seq, _line(seq, message.data)) for seq, message in messages]
            while more and lines and b',"more":true' in lines[-1][1][:200]:
                lines.pop()  # The rest of the change comes with the next ones.
            try:
                self._replica.take(lines)
            except Gap:
                self._replica.forget()
                continue
            self._behind = None
            if not more and self._replica.seq >= until:
                return
            if not lines:
                # A server of the cluster that lags behind the one that has told us so.
                if time.monotonic() > deadline:
                    raise LinkDown(f"the stream {self._stream} does not show what was published.")
                time.sleep(0.005)

    def _compare(self) -> None:
        """Drop the copy if its last event is not the stream's: a power cut takes what is newest."""
        breaks, seq = self.link.breaks, self._replica.seq
        if seq:
            messages, _ = self.link.call(self._fetch(seq - 1))
            if messages and messages[0][0] == seq:
                lost = _line(seq, messages[0][1].data) != self._replica.last_line()
            else:  # Purged, or the server that was asked is behind the others.
                lost = layout.info(self.link)["state"]["last_seq"] < seq
            if lost:
                self._replica.forget()
        self._compared = breaks

    async def _fetch(self, after: int) -> tuple[list[tuple[int, Any]], bool]:
        """At most FETCH messages of the stream behind a number, with theirs, and whether there are more."""
        subject = f"$JS.API.DIRECT.GET.{self._stream}"
        return await self.link.unless_denied(subject, self._get(subject, after))

    async def _get(self, subject: str, after: int) -> tuple[list[tuple[int, Any]], bool]:
        client = self.link.client
        inbox = client.new_inbox()
        subscription = await client.subscribe(inbox, pending_bytes_limit=-1, pending_msgs_limit=-1)
        try:
            wanted = {"seq": after + 1, "batch": FETCH, "next_by_subj": f"{self._address.subjects}.>"}
            await client.publish(subject, json.dumps(wanted).encode(), reply=inbox)
            found: list[tuple[int, Any]] = []
            while True:
                message = await subscription.next_msg(timeout=ANSWER - 1)
                headers = message.headers or {}
                status = headers.get("Status")
                if status in ("204", "404"):
                    return found, int(headers.get("Nats-Num-Pending", 0)) > 0
                if status:
                    raise LinkDown(f"NATS answers {status} {headers.get('Description', '')}".rstrip() + ".")
                found.append((int(headers["Nats-Sequence"]), message))
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
        told = False
        try:
            while True:
                seq = self._replica.seq
                rung.clear()
                with suppress(Unavailable):  # A verb will say what is wrong.
                    await loop.run_in_executor(None, self.refresh)
                if not told and (not bell.hangs or self._replica.seq > seq):
                    await loop.run_in_executor(None, bell.hang)  # The one that was there has not rung.
                try:
                    async with asyncio.timeout(RESCAN):
                        told = await rung.wait()
                except TimeoutError:
                    told = False
        finally:
            await loop.run_in_executor(None, bell.take_down)

    # Cleaning up

    def compact(self, restate: Decide, disposable: Callable[[Event], bool]) -> None:
        restated = self.commit(restate)
        first = restated[0].seq if restated else self._replica.seq + 1
        older = (event for batch in self.events() for event in batch if event.seq < first)
        first = next((event.seq for event in older if not disposable(event)), first)
        if first > 1:
            try:
                layout.ask(self.link, f"STREAM.PURGE.{self._stream}", {"seq": first})
            except Denied:
                raise Denied(
                    "what has ended is forgotten, but your NATS account may not free its space: it may not "
                    f"publish to $JS.API.STREAM.PURGE.{self._stream}."
                ) from None
            self._replica.forget()
            self._catch_up()

    def close(self) -> None:
        self.link.close()
        self._replica.close()


RESCAN = 1.0
"""Seconds between two looks at the stream without having been called: a bell may be lost with its server."""


class _Bell:
    """Rings in the connection's thread whenever something has come into the stream.

    It is a consumer that is told just the headers, and is lost when its server goes down.
    """

    def __init__(self, link: Link, address: Address, ring: Callable[[], object]) -> None:
        self._link, self._address, self._ring = link, address, ring
        self._subscription: Any = None
        self.hangs = False

    def hang(self) -> None:
        """Hang it, anew if it was there before. Without one, what is new is found once a second."""
        self.take_down()
        try:
            self._subscription = self._link.call(self._subscribe())
            layout.ask(self._link, f"CONSUMER.CREATE.{self._address.stream}", self._consumer())
            self.hangs = True
        except (MsgcodeError, nats.errors.Error):
            pass

    async def _subscribe(self) -> Any:
        async def rung(message: Any) -> None:
            self._ring()

        client = self._link.client
        return await client.subscribe(client.new_inbox(), cb=rung)

    def _consumer(self) -> dict[str, Any]:
        config = {
            "deliver_subject": self._subscription.subject,
            "deliver_policy": "new",
            "ack_policy": "none",
            "headers_only": True,
            "mem_storage": True,
            "num_replicas": 1,
            "inactive_threshold": int(30e9),
        }
        return {"stream_name": self._address.stream, "config": config}

    def take_down(self) -> None:
        self.hangs = False
        if self._subscription:
            with suppress(LinkDown, nats.errors.Error):
                self._link.call(self._subscription.unsubscribe(), 1.0)
            self._subscription = None


def _payload(moment: datetime, fact: str) -> bytes:
    """What is published of a fact: its line without the number at its beginning."""
    return b"{" + encode_line(0, moment, fact).removeprefix(b'{"seq":0,').rstrip(b"\n")


def _may_pass(answer: dict[str, Any]) -> bool:
    """Whether the stream may take it when it is asked again: it is busy, or just electing a leader."""
    error = answer["error"]
    return error.get("code") in (429, 503) or error.get("err_code") in _PASSING


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
