"""The payloads of Gemini CLI's hooks, and the answers that it takes."""

from __future__ import annotations

import json

from msgcode.checks import MAX_LINE
from msgcode.errors import BadInput
from msgcode.harness.description import Role
from msgcode.harness.sessions import Conversation
from msgcode.model import Activity
from msgcode.text import visible_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_CONTEXT = {Role.PROMPT: "BeforeAgent", Role.TOOL: "AfterTool"}
"""Where a text goes with what is there anyway: the user's prompt, a tool's answer."""

_ASKED = ("command", "toolDisplayName", "prompt")
"""What says best what is to be permitted where the title does not."""


def conversation(payload: dict[str, Any]) -> Conversation:
    """The conversation that the payload is about. Raises BadInput if it names none.

    After /clear it is a new one, with the agents of the one before.
    """
    id = payload.get("session_id")
    if not isinstance(id, str) or not id:
        raise BadInput("a hook of Gemini CLI is told a session_id.")
    return Conversation(
        id, _text(payload, "transcript_path"), _text(payload, "cwd"), payload.get("source") == "clear"
    )


def presence(role: Role, payload: dict[str, Any]) -> tuple[Activity, str | None] | None:
    """What the session is doing, where the role does not say it: what it asks its user."""
    if role is not Role.ASK:
        return None
    details = payload.get("details")
    asked = details if isinstance(details, dict) else {}
    words = [_text(asked, "title"), next(filter(None, (_text(asked, key) for key in _ASKED)), None)]
    reason = ": ".join(["it waits for its user", *filter(None, words)])
    return Activity.BLOCKED, visible_line(reason)[:MAX_LINE]


def output(role: Role, text: str) -> tuple[str, str, int]:
    """What hands the text to the model: for standard output, for standard error, and the exit code."""
    answer: dict[str, Any]
    if role is Role.STOP:
        answer = {"decision": "block", "reason": text}  # The reason is its next prompt.
    else:
        answer = {"hookSpecificOutput": {"hookEventName": _CONTEXT[role], "additionalContext": text}}
    return json.dumps(answer), "", 0


def _text(of: dict[str, Any], key: str) -> str | None:
    found = of.get(key)
    return found if isinstance(found, str) and found else None
