"""What Codex 0.169.0 told its hooks, one payload a line as recorded, and what they answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from msgcode.checks import MAX_LINE
from msgcode.errors import BadInput
from msgcode.harness.codex import payloads
from msgcode.harness.codex.description import HARNESS
from msgcode.harness.description import Role
from msgcode.harness.sessions import Conversation
from msgcode.model import Activity

RECORDED = {
    payload["hook_event_name"]: payload
    for payload in map(json.loads, Path(__file__).with_name("recorded.jsonl").read_text().splitlines())
}


def test_each_hook_has_been_recorded() -> None:
    assert {hook.event for hook in HARNESS.hooks} == set(RECORDED)


@pytest.mark.parametrize("event", RECORDED)
def test_every_payload_tells_the_conversation(event: str) -> None:
    id = "01a209b2-ae6c-75e3-8fef-f463ccc64244"
    sessions = "/home/user/.codex/sessions/2026/11/23"
    found = payloads.conversation(RECORDED[event])
    transcript = f"{sessions}/rollout-2026-11-23T18-37-14-{id}.jsonl"
    assert found == Conversation(id, transcript, "/home/user/project")


@pytest.mark.parametrize("event", RECORDED)
def test_the_id_is_where_the_shell_looks_for_it(event: str) -> None:
    assert json.dumps(RECORDED[event], separators=(",", ":")).startswith('{"session_id":"01a2')


def test_a_subagent_gets_no_mail() -> None:
    assert payloads.conversation({**RECORDED["PostToolUse"], "agent_id": "a1"}) is None


def test_a_conversation_that_is_not_written_down() -> None:
    assert payloads.conversation({"session_id": "s", "transcript_path": None}) == Conversation("s")


@pytest.mark.parametrize("payload", [{}, {"session_id": 7}, {"session_id": ""}])
def test_no_conversation(payload: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        payloads.conversation(payload)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({}, "permission for Bash: touch /etc/issue"),
        ({"tool_input": {"command": "a\nb\x1b[1m"}}, "permission for Bash: a␊b␛[1m"),
        ({"tool_name": "mcp__msgcode__send", "tool_input": {"to": "x"}}, "permission for mcp__msgcode__send"),
        ({"tool_name": None, "tool_input": 1}, "permission for a tool"),
    ],
)
def test_who_asks_is_blocked(more: dict[str, Any], reason: str) -> None:
    found = payloads.presence(Role.ASK, {**RECORDED["PermissionRequest"], **more})
    assert found == (Activity.BLOCKED, reason)


def test_a_long_command_is_cut() -> None:
    asked = {**RECORDED["PermissionRequest"], "tool_input": {"command": "x" * 10_000}}
    found = payloads.presence(Role.ASK, asked)
    assert found == (Activity.BLOCKED, "permission for Bash: " + "x" * (MAX_LINE - 21))


def test_who_is_interrupted_is_idle() -> None:
    assert payloads.presence(Role.ASK, RECORDED["Interrupt"]) == (Activity.IDLE, None)


def test_of_the_others_the_role_says_enough() -> None:
    for hook in HARNESS.hooks:
        if hook.role is not Role.ASK:
            assert payloads.presence(hook.role, RECORDED[hook.event]) is None


@pytest.mark.parametrize("role", [Role.PROMPT, Role.TOOL])
def test_what_is_handed_over_with_a_prompt_or_a_tools_answer(role: Role) -> None:
    out, words, code = payloads.output(role, 'a "text"\n')
    event = next(hook.event for hook in HARNESS.hooks if hook.role is role)
    added = {"hookEventName": event, "additionalContext": 'a "text"\n'}
    assert (json.loads(out), words, code) == ({"hookSpecificOutput": added}, "", 0)


def test_what_is_handed_over_at_the_end_of_a_turn() -> None:
    out, words, code = payloads.output(Role.STOP, "a text")
    assert (json.loads(out), words, code) == ({"decision": "block", "reason": "a text"}, "", 0)


def test_what_would_be_cut_at_the_end_of_a_turn_waits() -> None:
    assert payloads.output(Role.STOP, "x" * 10_000)[0]
    assert payloads.output(Role.STOP, "\u00e9" * 5001) == ("", "", 0)
