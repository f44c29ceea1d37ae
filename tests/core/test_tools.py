"""The tools as a model calls them: what each does, refuses and says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgcode import Status, Store
from msgcode.model import Session
from msgcode.tools import TOOLS, Caller, ToolAnswer, call
from tests.core.support import Clock, Ids

HERE = Session("ses_1", "opencode", "host-1", "/src/api")
THERE = Session("ses_2", "opencode", "host-2")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "room", sync=False, clock=Clock(), new_id=Ids()) as store:
        yield store


class Model:
    """A model that calls tools from one session."""

    def __init__(self, store: Store, session: Session) -> None:
        self._caller = Caller(store, session)

    def __call__(self, tool: str, **arguments: object) -> str:
        """The answer of a call that has to succeed. `from_` is `from`."""
        answer = self.ask(tool, **arguments)
        assert answer.ok, answer.text
        return answer.text

    def refused(self, tool: str, **arguments: object) -> str:
        """The answer of a call that has to fail, and to change nothing."""
        before = list(self._caller.store.history())
        answer = self.ask(tool, **arguments)
        assert not answer.ok, answer.text
        assert list(self._caller.store.history()) == before
        return answer.text

    def ask(self, tool: str, **arguments: object) -> ToolAnswer:
        answer = call(self._caller, tool, {key.rstrip("_"): value for key, value in arguments.items()})
        if answer.ok:
            jsonschema.validate(answer.data, TOOLS[tool].answers)
        else:
            assert answer.data is None
        return answer


@pytest.fixture
def ann(store: Store) -> Model:
    """The session in which ann lives."""
    model = Model(store, HERE)
    model("register_agent", agent_id="ann", name="Ann")
    return model


@pytest.fixture
def bob(store: Store) -> Model:
    """The session in which bob lives."""
    model = Model(store, THERE)
    model("register_agent", agent_id="bob", name="Bob", description="tests")
    return model


def json_in(answer: str) -> dict[str, Any]:
    """The JSON that an answer ends in."""
    found: dict[str, Any] = json.loads(answer.rpartition("\n")[2])
    return found


def test_the_tools_of_oh_my_msgcode_and_one_more() -> None:
    assert list(TOOLS) == [
        "register_agent",
        "unregister_agent",
        "send_message",
        "reply_message",
        "broadcast_message",
        "check_messages",
        "ack_message",
        "list_agents",
        "create_channel",
        "join_channel",
        "leave_channel",
        "list_channels",
    ]


@pytest.mark.parametrize("name", TOOLS)
def test_each_says_what_it_takes(name: str) -> None:
    tool = TOOLS[name]
    jsonschema.Draft202012Validator.check_schema(tool.parameters)
    assert tool.description.endswith(".")
    assert all(schema["description"] for schema in tool.parameters["properties"].values())


def test_register(store: Store, ann: Model) -> None:
    answer = ann("register_agent", agent_id="@cy", name="Cy", description="reviews")
    assert answer.startswith("Registered. Messages for cy come to this session by themselves.")
    assert json_in(answer) == {
        "id": "cy",
        "name": "Cy",
        "description": "reviews",
        "registeredAt": "2030-01-01T12:00:00.000Z",
    }
    assert [agent.session for agent in store.agents()] == [HERE, HERE]


def test_a_question_to_a_human(store: Store, ann: Model) -> None:
    store.register("eve", human=True)
    asking = {"choices": "yes | no", "deadline": 30, "default": "no"}
    asked = json_in(ann("send_message", to="eve", body="Merge?", metadata=asking))
    store.answer(asked["id"], "yes", "eve")
    answer = ann("check_messages")
    assert "from eve (a human)" in answer
    assert "> answer: yes" in answer
    flawed = ann("send_message", to="eve", body="Merge?", metadata={**asking, "default": "maybe"})
    assert "Warning: this is sent as an ordinary message, not as a question: the default must be" in flawed
    assert all(word in TOOLS["send_message"].description for word in asking)


def test_what_waits_is_announced(store: Store, ann: Model, bob: Model) -> None:
    ann("send_message", to="cy", body="hi")
    assert "1 waiting messages will follow" in bob("register_agent", agent_id="cy")


def test_another_session_keeps_its_agent(store: Store, ann: Model, bob: Model) -> None:
    assert "lives in another session, which is alive" in bob.refused("register_agent", agent_id="ann")
    bob("register_agent", agent_id="ann", takeover=True)
    assert "agent 'ann' does not live in this session (it has none)" in ann.refused(
        "send_message", from_="ann", to="bob", body="hi"
    )


def test_send(store: Store, ann: Model, bob: Model) -> None:
    answer = ann(
        "send_message", from_="ann", to="bob", body="Look.", subject="S", channel="#dev", priority="high",
        ttl_minutes=5, metadata={"file": "a.py", "line": 15, "new": True},
    )  # fmt: skip
    assert answer.startswith("Message sent.\n{")
    assert '"id": "m0001-0000-4000-8000-000000000000"' in answer
    assert json_in(answer) == {
        "id": "m0001-0000-4000-8000-000000000000",
        "from": "ann",
        "to": "bob",
        "body": "Look.",
        "subject": "S",
        "channel": "dev",
        "priority": "high",
        "status": "queued",
        "createdAt": "2030-01-01T12:00:00.000Z",
        "expiresAt": "2030-01-01T12:05:00.000Z",
        "thread": "m0001-0000-4000-8000-000000000000",
        "metadata": {"file": "a.py", "line": "15", "new": "true"},
    }


def test_send_warns(store: Store, ann: Model, bob: Model) -> None:
    assert "Warning: nobody is registered as 'bbo' (did you mean 'bob'?)" in ann(
        "send_message", to="bbo", body="hi"
    )
    store.set_presence("bob", "offline")
    assert "Warning: 'bob' is offline" in ann("send_message", to="bob", body="hi")


def test_reply_goes_to_the_sender(store: Store, ann: Model, bob: Model) -> None:
    question = json_in(ann("send_message", to="bob", body="Why?", channel="dev"))["id"]
    answer = bob("reply_message", message_id=question[:8], body="Because.")
    assert answer.startswith("Reply sent to ann.")
    reply = json_in(answer)
    assert (reply["from"], reply["to"], reply["replyTo"]) == ("bob", "ann", question)
    assert (reply["thread"], reply["channel"]) == (question, "dev")


def test_reply_to_a_broadcast_goes_to_its_sender_alone(store: Store, ann: Model, bob: Model) -> None:
    ann("create_channel", channel_id="dev")
    bob("join_channel", channel_id="#dev")
    answer = ann("broadcast_message", channel="#dev", body="News.")
    assert answer.startswith("Broadcast sent to 1 member in #dev.")
    reply = json_in(bob("reply_message", message_id=json_in(answer)["id"], body="Thanks."))
    assert (reply["from"], reply["to"]) == ("bob", "ann")


def test_the_agent_that_was_asked_replies(store: Store, ann: Model, bob: Model) -> None:
    """Of several in one session."""
    bob("register_agent", agent_id="ben")
    question = json_in(ann("send_message", to="ben", body="Why?"))["id"]
    assert json_in(bob("reply_message", message_id=question, body="So."))["from"] == "ben"
    assert json_in(bob("ack_message", message_id=question))["status"] == "acknowledged"
    assert "say which of your agents acts: ben, bob" in bob.refused("send_message", to="ann", body="hi")


def test_a_session_speaks_only_for_its_own(store: Store, ann: Model, bob: Model) -> None:
    sent = json_in(ann("send_message", to="bob", body="hi"))["id"]
    for tool, arguments in {
        "send_message": {"from": "bob", "to": "ann", "body": "I am bob."},
        "reply_message": {"from": "bob", "message_id": sent, "body": "I am bob."},
        "broadcast_message": {"from": "bob", "channel": "dev", "body": "I am bob."},
        "check_messages": {"agent_id": "bob"},
        "ack_message": {"agent_id": "bob", "message_id": sent},
        "unregister_agent": {"agent_id": "bob"},
        "create_channel": {"agent_id": "bob", "channel_id": "x"},
        "join_channel": {"agent_id": "bob", "channel_id": "x"},
        "leave_channel": {"agent_id": "bob", "channel_id": "x"},
    }.items():
        text = ann.refused(tool, **arguments)
        assert "agent 'bob' does not live in this session (yours: ann)" in text
    nobody = Model(store, Session("ses_3", "opencode", "host-3"))
    assert "call register_agent first" in nobody.refused("send_message", to="ann", body="hi")


def test_check_and_acknowledge(store: Store, ann: Model, bob: Model) -> None:
    assert ann("check_messages").startswith("0 messages.")
    bob("send_message", to="ann", body="later")
    bob("send_message", to="ann", body="now\nfrom eve", priority="urgent")
    text = ann("check_messages", agent_id="ann", limit=1)
    assert text.startswith("1 message(s).")
    assert "(1/1) from bob, URGENT, id m0002-" in text
    assert "\n> now\n> from eve" in text
    assert [m.deliveries["ann"].status for m in store.messages()] == [Status.QUEUED, Status.DELIVERED]
    assert "> later" in ann("check_messages", from_="@bob", priority="normal")
    done = ann("ack_message", message_id="m0002-00")
    assert done.startswith("Acknowledged.\n")
    assert json_in(done)["status"] == "acknowledged"
    assert "there is no message 'm0009'" in ann.refused("ack_message", message_id="m0009")
    assert "is not addressed to agent 'bob'" in bob.refused("ack_message", message_id="m0001")


def test_who_is_there(store: Store, ann: Model, bob: Model) -> None:
    store.register("eve", human=True)
    store.set_presence("bob", "blocked", "waits for a permission: bash")
    assert ann("list_agents").split("\n") == [
        "ann (you), idle, Ann",
        "bob, blocked: waits for a permission: bash, Bob, tests",
        "eve (a human), idle",
    ]
    ann("unregister_agent", agent_id="ann")
    assert [agent.id for agent in store.agents()] == ["bob", "eve"]


def test_channels(store: Store, ann: Model, bob: Model) -> None:
    assert ann("list_channels") == "There are no channels yet: call create_channel."
    assert json_in(ann("create_channel", channel_id="dev", name="Dev", description="d"))["members"] == ["ann"]
    assert bob("join_channel", channel_id="dev") == "Joined #dev. Members: ann, bob."
    assert bob("list_channels") == "#dev, Dev, members: ann, bob"
    assert ann("leave_channel", channel_id="dev") == "Left #dev. Members: bob."
    assert "there is no channel 'dve' (did you mean 'dev'?)" in ann.refused("join_channel", channel_id="dve")


@pytest.mark.parametrize(
    ("tool", "arguments", "sentence"),
    [
        ("send_message", {"to": "bob"}, "send_message: 'body' is a required property"),
        ("send_message", {"to": 7, "body": "x"}, "to: 7 is not of type 'string'"),
        ("send_message", {"to": "bob", "body": "x", "priority": "HIGH"}, "priority: 'HIGH' is not one of"),
        (
            "send_message",
            {"to": "bob", "body": "x", "ttl_minutes": 0},
            "ttl_minutes: 0 is less than",
        ),
        ("send_message", {"to": "bob", "body": "x", "metadata": {"a": []}}, "metadata.a: [] is not of type"),
        ("send_message", {"to": "bob", "body": "x", "cc": "eve"}, "'cc' was unexpected"),
        ("send_message", {"to": "bob", "body": " "}, "the message is empty: give it a text."),
        ("send_message", {"to": "no good", "body": "x"}, "cannot be an agent id"),
        ("check_messages", {"limit": 0}, "limit: 0 is less than the minimum of 1"),
        ("ack_message", {"message_id": ""}, "Error: "),
        ("register_agent", {"agent_id": "../x"}, "cannot be an agent id"),
        ("list_agents", {"all": True}, "It takes no arguments, and needs nothing."),
        ("fly", {}, "there is no tool 'fly': use one of register_agent, "),
    ],
)
def test_what_is_wrong_is_said(
    store: Store, ann: Model, tool: str, arguments: dict[str, object], sentence: str
) -> None:
    text = ann.refused(tool, **arguments)
    assert text.startswith("Error: ")
    assert sentence in text


def test_null_is_left_out(store: Store, ann: Model, bob: Model) -> None:
    ann("send_message", to="bob", body="x", subject=None, priority=None, metadata=None, from_=None)
    assert "'body' is a required property" in ann.refused("send_message", to="bob", body=None)


@given(st.sampled_from(list(TOOLS)), st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["to", "body", "agent_id", "x"]), inner),
    max_leaves=8,
))  # fmt: skip
def test_no_call_is_too_odd(tool: str, arguments: object) -> None:
    with Store.open("/nonexistent/room") as store:
        answer = call(Caller(store, HERE), tool, arguments)
    assert answer.text
    answer.text.encode()
