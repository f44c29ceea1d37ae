"""Disks that are full or may not be written to: one clear sentence, and nothing has changed."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from msgcode import Store, Unavailable
from tests.core.support import picture


def mount(*arguments: str) -> None:
    """Mount something, or skip the test where that is not allowed."""
    try:
        subprocess.run(["mount", *arguments], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs the right to mount a file system")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount("-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk))
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def fill(disk: Path, leave: int = 0) -> Path:
    """Use up the disk but for so many blocks."""
    filler = disk / "filler"
    with open(filler, "wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            pass
    os.truncate(filler, filler.stat().st_size // 4096 * 4096 - leave * 4096)
    return filler


class TestFullDisk:
    @pytest.mark.parametrize("left", [0, 1, 2])
    def test_a_send_says_so_and_changes_nothing(self, small_disk: Path, left: int) -> None:
        room = small_disk / "room"
        with Store.open(room) as store, Store.open(room) as other:
            store.register("ann")
            first = store.send("ann", "bob", "fits")
            filler = fill(small_disk, left)
            store.messages()
            before = picture(store._journal.state)
            history = list(other.history())
            for writer in (store, other, store):
                with pytest.raises(Unavailable, match=r"the disk is full\. Nothing was changed\.$"):
                    writer.send("ann", "bob", "x" * 20_000)
                assert list(other.history()) == history
            assert store.messages() == other.messages() == [first]
            assert picture(store._journal.state) == before
            filler.unlink()
            second = other.send("ann", "bob", "x" * 20_000)
            assert store.messages() == [first, second]
            with Store.open(room) as late:
                assert late.messages() == [first, second]
                assert late.damage() == []

    def test_a_new_room_on_it(self, small_disk: Path) -> None:
        filler = fill(small_disk)
        with Store.open(small_disk / "room") as store:
            with pytest.raises(Unavailable, match=r"the disk is full\. Nothing was changed\.$"):
                store.register("ann")
            assert store.agents() == []
            filler.unlink()
            store.register("ann")
            assert [agent.id for agent in store.agents()] == ["ann"]


def test_a_file_that_may_not_grow(tmp_path: Path) -> None:
    """The same on any machine: a limit on the size of files stands for the disk."""
    script = """
        import resource, signal, sys
        from msgcode import Store, Unavailable

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        with Store.open(sys.argv[1]) as store:
            store.register("ann")
            store.send("ann", "bob", "fits")
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
            for body in ("x" * 5000, "y" * 5000):
                try:
                    store.send("ann", "bob", body)
                except Unavailable as error:
                    print(error)
            print(len(store.messages()), len(list(store.history())))
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            store.send("ann", "bob", "z" * 5000)
            print([len(message.body) for message in store.messages()])
    """
    room = tmp_path / "room"
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), str(room)], capture_output=True, text=True, timeout=30
    )
    assert done.stderr == ""
    sentence = f"cannot write to {room}/journal: File too large. Nothing was changed."
    assert done.stdout.splitlines() == [sentence, sentence, "1 2", "[4, 5000]"]
    with Store.open(room) as store:
        assert len(store.messages()) == 2
        assert store.damage() == []


@pytest.fixture
def read_only_room(tmp_path: Path) -> Iterator[Path]:
    """A room with one message for bob that nobody may write to, not even root."""
    room = tmp_path / "room"
    with Store.open(room) as store:
        store.register("ann")
        store.register("bob")
        store.send("ann", "bob", "hello")
    if os.geteuid() == 0:
        mount("--bind", str(room), str(room))
        subprocess.run(["mount", "-o", "remount,ro,bind", str(room)], check=True, capture_output=True)
        yield room
        subprocess.run(["umount", str(room)], check=True)
    else:
        paths = [room, *room.rglob("*")]
        for path in paths:
            path.chmod(0o500 if path.is_dir() else 0o400)
        yield room
        for path in paths:
            path.chmod(0o700)


class TestReadOnly:
    def test_it_can_be_read_but_not_changed(self, read_only_room: Path) -> None:
        with Store.open(read_only_room) as store:
            store.messages()
            before = picture(store._journal.state)
            verbs: list[Callable[[], object]] = [
                lambda: store.send("ann", "bob", "more"),
                lambda: store.check("bob"),
                lambda: store.register("cy"),
                lambda: store.purge(),
                lambda: store.set_presence("ann", "busy"),
            ]
            for verb in verbs:
                with pytest.raises(Unavailable) as error:
                    verb()
                sentence = str(error.value)
                assert "read-only" in sentence or "permissions" in sentence
                assert sentence.endswith("Nothing was changed.")
                assert "\n" not in sentence
            assert [message.body for message in store.inbox("bob")] == ["hello"]
            assert len(list(store.history())) == 3
            assert picture(store._journal.state) == before

    def test_a_room_that_cannot_be_created(self, read_only_room: Path) -> None:
        with Store.open(read_only_room / "deep" / "inside") as store:
            assert store.agents() == []
            with pytest.raises(Unavailable, match=r"^cannot create .* Nothing was changed\.$"):
                store.register("ann")
