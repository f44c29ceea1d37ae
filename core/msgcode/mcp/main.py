"""`msgcode mcp`: one MCP server, for the agent program that starts it."""

from __future__ import annotations

import asyncio
import gc
import logging
import os

from msgcode.calls import agent_id
from msgcode.checks import check_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from msgcode.harness.description import Harness
    from msgcode.mcp.guest import Guest
    from msgcode.mcp.server import McpServer
    from msgcode.store import Store


def main(store: Store, harness: Harness | None) -> None:
    """Serve the client on standard input and output until it has gone, or a signal ends it.

    harness: the program, if it is one whose hooks bring messages. Raises BadInput if these are no pipes, or
    MSGCODE_AGENT is no id.
    """
    agent = agent_id(os.environ.get("MSGCODE_AGENT"))
    if agent:
        check_id("agent", agent)
    logging.getLogger("mcp").setLevel(logging.ERROR)  # What a client does wrong is no news to its user.
    server = _server_class()
    asyncio.run(server(store, _guest(store, harness), agent, brought=harness is not None).run())


def _guest(store: Store, harness: Harness | None) -> Guest:
    if harness:
        from msgcode.harness.company import Company

        return Company(store, harness)
    from msgcode.mcp.guest import Client

    return Client(store)


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
