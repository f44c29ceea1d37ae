"""Processes that die at each step, several at once, and a clock that jumps: nothing is lost or doubled."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from msgcode import Store
from msgcode.mirror import files
from msgcode.mirror.mirror import Mirror
from tests.core.mirror.support import (
    Opener,
    Shifted,
    bodies,
    fresh,
    leftovers,
    listed,
    message,
    mirror_of,
    peer,
    put,
    sent,
    settle,
    stamp,
)


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
        for _ in range(3):
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
