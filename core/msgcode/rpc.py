"""JSON-RPC 2.0 over a pair of pipes, one message a line, in both directions at once."""

from __future__ import annotations

import asyncio
import itertools
import json
import math
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

from msgcode.errors import MsgcodeError

LINE_LIMIT = 64 * 1024 * 1024
"""Bytes of the longest line that is read: a body of 1 MiB may be in it several times, escaped."""


Params = dict[str, Any]


class RemoteError(MsgcodeError):
    """The other side answered a call with an error, did not answer in time, or has gone."""


class Peer:
    """One side of a connection: it answers the other's calls and makes its own.

    methods: for each method that the other side may call, a coroutine function from its parameters (a JSON
    object) to its result; each call is answered in a task of its own. What it raises as MsgcodeError
    is the answer. notices: for each notification, a function that is called at once, so that they are heard
    in the order in which they were sent.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.methods: dict[str, Callable[[Params], Awaitable[object]]] = {}
        self.notices: dict[str, Callable[[Params], None]] = {}
        self._reader = reader
        self._writer = writer
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._gone = False
        self._answering: set[asyncio.Task[None]] = set()

    async def call(self, method: str, seconds: float, **params: object) -> Any:
        """Call the other side's method and return its result.

        seconds: how long to wait for the answer. Raises RemoteError.
        """
        if self._gone:
            raise RemoteError("it has gone")
        id = next(self._ids)
        answer = self._waiting[id] = asyncio.get_running_loop().create_future()
        self._write({"id": id, "method": method, "params": params})
        try:
            async with asyncio.timeout(seconds):
                return await answer
        except TimeoutError:
            raise RemoteError(f"{method} got no answer within {seconds:g} s") from None
        finally:
            del self._waiting[id]

    async def run(self) -> None:
        """Read until the other side closes the connection."""
        try:
            while line := await self._reader.readline():
                self._read(line)
        except (ValueError, ConnectionError):
            pass  # A line over the limit, or half of one: nothing after it can be understood.
        finally:
            self._gone = True
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(RemoteError("it has gone"))
            for task in self._answering:
                task.cancel()

    def _read(self, line: bytes) -> None:
        try:
            message = _decode(line.decode())
        except (ValueError, RecursionError):
            self._refuse(None, -32700, "not a JSON text")
            return
        if not isinstance(message, dict) or not isinstance(message.get("method", ""), str):
            self._refuse(None, -32600, "no call, notice or answer")
        elif "method" not in message:
            self._hear_answer(message)
        elif not _is_id(message.get("id")):
            self._refuse(None, -32600, "'id' is no text and no number")
        elif not isinstance(message.setdefault("params", {}), dict):
            self._refuse(message.get("id"), -32600, "'params' is no object")
        elif "id" in message:
            task = asyncio.create_task(self._answer(message))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)
        else:
            notice = self.notices.get(message["method"])
            if notice:
                notice(message["params"])

    def _hear_answer(self, message: dict[str, Any]) -> None:
        id = message.get("id")
        answer = self._waiting.get(id) if type(id) is int else None
        if not answer or answer.done():
            return  # It came too late.
        error = message.get("error")
        if error is None:
            answer.set_result(message.get("result"))
        else:
            text = error.get("message") if isinstance(error, dict) else error
            answer.set_exception(RemoteError(str(text)[:300]))

    async def _answer(self, message: dict[str, Any]) -> None:
        method = self.methods.get(message["method"])
        if not method:
            self._refuse(message["id"], -32601, f"there is no method {message['method']!r}")
            return
        try:
            self._write({"id": message["id"], "result": await method(message["params"])})
        except MsgcodeError as error:
            self._refuse(message["id"], -32000, str(error))
        except Exception as error:
            # A fault of ours: whoever waits is told at once, and the traceback goes to standard error.
            self._refuse(message["id"], -32603, f"internal error: {error!r}")
            raise

    def _refuse(self, id: object, code: int, text: str) -> None:
        self._write({"id": id, "error": {"code": code, "message": text}})

    def _write(self, message: dict[str, object]) -> None:
        self._writer.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")


def _is_id(id: object) -> bool:
    """Whether a call can have this id: it has to be written again as it was read."""
    return id is None or type(id) in (str, int) or (type(id) is float and math.isfinite(id))


def _no_json(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")  # Python takes it all the same.


_decode = json.JSONDecoder(parse_constant=_no_json).decode
