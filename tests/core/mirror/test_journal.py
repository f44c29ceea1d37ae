"""A journal that is kept like the files costs nothing where there are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from msgcode import BadInput, Store
from msgcode.journal.reader import Position
from msgcode.mirror.versions import KEEPER
from msgcode.model import now
from tests.core.mirror.support import agent, put


def test_without_files_there_is_no_mirror(tmp_path: Path) -> None:
    with Store.open(tmp_path / "room", sync=False) as store:
        store.register("ann")
        store.send("ann", "bob", "hello")
        assert store._mirrored
        assert store._mirrored._mirror is None
        assert store._mirrored.peers() is None
        assert not store._mirrored.shared
        assert store._mirrored.withdraw("bob", store.messages()) == set()


def test_it_is_there_as_soon_as_one_of_them_is(tmp_path: Path) -> None:
    room = tmp_path / "room"
    with Store.open(room, sync=False) as store:
        store.register("ann")
        put(room, "agents.json", [agent("bob")], now())
        assert [agent.id for agent in store.agents()] == ["ann", "bob"]
        assert store._mirrored
        assert store._mirrored.shared
        peers = store.peers()
        assert peers
        assert peers.active
        assert peers.wrote


def test_a_purge_reaches_the_files(tmp_path: Path) -> None:
    room = tmp_path / "room"
    put(room, "agents.json", [agent("bob")], now())
    with Store.open(room, sync=False) as store:
        store.register("ann")
        store.send("ann", "bob", "hello")
        store.purge(waiting=True)
    assert (room / "messages.json").read_bytes() == b"[]"


def test_a_setting_that_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MSGCODE_MIRROR", "off")
    with pytest.raises(BadInput, match="must be auto or on"):
        Store.open(tmp_path)


async def test_following_a_room_without_files_writes_none(tmp_path: Path) -> None:
    room = tmp_path / "room"
    with Store.open(room, sync=False) as store:
        store.register("ann")
        events = store.watch(Position())
        await anext(events)
        await events.aclose()  # type: ignore[attr-defined]
    assert {path.name for path in room.iterdir()} <= {"journal", "lock", "presence", KEEPER}
