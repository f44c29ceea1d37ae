"""Files that others replace all the time: every version is either in place or has been returned."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from msgcode.mirror import files
from msgcode.mirror.versions import FILES, signature
from tests.core.mirror.support import put

NAME = "messages.json"


@pytest.fixture(params=["the system's exchange", "without it"])
def room(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Path:
    if request.param == "without it":
        monkeypatch.setattr(files, "_exchange_in_one", None)
    return tmp_path


def swap(room: Path, data: bytes) -> files.Version | None:
    prepared, _ = files.prepare(str(room), NAME, data)
    displaced = files.swap(prepared, str(room), NAME)
    files.drop(prepared)
    return displaced


def names(room: Path) -> list[str]:
    return sorted(path.name for path in room.iterdir())


class TestSwap:
    def test_where_there_was_none(self, room: Path) -> None:
        assert swap(room, b"ours") is None
        assert (room / NAME).read_bytes() == b"ours"
        assert names(room) == [NAME]

    def test_it_returns_what_was_there(self, room: Path) -> None:
        put(room, NAME, b"theirs")
        there = signature(str(room / NAME))
        displaced = swap(room, b"ours")
        assert displaced == files.Version(NAME, b"theirs", there)  # type: ignore[arg-type]
        assert (room / NAME).read_bytes() == b"ours"
        assert names(room) == [NAME]

    def test_what_is_in_place_has_the_signature_it_was_prepared_with(self, room: Path) -> None:
        put(room, NAME, b"theirs")
        prepared, version = files.prepare(str(room), NAME, b"ours")
        files.swap(prepared, str(room), NAME)
        assert files.read(str(room), NAME) == version
        assert (room / NAME).stat().st_mode & 0o777 == 0o600

    def test_what_was_displaced_is_a_leftover_until_it_is_dropped(self, room: Path) -> None:
        put(room, NAME, b"theirs")
        prepared, _ = files.prepare(str(room), NAME, b"ours")
        files.swap(prepared, str(room), NAME)
        assert files.has_leftovers(str(room), FILES)
        assert [version.data for version in files.leftovers(str(room), FILES)] == [b"theirs"]
        assert names(room) == [NAME]

    def test_there_may_be_a_folder_in_the_way(self, room: Path) -> None:
        (room / NAME).mkdir()
        with pytest.raises(OSError, match="directory"):
            files.read(str(room), NAME)


def test_no_version_of_a_tight_loop_is_lost(tmp_path: Path) -> None:
    """One writes over ours as fast as it can while we swap."""
    written, displaced, stop = [], [], threading.Event()
    put(tmp_path, NAME, b"theirs 0")
    written.append(b"theirs 0")

    def write() -> None:
        while not stop.is_set():
            # Only over ours: what a foreign writer overwrites is lost between those, and not by us.
            if (tmp_path / NAME).read_bytes().startswith(b"ours"):
                written.append(b"theirs %d" % len(written))
                put(tmp_path, NAME, written[-1])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        deadline = time.monotonic() + 20
        while len(written) < 100 and time.monotonic() < deadline:
            version = swap(tmp_path, b"ours")
            displaced.append(version.data if version else b"")
    finally:
        stop.set()
        writer.join()
    found = {*displaced, (tmp_path / NAME).read_bytes()}
    assert set(written) <= found
    assert names(tmp_path) == [NAME]


def test_nobody_finds_the_file_missing(room: Path) -> None:
    put(room, NAME, b"theirs")
    missing, stop = [0], threading.Event()

    def look() -> None:
        while not stop.is_set():
            missing[0] += not (room / NAME).exists()

    reader = threading.Thread(target=look)
    reader.start()
    for number in range(200):
        swap(room, b"%d" % number)
    stop.set()
    reader.join()
    assert missing == [0]


class TestTake:
    def test_it_takes_what_was_expected_and_says_nothing(self, tmp_path: Path) -> None:
        put(tmp_path, NAME, b"bad")
        there = signature(str(tmp_path / NAME))
        assert there
        assert files.take(str(tmp_path), NAME, there) is None
        assert names(tmp_path) == []
        assert files.take(str(tmp_path), NAME, there) is None

    def test_it_returns_another(self, tmp_path: Path) -> None:
        put(tmp_path, NAME, b"good")
        taken = files.take(str(tmp_path), NAME, (0, 0, 0))
        assert taken
        assert (taken.name, taken.data) == (NAME, b"good")
        assert names(tmp_path) == []


class TestLeftovers:
    def test_each_is_gone_once_the_next_is_asked_for(self, tmp_path: Path) -> None:
        for name in ("messages.json", "agents.json"):
            files.prepare(str(tmp_path), name, name.encode())
        (tmp_path / ".tmp-other.json").touch()
        (tmp_path / ".msgcode-other").touch()
        found = files.leftovers(str(tmp_path), FILES)
        assert next(found).name == "agents.json"
        assert len(names(tmp_path)) == 4
        assert next(found).name == "messages.json"
        assert len(names(tmp_path)) == 3
        assert list(found) == []
        assert names(tmp_path) == [".msgcode-other", ".tmp-other.json"]
        assert not files.has_leftovers(str(tmp_path), FILES)

    def test_no_folder_has_none(self, tmp_path: Path) -> None:
        assert not files.has_leftovers(str(tmp_path / "none"), FILES)

    def test_what_cannot_be_prepared_leaves_none(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: object) -> None:
            raise OSError(28, os.strerror(28))

        monkeypatch.setattr(files, "write_all", full)
        with pytest.raises(OSError, match="No space"):
            files.prepare(str(tmp_path), NAME, b"x")
        assert names(tmp_path) == []


def test_set_aside_once_for_the_same_trouble(tmp_path: Path) -> None:
    kept = [
        files.set_aside(str(tmp_path), NAME, data, trouble)
        for data, trouble in [(b"1", b"a"), (b"2", b"a"), (b"3", b"ab")]
    ]
    assert kept[0] == kept[1] != kept[2]
    assert [(tmp_path / path).read_bytes() for path in kept] == [b"1", b"1", b"3"]
    assert all((tmp_path / path).stat().st_mode & 0o777 == 0o600 for path in kept)
    assert (tmp_path / files.ASIDE).stat().st_mode & 0o777 == 0o700
