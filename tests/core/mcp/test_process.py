"""The process `msgcode mcp`: when it ends, what it prints, and what it survives."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from msgcode import Store
from msgcode.model import Activity, Session
from tests.core.mcp.clients import HASTY, WAIT, environment, program, text, until

INITIALIZE = {
    "protocolVersion": "2025-06-18",
    "capabilities": {},
    "clientInfo": {"name": "test", "version": "1"},
}


@pytest.fixture
def room(tmp_path: Path) -> Path:
    return tmp_path / "room"


@pytest.fixture
def store(room: Path) -> Iterator[Store]:
    with Store.open(room, sync=False) as store:
        yield store


class Server:
    """The process, spoken to in lines. It has to end by itself, with exit code 0 and nothing said besides."""

    def __init__(self, room: Path, agent: str | None = None) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "msgcode", "mcp"],
            env=environment(room, agent),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def write(self, line: bytes) -> None:
        assert self.process.stdin
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        """The next line that it prints."""
        assert self.process.stdout
        found: dict[str, Any] = json.loads(self.process.stdout.readline())
        return found

    def ask(self, method: str, **params: object) -> dict[str, Any]:
        """The answer of a call to which nothing else is answered meanwhile."""
        self.write(json.dumps({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}).encode())
        answer = self.answer()
        assert answer["id"] == 7
        return answer

    def meet(self) -> dict[str, Any]:
        """The result of the handshake."""
        result: dict[str, Any] = self.ask("initialize", **INITIALIZE)["result"]
        self.write(b'{"jsonrpc":"2.0","method":"notifications/initialized"}')
        return result

    def end(self) -> None:
        """It is over, once its input is."""
        out, errors = self.process.communicate(timeout=WAIT)
        assert (self.process.returncode, out, errors) == (0, b"", b"")


@pytest.fixture
def server(room: Path) -> Iterator[Server]:
    server = Server(room, "ann")
    with server.process:
        try:
            yield server
        finally:
            server.process.kill()


def test_it_says_what_it_is_for(server: Server) -> None:
    result = server.meet()
    assert result["serverInfo"]["name"] == "msgcode"
    assert result["instructions"].startswith("msgcode is a chat room in which coding agents")
    server.end()


def test_its_agents_are_there_as_long_as_its_client(server: Server, store: Store) -> None:
    server.meet()
    assert store.presence("ann").activity is Activity.IDLE
    (ann,) = store.agents()
    assert ann.session
    assert ann.session.harness == "mcp"
    assert ann.session.directory == str(Path.cwd())
    server.end()
    assert store.presence("ann").activity is Activity.OFFLINE


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("busy", [False, True])
def test_a_signal_ends_it(server: Server, store: Store, number: signal.Signals, busy: bool) -> None:
    server.meet()
    if busy:
        call = {"name": "check_messages", "arguments": {"wait_seconds": 300}}
        server.write(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}).encode())
        server.ask("ping")
    server.process.send_signal(number)
    assert server.process.wait(WAIT) == 0, server.process.stderr and server.process.stderr.read().decode()
    if busy:
        assert server.answer()["error"]["message"] == "Connection closed"
    assert store.presence("ann").activity is Activity.OFFLINE
    assert server.process.stderr
    assert server.process.stderr.read() == b""


def test_a_client_that_goes_while_it_waits_ends_it(server: Server, store: Store) -> None:
    server.meet()
    call = {"name": "check_messages", "arguments": {"wait_seconds": 300}}
    server.write(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}).encode())
    server.ask("ping")
    assert server.process.stdout
    server.process.stdout.close()
    assert server.process.stdin
    server.process.stdin.close()
    assert server.process.wait(WAIT) == 0
    assert store.presence("ann").activity is Activity.OFFLINE


@pytest.mark.parametrize("met", [False, True])
def test_garbage_is_answered_and_harms_nothing(server: Server, met: bool) -> None:
    if met:
        server.meet()
    for line in [b"hello", b"\xff\xfe", b"[" * 100_000, b"[]", b"7", b'{"jsonrpc":"2.0"}', b'{"id":1}']:
        server.write(line)
        assert server.answer() == {
            "jsonrpc": "2.0",
            "id": None,
            "error": {"code": -32700, "message": "not a JSON-RPC message"},
        }
    server.write(b"")
    server.write(b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":[]}}')
    server.write(b'{"jsonrpc":"2.0","method":"notifications/nothing","params":{}}')
    server.write(b'{"jsonrpc":"2.0","id":99,"result":{}}')
    if not met:
        server.meet()
    assert server.ask("no/such")["error"]["code"] == -32601
    assert server.ask("tools/call", name="list_agents", arguments=[])["error"]["code"] == -32602
    assert server.ask("tools/call")["error"]["code"] == -32602
    assert server.ask("tools/call", name="list_agents")["result"]["isError"] is False
    server.end()


async def test_a_store_that_cannot_be_read_is_said_and_taken_up_again(room: Path, store: Store) -> None:
    store.register("carol")
    aside = room.with_name("aside")
    async with program(room, "ann", script=HASTY) as ann:
        waiting = asyncio.create_task(ann.call("check_messages", wait_seconds=300))
        await ann.call("list_agents")
        os.rename(room, aside)
        os.mkfifo(room)
        answer = await ann.ask("send_message", to="carol", body="hi")
        assert answer.is_error
        assert "Error: cannot" in text(answer)
        os.unlink(room)
        os.rename(aside, room)
        await ann.call("send_message", to="carol", body="hi")
        store.send("carol", "ann", "ho")
        async with asyncio.timeout(WAIT):
            (message,) = (await waiting)["messages"]
        assert message["body"] == "ho"


async def test_its_agents_stay_online(room: Path, store: Store) -> None:
    async with program(room, "ann", script=HASTY):
        await until(lambda: store.agents())
        first = store.presence("ann").last_seen
        assert first
        await until(lambda: (store.presence("ann").last_seen or first) > first)


async def test_an_agent_that_lives_elsewhere_is_registered_once_it_has_gone(room: Path, store: Store) -> None:
    store.register("ann", session=Session("ses_1", "opencode", "host-1"))
    async with program(room, "ann", script=HASTY) as ann:
        assert "no agent lives in this session" in text(await ann.ask("check_messages"))
        store.set_presence("ann", Activity.OFFLINE)
        await until(lambda: "mcp" in [agent.session.harness for agent in store.agents() if agent.session])
        await ann.call("check_messages")


@pytest.mark.parametrize(
    ("agent", "sentence"),
    [
        ("a b", "'a b'"),
        (None, "it is an agent program that starts this, and speaks to it over pipes."),
    ],
)
def test_what_it_cannot_start_with_is_said(room: Path, agent: str | None, sentence: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "msgcode", "mcp"],
        env=environment(room, agent),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=WAIT,
        check=False,
    )
    assert done.returncode == 2
    assert sentence in done.stderr
    assert done.stderr.startswith("msgcode: ")
    assert (done.stdout, done.stderr.count("\n")) == ("", 1)
    assert not room.exists()
