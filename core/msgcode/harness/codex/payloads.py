"""What Codex tells its hooks, and what they answer."""

from __future__ import annotations

import json
from typing import Any

from msgcode.checks import MAX_LINE
from msgcode.errors import BadInput
from msgcode.harness.description import Role
from msgcode.harness.sessions import Conversation
from msgcode.model import Activity
from msgcode.text import visible_line

EVENTS = {Role.START: "SessionStart", Role.PROMPT: "UserPromptSubmit", Role.TOOL: "PostToolUse"}
"""The hooks that may add to what the model is told."""

MAX_AT_STOP = 10_000
"""Bytes of a text that the model is told at the end of a turn; of a longer one Codex cuts out the middle."""


def conversation(payload: dict[str, Any]) -> Conversation | None:
    """Which conversation a payload is about; None if it is a subagent's. Raises BadInput if it is none."""
    id = payload.get("session_id")
    if not isinstance(id, str) or not id:
        raise BadInput("a hook of Codex is told a session_id.")
    if payload.get("agent_id"):
        return None
    return Conversation(id, _text(payload, "transcript_path"), _text(payload, "cwd"))


def presence(role: Role, payload: dict[str, Any]) -> tuple[Activity, str | None] | None:
    """What the session is doing, as a payload says it, where the role alone does not."""
    if role is not Role.ASK:
        return None
    if payload.get("hook_event_name") == "Interrupt":
        return Activity.IDLE, None  # Its user has broken the turn off; there is no Stop then.
    tool = _text(payload, "tool_name") or "a tool"
    given = payload.get("tool_input")
    command = given.get("command") if isinstance(given, dict) else None
    what = f"{tool}: {command}" if isinstance(command, str) else tool
    return Activity.BLOCKED, visible_line(f"permission for {what}")[:MAX_LINE]


def output(role: Role, text: str) -> tuple[str, str, int]:
    """What hands the text to the model: for standard output, for standard error, and the exit code.

    Nothing if it is too much for the end of a turn: a wake-up brings it whole.
    """
    if role is Role.STOP:
        if len(text.encode()) > MAX_AT_STOP:
            return "", "", 0
        answer: dict[str, object] = {"decision": "block", "reason": text}
    else:
        answer = {"hookSpecificOutput": {"hookEventName": EVENTS[role], "additionalContext": text}}
    return json.dumps(answer), "", 0


def _text(payload: dict[str, Any], key: str) -> str | None:
    value = payload.get(key)
    return value if isinstance(value, str) and value else None


def told(transcript: bytes) -> bytes:
    """What its model has been told: it writes down nothing else."""
    return transcript
