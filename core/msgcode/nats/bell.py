"""Being told when something comes into a room's stream, and bringing it here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import nats.errors

from msgcode.errors import MsgcodeError, Unavailable
from msgcode.nats import layout
from msgcode.nats.link import Link, LinkDown

RESCAN = 1.0
"""Seconds between two looks at the stream without having been called: a bell may be lost with its server."""


async def listen(link: Link, fetch: Callable[[], None], seq: Callable[[], int]) -> None:
    """Fetch whatever comes into the stream, as soon as it does, until cancelled.

    fetch: brings what is new; it may raise Unavailable, and may block. seq: the number of the last event that
    is here.
    """
    loop = asyncio.get_running_loop()
    rung = asyncio.Event()
    bell = _Bell(link, lambda: loop.call_soon_threadsafe(rung.set))
    told = False
    try:
        while True:
            before = seq()
            rung.clear()
            with suppress(Unavailable):  # A verb will say what is wrong.
                await loop.run_in_executor(None, fetch)
            if not told and (not bell.hangs or seq() > before):
                await loop.run_in_executor(None, bell.hang)  # The one that was there has not rung.
            try:
                async with asyncio.timeout(RESCAN):
                    told = await rung.wait()
            except TimeoutError:
                told = False
    finally:
        await loop.run_in_executor(None, bell.take_down)


class _Bell:
    """Rings in the connection's thread whenever something has come into the stream.

    It is a consumer that is told just the headers, and is lost when its server goes down.
    """

    def __init__(self, link: Link, ring: Callable[[], object]) -> None:
        self._link, self._ring = link, ring
        self._subscription: Any = None
        self.hangs = False

    def hang(self) -> None:
        """Hang it, anew if it was there before. Nothing is raised: without one there is only no ringing."""
        self.take_down()
        try:
            self._subscription = self._link.call(self._subscribe())
            layout.ask(self._link, f"CONSUMER.CREATE.{self._link.address.stream}", self._consumer())
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
        return {"stream_name": self._link.address.stream, "config": config}

    def take_down(self) -> None:
        """Hang it no more."""
        self.hangs = False
        if self._subscription:
            with suppress(LinkDown, nats.errors.Error):
                self._link.call(self._subscription.unsubscribe(), 1.0)
            self._subscription = None
