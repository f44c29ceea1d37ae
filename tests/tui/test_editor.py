"""From a message to the editor: what it may name, and what then runs."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgcode import Message, Store
from msgcode.errors import Refused
from msgcode.model import Session
from msgcode.state import State
from msgcode_tui.editor import Command, Place, command, find, places

FILE = Path("/src/config.py")


def message(**metadata: str) -> Message:
    return Message("id", 1, "alice", "hi", datetime.now(UTC), {}, metadata=metadata)


@pytest.mark.parametrize(
    ("metadata", "found"),
    [
        ({"file": "src/config.py:15"}, [Place("src/config.py", 15)]),
        ({"file": "src/config.py:15:3"}, [Place("src/config.py", 15)]),
        ({"path": "src/config.py:15-20"}, [Place("src/config.py", 15)]),
        ({"file": "src/config.py", "line": "15"}, [Place("src/config.py", 15)]),
        ({"path": "src/config.py", "line": "15-20"}, [Place("src/config.py", 15)]),
        ({"path": "src/config.py", "line": "x"}, [Place("src/config.py")]),
        ({"file": "src/config.py", "line": "0"}, [Place("src/config.py")]),
        ({"where": "a.py:1", "and": "b.py:2"}, [Place("a.py", 1), Place("b.py", 2)]),
        ({"commit": "4f2c1ab", "line": "15"}, []),
        ({"file": ""}, []),
        ({"file": "a:٣"}, [Place("a:٣")]),
        ({"file": "a.py:99999999999"}, [Place("a.py:99999999999")]),
    ],
)
def test_places(metadata: dict[str, str], found: list[Place]) -> None:
    assert places(message(**metadata)) == found


def test_a_relative_name_is_of_the_senders_session(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, here = tmp_path / "project", tmp_path / "here"
    for folder in (project, here):
        (folder / "src").mkdir(parents=True)
        (folder / "src" / "a.py").touch()
    monkeypatch.chdir(here)
    state = State()
    assert find(message(file="src/a.py:7"), state) == (here / "src" / "a.py", 7)
    state.agents["alice"] = store.register("alice", session=Session("s", "opencode", "h", str(project)))
    assert find(message(file="src/a.py:7"), state) == (project / "src" / "a.py", 7)
    assert find(message(file="gone.py", other="src/a.py:2"), state) == (project / "src" / "a.py", 2)
    assert find(message(file=str(here / "src" / "a.py")), state) == (here / "src" / "a.py", None)


@pytest.mark.parametrize(
    "name", ["none.py", "src", "/dev/null", "x\0y", "a" * 5000, "../none.py", "~/none", "-R"]
)
def test_only_files_that_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (tmp_path / "src").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Refused, match="There is no such file in "):
        find(message(file=name), State())


def test_a_message_that_names_nothing() -> None:
    with pytest.raises(Refused, match="names no file"):
        find(message(commit="4f2c1ab"), State())


@pytest.mark.parametrize(
    ("editor", "words", "in_terminal"),
    [
        ("vim", ["vim", "+15", "/src/config.py"], True),
        ("/usr/bin/nvim -u NONE", ["/usr/bin/nvim", "-u", "NONE", "+15", "/src/config.py"], True),
        ("nano", ["nano", "+15", "/src/config.py"], True),
        ("emacs -nw", ["emacs", "-nw", "+15", "/src/config.py"], True),
        ("hx", ["hx", "/src/config.py:15"], True),
        ("code --wait", ["code", "--wait", "--goto", "/src/config.py:15"], False),
        ("subl", ["subl", "/src/config.py:15"], False),
        ("zed", ["zed", "/src/config.py:15"], False),
        ("ed", ["ed", "/src/config.py"], True),
    ],
)
def test_editors(editor: str, words: list[str], in_terminal: bool) -> None:
    assert command(FILE, 15, {"EDITOR": editor}) == Command(words, in_terminal)


def test_which_editor() -> None:
    assert command(FILE, None, {}).words == ["vi", "/src/config.py"]
    assert command(FILE, None, {"EDITOR": "nano", "VISUAL": "code"}).words == ["code", "/src/config.py"]
    for nonsense in (" ", "vim 'x"):
        with pytest.raises(Refused, match="should name an editor"):
            command(FILE, 1, {"EDITOR": nonsense})


HOSTILE = [
    "-c :!touch pwned",
    "; touch pwned",
    "$(touch pwned)",
    "`touch pwned`",
    "+call system('x')",
    "a b\n'\"*",
    "|x",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_reaches_the_editor_as_one_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / name).write_text("hello")
    monkeypatch.chdir(tmp_path)
    path, line = find(message(file=name, line="3"), State())
    words = command(path, line, {"EDITOR": "vim"}).words
    assert words == ["vim", "+3", f"{tmp_path}/{name}"]
    done = subprocess.run(["cat", words[-1]], capture_output=True, text=True, check=True)
    assert done.stdout == "hello"
    assert not (tmp_path / "pwned").exists()


@given(st.dictionaries(st.text(max_size=8) | st.sampled_from(["file", "path", "line"]), st.text(max_size=30)))
def test_whatever_a_message_says(metadata: dict[str, str]) -> None:
    for place in places(message(**metadata)):
        assert place.file
        assert place.line is None or place.line > 0
