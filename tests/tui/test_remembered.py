"""What is remembered between runs, and what two TUIs do to each other's memory."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path

import pytest

from msgcode import Priority
from msgcode_tui.drafts import Options
from msgcode_tui.remembered import HISTORY, Memory, Remembered, default_path, merge, room_key, room_of
from msgcode_tui.rooms import EVERYTHING, channel_room, pair_room

EVERY_FIELD = Remembered(
    widths={"rooms": 30},
    hidden={"inspector"},
    pinned={"channel/dev"},
    muted={"pair/a/b"},
    collapsed={"Conversations"},
    drafts={"pair/a/human": "half a\nsentence \N{GRINNING FACE}"},
    options={"pair/a/human": Options(Priority.HIGH, "S", 300.0, "3f2a", "coder")},
    read={"everything": 12},
    history=["one", "two"],
)


def save(*memories: Memory) -> None:
    """Save them all at the same time."""

    async def all_of_them() -> None:
        await asyncio.gather(*(memory.save() for memory in memories))

    asyncio.run(all_of_them())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the memory is, in a folder that does not exist yet."""
    return tmp_path / "state" / "room.json"


def test_everything_comes_back(file: Path) -> None:
    memory = Memory(file)
    assert memory.now == Remembered()
    memory.now = EVERY_FIELD
    save(memory)
    assert Memory(file).now == EVERY_FIELD
    assert [stat.S_IMODE(path.stat().st_mode) for path in (file, file.parent)] == [0o600, 0o700]


def test_nothing_is_written_where_nothing_has_changed(file: Path) -> None:
    save(Memory(file))
    assert not file.exists()


def test_two_tuis_keep_each_others_changes(file: Path) -> None:
    first, second = Memory(file), Memory(file)
    first.now.drafts["channel/dev"] = "from the first"
    first.now.pinned.add("channel/dev")
    first.now.history.append("sent by the first")
    second.now.drafts["pair/a/b"] = "from the second"
    second.now.widths["rooms"] = 40
    second.now.history.append("sent by the second")
    save(first, second)
    both = Memory(file).now
    assert both.drafts == {"channel/dev": "from the first", "pair/a/b": "from the second"}
    assert (both.widths, both.pinned) == ({"rooms": 40}, {"channel/dev"})
    assert sorted(both.history) == ["sent by the first", "sent by the second"]


def test_what_was_taken_away_stays_away_and_nothing_else_goes(file: Path) -> None:
    first = Memory(file)
    first.now = EVERY_FIELD
    save(first)
    second = Memory(file)
    first.now.drafts.clear()
    first.now.muted.clear()
    save(first)
    second.now.muted.add("channel/dev")
    save(second)
    left = Memory(file).now
    assert (left.drafts, left.muted, left.pinned) == ({}, {"channel/dev"}, {"channel/dev"})


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"widths": {"rooms": "wide"}}', b"\xff", b'{"history": [1]}', b"[" * 100_000],
)
def test_a_broken_file_is_set_aside(file: Path, content: bytes) -> None:
    file.parent.mkdir()
    file.write_bytes(content)
    memory = Memory(file)
    assert memory.now == Remembered()
    assert file.with_suffix(".broken").read_bytes() == content
    memory.now.hidden.add("rooms")
    save(memory)
    assert Memory(file).now.hidden == {"rooms"}


def test_fields_of_a_newer_version_do_no_harm(file: Path) -> None:
    file.parent.mkdir()
    file.write_text('{"pinned": ["channel/dev"], "zoom": 2}')
    assert Memory(file).now.pinned == {"channel/dev"}


def test_a_folder_that_cannot_be_written_says_so_and_can_be_tried_again(file: Path) -> None:
    file.parent.write_text("in the way")
    memory = Memory(file)
    memory.now.hidden.add("rooms")
    with pytest.raises(OSError, match="exists"):
        save(memory)
    file.parent.unlink()
    save(memory)
    assert Memory(file).now.hidden == {"rooms"}


def test_without_a_file_nothing_is_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    memory = Memory()
    memory.now.hidden.add("rooms")
    save(memory)
    assert list(tmp_path.iterdir()) == []


def test_the_history_grows_at_its_end_and_has_one_line_of_a_kind() -> None:
    before = Remembered(history=["a", "b"])
    again = merge(before, before, Remembered(history=["b", "a"]))
    assert again.history == ["b", "a"]
    meanwhile = Remembered(history=["a", "b", "elsewhere"])
    assert merge(meanwhile, before, Remembered(history=["a", "b", "c"])).history == [
        "a",
        "b",
        "elsewhere",
        "c",
    ]
    many = Remembered(history=[str(number) for number in range(HISTORY + 5)])
    assert merge(Remembered(), Remembered(), many).history == many.history[5:]


@pytest.mark.parametrize("room", [EVERYTHING, channel_room("dev"), pair_room("bob", "alice")])
def test_rooms_have_names(room: object) -> None:
    assert room_of(room_key(room)) == room  # type: ignore[arg-type]


@pytest.mark.parametrize("key", ["", "planet/x", "pair/a", "channel", "everything/x", "pair/a/b/c"])
def test_what_is_no_room_has_none(key: str) -> None:
    assert room_of(key) is None


def test_each_store_has_a_file_of_its_own() -> None:
    one, other = default_path("/home/a/.oh-my-msgcode"), default_path("/home/b/.oh-my-msgcode")
    assert one != other
    assert one.name.startswith("oh-my-msgcode-")
    assert default_path("/").suffix == ".json"
