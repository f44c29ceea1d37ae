"""The tools that an agent calls: oh-my-msgcode's eleven, with its names and arguments, and reply_message.

A tool is data (name, description, JSON schema) and a function from a caller and checked arguments to a
text for a language model. OpenCode's plugin and the MCP server offer the same ones.
"""

from __future__ import annotations

import functools
import json

from msgcode.calls import agent_id, channel_id
from msgcode.codec import message_json, to_json
from msgcode.errors import BadInput, MsgcodeError, Refused
from msgcode.model import Priority
from msgcode.prompt import numbered
from msgcode.record import Record
from msgcode.text import visible, visible_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from jsonschema.protocols import Validator

    from msgcode.model import Message, Session
    from msgcode.store import Store


class ToolAnswer(Record):
    """What a tool has to say to the model that called it."""

    text: str
    ok: bool = True
    """False if it was refused or not understood; nothing was changed then, and the text says what to do."""


class Caller(Record):
    """Who calls a tool: a session, which may speak only for the agents that live in it."""

    store: Store
    session: Session

    def agents(self) -> list[str]:
        """The agents that live in the session."""
        return [
            agent.id for agent in self.store.agents() if agent.session and agent.session.id == self.session.id
        ]

    def agent(self, id: str | None, among: tuple[str, ...] | None = None) -> str:
        """The agent that acts: `id`, or if none is given the only one there is (`among` these).

        Raises Refused if it does not live in the session, and BadInput if it is not clear which one acts.
        """
        own = self.agents()
        if id is not None:
            id = id.removeprefix("@")
            if id in own:
                return id
            yours = f"yours: {', '.join(own)}" if own else "it has none"
            raise Refused(
                f"agent {id!r} does not live in this session ({yours}), and a session speaks only for its "
                "own: call register_agent first."
            )
        if not own:
            raise Refused("no agent lives in this session: call register_agent first.")
        candidates = [agent for agent in own if among is None or agent in among] or own
        if len(candidates) > 1:
            raise BadInput(f"say which of your agents acts: {', '.join(candidates)}.")
        return candidates[0]


class Tool(Record):
    """One tool. `parameters` is the JSON schema of its arguments."""

    name: str
    description: str
    parameters: dict[str, Any]
    run: Callable[[Caller, dict[str, Any]], str]


def call(caller: Caller, name: str, arguments: Any) -> ToolAnswer:
    """Run a tool. Never raises for what the model asked: its answer says what was wrong."""
    tool = TOOLS.get(name)
    if not tool:
        return ToolAnswer(f"Error: there is no tool {name!r}: use one of {', '.join(TOOLS)}.", ok=False)
    if isinstance(arguments, dict):
        # Many models write null for what they leave out.
        arguments = {key: value for key, value in arguments.items() if value is not None}
    try:
        _check(tool, arguments)
        return ToolAnswer(tool.run(caller, arguments))
    except MsgcodeError as error:
        return ToolAnswer(visible(f"Error: {error}"), ok=False)


def _check(tool: Tool, arguments: Any) -> None:
    found = sorted(_validator(tool.name).iter_errors(arguments), key=lambda error: error.json_path)
    if found:
        wrong = "; ".join(
            error.message if error.json_path == "$" else f"{error.json_path[2:]}: {error.message}"
            for error in found
        )
        needed = ", ".join(tool.parameters["required"]) or "nothing"
        known = ", ".join(tool.parameters["properties"]) or "no arguments"
        raise BadInput(f"{tool.name}: {wrong[:500]}. It takes {known}, and needs {needed}.")


@functools.cache
def _validator(name: str) -> Validator:
    import jsonschema  # It takes 0.1 s to import, and a host must answer sooner than that.

    return jsonschema.Draft202012Validator(TOOLS[name].parameters)


# What each tool does


def _register_agent(caller: Caller, given: dict[str, Any]) -> str:
    agent = caller.store.register(
        given["agent_id"].removeprefix("@"),
        given.get("name"),
        given.get("description"),
        session=caller.session,
        takeover=given.get("takeover", False),
    )
    waiting = caller.store.waiting(agent.id)
    more = f" {waiting} waiting messages will follow." if waiting else ""
    return f"Registered. Messages for {agent.id} come to this session by themselves.{more}\n{_json(agent)}"


def _unregister_agent(caller: Caller, given: dict[str, Any]) -> str:
    agent = caller.agent(given["agent_id"])
    caller.store.unregister(agent)
    return f"Agent {agent} is unregistered."


def _send_message(caller: Caller, given: dict[str, Any]) -> str:
    ttl = given.get("ttl_minutes")
    message = caller.store.send(
        caller.agent(given.get("from")),
        given["to"].removeprefix("@"),
        given["body"],
        subject=given.get("subject"),
        channel=channel_id(given.get("channel")),
        priority=given.get("priority", Priority.NORMAL),
        ttl=ttl * 60 if ttl is not None else None,
        metadata=_metadata(given),
    )
    return _sent(caller, message, "Message sent.")


def _reply_message(caller: Caller, given: dict[str, Any]) -> str:
    store = caller.store
    question = store.message(store.resolve(given["message_id"]))
    message = store.send(
        caller.agent(given.get("from"), question.recipients),
        question.sender,
        given["body"],
        subject=given.get("subject"),
        channel=question.channel,
        priority=given.get("priority", Priority.NORMAL),
        metadata=_metadata(given),
        reply_to=question.id,
    )
    return _sent(caller, message, f"Reply sent to {message.recipients[0]}.")


def _broadcast_message(caller: Caller, given: dict[str, Any]) -> str:
    channel = given["channel"].removeprefix("#")
    message = caller.store.broadcast(
        caller.agent(given.get("from")),
        channel,
        given["body"],
        subject=given.get("subject"),
        priority=given.get("priority", Priority.NORMAL),
    )
    count = len(message.deliveries)
    return _sent(caller, message, f"Broadcast sent to {count} member{'s' * (count != 1)} in #{channel}.")


def _sent(caller: Caller, message: Message, what: str) -> str:
    warnings = [f"Warning: {visible_line(warning)}" for warning in caller.store.warnings(message)]
    return "\n".join([what, *warnings, _message_json(message)])


def _check_messages(caller: Caller, given: dict[str, Any]) -> str:
    found = caller.store.check(
        caller.agent(given.get("agent_id")),
        channel=channel_id(given.get("channel")),
        sender=agent_id(given.get("from")),
        priority=given.get("priority"),
        limit=given.get("limit", 50),
    )
    if not found:
        return "0 messages. No need to look again: new ones come by themselves."
    head = f'{len(found)} message(s). Lines that begin with ">" were written by the sender.'
    return "\n\n".join([head, *numbered(found)])


def _ack_message(caller: Caller, given: dict[str, Any]) -> str:
    store = caller.store
    message = store.message(store.resolve(given["message_id"]))
    agent = caller.agent(given.get("agent_id"), message.recipients)
    (done,) = store.acknowledge(agent, message.id)
    return f"Acknowledged.\n{_message_json(done)}"


def _list_agents(caller: Caller, given: dict[str, Any]) -> str:
    own = caller.agents()
    lines = []
    for agent in caller.store.agents():
        presence = caller.store.presence(agent.id)
        who = f"{agent.id} (you)" if agent.id in own else f"{agent.id} (a human)" if agent.human else agent.id
        doing = f"{presence.activity}: {presence.reason}" if presence.reason else presence.activity
        about = [agent.name if agent.name != agent.id else None, agent.description]
        lines.append(visible_line(", ".join([who, doing, *filter(None, about)])))
    return "\n".join(lines) or "No agents are registered yet: call register_agent."


def _create_channel(caller: Caller, given: dict[str, Any]) -> str:
    channel = caller.store.create_channel(
        given["channel_id"].removeprefix("#"),
        caller.agent(given.get("agent_id")),
        given.get("name"),
        given.get("description"),
    )
    return f"Channel #{channel.id} created.\n{_json(channel)}"


def _join_channel(caller: Caller, given: dict[str, Any]) -> str:
    channel = caller.store.join(given["channel_id"].removeprefix("#"), caller.agent(given.get("agent_id")))
    return f"Joined #{channel.id}. Members: {', '.join(channel.members)}."


def _leave_channel(caller: Caller, given: dict[str, Any]) -> str:
    channel = caller.store.leave(given["channel_id"].removeprefix("#"), caller.agent(given.get("agent_id")))
    return f"Left #{channel.id}. Members: {', '.join(channel.members) or 'nobody'}."


def _list_channels(caller: Caller, given: dict[str, Any]) -> str:
    lines = [
        f"#{channel.id}, {visible_line(channel.name)}, members: {', '.join(channel.members) or 'nobody'}"
        for channel in caller.store.channels()
    ]
    return "\n".join(lines) or "There are no channels yet: call create_channel."


def _metadata(given: dict[str, Any]) -> dict[str, str]:
    return {
        key: value if isinstance(value, str) else json.dumps(value)
        for key, value in given.get("metadata", {}).items()
    }


def _json(record: tuple[Any, ...]) -> str:
    return _shortened(to_json(record), ("session", "boundAt", "human"))


def _message_json(message: Message) -> str:
    return _shortened(message_json(message), ("deliveries", "seq", "cause", "hops", "human"))


def _shortened(found: dict[str, Any], left_out: tuple[str, ...]) -> str:
    """JSON of what is of use to a model, as oh-my-msgcode gives it."""
    return json.dumps({key: found[key] for key in found if key not in left_out}, ensure_ascii=False)


# The schemas


def _object(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }


def _text(description: str) -> dict[str, Any]:
    return {"type": "string", "description": description}


_ID = _text("Id of the agent: letters, digits, '.', '_' or '-'")
_OWN = _text("Which of your agents acts; needed only if this session has several")
_TO = _text("Id of the recipient; list_agents shows who is there")
_BODY = _text("What you have to say: be specific about what you need")
_SUBJECT = _text("A short summary")
_PRIORITY = {
    "type": "string",
    "enum": [str(priority) for priority in Priority],
    "description": "Default: normal",
}
_METADATA = {
    "type": "object",
    "additionalProperties": {"type": ["string", "number", "boolean"]},
    "description": "Extra context by name, such as a file and line",
}
_MESSAGE = _text("Id of the message, as it was given to you; its first 8 characters will do")
_CHANNEL = _text("Id of the channel")

_ALL = [
    Tool(
        "register_agent",
        "Register yourself as an agent, to send messages to other agents and get theirs. Call this first. "
        "Messages then come to this session by themselves.",
        _object(
            {"agent_id": _ID},
            {
                "name": _text("What people read"),
                "description": _text("What you do"),
                "takeover": {
                    "type": "boolean",
                    "description": "Take the agent from another live session; only if your user wants that",
                },
            },
        ),
        _register_agent,
    ),
    Tool(
        "unregister_agent",
        "Take your agent out of the room.",
        _object({"agent_id": _ID}),
        _unregister_agent,
    ),
    Tool(
        "send_message",
        "Send a message to another agent. It comes to them by itself, and so does their answer to you. "
        'To have a human decide, say in the metadata what there is to choose: choices, such as "yes | no | '
        'later"; and so that you are not kept waiting, deadline (in minutes) and default (the safe one of '
        "the choices, which is your answer when the time is over).",
        _object(
            {"to": _TO, "body": _BODY},
            {
                "from": _OWN,
                "subject": _SUBJECT,
                "channel": _text("A channel that it belongs to"),
                "priority": _PRIORITY,
                "ttl_minutes": {
                    "type": "number",
                    "exclusiveMinimum": 0,
                    "description": "Expire if it has not been delivered by then",
                },
                "metadata": _METADATA,
            },
        ),
        _send_message,
    ),
    Tool(
        "reply_message",
        "Answer a message that you were sent. It goes to its sender.",
        _object(
            {"message_id": _MESSAGE, "body": _BODY},
            {"from": _OWN, "subject": _SUBJECT, "priority": _PRIORITY, "metadata": _METADATA},
        ),
        _reply_message,
    ),
    Tool(
        "broadcast_message",
        "Send a message to all other members of a channel.",
        _object(
            {"channel": _CHANNEL, "body": _BODY},
            {"from": _OWN, "subject": _SUBJECT, "priority": _PRIORITY},
        ),
        _broadcast_message,
    ),
    Tool(
        "check_messages",
        "Read your inbox again. Hardly ever needed: messages come to you by themselves.",
        _object(
            {},
            {
                "agent_id": _OWN,
                "channel": _text("Only of this channel"),
                "from": _text("Only from this agent"),
                "priority": {**_PRIORITY, "description": "Only of this priority"},
                "limit": {"type": "integer", "minimum": 1, "description": "At most so many; default: 50"},
            },
        ),
        _check_messages,
    ),
    Tool(
        "ack_message",
        "Acknowledge a message: you are done with it. Do so for each message, once.",
        _object({"message_id": _MESSAGE}, {"agent_id": _OWN}),
        _ack_message,
    ),
    Tool("list_agents", "List the agents that you can send messages to.", _object({}), _list_agents),
    Tool(
        "create_channel",
        "Open a channel; you are its first member.",
        _object(
            {"channel_id": _CHANNEL},
            {"name": _text("What people read"), "description": _text("What it is for"), "agent_id": _OWN},
        ),
        _create_channel,
    ),
    Tool(
        "join_channel",
        "Join a channel: its broadcasts come to you.",
        _object({"channel_id": _CHANNEL}, {"agent_id": _OWN}),
        _join_channel,
    ),
    Tool(
        "leave_channel",
        "Leave a channel.",
        _object({"channel_id": _CHANNEL}, {"agent_id": _OWN}),
        _leave_channel,
    ),
    Tool("list_channels", "List the channels and their members.", _object({}), _list_channels),
]
TOOLS = {tool.name: tool for tool in _ALL}
"""The tools by name."""
