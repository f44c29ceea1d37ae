"""How the room is, in numbers."""

from __future__ import annotations

from datetime import timedelta

import pytest

from msgcode import Store
from msgcode.debugger.stuck import Kind, Stuck
from msgcode.model import now
from msgcode_tui.health import Health, age, health, oldest_waiting
from msgcode_tui.live import Live
from tests.tui.test_live import live_of


def seen(store: Store) -> Live:
    live = live_of(store)
    live.presences = {agent.id: store.presence(agent.id) for agent in store.agents()}
    return live


def test_all_is_well(store: Store) -> None:
    assert health(seen(store), now(), []) == Health(online=2)


def test_what_waits_and_what_is_stuck(store: Store) -> None:
    store.send("alice", "bob", "queued")
    store.send("bob", "alice", "to be delivered", priority="urgent")
    stuck = [
        Stuck("bob", Kind.SILENT, now(), "bob is idle", ("m1", "m2")),
        Stuck("alice", Kind.OFFLINE, now(), "alice is offline", ("m2",)),
        Stuck("carol", Kind.BLOCKED, now(), "carol is blocked"),
    ]
    assert health(seen(store), now(), stuck) == Health(online=2, waiting=2, stuck=3)


def test_what_failed_and_waits_again(store: Store) -> None:
    message = store.send("alice", "bob", "hi")
    store.claim("bob", "host")
    store.fail("bob", message.id, "host", "the harness is gone")
    live = seen(store)
    assert health(live, now(), []).failed == 1
    store.confirm("bob", message.id, "host")
    live.advance(event for event in store.history() if event.seq > live.state.seq)
    assert health(live, now(), []).failed == 0


def test_questions_to_the_user(store: Store) -> None:
    store.register("human", human=True)
    asked = store.send("alice", "human", "May I?", metadata={"choices": "yes | no"})
    store.send("alice", "bob", "May I?", metadata={"choices": "yes | no"})
    live = seen(store)
    assert health(live, now(), []).questions == 1
    store.send("human", "alice", "yes", reply_to=asked.id)
    live.advance(event for event in store.history() if event.seq > live.state.seq)
    assert health(live, now(), []).questions == 0


def test_the_oldest_that_waits(store: Store) -> None:
    first = store.send("alice", "bob", "first", priority="low")
    store.send("alice", "bob", "second", priority="urgent")
    live = seen(store)
    assert oldest_waiting(live, "bob") == first.sent_at
    assert oldest_waiting(live, "alice") is None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-5, "0s"), (59, "59s"), (60, "1m"), (3599, "59m"), (7200, "2h"), (200_000, "2d")],
)
def test_ages(seconds: int, words: str) -> None:
    moment = now()
    assert age(moment, moment + timedelta(seconds=seconds)) == words
