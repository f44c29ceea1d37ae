"""What Claude Code tells its hooks, and what they answer."""

from __future__ import annotations

import json
import re

from msgcode.checks import MAX_LINE
from msgcode.errors import BadInput
from msgcode.harness.description import Role
from msgcode.harness.sessions import Conversation
from msgcode.model import Activity
from msgcode.text import visible_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_ADDS_TO = {Role.PROMPT: "UserPromptSubmit", Role.TOOL: "PostToolBatch", Role.STOP: "Stop"}
"""The hooks that may add to what the model is told; at Stop it makes the turn go on."""

_REMINDER = re.compile(r"<(?=\s*/?\s*system-reminder)", re.IGNORECASE)
"""What frames all that hooks say; a body shall not end it, nor begin one of its own."""

_SAYS_WHAT = ("command", "file_path", "url", "query", "pattern")
"""The arguments of its own tools that say best what is to be permitted."""


def conversation(payload: dict[str, Any]) -> Conversation | None:
    """Which conversation a payload is about; None if it is a subagent's. Raises BadInput if it is none.

    After /clear it is a new one, with the agents of the one before.
    """
    id = _text(payload, "session_id")
    if not id:
        raise BadInput("a hook of Claude Code is told a session_id.")
    if payload.get("agent_id"):
        return None
    transcript, directory = _text(payload, "transcript_path"), _text(payload, "cwd")
    return Conversation(id, transcript, directory, payload.get("source") == "clear")


def presence(role: Role, payload: dict[str, Any]) -> tuple[Activity, str | None] | None:
    """What the session is doing, where the role does not say it: what it asks its user."""
    if role is not Role.ASK:
        return None
    tool = _text(payload, "tool_name") or "a tool"
    given = payload.get("tool_input")
    arguments = given if isinstance(given, dict) else {}
    what = next(filter(None, (_text(arguments, key) for key in _SAYS_WHAT)), None)
    if tool == "AskUserQuestion":
        reason = "a question to its user"
    else:
        reason = f"permission for {tool}: {what}" if what else f"permission for {tool}"
    return Activity.BLOCKED, visible_line(reason)[:MAX_LINE]


def output(role: Role, text: str) -> tuple[str, str, int]:
    """What hands the text to the model: for standard output, for standard error, and the exit code."""
    text = _REMINDER.sub(r"<\\", text)
    if role is Role.WAIT:
        return "", text, 2
    answer = {"hookSpecificOutput": {"hookEventName": _ADDS_TO[role], "additionalContext": text}}
    return json.dumps(answer), "", 0


def _text(of: dict[str, Any], key: str) -> str | None:
    found = of.get(key)
    return found if isinstance(found, str) and found else None


def told(transcript: bytes) -> bytes:
    """What its model has been told: it writes down nothing else."""
    return transcript
