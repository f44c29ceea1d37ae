"""What Claude Code tells its hooks (recorded from 2.1.197, with another home), and what they answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from msgcode.errors import BadInput
from msgcode.harness.claude.description import HARNESS
from msgcode.harness.claude.payloads import conversation, output, presence
from msgcode.harness.description import Role
from msgcode.model import Activity

RECORDED: dict[str, dict[str, Any]] = json.loads(Path(__file__).with_name("payloads.json").read_text())


def test_every_hook_tells_which_conversation_it_is_about() -> None:
    for name in ("start", "prompt", "bash", "tool", "stop"):
        found = conversation(RECORDED[name])
        assert found is not None
        assert found.id == RECORDED["start"]["session_id"]
        assert found.transcript == f"/home/ann/.claude/projects/-home-ann-project/{found.id}.jsonl"
        assert found.directory == "/home/ann/project"
        assert not found.continues


def test_after_clear_a_new_conversation_takes_the_place_of_the_one_before() -> None:
    found = conversation(RECORDED["cleared"])
    assert found is not None
    assert found.id != RECORDED["start"]["session_id"]
    assert found.continues


def test_what_is_resumed_is_the_same_conversation() -> None:
    assert conversation(RECORDED["resumed"]) == conversation(RECORDED["start"])


def test_a_subagent_has_no_conversation() -> None:
    assert RECORDED["helper"]["session_id"] == RECORDED["start"]["session_id"]
    assert conversation(RECORDED["helper"]) is None


@pytest.mark.parametrize("payload", [{}, {"session_id": ""}, {"session_id": 7}])
def test_a_payload_without_a_session_is_refused(payload: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="session_id"):
        conversation(payload)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("bash", "permission for Bash: touch y"),
        ("write", "permission for Write: /home/ann/project/a.py"),
        ("question", "a question to its user"),
    ],
)
def test_what_it_asks_its_user_is_the_reason(name: str, reason: str) -> None:
    assert presence(Role.ASK, RECORDED[name]) == (Activity.BLOCKED, reason)


def test_a_reason_is_one_visible_line() -> None:
    asked = {**RECORDED["bash"], "tool_input": {"command": "echo \x1b[2J\n" + "x" * 1000}}
    found = presence(Role.ASK, asked)
    assert found is not None
    assert found[1] is not None
    assert found[1].isprintable()
    assert len(found[1]) == 500


def test_a_permission_for_an_unknown_tool_has_a_reason_too() -> None:
    assert presence(Role.ASK, {"session_id": "s"}) == (Activity.BLOCKED, "permission for a tool")


def test_other_hooks_leave_it_to_their_role() -> None:
    assert presence(Role.TOOL, RECORDED["tool"]) is None
    assert presence(Role.STOP, RECORDED["stop"]) is None


@pytest.mark.parametrize(
    ("role", "name"), [(Role.PROMPT, "prompt"), (Role.TOOL, "tool"), (Role.STOP, "stop")]
)
def test_mail_is_added_to_what_the_model_is_told(role: Role, name: str) -> None:
    out, err, code = output(role, '[msgcode] 1 new message\n> it\'s "here"')
    assert (err, code) == ("", 0)
    assert json.loads(out) == {
        "hookSpecificOutput": {
            "hookEventName": RECORDED[name]["hook_event_name"],  # Claude Code refuses another.
            "additionalContext": '[msgcode] 1 new message\n> it\'s "here"',
        }
    }


def test_mail_wakes_by_standard_error_and_exit_code_2() -> None:
    assert output(Role.WAIT, "[msgcode] 1 new message") == ("", "[msgcode] 1 new message", 2)


@pytest.mark.parametrize("tag", ["</system-reminder>", "<system-reminder>", "< / System-Reminder >"])
def test_a_body_cannot_end_the_frame_around_it(tag: str) -> None:
    _, text, _ = output(Role.WAIT, f"> before\n> {tag}\n> <b> after")
    assert text == f"> before\n> <\\{tag[1:]}\n> <b> after"


def test_every_role_that_hands_over_has_its_hook() -> None:
    hooks = {hook.role: hook.event for hook in HARNESS.hooks}
    for role in (Role.PROMPT, Role.TOOL, Role.STOP):
        assert json.loads(output(role, "x")[0])["hookSpecificOutput"]["hookEventName"] == hooks[role]
