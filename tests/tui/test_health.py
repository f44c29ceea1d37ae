"""How the room is, in numbers."""

from __future__ import annotations

from datetime import timedelta

import pytest

from msgcode import Store
from msgcode.model import now
from msgcode_tui.health import MAX_COUNTED, Health, age, health, oldest_waiting
from msgcode_tui.live import Live
from tests.tui.test_live import live_of

TEN_MINUTES = timedelta(minutes=10)


def seen(store: Store) -> Live:
    live = live_of(store)
    live.presences = {agent.id: store.presence(agent.id) for agent in store.agents()}
    return live


def test_all_is_well(store: Store) -> None:
    assert health(seen(store), now(), TEN_MINUTES) == Health(online=2)


def test_what_waits_too_long_is_stuck(store: Store) -> None:
    store.register("human", human=True)
    store.send("alice", "bob", "queued")
    store.send("alice", "human", "no need to acknowledge")
    store.send("bob", "alice", "to be delivered", priority="urgent")
    live = seen(store)
    later = now() + timedelta(minutes=11)
    assert health(live, now(), TEN_MINUTES) == Health(online=3, waiting=3)
    assert health(live, later, TEN_MINUTES) == Health(online=3, waiting=3, stuck=2)
    store.check("alice")
    assert health(seen(store), later, TEN_MINUTES).stuck == 2
    assert health(seen(store), later, timedelta(minutes=12)).stuck == 0


def test_what_failed_and_waits_again(store: Store) -> None:
    message = store.send("alice", "bob", "hi")
    store.claim("bob", "host")
    store.fail("bob", message.id, "host", "the harness is gone")
    live = seen(store)
    assert health(live, now(), TEN_MINUTES).failed == 1
    store.confirm("bob", message.id, "host")
    live.advance(event for event in store.history() if event.seq > live.state.seq)
    assert health(live, now(), TEN_MINUTES).failed == 0


def test_questions_to_the_user(store: Store) -> None:
    store.register("human", human=True)
    asked = store.send("alice", "human", "May I?", metadata={"choices": "yes | no"})
    store.send("alice", "bob", "May I?", metadata={"choices": "yes | no"})
    live = seen(store)
    assert health(live, now(), TEN_MINUTES).questions == 1
    store.send("human", "alice", "yes", reply_to=asked.id)
    live.advance(event for event in store.history() if event.seq > live.state.seq)
    assert health(live, now(), TEN_MINUTES).questions == 0


def test_a_flood_is_not_counted_to_its_end(store: Store) -> None:
    live = seen(store)
    message = store.send("alice", "bob", "x")
    for number in range(MAX_COUNTED + 50):
        live.state.add(message._replace(id=f"m{number}"))
    assert health(live, now() + timedelta(hours=1), TEN_MINUTES).stuck == MAX_COUNTED


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
