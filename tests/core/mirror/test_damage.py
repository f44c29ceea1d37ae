"""Files that are not whole, or deleted, and disks that cannot be written."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from msgcode import Store
from msgcode.events import MessageDiscarded
from msgcode.mirror import files, mirror
from msgcode.model import now
from tests.core.journal.test_disk import fill, read_only_room, small_disk
from tests.core.mirror.support import (
    Opener,
    Shifted,
    bodies,
    files_of,
    fresh,
    leftovers,
    listed,
    mirror_of,
    peer,
    put,
    settle,
    statuses,
    text,
)

__all__ = ["read_only_room", "small_disk"]


class Died(BaseException):
    """The process ends here."""


class TestDamage:
    def test_half_written_waits_a_second_then_is_set_aside_and_replaced(
        self, room: Path, store: Store, clock: Shifted
    ) -> None:
        peer(room, "bob")
        store.register("ann")
        id = store.send("ann", "bob", "hello").id
        settle(store, clock)
        put(room, "messages.json", b'[{"id": "m1"', now() + clock.by)
        clock.advance(0.5)
        settle_only = mirror_of(store)
        settle_only.publish(at_once=True)
        assert (room / "messages.json").read_bytes() == b'[{"id": "m1"'
        assert not (room / "set-aside").exists()
        clock.advance(0.6)
        settle_only.publish(at_once=True)
        assert statuses(room) == {id: "queued"}
        assert bodies(store) == ["hello"]
        (copy,) = (room / "set-aside").iterdir()
        assert copy.read_bytes() == b'[{"id": "m1"'
        peers = store.peers()
        assert peers
        (problem,) = peers.problems
        assert problem == f"messages.json is not whole JSON. A copy is in set-aside/{copy.name}."
        copy.unlink()
        assert store.peers() == peers._replace(problems=())
        assert leftovers(room) == []

    def test_completed_in_time_it_is_read(self, room: Path, store: Store) -> None:
        peer(room, "bob")
        whole = text([fresh("m1")])
        put(room, "messages.json", whole[:50])
        assert store.inbox("bob") == []
        put(room, "messages.json", whole)
        assert bodies(store) == ["body of m1"]
        assert not (room / "set-aside").exists()

    def test_from_the_future_it_is_not_waited_for(self, room: Path, store: Store) -> None:
        peer(room, "bob")
        put(room, "messages.json", b"[", datetime.now(UTC) + timedelta(days=1))
        store.agents()
        assert (room / "set-aside").exists()

    def test_unreadable_leftovers_do_not_touch_what_is_in_place(
        self, room: Path, open_store: Opener, store: Store, clock: Shifted
    ) -> None:
        """Such as of a process that died in the middle of preparing one."""
        peer(room, "bob")
        store.register("ann")
        id = store.send("ann", "bob", "hello").id
        settle(store, clock)
        leftover = room / ".msgcode-messages.json-1-00000000.tmp"
        leftover.write_bytes(b"[{")
        os.utime(leftover, (1, 1))
        assert bodies(open_store()) == ["hello"]
        settle(store, clock)
        assert statuses(room) == {id: "queued"}
        assert leftovers(room) == []

    def test_dying_after_it_was_taken_away_purges_nothing(
        self, room: Path, open_store: Opener, store: Store, clock: Shifted, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        peer(room, "bob")
        store.register("ann")
        store.send("ann", "bob", "hello")
        settle(store, clock)
        put(room, "messages.json", b"[", 1.0)
        real = files.take

        def take(*arguments: object) -> None:
            real(*arguments)  # type: ignore[arg-type]
            raise Died

        monkeypatch.setattr(files, "take", take)
        with pytest.raises(Died):
            store.agents()
        monkeypatch.setattr(files, "take", real)
        assert bodies(open_store()) == ["hello"]

    def test_a_number_that_json_has_not_is_never_written(
        self, room: Path, store: Store, clock: Shifted
    ) -> None:
        peer(room, "bob")
        put(room, "messages.json", text([fresh("m1")])[:-4] + b', "x": 1e999}]')
        store.register("ann")
        settle(store, clock)
        assert b"Infinity" not in (room / "messages.json").read_bytes()


class TestDeletion:
    def test_of_messages_json_purges_what_waits(self, room: Path, store: Store, clock: Shifted) -> None:
        peer(room, "bob")
        store.register("ann")
        store.send("ann", "bob", "hello")
        settle(store, clock)
        (room / "messages.json").unlink()
        assert store.inbox("bob") == []
        discarded = [event.fact for event in store.history() if isinstance(event.fact, MessageDiscarded)]
        assert [fact.by for fact in discarded] == [mirror.DELETED]
        store.send("ann", "bob", "new")
        settle(store, clock)
        assert [entry["body"] for entry in listed(room).values()] == ["new"]

    def test_of_the_others_purges_nothing(self, room: Path, store: Store, clock: Shifted) -> None:
        peer(room, "bob")
        store.register("ann")
        store.send("ann", "bob", "hello")
        settle(store, clock)
        (room / "agents.json").unlink()
        (room / "channels.json").unlink()
        settle(store, clock)
        assert bodies(store) == ["hello"]
        assert set(listed(room, "agents.json")) == {"ann", "bob"}

    def test_of_all_three_is_noticed_at_once_and_not_when_they_are_back(
        self, room: Path, open_store: Opener, store: Store, clock: Shifted
    ) -> None:
        peer(room, "bob")
        store.register("ann")
        store.send("ann", "bob", "hello")
        settle(store, clock)
        store.close()
        for name in files_of(room):
            (room / name).unlink()
        late = open_store()
        assert late.inbox("bob") == []
        late.send("ann", "bob", "after that")
        peer(room, "bob")
        assert bodies(open_store()) == ["after that"]


class TestNoDisk:
    def test_a_read_only_folder_is_readable(self, read_only_room: Path) -> None:
        with Store.open(read_only_room, sync=False) as store:
            assert store.peers() is None
            assert bodies(store) == ["hello"]

    def test_a_full_disk_leaves_the_room_readable_and_says_so(self, small_disk: Path) -> None:
        room = small_disk / "room"
        with Store.open(room, sync=False) as store:
            store.register("ann")
            peer(room, "bob")
            store.send("ann", "bob", "hello")
            put(room, "messages.json", [fresh("m1", body="x" * 9000)])
            filler = fill(small_disk)
            assert bodies(store) == ["hello"]
            peers = store.peers()
            assert peers
            assert any("the disk is full" in problem for problem in peers.problems)
            filler.unlink()
            assert sorted(map(len, bodies(store))) == [5, 9000]
            peers = store.peers()
            assert peers
            assert peers.problems == ()
            mirror_of(store).publish(at_once=True)
            assert len(listed(room)) == 2
            assert leftovers(room) == []
