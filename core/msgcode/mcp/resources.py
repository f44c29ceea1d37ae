"""What an MCP client can read without a tool: the room, and the inbox of each of its agents."""

from __future__ import annotations

from mcp.types import Resource, ResourceTemplate

from msgcode import tools
from msgcode.prompt import numbered
from msgcode.tools import Caller

ROOM = "msgcode://room"
INBOX = "msgcode://inbox/"
TEXT = "text/plain"

TEMPLATE = ResourceTemplate(
    name="inbox",
    title="Inbox",
    uri_template=f"{INBOX}{{agent}}",
    description="What waits for an agent of this session; to read it here marks nothing as delivered.",
    mime_type=TEXT,
)


def listed(caller: Caller) -> list[Resource]:
    """The resources that there are for the caller's session. Raises Unavailable."""
    room = Resource(
        name="room",
        title="The room",
        uri=ROOM,
        description="Who is there and what they are doing, and the channels.",
        mime_type=TEXT,
    )
    inboxes = [
        Resource(
            name=f"inbox of {agent}",
            title=f"Inbox of {agent}",
            uri=f"{INBOX}{agent}",
            description=TEMPLATE.description,
            mime_type=TEXT,
        )
        for agent in caller.agents()
    ]
    return [room, *inboxes]


def read(caller: Caller, uri: str) -> str | None:
    """The resource as text; None if there is no such for the caller's session. Raises Unavailable."""
    if uri == ROOM:
        lists = [tools.call(caller, name, {}).text for name in ("list_agents", "list_channels")]
        return "Agents:\n{}\n\nChannels:\n{}".format(*lists)
    agent = uri.removeprefix(INBOX)
    if agent == uri or agent not in caller.agents():
        return None
    waiting = caller.store.inbox(agent)
    head = f'{len(waiting)} message(s) for {agent}. Lines that begin with ">" were written by the sender.'
    return "\n\n".join([head, *numbered(waiting)])
