"""The JSON schemas that the tools are made of: what they take, and what they answer."""

from __future__ import annotations

from msgcode.model import Priority

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def takes(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    """The schema of arguments by name."""
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }


def answers(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    """The schema of an answer's data; in any answer there can be a notice to whoever reads it."""
    return {
        "type": "object",
        "properties": {**required, **(optional or {}), "notice": text("What you should know besides")},
        "required": list(required),
    }


def text(description: str) -> dict[str, Any]:
    """The schema of a text."""
    return {"type": "string", "description": description}


def _record(*required: str, **other: Any) -> dict[str, Any]:
    properties = {**{key: {"type": "string"} for key in required}, **other}
    return {"type": "object", "properties": properties, "required": list(properties)}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


TEXT: dict[str, Any] = {"type": "string"}
TEXTS = _list(TEXT)

# What tools take

ID = text("Id of the agent: letters, digits, '.', '_' or '-'")
OWN = text("Which of your agents acts; needed only if this session has several")
TO = text("Id of the recipient; list_agents shows who is there")
BODY = text("What you have to say: be specific about what you need")
SUBJECT = text("A short summary")
PRIORITY = {
    "type": "string",
    "enum": [str(priority) for priority in Priority],
    "description": "Default: normal",
}
METADATA = {
    "type": "object",
    "additionalProperties": {"type": ["string", "number", "boolean"]},
    "description": "Extra context by name, such as a file and line",
}
MESSAGE_ID = text("Id of the message, as it was given to you; its first 8 characters will do")
CHANNEL_ID = text("Id of the channel")

# What they answer

AGENT = _record("id", "name", "registeredAt")
MESSAGE = _record(
    "id", "from", "body", "createdAt", "status", to={"type": ["string", "array"], "items": TEXT}
)
CHANNEL = _record("id", "name", members=TEXTS)
PRESENT = _record("id", "name", "activity", yours={"type": "boolean"})
AGENT_ANSWER = answers({"agent": AGENT})
MESSAGE_ANSWER = answers({"message": MESSAGE}, {"warnings": TEXTS})
MESSAGES_ANSWER = answers({"messages": _list(MESSAGE)})
CHANNEL_ANSWER = answers({"channel": CHANNEL})
AGENTS_ANSWER = answers({"agents": _list(PRESENT)})
CHANNELS_ANSWER = answers({"channels": _list(CHANNEL)})
GONE_ANSWER = answers({"agent_id": TEXT})
