"""Who an MCP server serves: a client that tells nothing of itself."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from msgcode.errors import MsgcodeError
from msgcode.model import Activity, Session
from msgcode.presence import HEARTBEAT
from msgcode.store import Store


class Guest(Protocol):
    """The client of an MCP server, as the room sees it. `harness/company.py` is one with hooks."""

    @property
    def session(self) -> Session:
        """The session in which agents that register live."""

    @property
    def delivers(self) -> bool:
        """Whether messages are brought to it; else its agents have to look for them."""

    def listed(self) -> None:
        """The client has asked for the tools."""

    def hear(self, meta: Mapping[str, Any]) -> None:
        """What the client says beside a call of a tool."""

    async def run(self) -> None:
        """Tell the room of its agents until cancelled, and that they are gone then."""


class Client:
    """Any MCP client: it is there as long as it is connected, and nobody knows what it does."""

    delivers = False

    def __init__(self, store: Store) -> None:
        self._store = store
        # Unlike any other session, and than that of an earlier process with the same number.
        token = secrets.token_hex(4)
        host = f"{socket.gethostname()}:{os.getpid()}:{token}"
        self.session = Session(f"mcp-{token}", "mcp", host, os.getcwd())
        self._executor = ThreadPoolExecutor(1)

    def listed(self) -> None:
        """It looks for its messages itself."""

    def hear(self, meta: Mapping[str, Any]) -> None:
        """It says nothing that is of use."""

    async def run(self) -> None:
        """Keep its agents alive until cancelled; they are offline then."""
        try:
            while True:
                await asyncio.get_running_loop().run_in_executor(self._executor, self._seen)
                await asyncio.sleep(HEARTBEAT)
        finally:
            self._executor.submit(self._leave)
            self._executor.shutdown()

    def _agents(self) -> list[str]:
        return self._store.agents_in(self.session.harness, self.session.id)

    def _seen(self) -> None:
        try:
            for agent in self._agents():
                self._store.seen(agent)
        except MsgcodeError:
            pass  # The next comes soon.

    def _leave(self) -> None:
        try:
            for agent in self._agents():
                self._store.set_presence(agent, Activity.OFFLINE)
        except MsgcodeError:
            pass  # It counts as offline soon.
