"""The room and the files together, with a foreign process that is played by writing as it does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from msgcode import Store
from msgcode.events import MessageDiscarded, MessageSent
from msgcode.mirror import files, mirror
from msgcode.mirror.mirror import Mirror
from msgcode.mirror.versions import signature
from msgcode.model import now
from tests.core.journal.test_disk import fill, read_only_room, small_disk
from tests.core.mirror.support import (
    agent,
    channel,
    leftovers,
    listed,
    message,
    mirror_of,
    put,
    sent,
    statuses,
    text,
)

__all__ = ["read_only_room", "small_disk"]


class Shifted:
    """The true time, which can be shifted."""

    def __init__(self) -> None:
        self.by = timedelta(0)

    def __call__(self) -> datetime:
        return now() + self.by

    def advance(self, seconds: float) -> None:
        self.by += timedelta(seconds=seconds)


@pytest.fixture
def room(tmp_path: Path) -> Path:
    return tmp_path / "room"


@pytest.fixture
def clock() -> Shifted:
    return Shifted()


Opener = Callable[[], Store]


@pytest.fixture
def open_store(room: Path, clock: Shifted) -> Iterator[Opener]:
    opened: list[Store] = []

    def open_one() -> Store:
        opened.append(Store.open(room, sync=False, clock=clock))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Opener) -> Store:
    return open_store()


def stamp(seconds: float = 0) -> str:
    moment = datetime.now(UTC) + timedelta(seconds=seconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def fresh(id: str, to: str = "bob", **more: str) -> dict[str, object]:
    """A message that was sent just now."""
    return message(id, to) | {"createdAt": stamp()} | more


def peer(room: Path, *ids: str) -> None:
    """A plugin with these agents is there."""
    put(room, "agents.json", [agent(id) | {"registeredAt": stamp(-9), "lastSeenAt": stamp()} for id in ids])


def settle(store: Store, clock: Shifted) -> None:
    """Let the files be brought up to date."""
    clock.advance(0.3)
    store.agents()
    mirror_of(store).publish(at_once=True)


def bodies(store: Store, agent: str = "bob") -> list[str]:
    return [message.body for message in store.inbox(agent)]


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


def files_of(room: Path) -> tuple[str, ...]:
    return "agents.json", "channels.json", "messages.json"


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


class Died(BaseException):
    """The process ends here."""


def die(*_: object, **__: object) -> None:
    raise Died


class TestCrash:
    """At each step; afterwards another process goes on, and nothing is lost or doubled."""

    @pytest.mark.parametrize("status", ["queued", "delivered", "acknowledged", "expired"])
    def test_after_the_facts_and_before_the_memory(
        self, room: Path, open_store: Opener, monkeypatch: pytest.MonkeyPatch, status: str
    ) -> None:
        peer(room, "bob")
        open_store().agents()
        put(room, "messages.json", [fresh("m-one", status=status)])
        monkeypatch.setattr(Mirror, "_save", die)
        with pytest.raises(Died):
            open_store().agents()
        monkeypatch.undo()
        late = open_store()
        assert late.agents()
        assert sent(late) == ["m-one"]
        message = late.message("m-one")
        assert message.deliveries["bob"].status == status

    @pytest.mark.parametrize("moment", ["before the swap", "after the swap", "while taking in"])
    def test_around_the_swap(
        self, room: Path, open_store: Opener, clock: Shifted, monkeypatch: pytest.MonkeyPatch, moment: str
    ) -> None:
        peer(room, "bob")
        first = open_store()
        first.register("ann")
        settle(first, clock)
        real, real_take_in = files.swap, Mirror._take_in

        def swap(prepared: str, folder: str, name: str) -> files.Version | None:
            if name != "messages.json":
                return real(prepared, folder, name)
            if moment != "before the swap":
                put(room, name, [fresh("m1")])
                real(prepared, folder, name)
            raise Died

        def outrun(prepared: str, folder: str, name: str) -> files.Version | None:
            put(room, "messages.json", [fresh("m1")])
            return real(prepared, folder, name)

        def take_in(self: Mirror, version: files.Version, *, displaced: bool = False) -> bool:
            if displaced:
                raise Died
            return real_take_in(self, version)

        if moment == "while taking in":
            monkeypatch.setattr(Mirror, "_take_in", take_in)
            monkeypatch.setattr(files, "swap", outrun)
        else:
            monkeypatch.setattr(files, "swap", swap)
        clock.advance(1)
        with pytest.raises(Died):
            first.send("ann", "bob", "ours")
        monkeypatch.undo()
        late = open_store()
        expected = {"ours"} if moment == "before the swap" else {"ours", "body of m1"}
        assert set(bodies(late)) == expected
        settle(late, clock)
        assert len(listed(room)) == len(sent(late)) == len(expected)
        assert leftovers(room) == []

    def test_killed_at_any_time(self, room: Path, open_store: Opener) -> None:
        """A process that publishes all the time beside one that writes all the time is killed."""
        script = """
            import sys
            from msgcode import Store
            store = Store.open(sys.argv[1], sync=False)
            store.register("ann")
            print("ready", flush=True)
            while True:
                print(store.send("ann", "bob", "ours").id, flush=True)
                store._journal._opened().publish(at_once=True)
        """
        peer(room, "bob")
        written = 0
        for _ in range(4):
            child = subprocess.Popen(
                [sys.executable, "-c", textwrap.dedent(script), str(room)], stdout=subprocess.PIPE, text=True
            )
            assert child.stdout
            assert child.stdout.readline() == "ready\n"
            for _ in range(25):
                written += 1
                put(room, "messages.json", [fresh(f"theirs-{written}")])
                child.stdout.readline()
            child.send_signal(signal.SIGKILL)
            child.wait()
            child.stdout.close()
        late = open_store()
        late.agents()
        ids = sent(late)
        assert len(ids) == len(set(ids))
        assert f"theirs-{written}" in ids
        mirror_of(late).publish(at_once=True)
        assert set(listed(room)) == {message.id for message in late.inbox("bob")} == set(ids)
        assert leftovers(room) == []


def test_two_of_ours_at_once(room: Path, open_store: Opener) -> None:
    peer(room, "bob")
    stores = [open_store(), open_store()]
    for number, store in enumerate(stores):
        store.register(f"ann-{number}")
    errors: list[BaseException] = []

    def send(store: Store, name: str) -> None:
        try:
            for number in range(20):
                store.send(name, "bob", f"{name} {number}")
                mirror_of(store).publish(at_once=True)
        except BaseException as error:
            errors.append(error)

    threads = [
        threading.Thread(target=send, args=(store, f"ann-{number}")) for number, store in enumerate(stores)
    ]
    for thread in threads:
        thread.start()
    for number in range(10):
        put(room, "messages.json", [fresh(f"theirs-{number}")])
    for thread in threads:
        thread.join()
    assert errors == []
    mirror_of(stores[0]).publish(at_once=True)
    ids = sent(stores[0])
    assert len(ids) == len(set(ids)) >= 41
    assert set(ids) == set(listed(room)) == {message.id for message in stores[1].inbox("bob")}


class TestJumpingClock:
    @pytest.mark.parametrize("jumps", [(7200, -7200), (-7200, 7200), (86400 * 400,), (-86400,)])
    def test_nothing_is_imported_twice_or_lost(
        self, room: Path, open_store: Opener, clock: Shifted, jumps: tuple[float, ...]
    ) -> None:
        store = open_store()
        peer(room, "bob")
        store.register("ann")
        ended = fresh("m1", status="acknowledged")
        put(room, "messages.json", [ended])
        ours = store.send("ann", "bob", "ours").id
        settle(store, clock)
        for jump in jumps:
            clock.advance(jump)
            put(room, "messages.json", [message("m9") | {"createdAt": stamp()}])
            settle(store, clock)
            put(room, "messages.json", [ended, fresh("m2")])
            settle(store, clock)
            late = open_store()
            late.agents()
        assert sorted(sent(store)) == sorted(["m1", "m2", "m9", ours])
        assert ours in {message.id for message in store.inbox("bob")}


class TestWhoInjects:
    def test_what_is_claimed_is_taken_from_the_file(self, room: Path, store: Store, clock: Shifted) -> None:
        peer(room, "cy")
        store.register("ann")
        store.register("bob")
        id = store.send("ann", "bob", "hello").id
        settle(store, clock)
        assert statuses(room) == {id: "queued"}
        assert [message.id for message in store.claim("bob", "host")] == [id]
        assert statuses(room) == {}
        store.confirm("bob", id, "host")
        settle(store, clock)
        assert statuses(room) == {id: "delivered"}

    def test_what_the_plugin_took_is_not_given_to_ours(
        self, room: Path, store: Store, clock: Shifted, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It takes it between our claim and our writing."""
        peer(room, "bob")
        store.register("ann")
        id = store.send("ann", "bob", "hello").id
        settle(store, clock)
        taken = [entry | {"status": "delivered"} for entry in listed(room).values()]
        real = Mirror.withdraw

        def withdraw(self: Mirror, *arguments: object) -> set[str]:
            put(room, "messages.json", taken)
            return real(self, *arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(Mirror, "withdraw", withdraw)
        assert store.claim("bob", "host") == []
        assert store.message(id).deliveries["bob"].by == "oh-my-msgcode"

    def test_what_stale_writes_put_back_is_handed_back(
        self, room: Path, store: Store, clock: Shifted, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        peer(room, "bob")
        store.register("ann")
        id = store.send("ann", "bob", "hello").id
        settle(store, clock)
        stale, slept = (room / "messages.json").read_bytes(), [0]

        def sleep(_: float) -> None:
            slept[0] += 1
            put(room, "messages.json", stale)

        monkeypatch.setattr(mirror, "SETTLE", 0)
        monkeypatch.setattr(time, "sleep", sleep)
        assert store.claim("bob", "host") == []
        assert slept == [mirror.TRIES]
        delivery = store.message(id).deliveries["bob"]
        assert delivery.status == "queued"
        assert "oh-my-msgcode" in delivery.failures[0]

    def test_put_back_once_it_is_taken_again(
        self, room: Path, store: Store, clock: Shifted, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        peer(room, "bob")
        store.register("ann")
        id = store.send("ann", "bob", "hello").id
        settle(store, clock)
        stale, slept = (room / "messages.json").read_bytes(), [0]

        def sleep(_: float) -> None:
            slept[0] += 1
            if slept == [1]:
                put(room, "messages.json", stale)

        monkeypatch.setattr(time, "sleep", sleep)
        assert [message.id for message in store.claim("bob", "host")] == [id]
        assert slept == [2]
        assert statuses(room) == {}

    def test_what_has_been_delivered_is_not_waited_for(
        self, room: Path, store: Store, clock: Shifted, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        peer(room, "bob")
        store.register("ann")
        store.send("ann", "bob", "hello")
        store.check("bob")
        slept: list[float] = []
        monkeypatch.setattr(time, "sleep", slept.append)
        assert len(store.check("bob")) == 1
        assert slept == []


def test_what_arrived_is_known_by_its_time(room: Path, store: Store) -> None:
    peer(room, "bob")
    old = message("m1", createdAt="2020-01-01T00:00:00.000Z")
    put(room, "messages.json", [old])
    (found,) = store.inbox("bob")
    assert found.sent_at == datetime(2020, 1, 1, tzinfo=UTC)
    assert [event.fact.since for event in store.history() if isinstance(event.fact, MessageSent)] == [
        found.sent_at
    ]
