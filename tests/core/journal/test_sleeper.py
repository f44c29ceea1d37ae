"""A process that has not looked for long finds the same room as everybody else."""

from __future__ import annotations

from pathlib import Path

import pytest

from msgcode import Store
from msgcode.journal import file
from msgcode.journal.reader import Position


@pytest.fixture(autouse=True)
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file, "SEGMENT_BYTES", 600)


def busy_hour(store: Store) -> None:
    """Much is said and dealt with, more than fits into one segment, and then forgotten."""
    for number in range(20):
        store.send("ann", "bob", f"message {number}")
        store.acknowledge("bob", *[message.id for message in store.check("bob")])
    store.purge()


def test_after_a_clean_up_of_what_it_had_not_seen(tmp_path: Path) -> None:
    with Store.open(tmp_path, sync=False) as one, Store.open(tmp_path, sync=False) as sleeper:
        one.register("ann")
        one.register("bob")
        one.send("ann", "bob", "seen as waiting")
        assert [message.body for message in sleeper.messages()] == ["seen as waiting"]
        busy_hour(one)
        assert one.messages() == []
        assert sleeper.messages() == []
        assert sleeper.agents() == one.agents()


def test_after_a_clean_up_it_sends_to_the_same_room(tmp_path: Path) -> None:
    with Store.open(tmp_path, sync=False) as one, Store.open(tmp_path, sync=False) as sleeper:
        one.register("ann")
        sleeper.register("bob")
        busy_hour(one)
        sleeper.send("bob", "ann", "awake")
        assert [message.body for message in one.inbox("ann")] == ["awake"]
        with Store.open(tmp_path, sync=False) as late:
            assert [message.body for message in late.inbox("ann")] == ["awake"]


async def test_a_follower_is_told_to_start_afresh(tmp_path: Path) -> None:
    with Store.open(tmp_path, sync=False) as one, Store.open(tmp_path, sync=False) as sleeper:
        one.register("ann")
        one.register("bob")
        feed = sleeper.watch(Position())
        assert [event.fact.id for event in await anext(feed)] == ["ann", "bob"]  # type: ignore[union-attr]
        busy_hour(one)
        kinds = []
        while "RoomPurged" not in kinds:
            kinds += [type(event.fact).__name__ for event in await anext(feed)]
        assert "JournalReset" in kinds
        assert kinds[-1] == "RoomPurged" or "AgentRegistered" in kinds[kinds.index("RoomPurged") :]
