"""The payloads of Gemini CLI 0.61.0, as its hooks were given them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from msgcode.errors import BadInput
from msgcode.harness.description import Role
from msgcode.harness.gemini import payloads
from msgcode.harness.gemini.description import HARNESS
from msgcode.harness.sessions import Conversation
from msgcode.model import Activity

RECORDED: dict[str, dict[str, Any]] = json.loads(Path(__file__).with_name("recorded.json").read_text())
"""By the event's name and its kind."""


def test_every_event_that_we_hook_was_recorded() -> None:
    assert {hook.event for hook in HARNESS.hooks} <= {one["hook_event_name"] for one in RECORDED.values()}


@pytest.mark.parametrize("payload", RECORDED.values(), ids=RECORDED)
def test_every_payload_names_its_conversation(payload: dict[str, Any]) -> None:
    found = payloads.conversation(payload)

    assert found.id == payload["session_id"]
    assert found.transcript is not None
    assert found.transcript.endswith(f"{found.id[:8]}.jsonl")
    assert found.directory == "/home/ann/project"


@pytest.mark.parametrize(("event", "continues"), [("startup", False), ("resume", False), ("clear", True)])
def test_a_cleared_conversation_goes_on_in_a_new_one(event: str, continues: bool) -> None:
    assert payloads.conversation(RECORDED[f"SessionStart {event}"]).continues is continues


@pytest.mark.parametrize("payload", [{}, {"session_id": ""}, {"session_id": 5}])
def test_a_payload_without_a_conversation_is_refused(payload: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="session_id"):
        payloads.conversation(payload)


def test_what_else_is_missing_is_not_known() -> None:
    assert payloads.conversation({"session_id": "c1", "transcript_path": ""}) == Conversation("c1")


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("exec", "it waits for its user: Confirm Shell Command: sleep 3; echo hi"),
        ("edit", "it waits for its user: Confirm Write: a.txt"),
        ("mcp", "it waits for its user: Confirm MCP Tool Execution: send_message (msgcode MCP Server)"),
        ("info", "it waits for its user: Confirm Web Fetch: summarise http://127.0.0.1:1/x"),
        ("ask_user", "it waits for its user: Ask User"),
    ],
)
def test_it_is_blocked_while_it_asks_its_user(kind: str, reason: str) -> None:
    found = payloads.presence(Role.ASK, RECORDED[f"Notification {kind}"])

    assert found == (Activity.BLOCKED, reason)


@pytest.mark.parametrize("details", [None, "x", {"title": 5, "command": ["rm"]}])
def test_it_is_blocked_whatever_it_asks(details: object) -> None:
    assert payloads.presence(Role.ASK, {"details": details}) == (Activity.BLOCKED, "it waits for its user")


def test_a_reason_is_one_line_of_bounded_length() -> None:
    asked = {"title": "Confirm", "command": "echo 1\necho \x1b[31m" + "2" * 1000}

    found = payloads.presence(Role.ASK, {"details": asked})

    assert found is not None
    assert found[1] is not None
    assert len(found[1]) <= 500
    assert found[1].isprintable()


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ASK])
def test_other_roles_say_by_themselves_what_it_is_doing(role: Role) -> None:
    assert payloads.presence(role, RECORDED["AfterAgent"]) is None


@pytest.mark.parametrize(("role", "event"), [(Role.PROMPT, "BeforeAgent"), (Role.TOOL, "AfterTool")])
def test_a_text_goes_with_what_the_model_is_told_anyway(role: Role, event: str) -> None:
    out, err, code = payloads.output(role, 'line 1\n> "quoted"')

    assert (err, code) == ("", 0)
    told = {"hookEventName": event, "additionalContext": 'line 1\n> "quoted"'}
    assert json.loads(out) == {"hookSpecificOutput": told}


def test_at_the_end_of_a_turn_a_text_begins_the_next() -> None:
    out, err, code = payloads.output(Role.STOP, "line 1\n> x")

    assert (err, code) == ("", 0)
    assert json.loads(out) == {"decision": "block", "reason": "line 1\n> x"}
