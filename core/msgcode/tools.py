"""The tools that an agent calls: oh-my-msgcode's eleven, with its names and arguments, and reply_message.

A tool is data (name, description, JSON schemas) and a function (`tool_deeds.py`) from a caller and checked
arguments to a text for a language model, and the same as data. OpenCode's plugin and the MCP server offer
the same ones.
"""

from __future__ import annotations

from msgcode import schemas, tool_deeds
from msgcode.caller import Caller, ToolAnswer
from msgcode.errors import BadInput, MsgcodeError
from msgcode.record import Record
from msgcode.text import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["MAX_WAIT", "TOOLS", "TOOLS_TO_FETCH", "Caller", "Tool", "ToolAnswer", "call"]


class Tool(Record):
    """One tool."""

    name: str
    title: str
    """What people call it."""
    description: str
    parameters: dict[str, Any]
    """The JSON schema of its arguments."""
    answers: dict[str, Any]
    """The JSON schema of its answer's data."""
    run: Callable[[Caller, dict[str, Any]], ToolAnswer]
    reads: bool = False
    """It changes nothing."""
    removes: bool = False
    """It takes something away that was there before."""
    repeatable: bool = False
    """Done twice it does no more than done once."""


def call(caller: Caller, name: str, arguments: Any, tools: dict[str, Tool] | None = None) -> ToolAnswer:
    """Run a tool. Never raises for what the model asked: its answer says what was wrong.

    tools: those that are offered, if not TOOLS.
    """
    tools = tools or TOOLS
    tool = tools.get(name)
    if not tool:
        text = f"Error: there is no tool {name[:80]!r}: use one of {', '.join(tools)}."
        return ToolAnswer(visible(text), ok=False)
    if isinstance(arguments, dict):
        # Many models write null for what they leave out.
        arguments = {key: value for key, value in arguments.items() if value is not None}
    try:
        _check(tool, arguments)
        return tool.run(caller, arguments)
    except MsgcodeError as error:
        return ToolAnswer(visible(f"Error: {error}"), ok=False)


def _check(tool: Tool, arguments: Any) -> None:
    import jsonschema  # It takes 0.1 s to import, and a host must answer sooner than that.

    validator = jsonschema.Draft202012Validator(tool.parameters)
    found = sorted(validator.iter_errors(arguments), key=lambda error: error.json_path)
    if found:
        wrong = "; ".join(
            error.message if error.json_path == "$" else f"{error.json_path[2:]}: {error.message}"
            for error in found
        )
        needed = ", ".join(tool.parameters["required"]) or "nothing"
        known = ", ".join(tool.parameters["properties"]) or "no arguments"
        raise BadInput(f"{tool.name}: {wrong[:500]}. It takes {known}, and needs {needed}.")


# The list of them

_BY_ITSELF = "It comes to them by itself, and so does their answer to you."

_ALL = [
    Tool(
        "register_agent",
        "Register an agent",
        "Register yourself as an agent, to send messages to other agents and get theirs. Call this first. "
        "Messages then come to this session by themselves.",
        schemas.takes(
            {"agent_id": schemas.ID},
            {
                "name": schemas.text("What people read"),
                "description": schemas.text("What you do"),
                "takeover": {
                    "type": "boolean",
                    "description": "Take the agent from another live session; only if your user wants that",
                },
            },
        ),
        schemas.AGENT_ANSWER,
        tool_deeds.register_agent,
        repeatable=True,
    ),
    Tool(
        "unregister_agent",
        "Unregister an agent",
        "Take your agent out of the room.",
        schemas.takes({"agent_id": schemas.ID}),
        schemas.GONE_ANSWER,
        tool_deeds.unregister_agent,
        removes=True,
    ),
    Tool(
        "send_message",
        "Send a message",
        f"Send a message to another agent. {_BY_ITSELF} "
        'To have a human decide, say in the metadata what there is to choose: choices, such as "yes | no | '
        'later"; and so that you are not kept waiting, deadline (in minutes) and default (the safe one of '
        "the choices, which is your answer when the time is over).",
        schemas.takes(
            {"to": schemas.TO, "body": schemas.BODY},
            {
                "from": schemas.OWN,
                "subject": schemas.SUBJECT,
                "channel": schemas.text("A channel that it belongs to"),
                "priority": schemas.PRIORITY,
                "ttl_minutes": {
                    "type": "number",
                    "exclusiveMinimum": 0,
                    "description": "Expire if it has not been delivered by then",
                },
                "metadata": schemas.METADATA,
            },
        ),
        schemas.MESSAGE_ANSWER,
        tool_deeds.send_message,
    ),
    Tool(
        "reply_message",
        "Answer a message",
        "Answer a message that you were sent. It goes to its sender.",
        schemas.takes(
            {"message_id": schemas.MESSAGE_ID, "body": schemas.BODY},
            {
                "from": schemas.OWN,
                "subject": schemas.SUBJECT,
                "priority": schemas.PRIORITY,
                "metadata": schemas.METADATA,
            },
        ),
        schemas.MESSAGE_ANSWER,
        tool_deeds.reply_message,
    ),
    Tool(
        "broadcast_message",
        "Send a message to a channel",
        "Send a message to all other members of a channel.",
        schemas.takes(
            {"channel": schemas.CHANNEL_ID, "body": schemas.BODY},
            {"from": schemas.OWN, "subject": schemas.SUBJECT, "priority": schemas.PRIORITY},
        ),
        schemas.MESSAGE_ANSWER,
        tool_deeds.broadcast_message,
    ),
    Tool(
        "check_messages",
        "Read the inbox",
        "Read your inbox again. Hardly ever needed: messages come to you by themselves.",
        schemas.takes(
            {},
            {
                "agent_id": schemas.OWN,
                "channel": schemas.text("Only of this channel"),
                "from": schemas.text("Only from this agent"),
                "priority": {**schemas.PRIORITY, "description": "Only of this priority"},
                "limit": {"type": "integer", "minimum": 1, "description": "At most so many; default: 50"},
            },
        ),
        schemas.MESSAGES_ANSWER,
        tool_deeds.check_messages,
        repeatable=True,
    ),
    Tool(
        "ack_message",
        "Acknowledge a message",
        "Acknowledge a message: you are done with it. Do so for each message, once.",
        schemas.takes({"message_id": schemas.MESSAGE_ID}, {"agent_id": schemas.OWN}),
        schemas.MESSAGE_ANSWER,
        tool_deeds.ack_message,
        repeatable=True,
    ),
    Tool(
        "list_agents",
        "List the agents",
        "List the agents that you can send messages to.",
        schemas.takes({}),
        schemas.AGENTS_ANSWER,
        tool_deeds.list_agents,
        reads=True,
    ),
    Tool(
        "create_channel",
        "Open a channel",
        "Open a channel; you are its first member.",
        schemas.takes(
            {"channel_id": schemas.CHANNEL_ID},
            {
                "name": schemas.text("What people read"),
                "description": schemas.text("What it is for"),
                "agent_id": schemas.OWN,
            },
        ),
        schemas.CHANNEL_ANSWER,
        tool_deeds.create_channel,
    ),
    Tool(
        "join_channel",
        "Join a channel",
        "Join a channel: its broadcasts come to you.",
        schemas.takes({"channel_id": schemas.CHANNEL_ID}, {"agent_id": schemas.OWN}),
        schemas.CHANNEL_ANSWER,
        tool_deeds.join_channel,
        repeatable=True,
    ),
    Tool(
        "leave_channel",
        "Leave a channel",
        "Leave a channel.",
        schemas.takes({"channel_id": schemas.CHANNEL_ID}, {"agent_id": schemas.OWN}),
        schemas.CHANNEL_ANSWER,
        tool_deeds.leave_channel,
        removes=True,
        repeatable=True,
    ),
    Tool(
        "list_channels",
        "List the channels",
        "List the channels and their members.",
        schemas.takes({}),
        schemas.CHANNELS_ANSWER,
        tool_deeds.list_channels,
        reads=True,
    ),
]
TOOLS = {tool.name: tool for tool in _ALL}
"""The tools by name."""

MAX_WAIT = 300
"""Seconds for which check_messages may wait."""


def _to_fetch() -> dict[str, Tool]:
    register, send, check = TOOLS["register_agent"], TOOLS["send_message"], TOOLS["check_messages"]
    wait = {
        "type": "integer",
        "minimum": 0,
        "maximum": MAX_WAIT,
        "description": "If there are none, wait up to so many seconds for the first; many programs end a "
        "call that takes longer than 60",
    }
    replaced = [
        register._replace(
            description="Register yourself as an agent, to send messages to other agents and get theirs. "
            "Call this first; then look for messages with check_messages."
        ),
        send._replace(
            description=send.description.replace(_BY_ITSELF, "Look for their answer with check_messages.")
        ),
        check._replace(
            description="Read your inbox: the messages that you have not acknowledged. With wait_seconds, "
            "wait for one if there is none: do so when you wait for an answer, and have nothing else to do.",
            parameters=schemas.takes({}, {**check.parameters["properties"], "wait_seconds": wait}),
        ),
    ]
    return {**TOOLS, **{tool.name: tool for tool in replaced}}


TOOLS_TO_FETCH = _to_fetch()
"""The same for a session to which no messages are brought, so that its agents have to look for them.

Whoever runs `check_messages` sees to it that it waits.
"""
