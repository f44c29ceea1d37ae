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

_PERMISSIONS = {
    "exec": ("a shell command", "command"),
    "edit": ("a change", "filePath"),
    "mcp": ("a tool", "toolDisplayName"),
    "info": ("a look-up", "prompt"),
}
"""What it asks for, by the kind of the question, and which detail says best what it is."""


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
    kind = _text(asked, "type") or ""
    what, key = _PERMISSIONS.get(kind, ("something", "title"))
    detail = _text(asked, key)
    if kind == "ask_user":
        reason = "a question to its user"
    else:
        reason = f"permission for {what}: {detail}" if detail else f"permission for {what}"
    return Activity.BLOCKED, visible_line(reason)[:MAX_LINE]


def output(role: Role, text: str) -> tuple[str, str, int]:
    """What hands the text to the model: for standard output, for standard error, and the exit code."""
    answer: dict[str, Any]
    if role is Role.STOP:
        answer = {"decision": "block", "reason": text}  # The reason is its next prompt.
    else:
        answer = {"hookSpecificOutput": {"hookEventName": _CONTEXT[role], "additionalContext": text}}
    return json.dumps(answer), "", 0


def told(transcript: bytes) -> bytes:
    """What its model has been told: what stands in the conversation in the end, and has been answered.

    When its user breaks off a turn, Gemini CLI takes all that was said in it out of the conversation again,
    and writes down what is left. It also writes down what it shows to its user only.
    """
    conversation: dict[object, tuple[object, bytes]] = {}
    for line in transcript.splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            continue  # Its beginning is cut off.
        if not isinstance(record, dict):
            continue
        changed = record.get("$set")
        if isinstance(changed, dict) and isinstance(changed.get("messages"), list):
            whole = [one for one in changed["messages"] if isinstance(one, dict)]
            conversation = {one.get("id"): (one.get("type"), json.dumps(one).encode()) for one in whole}
        elif record.get("type") in ("user", "gemini"):
            conversation[record.get("id")] = record["type"], line
    said = [*conversation.values()]
    answers = [index for index, (kind, _) in enumerate(said) if kind == "gemini"]
    return b"\n".join(text for kind, text in said[: answers[-1] if answers else 0] if kind == "user")


def _text(of: dict[str, Any], key: str) -> str | None:
    found = of.get(key)
    return found if isinstance(found, str) and found else None
