"""Presence: who is there, and what becomes of odd names and odd files."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from msgcode import Activity, BadInput, Presence, Store, Unavailable
from msgcode.presence import PresenceBoard
from tests.core.support import START, mode


@pytest.fixture
def board(tmp_path: Path) -> PresenceBoard:
    return PresenceBoard(str(tmp_path))


def after(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def test_nobody_was_ever_seen(board: PresenceBoard) -> None:
    presence = board.get("ann", START)
    assert presence == Presence(Activity.OFFLINE, None, None)
    assert not presence.online


def test_seen_is_online_for_thirty_seconds(board: PresenceBoard) -> None:
    board.seen("ann", START)
    for seconds, online in [(0, True), (29.999, True), (30, False), (3600, False)]:
        presence = board.get("ann", START + after(seconds))
        assert presence.online is online
        assert presence.activity is (Activity.IDLE if online else Activity.OFFLINE)
        assert presence.last_seen == START


def test_since_when_it_has_been_doing_this(board: PresenceBoard) -> None:
    board.set("ann", Activity.BLOCKED, START, "a permission prompt")
    board.set("ann", Activity.BLOCKED, START + after(10), "a permission prompt")
    assert board.get("ann", START + after(11)).since == START
    board.set("ann", Activity.BLOCKED, START + after(20), "another")
    assert board.get("ann", START + after(21)).since == START + after(20)
    board.set("ann", Activity.BLOCKED, START + after(60), "another")
    assert board.get("ann", START + after(61)).since == START + after(60), "it was away meanwhile"
    board.set("ann", Activity.OFFLINE, START + after(70))
    board.seen("ann", START + after(80))
    assert board.get("ann", START + after(81)).since is None


def test_a_heartbeat_keeps_what_it_was_doing(board: PresenceBoard) -> None:
    board.set("ann", Activity.BLOCKED, START, "a permission prompt")
    board.seen("ann", START + after(20))
    presence = board.get("ann", START + after(45))
    assert presence == Presence(Activity.BLOCKED, START + after(20), "a permission prompt", START)
    assert board.get("ann", START + after(50)).reason is None


def test_a_first_heartbeat_does_not_undo_what_is_told_meanwhile(
    board: PresenceBoard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    utime = os.utime

    def tell_first(path: str, times: tuple[float, float]) -> None:
        monkeypatch.setattr(os, "utime", utime)
        PresenceBoard(str(tmp_path)).set("ann", Activity.BUSY, START)
        raise FileNotFoundError

    monkeypatch.setattr(os, "utime", tell_first)
    board.seen("ann", START)
    assert board.get("ann", START).activity is Activity.BUSY


def test_blocked_needs_a_reason(board: PresenceBoard, tmp_path: Path) -> None:
    for reason in (None, ""):
        with pytest.raises(BadInput, match="needs a reason"):
            board.set("ann", Activity.BLOCKED, START, reason)
    assert list(tmp_path.iterdir()) == []


def test_whoever_leaves_is_offline_until_seen_again(board: PresenceBoard) -> None:
    board.set("ann", Activity.BUSY, START)
    board.set("ann", Activity.OFFLINE, START + after(1))
    assert board.get("ann", START + after(2)) == Presence(Activity.OFFLINE, START + after(1))
    board.seen("ann", START + after(3))
    assert board.get("ann", START + after(4)) == Presence(Activity.IDLE, START + after(3))


def test_forgetting(board: PresenceBoard) -> None:
    board.seen("ann", START)
    board.forget("ann")
    board.forget("ann")
    assert board.get("ann", START).last_seen is None


def test_each_name_has_a_file_of_its_own(board: PresenceBoard, tmp_path: Path) -> None:
    """Even where a disk ignores case, or a name means something to it."""
    names = ["Bob", "bob", "BOB", "b.b", "b_b", "b%2eb", "con", "a-b", "x" * 64, "X" * 64]
    for number, name in enumerate(names):
        board.set(name, Activity.BUSY, START, f"reason {number}")
    for number, name in enumerate(names):
        assert board.get(name, START).reason == f"reason {number}"
    files = [path.name for path in (tmp_path / "presence").iterdir()]
    assert len({file.lower() for file in files}) == len(names)
    assert all(mode(tmp_path / "presence" / file) == 0o600 for file in files)


@pytest.mark.parametrize("name", ["../outside", "/etc/x", "a/b", "..", "\x00"])
def test_no_name_leads_out_of_the_folder(board: PresenceBoard, tmp_path: Path, name: str) -> None:
    board.seen(name, START)
    (only,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert only.parent == tmp_path / "presence"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"oops",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b"4",
        b'{"activity": "dancing"}',
        b'{"activity": ["idle"]}',
        pytest.param(b"[" * 100_000, id="nested"),
    ],
)
def test_a_file_that_makes_no_sense_counts_as_none(
    board: PresenceBoard, tmp_path: Path, content: bytes
) -> None:
    board.seen("ann", START)
    (tmp_path / "presence" / "ann.json").write_bytes(content)
    assert board.get("ann", START).online is False
    board.set("ann", Activity.BUSY, START)
    assert board.get("ann", START).activity is Activity.BUSY


def test_a_reason_of_another_type_is_none(board: PresenceBoard, tmp_path: Path) -> None:
    board.seen("ann", START)
    file = tmp_path / "presence" / "ann.json"
    file.write_bytes(b'{"activity": "busy", "reason": {"a": 1}}')
    os.utime(file, (START.timestamp(), START.timestamp()))
    assert board.get("ann", START) == Presence(Activity.BUSY, START, None)


def test_a_time_beyond_the_calendar_is_none(board: PresenceBoard, tmp_path: Path) -> None:
    board.seen("ann", START)
    os.utime(tmp_path / "presence" / "ann.json", ns=(0, 15_000_000_000 * 10**9))
    board.get("ann", START)


def test_where_it_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "presence").write_text("in the way")
    board = PresenceBoard(str(tmp_path))
    with pytest.raises(Unavailable, match=r"Nothing was changed\.$"):
        board.set("ann", Activity.BUSY, START)
    with pytest.raises(Unavailable):
        board.seen("ann", START)
    with Store.open(tmp_path) as store:
        assert store.register("ann").id == "ann", "that nobody knows it was seen is no reason to refuse"
