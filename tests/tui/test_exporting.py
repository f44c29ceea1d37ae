"""Messages written to files."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from msgcode import Message, MsgcodeError, Store
from msgcode_tui import exporting
from msgcode_tui.exporting import proposed, room_part, thread_part
from msgcode_tui.rooms import EVERYTHING, channel_room, pair_room

AT = datetime(2026, 3, 2, 9, 30)


def write(
    path: Path,
    messages: list[Message],
    *,
    replace: bool = False,
    stopped: bool = False,
) -> tuple[str | None, list[int]]:
    told: list[int] = []

    def is_stopped() -> bool:
        return stopped

    made = exporting.write(str(path), messages, "T", replace=replace, tell=told.append, is_stopped=is_stopped)
    return made, told


@pytest.fixture
def messages(store: Store) -> list[Message]:
    return [store.send("alice", "bob", f"number {number}") for number in range(3)]


def test_names() -> None:
    assert proposed(room_part(EVERYTHING, "Everything", []), "md", AT) == "msgcode-everything-2026-03-02.md"
    assert proposed(room_part(channel_room("dev"), "#dev", []), "html", AT) == "msgcode-dev-2026-03-02.html"
    pair = room_part(pair_room("bob", "alice"), "", [])
    assert proposed(pair, "jsonl", AT) == "msgcode-alice-bob-2026-03-02.jsonl"
    assert proposed(thread_part("0123456789ab", []), "md", AT) == "msgcode-thread-01234567-2026-03-02.md"


@pytest.mark.parametrize(("ending", "begin"), [("md", "# T"), ("html", "<!DOCTYPE html>"), ("jsonl", "{")])
def test_the_ending_says_the_format(tmp_path: Path, messages: list[Message], ending: str, begin: str) -> None:
    path = tmp_path / f"out.{ending}"
    made, told = write(path, messages)
    assert made == str(path)
    assert path.read_text().startswith(begin)
    assert told[-1] >= 2
    assert told == sorted(told)
    assert path.stat().st_mode & 0o777 == 0o600
    if ending == "jsonl":
        assert [json.loads(line)["body"] for line in path.read_text().splitlines()] == [
            "number 0",
            "number 1",
            "number 2",
        ]


def test_nothing_is_replaced_unasked(tmp_path: Path, messages: list[Message]) -> None:
    path = tmp_path / "out.md"
    path.write_text("mine")
    with pytest.raises(MsgcodeError, match="exists already"):
        write(path, messages)
    assert path.read_text() == "mine"
    write(path, messages, replace=True)
    assert "number 2" in path.read_text()
    assert [each.name for each in tmp_path.glob("out*")] == ["out.md"]


@pytest.mark.parametrize("replace", [False, True])
def test_what_is_stopped_leaves_nothing(tmp_path: Path, messages: list[Message], replace: bool) -> None:
    path = tmp_path / "out.md"
    if replace:
        path.write_text("mine")
    assert write(path, messages, replace=replace, stopped=True)[0] is None
    assert [each.name for each in tmp_path.glob("out*")] == ["out.md"] * replace
    assert not replace or path.read_text() == "mine"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("out.txt", "must end in"),
        ("out", "must end in"),
        ("no/such/folder/out.md", "cannot write"),
        ("\0.md", "cannot be the name"),
    ],
)
def test_names_that_will_not_do(tmp_path: Path, messages: list[Message], name: str, sentence: str) -> None:
    with pytest.raises(MsgcodeError, match=sentence):
        write(tmp_path / name, messages)
