"""The room and the files together, with a foreign process that is played by writing as it does."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from msgcode import Store
from msgcode.events import MessageSent
from msgcode.mirror import files
from msgcode.mirror.versions import signature
from msgcode.model import now
from tests.core.mirror.support import (
    Opener,
    Shifted,
    agent,
    channel,
    files_of,
    fresh,
    listed,
    message,
    mirror_of,
    peer,
    put,
    sent,
    settle,
    statuses,
)


class TestImport:
    def test_a_folder_that_only_the_plugin_has_used_is_a_full_room(self, room: Path, store: Store) -> None:
        peer(room, "bob", "cy")
        put(room, "channels.json", [channel("api", "bob", "cy")])
        put(room, "messages.json", [fresh("m1"), fresh("m2", status="acknowledged")])
        assert [agent.id for agent in store.agents()] == ["bob", "cy"]
        assert store.channels()[0].members == ("bob", "cy")
        assert [message.id for message in store.inbox("bob")] == ["m1"]
        assert store.presence("bob").online

    def test_each_thing_once(self, room: Path, open_store: Opener) -> None:
        peer(room, "bob", "cy")
        put(room, "messages.json", [fresh("m1"), fresh("m2", status="acknowledged"), fresh("a b")])
        stores = [open_store() for _ in range(3)]
        for _ in range(3):
            for store in stores:
                store.agents()
            peer(room, "bob", "cy")
        assert sorted(sent(stores[0])) == ["a b", "m1", "m2"]

    def test_an_id_with_a_space_that_has_ended_is_not_imported_twice(
        self, room: Path, open_store: Opener, store: Store
    ) -> None:
        peer(room, "bob")
        store.agents()
        put(room, "messages.json", [fresh("a b", status="acknowledged")])
        store.agents()
        put(room, "messages.json", [fresh("a b", status="acknowledged"), fresh("m2")])
        assert open_store().agents()
        assert sorted(sent(store)) == ["a b", "m2"]

    def test_ended_while_the_memory_is_lost_between(
        self, room: Path, open_store: Opener, store: Store
    ) -> None:
        """It may come back by a stale writer long after the first look with a new memory."""
        peer(room, "bob")
        put(room, "messages.json", [fresh("m1")])
        store.acknowledge("bob", *[message.id for message in store.inbox("bob")])
        stale = fresh("m1")
        put(room, "messages.json", [])
        store.agents()
        (room / "mirror.json").unlink()
        second = open_store()
        second.agents()
        put(room, "messages.json", [stale])
        second.agents()
        assert sent(second) == ["m1"]


class TestPublishing:
    def test_nothing_is_written_when_nobody_is_there(self, room: Path, store: Store) -> None:
        store.register("ann")
        store.send("ann", "bob", "hello")
        store.close()
        assert not any((room / name).exists() for name in (*files_of(room), "mirror.json", "mirror.lock"))

    def test_nor_when_it_is_long_gone(self, room: Path, store: Store) -> None:
        old = datetime.now(UTC) - timedelta(minutes=5)
        put(room, "agents.json", [agent("bob")], old)
        before = signature(str(room / "agents.json"))
        store.register("ann")
        store.close()
        assert signature(str(room / "agents.json")) == before
        assert not (room / "messages.json").exists()

    def test_unless_the_user_wants_it(
        self, room: Path, open_store: Opener, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MSGCODE_MIRROR", "on")
        store = open_store()
        store.register("ann")
        id = store.send("ann", "bob", "hello").id
        store.close()
        assert statuses(room) == {id: "queued"}
        assert list(listed(room, "agents.json")) == ["ann"]
        assert (room / "channels.json").read_bytes() == b"[]"

    def test_ours_and_theirs_side_by_side(self, room: Path, store: Store, clock: Shifted) -> None:
        peer(room, "bob")
        put(room, "messages.json", [fresh("m1")])
        store.register("ann")
        id = store.send("ann", "bob", "hello").id
        settle(store, clock)
        assert statuses(room) == {"m1": "queued", id: "queued"}
        assert list(listed(room, "agents.json")) == ["bob", "ann"]

    def test_what_is_held_is_taken_from_them_and_given_back(
        self, room: Path, store: Store, clock: Shifted
    ) -> None:
        peer(room, "bob")
        store.register("eve", human=True)
        put(room, "messages.json", [fresh("m1")])
        settle(store, clock)
        store.hold("eve")
        settle(store, clock)
        assert statuses(room) == {}
        store.release("eve")
        settle(store, clock)
        assert statuses(room) == {"m1": "queued"}

    def test_a_breakpoint_stops_what_they_send(self, room: Path, store: Store, clock: Shifted) -> None:
        peer(room, "bob")
        store.register("eve", human=True)
        rule = store.add_breakpoint("eve", to="bob")
        put(room, "messages.json", [fresh("m1")])
        settle(store, clock)
        assert [hold.breakpoint for hold in store.holds()] == [rule.number]
        assert statuses(room) == {}

    def test_at_most_every_250_ms_and_the_rest_at_close(
        self, room: Path, store: Store, clock: Shifted, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        peer(room, "bob")
        store.register("ann")
        still = now() + clock.by + timedelta(seconds=1)
        moment = [still]
        mirror_of(store)._clock = lambda: moment[0]
        first = store.send("ann", "bob", "first").id
        second = store.send("ann", "bob", "second").id
        assert list(listed(room)) == [first]
        moment[0] += timedelta(milliseconds=249)
        third = store.send("ann", "bob", "third").id
        assert list(listed(room)) == [first]
        moment[0] += timedelta(milliseconds=1)
        fourth = store.send("ann", "bob", "fourth").id
        assert list(listed(room)) == [first, second, third, fourth]
        fifth = store.send("ann", "bob", "fifth").id
        assert fifth not in listed(room)
        store.close()
        assert list(listed(room)) == [first, second, third, fourth, fifth]

    def test_what_we_write_is_not_taken_for_a_foreign_process(
        self, room: Path, open_store: Opener, store: Store, clock: Shifted
    ) -> None:
        peer(room, "bob")
        store.register("ann")
        wrote = store.peers()
        for number in range(3):
            store.send("ann", "bob", f"{number}")
            settle(store, clock)
            open_store().agents()
        assert store.peers() == wrote

    def test_unknown_keys_and_odd_entries_stay(self, room: Path, store: Store, clock: Shifted) -> None:
        peer(room, "bob")
        store.register("ann")
        id = store.send("ann", "bob", "hello").id
        settle(store, clock)
        entries = json.loads((room / "messages.json").read_bytes())
        put(room, "messages.json", [entries[0] | {"starred": True}, 7, {"id": "\ud83d"}][:2])
        store.agents()
        store.send("ann", "bob", "again")
        settle(store, clock)
        found = json.loads((room / "messages.json").read_bytes())
        assert found[0]["id"] == id
        assert found[0]["starred"] is True
        assert 7 in found
        peers = store.peers()
        assert peers
        assert len(peers.problems) == 2
        assert all("A copy is in set-aside/messages-" in problem for problem in peers.problems)

    def test_texts_that_python_cannot_encode_stay_and_hurt_nobody(
        self, room: Path, store: Store, clock: Shifted
    ) -> None:
        peer(room, "bob")
        put(room, "messages.json", rb'[{"id": "\ud83d", "x": 1}]')
        store.register("ann")
        store.send("ann", "bob", "hello")
        settle(store, clock)
        assert rb"\ud83d" in (room / "messages.json").read_bytes()

    def test_a_message_that_a_stale_writer_lost_is_put_back(
        self, room: Path, store: Store, clock: Shifted
    ) -> None:
        peer(room, "bob")
        store.register("ann")
        id = store.send("ann", "bob", "hello").id
        settle(store, clock)
        put(room, "messages.json", [fresh("m1")])
        settle(store, clock)
        assert set(listed(room)) == {id, "m1"}

    def test_five_swaps_in_vain_are_tried_again_soon(
        self, room: Path, store: Store, clock: Shifted, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        peer(room, "bob")
        store.register("ann")
        real, count = files.swap, [0]

        def swap(prepared: str, folder: str, name: str) -> files.Version | None:
            if name == "messages.json":
                count[0] += 1
                put(room, name, [fresh(f"m{count[0]}")])
            return real(prepared, folder, name)

        monkeypatch.setattr(files, "swap", swap)
        store.send("ann", "bob", "hello")
        settle(store, clock)
        assert mirror_of(store).due
        monkeypatch.setattr(files, "swap", real)
        clock.advance(0.3)
        mirror_of(store).tend()
        assert set(listed(room)) == {message.id for message in store.inbox("bob")}
        assert not mirror_of(store).due


class TestUnregistered:
    def test_a_stale_rewrite_brings_back_nobody_that_we_unregistered(
        self, room: Path, store: Store, clock: Shifted
    ) -> None:
        peer(room, "bob", "cy")
        settle(store, clock)
        stale = (room / "agents.json").read_bytes()
        store.unregister("bob")
        settle(store, clock)
        assert list(listed(room, "agents.json")) == ["cy"]
        put(room, "agents.json", stale)
        settle(store, clock)
        assert [agent.id for agent in store.agents()] == ["cy"]
        assert list(listed(room, "agents.json")) == ["cy"]

    def test_a_stale_rewrite_brings_back_no_member_that_left(
        self, room: Path, store: Store, clock: Shifted
    ) -> None:
        peer(room, "bob", "cy", "dan")
        put(room, "channels.json", [channel("api", "bob", "cy")])
        settle(store, clock)
        stale = json.loads((room / "channels.json").read_bytes())
        store.leave("api", "bob")
        settle(store, clock)
        stale[0]["members"].append("dan")
        put(room, "channels.json", stale)
        settle(store, clock)
        assert store.channels()[0].members == ("cy", "dan")


def test_what_arrived_is_known_by_its_time(room: Path, store: Store) -> None:
    peer(room, "bob")
    old = message("m1", createdAt="2020-01-01T00:00:00.000Z")
    put(room, "messages.json", [old])
    (found,) = store.inbox("bob")
    assert found.sent_at == datetime(2020, 1, 1, tzinfo=UTC)
    assert [event.fact.since for event in store.history() if isinstance(event.fact, MessageSent)] == [
        found.sent_at
    ]
