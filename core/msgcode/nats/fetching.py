"""Bringing what is in a room's stream into the copy on this machine, in order and without gaps."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from contextlib import suppress
from threading import Lock
from typing import Any

import nats.errors

from msgcode.codec import decode_line
from msgcode.journal.replica import Gap, Replica
from msgcode.nats import layout
from msgcode.nats.link import ANSWER, Link, LinkDown, refused
from msgcode.record import Record

FETCH = 2000
"""Messages that are fetched at once; more than a batch may have, so that each holds a whole change."""


class Fetched(Record):
    """A message of the stream."""

    seq: int
    subject: str
    payload: bytes
    headers: dict[str, str]

    @property
    def line(self) -> bytes:
        """Its line in the copy: blank for a mark, which takes a number only; damaged for what is no fact."""
        if not self.payload:
            return b"\n"
        return b'{"seq":%d,' % self.seq + self.payload[1:].replace(b"\n", b" ") + b"\n"

    @property
    def ends_a_change(self) -> bool:
        """Whether it is the last fact of one. Marks come before the facts of theirs."""
        try:
            return not decode_line(self.line)[1]
        except ValueError:
            return False


class Fetcher:
    """Brings the stream of the room behind `link` into `replica`. Safe to share between threads."""

    def __init__(self, link: Link, replica: Replica, patience: float) -> None:
        self._link = link
        self._replica = replica
        self._patience = patience
        """Seconds for which it asks again for what the server that answers does not have yet."""
        self._compared: int | None = None
        """How often the link had been broken when the copy was last compared with the stream."""
        self._mutex = Lock()
        self._newest: dict[str, int] = {}
        self._seen_to = 0
        """The message up to which `_newest` is known, without gaps since it was begun."""

    def newest(self) -> dict[str, int]:
        """The numbers of the newest messages in the copy, by subject, as far as they are known."""
        with self._mutex:
            return self._newest.copy()

    def catch_up(self, until: int = 0) -> None:
        """Fetch what is new in the stream, at least as far as this number. Raises Unavailable."""
        deadline = time.monotonic() + self._patience
        while True:
            try:
                if self._compared != self._link.breaks:
                    self._compare()
                after = self._replica.seq
                messages, more = self._link.call(self._fetch(after))
            except nats.errors.Error as error:
                raise refused(self._link.address, error) from None
            while messages and not messages[-1].ends_a_change:
                messages.pop()  # It comes again with the rest of its change.
            try:
                self.take(after, messages)
            except Gap:
                if self._replica.seq >= after:  # Else another process has dropped it already.
                    self.forget()
                continue
            if not more and self._replica.seq >= until:
                return
            if not messages:
                # A server of the cluster that lags behind the one that has told us so.
                if time.monotonic() > deadline:
                    raise LinkDown(
                        f"the stream {self._link.address.stream} does not show what was published."
                    )
                time.sleep(0.005)

    def take(self, after: int, messages: Sequence[Fetched]) -> None:
        """Take these messages into the copy: all that there are behind the number `after`, up to the last.

        Raises Gap if the copy does not reach so far.
        """
        self._replica.take([(message.seq, message.line) for message in messages], after)
        with self._mutex:
            if after > self._seen_to:
                self._newest.clear()  # Another process has brought what is in between.
            for message in messages:
                if message.seq > self._newest.get(message.subject, 0):
                    self._newest[message.subject] = message.seq
            self._seen_to = max(self._seen_to, messages[-1].seq if messages else after)

    def forget(self) -> None:
        """Drop the copy, to begin anew. Raises Unavailable."""
        self._replica.forget()
        self._forget_newest()

    def _forget_newest(self) -> None:
        with self._mutex:
            self._newest.clear()
            self._seen_to = 0

    def ask(self, subjects: Sequence[str]) -> dict[str, int]:
        """The numbers of the newest messages in the stream, of each of the subjects; 0 if it has none.

        Raises Unavailable.
        """
        try:
            return self._link.call(self._ask(subjects))
        except nats.errors.Error as error:
            raise refused(self._link.address, error) from None

    async def _ask(self, subjects: Sequence[str]) -> dict[str, int]:
        # The leader of a cluster says it, while what is fetched may come from any server.
        stream = self._link.address.stream
        bodies = [json.dumps({"last_by_subj": subject}).encode() for subject in subjects]
        asking = [self._link.request(f"$JS.API.STREAM.MSG.GET.{stream}", body) for body in bodies]
        answers = [json.loads(answer) for answer in await asyncio.gather(*asking)]
        for answer in answers:
            layout.checked(self._link.address, answer)
        found = (int(answer["message"]["seq"]) if "message" in answer else 0 for answer in answers)
        return dict(zip(subjects, found, strict=True))

    def find(self, token: str, after: int) -> int | None:
        """The number of the last message of a change that was published with this id, behind that number."""
        found, more = None, True
        while more:
            messages, more = self._link.call(self._fetch(after))
            for message in messages:
                after = message.seq
                if token in (message.headers.get("Nats-Msg-Id"), message.headers.get("Nats-Batch-Id")):
                    found = after
        return found

    def _compare(self) -> None:
        """Drop the copy if its last event is not the stream's: a power cut takes what is newest."""
        breaks, seq = self._link.breaks, self._replica.seq
        self._forget_newest()  # Another process may have dropped the copy already.
        if seq:
            messages, _ = self._link.call(self._fetch(seq - 1, 1))
            if messages and messages[0].seq == seq:
                lost = messages[0].line != self._replica.last_line()
            else:  # Purged, or the server that was asked is behind the others.
                lost = layout.info(self._link)["state"]["last_seq"] < seq
            if lost:
                self.forget()
        self._compared = breaks

    async def _fetch(self, after: int, most: int = FETCH) -> tuple[list[Fetched], bool]:
        """At most so many messages of the stream behind a number, and whether there are more."""
        subject = f"$JS.API.DIRECT.GET.{self._link.address.stream}"
        return await self._link.unless_denied(subject, self._get(subject, after, most))

    async def _get(self, subject: str, after: int, most: int) -> tuple[list[Fetched], bool]:
        client = self._link.client
        inbox = client.new_inbox()
        subscription = await client.subscribe(inbox, pending_bytes_limit=-1, pending_msgs_limit=-1)
        try:
            wanted = {"seq": after + 1, "batch": most}
            await client.publish(subject, json.dumps(wanted).encode(), reply=inbox)
            found: list[Fetched] = []
            while True:
                message: Any = await subscription.next_msg(timeout=ANSWER - 1)
                headers = message.headers or {}
                status = headers.get("Status")
                if status in ("204", "404"):
                    return found, int(headers.get("Nats-Num-Pending", 0)) > 0
                if status:
                    raise LinkDown(f"NATS answers {status} {headers.get('Description', '')}".rstrip() + ".")
                seq = int(headers["Nats-Sequence"])
                found.append(Fetched(seq, headers["Nats-Subject"], message.data, headers))
        finally:
            with suppress(nats.errors.Error):
                await subscription.unsubscribe()
