"""`msgcode mcp`: one MCP server, for the agent program that starts it."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import secrets
import socket

from msgcode.calls import agent_id
from msgcode.checks import check_id
from msgcode.model import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from msgcode.mcp.server import McpServer
    from msgcode.store import Store


def main(store: Store) -> None:
    """Serve the client on standard input and output until it has gone, or a signal ends it.

    Raises BadInput if these are no pipes, or MSGCODE_AGENT is no id.
    """
    agent = agent_id(os.environ.get("MSGCODE_AGENT"))
    if agent:
        check_id("agent", agent)
    # Unlike any other session, and than that of an earlier process with the same number.
    token = secrets.token_hex(4)
    session = Session(f"mcp-{token}", "mcp", f"{socket.gethostname()}:{os.getpid()}:{token}", os.getcwd())
    logging.getLogger("mcp").setLevel(logging.ERROR)  # What a client does wrong is no news to its user.
    asyncio.run(_server_class()(store, lambda: session, agent).run())


def _server_class() -> type[McpServer]:
    """The server, imported in two thirds of the time: agent programs do not wait long for theirs.

    The SDK makes hundreds of pydantic models. Looking for garbage among them takes a quarter of that, and
    looking for plugins of pydantic, which would be of no use, a tenth.
    """
    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"
    gc.disable()
    try:
        from msgcode.mcp.server import McpServer
    finally:
        gc.enable()
    return McpServer
