"""Whatever comes down the line of a host: each call has one answer, and the next one is served."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from msgcode import Store, tools
from msgcode.harness import delivery
from msgcode.harness.opencode import host, injection
from msgcode.harness.opencode.conversation import EVENTS
from msgcode.harness.opencode.host import Host
from msgcode.rpc import Peer
from tests.core.fuzz.mutation import Edit, edits, mutated
from tests.core.test_rpc import Line, a_line, json_values

Message = dict[str, Any]


@pytest.fixture(autouse=True, scope="module")
def quick() -> Iterator[None]:
    """Short waits, and no look at the command line of whoever runs the tests."""

    async def opened_session() -> str | None:
        return None

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(host, "opened_session", opened_session)
        patch.setattr(delivery, "BACK_OFF", (0.02,))
        patch.setattr(injection, "NUDGE_AFTER", 0.01)
        patch.setattr(injection, "PATIENCE", 0.05)
        yield


# What a plugin sends, right or nearly


def of_any_type(right: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Mostly right."""
    return st.one_of(right, right, right, json_values)


sessions = of_any_type(st.sampled_from(["ses_1", "ses_2", "", "\ud800", "x" * 5000, "\x1b[2J"]))
words = st.sampled_from(["ann", "bob", "dev", "hello", "urgent", "\ud83d", "", "a\nb", "x" * 70, "7"])
calls = st.sampled_from(sorted(tools.TOOLS)).flatmap(
    lambda name: st.fixed_dictionaries(
        {"session": sessions, "name": of_any_type(st.just(name))},
        optional={
            "arguments": of_any_type(
                st.fixed_dictionaries(
                    {}, optional=dict.fromkeys(tools.TOOLS[name].parameters["properties"], of_any_type(words))
                )
            )
        },
    )
)
lines = st.sampled_from(
    ["", "/msg", "/msg agents", "/msg register bob", "/msg --as ann send bob \ud83d", "\0", "/msg show x"]
)
commands = st.fixed_dictionaries({"session": sessions, "line": of_any_type(lines)})
hellos = st.fixed_dictionaries(
    {}, optional={"directory": of_any_type(words), "sessions": of_any_type(st.lists(sessions))}
)
events = st.fixed_dictionaries(
    {
        "type": of_any_type(st.sampled_from(EVENTS)),
        "properties": of_any_type(
            st.fixed_dictionaries(
                {"sessionID": sessions},
                optional={
                    "status": of_any_type(
                        st.sampled_from([{"type": "busy"}, {"type": "idle"}, {"type": "retry"}])
                    ),
                    "info": json_values,
                    "part": json_values,
                    "id": json_values,
                },
            )
        ),
    }
)
ids = of_any_type(st.integers(1, 3) | st.sampled_from(["a", "b"]))


def said(method: str, params: st.SearchStrategy[Any]) -> st.SearchStrategy[Message]:
    head = {"jsonrpc": st.just("2.0"), "method": st.just(method), "params": params}
    return st.fixed_dictionaries(head, optional={"id": ids})


messages = st.one_of(
    said("tool", calls),
    said("command", commands),
    said("hello", hellos),
    said("event", events),
    said("x", json_values),
)
whole = messages.map(lambda message: json.dumps(message).encode())
spoilt = st.builds(lambda line, changes: mutated(line, changes), whole, edits(most=3))
raw = st.one_of(whole, whole, spoilt, spoilt, st.binary(max_size=40)).map(
    lambda line: line.replace(b"\n", b" ")
)
answers = st.dictionaries(st.sampled_from(["result", "error", "params", "id"]), json_values, max_size=2)


# What the other side expects


def no_json(name: str) -> None:
    raise ValueError(name)


def call_id(line: bytes) -> str | None:
    """The id that the answer to this line has to have, as JSON; None if it is no call."""
    try:
        match json.loads(line.decode(), parse_constant=no_json):
            case {"method": str(), "id": (str() | int() | float() | None) as id} if type(id) is not bool:
                return None if id in (float("inf"), float("-inf")) else json.dumps(id)
    except (ValueError, RecursionError):
        pass
    return None


class Plugin:
    """The other side of a host, which answers its calls with anything, and keeps what it says."""

    def __init__(self, line: Line, answers: Sequence[Message]) -> None:
        self._reader, self._writer = line.there
        self._answers = answers
        self._calls = 0
        self.heard: list[Message] = []

    def say(self, line: bytes) -> None:
        self._writer.write(line + b"\n")

    async def until_answered(self, calls: Counter[str]) -> None:
        async with asyncio.timeout(10):
            while calls - self.answered():
                line = await self._reader.readline()
                message = json.loads(line, parse_constant=no_json)
                assert message["jsonrpc"] == "2.0"
                if "method" in message:
                    self._answer(message["id"])
                else:
                    self.heard.append(message)

    def answered(self) -> Counter[str]:
        return Counter(json.dumps(message["id"]) for message in self.heard)

    def _answer(self, id: int) -> None:
        answer = self._answers[self._calls % len(self._answers)] if self._answers else {}
        self._calls += 1
        self.say(json.dumps({"id": id, "result": {}, **answer}).encode())
        self.say(json.dumps({"id": id, "result": {}}).encode())


@asynccontextmanager
async def a_host(store: Store) -> AsyncIterator[Line]:
    """The line to a host, which ends when that does."""
    async with a_line(1 << 26) as line:
        serving = asyncio.create_task(Host(store, Peer(*line.here)).run())
        try:
            yield line
        finally:
            line.hang_up()
            async with asyncio.timeout(10):
                await serving


LAST = {
    "jsonrpc": "2.0",
    "id": "last",
    "method": "tool",
    "params": {"session": "s", "name": "list_agents", "arguments": {}},
}


@given(st.lists(raw, max_size=12), st.lists(answers, max_size=3))
@example([b'{"id": [[1]], "method": "hello"}', b'{"id": NaN, "method": "hello"}'], [])
@example([b'{"id": 1e999, "method": "x"}', b'{"id": true, "method": "x"}'], [])
@example(
    [b'{"id": 1, "method": "hello", "params": [1]}', b'{"id": 2, "method": "hello", "params": null}'], []
)
@example([b'{"id": ' + b"[" * 900 + b"]" * 900 + b', "method": "x"}'], [])
def test_each_call_has_one_answer(lines: list[bytes], answers: list[Message]) -> None:
    faults: list[object] = []

    async def main(store: Store) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
        async with a_host(store) as line:
            plugin = Plugin(line, answers)
            expected = Counter(id for said in lines if (id := call_id(said)))
            for said in lines:
                plugin.say(said)
            await plugin.until_answered(expected)
            plugin.say(json.dumps(LAST).encode())
            await plugin.until_answered(Counter(['"last"']))
            assert plugin.heard[-1]["result"]["ok"], plugin.heard[-1]
            for message in plugin.heard:
                assert ("result" in message) != ("error" in message)
                assert message.get("error", {}).get("code") != -32603, message
            answered = plugin.answered()
            del answered['"last"'], answered["null"], expected["null"]
            assert answered == expected

    with tempfile.TemporaryDirectory() as folder, Store.open(Path(folder, "room"), sync=False) as store:
        store.register("ann")
        asyncio.run(main(store))
        assert not store.damage()
    assert not faults


def test_the_plugin_is_heard_after_a_line_that_is_cut_anywhere() -> None:
    """So the lines above are not all garbage to begin with."""
    line = json.dumps(LAST).encode()
    assert call_id(line) == '"last"'
    assert call_id(mutated(line, [Edit("truncate", 20, 0, 0, b"")])) is None
