"""What a session is doing, from the events that OpenCode 1.18.33 sends of it."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from msgcode.checks import check_line
from msgcode.harness.opencode.conversation import EVENTS, STOPPED, Conversation
from msgcode.model import Activity

SESSION = "ses_df8450507ffeKi3rNgMdX3VkW8"


@pytest.fixture
def conversation() -> Conversation:
    return Conversation(SESSION)


def presence(conversation: Conversation) -> tuple[Activity, str | None]:
    """Asked anew each time, which a type checker does not expect of a property."""
    return conversation.presence


def user(conversation: Conversation, id: str, agent: str = "build") -> None:
    info = {
        "id": id,
        "role": "user",
        "sessionID": SESSION,
        "time": {"created": 1795426025877},
        "agent": agent,
        "model": {"providerID": "fake", "modelID": "scripted"},
    }
    conversation.hear("message.updated", {"sessionID": SESSION, "info": info})


def part(conversation: Conversation, message: str, text: str = "x") -> None:
    part = {"id": "prt_1", "messageID": message, "sessionID": SESSION, "type": "text", "text": text}
    conversation.hear("message.part.updated", {"sessionID": SESSION, "part": part, "time": 1795426025904})


def assistant(conversation: Conversation, id: str, parent: str = "msg_1") -> None:
    info = {
        "id": id,
        "parentID": parent,
        "role": "assistant",
        "mode": "build",
        "agent": "build",
        "modelID": "scripted",
        "providerID": "fake",
        "time": {"created": 1795426025924},
        "sessionID": SESSION,
    }
    conversation.hear("message.updated", {"sessionID": SESSION, "info": info})


def status(conversation: Conversation, type: str, **more: object) -> None:
    conversation.hear("session.status", {"sessionID": SESSION, "status": {"type": type, **more}})


def idle(conversation: Conversation) -> None:
    status(conversation, "idle")
    conversation.hear("session.idle", {"sessionID": SESSION})


def aborted(conversation: Conversation) -> None:
    error = {"name": "MessageAbortedError", "data": {"message": "Aborted"}}
    conversation.hear("session.error", {"sessionID": SESSION, "error": error})


def asked(conversation: Conversation, id: str, patterns: object, permission: str = "bash") -> None:
    conversation.hear(
        "permission.asked",
        {"id": id, "sessionID": SESSION, "permission": permission, "patterns": patterns, "metadata": {}},
    )


def test_a_whole_turn(conversation: Conversation) -> None:
    assert presence(conversation) == (Activity.IDLE, None)
    user(conversation, "msg_1", "plan")
    part(conversation, "msg_1")
    assert (conversation.agent, conversation.turns) == ("plan", 1)
    assert conversation.model == {"providerID": "fake", "modelID": "scripted"}
    status(conversation, "busy")
    assert presence(conversation) == (Activity.BUSY, None)
    assert conversation.ready, "a busy session takes messages too"
    assistant(conversation, "msg_2")
    idle(conversation)
    assert presence(conversation) == (Activity.IDLE, None)
    assert conversation.stored == set(), "nothing of ours"


def test_a_prompt_of_ours_is_no_turn_of_its_users(conversation: Conversation) -> None:
    conversation.will_prompt("msg_1", {"parts": []})
    user(conversation, "msg_1")
    assert conversation.turns == 0
    assert conversation.stored == set(), "its text is not there yet"
    part(conversation, "msg_1")
    assert conversation.stored == {"msg_1"}
    assert conversation.agent == "build"


def test_which_prompts_no_model_has_begun_to_answer(conversation: Conversation) -> None:
    for id in ("msg_1", "msg_3"):
        conversation.will_prompt(id, {"parts": []})
    conversation.will_prompt("msg_4", None)
    assert set(conversation.unanswered) == {"msg_1", "msg_3"}
    assistant(conversation, "msg_2")
    assert set(conversation.unanswered) == {"msg_3"}
    assistant(conversation, "msg_5", "msg_3")
    assert conversation.unanswered == {}


def test_a_stop_holds_until_somebody_begins_a_turn(conversation: Conversation) -> None:
    user(conversation, "msg_1")
    status(conversation, "busy")
    conversation.will_prompt("msg_2", {"parts": []})
    aborted(conversation)
    idle(conversation)
    assert not conversation.ready
    assert presence(conversation) == (Activity.IDLE, STOPPED)
    assert conversation.unanswered == {}, "what the user has stopped stays so"
    user(conversation, "msg_2")  # Ours.
    assert not conversation.ready
    user(conversation, "msg_3")
    assert conversation.ready
    assert presence(conversation) == (Activity.IDLE, None)


def test_news_of_an_old_prompt_begins_no_turn(conversation: Conversation) -> None:
    """OpenCode tells of a message again when it has summed it up."""
    user(conversation, "msg_1")
    aborted(conversation)
    user(conversation, "msg_1")
    assert conversation.turns == 1
    assert not conversation.ready


def test_another_error_stops_nothing(conversation: Conversation) -> None:
    error = {"name": "APIError", "data": {"message": "overloaded"}}
    conversation.hear("session.error", {"sessionID": SESSION, "error": error})
    assert conversation.ready


def test_a_retry_says_why(conversation: Conversation) -> None:
    status(conversation, "retry", attempt=2, message="Too many requests", next=1795426026000)
    assert presence(conversation) == (Activity.BUSY, "tries again: Too many requests")
    status(conversation, "busy")
    assert presence(conversation) == (Activity.BUSY, None)


def test_a_permission_blocks_until_it_is_answered(conversation: Conversation) -> None:
    status(conversation, "busy")
    asked(conversation, "per_1", ["rm -rf build"])
    asked(conversation, "per_2", ["/etc/*"], "external_directory")
    assert presence(conversation) == (Activity.BLOCKED, "waits for a permission: bash rm -rf build")
    conversation.hear("permission.replied", {"sessionID": SESSION, "requestID": "per_1", "reply": "once"})
    assert presence(conversation)[1] == "waits for a permission: external_directory /etc/*"
    conversation.hear("permission.replied", {"sessionID": SESSION, "requestID": "per_2", "reply": "reject"})
    assert presence(conversation) == (Activity.BUSY, None)
    conversation.hear("permission.replied", {"sessionID": SESSION, "requestID": "per_2"})


@pytest.mark.parametrize("end", ["question.replied", "question.rejected"])
def test_a_question_blocks_until_it_is_answered(conversation: Conversation, end: str) -> None:
    conversation.hear("question.asked", {"id": "que_1", "sessionID": SESSION, "questions": []})
    assert presence(conversation) == (Activity.BLOCKED, "waits for an answer to its question")
    conversation.hear(end, {"sessionID": SESSION, "requestID": "que_1"})
    assert presence(conversation) == (Activity.IDLE, None)


def test_a_turn_that_ends_leaves_no_question_open(conversation: Conversation) -> None:
    asked(conversation, "per_1", ["ls"])
    idle(conversation)
    assert presence(conversation) == (Activity.IDLE, None)


def test_a_full_session_is_ready_when_it_has_worked_it_off(conversation: Conversation) -> None:
    conversation.full = True
    status(conversation, "busy")
    assert not conversation.ready
    idle(conversation)
    assert conversation.ready


@pytest.mark.parametrize(
    "patterns",
    [
        ["for f in *; do\n  rm $f\ndone"],
        ["x" * 5000],
        ["\x1b[2J\u202e"],
        ["\ud800"],
        [1, None],
        [],
        None,
        7,
        "ls",
    ],
    ids=range(9),
)
def test_whatever_it_waits_for_can_be_told(conversation: Conversation, patterns: object) -> None:
    """A reason that the store refuses would leave a blocked agent looking idle."""
    asked(conversation, "per_1", patterns)
    activity, reason = presence(conversation)
    assert activity is Activity.BLOCKED
    assert reason
    check_line("a reason", reason)


@pytest.mark.parametrize("why", ["one\ntwo", "x" * 5000, "\ud800", ""], ids=range(4))
def test_whatever_it_tries_again_for_can_be_told(conversation: Conversation, why: str) -> None:
    status(conversation, "retry", message=why)
    activity, reason = presence(conversation)
    assert activity is Activity.BUSY
    check_line("a reason", reason)


@pytest.mark.parametrize("event", EVENTS)
def test_an_event_without_its_content_changes_nothing(conversation: Conversation, event: str) -> None:
    if event != "session.idle":
        before = copy.deepcopy(vars(conversation))
        conversation.hear(event, {"sessionID": SESSION})
        assert vars(conversation) == before


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "info", "role", "part", "messageID", "error", "name", "status", "type"])
            | st.text(max_size=3),
            inner,
            max_size=4,
        )
    ),
    max_leaves=4,
)
WORDS = ["id", "info", "part", "status", "error", "permission", "patterns", "requestID"]
properties = st.dictionaries(st.sampled_from(WORDS), json_values, max_size=3)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from([*EVENTS, "session.compacted", ""]), properties)
def test_no_event_is_too_odd(event: str, properties: dict[str, Any]) -> None:
    conversation = Conversation(SESSION)
    conversation.will_prompt("msg_1", {"parts": []})
    conversation.hear(event, properties)
    activity, reason = presence(conversation)
    check_line("a reason", reason)
    assert activity is not Activity.BLOCKED or reason
    assert isinstance(conversation.ready, bool)
