"""Two peers over real pipes, and one peer against what no peer would send."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msgcode.errors import MsgcodeError, Refused
from msgcode.rpc import Params, Peer, RemoteError


async def a_reader(descriptor: int, limit: int) -> asyncio.StreamReader:
    reader = asyncio.StreamReader(limit=limit)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb")
    )
    return reader


async def a_writer(descriptor: int) -> asyncio.StreamWriter:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.connect_write_pipe(
        asyncio.streams.FlowControlMixin, os.fdopen(descriptor, "wb")
    )
    return asyncio.StreamWriter(transport, protocol, None, loop)


class Line:
    """Two connected ends of a pipe in each direction; each end is a reader and a writer."""

    def __init__(self, here: tuple[Any, Any], there: tuple[Any, Any]) -> None:
        self.here = here
        self.there = there

    def hang_up(self) -> None:
        """Both sides are told that there is no more."""
        for _, writer in (self.here, self.there):
            writer.close()


@asynccontextmanager
async def a_line(limit: int = 1 << 20) -> AsyncIterator[Line]:
    (to_there, from_here), (to_here, from_there) = os.pipe(), os.pipe()
    here = await a_reader(to_here, limit), await a_writer(from_here)
    there = await a_reader(to_there, limit), await a_writer(from_there)
    line = Line(here, there)
    try:
        yield line
    finally:
        line.hang_up()
        for reader, _ in (here, there):
            async with asyncio.timeout(5):
                await reader.read()  # To its end, so that the transports are closed.
        await asyncio.sleep(0)


@asynccontextmanager
async def two_peers() -> AsyncIterator[tuple[Peer, Peer, Line]]:
    async with a_line() as line:
        one, other = Peer(*line.here), Peer(*line.there)
        runs = [asyncio.create_task(peer.run()) for peer in (one, other)]
        try:
            yield one, other, line
        finally:
            line.hang_up()
            async with asyncio.timeout(5):
                await asyncio.gather(*runs)


class Raw:
    """The other side of a peer, which writes what it likes and reads lines."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def say(self, line: bytes | dict[str, Any]) -> None:
        self._writer.write((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n")

    async def hear(self) -> dict[str, Any]:
        async with asyncio.timeout(5):
            heard: dict[str, Any] = json.loads(await self._reader.readline())
            return heard


@asynccontextmanager
async def a_peer(limit: int = 1 << 20) -> AsyncIterator[tuple[Peer, Raw, asyncio.Task[None]]]:
    """A peer that answers `echo`, and the raw other side of it."""

    async def echo(params: Params) -> object:
        return params

    async with a_line(limit) as line:
        peer = Peer(*line.here)
        peer.methods["echo"] = echo
        run = asyncio.create_task(peer.run())
        try:
            yield peer, Raw(*line.there), run
        finally:
            line.hang_up()
            async with asyncio.timeout(5):
                await asyncio.gather(run, return_exceptions=True)


async def still_answers(raw: Raw) -> None:
    raw.say({"jsonrpc": "2.0", "id": "last", "method": "echo", "params": {"x": 1}})
    while (heard := await raw.hear()).get("id") != "last":
        pass
    assert heard == {"jsonrpc": "2.0", "id": "last", "result": {"x": 1}}


async def test_calls_both_ways_at_once() -> None:
    async with two_peers() as (one, other, _):

        async def double(params: Params) -> object:
            return params["n"] * 2

        async def relay(params: Params) -> object:
            """Answers only after a call of its own in the other direction."""
            return await one.call("double", 5, n=params["n"]) + 1

        one.methods["relay"] = relay
        other.methods["double"] = double
        calls = [other.call("relay", 5, n=n) for n in range(50)] + [
            one.call("double", 5, n=n) for n in range(50)
        ]
        assert await asyncio.gather(*calls) == [n * 2 + 1 for n in range(50)] + [n * 2 for n in range(50)]


async def test_a_slow_call_holds_up_no_other() -> None:
    async with two_peers() as (one, other, _):
        gate = asyncio.Event()

        async def slow(params: Params) -> object:
            await gate.wait()
            return "slow"

        async def quick(params: Params) -> object:
            return "quick"

        other.methods = {"slow": slow, "quick": quick}
        waiting = asyncio.create_task(one.call("slow", 5))
        assert await one.call("quick", 5) == "quick"
        assert not waiting.done()
        gate.set()
        assert await waiting == "slow"


async def test_notices_are_heard_in_order_and_before_a_later_call() -> None:
    async with a_peer() as (peer, raw, _):
        heard: list[int] = []
        peer.notices["note"] = lambda params: heard.append(params["n"])
        for n in range(500):
            raw.say({"method": "note", "params": {"n": n}})
        await still_answers(raw)
        assert heard == list(range(500))


@pytest.mark.parametrize("text", ["", "ünï\u2028cödé\n\r", "\ud800", "x" * 500_000])
async def test_any_text_arrives_as_it_was(text: str) -> None:
    async with two_peers() as (one, other, _):

        async def echo(params: Params) -> object:
            return params["text"]

        other.methods["echo"] = echo
        assert await one.call("echo", 5, text=text) == text


async def test_errors_are_answers() -> None:
    async with two_peers() as (one, other, _):

        async def refuse(params: Params) -> object:
            raise Refused("no: do that instead.")

        other.methods["refuse"] = refuse
        with pytest.raises(RemoteError, match=r"^no: do that instead\.$"):
            await one.call("refuse", 5)
        with pytest.raises(RemoteError, match="there is no method 'nothing'"):
            await one.call("nothing", 5)
        assert issubclass(RemoteError, MsgcodeError)


@pytest.mark.parametrize("fault", [KeyError("x"), TypeError("y"), None])
async def test_a_bug_in_a_method_is_answered_too(fault: Exception | None) -> None:
    """Nobody waits a minute for what will not come."""
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    async with two_peers() as (one, other, _):

        async def broken(params: Params) -> object:
            if fault:
                raise fault
            return {1, 2}  # No JSON.

        other.methods["broken"] = broken
        with pytest.raises(RemoteError, match="internal error"):
            await one.call("broken", 5)


async def test_no_answer_in_time() -> None:
    async with a_peer() as (peer, raw, _):
        with pytest.raises(RemoteError, match=r"^session.prompt got no answer within 0.05 s$"):
            await peer.call("session.prompt", 0.05)
        asked = await raw.hear()
        raw.say({"id": asked["id"], "result": "too late"})
        raw.say({"id": asked["id"], "result": "and twice"})
        later = asyncio.create_task(peer.call("again", 5))
        asked = await raw.hear()
        raw.say({"id": asked["id"], "result": "in time"})
        raw.say({"id": asked["id"], "error": {"message": "and not"}})
        assert await later == "in time"
        await still_answers(raw)


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ({"error": {"message": "no\nlonger"}}, "no\nlonger"),
        ({"error": {"code": -1}}, "None"),
        ({"error": "plain"}, "plain"),
        ({"error": ["odd"]}, "['odd']"),
        ({"error": {"message": "x" * 5000}}, "x" * 300),
    ],
)
async def test_errors_of_any_shape(answer: dict[str, Any], text: str) -> None:
    async with a_peer() as (peer, raw, _):
        call = asyncio.create_task(peer.call("x", 5))
        raw.say({"id": (await raw.hear())["id"], **answer})
        with pytest.raises(RemoteError) as error:
            await call
        assert str(error.value) == text


async def test_who_asks_wrongly_is_told() -> None:
    async with a_peer() as (_, raw, _run):
        raw.say(b'{"id": "q", "method": "echo", "params": [1]}')
        assert (await raw.hear())["id"] == "q"


async def test_true_is_not_the_number_of_a_call() -> None:
    async with a_peer() as (peer, raw, _):
        call = asyncio.create_task(peer.call("x", 5))
        assert (await raw.hear())["id"] == 1
        raw.say({"id": True, "result": "odd"})
        raw.say({"id": 1, "result": "right"})
        assert await call == "right"


async def test_an_answer_with_nothing_in_it_is_none() -> None:
    async with a_peer() as (peer, raw, _):
        call = asyncio.create_task(peer.call("x", 5))
        raw.say({"id": (await raw.hear())["id"], "error": None})
        assert await call is None


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"", -32700),
        (b"Traceback (most recent call last):", -32700),
        (b"\xff\xfe\xfd", -32700),
        (b"[" * 100_000, -32700),
        (b"1" * 5000, -32700),
        (b'{"id": NaN, "method": "echo"}', -32700),
        (b'{"id": 1e999, "method": "echo"}', -32600),
        (b'{"id": true, "method": "echo"}', -32600),
        (b'{"id": ' + b"[" * 900 + b"]" * 900 + b', "method": "echo"}', -32600),
        (b"[]", -32600),
        (b"null", -32600),
        (b'{"id": 1, "method": "echo", "params": [1]}', -32600),
        (b'{"id": 1, "method": ["echo"]}', -32600),
        (b'{"method": {"a": 1}}', -32600),
        (b'{"id": {"a": 1}, "method": null}', -32600),
    ],
)
async def test_garbage_is_refused_and_forgotten(line: bytes, code: int) -> None:
    async with a_peer() as (_, raw, _run):
        raw.say(line)
        assert (await raw.hear())["error"]["code"] == code
        await still_answers(raw)


@pytest.mark.parametrize(
    "line",
    [
        b"{}",
        b'{"method": "unheard of"}',
        b'{"id": 99, "result": 1}',
        b'{"id": [], "result": 1}',
        b'{"id": {}, "error": {}}',
        b'{"id": null, "error": {"code": -32700, "message": "not a JSON text"}}',
    ],
)
async def test_what_means_nothing_is_passed_over(line: bytes) -> None:
    async with a_peer() as (_, raw, _run):
        raw.say(line)
        raw.say({"id": 5, "method": "echo"})
        assert await raw.hear() == {"jsonrpc": "2.0", "id": 5, "result": {}}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
fields = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("id", "method", "params", "result", "error", "jsonrpc"), json_values)
)


@settings(max_examples=30, deadline=None)
@given(st.lists(fields | json_values, max_size=8))
def test_no_line_of_json_ends_a_connection(values: list[Any]) -> None:
    async def main() -> None:
        async with a_peer() as (peer, raw, _):
            call = asyncio.create_task(peer.call("x", 5))
            asked = await raw.hear()
            # What happens to be an answer to the call is no concern of this test.
            for value in values:
                if not (isinstance(value, dict) and value.get("id") == asked["id"]):
                    raw.say(json.dumps(value).encode())
            raw.say({"id": asked["id"], "result": "answer"})
            assert await call == "answer"
            await still_answers(raw)

    asyncio.run(main())


async def test_a_line_over_the_limit_ends_the_connection() -> None:
    async with a_peer(limit=1000) as (peer, raw, run):
        call = asyncio.create_task(peer.call("x", 5))
        await raw.hear()
        raw.say(b"x" * 100_000)
        with pytest.raises(RemoteError, match="has gone"):
            await call
        async with asyncio.timeout(5):
            await run


async def test_a_large_line_within_the_limit() -> None:
    async with a_peer(limit=8 << 20) as (_, raw, _run):
        raw.say({"id": 1, "method": "echo", "params": {"x": "y" * (4 << 20)}})
        assert len((await raw.hear())["result"]["x"]) == 4 << 20


async def test_closing_with_calls_under_way() -> None:
    async with two_peers() as (one, other, line):
        begun, ended = asyncio.Event(), asyncio.Event()

        async def slow(params: Params) -> object:
            begun.set()
            try:
                return await asyncio.Event().wait()
            finally:
                ended.set()

        other.methods["slow"] = slow
        calls = [asyncio.create_task(one.call("slow", 60)) for _ in range(3)]
        await asyncio.wait_for(begun.wait(), 5)
        line.hang_up()
        async with asyncio.timeout(5):
            for call in calls:
                with pytest.raises(RemoteError, match="has gone"):
                    await call
            await ended.wait()


async def test_half_a_line_at_the_end_is_no_call() -> None:
    heard: list[Params] = []
    async with a_line() as line:
        peer = Peer(*line.here)
        peer.notices["note"] = heard.append
        line.there[1].write(b'{"method": "note", "params": {"n": 1}}\n{"method": "no')
        line.there[1].close()
        async with asyncio.timeout(5):
            await peer.run()
    assert heard == [{"n": 1}]


async def test_a_call_that_is_given_up_leaves_nothing_behind() -> None:
    async with a_peer() as (peer, raw, _):
        call = asyncio.create_task(peer.call("x", 60))
        asked = await raw.hear()
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        raw.say({"id": asked["id"], "result": 1})
        await still_answers(raw)
