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
        ("exec", "permission for a shell command: sleep 3; echo hi"),
        ("edit", "permission for a change: /home/ann/project/a.txt"),
        ("mcp", "permission for a tool: send_message (msgcode MCP Server)"),
        ("info", "permission for a look-up: summarise http://127.0.0.1:1/x"),
        ("ask_user", "a question to its user"),
    ],
)
def test_it_is_blocked_while_it_asks_its_user(kind: str, reason: str) -> None:
    found = payloads.presence(Role.ASK, RECORDED[f"Notification {kind}"])

    assert found == (Activity.BLOCKED, reason)


@pytest.mark.parametrize("details", [None, "x", {"type": 5, "title": ["x"]}])
def test_it_is_blocked_whatever_it_asks(details: object) -> None:
    found = payloads.presence(Role.ASK, {"details": details})

    assert found == (Activity.BLOCKED, "permission for something")


def test_a_reason_is_one_line_of_bounded_length() -> None:
    asked = {"type": "exec", "command": "echo 1\necho \x1b[31m" + "2" * 1000}

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


def recording(*records: object) -> bytes:
    """A recording of these records."""
    return "".join(json.dumps(record) + "\n" for record in records).encode()


def said(id: str, text: str, kind: str = "user") -> dict[str, Any]:
    """A record of what was said."""
    return {"id": id, "type": kind, "content": [{"text": text}]}


HEAD = {"sessionId": "c1", "kind": "main"}
CONTEXT = said("u0", "<session_context>")
OK = said("g1", "ok", "gemini")
OK_TOO = said("g2", "ok", "gemini")


def test_what_has_been_answered_was_told() -> None:
    text = recording(
        HEAD, {"$set": {"messages": [CONTEXT]}}, said("u1", "id m-1,"), OK, said("u2", "id m-2,")
    )

    found = payloads.told(text)

    assert b"id m-1," in found
    assert b"id m-2," not in found, "it may still be broken off"


def test_what_a_tools_answer_brought_was_told_once_the_model_goes_on() -> None:
    result = {"functionResponse": {"name": "glob", "response": {"output": "<hook_context>id m-1,"}}}
    call = {"id": "g1", "type": "gemini", "toolCalls": [{"name": "glob"}]}
    called = {"id": "g1", "type": "gemini", "toolCalls": [{"name": "glob", "result": [result]}]}
    text = recording(HEAD, said("u1", "go"), call, called, {"id": "u2", "type": "user", "content": [result]})

    assert b"id m-1," not in payloads.told(text)
    assert b"id m-1," in payloads.told(text + recording(said("g2", "done", "gemini")))


def test_what_its_user_broke_off_was_not_told() -> None:
    """As recorded when Escape was pressed, and mail was handed over at what seemed the end of the turn."""
    shown = said("w1", "Agent execution blocked: id m-1,", "warning")
    before = {"$set": {"messages": [CONTEXT, said("u1", "id m-0,"), OK]}}
    broken = [
        said("u2", "go"),
        said("i1", "Request cancelled.", "info"),
        before,
        shown,
        said("u3", "id m-1,"),
    ]
    text = recording(HEAD, CONTEXT, said("u1", "id m-0,"), OK, *broken, before, said("u4", "next"), OK_TOO)

    found = payloads.told(text)

    assert b"id m-0," in found
    assert b"id m-1," not in found


def test_a_recording_may_lack_its_beginning_and_hold_anything() -> None:
    odd = recording([], 5, None, {"$set": 5}, {"$set": {"messages": 5}}, {"$set": {"messages": [5]}})
    text = b'"cut off"}\n' + odd + recording(said("u1", "id m-1,"), OK)

    assert b"id m-1," in payloads.told(text)


def test_nothing_was_told_before_it_has_answered() -> None:
    assert payloads.told(b"") == payloads.told(recording(HEAD, said("u1", "id m-1,"))) == b""
