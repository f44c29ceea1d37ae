"""What a `/msg` line does, and what is left of it once it has been undone."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import pytest

from msgcode import Status, Store
from msgcode.commands import run_line
from msgcode_tui.recorder import Recorder

Run = Callable[[str], str]
"""Runs a line, and returns what its undoing says; "" if there is nothing to undo."""


@pytest.fixture
def run(store: Store) -> Run:
    store.register("human", human=True)

    def run(line: str) -> str:
        recorder = Recorder(store, "human")
        answer = run_line(cast(Store, recorder), line, "human")
        assert answer.ok, answer.text
        if not recorder.done:
            return ""
        (deed,) = recorder.done
        return deed.back if isinstance(deed.back, str) else deed.back()

    return run


def test_what_is_sent_is_withdrawn(store: Store, run: Run) -> None:
    first = store.send("alice", "bob", "hello")
    assert run("/msg send bob hi there") == "Undone: the sending to bob."
    assert run("/msg broadcast dev hi all") == "Undone: the sending to alice and bob."
    assert run(f"/msg forward {first.id} alice look") == "Undone: the sending to alice."
    assert run(f"/msg resend {first.id}") == "Undone: the sending to bob."
    assert [message.id for message in store.messages()] == [first.id]


def test_an_answer_is_withdrawn(store: Store, run: Run) -> None:
    asked = store.send("alice", "human", "May I?", metadata={"choices": "yes|no"})
    assert "stays closed" in run(f"/msg answer {asked.id} yes")
    assert store.messages() == []


def test_what_is_changed_is_as_it_was(store: Store, run: Run) -> None:
    message = store.send("alice", "bob", "old", subject="S", priority="high")
    assert run(f"/msg edit --subject T {message.id} new") == "Undone: the message is as it was before."
    assert run(f"/msg priority {message.id} low") == "Undone: the priority is high again."
    now = store.message(message.id)
    assert (now.body, now.subject, now.priority) == ("old", "S", "high")


def test_channels(store: Store, run: Run) -> None:
    assert run("/msg channel join dev") == "Undone: human is no longer in #dev."
    store.join("dev", "human")
    assert run("/msg channel join dev") == "", "nothing has changed"
    assert run("/msg channel leave dev") == "Undone: human is in #dev again."
    assert run("/msg channel create ops") == "#ops cannot be deleted any more: leave it."
    assert [channel.members for channel in store.channels()] == [("alice", "bob", "human"), ("human",)]


def test_agents(store: Store, run: Run) -> None:
    assert run("/msg register carol") == "Undone: carol is no longer registered."
    assert run("/msg register bob") == "", "nothing has changed"
    assert run("/msg register bob Bobby") == "bob was there before: register it again with its old name."
    assert run("/msg unregister bob") == "Undone: bob is registered, in all its channels."
    assert [agent.id for agent in store.agents()] == ["alice", "bob", "human"]
    assert store.channels()[0].members == ("alice", "bob")


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("ack --as bob {}", "An acknowledgement cannot be undone."),
        ("discard {}", "What was discarded cannot be undone: send it again."),
        ("expire {}", "What has expired cannot be undone: send it again."),
    ],
)
def test_what_ends_a_message_stays(store: Store, run: Run, line: str, left: str) -> None:
    message = store.send("alice", "bob", "hello")
    assert run(f"/msg {line.format(message.id)}") == left
    assert store.message(message.id).deliveries["bob"].status is not Status.QUEUED


def test_forgetting_stays(store: Store, run: Run) -> None:
    assert run("/msg purge") == "What was forgotten cannot be brought back."


@pytest.mark.parametrize("line", ["agents", "check", "questions", "log", "status"])
def test_looking_is_no_deed(run: Run, line: str) -> None:
    assert run(f"/msg {line}") == ""


def test_holds_are_released_and_placed_again(store: Store, run: Run) -> None:
    assert run("/msg hold --agent bob") == "Undone: bob is no longer held."
    assert store.holds() == []
    store.hold("human", agent="bob")
    assert run("/msg hold --agent bob") == "", "it was held already"
    assert run("/msg release") == "Undone: bob is held again, but for what has gone."
    (hold,) = store.holds()
    assert hold.agent == "bob"
    store.send("alice", "bob", "hello")
    assert run("/msg step") == "What was let through cannot be called back."


def test_breakpoints_are_removed(store: Store, run: Run) -> None:
    assert "breakpoint 1 is no more" in run("/msg break add --to bob")
    assert store.breakpoints() == []
    store.add_breakpoint("human", to="bob")
    assert "cannot be brought back" in run("/msg break remove 1")
