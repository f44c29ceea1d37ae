"""OpenCode as a host sees it: its plugin's side of the line, its client's methods and its events."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from msgcode import Store
from msgcode.errors import Refused
from msgcode.harness.opencode.host import Host
from msgcode.rpc import Params, Peer
from tests.core.test_rpc import a_line

_numbers = itertools.count(1)


def new_id() -> str:
    """A message id as OpenCode makes them."""
    number = (time.time_ns() // 1_000_000 * 0x1000 + next(_numbers) % 0x800) & 0xFFFFFFFFFFFF
    return f"msg_{number:012x}{'A' * 14}"


class FakeOpenCode:
    """Sessions, their messages, and what the host asked for.

    runs: a prompt to an idle session starts a turn, which ends at once. tells: events are sent. Both may
    be switched off, to play the faults of the real one. errors: what the next calls of a method fail with.
    """

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.runs = True
        self.tells = True
        self.sessions: dict[str, list[dict[str, Any]]] = {}
        self.busy: set[str] = set()
        self.errors: dict[str, list[str]] = {}
        self.calls: list[tuple[str, Params]] = []
        self.listed: list[object] = []
        self._changed = asyncio.Event()
        peer.methods = {
            "session.promptAsync": self._prompt_async,
            "session.prompt": self._prompt,
            "session.messages": self._messages,
            "session.list": self._list,
            "tui.showToast": self._toast,
        }

    # What the plugin does

    async def hello(self, *sessions: str, directory: str = "/src/api") -> dict[str, Any]:
        found: dict[str, Any] = await self.peer.call(
            "hello", 10, directory=directory, sessions=list(sessions)
        )
        return found

    async def tool(self, session: str, tool: str, /, **arguments: object) -> str:
        """The answer of a tool that has to succeed."""
        answer = await self.peer.call("tool", 10, session=session, name=tool, arguments=arguments)
        assert answer["ok"], answer
        return str(answer["text"])

    async def failing_tool(self, session: str, tool: str, /, **arguments: object) -> str:
        answer = await self.peer.call("tool", 10, session=session, name=tool, arguments=arguments)
        assert not answer["ok"], answer
        return str(answer["text"])

    async def command(self, session: str, line: str) -> None:
        assert await self.peer.call("command", 10, session=session, line=line) == {}

    async def ask(self, method: str, **params: object) -> Any:
        return await self.peer.call(method, 10, **params)

    def tell(self, type: str, **properties: object) -> None:
        """Pass on an event, as the plugin does."""
        if self.tells:
            self.say(
                {"jsonrpc": "2.0", "method": "event", "params": {"type": type, "properties": properties}}
            )

    def say(self, message: dict[str, Any]) -> None:
        self.peer._write(message)

    # What its user and its model do

    def user_types(self, session: str, text: str, agent: str = "build") -> None:
        """The user's prompt begins a turn, which goes on until `end_turn`."""
        self.busy.add(session)
        self._store(
            session, {"messageID": new_id(), "parts": [{"id": "prt_1", "text": text}], "agent": agent}
        )
        self.tell("session.status", sessionID=session, status={"type": "busy"})
        self._answer(session)

    def end_turn(self, session: str) -> None:
        self.busy.discard(session)
        self.tell("session.status", sessionID=session, status={"type": "idle"})
        self.tell("session.idle", sessionID=session)

    def abort(self, session: str) -> None:
        error = {"name": "MessageAbortedError", "data": {"message": "Aborted"}}
        self.tell("session.error", sessionID=session, error=error)
        self.end_turn(session)

    # What there is to see

    def texts(self, session: str) -> list[str]:
        """The texts of the user's messages in the session, those that no model gets left out."""
        return [
            part["text"]
            for item in self.sessions.get(session, [])
            for part in item["parts"]
            if item["info"]["role"] == "user" and not part.get("ignored")
        ]

    def called(self, method: str) -> list[Params]:
        return [params for name, params in self.calls if name == method]

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until something of this OpenCode is so."""
        async with asyncio.timeout(10):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    # Its client

    async def _prompt_async(self, params: Params) -> None:
        self._called("session.promptAsync", params)
        session = params["path"]["id"]
        self._store(session, params["body"])
        if self.runs and session not in self.busy:
            self.tell("session.status", sessionID=session, status={"type": "busy"})
            self._answer(session)
            self.end_turn(session)

    async def _prompt(self, params: Params) -> object:
        self._called("session.prompt", params)
        assert params["body"]["noReply"] is True
        self._store(params["path"]["id"], params["body"])
        return {}

    async def _messages(self, params: Params) -> object:
        self._called("session.messages", params)
        return self.sessions.get(params["path"]["id"], [])[-params["query"]["limit"] :]

    async def _list(self, params: Params) -> object:
        self._called("session.list", params)
        return self.listed

    async def _toast(self, params: Params) -> object:
        self._called("tui.showToast", params)
        return True

    def _called(self, method: str, params: Params) -> None:
        self.calls.append((method, params))
        self._changed.set()
        if self.errors.get(method):
            raise Refused(self.errors[method].pop(0))

    def _store(self, session: str, body: dict[str, Any]) -> None:
        id = body["messageID"]
        info = {
            "id": id,
            "role": "user",
            "sessionID": session,
            "agent": body.get("agent", "build"),
            "model": body.get("model", {"providerID": "fake", "modelID": "scripted"}),
        }
        parts = [{**part, "messageID": id, "sessionID": session} for part in body["parts"]]
        there = self.sessions.setdefault(session, [])
        if all(not isinstance(item, dict) or item["info"].get("id") != id for item in there):
            there.append({"info": info, "parts": parts})
        self.tell("message.updated", sessionID=session, info=info)
        for part in parts:
            self.tell("message.part.updated", sessionID=session, part=part)
        self._changed.set()

    def _answer(self, session: str) -> None:
        info = {"id": new_id(), "role": "assistant", "sessionID": session}
        last = self.sessions[session][-1]["info"]["id"]
        info["id"] = max(info["id"], f"{last}z")
        self.sessions[session].append({"info": info, "parts": []})
        self.tell("message.updated", sessionID=session, info=info)


@asynccontextmanager
async def opencode(store: Store, *sessions: str) -> AsyncIterator[FakeOpenCode]:
    """An OpenCode with a host in the room, which it has greeted; at the end the line is closed."""
    async with a_line(1 << 26) as line:
        fake = FakeOpenCode(Peer(*line.there))
        serving = asyncio.create_task(Host(store, Peer(*line.here)).run())
        hearing = asyncio.create_task(fake.peer.run())
        try:
            await fake.hello(*sessions)
            yield fake
        finally:
            line.there[1].close()
            async with asyncio.timeout(10):
                await serving
            line.here[1].close()
            await hearing
