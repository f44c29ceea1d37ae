"""Servers as agent programs start them: `msgcode mcp` in a process, with the SDK's client at its pipes."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.types import CallToolResult, TextContent

WAIT = 30.0
"""Seconds within which what a test waits for has to be so."""

HASTY = (
    "from msgcode import cli\nfrom msgcode.mcp import guest, server\n"
    "guest.HEARTBEAT = server.HEARTBEAT = server.RETRY = 0.05\nraise SystemExit(cli.main(['mcp']))"
)
"""A server that need not be waited for when time has to pass."""


def environment(room: Path, agent: str | None = None) -> dict[str, str]:
    """What a server sees: the room, and who is to be registered at once."""
    own = {"MSGCODE_AGENT": agent} if agent else {}
    return {"PATH": os.environ["PATH"], "MSGCODE_STORE": str(room), "MSGCODE_SYNC": "0", **own}


class Program:
    """An agent program: what it asks of its server, and what it was told by it."""

    def __init__(self, client: Client, heard: list[Any]) -> None:
        self.client = client
        self.heard = heard

    async def ask(self, tool: str, **arguments: object) -> CallToolResult:
        """The answer of a call. `from_` is `from`."""
        given = {key.rstrip("_"): value for key, value in arguments.items()}
        return await self.client.call_tool(tool, given)

    async def call(self, tool: str, **arguments: object) -> dict[str, Any]:
        """The data of a call that has to succeed; the SDK has checked it against the tool's schema."""
        answer = await self.ask(tool, **arguments)
        assert not answer.is_error, text(answer)
        data: dict[str, Any] = answer.structured_content
        return data

    async def read(self, uri: str) -> str:
        """The text of a resource."""
        (content,) = (await self.client.read_resource(uri)).contents
        assert content.mime_type == "text/plain"
        return content.text  # type: ignore[union-attr]


def text(answer: CallToolResult) -> str:
    """What a model reads of an answer."""
    (content,) = answer.content
    assert isinstance(content, TextContent)
    return content.text


@asynccontextmanager
async def program(
    room: Path, agent: str | None = None, mode: str = "auto", script: str | None = None
) -> AsyncIterator[Program]:
    """A program at a server of its own; at the end the server has written nothing to standard error.

    mode: the protocol, as for the SDK's client. script: Python to be run in place of `msgcode mcp`.
    """
    heard: list[Any] = []

    async def hear(message: object) -> None:
        heard.append(message)

    words = ["-c", script] if script else ["-P", "-m", "msgcode", "mcp"]
    server = StdioServerParameters(command=sys.executable, args=words, env=environment(room, agent))
    with tempfile.TemporaryFile("w+") as errors:
        try:
            async with Client(stdio_client(server, errors), mode=mode, message_handler=hear) as client:
                yield Program(client, heard)
        except BaseExceptionGroup as group:
            raise _only(group) from None  # What went wrong in the test, and not in which of the SDK's tasks.
        errors.seek(0)
        assert errors.read() == ""


async def until(condition: Callable[[], object]) -> None:
    """Wait until the condition holds."""
    async with asyncio.timeout(WAIT):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def _only(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        (error,) = error.exceptions
    return error
