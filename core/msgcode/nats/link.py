"""A connection to NATS, in a thread of its own: nats-py is asyncio, and the verbs of a room are not."""

from __future__ import annotations

import asyncio
import os
import ssl
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import TimeoutError as Late
from contextlib import suppress
from datetime import datetime
from typing import Any, TypeVar

import nats
from nats.aio.client import Client
from nats.errors import Error as NatsError

from msgcode.errors import BadInput, Refused, Unavailable
from msgcode.model import now
from msgcode.nats.address import Address
from msgcode.text import visible_line

CONNECT = 3.0
"""Seconds within which a server has to be found at first."""

ANSWER = 5.0
"""Seconds within which a server has to answer."""

PING = 5
"""Seconds between two looks whether the server is still there; after three without an answer it is gone."""

_UNREACHABLE = (
    nats.errors.NoServersError,
    nats.errors.TimeoutError,
    nats.errors.ConnectionClosedError,
    nats.errors.ConnectionReconnectingError,
    nats.errors.OutboundBufferLimitError,
)

_BARRING = (ssl.SSLError, FileNotFoundError, PermissionError, IsADirectoryError)
"""Errors of credentials, which may be files: another try would come to the same."""

T = TypeVar("T")


class LinkDown(Unavailable):
    """The servers cannot be reached, or do not answer."""


class Denied(Refused):
    """The servers do not let us do it."""


class Link:
    """A connection to the servers of `address`, which comes back by itself when it is broken.

    needed: raise LinkDown if there is no server; else go on trying to find one, and raise it for all that is
    to be done until then. Raises BadInput if a server does not let us in.
    """

    def __init__(self, address: Address, *, needed: bool = True) -> None:
        self.address = address
        self.client = Client()
        self.down_since: datetime | None = None
        """Since when it has been broken; None while it stands."""
        self.breaks = 0
        """How often it has been broken."""
        self._waiting: dict[asyncio.Future[str | None], str] = {}
        """Of those who wait for an answer, with the subject that they asked: what the server does not let us
        do, once it has said so; None once the link is broken."""
        self._awaited: asyncio.Future[None] | None = None
        """The search for a server, if none has been found yet."""
        self._unwelcome: asyncio.Future[Exception]
        """Why a server does not let us in."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="nats", daemon=True)
        self._thread.start()
        self._process = os.getpid()
        try:
            self._do(self._connect(needed), CONNECT + ANSWER)
        except BaseException:
            self.close()
            raise

    async def _connect(self, needed: bool) -> None:
        address = self.address
        options: dict[str, Any] = {
            "user": address.user,
            "password": address.password,
            "token": address.token,
            "user_credentials": address.creds,
            "nkeys_seed": address.nkey,
        }
        try:
            if address.ca or address.cert:
                options["tls"] = ssl.create_default_context(cafile=address.ca)
                if address.cert:
                    options["tls"].load_cert_chain(address.cert, address.key)
            connecting = asyncio.ensure_future(
                self.client.connect(
                    list(address.servers),
                    name="msgcode",
                    # So that who may listen to one room's answers need not be let hear those of others.
                    inbox_prefix=f"_INBOX.{address.stream}",
                    error_cb=self._told,
                    disconnected_cb=self._lost,
                    reconnected_cb=self._found,
                    connect_timeout=2,
                    reconnect_time_wait=0.1,  # type: ignore[arg-type]  # It is a number of seconds.
                    max_reconnect_attempts=-1,
                    ping_interval=PING,
                    pending_size=0,  # What is published while the link is down fails: it is not kept.
                    **{name: value for name, value in options.items() if value is not None},
                )
            )
            self._unwelcome = asyncio.get_running_loop().create_future()
            either: set[asyncio.Future[Any]] = {connecting, self._unwelcome}
            try:
                await asyncio.wait(either, timeout=CONNECT, return_when=asyncio.FIRST_COMPLETED)
                if self._unwelcome.done():
                    raise self._unwelcome.result()
                if connecting.done():
                    connecting.result()
                elif needed:
                    raise TimeoutError
                else:
                    self._awaited, self.down_since = connecting, now()
                    connecting.add_done_callback(self._came)
            finally:
                if not self._awaited:
                    connecting.cancel()
        except (OSError, ssl.SSLError, ValueError) as error:
            if isinstance(error, TimeoutError | ConnectionError):
                raise _nobody(address) from None
            raise BadInput(f"the credentials for {address} cannot be used: {error}.") from None
        except NatsError as error:
            raise refused(address, error) from None
        except Exception as error:
            if not (address.nkey or address.creds):
                raise
            # Each library has errors of its own for what is no key.
            raise BadInput(f"the credentials for {address} cannot be used: {error}.") from None

    def _came(self, connecting: asyncio.Future[None]) -> None:
        if not connecting.cancelled() and not connecting.exception():
            self._awaited = self.down_since = None

    @property
    def is_awaited(self) -> bool:
        """Whether no server has been found yet."""
        return self._awaited is not None

    async def _told(self, error: Exception) -> None:
        """A server that does not let us in, or publish, gives no answer, but says so here."""
        text = visible_line(str(error))
        if (isinstance(error, _BARRING) or _is_barring(text)) and not self._unwelcome.done():
            self._unwelcome.set_result(error)  # It would be tried again for ever.
        if "permissions violation" in text.lower():
            for hopeless, subject in self._waiting.items():
                mine = subject.lower() in text.lower() or "subscription" in text.lower()
                if mine and not hopeless.done():
                    hopeless.set_result(text)

    async def request(self, subject: str, data: bytes, headers: dict[str, str] | None = None) -> bytes:
        """The answer to a request. Raises Denied if that may not be asked, and errors of nats-py."""
        asking = self.client.request(subject, data, timeout=ANSWER - 1, headers=headers)
        return (await self.unless_denied(subject, asking)).data

    async def unless_denied(self, subject: str, work: Coroutine[Any, Any, T]) -> T:
        """Do the work, which publishes to a subject that begins so, and waits for what the server says.

        Raises Denied if that is not allowed, LinkDown if the link breaks meanwhile.
        """
        hopeless: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        working = asyncio.ensure_future(work)
        self._waiting[hopeless] = subject
        try:
            either: set[asyncio.Future[Any]] = {working, hopeless}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                return working.result()
        finally:
            del self._waiting[hopeless]
            working.cancel()
        if reason := hopeless.result():
            raise Denied(
                f"your NATS account may not do that in room {self.address.room!r}: {reason}. "
                "Nothing was changed."
            )
        raise LinkDown(f"the link to NATS at {', '.join(self.address.servers)} broke.")

    async def _lost(self) -> None:
        self.down_since = self.down_since or now()
        self.breaks += 1
        for hopeless in self._waiting:
            if not hopeless.done():
                hopeless.set_result(None)

    async def _found(self) -> None:
        self.down_since = None

    def call(self, work: Coroutine[Any, Any, T], patience: float = ANSWER) -> T:
        """Do the work in the connection's thread, and wait for it for so many seconds at most.

        Raises LinkDown when they are over, and what the work raises.
        """
        if self._awaited:
            work.close()
            raise _nobody(self.address)
        return self._do(work, patience)

    def _do(self, work: Coroutine[Any, Any, T], patience: float) -> T:
        if self._process != os.getpid():
            work.close()
            raise LinkDown("a connection to NATS does not survive a fork: open the room again.")
        if self._loop.is_closed():
            work.close()
            raise LinkDown("the connection to NATS was closed: open the room again.")
        task = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return task.result(patience)
        except Late:
            task.cancel()
            raise LinkDown(f"the NATS servers {', '.join(self.address.servers)} do not answer.") from None

    def on_loop(self, done: Callable[[], None]) -> None:
        """Call it in the connection's thread."""
        self._loop.call_soon_threadsafe(done)

    def close(self) -> None:
        """Let go of the connection. May be called twice."""
        if self._process != os.getpid() or not self._thread.is_alive():
            return
        try:
            self._do(self._close(), 1.0)
        except (Unavailable, NatsError):
            pass
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _close(self) -> None:
        if self._awaited:
            self._awaited.cancel()
        with suppress(AssertionError):  # It may not have come so far as to have anything to close.
            await self.client.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


def refused(address: Address, error: Exception) -> Unavailable | BadInput:
    """What to say of an error of NATS."""
    text = visible_line(str(error)) or type(error).__name__
    if isinstance(error, _UNREACHABLE):
        return _nobody(address)
    if _is_barring(text):
        return BadInput(f"the NATS server at {', '.join(address.servers)} does not let us in: {text}.")
    return Unavailable(f"NATS at {', '.join(address.servers)}: {text}.")


def _nobody(address: Address) -> LinkDown:
    return LinkDown(f"no NATS server answers at {', '.join(address.servers)}.")


def _is_barring(text: str) -> bool:
    return "authorization" in text.lower() or "authentication" in text.lower()
