"""The client's end of standard input and output, as the SDK's server wants it: one JSON text a line.

Not the SDK's own: that reads in a thread, which a signal cannot end, and says nothing to a garbage line.
"""

from __future__ import annotations

import asyncio
import os
import stat
from types import TracebackType

from mcp.shared.message import SessionMessage
from mcp.types import (
    INVALID_REQUEST,
    PARSE_ERROR,
    ErrorData,
    JSONRPCError,
    jsonrpc_message_adapter,
)

from msgcode.errors import BadInput
from msgcode.rpc import LINE_LIMIT


class Outgoing:
    """What the client is sent."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    async def send(self, item: SessionMessage) -> None:
        """Send a message, and wait while the client is slow to take what it was sent."""
        text = item.message.model_dump_json(by_alias=True, exclude_unset=True)
        try:
            self._writer.write(text.encode() + b"\n")
            await self._writer.drain()
        except ConnectionError:
            pass  # It has gone, and the end of what it sends says so too.

    async def aclose(self) -> None:
        """Let go of the pipe; it is closed with the process."""

    async def __aenter__(self) -> Outgoing:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


class Incoming:
    """What the client sends, until it has gone. A line that is no message is answered, and passed over."""

    def __init__(
        self, reader: asyncio.StreamReader, transport: asyncio.ReadTransport, outgoing: Outgoing
    ) -> None:
        self._reader = reader
        self._transport = transport
        self._outgoing = outgoing

    def end(self) -> None:
        """Hear no more, as if the client had gone."""
        self._transport.close()

    async def receive(self) -> SessionMessage:
        """The next message. Raises StopAsyncIteration when the client has gone."""
        while True:
            try:
                line = await self._reader.readline()
            except ValueError:
                await self._refuse(INVALID_REQUEST, f"a line must not be longer than {LINE_LIMIT} bytes")
                continue
            except ConnectionError:
                raise StopAsyncIteration from None
            if not line:
                raise StopAsyncIteration
            if not line.strip():
                continue
            try:
                return SessionMessage(jsonrpc_message_adapter.validate_json(line, by_name=False))
            except ValueError:
                await self._refuse(PARSE_ERROR, "not a JSON-RPC message")

    async def _refuse(self, code: int, why: str) -> None:
        error = JSONRPCError(jsonrpc="2.0", id=None, error=ErrorData(code=code, message=why))
        await self._outgoing.send(SessionMessage(error))

    async def aclose(self) -> None:
        """Let go of the pipe; it is closed with the process."""

    def __aiter__(self) -> Incoming:
        return self

    async def __anext__(self) -> SessionMessage:
        return await self.receive()

    async def __aenter__(self) -> Incoming:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


async def standard_pipes() -> tuple[Incoming, Outgoing]:
    """Standard input and output. Raises BadInput if they are no pipes."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=LINE_LIMIT)
    try:
        if not any(check(os.fstat(0).st_mode) for check in (stat.S_ISFIFO, stat.S_ISSOCK)):
            raise BadInput("it is an agent program that starts this, and speaks to it over pipes.")
        # Copies, because a pipe is closed when its other end is, and the interpreter flushes its own at exit.
        given, taken = os.fdopen(os.dup(0), "rb", 0), os.fdopen(os.dup(1), "wb", 0)
        source, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), given)
        sink, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, taken)
    except OSError as error:
        raise BadInput(f"there is no standard input or output: {error.strerror}.") from None
    outgoing = Outgoing(asyncio.StreamWriter(sink, protocol, reader, loop))
    return Incoming(reader, source, outgoing), outgoing
