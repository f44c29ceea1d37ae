"""Catching every version of the files, on a system that tells of each."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from msgcode.mirror import catcher as module
from msgcode.mirror import files
from msgcode.mirror.catcher import Catcher, LinuxCatcher, catcher
from tests.core.mirror.support import put

NAME = "messages.json"
linux = pytest.mark.skipif(sys.platform != "linux", reason="needs inotify")


@pytest.fixture(params=[Catcher, pytest.param(LinuxCatcher, marks=linux)])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Catcher]:
    made: Catcher = request.param(str(tmp_path / "room"))
    yield made
    made.close()


@pytest.fixture
def room(tmp_path: Path) -> Path:
    (tmp_path / "room").mkdir()
    return tmp_path / "room"


@pytest.fixture
def watching(room: Path) -> Iterator[LinuxCatcher]:
    made = LinuxCatcher(str(room))
    made.catch(0)
    yield made
    made.close()


def caught(watching: Catcher, count: int) -> list[bytes]:
    """What is caught until there are so many, within 20 seconds."""
    found: list[bytes] = []
    deadline = time.monotonic() + 20
    while len(found) < count and time.monotonic() < deadline:
        found += [version.data for version in watching.catch(0.1)]
    return found


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


class TestEither:
    def test_a_stop_ends_the_waiting(self, either: Catcher, room: Path) -> None:
        waiting = threading.Thread(target=either.catch, args=(30,))
        waiting.start()
        either.stop()
        waiting.join(5)
        assert not waiting.is_alive()
        assert either.catch(30) == []

    def test_so_it_does_where_there_is_no_folder(self, either: Catcher) -> None:
        waiting = threading.Thread(target=either.catch, args=(30,))
        waiting.start()
        either.stop()
        waiting.join(5)
        assert not waiting.is_alive()

    def test_it_returns_when_a_file_changes(self, either: Catcher, room: Path) -> None:
        either.catch(0)
        woken = threading.Event()

        def wait() -> None:
            either.catch(30)
            woken.set()

        waiting = threading.Thread(target=wait)
        waiting.start()
        deadline = time.monotonic() + 20
        while not woken.wait(0.02) and time.monotonic() < deadline:
            put(room, NAME, b"%d" % time.monotonic_ns())
        assert woken.is_set()
        either.stop()
        waiting.join()


def test_the_best_one_for_this_system(tmp_path: Path) -> None:
    best = catcher(str(tmp_path))
    assert isinstance(best, LinuxCatcher) is (sys.platform == "linux")
    best.close()


@linux
class TestLinux:
    def test_versions_that_are_overwritten_at_once_are_caught_in_order(
        self, room: Path, watching: LinuxCatcher
    ) -> None:
        """The writer, another process in truth, goes on as soon as its temporary file is open here."""
        found: list[bytes] = []
        done = threading.Event()

        def catch() -> None:
            deadline = time.monotonic() + 20
            while len(found) < 50 and time.monotonic() < deadline and not done.is_set():
                found.extend(version.data for version in watching.catch(0.1))

        catching = threading.Thread(target=catch)
        catching.start()
        for number in range(50):
            temporary = room / f".tmp-{number}.json"
            temporary.write_bytes(b"")
            deadline = time.monotonic() + 20
            while temporary.name not in watching._open and time.monotonic() < deadline:
                time.sleep(0)
            temporary.write_bytes(b"%d" % number)
            temporary.rename(room / NAME)
        catching.join()
        assert found == [b"%d" % number for number in range(50)]

    def test_each_file_by_its_name(self, room: Path, watching: LinuxCatcher) -> None:
        put(room, "agents.json", b"[]")
        put(room, NAME, b"[7]")
        put(room, "other.json", b"[8]")
        found = watching.catch(1)
        assert [(version.name, version.data) for version in found] == [("agents.json", b"[]"), (NAME, b"[7]")]

    def test_what_we_write_is_not_caught(self, room: Path, watching: LinuxCatcher) -> None:
        put(room, NAME, b"theirs")
        assert caught(watching, 1) == [b"theirs"]
        for data in (b"first", b"second"):
            prepared, _ = files.prepare(str(room), NAME, data)
            files.swap(prepared, str(room), NAME)
            files.drop(prepared)
        assert watching.catch(0.1) == []

    def test_temporary_files_left_behind_are_dropped(
        self, room: Path, watching: LinuxCatcher, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = descriptors()
        (room / ".tmp-1.json").touch()
        watching.catch(1)
        assert descriptors() == before + 1
        monkeypatch.setattr(module, "_LEFT_BEHIND", 0)
        watching.catch(0)
        assert descriptors() == before

    def test_one_that_is_deleted_or_renamed_to_something_else_is_too(
        self, room: Path, watching: LinuxCatcher, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = descriptors()
        put(room, "other.json", b"[]")
        (room / ".tmp-1.json").touch()
        watching.catch(1)
        (room / ".tmp-1.json").unlink()
        monkeypatch.setattr(module, "_LEFT_BEHIND", 0)
        watching.catch(0)
        assert descriptors() == before

    def test_a_folder_that_is_deleted_and_made_again(self, room: Path, watching: LinuxCatcher) -> None:
        shutil.rmtree(room)
        assert caught(watching, 0) == []
        watching.catch(1)
        assert watching.catch(0) == []
        room.mkdir()
        deadline = time.monotonic() + 20
        while watching._inotify is None and time.monotonic() < deadline:
            watching.catch(0.01)
        put(room, NAME, b"[7]")
        assert caught(watching, 1) == [b"[7]"]

    def test_one_that_comes_later(self, tmp_path: Path) -> None:
        late = LinuxCatcher(str(tmp_path / "room"))
        assert late.catch(0) == []
        (tmp_path / "room").mkdir()
        assert late.catch(0) == []
        put(tmp_path / "room", NAME, b"[7]")
        assert caught(late, 1) == [b"[7]"]
        late.close()

    def test_where_all_notices_are_used_up_it_waits(
        self, room: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import inotify_simple

        def used_up() -> None:
            raise OSError(24, os.strerror(24))

        monkeypatch.setattr(inotify_simple, "INotify", used_up)
        without = LinuxCatcher(str(room))
        assert without.catch(0) == []
        without.close()

    def test_closing_lets_go_of_all(self, room: Path) -> None:
        before = descriptors()
        for _ in range(3):
            made = LinuxCatcher(str(room))
            made.catch(0)
            (room / ".tmp-1.json").touch()
            made.catch(1)
            made.close()
            (room / ".tmp-1.json").unlink()
        assert descriptors() == before
